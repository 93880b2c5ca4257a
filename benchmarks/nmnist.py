"""An integer network for Loihi classifies N-MNIST recordings: every spike count against a reference calculation.

    python -m benchmarks.nmnist DATA [--json]

DATA holds `nets/slayer_nmnist_loihi.npz` (weights `fc1`, `fc2`, ... as [out, in] and `meta`, JSON with the neuron's
parameters), the recordings (`nmnist/labels_test.csv`, `nmnist/labels_train.csv` and what they list) and, where there
is a calculation to compare with, `nets/slayer_nmnist_reference.csv`.

Bars: every test recording is classified right (most output spikes, first of ties); for every recording in the
reference the spikes of each layer, the synaptic operations over non-zero weights, the output counts and the class are
the same.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import Result, read_table, run_command, whole
from simulator.errors import InputError
from simulator.functional import Plan, plan_network, run_sample
from simulator.network import Network, Projection
from simulator.network.loihi import read_slayer
from simulator.trace import Block
from simulator.trace.nmnist import read_nmnist
from simulator.trace.recordings import events_trace


def compute(data: Path) -> Result:
    """Runs all recordings of both tables."""
    network, meta = read_slayer(data / "nets" / "slayer_nmnist_loihi.npz")
    plan = plan_network(network)
    choices = {"time_base": "step", "origin": "zero", "polarity": "off_on", "dt_ms": meta["Ts_ms"],
               "rounding": "round", "multiple": "or", "steps": int(meta["tSample"])}  # fmt: skip
    reference_path = data / "nets" / "slayer_nmnist_reference.csv"
    reference = {}
    if reference_path.is_file():
        reference = {(row["split"], row["id"]): row for row in read_table(reference_path, "split", "id")}
    result = Result()
    figures: dict[str, Any] = {}
    for split in ("test", "train"):
        table = data / "nmnist" / f"labels_{split}.csv"
        if split == "train" and not table.is_file():
            continue
        rows = read_table(table, "id", "file", "label")
        if not rows:
            raise InputError("the table lists no recordings", file=table)
        total = dict.fromkeys(("recordings", "right", "compared", "equal", "input", *network.layers), 0)
        for row in rows:
            figure = run_recording(plan, data / "nmnist" / row["file"], choices)
            label = whole(row, "label", table)
            total["recordings"] += 1
            total["right"] += figure["predicted"] == label
            for name in ("input", *network.layers):
                total[name] += figure["spikes"][name]
            if split == "test":
                result.check(figure["predicted"] == label, f"test {row['id']}: {figure['predicted']}, label {label}")
            expected = reference.get((split, row["id"]))
            if expected is not None:
                total["compared"] += 1
                total["equal"] += compare(result, figure, expected, f"{split} {row['id']}", reference_path)
        figures[split] = total
        result.lines.append(
            f"{split}: {total['right']} of {total['recordings']} right, spikes "
            + ", ".join(f"{name} {total[name]:,}" for name in ("input", *network.layers))
            + f"; {total['equal']} of {total['compared']} equal to the reference"
        )
    result.figures = figures
    test = figures["test"]
    equal, compared = (sum(f[key] for f in figures.values()) for key in ("equal", "compared"))
    result.bar = (
        f"{test['right']} of {test['recordings']} test recordings right (all), "
        f"{equal} of {compared} recordings equal to the reference (all)"
    )
    return result


def run_recording(plan: Plan, path: Path, choices: dict[str, Any]) -> dict[str, Any]:
    """Figures of one recording: spikes per population, operations over non-zero weights, output counts, class."""
    trace = events_trace([partial(read_nmnist, path)], choices, file=path, network=plan.network)
    made = run_sample(plan, trace, 0)
    last = plan.network.layers[-1]
    counts = np.bincount(made.spikes[last].index, minlength=plan.network.population(last).size)
    return {
        "spikes": {name: int(block.index.size) for name, block in made.spikes.items()},
        "input_step0": int(made.spikes["input"].start[1]),
        "operations": {p.name: nonzero_operations(plan.network, p, made.spikes[p.source])
                       for p in plan.network.projections},
        "counts": counts.tolist(),
        "predicted": int(counts.argmax()),
    }  # fmt: skip


def nonzero_operations(network: Network, projection: Projection, spikes: Block) -> int:
    """Spikes that arrive within the sample, times their non-zero weights."""
    assert projection.weights is not None
    channels, height, width = network.population(projection.source).shape
    nonzero = np.count_nonzero(projection.weights, axis=0).reshape(channels, height, width).transpose(1, 2, 0)
    arriving = spikes.index[: spikes.start[spikes.start.size - 1 - projection.delay]]
    return int(nonzero.reshape(-1)[arriving].sum())


def compare(result: Result, figure: dict[str, Any], row: dict[str, str], name: str, path: Path) -> bool:
    """Notes every column of the reference that differs; True where none does."""
    ours = {
        "input_spikes": figure["spikes"]["input"],
        "input_spikes_step0": figure["input_step0"],
        "hidden_spikes": figure["spikes"]["fc1"],
        "output_spikes": figure["spikes"]["fc2"],
        "synops_fc1_nonzero": figure["operations"]["fc1"],
        "synops_fc2_nonzero": figure["operations"]["fc2"],
        "predicted": figure["predicted"],
        **{f"out{i}": count for i, count in enumerate(figure["counts"])},
    }
    wrong = {key: value for key, value in ours.items() if key in row and whole(row, key, path) != value}
    for key, value in wrong.items():
        result.check(False, f"{name}: {key} {value}, the reference has {row[key]}")
    return not wrong


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command("nmnist", "Classification of N-MNIST by an integer network for Loihi.", compute, argv)


if __name__ == "__main__":
    sys.exit(main())
