"""Language models: prompting measured for real, and the category a language model makes of text.

>>> import presheaf.language as pl
>>> from presheaf.models.lm.ngram import NGramModel
>>> model = NGramModel.train(["the cat sat", "the dog sat", "the cat ran"], order=2)
>>> pl.text_category(model, ["the", "the cat", "the cat sat"])
TextCategory(word 2-gram: 3 texts given, 3 objects, 2 right after another, 1 after none)

A name loads its own module when it is first asked for, so that ``import presheaf.language`` costs nothing. Where a name and
its module are spelt alike (``meaning``), ``pl.meaning`` is the function and ``from presheaf.language.meaning import ...``
reaches the module.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from presheaf.lazy import lazy

if TYPE_CHECKING:
    from presheaf.language.composition_check import BrokenComposition, CompositionCheck, check_composition
    from presheaf.language.continuations import Continuations, sample_continuations, state_continuations
    from presheaf.language.entailment import Entailment, entailments
    from presheaf.language.meaning import Meaning, meaning
    from presheaf.language.prompt_hom import PromptCategory, prompt_category
    from presheaf.language.text_category import TextCategory, text_category
    from presheaf.language.text_magnitude import TextMagnitude, text_magnitude
    from presheaf.language.tokenizer import TokenizerCheck, tokenizer_check

_HOME = {
    "composition_check": "BrokenComposition CompositionCheck check_composition",
    "continuations": "Continuations sample_continuations state_continuations",
    "entailment": "Entailment entailments",
    "meaning": "Meaning meaning",
    "prompt_hom": "PromptCategory prompt_category",
    "text_category": "TextCategory text_category",
    "text_magnitude": "TextMagnitude text_magnitude",
    "tokenizer": "TokenizerCheck tokenizer_check",
}

__all__ = [
    "BrokenComposition",
    "CompositionCheck",
    "Continuations",
    "Entailment",
    "Meaning",
    "PromptCategory",
    "TextCategory",
    "TextMagnitude",
    "TokenizerCheck",
    "check_composition",
    "entailments",
    "meaning",
    "prompt_category",
    "sample_continuations",
    "state_continuations",
    "text_category",
    "text_magnitude",
    "tokenizer_check",
]

lazy(__name__, {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()})
