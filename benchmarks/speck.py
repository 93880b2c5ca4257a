"""First layer of an event-driven convolution chip: its recorded spike counts against the network run event by event.

    python -m benchmarks.speck DATA [--json]

DATA holds `nets/cnn_sinabs.nir`, `silicon/speck_layer1_counts.npz` (counts, digit, recording_id), the recordings
(`nmnist/labels_test.csv` and what it lists) and, where there is a calculation to compare with,
`silicon/speck_layer1_reference.csv`.  The layer runs as the chip has it: 8-bit weights, membrane floor at minus the
threshold, reset by subtraction, every event at its own time.

Bars, for every case: the reference calculation is met exactly, where it has the recording (events, synaptic updates,
spikes, sum of absolute differences from the chip); the chip's total is met within 0.5 %, with a Pearson correlation
over the neurons' counts of at least 0.9985.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.command import Result, check_lengths, read_arrays, read_table, run_command, whole
from simulator.errors import InputError
from simulator.functional import plan_network, run_sample
from simulator.network import Network
from simulator.network.nir import read_nir
from simulator.trace.nmnist import read_nmnist
from simulator.trace.recordings import events_trace

MAX_ERROR_PERCENT = 0.5
MIN_CORRELATION = 0.9985
NET_CHOICES = {
    "reset": "subtract",
    "floor": "minus_threshold",
    "output": "binary",
    "compare": "ge",
    "delay": 0,
    "quantise": "int8",
}
EVENT_CHOICES = {"time_base": "us", "origin": "zero", "polarity": "off_on"}


def first_layer(network: Network) -> Network:
    """The input and the first population behind it."""
    name = network.layers[0]
    into = network.incoming(name)
    sources = {p.source for p in into}
    populations = tuple(p for p in network.populations if p.name == name or p.name in sources)
    return Network(network.name, populations, into, network.arithmetic, network.source, network.choices)


def compute(data: Path) -> Result:
    """Runs every recorded case."""
    result = Result()
    chip_path = data / "silicon" / "speck_layer1_counts.npz"
    chip = read_arrays(chip_path, "counts", "digit", "recording_id")
    check_lengths(chip, chip_path, "counts", "digit", "recording_id", ndim=4)
    table_path = data / "nmnist" / "labels_test.csv"
    files = {row["id"]: data / "nmnist" / row["file"] for row in read_table(table_path, "id", "file")}
    reference_path = data / "silicon" / "speck_layer1_reference.csv"
    reference = {}
    if reference_path.is_file():
        columns = ("recording_id", "int8_event_spikes", "int8_event_abs_diff")
        reference = {row["recording_id"]: row for row in read_table(reference_path, *columns)}
    plan = plan_network(first_layer(read_nir(data / "nets" / "cnn_sinabs.nir", NET_CHOICES)))
    layer = plan.layers[0]
    shape = layer.soma.population.shape
    if chip["counts"].shape[1:] != shape:
        raise InputError(
            "the recorded counts have another shape than the layer",
            file=chip_path,
            found=chip["counts"].shape,
            allowed=[str(("cases", *shape))],
        )
    cases = []
    for counts, digit, number in zip(chip["counts"], chip["digit"], chip["recording_id"], strict=True):
        if str(number) not in files:
            raise InputError("the recording is not listed", file=table_path, found=int(number))
        path = files[str(number)]
        trace = events_trace([partial(read_nmnist, path)], EVENT_CHOICES, file=path, network=plan.network)
        made = run_sample(plan, trace, 0)
        index = made.events[layer.name][1]
        ours = np.bincount(index, minlength=counts.size).reshape(shape[1], shape[2], shape[0]).transpose(2, 0, 1)
        recorded = counts.astype(np.int64)
        case = {
            "digit": int(digit),
            "recording": int(number),
            "events": int(made.events[plan.network.inputs[0]][0].size),
            "synaptic_updates": sum(made.counts.synaptic_operations.values()),
            "chip_spikes": int(recorded.sum()),
            "spikes": int(ours.sum()),
            "abs_difference": int(np.abs(ours - recorded).sum()),
            "correlation": correlation(ours, recorded),
        }
        case["error_percent"] = 100 * (case["spikes"] - case["chip_spikes"]) / max(case["chip_spikes"], 1)
        case["equals_reference"] = judge(result, case, reference.get(str(number)), reference_path)
        cases.append(case)
    if not cases:
        raise InputError("no recorded case", file=chip_path)
    report(result, cases)
    return result


def correlation(ours: np.ndarray, recorded: np.ndarray) -> float:
    """Pearson correlation over neurons; 0 where one of them does not vary."""
    if ours.std() == 0 or recorded.std() == 0:
        return 0.0
    return float(np.corrcoef(ours.reshape(-1), recorded.reshape(-1))[0, 1])


def judge(result: Result, case: dict, row: dict[str, str] | None, path: Path) -> bool | None:
    """Notes what a case misses; whether it equals the reference calculation (None: there is none)."""
    name = f"digit {case['digit']}, recording {case['recording']}"
    result.check(abs(case["error_percent"]) <= MAX_ERROR_PERCENT, f"{name}: {case['error_percent']:.3f} % off the chip")
    result.check(case["correlation"] >= MIN_CORRELATION, f"{name}: correlation {case['correlation']:.5f}")
    if row is None:
        return None
    pairs = {
        "events": "events",
        "synaptic_updates": "synaptic_updates",
        "spikes": "int8_event_spikes",
        "abs_difference": "int8_event_abs_diff",
    }
    expected = {ours: whole(row, column, path) for ours, column in pairs.items() if column in row}
    wrong = {ours: value for ours, value in expected.items() if case[ours] != value}
    for ours, value in wrong.items():
        result.check(False, f"{name}: {ours} {case[ours]}, the reference has {value}")
    return not wrong


def report(result: Result, cases: list[dict]) -> None:
    """Table, figures and the bar's line."""
    result.lines.append("digit recording  events  updates    chip    ours   error %  correlation  |diff|  reference")
    for c in cases:
        equal = {None: "-", True: "equal", False: "DIFFERS"}[c["equals_reference"]]
        result.lines.append(
            f"{c['digit']:5d} {c['recording']:9d} {c['events']:7d} {c['synaptic_updates']:8d} {c['chip_spikes']:7d} "
            f"{c['spikes']:7d} {c['error_percent']:9.3f} {c['correlation']:12.5f} {c['abs_difference']:7d}  {equal}"
        )
    worst = max(abs(c["error_percent"]) for c in cases)
    lowest = min(c["correlation"] for c in cases)
    compared = [c["equals_reference"] for c in cases if c["equals_reference"] is not None]
    result.figures = {
        "cases": cases,
        "worst_error_percent": worst,
        "lowest_correlation": lowest,
        "equal_to_reference": sum(compared),
        "compared_with_reference": len(compared),
    }
    result.bar = (
        f"worst error {worst:.3f} % (at most {MAX_ERROR_PERCENT} %), lowest correlation {lowest:.5f} "
        f"(at least {MIN_CORRELATION}), {sum(compared)} of {len(compared)} equal to the reference"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command("speck", "Recorded spike counts of an event-driven convolution chip.", compute, argv)


if __name__ == "__main__":
    sys.exit(main())
