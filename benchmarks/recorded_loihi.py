"""Recordings of Loihi and of single neurons: integer membranes value by value, output spikes step by step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.command import Result, check_lengths, read_arrays, read_table
from simulator.errors import InputError
from simulator.functional import Stepper, plan_network
from simulator.network import Decay, Network, Neuron, Population, Projection
from simulator.network.loihi import loihi_chain, loihi_neuron
from simulator.network.nir import read_nir
from simulator.trace import Block
from simulator.trace.tables import by_step

PROBE_AT_SPIKE = 128
"""What Loihi's membrane probe shows in the step of a spike: a read-out value, not state."""
DT_US = 100
CURRENT_GAIN = 102 / 102.02
"""SpiNNaker2's model rounds the weight of 102.02 membrane units to 102."""
MEMBRANE_TOLERANCE = 1e-6


def probe(
    network: Network, inputs: dict[str, Block], steps: int, layer: str, neurons: np.ndarray
) -> tuple[Block, np.ndarray]:
    """Runs timestep by timestep: spikes of `layer`, and the membranes [neurons, steps] of some of its neurons."""
    stepper = Stepper(plan_network(network))
    membranes, blocks = [], []
    for t in range(steps):
        now = {name: Block(b.start[t : t + 2] - b.start[t], b.index[b.start[t] : b.start[t + 1]], None)
               for name, b in inputs.items()}  # fmt: skip
        blocks.append(stepper.advance(now, 1)[layer].index)
        membranes.append(stepper.states[layer].v[neurons].copy())
    start = np.cumsum([0, *(index.size for index in blocks)])
    return Block(start, np.concatenate(blocks), None), np.array(membranes).T


def pairs(block: Block, delay: int, steps: int) -> set[tuple[int, int]]:
    """(step, neuron) of every spike, `delay` steps later, as far as they fall into `steps`."""
    step = np.repeat(np.arange(block.start.size - 1), np.diff(block.start)) + delay
    return {(int(t), int(n)) for t, n in zip(step, block.index, strict=True) if t < steps}


def loihi_network(result: Result, data: Path) -> str:
    """A 250-25-1 network on Loihi: hidden and output spikes, and two hidden membranes."""
    path = data / "silicon" / "loihi_250_25_1.npz"
    keys = (
        "in_step",
        "in_neuron",
        "w1",
        "w2",
        "hidden_step",
        "hidden_neuron",
        "out_step",
        "v_hidden",
        "v_hidden_neuron",
    )
    z = read_arrays(path, *keys)
    check_lengths(z, path, "in_step", "in_neuron")
    check_lengths(z, path, "hidden_step", "hidden_neuron")
    check_lengths(z, path, "v_hidden", "v_hidden_neuron", ndim=2)
    steps = z["v_hidden"].shape[1] + 1
    meta = {"vThMant": 80, "vDecay": 128, "iDecay": 1024, "refDelay": 1, "wgtExp": 0}
    network = loihi_chain(path.stem, (z["w1"].shape[1], 1, 1), [z["w1"], z["w2"]], loihi_neuron(meta))
    inputs = {"input": by_step(z["in_step"].astype(np.int64), z["in_neuron"], steps)}
    hidden, v = probe(network, inputs, steps, "fc1", z["v_hidden_neuron"].astype(np.int64))
    output, _ = probe(network, inputs, steps, "fc2", np.zeros(1, np.int64))
    recorded = set(zip(z["hidden_step"].tolist(), z["hidden_neuron"].tolist(), strict=True))
    made = pairs(hidden, 1, steps)
    result.check(made == recorded, f"Loihi 250-25-1: {len(made ^ recorded)} hidden spikes differ")
    made_out = {t for t, _ in pairs(output, 1, steps)}
    result.check(made_out == set(z["out_step"].tolist()), f"Loihi 250-25-1: output spikes at {sorted(made_out)}")
    fired = {(t, n) for t, n in pairs(hidden, 0, steps)}
    for row, neuron in enumerate(z["v_hidden_neuron"].tolist()):
        shown = [PROBE_AT_SPIKE if (t, neuron) in fired else int(v[row, t]) for t in range(steps - 1)]
        wrong = int((np.array(shown) != z["v_hidden"][row]).sum())
        result.check(wrong == 0, f"Loihi 250-25-1: {wrong} membrane values of neuron {neuron} differ")
    result.figures["loihi_250_25_1"] = {"hidden_spikes": len(made), "output_steps": sorted(made_out),
                                        "membranes": int(z["v_hidden"].size)}  # fmt: skip
    return (
        f"Loihi 250-25-1: {len(made)} hidden spikes, output at {sorted(made_out)}, {z['v_hidden'].size} membrane values"
    )


