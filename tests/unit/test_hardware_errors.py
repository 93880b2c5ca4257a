"""Each kind of mistake in a hardware file ends in one message with file, line, key path, found, allowed, nearest."""

from __future__ import annotations

import pytest

from tests.unit.hardware_text import TEXT, changed, line_of, machine, refused


def test_the_text_itself_is_a_machine() -> None:
    chip = machine()
    assert list(chip.units) == ["dram", "memory[0]", "memory[1]", "memory[2]", "core"]
    assert chip.clocks["slow"] == 25_000_000
    memory = chip.unit("memory[1]")
    assert memory.constants()["read_energy_pj_per_bit"].model_dump() == {
        "value": 0.1,
        "source": "a table",
        "grade": "derived",
    }
    assert memory.constants()["write_energy_pj_per_bit"].model_dump() == {
        "value": 0.2,
        "source": "a table",
        "grade": "assumed",
    }
    assert memory.constants()["area_mm2"].source == "a ruler"
    assert chip.unit("core").constants()["accumulate_energy_pj"].source == "a book"


@pytest.mark.parametrize(
    ("old", "new", "at", "parts"),
    [
        (
            "burst_bits: 512",
            "burst_bit: 512",
            "burst_bit: 512",
            ["units.dram.burst_bit: unknown key (and 1 more)", "did you mean 'burst_bits'?"],
        ),
        (
            "    burst_bits: 512\n",
            "",
            "  dram:\n",
            ["units.dram.burst_bits: missing key", "allowed: bits moved by one"],
        ),
        (
            "ports: 1",
            "ports: 1\n    port: 2",
            "port: 2",
            ["units.memory[0].port: unknown key", "found 'port'", "allowed: ", "did you mean 'ports'?"],
        ),
        (
            "      gating: skip",
            "      gatin: skip\n      gating: skip",
            "gatin: skip",
            ["units.core.gather.gatin: unknown key", "window_cycles", "did you mean 'gating'?"],
        ),
        (
            "gating: skip",
            "gating: skp",
            "gating: skp",
            [
                "units.core.gather.gating: wrong value",
                "found 'skp'",
                "'none', 'energy' or 'skip'",
                "did you mean 'skip'?",
            ],
        ),
        (
            "burst_cycles: 4",
            "burst_cycles: four",
            "burst_cycles: four",
            ["units.dram.burst_cycles: wrong value", "found 'four'", "allowed: an integer"],
        ),
        ("burst_cycles: 4", 'burst_cycles: "4"', 'burst_cycles: "4"', ["found '4'", "allowed: an integer"]),
        ("burst_cycles: 4", "burst_cycles: yes", "burst_cycles: yes", ["found True", "allowed: an integer"]),
        ("burst_cycles: 4", "burst_cycles: 4.5", "burst_cycles: 4.5", ["found 4.5", "allowed: an integer"]),
        ("burst_cycles: 4", "burst_cycles:", "burst_cycles:", ["found 'nothing'", "allowed: an integer"]),
        ("burst_cycles: 4", "burst_cycles: [4]", "burst_cycles: [4]", ["found [4]", "allowed: an integer"]),
        ("burst_cycles: 4", "burst_cycles: 0", "burst_cycles: 0", ["found 0", "greater than or equal to 1"]),
        ("burst_cycles: 4", "burst_cycles: 3e9", "burst_cycles: 3e9", ["less than or equal to 2147483647"]),
        (
            "ops_per_synapse: 1",
            "ops_per_synapse: 3",
            "ops_per_synapse: 3",
            ["units.core.gather.ops_per_synapse", "found 3", "1 or 2"],
        ),
        (
            "unroll: {k: 8, c: 1, oy: 2, ox: 2}",
            "unroll: {k: 8, c: 1, oy: 2}",
            "unroll: {k: 8, c: 1, oy: 2}",
            ["units.core.gather.unroll.ox: missing key", "allowed: output columns"],
        ),
        (
            "background_mw: 10",
            "background_mw: -10",
            "background_mw: -10",
            ["units.dram.background_mw: wrong value", "found -10", "greater than or equal to 0"],
        ),
        (
            "background_mw: 10",
            "background_mw: ten",
            "background_mw: ten",
            ["units.dram.background_mw: wrong value", "found 'ten'", "allowed: a number"],
        ),
        (
            "background_mw: 10",
            "background_mw: .nan",
            "background_mw: .nan",
            ["units.dram.background_mw: not a finite number", "found '.nan'"],
        ),
        ("background_mw: 10", "background_mw: -.inf", "background_mw: -.inf", ["not a finite number"]),
        ("background_mw: 10", "background_mw: 1e999", "background_mw: 1e999", ["not a finite number", "'1e999'"]),
        (
            "background_mw: 10",
            "background_mw: {valu: 10}",
            "background_mw: {valu: 10}",
            ["units.dram.background_mw.valu: unknown key", "value, source, grade", "did you mean 'value'?"],
        ),
        (
            "background_mw: 10",
            "background_mw: {value: 1, source: 7, grade: derived}",
            "source: 7",
            ["units.dram.background_mw.source: wrong value", "found 7", "a valid string"],
        ),
        (
            "background_mw: 10",
            "background_mw: {value: 1, source: s, grade: guessed}",
            "grade: guessed",
            ["units.dram.background_mw.grade: wrong value", "'reconstruction'"],
        ),
        (
            "type: dram",
            "type: drum",
            "type: drum",
            ["units.dram.type: unknown unit type", "cmos_core, dma, dram, host", "did you mean 'dram'?"],
        ),
        ("type: dram", "kind: dram", "  dram:\n", ["units.dram.type: missing key", "cmos_core, dma"]),
        (
            "clock: slow",
            "clock: slw",
            "clock: slw",
            ["units.dram.clock: unknown clock", "found 'slw'", "core, slow", "did you mean 'slow'?"],
        ),
        (
            "main_clock: core",
            "main_clock: cor",
            "main_clock: cor",
            ["main_clock: unknown clock", "did you mean 'core'?"],
        ),
        (
            "weight_memory: memory[0]",
            "weight_memory: memory[3]",
            "weight_memory: memory[3]",
            ["units.core.weight_memory: there is no such sram", "found 'memory[3]'", "memory[0], memory[1], memory[2]"],
        ),
        (
            "weight_memory: memory[0]",
            "weight_memory: dram",
            "weight_memory: dram",
            ["units.core.weight_memory: this unit is no sram", "found 'dram (dram)'"],
        ),
        (
            "dataflow: gather",
            "dataflow: scatter",
            "  core:\n    type",
            ["units.core.scatter: scatter is missing", "exactly one of scatter and gather"],
        ),
        (
            "capacity_bytes: 65536",
            "capacity_bytes: 65537",
            "capacity_bytes: 65537",
            ["capacity is no whole number of words per bank", "a multiple of 256 bits"],
        ),
        (
            "price_set: none",
            "price_sets: none",
            "price_sets: none",
            ["price_sets: unknown key", "did you mean 'price_set'?"],
        ),
        ("price_set: none", "price_set: ''", "price_set: ''", ["price_set: wrong value"]),
        ("name: chip\n", "", "description", ["name: missing key"]),
        ("core: 100_000_000", "core: 0", "core: 0", ["clocks.core: wrong value", "found 0"]),
        ("core: 100_000_000", "core: 2_000_000_000_000", "core: 2_000", ["clocks.core", "1000000000000"]),
        ("core: 100_000_000", "co-re: 1", "co-re: 1", ["clocks.co-re: wrong value"]),
        (
            "grade: published",
            "grade: publishd",
            "grade: publishd",
            ["grade: unknown grade", "measured, published", "did you mean 'published'?"],
        ),
        ("source: a table", "source: 7", "source: 7", ["units.memory[0..2].source: wrong value", "found 7"]),
        ("memory[0..2]:", "memory[2..0]:", "memory[2..0]:", ["units.memory[2..0]: bad range", "FIRST <= LAST"]),
        ("memory[0..2]:", "memory[0..99999]:", "memory[0..99999]:", ["bad range", "at most 4096"]),
        ("memory[0..2]:", "memory[a]:", "memory[a]:", ["bad range"]),
        ("memory[0..2]:", "mem ory:", "mem ory:", ["units.mem ory: not a unit name", "core[0..3]"]),
        ("  dram:\n", "  core[1]:\n", "  core:\n    type", ["units.core: a unit and a row of units share one name"]),
        (
            "  dram:\n",
            "  memory[1]:\n",
            "memory[0..2]:",
            ["units.memory[0..2]: memory[1] is defined twice (first in line 11)"],
        ),
        ("units:\n", "units: 3\nunit:\n", "units: 3", ["units: wrong value", "found 3"]),
    ],
)
def test_mistake_is_named_with_its_line(old: str, new: str, at: str, parts: list[str]) -> None:
    text = changed(old, new)
    refused(text, *parts, line=1 if at == "description" else line_of(at, text))


