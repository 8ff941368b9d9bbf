"""The category a language model makes of prompts: x is y as far as what follows x follows y."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.enriched.construct import hom_from_probabilities
from presheaf.enriched.hom import LIMIT, Hom
from presheaf.enriched.kernel import Kernel, hellinger, total_variation
from presheaf.enriched.quantale import PROBABILITY
from presheaf.enriched.sources import Matrix
from presheaf.errors import InputError
from presheaf.language.continuations import (
    Continuations,
    continuation_log_probs,
    next_rows,
    state_continuations,
)
from presheaf.language.log_rows import LogRows, log_ratios
from presheaf.language.texts import Text, as_tokens, check_window, distinct, shown
from presheaf.models.lm.base import LocalLanguageModel, Tokens

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

LAWFUL = "proof: inf_c [M(x, c), M(y, c)] is a meet of residuals of the same rows, so it composes"
PREFIX_FREE = (
    "total variation and Hellinger need continuations of which none begins another, so that their probabilities add; leave "
    "the longer or the shorter one out."
)


@dataclass(frozen=True, eq=False)
class PromptCategory:
    """n prompts, and how likely each continuation is after each of them.

    Attributes
    ----------
    model : LocalLanguageModel
    texts : tuple of token tuples
        The prompts, each once.
    given : int64 array of shape (m,)
        The object of each prompt that was given.
    continuations : Continuations or None
        None: every single next token, a full distribution.
    logs : array of shape (n, continuations)
        ln M(x, c) = ln pi(c | x) in nats, raised to ln ``floor``. float32 for next tokens.
    floor : float
        Probabilities below it count as it; 0 leaves them.
    floored : int
        Entries that were raised.
    """

    model: LocalLanguageModel = field(repr=False)
    texts: tuple[Tokens, ...] = field(repr=False)
    given: Ints = field(repr=False)
    continuations: Continuations | None = field(repr=False)
    logs: NDArray[Any] = field(repr=False)
    floor: float
    floored: int

    def __len__(self) -> int:
        return len(self.texts)

    def __repr__(self) -> str:
        which = "next tokens" if self.continuations is None else f"{self.continuations.origin} continuations"
        raised = f"; {self.floored:,} probabilities raised to {self.floor:g}" if self.floor else ""
        return f"PromptCategory({self.model.info.name}: {len(self):,} prompts, {self.logs.shape[1]:,} {which}{raised})"

    @cached_property
    def hom(self) -> Hom:
        """C(x, y) = exp(-D_inf), D_inf = max_c (ln M(x, c) - ln M(y, c))^+; quantale PROBABILITY, distances in nats.

        Directed and lawful. Over next tokens D_inf is the Renyi divergence of order infinity. Over fewer continuations it
        can only be smaller, and it is the least robust of divergences: one rare continuation decides it. Cost: n^2 x
        continuations, once, where all n^2 distances fit in 256 MiB; else for each distance that is asked for.
        """
        which = "next tokens" if self.continuations is None else f"{len(self.continuations)} continuations"
        floor = f", floored at {self.floor:g}" if self.floor else ""
        lazy = Hom(LogRows(self.logs), f"D_inf over {which}{floor}", PROBABILITY, False, True, LAWFUL)
        if lazy.n * lazy.n * 8 > LIMIT:
            return lazy
        return replace(lazy, source=Matrix(log_ratios(self.logs, self.logs)))

    @cached_property
    def total_variation(self) -> Hom:
        """Half the sum of |M(x, c) - M(y, c)|: symmetric and lawful; quantale LUKASIEWICZ.

        Other continuations than those listed count as one more.
        """
        return self.under(total_variation())

    @cached_property
    def hellinger(self) -> Hom:
        """|sqrt M(x, -) - sqrt M(y, -)| / sqrt 2: symmetric and lawful; quantale LUKASIEWICZ."""
        return self.under(hellinger())

    def under(self, kernel: Kernel) -> Hom:
        """The hom of these rows under another kernel of probabilities (``enriched.jensen_shannon``, ...).

        Raises
        ------
        InputError
            If continuations overlap, so that their probabilities don't add.
        """
        return hom_from_probabilities(self.probabilities(), kernel)

    def probabilities(self) -> Floats:
        """Rows that sum to 1, shape (n, continuations), and one more column for all others where they were listed.

        Without the floor: it would have to be paid for by the other entries.

        Raises
        ------
        InputError
            If continuations overlap.
        """
        rows = np.exp(self.logs.astype(np.float64))
        if self.floored:
            # A floor kept as a float32 logarithm comes back with an error of some 1e-5.
            rows[rows <= self.floor * (1 + 1e-4)] = 0.0
        if self.continuations is None:
            return np.asarray(rows / rows.sum(axis=1, keepdims=True))
        if not self.continuations.disjoint:
            raise InputError(PREFIX_FREE)
        return np.column_stack([rows, np.maximum(1 - rows.sum(axis=1), 0)])

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Each prompt as the tokenizer prints it."""
        return tuple(self.model.text(tokens) for tokens in self.texts)

    def find(self, text: Text) -> int:
        """The object that is this prompt.

        Raises
        ------
        InputError
            If none is.
        """
        (tokens,) = as_tokens(self.model, [text], "prompts")
        if tokens not in self._number:
            raise InputError(
                f"{shown(self.model.text(tokens))} is no object here. Give it to prompt_category with the others."
            )
        return self._number[tokens]

    @cached_property
    def _number(self) -> dict[Tokens, int]:
        return {tokens: number for number, tokens in enumerate(self.texts)}

    def why(self, x: int, y: int, count: int = 3) -> tuple[tuple[str, float], ...]:
        """The continuations that x makes most more likely than y does, with ln M(x, c) / M(y, c) in nats, largest first."""
        with np.errstate(invalid="ignore"):
            ratio = np.nan_to_num(
                self.logs[x].astype(np.float64) - self.logs[y], nan=0.0, posinf=np.inf, neginf=-np.inf
            )
        first = np.argsort(-ratio, kind="stable")[:count]
        return tuple((self.continuation(int(c)), float(ratio[c])) for c in first)

    def continuation(self, c: int) -> str:
        """The continuation of a column as the tokenizer prints it."""
        return self.model.text((c,) if self.continuations is None else self.continuations.tokens[c])


