"""Bundled DRAM devices: prices by their formulas, refusals, and what a unit makes of a preset."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from simulator.hardware import parse_hardware
from simulator.hardware.constant import GRADES
from simulator.hardware.dram_presets import dram_preset, dram_presets, priced_presets
from simulator.hardware.specs.dram_banked import BankedDram

PRICED = "leakage_mw: {value: 0, source: none, grade: assumed}, area_mm2: {value: 0, source: none, grade: assumed}"
# V x devices x ns, then mA x cycles: keyed from the data sheets' tables, one activate 3450, 4234 and 1205 pJ.
DDR4_2400, DDR4_3200, LPDDR4_3200 = 1.2 * 8 * 0.83, 1.2 * 8 * 0.63, 1.1 * 1 * 0.625
TABLE = {
    "ddr4-2400": [DDR4_2400 * x for x in (48 * 56 - 43 * 39 - 34 * 17, 92 * 4, 80 * 4, 207 * 420, 43, 34)],
    "ddr4-3200": [DDR4_3200 * x for x in (57 * 74 - 52 * 52 - 37 * 22, 116 * 4, 98 * 4, 198 * 560, 52, 37)],
    "lpddr4-3200": [
        LPDDR4_3200 * x for x in (50.73 * 97 - 33.68 * 68 - 30.27 * 29, 245 * 8, 180 * 8, 72.68 * 448, 33.68, 30.27)
    ],
}
FIELDS = ("activate_energy_pj", "read_burst_energy_pj", "write_burst_energy_pj", "refresh_energy_pj",
          "active_energy_pj", "idle_energy_pj")  # fmt: skip


def unit(fields: str) -> BankedDram:
    """A banked memory with these fields."""
    text = f"""\
name: memory
description: main memory alone
price_set: none
main_clock: dram
clocks: {{dram: 1_200_000_000}}
units:
  dram: {{type: banked_dram, clock: dram, {fields}, {PRICED}}}
"""
    chip = parse_hardware(text, file="memory.yaml")
    assert parse_hardware(chip.resolved_yaml()) == chip
    spec = chip.unit("dram")
    assert isinstance(spec, BankedDram)
    return spec


def test_what_ships() -> None:
    assert dram_presets() == ["ddr3-1050-x16", "ddr4-2400", "ddr4-3200", "lpddr4-3200", "lpddr4-4266", "lpddr5-6400"]
    assert set(priced_presets()) == set(TABLE)


@pytest.mark.parametrize("name", dram_presets())
def test_every_row_has_a_source_and_a_grade(name: str) -> None:
    rows = dram_preset(name).rows
    assert all(row.source and row.grade in GRADES for row in rows.values())
    if name.startswith("ddr3"):
        assert {rows[key].grade for key in rows if key.startswith("timing.")} == {"assumed"}


@pytest.mark.parametrize("name", TABLE)
def test_prices_are_those_of_the_data_sheet(name: str) -> None:
    spec = unit(f"preset: {name}")
    for field, expected in zip(FIELDS, TABLE[name], strict=True):
        price = getattr(spec, field)
        assert price.value == pytest.approx(expected, rel=1e-9)
        assert name in price.source and price.grade == "derived"


@pytest.mark.parametrize("name", sorted(set(dram_presets()) - set(TABLE)))
def test_energy_of_a_device_without_currents_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name} is known by its timing only.*its energy is refused") as caught:
        unit(f"preset: {name}")
    assert "memory.yaml:7: units.dram.activate_energy_pj" in str(caught.value) and "ddr4-2400" in str(caught.value)
    prices = ", ".join(f"{field}: {{value: 1, source: mine, grade: assumed}}"
                       for field in (*FIELDS, "read_io_energy_pj_per_bit", "write_io_energy_pj_per_bit"))  # fmt: skip
    assert unit(f"preset: {name}, {prices}").timing == dram_preset(name).timing


def test_what_is_stated_replaces_the_preset() -> None:
    spec = unit(
        "preset: ddr4-2400, timing: {tcl_cycles: 18}, geometry: {ranks: 1}, controller: {page: close}, "
        "read_burst_energy_pj: {value: 7, source: mine, grade: measured}"
    )
    assert (spec.timing.tcl_cycles, spec.timing.tcwl_cycles) == (18, 12)
    assert spec.capacity_bytes == 2**33 and spec.controller.page == "close"
    assert spec.read_burst_energy_pj.source == "mine" and spec.write_burst_energy_pj.value == pytest.approx(2549.76)


@pytest.mark.parametrize(
    ("fields", "parts"),
    [
        ("preset: ddr4-240", ["units.dram.preset: unknown DRAM preset", "did you mean 'ddr4-2400'?"]),
        ("controller: {page: open}", ["units.dram.geometry: missing key"]),
        ("preset: ddr4-2400, timing: {tcl_cyles: 18}", ["units.dram.timing.tcl_cyles", "did you mean 'tcl_cycles'?"]),
        ("preset: ddr4-2400, geometry: {rows: 3}", ["units.dram.geometry", "powers of two", "found 3"]),
        ("preset: ddr4-2400, geometry: {address_order: [row, bank]}", ["address_order", "every bit once"]),
        ("preset: ddr4-2400, geometry: {address_order: [line, bank]}", ["unknown part of an address", "'line'"]),
        ("preset: ddr4-2400, geometry: 3", ["units.dram.geometry", "found 3"]),
        ("preset: ddr4-2400, controller: {refresh: bank}", ["refresh_energy_pj", "refresh of a rank"]),
        ("preset: ddr4-2400, controller: {scheduler: fifo}", ["units.dram.controller.scheduler", "frfcfs"]),
        ("preset: 3", ["units.dram.preset", "found 3"]),
    ],
)
def test_mistakes_are_named(fields: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        unit(fields)
    for part in ("memory.yaml:7: ", *parts):
        assert part in str(caught.value)
