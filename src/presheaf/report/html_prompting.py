"""The section of a page on prompts that a language model scored."""

from __future__ import annotations

from collections.abc import Sequence

from presheaf.audits.numbers import number, signed
from presheaf.audits.prompting_result import Prompting, WrittenPrompt
from presheaf.report.chart_prompting import shots_chart
from presheaf.report.limits import Limits, left_out
from presheaf.report.markup import Html, el, join, user
from presheaf.report.plain import interval, plural
from presheaf.report.prompting_words import (
    CALIBRATED,
    cost_sentence,
    landmarks,
    one_more_sentence,
    shots_label,
    spread_sentence,
    three,
    tried_sentence,
    tuned_sentence,
)

_LEAD = (
    "The label whose words the model finds likeliest to come next wins. “Contextual” divides by what the model says of an "
    "empty text, “fitted” shifts each label by a constant fitted on the choosing half; marked is what that half prefers. "
)
_COPIES = 60  # characters of a prompt to copy, in units of the limit for a text


def prompting_section(prompting: Prompting, target: float | None, limits: Limits, prefix: str = "shots") -> Html:
    """Everything below the heading. ``prefix`` keeps ids of several sections on one page apart."""
    return join(
        [
            el("p", _LEAD, tried_sentence(prompting), class_="lead"),
            *_copy(prompting, limits),
            _table([(name, p) for name, p in landmarks(prompting)], limits, "Prompts: chosen, best, median, worst"),
            el("p", spread_sentence(prompting)) if prompting.prompts else "",
            _all(prompting, limits),
            *_shots(prompting, target, limits, prefix),
            *_words(prompting, limits),
            *_rows(prompting, limits),
            *_rest(prompting, limits),
        ]
    )


def prompt_to_copy(prompting: Prompting, most: int) -> Html:
    """The text itself, escaped; the row goes where ``{text}`` stands."""
    return user(prompting.copy, most, "pre", class_="copy")


def _copy(prompting: Prompting, limits: Limits) -> list[Html]:
    if not prompting.copy:
        return []
    most = _COPIES * limits.text
    said = "The row goes where {text} stands, and the model goes on with the label's words. A calibrated number holds only with its calibration."
    short = (
        el("p", "Cut here; the whole prompt is in the JSON.", class_="ids") if len(prompting.copy) > most else Html("")
    )
    return [el("h3", "Prompt to copy"), el("p", said, class_="lead"), prompt_to_copy(prompting, most), short]


def _frame(heads: Sequence[tuple[str, str]], rows: Sequence[Html], name: str) -> Html:
    top = el("thead", el("tr", *(el("th", text, scope="col", class_=kind or None) for text, kind in heads)))
    return el("div", el("table", top, el("tbody", *rows), class_="stack"), class_="scroll", tabindex="0", role="region",
              aria_label=name)  # fmt: skip


def _table(named: Sequence[tuple[str, WrittenPrompt]], limits: Limits, name: str) -> Html:
    if not named:
        return Html("")
    heads = [("prompt", ""), ("choosing", "num"), *((column, "num") for column in CALIBRATED.values())]
    return _frame(heads, [_prompt(name, prompt, limits) for name, prompt in named], name)


def _prompt(name: str, prompt: WrittenPrompt, limits: Limits) -> Html:
    words = ", ".join(f"{label}: {word}" if label != word else word for label, word in prompt.words[: limits.labels])
    more = f" and {len(prompt.words) - limits.labels:,} more" if len(prompt.words) > limits.labels else ""
    first = [el("span", f"{name} ", class_="mark")] if name else []
    origin = " · yours" if prompt.origin == "user" else ""
    return el(
        "tr",
        el("th", *first, user(prompt.template, limits.text, "span", class_="text"),
           el("span", user(words, limits.text), more, origin, class_="dim"), scope="row"),
        el("td", number(prompt.choosing), class_="num", data_name="choosing"),
        *(_score(column, score.accuracy, score.low, score.high, own) for column, score, own in three(prompt)),
        class_="chosen" if prompt.chosen else None,
    )  # fmt: skip


def _score(column: str, accuracy: float, low: float, high: float, own: bool) -> Html:
    shown = el("b", number(accuracy), title="preferred by the choosing half") if own else Html(number(accuracy))
    mark = el("span", " ✓", class_="mark") if own else ""
    return el(
        "td", shown, mark, " ", el("span", interval(low, high), class_="line dim"), class_="num", data_name=column
    )


