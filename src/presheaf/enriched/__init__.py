"""Categories valued in a quantale: what a real model's hom says about a task. numpy and scipy; no model, no table.

Everything is computed in distances D = phi(C) >= 0 (inf allowed); the quantale says how distances add and how they map to
values. ``D[x, y]`` is the distance of hom(x, y). Variance is always named: "contravariant" is h_p(x) = hom(x, p),
"covariant" is h^p(x) = hom(p, x).

Nothing is imported here, so that a name costs only its own module: ``presheaf.enriched.quantale.PROBABILITY``,
``presheaf.enriched.construct.hom_from_features``, and so on.
"""
