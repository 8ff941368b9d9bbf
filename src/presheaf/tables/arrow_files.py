"""Parquet and Arrow IPC (Feather) files, and data sets saved to a folder by the `datasets` library."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from presheaf.errors import InputError
from presheaf.tables.arrow import ArrowRows, arrow_errors

PARQUET_MAGIC = b"PAR1"
IPC_MAGIC = b"ARROW1"
STREAM_MAGIC = b"\xff\xff\xff\xff"


def parquet(path: Path) -> ArrowRows:
    """A Parquet file; only the wanted columns are read and decompressed.

    Raises
    ------
    InputError
        If the file is no Parquet file or damaged.
    """
    import pyarrow.parquet as pq

    with arrow_errors(str(path)):
        schema = pq.read_schema(path)

    def load(names: list[str]) -> Any:
        with pq.ParquetFile(path) as file:
            return file.read(columns=names)

    return ArrowRows(schema, load, str(path))


def ipc(paths: Sequence[Path], where: str) -> ArrowRows:
    """Arrow IPC files (file or stream format, also called Feather) that hold the parts of one table, in order.

    Raises
    ------
    InputError
        If one of them is damaged, or their schemas differ.
    """
    import pyarrow as pa

    def load(names: list[str]) -> Any:
        return pa.concat_tables([_part(path, names) for path in paths])

    with arrow_errors(where):
        schema = _schema(paths[0])
    return ArrowRows(schema, load, where)


def saved_dataset(folder: Path, split: str | None) -> ArrowRows:
    """A folder written by ``Dataset.save_to_disk`` or, with a split, by ``DatasetDict.save_to_disk``.

    Raises
    ------
    InputError
        If the folder is neither, if a split must be named, or the named one is not there.
    """
    splits = _json(folder / "dataset_dict.json").get("splits")
    if isinstance(splits, list):
        known = [str(s) for s in splits]
        usage = f"name one as {folder}#{known[0] if known else 'train'}"
        if split is None:
            raise InputError(f"{folder} holds several splits ({', '.join(known)}): {usage}.")
        if split not in known:
            raise InputError(f"{folder} has no split {split!r}; it has {', '.join(known)}: {usage}.")
        return saved_dataset(folder / Path(split).name, None)
    if split is not None:
        raise InputError(f"{folder} has no splits, so #{split} can't be taken; pass {folder} as it is.")
    files = _json(folder / "state.json").get("_data_files")
    if not isinstance(files, list) or not files:
        inside = sorted(p.name for p in folder.iterdir())[:8]
        raise InputError(
            f"{folder} is a folder, but not one that datasets' save_to_disk wrote (no state.json or "
            f"dataset_dict.json). It holds {', '.join(inside) or 'nothing'}; pass one file, e.g. CSV, JSONL or Parquet."
        )
    try:
        paths = [folder / Path(str(entry["filename"])).name for entry in files]
    except (TypeError, KeyError) as error:
        raise InputError(f"{folder / 'state.json'} is damaged: its _data_files name no files.") from error
    return ipc(paths, str(folder))


def _json(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(f"{path} is damaged: {error}.") from error
    return found if isinstance(found, dict) else {}


def _is_stream(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(IPC_MAGIC)) != IPC_MAGIC


def _schema(path: Path) -> Any:
    import pyarrow as pa

    with pa.memory_map(str(path)) as source:
        if _is_stream(path):
            return pa.ipc.open_stream(source).schema
        return pa.ipc.open_file(source).schema


def _part(path: Path, names: list[str]) -> Any:
    import pyarrow as pa

    schema = _schema(path)
    for name in names:
        if name not in schema.names:
            raise InputError(f"{path} has no column {name!r}, which another file of the same table has.")
    wanted = pa.ipc.IpcReadOptions(included_fields=[schema.names.index(name) for name in names])
    source = pa.memory_map(str(path))
    if _is_stream(path):
        return pa.ipc.open_stream(source, options=wanted).read_all()
    return pa.ipc.open_file(source, options=wanted).read_all()
