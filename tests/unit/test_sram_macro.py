"""`macro:` of an SRAM: the recipe by hand, what the file states stays, and what the table does not hold is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from math import exp, log

import pytest

from simulator.energy import check_same_timing, static_powers
from simulator.errors import InputError
from simulator.hardware import Hardware, json_schema, load_hardware, parse_hardware
from simulator.hardware.document import parse_document
from simulator.hardware.specs.sram import FILLED, Sram
from tests.unit.hardware_text import TEXT
from tests.unit.schema_checker import complaints

STATED = TEXT[TEXT.index("    latency_cycles: 1\n") : TEXT.index("  core:\n    type")]
MACRO = TEXT.replace(STATED, "    macro: {series: lop28}\n")
ONE_DIGIT = 0.005
"""Largest relative error of a value rounded to three digits."""


def memory(text: str = MACRO, *overrides: str, **shape: int) -> Sram:
    """memory[0] of the text with `shape` put in place of its own sizes."""
    every = [*overrides, *(f"memory[0].{name}={value}" for name, value in shape.items())]
    spec = parse_hardware(text, every).unit("memory[0]")
    assert isinstance(spec, Sram)
    return spec


def test_the_recipe_by_hand() -> None:
    """64 KiB in 4 banks of 64 bits at 100 MHz: four macros of 16 KiB, row `lop28` of the table at 16384 bytes."""
    spec = memory()
    assert spec.read_energy_pj_per_bit.value == 2.14 / 64
    assert spec.write_energy_pj_per_bit.value == 1.66 / 64
    assert spec.leakage_mw.value == 4 * 2.66
    assert spec.gate_leakage_mw.value == 4 * 0.0159
    assert spec.area_mm2.value == 4 * 0.0244
    assert (spec.latency_cycles, spec.cycle_cycles) == (1, 1)  # .485 and .377 ns in periods of 10 ns
    powers = static_powers(spec)
    assert {name: power.value for name, power in powers.items()} == {"leakage": 4 * 2.66, "gate_leakage": 4 * 0.0159}


def test_times_are_rounded_up_to_cycles_of_the_clock() -> None:
    """16 KiB: .485 ns and .377 ns; at 3 GHz they are 1.455 and 1.131 cycles."""
    spec = memory(MACRO, "clocks.core=3_000_000_000")
    assert (spec.latency_cycles, spec.cycle_cycles) == (2, 2)


@pytest.mark.parametrize(
    "width,banks,capacity,macros,beside",
    [(64, 4, 65536, 4, 1), (256, 4, 65536, 16, 4), (32, 4, 65536, 4, 1), (96, 2, 49152, 4, 2), (128, 1, 2097152, 2, 2)],
)
def test_other_widths_are_several_macros(width: int, banks: int, capacity: int, macros: int, beside: int) -> None:
    """An access uses `beside` macros at once; a word of 96 bits fills three quarters of two rows."""
    from simulator.hardware.cacti import sram_macro

    spec = memory(width_bits=width, banks=banks, capacity_bytes=capacity)
    one = sram_macro("lop28", (capacity if width != 96 else capacity * 128 // 96) // macros)
    assert spec.read_energy_pj_per_bit.value == pytest.approx(beside * one.read_pj / width, rel=1e-12)
    assert spec.leakage_mw.value == pytest.approx(macros * one.leak_mw, rel=1e-12)
    assert spec.area_mm2.value == pytest.approx(macros * one.area_mm2, rel=1e-12)
    assert f"; {macros} macros" in spec.area_mm2.source


def test_between_capacities_the_source_says_so() -> None:
    """12 KiB per bank lies between 8 and 16 KiB: 1.84 and 2.14 pJ, log-log."""
    spec = memory(capacity_bytes=49152)
    share = log(12288 / 8192) / log(2)
    expected = exp((1 - share) * log(1.84) + share * log(2.14)) / 64
    assert spec.read_energy_pj_per_bit.value == pytest.approx(expected, rel=1e-12)
    assert "log-log between tabulated capacities" in spec.read_energy_pj_per_bit.source
    assert "log-log" not in memory().read_energy_pj_per_bit.source


@pytest.mark.parametrize("unit", ["weight", "state", "spike"])
def test_the_bundled_chip_agrees_within_rounding(unit: str) -> None:
    """event_core_28nm states the recipe's values with more digits than the table has."""
    chip = load_hardware("event_core_28nm")
    stated = chip.unit(unit)
    shape = {n: getattr(stated, n) for n in ("type", "clock", "capacity_bytes", "banks", "ports", "width_bits")}
    spec = Sram.model_validate(Sram.filled({**shape, "macro": {"series": "lop28"}}, chip.clock_hz(unit)))
    assert isinstance(stated, Sram)
    for name in ("read_energy_pj_per_bit", "write_energy_pj_per_bit", "area_mm2"):
        assert getattr(spec, name).value == pytest.approx(getattr(stated, name).value, rel=ONE_DIGIT), name
    both = spec.leakage_mw.value + spec.gate_leakage_mw.value
    assert both == pytest.approx(stated.leakage_mw.value, rel=ONE_DIGIT)
    assert (spec.latency_cycles, spec.cycle_cycles) == (stated.latency_cycles, stated.cycle_cycles)


