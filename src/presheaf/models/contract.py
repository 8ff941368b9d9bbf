"""What every model source must keep, as a check that names the clause which doesn't hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from presheaf.images import content_key
from presheaf.models.base import Model, Trace
from presheaf.models.contract_images import check_images

# Rounding of float32 features through a few hundred additions, relative to the largest row.
_ROUNDING = 1e-5

HOSTILE = {
    "a single space": " ",
    "an emoji": "🐟",
    "an emoji of several code points": "👩‍👩‍👧 family",
    "a NUL": "fish\0market",
    "right-to-left script": "السمك 12 في البحر",
    "a direction mark": "\u202efish\u202c",
    "half a surrogate pair": "fish \ud83d",
    "combining marks": "e\u0301" * 40,
    "one long word": "z" * 1000,
    "a script without spaces": "鱿鱼和鲸鱼在海里" * 20,
    "a very long text": "very long " * 600,
}


class ContractError(AssertionError):
    """A model source breaks a clause of the contract; the message starts with the clause's name."""


def check_model_source(model: Model, objects: Sequence[Any], *, other: Model | None = None) -> None:
    """Check that a model source keeps everything that `presheaf.models.base.Model` says.

    For people who write a source: call it in a test with a dozen objects of the kind the source takes. It passes in
    silence. Cost: about eight passes over the objects and three dozen single texts, one of them very long. `fit` is
    called when needed; nothing else is changed.

    Parameters
    ----------
    model : Model
    objects : sequence
        At least three different ones: texts, or row numbers where ``model.takes == "row"``, or paths and uint8 arrays
        where ``model.takes == "image"``.
    other : Model, optional
        The same source with a setting changed (layer, pooling, window, ...); its fingerprint must differ.

    Raises
    ------
    ContractError
        Naming the clause: protocol, shape, empty, finite, deterministic, order, batch, duplicates, constant, T0,
        exact, trace, window, fingerprint, hostile.
    """
    objects = list(objects)
    _hold(isinstance(model, Model), "protocol", f"{type(model).__name__} lacks members of the Model protocol")
    _hold(model.takes in ("text", "row", "image"), "protocol", f"takes is {model.takes!r}")
    different = set(map(content_key, objects) if model.takes == "image" else objects)
    _hold(len(different) >= 3, "protocol", "at least three different objects are needed to check anything")
    if model.needs_fit:
        model.fit(objects)
    before = model.fingerprint
    features = _encode(model, objects, "the objects")
    _numbers(model, objects, features)
    _exact(model, objects, features)
    if model.takes == "text":
        _inputs(model, [str(text) for text in objects])
        _window(model, [str(text) for text in objects])
        _hostile(model)
    if model.takes == "image":
        check_images(model, objects, _hold, _close)
    _fingerprint(model, before, other)


def _hold(condition: object, clause: str, message: str) -> None:
    if not condition:
        raise ContractError(f"clause {clause!r}: {message}")


def _encode(model: Model, objects: Sequence[Any], what: str) -> NDArray[np.float32]:
    features = model.encode(objects)
    dim = model.info.dim
    _hold(isinstance(features, np.ndarray), "shape", f"encode gave a {type(features).__name__}, no numpy array")
    _hold(features.dtype == np.float32, "shape", f"features are {features.dtype}, expected float32")
    _hold(features.ndim == 2 and len(features) == len(objects), "shape", f"{features.shape} for {len(objects)} objects")
    _hold(features.shape[1] == dim, "shape", f"info.dim is {dim} and features have shape {features.shape}")
    _hold(np.isfinite(features).all(), "finite", f"features of {what} aren't all finite")
    return features


def _gap(a: NDArray[Any], b: NDArray[Any]) -> float:
    """Largest difference, relative to the largest row norm."""
    scale = max(float(np.linalg.norm(a, axis=1).max(initial=0.0)), 1e-30)
    return float(np.abs(a.astype(np.float64) - b).max(initial=0.0)) / scale


