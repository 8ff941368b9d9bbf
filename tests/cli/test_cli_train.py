"""`presheaf train` and `presheaf data` as a user meets them: every task, every refusal, stops, kills and damage."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")
pytest.importorskip("networkx")

from image_worlds import digit_folder

from presheaf.cli import main

posix = pytest.mark.skipif(os.name != "posix", reason="signals are sent as POSIX systems do")
SMALL = ["--steps", "4", "--checkpoint-every", "2", "--batch-size", "8", "--objects", "30", "--watch-rows", "60"]
WORDS = ["the", "a", "cat", "dog", "sat", "ran", "on", "under", "mat", "tree", "house", "blue", "red", "big", "small"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Digits as a folder a class, a table of them, a text table, lines of text, and a list of edges."""
    root = tmp_path_factory.mktemp("world")
    digit_folder(root / "photos", 30, 3)
    names = sorted((root / "photos").rglob("*.png"))
    rows = [f"{name.relative_to(root)},{'odd' if name.parent.name == '1' else 'even'}" for name in names]
    (root / "photos.csv").write_text("\n".join(["file,kind", *rows]))
    lines = [" ".join(WORDS[(i * k + k) % 15] for k in range(1, 4 + i % 6)) for i in range(400)]
    (root / "lines.txt").write_text("\n".join(lines))
    (root / "texts.csv").write_text("\n".join(["text,kind", *(f"{line},{'cat' in line}" for line in lines[:90])]))
    (root / "edges.txt").write_text("\n".join(f"n{i} n{(i + j) % 40}" for i in range(40) for j in (1, 3)))
    return root


def run(*words: object) -> int:
    return main([str(word) for word in words])


def weights(folder: Path) -> dict[str, bytes]:
    """The checkpoints, their digests in their names, and the model."""
    return {path.name: path.read_bytes() for path in [*folder.glob("step-*"), *folder.glob("model/*.safetensors")]}


