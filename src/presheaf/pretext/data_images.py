"""Images to train on: digits, Fashion-MNIST, files in MNIST's format, a folder of images a class; and back to files."""

from __future__ import annotations

import csv
import gzip
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from presheaf.errors import InputError, ModelError, one_of
from presheaf.images import SUFFIXES as IMAGE_SUFFIXES
from presheaf.images import ImageError, pillow, read_image
from presheaf.models.optional import need
from presheaf.pretext.base import Data
from presheaf.pretext.data import hash_split, make_data

HELD_OUT = 1 / 3
_FASHION = (Path("/usr/share/datasets/fashion-mnist"), Path("/usr/share/dataset-fashion-mnist"))
_FASHION_CLASSES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_FASHION_SOURCE = "Fashion-MNIST, Xiao, Rasul and Vollgraf 2017, arXiv 1708.07747"
_PARTS = {"train": "train", "test": "t10k"}


def digits(seed: int, name: str = "digits") -> Data:
    """scikit-learn's 1,797 handwritten digits, 8 x 8, grey; values of 0 to 16 are spread over 0 to 255. A third is held out."""
    found = need("sklearn.datasets", "pretext", "The digits").load_digits()
    images = np.rint(found.images * (255 / 16)).astype(np.uint8)[..., None]
    return _split(
        name,
        images,
        found.target.astype(np.int32),
        tuple(str(one) for one in found.target_names),
        seed,
        "UCI Optical Recognition of Handwritten Digits, Alpaydin and Kaynak 1998, as scikit-learn ships it",
        "CC BY 4.0",
    )


def fashion_mnist(name: str = "fashion-mnist") -> Data:
    """60,000 pictures of clothing to train on and 10,000 held out, 28 x 28, grey, from Debian's package.

    Raises
    ------
    InputError
        If the package isn't installed.
    """
    for folder in _FASHION:
        if folder.is_dir():
            return _idx(folder, name, _FASHION_CLASSES, _FASHION_SOURCE, "MIT")
    raise InputError(
        f"Fashion-MNIST isn't in {', '.join(map(str, _FASHION))}. Install it (Debian and Ubuntu: apt-get install "
        "dataset-fashion-mnist), or give the folder of its four files: idx:FOLDER."
    )


def idx_folder(folder: str, name: str) -> Data:
    """The four files of MNIST's format: {train,t10k}-{images-idx3,labels-idx1}-ubyte, gzipped or not.

    Raises
    ------
    InputError
        If a file is missing, or images and labels don't match.
    ModelError
        If a file is damaged.
    """
    return _idx(Path(folder).expanduser(), name, None, f"idx files of {Path(folder).name}", "")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """The array in a file of MNIST's format (LeCun, Cortes and Burges 1998), gzipped or not; bytes only.

    Raises
    ------
    ModelError
        If the file can't be read, isn't of the format, or is cut off.
    """
    try:
        content = path.read_bytes()
        if content[:2] == b"\x1f\x8b":
            content = gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ModelError(f"{path} can't be read ({error}). Is it complete?") from error
    start = 4 + 4 * content[3] if len(content) > 3 else 0
    if content[:3] != b"\0\0\x08" or not 8 <= start <= min(20, len(content)):
        raise ModelError(f"{path} isn't a file of bytes in MNIST's format (idx), or its header is cut off.")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], dtype=">u4"))
    expected = int(np.prod([int(size) for size in shape], dtype=object))
    if len(content) - start != expected:
        raise ModelError(f"{path} holds {len(content) - start:,} bytes; its header says {expected:,}. Is it complete?")
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)


def image_folder(folder: str, seed: int, name: str) -> Data:
    """Images in one folder for each class, which gives the class its name; or all in one folder, without labels.

    Files are read by Pillow, all must have one size; colour where one has it. A third of the different images is held out.

    Raises
    ------
    InputError
        No image, an image that can't be read, or images of different sizes.
    MissingDependencyError
        If Pillow isn't installed.
    """
    place = Path(folder).expanduser()
    if not place.is_dir():
        raise InputError(f"There is no folder {folder!r}.")
    classes = tuple(sorted(one.name for one in place.iterdir() if one.is_dir() and not one.name.startswith(".")))
    files = [(path, i) for i, one in enumerate(classes) for path in _image_files(place / one)]
    files = files or [(path, -1) for path in _image_files(place)]
    if not files:
        listed = ", ".join(IMAGE_SUFFIXES)
        raise InputError(f"The folder {folder!r} holds no image ({listed}), nor do its folders.")
    images = []
    for path, _ in files:
        try:
            images.append(read_image(path))
        except ImageError as error:
            raise InputError(f"{error}. Remove or mend the file.") from error
    if len({image.shape[2] for image in images}) > 1:
        images = [image.repeat(3, axis=2) if image.shape[2] == 1 else image for image in images]
    if len({image.shape for image in images}) > 1:
        sizes = sorted({f"{image.shape[1]} x {image.shape[0]}" for image in images})
        raise InputError(
            f"Images to train on must have one size; those in {folder!r} have {len(sizes)}: {', '.join(sizes[:4])}. Resize them."
        )
    labels = None if files[0][1] < 0 else np.array([label for _, label in files], dtype=np.int32)
    return _split(
        name, np.stack(images), labels, classes if labels is not None else (), seed, f"folder {place.name}", ""
    )


