"""Random functors between small categories, and counts that hold for adjoint pairs."""

from __future__ import annotations

import numpy as np
from finite_worlds import categories
from hypothesis import assume
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.finite.categories.category import Category
from presheaf.finite.functors.functor import Functor, all_functors
from presheaf.finite.presheaves.natural import transformations
from presheaf.finite.presheaves.presheaf import SetFunctor


@st.composite
def functor_between(draw: st.DrawFn) -> Functor:
    """A random functor between random small categories."""
    source, target = draw(categories()), draw(categories())
    return draw(some_functor(source, target))


@st.composite
def some_functor(draw: st.DrawFn, source: Category, target: Category) -> Functor:
    """A random functor between two given categories."""
    try:
        objects, arrows = all_functors(source, target, limit=100_000)
    except InputError:
        assume(False)
    row = int(np.random.default_rng(draw(st.integers(0, 10**6))).integers(len(objects)))
    return Functor(source, target, objects[row], arrows[row])


def count(s: SetFunctor, t: SetFunctor) -> int:
    return transformations(s, t).count()


def checked(t: SetFunctor) -> SetFunctor:
    """The same data, with all path equations checked."""
    return SetFunctor(t.category, t.sizes, t.columns, variance=t.variance)
