"""Attribute types as Arrow types."""

from __future__ import annotations

from typing import Any


def arrow_type(name: str) -> Any:
    """The Arrow type that an attribute type (``TYPES``) stands for."""
    import pyarrow as pa

    return {
        "string": pa.string(),
        "int64": pa.int64(),
        "double": pa.float64(),
        "bool": pa.bool_(),
        "date32": pa.date32(),
        "timestamp": pa.timestamp("us"),
        "decimal": pa.decimal128(38, 9),
        "binary": pa.binary(),
    }[name]