def _close(a: NDArray[Any], b: NDArray[Any], clause: str, what: str, tolerance: float = _ROUNDING) -> None:
    _hold(a.shape == b.shape, clause, f"{what}: shapes {a.shape} and {b.shape}")
    gap = _gap(a, b)
    _hold(gap <= tolerance, clause, f"{what} differ by {gap:.2g} of the largest norm (allowed: {tolerance:.0e})")


def _numbers(model: Model, objects: list[Any], features: NDArray[np.float32]) -> None:
    empty = _encode(model, [], "no objects")
    _hold(empty.shape == (0, features.shape[1]), "empty", f"no objects gave shape {empty.shape}")
    again = _encode(model, objects, "the objects")
    # An endpoint may be served by several machines, so only sources that run here must repeat every bit.
    repeats = 0.0 if model.info.kind != "openai" else _ROUNDING
    _close(features, again, "deterministic", "two calls with the same objects", repeats)
    order = np.random.default_rng(0).permutation(len(objects))
    shuffled = _encode(model, [objects[i] for i in order], "the objects")
    _close(features[order], shuffled, "order", "features of permuted objects and permuted features")
    alone = np.concatenate([_encode(model, [one], "one object") for one in objects])
    _close(features, alone, "batch", "features in a batch and alone")
    doubled = _encode(model, [*objects, *objects], "the objects twice")
    _close(doubled[: len(objects)], doubled[len(objects) :], "duplicates", "features of an object and of its copy")
    _hold((features != features[:1]).any(), "constant", "all objects have equal features")
    prompts = model.encode(objects[:2], role="prompt")
    _hold(prompts.shape == features[:2].shape, "shape", f"role 'prompt' gave shape {prompts.shape}")


def _exact(model: Model, objects: list[Any], features: NDArray[np.float32]) -> None:
    answer = model.encode_exact(objects)
    if answer is None:
        return
    exact, precision = answer
    _hold(isinstance(precision, str) and precision, "exact", "the precision has no name")
    named = "float64" if precision.startswith("float64") else str(exact.dtype)
    _hold(str(exact.dtype) == named, "exact", f"precision {precision!r} in an array of {exact.dtype}")
    _close(exact.astype(np.float64), features, "exact", "encode_exact and encode")
    reverse = model.encode_exact(objects[::-1])
    _hold(reverse is not None and reverse[1] == precision, "exact", "the precision changes between calls")
    _hold(np.array_equal(exact[0], _answer(model, objects[:1])[0]), "exact", "an object alone gives other features")
    _hold(reverse is not None and np.array_equal(exact[::-1], reverse[0]), "exact", "features depend on the order")
    _hold(_answer(model, []).shape == (0, features.shape[1]), "empty", "encode_exact of no objects has a wrong shape")


def _answer(model: Model, objects: Sequence[Any]) -> NDArray[Any]:
    answer = model.encode_exact(objects)
    if answer is None:
        raise ContractError("clause 'exact': encode_exact gives None for some objects and features for others")
    return answer[0]


def _variants(text: str) -> list[str]:
    """Ways to write a text that some tokenizers don't tell apart."""
    edits: tuple[Callable[[str], str], ...] = (
        str.upper,
        str.lower,
        lambda t: f"  {t} \n",
        lambda t: t.replace(" ", "  "),
        lambda t: t.replace("e", "é"),
        lambda t: " ".join(reversed(t.split())),
        lambda t: f"{t} {t}",
    )
    return [edit(text) for edit in edits]


