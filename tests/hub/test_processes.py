"""Processes that share one cache."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from handkit import hub

pytestmark = pytest.mark.network

NETS = {f"n{i}.bin": bytes([i]) * 300_000 for i in range(4)}

READ = """
import sys
from pathlib import Path
from handkit import hub
from handkit.hub import catalogue
catalogue.FOLDER = Path(sys.argv[1])
sys.modules["pip"] = None
print("ready", flush=True)
sys.stdin.readline()
for name, path in hub.resolve_card("nets").items():
    content = path.read_bytes()
    assert content == bytes([int(name[1])]) * 300_000, name
"""


def test_processes_that_download_and_mend_at_once_all_read_whole_files(make, index, home):
    wheel = make.wheel({f"nets/{name}": content for name, content in NETS.items()})
    index.wheels["handkit_nets-1.0-py3-none-any.whl"] = wheel
    files = [make.file(n, content, f"pypi:handkit-nets==1.0!nets/{n}") for n, content in NETS.items()]
    make.card(*files, wheels=make.stated(wheel))
    broken = home / "cards" / "nets" / "n2.bin"
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"broken")
    line = [sys.executable, "-c", READ, str(make.cards)]
    options = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(line, env=os.environ.copy(), **options) for _ in range(3)]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    errors = [process.communicate(timeout=60)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], errors
    assert hub.is_cached("nets")
    assert sorted(p.name for p in broken.parent.iterdir()) == sorted(NETS)
