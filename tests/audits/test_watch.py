"""A watched run: what is refused before training, what is kept, and what is said of it."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("networkx")

import presheaf as ps
from presheaf.audits import watch as watching
from presheaf.audits.watch_result import Measure, Moment, MomentRung, Watch
from presheaf.audits.watch_store import WatchStore
from presheaf.audits.watch_table import own_table
from presheaf.audits.watch_verdict import changes_of, sentence
from presheaf.errors import InputError, MissingDependencyError, ModelError
from presheaf.pretext import Data, Plan, graph_data, load_data, make_data, pretext
from presheaf.pretext.checkpoint import checkpoints
from presheaf.tables.task import Task

PLAN = Plan(steps=6, batch_size=8, warmup=1, checkpoint_every=2)
WALK = pretext("deepwalk?dim=8")


def pictures(n: int, seed: int = 0, classes: int = 2) -> Data:
    """Images of bright upper or lower halves, in order of their class."""
    rng = np.random.default_rng(seed)
    labels = np.sort(np.arange(2 * n) % classes)
    images = rng.integers(0, 90, (2 * n, 8, 8, 1), dtype=np.uint8)
    for i, label in enumerate(labels):
        images[i, 4 * (label % 2) : 4 * (label % 2) + 4] += 120
    names = tuple(f"class {i}" for i in range(classes))
    return make_data("halves", "image", images[::2], images[1::2], labels[::2], labels[1::2], names)


@pytest.fixture(scope="module")
def karate() -> Data:
    return load_data("karate")


def seen(task: Any, data: Data, folder: Path, plan: Plan = PLAN, **options: Any) -> tuple[Watch, list[int]]:
    """A watched run and the steps that were measured for it."""
    steps: list[int] = []
    result = ps.watch(task, data, folder, plan, size=20, on_moment=lambda moment: steps.append(moment.step), **options)
    return result, steps


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(bytes(content))


def test_nothing_is_measured_twice_and_more_steps_go_on(karate: Data, tmp_path: Path) -> None:
    table = own_table(karate, tmp_path / "table", 100)
    first, steps = seen(WALK, karate, tmp_path / "run", labelled=table)
    assert steps == [0, 2, 4, 6]
    again, steps = seen(WALK, karate, tmp_path / "run", labelled=table)
    assert steps == []
    assert ps.to_json(again) == ps.to_json(first)
    longer, steps = seen(WALK, karate, tmp_path / "run", replace(PLAN, steps=7), labelled=table)
    assert steps == [7]
    assert longer.moments[:4] == first.moments
    assert not (tmp_path / "run" / "watching").exists()


def test_a_resumed_run_shows_what_an_undisturbed_one_does(karate: Data, tmp_path: Path) -> None:
    def stop(moment: Moment) -> None:
        if moment.step == 4:
            raise KeyboardInterrupt

    whole, _ = seen(WALK, karate, tmp_path / "run")
    plain = ps.watch(WALK, karate, tmp_path / "other", PLAN, size=20, on_moment=stop)
    assert plain.interrupted
    assert [moment.step for moment in plain.moments] == [0, 2, 4]
    assert plain.verdict.startswith("Stopped before step 6; last measured at step 4. ")
    resumed, steps = seen(WALK, karate, tmp_path / "other")
    assert steps == [6]
    assert ps.to_json(resumed) == ps.to_json(replace(whole, model=resumed.model))


def test_changed_images_are_measured_anew_and_moved_ones_are_not(tmp_path: Path) -> None:
    pillow = pytest.importorskip("PIL.Image")
    data, task = pictures(30), pretext("rotnet")

    def steps(folder: str) -> list[int]:
        return seen(task, data, tmp_path / "run", labelled=own_table(data, tmp_path / folder, 100))[1]

    assert steps("table") == [0, 2, 4, 6]
    (tmp_path / "table").rename(tmp_path / "moved")
    assert steps("moved") == []
    picture = next((tmp_path / "moved").rglob("*.png"))
    pillow.fromarray(255 - np.asarray(pillow.open(picture))).save(picture)
    assert steps("moved") == [0, 2, 4, 6]


def test_other_objects_another_table_or_seed_is_measured_anew(karate: Data, tmp_path: Path) -> None:
    table = own_table(karate, tmp_path / "table", 100)
    assert seen(WALK, karate, tmp_path / "run", labelled=table)[1] == [0, 2, 4, 6]
    assert seen(WALK, karate, tmp_path / "run")[1] == [0, 2, 4, 6]
    assert seen(WALK, karate, tmp_path / "run", seed=1)[1] == [0, 2, 4, 6]
    assert table is not None
    other = replace(table, labels=1 - table.labels)
    assert seen(WALK, karate, tmp_path / "run", labelled=other)[1] == [0, 2, 4, 6]
    assert seen(WALK, karate, tmp_path / "run", labelled=table)[1] == []


def test_numbers_of_weights_that_are_no_more_are_measured_again(karate: Data, tmp_path: Path) -> None:
    """Trained on along a longer curve from before a damaged checkpoint, step 6 is other weights than it was."""
    first, _ = seen(WALK, karate, tmp_path)
    flipped(checkpoints(tmp_path)[-1].path)
    with pytest.warns(UserWarning, match="is damaged"):
        longer, steps = seen(WALK, karate, tmp_path, replace(PLAN, steps=12))
    assert steps == [6, 8, 10, 12]
    assert longer.moments[:3] == first.moments[:3]
    assert longer.moments[3].loss != first.moments[3].loss


def test_a_run_that_lost_checkpoints_is_not_said_to_have_made_them(karate: Data, tmp_path: Path) -> None:
    seen(WALK, karate, tmp_path)
    for checkpoint in checkpoints(tmp_path)[2:]:
        flipped(checkpoint.path)

    def stop(stage: str, done: int, _: int) -> None:
        if stage == "training":
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.warns(UserWarning, match="is damaged"):
        stopped = ps.watch(WALK, karate, tmp_path, replace(PLAN, steps=20), size=20, progress=stop)
    assert stopped.interrupted
    # Step 4 is there again, on a longer curve, and was not measured since.
    assert [moment.step for moment in stopped.moments] == [0, 2]


def test_a_stop_between_checkpoints_with_few_to_keep_still_answers(karate: Data, tmp_path: Path) -> None:
    def stop(stage: str, done: int, _: int) -> None:
        if stage == "training" and done == 2:
            os.kill(os.getpid(), signal.SIGINT)

    result = ps.watch(WALK, karate, tmp_path, replace(PLAN, keep=1), size=20, progress=stop)
    assert result.interrupted
    assert [checkpoint.step for checkpoint in checkpoints(tmp_path)] == [0, 3]
    assert result.moments[-1].step == 2
    assert ps.load_model(result.model).info.dim == 8


def test_a_stop_before_anything_was_measured_stops(karate: Data, tmp_path: Path, monkeypatch: Any) -> None:
    def stopped(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(watching, "measure", stopped)
    with pytest.raises(KeyboardInterrupt):
        ps.watch(WALK, karate, tmp_path, PLAN, size=20)


def test_a_ladder_on_a_part_of_the_rows_is_no_moment(tmp_path: Path) -> None:
    """An audit hears Ctrl-C itself and answers for the rows read so far; a run must stop then, and keep nothing of it."""
    pytest.importorskip("PIL")
    data = pictures(40)
    task, stopped = pretext("rotnet"), []

    def stop(stage: str, done: int, _: int) -> None:
        if stage.startswith("measuring, reading rows") and done and not stopped:
            stopped.append(stage)
            raise KeyboardInterrupt

    table = own_table(data, tmp_path / "table", 100)
    with pytest.raises(KeyboardInterrupt):
        ps.watch(task, data, tmp_path / "run", PLAN, labelled=table, size=20, progress=stop)
    assert stopped
    assert not (tmp_path / "run" / "watch.jsonl").exists()
    assert not (tmp_path / "run" / "watching").exists()


def test_stages_are_named_for_a_reader(karate: Data, tmp_path: Path) -> None:
    stages: Counter[str] = Counter()
    table = own_table(karate, tmp_path / "table", 100)
    ps.watch(WALK, karate, tmp_path / "run", PLAN, labelled=table, size=20,
             progress=lambda stage, *_: stages.update([stage]))  # fmt: skip
    assert stages["training"] == PLAN.steps
    assert stages.pop("the task's hom on held-out objects") == 2
    assert all(stage == "training" or stage.startswith("measuring, ") for stage in stages)
    assert not any(word in stage for stage in stages for word in ("watching", "nodes.npy", "vectors:"))


def test_the_loss_of_a_moment_is_the_mean_since_the_checkpoint_before(karate: Data, tmp_path: Path) -> None:
    """Five steps and a checkpoint every two: the last one has a single step behind it."""
    from presheaf.pretext import train

    result, _ = seen(WALK, karate, tmp_path / "run", replace(PLAN, steps=5))
    losses = train(WALK, karate, tmp_path / "run", replace(PLAN, steps=5)).losses
    assert result.moments[0].loss is None
    expected = [losses[:2].mean(), losses[2:4].mean(), losses[4]]
    assert [moment.loss for moment in result.moments[1:]] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("spec", "media", "holds"), [("rotnet", "text", "takes images; .* holds texts"), ("bert", "image", "takes texts; .* holds images")]
)  # fmt: skip
def test_a_table_of_the_wrong_kind_is_refused_before_anything_is_written(
    spec: str, media: Any, holds: str, tmp_path: Path
) -> None:
    data = pictures(20) if spec == "rotnet" else make_data("lines", "text", ("a b c",) * 30, ("a b",) * 30)
    table = Task(("x", "y"), np.array([0, 1], dtype=np.int32), ("a", "b"), np.array([1, 2]), media=media)
    with pytest.raises(InputError, match=holds):
        ps.watch(pretext(spec), data, tmp_path / "run", PLAN, labelled=table)
    assert not (tmp_path / "run").exists()


def test_vectors_need_a_row_an_object(karate: Data, tmp_path: Path) -> None:
    table = Task(("x", "y"), np.array([0, 1], dtype=np.int32), ("a", "b"), np.array([1, 2]))
    with pytest.raises(InputError, match=r"each of the 34 objects of 'karate'; .* has 2 rows"):
        ps.watch(WALK, karate, tmp_path / "run", PLAN, labelled=table)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("spec", ["simclr", "moco", "rotnet", "mae", "bert", "causal", "clip"])
def test_data_of_another_kind_are_refused(spec: str, karate: Data, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"is for .*; 'karate' holds nodes of a graph"):
        ps.watch(pretext(spec), karate, tmp_path / "run", PLAN)
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_no_number_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no longer a finite number|The loss is"):
        ps.watch(pretext("rotnet"), pictures(20), tmp_path, replace(PLAN, learning_rate=1e30, optimizer="sgd"), size=20)
    assert checkpoints(tmp_path)[0].step == 0
    assert not list(tmp_path.glob(".*.part"))


def test_a_watched_part_of_the_data_holds_every_class_alike(tmp_path: Path) -> None:
    """Held-out images lie in the order of their classes; the first so many would be of one class."""
    pytest.importorskip("PIL")
    table = own_table(pictures(60, classes=4), tmp_path / "table", 20)
    assert table is not None
    assert Counter(table.label_names) == {f"class {i}": 5 for i in range(4)}


def test_data_with_one_class_or_none_have_no_ladder(tmp_path: Path) -> None:
    data = pictures(20, classes=1)
    assert own_table(data, tmp_path / "table", 100) is None
    assert own_table(graph_data("g", np.ones((3, 3)) - np.eye(3)), tmp_path / "table", 100) is None
    result, _ = seen(pretext("rotnet"), data, tmp_path / "run")
    assert result.table == {}
    assert "none, so there is no ladder" in ps.to_text(result)
    assert "none, so there is no ladder" in ps.to_html(result)


HALF = Measure(0.5, 0.4, 0.6)


def moment(step: int, right: tuple[int, ...], ideality: Measure = HALF, null: float = 0.9) -> Moment:
    one = Measure(1.0, 1.0, 1.0)
    rung = MomentRung("head", "estimate", Measure(len(right) / 40, 0.0, 1.0), None, right, tuple(range(1, 41)))
    return Moment(step, None, ideality, 0.0, 0.0, 0.0, null, one, one, one, 4, (rung,))


def test_changes_are_paired_on_the_same_rows() -> None:
    """20 rows right before, the same and 12 more after: McNemar's exact p is 2 * 0.5^12."""
    (change,) = changes_of([moment(0, tuple(range(1, 21))), moment(9, tuple(range(1, 33)))])
    assert (change.before, change.after) == (0.5, 0.8)
    assert change.difference.value == pytest.approx(0.3)
    assert change.p_adjusted == pytest.approx(2 * 0.5**12)


