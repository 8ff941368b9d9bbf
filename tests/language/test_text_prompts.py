"""The hom on prompts: lawful by construction, against brute force; KL breaks the law it keeps."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from text_toys import TableModel, all_texts, probability, random_model, uniform_model

import presheaf.enriched as pe
import presheaf.language as pl
from presheaf.errors import InputError


def by_hand(model: TableModel, prompts: list[tuple[int, ...]], continuations: list[tuple[int, ...]]) -> np.ndarray:
    rows = np.array([[probability(model, x, (*x, *c)) for c in continuations] for x in prompts])
    out = np.zeros((len(prompts), len(prompts)))
    for i, p in enumerate(rows):
        for j, q in enumerate(rows):
            for a, b in zip(p, q, strict=True):
                if a > 0:
                    out[i, j] = max(out[i, j], np.inf if b == 0 else np.log(a / b))
    return out


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), which=st.sampled_from(["next", "stated", "sampled"]), zeros=st.booleans())
def test_d_inf_against_brute_force_and_its_laws(seed: int, which: str, zeros: bool) -> None:
    model = random_model(3, 3, seed, zeros)
    prompts = all_texts(3, 2)
    if which == "next":
        chosen, listed = None, [(a,) for a in range(3)]
    elif which == "stated":
        chosen = listed = [(0,), (0, 1), (2, 2, 1)]
    else:
        chosen = pl.sample_continuations(model, prompts, count=2, length=3, seed=seed)
        listed = list(chosen.tokens)
    category = pl.prompt_category(model, prompts, chosen)
    distances = category.hom.dense(1 << 20)
    expected = by_hand(model, prompts, listed)
    assert np.array_equal(np.isinf(distances), np.isinf(expected))
    finite = np.isfinite(expected)
    assert distances[finite] == pytest.approx(expected[finite], abs=2e-6)
    through = (distances[:, :, None] + distances[None]).min(axis=1)
    assert (distances <= through + 1e-12).all()
    assert (distances.diagonal() == 0).all()
    x, y = np.divmod(np.arange(len(category) ** 2), len(category))
    lazy = pl.prompt_hom.LogRows(category.logs)
    assert np.array_equal(lazy.pairs(x, y), distances.ravel())
    assert np.array_equal(lazy.block(slice(0, 13), np.arange(13), np.float64), distances)


def test_one_step_of_directedness_by_hand() -> None:
    # After "a" the next letter is a with .9, after "b" with .5: ln(.9/.5) one way, ln(.5/.1) back.
    model = TableModel("ab", {(): (0.5, 0.5), (0,): (0.9, 0.1)})
    d = pl.prompt_category(model, ["a", "b"]).hom.dense(1 << 10)
    assert d[0, 1] == pytest.approx(np.log(9 / 5), abs=1e-6)
    assert d[1, 0] == pytest.approx(np.log(5), abs=1e-6)


def test_kl_breaks_the_triangle_law_that_d_inf_and_variation_keep() -> None:
    model = random_model(4, 3, 11)
    category = pl.prompt_category(model, all_texts(4, 2))
    for hom in (category.hom, category.total_variation, category.hellinger, category.under(pe.jensen_shannon())):
        assert pe.laws(hom, triples=5000).largest <= 1e-6
    kl = category.under(pe.kullback_leibler(unlawful=True)).dense(1 << 20)
    assert (kl - (kl[:, :, None] + kl[None]).min(axis=1)).max() > 0.1
    with pytest.raises(InputError, match="triangle law"):
        pe.kullback_leibler()


def test_variation_and_hellinger_by_hand() -> None:
    model = TableModel("abc", {(): (0.5, 0.3, 0.2), (0,): (0.2, 0.2, 0.6)})
    category = pl.prompt_category(model, ["a", "b"])
    p, q = np.array([0.2, 0.2, 0.6]), np.array([0.5, 0.3, 0.2])
    assert category.total_variation.dense(1 << 10)[0, 1] == pytest.approx(np.abs(p - q).sum() / 2, abs=1e-6)
    root = np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)
    assert category.hellinger.dense(1 << 10)[0, 1] == pytest.approx(root, abs=1e-6)
    # Of stated continuations: what is left over is one more.
    stated = pl.prompt_category(model, ["a", "b"], ["c"])
    assert stated.total_variation.dense(1 << 10)[0, 1] == pytest.approx(0.4, abs=1e-9)


def test_overlapping_continuations_have_d_inf_but_no_variation() -> None:
    category = pl.prompt_category(uniform_model(2), ["a", "b"], ["a", "ab"])
    assert category.hom.dense(1 << 10).max() == 0
    with pytest.raises(InputError, match="begins another"):
        _ = category.total_variation


def test_floor_makes_distances_finite_and_is_counted() -> None:
    model = TableModel("ab", {(): (0.5, 0.5), (0,): (1.0, 0.0)})
    assert pl.prompt_category(model, ["a", "b"]).hom.dense(1 << 10)[1, 0] == np.inf
    floored = pl.prompt_category(model, ["a", "b"], floor=1e-3)
    assert floored.floored == 1
    assert floored.hom.dense(1 << 10)[1, 0] == pytest.approx(np.log(0.5 / 1e-3), abs=1e-5)
    assert "floored at 0.001" in floored.hom.name
    assert floored.total_variation.dense(1 << 10)[0, 1] == pytest.approx(0.5, abs=1e-6)


def test_d_inf_over_fewer_continuations_is_no_larger() -> None:
    model = random_model(3, 3, 4)
    full = pl.prompt_category(model, all_texts(3, 2)).hom.dense(1 << 20)
    some = pl.prompt_category(model, all_texts(3, 2), [(0,), (2,)]).hom.dense(1 << 20)
    assert (some <= full + 1e-6).all()


def test_samples_follow_the_model_and_the_seed() -> None:
    model = TableModel("ab", {(): (0.25, 0.75), (0,): (1.0, 0.0)})
    drawn = pl.sample_continuations(model, ["b"], count=20_000, length=1, seed=3)
    assert drawn.draws == 20_000
    assert sorted(drawn.tokens) == [(0,), (1,)]
    # Share of "a" among draws of one letter: 1/4, to 5 standard errors.
    from presheaf.language import continuations

    chance = np.random.default_rng(3).random(20_000)
    tokens = continuations._draw(model, [(1,)] * 20_000, chance)
    assert abs(np.mean(np.array(tokens) == 0) - 0.25) < 5 * np.sqrt(0.25 * 0.75 / 20_000)
    # After "a" nothing but "a" can come.
    assert pl.sample_continuations(model, ["a"], count=50, length=4, seed=1).tokens == ((0, 0, 0, 0),)
    one, two = (pl.sample_continuations(model, ["b", "a"], count=5, length=6, seed=9) for _ in range(2))
    assert one == two


def test_samples_do_not_depend_on_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    model = random_model(3, 3, 8)
    whole = pl.sample_continuations(model, all_texts(3, 2), count=4, length=5, seed=2)
    monkeypatch.setattr("presheaf.language.continuations.ROWS_BYTES", 1)
    assert pl.sample_continuations(model, all_texts(3, 2), count=4, length=5, seed=2) == whole


def test_the_unseen_share_covers() -> None:
    """95 % of the time no more than ``unseen`` of further draws pass the largest ratio among those drawn."""
    rng = np.random.default_rng(0)
    weights = rng.dirichlet(np.ones(200))
    ratio = rng.normal(size=200)
    unseen = 1 - 0.05 ** (1 / 40)
    passes = [weights[ratio > ratio[rng.choice(200, 40, p=weights)].max()].sum() <= unseen for _ in range(2000)]
    assert np.mean(passes) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 2000)
    drawn = pl.sample_continuations(random_model(3, 2, 0), ["a", "b"], count=20, length=8)
    assert drawn.unseen == pytest.approx(unseen)


def test_enriched_engine_runs_on_it_unchanged() -> None:
    model = random_model(3, 4, 21)
    category = pl.prompt_category(model, all_texts(3, 3))
    hom = category.hom
    labels = np.array([sum(text) % 2 for text in category.texts])
    task = pe.class_task(hom, labels == 1, off=2.0)
    assert pe.representability_defects(hom, task, "contravariant").rho.shape == (hom.n,)
    own = hom.row(5, "contravariant")
    assert pe.representability_defects(hom, own, "contravariant").rho[5] == 0
    assert pe.fit_weights(hom, own, [5], "contravariant").error == 0
    curve = pe.prompt_curve(hom, own, "contravariant", 2)
    assert curve.low[0] == curve.high[0] == 0
    asked = pe.representability(hom, own, "contravariant", margin=0.5, rounds=9)
    assert asked.lawful
    assert asked.quantale == "probability"
    sandwich = pe.kan_sandwich(hom, np.arange(hom.n), own, "contravariant")
    assert sandwich.upper == pytest.approx(own, abs=1e-12)
    assert sandwich.lower == pytest.approx(own, abs=1e-12)


def test_ceiling_of_isomorphic_prompts_that_are_labelled_apart() -> None:
    # Only the last letter counts, so "ab" and "bb" are one object to this model; "aa" is another.
    category = pl.prompt_category(random_model(2, 2, 3), ["ab", "bb", "aa"])
    assert category.hom.dense(1 << 10)[0, 1] == 0
    pairs = pe.close_pairs(category.hom, 0.0, pe.ISOMORPHISM_CLASSES.reading)
    curve = pe.ceiling_curve(pairs, [0, 1, 0], pe.ISOMORPHISM_CLASSES, [0.0])
    assert curve.strict is not None
    assert curve.strict[0] == pytest.approx(2 / 3)
    assert curve.margin[0] == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("prompts", "continuations", "words"),
    [([], None, "at least one"), (["a"], [], "got none"), (["a"], [""], "an empty one"), (["a"], "ab", "one string")],
)
def test_hostile_input_is_named(prompts: list[str], continuations: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        pl.prompt_category(uniform_model(2), prompts, continuations)  # type: ignore[arg-type]


def test_limits_are_named() -> None:
    with pytest.raises(InputError, match="limit_bytes"):
        pl.prompt_category(uniform_model(2), ["a", "b"], limit_bytes=8)
    with pytest.raises(InputError, match="floor"):
        pl.prompt_category(uniform_model(2), ["a"], floor=1.0)
    narrow = TableModel("ab", {(): (0.5, 0.5)}, window=3)
    with pytest.raises(InputError, match="window of 3"):
        pl.prompt_category(narrow, ["aa"], ["ab"])
    with pytest.raises(InputError, match="count and length"):
        pl.sample_continuations(narrow, ["a"], count=0, length=1)
