"""Instances as set-valued functors on a finite category, and back: the door to the rest of the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from presheaf.errors import InputError
from presheaf.migration.instance import Instance
from presheaf.migration.schema import Schema

if TYPE_CHECKING:
    from presheaf.finite.categories.category import Category
    from presheaf.finite.presheaves.presheaf import SetFunctor


def functor_of(instance: Instance, category: Category | None = None) -> SetFunctor:
    """The covariant functor that an instance is, its values left out.

    Parameters
    ----------
    instance : Instance
    category : Category, optional
        The schema's, as ``from_presentation(schema.presentation)`` makes it; pass one to compare several instances on it.

    Raises
    ------
    InputError
        If the schema's category is infinite or too large to table, or ``category`` is another's.
    """
    from presheaf.finite.presented.enumerated import from_presentation
    from presheaf.finite.presheaves.presheaf import SetFunctor

    if category is None:
        category = from_presentation(instance.schema.presentation)
    _check(instance.schema, category)
    return SetFunctor(category, instance.sizes, instance.columns, variance="covariant")


def instance_of(functor: SetFunctor, schema: Schema, attributes: Sequence[Any] = ()) -> Instance:
    """A covariant functor on a schema's category as an instance, with Arrow columns for the schema's attributes.

    Raises
    ------
    InputError
        If the functor is not covariant, not on the schema's category, or the attributes don't fit.
    """
    if functor.variance != "covariant":
        raise InputError("an instance is a covariant functor; this one is contravariant (a presheaf).")
    _check(schema, functor.category)
    return Instance(schema, functor.sizes.tolist(), functor.columns, attributes)


def _check(schema: Schema, category: Category) -> None:
    p = schema.presentation
    ends = list(zip(category.generator_dom.tolist(), category.generator_cod.tolist(), strict=True))
    if len(category.objects) != len(p.objects) or ends != [(a, b) for _, a, b in p.generators]:
        raise InputError(
            f"the category {category!r} is not that of the schema {schema!r}: objects or generators differ."
        )
