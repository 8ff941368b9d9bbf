"""Meanings as presheaves: Yoneda, products, implication and what it does and does not obey; entailment against its null."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_toys import TableModel, all_texts, random_model, uniform_model

import presheaf.enriched as pe
import presheaf.language as pl
from presheaf.errors import InputError

SEEDS = st.integers(0, 10**6)
VARIANCE = st.sampled_from(["contravariant", "covariant"])


def some_category(seed: int) -> pl.TextCategory | pl.PromptCategory:
    model = random_model(2, 3, seed)
    if seed % 2:
        return pl.text_category(model, all_texts(2, 3))
    return pl.prompt_category(model, all_texts(2, 3), [(0,), (0, 1), (1, 1, 0)])


def implication_by_hand(hom: pe.Hom, f: np.ndarray, g: np.ndarray, variance: str) -> np.ndarray:
    """Theory 2.2: (f => g)(x) = inf_y [min(L(x, y), f(y)), g(y)] with [a, b] = min(1, b / a) and [0, b] = 1, in values."""
    values = np.exp(-hom.dense(1 << 20))
    values = values if variance == "covariant" else values.T
    out = np.ones(hom.n)
    for x in range(hom.n):
        for y in range(hom.n):
            a = min(values[x, y], np.exp(-f[y]))
            b = np.exp(-g[y])
            out[x] = min(out[x], 1.0 if a <= b else b / a)
    return out


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, variance=VARIANCE)
def test_implication_is_the_published_formula_and_a_presheaf(seed: int, variance: pe.hom.Variance) -> None:
    category = some_category(seed)
    names = category.texts
    rng = np.random.default_rng(seed)
    f, g, h = (pl.meaning(category, names[i], variance) for i in rng.integers(0, len(names), 3))
    found = f.implies(g)
    assert np.exp(-found.distances) == pytest.approx(
        implication_by_hand(category.hom, f.distances, g.distances, variance), abs=1e-9
    )
    for one in (f, f.product(g), f.coproduct(g), found):
        assert one.defect() <= 1e-9
    # (f => g and h) = (f => g) and (f => h); (f or g => h) = (f => h) and (g => h).
    assert np.allclose(f.implies(g.product(h)).distances, f.implies(g).product(f.implies(h)).distances)
    assert np.allclose(f.coproduct(g).implies(h).distances, f.implies(h).product(g.implies(h)).distances)
    # f <= g iff the implication is the unit everywhere.
    assert (f.below(g) <= 1e-12) == bool((found.distances <= 1e-12).all())
    assert f.product(g).implies(g).distances.max() == 0
    # Detachment with the tensor: (f => g) (x) f <= g.
    assert (found.distances + f.distances >= g.distances - 1e-9).all()
    # From h and f <= g comes h <= (f => g).
    if h.product(f).below(g) <= 1e-12:
        assert h.below(found) <= 1e-9
    assert h.product(f).below(f) <= 1e-12


def test_the_converse_fails_for_the_minimum() -> None:
    """One object, values 1/2, 1/2, 1/4: 1/2 <= (1/2 => 1/4) = 1/2, and yet min(1/2, 1/2) > 1/4."""
    hom = pe.hom_from_distances([[0.0]], pe.COST)
    h = pl.Meaning("h", np.array([np.log(2)]), hom, "covariant", ("x",))
    g = pl.Meaning("g", np.array([np.log(4)]), hom, "covariant", ("x",))
    assert h.implies(g).distances[0] == pytest.approx(np.log(2))
    assert h.below(h.implies(g)) == pytest.approx(0)
    assert h.product(h).below(g) == pytest.approx(np.log(2))


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS, variance=VARIANCE)
def test_yoneda(seed: int, variance: pe.hom.Variance) -> None:
    category = some_category(seed)
    x, y = np.random.default_rng(seed).integers(0, len(category), 2)
    f, g = (pl.meaning(category, category.texts[i], variance) for i in (x, y))
    distance = category.hom.pairs([x], [y])[0] if variance == "contravariant" else category.hom.pairs([y], [x])[0]
    assert f.below(g) == pytest.approx(distance, abs=1e-9)
    # hom(h^x and f, g) is what the implication says at x.
    own = pl.meaning(category, category.texts[x], variance)
    assert own.product(g).below(f) == pytest.approx(g.implies(f).distances[x], abs=1e-9)
    assert f.nearest(1)[0][1] == 0


def test_product_with_the_text_itself_and_names() -> None:
    category = pl.prompt_category(random_model(2, 3, 2), ["ab", "ba", "aa"])
    f, g = pl.meaning(category, "ab", "contravariant"), pl.meaning(category, "ba", "contravariant")
    assert np.array_equal(f.product(f).distances, f.distances)
    assert f.product(g).name == "('ab' and 'ba')"
    assert "nearest 'ab' 0" in repr(f)
    assert f.coproduct(g).distances.max() <= f.distances.max()


def test_meanings_of_two_categories_do_not_mix() -> None:
    model = uniform_model(2)
    one, two = pl.prompt_category(model, ["a", "b"]), pl.prompt_category(model, ["a", "b"])
    with pytest.raises(InputError, match="one category"):
        pl.meaning(one, "a", "covariant").product(pl.meaning(two, "a", "covariant"))
    with pytest.raises(InputError, match="one category"):
        pl.meaning(one, "a", "covariant").product(pl.meaning(one, "a", "contravariant"))
    with pytest.raises(InputError, match="no object here"):
        pl.meaning(one, "ab", "covariant")
    with pytest.raises(InputError, match="variance"):
        pl.meaning(one, "a", "both")  # type: ignore[arg-type]


def test_entailments_by_hand() -> None:
    # Of one stated continuation "a": M = .1, .2, .8 after "x", "y", "z". x <= y <= z at distance 0, the way back ln 2, ln 4, ln 8.
    model = TableModel(
        "axyz", {(): (0.25,) * 4, (1,): (0.1, 0.9, 0, 0), (2,): (0.2, 0.8, 0, 0), (3,): (0.8, 0.2, 0, 0)}
    )
    category = pl.prompt_category(model, ["x", "y", "z"], ["a"])
    found = {(one.x, one.y): one for one in pl.entailments(category)}
    assert len(found) == 6
    assert found["x", "y"].distance == found["x", "z"].distance == found["y", "z"].distance == 0
    assert found["y", "x"].distance == pytest.approx(np.log(2))
    assert found["z", "x"].distance == pytest.approx(np.log(8))
    assert found["x", "z"].back == pytest.approx(np.log(8))
    # Pairs that share z or y with (z, y): (z, x) at ln 8, (x, y) at 0, itself at ln 4: two of three are as near.
    assert found["z", "y"].p == pytest.approx(2 / 3)
    assert found["x", "y"].unseen == 1
    assert [one.x for one in pl.entailments(category, within=0.0)] == ["x", "x", "y"]
    assert len(pl.entailments(category, count=2)) == 2


def test_claims_are_tested_among_themselves() -> None:
    model = random_model(3, 3, 5)
    category = pl.prompt_category(model, all_texts(3, 3))
    # Only the last two letters count: these differ in the first alone.
    claims = [("aab", "bab"), ("acb", "bcb")]
    found = pl.entailments(category, claims)
    assert [one.distance for one in found] == [0, 0]
    # 40 prompts; as near as the pair are only the other isomorphic ones: two more that end alike and one of two letters,
    # in the row and in the column, with the pair itself counted once.
    assert found[0].p == pytest.approx(5 / 77)
    assert found[0].adjusted == pytest.approx(10 / 77)
    assert {one.adjusted for one in pl.entailments(category)} == {1.0}
    with pytest.raises(InputError, match="two different"):
        pl.entailments(category, [("aab", "aab")])
    with pytest.raises(InputError, match="three prompts"):
        pl.entailments(pl.prompt_category(model, ["a", "b"]))


def test_null_is_uniform_when_prompts_are_alike() -> None:
    """Rows drawn alike: the share of claims with p <= .2 is about .2."""
    rng = np.random.default_rng(4)
    letters = "abcdefghij"
    low = 0
    for _ in range(200):
        rows = {(k,): tuple(rng.dirichlet(np.ones(10))) for k in range(10)}
        category = pl.prompt_category(TableModel(letters, {(): (0.1,) * 10, **rows}), list(letters))
        (one,) = pl.entailments(category, [("c", "h")])
        low += one.p <= 0.2
    assert abs(low / 200 - 0.2) < 4 * np.sqrt(0.2 * 0.8 / 200)


def test_why_names_the_continuation() -> None:
    model = TableModel("abc", {(): (0.2, 0.2, 0.6), (0,): (0.7, 0.2, 0.1)})
    category = pl.prompt_category(model, ["a", "b"])
    ((worst, ratio), *_) = category.why(0, 1)
    assert worst == "a"
    assert ratio == pytest.approx(np.log(3.5), abs=1e-6)
