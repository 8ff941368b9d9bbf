"""The contract of language models must be able to fail: each source below has one flaw, and its clause is known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from small_lm import TEXTS, llama, save_causal

from presheaf.models import ContractError
from presheaf.models.lm.base import Question, Tokens
from presheaf.models.lm.causal import CausalLM
from presheaf.models.lm.contract import check_language_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> CausalLM:
    path = tmp_path_factory.mktemp("llama")
    save_causal(path, llama())
    return CausalLM(str(path), window=60)


class Flawed(CausalLM):
    """A real source that shares another one's members, some of them changed."""

    def __init__(self, model: CausalLM, **members: Any) -> None:
        self.__dict__.update(model.__dict__)
        self._members = members

    def __getattribute__(self, name: str) -> Any:
        members = object.__getattribute__(self, "__dict__").get("_members", {})
        return members[name] if name in members else object.__getattribute__(self, name)


def changed_scores(change: Callable[[int, np.ndarray], np.ndarray], told: bool = True) -> Callable[..., Any]:
    def flaw(model: CausalLM) -> dict[str, Any]:
        def score(questions: Sequence[Question], on_scored: Any = None) -> list[np.ndarray]:
            scores = [change(place, one) for place, one in enumerate(model.score(questions))]
            if on_scored is not None and told:
                for place, one in enumerate(scores):
                    on_scored(place, one)
            return scores

        return {"score": score}

    return flaw


def swallowing(model: CausalLM) -> dict[str, Any]:
    def score(questions: Sequence[Question], on_scored: Any = None) -> list[np.ndarray]:
        try:
            return model.score(questions, on_scored)
        except KeyboardInterrupt:
            return []

    return {"score": score}


def keeps_the_head(model: CausalLM) -> dict[str, Any]:
    def score(questions: Sequence[Question], on_scored: Any = None) -> list[np.ndarray]:
        cut = [Question(model.text(model.tokens(one.prompt)[:30]), one.answers) for one in questions]
        return model.score(cut, on_scored)

    return {"score": score}


def scaled_rows(model: CausalLM) -> dict[str, Any]:
    return {"next_log_probs": lambda prefixes: model.next_log_probs(prefixes) + np.float32(0.01)}


def forgetful(model: CausalLM) -> dict[str, Any]:
    def token_log_probs(sequences: Sequence[Tokens]) -> list[np.ndarray]:
        return [
            np.concatenate([model.token_log_probs([one[:3]])[0], *model.token_log_probs([one[3:]])])
            for one in sequences
        ]

    return {"token_log_probs": token_log_probs}


FLAWS: dict[str, tuple[Callable[[CausalLM], dict[str, Any]], str]] = {
    "a float32 array": (changed_scores(lambda _, one: one.astype(np.float32)), "shape"),
    "an answer too few": (changed_scores(lambda _, one: one[:-1]), "shape"),
    "probabilities above 1": (changed_scores(lambda _, one: one + (one != 0) * 50), "probability"),
    "an empty answer that costs": (changed_scores(lambda _, one: one - 1), "answers"),
    "depends on the place": (changed_scores(lambda place, one: one * (1 + 0.01 * place)), "order"),
    "tells nobody": (changed_scores(lambda _, one: one, told=False), "told"),
    "swallows an interrupt": (swallowing, "interrupt"),
    "answers by place": (changed_scores(lambda _, one: one * np.linspace(1, 1.1, len(one))), "batch"),
    "loses the end": (keeps_the_head, "window"),
    "rows that don't sum to 1": (scaled_rows, "sum"),
    "forgets the beginning": (forgetful, "chain"),
    "a count of characters": (lambda model: {"count": len}, "tokens"),
    "a constant fingerprint": (lambda model: {"fingerprint": "same"}, "fingerprint"),
}


@pytest.mark.parametrize("name", FLAWS)
def test_a_flaw_is_named(model: CausalLM, name: str) -> None:
    flaw, clause = FLAWS[name]
    with pytest.raises(ContractError, match=f"clause '{clause}'"):
        check_language_model(Flawed(model, **flaw(model)), TEXTS[:4])


def test_without_a_flaw_it_passes(model: CausalLM) -> None:
    check_language_model(Flawed(model), TEXTS[:4])


def test_an_unchanged_fingerprint_of_another_setting(model: CausalLM) -> None:
    with pytest.raises(ContractError, match="another setting"):
        check_language_model(model, TEXTS[:4], other=model)
