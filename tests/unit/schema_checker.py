"""The part of JSON Schema that the project's schemas use, as a plain checker; an unknown keyword is an error."""

from __future__ import annotations

import re
from typing import Any

_SILENT = {"$schema", "title", "description", "default", "$defs", "$ref", "then", "else"}
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def complaints(value: Any, schema: dict[str, Any], root: dict[str, Any], path: str = "") -> list[str]:
    """What is wrong with `value` under `schema`; `root` is the whole schema, for references."""
    found: list[str] = []
    for key, wanted in schema.items():
        if key not in _SILENT:
            found += _RULES[key](value, wanted, schema, root, path)
    if "$ref" in schema:
        target: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            target = target[part]
        found += complaints(value, target, root, path)
    return found


def _type(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    names = [wanted] if isinstance(wanted, str) else wanted
    good = any(isinstance(value, _TYPES[n]) and (n == "boolean" or not isinstance(value, bool)) for n in names)
    whole = isinstance(value, float) and value.is_integer() and "integer" in names
    return [] if good or whole else [f"{path}: {value!r} is no {wanted}"]


def _properties(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    return [c for k, s in wanted.items() if k in value for c in complaints(value[k], s, root, f"{path}.{k}")]


def _pattern_properties(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    pairs = [(k, s) for k in value for p, s in wanted.items() if re.search(p, k)] if isinstance(value, dict) else []
    return [c for k, s in pairs for c in complaints(value[k], s, root, f"{path}.{k}")]


def _additional(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    if not isinstance(value, dict):
        return []
    known, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    extra = [k for k in value if k not in known and not any(re.search(p, k) for p in patterns)]
    if isinstance(wanted, bool):
        return [] if wanted else [f"{path}: {k} is not allowed" for k in extra]
    return [c for k in extra for c in complaints(value[k], wanted, root, f"{path}.{k}")]


def _names(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    return [c for k in value for c in complaints(k, wanted, root, f"{path}.{k}")] if isinstance(value, dict) else []


def _required(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    return [f"{path}: {k} is missing" for k in wanted if isinstance(value, dict) and k not in value]


def _items(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    return [c for v in value for c in complaints(v, wanted, root, f"{path}[]")] if isinstance(value, list) else []


def _any_of(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    tries = [complaints(value, s, root, path) for s in wanted]
    return [] if any(not t for t in tries) else min(tries, key=len)


def _all_of(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    return [c for s in wanted for c in complaints(value, s, root, path)]


def _if(value: Any, wanted: Any, schema: Any, root: Any, path: str) -> list[str]:
    branch = schema.get("else" if complaints(value, wanted, root, path) else "then", {})
    return complaints(value, branch, root, path)


def _rule(good: Any, what: str) -> Any:
    """A rule about one value: `good(value, wanted)`."""
    return lambda value, wanted, schema, root, path: (
        [] if good(value, wanted) else [f"{path}: {value!r}, {what} {wanted}"]
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float)


_RULES: dict[str, Any] = {
    "type": _type,
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional,
    "propertyNames": _names,
    "required": _required,
    "items": _items,
    "anyOf": _any_of,
    "allOf": _all_of,
    "if": _if,
    "const": _rule(lambda v, w: v == w, "not"),
    "enum": _rule(lambda v, w: v in w, "not one of"),
    "minimum": _rule(lambda v, w: not _is_number(v) or v >= w, "below"),
    "maximum": _rule(lambda v, w: not _is_number(v) or v <= w, "above"),
    "minLength": _rule(lambda v, w: not isinstance(v, str) or len(v) >= w, "shorter than"),
    "minItems": _rule(lambda v, w: not isinstance(v, list) or len(v) >= w, "fewer than"),
    "minProperties": _rule(lambda v, w: not isinstance(v, dict) or len(v) >= w, "fewer than"),
    "pattern": _rule(lambda v, w: not isinstance(v, str) or re.search(w, v), "no match of"),
}
