"""The labelled table that is watched where the user names none: the data's own held-out objects."""

from __future__ import annotations

import csv
import io
import shutil
from pathlib import Path

import numpy as np

from presheaf.pretext.base import Data
from presheaf.tables import Task, read_task

_NAME = "held-out.csv"


def own_table(data: Data, folder: Path, most: int, seed: int = 0) -> Task | None:
    """Held-out objects of the data with their labels, written to ``folder`` as a table; None where they have no labels.

    Parameters
    ----------
    most : int
        Objects to take, at random; all where there are no more.

    Notes
    -----
    Nodes are the training objects themselves, since a graph has no others: their labels are still read by nobody.
    """
    if data.test_labels is None or len(set(data.test_labels.tolist())) < 2:
        return None
    if data.media == "image":
        return read_task(_images(data, folder / f"images-{data.digest[:16]}-{most}", most), image="path", label="label")
    folder.mkdir(parents=True, exist_ok=True)
    if data.media == "text":
        picked = np.sort(np.random.default_rng(seed).permutation(len(data.test))[:most])
        rows = [(data.test[i], data.classes[data.test_labels[i]]) for i in picked]
        return read_task(_write(folder, ("text", "label"), rows), text="text", label="label")
    if data.media == "node":
        nodes = [(str(i), data.classes[label]) for i, label in enumerate(data.test_labels)]
        return read_task(_write(folder, ("node", "label"), nodes), text="node", label="label")
    return None


def _images(data: Data, folder: Path, most: int) -> Path:
    """The images' table; the folder is there whole or not at all."""
    from presheaf.pretext.data_images import save_images

    if not folder.is_dir():
        part = folder.with_name(f"{folder.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        save_images(data, "test", part, most)
        part.rename(folder)
    return folder / "images.csv"


def _write(folder: Path, heads: tuple[str, ...], rows: list[tuple[str, str]]) -> Path:
    out = io.StringIO()
    table = csv.writer(out)
    table.writerows([heads, *rows])
    path, part = folder / _NAME, folder / f"{_NAME}.part"
    part.write_text(out.getvalue(), encoding="utf-8", newline="")
    part.replace(path)
    return path
