"""JSON Schema of a suite file, for editors."""

from __future__ import annotations

from typing import Any

from simulator.costmodel.architectures import FAMILIES
from simulator.costmodel.suite_file import CHIPS, MOST, SCHEMA, SOURCES


def json_schema() -> dict[str, Any]:
    """What `simulator.costmodel.suite_file` reads, as JSON Schema."""
    texts = _list({"type": "string", "minLength": 1})
    densities = _list(_list({"type": "number", "minimum": 0, "maximum": 1}))
    count = {"type": "integer", "minimum": 1, "maximum": MOST}
    group = {
        "type": "object",
        "additionalProperties": False,
        "required": ["mappings"],
        "anyOf": [{"required": ["family", "count"]}, *({"required": [name]} for name in SOURCES if name != "family")],
        "properties": {
            "family": _by_chip({"enum": list(FAMILIES)}),
            "count": count,
            "networks": texts,
            "recorded": texts,
            "architecture": {"type": "string", "minLength": 1},
            "steps": _list(count),
            "samples": count,
            "mappings": _by_chip(texts),
            "settings": texts,
            "drawn": densities,
            "clustered": densities,
            "trained": _list({**count, "minimum": 0}),
        },
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurocycle suite",
        "type": "object",
        "additionalProperties": False,
        "required": ["schema", "groups"],
        "properties": {"schema": {"const": SCHEMA}, "description": {"type": "string"}, "groups": _list(group)},
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    """A list that is not empty."""
    return {"type": "array", "items": items, "minItems": 1}


def _by_chip(value: dict[str, Any]) -> dict[str, Any]:
    """One value per kind of chip."""
    return {"type": "object", "additionalProperties": False, "properties": dict.fromkeys(CHIPS, value)}
