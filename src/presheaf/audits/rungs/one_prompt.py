"""Rung 2: one prompt per label, the best found among templates, the user's prompts and exemplars.

A prompt p answers with h_p(x) = k_f(f(x), f(p)); the label whose prompt is nearest wins (Yuan, Theorem 1: this
solves the task exactly when every label's presheaf is representable, by p).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, Decide, absent, measured
from presheaf.audits.context import SELECTION_ROWS, Context
from presheaf.audits.prompts import UserPrompts, templates_for
from presheaf.audits.result import PromptChoice
from presheaf.statistics.intervals import accuracy_interval

NAME = "one prompt per label"
POOL = 1600
"""Most exemplars that are tried, over all labels."""
NULL_DRAWS = 20


@dataclass(frozen=True, eq=False)
class Candidate:
    """A prompt per label. ``vectors`` of shape (classes, d), unit rows; ``rows``: positions in the choosing half, if any."""

    origin: str
    template: str
    texts: tuple[str, ...]
    vectors: NDArray[np.float32]
    rows: tuple[int, ...] = ()

    def under(self, context: Context) -> Decide | None:
        """The rule of the same prompts under another model."""
        if self.rows:
            vectors = context.x_choosing[list(self.rows)]
        elif context.encode_prompts is not None:
            vectors = context.encode_prompts(self.texts)
        else:
            return None
        return lambda features: np.asarray(features @ vectors.T)


def _accuracy(x: NDArray[np.float32], y: NDArray[np.int32], vectors: NDArray[np.float32]) -> float:
    return float(np.mean((x @ vectors.T).argmax(axis=1) == y)) if len(y) else 0.0


def _ascend(
    x: NDArray[np.float32], y: NDArray[np.int32], pools: Sequence[NDArray[np.float32]], start: Sequence[int]
) -> tuple[list[int], int]:
    """Coordinate ascent: label by label take the pool's prompt with the most hits, until nothing changes.

    Returns the choice for every label and how many sets of prompts were tried. Cost: sweeps x rows x pool.
    """
    chosen = list(start)
    tried = 0
    rows = np.arange(len(y))
    current = np.stack([x @ pool[i] for pool, i in zip(pools, chosen, strict=True)], axis=1)
    best = float(np.mean(current.argmax(axis=1) == y))
    for _ in range(3):
        moved = False
        for label, pool in enumerate(pools):
            others = current.copy()
            others[:, label] = -np.inf
            rival = others.max(axis=1)
            fine = others.argmax(axis=1) == y
            own = x @ pool.T
            wins = own > rival[:, None]
            mine = (y == label)[:, None]
            hits = np.where(wins, mine, fine[:, None]).mean(axis=0)
            tried += len(pool)
            j = int(hits.argmax())
            if hits[j] > best + 1e-12:
                best, chosen[label], moved = float(hits[j]), j, True
                current[rows, label] = own[:, j]
        if not moved:
            break
    return chosen, tried


def _exemplars(context: Context, part: NDArray[np.int64]) -> tuple[list[NDArray[np.int64]], list[int]] | None:
    """Candidates from the choosing half: for each label the rows nearest its mean, then the first by hash."""
    each = max(4, POOL // context.classes)
    x, y = context.x_choosing[part], context.y_choosing[part]
    pools, start = [], []
    for label in range(context.classes):
        rows = part[y == label]
        if not len(rows):
            return None
        mean = x[y == label].mean(axis=0)
        near = np.argsort(-(context.x_choosing[rows] @ mean), kind="stable")[: each // 2]
        pool = np.unique(np.concatenate([near, np.arange(min(len(rows), each // 2))]))
        start.append(int(np.searchsorted(pool, near[0])))
        pools.append(rows[pool])
    return pools, start


def _candidates(context: Context, user: UserPrompts) -> tuple[list[Candidate], list[Candidate], int]:
    """All templates and user sets, the finalists found by search, and how many sets of prompts were tried."""
    first, _ = context.inner
    first = first[: SELECTION_ROWS // 2]
    x, y = context.x_choosing[first], context.y_choosing[first]
    plain: list[Candidate] = []
    searched: list[Candidate] = []
    tried = 0
    if context.encode_prompts is not None:
        worded = [("template", t, p) for t, p in templates_for(context.task.classes, user)]
        if user.prompts:
            lists = [user.prompts[name] for name in context.task.classes]
            for i in range(max(map(len, lists))):
                worded.append(("user", "", tuple(texts[min(i, len(texts) - 1)] for texts in lists)))
        user_templates = set(user.templates)
        unique = list(dict.fromkeys(t for _, _, texts in worded for t in texts))
        position = {t: i for i, t in enumerate(unique)}
        vectors = context.encode_prompts(unique)
        for origin, template, texts in worded:
            own = "user" if template in user_templates else origin
            plain.append(Candidate(own, template, texts, vectors[[position[t] for t in texts]]))
        tried += len(plain)
        # Each label may also take its wording from a different template or from another of the user's prompts.
        pools = [np.array(sorted({position[c.texts[i]] for c in plain})) for i in range(context.classes)]
        if user.prompts:
            pools = [
                np.union1d(pool, [position[t] for t in user.prompts[name] if t in position]).astype(int)
                for pool, name in zip(pools, context.task.classes, strict=True)
            ]
        if len(y):
            leader = max(plain, key=lambda c: _accuracy(x, y, c.vectors))
            start = [int(np.searchsorted(pools[i], position[leader.texts[i]])) for i in range(context.classes)]
            chosen, more = _ascend(x, y, [vectors[pool] for pool in pools], start)
            tried += more
            index = [int(pools[i][j]) for i, j in enumerate(chosen)]
            searched.append(Candidate("mixed", "", tuple(unique[i] for i in index), vectors[index]))
    found = _exemplars(context, first) if len(y) else None
    if found is not None:
        rows, start = found
        chosen, more = _ascend(x, y, [context.x_choosing[r] for r in rows], start)
        tried += more
        index = [int(rows[i][j]) for i, j in enumerate(chosen)]
        texts = tuple(_name(context, int(context.halves.choosing[i])) for i in index)
        searched.append(Candidate("exemplar", "", texts, context.x_choosing[index], tuple(index)))
    return plain, searched, tried


def _name(context: Context, position: int) -> str:
    objects = context.task.objects
    return objects[position] if objects is not None else f"row {int(context.task.rows[position])}"


def _null(context: Context, candidates: Sequence[Candidate]) -> float:
    """Mean accuracy of the same choice when the labels are permuted: what choosing alone gets."""
    rng = np.random.default_rng(context.seed + 7)
    choosing, scoring = context.x_choosing[:SELECTION_ROWS], context.x_scoring[:SELECTION_ROWS]
    on_choosing = np.stack([(choosing @ c.vectors.T).argmax(axis=1) for c in candidates])
    on_scoring = np.stack([(scoring @ c.vectors.T).argmax(axis=1) for c in candidates])
    y, z = context.y_choosing[: len(choosing)], context.y_scoring[: len(scoring)]
    hits = []
    for _ in range(NULL_DRAWS):
        best = int((on_choosing == rng.permutation(y)).mean(axis=1).argmax())
        hits.append(float((on_scoring[best] == rng.permutation(z)).mean()))
    return float(np.mean(hits))


def climb(context: Context, user: UserPrompts) -> tuple[Climb, tuple[PromptChoice, ...]]:
    """Choose on the choosing half, score on the other.

    Templates and the user's sets are judged as they are; exemplars and mixtures are searched on one part of the
    choosing half, and all finalists are compared on its other part.

    Returns
    -------
    Climb, and the prompts tried (chosen one first, then by accuracy on the choosing half)

    Notes
    -----
    Cost: one encoding per prompt, then rows x prompts x d.
    """
    plain, searched, tried = _candidates(context, user)
    if not plain and not searched:
        reason = "a class has too few rows on the choosing half to be its own prompt, and the model takes no text"
        return absent(NAME, "estimate", reason), ()
    _, second = context.inner
    x, y = context.x_choosing, context.y_choosing
    judged = [(c, _accuracy(x[second], y[second], c.vectors)) for c in (*plain, *searched)]
    on_all = {id(c): _accuracy(x, y, c.vectors) for c in plain}
    # Templates were not searched for, so the whole choosing half may pick the best of them before the final.
    finalists = list(searched)
    if plain:
        finalists.insert(0, max(plain, key=lambda c: on_all[id(c)]))
    second_accuracy = {id(c): a for c, a in judged}
    winner = max(finalists, key=lambda c: second_accuracy[id(c)])
    vectors = winner.vectors

    def decide(features: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(features @ vectors.T)

    shown = " | ".join(f"{n}: {t[:60]!r}" for n, t in list(zip(context.task.classes, winner.texts, strict=True))[:4])
    detail = f"template {winner.template!r}" if winner.template else f"{_ORIGIN[winner.origin]}: {shown}"
    labels = (
        "no labels; rows to choose by" if winner.origin != "exemplar" else "1 labelled row per class; rows to choose by"
    )
    prompts = f"{context.classes} prompts, {labels}"
    nulls = {"permuted labels": _null(context, plain)} if len(plain) > 1 else {}
    spread = sorted(
        float((context.x_scoring @ c.vectors.T).argmax(axis=1).__eq__(context.y_scoring).mean()) for c in plain
    )
    evidence: dict[str, object] = {
        "tried": tried,
        "origin": winner.origin,
        "choosing_accuracy": second_accuracy[id(winner)],
    }
    if spread:
        evidence["templates"] = {
            "tried": len(spread),
            "worst": spread[0],
            "median": float(np.median(spread)),
            "best": spread[-1],
        }
    climbed = measured(
        context,
        NAME,
        decide,
        cost=prompts,
        detail=f"{detail} (best of {tried:,} tried)",
        nulls=nulls,
        evidence=evidence,
    )
    ranked = sorted(judged, key=lambda item: (item[0] is not winner, -item[1]))
    return replace(climbed, prompts=winner.under), tuple(_choice(context, c, a, c is winner) for c, a in _shown(ranked))


def _shown(ranked: Sequence[tuple[Candidate, float]]) -> list[tuple[Candidate, float]]:
    """The first twelve, and the user's own wherever they stand (at most fifty)."""
    own = [item for item in ranked[12:] if item[0].origin == "user"]
    return [*ranked[:12], *own[:50]]


_ORIGIN = {"template": "template", "user": "your prompts", "exemplar": "rows as prompts", "mixed": "wording by class"}


def _choice(context: Context, candidate: Candidate, choosing: float, chosen: bool) -> PromptChoice:
    hits = (context.x_scoring @ candidate.vectors.T).argmax(axis=1) == context.y_scoring
    interval = accuracy_interval(hits, context.groups_scoring)
    prompts = tuple(zip(context.task.classes, candidate.texts, strict=True))
    return PromptChoice(
        candidate.origin, candidate.template, prompts, choosing, interval.value, interval.low, interval.high, chosen
    )
