"""How long spikes stay on chip, and how those that live in DRAM come back.

Capacity is conservative: a population reserves a bitmap of all its neurons for all buffered timesteps, whatever the
spike format.  Spikes on their way from or to DRAM pass in blocks and reserve nothing, except where a layer loads a
whole population at once.
"""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyDict
from dataclasses import dataclass
from typing import Literal

from simulator.errors import InputError
from simulator.mapping.chip import Chip, Memory
from simulator.mapping.operands import Operands

Inflow = Literal["chip", "whole", "tile"]
"""How a layer gets a source's spikes: they are on chip, loaded once for the layer, or loaded for every compute."""


@dataclass(frozen=True)
class Span:
    """A population's spikes: `bits` are buffered in each of `memories` from layer number `start` to `end`."""

    population: str
    bits: int
    start: int
    end: int
    memories: tuple[Memory, ...]
    is_input: bool

    @property
    def may_stay(self) -> bool:
        """Whether the spikes can stay on chip: their producers and consumers share one spike memory."""
        return self.is_input or len(self.memories) <= 1


def spans_of(
    operands: Operands, chip: Chip, cores: ReadOnlyDict[str, tuple[str, ...]], timesteps: str, hint: int
) -> dict[str, Span]:
    """The span of every population; `cores` gives the cores of each layer.

    Timesteps "all" buffer `hint` timesteps, "one" buffers one timestep more than the largest delay; spikes that are
    used in a later timestep stay for the whole repetition.
    """
    network = operands.network
    number = {name: i for i, name in enumerate(network.layers)}
    result = {}
    for population in network.populations:
        name = population.name
        out = network.outgoing(name)
        delay = max((p.delay for p in out), default=0)
        start = number.get(name, 0)
        end = max([start, *(number[p.target] for p in out)])
        steps = hint
        if timesteps == "one":
            steps = 1 + delay
            if delay:
                start, end = 0, len(number) - 1
        users = [*cores.get(name, ()), *(core for p in out for core in cores[p.target])]
        memories = {chip.cores[core].spike.name: chip.cores[core].spike for core in users}
        bits = operands.spikes(name, steps)
        result[name] = Span(name, bits, start, end, tuple(memories.values()), population.is_input)
    return result


def used_bits(spans: dict[str, Span], homes: ReadOnlyDict[str, str], layer: int, memory: Memory) -> int:
    """Bits that the spikes with home "chip" reserve in `memory` while layer number `layer` runs."""
    return sum(
        s.bits
        for s in spans.values()
        if homes[s.population] == "chip" and s.start <= layer <= s.end and memory in s.memories
    )


def choose_homes(spans: dict[str, Span], layers: int) -> dict[str, str]:
    """A home for every population: "chip" where everything fits, else spikes go to DRAM, most bits x layers first."""
    homes = {name: "chip" if span.may_stay else "dram" for name, span in spans.items()}
    memories = {m.name: m for span in spans.values() for m in span.memories}
    for layer in range(layers):
        for memory in memories.values():
            excess = used_bits(spans, homes, layer, memory) - memory.bits
            if excess <= 0:
                continue
            live = [
                s
                for s in spans.values()
                if homes[s.population] == "chip" and s.start <= layer <= s.end and memory in s.memories
            ]
            live.sort(key=lambda s: -s.bits * (s.end - s.start + 1))
            for span in live:
                if excess <= 0:
                    break
                homes[span.population] = "dram"
                excess -= span.bits
    return homes


def inflows_of(
    operands: Operands,
    chip: Chip,
    cores: ReadOnlyDict[str, tuple[str, ...]],
    spans: dict[str, Span],
    homes: ReadOnlyDict[str, str],
) -> dict[tuple[str, str], Inflow]:
    """How each layer gets each of its sources; InputError where spikes with home "chip" do not fit or cannot stay."""
    result: dict[tuple[str, str], Inflow] = {}
    for name, span in spans.items():
        if homes[name] == "chip" and not span.may_stay:
            raise InputError(
                f"the spikes of {name!r} cannot stay on chip: its producers and consumers use different memories",
                key=f"inputs.{name}" if span.is_input else f"layers.{name}.spikes",
                found=[m.name for m in span.memories],
                allowed="dram",
            )
    for i, layer in enumerate(operands.network.layers):
        memories = {chip.cores[c].spike.name: chip.cores[c].spike for c in cores[layer]}
        room = {}
        for memory in memories.values():
            used = used_bits(spans, homes, i, memory)
            if used > memory.bits:
                live = [s for s in spans.values() if homes[s.population] == "chip" and s.start <= i <= s.end]
                largest = max(live, key=lambda s: s.bits)
                raise InputError(
                    f"the spikes that are live while layer {layer!r} runs do not fit memory {memory.name!r}: "
                    f"{used} bits needed, {memory.bits} bits available; the largest are those of "
                    f"{largest.population!r} ({largest.bits} bits)",
                    key=f"layers.{layer}.spikes",
                )
            room[memory.name] = memory.bits - used
        for source in dict.fromkeys(p.source for p in operands.network.incoming(layer)):
            if homes[source] == "chip":
                result[layer, source] = "chip"
            elif all(spans[source].bits <= free for free in room.values()):
                result[layer, source] = "whole"
                room = {name: free - spans[source].bits for name, free in room.items()}
            else:
                result[layer, source] = "tile"
    return result