@pytest.mark.parametrize(
    ("last", "null", "said"),
    [
        (Measure(0.2, 0.1, 0.3), 0.9, r"the category forms; .* falls from \.500 to \.200 \(shuffled \.900\)\.$"),
        (Measure(0.8, 0.7, 0.85), 0.9, r"grows from \.500 to \.800 .* learns something else\.$"),
        (Measure(0.5, 0.4, 0.6), 0.9, r"not shown to change, \.500 to \.500 \(shuffled \.900\)\.$"),
        (Measure(0.5, 0.4, 0.6), 0.55, r"not shown to be less than with the task's objects shuffled \(\.550\)\.$"),
        (Measure(None, None, None, "why"), 0.9, r"ideality can't be said\.$"),
    ],
)
def test_the_sentence_says_what_is_shown(last: Measure, null: float, said: str, karate: Data) -> None:
    moments = [moment(0, ()), moment(9, (), last, null)]
    assert re.search(said, sentence(WALK, karate, moments, (), False, 9))


def test_without_torch_it_says_what_to_install(karate: Data, tmp_path: Path, monkeypatch: Any) -> None:
    from presheaf.cli import main

    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingDependencyError, match=r"pip install"):
        ps.watch(WALK, karate, tmp_path / "run", PLAN)
    assert main(["train", "--pretext", "deepwalk", "--data", "karate", "--out", str(tmp_path / "run")]) == 2
    assert not (tmp_path / "run").exists()


def test_one_checkpoint_says_nothing_of_training(karate: Data) -> None:
    assert "nothing can be said of training" in sentence(WALK, karate, [moment(0, ())], (), False, 0)


def test_half_written_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "watch.jsonl"
    store = WatchStore(path, "key")
    for step in (0, 5):
        store.add(moment(step, (1, 2)), f"digest {step}")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(
        b'\xff\xfe\n[1]\n"key"\n{}\n' + lines[0] + json.dumps({"key": "key"}).encode() + b"\n" + lines[1][:40]
    )
    store = WatchStore(path, "key")
    assert store.moments() == (moment(0, (1, 2)),)
    assert store.holds(0, "digest 0")
    assert not store.holds(0, "another")
    assert not store.holds(5, "digest 5")
    store.add(moment(5, (3,)), "digest 5")
    assert WatchStore(path, "key").moments() == (moment(0, (1, 2)), moment(5, (3,)))
    assert not len(WatchStore(path, "other key"))
