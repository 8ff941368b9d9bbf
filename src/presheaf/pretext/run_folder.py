"""The folder of a run: what it is a run of, and that one process at a time trains in it."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from presheaf.errors import InputError
from presheaf.pretext.base import Data, Pretext
from presheaf.pretext.checkpoint import checkpoints, remove_leftovers, write_whole
from presheaf.pretext.plan import Plan

RUN_FILE = "run.json"
LOCK_FILE = "run.lock"


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep other processes from training in the folder meanwhile, where the system has such locks (not on Windows).

    A killed process keeps nothing locked.

    Raises
    ------
    InputError
        If another process trains there, or the folder can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / LOCK_FILE).open("a")
    except OSError as error:
        raise InputError(f"No run can be kept in {str(folder)!r}: {error.strerror or error}.") from error
    with file:
        try:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except ImportError:
            pass
        except OSError as error:
            raise InputError(
                f"Another process trains in {str(folder)!r}. Wait for it, or choose another folder."
            ) from error
        yield


def opened(folder: Path, task: Pretext, data: Data, plan: Plan) -> tuple[dict[str, Any], list[str]]:
    """The record of the run in the folder, made where there is none, and what differs in versions."""
    record = {
        "task": {"name": task.name, "options": dict(task.options)},
        "data": {"name": data.name, "media": data.media, "digest": data.digest},
        "plan": asdict(plan),
        "threads": torch.get_num_threads(),
        "versions": {"presheaf": version("presheaf"), "torch": torch.__version__, "python": platform.python_version()},
    }
    earlier = read_run(folder)
    if earlier is None and checkpoints(folder):
        raise InputError(f"{str(folder)!r} holds checkpoints and no run.json that says of what; choose another folder.")
    folder.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    if earlier is None or not checkpoints(folder):  # a run that never began leaves nothing to protect
        write_run(folder, record)
        return record, []
    _same_run(folder, earlier, record, plan)
    record["threads"] = earlier["threads"]
    notes = [
        f"The run was begun with {name} {before} and goes on with {record['versions'][name]}: its weights may differ in the last digits."
        for name, before in earlier["versions"].items()
        if name == "torch" and before != record["versions"][name]
    ]
    write_run(folder, {**record, "versions": earlier["versions"]})
    return record, notes


def _same_run(folder: Path, earlier: dict[str, Any], record: dict[str, Any], plan: Plan) -> None:
    """Refuse to go on with another task, other data or another plan."""
    before, now = _facts(earlier), _facts(record)
    differences = [
        f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
        for name in sorted({*before, *now})
        if before.get(name) != now.get(name)
    ]
    if earlier["data"].get("digest") != record["data"]["digest"]:
        old, new = earlier["data"].get("name"), record["data"]["name"]
        differences.append(
            f"the data {new!r} hold other objects" if old == new else f"the data were {old!r} and are {new!r}"
        )
    differences += Plan(**earlier["plan"]).differences(plan)
    if differences:
        raise InputError(
            f"The folder {str(folder)!r} holds another run: {'; '.join(differences)}. Choose another folder, or train as before."
        )


def _facts(record: dict[str, Any]) -> dict[str, Any]:
    """What a run is of, one name for each fact."""
    return {
        "the task": record["task"]["name"],
        **{f"the task's {name}": value for name, value in record["task"]["options"].items()},
    }


def _damage(record: Any) -> str:
    """What a record lacks; nothing where it is one that `opened` made."""
    if not isinstance(record, dict):
        return "it is no JSON object"
    for name, kind in (("task", dict), ("data", dict), ("plan", dict), ("versions", dict), ("threads", int)):
        if not isinstance(record.get(name), kind):
            return f"{name!r} is missing or damaged"
    if not isinstance(record["task"].get("options"), dict) or "name" not in record["task"]:
        return "'task' is damaged"
    if not {"name", "digest"} <= record["data"].keys():
        return "'data' is damaged"
    try:
        Plan(**record["plan"])
    except (TypeError, InputError):
        return "'plan' is damaged"
    return ""


def write_run(folder: Path, record: Mapping[str, Any]) -> None:
    """Write ``run.json``, whole or not at all."""
    write_whole(folder / RUN_FILE, (json.dumps(record, indent=2, sort_keys=True) + "\n").encode())


def read_run(folder: Path) -> dict[str, Any] | None:
    """What ``run.json`` holds; None where there is no such file.

    Raises
    ------
    InputError
        If the file isn't one that a run wrote.
    """
    path = folder / RUN_FILE
    if not path.is_file():
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        damage = _damage(record)
    except (OSError, ValueError) as error:
        damage = str(error)
    if damage:
        raise InputError(f"{path} isn't the record of a training run ({damage}); choose another folder.")
    return dict(record)
