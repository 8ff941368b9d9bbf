"""IN01: rows merged at the input by case, accents, white space or order."""

from __future__ import annotations

from presheaf.audits.findings.base import Check, Evidence
from presheaf.audits.findings.input_merges import merged
from presheaf.audits.result import Finding

_REMEDY = {
    "case": "a cased model",
    "accents": "a model whose tokenizer keeps accents (cased or multilingual)",
    "white space": "a model whose tokenizer keeps white space (trained on code)",
    "order": "a model that reads order (a transformer, not a mean of word vectors)",
    "repetition": "a model that reads order (a transformer, not a mean of word vectors)",
    "punctuation": "a model whose tokenizer keeps punctuation",
    "compatibility forms": "normalise the texts to NFKC, or a byte-level model",
    "invisible characters": "remove invisible characters, or a byte-level model",
    "tokenizer": "a model with another tokenizer",
}


def _look(check: Check, evidence: Evidence) -> Finding:
    named = {cause for m in evidence.merges.merges if check.code in m.codes for cause in m.named}
    actions = list(dict.fromkeys(action for cause, action in _REMEDY.items() if cause in named))
    return merged(check, evidence, what="case, accents, white space or order", remedy="; ".join(actions))


CHECK = Check("IN01", "Rows merged at the input", "proof", _look)
