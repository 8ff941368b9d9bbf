"""Moments on disk, one JSON line each, so that a run that was killed measures nothing twice."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from presheaf.audits.watch_result import Measure, Moment, MomentRung


class WatchStore:
    """Moments by step, for one choice of labelled table, objects and seed.

    Parameters
    ----------
    path : path
        Made at the first `add`. Lines of another ``key`` and a last line that was half written are passed over.
    key : str
        What the numbers depend on beside the step.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path, self._key = path, key
        read = _read(path, key)
        self._moments = {moment.step: moment for moment, _ in read}
        self._digests = {moment.step: digest for moment, digest in read}

    def holds(self, step: int, digest: str) -> bool:
        """Whether the moment of a step was measured on the checkpoint of that digest, not on another one of the same step."""
        return self._digests.get(step) == digest

    def __len__(self) -> int:
        return len(self._moments)

    def add(self, moment: Moment, digest: str) -> None:
        """Keep a moment of the checkpoint with this digest; on disk when this returns."""
        self._moments[moment.step], self._digests[moment.step] = moment, digest
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": self._key, "checkpoint": digest, **asdict(moment)}, ensure_ascii=False)
        with self._path.open("a+b") as file:
            # A line that a killed run left half written must not swallow this one.
            file.seek(0, os.SEEK_END)
            if file.tell():
                file.seek(-1, os.SEEK_END)
                if file.read(1) != b"\n":
                    file.write(b"\n")
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())

    def moments(self) -> tuple[Moment, ...]:
        """By step."""
        return tuple(self._moments[step] for step in sorted(self._moments))


def _read(path: Path, key: str) -> list[tuple[Moment, str]]:
    if not path.is_file():
        return []
    found = []
    for line in path.read_bytes().split(b"\n"):
        try:
            values = json.loads(line)
            if values.pop("key") == key:
                digest = str(values.pop("checkpoint"))
                found.append((_moment(values), digest))
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
    return found


def _moment(values: dict[str, Any]) -> Moment:
    for name in ("ideality", "broken", "alignment", "effective_rank"):
        values[name] = Measure(**values[name])
    for name in ("rungs", "baseline"):
        values[name] = tuple(_rung(rung) for rung in values[name])
    return Moment(**values)


def _rung(values: dict[str, Any]) -> MomentRung:
    return MomentRung(
        values["name"],
        values["kind"],
        Measure(**values["accuracy"]),
        values["null"],
        tuple(values["right"]),
        tuple(values["rows"]),
    )
