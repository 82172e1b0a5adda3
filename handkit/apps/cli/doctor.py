"""`handkit doctor`: what is installed, which nets would run, and whether they do."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator
from importlib import metadata
from typing import Any

import typer

_PACKAGES = (
    "handkit", "torch", "numpy", "scipy", "pillow", "mmengine-lite", "mmengine", "safetensors", "ai-edge-litert",
    "onnxruntime", "openvino", "embreex", "modelscope",
)  # fmt: skip


def doctor() -> None:
    """Versions, devices, cache, the nets that run by default with their sha256, and a timed self-test.

    Exit code 2 when something needs mending.
    """
    from rich.console import Console

    console = Console(highlight=False, soft_wrap=True)
    faults = []
    for title, check in (
        ("versions", _versions),
        ("cv2", _cv2),
        ("devices", _devices),
        ("cache", _cache),
        ("nets of the default pipeline", _nets),
        ("self-test", _self_test),
    ):
        console.print(f"[bold]{title}[/]")
        for fine, line in check():
            console.print(f"  {line}" if fine else f"  [red]{line}[/]", markup=not fine)
            faults += [] if fine else [line]
    console.print("all well" if not faults else f"{len(faults)} to mend")
    if faults:
        raise typer.Exit(2)


def _versions() -> Iterator[tuple[bool, str]]:
    yield True, f"python {platform.python_version()} on {platform.platform()}"
    for package in _PACKAGES:
        version = _version(package)
        if version:
            yield True, f"{package} {version}"
    if _version("mmengine") and _version("mmengine-lite"):
        yield False, "mmengine and mmengine-lite share one folder: pip uninstall both, then install mmengine-lite"


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _cv2() -> Iterator[tuple[bool, str]]:
    found = sorted({d.metadata["Name"] for d in metadata.distributions() if d.metadata["Name"].startswith("opencv-")})
    try:
        import cv2
    except ImportError as error:
        yield False, f"cv2 does not import: {error}; pip install --force-reinstall opencv-python-headless"
        return
    yield True, f"{', '.join(found) or 'from outside pip'}: cv2 {cv2.__version__}"
    if len(found) > 1:
        yield False, f"{len(found)} wheels share one cv2 folder: pip uninstall {' '.join(found)}, then install one"


def _devices() -> Iterator[tuple[bool, str]]:
    yield True, f"cpu: {os.cpu_count()} cores"
    if not _version("torch"):
        yield True, "torch is not installed: only nets of other runtimes can run"
        return
    import torch

    for index in range(torch.cuda.device_count()):
        yield True, f"cuda:{index}: {torch.cuda.get_device_name(index)}"


def _cache() -> Iterator[tuple[bool, str]]:
    from handkit import hub

    home = hub.home()
    yield True, f"{home} ({'there' if home.is_dir() else 'not made yet'})"
    yield True, f"HANDKIT_OFFLINE={os.environ.get('HANDKIT_OFFLINE', '0')}"


def _nets() -> Iterator[tuple[bool, str]]:
    """The networks of the default pipeline with the files they come from, and every other card."""
    from handkit import hub
    from handkit.errors import HandkitError
    from handkit.files import sha256_of
    from handkit.pipelines.build import resolve_config
    from handkit.pipelines.nets import used_nets

    for net in used_nets(resolve_config("hand_2d_keypoints")):
        name = net.name if net.net == net.component else f"{net.component} with {net.name}"
        where = f"{net.part}: {name} by {net.runtime}"
        if (owner := _card_of(net.reference)) is not None and not hub.is_cached(owner):
            yield False, f"{where}: {net.reference} is not downloaded; handkit download {owner}"
            continue
        try:
            path = net.path()
        except HandkitError as error:
            yield False, f"{where}: {error}"
            continue
        yield path is not None, f"{where}: {path} sha256 {sha256_of(path)}" if path else f"{where}: no weights"
    for card in hub.cards():
        yield True, f"card {card.name}: {'here' if hub.is_cached(card.name) else 'not downloaded'}"


def _card_of(reference: str | None) -> str | None:
    """The card that a reference to weights names, if it names one."""
    if reference is None or not reference.startswith("hub:"):
        return None
    return reference.removeprefix("hub:").split("/")[0]


def _self_test() -> Iterator[tuple[bool, str]]:
    """Runs the default pipeline on the demo picture, cold and warm."""
    from handkit.demo_image import demo_image
    from handkit.errors import HandkitError
    from handkit.pipelines import pipeline

    start = time.perf_counter()
    try:
        pipe = pipeline()
        hands: Any = pipe(demo_image())
        first = time.perf_counter() - start
        start = time.perf_counter()
        pipe(demo_image())
    except HandkitError as error:
        yield False, f"the default pipeline fails: {error}"
        return
    warm = time.perf_counter() - start
    sides = ", ".join(f"{side} {score:.2f}" for side, score in zip(hands.handedness, hands.box_scores, strict=True))
    yield len(hands) == 1, f"these nets on the demo picture: {sides or 'no hand found'}"
    yield True, f"{first * 1000:.0f} ms with loading, {warm * 1000:.0f} ms warm"
