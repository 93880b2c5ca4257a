"""The cases of the SpikeSim estimator: array size, kernel, device, tile size, timesteps; and its printed figures.

Every figure is a run of ela_spikesim.py (Intelligent-Computing-Lab-Yale/SpikeSim, commit c2627bc) on its VGG9.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator import load_hardware, simulate
from simulator.network.zoo import vgg9
from simulator.record import Record
from simulator.trace.synthetic import bernoulli_trace

CHIP = "cim_spikesim64_ela"
UNIT = "cim"
STEPS = 5
GOLDEN_TOLERANCE = 1e-12
SRAM = (
    "cim.lumps.crossbar_step_energy_pj=671.089",
    "cim.area.fixed.crossbar_um2=671.089",
)
"""The estimator's device "sram": one literal stands for its energy and for its area."""


@dataclass(frozen=True)
class Figures:
    """What an estimate says: processing elements, tiles, pJ, um2, ns, and pJ per layer; None: not printed there."""

    pes: int
    tiles: int
    energy_pj: float
    area_um2: float
    latency_ns: int
    layers_pj: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Golden:
    """Published figures of a case; None where the run did not print one."""

    pes: int | None = None
    tiles: int | None = None
    energy_pj: float | None = None
    area_um2: float | None = None
    latency_ns: int | None = None


@dataclass(frozen=True)
class Case:
    """One run of the estimator: overrides of the chip, kernel and timesteps of the network, and what it printed."""

    name: str
    golden: Golden
    overrides: tuple[str, ...] = ()
    kernel: int = 3
    steps: int = STEPS
    layers_pj: dict[str, float] = field(default_factory=dict)


def array(size: int) -> tuple[str, ...]:
    """Overrides for square arrays of another size."""
    return f"cim.crossbar.rows={size}", f"cim.crossbar.columns={size}", f"cim.crossbar.rows_parallel={size}"


def _layers(*pj: float) -> dict[str, float]:
    return {f"conv{i}": value for i, value in enumerate(pj, start=1)}


LATENCY = 62_832_640
CASES = (
    Case("X = 64", Golden(48, 6, 15906934.026240002, 8425528.755833998, LATENCY),
         layers_pj=_layers(4241849.074, 1060462.268, 2120924.537, 1060462.268, 2120924.537, 4241849.074, 1060462.268)),
    Case("X = 32", Golden(190, 24, 44074016.137216, 17310819.530856, LATENCY), array(32),
         layers_pj=_layers(6780617.867, 3390308.934, 6780617.867, 3390308.934, 6780617.867, 13561235.735, 3390308.934)),
    Case("X = 128", Golden(14, 2, 13978902.265856002, 6347938.740158, LATENCY), array(128),
         layers_pj=_layers(6989451.133, 1747362.783, 1747362.783, 436840.696, 873681.392, 1747362.783, 436840.696)),
    Case("X = 64, sram", Golden(48, 6, 941181496.0742401, 8704114.583034), SRAM),
    Case("X = 64, k = 1", Golden(48, 6, 13739048.20224, 8415462.426234), kernel=1),
    Case("X = 64, k = 5", Golden(48, 6, 20242705.67424, 8445661.415034), kernel=5),
    Case("X = 64, P = 4", Golden(48, 12, 15906934.026240002, 11710472.782068), ("cim.pes_per_tile=4",)),
    Case("X = 64, T = 1", Golden(48, 6, 3181386.805248, None, 12_566_528), steps=1),
)  # fmt: skip


def simulated(case: Case) -> Figures:
    """A case as an ordinary run: dense activity, all quirk flags."""
    return figures_of(run(case.overrides, case.kernel, case.steps))


def run(overrides: tuple[str, ...] = (), kernel: int = 3, steps: int = STEPS, chip: str = CHIP) -> Record:
    """VGG9 on the chip with every neuron firing."""
    net = vgg9(kernel=kernel)
    return simulate(load_hardware(chip, list(overrides)), net, bernoulli_trace(net, steps, 0.0), activity="dense")


def figures_of(record: Record) -> Figures:
    """The figures of a run."""
    built = record.built[UNIT]
    return Figures(
        built["used_pes"],
        built["tiles"],
        record.energy.total,
        record.summary()["area_mm2"]["total"] * 1e6,
        record.end_ps // 1000,
        record.energy.by_layer,
    )
