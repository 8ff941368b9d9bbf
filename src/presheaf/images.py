"""Image files as arrays of pixels: what is refused and why, and the name of an image's content."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any
from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, MissingDependencyError

MOST_PIXELS = 80_000_000
"""Largest image that is decoded (240 MB of memory in colour)."""
MOST_BYTES = 512 << 20
SUFFIXES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm", ".pbm")
"""Names that image files end in, lower case."""

# Formats read from bytes alone; some that Pillow knows besides start other programs.
_FORMATS = ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError, TypeError, MemoryError)
_BLOCK = 1 << 20


class ImageError(InputError):
    """An image that can't be used: ``what`` it is, the ``kind`` of fault that many share ("damaged image"), and the reason.

    ``detail`` is what tells this one apart among others of its kind: the end of its name, and the reason.
    """

    def __init__(self, what: str, kind: str, reason: str = "") -> None:
        super().__init__(f"{what}: {kind}" + (f" ({reason})" if reason else ""))
        self.kind = kind
        self.detail = f"{shown(what)}: {reason}" if reason else shown(what)


def pillow() -> Any:
    """The module ``PIL.Image``.

    Raises
    ------
    MissingDependencyError
        If Pillow is not installed.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise MissingDependencyError(
            f'Images are read with Pillow, which can\'t be imported here ({error}). To install it: pip install "pillow>=10"'
        ) from error
    return Image


def read_image(path: str | os.PathLike[str]) -> NDArray[np.uint8]:
    """The pixels of an image file.

    Parameters
    ----------
    path : PNG, JPEG, GIF, BMP, TIFF, WebP or PPM file

    Returns
    -------
    uint8 array of shape (height, width, 3), or (height, width, 1) for a grey image
        The first frame, turned upright as its EXIF orientation says. What is transparent becomes white; 16-bit values are
        divided by 257; palettes and CMYK become RGB without a colour profile.

    Raises
    ------
    ImageError
        If the file is missing, no image, cut off, damaged, or larger than 80 million pixels.
    MissingDependencyError
        If Pillow is not installed.
    """
    name = os.fspath(path)
    with _opened(name) as image:
        return _decoded(image, name)