def _all(prompting: Prompting, limits: Limits) -> Html:
    listed = prompting.prompts[: 2 * limits.prompts]
    if len(prompting.prompts) < 2:
        return Html("")
    table = _table([("", prompt) for prompt in listed], limits, "All prompts")
    count = plural(len(prompting.prompts), "prompt")
    return el("details", el("summary", f"All {count}, best on the choosing half first"), table,
              left_out(len(prompting.prompts), len(listed), "prompt"))  # fmt: skip


def _shots(prompting: Prompting, target: float | None, limits: Limits, prefix: str) -> list[Html]:
    points = prompting.shots[: limits.rows]
    if not points:
        return []
    heads = (
        ("examples", ""),
        ("accuracy", "num"),
        ("calibrated", "num"),
        ("draws", "num"),
        ("worst to best draw", "num"),
    )
    rows = [
        el(
            "tr",
            el("th", shots_label(p.shots), scope="row"),
            el("td", number(p.accuracy), " ", el("span", interval(p.low, p.high), class_="line dim"), class_="num",
               data_name="accuracy"),
            el("td", number(p.calibrated), class_="num", data_name="calibrated"),
            el("td", str(p.draws), class_="num", data_name="draws"),
            el("td", f"{number(p.worst)} to {number(p.best)}", class_="num", data_name="worst to best draw"),
        )
        for p in points
    ]  # fmt: skip
    lead = (
        "The chosen prompt with labelled rows of the choosing half in front. Means over draws; intervals are for a fresh draw "
        "and fresh rows, whiskers reach from the worst to the best draw. "
    )
    return [
        el("h3", "Labelled examples in the prompt"),
        el("p", lead, one_more_sentence(prompting), class_="lead"),
        el("div", shots_chart(prompting, target, width=760, prefix=f"{prefix}-wide"), class_="wide"),
        el("div", shots_chart(prompting, target, width=360, prefix=f"{prefix}-narrow"), class_="narrow"),
        el("details", el("summary", "The points of the curve"), _frame(heads, rows, "Points of the k-shot curve")),
    ]


def _words(prompting: Prompting, limits: Limits) -> list[Html]:
    listed = prompting.words[: limits.labels]
    if not listed:
        return []
    heads = (("label", ""), ("its words", ""), ("accuracy", "num"), ("beside the median word", "num"))
    rows = [
        el("tr", el("th", user(w.label, 80), scope="row"), el("td", user(w.words, 80), data_name="words"),
           el("td", number(w.accuracy), class_="num", data_name="accuracy"),
           el("td", signed(w.effect), class_="num", data_name="beside the median word"))
        for w in listed
    ]  # fmt: skip
    lead = "Accuracy when one label is asked for in these words and all else is as chosen. Those that carry most first."
    return [
        el("h3", "Label words"),
        el("p", lead, class_="lead"),
        _frame(heads, rows, "Label words"),
        left_out(len(prompting.words), len(listed), "word"),
    ]


def _rows(prompting: Prompting, limits: Limits) -> list[Html]:
    listed = prompting.disagreements[: limits.rows]
    if not listed:
        return []
    heads = (("row", "num"), ("label", ""), ("prompts say", ""), ("text", ""))
    rows = [
        el(
            "tr",
            el("th", str(row.row), scope="row", class_="num", data_name="row"),
            el("td", user(row.label, 80), data_name="label"),
            el("td", *_votes(row.votes, limits), data_name="prompts say"),
            el("td", user(row.text, limits.text, "span", class_="text")),
        )
        for row in listed
    ]
    return [el("h3", "Rows on which prompts disagree most"), _frame(heads, rows, "Rows on which prompts disagree")]


def _votes(votes: Sequence[tuple[str, int]], limits: Limits) -> list[Html]:
    return [el("span", user(name, 40), f" {count:,}", class_="line") for name, count in votes[: min(limits.labels, 6)]]


def _rest(prompting: Prompting, limits: Limits) -> list[Html]:
    """Soft prompt, cost, what is missing: names and values."""
    said: list[tuple[str, Html]] = []
    if prompting.tuned is not None:
        said.append(("soft prompt", Html(join([tuned_sentence(prompting.tuned)]))))
    said.append(("cost", Html(join([cost_sentence(prompting)]))))
    if prompting.missing:
        said.append(("left out", user(prompting.missing, limits.sentence)))
    return [el("dl", *(part for name, value in said for part in (el("dt", name), el("dd", value))), class_="facts")]
