"""Automatic fused mappings: blocks of layers with a bit for time and a bit for depth each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from simulator.errors import InputError
from simulator.mapping.fusion.entry import FusedMapping
from simulator.mapping.fusion.machine import buffered_array
from simulator.mapping.fusion.nodes import nearest_divisor
from simulator.network.network import Network

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def fused_entries(
    network: Network,
    hardware: Hardware,
    time: str,
    depth: str,
    blocks: Sequence[Sequence[str]] | None = None,
) -> tuple[FusedMapping, ...]:
    """An entry per layer for schedules written as bits, one per block: `time` 1 batches all timesteps, 0 takes them
    one by one; `depth` 1 cuts the block into single columns, 0 runs whole layers.

    blocks: names of the layers of each block, in order; default: see `blocks_of`.  A fused block is cut into as many
    columns as its widest layer; a narrower layer into its own number of columns or the nearest divisor of it.
    """
    found = blocks_of(network) if blocks is None else [list(block) for block in blocks]
    for name, bits in (("time", time), ("depth", depth)):
        if len(bits) != len(found) or set(bits) - {"0", "1"}:
            raise InputError("one bit per block is expected", key=name, found=bits, allowed=f"{len(found)} bits 0 or 1")
    unit = buffered_array(hardware)
    entries = {}
    for number, block in enumerate(found):
        widths = {layer: network.population(layer).shape[2] for layer in block}
        steps: Literal["all", "one"] = "all" if time[number] == "1" else "one"
        for layer, width in widths.items():
            columns = 1
            if depth[number] == "1":
                widest = max(widths.values())
                columns = width if width < widest else nearest_divisor(width, widest)
            entries[layer] = FusedMapping(layer, unit.units[unit.array], number, steps, columns)
    return tuple(entries[layer] for layer in network.layers)


def blocks_of(network: Network) -> list[list[str]]:
    """Layers in running order, a new block after every pooling: the blocks of the published SEW network."""
    blocks: list[list[str]] = [[]]
    for layer in network.layers:
        blocks[-1].append(layer)
        if any(p.pool is not None for p in network.incoming(layer)):
            blocks.append([])
    return [block for block in blocks if block]
