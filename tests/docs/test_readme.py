"""What the README shows runs as it stands, on the demo picture."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import pytest

from handkit.apps.cli.main import app
from handkit.demo_image import demo_image
from handkit.hub import bundle_path

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
#: That for ModelScope is run beside it, in tests/interop.
PYTHON = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL) if "modelscope" not in code]
SHELL = "".join(re.findall(r"```bash\n(.*?)```", README, re.DOTALL))
LINKS = re.findall(r"\]\(((?!http)[^)]+)\)", README)


@pytest.mark.parametrize("code", PYTHON, ids=["first", "use", "coming"])
def test_python_blocks_run(code: str, tmp_path: Path) -> None:
    picture = cv2.imread(str(demo_image()))
    video = cv2.VideoWriter(str(tmp_path / "clip.mp4"), cv2.VideoWriter_fourcc(*"mp4v"), 5, picture.shape[1::-1])
    for _ in range(2):
        video.write(picture)
    video.release()
    code = code.replace("clip.mp4", str(tmp_path / "clip.mp4"))
    code = re.sub(r'"(photo|selfie|a|b)\.jpg"', repr(str(demo_image())), code)
    code = code.replace("/path/to/model", str(bundle_path("hand_2d_keypoints")))
    exec(compile("import handkit\n" + code, "README.md", "exec"), {})


def test_commands_exist() -> None:
    verbs = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    verbs |= {group.typer_instance.info.name for group in app.registered_groups if group.typer_instance}
    used = set(re.findall(r"^handkit (\w+)", SHELL, re.MULTILINE))
    assert used
    assert used <= verbs


@pytest.mark.parametrize("link", LINKS)
def test_links_lead_somewhere(link: str) -> None:
    assert (Path(__file__).resolve().parents[2] / link).exists()
