"""The bundles that are part of the handkit package, so that they cannot vanish."""

from __future__ import annotations

from pathlib import Path

from handkit.errors import HubError, did_you_mean

FOLDER = Path(__file__).resolve().parents[1] / "bundles"
#: What a reference to a file of a bundle begins with.
BUNDLE = "bundle:"
#: The bundle that answers each task; those for joints find boxes first.
_ANSWERS = {
    "hand_2d_keypoints": "hand_2d_keypoints",
    "hand_gesture": "hand_2d_keypoints",
    "hand_detection": "hand_2d_keypoints",
    "hand_3d_keypoints": "hand_3d_keypoints",
}


def bundle_path(task: str) -> Path:
    """The folder of the bundle that answers a task when no model is named.

    Args:
        task: 'hand_2d_keypoints', 'hand_gesture', 'hand_detection' or 'hand_3d_keypoints'.

    Raises:
        HubError: no bundle answers that task.
    """
    if task not in _ANSWERS:
        raise HubError(f"no bundle answers {task!r}; {did_you_mean(task, _ANSWERS)}")
    return FOLDER / _ANSWERS[task]


def bundle_paths() -> list[Path]:
    """The folders of all bundles in the package, by name."""
    return sorted(path.parent for path in FOLDER.glob("*/configuration.json"))


def bundle_file(reference: str) -> Path:
    """The path of a file of a bundle in the package.

    Args:
        reference: ``bundle:NAME/FILE``, e.g. ``bundle:hand_2d_keypoints/detection/model.safetensors``.

    Raises:
        HubError: no such bundle, or no such file in it.
    """
    name, _, file = reference.removeprefix(BUNDLE).partition("/")
    folders = {folder.name: folder for folder in bundle_paths()}
    if name not in folders or not file:
        raise HubError(f"{reference!r}: must be written bundle:NAME/FILE; bundles in the package: {', '.join(folders)}")
    path = (folders[name] / file).resolve()
    if not path.is_relative_to(folders[name].resolve()) or not path.is_file():
        raise HubError(f"{reference!r}: the bundle {name} holds no such file")
    return path
