"""Rung: labelled examples in the prompt before the row, and the curve of accuracy against their number.

The template and the words are those chosen without examples. Examples come from the choosing half only, never from the
rows that prompts are judged on; several draws show how much hangs on which ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from presheaf.audits.climb import Climb, absent
from presheaf.audits.prompting_result import Score, ShotPoint
from presheaf.audits.prompting_trial import Candidate, Trial
from presheaf.audits.result import Rung
from presheaf.audits.rungs.written_prompt import said
from presheaf.language.exemplars import draw_examples
from presheaf.language.grid import Ask
from presheaf.language.templates import Template
from presheaf.statistics.intervals import effective_rows, wilson

NAME = "few-shot prompt"
DRAWS = 4
LEAST = 10
"""Fewer rows than this, with those that serve as examples taken out, choose nothing."""


@dataclass(frozen=True, eq=False)
class Shots:
    """The k-shot curve: ``tried[i][r]`` has ``sizes[i]`` examples of draw r. The draws are nested in k."""

    sizes: tuple[int, ...]
    tried: tuple[tuple[Candidate, ...], ...]
    choosing: NDArray[np.int64]
    notes: tuple[str, ...]

    @property
    def flat(self) -> list[Candidate]:
        return [candidate for draws in self.tried for candidate in draws]

    @property
    def best(self) -> Candidate:
        """The number of examples and the draw that the choosing half prefers; the fewest examples of equals."""
        return max(self.flat, key=lambda c: c.choosing_accuracy)


def _examples(trial: Trial, most: int) -> list[list[int]]:
    """Positions of the task's rows for each draw: of rows that prompts are not tried on, where there are enough."""
    rest = trial.halves.choosing[len(trial.choosing) :]
    every = set(trial.task.labels[trial.halves.choosing])
    enough = len(rest) >= DRAWS * most and set(trial.task.labels[rest]) == every
    pool = rest if enough else trial.halves.choosing
    labels = trial.task.labels[pool]
    seeds = [np.random.default_rng([trial.options.seed, 41, r]) for r in range(DRAWS)]
    return [[int(pool[i]) for i in draw_examples(labels, trial.classes, most, rng)] for rng in seeds]


def _sizes(trial: Trial) -> tuple[list[int], list[str]]:
    """Numbers of examples that are asked for and for which there are rows, and a note on each of the others."""
    asked = sorted({k for k in trial.options.shots if k > 0})
    # All draws together take half of the choosing half at most; the rest is to choose by.
    most = len(trial.halves.choosing) // (2 * DRAWS)
    notes = [f"{k}-shot: {2 * DRAWS * k:,} rows to choose by are needed for {DRAWS} draws" for k in asked if k > most]
    return [k for k in asked if k <= most], notes


def planned(trial: Trial, chosen: Ask) -> list[Ask]:
    """What `curve` will ask with this template and the first of its choices of words; fewest examples first."""
    sizes, _ = _sizes(trial)
    if not sizes:
        return []
    drawn = _examples(trial, sizes[-1])
    return [_ask(trial, chosen.template, chosen.word_sets[0], draw[:k]) for k in sizes for draw in drawn]


def curve(trial: Trial, chosen: Candidate) -> Shots | str:
    """Try the chosen template with k examples for every k asked for, in several draws; or say why there is none.

    Notes
    -----
    Cost: sizes x draws x (choosing + scoring rows + 3) questions; what a draw's questions begin with is shared.
    """
    sizes, notes = _sizes(trial)
    if not sizes:
        return "; ".join(notes) or "no number of examples was asked for"
    drawn = _examples(trial, sizes[-1])
    groups = trial.halves.groups
    used = np.unique([groups[i] for draw in drawn for i in draw])
    choosing = trial.choosing[~np.isin(groups[trial.choosing], used)]
    if len(choosing) < LEAST:
        return f"{len(choosing)} rows of the choosing half are left to choose by once examples are taken out of it"
    kept: list[int] = []
    tried: list[tuple[Candidate, ...]] = []
    for k in sizes:
        asks = [_ask(trial, chosen.template, chosen.words, draw[:k]) for draw in drawn]
        cut, rows = sum(trial.cut(ask, trial.scoring) for ask in asks), len(asks) * len(trial.scoring)
        if 2 * cut > rows:
            notes.append(f"{k}-shot: {cut:,} of {rows:,} prompts do not fit the window, so they were not tried")
            continue
        if cut:
            notes.append(f"{k}-shot: {cut:,} of {rows:,} prompts do not fit the window and lose their beginning")
        stage = f"trying {k} example{'s' if k > 1 else ''} in the prompt"
        # One draw at a time: all its questions begin alike.
        tried.append(tuple(trial.candidates(stage, [ask], [chosen.origin], choosing)[0] for ask in asks))
        kept.append(k)
    if not kept:
        return "; ".join(notes)
    return Shots(tuple(kept), tuple(tried), choosing, tuple(notes))


