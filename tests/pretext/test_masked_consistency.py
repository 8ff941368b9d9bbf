"""Consistency of masked conditionals: 0 for a real joint law, and a defect known by hand for one that is none."""

from __future__ import annotations

from math import log
from types import SimpleNamespace

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("tokenizers")

from text_worlds import sentences, steps  # noqa: E402

from presheaf.errors import InputError  # noqa: E402
from presheaf.pretext.masked_consistency import masked_consistency  # noqa: E402
from presheaf.pretext.masked_text import MaskedText  # noqa: E402

MASK, FIRST = 1, 2
"""Token ids: 0 is [CLS], 1 is [MASK], 2 and 3 are the words "a" and "b"."""


class Words:
    """A tokenizer of two words and a start token."""

    mask_token_id = MASK

    def __call__(self, text: str, truncation: bool, return_special_tokens_mask: bool) -> dict[str, list[int]]:
        tokens = [FIRST + "ab".index(word) for word in text.split()]
        return {"input_ids": [0, *tokens], "special_tokens_mask": [1, *(0 for _ in tokens)]}


class Conditionals(torch.nn.Module):
    """Texts of two words: p(first | second) and p(second | first) by tables, and the laws of each where both are masked."""

    def __init__(self, first: np.ndarray, second: np.ndarray, alone: tuple[np.ndarray, np.ndarray]) -> None:
        super().__init__()
        self.tables, self.alone, self.device = (first, second), alone, torch.device("cpu")

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SimpleNamespace:
        assert not self.training
        logits = torch.full((*input_ids.shape, 4), -1e9, dtype=torch.float64)
        for row, (_, first, second) in enumerate(input_ids.tolist()):
            for place, other in ((0, second), (1, first)):
                law = self.alone[place] if other == MASK else self.tables[place][other - FIRST]
                logits[row, 1 + place, FIRST:] = torch.from_numpy(np.log(law))
        return SimpleNamespace(logits=logits)


def test_conditionals_of_a_joint_law_are_consistent() -> None:
    joint = np.array([[0.5, 0.1], [0.15, 0.25]])
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    network = Conditionals((joint / columns).T, joint / rows[:, None], (rows, columns))
    found = masked_consistency(network, Words(), ["a a", "a b", "b a", "b b"])
    assert found.defect.value == pytest.approx(0, abs=1e-12)
    expected = np.abs(np.log(joint / np.outer(rows, columns))).mean()
    assert found.dependence.value == pytest.approx(expected)
    assert found.relative == pytest.approx(0, abs=1e-12)
    assert (found.pairs, found.skipped) == (4, 0)
    assert network.training


def test_a_defect_known_by_hand() -> None:
    # Alone each word is 1/2. The second follows the first by 3/4; the first ignores the second: ln(3/4 / 1/2) on one side, 0 on
    # the other for "a a" and "b b"; ln(1/4 / 1/2) and 0 for "a b".
    half = np.array([0.5, 0.5])
    table = np.array([[0.75, 0.25], [0.25, 0.75]])
    network = Conditionals((np.array([half, half])), table, (half, half))
    found = masked_consistency(network, Words(), ["a a", "b b", "a b", "a"])
    values = np.array([log(1.5), log(1.5), log(2)])
    assert found.defect.value == pytest.approx(values.mean())
    assert found.dependence.value == pytest.approx(values.mean() / 2)
    assert found.relative == pytest.approx(2)
    half_width = 4.302652729911275 * values.std(ddof=1) / np.sqrt(3)  # Student's t, 2 degrees of freedom, 97.5 %
    assert found.defect.high == pytest.approx(values.mean() + half_width)
    assert (found.pairs, found.skipped) == (3, 1)


def test_a_trained_network_depends_on_its_context_and_is_not_quite_consistent() -> None:
    data = sentences()
    task = MaskedText(vocabulary=300, window=16, dim=32, layers=2, heads=2)
    torch.manual_seed(0)
    network = task.network(data)
    tokenizer = network.vocabulary.for_transformers(network.window)
    before = masked_consistency(network.model, tokenizer, data.test[:40])
    steps(task, network, data, 120, batch=16, rate=1e-2)
    after = masked_consistency(network.model, tokenizer, data.test[:40])
    # Random weights hardly look at the context, so they have little to be inconsistent about.
    assert before.dependence.high < 0.2
    assert after.dependence.low > before.dependence.high
    assert after.defect.low > before.defect.high
    assert 0 < after.relative <= 2
    assert masked_consistency(network.model, tokenizer, data.test[:40]) == after


def test_what_cannot_be_measured_is_said() -> None:
    half = np.array([0.5, 0.5])
    network = Conditionals((np.array([half, half])), np.array([half, half]), (half, half))
    with pytest.raises(InputError, match="Two texts"):
        masked_consistency(network, Words(), ["a b", "a", ""])
    with pytest.raises(InputError, match="no mask token"):
        masked_consistency(network, SimpleNamespace(mask_token_id=None), ["a b"])
    with pytest.raises(InputError, match="at least 1"):
        masked_consistency(network, Words(), ["a b"], pairs=0)
