"""What prompting a language model will ask, before anything is asked: questions, and tokens through a network."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain

from presheaf.audits.answers import AnswerModel
from presheaf.audits.context import canonical_order, split
from presheaf.audits.prompting import zero_shot_questions
from presheaf.audits.prompting_trial import PromptingOptions, Trial, tokens_so_far
from presheaf.audits.rungs import few_shot, layer_probe, tuned_prompt, written_prompt
from presheaf.language.calibrate import CONTENT_FREE
from presheaf.language.grid import Ask
from presheaf.language.score_store import question_key
from presheaf.models.lm.base import LanguageModel, Question
from presheaf.models.lm.completions import CompletionsModel
from presheaf.models.openai import CostEstimate
from presheaf.tables.task import Task

MOST = 20_000
"""Questions looked at one by one; of more, an even part, scaled up."""
PROBED = 2
"""Rows whose questions are asked to learn how fast this machine is."""
BACKWARD = 3
"""A step of training costs about three forward passes."""


@dataclass(frozen=True, eq=False)
class Plan:
    """The questions of an audit.

    Attributes
    ----------
    questions : int
        All, copies of a row counted once.
    left : tuple of Question
        Those that were not answered before, or an even part of them.
    factor : float
        How many questions each of ``left`` stands for.
    """

    questions: int
    left: tuple[Question, ...]
    factor: float

    @property
    def asked(self) -> int:
        """About how many will be asked; the others are kept from before."""
        return round(len(self.left) * self.factor)

    def estimate(self, model: CompletionsModel) -> CostEstimate:
        """What an endpoint will be sent for them, and what that costs."""
        part = model.estimate(self.left)
        money = None if part.money is None else part.money * self.factor
        return CostEstimate(round(part.requests * self.factor), round(part.tokens * self.factor), money)


def plan(model: LanguageModel, task: Task, options: PromptingOptions, *, prompts: bool = True) -> Plan:
    """Every question that an audit will ask, as far as it can be known.

    Which template is chosen, and so which one goes with examples, is not known yet: the longest one stands for it, so
    the plan is on the high side. A model that shows no features is asked about every row besides (`AnswerModel`);
    without ``prompts`` that is all.

    Notes
    -----
    Cost: building the questions, no pass of the model.
    """
    trial = _trial(model, task, options)
    parts: list[Iterable[Question]] = []
    if prompts:
        parts += [zero_shot_questions(model, trial.task, trial.halves, options), _later(trial)]
    if not hasattr(type(model), "encode"):
        parts.append(AnswerModel(model, trial.task, options).questions(trial.texts))
    count, stride, sample = 0, 1, list[Question]()
    for question in chain.from_iterable(parts):
        if count % stride == 0:
            sample.append(question)
            if len(sample) == 2 * MOST:
                sample, stride = sample[::2], 2 * stride
        count += 1
    known = trial.store.read({question_key(question) for question in sample})
    left = tuple(question for question in sample if question_key(question) not in known)
    return Plan(count, left, count / max(1, len(sample)))


def seconds(model: LanguageModel, task: Task, options: PromptingOptions, planned: Plan) -> float:
    """About how long prompting will take on this machine: the questions of two rows are asked to measure it.

    Layer probe, tuned soft prompt and features are counted in tokens at the same rate, where the source counts tokens.

    Notes
    -----
    Cost: about 40 questions.
    """
    trial = _trial(model, task, options)
    asks, _ = written_prompt.asks(trial)
    probe = [ask.question(trial.texts[i]) for i in trial.scoring[:PROBED] for ask in asks]
    # The first questions also pay for what is loaded and checked once.
    model.score(probe[:1])
    before, started = tokens_so_far(model)[0], time.monotonic()
    model.score(probe)
    took, run = time.monotonic() - started, tokens_so_far(model)[0] - before
    share = planned.asked / max(1, planned.questions)
    zero = len(asks) * (len(trial.choosing) + len(trial.scoring) + len(CONTENT_FREE))
    if not run:
        return took / len(probe) * planned.asked
    each = sum(_tokens(model, question) for question in probe) / len(probe)
    tokens = share * (zero * run / len(probe) + max(0, planned.questions - zero) * each)
    return took / run * (tokens + _beyond(model, trial, options, each))


def _tokens(model: LanguageModel, question: Question) -> int:
    return model.count(question.prompt) + sum(model.count(answer) for answer in question.answers)


def _beyond(model: LanguageModel, trial: Trial, options: PromptingOptions, each: float) -> float:
    """Tokens of features, layer probe and tuned soft prompt; ``each``: tokens of a prompt with its answers."""
    texts = trial.texts[:: max(1, len(trial.texts) // 200)]
    text = sum(model.count(one) for one in texts) / len(texts)
    found = text * len(trial.texts) if hasattr(type(model), "encode") else 0.0
    if hasattr(type(model), "hidden_layers"):
        found += text * sum(min(layer_probe.ROWS, len(half)) for half in (trial.halves.choosing, trial.halves.scoring))
    if options.tune and hasattr(model, "network"):
        scored = min(tuned_prompt.SCORED, len(trial.halves.scoring))
        found += each * (2 * tuned_prompt.STEPS * tuned_prompt.BATCH * BACKWARD + 2 * scored)
    return found


def _trial(model: LanguageModel, task: Task, options: PromptingOptions) -> Trial:
    order, hashes = canonical_order(task, options.seed)
    ordered = task.take(order)
    # A model's own merges may move a few rows to the other side; the numbers of questions stay the same.
    return Trial(model, ordered, split(ordered, hashes, []), options)


def _later(trial: Trial) -> Iterator[Question]:
    """What depends on the choice: the chosen prompt on the other held-out rows, then the same with examples."""
    asks, _ = written_prompt.asks(trial)
    longest = max(asks, key=lambda ask: len(ask.template.written))
    chosen = Ask(longest.template, longest.word_sets[:1])
    held_out = list(dict.fromkeys(trial.texts[i] for i in trial.whole))
    tried = set(trial.scoring)
    yield from (chosen.question(trial.texts[i]) for i in trial.whole if i not in tried)
    with_examples = few_shot.planned(trial, chosen)
    texts = [trial.texts[i] for i in (*trial.choosing, *trial.scoring)]
    for ask in with_examples:
        yield from (ask.question(text) for text in dict.fromkeys((*texts, *CONTENT_FREE)))
    if with_examples:
        yield from (with_examples[-1].question(text) for text in held_out)
