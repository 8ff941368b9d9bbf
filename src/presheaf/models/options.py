"""Options as a user writes them, read as their annotations ask."""

from __future__ import annotations

import difflib

from presheaf.errors import InputError


def converted(name: str, text: str, annotation: str) -> object:
    """The value an option's annotation asks for; a string where none of its other kinds fits.

    Parameters
    ----------
    name : str
        The option, for the message.
    text : str
        What was written.
    annotation : str
        As in the source: "int | None".

    Raises
    ------
    InputError
        If the text is none of the annotation's kinds.
    """
    if "None" in annotation and text.lower() == "none":
        return None
    if "bool" in annotation and text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        if kind.__name__ in annotation:
            try:
                return kind(text)
            except ValueError:
                continue
    if any(kind in annotation for kind in ("str", "Path", "Literal")):
        return text
    raise InputError(f"The option {name!r} takes {annotation}; got {text!r}.")


def closest(name: str, among: list[str]) -> str:
    """ " (did you mean 'x'?)" for the name nearest to ``name``, or nothing."""
    close = difflib.get_close_matches(name, among, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
