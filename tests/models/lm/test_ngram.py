"""The n-gram model against hand-made numbers and against the definition, written out without columns."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError
from presheaf.models.lm.base import LocalLanguageModel, Question
from presheaf.models.lm.contract import check_language_model
from presheaf.models.lm.counts import NGramCounts, stream_of
from presheaf.models.lm.kneser_ney import FALLBACK, discounts
from presheaf.models.lm.ngram import NGramModel
from presheaf.models.lm.units import Unit

HISTORY = ["the cat sat on the mat", "the dog sat on the cat", "a cat ate the fish", "the fish ate", "", "a dog"]
CORPORA = st.lists(st.lists(st.sampled_from("abcd"), max_size=9).map(" ".join), min_size=1, max_size=8).filter(
    lambda texts: any(texts)
)


def by_definition(texts: list[list[int]], order: int, size: int) -> Callable[[tuple[int, ...], int], float]:
    """p(token | history) by dictionaries and recursion, from the formulas in Chen and Goodman's report.

    The history may start with the begin symbol, ``size``.
    """
    raw: Counter[tuple[int, ...]] = Counter()
    for text in texts:
        whole = [size, *text, 1]
        raw.update(tuple(whole[i : i + m]) for m in range(1, order + 1) for i in range(len(whole) - m + 1))
    del raw[(size,)]
    adjusted = {
        gram: times if len(gram) == order or gram[0] == size else len({g[0] for g in raw if g[1:] == gram})
        for gram, times in raw.items()
    }
    taken = {
        m: (0.0, *discounts(np.array([c for gram, c in adjusted.items() if len(gram) == m]))[0])
        for m in range(1, order + 1)
    }

    def probability(history: tuple[int, ...], token: int) -> float:
        history = history[len(history) - min(len(history), order - 1) :]
        lower = probability(history[1:], token) if history else 1 / size
        seen = {gram[-1]: c for gram, c in adjusted.items() if gram[:-1] == history}
        if not seen:
            return lower
        d = taken[len(history) + 1]
        total = sum(seen.values())
        left = sum(d[min(c, 3)] for c in seen.values())
        own = seen.get(token, 0)
        return (own - d[min(own, 3)]) / total + left / total * lower

    return probability


def test_a_bigram_model_by_hand() -> None:
    # <s> a b </s> and <s> a a </s>: what precedes a: <s>, a; b: a; </s>: a, b. Fallback discounts .5, 1, 1.5 at both
    # orders (no count of 3). g() = (.5 + 2 * 1) / 5 = .5 over 4 tokens; g(<s>) = 1/2; g(a) = 1.5/3; g(b) = .5.
    model = NGramModel.train(["a b", "a a"], order=2)
    unknown, end, a, b = 0, 1, *model.tokens("a b")
    expected = {
        (): {unknown: 0.0625, end: 0.1625, a: 0.5 + 0.1625, b: 0.1125},
        (a,): {unknown: 0.0625, end: 1 / 6 + 0.1625, a: 1 / 6 + 0.1625, b: 1 / 6 + 0.1125},
        (b,): {unknown: 0.0625, end: 0.5 + 0.1625, a: 0.1625, b: 0.1125},
        (b, unknown): {unknown: 0.125, end: 0.325, a: 0.325, b: 0.225},
    }
    for history, row in expected.items():
        found = np.exp(model.next_log_probs([history])[0].astype(np.float64))
        np.testing.assert_allclose(found, [row[t] for t in range(4)], rtol=1e-6)
    (log_probs,) = model.token_log_probs([(a, b, end)])
    np.testing.assert_allclose(np.exp(log_probs), [0.6625, 1 / 6 + 0.1125, 0.6625], rtol=1e-14)


def test_discounts_by_hand() -> None:
    # n1..n4 = 4, 2, 1, 0: Y = 4/8, D1 = 1 - 2 Y 2/4, D2 = 2 - 3 Y 1/2, D3 = 3 - 0.
    assert discounts(np.array([1, 1, 1, 1, 2, 2, 3, 7])) == ((0.5, 1.25, 3.0), True)
    assert discounts(np.array([1, 1, 2])) == (FALLBACK, False)  # nothing occurs three times
    # n1..n4 = 1, 1, 1, 2 (Y = 1/3) give 1/3, 1, 1/3; one more 4 would make D3 = 3 - 4.
    np.testing.assert_allclose(discounts(np.array([1, 2, 3, 4, 4]))[0], (1 / 3, 1, 1 / 3), rtol=1e-12)
    assert discounts(np.array([1, 2, 3, 4, 4, 4])) == (FALLBACK, False)


@settings(max_examples=60, deadline=None)
@given(CORPORA, st.integers(1, 4))
def test_any_corpus_agrees_with_the_definition(texts: list[str], order: int) -> None:
    model = NGramModel.train(texts, order)
    size = model.vocabulary
    probability = by_definition([list(model.tokens(text)) for text in texts], order, size)
    prefixes = [p for n in range(3) for p in product(range(size), repeat=n)]
    found = model.next_log_probs(prefixes)
    expected = [[math.log(probability((size, *prefix), t)) for t in range(size)] for prefix in prefixes]
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)


@settings(max_examples=60, deadline=None)
@given(CORPORA, st.integers(1, 6), st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=6))
def test_probabilities_sum_to_one_after_every_history_and_sequences_are_products_of_them(
    texts: list[str], order: int, sequences: list[list[int]]
) -> None:
    model = NGramModel.train(texts, order)
    given_ = [tuple(min(t, model.vocabulary - 1) for t in sequence) for sequence in sequences]
    found = model.token_log_probs(given_)
    assert [len(f) for f in found] == [len(s) for s in given_]
    for sequence, values in zip(given_, found, strict=True):
        rows = model.next_log_probs([sequence[:i] for i in range(len(sequence) + 1)])
        np.testing.assert_allclose(np.exp(rows.astype(np.float64)).sum(1), 1, rtol=1e-6)
        np.testing.assert_allclose(values, rows[np.arange(len(sequence)), list(sequence)], atol=1e-6)
    stream = stream_of([(t,) for t in range(model.vocabulary)], model.vocabulary)
    assert model._smoothed.probabilities(stream)[1::2].sum() == pytest.approx(1, abs=1e-12)


@settings(max_examples=40, deadline=None)
@given(CORPORA, st.integers(1, 5), st.text("abcd ", max_size=12), st.lists(st.text("abz ", max_size=6), max_size=4))
def test_score_is_the_sum_over_the_answers_tokens(
    texts: list[str], order: int, prompt: str, answers: list[str]
) -> None:
    model = NGramModel.train(texts, order)
    (found,) = model.score([Question(prompt, tuple(answers))])
    head = model.tokens(prompt)
    whole = model.token_log_probs([(*head, *model.tokens(answer)) for answer in answers])
    np.testing.assert_allclose(found, [values[len(head) :].sum() for values in whole], rtol=1e-12, atol=1e-12)


def test_score_tells_each_question_once_in_any_company() -> None:
    model = NGramModel.train(HISTORY, 3)
    questions = [
        Question("the cat", (" sat", "", " sat on the mat", " zebra")),
        Question("", ("the",)),
        Question("the", ()),
        Question("the cat", (" sat", "", " sat on the mat", " zebra")),
    ]
    told: list[tuple[int, list[float]]] = []
    found = model.score(questions, lambda i, values: told.append((i, values.tolist())))
    assert sorted(told) == [(i, values.tolist()) for i, values in enumerate(found)]
    assert found[0][1] == 0.0
    assert found[2].shape == (0,)
    assert np.isfinite(np.concatenate(found)).all()
    for question, values in zip(questions, found, strict=True):
        np.testing.assert_array_equal(model.score([question])[0], values)
    assert model.score([]) == []


def test_ctrl_c_keeps_what_was_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("presheaf.models.lm.ngram._TOKENS_AT_ONCE", 20)
    model = NGramModel.train(HISTORY, 2)
    questions = [Question("the cat", (" sat", " ate")) for _ in range(10)]
    told: list[int] = []

    def stop(position: int, values: object) -> None:
        told.append(position)
        if position == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        model.score(questions, stop)
    assert told == [0, 1, 2, 3, 4]


def test_blocks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    model = NGramModel.train(HISTORY, 4)
    sequences = [model.tokens(text) for text in HISTORY]
    whole, rows = model.token_log_probs(sequences), model.next_log_probs(sequences)
    monkeypatch.setattr("presheaf.models.lm.ngram._TOKENS_AT_ONCE", 3)
    monkeypatch.setattr("presheaf.models.lm.kneser_ney._AT_ONCE", 1)
    for one, other in zip(model.token_log_probs(sequences), whole, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(model.next_log_probs(sequences), rows)


def test_it_keeps_the_protocol() -> None:
    model = NGramModel.train(HISTORY, 3)
    assert isinstance(model, LocalLanguageModel)
    assert model.window is None
    assert model.next_log_probs([]).shape == (0, model.vocabulary)
    assert [values.shape for values in model.token_log_probs([(), ()])] == [(0,), (0,)]
    question = Question("the cat sat on", (" the",))
    assert (model.count(question.prompt), model.lost(question)) == (4, 2)
    # What is lost can't matter, and what is not lost can.
    assert model.score([Question("a dog sat on", (" the",))])[0] == model.score([question])[0]
    assert model.score([Question("the cat ate on", (" the",))])[0] != model.score([question])[0]
    assert model.lost(Question("cat", ("",))) == 0


@pytest.mark.parametrize("unit", ["word", "character", "byte"])
def test_it_keeps_the_contract(unit: Unit) -> None:
    check_language_model(NGramModel.train(HISTORY, 4, unit), HISTORY, other=NGramModel.train(HISTORY, 3, unit))


def test_it_learns_what_it_reads() -> None:
    model = NGramModel.train(HISTORY, 3)
    sat, mat = model.score([Question("the cat", (" sat", " mat"))])[0]
    assert sat > mat + 1
    assert np.exp(model.next_log_probs([model.tokens("sat on")])[0]).argmax() == model.tokens("the")[0]


def test_texts_without_a_unit_count_as_empty_texts_and_none_at_all_is_an_error() -> None:
    assert NGramModel.train(["", "a"], 2).next_log_probs([()])[0, 1] > math.log(0.25)
    for texts in ([], [""], ["  \n", ""]):
        with pytest.raises(InputError, match="nothing to train on"):
            NGramModel.train(texts)


@pytest.mark.parametrize("order", [0, 13, 2.0, True, "3"])
def test_orders_out_of_range(order: int) -> None:
    with pytest.raises(InputError, match="'order' must be a whole number from 1 to 12"):
        NGramModel.train(HISTORY, order)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(InputError, match="'unit' must be one of word, character, byte; got 'letter'"):
        NGramModel.train(HISTORY, unit="letter")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="one string"):
        NGramModel.train("a text")
    model = NGramModel.train(["a"], 2)
    for ask in (model.next_log_probs, model.token_log_probs):
        with pytest.raises(InputError, match="has tokens 0 to 2; got 3"):
            ask([(1,), (0, 3)])
    with pytest.raises(InputError, match="got -1"):
        model.text([-1])


def test_more_text_than_an_order_can_hold_leaves_empty_tables() -> None:
    model = NGramModel.train(["a", "b"], 12)
    assert [len(keys) for keys in model.counts.keys] == [5, 4, 2, *[0] * 9]
    np.testing.assert_allclose(np.exp(model.next_log_probs([(2, 3, 2, 3)])).sum(), 1, rtol=1e-6)


def test_n_grams_are_found_where_they_occur_and_nowhere_else() -> None:
    sequences = [[2, 3, 2], [3, 3], []]
    stream = stream_of(sequences, 4)
    counts = NGramCounts.of(stream, 3)
    np.testing.assert_array_equal(stream.tokens, [4, 2, 3, 2, 4, 3, 3, 4])
    for m, rows in enumerate(counts.rows(stream), start=1):
        whole = [tuple(stream.tokens[max(0, i - m + 1) : i + 1]) for i in range(len(stream.tokens))]
        inside = [len(gram) == m and 4 not in gram[1:] for gram in whole]
        assert (rows >= 0).tolist() == inside
        named = {gram: row for gram, row, ok in zip(whole, rows, inside, strict=True) if ok}
        assert len(set(named.values())) == len(named)
    strange = counts.rows(stream_of([[2, 2]], 4))
    assert strange[1].tolist() == [-1, 0 + counts.keys[1].tolist().index(4 * 5 + 2), -1]


def test_fingerprint_and_info_say_what_it_is() -> None:
    model = NGramModel.train(HISTORY, 3)
    assert model.fingerprint == NGramModel.train(list(HISTORY), 3).fingerprint
    others = [NGramModel.train(HISTORY, 2), NGramModel.train(HISTORY[1:], 3), NGramModel.train(HISTORY, 3, "character")]
    assert len({model.fingerprint, *(other.fingerprint for other in others)}) == 4
    said = dict(model.info.settings)
    assert (model.info.kind, said["order"], said["unit"]) == ("ngram", "3", "word")
    assert "3" in said["orders with fallback discounts"]