def _ask(trial: Trial, template: Template, words: tuple[str, ...], rows: Sequence[int]) -> Ask:
    examples = tuple((trial.texts[i], words[trial.task.labels[i]]) for i in rows)
    return Ask(template, (words,), examples)


def points(trial: Trial, shots: Shots) -> tuple[ShotPoint, ...]:
    """The curve on the scoring rows. Intervals are for a fresh draw and fresh rows."""
    effective = effective_rows(np.ones(len(trial.scoring)), trial.halves.groups[trial.scoring])
    out = []
    for k, draws in zip(shots.sizes, shots.tried, strict=True):
        raw = np.array([trial.hits(c, 0).mean() for c in draws])
        calibrated = float(np.mean([trial.hits(c).mean() for c in draws]))
        mean = float(raw.mean())
        low, high = wilson(mean * effective, effective)
        apart = _student(len(draws)) * float(raw.std(ddof=1)) * sqrt(1 + 1 / len(draws))
        down, up = sqrt(apart**2 + (mean - low) ** 2), sqrt(apart**2 + (high - mean) ** 2)
        out.append(
            ShotPoint(
                k,
                mean,
                max(0.0, mean - down),
                min(1.0, mean + up),
                calibrated,
                float(raw.min()),
                float(raw.max()),
                len(draws),
            )
        )
    return tuple(out)


def _student(draws: int) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(draws - 1, 0.975))


def one_more(trial: Trial, shots: Shots) -> Score | None:
    """Accuracy gained by one more example at the end of the curve: the slope between its last two points.

    The same draws (nested) and rows stand behind both, so differences are paired. The interval adds the spread over
    draws (Student) and over rows. None with fewer than two points.
    """
    if len(shots.sizes) < 2:
        return None
    hits = [np.stack([trial.hits(c, 0) for c in draws]).astype(float) for draws in shots.tried[-2:]]
    gain = (hits[1] - hits[0]) / (shots.sizes[-1] - shots.sizes[-2])
    value = float(gain.mean())
    by_row = gain.mean(axis=0)
    effective = effective_rows(by_row, trial.halves.groups[trial.scoring])
    rows = 1.96 * float(by_row.std()) / sqrt(max(effective, 1.0))
    draws = _student(len(gain)) * float(gain.mean(axis=1).std(ddof=1)) / sqrt(len(gain))
    half = sqrt(rows**2 + draws**2)
    return Score(value, value - half, value + half)


def climb(trial: Trial, shots: Shots | str) -> Climb:
    """The number of examples and the draw chosen on the choosing half, scored on the other half."""
    if isinstance(shots, str):
        return absent(NAME, "estimate", shots)
    best, tried = shots.best, shots.flat
    k = len(best.examples)
    evidence = {
        "tried": len(tried),
        "shots": k,
        "choosing_rows": len(shots.choosing),
        "choosing_accuracy": best.choosing_accuracy,
        "template": best.template.written,
        "words": list(best.words),
        "calibrate": best.judged.calibrate,
        "notes": list(shots.notes),
    }
    return trial.climb(
        "scoring the chosen examples",
        NAME,
        best,
        Rung(
            NAME,
            "estimate",
            None,
            None,
            None,
            0,
            cost=f"1 prompt with {k} labelled row{'s' if k > 1 else ''}; {len(shots.choosing):,} labelled rows to choose by",
            detail=f"{k}-shot, {said(best)} (best of {len(tried):,} sets of examples tried)",
            nulls={"permuted labels": trial.permuted(tried, shots.choosing)},
            evidence=evidence,
        ),
    )