def save_images(data: Data, part: str, folder: str | Path, limit: int | None = None) -> Path:
    """Write images as PNG files, a folder for each class, with a table ``images.csv`` (path, label) for the audit.

    Parameters
    ----------
    data : Data
        Of media "image".
    part : "train" or "test"
    folder : str or Path
        Empty, or not there yet.
    limit : int, optional
        Write at most so many, drawn alike from all classes, the same ones every time; by default all.

    Returns
    -------
    Path
        Of the table; paths in it are relative to its folder. Images without labels lie in one folder, and the column is
        empty.

    Raises
    ------
    InputError
        If the data hold no images, or the folder isn't empty.
    MissingDependencyError
        If Pillow isn't installed.
    """
    one_of("part", part, ("train", "test"))
    if data.media != "image":
        raise InputError(f"{data.name} holds objects of media {data.media!r}; only images can be saved as images.")
    images, labels = (data.train, data.train_labels) if part == "train" else (data.test, data.test_labels)
    place = Path(folder).expanduser()
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise InputError(f"{str(folder)!r} is in the way; choose an empty or new folder.")
    place.mkdir(parents=True, exist_ok=True)
    folders = _folder_names(data.classes)
    rows = range(len(images)) if limit is None else _alike(labels, len(images), limit)
    with (place / "images.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("path", "label"))
        for i in rows:
            label = -1 if labels is None else int(labels[i])
            relative = f"{folders[label] if label >= 0 else 'images'}/{i:06d}.png"
            (place / relative).parent.mkdir(exist_ok=True)
            picture = images[i][:, :, 0] if images.shape[3] == 1 else images[i]
            pillow().fromarray(np.ascontiguousarray(picture)).save(place / relative)
            table.writerow((relative, data.classes[label] if label >= 0 else ""))
    return place / "images.csv"


def _alike(labels: NDArray[np.int32] | None, count: int, most: int) -> list[int]:
    """At most so many rows, ascending: one of each class in turn, in an order drawn with seed 0."""
    order = np.random.default_rng(0).permutation(count)
    turn = np.arange(count)
    if labels is not None:
        for label in np.unique(labels):
            mine = labels[order] == label
            turn[mine] = np.arange(mine.sum())
    picked: list[int] = sorted(order[np.argsort(turn, kind="stable")[:most]].tolist())
    return picked


def _folder_names(classes: tuple[str, ...]) -> list[str]:
    """The classes as names that a file system takes, all different."""
    plain = ["".join(c if c.isalnum() or c in " -_." else "-" for c in name).strip(" .") for name in classes]
    return [name if name and plain.count(name) == 1 else f"{i}-{name}" for i, name in enumerate(plain)]


def _image_files(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and p.is_file())


def _split(
    name: str,
    images: NDArray[np.uint8],
    labels: NDArray[np.int32] | None,
    classes: tuple[str, ...],
    seed: int,
    source: str,
    licence: str,
) -> Data:
    train, test = hash_split([image.tobytes() for image in images], seed, HELD_OUT)
    marks = (None, None) if labels is None else (labels[train], labels[test])
    return make_data(name, "image", images[train], images[test], marks[0], marks[1], classes, source, licence)


def _idx(folder: Path, name: str, classes: tuple[str, ...] | None, source: str, licence: str) -> Data:
    if not folder.is_dir():
        raise InputError(f"There is no folder {str(folder)!r}.")
    images, labels = [], []
    for part in _PARTS.values():
        pictures = read_idx(_idx_file(folder, f"{part}-images-idx3-ubyte"))
        marks = read_idx(_idx_file(folder, f"{part}-labels-idx1-ubyte"))
        if pictures.ndim != 3 or marks.shape != pictures.shape[:1]:
            raise InputError(
                f"{folder}: {part} has images of shape {pictures.shape} and labels of shape {marks.shape}."
            )
        images.append(pictures)
        labels.append(marks)
    if classes is None:
        classes = tuple(str(i) for i in range(1 + max(int(marks.max(initial=0)) for marks in labels)))
    return make_data(name, "image", images[0], images[1], labels[0], labels[1], classes, source, licence)


def _idx_file(folder: Path, name: str) -> Path:
    for found in (folder / name, folder / f"{name}.gz", folder / name.replace("-idx", ".idx")):
        if found.is_file():
            return found
    raise InputError(f"There is no file {name} or {name}.gz in {str(folder)!r}.")
