"""The exact engine: set-valued, finite or finitely presented. numpy, scipy and a compiled kernel; no model, no table.

Nothing is imported here, so that a name costs only its own module: ``presheaf.finite.kan_left.left_kan``,
``presheaf.finite.examples``, and so on.
"""