def _inputs(model: Model, texts: list[str]) -> None:
    """T0: equal keys mean equal features, batched and exact."""
    pool = list(dict.fromkeys([*texts, *(variant for text in texts[:4] for variant in _variants(text))]))
    keys = model.inputs(pool)
    if keys is None:
        _hold(model.trace(texts[0]) is None, "trace", "inputs can't be seen, yet trace shows them")
        return
    _hold(len(keys) == len(pool), "T0", f"{len(keys)} keys for {len(pool)} objects")
    _hold(all(isinstance(key, bytes) for key in keys), "T0", "a key is no bytes")
    _hold(model.inputs([]) == [], "empty", "inputs of no objects isn't an empty list")
    _hold(model.inputs(pool[::-1]) == keys[::-1], "T0", "the key of an object depends on the others")
    _hold(len(set(keys)) > 1, "T0", "all objects have the same key")
    first = {key: position for position, key in reversed(list(enumerate(keys)))}
    merged = [(first[key], position) for position, key in enumerate(keys) if first[key] != position]
    if not merged:
        return
    left, right = [pool[a] for a, _ in merged], [pool[b] for _, b in merged]
    _close(_encode(model, left, "texts"), _encode(model, right, "texts"), "T0", "features of texts with equal keys")
    answer = model.encode_exact(left)
    if answer is not None:
        exact, precision = answer
        tolerance = 1e-12 if precision == "float64" else 1e-6
        _close(exact, _answer(model, right), "T0", "exact features of texts with equal keys", tolerance)


def _trace(model: Model, text: str) -> Trace:
    trace = model.trace(text)
    if trace is None:
        raise ContractError("clause 'trace': inputs are seen, yet trace gives None")
    _hold(trace.cut >= 0, "trace", f"cut is {trace.cut}")
    _hold(all(isinstance(token, str) for token in (*trace.tokens, *trace.unknown)), "trace", "a token is no string")
    return trace


def _window(model: Model, texts: list[str]) -> None:
    """What is cut off doesn't reach the network, and what reaches it wasn't cut off."""
    if model.inputs(texts[:1]) is None:
        return
    window = model.info.window
    body = " ".join(texts)
    short = _trace(model, texts[0])
    _hold(len(short.tokens) + short.cut > 0, "trace", f"no token of {texts[0]!r} is seen")
    if window is None:
        _hold(_trace(model, body * 20).cut == 0, "window", "info.window is None, yet trace says tokens were cut off")
        return
    long = " ".join([body] * (1 + 2 * window // max(len(_trace(model, body).tokens), 1)))
    trace = _trace(model, long)
    _hold(len(trace.tokens) <= window, "window", f"{len(trace.tokens)} tokens are read, the window is {window}")
    _hold(trace.cut > 0, "window", "a text longer than the window isn't said to be cut")
    tails = model.inputs([f"{long} one", f"{long} two"])
    heads = model.inputs([f"one {long}", f"two {long}"])
    if tails is None or heads is None:
        raise ContractError("clause 'window': inputs gives None for some texts and keys for others")
    _hold(tails[0] == tails[1] or heads[0] == heads[1], "window", "words that were cut off change the key")
    if short.cut == 0 and short.ordered and len(short.tokens) < window // 2:
        once, twice = model.inputs([texts[0], f"{texts[0]} {texts[0]}"]) or [b"", b""]
        _hold(once != twice, "window", "a word that wasn't cut off doesn't change the key")


def _hostile(model: Model) -> None:
    for name, text in HOSTILE.items():
        features = _encode(model, [text], name)
        answer = model.encode_exact([text])
        if answer is not None:
            _close(features, answer[0].astype(np.float64), "hostile", f"features and exact features of {name}")
        if model.inputs([text]) is not None:
            _trace(model, text)


def _fingerprint(model: Model, before: str, other: Model | None) -> None:
    _hold(model.fingerprint == before, "fingerprint", "encoding changed it")
    _hold(model.fingerprint == model.fingerprint, "fingerprint", "two readings differ")
    digest = model.fingerprint
    _hold(len(digest) >= 32 and set(digest) <= set("0123456789abcdef"), "fingerprint", f"{digest!r} is no hex digest")
    if other is not None:
        _hold(other.fingerprint != digest, "fingerprint", "another setting has the same one")
