"""Node classification as published for DeepWalk: one-vs-rest logistic regression, the number of labels of a node given."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.errors import InputError
from presheaf.statistics.intervals import Interval

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class NodeScores:
    """F1 on the nodes that trained nothing, over shuffles.

    Attributes
    ----------
    micro, macro : Interval
        Mean over shuffles. Student's t over shuffles, which are independent draws: the mean over all splits of this graph
        lies inside, not what another graph would give.
    null_micro, null_macro : Interval or None
        The same with each node's labels given to another node.
    share : float
        Of the labelled nodes that train.
    trained, tested : int
        Nodes.
    each : float64 array of shape (shuffles, 2)
        Micro and macro of each split; equal seeds split the same nodes alike.
    """

    micro: Interval
    macro: Interval
    null_micro: Interval | None
    null_macro: Interval | None
    share: float
    trained: int
    tested: int
    each: Floats = field(repr=False)

    def __repr__(self) -> str:
        a, b = self.micro, self.macro
        return (
            f"NodeScores({self.share:.0%} of {self.trained + self.tested:,} nodes train: micro {a.value:.1%} "
            f"[{a.low:.1%}, {a.high:.1%}], macro {b.value:.1%} [{b.low:.1%}, {b.high:.1%}])"
        )


def node_scores(
    features: ArrayLike,
    labels: Any,
    share: float,
    shuffles: int = 10,
    penalty: float = 1.0,
    null: bool = True,
    seed: int = 0,
    level: float = 0.95,
) -> NodeScores:
    """Score an embedding of nodes by the labels it predicts.

    Parameters
    ----------
    features : array of shape (n, d)
        Used as they are, not standardised.
    labels : array or scipy sparse array of shape (n, k)
        1 where a node has a label; several a node are allowed. Nodes without any neither train nor test.
    share : float
        Of the labelled nodes that train, in (0, 1).
    shuffles : int
        Splits, at least 2.
    penalty : float
        C of the L2-regularised logistic regression: larger is freer.
    null : bool
        Whether to run the same with permuted labels; doubles the cost.

    Returns
    -------
    NodeScores

    Raises
    ------
    InputError
        If shapes don't fit, or a split would be empty.

    Notes
    -----
    The evaluation of Perozzi, Al-Rfou and Skiena 2014 (DeepWalk: Online Learning of Social Representations): as many of the
    likeliest labels are given to a test node as it has. That number is information that no user has, so figures are for
    comparison with others of the kind only. A label without a training node is never likeliest. Macro-F1 is the mean over all k
    labels, 0 for one that is neither present nor predicted. Cost: shuffles k logistic regressions on share n nodes.
    """
    table, owned = _checked(features, labels, share, shuffles)
    rng = np.random.default_rng(seed)
    labelled = np.flatnonzero(owned.any(axis=1))
    train = round(share * len(labelled))
    found, chance = [], []
    for _ in range(shuffles):
        order = rng.permutation(labelled)
        halves = order[:train], order[train:]
        found.append(_scored(table, owned, *halves, penalty))
        if null:
            moved = owned.copy()
            moved[labelled] = owned[rng.permutation(labelled)]
            chance.append(_scored(table, moved, *halves, penalty))
    rest = len(labelled) - train
    micro, macro = (_over_shuffles(column, rest, level) for column in zip(*found, strict=True))
    null_micro, null_macro = (
        (_over_shuffles(c, rest, level) for c in zip(*chance, strict=True)) if null else (None, None)
    )
    return NodeScores(micro, macro, null_micro, null_macro, share, train, rest, np.array(found))


def score_difference(a: NodeScores, b: NodeScores, level: float = 0.95) -> tuple[Interval, Interval]:
    """Micro-F1 and macro-F1 of a minus those of b on the same splits: Student's t over the differences.

    Raises
    ------
    InputError
        If they were not scored on splits of the same sizes; that the seeds were equal can't be seen here.
    """
    if (a.trained, a.tested, a.each.shape) != (b.trained, b.tested, b.each.shape):
        raise InputError(f"both must be scored on the same splits; got {a!r} and {b!r}.")
    gaps = (a.each - b.each).T
    micro, macro = (_over_shuffles(tuple(gap.tolist()), a.tested, level, -1.0) for gap in gaps)
    return micro, macro


def f1(predicted: Bools, true: Bools) -> tuple[float, float]:
    """Micro-F1 and macro-F1 of label sets, each bool of shape (n, k). A label that never occurs on either side counts as 0."""
    hits = (predicted & true).sum(axis=0)
    both = predicted.sum(axis=0) + true.sum(axis=0)
    each = np.divide(2.0 * hits, both, out=np.zeros(len(hits)), where=both > 0)
    return float(2 * hits.sum() / max(1, both.sum())), float(each.mean())


def likeliest(scores: Floats, counts: NDArray[np.int64]) -> Bools:
    """The counts[i] labels of highest score of node i, shape (n, k); ties by the order of the labels."""
    rank = np.argsort(np.argsort(-scores, axis=1, kind="stable"), axis=1, kind="stable")
    return np.asarray(rank < counts[:, None])


def _checked(features: ArrayLike, labels: Any, share: float, shuffles: int) -> tuple[Floats, Bools]:
    from scipy.sparse import issparse

    table = np.asarray(features, dtype=np.float64)
    owned = np.asarray(labels.toarray() if issparse(labels) else labels) != 0
    if table.ndim != 2 or owned.ndim != 2 or len(table) != len(owned):
        raise InputError(
            f"features of shape (n, d) and labels of shape (n, k) must be given for the same nodes; got {table.shape} and "
            f"{owned.shape}."
        )
    if not np.isfinite(table).all():
        raise InputError("features must be finite; some are NaN or infinite.")
    if shuffles < 2:
        raise InputError(f"'shuffles' must be at least 2 for an interval; got {shuffles!r}.")
    n = int(owned.any(axis=1).sum())
    if not 0 < share < 1 or not 0 < round(share * n) < n:
        raise InputError(
            f"'share' must lie between 0 and 1 and leave a node on both sides; got {share!r} of {n:,} nodes."
        )
    return table, owned


def _scored(
    table: Floats, owned: Bools, train: NDArray[np.int64], test: NDArray[np.int64], penalty: float
) -> tuple[float, float]:
    scores = np.empty((len(test), owned.shape[1]))
    for label in range(owned.shape[1]):
        scores[:, label] = _one_against_rest(table[train], owned[train, label], table[test], penalty)
    return f1(likeliest(scores, owned[test].sum(axis=1)), owned[test])


def _one_against_rest(fit: Floats, has: Bools, score: Floats, penalty: float) -> Floats:
    from sklearn.linear_model import LogisticRegression

    if has.all() or not has.any():
        return np.full(len(score), np.inf if has.all() else -np.inf)
    model = LogisticRegression(C=penalty, max_iter=1000)
    return np.asarray(model.fit(fit, has).decision_function(score), dtype=np.float64)


def _over_shuffles(values: tuple[float, ...], rows: int, level: float, least: float = 0.0) -> Interval:
    from scipy.special import stdtrit

    column = np.array(values)
    half = float(stdtrit(len(column) - 1, 0.5 + level / 2)) * float(column.std(ddof=1)) / len(column) ** 0.5
    mean = float(column.mean())
    return Interval(
        mean, max(least, mean - half), min(1.0, mean + half), rows, float(rows), "Student's t over shuffles"
    )
