"""The rotation task exactly: images under quarter turns as a groupoid, which classes a prompt can stand for, and a ceiling.

Theorem 1's corollary and Theorem 2's "up to symmetry" of "On the Power of Foundation Models" (Yuan, 2023), for the task of
RotNet (Gidaris, Singh and Komodakis 2018). All that is said here is computed from the pixels and is a proof; no model is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from presheaf.enriched.label_category import encode_labels
from presheaf.enriched.linkage import majority
from presheaf.errors import InputError
from presheaf.finite import (
    Category,
    SetFunctor,
    action_groupoid,
    copresheaf,
    from_maps,
    generators,
    isomorphism_classes,
    presheaf,
    representability,
)

Images = NDArray[np.uint8]
Ints = NDArray[np.int64]

TURNS = 4
"""Quarter turns in a full one."""


@dataclass(frozen=True, eq=False)
class RotationGroupoid:
    """The action groupoid of quarter turns on images: objects are different images, an arrow x -> y is a turn from x to y.

    Attributes
    ----------
    category : Category
        With all m objects; it has 4 m arrows.
    images : uint8 array of shape (m, height, width, channels)
        The objects: the given images and all their turned copies, each once, in order of first appearance.
    position : int64 array of shape (n,)
        The object that each given image is.
    orbit : int64 array of shape (m,)
        The isomorphism class of every object, numbered by smallest object.
    """

    category: Category
    images: Images = field(repr=False)
    position: Ints = field(repr=False)
    orbit: Ints = field(repr=False)

    @property
    def orbit_sizes(self) -> Ints:
        """Different images in each orbit, 4, 2 or 1; an image has 4 / size turns that leave it as it is."""
        return np.asarray(np.bincount(self.orbit), dtype=np.int64)


@dataclass(frozen=True)
class ClassVerdict:
    """Whether prompts can stand for a class where the category is the groupoid of quarter turns. All of it is proof.

    Attributes
    ----------
    label : str
    orbits, symmetric : int
        Orbits with an image of this class, and those of them whose images look the same after a quarter or a half turn.
    is_presheaf : bool
        Whether no image outside the class is a turned copy of one inside. Otherwise the class is no task on this
        category, and nothing in it, prompt or fine-tuned, can know the class.
    representable : bool
        Whether one prompt stands for the class: it is one orbit, and that is free (4 different images).
    prompts : int or None
        Fewest prompts that cover the class, one an orbit; None if it is no presheaf.
    free : bool or None
        Whether the class is the coproduct of these prompts, nothing counted twice: no orbit is symmetric. Where one is, a
        prompt reaches its copies by 2 or 4 turns each; as truth values (some turn or none) the prompts are still exact.
    why : str
        One sentence with the witness.
    """

    label: str
    orbits: int
    symmetric: int
    is_presheaf: bool
    representable: bool
    prompts: int | None
    free: bool | None
    why: str

    @property
    def kind(self) -> str:
        return "proof"


def turned(images: ArrayLike) -> tuple[Images, Ints, Ints]:
    """All four quarter turns of every image.

    Parameters
    ----------
    images : uint8 array of shape (n, side, side, channels)

    Returns
    -------
    images : uint8 array of shape (4 n, side, side, channels)
        The copies of image i are at 4 i .. 4 i + 3, turned counter-clockwise by 0, 1, 2, 3 quarter turns.
    source, turn : int64 arrays of shape (4 n,)
        Which image, and how often it was turned.

    Raises
    ------
    InputError
        If the images are no such array, or not square.
    """
    given = square_images(images)
    copies = np.stack([np.rot90(given, k, axes=(1, 2)) for k in range(TURNS)], axis=1)
    n = len(given)
    return copies.reshape(-1, *given.shape[1:]), np.repeat(np.arange(n), TURNS), np.tile(np.arange(TURNS), n)


def square_images(images: ArrayLike) -> Images:
    """The images, shape (n, side, side, channels), checked to be whole pixels on a square.

    Raises
    ------
    InputError
        If they are no such array.
    """
    given = np.asarray(images)
    if given.ndim != 4 or given.dtype != np.uint8:
        raise InputError(
            f"images must be uint8 of shape (n, height, width, channels); got shape {given.shape} of {given.dtype}."
        )
    if given.shape[1] != given.shape[2]:
        raise InputError(
            f"a quarter turn needs square images; these are {given.shape[1]} x {given.shape[2]}. Crop or pad them to a square."
        )
    return given


def rotation_groupoid(images: ArrayLike) -> RotationGroupoid:
    """The groupoid of images and their turned copies; images with equal pixels are one object.

    Parameters
    ----------
    images : uint8 array of shape (n, side, side, channels)

    Raises
    ------
    InputError
        If there is no image, or they are no such array.

    Notes
    -----
    Its components are the orbits, the endomorphisms of an image the turns that leave it as it is, and its cardinality (Baez
    and Dolan) a quarter of the number of objects. Cost: sorting 4 n images; memory 4 n images and 4 m arrows.
    """
    copies = turned(images)[0]
    if not len(copies):
        raise InputError("a groupoid of images needs at least one image; got none.")
    flat = np.ascontiguousarray(copies).reshape(len(copies), -1)
    _, first, same = np.unique(flat, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    number = rank[same.reshape(-1, TURNS)]
    after = np.empty(len(order), dtype=np.int64)
    after[number] = np.roll(number, -1, axis=1)
    group = from_maps([[1, 2, 3, 0]], names=["quarter turn"])
    category = action_groupoid(copresheaf(group, [len(after)], [after]))
    orbit = isomorphism_classes(category).astype(np.int64)
    return RotationGroupoid(category, copies[first[order]], number[:, 0], orbit)


def rotation_verdict(images: ArrayLike, labels: ArrayLike) -> tuple[ClassVerdict, ...]:
    """For each class, whether a prompt can stand for it in the category that the rotation task puts on images.

    Parameters
    ----------
    images : uint8 array of shape (n, side, side, channels)
    labels : array of shape (n,)
        One a given image. Copies that are not given carry the label of their orbit.

    Returns
    -------
    One `ClassVerdict` a class, in the order of the labels

    Raises
    ------
    InputError
        If images or labels can't be used.

    Notes
    -----
    The class as a presheaf has one element at each of its images and none elsewhere. Representability and the fewest
    generators are asked of the exact engine (`presheaf.finite.representability`, `presheaf.finite.generators`). Cost: the groupoid,
    and linear in its arrows for each class.
    """
    made, codes, names = _labelled(images, labels)
    held = np.zeros((int(made.orbit.max()) + 1, len(names)), dtype=bool)
    held[made.orbit[made.position], codes] = True
    return tuple(_class_verdict(made, held, c, str(name)) for c, name in enumerate(names))


def orbit_ceiling(images: ArrayLike, labels: ArrayLike) -> float:
    """The share of these rows that a function constant on orbits can get right, at most and attained (proof).

    Parameters
    ----------
    images : uint8 array of shape (n, side, side, channels)
    labels : array of shape (n,)

    Returns
    -------
    float
        Sum over orbits of the rows with its most common label, / n: 1 for labels that are constant or orbit-wise, 1 / 4 where
        all four copies of images are given with the turn as label.

    Raises
    ------
    InputError
        If images or labels can't be used.

    Notes
    -----
    Theorem 2's ceiling where labels are a discrete category and F is a functor on the groupoid: it is constant on connected
    components, which are the isomorphism classes. It binds models that see orbits only; one that tells turned copies
    apart may pass it. It is about the rows given, not a forecast. Cost: the groupoid.
    """
    made, codes, _ = _labelled(images, labels)
    right, _ = majority(made.orbit[made.position], codes)
    return right / len(codes)


def _labelled(images: ArrayLike, labels: ArrayLike) -> tuple[RotationGroupoid, Ints, NDArray[Any]]:
    made = rotation_groupoid(images)
    codes, names = encode_labels(labels)
    if len(codes) != len(made.position):
        raise InputError(f"there must be one label for each of {len(made.position)} images; got {len(codes)}.")
    return made, codes, names


def _class_verdict(made: RotationGroupoid, held: NDArray[np.bool_], c: int, label: str) -> ClassVerdict:
    """``held[o, c]``: whether orbit o has an image of class c."""
    mine = held[:, c]
    orbits, symmetric = int(mine.sum()), int((mine & (made.orbit_sizes < TURNS)).sum())
    shared = np.flatnonzero(mine & (held.sum(axis=1) > 1))
    if len(shared):
        image = int(np.flatnonzero(made.orbit == shared[0])[0])
        why = f"object {image} and its turned copies carry this label and another, so the class is no presheaf."
        return ClassVerdict(label, orbits, symmetric, False, False, None, None, why)
    task = indicator(made, mine[made.orbit])
    verdict, cover = representability(task), generators(task)
    return ClassVerdict(label, orbits, symmetric, True, verdict.holds, len(cover), cover.coproduct, verdict.why)


def indicator(made: RotationGroupoid, inside: ArrayLike) -> SetFunctor:
    """The presheaf with one element at each object inside, and none at the others.

    Parameters
    ----------
    inside : bool array of shape (m,)
        Over all objects of the groupoid.

    Raises
    ------
    InputError
        If an object inside is a turned copy of one outside: then it is no presheaf.
    """
    chosen = np.asarray(inside, dtype=bool)
    if chosen.shape != made.orbit.shape:
        raise InputError(f"'inside' must say yes or no of each of {len(made.orbit)} objects; got shape {chosen.shape}.")
    ends = chosen[made.category.generator_cod]
    if (ends != chosen[made.category.generator_dom]).any():
        raise InputError("the objects inside must be whole orbits: a turned copy of one of them is left out.")
    return presheaf(made.category, chosen.astype(np.int32), [np.zeros(int(e), dtype=np.int32) for e in ends])
