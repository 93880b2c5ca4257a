"""Layouts in front of main memory with banks and rows: bursts and over-fetch as the layout says, in both engines."""

from __future__ import annotations

import re

import pytest

from simulator.mapping import lower, place
from simulator.mapping.layout import Layout, runs
from tests.differential.compare import differences
from tests.timing.bench import TEXT, run
from tests.timing.test_dma import STEPS, chip, count, pictures

BURST = 512
BANKED = re.sub(
    r"  dram: \{.*?\}\n", "  dram: {type: banked_dram, clock: dram, preset: ddr4-2400, leakage_mw: 0, area_mm2: 0}\n",
    TEXT.replace("other: 1_000_000_000", "other: 1_000_000_000, dram: 1_200_000_000"), flags=re.DOTALL,
)  # fmt: skip


@pytest.mark.parametrize("order", ["row_major", "channel_last"])
def test_bursts_of_boxes(order: str) -> None:
    """Pictures of 16 channels of 24 x 24 bits, loaded two rows at a time: 16 runs of 48 bits, or one of 768."""
    hardware = chip("core[0..1].spike_format=bitmap", "spike.capacity_bytes=1600", "spike.width_bits=64",
                    f"dma.layout={{order: {order}}}", text=BANKED)  # fmt: skip
    network = pictures(24, 16)
    mapping = place(network, hardware, cores=["core[0]"], tile_rows=2)
    layout, shape = Layout(order), (16, 24, 24)
    bursts = asked = 0
    for row in lower(mapping, network, hardware).table():
        if row["op"] == "LOAD" and row["population"] == "in":
            found = runs(layout, shape, ((row["k0"], row["k1"]), (row["y0"], row["y1"]), (0, 24)), 1)
            bursts += len(STEPS) * len(found.bursts(BURST)[0])
            asked += len(STEPS) * found.total_bits
    plain = run(hardware, network, *STEPS, tile_rows=2)
    assert bursts and count(plain, "dram", "read:spike") == asked
    assert count(plain, "dram", "overfetch:spike") == bursts * BURST - asked
    assert differences(plain, run(hardware, network, *STEPS, engine="reference", tile_rows=2)) == []
