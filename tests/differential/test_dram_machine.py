"""A whole machine whose main memory has banks and rows: nothing else of it changes, and the two engines agree."""

from __future__ import annotations

import re

import pytest

from simulator.errors import InputError
from simulator.hardware import Hardware, parse_hardware
from tests.differential.compare import differences
from tests.timing import bench

MEMORY = "{type: banked_dram, clock: dram, preset: ddr4-2400, leakage_mw: 0, area_mm2: 0}"


def machine(hertz: int = 1_200_000_000) -> Hardware:
    """The bench with DDR4-2400 as it is."""
    text, found = re.subn(r"  dram: \{type: dram,.*?\}\n", f"  dram: {MEMORY}\n", bench.TEXT, flags=re.DOTALL)
    assert found == 1
    return parse_hardware(text.replace("clocks: {", f"clocks: {{dram: {hertz}, "), file="bench.yaml")


def test_engines_agree_and_energy_has_its_parts() -> None:
    network = bench.network(kernel=3, size=8, channels=4, threshold=3)
    steps = [list(range(0, 64, 5)), [], list(range(0, 64, 3))]
    kernel, reference = (bench.run(machine(), network, *steps, engine=engine) for engine in ("kernel", "reference"))
    assert differences(kernel, reference) == []
    energy = kernel.energy.by_action
    cycles = kernel.end_ps * 12 // 10_000
    counts = {a: int(kernel.counts[:, :, kernel.actions.index(a)].sum()) for a in ("active:rank", "idle:rank")}
    assert abs(sum(counts.values()) - 2 * cycles) <= 2
    for action in ("active:rank", "idle:rank", "activate:weight", "read_burst:weight"):
        assert energy.get(action, 0) > 0
    assert kernel.energy.by_layer["unattributed"] > 0


def test_another_clock_than_that_of_the_device_is_refused() -> None:
    with pytest.raises(InputError, match=r"units\.dram\.clock: the clock of this memory is not that of ddr4-2400"):
        bench.run(machine(1_000_000_000), bench.network(), [0])
