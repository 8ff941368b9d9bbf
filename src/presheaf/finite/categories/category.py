"""Finite categories as data: arrows are numbers, composition is two tables of steps by generators."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from presheaf.errors import InputError
from presheaf.finite import drawing
from presheaf.finite.categories.laws import validate
from presheaf.finite.categories.rewriting import reduced_rules
from presheaf.finite.categories.steps import Wheel, left_steps
from presheaf.finite.columns.arrays import Ints, Longs, distinct, frozen, ids, integers
from presheaf.finite.columns.graph import Forest, forest

_DENSE = 1024


class Category:
    """A finite category.

    Parameters
    ----------
    dom, cod : int (m,), source and target object of every arrow
    identity : int (n,), the identity arrow of every object
    generators : int (k,), arrows of which every arrow is a composite
    right : int (m, k), the arrow "x, then generator j"; -1 where the two don't meet
    left : int (m, k), the arrow "generator j, then x"; -1 where the two don't meet
    objects : n names; default "0", "1", ...
    names : k names of the generators; default "g0", "g1", ...

    Raises
    ------
    InputError
        The data is no category: what fails first is named, a broken associativity as the triple of arrows.

    Notes
    -----
    Composition is written in path order: ``compose(f, g)`` is f, then g. Every category is checked when it is made, by
    the two-sided test: each arrow is reached from its identity by steps to the right, a generator is the step to
    either side of an identity, and (g x) h = g (x h) for each arrow x and generators g, h. Then the value of x under a
    word is that of the left steps of x at the word's own value, so composition is well defined and associative.
    Cost: sum over arrows of (generators in) x (generators out). Only steps that exist are stored, so a category with
    many objects stays small; ``right`` and ``left`` are laid out as tables on request.
    """

    def __init__(
        self,
        dom: ArrayLike,
        cod: ArrayLike,
        identity: ArrayLike,
        generators: ArrayLike,
        right: ArrayLike,
        left: ArrayLike,
        *,
        objects: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        units = np.ravel(integers("identity", identity))
        m, n, k = (
            np.size(integers(what, a)) for what, a in (("dom", dom), ("identity", units), ("generators", generators))
        )
        self._outline(
            ids("dom", dom, n, (m,)), ids("cod", cod, n, (m,)), ids("identity", units, m), generators, objects, names
        )
        for what, table, wheel in (("right", right, self._right), ("left", left, self._left)):
            dense = ids(what, table, m, (m, k), missing=True)
            owner, generator = wheel.entries()
            known = np.zeros((m, k), dtype=bool)
            known[owner, generator] = True
            wrong = np.argwhere((dense >= 0) != known)
            if len(wrong):
                x, j = (int(i) for i in wrong[0])
                meet = "meet, yet the entry is -1" if known[x, j] else "don't meet, yet the entry is no -1"
                raise InputError(f"{what}[{x}, {j}]: arrow {x} and generator {self.names[j]} {meet}.")
            wheel.flat = frozen(dense[owner, generator])
        for what, shown in (("objects", self.objects), ("names", self.names)):
            distinct(what, shown)
        validate(self)

    @classmethod
    def from_steps(
        cls,
        dom: ArrayLike,
        cod: ArrayLike,
        identity: ArrayLike,
        generators: ArrayLike,
        right: ArrayLike,
        left: ArrayLike | None,
        *,
        objects: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        check: bool = True,
    ) -> Category:
        """A category from flat steps, for many generators.

        Parameters
        ----------
        right : flat int array: for arrow 0, 1, ... its steps by the generators that leave its target, in order
        left : flat int array: for arrow 0, 1, ... its steps by the generators that enter its source, in order. None:
            they are traced along the words of the arrows, which is right if the steps to the right respect all
            equations between words, as those of a completed presentation do
        check : False when the maker knows that this is a category
        """
        self = cls.__new__(cls)
        m, n = len(np.asarray(dom)), len(np.asarray(identity))
        self._outline(
            ids("dom", dom, n, (m,)), ids("cod", cod, n, (m,)), ids("identity", identity, m), generators, objects, names
        )
        self._right.flat = ids("right", right, m, (int(self._right.at[-1]),))
        if left is None:
            self._left.flat = left_steps(self._right, self._left, self.generators, self.tree, self.last)
        else:
            self._left.flat = ids("left", left, m, (int(self._left.at[-1]),))
        if check:
            validate(self)
        return self

    def _outline(
        self,
        dom: Ints,
        cod: Ints,
        identity: Ints,
        generators: ArrayLike,
        objects: Sequence[str] | None,
        names: Sequence[str] | None,
    ) -> None:
        self.dom: Ints = dom
        self.cod: Ints = cod
        self.identity: Ints = identity
        self.generators: Ints = ids("generators", generators, len(dom))
        n, k = len(identity), len(self.generators)
        self.objects: tuple[str, ...] = tuple(objects) if objects is not None else tuple(str(i) for i in range(n))
        self.names: tuple[str, ...] = tuple(names) if names is not None else tuple(f"g{j}" for j in range(k))
        if len(self.objects) != n or len(self.names) != k:
            raise InputError(
                f"{n} objects and {k} generators need as many names; got {len(self.objects)} and {len(self.names)}."
            )
        self._right = Wheel(cod, self.generator_dom, n)
        self._left = Wheel(dom, self.generator_cod, n)

    @property
    def n_objects(self) -> int:
        """How many objects."""
        return len(self.identity)

    @property
    def n_arrows(self) -> int:
        """How many arrows, identities among them."""
        return len(self.dom)

    @cached_property
    def generator_dom(self) -> Ints:
        """Source object of each generator, int32 (k,)."""
        return frozen(self.dom[self.generators])

    @cached_property
    def generator_cod(self) -> Ints:
        """Target object of each generator, int32 (k,)."""
        return frozen(self.cod[self.generators])

    @cached_property
    def right(self) -> Ints:
        """Table (m, k) of "x, then generator j"; -1 where they don't meet. Memory: 4 m k bytes."""
        return self._table(self._right)

    @cached_property
    def left(self) -> Ints:
        """Table (m, k) of "generator j, then x"; -1 where they don't meet. Memory: 4 m k bytes."""
        return self._table(self._left)

    def _table(self, wheel: Wheel) -> Ints:
        dense = np.full((self.n_arrows, len(self.generators)), -1, dtype=np.int32)
        owner, generator = wheel.entries()
        dense[owner, generator] = wheel.flat
        return frozen(dense)

    @cached_property
    def op(self) -> Category:
        """The opposite category: a view of the same arrays with the same numbers for objects, arrows, generators."""
        other = Category.__new__(Category)
        other.dom, other.cod, other.identity, other.generators = self.cod, self.dom, self.identity, self.generators
        other.objects, other.names = self.objects, self.names
        other._right, other._left = self._left, self._right
        other.__dict__["op"] = self
        return other

    @cached_property
    def tree(self) -> Forest:
        """Every arrow's first shortest word: a forest over the arrows, rooted at the identities."""
        return forest(self._right.at, self._right.flat, self.identity)

    @property
    def parent(self) -> Ints:
        """The arrow one letter shorter, int32 (m,); -1 at identities."""
        return self.tree.parent

    @cached_property
    def last(self) -> Ints:
        """Last letter (a generator index) of every arrow's word, int32 (m,); -1 at identities."""
        letter = np.full(self.n_arrows, -1, dtype=np.int32)
        inner = np.flatnonzero(self.tree.parent >= 0)
        joint = self.cod[self.tree.parent[inner]]
        letter[inner] = self._right.list[self._right.first[joint] + self.tree.slot[inner]]
        return frozen(letter)

    def then(self, arrow: ArrayLike, generator: ArrayLike) -> Ints:
        """One step to the right: the arrows "arrow, then generator". Not checked: they must meet."""
        return self._right.step(np.asarray(arrow), np.asarray(generator))

    def after(self, arrow: ArrayLike, generator: ArrayLike) -> Ints:
        """One step to the left: the arrows "generator, then arrow". Not checked: they must meet."""
        return self._left.step(np.asarray(arrow), np.asarray(generator))

    def leaving(self, c: int) -> Ints:
        """The generators that leave object c, in order."""
        return self._right.list[self._right.first[c] : self._right.first[c + 1]]

    def entering(self, c: int) -> Ints:
        """The generators that enter object c, in order."""
        return self._left.list[self._left.first[c] : self._left.first[c + 1]]

    def word(self, arrow: int) -> tuple[int, ...]:
        """The first shortest word of an arrow, as generator indices in path order."""
        letters = []
        x = int(arrow)
        while self.parent[x] >= 0:
            letters.append(int(self.last[x]))
            x = int(self.parent[x])
        return tuple(reversed(letters))

    def path(self, word: Sequence[int], start: int | None = None) -> int:
        """The arrow that a word of generator indices composes to; an empty word needs the object it starts at.

        Raises
        ------
        InputError
            Two letters that don't meet, or an empty word without ``start``.
        """
        if not word and start is None:
            raise InputError("an empty word needs the object it starts at.")
        at = int(self.generator_dom[word[0]]) if start is None else start
        x = int(self.identity[at])
        for i, j in enumerate(word):
            if self.generator_dom[j] != self.cod[x]:
                raise InputError(f"letter {i} ({self.names[j]}) doesn't start at {self.objects[self.cod[x]]}.")
            x = int(self.then(x, j))
        return x

    def name(self, arrow: int) -> str:
        """An arrow's word in the generators' names, ``f;g`` being f, then g; an identity is ``1_object``."""
        letters = self.word(arrow)
        return ";".join(self.names[j] for j in letters) if letters else f"1_{self.objects[self.dom[arrow]]}"

    def compose(self, f: ArrayLike, g: ArrayLike) -> Ints:
        """f, then g, for arrows or (broadcast) arrays of arrows.

        Raises
        ------
        InputError
            A pair that doesn't meet is named.

        Notes
        -----
        Traces f's word from g, one vectorised step a letter; up to 1024 arrows the full table is made once and read.
        """
        try:
            one, two = np.broadcast_arrays(integers("f", f), integers("g", g))
        except ValueError as error:
            raise InputError(f"arrows of shapes {np.shape(f)} and {np.shape(g)} can't be paired.") from error
        for what, given in (("f", one), ("g", two)):
            if given.size and not 0 <= int(given.min()) <= int(given.max()) < self.n_arrows:
                raise InputError(
                    f"{what}: arrows are numbered 0 to {self.n_arrows - 1}; got {given.min()} to {given.max()}."
                )
        apart = self.cod[one] != self.dom[two]
        if np.any(apart):
            x, y = int(one[apart].flat[0]), int(two[apart].flat[0])
            raise InputError(
                f"arrow {x} ({self.name(x)}) ends at {self.objects[self.cod[x]]}, arrow {y} ({self.name(y)}) starts at "
                f"{self.objects[self.dom[y]]}: they don't compose."
            )
        if self.n_arrows <= _DENSE:
            return np.asarray(self.table[one, two], dtype=np.int32)
        rest, out = np.array(one, dtype=np.int32).ravel(), np.array(two, dtype=np.int32).ravel()
        active = np.flatnonzero(self.parent[rest] >= 0)
        while len(active):
            out[active] = self.after(out[active], self.last[rest[active]])
            rest[active] = self.parent[rest[active]]
            active = active[self.parent[rest[active]] >= 0]
        return np.asarray(out.reshape(one.shape), dtype=np.int32)

    @cached_property
    def table(self) -> Ints:
        """The full composition table (m, m), -1 where two arrows don't meet. Memory: 4 m^2 bytes."""
        m = self.n_arrows
        table = np.full((m, m), -1, dtype=np.int32)
        table[np.arange(m), self.identity[self.cod]] = np.arange(m)
        for layer in self.tree.layers():
            known = table[:, self.parent[layer]]
            x, y = np.nonzero(known >= 0)
            table[x, layer[y]] = self.then(known[x, y], self.last[layer[y]])
        return frozen(table)

    @cached_property
    def _homs(self) -> tuple[Ints, Longs]:
        key = self.dom.astype(np.int64) * self.n_objects + self.cod
        order = np.argsort(key, kind="stable")
        return order.astype(np.int32), key[order]

    def hom(self, a: int, b: int) -> Ints:
        """The arrows from a to b, in the order of their numbers."""
        order, key = self._homs
        here = a * self.n_objects + b
        return order[np.searchsorted(key, here) : np.searchsorted(key, here, side="right")]

    def out(self, a: int) -> Ints:
        """The arrows that start at a, sorted by target, then by number."""
        order, key = self._homs
        low, high = np.searchsorted(key, [a * self.n_objects, (a + 1) * self.n_objects])
        return order[low:high]

    @cached_property
    def hom_pairs(self) -> tuple[Ints, Ints, Longs]:
        """Source, target and size of every hom-set that isn't empty, three arrays, sorted by source, then target."""
        key = self._homs[1]
        first = np.flatnonzero(np.diff(key, prepend=-1))
        count = np.diff(first, append=len(key))
        key = key[first]
        return (key // self.n_objects).astype(np.int32), (key % self.n_objects).astype(np.int32), count

    @cached_property
    def relations(self) -> tuple[Ints, Ints, Ints]:
        """Equations that present the category on its generators: "word of x, then generator j" = "word of y".

        Returns
        -------
        x, j, y : int32 (r,) each

        Notes
        -----
        See ``reduced_rules``. Linear in arrows x generators.
        """
        return reduced_rules(self)

    def dot(self, limit: int = 200) -> str:
        """Graphviz text: the objects, and the generators as edges (at most ``limit`` of them, the rest counted)."""
        return drawing.dot(self, limit)

    def _repr_html_(self) -> str:
        return drawing.category_html(self)

    def __repr__(self) -> str:
        many = f"{_count(self.n_objects, 'object')}, {_count(self.n_arrows, 'arrow')}"
        if self.n_arrows - self.n_objects > 12:
            return f"Category({many}, {_count(len(self.generators), 'generator')}, {len(self.relations[0])} relations)"
        inner = [int(x) for x in self.tree.order[self.n_objects :]]
        arrows = [f"{self.name(x)}: {self.objects[self.dom[x]]} -> {self.objects[self.cod[x]]}" for x in inner]
        return f"Category({many}{'; ' if arrows else ''}{', '.join(arrows)})"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
