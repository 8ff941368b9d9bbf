"""Data to train on: splits that hold equal objects together, formats by hand, and what is refused."""

from __future__ import annotations

import csv
import gzip
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from presheaf.errors import InputError, MissingDependencyError, ModelError
from presheaf.pretext import load_data, make_data, save_images
from presheaf.pretext.data import digest_of, hash_split
from presheaf.pretext.data_images import read_idx


def available(spec: str, **options: Any) -> Any:
    try:
        return load_data(spec, **options)
    except (InputError, MissingDependencyError) as error:
        pytest.skip(str(error))


@given(st.lists(st.text(max_size=3), max_size=60), st.integers(0, 5))
def test_equal_objects_fall_on_one_side(keys: list[str], seed: int) -> None:
    train, test = hash_split(keys, seed, 0.4)
    assert sorted([*train, *test]) == list(range(len(keys)))
    assert not {keys[i] for i in train} & {keys[i] for i in test}


def test_the_share_held_out() -> None:
    keys = [str(i) for i in range(20_000)]
    _, test = hash_split(keys, 0, 0.3)
    assert abs(len(test) / 20_000 - 0.3) < 5 * (0.3 * 0.7 / 20_000) ** 0.5
    _, other = hash_split(keys, 1, 0.3)
    both = len(set(test) & set(other)) / 20_000
    assert abs(both - 0.09) < 5 * (0.09 * 0.91 / 20_000) ** 0.5


def test_a_split_does_not_depend_on_the_other_objects() -> None:
    _, whole = hash_split("abcdefgh", 3, 0.5)
    _, part = hash_split("aceg", 3, 0.5)
    assert {"abcdefgh"[i] for i in whole} & set("aceg") == {"aceg"[i] for i in part}


def test_digits() -> None:
    data = load_data("digits")
    from sklearn.datasets import load_digits

    found = load_digits()
    assert (data.train.dtype, data.train.shape[1:], data.train.max()) == (np.uint8, (8, 8, 1), 255)
    assert len(data.train) + len(data.test) == 1797
    assert 0.3 < len(data.test) / 1797 < 0.37
    assert data.classes == tuple("0123456789")
    whole = np.concatenate([data.train, data.test])[..., 0].astype(int)
    labels = np.concatenate([data.train_labels, data.test_labels])
    expected = {
        (np.rint(image * 255 / 16).astype(int).tobytes(), label)
        for image, label in zip(found.images, found.target, strict=True)
    }
    assert {(image.tobytes(), label) for image, label in zip(whole, labels, strict=True)} == expected
    assert load_data("digits").digest == data.digest
    other = load_data("digits", seed=1)
    assert other.digest != data.digest
    assert load_data(other.name).digest == other.digest


def test_fashion_mnist() -> None:
    data = available("fashion-mnist")
    assert (data.train.shape, data.test.shape) == ((60_000, 28, 28, 1), (10_000, 28, 28, 1))
    assert np.bincount(data.train_labels).tolist() == [6000] * 10
    assert data.classes[int(data.train_labels[0])] == "Ankle boot"  # the first picture of the published set


def test_wordnet() -> None:
    data = available("wordnet")
    assert len(data.train) + len(data.test) == 82_115  # noun synsets of version 3.0
    kinds = dict(zip(data.train + data.test, [*data.train_labels, *data.test_labels], strict=True))
    dog = "a member of the genus Canis (probably descended from the common wolf) that has been domesticated by man since prehistoric times"
    found = [text for text in kinds if text.startswith(dog)]
    assert found
    assert data.classes[kinds[found[0]]] == "animal"
    assert not any('; "' in text for text in data.test)


def test_reviews() -> None:
    data = available("reviews")
    assert len(data.train) + len(data.test) == 33_530
    assert np.bincount([*data.train_labels, *data.test_labels]).tolist() == [16_765, 16_765]
    assert not set(data.train) & set(data.test)


def test_emoji() -> None:
    data = available("emoji")
    pictures, names = data.train
    assert pictures.shape[1:] == (64, 64, 3)
    assert 1300 < len(names) + len(data.test[1]) < 1400
    everything = {name: picture for part in (data.train, data.test) for picture, name in zip(*part, strict=True)}
    assert len(everything) == len(names) + len(data.test[1])
    reds = [everything[name][24:40, 24:40].reshape(-1, 3).mean(axis=0) for name in ("red circle", "red heart")]
    assert all(red[0] > 180 > 120 > max(red[1:]) for red in reds)


