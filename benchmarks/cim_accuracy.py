"""Accuracy of the bundled digits network on RRAM crossbars: before, and after each thing that is not ideal.

    python -m benchmarks.cim_accuracy [--hw cim_rram65] [--samples 100] [--seeds 3] [--set FIELD=VALUE].. [--json]

Every row changes one thing of an otherwise ideal tile (10-bit converters, `device: {}`); then come named devices with
all that is known of them, and one of them with converters of few bits.  The class is the output neuron with most
spikes, as in traces/README.md.  Shown are the mean over the seeds, the worst seed, how many output spikes per image
differ from the ordinary network's, and the share of conversions that was cut off.

Bar: the ideal tile gives every spike of the ordinary network, and in no sweep does a larger imperfection raise the mean
accuracy by more than three standard errors of the sample.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from benchmarks.command import Result, show_result
from simulator.errors import InputError, NeurocycleError
from simulator.functional import compare_traces, run_network
from simulator.functional.crossbar import CrossbarRun, first_samples, run_on_crossbars
from simulator.hardware import load_hardware
from simulator.mapping import place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.network import Network
from simulator.network.load import load_network
from simulator.trace import Trace
from simulator.trace.load import load_trace

CLEAN = ("adc.bits=10", "crossbar.cell_bits=2", "device={}")
"""An otherwise ideal tile; a row's own settings come after these."""

SWEEPS: dict[str, tuple[tuple[str, ...], ...]] = {
    "ideal": ((),),
    "converter bits (range max)": tuple((f"adc.bits={n}",) for n in (8, 6, 5, 4, 3, 2)),
    "converter bits (one code per level)": tuple(
        (f"adc.bits={n}", "device.adc_range=granular") for n in (8, 6, 5, 4, 3, 2)
    ),
    "converter bits (99.9 % of the sums)": tuple(
        (f"adc.bits={n}", "device.adc_range=calibrated") for n in (8, 6, 5, 4, 3, 2)
    ),
    "spread, steps between levels": tuple((f"device.sigma_levels={s}",) for s in (0.05, 0.1, 0.2, 0.4, 0.8)),
    "cells stuck at the lowest level": tuple((f"device.stuck_off={s}",) for s in (0.001, 0.01, 0.05, 0.2)),
    "cells stuck at the highest level": tuple((f"device.stuck_on={s}",) for s in (0.001, 0.01, 0.05, 0.2)),
    "read noise, share of conductance": tuple((f"device.read_noise={s}",) for s in (0.01, 0.05, 0.2, 0.5)),
    "on/off ratio, off current kept": tuple(
        (f"device.on_off_ratio={r}", "device.off_current=kept") for r in (1000, 100, 20, 5)
    ),
    "on/off ratio, off current subtracted": tuple((f"device.on_off_ratio={r}",) for r in (1000, 100, 20, 5)),
    "wire, ohm per cell": tuple((f"device.ir_drop.wire_ohm={r}",) for r in (0.5, 2, 8, 32)),
    "bits per cell, Wan 2022 after a day": tuple(
        (f"crossbar.cell_bits={b}", "device.model=wan2022_1day") for b in (1, 2, 4)
    ),
    "Wan 2022": tuple((f"device.model=wan2022_{m}",) for m in ("1s", "1day")),
    "Wan 2022, 2 days": (("device.model=wan2022_2days",),),
    "Wan 2022, cubic fit at 1 s": (("device.model=wan2022_cubic",),),
    "Milo 2021": (("device.model=milo2021",),),
    "CMO/HfOx within 2 %, s": tuple(
        ("device.model=cmo_hfox_2pct", f"device.seconds={t}") for t in (1, 3600, 86400, 2.6e6)
    ),
    "CMO/HfOx within 0.2 %, s": tuple(
        ("device.model=cmo_hfox_0.2pct", f"device.seconds={t}") for t in (1, 3600, 86400, 2.6e6)
    ),
    "MNSIM defaults": (("device.model=mnsim",),),
    "Wan 2022 after a second, converter bits": tuple(
        (f"adc.bits={n}", "device.adc_range=calibrated", "device.model=wan2022_1s") for n in (6, 5, 4, 3)
    ),
}
"""Name -> settings with growing imperfection."""
RANDOM = ("device.sigma", "device.stuck", "device.read", "device.model")
"""Settings whose outcome depends on the seed."""


@dataclass(frozen=True)
class Row:
    """One setting: correct classes per seed, differing output spikes per sample, share of conversions cut off."""

    sweep: str
    settings: tuple[str, ...]
    correct: tuple[int, ...]
    changed: float
    clipped: float

    @property
    def mean(self) -> float:
        """Mean number of correct classes."""
        return sum(self.correct) / len(self.correct)


