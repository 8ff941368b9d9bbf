"""Pairs to train on: emoji, drawn from a colour font, and what they are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, MissingDependencyError
from presheaf.images import pillow
from presheaf.models.optional import need
from presheaf.pretext.base import Data
from presheaf.pretext.data import hash_split, make_data

HELD_OUT = 0.22
SIDE = 64
_FONTS = (
    Path("/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf"),
    Path("/usr/share/fonts/noto/NotoColorEmoji.ttf"),
    Path("/usr/share/fonts/google-noto-emoji/NotoColorEmoji.ttf"),
)
_BITMAP = 109
"""The one size of the font's pictures."""


def emoji(seed: int, name: str = "emoji", language: str = "en", side: int = SIDE) -> Data:
    """Emoji of one code point as (pictures, names): uint8 images of shape (n, side, side, 3) on white, and strings.

    About 1,380 of them; 22 % are held out. Pictures are those of Noto Color Emoji, names those of the package emoji ("en" and 13
    other languages, from Unicode's CLDR). An emoji whose picture or name another one has is left out, and so are skin tones.

    Raises
    ------
    InputError
        The font isn't installed, or there is no such language.
    MissingDependencyError
        Pillow or the package emoji isn't installed.
    """
    marks, names = emoji_names(language)
    pictures = drawn(marks, side)
    seen: set[bytes] = set()
    kept = []
    for i, picture in enumerate(pictures):
        key = picture.tobytes()
        if picture.min() < 255 and key not in seen:
            seen.add(key)
            kept.append(i)
    train, test = ([kept[int(i)] for i in rows] for rows in hash_split([marks[i] for i in kept], seed, HELD_OUT))
    first, second = ((pictures[rows], tuple(names[i] for i in rows)) for rows in (train, test))
    source = "Noto Color Emoji (Google) and Unicode CLDR names of the package emoji"
    return make_data(name, "pair", first, second, source=source, licence="OFL-1.1 (pictures), Unicode (names)")


def emoji_names(language: str = "en") -> tuple[list[str], list[str]]:
    """Emoji of one code point, and their names in a language; both in the order of code points, names all different.

    Raises
    ------
    InputError
        There is no such language.
    MissingDependencyError
        The package emoji isn't installed.
    """
    library = need("emoji", "pretext", "The names of emoji")
    if language not in library.LANGUAGES:
        raise InputError(f"'language' must be one of {', '.join(library.LANGUAGES)}; got {language!r}.")
    library.config.load_language(language)
    found: dict[str, str] = {}
    for mark in sorted(library.EMOJI_DATA):
        entry = library.EMOJI_DATA[mark]
        if len(mark) > 1 or entry["status"] == library.STATUS["component"] or language not in entry:
            continue
        found.setdefault(entry[language].strip(":").replace("_", " "), mark)
    return list(found.values()), list(found)


def drawn(marks: list[str], side: int = SIDE) -> NDArray[np.uint8]:
    """Emoji as pictures on white, uint8 of shape (n, side, side, 3).

    Raises
    ------
    InputError
        The font isn't installed.
    MissingDependencyError
        Pillow isn't installed.
    """
    library = pillow()
    from PIL import ImageDraw, ImageFont

    places = [path for path in _FONTS if path.is_file()]
    if not places:
        raise InputError(
            f"The font NotoColorEmoji.ttf isn't in {', '.join(str(path.parent) for path in _FONTS)}. Install it (Debian and "
            "Ubuntu: apt-get install fonts-noto-color-emoji)."
        )
    try:
        font = ImageFont.truetype(str(places[0]), _BITMAP)
    except OSError as error:
        raise MissingDependencyError(
            f"Pillow can't draw the colour font ({error}); it needs FreeType: pip install -U pillow"
        ) from error
    pictures = np.empty((len(marks), side, side, 3), dtype=np.uint8)
    for i, mark in enumerate(marks):
        page = library.new("RGB", (136, 128), "white")
        ImageDraw.Draw(page).text((0, 0), mark, font=font, embedded_color=True)
        pictures[i] = np.asarray(page.resize((side, side), library.Resampling.BICUBIC))
    return pictures
