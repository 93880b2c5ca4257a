"""Cores that hold a network whole never take longer with fewer events, quicker neighbours or fewer neurons.

The spikes of such a core follow from its inputs, so weights are zero or the spikes are given here: with other weights
an input that is left out may be one that kept a neuron from firing.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.neurosynaptic_core import Image, Registers, Stimulus
from simulator.components.reckon_core import image as reckon
from simulator.components.reckon_core.drive import stimulus_of_steps
from tests.differential import test_neurosynaptic_core, test_reckon_core
from tests.differential.test_neurosynaptic_kernel import random_words
from tests.formula.monotone import Ladders, at, climbs, foot, generator

REGISTERS: Ladders = {
    "last_neuron": [31, 15, 7],
    "fifo_depth": [2, 4, 32],
    "request_delay": [5, 1, 0],
    "acknowledge_delay": [9, 2, 0],
    "release_delay": [9, 2, 0],
}


@pytest.mark.parametrize("seed", range(40))
@pytest.mark.parametrize("dialect", ["tinyodin", "odin"])
def test_a_neurosynaptic_core_is_monotone(dialect: str, seed: int) -> None:
    """Due times stay; without weights nothing fires, and every event costs its handshake and its sweep."""
    rng = generator(seed)
    odin = dialect == "odin"
    words = random_words(rng, odin, 7, int(rng.integers(1, 25)))
    due = np.sort(rng.integers(0, int(rng.integers(1, 900)), len(words)))
    neurons = np.zeros((14, 256), np.int16)
    neurons[1] = 255 if odin else 2047
    image = Image(neurons, np.zeros((256, 256), np.uint8))

    def run(values: dict[str, object], keep: np.ndarray) -> test_neurosynaptic_core.Bench:
        registers = Registers(dialect, **values)  # type: ignore[arg-type]
        return test_neurosynaptic_core.run_core(registers, [(image, Stimulus(due[keep], np.array(words)[keep]))])

    rungs, every = foot(rng, REGISTERS), np.ones(len(words), bool)
    base = run(at(rungs, REGISTERS), every)
    for field, better in climbs(rng, rungs, REGISTERS, 3):
        assert run(better, every).env.now <= base.env.now, (field, better[field])
    less = run(at(rungs, REGISTERS), rng.random(len(words)) < 0.7)
    assert less.env.now <= base.env.now
    few, many = less.counts(), base.counts()
    assert [action for action in many if few[action] > many[action]] == []


@pytest.mark.parametrize("seed", range(40))
def test_a_tick_driven_core_is_monotone(seed: int) -> None:
    """Fewer inputs, fewer given spikes and fewer neurons cost no more cycles, accesses or operations."""
    rng = generator(seed)
    sizes = {"inputs": 16, "recurrent": 2 * int(rng.integers(2, 12)), "outputs": int(rng.integers(2, 6))}
    steps = int(rng.integers(1, 6))
    inputs = [np.flatnonzero(rng.random(16) < 0.5) for _ in range(steps)]
    given = [np.flatnonzero(rng.random(sizes["recurrent"] - 2) < 0.5) for _ in range(steps)]
    wide = {"recurrent_weights": np.zeros((256, 256), np.int8)}

    def run(less: float, **fewer: int) -> test_reckon_core.Bench:
        kept = [[row[rng.random(row.size) >= less] for row in rows] for rows in (inputs, given)]
        image = reckon.Image(**{**sizes, **fewer}, **wide)  # type: ignore[arg-type]
        return test_reckon_core.run_core([(image, stimulus_of_steps(*kept))])

    base = run(0)
    for fewer in ({"recurrent": sizes["recurrent"] - 2}, {"outputs": sizes["outputs"] - 1}, {}):
        less = run(0 if fewer else 0.4, **fewer)
        assert less.env.now <= base.env.now
        few, many = less.counts(), base.counts()
        assert [action for action in many if few[action] > many[action]] == []
