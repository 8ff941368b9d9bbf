"""Cases that broke the engine once: found by random comparison with definitions, each with a value derived by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import presheaf.finite as pf
from presheaf.errors import InputError
from presheaf.finite.columns.budget import Budget
from presheaf.finite.presented.completion import STRATEGIES, Coincidence, complete
from presheaf.finite.presented.mapping import PresentationMap
from presheaf.finite.presented.presentation import Presentation

IDEMPOTENT = Presentation.monoid("e", ["e^2 = e"])
GROUP = Presentation.group("a b", ["a^4", "b^3", "(a b)^2"])
THREE_STEPS = Presentation.monoid("a b", ["a^3 = a", "b a = a b", "b^4 = b^2"])


RING = Presentation(("P", "Q", "R"), (("f", 2, 0), ("g", 1, 2), ("h", 0, 1)), (((0, 2, 1), ()),))
"""A cycle of three arrows, once around from R being nothing."""


@pytest.mark.parametrize("presentation", [RING, GROUP, THREE_STEPS])
@pytest.mark.parametrize("seed", range(8))
def test_rows_reclaimed_while_conclusions_wait_do_not_change_the_answer(seed: int, presentation: Presentation) -> None:
    # Coincidences along paths make rows, and those that follow merge so many that the table is renumbered before
    # anything was concluded from the entries made.
    rng = np.random.default_rng(seed)
    many = 1500
    units = rng.integers(0, len(presentation.objects), many).astype(np.int32)
    ties: list[Coincidence] = []
    for _ in range(6):
        path: tuple[int, ...] = ()
        for _ in range(int(rng.integers(1, 5))):
            end = presentation.target(path) if path else None
            path += (int(rng.choice([j for j, g in enumerate(presentation.generators) if end in (None, g[1])])),)
        left = np.flatnonzero(units == presentation.source(path))
        right = np.flatnonzero(units == presentation.target(path))
        ties.append((rng.choice(left, many).astype(np.int32), path, rng.choice(right, many).astype(np.int32)))
    plain = complete(presentation, units, ties, compiled=False)
    assert plain.table is not None
    for strategy in STRATEGIES:
        found = complete(presentation, units, ties, strategy=strategy)  # type: ignore[arg-type]
        assert found.table is not None
        assert found.table.sizes.tolist() == plain.table.sizes.tolist(), strategy
        assert np.array_equal(found.table.units, plain.table.units)
        assert all(map(np.array_equal, found.table.columns, plain.table.columns))


@pytest.mark.parametrize("tables", [("A", "B"), ("B", "A")])
def test_an_arrow_into_an_object_that_two_objects_lie_over(tables: tuple[str, str]) -> None:
    # F: {A, B, C; f: C -> A} to {P, Q; g: P -> Q} with A and B over Q, C over P. Pi at Q is I(A) x I(B), at P it is
    # I(C) x I(B): an element at P gives I(B)'s row, too. With I(A) = 3, I(B) = 2, I(C) = 2: six and four.
    source = Presentation((*tables, "C"), (("f", 2, tables.index("A")),))
    target = Presentation(("P", "Q"), (("g", 0, 1),))
    mapping = PresentationMap(source, target, (1, 1, 0), ((0,),))
    rows = {"A": 3, "B": 2}
    done = pf.right_kan(mapping, [rows[tables[0]], rows[tables[1]], 2], [[0, 2]])
    assert done.sizes.tolist() == [4, 6]
    done.verify([[0, 2]])
    # With nothing in B there is nothing anywhere.
    rows["B"] = 0
    assert pf.right_kan(mapping, [rows[tables[0]], rows[tables[1]], 2], [[0, 2]]).sizes.tolist() == [0, 0]


def test_the_yoneda_lemma_needs_no_table_of_candidates() -> None:
    # Nat(Hom(*, -), Hom(*, -)) is Hom(*, *): 5040 elements of S_7. Their images would be a table of 25 million.
    side = pf.from_presentation(_s7())
    regular = pf.representable(side, 0, variance="covariant")
    assert pf.transformations(regular, regular, limit=100_000).count() == 5040


def _s7() -> Presentation:
    names = "abcdef"
    words = [f"{x}^2 = 1" for x in names]
    words += [f"{x} {y} {x} = {y} {x} {y}" for x, y in pairwise(names)]
    words += [f"{x} {y} = {y} {x}" for i, x in enumerate(names) for y in names[i + 2 :]]
    return Presentation.monoid(" ".join(names), words)


@pytest.mark.parametrize("variance", ["covarient", None, 1])
def test_a_misspelt_variance_is_refused(variance: object) -> None:
    chain = pf.chain(2)
    for make in (
        lambda: pf.representable(chain, 0, variance=variance),  # type: ignore[arg-type]
        lambda: pf.constant(chain, 1, variance=variance),  # type: ignore[arg-type]
        lambda: pf.Classifier(chain, variance=variance),  # type: ignore[arg-type]
    ):
        with pytest.raises(InputError, match="variance"):
            make()


@pytest.mark.parametrize("limits", [{"rows": 1e6}, {"bytes": 1e9}, {"rows": "9"}, {"seconds": "1"}, {"rows": True}])
def test_a_budget_says_what_it_cannot_read(limits: dict[str, object]) -> None:
    with pytest.raises(InputError, match=next(iter(limits))):
        Budget(**limits)  # type: ignore[arg-type]


def test_a_budget_beyond_64_bits_is_no_limit() -> None:
    assert pf.hom_from(IDEMPOTENT, strategy="hlt", budget=Budget(rows=10**30, bytes=10**30)).sizes.tolist() == [2]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: pf.constant(pf.chain(2), -1, variance="covariant"), "size"),
        (lambda: pf.product_in(pf.chain(3), [0.5, 1.0]), "integers"),  # type: ignore[list-item]
        (lambda: pf.embed(pf.chain(2), -1, variance="covariant"), "arrow"),
        (lambda: pf.chain(2).compose(-1, -1), "numbered 0"),
        (lambda: pf.chain(2).compose([0, 0], [0, 0, 0]), "paired"),
        (lambda: pf.representable(pf.chain(2), 0, variance="covariant").apply(0, [-1]), "between 0"),
        (lambda: pf.representable(pf.chain(2), 0, variance="covariant").orbit(0, -1), "row"),
        (lambda: pf.left_kan(PresentationMap.identity(IDEMPOTENT), [1.9], [[0]]), "integers"),  # type: ignore[list-item]
        (lambda: pf.left_kan(PresentationMap.identity(IDEMPOTENT), [2], [[[0], [0, 1]]]), "column"),
        (lambda: Presentation(("a",), (("f", 0.0, 0),)), "source"),  # type: ignore[arg-type]
        (lambda: Presentation(("a",), ((1, 0, 0),)), "text"),  # type: ignore[arg-type]
        (lambda: Presentation("ab", ()), "objects"),  # type: ignore[arg-type]
        (lambda: Presentation(("a",), (("f", 0, 0),), (("f", ()),)), "path"),  # type: ignore[arg-type]
        (lambda: PresentationMap(IDEMPOTENT, IDEMPOTENT, (0,), (0.5,)), "path"),  # type: ignore[arg-type]
    ],
)
def test_what_is_no_id_is_refused(make: object, said: str) -> None:
    assert callable(make)
    with pytest.raises(InputError, match=said):
        make()


def test_lists_make_the_same_presentation_as_tuples() -> None:
    loose = Presentation(["*"], [["e", 0, 0]], [[[0, 0], [0]]])  # type: ignore[arg-type]
    assert loose == IDEMPOTENT
    assert hash(loose) == hash(IDEMPOTENT)
