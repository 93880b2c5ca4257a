"""Closed form of a tick-driven recurrent core (ReckOn class): per timestep a scan, and a pass per index that sends.

In cycles, with NI inputs, NR recurrent and NO output neurons, P = ceil(NR / 2) pairs, NS = max(NR, NI, NO):

input event        8                     its handshake, while the core waits for the tick
tick               4                     three to see it, one before the next line
scan               max(NR, NI)           of input and recurrent spikes, in every tick but the last of a sample
pass               2 P                   per index at which an input or a recurrent neuron sent
step               NS + 1                leak and fire, in every tick but the first
sample             start, level, and 22  from SAMPLE to the first event; around the last step of a sample

Tick t passes the inputs of timestep t and the recurrent spikes of timestep t - 1; with an output layer one more tick
passes the last ones on.  An index at which both sources send is passed once; how often that happens is not known from
statistics: neurons of the two populations send independently of each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.costmodel.chip import Term
from simulator.costmodel.rates import Rates
from simulator.costmodel.tally import REPETITION
from simulator.costmodel.whole import WholeChip, refuse_image
from simulator.errors import InputError
from simulator.mapping.recurrent import layers_of
from simulator.units import ceil_div

WORD_BITS, WORD_WEIGHTS = 128, 16
"""Bits of a word of every memory, and weights in it."""
EVENT, SEEN, LOWERED, SETTLED, SENT = 8, 3, 4, 15, 5
"""Cycles of an input handshake; until a tick is seen; from a lowered SAMPLE to the last tick; from the end of the last
step of a sample to the next line, and of these the ones in which the result leaves."""


class ReckonChip(WholeChip):
    """A network on a `reckon_core`; see `chip.Chip`."""

    parts = (
        Term("reckon_core.events", 1.0, "handshakes of input spikes"),
        Term("reckon_core.scan", 1.0, "scans of all indices, with or without a spike"),
        Term("reckon_core.passes", 1.0, "passes over all neuron pairs for an index that sends"),
        Term("reckon_core.steps", 1.0, "leak and threshold of all neurons"),
        Term("reckon_core.ticks", 1.0, "waits between a tick and the phases around it"),
        Term("reckon_core.samples", 1.0, "start of a sample, and its result"),
    )
    active = "active:cycle"

    def __init__(self, schedule: Any, hardware: Any, network: Any, unit: str, actions: tuple[str, ...]) -> None:
        spec = hardware.units[unit]
        refuse_image(unit, spec)
        self.roles = layers_of(network)
        sizes = {"inputs": self.roles.source, "recurrent": self.roles.recurrent, "outputs": self.roles.output}
        self.sizes = {key: 1 if name is None else network.population(name).size for key, name in sizes.items()}
        for key, size in self.sizes.items():
            if size > getattr(spec, key):
                raise InputError("the network is larger than the core", key=f"units.{unit}.{key}", found=size,
                                 allowed=f"at most {getattr(spec, key)}")  # fmt: skip
        super().__init__(schedule, hardware, network, unit, actions)

    def fill(self) -> None:
        """Streams: timesteps, inputs, recurrent spikes, those of the timestep before, and three that `totals` makes."""
        spec, layer = self.spec, self.layer
        inputs, recurrent, outputs = (self.sizes[key] for key in ("inputs", "recurrent", "outputs"))
        self.live, self.sent = self.stream(None), self.stream(self.roles.source)
        self.made, self.before = self.stream(self.roles.recurrent), self.stream(self.roles.recurrent, 1)
        self.drains = self.roles.output is not None
        passed = self.made if self.drains else self.before
        passes = len(self.streams)
        scan, pairs = max(recurrent, inputs), ceil_div(recurrent, 2)
        step = max(recurrent, inputs, outputs)
        self.readout = layer if self.roles.output is None else self.schedule.layers.index(self.roles.output)
        drain = int(self.drains)
        self.charge("samples", REPETITION, spec.start_cycles + spec.sample_cycles + spec.level_cycles)
        self.charge("events", self.sent, inputs * EVENT)
        for stream, ticks in ((self.live, 1), (REPETITION, drain)):
            self.charge("ticks", stream, ticks * (SEEN + 1))
            self.charge("scan", stream, ticks * scan, active=True)
            self.charge("steps", stream, ticks * (step + 1), active=True)
            self.count(layer, "update:state", stream, ticks * (step // 2 * 2))
            self.count(layer, "read:state", stream, ticks * ceil_div(step, 2) * WORD_BITS)
            self.count(layer, "write:state", stream, ticks * (step // 2) * WORD_BITS)
        # n ticks that scan and one that ends the sample make n steps: the first has none, the last has no scan.
        self.charge("ticks", REPETITION, LOWERED + SEEN)
        self.charge("samples", REPETITION, SETTLED - SENT)
        self.charge("samples", REPETITION, SENT, active=True)
        self.charge("passes", passes, 2 * pairs, active=True)
        for verb in ("read", "write"):
            self.count(layer, f"{verb}:state", passes, pairs * WORD_BITS)
        self.count(layer, "accept:spike", self.sent, inputs)
        words = ceil_div(2 * pairs, WORD_WEIGHTS) * WORD_BITS
        for stream, size in ((self.sent, inputs), (passed, recurrent)):
            self.count(layer, "accumulate:partial_sum", stream, size * recurrent)
            self.count(layer, "read:weight", stream, size * words)
        self.count(self.readout, "accumulate:partial_sum", passed, recurrent * outputs)
        self.count(self.readout, "read:weight", passed, recurrent * WORD_BITS)

    def totals(self, found: Rates) -> np.ndarray:
        """As in the base class, and one stream more: indices that send, summed over all scans of the run."""
        inputs, recurrent = self.sizes["inputs"], self.sizes["recurrent"]
        sent, before = (np.minimum(found.value[row], 1) for row in (self.sent, self.before))
        both = min(inputs, recurrent) * sent * before
        passes = float((inputs * sent + recurrent * before - both) @ found.weight) * found.samples
        if self.drains:
            last = found.value[self.made] - found.value[self.before]
            passes += float(last @ found.weight) * found.samples * recurrent
        return np.append(found.total, passes)

    def whole_rows(self) -> tuple[int, ...]:
        """The recurrent layer's row and that of the outputs."""
        return self.layer, self.readout
