"""Ways to make a category, under one roof; each lives in the module of its idea."""

from __future__ import annotations

from presheaf.finite.collage import Collage, collage, disjoint_union
from presheaf.finite.comma import Comma, arrow_category, comma_category
from presheaf.finite.generating import Compose, from_composition, generating_set
from presheaf.finite.maps import from_maps
from presheaf.finite.orders import chain, discrete, from_covers, from_preorder
from presheaf.finite.parts import full_subcategory, wide_part
from presheaf.finite.paths import free_category
from presheaf.finite.presented import NotEnumerated, from_presentation, presentation_of
from presheaf.finite.products import product_category
from presheaf.finite.tables import from_monoid, from_table

__all__ = [
    "Collage",
    "Comma",
    "Compose",
    "NotEnumerated",
    "arrow_category",
    "chain",
    "collage",
    "comma_category",
    "discrete",
    "disjoint_union",
    "free_category",
    "from_composition",
    "from_covers",
    "from_maps",
    "from_monoid",
    "from_preorder",
    "from_presentation",
    "from_table",
    "full_subcategory",
    "generating_set",
    "presentation_of",
    "product_category",
    "wide_part",
]
