"""Functors between finite categories, and what needs them: commas, elements, adjoints, functor categories."""
