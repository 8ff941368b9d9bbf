"""Kan extensions of set-valued functors along a functor, exponentials, density, tensor products."""
