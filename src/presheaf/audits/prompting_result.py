"""What prompting a language model reached, as plain values: what text, JSON and HTML all show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Score:
    """Accuracy on held-out rows and its 95 % interval."""

    accuracy: float
    low: float
    high: float


@dataclass(frozen=True)
class WrittenPrompt:
    """A template with its label words, scored by the model.

    Attributes
    ----------
    template : str
        With ``{text}``; ends with ``{label}``.
    words : tuple of (class name, label words)
    origin : "user" or "grammar"
    choosing : float
        Accuracy on the choosing half under ``calibrate``, cross-fitted; what it was ranked by.
    raw, contextual, calibrated : Score
        On the scoring half: as the model says; after dividing by what it says of an empty text; after shifting each
        label by a constant fitted on the choosing half.
    chosen : bool
    calibrate : "none", "contextual" or "choosing half"
        Which of the three the choosing half preferred for this prompt.
    """

    template: str
    words: tuple[tuple[str, str], ...]
    origin: Literal["user", "grammar"]
    choosing: float
    raw: Score
    contextual: Score
    calibrated: Score
    chosen: bool = False
    calibrate: Literal["none", "contextual", "choosing half"] = "none"


@dataclass(frozen=True)
class ShotPoint:
    """Accuracy of the chosen template with k labelled examples before the row: mean, worst and best over draws.

    ``calibrated`` is the mean under the calibrations that the choosing half preferred; ``low`` and ``high`` belong to
    ``accuracy`` and take rows and draws into account.
    """

    shots: int
    accuracy: float
    low: float
    high: float
    calibrated: float
    worst: float
    best: float
    draws: int


@dataclass(frozen=True)
class Disagreement:
    """A held-out row on which templates disagree: how many of them say what."""

    row: int
    label: str
    votes: tuple[tuple[str, int], ...]
    text: str = ""


@dataclass(frozen=True)
class WordEffect:
    """How much a label's word carries: accuracy with it minus accuracy with the median word, all else as chosen."""

    label: str
    words: str
    accuracy: float
    effect: float


@dataclass(frozen=True)
class TunedPrompt:
    """A soft prompt in embedding space found by gradient: ``length`` free vectors before the row.

    ``found``: whether it beats the best written prompt on held-out rows, paired, beyond chance. Never "impossible".
    ``null``: accuracy of vectors tuned on permuted labels; None where they were not.
    """

    found: bool
    length: int
    score: Score
    null: float | None
    steps: int
    detail: str = ""


@dataclass(frozen=True)
class Prompting:
    """Everything prompting reached.

    Attributes
    ----------
    prompts : tuple of WrittenPrompt
        Zero-shot, chosen one first, then by accuracy on the choosing half.
    tried : int
        Templates times label words that were compared before one was chosen.
    spread : (worst, median, best) of the templates' held-out accuracy, raw
    spread_calibrated : the same, each under the calibration that the choosing half preferred for it
    shots : tuple of ShotPoint
    one_more : Score or None
        What one more example buys at the last point of the curve, in accuracy, with its interval; None without a curve.
    copy : str
        The prompt to copy, exemplars included, ``{text}`` where the row goes.
    disagreements, words
    tuned : TunedPrompt or None
    choosing_rows, scoring_rows : int
        Rows of each half the grid was run on.
    tokens, seconds : what it took this time; tokens that went through the network after sharing (0 where the source
        does not count them or all scores were kept from before), and wall time
    tokens_plain : int
        Tokens the plain loop (one pass a question and answer) would have run.
    money : str
        What an endpoint was estimated to cost; "" for a model at hand.
    missing : str
        What was left out and why; "" when nothing was.
    """

    prompts: tuple[WrittenPrompt, ...]
    tried: int
    spread: tuple[float, float, float]
    spread_calibrated: tuple[float, float, float]
    shots: tuple[ShotPoint, ...]
    one_more: Score | None
    copy: str
    disagreements: tuple[Disagreement, ...]
    words: tuple[WordEffect, ...]
    tuned: TunedPrompt | None
    choosing_rows: int
    scoring_rows: int
    tokens: int
    seconds: float
    tokens_plain: int
    money: str = ""
    missing: str = ""
