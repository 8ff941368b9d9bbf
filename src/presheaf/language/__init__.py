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
    from presheaf.language.calibrate import CALIBRATIONS, CONTENT_FREE, Judged, contextual_shift, fitted_shift, judge
    from presheaf.language.composition_check import (
        BrokenComposition,
        CompositionCheck,
        check_composition,
        split_prefixes,
    )
    from presheaf.language.continuations import Continuations, sample_continuations, state_continuations
    from presheaf.language.entailment import Entailment, entailments
    from presheaf.language.exemplars import draw_examples
    from presheaf.language.fine_tune import FineTuned, fine_tune
    from presheaf.language.grid import Answers, Ask, score_grid
    from presheaf.language.label_scores import LabelScores, TorchLanguageModel
    from presheaf.language.layer_probe import LayeredModel, LayerProbe, LayerScore, probe_layers
    from presheaf.language.lora_audit import LoraAudit, lora_audit
    from presheaf.language.lora_distance import ChangeDistance, change_distance
    from presheaf.language.lora_factors import Change, LowRank, gauge_fixed, principal_angles
    from presheaf.language.lora_forgetting import Forgetting, ScaledPoint, forgetting
    from presheaf.language.lora_layer import Intruder, LayerChange, layer_change
    from presheaf.language.lora_variant import pruned, rounded, with_adapter
    from presheaf.language.lora_weights import Adapter, read_adapter, write_adapter
    from presheaf.language.meaning import Meaning, meaning
    from presheaf.language.prompt_hom import PromptCategory, prompt_category
    from presheaf.language.score_store import ScoreStore, question_key
    from presheaf.language.soft_prompt import TunedSoftPrompt, tune_soft_prompt
    from presheaf.language.templates import Chat, Template, chat_of, grammar, parse_template
    from presheaf.language.text_category import TextCategory, text_category
    from presheaf.language.text_magnitude import TextMagnitude, text_magnitude
    from presheaf.language.token_rates import TokenRate, token_rates
    from presheaf.language.token_splits import BrokenSplit, Concatenation, concatenations
    from presheaf.language.tokenizer import TokenizerCheck, VariantMerges, tokenizer_check
    from presheaf.language.training import Budget, Trained

_HOME = {
    "calibrate": "CALIBRATIONS CONTENT_FREE Judged contextual_shift fitted_shift judge",
    "composition_check": "BrokenComposition CompositionCheck check_composition split_prefixes",
    "continuations": "Continuations sample_continuations state_continuations",
    "entailment": "Entailment entailments",
    "exemplars": "draw_examples",
    "fine_tune": "FineTuned fine_tune",
    "grid": "Answers Ask score_grid",
    "label_scores": "LabelScores TorchLanguageModel",
    "layer_probe": "LayerProbe LayerScore LayeredModel probe_layers",
    "lora_audit": "LoraAudit lora_audit",
    "lora_distance": "ChangeDistance change_distance",
    "lora_factors": "Change LowRank gauge_fixed principal_angles",
    "lora_forgetting": "Forgetting ScaledPoint forgetting",
    "lora_layer": "Intruder LayerChange layer_change",
    "lora_variant": "pruned rounded with_adapter",
    "lora_weights": "Adapter read_adapter write_adapter",
    "meaning": "Meaning meaning",
    "prompt_hom": "PromptCategory prompt_category",
    "score_store": "ScoreStore question_key",
    "soft_prompt": "TunedSoftPrompt tune_soft_prompt",
    "templates": "Chat Template chat_of grammar parse_template",
    "text_category": "TextCategory text_category",
    "text_magnitude": "TextMagnitude text_magnitude",
    "token_rates": "TokenRate token_rates",
    "token_splits": "BrokenSplit Concatenation concatenations",
    "tokenizer": "TokenizerCheck VariantMerges tokenizer_check",
    "training": "Budget Trained",
}

__all__ = [
    "CALIBRATIONS",
    "CONTENT_FREE",
    "Adapter",
    "Answers",
    "Ask",
    "BrokenComposition",
    "BrokenSplit",
    "Budget",
    "Change",
    "ChangeDistance",
    "Chat",
    "CompositionCheck",
    "Concatenation",
    "Continuations",
    "Entailment",
    "FineTuned",
    "Forgetting",
    "Intruder",
    "Judged",
    "LabelScores",
    "LayerChange",
    "LayerProbe",
    "LayerScore",
    "LayeredModel",
    "LoraAudit",
    "LowRank",
    "Meaning",
    "PromptCategory",
    "ScaledPoint",
    "ScoreStore",
    "Template",
    "TextCategory",
    "TextMagnitude",
    "TokenRate",
    "TokenizerCheck",
    "TorchLanguageModel",
    "Trained",
    "TunedSoftPrompt",
    "VariantMerges",
    "change_distance",
    "chat_of",
    "check_composition",
    "concatenations",
    "contextual_shift",
    "draw_examples",
    "entailments",
    "fine_tune",
    "fitted_shift",
    "forgetting",
    "gauge_fixed",
    "grammar",
    "judge",
    "layer_change",
    "lora_audit",
    "meaning",
    "parse_template",
    "principal_angles",
    "probe_layers",
    "prompt_category",
    "pruned",
    "question_key",
    "read_adapter",
    "rounded",
    "sample_continuations",
    "score_grid",
    "split_prefixes",
    "state_continuations",
    "text_category",
    "text_magnitude",
    "token_rates",
    "tokenizer_check",
    "tune_soft_prompt",
    "with_adapter",
    "write_adapter",
]

lazy(
    __name__,
    {name: f"{__name__}.{module}" for module, names in _HOME.items() for name in names.split()},
    extra="lm",
)
