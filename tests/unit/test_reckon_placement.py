"""Networks and traces on the tick-driven recurrent core: what fits, what is refused, and the lines of a sample."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.reckon_core.drive import run_stimulus
from simulator.components.reckon_core.image import LINES, Image
from simulator.components.reckon_core.placement import image_of, stimulus_of_cycles, stimulus_of_network
from simulator.errors import InputError
from simulator.mapping.recurrent import layers_of
from simulator.network import Network, Neuron, Population, Projection


def recurrent_network(inputs: int = 6, recurrent: int = 10, outputs: int = 3, **loop: object) -> Network:
    """Inputs, a recurrent layer and outputs, all to all; `loop` changes the recurrent projection."""
    return Network(
        "small",
        (
            Population("in", (inputs, 1, 1), Neuron("input")),
            Population("rec", (recurrent, 1, 1), Neuron()),
            Population("out", (outputs, 1, 1), Neuron()),
        ),
        (
            Projection("a", "in", "rec", "linear"),
            Projection("b", "rec", "rec", **({"kind": "linear", "delay": 1} | loop)),  # type: ignore[arg-type]
            Projection("c", "rec", "out", "linear"),
        ),
    )


def test_layers_are_found_by_their_projections() -> None:
    layers = layers_of(recurrent_network())
    assert (layers.source, layers.recurrent, layers.output) == ("in", "rec", "out")
    image = image_of(recurrent_network())
    assert (image.inputs, image.recurrent, image.outputs) == (6, 10, 3)


@pytest.mark.parametrize(("network", "message"), [
    (recurrent_network(inputs=257), "population in: .*larger than the core; found 257"),
    (recurrent_network(recurrent=300), "population rec: .*found 300"),
    (recurrent_network(outputs=17), "population out: .*found 17; .*at most 16"),
    (recurrent_network(delay=2), r"projection b\.delay: .*no such delay; found 2"),
    (recurrent_network(kind="sparse", indptr=np.zeros(11, np.int64), indices=np.empty(0, np.int32)),
     r"projection b\.kind: .*all to all|projection b\.kind: .*all neurons to all; found 'sparse'"),
])  # fmt: skip
def test_what_does_not_fit_is_refused_by_name(network: Network, message: str) -> None:
    with pytest.raises(InputError, match=message):
        layers_of(network)


def test_connections_the_core_lacks_are_refused() -> None:
    whole = recurrent_network()
    back = Network(
        whole.name, whole.populations, (*whole.projections, Projection("d", "out", "rec", "linear", delay=1))
    )
    with pytest.raises(InputError, match="projection d: the core has no such connection; found 'out -> rec'"):
        layers_of(back)
    more = Network(whole.name, (*whole.populations, Population("late", (2, 1, 1), Neuron())),
                   (*whole.projections, Projection("e", "out", "late", "linear")))  # fmt: skip
    with pytest.raises(InputError, match="at most one output layer"):
        layers_of(more)


def test_known_spikes_pass_in_the_timesteps_of_the_network() -> None:
    """PROP of tick t passes the inputs of step t and the spikes of step t - 1: 10 + 2 * 5 cycles per active index."""
    # The spike of the last step reaches the outputs in a tick of its own, and its loop lies beyond the network's end.
    network = recurrent_network()
    spikes = {("in", 0): [1, 4], ("in", 2): [0], ("rec", 0): [1, 2, 3], ("rec", 1): [0], ("rec", 2): [9]}
    found = stimulus_of_network(network, lambda name, t: (np.array(spikes.get((name, t), []), np.uint32), None), 3)
    run = run_stimulus(image_of(network), found)
    active = [2, 3, 1, 1]  # {1, 4}, {1, 2, 3}, {0} from both sources, {9}
    assert (run.ticks[:4, 5] - run.ticks[:4, 4]).tolist() == [10 + 10 * n for n in active]
    assert run.ticks[:, 8].tolist() == [0, 3, 1, 1, 0]
    assert run.counts[6] == 10 * (2 + 3 + 2 + 1) and run.counts[7] == 3 * 5
    assert run.counts[6] + run.counts[7] - found.beyond == 10 * 3 + 10 * 4 + 3 * 5, "fan-outs of the network"


@pytest.mark.parametrize("looped", [True, False])
@pytest.mark.parametrize("output", [True, False])
def test_operations_beyond_the_network_are_told_apart(looped: bool, output: bool) -> None:
    whole = recurrent_network()
    kept = [p for p in whole.projections if (p.name != "b" or looped) and (p.name != "c" or output)]
    network = Network("small", whole.populations[: 3 if output else 2], tuple(kept))
    rec = [[1, 2], [3], [4, 5, 6]]
    found = stimulus_of_network(
        network, lambda name, t: (np.array([0] if name == "in" else rec[t], np.uint32), None), 3
    )
    run = run_stimulus(image_of(network), found)
    fan_outs = 10 * 3 + (10 * 3 if looped else 0) + (3 * 6 if output else 0)
    assert run.counts[6] + run.counts[7] - found.beyond == fan_outs


def test_several_spikes_of_a_neuron_in_a_timestep_are_refused() -> None:
    pair = (np.array([1, 2], np.uint32), np.array([1, 3], np.int32))
    with pytest.raises(InputError, match=r"population in, timestep 0: the core takes one spike.*; found 3"):
        stimulus_of_network(recurrent_network(), lambda name, t: pair, 1)


def test_a_trace_of_cycles_is_lines_with_due_times() -> None:
    lines = [("S", 0, 0), ("E", 3, 20), ("T", 0, 40), ("E", 5, 41), ("X", 0, 500)]
    index = np.array([LINES.index(letter) * 256 + value for letter, value, _ in lines], np.uint32)
    found = stimulus_of_cycles(np.array([due for *_, due in lines]), index, "mine")
    run = run_stimulus(Image(inputs=8, recurrent=8, outputs=8), found)
    assert run.events[:, 2].tolist() == [20, run.ticks[0, 6] + 1]
    assert run.ticks[:, 0].tolist() == [40, 500 + 4]


@pytest.mark.parametrize(("index", "message"), [
    ([9 << 8], "mine:1: index: no such line; found 2304"),
    ([2 << 8], "mine:1: .*a tick outside a sample"),
])  # fmt: skip
def test_a_trace_that_cannot_run_is_refused(index: list[int], message: str) -> None:
    with pytest.raises(InputError, match=message):
        stimulus_of_cycles(np.zeros(len(index)), np.array(index, np.uint32), "mine")