def single_neuron(result: Result, data: Path) -> str:
    """One LIF neuron: Loihi 2's membrane and output, SpiNNaker2's model, and the exact solution."""
    path = data / "silicon" / "lif_single_neuron.csv"
    columns = ("in_spike", "loihi2_v", "loihi2_out", "spinnaker2_v", "spinnaker2_out", "exact_out")
    rows = read_table(path, *columns)
    try:
        recorded = {c: np.array([float(row[c]) for row in rows]) for c in columns}
    except ValueError as error:
        raise InputError(f"not a number ({error})", file=path) from None
    given = np.flatnonzero(recorded["in_spike"])
    inputs = by_step(given, np.zeros(given.size, np.uint32), len(rows))

    output, v = _run(_loihi2(), inputs)
    shown = np.where(output > 0, PROBE_AT_SPIKE, v)
    wrong = int((shown != recorded["loihi2_v"]).sum()) + int((output != recorded["loihi2_out"]).sum())
    result.check(wrong == 0, f"single neuron: {wrong} values of Loihi 2 differ")

    choices = {"floor": "none", "output": "binary", "compare": "ge", "delay": 0, "dt_us": DT_US}
    nir = data / "nets" / "lif_norse.nir"
    model = read_nir(nir, {**choices, "reset": "zero", "decay": "euler"})
    (synapse,) = model.projections
    model = replace(
        model, projections=(replace(synapse, weights=np.asarray(synapse.weights, np.float64) * CURRENT_GAIN),)
    )
    output, v = _run(model, inputs)
    # The file counts the membrane in units of one weighted spike, which in NIR's units is dt / tau.
    apart = float(np.abs(v / (DT_US * 1e-6 / 0.0025) - recorded["spinnaker2_v"]).max())
    equal = (output == recorded["spinnaker2_out"]).all()
    result.check(equal, "single neuron: output differs from SpiNNaker2's model")
    result.check(apart <= MEMBRANE_TOLERANCE, f"single neuron: membrane {apart:.2e} off SpiNNaker2's model")

    exact, _ = _run(read_nir(nir, {**choices, "reset": "subtract", "decay": "exact"}), inputs)
    result.check((exact == recorded["exact_out"]).all(), "single neuron: output differs from the exact solution")
    result.figures["single_neuron"] = {"steps": len(rows), "output_spikes": int(output.sum()),
                                       "loihi2_differences": wrong, "spinnaker2_membrane_error": apart}  # fmt: skip
    return (
        f"single neuron: Loihi 2 {2 * len(rows) - wrong} of {2 * len(rows)} values equal, SpiNNaker2's model "
        f"{int(output.sum())} spikes equal, membrane within {apart:.1e}"
    )


def _loihi2() -> Network:
    """The neuron as compiled for Loihi 2: v = (v (4096 - dv) >> 12) + 640 for an input one step ago."""
    share = 0.1 / 2.5
    neuron = Neuron(
        model="lif",
        threshold=np.array([(int(0.1 * 131071) >> 9) * 64]),
        reset="zero",
        compare="gt",
        decay_v=Decay("multiply", numerator=4096 - int(share * 4095), bits=12, rounding="floor"),
        weight_shift=6,
    )
    populations = (Population("input", (1, 1, 1), Neuron("input")), Population("neuron", (1, 1, 1), neuron))
    synapse = Projection("synapse", "input", "neuron", "linear", delay=1, weights=np.array([[10]], np.int8))
    return Network("loihi2", populations, (synapse,), "int")


def _run(network: Network, spikes: Block) -> tuple[np.ndarray, np.ndarray]:
    """Output 0 / 1 and membrane of the only neuron, by step."""
    steps = spikes.start.size - 1
    (layer,) = network.layers
    block, v = probe(network, {network.inputs[0]: spikes}, steps, layer, np.zeros(1, np.int64))
    return np.diff(block.start), v[0]
