"""`handkit modelscope enable|disable`: one line in a .pth file that Python runs when it starts."""

from __future__ import annotations

import os
import site
import subprocess
import sys
import sysconfig
from pathlib import Path

from handkit.errors import ConfigError
from handkit.files import writing

PTH = "handkit_modelscope.pth"
#: Does nothing and prints nothing once handkit is uninstalled.
_LINE = 'exec("try:\\n import _handkit_modelscope as h\\nexcept ImportError:\\n pass\\nelse:\\n h.install()")'
_TEXT = f"# Written by `handkit modelscope enable`, removed by `handkit modelscope disable`.\nimport sys; {_LINE}\n"
_CHECK = "import sys; sys.exit('_handkit_modelscope' not in sys.modules)"


def enable() -> Path:
    """Lets ModelScope find handkit in every Python process of this environment.

    Returns:
        The file that was written, in the environment's site-packages or, where that is read-only, the user's.

    Raises:
        ConfigError: a new process does not find handkit, since it is not installed here.
        OSError: there is no folder to write to.
    """
    folder = next((folder for folder in _folders() if os.access(folder, os.W_OK)), _folders()[0])
    path = folder / PTH
    with writing(path, "w") as file:
        file.write(_TEXT)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    if subprocess.run([sys.executable, "-c", _CHECK], env=environment, cwd=folder.anchor).returncode != 0:
        path.unlink()
        raise ConfigError(f"{sys.executable} does not find handkit when it starts: install it there with pip")
    return path


def disable() -> list[Path]:
    """Takes back `enable`.

    Returns:
        The files that were removed.

    Raises:
        OSError: one cannot be removed.
    """
    found = [folder / PTH for folder in _folders() if (folder / PTH).exists()]
    for path in found:
        path.unlink()
    return found


def _folders() -> list[Path]:
    """Where this environment's .pth files are read, the best first."""
    folders = [Path(sysconfig.get_path("purelib"))]
    if site.ENABLE_USER_SITE:
        folders.append(Path(site.getusersitepackages()))
    return folders
