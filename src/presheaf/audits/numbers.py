"""Numbers as every face of an audit writes them."""

from __future__ import annotations


def number(value: float | None) -> str:
    """A share with three decimals and no leading zero, as in the field: ``.812``, ``1.000``, ``-.034``; "–" for None."""
    if value is None:
        return "–"
    text = f"{abs(value):.3f}"
    sign = "-" if value < 0 and float(text) else ""
    return sign + text.removeprefix("0")


def signed(value: float) -> str:
    """A difference with its sign: ``+.034``, ``-.002``, ``+.000``."""
    text = number(value)
    return text if text.startswith("-") else "+" + text
