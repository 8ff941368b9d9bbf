"""Transfer between two models on paired objects: is the structure kept, and are unseen partners found? (Theorem 3)"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.calibration import on_one_scale
from presheaf.enriched.closure import minplus
from presheaf.enriched.distortion import Distortion, Side, as_pairs, distortion, same_quantale
from presheaf.enriched.forms import Euclidean
from presheaf.enriched.hom import LIMIT, VARIANCES, Hom, Variance
from presheaf.enriched.pushforward import End, pushforward, seen
from presheaf.enriched.retrieval import QUERIES, Retrieval, judged, ranks_of
from presheaf.enriched.sources import Features
from presheaf.enriched.ustatistics import jackknife, quantile_interval
from presheaf.errors import InputError, one_of
from presheaf.statistics.intervals import Interval, paired_difference

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Norm = Literal["mean", "sup"]

KS = (1, 5, 10)
CARRIED = "F_! from anchors"
COSINE = "relative representation, cosine"
MAP = "orthogonal map"


@dataclass(frozen=True)
class Shuffled:
    """What is left when the anchors are paired at random: the null of a transfer.

    Attributes
    ----------
    draws : int
    reciprocal, recall : float
        Mean reciprocal rank and recall@1, averaged over the draws.
    largest : float
        Largest mean reciprocal rank of a draw.
    p : float
        Share of draws, the true pairing counted among them, that do at least as well: a permutation test, at least
        1 / (draws + 1).
    """

    draws: int
    reciprocal: float
    recall: float
    largest: float
    p: float


@dataclass(frozen=True)
class Transfer:
    """What carries over from one model to another. All is measured on pairs that are no anchors.

    Attributes
    ----------
    distortion : Distortion
        Of the homs, after the calibration if there is one.
    alignment : Side
        Over unseen x: sup over b of |F_!(h_x)(b) - h_Fx(b)|, with F_! from the anchors. With the distortion it bounds by how
        much homs differ between what is carried: |D_C(x, y) - hom(F_! h_x, F_! h_y)| <= distortion + a(x) + a(y).
    retrieval : tuple of Retrieval
        F_! from anchors first, then the baselines: relative representations under cosine (Moschella et al. 2023), and,
        between features, the orthogonal map that fits the anchors best (Procrustes).
    leads : tuple of (method, Interval)
        Recall@1 of F_! minus that of each baseline, on the same queries.
    shuffled : Shuffled
        The null of F_!.
    ambiguous : int
        Unseen objects with the same distances to all anchors as another: no rule from these anchors can tell them apart.
    scale : float
        Factor on the source's distances, 1 without calibration.
    fitted : int
        Parameters fitted on the anchors, those of the homs included.
    anchors, unseen : int
    variance, norm : str
    """

    distortion: Distortion
    alignment: Side
    retrieval: tuple[Retrieval, ...]
    leads: tuple[tuple[str, Interval], ...]
    shuffled: Shuffled
    ambiguous: int
    scale: float
    fitted: int
    anchors: int
    unseen: int
    variance: str
    norm: str

    @property
    def found(self) -> Retrieval:
        """Retrieval by F_! from the anchors."""
        return self.retrieval[0]

    def __repr__(self) -> str:
        first = self.found.recall[0][1]
        return (
            f"Transfer({self.unseen:,} unseen objects from {self.anchors:,} anchors: recall@1 {first.value:.3f} [{first.low:.3f}, "
            f"{first.high:.3f}], shuffled anchors {self.shuffled.recall:.3f} (p = {self.shuffled.p:.3f}); distances change by "
            f"{self.distortion.either.mean.value:.3g} of {self.distortion.size:.3g} on average, alignment "
            f"{self.alignment.mean.value:.3g}; {self.fitted} fitted)"
        )


def transfer(
    source: Hom,
    target: Hom,
    pairs: ArrayLike,
    anchors: ArrayLike,
    variance: Variance,
    calibrate: bool = False,
    norm: Norm = "mean",
    draws: int = 39,
    seed: int = 0,
    limit_bytes: int = LIMIT,
) -> Transfer:
    """Audit a map F between two models' homs that is known on anchors only.

    Parameters
    ----------
    source, target : Hom
    pairs : int array of shape (m, 2)
        (x, Fx), each image once.
    anchors : int array of shape (k,)
        Positions in ``pairs`` of those the transfer may know; all others are unseen and score it.
    variance : "contravariant" carries h_x = hom(-, x), "covariant" h^x = hom(x, -)
    calibrate : bool
        Fit a factor between the two scales on the anchors (one parameter); needed where quantales differ.
    norm : "mean" or "sup"
        How F_!(h_x) and h_b are compared on the anchors' images: the definition is the sup; the mean is what noise spares.
    draws : int
        Random pairings of the anchors for the null.
    seed : int
        Of the draws and of sampled pairs.
    limit_bytes : int
        For distances to the anchors, and for blocks.

    Raises
    ------
    InputError
        If quantales differ and ``calibrate`` is false, there are fewer than 2 anchors or unseen pairs, an image occurs
        twice, or distances to the anchors don't fit ``limit_bytes``.

    Notes
    -----
    The partner of x is the b of least ||F_!(h_x) - h_b|| over the images of the anchors, F_!(h_x)(b) = min over anchors a of
    D_C(a, x) (+) D_B(b, Fa): the structural learning theorem of Yuan 2022 ("On the Power of Foundation Models"), with the
    extension from anchors in place of the trained functor. Numbers are estimates. Cost: (draws + 3) u^2 k for u unseen pairs
    and k anchors, and u m k for the alignment; memory: four arrays of u x k float64 and two blocks of up to 512 x u, fewer
    rows where the limit asks for it, never u x u. So 100,000 pairs and 50 anchors fit the usual limit, but take 40 times
    10^10 x 50 steps: of that many pairs, give a random part.
    """
    one_of("variance", variance, VARIANCES)
    one_of("norm", norm, ("mean", "sup"))
    given = as_pairs(source, target, pairs)
    known, rest = _split(given, anchors)
    scale = 1.0
    near, far = source, target
    if calibrate:
        near, far, scale = on_one_scale(source, target, known, seed)
    else:
        same_quantale(source, target)
    at_once = _queries(len(rest), len(known), limit_bytes)
    world = _World(near, far, known, rest, variance, norm, at_once)
    found = judged(CARRIED, world.carried(np.arange(len(known))), len(rest), KS, int(calibrate))
    others = [judged(COSINE, world.ranks(world.cosine), len(rest), KS)]
    mapped = _orthogonal(source, target, known, rest)
    if mapped is not None:
        score, fitted = mapped
        others.append(judged(MAP, world.ranks(score), len(rest), KS, fitted))
    leads = tuple((other.method, paired_difference(found.ranks == 1, other.ranks == 1)) for other in others)
    return Transfer(
        distortion(near, far, rest, seed=seed, limit_bytes=limit_bytes),
        _alignment(world, given[:, 1], limit_bytes),
        (found, *others),
        leads,
        _shuffled(world, found, draws, seed),
        _ambiguous(world.inner),
        scale,
        near.fitted + far.fitted,
        len(known),
        len(rest),
        variance,
        norm,
    )


def _queries(unseen: int, anchors: int, limit_bytes: int) -> int:
    """How many queries can be scored at once beside four arrays of distances to the anchors; InputError if not one."""
    held, each = 4 * 8 * unseen * anchors, 2 * 8 * unseen
    if held + each > limit_bytes:
        raise InputError(
            f"carrying {unseen:,} objects from {anchors:,} anchors takes {held + each:,} bytes, more than "
            f"limit_bytes={limit_bytes:,}. Raise the limit, or take fewer pairs or anchors."
        )
    return min(QUERIES, (limit_bytes - held) // each)


def _split(pairs: Ints, anchors: ArrayLike) -> tuple[Ints, Ints]:
    """Pairs known and pairs unseen."""
    chosen = np.unique(np.asarray(anchors))
    if chosen.dtype.kind not in "iu" or (len(chosen) and (chosen[0] < 0 or chosen[-1] >= len(pairs))):
        raise InputError(f"anchors must be positions in the {len(pairs)} pairs, from 0; got {anchors!r:.80}.")
    if len(np.unique(pairs[:, 1])) < len(pairs):
        raise InputError("an object of the target is the image of two objects; leave one of the pairs out.")
    rest = np.setdiff1d(np.arange(len(pairs)), chosen)
    if len(chosen) < 2 or len(rest) < 2:
        raise InputError(
            f"a transfer needs at least 2 anchors and 2 other pairs to score; got {len(chosen)} and {len(rest)}."
        )
    return pairs[chosen], pairs[rest]


class _World:
    """Two homs as seen from paired anchors: what every rule works with."""

    def __init__(
        self, source: Hom, target: Hom, known: Ints, rest: Ints, variance: Variance, norm: Norm, at_once: int
    ) -> None:
        self.at_once = at_once
        self.source, self.target, self.known, self.rest = source, target, known, rest
        self.variance: Variance = variance
        self.norm = norm
        # F_! h_x needs hom(a, x); and h_b(Fa) is hom(Fa, b): the same end on both sides.
        self.end: End = "from" if variance == "contravariant" else "to"
        self.inner = seen(source, rest[:, 0], known[:, 0], self.end)
        self.outer = seen(target, rest[:, 1], known[:, 1], self.end)
        self.steps = seen(target, known[:, 1], known[:, 1], "to" if self.end == "from" else "from")
        self.same = _isomorphic(target, rest[:, 1])

    def carried(self, order: Ints) -> Ints:
        """Ranks by F_! with the images of the anchors in another order; the identity is the true pairing."""
        steps = self.steps[np.ix_(order, order)]
        values = minplus(self.inner, steps.T, self.target.quantale)
        return self.ranks(partial(_distance, values, self.outer[:, order], self.norm))

    def ranks(self, score: Any) -> Ints:
        """Ranks by a score of (slice of queries); the partner of query i is candidate i."""
        return ranks_of(score, np.arange(len(self.rest)), self.same, self.at_once)

    def cosine(self, part: slice) -> Floats:
        """Cosine distance of relative representations."""
        return 1 - _unit(_values(self.source, self.inner[part])) @ _unit(_values(self.target, self.outer)).T


def _isomorphic(hom: Hom, objects: Ints) -> Ints:
    """A number per object, equal where distances both ways are 0 along a chain. Shape (objects,)."""
    from scipy.sparse.csgraph import connected_components

    return np.asarray(connected_components(hom.take(objects).within(0.0, "both").graph(), directed=False)[1])


def _distance(values: Floats, others: Floats, norm: Norm, part: slice) -> Floats:
    from scipy.spatial.distance import cdist

    u, v = values[part], others
    finite = max(float(x[np.isfinite(x)].max(initial=0.0)) for x in (values, v))
    # Infinite on both sides agrees; on one side it is further than any finite distance.
    u, v = (np.where(np.isfinite(x), x, 2 * finite + 1) for x in (u, v))
    return np.asarray(cdist(u, v, "chebyshev") if norm == "sup" else cdist(u, v, "cityblock") / u.shape[1])


def _values(hom: Hom, distances: Floats) -> Floats:
    """Similarities: the hom's values, or for costs exp(-D / mean D)."""
    if not hom.quantale.reverse:
        return np.asarray(hom.quantale.values(distances), dtype=np.float64)
    finite = distances[np.isfinite(distances)]
    return np.asarray(np.exp(-distances / max(float(finite.mean()) if finite.size else 1.0, 1e-300)))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths == 0, 1, lengths))


