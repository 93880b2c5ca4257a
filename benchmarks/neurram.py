"""RRAM tiles against silicon: throughput and energy per operation of the 48-core NeuRRAM chip.

    python -m benchmarks.neurram FILE [--json]

FILE is a table with the columns of `neurram_rows.csv`: output bits, input bits, mode (`two_phase` or `one_phase`),
measured TOPS of 48 cores and TOPS/W.  Every row runs on `cim_neurram130` with its bits set and nothing else changed:
a 1x1 convolution of 128 channels to 256, one copy of it per core, so that each output position is one product of a
256 x 256 array (128 weights x 256 columns, 65,536 operations: a multiply or an add is one).

Throughput is the marginal rate of a longer run over a shorter one, so that filling the pipeline does not count; energy
is dynamic energy over operations.  Bars: TOPS within 5 %, energy per operation within 10 %, on every row.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import Result, read_table, run_options, whole
from simulator import load_hardware, simulate
from simulator.errors import InputError, unknown
from simulator.mapping import place
from simulator.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.record import Record
from simulator.trace.synthetic import bernoulli_trace

CHIP = "cim_neurram130"
CORES, CHANNELS, OUTPUTS = 48, 128, 256
OPS_PER_PRODUCT = 65536
MODES = ("two_phase", "one_phase")
SHORT, LONG = 8, 24
"""Products per core of the two runs whose difference is the marginal rate."""
TOPS_TOLERANCE, ENERGY_TOLERANCE = 0.05, 0.10


@dataclass(frozen=True)
class Row:
    """One measured point; TOPS in 1e12 operations per second."""

    out_bits: int
    in_bits: int
    mode: str
    tops: float
    tops_per_w: float


@dataclass(frozen=True)
class Point:
    """What the simulator says of a row: TOPS, energy per operation in fJ, and both relative errors."""

    row: Row
    tops: float
    fj: float

    @property
    def tops_error(self) -> float:
        """Relative error of the throughput."""
        return self.tops / self.row.tops - 1

    @property
    def energy_error(self) -> float:
        """Relative error of the energy per operation."""
        return self.fj * self.row.tops_per_w / 1e3 - 1


def main(argv: Sequence[str] | None = None) -> int:
    """Compares every row; 0 both bars hold, 1 one does not, 2 the input is wrong."""
    return run_options(
        "neurram", __doc__.splitlines()[0], lambda options: compute(rows_of(options.file)), _declare, argv
    )


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="table of measured throughput and efficiency")


def rows_of(path: Path) -> list[Row]:
    """The table's rows; InputError where the file, a column or a value is missing or out of range."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    rows = []
    for number, row in enumerate(read_table(path, "out_bits", "in_bits", "mode", "tops_48cores", "tops_per_w"), 1):
        out_bits, in_bits = whole(row, "out_bits", path), whole(row, "in_bits", path)
        if row["mode"] not in MODES:
            raise unknown("mode", row["mode"], MODES, key=f"row {number}.mode")
        try:
            tops, efficiency = float(row["tops_48cores"]), float(row["tops_per_w"])
        except ValueError:
            raise InputError("not a number", file=path, key=f"row {number}") from None
        if not (tops > 0 and efficiency > 0 and 1 <= in_bits <= 16 and 1 <= out_bits <= 16):
            raise InputError("bits lie in 1 .. 16, rates are positive", file=path, key=f"row {number}")
        rows.append(Row(out_bits, in_bits, row["mode"], tops, efficiency))
    if not rows:
        raise InputError("the table has no rows", file=path)
    return rows


def network(products: int) -> Network:
    """A 1x1 convolution of 128 to 256 channels over `products` positions per core; topology only."""
    shape = (products, CORES)
    return Network(
        "products",
        (
            Population("input", (CHANNELS, *shape), Neuron(model="input")),
            Population("out", (OUTPUTS, *shape), Neuron(membrane_bits=22)),
        ),
        (Projection("out", "input", "out", "conv", kernel=(1, 1), weight_bits=4),),
        "int",
        "one product per position",
    )


def simulated(row: Row, products: int) -> Record:
    """A run with every input at work: density does not enter the published figures."""
    hardware = load_hardware(
        CHIP, [f"cim.input_bits={row.in_bits}", f"cim.adc.bits={row.out_bits}", f"cim.adc.phases={row.mode}"]
    )
    net = network(products)
    return simulate(
        hardware, net, bernoulli_trace(net, 1, {"input": 1.0, "out": 0.0}), place(net, hardware, duplication=CORES)
    )


def compute(rows: list[Row]) -> Result:
    """Runs every row and compares."""
    result = Result()
    result.lines += ["out in  mode        TOPS: ours  silicon   error   fJ/op: ours  silicon   error"]
    points = []
    for row in rows:
        short, long = simulated(row, SHORT), simulated(row, LONG)
        operations = (LONG - SHORT) * CORES * OPS_PER_PRODUCT
        tops = operations / ((long.end_ps - short.end_ps) * 1e-12) / 1e12
        fj = (long.energy.dynamic - short.energy.dynamic) * 1e3 / operations
        point = Point(row, tops, fj)
        points.append(point)
        name = f"({row.out_bits}, {row.in_bits}) {row.mode}"
        result.check(abs(point.tops_error) <= TOPS_TOLERANCE, f"{name}: TOPS off by {point.tops_error:+.1%}")
        result.check(abs(point.energy_error) <= ENERGY_TOLERANCE, f"{name}: energy off by {point.energy_error:+.1%}")
        result.lines.append(
            f"{row.out_bits:3d} {row.in_bits:2d}  {row.mode:9s}  {tops:11.3f}  {row.tops:7.3f}"
            f"  {point.tops_error:+6.1%}   {fj:11.2f}  {1e3 / row.tops_per_w:7.2f}  {point.energy_error:+6.1%}"
        )
    result.figures = {
        "points": [
            {"out_bits": p.row.out_bits, "in_bits": p.row.in_bits, "mode": p.row.mode, "tops": p.tops,
             "fj_per_op": p.fj, "tops_error": p.tops_error, "energy_error": p.energy_error}
            for p in points
        ]
    }  # fmt: skip
    worst_tops, worst_fj = max(abs(p.tops_error) for p in points), max(abs(p.energy_error) for p in points)
    result.bar = (
        f"TOPS within {worst_tops:.1%} (bar {TOPS_TOLERANCE:.0%}), energy per operation within {worst_fj:.1%} "
        f"(bar {ENERGY_TOLERANCE:.0%}) on {len(rows)} rows"
    )
    return result


if __name__ == "__main__":
    sys.exit(main())
