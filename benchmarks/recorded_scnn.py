"""A whole spiking convolution network on N-MNIST in float64: spikes per layer, output counts and classes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.command import Result, read_table, whole
from simulator.errors import InputError
from simulator.functional import plan_network, run_sample
from simulator.network.nir import read_nir
from simulator.trace.nmnist import read_nmnist
from simulator.trace.recordings import events_trace

NET_CHOICES = {"reset": "subtract", "floor": "minus_threshold", "output": "multi", "compare": "ge", "delay": 0}
TRACE_CHOICES = {"time_base": "step", "origin": "first", "polarity": "off_on", "dt_ms": 1, "rounding": "floor",
                 "multiple": "sum", "steps": 320}  # fmt: skip


def scnn(result: Result, data: Path) -> str:
    """Case 6: totals of every recording and layer as in the reference calculation."""
    plan = plan_network(read_nir(data / "nets" / "cnn_sinabs.nir", NET_CHOICES))
    layers = plan.network.layers
    path = data / "nets" / "cnn_sinabs_reference.csv"
    columns = [f"spk_if{name}" for name in layers]
    reference = {row["id"]: row for row in read_table(path, "id", "label", "predicted", *columns)}
    table = data / "nmnist" / "labels_test.csv"
    totals = dict.fromkeys(layers, 0)
    right = recordings = expected_right = 0
    for row in read_table(table, "id", "file", "label"):
        if row["id"] not in reference:
            continue
        file = data / "nmnist" / row["file"]
        trace = events_trace([partial(read_nmnist, file)], TRACE_CHOICES, file=file, network=plan.network)
        made = run_sample(plan, trace, 0)
        expected = reference[row["id"]]
        for name, column in zip(layers, columns, strict=True):
            block = made.spikes[name]
            spikes = int(block.index.size if block.value is None else block.value.sum())
            totals[name] += spikes
            result.check(spikes == whole(expected, column, path), f"SCNN {row['id']}: layer {name} sends {spikes}")
        output = made.spikes[layers[-1]]
        counts = np.bincount(output.index, weights=output.value, minlength=plan.network.population(layers[-1]).size)
        predicted, label = int(counts.argmax()), whole(row, "label", table)
        result.check(predicted == whole(expected, "predicted", path), f"SCNN {row['id']}: class {predicted}")
        recordings += 1
        right += predicted == label
        expected_right += whole(expected, "predicted", path) == label
    if not recordings:
        raise InputError("no recording of the reference is listed", file=table)
    result.check(right == expected_right, f"SCNN: {right} right, {expected_right} expected")
    result.figures["scnn"] = {"recordings": recordings, "right": right, "spikes": totals}
    spikes = ", ".join(f"{name} {count:,}" for name, count in totals.items())
    return f"SCNN: {right} of {recordings} right, spikes by layer {spikes}"
