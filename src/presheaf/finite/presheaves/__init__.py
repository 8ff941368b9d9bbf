"""Set-valued functors on a finite category: maps, Yoneda, limits, sub-functors, isomorphism."""
