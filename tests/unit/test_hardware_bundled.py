"""The machines that ship: what they contain, that they survive a round trip, and the published figures of SIA."""

from __future__ import annotations

import os
import pickle  # only to see that worker processes can receive a machine
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import pytest

from simulator.hardware import Hardware, load_hardware, parse_hardware
from simulator.hardware.constant import GRADES
from simulator.hardware.specs.cmos_core import CmosCore
from simulator.hardware.specs.sram import Sram
from simulator.resources import list_resources
from tests.unit.hardware_text import TEXT, machine
from tests.unit.source_tree import ROOT

NAMES = list_resources("hwconfigs")
SIA_PAIRS = [(50, 12), (75, 8), (100, 6), (150, 4), (200, 3), (300, 2)]


def core_of(chip: Hardware, name: str = "core") -> CmosCore:
    core = chip.unit(name)
    assert isinstance(core, CmosCore)
    return core


@pytest.mark.parametrize("name", NAMES)
def test_resolved_text_loads_back_to_an_equal_machine(name: str) -> None:
    chip = load_hardware(name, ["main_clock=core"])
    again = parse_hardware(chip.resolved_yaml())
    assert again == chip and hash(again) == hash(chip)
    assert list(again.units) == list(chip.units)
    assert again.resolved_yaml() == chip.resolved_yaml()


@pytest.mark.parametrize("name", NAMES)
def test_every_price_states_source_and_grade(name: str) -> None:
    chip = load_hardware(name)
    grades = chip.grades()
    assert set(grades.values()) <= set(GRADES)
    for unit, spec in chip.units.items():
        for field in type(spec).model_fields:
            if field == "gate_leakage_mw" and spec.at(field) is None:  # leakage_mw then states all of it
                continue
            if "_energy_pj" in field or field.endswith(("_mw", "_mm2")):
                assert f"{unit}.{field}" in grades
                assert len(spec.constants()[field].source) > 10
        assert chip.clock_hz(unit) == chip.clocks[spec.clock]


def test_a_description_with_odd_texts_survives() -> None:
    for text in ("1e5", "010", "yes", "", "a: b # c", "two\nlines", "µs ☃", "{i}", "null", "\x85", "'\""):
        chip = machine()
        odd = Hardware(chip.name, text, (text or "x",), chip.price_set, chip.clocks, chip.main_clock, chip.units)
        assert parse_hardware(odd.resolved_yaml()) == odd


def test_sha_is_of_the_content() -> None:
    sha = machine().sha256
    assert machine("# a comment\n" + TEXT.replace("banks: 4", "banks:    0x4")).sha256 == sha
    assert machine(TEXT.replace("  core: 100_000_000\n  slow: 25e6\n", "  slow: 25000000\n  core: 1e8\n")).sha256 == sha
    assert machine(TEXT.replace("    banks: 4\n    ports: 1\n", "    ports: 1\n    banks: 4\n")).sha256 == sha
    assert machine(TEXT, "memory[1].banks=8").sha256 != sha
    assert machine(TEXT, "dram.background_mw.source=elsewhere").sha256 != sha


def test_sha_does_not_depend_on_the_process() -> None:
    code = "from simulator.hardware import load_hardware; print(load_hardware('event_core_28nm_x4').sha256)"
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in ("1", "2")
    }
    assert found == {load_hardware("event_core_28nm_x4").sha256}


def test_a_machine_travels_to_another_process() -> None:
    chip = load_hardware("event_core_28nm_x4")
    assert pickle.loads(pickle.dumps(chip)) == chip


def test_other_objects_are_not_equal_to_a_machine() -> None:
    assert machine() != "chip"


def test_event_core_holds_the_largest_layer_twice() -> None:
    chip = load_hardware("event_core_28nm")
    state = chip.unit("state")
    assert isinstance(state, Sram)
    assert state.capacity_bytes >= 2 * 65_536 * 2
    assert core_of(chip).peak_ops_per_cycle == 256
    # main memory: 64 bytes in 6 cycles of 1.2 GHz
    dram = chip.unit("dram").model_dump()
    assert Fraction(dram["burst_bits"] * chip.clock_hz("dram"), 8 * dram["burst_cycles"]) == 12_800_000_000


def test_four_cores_share_and_keep_what_they_should() -> None:
    one, four = load_hardware("event_core_28nm"), load_hardware("event_core_28nm_x4")
    for i in range(4):
        core = core_of(four, f"core[{i}]")
        assert (core.weight_memory, core.state_memory, core.spike_memory) == (f"weight[{i}]", f"state[{i}]", "spike")
        assert core.constants() == one.unit("core").constants()
        assert four.unit(f"weight[{i}]") == one.unit("weight")
        assert four.unit(f"state[{i}]") == one.unit("state")
    assert sorted(four.units) == sorted(
        [
            "host",
            "dma[0]",
            "dma[1]",
            "dram",
            "spike",
            *(f"{n}[{i}]" for n in ("weight", "state", "core") for i in range(4)),
        ]
    )


@pytest.mark.parametrize(("megahertz", "ops"), SIA_PAIRS)
def test_sia_peak_and_power_for_every_published_pair(megahertz: int, ops: int) -> None:
    chip = load_hardware("sia_pynqz2", [f"clocks.core={megahertz}e6", f"core.gather.ops_per_pe_cycle={ops}"])
    core = core_of(chip)
    assert core.gather is not None and core.gather.unroll.elements == 64
    peak = core.peak_ops_per_cycle * chip.clock_hz("core")
    assert peak == 38_400_000_000
    assert peak // 64 == 600_000_000
    static = sum(
        Fraction(str(c.value)) for s in chip.units.values() for f, c in s.constants().items() if f.endswith("_mw")
    )
    dynamic = Fraction(str(core.accumulate_energy_pj.value)) * peak / 10**9
    assert static + dynamic == 1540
    assert round(float(peak / (static + dynamic) / 10**6), 2) == 24.94
    assert round(float((static + dynamic) * 10**9 / peak), 1) == 40.1
    assert chip.labels == ("reconstruction",)


def test_sia_memories_fit_the_board() -> None:
    chip = load_hardware("sia_pynqz2")
    sizes = {name: spec.capacity_bytes for name, spec in chip.units.items() if isinstance(spec, Sram)}
    assert sizes == {"weight": 304 * 1024, "state": 128 * 1024, "spike": 192 * 1024}
    assert sum(sizes.values()) <= 630 * 1024  # 140 blocks of 36 Kbit
    ddr = chip.unit("ddr").model_dump()
    rate = Fraction(ddr["burst_bits"] * chip.clock_hz("ddr"), 8 * ddr["burst_cycles"])
    assert rate == Fraction(7, 10) * 2_100_000_000
    prices = {f for s in chip.units.values() for f, c in s.constants().items() if "_energy_pj" in f and c.value}
    assert prices == {"accumulate_energy_pj"}


def test_the_example_of_the_readme_loads(tmp_path: Path) -> None:
    text = (ROOT / "hwconfigs" / "README.md").read_text(encoding="utf-8")
    path = tmp_path / "my_chip.yaml"
    path.write_text(text.split("```yaml\n")[1].split("```")[0])
    chip = load_hardware(path)
    assert [name for name in chip.units if name.startswith(("core", "dma"))] == [
        "dma[0]", "core[0]", "core[1]", "core[2]", "core[3]"]  # fmt: skip
    assert chip.unit("weight").leakage_mw.source == "data sheet, table 3"
    for name in NAMES:
        assert f"`{name}`" in text
