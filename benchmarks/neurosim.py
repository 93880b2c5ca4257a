"""RRAM tiles against NeuroSim V1.4: conversions, and the energy of ADCs and arrays, of one timestep of a spiking VGG9.

    python -m benchmarks.neurosim FILE [--seed N] [--json]

FILE is a table with the columns of `neurosim_snn_vgg9.csv`: one row per density of independent Bernoulli inputs.  The
seven convolutions run on `cim_neurosim65`, each from an input of its own (unpadded, as that tool counts vectors).

One constant is not known from the tool's sources, the wordline energy per active row and conversion: it is the price of
`read:cell`, fitted on the row whose density is nearest to 0.2 and then held.  Bars: conversions equal columns x arrays
x vectors, and ADC + array energy lies within 1 % at every density.  All other components are printed beside the tool's,
unfitted: its interconnect, buffers and accumulation follow no activity, ours do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.command import Result, read_table, run_options
from simulator import load_hardware, simulate
from simulator.errors import InputError
from simulator.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.record import Record
from simulator.trace.synthetic import bernoulli_trace

CHIP = "cim_neurosim65"
SHAPES = ((3, 64, 32), (64, 64, 32), (64, 128, 16), (128, 128, 16), (128, 256, 8), (256, 256, 8), (256, 256, 8))
"""Input channels, output channels and input width of the seven convolutions (reference: SNN VGG9 of SpikeSim)."""
KERNEL = 3
COLUMNS = ROWS = 64
STEPS = 8
"""Timesteps drawn per density; figures are means over them, so that the draw itself matters little."""
FIT_DENSITY = 0.2
TOLERANCE = 0.01
ARRAY_ACTIONS = ("convert:column", "convert_idle:column", "conduct:column", "read:cell")
"""What that tool's "ADC + array" holds.  Row slots, row drive and column switches of the other tool's report are left
to the one fitted constant, as only the sum is identified by the data."""


@dataclass(frozen=True)
class Row:
    """One row of the table: density, and energies in pJ by their column names."""

    density: float
    energies: dict[str, float]


def main(argv: Sequence[str] | None = None) -> int:
    """Compares every row; 0 both bars hold, 1 one does not, 2 the input is wrong."""
    return run_options("neurosim", __doc__.splitlines()[0], _computed, _declare, argv)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, help="table of NeuroSim energies by density")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn spikes")


def _computed(options: argparse.Namespace) -> Result:
    if options.seed < 0:
        raise InputError("must not be negative", key="--seed", found=options.seed)
    return compute(rows_of(options.file), options.seed)


def rows_of(path: Path) -> list[Row]:
    """The table's rows; InputError where the file, a column or a number is missing or out of range."""
    if not path.is_file():
        raise InputError("no such file", file=path)
    columns = ["density", "adc_array_pJ", "accum_pJ", "interconnect_pJ_in_other", "buffer_pJ_in_other", "leak_pJ"]
    columns += [f"layer{i + 1}_adc_pJ" for i in range(len(SHAPES))]
    rows = []
    for number, row in enumerate(read_table(path, *columns), start=1):
        values = {}
        for column in columns:
            try:
                values[column] = float(row[column])
            except (TypeError, ValueError):
                raise InputError("not a number", file=path, key=f"row {number}.{column}", found=row[column]) from None
        if not 0 < values["density"] <= 1 or not values["adc_array_pJ"] > 0:
            raise InputError("a density lies in (0, 1] and energies are positive", file=path, key=f"row {number}",
                             found=(values["density"], values["adc_array_pJ"]))  # fmt: skip
        rows.append(Row(values.pop("density"), values))
    if not rows:
        raise InputError("the table has no rows", file=path)
    return rows


def network() -> Network:
    """Seven unpadded 3x3 convolutions side by side, each with its own input population; topology only."""
    populations, projections = [], []
    for i, (inputs, outputs, width) in enumerate(SHAPES, start=1):
        populations.append(Population(f"input{i}", (inputs, width, width), Neuron(model="input")))
        out = width - KERNEL + 1
        populations.append(Population(f"conv{i}", (outputs, out, out), Neuron(membrane_bits=22)))
        conv = Projection(
            f"conv{i}", f"input{i}", f"conv{i}", "conv", kernel=(KERNEL, KERNEL), padding=(0, 0), weight_bits=4
        )
        projections.append(conv)
    return Network("snn_vgg9_convolutions", tuple(populations), tuple(projections), "int", "NeuroSim V1.4 conditions")