def idx(values: np.ndarray[Any, Any]) -> bytes:
    return b"\0\0\x08" + bytes([values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def idx_files(folder: Path, pack: bool) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    images = np.arange(5 * 3 * 4, dtype=np.uint8).reshape(5, 3, 4)
    labels = np.array([0, 2, 1, 0, 2], dtype=np.uint8)
    for part in ("train", "t10k"):
        for name, values in (("images-idx3", images), ("labels-idx1", labels)):
            content = gzip.compress(idx(values)) if pack else idx(values)
            (folder / f"{part}-{name}-ubyte{'.gz' if pack else ''}").write_bytes(content)
    return images, labels


@pytest.mark.parametrize("pack", [True, False])
def test_idx_files(pack: bool, tmp_path: Path) -> None:
    images, labels = idx_files(tmp_path, pack)
    data = load_data(f"idx:{tmp_path}")
    assert (data.train[..., 0] == images).all()
    assert (data.test_labels == labels).all()
    assert data.classes == ("0", "1", "2")


def test_damaged_idx_files(tmp_path: Path) -> None:
    path = tmp_path / "file"
    good = idx(np.zeros((2, 3), dtype=np.uint8))
    for content, message in (
        (good[:-1], "holds 5 bytes; its header says 6"),
        (b"\x89PNG", "isn't a file of bytes"),
        (b"", "isn't a file of bytes"),
        (good[:6], "header"),
        (gzip.compress(good)[:-9], "can't be read"),
    ):
        path.write_bytes(content)
        with pytest.raises(ModelError, match=message):
            read_idx(path)
    with pytest.raises(InputError, match="There is no file train-images-idx3-ubyte"):
        load_data(f"idx:{tmp_path}")


def test_images_written_and_read_again(tmp_path: Path) -> None:
    pytest.importorskip("PIL")
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (12, 6, 5, 3), dtype=np.uint8)
    labels = np.arange(12) % 3
    data = make_data("mine", "image", pictures, pictures[:0], labels, labels[:0], ("a/b", "..", "cat"))
    table = save_images(data, "train", tmp_path / "out", limit=10)
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert sorted(Counter(row["label"] for row in rows).values()) == [3, 3, 4]
    assert all((table.parent / row["path"]).is_file() for row in rows)
    back = load_data(f"folder:{tmp_path / 'out'}")
    assert len(back.classes) == 3
    found = {image.tobytes() for image in np.concatenate([back.train, back.test])}
    assert len(found) == 10
    assert found < {image.tobytes() for image in pictures}
    with pytest.raises(InputError, match="in the way"):
        save_images(data, "train", tmp_path / "out")


def test_a_folder_of_images(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    with pytest.raises(InputError, match="There is no folder"):
        load_data(f"folder:{tmp_path / 'none'}")
    with pytest.raises(InputError, match="holds no image"):
        load_data(f"folder:{tmp_path}")
    for name, grey in (("a.png", 10), ("b.png", 200)):
        image.new("L", (4, 4), grey).save(tmp_path / name)
    plain = load_data(f"folder:{tmp_path}")
    assert plain.train_labels is None
    assert len(plain.train) + len(plain.test) == 2
    image.new("RGB", (4, 4), "red").save(tmp_path / "c.png")
    assert load_data(f"folder:{tmp_path}").train.shape[3] == 3
    image.new("L", (4, 5)).save(tmp_path / "d.png")
    with pytest.raises(InputError, match=r"must have one size; those .* have 2: 4 x 4, 4 x 5"):
        load_data(f"folder:{tmp_path}")
    (tmp_path / "d.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"d\.png.*Remove or mend the file"):
        load_data(f"folder:{tmp_path}")


def test_a_text_file(tmp_path: Path) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join(f" line {i % 50} " for i in range(100)) + "\n\n", encoding="utf-8")
    data = load_data(f"text:{path}")
    assert len(data.train) + len(data.test) == 100
    assert not set(data.train) & set(data.test)
    assert data.train[0] == data.train[0].strip()
    path.write_bytes(b"caf\xe9")
    with pytest.raises(InputError, match="isn't UTF-8 at byte 3"):
        load_data(f"text:{path}")
    path.write_text("\n \n")
    with pytest.raises(InputError, match="holds no text"):
        load_data(f"text:{path}")
    with pytest.raises(InputError, match="can't be read"):
        load_data(f"text:{tmp_path / 'none'}")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", "named by a string"),
        ("mnist", "There are no data 'mnist'. Named: digits"),
        ("folder:", "Expected a path"),
        ("digits?seed=x", "must be a whole number"),
    ],
)
def test_names_that_are_none(spec: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_data(spec)


IMAGES = np.zeros((3, 4, 4, 1), dtype=np.uint8)


@pytest.mark.parametrize(
    ("media", "train", "test", "labels", "message"),
    [
        (
            "image",
            [np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8)],
            IMAGES,
            None,
            "must have one size; got 2 shapes",
        ),
        ("image", IMAGES.astype(float), IMAGES, None, "images are uint8"),
        ("image", IMAGES, np.zeros((1, 5, 5, 1), np.uint8), None, "to train on have shape"),
        ("image", IMAGES, IMAGES, [0, 1, 2], "labels must lie in 0 to 1"),
        ("image", IMAGES, IMAGES, [0, 1], r"labels are integers of shape \(3,\)"),
        ("text", "one text", ["a"], None, "sequence of strings"),
        ("text", [1, 2], ["a"], None, "sequence of strings"),
        ("node", np.eye(3), np.eye(3), None, "sparse adjacency matrix"),
        ("pair", (("a",), ("b", "c")), ((), ()), None, "1 left and 2 right objects"),
        ("pair", ("a", "b", "c"), ((), ()), None, r"pairs are \(left, right\)"),
        ("sound", [], [], None, "'media' must be one of"),
    ],
)
def test_data_that_do_not_fit(media: Any, train: Any, test: Any, labels: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_data("mine", media, train, test, labels, None, ("a", "b"))


def test_the_digest_sees_objects_order_and_boundaries() -> None:
    parts = [
        (["ab", "c"], ["d"]),
        (["a", "bc"], ["d"]),
        (["ab"], ["c", "d"]),
        (["c", "ab"], ["d"]),
        (["ab", "c", "d"], []),
    ]
    assert len({digest_of("text", part) for part in parts}) == len(parts)
    flat = np.arange(12, dtype=np.uint8)
    assert digest_of("image", [flat.reshape(1, 3, 4, 1)]) != digest_of("image", [flat.reshape(1, 4, 3, 1)])
