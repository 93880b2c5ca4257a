"""What a unit that holds a whole network makes of it and of a trace, before the machine runs."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.mapping.whole import whole_unit
from simulator.trace import StepSpikesBuilder, Trace

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.network import Network


@dataclass(frozen=True)
class Held:
    """A trace as the unit runs it.

    trace: every population by timestep; events of time base "cycle" stand in one timestep per sample.
    stimulus(row, sample): what the unit holds and is sent; the unit's component knows the types.
    membranes: final state of the last sample by layer, in the unit's own scale; may be empty.
    decides: the unit itself decided which neurons of the layers fire.
    """

    trace: Trace
    stimulus: Callable[[int, int], Any]
    membranes: dict[str, np.ndarray] = field(default_factory=dict)
    decides: bool = False


def prepare_whole(hardware: Hardware, network: Network, trace: Trace, activity: str) -> Held | None:
    """What the chip's unit makes of network and trace; None where spikes by timestep are all that it needs, or where
    there is no such unit.

    Raises InputError, naming the layer, for what the unit cannot hold.
    """
    unit = whole_unit(hardware)
    if unit is None:
        return None
    spec = hardware.units[unit]
    module, _, function = spec.PREPARE.partition(":")
    held: Held | None = getattr(importlib.import_module(module), function)(unit, spec, network, trace, activity)
    return held


def words_of(trace: Trace, name: str, sample: int) -> tuple[np.ndarray, np.ndarray]:
    """Cycles int64 [n] and words uint32 [n] of a stimulus; InputError where an event carries a value."""
    time, index, value = trace.events(name).sample(sample)
    if value is not None and (value != 1).any():
        raise InputError("a word of a stimulus has no value", key=f"trace {trace.name}: population {name}",
                         found=int(value[value != 1][0]), allowed=[1])  # fmt: skip
    return time, index


def stepped(trace: Trace, network: Network, spikes: Mapping[str, Sequence[Sequence[np.ndarray]]]) -> Trace:
    """The trace with these spikes by timestep: spikes[population][sample][t] holds flat indices, in any order and as
    often as each neuron spikes."""
    populations = {}
    steps = np.zeros(trace.samples, np.int64)
    for name, samples in spikes.items():
        builder = StepSpikesBuilder()
        for sample, indices in enumerate(samples):
            builder.begin_sample()
            steps[sample] = len(indices)
            for index in indices:
                unique, times = np.unique(index.astype(np.uint32), return_counts=True)
                builder.add_step(unique, None if times.max(initial=1) == 1 else times.astype(np.int32))
        populations[name] = builder.build()
    return replace(trace, network=network, time_base="step", steps=steps, populations=populations)
