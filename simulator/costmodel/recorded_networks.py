"""Recorded networks run on recorded inputs; the benchmarks of recordings check that what they send is exact."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from simulator.costmodel.recorded import Recording
from simulator.errors import InputError, unknown
from simulator.functional import run_network
from simulator.network import Network, Neuron
from simulator.network.loihi import loihi_chain, loihi_neuron, read_slayer
from simulator.network.nir import read_nir
from simulator.trace.nmnist import read_nmnist
from simulator.trace.recordings import events_trace
from simulator.trace.spikes import StepSpikesBuilder
from simulator.trace.tables import by_step, check_lengths, read_arrays, read_table
from simulator.trace.trace import Trace

SLAYER, SINABS = "slayer_nmnist_loihi.npz", "cnn_sinabs.nir"
NETWORKS = {"mlp": SLAYER, "scnn": SINABS}
SINABS_CHOICES = {"reset": "subtract", "floor": "minus_threshold", "output": "multi", "compare": "ge", "delay": 0}
SINABS_EVENTS: dict[str, Any] = {
    "time_base": "step", "origin": "first", "polarity": "off_on", "dt_ms": 1, "rounding": "floor", "multiple": "sum",
}  # fmt: skip
SLAYER_EVENTS: dict[str, Any] = {
    "time_base": "step", "origin": "zero", "polarity": "off_on", "rounding": "round", "multiple": "or",
}  # fmt: skip
RECORDINGS = 4
"""Camera recordings of the test table that are used."""
LONGEST = 300
"""Timesteps of a recording that a network is run for."""
LOIHI = "loihi_250_25_1.npz"
LOIHI_NEURON = {"vThMant": 80, "vDecay": 128, "iDecay": 1024, "refDelay": 1, "wgtExp": 0}


def nmnist_names(folder: Path) -> Iterator[tuple[str, str]]:
    """The first recordings of the test table with every network that is there."""
    rows = read_table(folder / "nmnist" / "labels_test.csv", "id", "file")[:RECORDINGS]
    for net, file in NETWORKS.items():
        if not (folder / "nets" / file).is_file():
            raise InputError("no such file", file=folder / "nets" / file)
        for row in rows:
            yield f"{net}/{row['id']}", f"nmnist_{net}"


def nmnist(folder: Path, name: str) -> Recording:
    """A network "mlp/ID" or "scnn/ID" run on a recording."""
    net, _, number = name.partition("/")
    if net not in NETWORKS:
        raise unknown("network of N-MNIST", net, NETWORKS)
    rows = {row["id"]: row["file"] for row in read_table(folder / "nmnist" / "labels_test.csv", "id", "file")}
    if number not in rows:
        raise unknown("recording", number, rows, file=folder / "nmnist" / "labels_test.csv")
    path = folder / "nmnist" / rows[number]
    network, choices = _mlp(folder) if net == "mlp" else _scnn(folder)
    inputs = events_trace([partial(read_nmnist, path)], choices, file=path, network=network)
    return Recording(*_counted(run_network(network, inputs)))


def _counted(full: Trace) -> tuple[Network, Trace]:
    """A topology whose inputs store the counts that a recording holds, where it holds more than ones, and the trace."""
    network = full.network.topology()
    populations = []
    for population in network.populations:
        values = full.spikes(population.name).block(0, 0, int(full.steps[0])).value
        if population.is_input and values is not None and int(values.max(initial=1)) > 1:
            bits = int(values.max()).bit_length()
            population = replace(population, neuron=Neuron("input", output="multi", value_bits=bits))
        populations.append(population)
    network = replace(network, populations=tuple(populations))
    return network, replace(full, network=network)


@lru_cache(maxsize=4)
def _mlp(folder: Path) -> tuple[Network, dict[str, Any]]:
    """The integer network for Loihi, and how events become its input."""
    network, meta = read_slayer(folder / "nets" / SLAYER)
    steps = min(int(meta["tSample"]), LONGEST)
    return network, {**SLAYER_EVENTS, "dt_ms": meta["Ts_ms"], "steps": steps}


@lru_cache(maxsize=4)
def _scnn(folder: Path) -> tuple[Network, dict[str, Any]]:
    """The convolution network, and how events become its input."""
    return read_nir(folder / "nets" / SINABS, SINABS_CHOICES), {**SINABS_EVENTS, "steps": LONGEST}


def loihi_names(folder: Path) -> Iterator[tuple[str, str]]:
    """The one recording of a whole network."""
    path = folder / "silicon" / LOIHI
    if not path.is_file():
        raise InputError("no such file", file=path)
    yield "250_25_1", "loihi_250_25_1"


def loihi(folder: Path, name: str) -> Recording:
    """250-25-1 neurons of Loihi on their recorded input."""
    if name != "250_25_1":
        raise unknown("recording of Loihi", name, ("250_25_1",))
    path = folder / "silicon" / LOIHI
    arrays = read_arrays(path, "in_step", "in_neuron", "w1", "w2", "v_hidden")
    check_lengths(arrays, path, "in_step", "in_neuron")
    network = loihi_chain("loihi_250_25_1", (arrays["w1"].shape[1], 1, 1), [arrays["w1"], arrays["w2"]],
                          loihi_neuron(LOIHI_NEURON))  # fmt: skip
    steps = arrays["v_hidden"].shape[1] + 1
    builder = StepSpikesBuilder()
    builder.begin_sample()
    builder.add_block(by_step(arrays["in_step"].astype(np.int64), arrays["in_neuron"], steps))
    inputs = Trace("loihi", network, "step", np.array([steps], np.int64), {"input": builder.build()}, path.name)
    return Recording(network.topology(), run_network(network, inputs))