@pytest.mark.parametrize("task", ["simclr", "moco", "kernel-infonce", "spectral", "rotnet", "mae"])
def test_every_task_on_images_gives_a_model_that_can_be_audited(
    task: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if task not in ("rotnet", "mae"):
        pytest.importorskip("kornia")
    out = tmp_path / "run"
    files: list[object] = ["--json", tmp_path / "run.json", "--report", tmp_path / "run.html"]
    climbed = task in ("simclr", "rotnet")
    files += [] if climbed else ["--watch", "none"]
    assert run("train", "--pretext", task, "--data", "digits", "--out", out, *SMALL, *files) == 0
    said = capsys.readouterr()
    assert f"{task} on digits, 4 steps" in said.out
    assert [line.split(":")[0] for line in said.err.splitlines()[:3]] == ["step 0", "step 2", "step 4"]
    assert "Warning" not in said.err
    assert "<svg" in (tmp_path / "run.html").read_text(encoding="utf-8")
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert found["model"] == f"trained:{out / 'model'}"
    assert [moment["step"] for moment in found["moments"]] == [0, 2, 4]
    if not climbed:
        return
    assert all(len(moment["rungs"]) == 5 for moment in found["moments"])
    audited = run("audit", world / "photos", "--model", found["model"], "--quiet", "--no-why", "--target", "0.5")
    assert audited in (0, 1)
    assert "trained:" in capsys.readouterr().out


@pytest.mark.parametrize(("task", "kind"), [("bert", "hf"), ("causal", "lm")])
def test_tasks_on_texts_beside_a_labelled_table(
    task: str, kind: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("transformers")
    words = ["train", "--pretext", task, "--data", f"text:{world / 'lines.txt'}", "--out", tmp_path / "run", *SMALL]
    table = ["--watch", world / "texts.csv", "--text", "text", "--label", "kind", "--json", tmp_path / "run.json"]
    assert run(*words, *table) == 0
    assert "table     texts: 90 rows, 2 classes" in capsys.readouterr().out
    found = json.loads((tmp_path / "run.json").read_text(encoding="utf-8"))
    assert found["model"].startswith(f"{kind}:")
    assert found["moments"][-1]["rungs"]
    assert run(*words) == 0
    said = capsys.readouterr()
    assert "table     none, so there is no ladder; --watch names a labelled table" in said.out


@pytest.mark.parametrize("data", ["karate", "edges"])
def test_walks_on_graphs(data: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spec = data if data == "karate" else f"edgelist:{world / 'edges.txt'}"
    assert run("train", "--pretext", "deepwalk", "--data", spec, "--out", tmp_path / "run", *SMALL) == 0
    assert (", 34 rows, 2 classes" in capsys.readouterr().out.replace(":", ",")) == (data == "karate")
    assert (tmp_path / "run" / "model" / "nodes.npy").is_file()


@pytest.mark.parametrize("named", ["folder", "column", "none"])
def test_a_table_of_images_is_watched(
    named: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    watched = {
        "folder": ["--watch", world / "photos"],
        "column": ["--watch", world / "photos.csv", "--image", "file", "--label", "kind"],
        "none": ["--watch", "none"],
    }[named]
    assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", tmp_path / "run", *SMALL, *watched) == 0
    said = {"folder": "photos: 90 rows, 3 classes", "column": "photos: 90 rows, 2 classes", "none": "no ladder"}
    assert said[named] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("--pretext rotnet --data digits --watch {w}/texts.csv --text text --label kind",
         "takes images; the labelled table 'texts' holds texts"),
        ("--pretext causal --data text:{w}/lines.txt --watch {w}/photos", "takes texts; the labelled table 'photos' holds images"),
        ("--pretext deepwalk --data karate --watch {w}/texts.csv --text text --label kind",
         "of the 34 objects of 'karate'; the labelled table 'texts' has 90 rows"),
        ("--pretext rotnet --data karate", "is for images; 'karate' holds nodes of a graph"),
        ("--pretext deepwalk --data digits", "is for nodes of a graph; 'digits' holds images"),
        ("--pretext bert --data digits", "is for texts; 'digits' holds images"),
        ("--pretext rotnet --data digits --text text", "--text names a column of a labelled table"),
        ("--pretext rotnet --data digits --watch none --label kind", "--label names a column of a labelled table"),
        ("--pretext rotnet --data digits --watch {w}/nothing.csv", "does not exist"),
        ("--pretext rotnet --data folder:{w}", "holds no image"),
        ("--pretext rotnet --data digits --steps -1", "'steps' must be a whole number, at least 0"),
        ("--pretext rotnet --data digits --learning-rate nan", "'learning_rate' must be above 0"),
        ("--pretext rotnet --data digits --batch-size 5000", "A batch of 5,000 is larger than the data, 1,190 objects"),
        ("--pretext rotnet --data digits --objects 3", "--objects must be at least 8"),
        ("--pretext rotnet --data digits --report {w}/none/page.html", "does not exist"),
        ("--pretext rotnets --data digits", "did you mean 'rotnet'?"),
        ("--pretext rotnet", "--data is missing"),
    ],
)  # fmt: skip
def test_refused_before_anything_is_written(
    words: str, said: str, world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("train", "--out", tmp_path / "run", *words.format(w=world).split()) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.startswith("presheaf: ")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("below", ["", "/deep/er"])
def test_a_file_in_the_way_of_the_run(below: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("mine")
    assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", f"{tmp_path}/file{below}", *SMALL) == 2
    assert f"{tmp_path / 'file'} is a file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="the system lets root write everywhere")
def test_a_folder_that_is_read_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o500)
    assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", tmp_path / "run", *SMALL) == 2
    assert "can't be written to" in capsys.readouterr().err
    tmp_path.chmod(0o700)


def small_data(tmp_path: Path, kind: str) -> str:
    from image_worlds import save
    from sklearn.datasets import load_digits

    images = (load_digits().images * 15).astype("uint8")
    for i in range({"one object": 1, "sizes": 2}.get(kind, 60)):
        save(images[i][: 8 - i] if kind == "sizes" else images[i], tmp_path / "data" / "a" / f"{i}.png")
    return f"folder:{tmp_path / 'data'}"


@pytest.mark.parametrize(
    ("kind", "said"), [("one object", "at least 2"), ("sizes", "must have one size; those in .* have 2: 8 x 7, 8 x 8")]
)
def test_data_too_small_or_uneven(kind: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("kornia")
    assert run("train", "--pretext", "simclr", "--data", small_data(tmp_path, kind), "--out", tmp_path / "run") == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "run").exists()


def test_one_class_is_enough_to_train_and_has_no_ladder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = small_data(tmp_path, "one class")
    assert run("train", "--pretext", "rotnet", "--data", data, "--out", tmp_path / "run", *SMALL) == 0
    said = capsys.readouterr()
    assert "none, so there is no ladder; --watch names a labelled table" in said.out
    assert "one prompt per label" not in said.out + said.err


def test_a_text_of_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("transformers")
    (tmp_path / "one.txt").write_text("a single line\n")
    assert run("train", "--pretext", "causal", "--data", f"text:{tmp_path / 'one.txt'}", "--out", tmp_path / "run") == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_no_steps_measure_the_random_initialisation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", tmp_path / "run", *SMALL, "--steps", 0) == 0
    assert "Only step 0 was seen, so nothing can be said of training." in capsys.readouterr().out


def test_json_alone_on_standard_output(tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    words = ["train", "--pretext", "deepwalk", "--data", "karate", "--out", str(tmp_path / "run"), *SMALL]
    assert main([*words, "--quiet", "--json", "-"]) == 0
    sys.stdout.flush()
    said = capfdbinary.readouterr()
    assert json.loads(said.out)["schema"] == "presheaf.watch/1"
    assert said.err == b""


def test_a_loss_that_is_no_number_ends_with_the_last_good_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["train", "--pretext", "rotnet", "--data", "digits", "--out", tmp_path / "run", *SMALL, "--watch", "none"]
    for _ in range(2):
        assert run(*words, "--learning-rate", "1e30", "--optimizer", "sgd", "--steps", 40) == 2
        err = capsys.readouterr().err
        assert re.search(r"presheaf: .* at step \d+, so training stopped; the checkpoint of step \d+ is good", err)
        assert "Traceback" not in err
        assert [path.name.split("-")[1] for path in (tmp_path / "run").glob("step-*")] == ["00000000"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An undisturbed run."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", folder, *SMALL, "--quiet") == 0
    return folder


def copied(whole: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(whole, tmp_path / "run"))


def again(folder: Path, *more: object) -> int:
    return run("train", "--pretext", "rotnet", "--data", "digits", "--out", folder, *SMALL, *more)


def test_the_same_command_measures_nothing_twice(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(whole, tmp_path)
    before = (folder / "watch.jsonl").read_bytes()
    capsys.readouterr()
    for _ in range(2):
        assert again(folder) == 0
        said = capsys.readouterr()
        assert said.err == ""
        assert "rotnet on digits, 4 steps" in said.out
    assert (folder / "watch.jsonl").read_bytes() == before
    assert weights(folder) == weights(whole)


def test_more_steps_go_on_and_fewer_are_refused(
    whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(whole, tmp_path)
    assert again(folder, "--watch", "none") == 0
    capsys.readouterr()
    assert again(folder, "--watch", "none", "--steps", 5) == 0
    assert [line.split(":")[0] for line in capsys.readouterr().err.splitlines()] == ["step 5"]
    assert again(folder, "--watch", "none") == 2
    assert "has made 5 steps; it can go on to more, not back to 4" in capsys.readouterr().err


def test_other_options_are_refused_and_named(whole: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = weights(whole)
    assert again(whole, "--learning-rate", 0.1, "--seed", 3, "--batch-size", 9) == 2
    err = capsys.readouterr().err
    for said in ("batch_size was 8 and is 9", "learning_rate was 0.001 and is 0.1", "seed was 0 and is 3"):
        assert said in err
    assert run("train", "--pretext", "mae", "--data", "digits", "--out", whole, *SMALL) == 2
    assert "the task was 'rotnet' and is 'mae'" in capsys.readouterr().err
    assert weights(whole) == before


@pytest.mark.parametrize("quiet", [[], ["--quiet"]])
def test_a_damaged_checkpoint_is_passed_over_and_told_in_words(
    quiet: list[str], whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(whole, tmp_path)
    newest = max(folder.glob("step-*"))
    newest.write_bytes(newest.read_bytes()[:-3])
    capsys.readouterr()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert again(folder, *quiet) == 0
    notes = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("step ")]
    assert len(notes) == 1
    assert notes[0].startswith(f"note: The checkpoint {newest.name} is damaged")
    assert weights(folder) == weights(whole)


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", "3", "null", '{"task": {}, "data": {}, "plan": {}}', "threads", "versions", "task", "data", "plan",
     "plan.steps", "task.options"],
)  # fmt: skip
def test_a_damaged_record_is_told(damage: str, whole: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(whole, tmp_path)
    record: Any = json.loads((folder / "run.json").read_text())
    if damage.isidentifier() and damage in record:
        del record[damage]
    elif "." in damage:
        part, _, name = damage.partition(".")
        record[part][name] = "many"
    (folder / "run.json").write_text(
        json.dumps(record) if damage.replace(".", "").isalpha() and damage != "null" else damage
    )
    assert again(folder) == 2
    assert re.search(r"presheaf: .*run\.json isn't the record of a training run \(.+\)", capsys.readouterr().err)
    assert {name: part for name, part in weights(folder).items() if name.startswith("step")} == {
        name: part for name, part in weights(whole).items() if name.startswith("step")
    }


STEPS = 160
LONG = ["--steps", str(STEPS), "--checkpoint-every", "8", "--batch-size", "8", "--objects", "30", "--watch", "none"]


def program(folder: Path) -> subprocess.Popen[str]:
    words = ["train", "--pretext", "rotnet", "--data", "digits", "--out", str(folder), *LONG]
    return subprocess.Popen(
        [sys.executable, "-m", "presheaf", *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8",
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip


def once_there(started: subprocess.Popen[str], folder: Path, step: int) -> None:
    patience = time.monotonic() + 120
    while not any(int(path.name.split("-")[1]) >= step for path in folder.glob("step-*")):
        assert started.poll() is None, started.communicate()
        assert time.monotonic() < patience
        time.sleep(0.005)


@posix
@pytest.mark.slow
def test_killed_and_stopped_it_ends_with_the_same_bits(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    killed = program(folder)
    once_there(killed, folder, 16)
    killed.send_signal(signal.SIGKILL)
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    made = len(list(folder.glob("step-*")))
    assert made < 1 + STEPS // 8

    stopped = program(folder)
    once_there(stopped, folder, 8 * (made + 2))
    stopped.send_signal(signal.SIGINT)
    seen, err = stopped.communicate(timeout=120)
    assert stopped.returncode == 130, err
    assert seen.startswith(f"Stopped before step {STEPS}; last measured at step ")
    assert "Traceback" not in err
    assert not list(folder.glob(".*.part"))

    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for place in (folder, tmp_path / "straight"):
            assert run("train", "--pretext", "rotnet", "--data", "digits", "--out", place, *LONG, "--quiet") == 0
    finally:
        torch.set_num_threads(threads)
    expected, found = weights(tmp_path / "straight"), weights(folder)
    assert expected.keys() <= found.keys()
    assert all(found[name] == content for name, content in expected.items())


@posix
@pytest.mark.parametrize("after", ["at once", "first checkpoint"])
def test_an_early_stop_leaves_whole_files(after: str, tmp_path: Path) -> None:
    started, folder = program(tmp_path / "run"), tmp_path / "run"
    if after == "at once":
        time.sleep(0.7)
    else:
        once_there(started, folder, 0)
    started.send_signal(signal.SIGINT)
    _, err = started.communicate(timeout=120)
    assert started.returncode in (130, -signal.SIGINT)
    assert "Traceback" not in err
    assert not list(folder.glob(".*.part"))
    assert all(json.loads(line) for path in folder.glob("watch.jsonl") for line in path.read_text().splitlines())


def test_images_written_out_are_of_all_classes_alike(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("data", "digits", tmp_path / "out", "--most", 30) == 0
    assert "--image path --label label" in capsys.readouterr().out
    assert (
        sorted(len(list(folder.glob("*.png"))) for folder in (tmp_path / "out").iterdir() if folder.is_dir())
        == [3] * 10
    )
    assert run("data", "digits", tmp_path / "out") == 2
    assert "is in the way" in capsys.readouterr().err
    assert run("data", "karate", tmp_path / "graph") == 2
    assert "only images can be saved" in capsys.readouterr().err
    assert run("data", "digits", tmp_path / "none", "--most", 0) == 2
    assert not (tmp_path / "none").exists()


def test_the_list_names_every_task(capsys: pytest.CaptureFixture[str]) -> None:
    from presheaf.pretext import pretext_names

    assert run("train", "--list") == 0
    out = capsys.readouterr().out
    assert all(re.search(rf"^{name}: ", out, re.M) for name in pretext_names())
