"""mmpose, mmdet and mmcv in an environment of their own.

They have not been released since 2024 and pin what no longer installs: mmpose wants chumpy, whose set-up fails, and
mmcv has no compiled ops for current torch. So their wheels are installed without what they ask for, beside what they
truly import. mmcv-lite is mmcv without compiled ops; `handkit.interop.openmmlab.shims` stands in for those.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from urllib.request import url2pathname

from handkit import __version__
from handkit.errors import ConfigError, HandkitError

TORCH = "torch==2.13.0"
#: mmengine 0.10.7 cannot read checkpoints of its own on torch 2.6 and later; this one imports everywhere.
ENGINE = "mmengine-lite==0.11.0rc3"
#: Without what they ask for: it is there already, or nothing imports it.
PACKAGES = ("mmcv-lite==2.1.0", "mmdet==3.3.0", "mmpose==1.3.2")
#: Its wheels were made for numpy 1, so it is compiled here.
COMPILED = ("xtcocotools", "xtcocotools==1.14.3")
BUILD = ("setuptools", "wheel", "cython")
_CHECK = "import handkit.interop.openmmlab, mmcv.ops, mmdet.models, mmpose.apis, mmpose.datasets, mmpose.evaluation"


def install(folder: str | os.PathLike[str], source: str | None = None, tell: Callable[[str], None] = print) -> Path:
    """Makes a virtual environment with handkit, mmpose 1.3.2, mmdet 3.3.0 and mmcv-lite 2.1.0 on torch 2.13.

    Every step is ``python -m pip install ...`` of the new environment; the one that runs this is not touched.

    Args:
        folder: of the environment, which must not be there yet. If a step fails it is removed again.
        source: what pip installs as handkit: a folder, a wheel or a requirement; None: as this handkit was installed.
        tell: takes one line before each step.

    Returns:
        The new environment's Python.

    Raises:
        ConfigError: the folder is there already, or `source` is nothing that pip could install.
        HandkitError: a step fails; the message has the end of what it said.
    """
    target = Path(os.path.abspath(folder))
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise ConfigError(f"{target} is there already; name a folder that is to be made, so that nothing is changed")
    arguments = steps(source)
    python = target / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    try:
        tell(f"python -m venv {target}")
        _run([sys.executable, "-m", "venv", str(target)], "the environment cannot be made")
        for wanted in arguments:
            tell(f"pip install {' '.join(wanted)}")
            _run([str(python), "-m", "pip", "install", "-q", *wanted], _hint(wanted))
        tell("import mmcv.ops, mmdet and mmpose")
        _run([str(python), "-c", _CHECK], "they cannot be imported")
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise
    return python


def steps(source: str | None = None) -> list[list[str]]:
    """The arguments of each ``pip install``, in order.

    Raises:
        ConfigError: `source` is nothing that pip could install.
    """
    own = _as_installed() if source is None else _requirement(source)
    return [
        [TORCH],
        [*own, ENGINE, *BUILD],
        ["--no-deps", *PACKAGES],
        ["--no-deps", "--no-build-isolation", "--no-binary", *COMPILED],
    ]


def _as_installed() -> list[str]:
    """What pip must be given to install this handkit again."""
    try:
        text = importlib.metadata.distribution("handkit").read_text("direct_url.json")
    except importlib.metadata.PackageNotFoundError:
        text = None
    if text is None:
        return _requirement(f"handkit=={__version__}")
    origin = json.loads(text)
    editable = origin.get("dir_info", {}).get("editable", False)
    return [*(["-e"] if editable else []), *_requirement(str(origin["url"]))]


def _requirement(source: str) -> list[str]:
    """With the extra that brings what the three packages import; a path has a separator, or is a wheel's or archive's.

    Raises:
        ConfigError: a path at which there is nothing.
    """
    if re.match(r"handkit\s*([@=<>~!;]|$)", source):
        return [source.replace("handkit", "handkit[openmmlab]", 1)]
    path = Path(url2pathname(source.removeprefix("file://")) if source.startswith("file://") else source)
    if source and path.exists():
        return [f"{path.resolve()}[openmmlab]"]
    if "://" in source and not source.startswith("file://"):
        return [f"handkit[openmmlab] @ {source}"]
    raise ConfigError(
        f"handkit cannot be installed from {source!r}: no such file or folder, no address, no version as "
        "'handkit==1.2'; name its source by --handkit"
    )


def _hint(arguments: list[str]) -> str:
    if COMPILED[1] in arguments:
        return "xtcocotools is compiled here, which needs a C compiler (gcc) and Python's headers (python3-dev)"
    return f"pip cannot install {' '.join(arguments)}"


def _run(command: list[str], failure: str) -> None:
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONHOME", "PYTHONPATH")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-12:])
        raise HandkitError(f"{failure}; nothing is left of the environment. {' '.join(command)} said:\n{said}")