def check_image(path: str | os.PathLike[str]) -> None:
    """Raise ImageError as `read_image` would. A JPEG file is decoded at an eighth of its size, which sees every byte too."""
    name = os.fspath(path)
    with _opened(name) as image:
        if image.format == "JPEG":
            image.draft(None, (max(1, image.width // 8), max(1, image.height // 8)))
            _loaded(image, name)
        else:
            _decoded(image, name)


def as_pixels(image: Any) -> NDArray[np.uint8]:
    """Pixels of an image object: a file's path, or a uint8 array of shape (h, w), (h, w, 1) or (h, w, 3), not copied.

    Raises
    ------
    ImageError
        As `read_image` does, or if the object is neither.
    """
    if isinstance(image, str | os.PathLike):
        return read_image(image)
    if not isinstance(image, np.ndarray):
        raise ImageError("an object", "neither a path nor an array of pixels", f"{type(image).__name__}")
    given = image[:, :, None] if image.ndim == 2 else image
    if given.dtype != np.uint8 or given.ndim != 3 or given.shape[2] not in (1, 3) or 0 in given.shape:
        raise ImageError(
            "an array",
            "no image",
            f"{given.dtype} of shape {image.shape}; expected uint8 of shape (h, w, 3) or (h, w, 1)",
        )
    return given


def content_key(image: Any) -> str:
    """A name of an image's content: equal for files of equal bytes, and for arrays of equal shape and pixels.

    Cost: reads the file once in a process, until its size or time of change is another.

    Raises
    ------
    ImageError
        If the file can't be read, or the object is no image.
    """
    if isinstance(image, str | os.PathLike):
        name = os.fspath(image)
        stat = _stat(name)
        return _file_key(name, stat.st_size, stat.st_mtime_ns, stat.st_ino)
    pixels = as_pixels(image)
    digest = hashlib.blake2b(repr(pixels.shape).encode(), digest_size=16)
    digest.update(np.ascontiguousarray(pixels).data)
    return f"pixels:{digest.hexdigest()}"


@lru_cache(maxsize=1 << 18)
def _file_key(name: str, size: int, changed: int, inode: int) -> str:
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(name, "rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    except OSError as error:
        raise ImageError(name, "unreadable file", error.strerror or str(error)) from error
    return f"file:{digest.hexdigest()}"


def _stat(name: str) -> os.stat_result:
    try:
        stat = os.stat(name)
        usual = Path(name).is_file()
    except (FileNotFoundError, NotADirectoryError):
        raise ImageError(name, "no such file") from None
    except (OSError, ValueError) as error:
        raise ImageError(name, "unreadable file", f"{error}") from error
    if not usual:
        raise ImageError(name, "no regular file")
    if stat.st_size > MOST_BYTES:
        raise ImageError(name, "file too large", f"{stat.st_size:,} bytes, at most {MOST_BYTES:,}")
    return stat


def shown(name: str, limit: int = 60) -> str:
    """The end of a path, which tells files apart where the beginning does not."""
    return name if len(name) <= limit else "…" + name[1 - limit :]


def _opened(name: str) -> Any:
    """The image with its header read.

    Raises
    ------
    ImageError
        If there is none, or it is too large to decode.
    """
    library = pillow()
    if _stat(name).st_size == 0:
        raise ImageError(name, "empty file")
    try:
        content = io.BytesIO(Path(name).read_bytes())
    except OSError as error:
        raise ImageError(name, "unreadable file", f"{error.strerror}") from error
    try:
        with catch_warnings():
            simplefilter("ignore")  # our own limit is the lower one
            image = library.open(content, formats=_FORMATS)
    except library.UnidentifiedImageError:
        raise ImageError(name, "no image", f"known are {', '.join(_FORMATS)}") from None
    except library.DecompressionBombError as error:
        raise ImageError(name, "image too large", f"{error}") from None
    except _DAMAGED as error:
        raise ImageError(name, "damaged image", f"{error}") from error
    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ImageError(
            repr(name),
            "image too large",
            f"{width:,} x {height:,} pixels, at most {MOST_PIXELS:,} in all",
        )
    if not width * height:
        raise ImageError(name, "damaged image", "no pixels")
    return image


def _loaded(image: Any, name: str) -> None:
    try:
        with catch_warnings():
            simplefilter("ignore")
            image.load()
    except _DAMAGED as error:
        raise ImageError(name, "damaged image", f"{error}") from error


def _decoded(image: Any, name: str) -> NDArray[np.uint8]:
    from PIL import ImageOps

    _loaded(image, name)
    try:
        with catch_warnings():
            simplefilter("ignore")
            return _pixels(ImageOps.exif_transpose(image), name)
    except _DAMAGED as error:
        if isinstance(error, ImageError):
            raise
        raise ImageError(name, "damaged image", f"{error}") from error


def _pixels(image: Any, name: str) -> NDArray[np.uint8]:
    """Pixels of a loaded image, whatever mode it is stored in."""
    mode = image.mode
    if mode == "F" or (mode.startswith("I") and "transparency" not in image.info):
        return _deep(np.asarray(image), name)
    if "transparency" in image.info or mode in ("LA", "La", "PA", "RGBA", "RGBa"):
        grey = mode in ("1", "L", "LA", "La")
        image = _on_white(image)
        return _grey(image.convert("L")) if grey else np.array(image)
    if mode in ("1", "L"):
        return _grey(image.convert("L"))
    return np.array(image.convert("RGB"))


def _grey(image: Any) -> NDArray[np.uint8]:
    return np.array(image)[:, :, None]


def _on_white(image: Any) -> Any:
    image = image.convert("RGBA")
    ground = pillow().new("RGBA", image.size, "white")
    return pillow().alpha_composite(ground, image).convert("RGB")


def _deep(values: NDArray[Any], name: str) -> NDArray[np.uint8]:
    """Values of 16 bits as 8; those of no known range are refused rather than guessed."""
    if values.dtype.kind not in "iu" or values.min() < 0 or values.max() > 65535:
        raise ImageError(repr(name), "pixels of no known range", f"{values.dtype}; expected 8 or 16 bits")
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)[:, :, None]
