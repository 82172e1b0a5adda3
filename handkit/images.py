"""Any image a user may hold -> uint8 RGB, upright, or one clear error.

Accepted: a path, an http(s) URL, an image file that is open or its bytes, a PIL image, an array. Files are turned
upright by their EXIF orientation; CMYK, palette, grey and 16-bit pictures become 8-bit RGB; alpha is dropped.
"""

from __future__ import annotations

import http.client
import io
import os
import urllib.parse
import urllib.request
import warnings
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from handkit.errors import DataError, ImageError, ImageTooLargeError, OfflineError
from handkit.offline import offline

Array = NDArray[Any]
ChannelOrder = Literal["bgr", "rgb"]


@runtime_checkable
class SupportsRead(Protocol):
    """An open file, or a stream."""

    def read(self) -> bytes:
        """Its bytes."""
        ...


#: What `read_image` takes.
ImageSource: TypeAlias = "str | os.PathLike[str] | bytes | SupportsRead | Image.Image | Array"

#: A picture with more pixels is refused before it is decoded.
MAX_PIXELS = 80_000_000
#: A file or download with more bytes is refused.
MAX_BYTES = 200_000_000
_URL_TIMEOUT = 20.0
#: What an address may hold beside letters and digits; a space or a letter of another script is written as %...
_URL_SIGNS = "%/:=&?~#+!$,;'@()*[]"
#: What turns a picture upright, by its EXIF orientation; 1 is upright.
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


#: Suffixes by which `picture_files` knows a picture.
SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp")


def is_url(source: object) -> bool:
    """True for a string that starts with http:// or https://."""
    return isinstance(source, str) and source.lower().startswith(("http://", "https://"))


def source_name(source: object, index: int | None = None) -> str:
    """How messages call an input: its path or URL, else its kind and its place in the list."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    place = "" if index is None else f" #{index}"
    return f"{type(source).__name__}{place}"


def read_image(
    source: ImageSource, channel_order: ChannelOrder = "bgr", name: str | None = None, max_pixels: int = MAX_PIXELS
) -> Array:
    """Reads one image.

    Args:
        source: see the module's docstring. Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4) of uint8, uint16, bool,
            or floats within [0, 1] or, where the largest exceeds 1, within [0, 255].
        channel_order: of colour *arrays* only; files and PIL images know their own. 'bgr' is what cv2 reads and what
            ModelScope's pipelines take.
        name: what an error calls the input.
        max_pixels: more pixels than this are refused before decoding.

    Returns:
        (H, W, 3) uint8 RGB, contiguous, never the caller's own memory.

    Raises:
        ImageError: not an image, truncated, empty, not finite, or of a shape or type that is no image.
        ImageTooLargeError: more pixels than `max_pixels`.
        OfflineError: a URL while HANDKIT_OFFLINE=1.
    """
    name = name or source_name(source)
    if isinstance(source, np.ndarray):
        return _from_array(source, channel_order, name, max_pixels)
    if isinstance(source, Image.Image):
        return _from_pil(source, name, max_pixels)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _decode(bytes(source), name, max_pixels)
    if isinstance(source, SupportsRead):
        content: object = source.read()
        if not isinstance(content, bytes):
            raise ImageError(f"{name}: reads {type(content).__name__}; open it in binary mode")
        return _decode(content, name, max_pixels)
    if is_url(source):
        return _decode(_download(str(source)), name, max_pixels)
    if isinstance(source, (str, os.PathLike)):
        return _decode(_read_file(Path(source), name), name, max_pixels)
    kind = type(source).__name__
    raise ImageError(f"{name}: an image is a path, URL, open file, bytes, PIL image or array, not {kind}")


def picture_files(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures in a folder and its subfolders, by name.

    Raises:
        DataError: there is none.
    """
    found = sorted(path for path in Path(folder).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not found:
        raise DataError(f"{folder}: no folder with pictures ({', '.join(SUFFIXES)})")
    return found


def picture_size(path: str | os.PathLike[str], name: str | None = None) -> tuple[int, int]:
    """(width, height) that `read_image` will give, from the file's header alone.

    Raises:
        ImageError: the file is missing or no image; `name` is what the message calls it.
    """
    name = name or source_name(path)
    try:
        with Image.open(path) as image:
            turned = _orientation(image) in (5, 6, 7, 8)
            return (image.height, image.width) if turned else (image.width, image.height)
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image that Pillow can read") from None
    except Exception as error:  # Pillow's readers meet bytes that anyone may have written
        raise ImageError(f"{name}: broken or truncated image: {error}") from None


def _read_file(path: Path, name: str) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ImageError(f"{name}: {path.stat().st_size} bytes exceed the limit of {MAX_BYTES} bytes for one image")
        return path.read_bytes()
    except FileNotFoundError:
        raise ImageError(f"{name}: no such file") from None
    except OSError as error:
        raise ImageError(f"{name}: cannot be read: {error.strerror or error}") from None


def _download(url: str) -> bytes:
    if offline():
        raise OfflineError(f"{url}: HANDKIT_OFFLINE forbids downloads; save the picture and pass its path")
    request = urllib.request.Request(urllib.parse.quote(url, safe=_URL_SIGNS), headers={"User-Agent": "handkit"})
    try:
        with urllib.request.urlopen(request, timeout=_URL_TIMEOUT) as response:
            data: bytes = response.read(MAX_BYTES + 1)
    except (OSError, ValueError, http.client.HTTPException) as error:
        raise ImageError(f"{url}: download failed: {error}") from None
    if len(data) > MAX_BYTES:
        raise ImageError(f"{url}: exceeds the limit of {MAX_BYTES} bytes for one image")
    return data


def _decode(data: bytes, name: str, max_pixels: int) -> Array:
    if not data:
        raise ImageError(f"{name}: zero bytes")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(io.BytesIO(data))
            _check_size(image.size, name, max_pixels)
            pixels = _decode_plain_jpeg(data, image)
            return _from_pil(image, name, max_pixels) if pixels is None else pixels
    except Image.DecompressionBombError:
        raise _too_large(name, f"more than {2 * (Image.MAX_IMAGE_PIXELS or 0)}", max_pixels) from None
    except UnidentifiedImageError:
        raise ImageError(f"{name}: not an image that Pillow can read") from None
    except (ImageError, MemoryError):
        raise
    except Exception as error:  # Pillow's readers meet bytes that anyone may have written
        raise ImageError(f"{name}: broken or truncated image: {error}") from None


def _decode_plain_jpeg(data: bytes, image: Image.Image) -> Array | None:
    """The same pixels in half of Pillow's time, by cv2; None where only Pillow does it right.

    That is: colours other than RGB and grey, pictures to be turned, and files without an end marker, of which cv2 makes
    up the rest.
    """
    plain = image.format == "JPEG" and image.mode in ("RGB", "L") and data.endswith(b"\xff\xd9")
    if not plain or _orientation(image) != 1:
        return None
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    if pixels is None or pixels.shape[1::-1] != image.size:
        return None
    return cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB, dst=pixels)


