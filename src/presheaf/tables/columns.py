"""Which columns hold the objects (text or image files), the label and the vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from presheaf.errors import InputError
from presheaf.tables.defects import quote

_TEXT_NAMES = ("text", "review", "sentence", "content", "comment", "document", "message", "body", "tweet", "utterance")
_LABEL_NAMES = ("label", "class", "sentiment", "target", "category", "labels", "intent", "topic")
_LISTED = 30


@dataclass(frozen=True)
class Chosen:
    """Names of the columns to read; ``notes`` says which were not named by the user."""

    label: str
    text: str | None
    vectors: str | None
    notes: tuple[str, ...]
    image: str | None = None

    @property
    def objects(self) -> str | None:
        """The column of the objects, be they texts or images."""
        return self.text if self.image is None else self.image

    @property
    def all(self) -> list[str]:
        """The names to read, each once."""
        return [name for name in (self.label, self.text, self.vectors, self.image) if name is not None]


def choose_columns(
    names: Sequence[str], text: str | None, label: str | None, vectors: str | None, image: str | None = None
) -> Chosen:
    """Check the named columns and find those left open, where their names make it obvious.

    Parameters
    ----------
    names : sequence of str
        The columns of the table.
    text, label, vectors, image : str or None
        As the user named them. Without ``vectors`` or ``image`` a text column is needed.

    Raises
    ------
    InputError
        If a column is not there or there twice, two roles share one, the choice is not obvious, or both a text and an
        image column are named.
    """
    if text is not None and image is not None:
        raise InputError(
            f"the objects are texts or images; got both --text {text} and --image {image}. Name one of them."
        )
    given = [name for name in (text, label, vectors, image) if name is not None]
    for name in given:
        _require_unique(names, name)
    if len(set(given)) < len(given):
        raise InputError(
            f"text, image, label and vectors must be different columns; got {', '.join(map(repr, given))}."
        )
    notes = []
    free = [name for name in names if name not in given]
    if label is None:
        label = _obvious(free, _LABEL_NAMES)
        if label is None:
            raise InputError(f"which column holds the labels? Name it with --label (label=...). {_listing(names)}")
        notes.append(f"column {label!r} taken as the label")
    if text is None and image is None:
        text = _obvious([name for name in free if name != label], _TEXT_NAMES)
        if text is None and vectors is None:
            raise InputError(
                "which column holds the text? Name it with --text (text=...), or a column of image files with --image "
                f"(image=...). {_listing(names)}"
            )
        if text is not None:
            notes.append(f"column {text!r} taken as the text")
    for name in filter(None, (label, text)):
        _require_unique(names, name)
    return Chosen(label, text, vectors, tuple(notes), image)


def _obvious(names: Sequence[str], usual: Sequence[str]) -> str | None:
    """The only column with a usual name; of several the one called by the first usual name, if there is one."""
    found = [name for name in names if name.strip().lower() in usual]
    if len(set(found)) == 1:
        return found[0]
    plain = [name for name in found if name.strip().lower() == usual[0]]
    return plain[0] if len(set(plain)) == 1 else None


def _require_unique(names: Sequence[str], name: str) -> None:
    count = list(names).count(name)
    if count > 1:
        places = ", ".join(str(i) for i, other in enumerate(names, start=1) if other == name)
        raise InputError(f"{count} columns are called {name!r} (columns {places}): rename all but one.")
    if count == 0:
        folded = {other.strip().lower(): other for other in names}
        close = get_close_matches(name.strip().lower(), list(folded), n=1)
        hint = f" Did you mean {folded[close[0]]!r}?" if close else ""
        raise InputError(f"column {name!r} does not exist. {_listing(names)}{hint}")


def _listing(names: Sequence[str]) -> str:
    if not names:
        return "The table has no columns."
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"The columns are {', '.join(quote(name) for name in names[:_LISTED])}{more}."
