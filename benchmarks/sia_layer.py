"""Parameter consistency of the SIA reconstruction: one layer that keeps every processing element busy.

The layer is a 3x3 convolution without padding whose channels fill the array, with every input firing.  Its compute
cycles must be the closed form T * positions * ops_per_synapse / (PEs * ops_per_pe_cycle), to the cycle, for every pair
of clock and operations per cycle.  That says that parameters and machine agree; it is no evidence that the
micro-architecture is that of the paper.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from benchmarks.sia_tables import BOARD_MW, PAIRS, PEAK_OPS, STEPS
from simulator.energy import static_powers
from simulator.hardware import Hardware, load_hardware
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from simulator.run import simulate
from simulator.trace.dense import dense_trace

PRESET = "sia_pynqz2"
INPUTS, OUTPUTS, SIDE = 16, 128, 8
"""Channels in and out, rows and columns of the outputs: 16 x 9 taps divide by every number of operations per cycle."""


@dataclass(frozen=True)
class Consistency:
    """One run.  Cycles are those of the core's clock.

    compute, expected   cycles in which the array executes operations, and the closed form
    ops                 operations executed (ledger)
    gops, watt          operations per second, and power, while computing
    energy_agrees       the record's energy is these operations at their price plus static power for the whole run
    fill, wait, drain   the core's other busy cycles: pipeline fill, array waiting for the neuron unit (batch norm and
                        threshold), neuron unit finishing after the array
    stall, idle         cycles by cause in which the core could not work; cycles without work
    neuron_unit         busy cycles of the neuron unit, nearly all beside the array's work
    total               cycles of the run
    """

    clock_mhz: int
    ops_per_pe_cycle: int
    ops_per_synapse: int
    compute: int
    expected: int
    ops: int
    expected_ops: int
    gops: Fraction
    watt: Fraction
    energy_agrees: bool
    fill: int
    wait: int
    drain: int
    neuron_unit: int
    stall: dict[str, int]
    idle: int
    total: int

    @property
    def exact(self) -> bool:
        """True when cycles, operations, rate and power are the closed forms exactly."""
        return (
            self.compute == self.expected
            and self.ops == self.expected_ops
            and self.gops == Fraction(PEAK_OPS, 10**9)
            and self.watt == Fraction(BOARD_MW) / 1000
            and self.energy_agrees
        )

    def figures(self) -> dict[str, Any]:
        """Plain values for --json."""
        return {**asdict(self), "gops": float(self.gops), "watt": float(self.watt), "exact": self.exact}


def full_layer() -> Network:
    """Input and one 3x3 convolution without padding, topology only."""
    return Network(
        "full-3x3",
        (
            Population("input", (INPUTS, SIDE + 2, SIDE + 2), Neuron(model="input")),
            Population("layer", (OUTPUTS, SIDE, SIDE), Neuron(membrane_bits=16)),
        ),
        (Projection("layer", "input", "layer", "conv", kernel=(3, 3)),),
    )


def check_layer(clock_mhz: int, ops_per_pe_cycle: int, ops_per_synapse: int) -> Consistency:
    """Runs the full layer for T = 8 on the preset with this clock and these operations."""
    hardware = load_hardware(
        PRESET,
        [
            f"clocks.core={clock_mhz * 1_000_000}",
            f"core.gather.ops_per_pe_cycle={ops_per_pe_cycle}",
            f"core.gather.ops_per_synapse={ops_per_synapse}",
        ],
    )
    network = full_layer()
    record = simulate(hardware, network, dense_trace(network, STEPS))
    positions = INPUTS * 9 * OUTPUTS * SIDE * SIDE
    elements = hardware.units["core"].gather.unroll.elements  # type: ignore[attr-defined]
    expected_ops = STEPS * positions * ops_per_synapse
    time = record.cycles["core"]
    compute, wait = time.waits["compute"], time.waits.get("neuron_unit_wait", 0)
    fill = STEPS * hardware.units["core"].gather.fill_cycles  # type: ignore[attr-defined]
    seconds = Fraction(compute, hardware.clock_hz("core"))
    ops = executed_operations(record)
    return Consistency(
        clock_mhz,
        ops_per_pe_cycle,
        ops_per_synapse,
        compute,
        expected=-(-expected_ops // (elements * ops_per_pe_cycle)),
        ops=ops,
        expected_ops=expected_ops,
        gops=ops / seconds / 10**9,
        watt=operation_pj(hardware, ops) / 10**12 / seconds + static_mw(hardware) / 1000,
        energy_agrees=_energy_agrees(record, ops),
        fill=fill,
        wait=wait,
        drain=time.busy - compute - wait - fill,
        neuron_unit=time.waits["neuron_unit"],
        stall=dict(time.stall),
        idle=time.idle,
        total=time.cycles,
    )


def check_all_pairs() -> list[Consistency]:
    """Every pair of clock and operations per cycle, with one and with two operations per synaptic position."""
    return [check_layer(clock, ops, per_synapse) for per_synapse in (1, 2) for clock, ops in PAIRS]


def executed_operations(record: Record) -> int:
    """Operations that the record's ledger counts as accumulated, all units and layers."""
    return int(record.counts[:, :, record.actions.index("accumulate:partial_sum")].sum())


def static_mw(hardware: Hardware) -> Fraction:
    """Static power of the whole board, mW."""
    return sum(
        (Fraction(str(c.value)) for spec in hardware.units.values() for c in static_powers(spec).values()), Fraction(0)
    )


def operation_pj(hardware: Hardware, ops: int) -> Fraction:
    """Energy of `ops` operations in pJ, without rounding."""
    return ops * Fraction(str(hardware.units["core"].accumulate_energy_pj.value))  # type: ignore[attr-defined]


def _energy_agrees(record: Record, ops: int) -> bool:
    dynamic = float(operation_pj(record.hardware, ops))
    static = float(static_mw(record.hardware) * record.end_ps / 1000)
    energy = record.energy
    return math.isclose(energy.dynamic, dynamic, rel_tol=1e-12) and math.isclose(energy.static, static, rel_tol=1e-12)
