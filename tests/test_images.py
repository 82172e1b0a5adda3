from __future__ import annotations

import functools
import http.server
import io
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageOps

from handkit import images
from handkit.errors import ImageError, OfflineError
from handkit.images import picture_size, read_image

RGB = np.random.default_rng(0).integers(0, 255, (12, 17, 3), dtype=np.uint8)


def encoded(image: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


PNG = encoded(Image.fromarray(RGB))


def test_every_way_in_gives_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "hand.png"
    path.write_bytes(PNG)
    for source in (path, str(path), PNG, bytearray(PNG), Image.fromarray(RGB)):
        np.testing.assert_array_equal(read_image(source), RGB)
    np.testing.assert_array_equal(read_image(RGB, "rgb"), RGB)
    np.testing.assert_array_equal(read_image(RGB), RGB[:, :, ::-1])


def test_the_result_is_never_the_callers_memory() -> None:
    source = RGB.copy()
    read_image(source, "rgb")[:] = 0
    assert source.any()


@pytest.mark.parametrize("mode", ["L", "P", "RGBA", "CMYK", "1", "LA", "YCbCr"])
def test_colour_modes_become_rgb(mode: str) -> None:
    image = Image.fromarray(RGB).convert(mode)
    data = encoded(image, "JPEG" if mode in ("CMYK", "YCbCr") else "PNG")
    got = read_image(data)
    assert (got.shape, got.dtype) == (RGB.shape, np.uint8)
    expected = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    np.testing.assert_array_equal(got, expected)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"quality": 30}], ids=str)
def test_both_jpeg_decoders_give_the_same_pixels(mode: str, options: dict[str, Any]) -> None:
    """cv2 for plain files, Pillow for the rest: trailing bytes make one of the rest."""
    smooth = Image.fromarray(RGB).resize((161, 99), Image.Resampling.BICUBIC).convert(mode)
    data = encoded(smooth, "JPEG", **options)
    plain = images._decode_plain_jpeg(data, Image.open(io.BytesIO(data)))
    assert plain is not None
    np.testing.assert_array_equal(plain, read_image(data + b"\0\0"))
    np.testing.assert_array_equal(plain, read_image(data))


def test_sixteen_bits_are_scaled_not_clipped(tmp_path: Path) -> None:
    wide = (np.arange(12 * 17, dtype=np.uint32).reshape(12, 17) * 300).astype(np.uint16)
    expected = np.rint(wide / 257).astype(np.uint8)
    for source in (wide, encoded(Image.fromarray(wide)), Image.fromarray(wide)):
        np.testing.assert_array_equal(read_image(source)[:, :, 0], expected)


def test_exif_orientation_is_applied() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(Image.fromarray(RGB), "JPEG", exif=exif, quality=95)
    assert read_image(data).shape == (17, 12, 3)


def test_whatever_pillow_meets_is_one_error() -> None:
    header = struct.pack("<7I", 124, 0x1007, 8, 8, 0, 0, 0) + bytes(44) + struct.pack("<8I", 32, *[0] * 7)
    with pytest.raises(ImageError, match=r"bytes: (broken|not an image)"):
        read_image(b"DDS " + header + bytes(276))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_pillows(orientation: int, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "turned.png"
    Image.fromarray(RGB).save(path, exif=exif)
    np.testing.assert_array_equal(read_image(path), np.asarray(ImageOps.exif_transpose(Image.open(path))))
    assert picture_size(path) == read_image(path).shape[1::-1]


def test_exif_that_is_broken_costs_no_picture(tmp_path: Path) -> None:
    """ResolutionUnit as text beside an orientation of 6, which Pillow cannot write again; and no EXIF but its name."""
    fields = struct.pack("<HHI4s", 0x0112, 3, 1, b"\6\0\0\0") + struct.pack("<HHI4s", 0x0128, 2, 4, b"abc\0")
    odd = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 2) + fields + bytes(4)
    junk = b"Exif\0\0II*\0"
    for kind, exif, size in (("JPEG", odd, (17, 12)), ("PNG", junk, (12, 17)), ("WEBP", junk, (12, 17))):
        path = tmp_path / f"picture.{kind.lower()}"
        path.write_bytes(encoded(Image.fromarray(RGB), kind, exif=exif))
        assert read_image(path).shape[:2] == picture_size(path)[::-1] == size


