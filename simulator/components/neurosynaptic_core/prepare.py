"""A network or a stimulus for a neurosynaptic core: what fits, what is sent when, and what fires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulator.components.neurosynaptic_core.core import Image, Stimulus, registers_of
from simulator.components.neurosynaptic_core.fit import check_fit
from simulator.components.neurosynaptic_core.image_file import read_image
from simulator.components.neurosynaptic_core.program import Program, program, raw_stimulus
from simulator.components.neurosynaptic_core.registers import SOURCES
from simulator.components.neurosynaptic_core.replay import Core
from simulator.engine.held import Held, stepped, words_of
from simulator.errors import InputError
from simulator.mapping.neurosynaptic import addresses
from simulator.network import Network
from simulator.trace import Trace

TIME_REFERENCE = {"tinyodin": 0x1FF, "odin": 0x7F}
"""Input word of a time reference to all neurons."""


@dataclass(frozen=True)
class Played:
    """A sample on a core: the whole stimulus, and per timestep the neurons (addresses) that spiked, in time order."""

    stimulus: Stimulus
    spikes: list[np.ndarray]
    core: Core


def prepare(unit: str, spec: Any, network: Network, trace: Trace, activity: str) -> Held:
    """The core decides what fires: only the spikes of the input populations are taken from the trace.

    Time base "step": the events of a timestep are due together, then the biases, then a time reference to all neurons;
    the next timestep begins when the core is idle.  Time base "cycle": events are due in their cycles; one population
    without layers behind it holds input words (or sources), and meets the image that the description names, if any.
    """
    if trace.time_base not in ("step", "cycle") or activity != "spikes":
        raise InputError(
            "this core takes spikes by timestep or in cycles, and decides itself what fires",
            key=f"trace {trace.name}",
            found=f"time_base {trace.time_base}, activity {activity}",
            allowed="time_base step or cycle, activity spikes",
        )
    if not network.layers:
        return _raw(unit, spec, network, trace)
    if spec.image is not None:
        raise InputError("an image goes with a stimulus without layers; a network brings its own", key=f"{unit}.image",
                         found=spec.image)  # fmt: skip
    check_fit(unit, spec, network)
    placed = program(network, network.layers, spec.dialect, nearest=spec.fit == "nearest")
    fan_out, layer = _fan_outs(network, placed)
    played = []
    for sample in range(trace.samples):
        play = _play(spec, placed.image, _segments(spec, placed, network, trace, sample))
        played.append(replace(play, stimulus=replace(play.stimulus, fan_out=fan_out, layer=layer)))
    spikes = {name: _inputs(trace, name) for name in network.inputs}
    for name in network.layers:
        low, high = placed.first[name], placed.first[name] + placed.size[name]
        spikes[name] = [[step[(low <= step) & (step < high)] - low for step in play.spikes] for play in played]
    membranes = {}
    if played:
        final = played[-1].core.neurons[0]
        membranes = {
            name: final[placed.first[name] : placed.first[name] + placed.size[name]].astype(np.int64)
            for name in network.layers
        }
    return Held(
        stepped(trace, network, spikes),
        lambda row, sample: (placed.image, played[sample].stimulus),
        membranes,
        decides=True,
    )


def _fan_outs(network: Network, placed: Program) -> tuple[np.ndarray, np.ndarray]:
    """Synaptic operations of the network per event of each address, and the place of the layer that it is charged to:
    the first that it feeds, or its own; int64 [256] each."""
    found, charged = np.zeros(SOURCES, np.int64), np.zeros(SOURCES, np.int64)
    for name, place in addresses(network).items():
        own = slice(place.first, place.first + place.size)
        found[own] = sum(placed.size[p.target] for p in network.outgoing(name))
        charged[own] = place.charged
    return found, charged


def _inputs(trace: Trace, name: str) -> list[list[np.ndarray]]:
    """Per sample and timestep the flat indices of an input population's spikes, in the order in which they are sent."""
    found = []
    for sample in range(trace.samples):
        if trace.time_base == "cycle":
            _, index, value = trace.events(name).sample(sample)
            found.append([_repeated(index, value, name)])
            continue
        steps = int(trace.steps[sample])
        block = trace.spikes(name).block(sample, 0, steps)
        found.append([_repeated(*block.step(t), name) for t in range(steps)])
    return found


