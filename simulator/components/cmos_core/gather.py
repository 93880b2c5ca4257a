"""Gather datapath, kernel engine: the windows of one timestep in one kernel call."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.cmos_core.port import Block, SpikePort, work
from simulator.engine.board import Job
from simulator.engine.context import Context
from simulator.errors import InputError
from simulator.kernels import gather as kernel
from simulator.mapping.reach import LINEAR, SPARSE, Reach

NO_VALUE = np.empty(0, np.int32)


class Datapath:
    """Cycles and counts of a gather core; `kernels/gather.py` holds the definition."""

    def __init__(self, ctx: Context, spec: Any, port: SpikePort, weights: Any, state: Any) -> None:
        self.ctx, self.spec, self.port = ctx, spec, port
        self.weights, self.state = weights, state

    def begin(self, job: Job, tile: Reach, layer: int) -> None:
        """A task starts; windows of the tile that no gating may shorten are known from its shape."""
        self.job, self.tile, self.layer = job, tile, layer
        for fan in tile.fans:
            if fan.mode == SPARSE:
                raise InputError(
                    "a gather core walks windows; sparse synapses have none",
                    key=f"projection {fan.projection.name}",
                    allowed="a scatter core, or conv, depthwise, linear, one_to_one",
                )
        self.per_channel = any(fan.per_channel for fan in tile.fans) or any(
            fan.projection.kind == "conv" and fan.projection.groups > 1 for fan in tile.fans
        )
        self.depth = tile.k1 - tile.k0
        self.neuron_lanes = self.spec.gather.neuron_lanes if tile.last else 0  # other input parts leave partial sums
        self.rows, self.columns = tile.y1 - tile.y0, tile.population.shape[2]
        self.dense = sum(fan.dense for fan in tile.fans)
        size = self.rows * self.columns * (self.depth if self.per_channel else 1)
        self.active = np.zeros(size, np.int64)

    def step(self, t: int, floor: int) -> Generator[Any, None, int]:
        """Takes in the spikes of timestep t and runs its windows; returns the cycle in which the last one is done."""
        g, ctx = self.spec.gather, self.ctx
        ready = floor
        blocks: list[Block] = []
        while not blocks or not blocks[-1].last:
            block = yield from self.port.next_block()
            ready = max(ready, block.ready)
            blocks.append(block)
            if not block.last and len(blocks) >= self.spec.input_credits:
                self.port.free_input(ready)
        self.active[:] = 0
        synaptic = 0
        weight_bits = 0
        events = 0
        for block in blocks:
            events += int(block.index.size if block.value is None else np.abs(block.value).sum())
            operations, bits = self._take(block)
            synaptic += operations
            weight_bits += bits
        unroll = g.unroll
        counts = np.zeros(4, np.int64)
        start = ready + g.fill_cycles
        # Several events on one synaptic position (multi-spikes, summed pooling) are an operation each under any gating.
        windows = self.active if g.gating == "skip" else np.maximum(self.active, self.dense)
        end = int(
            kernel.windows(
                windows,
                counts,
                start,
                self.rows,
                self.columns,
                self.depth,
                self.per_channel,
                unroll.k,
                unroll.oy,
                unroll.ox,
                g.ops_per_synapse,
                g.ops_per_pe_cycle * unroll.c,
                g.window_cycles,
                self.neuron_lanes,
            )
        )
        held = min(len(blocks), self.spec.input_credits)
        for _ in range(held):
            self.port.free_input(end)
        work(ctx, np.array([[ready, end]], np.int64), self.weights, self.state)
        walked = int(windows.sum()) * (1 if self.per_channel else self.depth)
        self.book(synaptic, walked, weight_bits, events, counts)
        return end

    def _take(self, block: Block) -> tuple[int, int]:
        """Adds a block's taps to their windows: (synaptic operations, weight bits)."""
        if block.index.size == 0:
            return 0, 0
        tile, fan = self.tile, self.tile.fans[block.projection]
        value = NO_VALUE if block.value is None else block.value
        bits = fan.projection.weight_bits
        if fan.mode == LINEAR:
            return self._take_everywhere(fan, block, value, bits)
        if self.per_channel and not fan.per_channel:
            return self._take_groups(fan, block, value, bits)
        taps = kernel.count_taps(
            block.index,
            value,
            fan.row_start,
            fan.row,
            fan.col_start,
            fan.col,
            self.active,
            fan.shape[0],
            fan.shape[2],
            0,
            0,
            self.per_channel,
            tile.y0,
            tile.y1,
            tile.k0,
            tile.k1,
            self.columns,
        )
        lanes = 1 if self.per_channel else self.depth
        return int(taps) * lanes, int(taps) * lanes * bits

    def _take_everywhere(self, fan: Any, block: Block, value: np.ndarray, bits: int) -> tuple[int, int]:
        """Linear synapses: every tap falls into every window of the tile."""
        one = np.zeros(1, np.int64)
        taps = kernel.count_taps(
            block.index,
            value,
            fan.row_start,
            fan.row,
            fan.col_start,
            fan.col,
            one,
            fan.shape[0],
            fan.shape[2],
            0,
            0,
            False,
            0,
            1,
            0,
            1,
            1,
        )
        self.active += one
        operations = int(taps) * self.tile.neurons
        return operations, operations * bits

    def _take_groups(self, fan: Any, block: Block, value: np.ndarray, bits: int) -> tuple[int, int]:
        """Grouped convolutions beside per-channel ones: each output channel counts the taps of its own group."""
        tile = self.tile
        groups = fan.projection.groups
        inputs, outputs = fan.shape[0] // groups, tile.population.shape[0] // groups
        channel = block.index % np.uint32(fan.shape[0])
        per_channel = self.active.reshape(self.rows * self.columns, self.depth)
        total = 0
        for group in range(groups):
            low, high = max(tile.k0, group * outputs), min(tile.k1, (group + 1) * outputs)
            mine = channel // inputs == group
            if low >= high or not mine.any():
                continue
            part = np.zeros(self.rows * self.columns, np.int64)
            chosen = value[mine] if value.size else value
            taps = kernel.count_taps(
                block.index[mine],
                chosen,
                fan.row_start,
                fan.row,
                fan.col_start,
                fan.col,
                part,
                fan.shape[0],
                fan.shape[2],
                0,
                0,
                False,
                tile.y0,
                tile.y1,
                tile.k0,
                tile.k1,
                self.columns,
            )
            per_channel[:, low - tile.k0 : high - tile.k0] += part[:, None]
            total += int(taps) * (high - low)
        return total, total * bits

    def book(self, synaptic: int, walked: int, weight_bits: int, events: int, counts: np.ndarray) -> None:
        """Books one timestep: `synaptic` operations that spikes caused, `walked` ones the array had time for, counts as
        in `kernels.gather.windows`."""
        ctx, layer, tile, g = self.ctx, self.layer, self.tile, self.spec.gather
        ctx.work.delivered += synaptic
        executed = walked if g.gating == "none" else synaptic
        ctx.count(layer, "accumulate:partial_sum", executed * g.ops_per_synapse)
        ctx.count(layer, "decode:spike", events)
        if tile.last:
            ctx.count(layer, "update:state", tile.neurons)
            ctx.count(layer, "normalise:state", tile.neurons if self.neuron_lanes else 0)
        dense_bits = tile.neurons * sum(fan.dense * fan.projection.weight_bits for fan in tile.fans)
        bits = max(dense_bits, weight_bits) if g.gating == "none" else weight_bits
        self.weights.book(layer, "read", "weight", bits, bits)
        copies = 2 if tile.population.neuron.model == "cuba_lif" else 1
        state = tile.neurons * tile.population.neuron.membrane_bits * copies
        if tile.last:
            self.state.book(layer, "read", "state", state, state)
            self.state.book(layer, "write", "state", state, state)
        if not (tile.first and tile.last):  # an input part starts from the sums of those before it
            sums = tile.neurons * tile.population.neuron.membrane_bits
            self.state.book(layer, "read", "partial_sum", 0 if tile.first else sums, 0 if tile.first else sums)
            self.state.book(layer, "write", "partial_sum", 0 if tile.last else sums, 0 if tile.last else sums)
        for cause, cycles in zip(("compute", "neuron_unit_wait", "groups", "neuron_unit"), counts, strict=True):
            if cause != "groups":
                ctx.log.add_wait(cause, int(cycles))

    def fire(self, t: int, start: int) -> Generator[Any, None, tuple[int, int, int]]:
        """Neurons were updated window by window: the spikes are ready as soon as they may leave."""
        index, _ = self.ctx.work.fired(self.job.row, self.job.sample, t)
        return start, start, int(self.tile.holds(index).sum())
        yield  # a generator, like its twin that waits
