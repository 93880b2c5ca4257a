"""The SIA reconstruction: parameter consistency, and VGG-11 and ResNet-18 replayed with every gating.

    python -m benchmarks.sia [--rate P] [--seed N] [--ops-per-synapse 1|2] [--json]

Needs no data.  Three parts, each exact:

1. Parameter consistency (so called: it holds the description together and is no evidence for the micro-architecture).
   A full 3x3 layer takes the closed-form compute cycles, i.e. 38.4 GOPS and 1.54 W while computing, for every pair of
   clock and operations per cycle; overheads are listed apart.
2. The workload tables of VGG-11 and ResNet-18 in their usual CIFAR shapes, all columns.
3. Replays for T = 8 with drawn (rate P) and dense activity and gating none, energy, skip: weights come once per image,
   cycles and operations are those of the closed forms.

Everything about the micro-architecture is a reconstruction: the paper's abstract gives rates and power only.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from benchmarks.command import Result, show_result
from benchmarks.sia_layer import PRESET, Consistency, check_all_pairs, static_mw
from benchmarks.sia_networks import ACTIVITIES, GATINGS, NETWORKS, Check, Replay, replay, workload_checks
from benchmarks.sia_tables import BOARD_MW, DSP_GOPS, DSP_SLICES, PE_OPS, PEAK_OPS
from simulator.errors import InputError, NeurocycleError
from simulator.hardware import load_hardware

LABEL = "reconstruction"


def main(argv: Sequence[str] | None = None) -> int:
    """Runs all parts; 0 every check holds, 1 one does not, 2 the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sia", description=__doc__.splitlines()[0])
    parser.add_argument("--rate", type=float, default=0.1, help="probability that a neuron fires (default 0.1)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the drawn spikes")
    parser.add_argument("--ops-per-synapse", type=int, choices=(1, 2), default=2, help="operations per position")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    try:
        if options.seed < 0:
            raise InputError("must not be negative", key="--seed", found=options.seed)
        result = compute(options.rate, options.seed, options.ops_per_synapse)
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return show_result("sia", result, options.json)


def compute(rate: float, seed: int, ops_per_synapse: int) -> Result:
    """All parts of the benchmark."""
    result = Result()
    headline = preset_checks()
    pairs = check_all_pairs()
    tables = [check for name in NETWORKS for check in workload_checks(name)]
    runs = [
        replay(name, gating, activity, rate, ops_per_synapse, seed)
        for name in NETWORKS
        for activity in ACTIVITIES
        for gating in GATINGS
    ]
    checks = [*headline, *tables, *(check for run in runs for check in run.checks)]
    for check in checks:
        result.check(check.holds, f"{check.what}: {check.found}, expected {check.expected}")
    for pair in pairs:
        what = f"{pair.clock_mhz} MHz x {pair.ops_per_pe_cycle}, {pair.ops_per_synapse} op(s) per position"
        result.check(pair.exact, f"{what}: {pair.compute} compute cycles of {pair.expected}, {float(pair.watt)} W")
    result.lines += [f"{PRESET}: a {LABEL}; T = 8, spikes drawn with rate {rate}, seed {seed}", ""]
    result.lines += [*_pair_lines(pairs), "", *_workload_lines(tables), ""]
    for run in runs:
        result.lines += [*_run_lines(run), ""]
    held = sum(check.holds for check in checks) + sum(pair.exact for pair in pairs)
    result.figures = {
        "label": LABEL,
        "rate": rate,
        "seed": seed,
        "consistency": [pair.figures() for pair in pairs],
        "runs": [{k: v for k, v in asdict(run).items() if k != "checks"} for run in runs],
        "checks": len(checks) + len(pairs),
        "held": held,
    }
    result.bar = (
        f"{held} of {len(checks) + len(pairs)} exact checks hold (all must): {sum(p.exact for p in pairs)} of "
        f"{len(pairs)} clock/width cases at 38.4 GOPS and 1.54 W while computing ({LABEL})"
    )
    return result


