"""What prompting reached, written by hand: an ordinary one, one without what can be missing, and one that could break a page."""

from __future__ import annotations

from dataclasses import replace

from presheaf.audits.prompting_result import (
    Disagreement,
    Prompting,
    Score,
    ShotPoint,
    TunedPrompt,
    WordEffect,
    WrittenPrompt,
)

MARKED = 'Review: "<b>fine</b> & dandy"\nSentiment: positive\n\nReview: "{text}"\nSentiment:'


def score(at: float) -> Score:
    return Score(at, round(at - 0.06, 3), round(at + 0.05, 3))


def written(template: str, choosing: float, raw: float, contextual: float, fitted: float, **more) -> WrittenPrompt:
    words = (("negative", "bad"), ("positive", "good"))
    return WrittenPrompt(
        template, words, more.pop("origin", "grammar"), choosing, score(raw), score(contextual), score(fitted), **more
    )


PROMPTING = Prompting(
    prompts=(
        written(
            "Review: {text}\nSentiment:{label}", 0.801, 0.622, 0.701, 0.789, chosen=True, calibrate="choosing half"
        ),
        written("{text} All in all, it was {label}", 0.795, 0.741, 0.733, 0.77, calibrate="choosing half"),
        written(
            'The <i>mood</i> of "{text}" is {label}', 0.77, 0.655, 0.76, 0.751, calibrate="contextual", origin="user"
        ),
        written("{text} {label}", 0.61, 0.503, 0.52, 0.6, calibrate="none"),
    ),
    tried=4,
    spread=(0.503, 0.622, 0.741),
    spread_calibrated=(0.503, 0.76, 0.789),
    shots=(
        ShotPoint(0, 0.622, 0.562, 0.672, 0.789, 0.622, 0.622, 1),
        ShotPoint(1, 0.66, 0.54, 0.76, 0.781, 0.59, 0.71, 4),
        ShotPoint(4, 0.752, 0.66, 0.83, 0.811, 0.7, 0.79, 4),
    ),
    one_more=Score(0.031, -0.004, 0.066),
    copy=MARKED,
    disagreements=(
        Disagreement(17, "negative", (("positive", 2), ("negative", 2)), "not what one would call bad"),
        Disagreement(204, "positive", (("negative", 3), ("positive", 1)), "fine, I suppose"),
    ),
    words=(WordEffect("positive", "good", 0.789, 0.052), WordEffect("negative", "bad", 0.72, -0.017)),
    tuned=TunedPrompt(False, 8, score(0.79), 0.512, 60, "+.001 [-.020, +.022] beside the chosen prompt on 400 rows"),
    choosing_rows=100,
    scoring_rows=99,
    tokens=41_250,
    seconds=212.4,
    tokens_plain=396_000,
    money="",
    missing="8-shot: 64 rows to choose by are needed for 4 draws",
)

BARE_PROMPTING = replace(
    PROMPTING, prompts=PROMPTING.prompts[:1], tried=1, shots=(), one_more=None, disagreements=(), words=(), tuned=None,
    tokens=0, tokens_plain=0, seconds=0.0, money="12 requests, about 900 tokens", missing="stopped",
)  # fmt: skip


def hostile(script: str, long: str, nasty: str) -> Prompting:
    """Every list long, every text hostile; long lists of long texts only where one comes first, for the memory's sake."""
    words = tuple((f"{script}{i}", long) for i in range(300))
    votes = tuple((f"{nasty}{j}", j) for j in range(300))
    prompt = replace(PROMPTING.prompts[0], template=script + "{text}" + long, words=words)
    return replace(
        PROMPTING,
        prompts=tuple(replace(prompt, chosen=i == 0, words=words if i == 0 else words[:2]) for i in range(60)),
        copy=script + nasty + long,
        disagreements=tuple(Disagreement(i + 1, script, votes[: 300 if i == 0 else 2], long) for i in range(400)),
        words=tuple(WordEffect(script, long, 0.5, -0.1) for _ in range(500)),
        tuned=replace(PROMPTING.tuned, detail=long, null=None),
        money=long,
        missing=long,
    )
