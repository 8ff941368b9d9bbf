"""What is asked of a language model: templates with the row's text and the label's words, and a grammar of them.

A template is ``before {text} middle {label}``. Its prompt for a row ends where the label begins; the white space before
``{label}`` belongs to the label's words, because a language model's tokens carry the space in front of a word.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from presheaf.errors import InputError
from presheaf.models.lm.base import Question

TEXT, LABEL = "{text}", "{label}"
GAP = "\n\n"
MOST_OPTIONS = 30
"""With more classes than this no template lists them all."""


@dataclass(frozen=True)
class Template:
    """A way to ask.

    Attributes
    ----------
    before, middle : str
        What stands before the row's text, and between it and the label's words (without white space at its end).
    space : str
        White space in front of the label's words.
    opening : str
        Said once, before the first labelled example and the row: an instruction, the start of a conversation.
    gap : str
        Stands after the label of an example.
    """

    before: str
    middle: str
    space: str = " "
    opening: str = ""
    gap: str = GAP

    def prompt(self, text: str, examples: Sequence[tuple[str, str]] = ()) -> str:
        """What the model is given for a row, after labelled examples (text, label words) if there are any.

        Braces in a row's text mean nothing. A prompt of nothing is a line break: what a text begins with has no
        probability at an endpoint, and other ones by how a tokenizer begins texts.
        """
        shown = "".join(f"{self.before}{t}{self.middle}{self.space}{w}{self.gap}" for t, w in examples)
        return f"{self.opening}{shown}{self.before}{text}{self.middle}" or "\n"

    def answers(self, words: Sequence[str]) -> tuple[str, ...]:
        return tuple(self.space + word for word in words)

    def question(self, text: str, words: Sequence[str], examples: Sequence[tuple[str, str]] = ()) -> Question:
        return Question(self.prompt(text, examples), self.answers(words))

    @property
    def written(self) -> str:
        """The template as one writes it, with ``{text}`` and ``{label}``."""
        return f"{self.opening}{self.before}{TEXT}{self.middle}{self.space}{LABEL}"


def parse_template(written: str, *, opening: str = "") -> Template:
    """Read a template with one ``{text}`` that ends in ``{label}``.

    Raises
    ------
    InputError
        If ``{text}`` does not occur exactly once or ``{label}`` stands anywhere but at the end.
    """
    if written.count(TEXT) != 1 or written.count(LABEL) != 1 or not written.endswith(LABEL):
        raise InputError(
            f"a prompt for a language model holds {TEXT} once and ends in {LABEL}, because the model says how likely "
            f"the label is to come next; got {written!r}."
        )
    before, rest = written.split(TEXT)
    rest = rest.removesuffix(LABEL)
    # Only blanks go to the label: a line break is a token of its own and stays in the prompt.
    middle = rest.rstrip(" ")
    return Template(before, middle, rest[len(middle) :], opening)


PLAIN: tuple[str, ...] = (
    "{text} {label}",
    "{text}\n{label}",
    "{text} It was {label}",
    "{text} This is {label}",
    "{text} All in all, it was {label}",
    "{text}\nThis text is {label}",
    "{text}\nAnswer: {label}",
    "{text}\nLabel: {label}",
    "{text}\n{Label}: {label}",
    "{text}\nThe {label_name} is {label}",
    "{text}\n\nQuestion: What is the {label_name} of this {text_name}?\nAnswer: {label}",
    "{Text}: {text}\n{Label}: {label}",
    "{Text}: {text}\nThe {label_name} of this {text_name} is {label}",
    "{Text}: {text}\nQuestion: What is the {label_name}?\nAnswer: {label}",
    "{Text}: {text}\nIt was {label}",
    'The {text_name} "{text}" is {label}',
)
"""Frames that go with any label words. Those that begin with the text share it, so that it is run once a row."""

LISTING: tuple[tuple[str, str], ...] = (
    ("", "{text}\n\nQuestion: Is the {label_name} of this {text_name} {options}?\nAnswer: {label}"),
    ("", "{Text}: {text}\nOptions: {options}\n{Label}: {label}"),
    (
        "Classify each {text_name} by its {label_name}. The options are: {options}.\n\n",
        "{Text}: {text}\n{Label}: {label}",
    ),
    ("", "{text}\n\nWhich of these is it: {options}?\nAnswer: {label}"),
)
"""Opening and frame of templates that list the options."""

CHAT = 'What is the {label_name} of this {text_name}: {options}? Answer with one of them only.\n\n"{text}"'


@dataclass(frozen=True)
class Chat:
    """How a tokenizer's chat template wraps a user's message: what comes before, after, and after the reply."""

    opening: str
    reply: str
    gap: str


def chat_of(tokenizer: Any) -> Chat | None:
    """Read the chat form off a Hugging Face tokenizer; None where it has none or writes turns in an unusual way.

    A conversation with marked contents is rendered, and the text between the marks is taken. A beginning-of-text token
    is left out where the tokenizer adds it by itself.
    """
    render = getattr(tokenizer, "apply_chat_template", None)
    if render is None or not getattr(tokenizer, "chat_template", None):
        return None
    marks = ("\x02first\x02", "\x02reply\x02", "\x02second\x02")
    turns = [{"role": role, "content": mark} for role, mark in zip(("user", "assistant", "user"), marks, strict=True)]
    try:
        said = str(render(turns, tokenize=False, add_generation_prompt=True))
    except Exception:  # a template is a program of the model's author and may refuse anything
        return None
    parts = [said]
    for mark in marks:
        if parts[-1].count(mark) != 1:
            return None
        parts[-1:] = parts[-1].split(mark)
    opening, reply, gap, last = parts
    if not last.startswith(reply):
        return None
    begin = str(tokenizer.bos_token or "")
    if begin and tokenizer.encode("a")[:1] == [tokenizer.bos_token_id]:
        opening = opening.removeprefix(begin)
    return Chat(opening, last, gap)


def list_options(words: Sequence[str]) -> str:
    """ "positive or negative"; "a, b or c"."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def grammar(text_name: str, label_name: str, word_sets: Sequence[Sequence[str]], chat: Chat | None) -> list[Template]:
    """About twenty zero-shot templates from the names of the text and label columns.

    Parameters
    ----------
    text_name, label_name : str
        As one would say them: "review", "sentiment".
    word_sets : label words, one sequence a choice of words, each in the order of the classes
        A template that lists the options lists the first of them.
    chat : Chat or None

    Returns
    -------
    list of Template, no two alike
    """
    names = {"{text_name}": text_name, "{label_name}": label_name}
    names |= {"{Text}": _upper(text_name), "{Label}": _upper(label_name)}
    out = [_named(parse_template(frame), names) for frame in PLAIN]
    if len(word_sets[0]) <= MOST_OPTIONS:
        names["{options}"] = list_options(word_sets[0])
        out += [_named(parse_template(frame, opening=opening), names) for opening, frame in LISTING]
        if chat is not None:
            before, after = (_put(part, names) for part in CHAT.split(TEXT))
            middle = (after + chat.reply).rstrip(" ")  # as `parse_template` reads it
            out.append(Template(before, middle, (after + chat.reply)[len(middle) :], chat.opening, chat.gap))
    return list({template.written: template for template in out}.values())


def _named(frame: Template, names: dict[str, str]) -> Template:
    """The frame with the names put in: a class or a column may be called ``{label}``."""
    opening, before, middle = (_put(part, names) for part in (frame.opening, frame.before, frame.middle))
    return replace(frame, opening=opening, before=before, middle=middle)


def _upper(name: str) -> str:
    return name[:1].upper() + name[1:]


def _put(frame: str, names: dict[str, str]) -> str:
    for key, value in names.items():
        frame = frame.replace(key, value)
    return frame
