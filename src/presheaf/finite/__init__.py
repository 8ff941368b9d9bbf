"""The exact engine: set-valued, finite or finitely presented. numpy, scipy and a compiled kernel; no model, no table.

>>> import presheaf.finite as pf
>>> shape = pf.from_presentation(pf.Presentation(("E", "V"), (("source", 0, 1), ("target", 0, 1))))
>>> graph = pf.copresheaf(shape, [3, 3], [[0, 1, 2], [1, 2, 0]])
>>> pf.transformations(graph, graph).count()
3

A name loads its own module when it is first asked for, so that ``import presheaf.finite`` costs nothing. Where a name
and its module are spelt alike (``density``), ``pf.density`` is the function. Named categories are in ``pf.examples``;
the adjunctions of Kan extensions along maps of presentations are in ``presheaf.finite.presented.adjunction``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.finite import examples
    from presheaf.finite.categories.arrows import (
        components,
        core,
        epis,
        groupoid_cardinality,
        initial_objects,
        inverses,
        is_groupoid,
        is_thin,
        isomorphism_classes,
        isomorphisms,
        monos,
        skeleton,
        split_epis,
        split_monos,
        terminal_objects,
        zero_objects,
    )
    from presheaf.finite.categories.category import Category
    from presheaf.finite.categories.generating import from_composition
    from presheaf.finite.categories.maps import from_maps
    from presheaf.finite.categories.nucleus import Concepts, concepts
    from presheaf.finite.categories.orders import chain, discrete, from_covers, from_preorder
    from presheaf.finite.categories.parts import full_subcategory
    from presheaf.finite.categories.paths import free_category
    from presheaf.finite.categories.products import product_category
    from presheaf.finite.categories.tables import from_monoid, from_table
    from presheaf.finite.columns.budget import Budget, Progress
    from presheaf.finite.columns.compiled import have_kernel
    from presheaf.finite.extensions.density import Density, density
    from presheaf.finite.extensions.diagram import Diagram, yoneda_embedding
    from presheaf.finite.extensions.exponential import Exponential, exponential
    from presheaf.finite.extensions.left_extension import LeftExtension, left_counit, left_extension
    from presheaf.finite.extensions.nerve import Nerve, nerve
    from presheaf.finite.extensions.power import PowerObject, power_object
    from presheaf.finite.extensions.right_extension import RightExtension, right_extension, right_unit
    from presheaf.finite.extensions.tensor import Tensor, YonedaExtension, tensor, yoneda_extension
    from presheaf.finite.functors.adjoint import Adjoint, Adjunction, left_adjoint, right_adjoint
    from presheaf.finite.functors.collage import Collage, collage, disjoint_union
    from presheaf.finite.functors.comma import Comma, arrow_category, comma_category
    from presheaf.finite.functors.elements import (
        Elements,
        action_category,
        action_groupoid,
        coslice_category,
        elements,
        slice_category,
    )
    from presheaf.finite.functors.functor import Answer, Functor, all_functors
    from presheaf.finite.functors.functor_category import FunctorCategory, functor_category
    from presheaf.finite.functors.functor_natural import (
        NaturalTransformation,
        NaturalTransformations,
        natural_transformations,
    )
    from presheaf.finite.functors.kan_functor import (
        FunctorExtension,
        left_extension_of_functor,
        right_extension_of_functor,
    )
    from presheaf.finite.functors.limits_in import (
        LimitInCategory,
        coequalizer_in,
        colimit_in,
        coproduct_in,
        equalizer_in,
        limit_in,
        preserves_colimit,
        preserves_limit,
        product_in,
        pullback_in,
        pushout_in,
        weighted_colimit_in,
        weighted_limit_in,
    )
    from presheaf.finite.presented.enumerated import NotEnumerated, from_presentation, presentation_of
    from presheaf.finite.presented.kan_delta import restrict
    from presheaf.finite.presented.kan_left import LeftKan, hom_from, left_kan
    from presheaf.finite.presented.kan_right import RightKan, right_kan, right_kan_sizes
    from presheaf.finite.presented.map_check import MapVerdict, check_functor_map
    from presheaf.finite.presented.mapping import PresentationMap
    from presheaf.finite.presented.presentation import Presentation
    from presheaf.finite.presented.query import Queries, Query, conjunctive_queries
    from presheaf.finite.presheaves.classifier import Classifier
    from presheaf.finite.presheaves.isomorphism import (
        Automorphisms,
        CanonicalForm,
        Isomorphism,
        automorphisms,
        canonical_form,
        isomorphism,
    )
    from presheaf.finite.presheaves.limits import (
        Cocone,
        Cone,
        coequalizer,
        colimit,
        coproduct,
        equalizer,
        limit,
        product,
        pullback,
        pushout,
    )
    from presheaf.finite.presheaves.natural import Transformations, transformations
    from presheaf.finite.presheaves.presheaf import SetFunctor, constant, copresheaf, presheaf
    from presheaf.finite.presheaves.subpresheaves import (
        Subpresheaf,
        Subpresheaves,
        factorisation,
        generated,
        image,
        kernel_pair,
        preimage,
        subpresheaves,
    )
    from presheaf.finite.presheaves.transformation import Transformation
    from presheaf.finite.presheaves.yoneda import (
        Generators,
        Representability,
        embed,
        from_element,
        generators,
        representability,
        representable,
        to_element,
    )

_HOME = {
    "categories.arrows": (
        "components core epis groupoid_cardinality initial_objects inverses is_groupoid is_thin "
        "isomorphism_classes isomorphisms monos skeleton split_epis split_monos terminal_objects "
        "zero_objects"
    ),
    "categories.category": "Category",
    "categories.generating": "from_composition",
    "categories.maps": "from_maps",
    "categories.nucleus": "Concepts concepts",
    "categories.orders": "chain discrete from_covers from_preorder",
    "categories.parts": "full_subcategory",
    "categories.paths": "free_category",
    "categories.products": "product_category",
    "categories.tables": "from_monoid from_table",
    "columns.budget": "Budget Progress",
    "columns.compiled": "have_kernel",
    "extensions.density": "Density density",
    "extensions.diagram": "Diagram yoneda_embedding",
    "extensions.exponential": "Exponential exponential",
    "extensions.left_extension": "LeftExtension left_counit left_extension",
    "extensions.nerve": "Nerve nerve",
    "extensions.power": "PowerObject power_object",
    "extensions.right_extension": "RightExtension right_extension right_unit",
    "extensions.tensor": "Tensor YonedaExtension tensor yoneda_extension",
    "functors.adjoint": "Adjoint Adjunction left_adjoint right_adjoint",
    "functors.collage": "Collage collage disjoint_union",
    "functors.comma": "Comma arrow_category comma_category",
    "functors.elements": "Elements action_category action_groupoid coslice_category elements slice_category",
    "functors.functor": "Answer Functor all_functors",
    "functors.functor_category": "FunctorCategory functor_category",
    "functors.functor_natural": "NaturalTransformation NaturalTransformations natural_transformations",
    "functors.kan_functor": "FunctorExtension left_extension_of_functor right_extension_of_functor",
    "functors.limits_in": (
        "LimitInCategory coequalizer_in colimit_in coproduct_in equalizer_in limit_in preserves_colimit "
        "preserves_limit product_in pullback_in pushout_in weighted_colimit_in weighted_limit_in"
    ),
    "presented.enumerated": "NotEnumerated from_presentation presentation_of",
    "presented.kan_delta": "restrict",
    "presented.kan_left": "LeftKan hom_from left_kan",
    "presented.kan_right": "RightKan right_kan right_kan_sizes",
    "presented.map_check": "MapVerdict check_functor_map",
    "presented.mapping": "PresentationMap",
    "presented.presentation": "Presentation",
    "presented.query": "Queries Query conjunctive_queries",
    "presheaves.classifier": "Classifier",
    "presheaves.isomorphism": "Automorphisms CanonicalForm Isomorphism automorphisms canonical_form isomorphism",
    "presheaves.limits": "Cocone Cone coequalizer colimit coproduct equalizer limit product pullback pushout",
    "presheaves.natural": "Transformations transformations",
    "presheaves.presheaf": "SetFunctor constant copresheaf presheaf",
    "presheaves.subpresheaves": "Subpresheaf Subpresheaves factorisation generated image kernel_pair preimage subpresheaves",
    "presheaves.transformation": "Transformation",
    "presheaves.yoneda": (
        "Generators Representability embed from_element generators representability representable to_element"
    ),
}

__all__ = [
    "Adjoint",
    "Adjunction",
    "Answer",
    "Automorphisms",
    "Budget",
    "CanonicalForm",
    "Category",
    "Classifier",
    "Cocone",
    "Collage",
    "Comma",
    "Concepts",
    "Cone",
    "Density",
    "Diagram",
    "Elements",
    "Exponential",
    "Functor",
    "FunctorCategory",
    "FunctorExtension",
    "Generators",
    "Isomorphism",
    "LeftExtension",
    "LeftKan",
    "LimitInCategory",
    "MapVerdict",
    "NaturalTransformation",
    "NaturalTransformations",
    "Nerve",
    "NotEnumerated",
    "PowerObject",
    "Presentation",
    "PresentationMap",
    "Progress",
    "Queries",
    "Query",
    "Representability",
    "RightExtension",
    "RightKan",
    "SetFunctor",
    "Subpresheaf",
    "Subpresheaves",
    "Tensor",
    "Transformation",
    "Transformations",
    "YonedaExtension",
    "action_category",
    "action_groupoid",
    "all_functors",
    "arrow_category",
    "automorphisms",
    "canonical_form",
    "chain",
    "check_functor_map",
    "coequalizer",
    "coequalizer_in",
    "colimit",
    "colimit_in",
    "collage",
    "comma_category",
    "components",
    "concepts",
    "conjunctive_queries",
    "constant",
    "copresheaf",
    "coproduct",
    "coproduct_in",
    "core",
    "coslice_category",
    "density",
    "discrete",
    "disjoint_union",
    "elements",
    "embed",
    "epis",
    "equalizer",
    "equalizer_in",
    "examples",
    "exponential",
    "factorisation",
    "free_category",
    "from_composition",
    "from_covers",
    "from_element",
    "from_maps",
    "from_monoid",
    "from_preorder",
    "from_presentation",
    "from_table",
    "full_subcategory",
    "functor_category",
    "generated",
    "generators",
    "groupoid_cardinality",
    "have_kernel",
    "hom_from",
    "image",
    "initial_objects",
    "inverses",
    "is_groupoid",
    "is_thin",
    "isomorphism",
    "isomorphism_classes",
    "isomorphisms",
    "kernel_pair",
    "left_adjoint",
    "left_counit",
    "left_extension",
    "left_extension_of_functor",
    "left_kan",
    "limit",
    "limit_in",
    "monos",
    "natural_transformations",
    "nerve",
    "power_object",
    "preimage",
    "presentation_of",
    "preserves_colimit",
    "preserves_limit",
    "presheaf",
    "product",
    "product_category",
    "product_in",
    "pullback",
    "pullback_in",
    "pushout",
    "pushout_in",
    "representability",
    "representable",
    "restrict",
    "right_adjoint",
    "right_extension",
    "right_extension_of_functor",
    "right_kan",
    "right_kan_sizes",
    "right_unit",
    "skeleton",
    "slice_category",
    "split_epis",
    "split_monos",
    "subpresheaves",
    "tensor",
    "terminal_objects",
    "to_element",
    "transformations",
    "weighted_colimit_in",
    "weighted_limit_in",
    "yoneda_embedding",
    "yoneda_extension",
    "zero_objects",
]

lazy(
    __name__, {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()}, ["examples"]
)