def _repeated(index: np.ndarray, value: np.ndarray | None, name: str) -> np.ndarray:
    """One event per spike: a count of n is sent n times."""
    if value is None:
        return index.astype(np.int64)
    if (value < 0).any():
        raise InputError("an event has no sign on this core", key=f"population {name}", found=int(value.min()),
                         allowed="counts of spikes")  # fmt: skip
    return np.repeat(index.astype(np.int64), value)


def _segments(
    spec: Any, placed: Program, network: Network, trace: Trace, sample: int
) -> list[tuple[np.ndarray | None, np.ndarray]]:
    """Per timestep (None, words): due when the core is idle; or, in cycles, one pair of due cycles and words."""
    sending = [name for name in network.inputs if name in placed.first]
    if trace.time_base == "cycle":
        times, words = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
        for name in sending:
            time, index, value = trace.events(name).sample(sample)
            times.append(time if value is None else np.repeat(time, value))
            words.append(placed.words(placed.first[name] + _repeated(index, value, name)))
        due = np.concatenate(times)
        order = np.argsort(due, kind="stable")
        return [(due[order], np.concatenate(words)[order])]
    segments: list[tuple[np.ndarray | None, np.ndarray]] = []
    inputs = {name: trace.spikes(name).block(sample, 0, int(trace.steps[sample])) for name in sending}
    for t in range(int(trace.steps[sample])):
        step = [(name, _repeated(*block.step(t), name)) for name, block in inputs.items()]
        words_of_step = placed.stimulus([step]).words
        segments.append((None, np.append(words_of_step, TIME_REFERENCE[spec.dialect])))
    return segments


def _play(spec: Any, image: Image, segments: Sequence[tuple[np.ndarray | None, np.ndarray]]) -> Played:
    """Runs segments one after another on one core, each due in its cycles or as soon as the core is idle."""
    core = Core(registers_of(spec, image), image.neurons.copy(), image.synapses.copy())
    due, words = np.empty(0, np.int64), np.empty(0, np.int64)
    spikes = []
    for cycles, sent in segments:
        idle = int(max(core.state[0], core.state[1]))
        due = np.concatenate((due, np.full(sent.size, idle, np.int64) if cycles is None else cycles))
        words = np.concatenate((words, sent.astype(np.int64)))
        spikes.append(core.run(due, words).spikes[:, 1])
    return Played(Stimulus(due, words), spikes, core)


def _raw(unit: str, spec: Any, network: Network, trace: Trace) -> Held:
    """A stimulus of input words on the image that the description names; without one, nothing fires."""
    name = network.inputs[0]
    if trace.time_base != "cycle" or len(network.populations) != 1:
        raise InputError(
            "there is no layer to compute: the core takes a network, or one population of input words in cycles",
            key=f"trace {trace.name}",
            found=f"time_base {trace.time_base}, populations {[p.name for p in network.populations]}",
        )
    image = _silent() if spec.image is None else read_image(Path(spec.image), spec.dialect)
    stimuli = []
    for sample in range(trace.samples):
        time, index = words_of(trace, name, sample)
        stimuli.append(raw_stimulus(spec.dialect, time, index, network.population(name).size))
    words = [[trace.events(name).sample(sample)[1]] for sample in range(trace.samples)]
    return Held(stepped(trace, network, {name: words}), lambda row, sample: (image, stimuli[sample]))


def _silent() -> Image:
    """Neurons that are disabled and synapses of weight 0."""
    neurons = np.zeros((14, SOURCES), np.int16)
    neurons[1], neurons[3] = 255, 1
    return Image(neurons, np.zeros((SOURCES, SOURCES), np.uint8))
