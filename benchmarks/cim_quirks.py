"""Where and why the published estimator and the tile's own contract differ: one quirk flag taken out at a time.

Some flags change nothing at the estimator's own sizes (64 x 64 arrays, 8 processing elements per tile): so every flag
is also taken out where arrays and tiles are smaller and the device is SRAM.
"""

from __future__ import annotations

from benchmarks.cim_ela import CHIP, SRAM, Figures, array, figures_of, run
from simulator.errors import InputError
from simulator.hardware.cim.quirks import QUIRKS, SETS

CONTRACT_CHIP = "cim_spikesim64"
ESTIMATOR = SETS["spikesim_ela"]
LUMPED = "lumps_per_pe_cycle"
"""Without it there are no prices per vector: the contract's chip brings prices per bit and per neuron."""
SMALL = (*array(32), "cim.pes_per_tile=7")
CONDITIONS: dict[str, tuple[str, ...]] = {"X = 64, P = 8": (), "X = 32, P = 7, sram": (*SMALL, *SRAM)}


def without(flag: str, overrides: tuple[str, ...]) -> Figures:
    """The estimator's figures with one flag taken out."""
    flags = f"cim.quirks=[{', '.join(name for name in ESTIMATOR if name != flag)}]"
    if flag != LUMPED:
        return figures_of(run((flags, *overrides), chip=CHIP))
    return figures_of(run((flags, *_contract(overrides)), chip=CONTRACT_CHIP))


def quirk_lines() -> list[str]:
    """A table: energy, area and latency of the estimator with each flag out, as ratios, and what takes its place."""
    bases = {name: figures_of(run(overrides)) for name, overrides in CONDITIONS.items()}
    lines = ["estimator with one quirk out     " + "".join(f"{name:^27s}" for name in CONDITIONS),
             " " * 33 + "   energy    area  latency " * len(CONDITIONS) + "  what the tile does instead"]  # fmt: skip
    for quirk in QUIRKS:
        if quirk.flag not in ESTIMATOR:
            continue
        if set(quirk.affects) == {"U"}:
            lines.append(f"  {quirk.id:3s} {quirk.flag:24s}   decides which networks can be computed: {quirk.does}")
            continue
        ratios = [_felt(quirk.flag, over, bases[name]) for name, over in CONDITIONS.items()]
        lines.append(f"  {quirk.id:3s} {quirk.flag:24s}   {''.join(ratios)}  {quirk.instead}")
    contract = [
        _ratios(figures_of(run(_contract(over), chip=CONTRACT_CHIP)), bases[name]) for name, over in CONDITIONS.items()
    ]
    lines.append(f"  all out, every input fires       {''.join(contract)}  cycles and counts of the contract")
    return lines


def _felt(flag: str, overrides: tuple[str, ...], base: Figures) -> str:
    """The ratios with a flag taken out; a chip may be refused without it."""
    try:
        return _ratios(without(flag, overrides), base)
    except InputError:
        return f"{'refused':^27s}"


def _contract(overrides: tuple[str, ...]) -> tuple[str, ...]:
    """The overrides that the contract's chip knows: it has no prices per vector."""
    return tuple(change for change in overrides if not change.startswith("cim.lumps."))


def _ratios(found: Figures, base: Figures) -> str:
    """Energy, area and latency relative to the estimator's."""
    parts = (found.energy_pj / base.energy_pj, found.area_um2 / base.area_um2, found.latency_ns / base.latency_ns)
    return "".join(f"{part:9.4f}" for part in parts)
