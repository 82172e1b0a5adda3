"""Reading meshes and shape targets."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from handkit.datasets.synthetic.wavefront import read_obj, read_target
from handkit.errors import DataError

SQUARE = """# a square in a group
v 0 0 0
v 1 0 0
v 1 1 0
v 0 1 0.5
vt 0 0
vt 1 0
vt 1 1
vt 0 1
g body
f 1/1 2/2 3/3 4/4
g helper
f 4/4 3/3 2/2 1/1
"""


def test_groups_vertices_and_texture_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "square.obj"
    path.write_text(SQUARE)
    mesh = read_obj(path)
    assert set(mesh.quads) == {"body", "helper"}
    np.testing.assert_array_equal(mesh.vertices[3], (0, 1, 0.5))
    np.testing.assert_array_equal(mesh.quads["helper"], [[3, 2, 1, 0]])
    np.testing.assert_array_equal(mesh.uv[mesh.uv_quads["body"][0]], [(0, 0), (1, 0), (1, 1), (0, 1)])


@pytest.mark.parametrize(
    "change",
    [("v 1 0 0", "v one 0 0"), ("f 1/1 2/2 3/3 4/4", "f 1/1 2/2 3/3"), ("4/4\ng", "9/4\ng"), ("vt 0 1\n", "")],
)
def test_damaged_meshes_are_named(tmp_path: Path, change: tuple[str, str]) -> None:
    path = tmp_path / "square.obj"
    path.write_text(SQUARE.replace(*change))
    with pytest.raises(DataError, match=r"square\.obj"):
        read_obj(path)


def test_targets_move_the_vertices_they_list(tmp_path: Path) -> None:
    path = tmp_path / "a.target.gz"
    path.write_bytes(gzip.compress(b"# comment\n1 .5 0 -1\n3 0 0 .25\n", mtime=0))
    np.testing.assert_array_equal(read_target(path, 4), [(0, 0, 0), (0.5, 0, -1), (0, 0, 0), (0, 0, 0.25)])


@pytest.mark.parametrize(
    "content", [gzip.compress(b"9 0 0 1\n", mtime=0), gzip.compress(b"-1 0 0 1\n", mtime=0), b"plain", b""]
)
def test_damaged_targets_are_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.target.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.target\.gz"):
        read_target(path, 4)
