"""Where prompts come from: templates over the class names, and the user's own file."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from presheaf.errors import InputError
from presheaf.language.templates import TEXT, parse_template

TEMPLATES: tuple[str, ...] = (
    "{label}",
    "{label}.",
    "This is {label}.",
    "This text is {label}.",
    "It was {label}.",
    "a {label} text",
    "This is about {label}.",
    "The topic is {label}.",
    "The category is {label}.",
    "This is an example of {label}.",
    "a description of {label}",
    "something that is {label}",
    "I feel {label} about it.",
    "The opinion expressed here is {label}.",
    "All in all, it was {label}.",
    "label: {label}",
)
MANY = 60
"""With more classes than this only the first few templates are tried, to keep the number of prompts in bounds."""


@dataclass(frozen=True)
class UserPrompts:
    """Prompts from a user's file.

    Attributes
    ----------
    templates : tuple of str
        Each with ``{label}`` where the class name goes.
    prompts : dict of class name to tuple of str
    language : tuple of str
        Templates for a language model: each holds ``{text}`` once and ends in ``{label}``.
    words : dict of class name to tuple of str
        Label words for a language model; the first of every class go together, then the second, and so on.
    """

    templates: tuple[str, ...] = ()
    prompts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    language: tuple[str, ...] = ()
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)


def spoken(name: str) -> str:
    """A class name as one would say it: "noun.animal" -> "animal", "very_negative" -> "very negative"."""
    name = re.sub(r"^[a-z]+\.(?=[A-Za-z])", "", name)
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    return " ".join(re.sub(r"[_\-]+", " ", name).split()).lower() or name


def fill(template: str, name: str) -> str:
    """The template with the class name put in (only ``{label}`` is special)."""
    return template.replace("{label}", name)


def templates_for(classes: Sequence[str], user: UserPrompts) -> list[tuple[str, tuple[str, ...]]]:
    """Every template with its prompts, one a class, with class names as they are and as one would say them.

    Returns
    -------
    list of (template, prompts): no two with the same prompts. With more than 60 classes five of our own are used.
    """
    own = TEMPLATES if len(classes) <= MANY else TEMPLATES[:5]
    out: list[tuple[str, tuple[str, ...]]] = []
    seen: set[tuple[str, ...]] = set()
    for template in (*user.templates, *own):
        for names in (tuple(classes), tuple(map(spoken, classes))):
            prompts = tuple(fill(template, name) for name in names)
            if prompts not in seen and len(set(prompts)) == len(prompts):
                seen.add(prompts)
                out.append((template, prompts))
    return out


def texts_of(classes: Sequence[str], user: UserPrompts) -> list[str]:
    """Every text that is encoded as a prompt, once: what prompts cost besides the rows of the table."""
    templates = [text for _, texts in templates_for(classes, user) for text in texts]
    return list(dict.fromkeys([*templates, *(text for name in user.prompts for text in user.prompts[name])]))


def read_prompts(path: str | Path, classes: Sequence[str]) -> UserPrompts:
    """Read the user's prompts.

    Parameters
    ----------
    path : .json, .csv/.tsv or .txt file
        JSON: ``{"templates": ["It was {label}."], "prompts": {"positive": ["I love it."], "negative": [...]},
        "words": {"positive": ["great"], "negative": ["terrible"]}}``, any part alone will do. CSV: columns ``label``
        and ``prompt``. TXT: one template a line, ``\\n`` for a line break in a template for a language model.
        A template that holds ``{text}`` is one for a language model and ends in ``{label}``.
    classes : the task's class names

    Raises
    ------
    InputError
        If the file can't be read, names a label the task does not have, leaves a label without a prompt or without
        words, or holds a template without ``{label}`` or one with ``{text}`` that does not end in it.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"can't read the prompts in {path}: {error}. Expected a UTF-8 .json, .csv or .txt file."
        ) from None
    words: dict[str, list[str]] = {}
    if path.suffix.lower() == ".json":
        templates, prompts, words = _from_json(path, text)
    elif path.suffix.lower() in (".csv", ".tsv"):
        templates, prompts = [], _from_csv(path, text)
    else:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        templates, prompts = [line.replace("\\n", "\n") if TEXT in line else line for line in lines], {}
    return check_prompts(templates, prompts, classes, str(path), words)


