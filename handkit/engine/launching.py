"""Where a process stands among those that torchrun or Slurm started, and how they meet."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed

from handkit.engine.processes import ALONE, Processes
from handkit.errors import ConfigError, HandkitError, did_you_mean

LAUNCHERS = ("none", "pytorch", "slurm")
#: Ports below those that systems give away by themselves.
_PORTS = range(10_000, 30_000)


@dataclass(frozen=True)
class Place:
    """A process's place among all.

    Args:
        rank: its number among all.
        size: number of all.
        local_rank: its number on its machine.
        address: of the machine of process 0.
        port: where process 0 listens.
    """

    rank: int
    size: int
    local_rank: int
    address: str
    port: int

    @classmethod
    def of_torchrun(cls, environ: Mapping[str, str]) -> Place:
        """From the variables that torchrun sets.

        Raises:
            ConfigError: one is missing or no number.
        """
        start = "start with torchrun, e.g. torchrun --nproc-per-node 2 tools/train.py CONFIG --launcher pytorch"
        rank, size, local = (_number(environ, name, start) for name in ("RANK", "WORLD_SIZE", "LOCAL_RANK"))
        return cls(rank, size, local, _text(environ, "MASTER_ADDR", start), _number(environ, "MASTER_PORT", start))

    @classmethod
    def of_slurm(cls, environ: Mapping[str, str]) -> Place:
        """From the variables that srun sets; MASTER_ADDR and MASTER_PORT have precedence.

        Process 0 runs on the first host of the node list. Its port is a function of the job's number, so that jobs
        which share a machine seldom meet.

        Raises:
            ConfigError: a variable is missing, no number, or no list of hosts.
        """
        start = (
            "start with srun, e.g. srun --ntasks 2 --kill-on-bad-exit=1 python tools/train.py CONFIG --launcher slurm"
        )
        rank, size, local = (
            _number(environ, name, start) for name in ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")
        )
        lists = ("SLURM_STEP_NODELIST", "SLURM_NODELIST", "SLURM_JOB_NODELIST")
        named = next((name for name in lists if environ.get(name)), lists[0])
        address = environ.get("MASTER_ADDR") or expand_hosts(_text(environ, named, start))[0]
        if "MASTER_PORT" in environ:
            return cls(rank, size, local, address, _number(environ, "MASTER_PORT", start))
        job = _number(environ, "SLURM_JOB_ID", start)
        return cls(rank, size, local, address, _PORTS[job % len(_PORTS)])


def expand_hosts(text: str) -> list[str]:
    """Slurm's list of hosts, written out.

    >>> expand_hosts("gpu[08-10,12],login1,r[1-2]n[1,3]-ib")
    ['gpu08', 'gpu09', 'gpu10', 'gpu12', 'login1', 'r1n1-ib', 'r1n3-ib', 'r2n1-ib', 'r2n3-ib']

    Raises:
        ConfigError: the text is no such list.
    """
    hosts: list[str] = []
    word = r"(?:[^\[\],\s]|\[\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*\])+"
    if not re.fullmatch(f"{word}(?:,{word})*", text):
        raise ConfigError(
            f"{text!r} is no list of hosts as Slurm writes it, e.g. gpu[08-10,12],login1; set MASTER_ADDR"
        )
    for host in re.findall(word, text):
        parts = re.split(r"\[([^\]]+)\]", host)
        choices = [_numbers(part) if index % 2 else [part] for index, part in enumerate(parts)]
        hosts += map("".join, itertools.product(*choices))
    return hosts


@contextmanager
def launched(launcher: str = "none", device: str | None = None) -> Iterator[Processes]:
    """Joins the processes that a launcher started, for as long as the context lasts.

    They meet by NCCL on CUDA devices, of which each process takes the one of its local rank, and by gloo on CPUs. An
    error on one ends all; what process 0 tells of it, the others keep to themselves, and exit with code 2.

    Args:
        launcher: 'none', 'pytorch' (torchrun) or 'slurm' (srun).
        device: 'cpu' or 'cuda'; None takes CUDA if there is one.

    Raises:
        ConfigError: the launcher's variables are missing or wrong, there are fewer devices than processes, or torchrun
            started several processes that know nothing of each other.
        ProcessError: another process failed.
    """
    if launcher not in LAUNCHERS:
        raise ConfigError(f"launcher: {launcher!r} is unknown; {did_you_mean(launcher, LAUNCHERS)}")
    if launcher == "none":
        if "TORCHELASTIC_RUN_ID" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1":
            raise ConfigError(
                "torchrun started several processes that know nothing of each other: add --launcher pytorch"
            )
        yield ALONE if device is None else Processes(device=device)
        return
    place = Place.of_slurm(os.environ) if launcher == "slurm" else Place.of_torchrun(os.environ)
    processes = _join(place, device)
    try:
        yield processes
        processes.largest()  # nobody leaves while another may yet fail
    except Exception as error:
        if processes.fail(error) and not processes.first and isinstance(error, (HandkitError, OSError)):
            raise SystemExit(2) from None
        raise
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()


def _join(place: Place, device: str | None) -> Processes:
    """Meets the others.

    mmengine's own way selects a CUDA device even where there is none, so a group is made before it looks for one.
    """
    own = _own_device(place, device)
    if place.size > 1:
        nccl = own != "cpu" and distributed.is_nccl_available()
        if own != "cpu":
            torch.cuda.set_device(own)
        distributed.init_process_group(
            "cpu:gloo,cuda:nccl" if nccl else "gloo",
            init_method=None if _elastic() else f"tcp://{place.address}:{place.port}",
            rank=-1 if _elastic() else place.rank,
            world_size=-1 if _elastic() else place.size,
        )
    return Processes(place.rank, place.size, own)


def _elastic() -> bool:
    """Whether torchrun keeps the store where the processes meet."""
    return distributed.is_torchelastic_launched()


def _own_device(place: Place, device: str | None) -> str:
    if device not in (None, "cpu", "cuda"):
        raise ConfigError(f"device: {device!r} would be that of all processes; with a launcher it is 'cpu' or 'cuda'")
    if device == "cpu" or (device is None and not torch.cuda.is_available()):
        return "cpu"
    count = torch.cuda.device_count()
    if count == 1 and "CUDA_VISIBLE_DEVICES" in os.environ and "SLURM_PROCID" in os.environ:
        return "cuda:0"  # Slurm shows each of its tasks its own device only
    if place.local_rank >= count:
        raise ConfigError(
            f"process {place.local_rank} of this machine has no CUDA device, since there are {count}: start no more "
            "processes per machine, or use --device cpu"
        )
    return f"cuda:{place.local_rank}"


def _numbers(text: str) -> list[str]:
    """'08-10,12' -> '08', '09', '10', '12'."""
    found: list[str] = []
    for part in text.split(","):
        low, _, high = part.partition("-")
        found += [str(number).zfill(len(low)) for number in range(int(low), int(high or low) + 1)]
    return found


def _text(environ: Mapping[str, str], name: str, start: str) -> str:
    if not environ.get(name):
        raise ConfigError(f"the environment variable {name} is not set: {start}")
    return environ[name]


def _number(environ: Mapping[str, str], name: str, start: str) -> int:
    text = _text(environ, name, start)
    if not text.isdecimal():
        raise ConfigError(f"the environment variable {name} is {text!r}, which is no number: {start}")
    return int(text)
