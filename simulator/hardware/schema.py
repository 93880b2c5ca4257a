"""JSON Schema of hardware files, for editors and for `neurocycle schema`."""

from __future__ import annotations

from typing import Any

from simulator.hardware.constant import GRADES
from simulator.hardware.header import Header
from simulator.hardware.registry import unit_types

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_UNIT_NAME = r"^[A-Za-z_][A-Za-z0-9_]*(\[[0-9]+(\.\.[0-9]+)?\])?$"


def json_schema() -> dict[str, Any]:
    """JSON Schema (draft 2020-12) of a hardware YAML file.

    A file that extends another may leave out anything; every other file is held to the full set of keys.
    """
    definitions: dict[str, Any] = {}
    cases = []
    for name, spec in unit_types().items():
        schema = spec.model_json_schema(ref_template=f"#/$defs/{name}.{{model}}")
        for part, definition in schema.pop("$defs", {}).items():
            definitions[f"{name}.{part}"] = definition
        definitions[name] = schema
        cases.append(
            {
                "if": {"properties": {"type": {"const": name}}, "required": ["type"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
        )
    header = Header.model_json_schema()
    kinds = {"type": {"enum": list(unit_types())}}
    whole = {"type": "object", "required": ["type"], "properties": kinds, "allOf": cases}
    return {
        "$schema": DIALECT,
        "title": "neurocycle hardware",
        "type": "object",
        "properties": {
            "extends": {"type": "string", "description": "bundled name or relative path of the file this one changes"},
            "source": {"type": "string", "minLength": 1, "description": "source of the bare numbers of this file"},
            "grade": {"enum": list(GRADES), "description": "grade of the bare numbers of this file"},
            **header["properties"],
            "units": {
                "type": "object",
                "description": "unit name (core, core[2], core[0..3]) -> unit",
                "propertyNames": {"pattern": _UNIT_NAME},
            },
        },
        "additionalProperties": False,
        "if": {"required": ["extends"]},
        "then": {"properties": {"units": {"additionalProperties": {"type": ["object", "null"]}}}},
        "else": {
            "required": [*header["required"], "units"],
            "properties": {"units": {"additionalProperties": {"$ref": "#/$defs/unit"}}},
        },
        "$defs": {"unit": whole, **definitions},
    }