@pytest.mark.parametrize(
    ("array", "expected"),
    [
        (RGB[:, :, 0], np.repeat(RGB[:, :, :1], 3, 2)),
        (RGB[:, :, :1], np.repeat(RGB[:, :, :1], 3, 2)),
        (np.dstack([RGB, RGB[:, :, 0]]), RGB),
        (RGB / 255, RGB),
        (RGB.astype(np.float32), RGB),
        (RGB[:, :, 0] > 99, np.repeat((RGB[:, :, :1] > 99) * np.uint8(255), 3, 2)),
    ],
    ids=["grey", "one channel", "alpha", "unit floats", "byte floats", "bool"],
)
def test_arrays_of_other_kinds(array: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(read_image(array, "rgb"), expected)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (b"", "zero bytes"),
        (b"this is no image", "not an image that Pillow can read"),
        (encoded(Image.fromarray(RGB), "JPEG")[:300], "broken or truncated|not an image"),
        (PNG[:-60], "broken or truncated"),
        ("missing.jpg", "missing.jpg: no such file"),
        (np.zeros((0, 5, 3), np.uint8), "is empty"),
        (np.zeros((5, 5, 5), np.uint8), "an image array is"),
        (np.zeros((2, 5, 5, 3), np.uint8), "an image array is"),
        (np.full((5, 5, 3), np.nan), "NaN or infinite"),
        (np.full((5, 5, 3), -1.0), r"must lie in \[0, 1\] or \[0, 255\]"),
        (np.full((5, 5, 3), 3, np.int64), "not int64"),
        (42, "not int"),
        (None, "not NoneType"),
    ],
)
def test_bad_sources_are_named(source: Any, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        read_image(source)


def test_an_open_file_is_an_image(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(PNG)
    with open(tmp_path / "a.png", "rb") as file:
        np.testing.assert_array_equal(read_image(file), RGB)
    with pytest.raises(ImageError, match="open it in binary mode"):
        read_image(io.StringIO("text"))  # type: ignore[arg-type]


def test_one_pixel_is_an_image() -> None:
    assert read_image(np.zeros((1, 1, 3), np.uint8)).shape == (1, 1, 3)


def test_a_folder_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="cannot be read"):
        read_image(tmp_path)


def test_hundred_megapixels_are_refused_before_decoding(tmp_path: Path) -> None:
    """The limit stands in the message, and the picture is not decoded: 100 megapixels would take 300 MB."""
    huge = encoded(Image.new("1", (10_000, 10_000)))
    with pytest.raises(ImageError, match="10000 x 10000 = 100000000 pixels exceed the limit of 80000000"):
        read_image(huge)
    bomb = encoded(Image.new("1", (20_000, 20_000)))
    with pytest.raises(ImageError, match="more than 178956970 pixels exceed the limit of 80000000"):
        read_image(bomb)


def test_large_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    path = tmp_path / "hand.png"
    path.write_bytes(PNG)
    with pytest.raises(ImageError, match="exceed the limit of 100 bytes"):
        read_image(path)


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Says nothing."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    (tmp_path / "hand.png").write_bytes(PNG)
    handler = functools.partial(_Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_address[1]}"
        httpd.shutdown()


@pytest.mark.network
def test_urls(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    np.testing.assert_array_equal(read_image(f"{server}/hand.png"), RGB)
    with pytest.raises(ImageError, match=r"no\.png: download failed: HTTP Error 404"):
        read_image(f"{server}/no.png")
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    with pytest.raises(ImageError, match="exceeds the limit of 100 bytes"):
        read_image(f"{server}/hand.png")


@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_offline_opens_no_socket(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    import socket

    monkeypatch.setenv("HANDKIT_OFFLINE", value)
    monkeypatch.setattr(socket, "socket", lambda *a, **k: pytest.fail("a socket was opened"))
    with pytest.raises(OfflineError, match="HANDKIT_OFFLINE forbids downloads"):
        read_image("http://127.0.0.1:9/hand.png")
