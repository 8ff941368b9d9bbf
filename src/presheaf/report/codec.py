"""Dataclasses to plain JSON values and back, guided by their type hints."""

from __future__ import annotations

import dataclasses
import math
import types
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np

from presheaf.errors import InputError

DECIMALS = 6


def encode(value: Any, where: str = "result") -> Any:
    """Plain lists, dicts, strings and numbers with the same content; deterministic.

    Fields keep the order of their dataclass, keys of dictionaries are sorted, floats are rounded to six decimals, and
    what is not a finite number becomes None. Cost: linear in the size of the value.

    Raises
    ------
    InputError
        For a value JSON has no form for, naming where it stands.
    """
    if value is None or isinstance(value, bool | int | str):
        return str(value) if isinstance(value, str) else value
    if isinstance(value, float):
        return round(float(value), DECIMALS) + 0.0 if math.isfinite(value) else None
    if isinstance(value, np.generic | np.ndarray):
        return encode(value.tolist(), where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name), f"{where}.{f.name}") for f in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: encode(item, f"{where}.{key}") for key, item in sorted((str(k), v) for k, v in value.items())}
    if isinstance(value, list | tuple):
        return [encode(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, set | frozenset):
        return sorted((encode(item, where) for item in value), key=repr)
    if isinstance(value, PurePath):
        return str(value)
    raise InputError(f"{where} must be a plain value to be written as JSON; got {type(value).__name__}.")


def decode(kind: Any, value: Any, where: str) -> Any:
    """The value of type ``kind`` that ``encode`` turned into ``value``. Unknown keys are ignored.

    Raises
    ------
    InputError
        "ladder[2].accuracy must be a number or null; got 'high'." and the like.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        if value is None:
            return None
        return decode(next(a for a in arguments if a is not types.NoneType), value, where)
    if origin is Literal:
        return _check(value in arguments, value, where, "one of " + ", ".join(map(str, arguments)))
    if origin is tuple:
        _check(isinstance(value, list), value, where, "a list")
        if arguments[-1] is Ellipsis:
            return tuple(decode(arguments[0], item, f"{where}[{i}]") for i, item in enumerate(value))
        _check(len(value) == len(arguments), value, where, f"a list of {len(arguments)}")
        pairs = zip(arguments, value, strict=True)
        return tuple(decode(a, item, f"{where}[{i}]") for i, (a, item) in enumerate(pairs))
    if origin is dict:
        _check(isinstance(value, dict), value, where, "an object")
        return {key: decode(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(kind):
        return _decode_fields(kind, value, where)
    if kind is float:
        return float(_check(isinstance(value, int | float) and not isinstance(value, bool), value, where, "a number"))
    if kind is int:
        return _check(isinstance(value, int) and not isinstance(value, bool), value, where, "a whole number")
    if kind is bool:
        return _check(isinstance(value, bool), value, where, "true or false")
    if kind is str:
        return _check(isinstance(value, str), value, where, "a string")
    return value


def _decode_fields(kind: Any, value: Any, where: str) -> Any:
    _check(isinstance(value, dict), value, where, "an object")
    hints = get_type_hints(kind)
    found = {}
    for field in dataclasses.fields(kind):
        if field.name in value:
            found[field.name] = decode(hints[field.name], value[field.name], f"{where}.{field.name}")
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise InputError(f"{where} must have a field {field.name!r}; it has {', '.join(value) or 'none'}.")
    return kind(**found)


def _check(good: bool, value: Any, where: str, expected: str) -> Any:
    if not good:
        raise InputError(f"{where} must be {expected}; got {repr(value)[:80]}.")
    return value