def output_counts(trace: Trace) -> np.ndarray:
    """int64 [B, 10]: spikes of each output neuron over all timesteps."""
    name = trace.network.outputs[0]
    size = trace.network.population(name).size
    blocks = [trace.spikes(name).block(b, 0, int(trace.steps[b])) for b in range(trace.samples)]
    return np.stack([np.bincount(block.index, minlength=size) for block in blocks])


def correct_classes(trace: Trace) -> int:
    """Samples whose output neuron with most spikes (ties to the lowest) is the label."""
    if trace.labels is None:
        raise InputError("the trace holds no labels", key=f"trace {trace.name}")
    return int((output_counts(trace).argmax(axis=1) == trace.labels).sum())


def run_setting(network: Network, inputs: Trace, hw: str, settings: Sequence[str], seed: int) -> CrossbarRun:
    """The network on the tile `hw` with "field=value" settings of its `cim` unit."""
    hardware = load_hardware(hw, [f"cim.{s}" for s in (*CLEAN, *settings)])
    plan = check_crossbars(place(network, hardware), network, hardware)
    return run_on_crossbars(network, inputs, hardware.units["cim"], plan, seed)


def measure(hw: str, samples: int, seeds: int, common: Sequence[str] = ()) -> Result:
    """All rows of the table, and what misses the bar."""
    if seeds < 1 or samples < 1:
        raise InputError("must be at least 1", key="--seeds or --samples", found=min(seeds, samples))
    network, recorded = load_network("digits"), first_samples(load_trace("digits"), samples)
    inputs = replace(recorded, populations={name: recorded.populations[name] for name in network.inputs})
    ordinary = run_network(network, inputs)
    exact, counts = correct_classes(ordinary), output_counts(ordinary)
    total = inputs.samples
    result = Result(lines=[f"{hw}, {total} images, {seeds} seed(s); ordinary network: {exact} right"])
    result.lines.append(f"{'setting':88s} {'right':>6s} {'worst':>6s} {'changed':>8s} {'cut off':>8s}")
    rows: list[Row] = []
    for sweep, points in SWEEPS.items():
        before: Row | None = None
        result.lines.append(sweep)
        for settings in points:
            drawn = seeds if any(s.startswith(RANDOM) for s in settings) else 1
            runs = [run_setting(network, inputs, hw, (*common, *settings), seed) for seed in range(drawn)]
            if sweep == "ideal":
                different = compare_traces(ordinary, runs[0].trace)
                result.check(different is None, f"the ideal tile differs from the ordinary network: {different}")
            row = Row(
                sweep,
                settings,
                tuple(correct_classes(r.trace) for r in runs),
                sum(int(np.abs(output_counts(r.trace) - counts).sum()) for r in runs) / (drawn * total),
                _share(runs, "adc_clip_high"),
            )
            rows.append(row)
            result.lines.append(
                f"  {' '.join(settings):86s} {100 * row.mean / total:5.1f}% {100 * min(row.correct) / total:5.1f}% "
                f"{row.changed:8.2f} {100 * row.clipped:7.3f}%"
            )
            if before is not None:
                slack = 3 * max((before.mean * (total - before.mean) / total) ** 0.5, 1.0)
                risen = row.mean - before.mean
                result.check(risen <= slack, f"{sweep}: {' '.join(settings)} is better by {risen:.1f} images")
            before = row
    result.figures = {"hardware": hw, "samples": total, "ordinary": exact, "rows": [_plain(r) for r in rows]}
    ideal = rows[0].correct[0]
    result.bar = f"ideal tile {ideal} of {total} as the ordinary network, larger imperfections never better"
    return result


def _share(runs: list[CrossbarRun], fact: str) -> float:
    """Conversions counted as `fact`, over all conversions."""
    facts: list[Any] = [layer for run in runs for layer in run.facts.values()]
    return sum(f[fact] for f in facts) / max(1, sum(f["conversions"] for f in facts))


def _plain(row: Row) -> dict[str, Any]:
    return {"sweep": row.sweep, "settings": list(row.settings), "correct": list(row.correct),
            "changed_output_spikes": row.changed, "clipped": row.clipped}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cim_accuracy", description="Accuracy on RRAM tiles.")
    parser.add_argument("--hw", default="cim_rram65", help="hardware with a cim_tile unit named cim")
    parser.add_argument("--samples", type=int, default=100, help="images of the bundled trace")
    parser.add_argument("--seeds", type=int, default=3, help="chips: cells and reads are drawn anew for each")
    parser.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", help="of unit cim, in all rows")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    try:
        result = measure(options.hw, options.samples, options.seeds, options.set)
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return show_result("cim_accuracy", result, options.json)


if __name__ == "__main__":
    sys.exit(main())
