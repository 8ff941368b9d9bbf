"""Natural transformations between functors of finite categories: one arrow of the target for each object."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError, one_of
from presheaf.finite.categories.arrows import inverses, isomorphisms
from presheaf.finite.columns.arrays import Ints, frozen, ids, spread
from presheaf.finite.columns.joins import Factor, Solutions, grouped
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presheaves.presheaf import SetFunctor
from presheaf.finite.presheaves.transformation import Transformation

Kind = Literal["all", "iso"]


class NaturalTransformation:
    """A natural transformation F => G between functors C -> D.

    Parameters
    ----------
    source, target : Functor, F and G
    components : int (n,), for each object c of C an arrow F(c) -> G(c) of D

    Raises
    ------
    InputError
        The functors don't run between the same categories, a component has wrong ends (the object is named), or a
        naturality square doesn't commute (the generator is named).

    Notes
    -----
    Composition is in path order throughout. Cost: two compositions a generator of C.
    """

    def __init__(self, source: Functor, target: Functor, components: ArrayLike) -> None:
        _parallel(source, target)
        c, d = source.source, source.target
        parts = ids("components", components, d.n_arrows, (c.n_objects,))
        wrong = np.flatnonzero((d.dom[parts] != source.objects) | (d.cod[parts] != target.objects))
        if len(wrong):
            x = int(wrong[0])
            raise InputError(
                f"the component at {c.objects[x]} must run {d.objects[source.objects[x]]} -> "
                f"{d.objects[target.objects[x]]}; got {d.name(int(parts[x]))}."
            )
        one = d.compose(source.arrows, parts[c.generator_cod])
        two = d.compose(parts[c.generator_dom], target.arrows)
        wrong = np.flatnonzero(one != two)
        if len(wrong):
            j = int(wrong[0])
            raise InputError(
                f"not natural at generator {c.names[j]}: its image, then the component is {d.name(int(one[j]))}; the "
                f"component, then its image is {d.name(int(two[j]))}."
            )
        self.source, self.target, self.components = source, target, parts

    @classmethod
    def trusted(cls, source: Functor, target: Functor, components: Ints) -> NaturalTransformation:
        """A transformation that its maker knows to be natural."""
        self = cls.__new__(cls)
        self.source, self.target, self.components = source, target, frozen(components)
        return self

    @classmethod
    def identity(cls, functor: Functor) -> NaturalTransformation:
        """The identity of a functor."""
        return cls.trusted(functor, functor, functor.target.identity[functor.objects])

    def then(self, other: NaturalTransformation) -> NaturalTransformation:
        """This transformation, then the other (vertical composition)."""
        if other.source != self.target:
            raise InputError("the second transformation must start at the functor where the first ends.")
        made = self.source.target.compose(self.components, other.components)
        return NaturalTransformation.trusted(self.source, other.target, made)

    def before(self, functor: Functor) -> NaturalTransformation:
        """Whiskering by H: D -> E behind it: F;H => G;H."""
        made = functor.images[self.components] if functor.source is self.source.target else self.components
        return NaturalTransformation.trusted(self.source.then(functor), self.target.then(functor), made)

    def after(self, functor: Functor) -> NaturalTransformation:
        """Whiskering by K: B -> C in front of it: K;F => K;G."""
        one, two = functor.then(self.source), functor.then(self.target)
        return NaturalTransformation.trusted(one, two, self.components[functor.objects])

    def beside(self, other: NaturalTransformation) -> NaturalTransformation:
        """Horizontal composition with H => K between functors D -> E: F;H => G;K."""
        return self.before(other.source).then(other.after(self.target))

    def restrict(self, t: SetFunctor) -> Transformation:
        """The transformation between the restrictions of a set-valued functor on D along F and G.

        Returns
        -------
        from F.restrict(T) to G.restrict(T) for a covariant T; from G.restrict(T) to F.restrict(T) for a presheaf
        """
        one, two = self.source.restrict(t), self.target.restrict(t)
        if t.variance == "contravariant":
            one, two = two, one
        rows = [np.arange(size, dtype=np.int32) for size in one.sizes.tolist()]
        pairs = zip(self.components.tolist(), rows, strict=True)
        return Transformation.trusted(one, two, tuple(frozen(t.apply(f, row)) for f, row in pairs))

    @cached_property
    def is_iso(self) -> bool:
        """Whether every component is an isomorphism."""
        return bool(isomorphisms(self.source.target)[self.components].all())

    def inverse(self) -> NaturalTransformation:
        """The inverse of a natural isomorphism.

        Raises
        ------
        InputError
            A component is no isomorphism (the object is named).
        """
        back = inverses(self.source.target)[self.components]
        wrong = np.flatnonzero(back < 0)
        if len(wrong):
            c, d = self.source.source, self.source.target
            arrow = d.name(int(self.components[wrong[0]]))
            raise InputError(f"the component {arrow} at {c.objects[int(wrong[0])]} is no isomorphism.")
        return NaturalTransformation.trusted(self.target, self.source, back)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, NaturalTransformation):
            return NotImplemented
        same = self.source == other.source and self.target == other.target
        return same and np.array_equal(self.components, other.components)

    def __hash__(self) -> int:
        return hash(self.components.tobytes())

    def __repr__(self) -> str:
        c, d = self.source.source, self.source.target
        if c.n_objects > 12:
            return f"NaturalTransformation({c.n_objects} components)"
        parts = [f"{x}: {d.name(f)}" for x, f in zip(c.objects, self.components.tolist(), strict=True)]
        return f"NaturalTransformation({', '.join(parts)})"


def _parallel(one: Functor, two: Functor) -> None:
    if one.source is not two.source or one.target is not two.target:
        raise InputError("both functors must run between the same two categories.")


class NaturalTransformations:
    """All natural transformations F => G, counted without being listed.

    Parameters
    ----------
    source, target : Functor, both from C to D
    kind : "all", or "iso" for natural isomorphisms only
    limit : most rows of an intermediate table

    Raises
    ------
    InputError
        A table would have more than ``limit`` rows.

    Notes
    -----
    A component is a variable, a generator of C a relation between two of them: the pairs whose square commutes, found
    by a sort-merge join on the composite. The relations are summed out by bucket elimination (``joins.eliminate``).
    Cost: commuting squares over each generator; joins are exponential only in the width of C's graph. Besides, one step
    of Python an object (about a sixth of a millisecond).
    """

    def __init__(self, source: Functor, target: Functor, *, kind: Kind = "all", limit: int = 50_000_000) -> None:
        _parallel(source, target)
        one_of("kind", kind, ("all", "iso"))
        self.source, self.target, self.kind, self.limit = source, target, kind, limit

    @cached_property
    def _solutions(self) -> Solutions:
        c, d = self.source.source, self.source.target
        homs = [d.hom(a, b) for a, b in zip(self.source.objects.tolist(), self.target.objects.tolist(), strict=True)]
        if self.kind == "iso":
            iso = isomorphisms(d)
            homs = [arrows[iso[arrows]] for arrows in homs]
        factors: list[Factor] = []
        for j, (a, b) in enumerate(zip(c.generator_dom.tolist(), c.generator_cod.tolist(), strict=True)):
            left, right = d.compose(homs[a], self.target.arrows[j]), d.compose(self.source.arrows[j], homs[b])
            if a == b:
                homs[a] = homs[a][left == right]
            else:
                factors.append(grouped((a, b), _equal_pairs(homs[a], left, homs[b], right, self.limit)))
        factors += [grouped((x,), arrows[:, None]) for x, arrows in enumerate(homs)]
        return Solutions.of(factors, self.limit)

    def count(self) -> int:
        """How many there are, exact."""
        return self._solutions.total

    def __iter__(self) -> Iterator[NaturalTransformation]:
        for known in self._solutions.iterate():
            yield self._build(known)

    def first(self) -> NaturalTransformation | None:
        """The first in the order of iteration, or None."""
        return next(iter(self), None)

    def sample(self, number: int, seed: int) -> list[NaturalTransformation]:
        """Independent uniform draws (with replacement).

        Raises
        ------
        InputError
            There are none to draw from.
        """
        if not self.count():
            raise InputError("there is no natural transformation to draw.")
        rng = random.Random(seed)
        return [self._build(self._solutions.draw(rng)) for _ in range(number)]

    def _build(self, known: dict[int, int]) -> NaturalTransformation:
        parts = np.array([known[x] for x in range(len(known))], dtype=np.int32)
        return NaturalTransformation.trusted(self.source, self.target, parts)

    def __repr__(self) -> str:
        return f"NaturalTransformations({self.source!r} => {self.target!r})"


def _equal_pairs(a: Ints, left: Ints, b: Ints, right: Ints, limit: int) -> Ints:
    """Rows (a[i], b[j]) where left[i] = right[j]."""
    order = np.argsort(right, kind="stable")
    low = np.searchsorted(right[order], left)
    count = np.searchsorted(right[order], left, side="right") - low
    if int(count.sum()) > limit:
        raise InputError(f"{int(count.sum())} commuting squares over one generator, more than the limit of {limit}.")
    owner, slot = spread(count)
    return np.stack([a[owner], b[order[low[owner] + slot]]], axis=1)


def natural_transformations(
    source: Functor, target: Functor, *, kind: Kind = "all", limit: int = 50_000_000
) -> NaturalTransformations:
    """All natural transformations from one functor to another; see ``NaturalTransformations``. Cost: see there."""
    return NaturalTransformations(source, target, kind=kind, limit=limit)
