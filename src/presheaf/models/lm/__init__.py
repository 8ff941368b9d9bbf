"""Language models as sources: what follows a text, with which probability.

>>> from presheaf.models.lm import NGramModel, Question
>>> model = NGramModel.train(["the cat sat", "the dog sat", "the cat ran"], order=2)
>>> (score,) = model.score([Question("the cat", (" sat", " ran", " flew"))])
>>> score.round(2).tolist()
[-1.1, -1.22, -3.23]

`LanguageModel` is the protocol, `check_language_model` tests whoever keeps it. A name loads its own module when it is first
asked for: a causal network needs torch, an n-gram model and an endpoint don't.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.models.lm.base import LanguageModel, LocalLanguageModel, Question
    from presheaf.models.lm.causal import CausalLM
    from presheaf.models.lm.completions import CompletionsModel
    from presheaf.models.lm.contract import check_language_model
    from presheaf.models.lm.ngram import NGramModel
    from presheaf.models.lm.work import Work

_HOME = {
    "base": "LanguageModel LocalLanguageModel Question",
    "causal": "CausalLM",
    "completions": "CompletionsModel",
    "contract": "check_language_model",
    "ngram": "NGramModel",
    "work": "Work",
}

__all__ = [
    "CausalLM",
    "CompletionsModel",
    "LanguageModel",
    "LocalLanguageModel",
    "NGramModel",
    "Question",
    "Work",
    "check_language_model",
]

lazy(
    __name__,
    {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()},
    extra="lm",
)
