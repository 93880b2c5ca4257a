"""Conventions that a file does not state change the answer: each variant meets its own calculated figure."""

from __future__ import annotations

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from benchmarks import speck
from benchmarks.recorded_scnn import NET_CHOICES, TRACE_CHOICES
from simulator.functional import plan_network, run_sample
from simulator.network import Network, Neuron
from simulator.network.loihi import read_slayer
from simulator.network.nir import read_nir
from simulator.trace import Trace
from simulator.trace.nmnist import read_nmnist
from simulator.trace.nmnist_set import list_recordings
from simulator.trace.recordings import events_trace

pytestmark = pytest.mark.external

LOIHI = {"time_base": "step", "origin": "zero", "polarity": "off_on", "dt_ms": 1, "rounding": "round",
         "multiple": "or", "steps": 300}  # fmt: skip


def with_neurons(network: Network, **changes: object) -> Network:
    """The network with other neuron parameters in every layer."""

    def changed(neuron: Neuron) -> Neuron:
        return neuron if neuron.model == "input" else replace(neuron, **changes)

    return replace(network, populations=tuple(replace(p, neuron=changed(p.neuron)) for p in network.populations))


def traces(data: Path, network: Network, choices: dict[str, object]) -> list[tuple[Trace, int]]:
    """One trace per test recording, with its label."""
    paths, labels = list_recordings(data / "nmnist" / "test")
    assert labels is not None
    return [
        (events_trace([partial(read_nmnist, path)], choices, file=path, network=network), int(label))
        for path, label in zip(paths, labels, strict=True)
    ]


def totals(data: Path, network: Network, choices: dict[str, object]) -> tuple[list[int], int]:
    """Spikes per layer over all test recordings, and how many are classified right."""
    plan = plan_network(network)
    spikes, right = dict.fromkeys(network.layers, 0), 0
    for trace, label in traces(data, network, choices):
        made = run_sample(plan, trace, 0).spikes
        for name in network.layers:
            value = made[name].value
            spikes[name] += int(made[name].index.size if value is None else value.sum())
        last = network.layers[-1]
        size = network.population(last).size
        right += int(np.bincount(made[last].index, weights=made[last].value, minlength=size).argmax()) == label
    return list(spikes.values()), right


@pytest.mark.parametrize(
    ("neuron", "choices", "spikes", "right"),
    [
        ({"compare": "ge"}, {}, [63360, 9166], 60),
        ({"first_step": 0}, {}, [63364, 9152], 60),
        ({}, {"rounding": "floor"}, [63367, 9167], 60),
        ({}, {"polarity": "on_off"}, [56117, 10315], 27),
    ],
    ids=["at the threshold", "step 0 computed", "floor binning", "polarity swapped"],
)
def test_loihi_variants(data_dir: Path, neuron: dict, choices: dict, spikes: list[int], right: int) -> None:
    network, _ = read_slayer(data_dir / "nets" / "slayer_nmnist_loihi.npz")
    assert totals(data_dir, with_neurons(network, **neuron), {**LOIHI, **choices}) == (spikes, right)


@pytest.mark.parametrize(
    ("neuron", "spikes", "right"),
    [
        ({"floor": None}, [313942, 686911, 547427, 489071, 40916], 60),
        ({"output": "binary"}, [535044, 1384050, 1190626, 803372, 25042], 58),
    ],
    ids=["no floor", "one spike per step"],
)
def test_scnn_variants(data_dir: Path, neuron: dict, spikes: list[int], right: int) -> None:
    network = with_neurons(read_nir(data_dir / "nets" / "cnn_sinabs.nir", NET_CHOICES), **neuron)
    assert totals(data_dir, network, TRACE_CHOICES) == (spikes, right)


@pytest.mark.parametrize(
    ("choices", "neuron", "column"),
    [
        ({}, {"floor": None}, "int8_event_nofloor_spikes"),
        ({"quantise": "none"}, {}, "float_event_spikes"),
    ],
)
def test_speck_variants(data_dir: Path, choices: dict, neuron: dict, column: str) -> None:
    network = read_nir(data_dir / "nets" / "cnn_sinabs.nir", {**speck.NET_CHOICES, **choices})
    network = with_neurons(speck.first_layer(network), **neuron)
    plan = plan_network(network)
    with open(data_dir / "silicon" / "speck_layer1_reference.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        path = data_dir / "nmnist" / "test" / f"{row['recording_id']}.bs2"
        trace = events_trace([partial(read_nmnist, path)], speck.EVENT_CHOICES, file=path, network=network)
        assert run_sample(plan, trace, 0).events[network.layers[0]][0].size == int(row[column])
