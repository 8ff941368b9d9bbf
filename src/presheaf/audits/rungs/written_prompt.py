"""Rung: a prompt in words, scored by the language model itself, without labelled examples in it.

The label whose words are likeliest to come next wins, after the calibration that the choosing half preferred. All
templates are compared on the same rows of the choosing half, and what is printed is what the chosen one does on others.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from presheaf.audits.climb import Climb
from presheaf.audits.prompting_trial import Candidate, Origin, Trial
from presheaf.audits.prompts import UserPrompts, spoken, word_sets
from presheaf.audits.result import Rung
from presheaf.language.grid import Ask
from presheaf.language.templates import chat_of, grammar, parse_template
from presheaf.models.lm.base import LanguageModel
from presheaf.tables.task import Task

NAME = "written prompt"


def asks(trial: Trial) -> tuple[list[Ask], list[Origin]]:
    """The user's templates and the grammar's, each with every choice of label words."""
    return asks_of(trial.model, trial.task, trial.options.user)


def asks_of(model: LanguageModel, task: Task, user: UserPrompts) -> tuple[list[Ask], list[Origin]]:
    """The same for a model and a task; chat frames where the model's tokenizer has them."""
    choices = word_sets(task.classes, user)
    names = (spoken(task.text_column or "text"), spoken(task.label_column or "label"))
    own = [parse_template(written) for written in user.language]
    made = grammar(*names, choices, chat_of(getattr(model, "tokenizer", None)))
    mine = {template.written for template in own}
    templates = [*own, *(template for template in made if template.written not in mine)]
    origins: list[Origin] = ["user" if template.written in mine else "grammar" for template in templates]
    return [Ask(template, tuple(choices)) for template in templates], origins


def candidates(trial: Trial) -> list[Candidate]:
    """Every template with every choice of label words; the chosen one first, then by accuracy on the choosing half.

    Notes
    -----
    Cost: templates x (choosing + scoring rows + 3) questions; other label words share the prompt.
    """
    tried = trial.candidates("trying prompts", *asks(trial))
    return sorted(tried, key=lambda c: -c.choosing_accuracy)


def climb(trial: Trial, tried: Sequence[Candidate]) -> Climb:
    """Score the best of ``tried`` (first) on the scoring half.

    Notes
    -----
    Cost: one question for each row of the scoring half that was not asked before, at most 1,000.
    """
    best = tried[0]
    spread = sorted(float(trial.hits(c, 0).mean()) for c in tried)
    evidence = {
        "tried": len(tried),
        "choosing_rows": len(trial.choosing),
        "choosing_accuracy": best.choosing_accuracy,
        "template": best.template.written,
        "words": list(best.words),
        "calibrate": best.judged.calibrate,
        "templates": {
            "tried": len(tried),
            "rows": len(trial.scoring),
            "worst": spread[0],
            "median": float(np.median(spread)),
            "best": spread[-1],
        },
    }
    return trial.climb(
        "scoring the chosen prompt",
        NAME,
        best,
        Rung(
            NAME,
            "estimate",
            None,
            None,
            None,
            0,
            cost=f"1 prompt; {len(trial.choosing):,} labelled rows to choose by",
            detail=f"{said(best)} (best of {len(tried):,} tried)",
            nulls={"permuted labels": trial.permuted(tried)},
            evidence=evidence,
        ),
    )


def said(candidate: Candidate) -> str:
    """A prompt in one line."""
    words = " | ".join(candidate.words[:4]) + (" ..." if len(candidate.words) > 4 else "")
    calibrate = candidate.judged.calibrate
    how = "as the model says" if calibrate == "none" else f"calibrated ({calibrate})"
    return f"template {candidate.template.written!r}, words {words}, {how}"
