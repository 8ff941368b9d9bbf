"""Categories valued in a quantale: what a real model's hom says about a task. numpy and scipy; no model, no table.

>>> import presheaf.enriched as pe
>>> line = pe.hom_from_distances([[0, 1, 2], [1, 0, 1], [2, 1, 0]], pe.COST)
>>> pe.representability_defects(line, [0, 1, 0], "contravariant").rho.tolist()
[2.0, 1.0, 2.0]
>>> pe.fit_weights(line, [0, 1, 0], [0, 2], "contravariant").error
0.0

Everything is computed in distances D = phi(C) >= 0 (inf allowed); the quantale says how distances add and how they map to
values. ``D[x, y]`` is the distance of hom(x, y). Variance is always named: "contravariant" is h_p(x) = hom(x, p),
"covariant" is h^p(x) = hom(p, x).

A name loads its own module when it is first asked for, so that ``import presheaf.enriched`` costs nothing. Where a name
and its module are spelt alike (``laws``), ``pe.laws`` is the function and ``from presheaf.enriched.laws import ...``
reaches the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.enriched.anchors import ResolvingSet, relative_representation, resolving_set
    from presheaf.enriched.answers import Answers, answer_by_anchors, bagged_answers, consistent_anchors
    from presheaf.enriched.calibration import fit_scale, on_one_scale, rescaled
    from presheaf.enriched.ceiling import (
        CeilingCurve,
        CeilingNull,
        UnavoidableError,
        ceiling_curve,
        ceiling_null,
        unavoidable_error,
    )
    from presheaf.enriched.closure import Closure, close_distances, closure, minplus
    from presheaf.enriched.compare import HomChange, compare_homs
    from presheaf.enriched.composition import Composition, kappa
    from presheaf.enriched.concave import Concave, fit_concave
    from presheaf.enriched.concepts import Concepts, formal_concepts
    from presheaf.enriched.conflicts import ClosePairs, Conflicts, close_pairs, conflicts
    from presheaf.enriched.construct import (
        hom_from_counts,
        hom_from_distances,
        hom_from_features,
        hom_from_graph,
        hom_from_probabilities,
        hom_from_relation,
        hom_from_values,
    )
    from presheaf.enriched.decision import Decision, decision_level
    from presheaf.enriched.defects import Defects, class_task, net_radius, representability_defects
    from presheaf.enriched.density import PromptCurve, PromptNumber, prompt_curve, prompt_number
    from presheaf.enriched.dimension import MagnitudeDimension, magnitude_dimension
    from presheaf.enriched.distortion import Distortion, distortion
    from presheaf.enriched.ensembles import Ensembles, ensembles
    from presheaf.enriched.evidence import Criteria, Level
    from presheaf.enriched.false_alarms import FalseAlarms, false_representable_rate
    from presheaf.enriched.functor import PresheafRepair, functor_defect, repair_presheaf
    from presheaf.enriched.hom import Hom
    from presheaf.enriched.ideality import Ideality, ideality
    from presheaf.enriched.iterate import LowerBound, magnitude_lower_bound
    from presheaf.enriched.kernel import (
        Kernel,
        angle,
        dot,
        gamma,
        gaussian,
        half_cosine,
        hellinger,
        jensen_shannon,
        kullback_leibler,
        laplacian,
        max_log_ratio,
        total_variation,
    )
    from presheaf.enriched.label_category import (
        COMPONENTS,
        ISOMORPHISM_CLASSES,
        Discrete,
        LabelCategory,
        Metric,
        Ordered,
    )
    from presheaf.enriched.laws import Laws, laws, symmetry_defect
    from presheaf.enriched.losses import LossDecomposition, decompose_error
    from presheaf.enriched.magnitude import Magnitude, magnitude, magnitude_function, zeta_magnitude
    from presheaf.enriched.nucleus import (
        Profunctor,
        Vertices,
        is_tight,
        isbell_lower,
        isbell_upper,
        nucleus_vertices,
        presheaf_distances,
        tighten,
    )
    from presheaf.enriched.population import NeighbourBracket, PairBound, bayes_bracket, pair_bound
    from presheaf.enriched.prefix import PrefixMagnitude, prefix_magnitude, prefix_parents
    from presheaf.enriched.pushforward import pushforward
    from presheaf.enriched.quantale import (
        ANGLE,
        BOOL,
        COST,
        FUZZY_MIN,
        LUKASIEWICZ,
        PROBABILITY,
        QUANTALES,
        SPHERE,
        Quantale,
    )
    from presheaf.enriched.repair import Repair, change_quantale, close, snowflake
    from presheaf.enriched.representability import Representability, representability
    from presheaf.enriched.retrieval import Retrieval
    from presheaf.enriched.sandwich import Coverage, Sandwich, bagged_sandwich, coverage, kan_sandwich, trimmed_anchors
    from presheaf.enriched.search import Neighbours
    from presheaf.enriched.soft import SoftPrompt, cover_probability, linearly_separable, soft_prompt
    from presheaf.enriched.spread import Spread, spread
    from presheaf.enriched.transfer import Transfer, transfer
    from presheaf.enriched.weights import PromptWeights, ensemble, fit_weights

_HOME = {
    "anchors": "ResolvingSet relative_representation resolving_set",
    "answers": "Answers answer_by_anchors bagged_answers consistent_anchors",
    "calibration": "fit_scale on_one_scale rescaled",
    "ceiling": "CeilingCurve CeilingNull UnavoidableError ceiling_curve ceiling_null unavoidable_error",
    "closure": "Closure close_distances closure minplus",
    "compare": "HomChange compare_homs",
    "composition": "Composition kappa",
    "concave": "Concave fit_concave",
    "concepts": "Concepts formal_concepts",
    "conflicts": "ClosePairs Conflicts close_pairs conflicts",
    "construct": (
        "hom_from_counts hom_from_distances hom_from_features hom_from_graph hom_from_probabilities "
        "hom_from_relation hom_from_values"
    ),
    "decision": "Decision decision_level",
    "defects": "Defects class_task net_radius representability_defects",
    "density": "PromptCurve PromptNumber prompt_curve prompt_number",
    "dimension": "MagnitudeDimension magnitude_dimension",
    "distortion": "Distortion distortion",
    "ensembles": "Ensembles ensembles",
    "evidence": "Criteria Level",
    "false_alarms": "FalseAlarms false_representable_rate",
    "functor": "PresheafRepair functor_defect repair_presheaf",
    "hom": "Hom",
    "ideality": "Ideality ideality",
    "iterate": "LowerBound magnitude_lower_bound",
    "kernel": (
        "Kernel angle dot gamma gaussian half_cosine hellinger jensen_shannon kullback_leibler laplacian "
        "max_log_ratio total_variation"
    ),
    "label_category": "COMPONENTS ISOMORPHISM_CLASSES Discrete LabelCategory Metric Ordered",
    "laws": "Laws laws symmetry_defect",
    "losses": "LossDecomposition decompose_error",
    "magnitude": "Magnitude magnitude magnitude_function zeta_magnitude",
    "nucleus": "Profunctor Vertices is_tight isbell_lower isbell_upper nucleus_vertices presheaf_distances tighten",
    "population": "NeighbourBracket PairBound bayes_bracket pair_bound",
    "prefix": "PrefixMagnitude prefix_magnitude prefix_parents",
    "pushforward": "pushforward",
    "quantale": "ANGLE BOOL COST FUZZY_MIN LUKASIEWICZ PROBABILITY QUANTALES SPHERE Quantale",
    "repair": "Repair change_quantale close snowflake",
    "representability": "Representability representability",
    "retrieval": "Retrieval",
    "sandwich": "Coverage Sandwich bagged_sandwich coverage kan_sandwich trimmed_anchors",
    "search": "Neighbours",
    "soft": "SoftPrompt cover_probability linearly_separable soft_prompt",
    "spread": "Spread spread",
    "transfer": "Transfer transfer",
    "weights": "PromptWeights ensemble fit_weights",
}

__all__ = [
    "ANGLE",
    "BOOL",
    "COMPONENTS",
    "COST",
    "FUZZY_MIN",
    "ISOMORPHISM_CLASSES",
    "LUKASIEWICZ",
    "PROBABILITY",
    "QUANTALES",
    "SPHERE",
    "Answers",
    "CeilingCurve",
    "CeilingNull",
    "ClosePairs",
    "Closure",
    "Composition",
    "Concave",
    "Concepts",
    "Conflicts",
    "Coverage",
    "Criteria",
    "Decision",
    "Defects",
    "Discrete",
    "Distortion",
    "Ensembles",
    "FalseAlarms",
    "Hom",
    "HomChange",
    "Ideality",
    "Kernel",
    "LabelCategory",
    "Laws",
    "Level",
    "LossDecomposition",
    "LowerBound",
    "Magnitude",
    "MagnitudeDimension",
    "Metric",
    "NeighbourBracket",
    "Neighbours",
    "Ordered",
    "PairBound",
    "PrefixMagnitude",
    "PresheafRepair",
    "Profunctor",
    "PromptCurve",
    "PromptNumber",
    "PromptWeights",
    "Quantale",
    "Repair",
    "Representability",
    "ResolvingSet",
    "Retrieval",
    "Sandwich",
    "SoftPrompt",
    "Spread",
    "Transfer",
    "UnavoidableError",
    "Vertices",
    "angle",
    "answer_by_anchors",
    "bagged_answers",
    "bagged_sandwich",
    "bayes_bracket",
    "ceiling_curve",
    "ceiling_null",
    "change_quantale",
    "class_task",
    "close",
    "close_distances",
    "close_pairs",
    "closure",
    "compare_homs",
    "conflicts",
    "consistent_anchors",
    "cover_probability",
    "coverage",
    "decision_level",
    "decompose_error",
    "distortion",
    "dot",
    "ensemble",
    "ensembles",
    "false_representable_rate",
    "fit_concave",
    "fit_scale",
    "fit_weights",
    "formal_concepts",
    "functor_defect",
    "gamma",
    "gaussian",
    "half_cosine",
    "hellinger",
    "hom_from_counts",
    "hom_from_distances",
    "hom_from_features",
    "hom_from_graph",
    "hom_from_probabilities",
    "hom_from_relation",
    "hom_from_values",
    "ideality",
    "is_tight",
    "isbell_lower",
    "isbell_upper",
    "jensen_shannon",
    "kan_sandwich",
    "kappa",
    "kullback_leibler",
    "laplacian",
    "laws",
    "linearly_separable",
    "magnitude",
    "magnitude_dimension",
    "magnitude_function",
    "magnitude_lower_bound",
    "max_log_ratio",
    "minplus",
    "net_radius",
    "nucleus_vertices",
    "on_one_scale",
    "pair_bound",
    "prefix_magnitude",
    "prefix_parents",
    "presheaf_distances",
    "prompt_curve",
    "prompt_number",
    "pushforward",
    "relative_representation",
    "repair_presheaf",
    "representability",
    "representability_defects",
    "rescaled",
    "resolving_set",
    "snowflake",
    "soft_prompt",
    "spread",
    "symmetry_defect",
    "tighten",
    "total_variation",
    "transfer",
    "trimmed_anchors",
    "unavoidable_error",
    "zeta_magnitude",
]

lazy(__name__, {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()})
