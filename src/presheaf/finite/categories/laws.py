"""The laws of a category, checked on its two Cayley tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from presheaf.errors import InputError
from presheaf.finite.columns.arrays import Longs, blocks, spread

if TYPE_CHECKING:
    from presheaf.finite.categories.category import Category
    from presheaf.finite.categories.steps import Wheel

FEW_PLACES = 256
"""Up to so many pairs of places of generators, associativity is checked place by place: six times faster than triple by
triple, which is what names the triple that fails."""


def validate(category: Category) -> None:
    """Check that steps to both sides make a category.

    Raises
    ------
    InputError
        What fails first is named, a broken associativity as the triple of arrows.

    Notes
    -----
    The two-sided test: every arrow is reached from its identity by steps to the right, a generator is the step to
    either side of an identity, and (g x) h = g (x h) for each arrow x and generators g, h. Then the value of x under a
    word is that of the left steps of x at the word's own value, so composition is well defined and associative.
    Cost: sum over arrows of (generators in) x (generators out).
    """
    _check_identities(category)
    _check_ends(category)
    _check_generators(category)
    _check_associative(category)


def _check_identities(category: Category) -> None:
    every, unit = np.arange(category.n_objects), category.identity
    wrong = np.flatnonzero((category.dom[unit] != every) | (category.cod[unit] != every))
    if len(wrong):
        c = int(wrong[0])
        raise InputError(f"identity[{c}] = {int(unit[c])} doesn't start and end at object {category.objects[c]}.")


def _check_ends(category: Category) -> None:
    dom, cod = category.dom, category.cod
    for side, wheel in (("then", category._right), ("after", category._left)):
        owner, generator = wheel.entries()
        arrow = category.generators[generator]
        if side == "then":
            bad = (dom[wheel.flat] != dom[owner]) | (cod[wheel.flat] != cod[arrow])
        else:
            bad = (dom[wheel.flat] != dom[arrow]) | (cod[wheel.flat] != cod[owner])
        if bad.any():
            i = int(np.flatnonzero(bad)[0])
            raise InputError(
                f"arrow {int(owner[i])} {side} generator {category.names[int(generator[i])]} is given as arrow "
                f"{int(wheel.flat[i])}, which has other ends."
            )


def _check_generators(category: Category) -> None:
    number = np.arange(len(category.generators))
    before = category._right.step(category.identity[category.generator_dom], number)
    after = category._left.step(category.identity[category.generator_cod], number)
    off = np.flatnonzero((before != category.generators) | (after != category.generators))
    if len(off):
        j = int(off[0])
        raise InputError(
            f"generator {category.names[j]} is arrow {int(category.generators[j])}, but one step from the identities "
            f"it is {int(before[j])} (right) and {int(after[j])} (left)."
        )
    order = category.tree.order
    if len(order) < category.n_arrows:
        reached = np.zeros(category.n_arrows, dtype=bool)
        reached[order] = True
        x = int(np.flatnonzero(~reached)[0])
        ends = f"{category.objects[category.dom[x]]} -> {category.objects[category.cod[x]]}"
        raise InputError(f"arrow {x}: {ends} is no composite of generators.")


def _commute(right: Wheel, left: Wheel, enter: Longs, leave: Longs) -> bool:
    """Whether (g x) h = g (x h) throughout, by one long gather for each place of g and of h.

    Parameters
    ----------
    enter, leave : int64 (m,), generators before and after each arrow
    """
    for i in range(int(enter.max(initial=0))):
        here = np.flatnonzero(enter > i)
        before = right.at[left.flat[left.at[here] + i]]
        for j in range(int(leave[here].max(initial=0))):
            some = leave[here] > j
            after = right.flat[right.at[here[some]] + j]
            if not np.array_equal(right.flat[before[some] + j], left.flat[left.at[after] + i]):
                return False
    return True


def _check_associative(category: Category) -> None:
    right, left = category._right, category._left
    enter, leave = np.diff(left.at), np.diff(right.at)
    if int(enter.max(initial=0)) * int(leave.max(initial=0)) <= FEW_PLACES and _commute(right, left, enter, leave):
        return
    for a, b in blocks(enter * leave):
        owner, pair = spread((enter * leave)[a:b])
        middle = owner + a
        g = left.list[left.first[category.dom[middle]] + pair // np.maximum(leave[middle], 1)]
        h = right.list[right.first[category.cod[middle]] + pair % np.maximum(leave[middle], 1)]
        one = right.step(left.step(middle, g), h)
        two = left.step(right.step(middle, h), g)
        broken = np.flatnonzero(one != two)
        if len(broken):
            i = int(broken[0])
            raise InputError(
                f"not associative at the triple ({category.names[int(g[i])]}, arrow {int(middle[i])}, "
                f"{category.names[int(h[i])]}): composed from the left it is arrow {int(one[i])}, from the right arrow "
                f"{int(two[i])}."
            )
