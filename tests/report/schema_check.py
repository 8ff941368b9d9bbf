"""The part of JSON Schema that the report's schema uses, and that no key of a document is left undescribed."""

from __future__ import annotations

_TYPES = {
    "string": str,
    "object": dict,
    "array": list,
    "boolean": bool,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}


def problems(schema: dict, value: object, root: dict, where: str = "$") -> list[str]:
    """Everything wrong with ``value``, as lines."""
    if "$ref" in schema:
        return problems(root["$defs"][schema["$ref"].rsplit("/", 1)[1]], value, root, where)
    if "oneOf" in schema:
        tried = [problems(option, value, root, where) for option in schema["oneOf"]]
        good = sum(not found for found in tried)
        return [] if good == 1 else [f"{where}: {good} of {len(tried)} alternatives fit", *min(tried, key=len)]
    found = []
    if "const" in schema and value != schema["const"]:
        found.append(f"{where}: {value!r} is not {schema['const']!r}")
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{where}: {value!r} is not one of {schema['enum']}")
    if "type" in schema and not _is(value, schema["type"]):
        return [*found, f"{where}: {type(value).__name__} is not {schema['type']}"]
    if isinstance(value, int | float) and not isinstance(value, bool):
        found += [f"{where}: {value} too small"] * (value < schema.get("minimum", value))
        found += [f"{where}: {value} too large"] * (value > schema.get("maximum", value))
    if isinstance(value, list):
        found += [f"{where}: too short"] * (len(value) < schema.get("minItems", 0))
        found += [f"{where}: too long"] * (len(value) > schema.get("maxItems", len(value)))
        for i, item in enumerate(value):
            found += problems(schema.get("items", {}), item, root, f"{where}[{i}]")
    if isinstance(value, dict):
        found += _object(schema, value, root, where)
    return found


def _object(schema: dict, value: dict, root: dict, where: str) -> list[str]:
    known = schema.get("properties", {})
    found = [f"{where}: no {key!r}" for key in schema.get("required", []) if key not in value]
    for key, item in value.items():
        if key in known:
            found += problems(known[key], item, root, f"{where}.{key}")
        elif "additionalProperties" in schema:
            found += problems(schema["additionalProperties"], item, root, f"{where}.{key}")
        elif known:
            found.append(f"{where}.{key} is not described")
    return found


def _is(value: object, names: str | list[str]) -> bool:
    names = [names] if isinstance(names, str) else names
    if isinstance(value, bool):
        return "boolean" in names
    return any(isinstance(value, _TYPES[name]) for name in names)


def closed(schema: object) -> object:
    """The schema without room for keys that it does not describe, but where it says itself what others may be."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: closed(part) for key, part in schema.items()}
    return {"additionalProperties": False, **inner} if isinstance(schema.get("properties"), dict) else inner
