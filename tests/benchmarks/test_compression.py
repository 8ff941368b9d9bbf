"""The comparison of a model with its copies, on a small network: what is recorded is what was done."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "benchmarks"), str(ROOT / "tests" / "language")]
import compression  # noqa: E402
from tuning_networks import load_tiny_llama  # noqa: E402

from presheaf.errors import InputError  # noqa: E402
from presheaf.language.lora_variant import pruned  # noqa: E402


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tiny_llama(tmp_path_factory.mktemp("llama"))


def test_a_pair_is_compared_on_rows_that_no_adapter_is_trained_on(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PRESHEAF_CACHE", str(tmp_path / "cache"))
    other = pruned(model, 0.9, folder=tmp_path / "pruned")
    found = compression.measure(lambda: (model, other), 60)
    assert found["objects"] <= found["rows"] == 60
    old, new = (torch.cat([w.detach().ravel() for w in m.network.state_dict().values()]) for m in (model, other))
    assert found["weights"] == pytest.approx(float((new - old).norm() / old.norm()), rel=1e-4)
    assert 0 < found["neighbours"][0] < 1
    assert [change["rung"] for change in found["rungs"]][-1] == "head"
    task, order = compression.reviews()
    compared = set(task.take(np.sort(order[-60:])).rows.tolist())
    assert not compared & set(task.take(np.sort(order[: compression.TRAINED])).rows.tolist())
    assert {row["row"] for one in found["tasks"] for row in one["rows"]} <= compared
    for which, network in (("before", model), ("after", other)):
        hits = compression.answered(network, task.take(np.sort(order[-60:])))
        assert found["written"][which] == pytest.approx(hits.mean())
    with pytest.raises(InputError, match="at most 2,585"):
        compression.measure(lambda: (model, other), 2586)
    compression.show(found)
    assert found["verdict"] in capsys.readouterr().out


def test_an_adapter_that_is_not_there_is_trained_and_then_used(
    model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PRESHEAF_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(compression, "STEPS", 2)
    monkeypatch.setattr(compression, "TRAINED", 24)
    folder = compression.trained(model, tmp_path / "adapter")
    written = (folder / "adapter_model.safetensors").read_bytes()
    assert compression.trained(model, folder) == folder
    assert (folder / "adapter_model.safetensors").read_bytes() == written
