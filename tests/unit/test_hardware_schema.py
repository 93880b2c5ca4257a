"""The JSON Schema says the same as the loader."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulator.hardware import json_schema, load_hardware, unit_types
from simulator.hardware.document import parse_document, read_document
from simulator.resources import find_resource, list_resources
from tests.unit.hardware_text import TEXT, changed
from tests.unit.schema_checker import complaints

SCHEMA = json_schema()


def check(text: str) -> list[str]:
    return complaints(parse_document(text, "f.yaml").plain(), SCHEMA, SCHEMA)


def test_schema_is_plain_json_and_its_references_resolve() -> None:
    assert json.loads(json.dumps(SCHEMA)) == SCHEMA
    pending: list[Any] = [SCHEMA]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            if "$ref" in part:
                assert part["$ref"].removeprefix("#/$defs/") in SCHEMA["$defs"]
            pending += part.values()
        elif isinstance(part, list):
            pending += part
    assert set(unit_types()) <= set(SCHEMA["$defs"])


@pytest.mark.parametrize("name", list_resources("hwconfigs"))
def test_shipped_files_are_valid(name: str) -> None:
    assert complaints(read_document(find_resource("hwconfigs", name)).plain(), SCHEMA, SCHEMA) == []
    assert complaints(load_hardware(name).describe(), SCHEMA, SCHEMA) == []


def test_fields_are_explained_to_editors() -> None:
    gather = SCHEMA["$defs"]["cmos_core.Gather"]["properties"]
    assert gather["neuron_lanes"]["description"] == "neurons updated per clock cycle"
    assert gather["gating"]["enum"] == ["none", "energy", "skip"]
    assert SCHEMA["$defs"]["dram"]["properties"]["background_mw"]["description"].endswith("mW")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("burst_bits: 512", "burst_bit: 512"),
        ("burst_cycles: 4", "burst_cycles: x"),
        ("burst_cycles: 4", "burst_cycles: 0"),
        ("burst_cycles: 4", "burst_cycles: 2.5"),
        ("background_mw: 10", "background_mw: -1"),
        ("ox: 2}", "ox: 2, oz: 1}"),
        ("background_mw: 10", "background_mw: {valu: 1}"),
        ("background_mw: 10", "background_mw: {value: 1, grade: x}"),
        ("type: dram", "type: drum"),
        ("type: dram", "kind: dram"),
        ("gating: skip", "gating: skp"),
        ("name: chip\n", ""),
        ("price_set: none", "prices: none"),
        ("memory[0..2]:", "memory[a]:"),
        ("ops_per_synapse: 1", "ops_per_synapse: 3"),
        ("core: 100_000_000", "core: 0"),
    ],
)
def test_wrong_files_are_invalid(old: str, new: str) -> None:
    assert check(TEXT) == []
    assert check(changed(old, new)) != []


def test_a_file_that_extends_may_leave_things_out() -> None:
    assert check("extends: x\nunits: {core: {spike_bits: 3}, dram: null}\n") == []
    assert check("extends: x\nunitz: {}\n") != []
    assert check("units: {core: {spike_bits: 3}}\n") != []
