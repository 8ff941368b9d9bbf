"""A folder of images, one sub-folder a class, as a table; and images named in a column."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from presheaf.errors import InputError
from presheaf.images import SUFFIXES, ImageError, check_image, content_key
from presheaf.tables.defects import Defect, quote
from presheaf.tables.frames import ColumnRows
from presheaf.tables.raw import Cells, Rows

IMAGE, LABEL = "image", "label"
_SAVED = ("state.json", "dataset_dict.json", "dataset_info.json")


class ImageFolder(ColumnRows):
    """The images below a folder: columns "image" (the path) and "label" (the sub-folder right below it)."""

    def __init__(self, paths: list[str], labels: list[str], notes: tuple[str, ...]) -> None:
        super().__init__((IMAGE, LABEL), (paths, labels), len(paths))
        self._notes = notes

    def read(self, wanted: Sequence[str], vectors: str | None = None) -> Rows:
        """The wanted columns, and in the notes what was passed over."""
        rows = super().read(wanted, vectors)
        return Rows(rows.count, rows.columns, notes=self._notes)


def is_image_folder(folder: Path) -> bool:
    """Whether a folder holds sub-folders or images, and is not one that datasets' save_to_disk wrote."""
    if any((folder / name).exists() for name in _SAVED):
        return False
    entries = list(folder.iterdir())
    return any(_is_image(entry.name) or (entry.is_dir() and _visible(entry.name)) for entry in entries)


def image_folder(folder: Path) -> ImageFolder:
    """Images in the order of their classes and paths.

    A class may hold sub-folders and symbolic links to files; links to folders are followed for classes only, so that no
    circle is walked. Hidden files are passed over, and files whose names don't end as images do are counted in a note.

    Raises
    ------
    InputError
        If there are fewer than two classes, or no images.
    """
    classes = sorted(entry.name for entry in folder.iterdir() if entry.is_dir() and _visible(entry.name))
    found = {name: sorted(_files(folder / name)) for name in classes}
    loose = sum(_is_image(entry.name) for entry in folder.iterdir() if not entry.is_dir())
    images = {name: [path for path in paths if _is_image(path)] for name, paths in found.items()}
    filled = [name for name in classes if images[name]]
    if not filled:
        lies = f"{loose:,} images lie in it, outside any sub-folder" if loose else "it holds no images"
        raise InputError(
            f"{folder} is a folder of images without classes: {lies}. Expected a sub-folder for each class, with images "
            f"({', '.join(SUFFIXES)}); or pass a table with a column of file names (--image COLUMN)."
        )
    if len(filled) == 1:
        raise InputError(
            f"{folder} has one class only, {quote(filled[0])}; a task needs images of at least two classes, each in a "
            "sub-folder of its own."
        )
    notes = []
    others = sum(len(found[name]) - len(images[name]) for name in classes)
    if others:
        notes.append(f"{others:,} files whose names don't end as images do are left out")
    if loose:
        notes.append(f"{loose:,} images outside the sub-folders have no class and are left out")
    if empty := [name for name in classes if not images[name]]:
        notes.append(f"sub-folders without images are left out: {', '.join(map(quote, empty[:10]))}")
    pairs = [(path, name) for name in filled for path in images[name]]
    return ImageFolder([path for path, _ in pairs], [name for _, name in pairs], tuple(notes))


def _files(folder: Path) -> Iterator[str]:
    for where, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if _visible(name))
        yield from (os.path.join(where, name) for name in files if _visible(name))


def _visible(name: str) -> bool:
    return not name.startswith((".", "__MACOSX"))


def _is_image(name: str) -> bool:
    return name.lower().endswith(SUFFIXES)


def in_folder(cells: Cells, folder: Path) -> list[object]:
    """Names of image files as they can be opened: relative ones lie in the table's ``folder``. Other cells as they are."""
    if folder == Path():
        return list(cells)
    return [os.path.join(folder, cell.strip()) if isinstance(cell, str) and cell.strip() else cell for cell in cells]


def image_defects(paths: list[object]) -> tuple[list[Defect], list[str]]:
    """What is wrong with the images, and the name of each one's content ("" where it can't be read).

    Cost: decodes every image once.
    """
    defects: list[Defect] = []
    contents: list[str] = []
    for row, path in enumerate(paths, start=1):
        content = ""
        if path is None or path != path or path == "":
            defects.append(Defect(row, "empty image name"))
        elif not isinstance(path, str):
            defects.append(Defect(row, "image name is no string", type(path).__name__))
        else:
            try:
                check_image(path)
                content = content_key(path)
            except ImageError as error:
                defects.append(Defect(row, error.kind, error.detail))
        contents.append(content)
    return defects, contents
