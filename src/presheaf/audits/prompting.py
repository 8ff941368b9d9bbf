"""From a task and a language model to what prompting reached: written prompts and few-shot prompts as rungs."""

from __future__ import annotations

from presheaf.audits.climb import Climb, absent
from presheaf.audits.context import Halves
from presheaf.audits.prompting_result import Prompting, ShotPoint
from presheaf.audits.prompting_tables import disagreements, spread, word_effects, written
from presheaf.audits.prompting_trial import Candidate, PromptingOptions, Trial
from presheaf.audits.rungs import few_shot, written_prompt
from presheaf.audits.rungs.few_shot import Shots
from presheaf.language.templates import TEXT
from presheaf.models.lm.base import LanguageModel, Question
from presheaf.tables.task import Task

__all__ = ["PromptingOptions", "prompting_rungs", "zero_shot_questions"]


def prompting_rungs(
    model: LanguageModel, task: Task, halves: Halves, options: PromptingOptions
) -> tuple[dict[str, Climb], Prompting]:
    """Written prompts and few-shot prompts, chosen on the choosing half and scored on the other.

    Every template with every choice of label words is tried on up to ``options.rows`` rows of each half; the choice
    rests on the choosing rows alone, and so does which calibration a prompt takes. The chosen prompts are then scored
    on the whole scoring half, or on its first 1,000 rows.

    Parameters
    ----------
    model : LanguageModel
    task : Task
        With texts, in the order (canonical) that ``halves`` refers to.
    halves : Halves
    options : PromptingOptions

    Returns
    -------
    climbs : dict with "written prompt" and "few-shot prompt" (absent with a reason where there is none)
        ``Climb.positions`` says which rows of the scoring half ``predicted`` and ``correct`` belong to; None: all.
    Prompting
        ``tuned`` and ``money`` are left for the caller to fill in.

    Raises
    ------
    InputError
        If the task has no texts or a half has no rows.
    ModelError
        As the model does; what was scored before is kept, and the next run goes on from there.
    KeyboardInterrupt
        While zero-shot prompts are scored. Later on the k-shot curve is given up, and `Prompting.missing` says so.

    Notes
    -----
    Cost: about 20 prompts x 2 rows, then 16 x 2 rows with examples, then twice the scoring half.
    """
    trial = Trial(model, task, halves, options)
    tried = written_prompt.candidates(trial)
    chosen = tried[0]
    climbs = {written_prompt.NAME: written_prompt.climb(trial, tried)}
    shots: Shots | str
    try:
        shots = few_shot.curve(trial, chosen)
        climbs[few_shot.NAME] = few_shot.climb(trial, shots)
    except KeyboardInterrupt:
        shots = "stopped before the curve of labelled examples was done; the next run goes on from there"
        climbs[few_shot.NAME] = absent(few_shot.NAME, "estimate", shots)
    best = chosen
    if isinstance(shots, Shots) and shots.best.choosing_accuracy > chosen.choosing_accuracy:
        best = shots.best
    found = Prompting(
        prompts=tuple(written(trial, candidate, candidate is chosen) for candidate in tried),
        tried=len(tried),
        spread=spread(trial, tried, 0),
        spread_calibrated=spread(trial, tried, None),
        shots=_curve(trial, chosen, shots),
        one_more=None if isinstance(shots, str) else few_shot.one_more(trial, shots),
        copy=best.template.prompt(TEXT, best.examples),
        disagreements=disagreements(trial, tried),
        words=word_effects(trial, chosen, tried),
        tuned=None,
        choosing_rows=len(trial.choosing),
        scoring_rows=len(trial.scoring),
        tokens=trial.tokens,
        seconds=trial.seconds,
        tokens_plain=trial.tokens_plain,
        missing="; ".join(_left_out(trial, chosen, shots)),
    )
    return climbs, found


def _curve(trial: Trial, chosen: Candidate, shots: Shots | str) -> tuple[ShotPoint, ...]:
    """The k-shot curve with the chosen prompt itself, without examples, in front."""
    if isinstance(shots, str):
        return ()
    raw = trial.score(trial.hits(chosen, 0))
    calibrated = float(trial.hits(chosen).mean())
    zero = ShotPoint(0, raw.accuracy, raw.low, raw.high, calibrated, raw.accuracy, raw.accuracy, 1)
    return zero, *few_shot.points(trial, shots)


def _left_out(trial: Trial, chosen: Candidate, shots: Shots | str) -> list[str]:
    """What was cut off, not tried, or could not be kept, a sentence each."""
    said = [shots] if isinstance(shots, str) else list(shots.notes)
    if cut := trial.cut(chosen.ask, trial.scoring):
        said.append(
            f"{cut:,} of {len(trial.scoring):,} rows do not fit the window of the chosen prompt and lose their beginning"
        )
    if len(trial.halves.scoring) > len(trial.whole):
        said.append(
            f"the chosen prompts are scored on {len(trial.whole):,} of {len(trial.halves.scoring):,} held-out rows"
        )
    return [*said, *trial.store.problems]


def zero_shot_questions(model: LanguageModel, task: Task, halves: Halves, options: PromptingOptions) -> list[Question]:
    """The questions that the zero-shot prompts ask, those kept from before among them: what a dry run counts.

    Cost: no pass of the model. The curve of examples asks 16 x (choosing + scoring rows) more, with longer prompts.
    """
    trial = Trial(model, task, halves, options)
    asks, _ = written_prompt.asks(trial)
    texts = [trial.texts[i] for i in (*trial.choosing, *trial.scoring)]
    return list(dict.fromkeys(ask.question(text) for text in texts for ask in asks))
