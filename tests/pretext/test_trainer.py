"""The trainer: equal to a plain loop, and the same run whatever interrupts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from presheaf.errors import InputError, ModelError
from presheaf.pretext import Plan, load_run, make_data, pretext, train

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
training_task = pytest.importorskip("training_task")
Denoise, PLAN, pictures = training_task.Denoise, training_task.PLAN, training_task.pictures


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A run that nothing disturbed."""
    return train(Denoise(), pictures(), tmp_path_factory.mktemp("whole"), PLAN)


def files(run: Any) -> list[str]:
    """Names of the checkpoints: they carry the sha256 of weights, optimiser state and losses."""
    return [checkpoint.path.name for checkpoint in run.checkpoints]


class Interrupted(Exception):
    pass


def stop_at(step: int) -> Any:
    def told(done: int, *_: object) -> None:
        if done == step:
            raise Interrupted

    return told


def interrupted(folder: Path, step: int, plan: Plan = PLAN, **options: Any) -> None:
    with pytest.raises(Interrupted):
        train(Denoise(**options), pictures(), folder, plan, stop_at(step))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_it_is_the_plain_loop_with_torchs_own_schedule(optimizer: str, tmp_path: Path) -> None:
    plan = Plan(12, 16, 0.05, 0.1, optimizer, warmup=3, seed=5)
    task, data = Denoise(noise=0.0), pictures()  # without noise nothing is drawn but the weights
    losses, seen = [], []

    class Watched(Denoise):
        def loss(self, network: Any, data: Any, rows: Any) -> Any:
            seen.append(rows.tolist())
            return super().loss(network, data, rows)

    run = train(Watched(noise=0.0), data, tmp_path, plan)
    _, network = run, task.network(data)
    first = run.checkpoints[0]
    from safetensors.torch import load_file

    network.load_state_dict({k[8:]: v for k, v in load_file(first.path).items() if k.startswith("network/")})
    weights = [network[0].weight, network[2].weight], [network[0].bias, network[2].bias]
    groups = [{"params": weights[0], "weight_decay": 0.1}, {"params": weights[1], "weight_decay": 0.0}]
    kind = (
        torch.optim.AdamW(groups, lr=0.05) if optimizer == "adamw" else torch.optim.SGD(groups, lr=0.05, momentum=0.9)
    )
    up = torch.optim.lr_scheduler.LinearLR(kind, 1 / 4, total_iters=3)
    down = torch.optim.lr_scheduler.CosineAnnealingLR(kind, T_max=9)
    schedule = torch.optim.lr_scheduler.SequentialLR(kind, [up, down], [3])
    for rows in seen:
        kind.zero_grad()
        loss = task.loss(network, data, torch.tensor(rows))
        loss.backward()
        kind.step()
        schedule.step()
        losses.append(loss.item())
    np.testing.assert_allclose(run.losses, losses, rtol=1e-5)
    for name, tensor in run.network.state_dict().items():
        if name != "steps":
            torch.testing.assert_close(tensor, network.state_dict()[name], rtol=1e-4, atol=1e-6)
    for epoch in range(0, 12, 2):  # 40 objects, batches of 16: two an epoch, without repeats
        assert len({*seen[epoch], *seen[epoch + 1]}) == 32
    assert seen[0] != seen[2]
    assert {row for rows in seen for row in rows} == set(range(40))


def test_the_loss_falls_and_the_random_initialisation_is_kept(whole: Any) -> None:
    assert [checkpoint.step for checkpoint in whole.checkpoints] == [0, 4, 8, 12, 16, 20, 24]
    assert whole.losses.shape == (24,)
    assert whole.losses[-4:].mean() < whole.losses[:4].mean()
    assert not whole.network.training


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
@pytest.mark.parametrize("step", [1, 4, 13])
def test_a_stopped_run_goes_on_bit_for_bit(step: int, optimizer: str, tmp_path: Path) -> None:
    plan = Plan(**{**vars(PLAN), "optimizer": optimizer, "steps": 16})
    straight = train(Denoise(), pictures(), tmp_path / "straight", plan)
    interrupted(tmp_path / "stopped", step, plan)
    resumed = train(Denoise(), pictures(), tmp_path / "stopped", plan)
    assert files(resumed) == files(straight)
    assert (resumed.losses == straight.losses).all()


