"""What a `pe_array` and its memories count for the computation nodes of a Schedule."""

from __future__ import annotations

from typing import Any

from simulator.costmodel.rates import Stream
from simulator.costmodel.tally import REPETITION, Tally
from simulator.mapping.fusion.nest import Node
from simulator.mapping.reach import reach
from simulator.units import ceil_div


class NodeCounts:
    """Books nodes with a tally; `specs` are the units by name, `array` the name of the array."""

    def __init__(self, tally: Tally, specs: dict[str, Any], array: str) -> None:
        self._add = tally.add
        self._spec = spec = specs[array]
        number = {name: i for i, name in enumerate(specs)}
        self._array, self._buffer = number[array], number[spec.global_memory]
        self._weight, self._inputs = number[spec.weight_memory], number[spec.input_memory]
        self._width = specs[spec.global_memory].width_bits

    def book(self, node: Node, layer: int, times: int) -> None:
        """A node that runs so often: operations, reads of the array's own memories, and the global buffer."""
        if self._spec.gating == "none":
            self._add(self._array, layer, "operate:partial_sum", REPETITION, times * node.operations)
        for unit, operand, (used, moved) in (
            (self._weight, "weight", node.weight_read), (self._inputs, "spike", node.input_read),
        ):  # fmt: skip
            self._add(unit, layer, f"read:{operand}", REPETITION, times * used)
            self._add(unit, layer, f"overfetch:{operand}", REPETITION, times * (moved - used))
        found: dict[tuple[int, str], list[int]] = {}
        for group in node.groups:
            self._access(found, self._buffer, "read:spike", group.inputs, self._width)
            self._access(found, self._inputs, "write:spike", group.inputs, self._spec.access_bits)
            for tile in group.tiles:
                self._access(found, self._buffer, "read:weight", tile.weights, self._width)
                self._access(found, self._weight, "write:weight", tile.weights, self._spec.access_bits)
                self._access(found, self._buffer, "read:state", tile.state, self._width)
                self._access(found, self._buffer, "write:state", tile.state, self._width)
                self._access(found, self._buffer, "write:spike", tile.made, self._width)
        for (unit, action), (bits, spare) in found.items():
            self._add(unit, layer, action, REPETITION, times * bits)
            self._add(unit, layer, f"overfetch:{action.partition(':')[2]}", REPETITION, times * spare)

    def _access(self, found: dict[tuple[int, str], list[int]], unit: int, action: str, bits: int, word: int) -> None:
        """Adds bits and what else its words hold."""
        total = found.setdefault((unit, action), [0, 0])
        total[0] += bits
        total[1] += ceil_div(bits, word) * word - bits

    def gated(self, network: Any, layers: tuple[str, ...]) -> list[Stream]:
        """Books the operations of an array that leaves out those without a spike; the streams that they depend on."""
        known: dict[Stream, int] = {}
        if self._spec.gating != "energy":
            return []
        index = {p.name: i for i, p in enumerate(network.populations)}
        for layer, name in enumerate(layers[1:], 1):
            channels, height, _ = network.population(name).shape
            tile = reach(network, name, 0, channels, 0, height)
            for fan in tile.fans:
                p = fan.projection
                window = p.pool.size[0] * p.pool.size[1] if fan.pooled and p.pool is not None else 1
                stream = Stream(index[p.source], p.delay, tile.population.neuron.first_step, window)
                number = known.setdefault(stream, len(known))
                self._add(self._array, layer, "operate:partial_sum", number, fan.synapses)
        return list(known)
