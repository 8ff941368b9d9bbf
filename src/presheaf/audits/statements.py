"""Which statement of the theory each rung stands on. docs/theory.md says what it claims and what it does not."""

from __future__ import annotations

from typing import Final

NONE: Final = "none"

STATEMENTS: Final = {
    "majority class": NONE,
    "one prompt per label": "T1",
    "written prompt": "T1",
    "few-shot prompt": "T1, a prompt with examples",
    "k prompts per label": "T1, colimits of prompts (rotation corollary)",
    "soft prompt": "T1, prompts in feature space",
    "tuned soft prompt": "T1, prompts in embedding space",
    "layer probe": "T2",
    "head": "T2",
    "fine-tune forecast": "T2",
    "fine-tuned (LoRA)": "T2",
    "fine-tuned (last layers)": "T2",
    "input ceiling": "T2, up to symmetry",
    "label ceiling": "T2, up to symmetry",
}
"""By the name of a rung. T1, T2: Theorems 1 and 2 of Yuan, On the Power of Foundation Models. Whether the rung's number is a
proof or an estimate is said by its kind."""


def statement(rung: str) -> str:
    """The statement a rung stands on; "none" for baselines."""
    return STATEMENTS.get(rung, NONE)
