"""lora_audit against what must hold of any adapter, and against a planted one."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from presheaf.errors import InputError, ModelError
from presheaf.language.lora_audit import lora_audit
from presheaf.language.lora_distance import change_distance
from presheaf.language.lora_factors import LowRank, gauge_fixed, principal_angles
from presheaf.language.lora_layer import layer_change, weyl_excess
from presheaf.language.lora_weights import write_adapter

SHAPES = st.tuples(st.integers(2, 14), st.integers(2, 14), st.integers(1, 5), st.integers(0, 2**31))


def random_change(out: int, inputs: int, rank: int, seed: int) -> LowRank:
    rng = np.random.default_rng(seed)
    return LowRank(rng.standard_normal((out, rank)), rng.standard_normal((rank, inputs)))


def haar(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.standard_normal((rows, columns)))[0]


@given(SHAPES)
@settings(max_examples=60, deadline=None)
def test_the_form_does_not_depend_on_the_gauge(drawn: tuple[int, int, int, int]) -> None:
    out, inputs, rank, seed = drawn
    change = random_change(out, inputs, rank, seed)
    rng = np.random.default_rng(seed + 1)
    gauge = haar(rank, rank, rng) @ np.diag(rng.uniform(0.3, 3, rank)) @ haar(rank, rank, rng)
    turned = LowRank(change.left @ gauge, np.linalg.inv(gauge) @ change.right)
    one, two = gauge_fixed(change), gauge_fixed(turned)
    scale = one.values[0]
    assert one.rank == two.rank == min(out, inputs, rank)
    assert np.abs(one.values - two.values).max() <= 1e-12 * scale
    assert np.abs(one.dense() - two.dense()).max() <= 1e-12 * scale
    assert np.abs(one.dense() - change.left @ change.right).max() <= 1e-12 * scale
    apart = change_distance(change, turned)
    assert apart.relative <= 1e-12
    assert apart.cosine == pytest.approx(1, abs=1e-12)


@given(SHAPES)
@settings(max_examples=60, deadline=None)
def test_the_distance_is_that_of_the_matrices(drawn: tuple[int, int, int, int]) -> None:
    out, inputs, rank, seed = drawn
    first, second = random_change(out, inputs, rank, seed), random_change(out, inputs, 2, seed + 5)
    a, b = first.left @ first.right, second.left @ second.right
    measured = change_distance(first, second)
    assert measured.distance == pytest.approx(np.linalg.norm(a - b), rel=1e-10)
    assert measured.cosine == pytest.approx(np.sum(a * b) / np.linalg.norm(a) / np.linalg.norm(b), abs=1e-10)


@given(SHAPES, st.floats(0.01, 100))
@settings(max_examples=60, deadline=None)
def test_weyls_bounds_are_kept(drawn: tuple[int, int, int, int], size: float) -> None:
    out, inputs, rank, seed = drawn
    base = np.random.default_rng(seed + 9).standard_normal((out, inputs))
    change = random_change(out, inputs, rank, seed)
    audited = layer_change("w", base, LowRank(change.left * size, change.right))
    assert audited.weyl <= 1e-12


def test_weyls_bounds_can_be_broken() -> None:
    """A change of rank 1 and norm 1 moves no singular value by more than 1, and leaves the interlaced ones in order."""
    before = np.array([5.0, 4, 3])
    assert weyl_excess(before, np.array([6.0, 4, 3]), np.array([1.0])) == 0
    assert weyl_excess(before, np.array([6.5, 4, 3]), np.array([1.0])) == pytest.approx(0.5 / 6.5)
    assert weyl_excess(before, np.array([6.0, 4.5, 3.5]), np.array([2.0])) == 0
    # The second value may rise to the first one before at most: 5.2 > 5 though no value moved by more than 2.
    assert weyl_excess(before, np.array([6.0, 5.2, 3]), np.array([2.0])) == pytest.approx(0.2 / 6)


def test_ranks_by_hand() -> None:
    change = gauge_fixed(np.diag([2.0, 1.0, 1.0, 0.0]))
    assert change.rank == 3
    assert change.stable_rank == pytest.approx(6 / 4)
    assert change.entropy_rank == pytest.approx(np.exp(0.5 * np.log(2) + 2 * 0.25 * np.log(4)))
    assert change.directions(0.6) == 1
    assert change.directions(0.9) == 3
    assert change.norm == pytest.approx(np.sqrt(6))


def test_no_change_is_no_change() -> None:
    nothing = gauge_fixed(LowRank(np.zeros((4, 2)), np.ones((2, 3))))
    assert (nothing.rank, nothing.stable_rank, nothing.entropy_rank, nothing.directions(), nothing.norm) == (
        0,
        0,
        0,
        0,
        0,
    )
    audit = lora_audit(np.eye(3), np.eye(3))
    assert audit.layers == ()
    assert (audit.relative, audit.unchanged, audit.intruders) == (0, 1, 0)


def test_a_change_along_the_leading_singular_vectors_brings_no_intruder() -> None:
    rng = np.random.default_rng(0)
    base = rng.standard_normal((120, 80))
    left, values, right = np.linalg.svd(base, full_matrices=False)
    change = LowRank(left[:, :8] * (10 * values[:8]), right[:8])
    audited = layer_change("w", base, change, null_draws=3)
    assert audited.intruders == ()
    assert audited.inside == pytest.approx(1)
    assert audited.angles.max() < 1e-6
    assert audited.null_intruders == 8  # the same size in random directions does bring them


@pytest.mark.parametrize("rank", [1, 4, 20])
def test_a_strong_random_change_brings_as_many_intruders_as_its_rank(rank: int) -> None:
    rng = np.random.default_rng(rank)
    base = rng.standard_normal((256, 200))
    strong = 50 * np.linalg.norm(base, 2)
    change = LowRank(strong * haar(256, rank, rng), haar(200, rank, rng).T)
    audited = layer_change("w", base, change, leading=8)
    assert len(audited.intruders) == rank
    assert [i.position for i in audited.intruders] == list(range(rank))
    assert all(i.cosine < 0.5 for i in audited.intruders)
    assert audited.leading == max(8, rank)


def test_a_weak_random_change_brings_none() -> None:
    rng = np.random.default_rng(3)
    left, right = haar(100, 60, rng), haar(60, 60, rng)
    base = left * np.linspace(60, 1, 60) @ right.T  # gaps of 1 between singular values
    change = LowRank(0.01 * haar(100, 4, rng), haar(60, 4, rng).T)
    assert layer_change("w", base, change).intruders == ()


def test_principal_angles_by_hand() -> None:
    tilted = np.array([[1.0, 0], [0, np.cos(1e-9)], [0, np.sin(1e-9)]])
    assert principal_angles(np.eye(3)[:, :2], tilted) == pytest.approx([0, 1e-9], rel=1e-6, abs=1e-15)
    assert principal_angles(np.eye(3)[:, :1], np.eye(3)[:, 1:]) == pytest.approx([np.pi / 2])
    assert principal_angles(np.eye(3)[:, :0], np.eye(3)).shape == (0,)


def test_a_fine_tuned_state_dict_against_its_base() -> None:
    rng = np.random.default_rng(4)
    base = {
        "model.a.weight": rng.standard_normal((6, 5)),
        "model.b.weight": rng.standard_normal((5, 5)),
        "model.norm": np.ones(5),
    }
    tuned = {
        "a.weight": base["model.a.weight"] + np.outer(np.arange(6.0), np.ones(5)),
        "b.weight": base["model.b.weight"],
        "norm": np.full(5, 2.0),
        "new.weight": np.ones((2, 2)),
    }
    audit = lora_audit(base, tuned)
    assert [layer.name for layer in audit.layers] == ["model.a.weight"]
    assert audit.layers[0].change.rank == 1
    assert (audit.compared, audit.unchanged, audit.unmatched) == (3, 1, ("new.weight",))
    # ||outer||^2 = (0+1+4+9+16+25) * 5 = 275, and 5 for the norm.
    total = sum(np.sum(value**2) for value in base.values())
    assert audit.relative == pytest.approx(np.sqrt(280 / total))
    assert "1 matrices changed" in str(audit)


def test_an_adapter_folder(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    change = random_change(6, 5, 2, 7)
    write_adapter(tmp_path, {"layers.0.q.weight": change})
    base = np.random.default_rng(8).standard_normal((6, 5))
    audit = lora_audit({"model.layers.0.q.weight": base}, tmp_path)
    assert np.allclose(audit.layers[0].change.dense(), change.left @ change.right, atol=1e-5)
    (settings_file := tmp_path / "adapter_config.json").write_text(
        json.dumps(json.loads(settings_file.read_text()) | {"lora_alpha": 6, "fan_in_fan_out": True})
    )
    turned = lora_audit({"layers.0.q.weight": base.T}, tmp_path)  # alpha / r = 3, stored transposed
    assert np.allclose(turned.layers[0].change.dense(), 3 * (change.left @ change.right).T, atol=1e-5)


def test_a_folder_as_peft_writes_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    peft = pytest.importorskip("peft")
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(7, 5), torch.nn.Linear(5, 4)).double()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    settings_ = peft.LoraConfig(
        r=3,
        lora_alpha=12,
        target_modules=["0", "1"],
        rank_pattern={"1": 2},
        alpha_pattern={"1": 5},
        use_rslora=True,
        init_lora_weights=False,
    )
    wrapped = peft.get_peft_model(network, settings_)
    wrapped.save_pretrained(tmp_path / "adapter")
    merged = wrapped.merge_and_unload().state_dict()
    from_adapter = lora_audit(before, tmp_path / "adapter")
    from_weights = lora_audit(before, merged)
    assert [layer.change.rank for layer in from_adapter.layers] == [3, 2]
    assert len(from_weights.layers) == 2
    for one, two in zip(from_adapter.layers, from_weights.layers, strict=True):
        assert one.name == two.name
        assert np.allclose(one.change.dense(), two.change.dense(), atol=1e-6)


def test_what_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="share tensors of one shape"):
        lora_audit({"a": np.eye(2)}, {"a": np.eye(3)})
    with pytest.raises(InputError, match="threshold"):
        lora_audit(np.eye(2), np.eye(2), threshold=0)
    with pytest.raises(InputError, match="finite"):
        LowRank(np.array([[np.nan]]), np.ones((1, 1)))
    with pytest.raises(InputError, match="rank"):
        LowRank(np.ones((2, 3)), np.ones((2, 2)))
    with pytest.raises(InputError, match="safetensors"):
        lora_audit(tmp_path, np.eye(2))
    with pytest.raises(InputError, match="one shape"):
        change_distance(np.eye(2), np.eye(3))
    with pytest.raises(InputError, match="must be a folder"):
        lora_audit(3, np.eye(2))


def test_damaged_and_foreign_adapters(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    base = {"q.weight": np.eye(3)}
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA"}')
    with pytest.raises(ModelError, match=r"adapter_model\.safetensors"):
        lora_audit(base, tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"not safetensors")
    with pytest.raises(ModelError, match="can't be read"):
        lora_audit(base, tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "LORA", "use_dora": true}')
    with pytest.raises(InputError, match="DoRA"):
        lora_audit(base, tmp_path)
    (tmp_path / "adapter_config.json").write_text('{"peft_type": "IA3"}')
    with pytest.raises(InputError, match="IA3"):
        lora_audit(base, tmp_path)
