"""Config files by name: handkit's own, and as ``handkit::NAME`` among the bases of a config that lies anywhere."""

from __future__ import annotations

import contextlib
import importlib.util
import threading
from collections.abc import Iterator
from pathlib import Path

from mmengine.config import Config

from handkit.errors import ConfigError, did_you_mean
from handkit.formats.foreign import SCOPE

_PACKAGE = Path(__file__).resolve().parents[1]
_READING = threading.RLock()


class BaseError(ConfigError):
    """A config is based on a file that is not there."""


def config_root() -> Path:
    """The folder of handkit's own configs: inside the installed package, or beside it in a checkout."""
    installed = _PACKAGE / "configs"
    return installed if installed.is_dir() else _PACKAGE.parent / "configs"


def config_names() -> list[str]:
    """The names of handkit's own runnable configs, e.g. ``pipelines/hand_2d_keypoints_mediapipe``."""
    return [name for name in _all_names() if not name.startswith("_base_/") and "/_" not in name]


def find_config(name: str | Path) -> Path:
    """The file of a config.

    Args:
        name: a path, or the name of one of handkit's own, with or without ``configs/`` before and ``.py`` behind it, or
            with ``handkit::`` before it.

    Raises:
        ConfigError: there is no such file.
    """
    path = Path(name)
    if path.is_file():
        return path
    own = _own(str(name).removeprefix(SCOPE))
    if own is not None:
        return own
    hint = did_you_mean(_plain(str(name).removeprefix(SCOPE)), config_names())
    hint = hint if hint.startswith("did") else "`handkit ls configs` lists those"
    raise ConfigError(f"no config {str(name)!r}: neither a file nor one of handkit's own; {hint}")


@contextlib.contextmanager
def own_bases() -> Iterator[None]:
    """While it lasts, mmengine finds the bases ``handkit::NAME``, which else it knows of OpenMMLab's packages only.

    Raises:
        BaseError: by mmengine's reader: a base ``handkit::NAME`` that handkit has not, one of a package that is not
            installed, or a file that is not there.
    """
    with _READING:
        theirs = Config._get_cfg_path

        def place(cfg_path: str, filename: str) -> tuple[str, str | None]:
            if isinstance(cfg_path, str) and cfg_path.startswith(SCOPE):
                return str(find_base(cfg_path, filename)), None
            if isinstance(cfg_path, str) and "::" in cfg_path:
                return _of_package(cfg_path, filename)
            found: tuple[str, str | None] = theirs(cfg_path, filename)
            if not Path(found[0]).is_file():
                raise _absent(cfg_path, filename)
            return found

        Config._get_cfg_path = staticmethod(place)
        try:
            yield
        finally:
            Config._get_cfg_path = staticmethod(theirs)


def find_base(name: str, config: str | Path) -> Path:
    """The file of a base ``handkit::NAME``.

    Args:
        name: as `find_config` takes it, or that of a part, e.g. ``handkit::_base_/datasets/rhd``.
        config: the file that names it, for the message.

    Raises:
        BaseError: handkit has none of this name.
    """
    plain = name.removeprefix(SCOPE)
    own = _own(plain)
    if own is None:
        known = [f"{SCOPE}{own}" for own in _all_names()]
        hint = did_you_mean(f"{SCOPE}{_plain(plain)}", known)
        hint = hint if hint.startswith("did") else "`handkit ls configs` lists them"
        raise BaseError(f"{config}: its base {name!r} is none of handkit's configs; {hint}")
    return own


def _of_package(name: str, config: str) -> tuple[str, str]:
    """The file of a base such as ``mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py``, and its package, unimported."""
    package, _, inner = name.partition("::")
    try:
        found = importlib.util.find_spec(package)
    except (ImportError, ValueError):
        found = None
    places = found.submodule_search_locations if found is not None else None
    mend = "copy it, with what it is based on, beside the config and name it by its path"
    if not places:
        raise BaseError(f"{config}: its base {name!r} is of the package {package!r}, which is not installed; {mend}")
    path = Path(places[0]) / ".mim" / "configs" / inner
    if not path.is_file():
        raise BaseError(f"{config}: its base {name!r} is none of the configs that {package!r} installed; {mend}")
    return str(path), package


def _absent(name: str, config: str) -> BaseError:
    own = f"; handkit's own is named '{SCOPE}{_plain(name)}'" if _own(name) is not None else ""
    return BaseError(f"{config}: its base {name!r} is no file, seen from the config's own folder{own}")


def _plain(name: str) -> str:
    return Path(name).as_posix().removeprefix("configs/").removesuffix(".py")


def _own(name: str) -> Path | None:
    """The file of one of handkit's own by its name; nothing outside their folder."""
    return config_root() / f"{_plain(name)}.py" if _plain(name) in _all_names() else None


def _all_names() -> list[str]:
    root = config_root()
    return sorted(path.relative_to(root).with_suffix("").as_posix() for path in root.rglob("*.py"))
