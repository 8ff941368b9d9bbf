"""What every language model source must keep, as a check that names the clause which doesn't hold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from presheaf.models.contract import HOSTILE, ContractError
from presheaf.models.lm.base import LanguageModel, LocalLanguageModel, Question, Tokens

_SUM = 1e-4  # of float32 probabilities over a large vocabulary
_ANSWERS = (" good", " good enough, all things considered", " bad", "", " good enough", ".")
_LONGEST_WINDOW = 1024  # above it the window's clause would take minutes


def check_language_model(
    model: LanguageModel, texts: Sequence[str], *, other: LanguageModel | None = None, tolerance: float = 1e-4
) -> None:
    """Check that a source keeps everything that `presheaf.models.lm.base` says.

    For people who write a source: call it in a test with a few short texts. It passes in silence. What needs tokens is
    checked for a `LocalLanguageModel` only.

    Cost: about fifteen passes over the texts with six answers each, and one pass for every prefix of three of them.

    Parameters
    ----------
    model : LanguageModel
    texts : sequence of str
        At least three different ones.
    other : LanguageModel, optional
        The same source with a setting changed that changes answers; its fingerprint must differ.
    tolerance : float
        Largest difference in nats that counts as rounding.

    Raises
    ------
    ContractError
        Naming the clause: protocol, shape, probability, empty, deterministic, order, batch, repeats, told, interrupt,
        answers, tokens, sum, chain, window, hostile, fingerprint.
    """
    texts = list(dict.fromkeys(texts))
    _hold(len(texts) >= 3, "protocol", "at least three different texts are needed to check anything")
    _hold(isinstance(model, LanguageModel), "protocol", f"{type(model).__name__} lacks members of LanguageModel")
    before = model.fingerprint
    questions = [Question(text, _ANSWERS) for text in ("", *texts)]
    scores = model.score(questions)
    _shapes(model, questions, scores)
    _together(model, questions, scores, tolerance)
    _told(model, questions, scores, tolerance)
    _answers(model, texts[0], tolerance)
    _lost(model, texts[0])
    if isinstance(model, LocalLanguageModel):
        _tokens(model, texts)
        _sums(model, texts)
        _chain(model, texts[:3], tolerance)
        _window(model, texts, tolerance)
    _hostile(model)
    digest = model.fingerprint
    _hold(digest == before, "fingerprint", "scoring changed it")
    _hold(len(digest) >= 32 and set(digest) <= set("0123456789abcdef"), "fingerprint", f"{digest!r} is no hex digest")
    _hold(other is None or other.fingerprint != digest, "fingerprint", "another setting has the same one")


def _hold(condition: object, clause: str, message: str) -> None:
    if not condition:
        raise ContractError(f"clause {clause!r}: {message}")


def _close(
    a: Sequence[NDArray[np.float64]], b: Sequence[NDArray[np.float64]], tolerance: float, clause: str, what: str
) -> None:
    for place, (x, y) in enumerate(zip(a, b, strict=True)):
        _hold(x.shape == y.shape, clause, f"{what}: shapes {x.shape} and {y.shape} at position {place}")
        same = np.isclose(x, y, rtol=0, atol=tolerance) | (x == y)
        gap = float(np.max(np.abs(x - y), where=~same, initial=0.0))
        _hold(same.all(), clause, f"{what} differ by {gap:.2g} nats at position {place} (allowed: {tolerance:.0e})")


def _shapes(model: LanguageModel, questions: list[Question], scores: list[NDArray[np.float64]]) -> None:
    _hold(len(scores) == len(questions), "shape", f"{len(scores)} arrays for {len(questions)} questions")
    for question, score in zip(questions, scores, strict=True):
        _hold(isinstance(score, np.ndarray) and score.dtype == np.float64, "shape", "scores are no float64 arrays")
        _hold(score.shape == (len(question.answers),), "shape", f"{score.shape} for {len(question.answers)} answers")
        _hold((score <= 1e-6).all(), "probability", f"a log-probability above 0 or NaN after {question.prompt!r}")
        _hold(score[question.answers.index("")] == 0.0, "answers", "the empty answer's log-probability isn't 0")
    _hold(model.score([]) == [], "empty", "no questions gave something else than an empty list")
    _hold(model.score([Question("a", ())])[0].shape == (0,), "empty", "no answers gave a wrong shape")


def _together(
    model: LanguageModel, questions: list[Question], scores: list[NDArray[np.float64]], tolerance: float
) -> None:
    _close(model.score(questions), scores, tolerance, "deterministic", "two calls with the same questions")
    order = np.random.default_rng(0).permutation(len(questions)).tolist()
    shuffled = model.score([questions[place] for place in order])
    _close(shuffled, [scores[place] for place in order], tolerance, "order", "scores of permuted questions")
    alone = [model.score([question])[0] for question in questions]
    _close(alone, scores, tolerance, "batch", "a question alone and among others")
    one_answer = [
        np.concatenate([model.score([Question(question.prompt, (answer,))])[0] for answer in question.answers])
        for question in questions[:3]
    ]
    _close(one_answer, scores[:3], tolerance, "batch", "an answer alone and among others")
    twice = model.score([*questions, *questions])
    _close(twice[: len(questions)], twice[len(questions) :], tolerance, "repeats", "a question and its copy")


def _told(model: LanguageModel, questions: list[Question], scores: list[NDArray[np.float64]], tolerance: float) -> None:
    heard: list[tuple[int, NDArray[np.float64]]] = []
    model.score([*questions, questions[0]], lambda place, score: heard.append((place, score.copy())))
    _hold(sorted(place for place, _ in heard) == list(range(len(questions) + 1)), "told", "not each question once")
    _close(
        [score for _, score in sorted(heard, key=lambda one: one[0])][:-1], scores, tolerance, "told", "what is told"
    )
    kept: dict[int, NDArray[np.float64]] = {}

    def keep_two(place: int, score: NDArray[np.float64]) -> None:
        kept[place] = score.copy()
        if len(kept) == 2:
            raise KeyboardInterrupt

    try:
        model.score(questions, keep_two)
    except KeyboardInterrupt:
        pass
    else:
        raise ContractError("clause 'interrupt': an interrupt inside on_scored was swallowed")
    _close(list(kept.values()), [scores[place] for place in kept], tolerance, "interrupt", "what was told before it")
    _close(model.score(questions[:2]), scores[:2], tolerance, "interrupt", "scores after an interrupt")


def _answers(model: LanguageModel, prompt: str, tolerance: float) -> None:
    forth = model.score([Question(prompt, _ANSWERS)])[0]
    back = model.score([Question(prompt, _ANSWERS[::-1])])[0]
    _close([back[::-1]], [forth], tolerance, "answers", "answers in another order")
    doubled = model.score([Question(prompt, (*_ANSWERS, *_ANSWERS))])[0]
    _close([doubled[: len(forth)]], [doubled[len(forth) :]], tolerance, "answers", "an answer and its copy")


def _lost(model: LanguageModel, text: str) -> None:
    _hold(model.count("") == 0 and model.count(text) > 0, "tokens", "count of the empty text or of a text is wrong")
    _hold(model.lost(Question("", (" a",))) == 0, "window", "an empty prompt is said to lose tokens")


def _tokens(model: LocalLanguageModel, texts: list[str]) -> None:
    for text in texts:
        tokens = model.tokens(text)
        _hold(isinstance(tokens, tuple) and model.count(text) == len(tokens), "tokens", "count isn't their number")
        _hold(all(0 <= token < model.vocabulary for token in tokens), "tokens", "a token outside the vocabulary")
        _hold(len(model.pieces(tokens)) == len(tokens), "tokens", "not one piece a token")
        _hold(isinstance(model.text(tokens), str), "tokens", "text gave no string")
    _hold(model.tokens("") == (), "tokens", "the empty text has tokens")


def _sums(model: LocalLanguageModel, texts: list[str]) -> None:
    prefixes: list[Tokens] = [(), *(model.tokens(text) for text in texts), model.tokens(texts[0])[:1]]
    rows = model.next_log_probs(prefixes)
    _hold(rows.shape == (len(prefixes), model.vocabulary), "sum", f"next_log_probs gave shape {rows.shape}")
    totals = np.exp(rows.astype(np.float64)).sum(1)
    worst = float(np.abs(totals - 1).max())
    _hold(worst <= _SUM, "sum", f"probabilities after a prefix miss 1 by {worst:.2g}")
    _hold(model.next_log_probs([]).shape == (0, model.vocabulary), "empty", "no prefixes gave a wrong shape")
    _hold(model.token_log_probs([]) == [], "empty", "no sequences gave something else than an empty list")
    _hold(model.token_log_probs([()])[0].shape == (0,), "empty", "the empty sequence has log-probabilities")


def _chain(model: LocalLanguageModel, texts: list[str], tolerance: float) -> None:
    """The plain loop: one prefix at a time gives what whole sequences give, and their sums are the scores."""
    sequences = [model.tokens(text) for text in texts]
    whole = model.token_log_probs(sequences)
    for sequence, values in zip(sequences, whole, strict=True):
        steps = [model.next_log_probs([sequence[:place]])[0, token] for place, token in enumerate(sequence)]
        _close(
            [values], [np.asarray(steps, dtype=np.float64)], tolerance, "chain", "token_log_probs and next_log_probs"
        )
    for text, sequence in zip(texts, sequences, strict=True):
        for answer, score in zip(_ANSWERS, model.score([Question(text, _ANSWERS)])[0], strict=True):
            joined = (*sequence, *model.tokens(answer))
            if model.text(joined) != text + answer:
                continue  # this tokenizer writes a text's beginning in another way
            tail = model.token_log_probs([joined])[0][len(sequence) :]
            _close([np.array([tail.sum()])], [np.array([score])], tolerance, "chain", "score and token_log_probs")


def _window(model: LocalLanguageModel, texts: list[str], tolerance: float) -> None:
    """A prompt longer than the window loses its beginning and nothing else."""
    if model.window is None or model.window > _LONGEST_WINDOW:
        return
    body = " ".join(texts)
    long = " ".join([body] * (2 + model.window // max(model.count(body), 1)))
    asked = [Question(prompt, (" good", " bad")) for prompt in (f"one {long}", f"two {long}", f"{long} {texts[1]}")]
    for question in asked:
        lost, count = model.lost(question), model.count(question.prompt)
        _hold(0 < lost < count, "window", f"{lost} of {count} tokens are said to be lost of a window of {model.window}")
    one, two, end = model.score(asked)
    _close([one], [two], tolerance, "window", "prompts that differ only in what is cut off")
    _hold(not np.array_equal(one, end), "window", "words at the end of a long prompt change nothing")
    _hold(model.lost(Question(texts[0], (" good",))) == 0, "window", "a short prompt is said to lose tokens")


def _hostile(model: LanguageModel) -> None:
    for name, text in HOSTILE.items():
        score = model.score([Question(text, (" good", text[:8]))])[0]
        _hold(not np.isnan(score).any() and (score <= 1e-6).all(), "hostile", f"{name} gave {score}")
