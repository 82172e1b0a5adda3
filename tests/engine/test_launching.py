"""The places that torchrun and Slurm give processes, and what is wrong with them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from handkit.engine.launching import Place, _own_device, expand_hosts, launched
from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError, DataError

SLURM = dict(
    SLURM_PROCID="5", SLURM_NTASKS="8", SLURM_LOCALID="1", SLURM_STEP_NODELIST="gpu[07-10],x", SLURM_JOB_ID="7"
)
TORCHRUN = dict(RANK="3", WORLD_SIZE="4", LOCAL_RANK="1", MASTER_ADDR="10.0.0.1", MASTER_PORT="29500")


def test_torchrun() -> None:
    assert Place.of_torchrun(TORCHRUN) == Place(3, 4, 1, "10.0.0.1", 29500)


def test_slurm() -> None:
    assert Place.of_slurm(SLURM) == Place(5, 8, 1, "gpu07", 10007)
    assert Place.of_slurm({**SLURM, "SLURM_JOB_ID": "20008"}).port == 10008
    assert Place.of_slurm({**SLURM, "MASTER_PORT": "3000", "MASTER_ADDR": "head"}) == Place(5, 8, 1, "head", 3000)
    whole_job = {**SLURM, "SLURM_STEP_NODELIST": "", "SLURM_JOB_NODELIST": "b2,a1"}
    assert Place.of_slurm(whole_job).address == "b2"


@pytest.mark.parametrize(
    ("text", "hosts"),
    [
        ("localhost", ["localhost"]),
        ("a1,b2.example.org", ["a1", "b2.example.org"]),
        ("n[1-3]", ["n1", "n2", "n3"]),
        ("n[098-101]", ["n098", "n099", "n100", "n101"]),
        ("n[9-10,12]-ib,m", ["n9-ib", "n10-ib", "n12-ib", "m"]),
        ("r[1-2]n[01,03]", ["r1n01", "r1n03", "r2n01", "r2n03"]),
    ],
)
def test_lists_of_hosts(text: str, hosts: list[str]) -> None:
    assert expand_hosts(text) == hosts


@given(st.integers(0, 5), st.integers(0, 20), st.integers(1, 4))
def test_ranges_keep_their_width(low: int, more: int, width: int) -> None:
    text = f"n[{low:0{width}}-{low + more:0{width}}]"
    assert expand_hosts(text) == [f"n{number:0{width}}" for number in range(low, low + more + 1)]


@pytest.mark.parametrize("text", ["n[1-", "n[a-b]", "n[]", "a,,b", "a b", "n[1-2", ",a"])
def test_no_list_of_hosts(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no list of hosts.*set MASTER_ADDR"):
        expand_hosts(text)


@pytest.mark.parametrize(
    ("launcher", "given", "changes", "message"),
    [
        ("pytorch", TORCHRUN, {"RANK": None}, "RANK is not set: start with torchrun"),
        ("pytorch", TORCHRUN, {"WORLD_SIZE": "two"}, "WORLD_SIZE is 'two', which is no number"),
        ("slurm", SLURM, {"SLURM_LOCALID": None}, "SLURM_LOCALID is not set: start with srun"),
        ("slurm", SLURM, {"SLURM_STEP_NODELIST": None}, "SLURM_STEP_NODELIST is not set"),
        ("slurm", SLURM, {"SLURM_JOB_ID": None}, "SLURM_JOB_ID is not set"),
        ("none", TORCHRUN, {"TORCHELASTIC_RUN_ID": "x"}, "know nothing of each other: add --launcher pytorch"),
        ("torchrun", TORCHRUN, {}, "launcher: 'torchrun' is unknown"),
    ],
)
def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, launcher: str, given: dict[str, str], changes: dict[str, Any], message: str
) -> None:
    for name, value in {**dict.fromkeys({*SLURM, *TORCHRUN}), **given, **changes}.items():
        if value is None:
            monkeypatch.delenv(name, raising=False)
        else:
            monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match=message), launched(launcher):
        pass


def test_one_process_needs_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with launched() as processes:
        assert processes is ALONE
    for name, value in {**TORCHRUN, "RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0"}.items():
        monkeypatch.setenv(name, value)
    with launched("pytorch", "cpu") as processes:
        assert (processes.alone, processes.first, processes.device) == (True, True, "cpu")


def test_each_process_has_its_own_device(monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.of_torchrun(TORCHRUN)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    for count, device in ((2, "cuda:1"), (4, "cuda:1")):
        monkeypatch.setattr(torch.cuda, "device_count", lambda count=count: count)
        assert _own_device(place, None) == _own_device(place, "cuda") == device
    assert _own_device(place, "cpu") == "cpu"
    with pytest.raises(ConfigError, match="'cuda:0' would be that of all processes"):
        _own_device(place, "cuda:0")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match="process 1 of this machine has no CUDA device"):
        _own_device(place, None)
    monkeypatch.setenv("SLURM_PROCID", "5")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert _own_device(place, None) == "cuda:0"


@given(st.integers(0, 50), st.integers(1, 9), st.integers(1, 5))
def test_shares_are_all_batches_once(length: int, batch: int, size: int) -> None:
    shares = [Processes(rank, size).shares(length, batch) for rank in range(size)]
    every = sorted((number, list(rows)) for part in shares for number, rows in part)
    assert [row for _, rows in every for row in rows] == list(range(length))
    assert [number for number, _ in every] == list(range(len(every)))
    assert max(map(len, shares)) - min(map(len, shares)) <= 1


def test_alone_nothing_is_exchanged() -> None:
    tensor = torch.ones(3)
    ALONE.mean_([tensor], 2)
    ALONE.spread_([tensor])
    assert torch.equal(tensor, torch.ones(3))
    assert (ALONE.largest(4), ALONE.agree("a"), ALONE.agree(None)) == (4, "a", None)
    assert (ALONE.collect(5), ALONE.from_first(6), ALONE.any_of([True, False])) == ([5], 6, [True, False])
    assert not ALONE.fail(ValueError())


def test_a_sample_that_is_missing_or_counted_twice_is_refused() -> None:
    assert ALONE.in_order([(1, "b"), (0, "a"), (2, "c")]) == ["a", "b", "c"]
    for numbers in ((0, 2), (0, 1, 1), (1,)):
        with pytest.raises(DataError, match="do not see the same data set"):
            ALONE.in_order([(number, "") for number in numbers])
