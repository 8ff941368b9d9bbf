"""An n-gram model survives the disk, and a file that is not one is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presheaf.errors import InputError, ModelError
from presheaf.models.lm.ngram import NGramModel
from presheaf.models.lm.units import Unit
from presheaf.models.registry import load_model

TEXTS = ["the cat sat on the mat", "naïve 鱼 fish\nnew line", "\ud800 broken", ""]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return NGramModel.train(TEXTS, 3).save(tmp_path / "model.npz")


@pytest.mark.parametrize("unit", ["word", "character", "byte"])
def test_saved_and_loaded_is_the_same_model(tmp_path: Path, unit: Unit) -> None:
    model = NGramModel.train(TEXTS, 4, unit)
    again = NGramModel.load(model.save(tmp_path / "model.npz"))
    assert again.fingerprint == model.fingerprint
    prefixes = [model.tokens(text)[:5] for text in TEXTS]
    np.testing.assert_array_equal(again.next_log_probs(prefixes), model.next_log_probs(prefixes))
    assert [again.pieces(p) for p in prefixes] == [model.pieces(p) for p in prefixes]
    assert again.info.name == "model.npz"
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def rewritten(path: Path, **changes: Any) -> Path:
    with np.load(path, allow_pickle=False) as archive:
        arrays = {**{name: archive[name] for name in archive}, **changes}
    np.savez(path, **{name: array for name, array in arrays.items() if array is not None})
    return path


def first_raised(column: np.ndarray[Any, Any], to: int) -> np.ndarray[Any, Any]:
    return np.concatenate(([to], column[1:])).astype(column.dtype)


def test_a_newer_format_is_named(saved: Path) -> None:
    with pytest.raises(InputError, match="has format 2; this version reads format 1"):
        NGramModel.load(rewritten(saved, presheaf_ngram=np.array(2)))


@pytest.mark.parametrize(
    ("column", "change", "words"),
    [
        ("keys_2", lambda c: c[::-1], "keys of table 2 do not increase"),
        ("keys_3", lambda c: c + 10**9, "table 3 points outside table 2"),
        ("keys_2", lambda c: c.astype(np.float64), "integer columns"),
        ("keys_1", lambda c: c[1:], "does not hold the vocabulary"),
        ("counts_3", lambda c: c[1:], "one length"),
        ("counts_2", lambda c: first_raised(c, 0), "counts below 1"),
        ("counts_1", lambda c: c * 0, "counts nothing"),
        ("units", lambda c: c[1:], "does not add up"),
        ("lengths", lambda c: c * 0, "does not add up"),
        ("unit", lambda c: np.array(7), "kind 7"),
        ("unit", lambda c: np.array(2), "256 bytes"),
        ("counts_2", lambda c: None, "counts_2"),
        ("units", lambda c: np.full_like(c, 255), "can't be read"),
        ("units", lambda c: np.full_like(c, 97), "listed twice|can't be read"),
        ("presheaf_ngram", lambda c: None, "no n-gram model"),
    ],
)
def test_damaged_columns_are_refused(saved: Path, column: str, change: Any, words: str) -> None:
    with np.load(saved, allow_pickle=False) as archive:
        changed = change(archive[column])
    with pytest.raises(ModelError, match=words):
        NGramModel.load(rewritten(saved, **{column: changed}))


def test_files_that_are_no_model(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(InputError, match="There is no n-gram model"):
        NGramModel.load(tmp_path / "missing.npz")
    content = saved.read_bytes()
    for name, wrong in {"cut": content[: len(content) // 2], "empty": b"", "text": b"not a model"}.items():
        path = tmp_path / f"{name}.npz"
        path.write_bytes(wrong)
        with pytest.raises(ModelError, match=f"{name}.npz"):
            NGramModel.load(path)
    single = tmp_path / "single.npz"
    with single.open("wb") as stream:
        np.save(stream, np.arange(3))
    with pytest.raises(ModelError, match="no n-gram model"):
        NGramModel.load(single)


def test_nothing_is_unpickled(tmp_path: Path, saved: Path) -> None:
    with pytest.raises(ModelError, match="can't be read"):
        NGramModel.load(rewritten(saved, keys_2=np.array([{"a": 1}], dtype=object)))


def test_where_it_can_t_be_written(tmp_path: Path) -> None:
    model = NGramModel.train(TEXTS, 2)
    with pytest.raises(InputError, match=r"saved as a \.npz file"):
        model.save(tmp_path / "model.bin")
    with pytest.raises(InputError, match="can't be written"):
        model.save(tmp_path / "no" / "model.npz")


def test_it_is_asked_for_by_its_file(saved: Path) -> None:
    model = load_model(f"ngram:{saved}")
    assert isinstance(model, NGramModel)
    assert model.fingerprint == NGramModel.load(saved).fingerprint
    assert model.info.name == f"ngram:{saved}"
    with pytest.raises(InputError, match="There is no file"):
        load_model("ngram:missing.npz")
