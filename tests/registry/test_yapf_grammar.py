"""handkit starts beside a process that is just writing yapf's grammar, and after one that was stopped in it."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere XDG_CACHE_HOME does not say where the cache is")
@pytest.mark.parametrize("share", [0.0, 0.5])
@pytest.mark.parametrize("module", ["handkit.registry", "handkit.engine.runner"])
def test_a_grammar_cut_short_is_made_anew(tmp_path: Path, module: str, share: float) -> None:
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    subprocess.run([sys.executable, "-c", "import yapf"], env=environment, check=True)
    grammars = sorted(tmp_path.rglob("*.pickle"))
    assert grammars
    for grammar in grammars:
        whole = grammar.read_bytes()
        grammar.write_bytes(whole[: int(share * len(whole))])
    alone = subprocess.run([sys.executable, "-c", "import mmengine"], env=environment, capture_output=True, text=True)
    assert "Error" in alone.stderr
    subprocess.run([sys.executable, "-c", f"import {module}"], env=environment, check=True)
    for grammar in grammars:
        assert pickle.loads(grammar.read_bytes())
