"""Elements of HTML and SVG; a string that is not `Html` is escaped, so that nothing can be forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

from presheaf.report.plain import visible

_VOID = frozenset({"meta", "br", "hr", "col", "img"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def el(name: str, /, *children: str, **attributes: str | float | None) -> Html:
    """``<name ...>children</name>``. ``class_`` becomes class, ``_`` in other names ``-``; None is left out."""
    shown = "".join(_attribute(key, value) for key, value in attributes.items() if value is not None)
    if name in _VOID:
        return Html(f"<{name}{shown}>")
    return Html(f"<{name}{shown}>{join(children)}</{name}>")


def join(parts: Iterable[str]) -> Html:
    """The parts one after the other, escaped where they are no markup."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def user(text: str, limit: int, tag: str = "bdi", **attributes: str) -> Html:
    """Text of a user: cut, cleaned, escaped, and isolated so that its direction can't touch what stands around."""
    return el(tag, visible(text, limit, one_line=False), dir="auto", **attributes)


def figure(value: float) -> str:
    """A coordinate with one decimal at most."""
    return f"{value:.1f}".removesuffix(".0")


@cache
def style(*names: str) -> Html:
    """The named style sheets of this package in one ``<style>`` element."""
    folder = files("presheaf.report")
    return Html("<style>" + "\n".join(folder.joinpath(f"{n}.css").read_text("utf-8") for n in names) + "</style>")


def _attribute(key: str, value: str | float) -> str:
    name = key.rstrip("_").replace("_", "-")
    return f' {name}="{escape(figure(value) if isinstance(value, int | float) else str(value))}"'
