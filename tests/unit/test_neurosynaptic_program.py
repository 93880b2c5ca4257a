"""A network on a neurosynaptic core: addresses, stimulus, refusals, and the digits' last layer against the labels."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import load_network, load_trace
from simulator.components.neurosynaptic_core import Core, Registers
from simulator.components.neurosynaptic_core.program import Program, program, raw_stimulus
from simulator.errors import InputError
from simulator.network import Network
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection


def neuron(**changes) -> Neuron:
    return Neuron("if", **{"threshold": np.array([4]), "reset": "zero", **changes})


def chain(weights: list[list[int]], second: list[list[int]], **changes) -> Network:
    """Three inputs, two neurons, one neuron behind them."""
    first = Projection("a", "in", "mid", "linear", weights=np.array(weights, np.int8))
    last = Projection("b", "mid", "out", "linear", weights=np.array(second, np.int8))
    populations = (
        Population("in", (3, 1, 1), Neuron("input")),
        Population("mid", (2, 1, 1), neuron(**changes)),
        Population("out", (1, 1, 1), neuron(threshold=np.array([3]), compare="gt")),
    )
    return Network("chain", populations, (first, last), "int")


NETWORK = chain([[3, 1, 0], [0, 2, 2]], [[1, 3]])


def run(placed: Program, steps: list[list[int]], step_cycles: int = 0) -> np.ndarray:
    """Spike table of the core for indices of the input population per timestep."""
    stimulus = placed.stimulus([[("in", np.array(step, np.uint32))] for step in steps], step_cycles)
    last = 7 if placed.dialect == "odin" else 5
    core = Core(Registers(placed.dialect, last_neuron=last), placed.image.neurons, placed.image.synapses)
    return core.run(stimulus.due, stimulus.words).spikes


@pytest.mark.parametrize("dialect", ["tinyodin", "odin"])
def test_spikes_by_hand(dialect: str) -> None:
    placed = program(NETWORK, ["mid", "out"], dialect)
    assert placed.first == {"in": 0, "mid": 3, "out": 5} and placed.bias == -1
    # Events 0, 1 (first timestep) and 1, 2, 0 (second).  mid[0]: 3, 4 fires; 1, 1, 4 fires.
    # mid[1]: 0, 2; 4 fires, 2, 2.
    # out fires above 3: 1 and 3 make 4, after the spikes of mid[0] and mid[1]; then 1.
    table = run(placed, [[0, 1], [1, 2, 0]], step_cycles=500)
    mid = placed.spikes(table, "mid")
    assert mid[1].tolist() == [0, 1, 0]
    assert (mid[0] >= 500).tolist() == [False, True, True]
    out = placed.spikes(table, "out")
    assert out[1].tolist() == [0] and mid[0][1] < out[0][0]


def test_words_of_either_dialect_and_raw_words() -> None:
    steps = [[("in", np.array([2], np.uint32))]]
    assert program(NETWORK, ["mid"], "tinyodin").stimulus(steps).words.tolist() == [2]
    assert program(NETWORK, ["mid"], "odin").stimulus(steps).words.tolist() == [2 << 8 | 7]
    time, index = np.array([5]), np.array([9], np.uint32)
    assert raw_stimulus("odin", time, index, 1 << 17).words.tolist() == [9]
    assert raw_stimulus("odin", time, index, 10).words.tolist() == [9 << 8 | 7]
    assert raw_stimulus("tinyodin", time, index, 1 << 10).words.tolist() == [9]
    with pytest.raises(InputError, match="input words or sources"):
        raw_stimulus("tinyodin", time, index, 1 << 17)


def test_nearest_scales_rounds_and_clips() -> None:
    network = chain(
        [[70, 10, -35], [0, 0, 4]], [[1, 3]], threshold=np.array([45]), bias=np.array([20, -200]),
        initial=np.array([26, 0]),
    )  # fmt: skip
    placed = program(network, ["mid"], "tinyodin", nearest=True)
    # The scale is 7 / 70; halves go to the even number, the bias of -20 is clipped to a weight.
    weights = placed.image.synapses[:6, 3:5].astype(int)
    assert (weights - ((weights & 8) << 1)).tolist() == [[7, 0], [1, 0], [-4, 0], [0, 0], [0, 0], [2, -8]]
    assert placed.image.neurons[[0, 1, 3], 3:5].tolist() == [[3, 0], [4, 4], [0, 0]]
    assert placed.image.neurons[3].sum() == 254 and placed.bias == 5
    stimulus = placed.stimulus([[("in", np.array([1], np.uint32))], []], 40)
    assert (stimulus.due.tolist(), stimulus.words.tolist()) == ([0, 0, 40], [1, 5, 5])


def test_nearest_knows_the_lowest_weight_of_a_byte() -> None:
    network = chain([[-128, 10, 0], [0, 0, 64]], [[1, 1]], threshold=np.array([64]))
    weights = program(network, ["mid"], "tinyodin", nearest=True).image.synapses[:3, 3:5].astype(int)
    # The scale is 7 / 128: -7, 0.55 and 3.5, whose half goes to the even 4.
    assert (weights - ((weights & 8) << 1)).tolist() == [[-7, 0], [1, 0], [0, 4]]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layers": ["nobody"]}, "unknown layer"),
        ({"weights": [[9, 0, 0], [0, 0, 0]]}, "do not fit the core's synapses"),
        ({"weights": [[1, 0, 0], [-1, 0, 0]], "dialect": "odin"}, "one sign"),
        ({"neuron": {"bias": np.array([1])}}, "have no bias"),
        ({"neuron": {"decay_v": Decay("shift", shift=2)}}, "leak by subtraction"),
        ({"neuron": {"initial": np.array([3000])}}, "initial does not fit"),
    ],
)
def test_what_a_core_cannot_do_is_refused(change: dict, message: str) -> None:
    network = chain(change.get("weights", [[1, 0, 0], [0, 0, 1]]), [[1, 1]], **change.get("neuron", {}))
    with pytest.raises(InputError, match=message):
        program(network, change.get("layers", ["mid", "out"]), change.get("dialect", "tinyodin"))


def test_without_weights_the_neurons_are_silent_and_raw_words_take_no_address() -> None:
    projection = Projection("a", "words", "mid", "linear")
    words = Population("words", (1, 1, 1 << 10), Neuron("input"))
    network = Network("raw", (words, Population("mid", (2, 1, 1), neuron())), (projection,), "int")
    placed = program(network, ["mid"], "tinyodin")
    assert placed.first == {"mid": 0} and not placed.image.synapses.any()
    assert placed.image.neurons[1, :3].tolist() == [4, 4, 4095] and placed.image.neurons[3, :3].tolist() == [0, 0, 1]
    silent = program(NETWORK.topology(), ["mid", "out"], "tinyodin").image
    assert (silent.neurons[1] == 4095).all() and silent.neurons[3].all() and not silent.synapses.any()


def test_pooling_and_size_are_refused() -> None:
    pooled = replace(NETWORK.projections[0], pool=Pool("or", (1, 1), (1, 1)))
    with pytest.raises(InputError, match="without pooling"):
        program(replace(NETWORK, projections=(pooled, NETWORK.projections[1])), ["mid"], "tinyodin")
    with pytest.raises(InputError, match="more neurons and inputs"):
        program(load_network("digits"), ["fc1"], "tinyodin", nearest=True)


def test_the_last_layer_of_the_digits_classifies_as_well_on_the_core() -> None:
    network, trace = load_network("digits"), load_trace("digits")
    placed = program(network, ["out"], "tinyodin", nearest=True)
    registers = Registers("tinyodin", last_neuron=placed.bias - 1, open_loop=True)
    right = theirs = 0
    for sample in range(trace.samples):
        steps = int(trace.steps[sample])
        inputs, outputs = (trace.spikes(name).block(sample, 0, steps) for name in ("fc1", "out"))
        stimulus = placed.stimulus([[("fc1", inputs.step(t)[0])] for t in range(steps)])
        core = Core(registers, placed.image.neurons.copy(), placed.image.synapses.copy())
        _, index = placed.spikes(core.run(stimulus.due, stimulus.words).spikes, "out")
        right += int(np.bincount(index, minlength=10).argmax()) == trace.labels[sample]
        theirs += int(np.bincount(outputs.index, minlength=10).argmax()) == trace.labels[sample]
    # Weights of 4 bits and a reset to zero may cost a digit in fifty, not more.
    assert theirs >= 95 and right >= theirs - trace.samples // 50