def test_a_constant_without_a_source_is_refused() -> None:
    text = changed("source: a book\n", "")
    line = line_of("read_energy_pj_per_bit: 5", text)
    refused(text, "units.dram.read_energy_pj_per_bit: this constant has no source", "found 5", "{value: ...", line=line)
    text = changed("grade: published\n", "")
    refused(text, "units.dram.read_energy_pj_per_bit: this constant has no grade", line=line)
    text = changed("background_mw: 10", "background_mw: {value: 10, source: s}", text)
    text = text.replace("    clock: slow\n", "    clock: slow\n    grade: derived\n")
    refused(
        text, "units.core.accumulate_energy_pj: this constant has no grade", line=line_of("accumulate_energy", text)
    )


def test_a_price_that_is_left_out_is_refused() -> None:
    text = changed("    fifo_energy_pj: 0\n", "")
    refused(
        text, "units.core.fifo_energy_pj: missing key", "push with its pop", line=line_of("  core:\n    type", text)
    )


@pytest.mark.parametrize("name", ["leakage_mw: 3\n", "area_mm2: {value: 0.2, source: a ruler, grade: measured}\n"])
def test_static_power_and_area_must_be_stated(name: str) -> None:
    refused(changed(f"    {name}", ""), f"{name.split(':')[0]}: missing key", line=None)


def test_further_mistakes_are_counted() -> None:
    text = changed("burst_cycles: 4", "burst_cycles: x").replace("burst_bits: 512", "burst_bits: y")
    refused(text, "units.dram.burst_bits: wrong value (and 1 more)", line=line_of("burst_bits: y", text))


def test_two_price_sets_are_not_mixed() -> None:
    text = changed("accumulate_energy_pj: 0.5", "accumulate_energy_pj: {value: 0.5, source: horowitz45 add}")
    text = changed("price_set: none", "price_set: aladdin40", text)
    line = line_of("accumulate_energy", text)
    refused(text, "units.core.accumulate_energy_pj: two price sets are mixed", "prices of aladdin40", line=line)
    own = "core.accumulate_energy_pj={value: 0.7, source: horowitz45 by choice, grade: assumed}"
    assert machine(text, own).unit("core").constants()["accumulate_energy_pj"].value == 0.7
    assert machine(changed("price_set: aladdin40", "price_set: horowitz45", text)).price_set == "horowitz45"


def test_a_machine_has_units() -> None:
    head = TEXT[: TEXT.index("units:")]
    refused(head, "units: missing key", line=1)
    refused(head + "units: {}\n", "units: a machine needs at least one unit", line=line_of("units:", head + "units:"))
