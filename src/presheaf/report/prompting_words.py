"""What is said of prompts that a language model scored, in the words that text and HTML share."""

from __future__ import annotations

from presheaf.audits.numbers import number, signed
from presheaf.audits.prompting_result import Prompting, Score, TunedPrompt, WrittenPrompt
from presheaf.report.plain import interval, plural, visible

CALIBRATED = {
    "none": "as the model says",
    "contextual": "contextual",
    "choosing half": "fitted",
}
"""The calibrations, as columns name them."""


def shown_score(score: Score) -> str:
    """``.812 [.784, .838]``."""
    return f"{number(score.accuracy)} {interval(score.low, score.high)}"


def tried_sentence(prompting: Prompting) -> str:
    """How many prompts were compared, and on which rows."""
    return (
        f"{plural(prompting.tried, 'prompt')} (templates with label words) compared on "
        f"{plural(prompting.choosing_rows, 'choosing row')}; numbers are of {plural(prompting.scoring_rows, 'held-out row')}, "
        "intervals 95 %."
    )


def landmarks(prompting: Prompting) -> list[tuple[str, WrittenPrompt]]:
    """The chosen prompt, then best, median and worst by raw held-out accuracy, each under the names it goes by.

    Best and worst are so in hindsight: choosing rests on other rows.
    """
    if not prompting.prompts:
        return []
    order = sorted(prompting.prompts, key=lambda p: -p.raw.accuracy)
    chosen = next((p for p in prompting.prompts if p.chosen), None)
    named = [] if chosen is None else [("chosen", chosen)]
    named += [("best in hindsight", order[0]), ("median", order[len(order) // 2]), ("worst", order[-1])]
    out: dict[int, tuple[list[str], WrittenPrompt]] = {}
    for name, prompt in named:
        out.setdefault(id(prompt), ([], prompt))[0].append(name)
    return [(", ".join(names), prompt) for names, prompt in out.values()]


def three(prompt: WrittenPrompt) -> tuple[tuple[str, Score, bool], ...]:
    """Column, score, and whether the choosing half preferred that calibration."""
    scores = zip(CALIBRATED.items(), (prompt.raw, prompt.contextual, prompt.calibrated), strict=True)
    return tuple((name, score, prompt.calibrate == key) for (key, name), score in scores)


def prompt_line(prompt: WrittenPrompt, limit: int) -> str:
    """Template and label words in one line."""
    each = max(limit // max(len(prompt.words), 1), 16)
    words = " | ".join(visible(word, each) for _, word in prompt.words[:8]) + (" …" if len(prompt.words) > 8 else "")
    return f"{visible(prompt.template, limit)}  ({visible(words, limit)})"


def spread_sentence(prompting: Prompting) -> str:
    """How far templates spread, raw and calibrated."""
    raw, own = ([number(value) for value in part] for part in (prompting.spread, prompting.spread_calibrated))
    return (
        f"Worst, median and best of all: {raw[0]}, {raw[1]}, {raw[2]} as the model says; {own[0]}, {own[1]}, {own[2]} each "
        "under the calibration that the choosing half prefers."
    )


def one_more_sentence(prompting: Prompting) -> str:
    """What one more example buys; empty without a curve."""
    gain = prompting.one_more
    if gain is None:
        return ""
    said = f"{signed(gain.accuracy)} [{signed(gain.low)}, {signed(gain.high)}]"
    shown = "" if gain.low > 0 else ", which is not shown to be a gain"
    return f"One more example at the end of the curve buys {said} in accuracy{shown}."


def tuned_sentence(tuned: TunedPrompt) -> str:
    """Found or not found; never "impossible"."""
    head = "Found" if tuned.found else "Not found"
    null = "" if tuned.null is None else f"; with permuted labels {number(tuned.null)}"
    detail = f"; {visible(tuned.detail, 200)}" if tuned.detail else ""
    close = "" if tuned.found else " That training found no better prompt does not show that there is none."
    return (
        f"{head}: a soft prompt of {plural(tuned.length, 'free vector')} after {plural(tuned.steps, 'step')}, "
        f"{shown_score(tuned.score)}{null}{detail}.{close}"
    )


def cost_sentence(prompting: Prompting) -> str:
    """Tokens and time of this run, the plain loop's tokens, money."""
    parts = []
    if prompting.tokens:
        ratio = prompting.tokens_plain / prompting.tokens
        plain = (
            f" where a pass for each question and answer takes {prompting.tokens_plain:,} ({ratio:.1f} times as many)"
        )
        parts.append(f"{prompting.tokens:,} tokens through the network this time{plain}")
    parts.append(f"{prompting.seconds:,.0f} s for the questions of this run; answers are kept")
    parts += [f"estimated before: {visible(prompting.money, 200)}"] if prompting.money else []
    return "; ".join(parts) + "."


def shots_label(shots: int) -> str:
    """``no example``, ``1 example``, ``4 examples``."""
    return "no example" if shots == 0 else plural(shots, "example")
