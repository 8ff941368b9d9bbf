"""The tokenizer as a functor from text to tokens: what it merges, where composition fails, what it costs."""

from __future__ import annotations

import json
from collections.abc import Hashable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from presheaf.errors import InputError
from presheaf.language.token_rates import TokenRate, ratio_interval, token_rates
from presheaf.language.token_reader import Pieces, Reader, reader
from presheaf.language.token_splits import Concatenation, concatenations
from presheaf.language.token_variants import CHANGES
from presheaf.language.tokenizer_text import describe
from presheaf.models.tokens import texts_only
from presheaf.statistics.intervals import Interval, accuracy_interval

EXAMPLES = 5


@dataclass(frozen=True)
class VariantMerges:
    """How often a small change of a text is not seen.

    Attributes
    ----------
    change : str
    cause : str
        The cause that findings IN01 and IN03 name for such merges.
    merged : Interval
        Share of the changed texts whose tokens stayed the same.
    example : tuple of (str, str) or None
        Two texts that are one input.
    """

    change: str
    cause: str
    merged: Interval
    example: tuple[str, str] | None


@dataclass(frozen=True)
class TokenizerCheck:
    """What came of reading texts with a tokenizer.

    Attributes
    ----------
    name : str
    texts, distinct : int
        Given, and different ones.
    merges : tuple of tuples of int
        Groups of positions of the given texts: different texts with equal input, as findings IN01 to IN03 group them.
        Holds for every weight.
    variants : tuple of VariantMerges
        What it would merge: small changes of these texts.
    concatenation : tuple of Concatenation
        Whether encode(a + b) = encode(a) encode(b), by kind of place.
    round_trip : Interval or None
        Share of the different texts with decode(encode(x)) = x; None where there is no way back.
    lost : tuple of (str, str)
        Texts that changed on the way, and what they became.
    rates : tuple of TokenRate
    unknown : Interval or None
        Unknown tokens among all; None where they can't be seen. An encoder's traces name every unknown word of a text once.
    with_unknown : int
        Different texts that hold one.
    cut : int
        Different texts that only count for ``merges``, because their end is cut off.
    """

    name: str
    texts: int
    distinct: int
    merges: tuple[tuple[int, ...], ...] = field(repr=False)
    variants: tuple[VariantMerges, ...] = field(repr=False)
    concatenation: tuple[Concatenation, ...] = field(repr=False)
    round_trip: Interval | None = field(repr=False)
    lost: tuple[tuple[str, str], ...] = field(repr=False)
    rates: tuple[TokenRate, ...] = field(repr=False)
    unknown: Interval | None = field(repr=False)
    with_unknown: int
    cut: int

    @property
    def faithful(self) -> bool:
        """Whether no two of the different texts are one input. Of these texts it is a fact."""
        return not self.merges

    @property
    def strict(self) -> bool:
        """Whether encode(a + b) = encode(a) encode(b) at every place that was tried."""
        return all(one.holds.value == 1 for one in self.concatenation)

    def __repr__(self) -> str:
        return describe(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    def to_json(self) -> str:
        """All numbers and examples as JSON; what has no number is null."""
        return json.dumps(_finite(self.to_dict()), ensure_ascii=False, allow_nan=False, indent=1)


def tokenizer_check(
    source: Any, texts: Sequence[str], *, languages: Sequence[str] | None = None, splits: int = 2, seed: int = 0
) -> TokenizerCheck:
    """Check a tokenizer as a functor on texts: faithful, composing, invertible, at what cost.

    Parameters
    ----------
    source : LocalLanguageModel, text encoder, tokenizers.Tokenizer or transformers tokenizer
        Read without special tokens. An encoder is asked for what reaches its weights, so one that counts words also merges
        their orders.
    texts : sequence of str
    languages : sequence of str, optional
        The language of each text, for rates by language. Scripts are told from the texts.
    splits : int
        Places of each kind at which each text is cut, at most.
    seed : int
        Of the places.

    Raises
    ------
    InputError
        If there are no texts, an entry is none, lengths differ, or the tokens of the source can't be seen.

    Notes
    -----
    Texts under concatenation are a category with one object, and so are tokens; a tokenizer is a functor iff encode(a + b) =
    encode(a) encode(b) for all a and b. Where it is not, a prompt and its continuation joined as text are other tokens than
    joined as tokens. Rates and shares count each different text once. Cost: about 2 + 22 + 12 splits encodings of a text.
    """
    given = texts_only(texts) if not isinstance(texts, str) else []
    if not given or splits < 1:
        raise InputError("texts must be a list of at least one text, and splits at least 1.")
    if languages is not None and len(languages) != len(given):
        raise InputError(f"languages must name one for each of {len(given)} texts; got {len(languages)}.")
    ask = reader(source)
    first: dict[str, int] = {}
    for position, text in enumerate(given):
        first.setdefault(text, position)
    different = list(first)
    whole = ask.read(different)
    kept = [i for i, cut in enumerate(ask.cut(different)) if not cut]
    read, pieces = [different[i] for i in kept], [whole[i] for i in kept]
    counts = [len(one) for one in pieces]
    unknown = ask.unknown(read, pieces)
    round_trip, lost = _round_trip(ask, read, pieces)
    spoken = None if languages is None else [languages[first[text]] for text in read]
    return TokenizerCheck(
        ask.name,
        len(given),
        len(different),
        _merges(given, different, ask.keys(different)),
        _variants(ask, read),
        concatenations(ask, read, pieces, splits, seed),
        round_trip,
        lost,
        token_rates(read, counts, spoken),
        None if unknown is None else ratio_interval(np.asarray(unknown, np.float64), np.asarray(counts, np.float64)),
        0 if unknown is None else sum(number > 0 for number in unknown),
        len(different) - len(kept),
    )


def _merges(given: Sequence[str], different: Sequence[str], keys: Sequence[Hashable]) -> tuple[tuple[int, ...], ...]:
    """Positions of the given texts whose input is shared by different texts, in the order of first occurrence."""
    cells: dict[Hashable, list[str]] = {}
    for text, key in zip(different, keys, strict=True):
        cells.setdefault(key, []).append(text)
    number = {text: cell for cell, group in enumerate(g for g in cells.values() if len(g) > 1) for text in group}
    groups: dict[int, list[int]] = {}
    for position, text in enumerate(given):
        if text in number:
            groups.setdefault(number[text], []).append(position)
    return tuple(tuple(group) for group in groups.values())


def _variants(ask: Reader, texts: Sequence[str]) -> tuple[VariantMerges, ...]:
    out = []
    for change, (cause, make) in CHANGES.items():
        pairs = [pair for pair in map(make, texts) if pair is not None]
        if not pairs:
            continue
        keys = ask.keys([text for pair in pairs for text in pair])
        same = [keys[i] == keys[i + 1] for i in range(0, len(keys), 2)]
        example = next((pair for pair, merged in zip(pairs, same, strict=True) if merged), None)
        out.append(VariantMerges(change, cause, accuracy_interval(same), example))
    return tuple(out)


def _round_trip(
    ask: Reader, texts: Sequence[str], pieces: Sequence[Pieces]
) -> tuple[Interval | None, tuple[tuple[str, str], ...]]:
    back = [ask.write(one) for one in pieces]
    if not back or back[0] is None:
        return None, ()
    pairs = [(text, other) for text, other in zip(texts, back, strict=True) if other is not None]
    lost = tuple(pair for pair in pairs if pair[0] != pair[1])
    return accuracy_interval([text == other for text, other in pairs]), lost[:EXAMPLES]


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(one) for one in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value
