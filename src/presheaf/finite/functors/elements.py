"""The category of elements of a set-valued functor, and what it gives: slices, actions, action groupoids."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.categories.arrows import inverses
from presheaf.finite.categories.category import Category
from presheaf.finite.columns.arrays import Ints, frozen, spread, starts
from presheaf.finite.functors.functor import Functor
from presheaf.finite.presheaves.presheaf import SetFunctor, action
from presheaf.finite.presheaves.yoneda import representable


@dataclass(frozen=True)
class Elements:
    """The category of elements El(T).

    Attributes
    ----------
    category : its objects are the elements, numbered through object by object; for a covariant T an arrow is
        (f, x): x -> T(f)(x), for a presheaf (f, y): T(f)(y) -> y, so that the projection is a functor to T's category
    projection : the functor to T's category that forgets the element
    arrow : int32, for every arrow the arrow f below it
    row : int32, for every arrow the row x (or y) it was made from
    """

    category: Category
    projection: Functor
    arrow: Ints
    row: Ints


def elements(t: SetFunctor) -> Elements:
    """The category of elements. Cost: rows summed over all arrows of the category, x generators at their ends."""
    cov = t.covariant
    base = cov.category
    at, values = action(cov)
    count = np.diff(at)
    f, row = spread(count)
    f = f.astype(np.int32)
    dom = cov.offsets[base.dom[f]] + row
    cod = cov.offsets[base.cod[f]] + values
    owner, unit_row = spread(cov.sizes[np.arange(base.n_objects)])
    identity = at[base.identity[owner]] + unit_row
    g_owner, g_row = spread(cov.sizes[base.generator_dom])
    generators = at[base.generators[g_owner]] + g_row
    # To the right: the generators that leave an element are those that leave its object, in the same order.
    edge, slot = spread(np.diff(base._right.first)[base.cod[f]])
    letter = base._right.list[base._right.first[base.cod[f[edge]]] + slot]
    right = at[base.then(f[edge], letter)] + row[edge]
    # To the left: (g, w) enters (c, x) where T(g)(w) = x; sorted by the element entered.
    target = cod[generators]
    order = np.argsort(target, kind="stable")
    first = starts(np.bincount(target, minlength=cov.n_elements))
    edge, slot = spread(np.diff(first)[dom])
    entering = order[first[dom[edge]] + slot]
    left = at[base.after(f[edge], g_owner[entering])] + g_row[entering]
    objects = [f"{c}{i}" if len(c) else str(i) for c, s in _sized(cov) for i in range(s)]
    names = [f"{base.names[j]}@{i}" for j, i in zip(g_owner.tolist(), g_row.tolist(), strict=True)]
    made = Category.from_steps(dom, cod, identity, generators, right, left, objects=objects, names=names, check=False)
    place = np.repeat(np.arange(base.n_objects), cov.sizes)
    if t.variance == "contravariant":
        made = made.op
    projection = Functor(made, t.category, place, base.generators[g_owner])
    return Elements(made, projection, frozen(f), frozen(row.astype(np.int32)))


def _sized(t: SetFunctor) -> list[tuple[str, int]]:
    one = t.category.n_objects == 1
    return [("" if one else f"{c}.", s) for c, s in zip(t.category.objects, t.sizes.tolist(), strict=True)]


def action_category(action_of: SetFunctor) -> Category:
    """The category of a monoid's action: objects are points, an arrow is (element, point). A groupoid for a group.

    Cost: see ``elements``.

    Parameters
    ----------
    action_of : a functor from a one-object category to sets

    Raises
    ------
    InputError
        The category has more than one object; ``elements`` is meant.
    """
    if action_of.category.n_objects != 1:
        raise InputError(f"a monoid has one object; this category has {action_of.category.n_objects}.")
    return elements(action_of).category


def action_groupoid(action_of: SetFunctor) -> Category:
    """The groupoid of a group's action: objects are points, an arrow x -> y is a group element that sends x to y.

    Raises
    ------
    InputError
        The category has more than one object, or an element without an inverse (it is named).

    Notes
    -----
    Its components are the orbits, the endomorphisms of a point its stabiliser. Cost: see ``elements``.
    """
    made = action_category(action_of)
    base = action_of.category
    stuck = np.flatnonzero(inverses(base)[base.generators] < 0)
    if len(stuck):
        raise InputError(
            f"generator {base.names[int(stuck[0])]} has no inverse, so this is no group; action_category takes monoids."
        )
    return made


def slice_category(category: Category, c: int) -> Elements:
    """The slice over c: objects are the arrows into c, an arrow f -> f' is h with h;f' = f. Cost: see ``elements``."""
    return elements(representable(category, c, variance="contravariant"))


def coslice_category(category: Category, c: int) -> Elements:
    """The coslice under c: objects are the arrows out of c, an arrow f -> f' is h with f;h = f'.

    Cost: see ``elements``.
    """
    return elements(representable(category, c, variance="covariant"))
