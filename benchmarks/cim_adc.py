"""How much of the total the choice of the converter decides: one run per published block of 4 and 5 bits.

Blocks that contain the current of the cells charge it per active cell (MLSA) or per conductance of the column (SAR), so
cells of low resistance make SAR blocks dear; blocks with a published leakage pay it for the whole run.
"""

from __future__ import annotations

from typing import Any

from simulator import load_hardware, simulate
from simulator.hardware.library import library_entries
from simulator.network.zoo import vgg9
from simulator.trace.synthetic import bernoulli_trace

CHIP = "cim_spikesim64"
BITS = (4, 5)
DENSITY, STEPS, SEED = 0.1, 5, 0
CONVERTER = ("convert:column", "convert_idle:column", "conduct:column")
"""Actions of every converter; `read:cell` belongs to it too where its prices contain the current of the cells."""


def adc_lines() -> list[str]:
    """A table: converter energy, total energy and area of one VGG9 run (10 % spikes) with each block."""
    net = vgg9()
    trace = bernoulli_trace(net, STEPS, DENSITY, seed=SEED)
    found = []
    for name, entry in library_entries("adc_blocks").items():
        if entry.data["bits"].data not in BITS or entry.data["kind"].data == "integrate_steps":
            continue
        record = simulate(load_hardware(CHIP, [f"cim.adc={name}"]), net, trace)
        own = (*CONVERTER, "read:cell") if entry.data["cell_current"].data == "included" else CONVERTER
        share = sum(record.energy.by_action.get(action, 0.0) for action in own)
        area = record.summary()["area_mm2"]["total"]
        found.append((record.energy.total, name, share, record.energy.static, area, record.end_ps))
    found.sort()
    least = found[0][0]
    lines = [
        f"converters of {BITS[0]} and {BITS[1]} bits in {CHIP}, VGG9 at {DENSITY:.0%} spikes, T = {STEPS}",
        "  block                     converters uJ  static uJ  total uJ  of least  area mm2  latency ms",
    ]
    for total, name, share, static, area, end in found:
        lines.append(
            f"  {name:24s}  {share / 1e6:13.4f}  {static / 1e6:9.3f}  {total / 1e6:8.3f}  {total / least:8.2f}"
            f"  {area:8.2f}  {end / 1e9:10.4f}"
        )
    spec: Any = load_hardware(CHIP).unit("cim")
    conductance = spec.cell.mean_milli_us / 1e3
    lines += [
        f"  A cell of {CHIP} conducts {conductance:.0f} uS at the mean level, and SAR blocks charge it per active",
        "  cell of a column: their form is checked for columns of 1 to 100 kohm, this is extrapolation below it.",
    ]
    return lines
