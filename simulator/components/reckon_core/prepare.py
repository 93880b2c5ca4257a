"""Traces of cycles for a ReckOn core: lines with due cycles, on the image that the description names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from simulator.components.reckon_core.drive import Stimulus
from simulator.components.reckon_core.image import LINES, Image, read_image
from simulator.components.reckon_core.placement import VALUE_BITS, stimulus_of_cycles
from simulator.engine.held import Held, stepped, words_of
from simulator.errors import InputError
from simulator.network import Network
from simulator.trace import Trace

WORDS = len(LINES) << VALUE_BITS


def prepare(unit: str, spec: Any, network: Network, trace: Trace, activity: str) -> Held | None:
    """One sample per sample of a trace with time base "cycle", whose one population holds the lines of a stimulus.

    None for spikes by timestep: the core takes those from the network.  Without an image the core is empty, so that
    times are exact and nothing fires.
    """
    if trace.time_base == "step":
        if spec.image is not None:
            raise InputError("an image goes with a stimulus of cycles; a network brings its own", key=f"{unit}.image",
                             found=spec.image)  # fmt: skip
        return None
    sizes = [p.size for p in network.populations]
    if trace.time_base != "cycle" or sizes != [WORDS] or activity != "spikes":
        raise InputError(
            "a stimulus for this core is one population of lines, in cycles",
            key=f"trace {trace.name}",
            found=f"time_base {trace.time_base}, populations of {sizes} neurons, activity {activity}",
            allowed=f"time_base cycle, one population of {WORDS} neurons (letter of {LINES} x 256 + value), or steps",
        )
    name = network.inputs[0]
    image = Image(spec.inputs, spec.recurrent, spec.outputs) if spec.image is None else read_image(Path(spec.image))
    stimuli: list[Stimulus] = []
    for sample in range(trace.samples):
        time, index = words_of(trace, name, sample)
        stimuli.append(stimulus_of_cycles(time, index, trace.name))
    lines = [[trace.events(name).sample(sample)[1]] for sample in range(trace.samples)]
    return Held(stepped(trace, network, {name: lines}), lambda row, sample: (image, stimuli[sample]))
