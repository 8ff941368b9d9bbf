"""Fine-tuning a tiny Llama for real, its adapter, and variants of a model as models."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")
peft = pytest.importorskip("peft")

from tuning_networks import NAMES, TEMPLATE, load_tiny_llama, texts_and_labels  # noqa: E402

from presheaf.errors import InputError, ModelError  # noqa: E402
from presheaf.language.fine_tune import FineTuned, fine_tune  # noqa: E402
from presheaf.language.lora_audit import lora_audit  # noqa: E402
from presheaf.language.lora_factors import LowRank  # noqa: E402
from presheaf.language.lora_forgetting import forgetting  # noqa: E402
from presheaf.language.lora_variant import pruned, rounded, with_adapter  # noqa: E402
from presheaf.language.lora_weights import write_adapter  # noqa: E402
from presheaf.language.templates import parse_template  # noqa: E402
from presheaf.language.training import CHECKPOINT, Budget  # noqa: E402

BUDGET = Budget(steps=60, rate=1e-2)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load_tiny_llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def tuned(model: Any) -> FineTuned:
    texts, labels = texts_and_labels(60)
    return fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=4, budget=BUDGET)


def accuracy(tuned: FineTuned, model: Any) -> float:
    texts, truth = texts_and_labels(100, seed=5)
    return float((tuned.log_probs(model, texts).argmax(axis=1) == truth).mean())


def test_lora_learns_the_task_and_leaves_the_model(model: Any, tuned: FineTuned) -> None:
    fresh = torch.nn.utils.parameters_to_vector(model.network.parameters()).detach().clone()
    texts, truth = texts_and_labels(100, seed=5)
    template = parse_template(TEMPLATE)
    before = np.array(model.score([template.question(text, NAMES) for text in texts])).argmax(axis=1)
    assert (before == truth).mean() < 0.7
    assert accuracy(tuned, model) > 0.85
    # Seven linear maps in each of two blocks; rank 4 on hidden size 32, 16 for keys and values, 48 inside.
    assert len(tuned.factors) == 14
    assert tuned.weights == 2 * 4 * (2 * 64 + 2 * 48 + 3 * 80)
    assert torch.equal(fresh, torch.nn.utils.parameters_to_vector(model.network.parameters()))


def test_the_factors_are_what_was_added(model: Any, tuned: FineTuned) -> None:
    after = tuned.network.state_dict()
    for name, before in model.network.state_dict().items():
        change = after[name] - before
        if name in tuned.factors:
            expected = tuned.factors[name].left @ tuned.factors[name].right
            assert np.allclose(change.numpy(), expected, atol=1e-5)
        else:
            assert not change.any()


def test_the_saved_adapter_is_read_by_peft_and_by_us(model: Any, tuned: FineTuned, tmp_path: Path) -> None:
    tuned.save(tmp_path / "adapter")
    wrapped = peft.PeftModel.from_pretrained(copy.deepcopy(model.network), tmp_path / "adapter").merge_and_unload()
    ours = with_adapter(model, tmp_path / "adapter", folder=tmp_path / "merged")
    texts = texts_and_labels(20, seed=6)[0]
    template = parse_template(TEMPLATE)
    asked = [template.question(text, NAMES) for text in texts]
    expected = tuned.log_probs(model, texts)
    assert np.allclose(np.array(ours.score(asked)), expected, atol=1e-3)
    for name, tensor in wrapped.state_dict().items():
        assert torch.allclose(tensor, ours.network.state_dict()[name], atol=1e-5)
    assert ours.fingerprint != model.fingerprint
    audit = lora_audit(model, tmp_path / "adapter")
    assert len(audit.layers) == 14
    assert all(layer.change.rank == 4 for layer in audit.layers)
    assert audit.weyl < 1e-10
    whole = lora_audit(model, ours.network, null_draws=0)
    assert whole.relative == pytest.approx(audit.relative, rel=0.5)
    assert [layer.name for layer in whole.layers] == [layer.name for layer in audit.layers]


def test_the_last_blocks_alone_change(model: Any, tmp_path: Path) -> None:
    texts, labels = texts_and_labels(60)
    tuned = fine_tune(model, texts, labels, NAMES, TEMPLATE, method="last_layers", blocks=1, budget=BUDGET)
    assert accuracy(tuned, model) > 0.8
    assert tuned.factors == {}
    changed = {
        name
        for name, tensor in tuned.network.state_dict().items()
        if not torch.equal(tensor, model.network.state_dict()[name])
    }
    assert changed
    assert all(name.startswith("model.layers.1.") or name == "model.norm.weight" for name in changed)
    tuned.save(tmp_path)
    assert {layer.name for layer in lora_audit(model, tmp_path, null_draws=0).layers} < changed


def test_the_same_seed_gives_the_same_weights_and_a_stopped_run_goes_on(model: Any, tmp_path: Path) -> None:
    texts, labels = texts_and_labels(40)
    budget = Budget(steps=30, check=5, rate=1e-2, patience=10)
    whole = fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=2, budget=budget)

    def stop(done: int, total: int) -> None:
        if done == 17:
            raise KeyboardInterrupt

    first = fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=2, budget=budget, folder=tmp_path, progress=stop)
    assert (first.trained.stopped, first.trained.steps) == ("interrupted", 17)
    second = fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=2, budget=budget, folder=tmp_path)
    assert second.trained.history == whole.trained.history
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, second.network.state_dict()[name])
    with pytest.raises(InputError, match="belongs to a training with other rows"):
        fine_tune(model, texts[::-1], labels, NAMES, TEMPLATE, rank=2, budget=budget, folder=tmp_path)
    (tmp_path / CHECKPOINT).write_bytes(b"damaged")
    with pytest.raises(ModelError, match="damaged"):
        fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=2, budget=budget, folder=tmp_path)


def test_options_that_are_refused(model: Any) -> None:
    texts, labels = texts_and_labels(12)
    with pytest.raises(InputError, match="method"):
        fine_tune(model, texts, labels, NAMES, TEMPLATE, method="all")
    with pytest.raises(InputError, match="rank"):
        fine_tune(model, texts, labels, NAMES, TEMPLATE, rank=0)
    with pytest.raises(InputError, match="at most 2"):
        fine_tune(model, texts, labels, NAMES, TEMPLATE, method="last_layers", blocks=3)


def test_pruning_takes_the_smallest_weights_of_each_matrix(model: Any, tmp_path: Path) -> None:
    half = pruned(model, 0.5, folder=tmp_path / "half")
    name = "model.layers.0.mlp.up_proj.weight"
    before, after = model.network.state_dict()[name], half.network.state_dict()[name]
    assert int((after == 0).sum()) == before.numel() // 2
    assert before.abs()[after == 0].max() <= before.abs()[after != 0].min()
    assert torch.equal(before[after != 0], after[after != 0])
    assert torch.equal(
        model.network.state_dict()["model.embed_tokens.weight"], half.network.state_dict()["model.embed_tokens.weight"]
    )
    assert torch.equal(pruned(model, 0.0, folder=tmp_path / "all").network.state_dict()[name], before)
    with pytest.raises(InputError, match="share"):
        pruned(model, 1.0)


def test_rounding_keeps_each_weight_within_half_a_step(model: Any, tmp_path: Path) -> None:
    four = rounded(model, 4, folder=tmp_path / "four")
    name = "model.layers.1.self_attn.q_proj.weight"
    before, after = model.network.state_dict()[name], four.network.state_dict()[name]
    step = before.abs().amax(dim=1, keepdim=True) / 7
    assert ((after - before).abs() <= step / 2 + 1e-7).all()
    assert max(len(row.unique()) for row in after) <= 15
    with pytest.raises(InputError, match="bits"):
        rounded(model, 1)


def test_a_variant_is_kept_in_the_cache(model: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRESHEAF_CACHE", str(tmp_path))
    first, second = rounded(model, 8), rounded(model, 8)
    assert first.fingerprint == second.fingerprint != model.fingerprint
    assert len(list((tmp_path / "variants").iterdir())) == 1
    assert first.info.name.endswith("weights of 8 bits")


def test_an_adapter_of_another_model_is_refused(model: Any, tmp_path: Path) -> None:
    write_adapter(tmp_path, {"model.layers.7.q.weight": LowRank(np.ones((3, 1)), np.ones((1, 3)))})
    with pytest.raises(ModelError, match=r"layers\.7"):
        with_adapter(model, tmp_path, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_taking_intruders_out_of_a_planted_adapter_gives_the_base_back(model: Any) -> None:
    """A strong change of rank 1 in a random direction is all intruder: what stays is the base without that direction."""
    rng = np.random.default_rng(0)
    name = "model.layers.0.self_attn.o_proj.weight"
    left, right = np.linalg.qr(rng.standard_normal((32, 1)))[0], np.linalg.qr(rng.standard_normal((32, 1)))[0]
    size = 200 * float(np.linalg.norm(model.network.state_dict()[name].double().numpy(), 2))
    texts = texts_and_labels(12, seed=8)[0]
    found = forgetting(model, {name: LowRank(size * left, right.T)}, texts, scales=(1, 0.5, 0))
    assert found.intruders == 1
    full, half, none = found.points
    assert full.loss == full.shrunk
    # With random weights a change may help as well as hurt, text by text: what it does shows in the spread.
    assert full.loss.half_width > 0.05
    for back in (none.loss, none.shrunk):
        assert back.half_width < 0.2 * full.loss.half_width
        assert abs(back.value) < 0.2 * full.loss.half_width
    assert half.loss.half_width > 0.05
    told = model.token_log_probs([model.tokens(text) for text in texts])
    assert found.base == pytest.approx(-np.mean([of_text[1:].mean() for of_text in told]), abs=1e-4)


def test_no_change_forgets_nothing(model: Any) -> None:
    found = forgetting(model, model.network.state_dict(), ["the sun", "rain and a plot"], scales=(1,))
    assert found.points[0].loss.value == 0
    assert found.intruders == 0
    with pytest.raises(InputError, match="two texts"):
        forgetting(model, model, ["the sun"])
    with pytest.raises(InputError, match="scales"):
        forgetting(model, model, ["the sun", "rain"], scales=(2,))