def preset_checks() -> list[Check]:
    """Published and derived headline figures of the preset: peak, elements, power, efficiency."""
    hardware = load_hardware(PRESET)
    core = hardware.units["core"]
    peak = core.peak_ops_per_cycle * hardware.clock_hz("core")  # type: ignore[attr-defined]
    elements = core.gather.unroll.elements  # type: ignore[attr-defined]
    watt = float(static_mw(hardware)) / 1e3 + core.accumulate_energy_pj.value * peak / 1e12  # type: ignore[attr-defined]
    return [
        Check("peak operations per second", peak, PEAK_OPS),
        Check("processing elements", elements, 64),
        Check("operations per second and element", peak // elements, PE_OPS),
        Check("DSP slices that the published rate per slice means", round(peak / 1e9 / float(DSP_GOPS)), DSP_SLICES),
        Check("power at peak, mW", f"{watt * 1e3:.6g}", BOARD_MW),
        Check("GOPS/W", f"{peak / watt / 1e9:.2f}", "24.94"),
        Check("pJ per operation, all board power", f"{watt / peak * 1e12:.1f}", "40.1"),
    ]


def _pair_lines(pairs: list[Consistency]) -> Iterator[str]:
    yield "parameter consistency: a full 3x3 layer without padding, T = 8, every input fires (cycles of the core)"
    yield (
        " MHz ops ops/synapse  compute expected   GOPS    W | apart: fill  wait drain  weights depend. input  idle"
        "   total | beside: neuron unit"
    )
    for p in pairs:
        yield (
            f"{p.clock_mhz:4d} {p.ops_per_pe_cycle:3d} {p.ops_per_synapse:11d} {p.compute:8d} {p.expected:8d} "
            f"{float(p.gops):6.1f} {float(p.watt):4.2f} | {p.fill:11d} {p.wait:5d} {p.drain:5d} "
            f"{p.stall['weight_load']:8d} {p.stall['dependency']:7d} {p.stall['input']:5d} {p.idle:5d} {p.total:7d} | "
            f"{p.neuron_unit:19d}"
        )


def _workload_lines(checks: list[Check]) -> Iterator[str]:
    yield f"workload tables (usual CIFAR shapes): {sum(c.holds for c in checks)} of {len(checks)} values exact"
    for check in checks:
        if " sum of " in check.what:
            yield f"  {check.what}: {check.found:,}"


def _run_lines(run: Replay) -> Iterator[str]:
    held = sum(c.holds for c in run.checks)
    effective = " (effective)" if run.gating == "skip" else ""
    yield (
        f"{run.network}, gating {run.gating}, activity {run.activity}, {run.ops_per_synapse} op(s) per position: "
        f"{run.ms:.3f} ms, {run.energy_mj:.2f} mJ, {run.gops:.2f} GOPS{effective}, utilization {run.utilization:.3f}, "
        f"{held} of {len(run.checks)} checks ({LABEL})"
    )
    stalls = ", ".join(f"{cause} {ms:.3f}" for cause, ms in run.stall_ms.items())
    yield (
        f"  ms: compute {run.compute_ms:.3f}, array waiting for neuron unit {run.wait_ms:.3f}, fill and drain "
        f"{run.other_ms:.3f}, stalls ({stalls}), idle {run.idle_ms:.3f}; beside: neuron unit {run.neuron_unit_ms:.3f}"
    )
    yield (
        f"  synaptic operations {run.sop:,} of {run.dense_operations:,} dense positions "
        f"({100 * run.sop / run.dense_operations:.1f} %); weights from main memory {run.weight_bytes:,} B"
    )
    yield (
        "  layer           cycles       ms   positions      inside          SOP   weights B     GOPS  util.   energy uJ"
    )
    for row in run.layers:
        yield (
            f"  {row['layer']:12s} {row['cycles']:9,d} {row['ms']:8.3f} {row['positions']:11,d} {row['inside']:11,d} "
            f"{row['sop']:12,d} {row['weight_bytes']:11,d} {row['gops']:8.2f} {row['utilization']:6.3f} "
            f"{row['energy_uj']:11.2f}"
        )


if __name__ == "__main__":
    sys.exit(main())
