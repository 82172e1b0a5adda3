"""The start-up hook: with a ModelScope that looks as expected, with one that does not, and with handkit gone."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from handkit.errors import ConfigError
from handkit.interop import enabling

ROOT = Path(__file__).resolve().parents[2]
STUB = {
    "__init__": "",
    "metainfo": "class Trainers:\n    default = 'trainer'\n",
    "utils/__init__": "",
    "utils/import_utils": """
        def load_index():
            return {"index": {("PIPELINES", "a", "b"): {"module": "theirs"}}}
        class LazyImportModule:
            _AST_INDEX = None
    """,
    "pipelines/__init__": "",
    "pipelines/builder": "def pipeline(task=None, model=None, device=None):\n    return task, model, device\n",
    "utils/hub": """
        class Config(dict):
            def safe_get(self, chain):
                value = self
                for key in chain.split("."):
                    value = (value or {}).get(key)
                return value
        def read_config(type):
            return Config(pipeline={"type": type}, plugins=["pai-easycv>=0.11", "other"])
    """,
}
LOOK = """
import sys
{before}
import _handkit_modelscope as hook
hook.install()
from modelscope.metainfo import Trainers
from modelscope.utils import hub, import_utils
ours = ("PIPELINES", "hand-2d-keypoints", "hrnetv2w18_hand-2d-keypoints_image")
index = import_utils.load_index()["index"]
print(index[ours]["module"], index["PIPELINES", "a", "b"]["module"], Trainers.easycv)
print(hub.read_config(ours[2])["plugins"], hub.read_config("other")["plugins"])
"""


#: ModelScope, imported before handkit is.
LOADED = """
from modelscope import metainfo
from modelscope.pipelines import builder
from modelscope.utils import hub, import_utils
"""


def in_isolation(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Runs code with nothing but the standard library and these folders to import from."""
    head = f"import sys; sys.path += {[str(folder) for folder in path]!r}\n"
    return subprocess.run([sys.executable, "-I", "-S", "-c", head + code], capture_output=True, text=True)


@pytest.fixture
def modelscope_stub(tmp_path: Path) -> Path:
    """A folder with a package `modelscope` of the names that the hook touches."""
    for name, text in STUB.items():
        path = tmp_path / "modelscope" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
    return tmp_path


@pytest.mark.parametrize("before", ["", LOADED])
def test_the_hook_names_handkit_where_modelscope_has_nobody(modelscope_stub: Path, before: str) -> None:
    done = in_isolation(LOOK.format(before=before), ROOT, modelscope_stub)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "handkit.interop.modelscope.pipeline theirs easycv",
        "['other'] ['pai-easycv>=0.11', 'other']",
    ]


def test_an_index_that_is_loaded_already_is_extended(modelscope_stub: Path) -> None:
    before = "from modelscope.utils import import_utils as u; u.LazyImportModule._AST_INDEX = u.load_index()"
    code = LOOK.format(before=before) + "print(ours in u.LazyImportModule._AST_INDEX['index'])"
    assert in_isolation(code, ROOT, modelscope_stub).stdout.endswith("\nTrue\n")


def test_a_folder_is_named_absolutely_and_must_hold_a_configuration(modelscope_stub: Path) -> None:
    code = f"""
import os
import _handkit_modelscope; _handkit_modelscope.install()
from modelscope.pipelines.builder import pipeline
os.chdir({str(modelscope_stub)!r})
print(pipeline("other", "modelscope"), pipeline("hand-2d-keypoints", "owner/name", device="cpu"))
try:
    pipeline("hand-2d-keypoints", model="modelscope")
except FileNotFoundError as error:
    print(error)
open("modelscope/configuration.json", "w").close()
print(pipeline(task="hand-2d-keypoints", model="modelscope")[1])
"""
    folder = modelscope_stub / "modelscope"
    assert in_isolation(code, ROOT, modelscope_stub).stdout.splitlines() == [
        "('other', 'modelscope', None) ('hand-2d-keypoints', 'owner/name', 'cpu')",
        f"{folder}: not the folder of a model: it holds no configuration.json",
        str(folder),
    ]


def test_another_modelscope_goes_on_without_it(modelscope_stub: Path) -> None:
    for name in ("metainfo", "utils/import_utils", "utils/hub", "pipelines/builder"):
        (modelscope_stub / "modelscope" / f"{name}.py").write_text("", "utf-8")
    done = in_isolation(
        f"import _handkit_modelscope as hook; hook.install()\n{LOADED}\nprint('imported')",
        ROOT,
        modelscope_stub,
    )
    assert (done.returncode, done.stdout) == (0, "imported\n")
    assert done.stderr.count("goes on without it") == 4


def test_the_line_does_nothing_without_handkit_and_little_with_it(tmp_path: Path) -> None:
    (tmp_path / enabling.PTH).write_text(enabling._TEXT, "utf-8")
    new = "{*sys.modules} - before - {'__future__'}"
    code = f"import site; before = {{*sys.modules}}; site.addsitedir({str(tmp_path)!r}); print({new})"
    without = in_isolation(code)
    assert (without.stdout, without.stderr) == ("set()\n", "")
    imported = in_isolation(code, ROOT)
    assert (imported.stdout, imported.stderr) == ("{'_handkit_modelscope'}\n", "")


def test_enable_refuses_where_handkit_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enabling, "_folders", lambda: [tmp_path])
    monkeypatch.setattr(enabling, "_CHECK", "import sys; sys.exit(1)")
    with pytest.raises(ConfigError, match="install it there with pip"):
        enabling.enable()
    assert list(tmp_path.iterdir()) == []


def test_disable_without_enable_removes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enabling, "_folders", lambda: [tmp_path])
    assert enabling.disable() == []
