"""Equations that present a finite category on its generators."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from presheaf.finite.columns.arrays import Bools, Ints, frozen

if TYPE_CHECKING:
    from presheaf.finite.categories.category import Category


def reduced_rules(category: Category) -> tuple[Ints, Ints, Ints]:
    """Rules "word of x, then generator j" -> "word of y": the reduced confluent rewriting system of shortest words.

    Returns
    -------
    x, j, y : int32 (r,) each

    Notes
    -----
    Froidure and Pin (1997): steps that are no new word, while the word without its first letter is one. Linear in
    arrows x generators.
    """
    wheel = category._right
    owner, generator = wheel.entries()
    flat = wheel.flat
    tree: Bools = (category.parent[flat] == owner) & (category.last[flat] == generator)
    suffix = np.full(category.n_arrows, -1, dtype=np.int32)
    for layer in category.tree.layers():
        up = category.parent[layer]
        short = suffix[up] < 0
        suffix[layer[short]] = category.identity[category.cod[layer[short]]]
        long = layer[~short]
        suffix[long] = category.then(suffix[up[~short]], category.last[long])
    inner = suffix[owner] < 0
    rest = np.flatnonzero(~inner)
    inner[rest] = tree[wheel.at[suffix[owner[rest]]] + wheel.slot[generator[rest]]]
    rule = np.flatnonzero(inner & ~tree)
    return frozen(owner[rule].astype(np.int32)), frozen(generator[rule]), frozen(flat[rule])
