"""Labelled data in: any common table becomes a `Task`. Bad rows are named, never dropped silently."""

from presheaf.tables.read import read_task
from presheaf.tables.task import BadRow, Task

__all__ = ["BadRow", "Task", "read_task"]
