"""Ways to make a category: a composition table, an order, a monoid, maps, a graph's paths, products, subcategories."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from presheaf.errors import InputError
from presheaf.finite.arrays import BLOCK, Bools, Ints, Longs, frozen, ids, spread, starts
from presheaf.finite.category import Category

Compose = Callable[[Ints, Ints], Ints]


def from_table(
    table: ArrayLike | Mapping[tuple[Hashable, Hashable], Hashable],
    *,
    dom: ArrayLike | None = None,
    cod: ArrayLike | None = None,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Category:
    """A category from its full composition table.

    Parameters
    ----------
    table : int (m, m), entry (f, g) being "f, then g" and -1 where they don't meet; or a mapping (f, g) -> h, the
        arrows being numbered in the order in which they first appear
    dom, cod : int (m,), optional: source and target objects. Without them the identities are found in the table and
        the objects numbered in their order
    objects, names : names of the objects and of all m arrows

    Raises
    ------
    InputError
        No identity for an arrow, an entry where arrows don't meet, or the triple where associativity fails.

    Notes
    -----
    Arrows that no other arrows compose to become the generators first, then greedily those with the fewest
    factorisations. Light's test: (x g) y = x (g y) for the generators g only. Cost: O(m^2 + generators x composable pairs).
    """
    if isinstance(table, Mapping):
        dense, found = _numbered(table)
        names = found if names is None else names
    else:
        given_table = np.asarray(table)
        if given_table.ndim != 2 or given_table.shape[0] != given_table.shape[1]:
            raise InputError(f"the table must be square; got shape {given_table.shape}.")
        dense = ids("table", given_table, len(given_table), given_table.shape, missing=True)
    m = len(dense)
    if names is not None and len(names) != m:
        raise InputError(f"{m} arrows need as many names; got {len(names)}.")

    def label(x: int) -> str:
        return str(x) if names is None else names[x]

    identity, source, target = _ends(dense, label)
    if dom is not None and cod is not None:
        given = ids("dom", dom, len(identity), (m,)), ids("cod", cod, len(identity), (m,))
        for what, mine, theirs in (("dom", source, given[0]), ("cod", target, given[1])):
            place = given[0][identity]
            if len(np.unique(place)) < len(place) or (place[mine] != theirs).any():
                bad = int(np.flatnonzero(place[mine] != theirs)[0]) if (place[mine] != theirs).any() else 0
                raise InputError(f"{what}[{bad}] doesn't agree with the identities found in the table.")
        order = np.argsort(given[0][identity])
        identity, source, target = identity[order], given[0], given[1]
    meet = target[:, None] == source[None, :]
    wrong = np.argwhere(meet != (dense >= 0))
    if len(wrong):
        a, b = (int(i) for i in wrong[0])
        raise InputError(
            f"table[{a}, {b}]: {label(a)} and {label(b)} {'meet but have no' if meet[a, b] else 'do not meet but have a'}"
            " composite."
        )
    f, g = np.nonzero(meet)
    off = np.flatnonzero((source[dense[f, g]] != source[f]) | (target[dense[f, g]] != target[g]))
    if len(off):
        a, b = int(f[off[0]]), int(g[off[0]])
        raise InputError(
            f"table[{a}, {b}]: the composite {label(int(dense[a, b]))} of {label(a)} and {label(b)} has other ends."
        )

    def compose(x: Ints, y: Ints) -> Ints:
        return np.asarray(dense[x, y], dtype=np.int32)

    chosen = generating_set(source, target, identity, compose)
    for h in chosen.tolist():
        before, after = np.flatnonzero(target == source[h]), np.flatnonzero(source == target[h])
        step = max(1, BLOCK // max(1, len(after)))
        for low in range(0, len(before), step):
            part = before[low : low + step]
            one, two = dense[dense[part, h][:, None], after[None, :]], dense[part[:, None], dense[h, after][None, :]]
            wrong = np.argwhere(one != two)
            if len(wrong):
                a, b = int(part[wrong[0][0]]), int(after[wrong[0][1]])
                raise InputError(
                    f"not associative at the triple ({label(a)}, {label(h)}, {label(b)}): "
                    f"({label(a)};{label(h)});{label(b)} = {label(int(one[tuple(wrong[0])]))}, "
                    f"{label(a)};({label(h)};{label(b)}) = {label(int(two[tuple(wrong[0])]))}."
                )
    return from_composition(
        source, target, identity, compose, generators=chosen, objects=objects, names=[label(int(h)) for h in chosen]
    )


def _numbered(table: Mapping[tuple[Hashable, Hashable], Hashable]) -> tuple[Ints, list[str]]:
    """The table of a mapping (f, g) -> h, arrows numbered as they first appear, and their names."""
    seen: dict[Hashable, int] = {}
    for (first, second), composite in table.items():
        for entry in (first, second, composite):
            seen.setdefault(entry, len(seen))
    dense = np.full((len(seen), len(seen)), -1, dtype=np.int32)
    for (first, second), composite in table.items():
        dense[seen[first], seen[second]] = seen[composite]
    return dense, [str(entry) for entry in seen]


def _ends(table: Ints, label: Callable[[int], str]) -> tuple[Ints, Ints, Ints]:
    m = len(table)
    number = np.arange(m)
    left = ((table == number[None, :]) | (table < 0)).all(axis=1)
    right = ((table == number[:, None]) | (table < 0)).all(axis=0)
    unit = np.flatnonzero(left & right & (table[number, number] == number))
    place = np.full(m, -1, dtype=np.int32)
    place[unit] = np.arange(len(unit))
    ends = []
    for what, part in (("source", table[unit, :] >= 0), ("target", table[:, unit].T >= 0)):
        count = part.sum(axis=0) if len(unit) else np.zeros(m, dtype=np.int64)
        wrong = np.flatnonzero(count != 1)
        if len(wrong):
            x = int(wrong[0])
            raise InputError(f"arrow {label(x)} has {int(count[x])} identities at its {what}; it must have one.")
        ends.append(part.argmax(axis=0).astype(np.int32) if m else np.empty(0, dtype=np.int32))
    return unit.astype(np.int32), ends[0], ends[1]


def generating_set(dom: Ints, cod: Ints, identity: Ints, compose: Compose) -> Ints:
    """Arrows that generate all others: those every such set holds, then greedily one not reached yet.

    Parameters
    ----------
    dom, cod : int32 (m,)
    identity : int32 (n,)
    compose : the composites of two arrays of arrows that meet

    Returns
    -------
    int32 (k,)

    Notes
    -----
    An arrow x is in every generating set when x = y z holds only with y = x or z = x. Of those not reached yet the arrow
    with the fewest factorisations goes next, ties by number. Cost: all composable pairs once, and arrows x generators.
    """
    m, n = len(dom), len(identity)
    made = np.zeros(m, dtype=bool)
    made[identity] = True
    ways = np.zeros(m, dtype=np.int64)
    by_dom = np.argsort(dom, kind="stable").astype(np.int32)
    first = starts(np.bincount(dom, minlength=n))
    leaving = np.diff(first)[cod]
    low = 0
    while low < m:
        high = low + 1
        total = int(leaving[low])
        while high < m and total + leaving[high] <= BLOCK:
            total += int(leaving[high])
            high += 1
        owner, slot = spread(leaving[low:high])
        x = (owner + low).astype(np.int32)
        y = by_dom[first[cod[x]] + slot]
        z = compose(x, y)
        made[z[(z != x) & (z != y)]] = True
        ways += np.bincount(z, minlength=m)
        low = high
    chosen = np.flatnonzero(~made).astype(np.int32).tolist()
    reached = np.zeros(m, dtype=bool)
    reached[identity] = True
    done: list[int] = []
    todo = list(chosen)
    while True:
        if not todo:
            left = np.flatnonzero(~reached)
            if not len(left):
                return np.array(done, dtype=np.int32)
            todo = [int(left[np.argmin(ways[left])])]
        # Old arrows take the new generator once; what is new then takes every generator.
        fresh = np.array(todo, dtype=np.int32)
        done += todo
        todo = []
        every = np.array(done, dtype=np.int32)
        front, letters = np.flatnonzero(reached).astype(np.int32), fresh
        while len(front):
            new = _products(front, letters, dom, cod, compose)
            front = new[~reached[new]]
            reached[front] = True
            letters = every


def _products(front: Ints, letters: Ints, dom: Ints, cod: Ints, compose: Compose) -> Ints:
    found: list[Ints] = []
    for g in letters.tolist():
        x = front[cod[front] == dom[g]]
        found.append(compose(x, np.full(len(x), g, dtype=np.int32)))
    return np.unique(np.concatenate(found)) if found else np.empty(0, dtype=np.int32)


def from_composition(
    dom: Ints,
    cod: Ints,
    identity: Ints,
    compose: Compose,
    *,
    generators: Ints | None = None,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Category:
    """A category from a function that composes arrays of arrows; generators are found when they aren't given.

    Cost: see ``generating_set``, and arrows x generators.
    """
    chosen = generating_set(dom, cod, identity, compose) if generators is None else generators
    m, n = len(dom), len(identity)
    sides: list[Ints] = []
    for ends, joint, right in ((cod, dom[chosen], True), (dom, cod[chosen], False)):
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n))
        owner, slot = spread(np.diff(first)[ends])
        x, g = np.arange(m, dtype=np.int32)[owner], chosen[order[first[ends[owner]] + slot]]
        sides.append(compose(x, g) if right else compose(g, x))
    label = names if names is not None else [f"a{x}" for x in chosen.tolist()]
    return Category.from_steps(dom, cod, identity, chosen, sides[0], sides[1], objects=objects, names=label)


def from_preorder(relation: ArrayLike, *, objects: Sequence[str] | None = None) -> Category:
    """The category of a preorder: one arrow a -> b where ``relation[a, b]``; identities are added.

    Parameters
    ----------
    relation : bool (n, n), transitive

    Raises
    ------
    InputError
        Not transitive: the triple a <= b <= c without a <= c is named.

    Notes
    -----
    Generators: the covers between classes of equal objects, and a cycle through each class. Cost: one matrix product
    of n x n, and the arrows.
    """
    order = np.asarray(relation)
    if order.ndim != 2 or order.shape[0] != order.shape[1]:
        raise InputError(f"relation must be square; got shape {order.shape}.")
    below = order.astype(bool) | np.eye(len(order), dtype=bool)
    step = below.astype(np.float32)
    wrong = np.argwhere((step @ step > 0) & ~below)
    if len(wrong):
        a, c = (int(i) for i in wrong[0])
        b = int(np.flatnonzero(below[a] & below[:, c])[0])
        name = objects if objects is not None else [str(i) for i in range(len(order))]
        raise InputError(
            f"not transitive at the triple ({name[a]}, {name[b]}, {name[c]}): {name[a]} <= {name[b]} <= {name[c]}, but "
            f"not {name[a]} <= {name[c]}."
        )
    dom, cod = np.nonzero(below)
    return _thin(len(order), dom, cod, objects)


def from_covers(n: int, pairs: ArrayLike, *, objects: Sequence[str] | None = None) -> Category:
    """The preorder that pairs (a, b), read a <= b, generate; the pairs need not be covers, cycles are allowed.

    Cost: the arrows of the result, by squaring a sparse matrix; nothing of size n x n is made.
    """
    pair = np.asarray(pairs)
    if pair.size == 0:
        pair = np.empty((0, 2), dtype=np.int32)
    if pair.ndim != 2 or pair.shape[1] != 2:
        raise InputError(f"pairs must have shape (p, 2); got {pair.shape}.")
    edge = ids("pairs", pair, n, (len(pair), 2))
    eye = np.arange(n)
    ones = np.ones(len(edge) + n, dtype=np.int32)
    closure = csr_matrix((ones, (np.append(edge[:, 0], eye), np.append(edge[:, 1], eye))), shape=(n, n))
    known = -1
    while closure.nnz != known:
        known = closure.nnz
        closure.data[:] = 1
        closure = closure @ closure
    closure.sort_indices()
    dom = np.repeat(np.arange(n), np.diff(closure.indptr))
    return _thin(n, dom, closure.indices, objects)


def _thin(n: int, source: NDArray[np.integer], target: NDArray[np.integer], objects: Sequence[str] | None) -> Category:
    """The thin category whose arrows are these pairs, sorted by source, then target, reflexive and transitive."""
    dom, cod = source.astype(np.int32), target.astype(np.int32)
    key = dom.astype(np.int64) * n + cod
    label = np.zeros(n, dtype=np.int64)
    if n:
        graph = csr_matrix((np.ones(len(dom)), (dom, cod)), shape=(n, n))
        label = connected_components(graph, directed=True, connection="strong")[1].astype(np.int64)
    chief = np.full(n, n, dtype=np.int64)
    np.minimum.at(chief, label, np.arange(n))
    chief = chief[label]
    strict = (chief[dom] != chief[cod]) & (chief[dom] == dom) & (chief[cod] == cod)
    a, b = dom[strict], cod[strict]
    less = csr_matrix((np.ones(len(a), dtype=np.int32), (a, b)), shape=(n, n))
    two = less @ less
    two.data[:] = 1
    cover = (less - less.multiply(two > 0)).tocoo()
    keep = cover.data > 0
    by_class = np.lexsort((np.arange(n), chief))
    after = np.roll(by_class, -1)
    last = chief[by_class] != chief[after]
    if n:
        last[-1] = True
        after[last] = chief[by_class[last]]
    cycle = by_class != after
    from_ = np.concatenate([cover.row[keep], by_class[cycle]])
    to = np.concatenate([cover.col[keep], after[cycle]])
    sort = np.lexsort((to, from_))
    from_, to = from_[sort], to[sort]

    def arrow(x: NDArray[np.integer], y: NDArray[np.integer]) -> Ints:
        return np.searchsorted(key, x.astype(np.int64) * n + y).astype(np.int32)

    flat: list[Ints] = []
    for ends, joint, other, right in ((cod, from_, to, True), (dom, to, from_, False)):
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n))
        owner, slot = spread(np.diff(first)[ends])
        far = other[order[first[ends[owner]] + slot]]
        flat.append(arrow(dom[owner], far) if right else arrow(far, cod[owner]))
    title = list(objects) if objects is not None else [str(i) for i in range(n)]
    names = [f"{title[x]}<{title[y]}" for x, y in zip(from_.tolist(), to.tolist(), strict=True)]
    every = np.arange(n)
    return Category.from_steps(
        dom, cod, arrow(every, every), arrow(from_, to), flat[0], flat[1], objects=objects, names=names, check=False
    )


def chain(n: int) -> Category:
    """The order 0 < 1 < ... < n-1."""
    return from_covers(n, [(i, i + 1) for i in range(n - 1)])


def discrete(n: int, *, objects: Sequence[str] | None = None) -> Category:
    """n objects and nothing but their identities."""
    return from_covers(n, [], objects=objects)


def from_monoid(table: ArrayLike, *, names: Sequence[str] | None = None) -> Category:
    """The one-object category of a monoid or group, from its multiplication table (m, m): entry (f, g) is f, then g.

    Raises
    ------
    InputError
        No identity, or the triple where associativity fails; see ``from_table``.
    """
    dense = np.asarray(table)
    holes = np.argwhere(dense < 0)
    if len(holes):
        raise InputError(f"table[{tuple(int(i) for i in holes[0])}] is negative: in a monoid all elements multiply.")
    made = from_table(dense, names=names)
    if made.n_objects != 1:
        raise InputError("a monoid has exactly one identity.")
    return made


def from_maps(maps: ArrayLike, *, names: Sequence[str] | None = None, limit: int = 5_000_000) -> Category:
    """The monoid (one-object category) that maps 0..d-1 -> 0..d-1 generate; permutations generate a group.

    Parameters
    ----------
    maps : int (k, d), the generators: row j sends point p to ``maps[j, p]``
    limit : most elements allowed

    Raises
    ------
    InputError
        A point out of range, or more than ``limit`` elements.

    Notes
    -----
    Elements are numbered by their first shortest word, the identity being 0. ``f, then g`` sends p to g[f[p]].
    Closure layer by layer with sorted keys; after Froidure and Pin (1997). Cost: elements x generators x d.
    """
    raw = np.asarray(maps)
    if raw.ndim != 2:
        raise InputError(f"maps must have shape (k, d); got {raw.shape}.")
    k, d = raw.shape
    letter = ids("maps", raw, d, (k, d))

    def key(rows: Ints) -> NDArray[np.void]:
        big = np.ascontiguousarray(rows.astype(">i4"))
        return big.view(np.dtype((np.void, 4 * d))).ravel() if d else np.zeros(len(rows), dtype="V1")

    rows = np.arange(d, dtype=np.int32)[None, :]
    front = rows
    while len(front) and k and d:
        new = letter[np.arange(k)[None, :, None], front[:, None, :]].reshape(-1, d)
        _, at = np.unique(key(new), return_index=True)
        new = new[np.sort(at)]
        front = new[~np.isin(key(new), key(rows))]
        rows = np.concatenate([rows, front])
        if len(rows) > limit:
            raise InputError(f"the maps generate more than {limit} elements; raise limit if that is meant.")
    m = len(rows)
    order = np.argsort(key(rows), kind="stable")
    table = key(rows)[order]

    def find(new: Ints) -> Ints:
        return order[np.searchsorted(table, key(new))].astype(np.int32)

    right = np.empty((m, k), dtype=np.int32)
    left = np.empty((m, k), dtype=np.int32)
    for j in range(k):
        right[:, j] = find(letter[j][rows])
        left[:, j] = find(rows[:, letter[j]])
    zero = np.zeros(m, dtype=np.int32)
    return Category.from_steps(
        zero, zero, [0], find(letter), right.ravel(), left.ravel(), objects=["*"], names=names, check=False
    )


def free_category(
    n: int,
    edges: ArrayLike,
    *,
    objects: Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    limit: int = 5_000_000,
) -> Category:
    """The category of all paths of an acyclic graph.

    Parameters
    ----------
    n : number of objects
    edges : int (k, 2), source and target of each generator; parallel edges are allowed
    limit : most arrows allowed

    Raises
    ------
    InputError
        A cycle (its paths would be infinitely many; it is named), or more than ``limit`` paths.

    Notes
    -----
    Paths are numbered by length, then letter by letter. Cost: paths x generators at their ends.
    """
    pair = np.asarray(edges)
    if pair.size == 0:
        pair = np.empty((0, 2), dtype=np.int32)
    if pair.ndim != 2 or pair.shape[1] != 2:
        raise InputError(f"edges must have shape (k, 2); got {pair.shape}.")
    edge = ids("edges", pair, n, (len(pair), 2))
    source, target = edge[:, 0], edge[:, 1]
    title = list(objects) if objects is not None else [str(i) for i in range(n)]
    _refuse_cycle(n, source, target, title)
    order = np.argsort(source, kind="stable").astype(np.int32)
    first = starts(np.bincount(source, minlength=n))
    degree = np.diff(first)
    layers = [np.arange(n, dtype=np.int32)]
    dom, cod = [np.arange(n, dtype=np.int32)], [np.arange(n, dtype=np.int32)]
    up, by = [np.full(n, -1, dtype=np.int32)], [np.full(n, -1, dtype=np.int32)]
    total = n
    while len(layers[-1]):
        owner, slot = spread(degree[cod[-1]])
        total += len(owner)
        if total > limit:
            raise InputError(f"the graph has more than {limit} paths; raise limit if that is meant.")
        letter = order[first[cod[-1][owner]] + slot]
        up.append(layers[-1][owner])
        by.append(letter)
        dom.append(dom[-1][owner])
        cod.append(target[letter])
        layers.append(np.arange(total - len(owner), total, dtype=np.int32))
    start, end, parent, last = (np.concatenate(part) for part in (dom, cod, up, by))
    at = starts(degree[end])
    # Children were numbered in the order of their parents and slots, so the steps to the right are consecutive.
    right = (n + np.arange(int(at[-1]))).astype(np.int32)
    slot_of = np.empty(len(edge), dtype=np.int32)
    slot_of[order] = np.arange(len(edge)) - first[source[order]]
    generators = right[at[source] + slot_of] if len(edge) else np.empty(0, dtype=np.int32)
    into = np.argsort(target, kind="stable").astype(np.int32)
    begin = starts(np.bincount(target, minlength=n))
    indegree = np.diff(begin)
    place = starts(indegree[start])
    left = np.empty(int(place[-1]), dtype=np.int32)
    for number, layer in enumerate(layers[:-1]):
        owner, slot = spread(indegree[start[layer]])
        x = layer[owner]
        if number == 0:
            left[place[x] + slot] = generators[into[begin[start[x]] + slot]]
        else:
            left[place[x] + slot] = right[at[left[place[parent[x]] + slot]] + slot_of[last[x]]]
    return Category.from_steps(
        start, end, np.arange(n), generators, right, left, objects=objects, names=names, check=False
    )


def _refuse_cycle(n: int, source: Ints, target: Ints, title: Sequence[str]) -> None:
    alive = np.ones(n, dtype=bool)
    while True:
        out = np.bincount(source[alive[target] & alive[source]], minlength=n)
        stop = alive & (out == 0)
        if not stop.any():
            break
        alive[stop] = False
    if alive.any():
        walk = [int(np.flatnonzero(alive)[0])]
        while walk[-1] not in walk[:-1]:
            walk.append(int(target[(source == walk[-1]) & alive[target]][0]))
        cycle = " -> ".join(title[i] for i in walk[walk.index(walk[-1]) :])
        raise InputError(f"the graph has the cycle {cycle}, so its free category is infinite.")


def product(one: Category, two: Category) -> Category:
    """The product: arrow (f, g) is number f x (arrows of ``two``) + g, objects likewise.

    Generators: (f, identity) for each generator f and object of ``two``, then (identity, g). Cost: linear in the
    steps of the result.
    """
    m2, n1, n2 = two.n_arrows, one.n_objects, two.n_objects
    k1, k2 = len(one.generators), len(two.generators)

    def pair(a: NDArray[np.integer], b: NDArray[np.integer], width: int) -> Longs:
        return (a.astype(np.int64)[:, None] * width + b[None, :]).ravel()

    dom, cod = pair(one.dom, two.dom, n2), pair(one.cod, two.cod, n2)
    identity = pair(one.identity, two.identity, m2)
    generators = np.concatenate([pair(one.generators, two.identity, m2), pair(one.identity, two.generators, m2)])
    sides = []
    for ends, right in ((cod, True), (dom, False)):
        joint = (dom if right else cod)[generators]
        order = np.argsort(joint, kind="stable")
        first = starts(np.bincount(joint, minlength=n1 * n2))
        owner, slot = spread(np.diff(first)[ends])
        j = order[first[ends[owner]] + slot]
        f, g = (owner // m2).astype(np.int32), (owner % m2).astype(np.int32)
        here = j < k1 * n2
        step1, step2 = (one.then, two.then) if right else (one.after, two.after)
        f[here] = step1(f[here], j[here] // max(n2, 1))
        g[~here] = step2(g[~here], (j[~here] - k1 * n2) % max(k2, 1))
        sides.append(f.astype(np.int64) * m2 + g)
    objects = [f"({a}, {b})" for a in one.objects for b in two.objects]
    names = [f"({f}, {b})" for f in one.names for b in two.objects]
    names += [f"({a}, {g})" for a in one.objects for g in two.names]
    return Category.from_steps(
        dom, cod, identity, generators, sides[0], sides[1], objects=objects, names=names, check=False
    )


def full_subcategory(category: Category, objects: ArrayLike) -> tuple[Category, Ints]:
    """The full subcategory on some objects, in the order given, and its arrows as arrows of ``category``.

    Cost: all composable pairs of the subcategory (its generators must be found anew).
    """
    kept = ids("objects", objects, category.n_objects)
    if len(np.unique(kept)) < len(kept):
        raise InputError("objects must differ from each other.")
    inside = np.zeros(category.n_objects, dtype=bool)
    inside[kept] = True
    return wide_part(category, kept, inside[category.dom] & inside[category.cod])


def wide_part(category: Category, kept: Ints, keep: Bools) -> tuple[Category, Ints]:
    """The subcategory of the arrows marked in ``keep``, which must be closed and run between the objects ``kept``."""
    arrows = np.flatnonzero(keep).astype(np.int32)
    new = np.full(category.n_arrows, -1, dtype=np.int32)
    new[arrows] = np.arange(len(arrows))
    place = np.full(category.n_objects, -1, dtype=np.int32)
    place[kept] = np.arange(len(kept))

    def compose(x: Ints, y: Ints) -> Ints:
        return new[category.compose(arrows[x], arrows[y])]

    dom, cod, identity = place[category.dom[arrows]], place[category.cod[arrows]], new[category.identity[kept]]
    chosen = generating_set(dom, cod, identity, compose)
    names = [category.name(x) for x in arrows[chosen].tolist()]
    objects = [category.objects[c] for c in kept.tolist()]
    made = from_composition(dom, cod, identity, compose, generators=chosen, objects=objects, names=names)
    return made, frozen(arrows)
