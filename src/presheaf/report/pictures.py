"""Objects on a page: a text as text, an image as a thumbnail above its path."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from io import BytesIO

from presheaf.errors import PresheafError
from presheaf.images import content_key, pillow, read_image
from presheaf.report.markup import Html, el, join, user

_SIDE = 72  # pixels of the longer side
_COLOURS = 64


class Pictures:
    """Thumbnails for a page, until ``most`` were given out; for a task of texts none."""

    def __init__(self, most: int) -> None:
        self._left = most

    def of(self, path: str, keep: int = 0) -> Html:
        """An ``<img>`` with the picture inside; empty for what is no image file here, or when only ``keep`` are left."""
        if self._left <= keep or not path:
            return Html("")
        try:
            source, width, height = _thumbnail(path, content_key(path))
        except PresheafError:
            return Html("")
        self._left -= 1
        return el("img", src=source, alt="", width=width, height=height, class_="thumb")


def shown_object(text: str, most: int, pictures: Pictures | None, keep: int = 0) -> Html:
    """A row's object as a page shows it: ``text``, cut to ``most`` characters, under its picture where it is an image."""
    words = user(text, most, "span", class_="text")
    return words if pictures is None else join([pictures.of(text, keep), words])


@lru_cache(maxsize=512)
def _thumbnail(path: str, content: str) -> tuple[str, int, int]:
    """A PNG as a data address, and the size to show it at; ``content`` tells a file that was changed from what it was."""
    library = pillow()
    pixels = read_image(path)
    picture = library.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)
    picture.thumbnail((_SIDE, _SIDE))
    times = _SIDE // max(picture.size)  # small pictures are shown enlarged
    width, height = (side * times for side in picture.size)
    if picture.mode == "RGB":
        picture = picture.quantize(_COLOURS)
    file = BytesIO()
    picture.save(file, "PNG", optimize=True)
    return "data:image/png;base64," + b64encode(file.getvalue()).decode("ascii"), width, height