def _orthogonal(source: Hom, target: Hom, known: Ints, rest: Ints) -> tuple[Any, int] | None:
    """Cosine distances after the orthogonal map that fits the anchors best, and its parameters; None without features.

    Schoenemann 1966. Between spaces of different dimension the map is an isometry from or onto a subspace.
    """
    ends = []
    for hom, column in ((source, 0), (target, 1)):
        if not (isinstance(hom.source, Features) and isinstance(hom.source.kernel.form, Euclidean)):
            return None
        ends.append([np.asarray(hom.source.ready(part[:, column], np.float64)) for part in (known, rest)])
    (x, queries), (y, candidates) = ends
    left, _, right = np.linalg.svd(x.T @ y, full_matrices=False)
    moved, fixed = _unit(queries @ (left @ right)), _unit(candidates)

    def score(part: slice) -> Floats:
        return np.asarray(1 - moved[part] @ fixed.T)

    r, longer = left.shape[1], max(left.shape[0], right.shape[1])
    return score, r * longer - r * (r + 1) // 2


def _alignment(world: _World, images: Ints, limit_bytes: int) -> Side:
    """sup_b |F_!(h_x)(b) - h_Fx(b)| over unseen x, b all images."""
    n = len(world.rest)
    defect = np.empty(n)
    step = max(1, limit_bytes // (len(images) * 8 * 4))
    # h_b(x) over x has b at the other end.
    flat: End = "to" if world.end == "from" else "from"
    for start in range(0, n, step):
        part = slice(start, min(start + step, n))
        carried = pushforward(world.target, world.known[:, 1], world.inner[part], world.variance, images)
        true = seen(world.target, images, world.rest[part, 1], flat).T
        with np.errstate(invalid="ignore"):
            defect[part] = np.nan_to_num(np.abs(carried - true), nan=0.0, posinf=np.inf).max(axis=1)
    return _objects_side(defect)


def _objects_side(values: Floats, level: float = 0.95) -> Side:
    """Mean, quantiles and largest of one number an object, objects independent."""
    n, value = len(values), float(values.mean())
    low, high = jackknife(values, value, 1, level) if np.isfinite(value) else (0.0, np.inf)
    q95, q99 = (float(q) for q in np.quantile(values, [0.95, 0.99], method="inverted_cdf"))
    return Side(
        Interval(value, max(0.0, low), high, n, float(n), "t over objects"),
        quantile_interval(q95, values, 0.95, n, level),
        quantile_interval(q99, values, 0.99, n, level),
        float(values.max()),
    )


def _shuffled(world: _World, found: Retrieval, draws: int, seed: int) -> Shuffled:
    rng = np.random.default_rng(seed)
    inverse, first = np.empty(draws), np.empty(draws)
    for draw in range(draws):
        ranks = world.carried(rng.permutation(len(world.known)))
        inverse[draw], first[draw] = np.mean(1 / ranks), np.mean(ranks == 1)
    p = (1 + int(np.sum(inverse >= found.reciprocal.value))) / (1 + draws)
    return Shuffled(draws, float(inverse.mean()), float(first.mean()), float(inverse.max(initial=0.0)), p)


def _ambiguous(inner: Floats) -> int:
    _, number, count = np.unique(inner, axis=0, return_inverse=True, return_counts=True)
    return int(np.sum(count[number.ravel()] > 1))
