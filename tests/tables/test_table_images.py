"""Folders of images and columns of file names, with everything that may be wrong with them."""

from __future__ import annotations

import csv
import os
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("PIL")
from image_worlds import landscape, save

from presheaf.errors import InputError
from presheaf.images import content_key
from presheaf.tables import read_task


def folder(root: Path, **classes: int) -> Path:
    for number, (name, count) in enumerate(classes.items()):
        for i in range(count):
            save(landscape(8, 8, 100 * number + i), root / name / f"{i}.png")
    return root


def table(root: Path, rows: list[tuple[str, str]], name: str = "t.csv") -> Path:
    path = root / name
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("path", "kind"), *rows])
    return path


def test_a_folder_a_class(tmp_path: Path) -> None:
    task = read_task(folder(tmp_path / "pets", cat=3, dog=2))
    assert (task.name, task.media, task.texts) == ("pets", "image", None)
    assert task.classes == ("cat", "dog")
    assert task.label_names == ["cat"] * 3 + ["dog"] * 2
    assert task.objects == tuple(
        str(tmp_path / "pets" / p) for p in ("cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png")
    )
    assert task.contents == tuple(map(content_key, task.objects))
    some = task.take([4, 0])
    assert some.contents == (task.contents[4], task.contents[0])
    assert some.media == "image"


def test_a_column_of_names_is_relative_to_the_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder(tmp_path / "a", x=4)
    far = save(landscape(8, 8, 50), tmp_path / "far.png")
    path = table(tmp_path / "a", [("x/0.png", "p"), ("x/1.png", "q"), (" x/2.png ", "p"), (far, "q")])
    task = read_task(path, image="path", label="kind")
    assert [os.path.relpath(o, tmp_path) for o in task.objects or ()] == [
        "a/x/0.png",
        "a/x/1.png",
        "a/x/2.png",
        "far.png",
    ]
    assert task.text_column == "path"
    monkeypatch.chdir(tmp_path / "a")
    columns = {"path": ["x/0.png", "x/1.png", "x/2.png", "x/3.png"], "kind": ["p", "q", "p", "q"]}
    assert (read_task(columns, image="path", label="kind").objects or ())[0] == "x/0.png"


def test_bad_files_are_bad_rows_each_with_its_reason(tmp_path: Path) -> None:
    root = folder(tmp_path / "d", a=3, b=3)
    whole = (root / "a" / "0.png").read_bytes()
    (root / "a" / "cut.png").write_bytes(whole[:-30])
    (root / "a" / "empty.jpg").write_bytes(b"")
    (root / "b" / "fake.png").write_text("hello")
    (root / "b" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    with pytest.raises(InputError) as caught:
        read_task(root)
    for part in (
        "4 of 10 rows",
        "damaged image",
        "cut.png",
        "empty file",
        "no image",
        "fake.png",
        "no such file",
        "gone.png",
    ):
        assert part in str(caught.value)
    task = read_task(root, on_bad_row="skip")
    assert len(task) == 6
    assert [bad.row for bad in task.bad_rows] == [4, 5, 9, 10]
    assert "cut.png" in task.bad_rows[0].reason
    missing = table(
        root, [("a/0.png", "p"), ("", "p"), ("a/1.png", "q"), ("no.png", "q"), ("a/2.png", "q"), ("b/0.png", "p")]
    )
    task = read_task(missing, image="path", label="kind", on_bad_row="skip")
    assert [bad.row for bad in task.bad_rows] == [2, 4]


def test_links_subfolders_and_other_files(tmp_path: Path) -> None:
    root = folder(tmp_path / "d", a=2, b=2)
    save(landscape(8, 8, 77), root / "a" / "deep" / "er" / "x.jpg")
    (root / "a" / "link.png").symlink_to(root / "b" / "0.png")
    (root / "a" / "circle").symlink_to(root)
    (root / "linked").symlink_to(folder(tmp_path / "elsewhere", c=2) / "c")
    (root / "a" / ".hidden.png").write_bytes(b"x")
    (root / "a" / "notes.txt").write_text("x")
    (root / "empty").mkdir()
    save(landscape(8, 8, 78), root / "loose.png")
    task = read_task(root)
    assert task.classes == ("a", "b", "linked")
    assert [os.path.relpath(o, root) for o in task.objects or ()][:4] == [
        "a/0.png",
        "a/1.png",
        "a/deep/er/x.jpg",
        "a/link.png",
    ]
    told = " ".join(task.notes)
    for part in ("1 files whose names", "1 images outside", "'empty'"):
        assert part in told


def test_folders_that_are_no_task(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", only=3)
    with pytest.raises(InputError, match=r"one class only, 'only'"):
        read_task(one)
    (tmp_path / "none" / "a").mkdir(parents=True)
    with pytest.raises(InputError, match="holds no images"):
        read_task(tmp_path / "none")
    flat = tmp_path / "flat"
    for i in range(3):
        save(landscape(8, 8, i), flat / f"{i}.png")
    with pytest.raises(InputError, match="3 images lie in it"):
        read_task(flat)
    with pytest.raises(InputError, match="no columns to name"):
        read_task(folder(tmp_path / "two", a=2, b=2), text="review")
    single = folder(tmp_path / "single", a=1, b=2, c=2)
    with pytest.raises(InputError, match="seen once"):
        read_task(single)


def test_copies_are_told_by_content(tmp_path: Path) -> None:
    root = folder(tmp_path / "d", a=2, b=2)
    (root / "a" / "copy.png").write_bytes((root / "a" / "0.png").read_bytes())
    task = read_task(root)
    assert any("1 row repeats" in note for note in task.notes)


def test_text_and_image_exclude_each_other(tmp_path: Path) -> None:
    path = table(tmp_path, [("x.png", "p"), ("y.png", "q")])
    with pytest.raises(InputError, match="texts or images"):
        read_task(path, text="path", image="path", label="kind")
    with pytest.raises(InputError, match="--image"):
        read_task(path, label="kind")
    with pytest.raises(InputError, match="does not exist"):
        read_task(path, image="photo", label="kind")


def test_vectors_may_stand_beside_images(tmp_path: Path) -> None:
    root = folder(tmp_path / "d", a=4)
    columns = {"path": [str(root / "a" / f"{i}.png") for i in range(4)], "kind": list("pqpq"), "v": np.eye(4)}
    task = read_task(columns, image="path", label="kind", vectors="v")
    assert task.media == "image"
    assert task.vectors is not None
