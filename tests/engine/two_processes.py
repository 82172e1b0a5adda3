"""Trainings by two processes, one after another; each pair is forked from this program, which has imported everything.

``python two_processes.py FOLDER`` gives every scenario a folder below it with ``training/``, what process N found in
``rankN.pth``, what it printed in ``rankN.log``, and the exit codes in ``codes.json``.
"""

from __future__ import annotations

import importlib.util
import json
import os
import resource
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from mmengine.hooks import Hook

from handkit.engine import build_runner
from handkit.engine.launching import launched
from handkit.engine.loading import Failure
from handkit.engine.processes import Processes

_spec = importlib.util.spec_from_file_location("stand_ins", Path(__file__).with_name("stand_ins.py"))
assert _spec is not None
assert _spec.loader is not None
tiny = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(tiny)

Scenario = Callable[[Path, Processes], Any]
_SECONDS = 90


class Watch(Hook):
    """Notes the samples of every iteration, and does something at one of them.

    Args:
        at: the iteration, counted from 1.
        act: what is done.
    """

    def __init__(self, at: int = 0, act: Callable[[], Any] | None = None) -> None:
        self.seen: list[list[str]] = []
        self._at = at
        self._act = act

    def before_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None) -> None:
        self.seen.append([] if isinstance(data_batch, Failure) else list(data_batch["sample_id"]))

    def after_train_iter(self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None) -> None:
        if self._act is not None and runner.iter + 1 == self._at:
            self._act()


def train(folder: Path, processes: Processes, watch: Watch | None = None, resume: bool = False, **options: Any) -> Any:
    """One training, and all it has changed."""
    watch = watch or Watch()
    minutes = options.pop("max_minutes", None)
    runner = build_runner(tiny.config(**options), folder, resume, minutes, "cpu", [watch], processes=processes)
    runner.train()
    average = runner.state.average
    return {
        "model": runner.state.model.state_dict(),
        "average": None if average is None else average.state_dict(),
        "optimizer": runner.state.optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "seen": watch.seen,
        "stopped": runner.train_loop.stopped,
        "iteration": runner.state.progress.iteration,
    }


#: Measured are 11 samples in batches of 4, so that process 0 has 8 and process 1 has 3.
WHOLE: dict[str, Any] = dict(max_epochs=2, val_dataset=dict(type="TinyHands", length=11), val_batch_size=4)
SGD: dict[str, Any] = dict(
    WHOLE, model=dict(type="PlainNet"), optimizer=dict(type="SGD", lr=0.01), clip_grad_norm=1.0, accumulate=2
)


def whole(folder: Path, processes: Processes) -> Any:
    return train(folder, processes, **WHOLE)


def pieces(folder: Path, processes: Processes) -> Any:
    """Process 1's clock stops both after every iteration."""
    minutes = 0 if processes.rank == 1 else None
    for _ in range(30):
        found = train(folder, processes, resume=True, max_minutes=minutes, **WHOLE)
        if found["stopped"] is None:
            return found
        assert found["stopped"] == "0 minutes"
    raise AssertionError("never ends")


def plain(folder: Path, processes: Processes) -> Any:
    return train(folder, processes, **SGD)


def uneven(folder: Path, processes: Processes) -> Any:
    """7 samples a batch: 4 and 3; and a last one of 6."""
    return train(folder, processes, **{**SGD, "batch_size": 7, "drop_last": False})


def signalled(folder: Path, processes: Processes) -> Any:
    act = (lambda: os.kill(os.getpid(), signal.SIGTERM)) if processes.rank == 1 else None
    return train(folder, processes, Watch(3, act), max_epochs=500)


def broken(folder: Path, processes: Processes) -> Any:
    return train(folder, processes, train_dataset=dict(type="TinyHands", broken=5))


def poisoned(folder: Path, processes: Processes) -> Any:
    return train(
        folder, processes, train_dataset=dict(type="TinyHands", white=5), model=dict(type="TinyNet", poison=1.0)
    )


def crashed(folder: Path, processes: Processes) -> Any:
    """A bug in process 1."""
    return train(folder, processes, Watch(3, (lambda: {}["absent"]) if processes.rank == 1 else None), max_epochs=500)


def killed(folder: Path, processes: Processes) -> Any:
    return train(folder, processes, Watch(3, (lambda: os._exit(9)) if processes.rank == 1 else None), max_epochs=500)


def taken(folder: Path, processes: Processes) -> Any:
    """Only process 0 looks whether the folder is free."""
    if processes.first:
        folder.mkdir(parents=True)
        (folder / "last.pth").write_bytes(b"")
    return train(folder, processes, **WHOLE)


def full(folder: Path, processes: Processes) -> Any:
    """Process 0 cannot write its first last.pth."""
    if processes.first:
        resource.setrlimit(resource.RLIMIT_FSIZE, (4000, resource.RLIM_INFINITY))
    return train(folder, processes, **WHOLE)


PAIRS: tuple[Scenario, ...] = (whole, pieces, plain, uneven, signalled, broken, poisoned, crashed, killed, taken, full)
SINGLES: tuple[Scenario, ...] = (whole, plain, uneven)


def run(scenario: Scenario, folder: Path, size: int) -> None:
    """Forks the processes of a scenario and waits for them."""
    folder.mkdir(parents=True)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    children = {_child(scenario, folder, rank, size, port): rank for rank in range(size)}
    codes: dict[int, int] = {}
    deadline = time.monotonic() + _SECONDS
    while len(codes) < size:
        for process, rank in children.items():
            if rank not in codes and os.waitpid(process, os.WNOHANG)[0] == 0:
                if time.monotonic() > deadline:
                    os.kill(process, signal.SIGKILL)
            elif rank not in codes:
                codes[rank] = json.loads((folder / f"code{rank}.json").read_text())
        time.sleep(0.01)
    (folder / "codes.json").write_text(json.dumps([codes[rank] for rank in range(size)]))


def _child(scenario: Scenario, folder: Path, rank: int, size: int, port: int) -> int:
    process = os.fork()
    if process:
        return process
    (folder / f"code{rank}.json").write_text("-1")
    log = os.open(folder / f"rank{rank}.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(log, 1)
    os.dup2(log, 2)
    place = dict(SLURM_PROCID=rank, SLURM_NTASKS=size, SLURM_LOCALID=rank, MASTER_PORT=port)
    os.environ.update({name: str(value) for name, value in place.items()}, SLURM_STEP_NODELIST="localhost")
    code: Any = 1
    try:
        with launched("slurm", "cpu") as processes:
            torch.save(scenario(folder / "training", processes), folder / f"rank{rank}.pth")
        code = 0
    except SystemExit as stop:
        code = stop.code
    except BaseException:
        traceback.print_exc()
    finally:
        (folder / f"code{rank}.json").write_text(json.dumps(code))
        sys.stderr.flush()
        os._exit(0)


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    tiny.register()
    build_runner(
        tiny.config(), folder / "imports"
    )  # what it imports is there for all children; no gradient before a fork
    for scenario in SINGLES:
        run(scenario, folder / f"{scenario.__name__}-alone", 1)
    for scenario in PAIRS:
        run(scenario, folder / scenario.__name__, 2)


if __name__ == "__main__":
    main()