def test_a_killed_process_goes_on_bit_for_bit(whole: Any, tmp_path: Path) -> None:
    for moment in (2, 9, 15):
        child = subprocess.Popen(
            [sys.executable, training_task.__file__, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert child.stdout is not None
        for line in child.stdout:
            if int(line) >= moment:
                child.kill()
                break
        assert child.wait() == -signal.SIGKILL
        child.stdout.close()
        assert whole.checkpoints[-1].path.name not in {path.name for path in tmp_path.iterdir()}
    resumed = train(Denoise(), pictures(), tmp_path, PLAN)
    assert files(resumed) == files(whole)


def test_half_written_files_are_not_read(whole: Any, tmp_path: Path) -> None:
    interrupted(tmp_path, 13)
    newest = max(tmp_path.glob("step-*"))
    (tmp_path / f".{newest.name.replace('12', '16', 1)}.part").write_bytes(newest.read_bytes()[:100])
    resumed = train(Denoise(), pictures(), tmp_path, PLAN)
    assert files(resumed) == files(whole)
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize("damage", ["cut", "bit", "empty"])
def test_a_damaged_checkpoint_is_told_and_passed_over(damage: str, whole: Any, tmp_path: Path) -> None:
    interrupted(tmp_path, 13)
    newest = max(tmp_path.glob("step-*"))
    content = bytearray(newest.read_bytes())
    content[-1] ^= 1
    newest.write_bytes({"cut": content[:-9], "bit": content, "empty": b""}[damage])
    with pytest.warns(UserWarning, match=f"{newest.name} is damaged"):
        resumed = train(Denoise(), pictures(), tmp_path, PLAN)
    assert files(resumed) == files(whole)
    assert len(resumed.notes) == 1


def test_where_all_checkpoints_are_damaged_the_run_begins_anew(whole: Any, tmp_path: Path) -> None:
    interrupted(tmp_path, 9)
    for path in tmp_path.glob("step-*"):
        path.write_bytes(b"")
    with pytest.warns(UserWarning, match="damaged"):
        assert files(train(Denoise(), pictures(), tmp_path, PLAN)) == files(whole)


def test_ctrl_c_finishes_the_step_and_writes_a_checkpoint(whole: Any, tmp_path: Path) -> None:
    def press(step: int, *_: object) -> None:
        if step == 6:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(Denoise(), pictures(), tmp_path, PLAN, press)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert [path.name[:13] for path in sorted(tmp_path.glob("step-*"))][-1] == "step-00000007"
    resumed = train(Denoise(), pictures(), tmp_path, PLAN)
    assert set(files(whole)) <= set(files(resumed))


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    def press(step: int, *_: object) -> None:
        if step == 6:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train(Denoise(), pictures(), tmp_path, PLAN, press)
    assert [path.name[:13] for path in sorted(tmp_path.glob("step-*"))][-1] == "step-00000004"


def test_a_loss_that_is_no_number_stops_and_keeps_the_last_good_checkpoint(tmp_path: Path) -> None:
    task = Denoise(breaks_at=10)
    with pytest.raises(ModelError, match=r"loss is nan at step 10.*step 8 is good.*smaller learning rate than 0.01"):
        train(task, pictures(), tmp_path, PLAN)
    state = torch.cat([tensor.flatten() for tensor in loaded(max(tmp_path.glob("step-*"))).values()])
    assert max(tmp_path.glob("step-*")).name.startswith("step-00000008")
    assert torch.isfinite(state).all()


def loaded(path: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    return {name: tensor.float() for name, tensor in load_file(path).items()}


def test_a_weight_that_is_no_number_stops_before_it_is_written(tmp_path: Path) -> None:
    class Breaks(Denoise):
        def after_step(self, network: Any) -> None:
            super().after_step(network)
            if int(network.steps) == 8:
                with torch.no_grad():
                    network[0].weight[0, 0] = float("inf")

    with pytest.raises(
        ModelError, match=r"weight of '0.weight' is no longer a finite number at step 8.*step 4 is good"
    ):
        train(Breaks(), pictures(), tmp_path, PLAN)
    assert max(tmp_path.glob("step-*")).name.startswith("step-00000004")


def test_another_task_data_or_plan_is_named(tmp_path: Path) -> None:
    data = pictures()
    train(Denoise(), data, tmp_path, Plan(**{**vars(PLAN), "steps": 4}))
    with pytest.raises(InputError, match=r"run: the task's noise was 0\.2 and is 0\.3\. Choose"):
        train(Denoise(noise=0.3), data, tmp_path, PLAN)
    with pytest.raises(InputError, match="hold other objects"):
        train(Denoise(), make_data("noise", "image", data.train[::-1], data.test), tmp_path, PLAN)
    with pytest.raises(InputError, match=r"run: warmup was 4 and is 0; seed was 3 and is 4\. Choose"):
        train(Denoise(), data, tmp_path, Plan(**{**vars(PLAN), "seed": 4, "warmup": 0}))
    with pytest.raises(InputError, match=r"holds another run: learning_rate was 0\.01 and is 0\.02"):
        train(Denoise(), data, tmp_path, Plan(**{**vars(PLAN), "learning_rate": 0.02}))


def test_steps_may_grow_and_not_shrink(tmp_path: Path) -> None:
    short = train(Denoise(), pictures(), tmp_path, Plan(**{**vars(PLAN), "steps": 8}))
    longer = train(Denoise(), pictures(), tmp_path, PLAN)
    assert files(longer)[: len(files(short))] == files(short)
    assert len(longer.losses) == 24
    with pytest.raises(InputError, match="has made 24 steps; it can go on to more, not back to 8"):
        train(Denoise(), pictures(), tmp_path, Plan(**{**vars(PLAN), "steps": 8}))


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    first = train(Denoise(), pictures(), tmp_path, PLAN)
    told: list[int] = []
    again = train(Denoise(), pictures(), tmp_path, PLAN, lambda step, *_: told.append(step))
    assert not told
    assert files(again) == files(first)
    assert (again.losses == first.losses).all()
    same = again.network.state_dict()
    assert all(torch.equal(tensor, same[name]) for name, tensor in first.network.state_dict().items())


def test_the_observer_sees_each_checkpoint_once_and_changes_nothing(whole: Any, tmp_path: Path) -> None:
    calls: list[tuple[int, bool, float]] = []

    def observe(step: int, network: Any, loss: float) -> None:
        torch.rand(step + 1)
        calls.append((step, network.training, loss))

    with pytest.raises(Interrupted):
        train(Denoise(), pictures(), tmp_path, PLAN, stop_at(9), observe)
    run = train(Denoise(), pictures(), tmp_path, PLAN, on_checkpoint=observe)
    assert [step for step, _, _ in calls] == [0, 4, 8, 12, 16, 20, 24]
    assert not any(training for _, training, _ in calls)
    assert np.isnan(calls[0][2])
    for step, _, loss in calls[1:]:
        assert loss == pytest.approx(run.losses[step - 4 : step].mean())
    assert files(run) == files(whole)


def test_the_last_checkpoint_is_told_the_loss_of_its_own_steps_only(tmp_path: Path) -> None:
    told: dict[int, float] = {}
    plan = Plan(**{**vars(PLAN), "steps": 10})
    run = train(Denoise(), pictures(), tmp_path, plan, on_checkpoint=lambda step, _, loss: told.update({step: loss}))
    assert sorted(told) == [0, 4, 8, 10]
    assert told[10] == pytest.approx(run.losses[8:].mean())
    assert told[8] == pytest.approx(run.losses[4:8].mean())


def test_replay_shows_the_earlier_checkpoints_too(tmp_path: Path) -> None:
    first, second = {}, {}
    for seen, plan in ((first, Plan(**{**vars(PLAN), "steps": 8})), (second, PLAN)):

        def observe(step: int, network: Any, loss: float, seen: dict[int, Any] = seen) -> None:
            seen[step] = (network[0].weight.detach().clone(), loss)

        train(Denoise(), pictures(), tmp_path, plan, on_checkpoint=observe, replay=True)
    assert list(second) == [0, 4, 8, 12, 16, 20, 24]
    for step in (0, 4, 8):
        assert torch.equal(first[step][0], second[step][0])
        assert second[step][1] == pytest.approx(first[step][1], nan_ok=True)


def test_only_the_newest_are_kept_where_asked(tmp_path: Path) -> None:
    run = train(Denoise(), pictures(), tmp_path, Plan(**{**vars(PLAN), "keep": 2}))
    assert [checkpoint.step for checkpoint in run.checkpoints] == [0, 20, 24]


def test_global_states_are_as_before(tmp_path: Path) -> None:
    torch.manual_seed(7)
    before = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    train(Denoise(), pictures(), tmp_path, Plan(**{**vars(PLAN), "steps": 3}))
    after = torch.get_rng_state(), torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    assert torch.equal(before[0], after[0])
    assert before[1:] == after[1:]


@pytest.mark.parametrize(
    ("objects", "batch", "message"),
    [
        (0, 1, "needs at least 2 objects; there are none"),
        (1, 1, "there is 1"),
        (9, 10, "larger than the data, 9 objects"),
    ],
)
def test_too_few_objects(objects: int, batch: int, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        train(Denoise(), pictures(objects), tmp_path / "run", Plan(batch_size=batch))
    assert not (tmp_path / "run").exists()


def test_data_of_another_media(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is for images; 'lines' holds texts"):
        train(Denoise(), make_data("lines", "text", ["a", "b"], ["c"]), tmp_path, PLAN)


def test_two_processes_in_one_folder(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")

    def again(step: int, *_: object) -> None:
        with pytest.raises(InputError, match="Another process trains in"):
            train(Denoise(), pictures(), tmp_path, PLAN)
        raise Interrupted

    with pytest.raises(Interrupted):
        train(Denoise(), pictures(), tmp_path, PLAN, again)
    train(Denoise(), pictures(), tmp_path, PLAN)


def test_looking_back_at_a_run(tmp_path: Path) -> None:
    data = make_data(
        "squares", "image", *(np.random.default_rng(s).integers(0, 256, (20, 8, 8), np.uint8) for s in (1, 2))
    )
    states: dict[int, Any] = {}

    def observe(step: int, network: Any, _: float) -> None:
        states[step] = {name: tensor.clone() for name, tensor in network.state_dict().items()}

    train(pretext("rotnet", dim=16), data, tmp_path, Plan(4, 5, checkpoint_every=2), on_checkpoint=observe)
    for step, expected in ((0, 0), (2, 2), (None, 4)):
        task, network = load_run(tmp_path, step, data)
        assert task.options["dim"] == 16
        assert not network.training
        found = network.state_dict()
        assert all(torch.equal(found[name], tensor) for name, tensor in states[expected].items())
    with pytest.raises(InputError, match=r"no good checkpoint of step 3.*steps there: 0, 2, 4"):
        load_run(tmp_path, 3, data)
    with pytest.raises(InputError, match="There are no data 'squares'"):
        load_run(tmp_path)
    with pytest.raises(InputError, match="trained on 'squares'; 'noise' holds other objects"):
        load_run(tmp_path, data=pictures())
    with pytest.raises(InputError, match="holds no training run"):
        load_run(tmp_path / "elsewhere")


def test_a_folder_with_something_else_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "run.json").write_text("[]")
    with pytest.raises(InputError, match="isn't the record of a training run"):
        train(Denoise(), pictures(), tmp_path, PLAN)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="No run can be kept in"):
        train(Denoise(), pictures(), tmp_path / "file", PLAN)