def _from_pil(image: Image.Image, name: str, max_pixels: int) -> Array:
    _check_size(image.size, name, max_pixels)
    try:
        turn = _UPRIGHT.get(_orientation(image))
        image = image if turn is None else image.transpose(turn)
        if image.mode.startswith("I;16") or image.mode in ("I", "F"):
            return _from_array(_wide_grey(image), "rgb", name, max_pixels)
        return np.array(image.convert("RGB"))
    except (ImageError, MemoryError):
        raise
    except Exception as error:
        raise ImageError(f"{name}: broken or truncated image: {error}") from None


def _orientation(image: Image.Image) -> int:
    """EXIF's orientation, 1 to 8; 1 where it says none, or where EXIF is broken, which is no part of the pixels."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation, 1)
    except Exception:  # whatever Pillow meets in bytes that anyone may have written
        return 1
    return orientation if orientation in _UPRIGHT else 1


def _wide_grey(image: Image.Image) -> Array:
    """Grey of more than 8 bits: 'F' as it is, the integer modes as uint16."""
    array = np.asarray(image)
    return array if image.mode == "F" else np.clip(array, 0, 65535).astype(np.uint16)


def _from_array(array: Array, channel_order: ChannelOrder, name: str, max_pixels: int) -> Array:
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] not in (3, 4)):
        raise ImageError(f"{name}: an image array is (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not {array.shape}")
    _check_size((array.shape[1], array.shape[0]), name, max_pixels)
    array = _to_uint8(array, name)
    if array.ndim == 2:
        return np.repeat(array[:, :, None], 3, 2)
    if channel_order not in ("bgr", "rgb"):
        raise ImageError(f"{name}: channel_order must be 'bgr' or 'rgb', not {channel_order!r}")
    if channel_order == "rgb":
        return np.array(array[:, :, :3], order="C")
    code = cv2.COLOR_BGR2RGB if array.shape[2] == 3 else cv2.COLOR_BGRA2RGB
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(array), code))


def _to_uint8(array: Array, name: str) -> Array:
    if array.dtype == np.uint8:
        return array
    if array.dtype == np.bool_:
        return array.astype(np.uint8) * 255
    if array.dtype == np.uint16:
        return ((array.astype(np.uint32) + 128) // 257).astype(np.uint8)
    if not np.issubdtype(array.dtype, np.floating):
        raise ImageError(f"{name}: an image array is uint8, uint16, bool or float, not {array.dtype}")
    low, high = float(array.min()), float(array.max())
    if not np.isfinite(array).all():
        raise ImageError(f"{name}: the array holds NaN or infinite values")
    if low < 0 or high > 255:
        raise ImageError(f"{name}: float values must lie in [0, 1] or [0, 255], got {low:g} to {high:g}")
    scaled: Array = np.rint(array * 255 if high <= 1 else array).astype(np.uint8)
    return scaled


def _check_size(size: tuple[int, int], name: str, max_pixels: int) -> None:
    if min(size) == 0:
        raise ImageError(f"{name}: an image of {size[0]} x {size[1]} pixels is empty")
    if size[0] * size[1] > max_pixels:
        raise _too_large(name, f"{size[0]} x {size[1]} = {size[0] * size[1]}", max_pixels)


def _too_large(name: str, pixels: str, max_pixels: int) -> ImageTooLargeError:
    return ImageTooLargeError(f"{name}: {pixels} pixels exceed the limit of {max_pixels}; scale the picture down first")