def prompt_category(
    model: LocalLanguageModel,
    prompts: Sequence[Text],
    continuations: Continuations | Sequence[Text] | None = None,
    *,
    floor: float = 0.0,
    limit_bytes: int = 4 * LIMIT,
) -> PromptCategory:
    """The hom that a language model induces on prompts.

    Parameters
    ----------
    model : LocalLanguageModel
    prompts : sequence of strings or token tuples
    continuations : Continuations, or sequence of strings or token tuples, optional
        From ``sample_continuations``, or stated. Default: every single next token.
    floor : float
        Probabilities below it are raised to it: a continuation that is possible after x and impossible after y makes the
        distance infinite. How many were raised is reported. 0 leaves them.
    limit_bytes : int
        The table of log-probabilities must fit; default 1 GiB.

    Raises
    ------
    InputError
        If there are no prompts, the table does not fit, a prompt runs past the window, or ``floor`` is no probability.

    Notes
    -----
    M(x, c) = pi(c | x) is a profunctor from prompts to continuations; C(x, y) = inf_c [M(x, c), M(y, c)] in [0, 1] under
    multiplication is the greatest hom for which every M(-, c) is a presheaf. Cost: prompts x continuations log-probabilities;
    memory 4 bytes for each next token, 8 for each continuation.
    """
    if not 0 <= floor < 1:
        raise InputError(f"floor must lie in [0, 1); got {floor!r}.")
    texts, of = distinct(as_tokens(model, prompts, "prompts"))
    if not texts:
        raise InputError("prompts must hold at least one text; got none.")
    check_window(model, max(map(len, texts)), "prompts")
    chosen = continuations
    if chosen is not None and not isinstance(chosen, Continuations):
        chosen = state_continuations(model, chosen)
    need = len(texts) * (4 * model.vocabulary if chosen is None else 8 * len(chosen))
    if need > limit_bytes:
        raise InputError(
            f"log-probabilities of {len(texts):,} prompts take {need:,} bytes, more than limit_bytes={limit_bytes:,}. Take fewer "
            "prompts, state or sample continuations, or raise the limit."
        )
    logs: NDArray[Any] = _next(model, texts) if chosen is None else continuation_log_probs(model, texts, chosen.tokens)
    floored = 0
    if floor > 0:
        below = logs < np.log(floor)
        floored = int(below.sum())
        logs[below] = np.log(floor)
    return PromptCategory(model, texts, of, chosen, logs, floor, floored)


def _next(model: LocalLanguageModel, texts: Sequence[Tokens]) -> NDArray[np.float32]:
    out = np.empty((len(texts), model.vocabulary), dtype=np.float32)
    step = next_rows(model)
    for start in range(0, len(texts), step):
        out[start : start + step] = model.next_log_probs(texts[start : start + step])
    return out
