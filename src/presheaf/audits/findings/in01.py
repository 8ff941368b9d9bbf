"""IN01: rows merged at the input: texts by case, accents, white space or order, images by size, crop or colour."""

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
    "file format": "one picture, stored twice: keep one of the files, or give them one label",
    "size": "a model with a larger input, or crops of the part that matters",
    "crop": "a model that reads the whole image (option how=squash), or move what matters to the middle",
    "colour": "a model that reads colour",
    "fine detail": "a model with a larger input, or crops of the part that matters",
}


def _look(check: Check, evidence: Evidence) -> Finding:
    named = {cause for m in evidence.merges.merges if check.code in m.codes for cause in m.named}
    actions = list(dict.fromkeys(action for cause, action in _REMEDY.items() if cause in named))
    texts = "case, accents, white space or order"
    images = "resizing, cropping or colour conversion"
    what = images if evidence.context.task.media == "image" else texts
    return merged(check, evidence, what=what, remedy="; ".join(actions))


CHECK = Check("IN01", "Rows merged at the input", "proof", _look)
