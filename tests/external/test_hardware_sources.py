"""Constants of the shipped machines against the tables they name."""

from __future__ import annotations

import csv
import re
from fractions import Fraction
from pathlib import Path

import pytest

from simulator.hardware import Hardware, load_hardware
from simulator.hardware.specs.dram import Dram
from simulator.hardware.specs.sram import Sram
from simulator.resources import list_resources
from simulator.units import cycles_from_ns

pytestmark = pytest.mark.external
CACTI = re.compile(r"CACTI 7 .*row (\d+) B, (\d+) bit, (\d+) nm, ([\w-]+), (\d+) K; (\d+) macros")
ONE_PART_IN = 100_000


@pytest.fixture(scope="module")
def cacti(data_dir: Path) -> dict[tuple[str, ...], dict[str, str]]:
    """(capacity, word, node, device, temperature) -> row of the CACTI table."""
    keys = ("capacity_bytes", "word_bits", "node_nm", "device", "temp_K")
    with (data_dir / "memory" / "cacti7_sram.csv").open(newline="") as stream:
        return {tuple(row[k] for k in keys): row for row in csv.DictReader(stream)}


@pytest.fixture(scope="module")
def ddr4(data_dir: Path) -> dict[str, Fraction]:
    """Timing (cycles) and currents (mA) of the DDR4-2400 device that event_core_28nm names."""
    with (data_dir / "memory" / "dram" / "timing_currents.csv").open(newline="") as stream:
        rows = [r for r in csv.DictReader(stream) if r["device"] == "DDR4_2400_8Gb_x8"]
    return {row["parameter"]: Fraction(row["value"]) for row in rows}


def close(found: float, expected: Fraction) -> bool:
    """Equal to the digits that the file writes."""
    return abs(Fraction(found) - expected) * ONE_PART_IN <= expected


def srams_from_cacti() -> list[tuple[str, str]]:
    """(machine, unit) of every shipped SRAM whose source is the CACTI table."""
    found = []
    for name in list_resources("hwconfigs"):
        for unit, spec in load_hardware(name).units.items():
            if isinstance(spec, Sram) and "CACTI" in spec.leakage_mw.source:
                found.append((name, unit))
    return found


@pytest.mark.parametrize(("name", "unit"), srams_from_cacti())
def test_sram_follows_the_recipe(name: str, unit: str, cacti: dict[tuple[str, ...], dict[str, str]]) -> None:
    chip = load_hardware(name)
    spec = chip.unit(unit)
    assert isinstance(spec, Sram)
    match = CACTI.search(spec.leakage_mw.source)
    assert match is not None
    *key, macros = match.groups()
    row = {k: Fraction(v) for k, v in cacti[tuple(key)].items() if k != "device"}
    word = int(row["word_bits"])
    assert int(macros) * word == spec.banks * spec.width_bits
    assert int(macros) * int(row["capacity_bytes"]) == spec.capacity_bytes
    assert close(spec.read_energy_pj_per_bit.value, row["read_pJ"] / word)
    assert close(spec.write_energy_pj_per_bit.value, row["write_pJ"] / word)
    assert close(spec.leakage_mw.value, int(macros) * (row["leak_mW"] + row["gate_leak_mW"]))
    assert close(spec.area_mm2.value, int(macros) * row["area_mm2"])
    assert spec.latency_cycles == cycles_from_ns(row["access_ns"], chip.clock_hz(unit), "up")
    assert spec.cycle_cycles == cycles_from_ns(row["cycle_ns"], chip.clock_hz(unit), "up")
    assert {c.grade for c in spec.constants().values()} == {"derived"}


def test_recipe_is_applied_somewhere() -> None:
    assert {unit for name, unit in srams_from_cacti() if name == "event_core_28nm"} == {"weight", "state", "spike"}


def test_dram_follows_timing_and_currents(ddr4: dict[str, Fraction]) -> None:
    chip: Hardware = load_hardware("event_core_28nm")
    dram = chip.unit("dram")
    assert isinstance(dram, Dram)
    d, devices = ddr4, ddr4["devices_per_rank"]
    burst = d["burst_length"] / 2
    row_bits = d["columns_per_row"] * d["device_width"] * devices
    activate = d["VDD"] * (d["IDD0"] * d["tRC"] - d["IDD3N"] * d["tRAS"] - d["IDD2N"] * d["tRP"]) * devices * d["tCK"]
    for field, current in (("read", "IDD4R"), ("write", "IDD4W")):
        energy = d["VDD"] * (d[current] - d["IDD3N"]) * burst * devices * d["tCK"]
        expected = energy / dram.burst_bits + activate / row_bits
        assert close(dram.constants()[f"{field}_energy_pj_per_bit"].value, expected)
    refresh = d["VDD"] * (d["IDD5B"] - d["IDD3N"]) * devices * d["tRFC"] / d["tREFI"]
    assert close(dram.background_mw.value, d["VDD"] * d["IDD3N"] * devices + refresh)
    assert dram.burst_bits == d["burst_length"] * d["device_width"] * devices
    assert dram.burst_cycles == d["tCCD_L"]
    assert dram.latency_cycles == 2 + d["tRCD"] + d["CL"]
    cells = d["bank_groups"] * d["banks_per_group"] * d["rows_per_bank"] * row_bits
    assert dram.capacity_bytes * 8 == cells
