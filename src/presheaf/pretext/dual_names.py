"""Names of the same things in two languages: emoji, as the package `emoji` names them (Unicode's CLDR)."""

from __future__ import annotations

from presheaf.errors import one_of
from presheaf.models.optional import need
from presheaf.pretext.base import Data
from presheaf.pretext.data import hash_split, make_data

LANGUAGES = ("en", "es", "ja", "ko", "pt", "it", "fr", "de", "fa", "id", "zh", "ru", "tr", "ar")
_HELD_OUT = 0.3
_FULL = 2
"""The package's status of an emoji that is written in full."""
_SKIN = range(0x1F3FB, 0x1F400)


def emoji_names(left: str = "en", right: str = "de", seed: int = 0) -> Data:
    """Pairs of names of one emoji in two languages, three in ten held out.

    Parameters
    ----------
    left, right : str
        Languages, two of `LANGUAGES`.
    seed : int
        Of the split.

    Returns
    -------
    Data
        Of media "pair", two tuples of str. Emoji of one character (and its variant sign), no modifiers; of emoji that share a name in
        one of the languages, the first.

    Raises
    ------
    InputError
        A language that the package lacks, or the same twice.
    MissingDependencyError
        The package isn't installed.
    """
    one_of("left", left, LANGUAGES)
    one_of("right", right, tuple(name for name in LANGUAGES if name != left))
    package = need("emoji", "pretext", "Names of emoji")
    package.config.load_language([left, right])
    data = package.EMOJI_DATA
    pairs: list[tuple[str, str]] = []
    seen: tuple[set[str], set[str]] = set(), set()
    for character, facts in data.items():
        plain = character.removesuffix("\ufe0f")
        if facts["status"] != _FULL or len(plain) > 1 or ord(plain) in _SKIN or not (left in facts and right in facts):
            continue
        names = _words(facts[left]), _words(facts[right])
        if names[0] not in seen[0] and names[1] not in seen[1]:
            pairs.append(names)
        for known, name in zip(seen, names, strict=True):
            known.add(name)
    train, test = hash_split([one for one, _ in pairs], seed, _HELD_OUT)
    chosen = [tuple(tuple(pairs[i][side] for i in rows) for side in (0, 1)) for rows in (train, test)]
    return make_data(
        f"emoji names {left}-{right}",
        "pair",
        chosen[0],
        chosen[1],
        source="emoji package, names of Unicode CLDR",
        licence="BSD-3-Clause; Unicode-3.0",
    )


def _words(name: str) -> str:
    return name.strip(":").replace("_", " ")
