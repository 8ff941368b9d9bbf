"""A tokenizer's check as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from presheaf.language.tokenizer import TokenizerCheck
    from presheaf.statistics.intervals import Interval


def describe(check: TokenizerCheck) -> str:
    """The check in some twenty lines."""
    return "\n".join(_lines(check))


def _lines(check: TokenizerCheck) -> Iterator[str]:
    yield f"TokenizerCheck of {check.name}: {check.texts:,} texts, {check.distinct:,} different"
    merged = sum(map(len, check.merges))
    yield (
        f"  merges: {merged:,} texts are {len(check.merges):,} inputs" if merged else "  merges: none among these texts"
    )
    for variant in check.variants:
        if variant.merged.value > 0 and variant.example is not None:
            a, b = variant.example
            yield f"  does not see {variant.change} in {_share(variant.merged)}, e.g. {_around(a, b)} = {_around(b, a)}"
    for one in check.concatenation:
        line = f"  encode(a + b) = encode(a) encode(b) {one.place}: {_share(one.holds)} of {one.tried:,} tried"
        if one.examples:
            example = one.examples[0]
            line += f", not {_tokens(example.together)}, apart {_tokens(example.apart)}"
        yield line
    if check.round_trip is None:
        yield "  decode(encode(x)) = x: this source has no way back to text"
    else:
        line = f"  decode(encode(x)) = x: {_share(check.round_trip)}"
        yield line + (f", not {_around(*check.lost[0])} -> {_around(*check.lost[0][::-1])}" if check.lost else "")
    for rate in check.rates:
        line = f"  {rate.by} {rate.group}, {rate.texts:,} texts: tokens per character {_number(rate.per_character)}"
        line += f", per byte {_number(rate.per_byte)}"
        yield line + (f", per word {_number(rate.per_word)}" if rate.per_word is not None else "")
    if check.unknown is not None:
        yield f"  unknown tokens: {_share(check.unknown)} of all, in {check.with_unknown:,} texts"
    if check.cut:
        yield f"  {check.cut:,} texts run past the window: only their merges are counted"


def _share(one: Interval) -> str:
    return f"{one.value:.1%} [{one.low:.1%}, {min(one.high, 1):.1%}]"


def _number(one: Interval) -> str:
    return f"{one.value:.3f} [{one.low:.3f}, {one.high:.3f}]" if isfinite(one.high) else f"{one.value:.3f}"


def _tokens(names: tuple[str, ...]) -> str:
    return " ".join(map(repr, names)) or "(no token)"


def _around(text: str, other: str, width: int = 12) -> str:
    """The part of a text in which it first differs from another."""
    shorter = min(len(text), len(other))
    at = next((i for i in range(shorter) if text[i] != other[i]), shorter)
    start = max(0, at - width)
    end = at + width
    return f"{'...' if start else ''}{text[start:end]!r}{'...' if end < len(text) else ''}"
