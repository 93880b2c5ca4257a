"""Where and why the published estimator and the tile's own contract differ: one quirk flag taken out at a time."""

from __future__ import annotations

from benchmarks.cim_ela import CHIP, Figures, figures_of, run
from simulator.hardware.cim.quirks import QUIRKS, SETS
from simulator.record import Record

CONTRACT_CHIP = "cim_spikesim64"
ESTIMATOR = SETS["spikesim_ela"]
LUMPED = "lumps_per_pe_cycle"
"""Without it there are no prices per vector: the contract's chip brings prices per bit and per neuron."""


def without(flag: str) -> Record:
    """The estimator's run with one flag taken out."""
    flags = [name for name in ESTIMATOR if name != flag]
    chip = CONTRACT_CHIP if flag == LUMPED else CHIP
    return run((f"cim.quirks=[{', '.join(flags)}]",), chip=chip)


def quirk_lines() -> list[str]:
    """A table: energy, area and latency of the estimator with each flag out, as ratios, and what takes its place."""
    base = figures_of(run())
    lines = ["estimator with one quirk out        energy    area  latency   what the tile does instead"]
    for quirk in QUIRKS:
        if quirk.flag not in ESTIMATOR:
            continue
        if set(quirk.affects) == {"U"}:
            lines.append(f"  {quirk.id:3s} {quirk.flag:24s} decides which networks can be computed: {quirk.does}")
            continue
        lines.append(
            f"  {quirk.id:3s} {quirk.flag:24s} {_ratios(figures_of(without(quirk.flag)), base)}  {quirk.instead}"
        )
    contract = figures_of(run(chip=CONTRACT_CHIP))
    lines.append(f"  all out, every input fires   {_ratios(contract, base)}  cycles and counts of the contract")
    return lines


def _ratios(found: Figures, base: Figures) -> str:
    """Energy, area and latency relative to the estimator's."""
    parts = (found.energy_pj / base.energy_pj, found.area_um2 / base.area_um2, found.latency_ns / base.latency_ns)
    return "".join(f"{part:9.4f}" for part in parts)