def test_values_of_the_file_stay() -> None:
    lines = "    latency_cycles: 9\n    area_mm2: {value: 7, source: layout, grade: measured}\n    macro:"
    spec = memory(MACRO.replace("    macro:", lines))
    assert (spec.latency_cycles, spec.area_mm2.value, spec.area_mm2.grade) == (9, 7.0, "measured")
    assert spec.cycle_cycles == 1 and spec.write_energy_pj_per_bit.grade == "derived"


def test_a_stated_leakage_is_all_leakage() -> None:
    spec = memory(MACRO, "memory[0].leakage_mw={value: 3, source: mine, grade: assumed}")
    assert list(static_powers(spec)) == ["leakage"] and spec.leakage_mw.value == 3.0
    spec = memory(MACRO, "memory[0].gate_leakage_mw={value: 3, source: mine, grade: assumed}")
    assert (spec.leakage_mw.value, spec.gate_leakage_mw.value) == (4 * 2.66, 3.0)


def test_filled_constants_name_series_and_caveats() -> None:
    for series, caveat in (("lop28", "interpolation between its technology files"), ("lop22", "never across"),
                           ("hp32", "below .1 ns")):  # fmt: skip
        spec = memory(MACRO.replace("lop28", series))
        constants = spec.constants()
        assert set(constants) == {*FILLED[2:], "gate_leakage_mw"}
        for constant in constants.values():
            assert constant.grade == "derived" and f"series {series}:" in constant.source and caveat in constant.source


def test_the_resolved_file_states_the_filled_values() -> None:
    chip = parse_hardware(MACRO)
    text = chip.resolved_yaml()
    plain = parse_document(text, "f.yaml").plain()["units"]["memory[0]"]
    assert set(FILLED) < set(plain) and plain["macro"] == {"series": "lop28"}
    assert parse_hardware(text) == chip


def test_another_series_may_reprice_a_run_where_cycles_agree() -> None:
    old = parse_hardware(MACRO)
    check_same_timing(old, parse_hardware(MACRO.replace("lop28", "lop32")))
    fast = ["clocks.core=10_000_000_000"]
    with pytest.raises(InputError, match=r"(latency|cycle)_cycles"):
        check_same_timing(parse_hardware(MACRO, fast), parse_hardware(MACRO.replace("lop28", "lstp65"), fast))


@pytest.mark.parametrize(
    "old,new,message",
    [
        ("lop28", "lop29", r"memory\[0\].macro.series: unknown SRAM series; found 'lop29'.*did you mean"),
        ("series:", "serie:", r"macro.serie: unknown key"),
        ("{series: lop28}", "lop28", r"memory\[0\].macro: wrong value"),
        ("capacity_bytes: 65536", "capacity_bytes: 2048", r"chip.yaml:\d+: .*found '4 macros of 512 bytes'"),
        ("capacity_bytes: 65536", "capacity_bytes: 67108864", "not extrapolated"),
        ("capacity_bytes: 65536", "capacity_byte: 65536", "did you mean 'capacity_bytes'"),
        ("banks: 4", "banks: four", r"memory\[0\].banks: wrong value"),
    ],
)
def test_mistakes_end_in_one_message(old: str, new: str, message: str) -> None:
    assert old in MACRO
    with pytest.raises(InputError, match=message):
        parse_hardware(MACRO.replace(old, new), file="chip.yaml")


def test_the_schema_knows_macros() -> None:
    schema = json_schema()

    def check(text: str) -> list[str]:
        return complaints(parse_document(text, "f.yaml").plain(), schema, schema)

    assert check(MACRO) == [] and check(TEXT) == []
    assert check(MACRO.replace("    macro: {series: lop28}\n", ""))
    assert check(MACRO.replace("lop28", "lop29"))


def test_a_run_adds_both_leakages() -> None:
    from tests.unit.small_record import small_record

    record = small_record()
    chip = record.hardware
    name, stated = next((n, s) for n, s in chip.units.items() if isinstance(s, Sram))
    extra = stated.leakage_mw.model_copy(update={"value": 2.5})
    units = {**chip.units, name: stated.model_copy(update={"gate_leakage_mw": extra})}
    more = replace(record, hardware=Hardware(chip.name, chip.description, chip.labels, chip.price_set, chip.clocks,
                                             chip.main_clock, units))  # fmt: skip
    gained = more.energy.by(lambda t: (t.unit, t.action))[name, "static:gate_leakage"]
    assert math.isclose(gained, 2.5 * record.end_ps / 1000)
    before, after = (math.fsum(t.pj for t in r.energy.terms) for r in (record, more))
    assert math.isclose(after, before + gained)
