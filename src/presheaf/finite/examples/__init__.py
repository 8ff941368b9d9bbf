"""Categories from the literature, each with its source and, where it is finite, its number of arrows.

A statement about size is checked by the tests through our own enumeration.
"""

from __future__ import annotations

from presheaf.finite.examples.example import Example
from presheaf.finite.examples.groups import (
    cyclic,
    dihedral,
    fibonacci,
    janko_1,
    mathieu_11,
    mathieu_12,
    psl2,
    psl2_over_s,
    quaternion,
    symmetric,
)
from presheaf.finite.examples.monoids import (
    bicyclic,
    brauer,
    catalan,
    full_transformations,
    order_preserving,
    partial_transformations,
    partitions,
    stylic,
    symmetric_inverse,
    temperley_lieb,
)
from presheaf.finite.examples.shapes import quiver, reflexive_quiver, rotnet, school_square, simplex
from presheaf.finite.examples.wordnet import Hypernyms, wordnet_hypernyms

__all__ = [
    "Example",
    "Hypernyms",
    "bicyclic",
    "brauer",
    "catalan",
    "cyclic",
    "dihedral",
    "fibonacci",
    "full_transformations",
    "janko_1",
    "mathieu_11",
    "mathieu_12",
    "order_preserving",
    "partial_transformations",
    "partitions",
    "psl2",
    "psl2_over_s",
    "quaternion",
    "quiver",
    "reflexive_quiver",
    "rotnet",
    "school_square",
    "simplex",
    "stylic",
    "symmetric",
    "symmetric_inverse",
    "temperley_lieb",
    "wordnet_hypernyms",
]