def expected_conversions(layer: int) -> int:
    """Columns x arrays x vectors of a layer; a layer whose 27 rows fit one array is unrolled into it (im2col)."""
    inputs, outputs, width = SHAPES[layer]
    unrolled = inputs * KERNEL**2 <= ROWS
    arrays = 1 if unrolled else KERNEL**2 * -(-inputs // ROWS)
    return COLUMNS * -(-outputs // COLUMNS) * arrays * (width - KERNEL + 1) ** 2


def simulated(density: float, seed: int) -> Record:
    """`STEPS` timesteps of the network at a density."""
    net = network()
    rates = {p.name: density if p.is_input else 0.0 for p in net.populations}
    return simulate(load_hardware(CHIP), net, bernoulli_trace(net, STEPS, rates, seed=seed), seed=seed)


def compute(rows: list[Row], seed: int) -> Result:
    """Runs every density, fits the one constant and compares."""
    result = Result()
    records = [simulated(row.density, seed) for row in rows]
    fitted_at = min(range(len(rows)), key=lambda i: abs(rows[i].density - FIT_DENSITY))
    fixed = [_energies(record) for record in records]
    cells = [[n / STEPS for n in _counts(record, "read:cell")] for record in records]
    wordline = (rows[fitted_at].energies["adc_array_pJ"] - sum(fixed[fitted_at])) / sum(cells[fitted_at])
    result.lines.append(
        f"fitted at density {rows[fitted_at].density}: {wordline * 1e3:.4f} fJ of wordline energy per active row and "
        f"conversion; seed {seed}"
    )
    result.lines += ["", "density  conversions  ADC + array pJ: ours  NeuroSim   error  worst layer"]
    points, worst, exact = [], 0.0, 0
    for row, record, base, reads in zip(rows, records, fixed, cells, strict=True):
        layers = [e + wordline * n for e, n in zip(base, reads, strict=True)]
        total, reference = sum(layers), row.energies["adc_array_pJ"]
        error = total / reference - 1
        worst = max(worst, abs(error))
        converted = [
            a + b
            for a, b in zip(_counts(record, "convert:column"), _counts(record, "convert_idle:column"), strict=True)
        ]
        wanted = [STEPS * expected_conversions(i) for i in range(len(SHAPES))]
        exact += result.check(converted == wanted, f"density {row.density}: conversions {converted}, expected {wanted}")
        result.check(abs(error) <= TOLERANCE, f"density {row.density}: ADC + array energy off by {error:+.2%}")
        by_layer = [e / row.energies[f"layer{i + 1}_adc_pJ"] - 1 for i, e in enumerate(layers)]
        off = max(by_layer, key=abs)
        result.lines.append(
            f"{row.density:7.3g}  {sum(converted) // STEPS:11d}  {total:20.0f}  {reference:8.0f}  {error:+6.2%}"
            f"  {off:+.2%}"
        )
        points.append({"density": row.density, "conversions": sum(converted) // STEPS, "adc_array_pj": total,
                       "error": error, "layer_errors": by_layer, "others": _others(record)})  # fmt: skip
    result.lines += ["", *_beside(rows, points)]
    result.figures = {"wordline_fj": wordline * 1e3, "seed": seed, "points": points}
    result.bar = (
        f"conversions exact at {exact} of {len(rows)} densities, ADC + array energy within {worst:.2%} "
        f"(bar {TOLERANCE:.0%}) with one constant fitted at {rows[fitted_at].density}"
    )
    return result


def _counts(record: Record, action: str) -> list[int]:
    """Counts of an action per convolution."""
    column = record.actions.index(action)
    unit = record.units.index("cim")
    return [int(record.counts[unit, record.layers.index(f"conv{i + 1}"), column]) for i in range(len(SHAPES))]


def _energies(record: Record) -> list[float]:
    """PJ per convolution and timestep of the ADC + array actions without the one that is fitted."""
    names = [name for name in ARRAY_ACTIONS if name != "read:cell"]
    layers = [f"conv{i + 1}" for i in range(len(SHAPES))]
    found = record.energy.by(lambda term: (term.layer, term.action))
    return [sum(found.get((layer, name), 0.0) for name in names) / STEPS for layer in layers]


def _others(record: Record) -> dict[str, float]:
    """PJ of everything else per timestep, by action."""
    return {name: pj / STEPS for name, pj in record.energy.by_action.items() if name not in ARRAY_ACTIONS}


def _beside(rows: list[Row], points: list[dict]) -> list[str]:
    """The unfitted components at each density."""
    lines = ["unfitted, pJ (ours by action; NeuroSim's by component):"]
    for row, point in zip(rows, points, strict=True):
        ours = ", ".join(f"{name} {pj:.0f}" for name, pj in point["others"].items() if pj >= 0.5)
        theirs = ", ".join(
            f"{name.removesuffix('_in_other').removesuffix('_pJ')} {row.energies[name]:.0f}"
            for name in ("accum_pJ", "interconnect_pJ_in_other", "buffer_pJ_in_other", "leak_pJ")
        )
        lines += [f"  density {row.density:g}", f"    ours      {ours}", f"    NeuroSim  {theirs}"]
    return lines


if __name__ == "__main__":
    sys.exit(main())
