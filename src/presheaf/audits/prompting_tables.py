"""What a user asks of prompts that were tried: which rows they disagree on, what a word carries, how far they spread."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.prompting_result import Disagreement, WordEffect, WrittenPrompt
from presheaf.audits.prompting_trial import FOLDS, Candidate, Trial
from presheaf.language.calibrate import judge
from presheaf.statistics.splits import folds

ROWS_SHOWN = 10


def written(trial: Trial, candidate: Candidate, chosen: bool) -> WrittenPrompt:
    """A prompt with its numbers on the scoring rows that prompts are tried on, under each calibration."""
    raw, contextual, calibrated = (trial.score(trial.hits(candidate, which)) for which in range(3))
    return WrittenPrompt(
        candidate.template.written,
        tuple(zip(trial.task.classes, candidate.words, strict=True)),
        candidate.origin,
        candidate.choosing_accuracy,
        raw,
        contextual,
        calibrated,
        chosen,
        candidate.judged.calibrate,
    )


def spread(trial: Trial, candidates: Sequence[Candidate], which: int | None) -> tuple[float, float, float]:
    """Worst, median and best held-out accuracy; under the given calibration or under each prompt's own.

    The best is the best in hindsight: nobody could have chosen it, and it is no promise.
    """
    found = np.array([trial.hits(candidate, which).mean() for candidate in candidates])
    return float(found.min()), float(np.median(found)), float(found.max())


def disagreements(trial: Trial, candidates: Sequence[Candidate]) -> tuple[Disagreement, ...]:
    """The scoring rows on which prompts disagree most, each prompt under its own calibration: least in agreement first.

    Ordered by the number of prompts that give the most common answer (fewest first), then by the number that are right.
    """
    answers = np.stack([candidate.judged.predict(candidate.on_scoring) for candidate in candidates])
    votes = np.stack([(answers == c).sum(axis=0) for c in range(trial.classes)], axis=1)
    right = votes[np.arange(len(votes)), trial.y_scoring]
    order = np.lexsort((right, votes.max(axis=1)))
    out = []
    for i in order[:ROWS_SHOWN]:
        if votes[i].max() == len(candidates):
            break
        position = int(trial.scoring[i])
        said = sorted(((trial.task.classes[c], int(n)) for c, n in enumerate(votes[i]) if n), key=lambda v: -v[1])
        label = trial.task.classes[trial.task.labels[position]]
        out.append(Disagreement(int(trial.task.rows[position]), label, tuple(said), trial.texts[position]))
    return tuple(out)


def word_effects(trial: Trial, chosen: Candidate, tried: Sequence[Candidate]) -> tuple[WordEffect, ...]:
    """For every label, each of the words tried for it in place of the chosen ones, all else as chosen.

    The chosen calibration is fitted anew for each, so that an effect is not only a word's frequency. Accuracy on the
    scoring rows that prompts are tried on. Labels for which one word only was tried are left out.
    """
    same = [c for c in tried if c.template == chosen.template and c.examples == chosen.examples]
    fold = folds(trial.halves.groups[trial.choosing], trial.y_choosing, FOLDS, trial.options.seed)
    out: list[WordEffect] = []
    for label, name in enumerate(trial.task.classes):
        options = {c.words[label]: c for c in reversed(same)}
        taken = {word for i, word in enumerate(chosen.words) if i != label}
        found = {
            word: _accuracy_with(trial, chosen, other, label, fold)
            for word, other in options.items()
            if word not in taken
        }
        if len(found) < 2:
            continue
        middle = float(np.median(list(found.values())))
        out += [WordEffect(name, word, value, value - middle) for word, value in found.items()]
    return tuple(sorted(out, key=lambda effect: -abs(effect.effect)))


def _accuracy_with(trial: Trial, chosen: Candidate, other: Candidate, label: int, fold: NDArray[np.int64]) -> float:
    """Accuracy of the chosen prompt with one label's words taken from another candidate of the same template."""
    parts = [
        _with_column(mine, theirs, label)
        for mine, theirs in (
            (chosen.on_choosing, other.on_choosing),
            (chosen.free, other.free),
            (chosen.on_scoring, other.on_scoring),
        )
    ]
    judged = judge(parts[0], trial.y_choosing, parts[1], fold)
    return float((judged.predict(parts[2], chosen.judged.best) == trial.y_scoring).mean())


def _with_column(mine: NDArray[np.float64], theirs: NDArray[np.float64], label: int) -> NDArray[np.float64]:
    out = mine.copy()
    out[:, label] = theirs[:, label]
    return out
