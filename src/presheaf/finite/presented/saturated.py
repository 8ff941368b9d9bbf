"""The part of a target that a map of presentations copies arrow by arrow, whatever else it does."""

from __future__ import annotations

from dataclasses import dataclass

from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Path


@dataclass(frozen=True, slots=True)
class Saturated:
    """Objects of D over which F: C -> D is an isomorphism, closed under the arrows out of them.

    ``over`` gives for each such object its one object of C; ``chosen`` for each generator of D between them the
    generator of C that F sends to it.
    """

    over: dict[int, int]
    chosen: dict[int, int]

    def lift(self, path: Path) -> Path:
        """The path of C over a path of D in the part."""
        return tuple(self.chosen[j] for j in path)


def saturated(mapping: PresentationMap) -> Saturated:
    """The largest such part that generators and equations show plainly.

    An object stays if one object of C lies over it, F takes that one's generators one to one onto the object's, these
    lead to objects that stay, and either side's equations there go over plainly into the other's
    (``Presentation.plainly_equal``). A schema moved with a table's self-reference meets this: D(d, F-) is infinite
    there, yet its elements are the words of C behind one generator.

    Notes
    -----
    Cost: rounds x (generators + equations); each round drops an object.
    """
    c, d = mapping.source, mapping.target
    above: dict[int, list[int]] = {}
    for s, image in enumerate(mapping.objects):
        above.setdefault(image, []).append(s)
    over = {image: found[0] for image, found in above.items() if len(found) == 1}
    chosen: dict[int, int] = {}
    drop: set[int] = set()
    for u, (_, a, _) in enumerate(c.generators):
        path = mapping.paths[u]
        if len(path) != 1 or path[0] in chosen:
            drop.add(mapping.objects[a])
        else:
            chosen[path[0]] = u
    drop |= {a for j, (_, a, _) in enumerate(d.generators) if j not in chosen}
    while True:
        # Objects of D that several objects of C lie over, or none, were never in: what leads to them is out at once.
        drop |= {a for _, a, b in d.generators if a in over and b not in over}
        while drop:
            over = {image: s for image, s in over.items() if image not in drop}
            drop = {a for _, a, b in d.generators if a in over and b not in over}
        drop = _clashes(mapping, Saturated(over, chosen))
        if not drop:
            return Saturated(over, {j: u for j, u in chosen.items() if d.generators[j][1] in over})


def _clashes(mapping: PresentationMap, part: Saturated) -> set[int]:
    """Objects of the part where an equation of one side does not go over plainly into the other side's."""
    c, d = mapping.source, mapping.target
    found = set()
    for i, (u, v) in enumerate(d.equations):
        s = d.equation_source(i)
        if s in part.over and not c.plainly_equal(part.lift(u), part.lift(v)):
            found.add(s)
    for i, (u, v) in enumerate(c.equations):
        s = mapping.objects[c.equation_source(i)]
        if s in part.over and not d.plainly_equal(mapping.along(u), mapping.along(v)):
            found.add(s)
    return found