def check_prompts(
    templates: Sequence[str],
    prompts: Mapping[str, Sequence[str]],
    classes: Sequence[str],
    where: str = "the prompts",
    words: Mapping[str, Sequence[str]] | None = None,
) -> UserPrompts:
    """Validate prompts against the task's classes; raises InputError as `read_prompts` does."""
    for template in templates:
        if "{label}" not in template:
            raise InputError(
                f"{where}: template {template!r} has no {{label}}; put {{label}} where the class name goes."
            )
        if TEXT in template:
            try:
                parse_template(template)
            except InputError as error:
                raise InputError(f"{where}: {error}") from None
    if not templates and not prompts and not words:
        raise InputError(f"{where}: no prompt found; expected templates with {{label}} or prompts for each class.")
    return UserPrompts(
        tuple(t for t in templates if TEXT not in t),
        _of_each_class(prompts, classes, where, "prompt"),
        tuple(t for t in templates if TEXT in t),
        _of_each_class(words or {}, classes, where, "label words"),
    )


def _of_each_class(
    given: Mapping[str, Sequence[str]], classes: Sequence[str], where: str, what: str
) -> dict[str, tuple[str, ...]]:
    """What is given for the classes, blank entries left out: for every class, or for none at all."""
    if not given:
        return {}
    unknown = sorted(set(given) - set(classes))
    if unknown:
        raise InputError(f"{where}: no class is called {unknown[0]!r}; the classes are {', '.join(classes)}.")
    kept = {name: tuple(text for text in given.get(name, ()) if text.strip()) for name in classes}
    lacking = [name for name in classes if not kept[name]]
    if lacking:
        raise InputError(f"{where}: no {what} for {', '.join(map(repr, lacking))}; every class needs at least one.")
    return {name: kept[name] for name in given}


def user_words(classes: Sequence[str], user: UserPrompts) -> list[tuple[str, ...]]:
    """The user's choices of label words, each in the order of the classes; a class with fewer repeats its last."""
    longest = max(map(len, user.words.values()), default=0)
    return [
        tuple(user.words[name][min(i, len(user.words[name]) - 1)].strip() for name in classes) for i in range(longest)
    ]


def word_sets(classes: Sequence[str], user: UserPrompts) -> list[tuple[str, ...]]:
    """Choices of label words, each in the order of the classes: the user's, as is, as one would say it, capitalised.

    A choice that gives two classes the same words is left out; class names differ, so there is always one.
    """
    said = [spoken(name) for name in classes]
    sets = [
        *user_words(classes, user),
        tuple(classes),
        tuple(said),
        tuple(name[:1].upper() + name[1:] for name in said),
    ]
    return [words for words in dict.fromkeys(sets) if len(set(words)) == len(words)]


def _from_json(path: Path, text: str) -> tuple[list[str], dict[str, list[str]], dict[str, list[str]]]:
    try:
        data: Any = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON: {error}.") from None
    if isinstance(data, dict) and not ({"templates", "prompts", "words"} & set(data)):
        data = {"prompts": data}
    wrong = InputError(
        f'{path}: expected {{"templates": [text, ...], "prompts": {{label: [text, ...]}}, "words": ...}}.'
    )
    if not isinstance(data, dict):
        raise wrong
    templates, parts = data.get("templates", []), [data.get("prompts", {}), data.get("words", {})]
    if not isinstance(templates, list) or not all(isinstance(part, dict) for part in parts):
        raise wrong
    prompts, words = ({str(k): [v] if isinstance(v, str) else v for k, v in part.items()} for part in parts)
    for values in (templates, *prompts.values(), *words.values()):
        if not isinstance(values, list) or not all(isinstance(v, str) for v in values):
            raise wrong
    return templates, prompts, words


def _from_csv(path: Path, text: str) -> dict[str, list[str]]:
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    reader = csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter)
    if not {"label", "prompt"} <= set(reader.fieldnames or []):
        raise InputError(f"{path}: expected columns 'label' and 'prompt'; it has {', '.join(reader.fieldnames or [])}.")
    out: dict[str, list[str]] = {}
    for row in reader:
        out.setdefault((row["label"] or "").strip(), []).append(row["prompt"] or "")
    return out
