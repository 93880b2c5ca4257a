"""Gather datapath, plain definition: an array process and a neuron-unit process, window group by window group.

It computes the neurons too, tap by tap.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np

from simulator.components.cmos_core import gather
from simulator.components.cmos_core.port import Block, work
from simulator.engine.board import Job
from simulator.engine.plain_tile import PlainTile
from simulator.mapping.reach import Reach


class Datapath(gather.Datapath):
    """A gather core group by group; see `kernels/gather.py` for the words of the definition."""

    def begin(self, job: Job, tile: Reach, layer: int) -> None:
        """A task starts."""
        super().begin(job, tile, layer)
        self.plain = PlainTile(self.ctx, job, tile)

    def step(self, t: int, floor: int) -> Generator[Any, None, int]:
        """Takes in the spikes of timestep t and runs its windows; returns the cycle in which the last one is done."""
        g, ctx = self.spec.gather, self.ctx
        yield ctx.until(floor)
        taken = 0
        taps: dict[int, int] = {}
        synaptic = weight_bits = events = 0
        while True:
            block = yield from self.port.next_block()
            yield ctx.until(max(ctx.cycle(), block.ready))
            taken += 1
            operations, bits, count = self._walk(block, taps)
            synaptic, weight_bits, events = synaptic + operations, weight_bits + bits, events + count
            if block.last:
                break
            if taken >= self.spec.input_credits:
                self.port.free_input(ctx.cycle())
                taken -= 1
        ready = ctx.cycle()
        self.counts = np.zeros(4, np.int64)
        yield ctx.until(ready + g.fill_cycles)
        unit_free = ctx.cycle()
        walked = 0
        for group in self._groups():
            start = ctx.cycle()
            walk = [taps.get(i, 0) if g.gating == "skip" else max(taps.get(i, 0), self.dense) for i in group]
            most = max(walk)
            walked += sum(walk)
            cycles = max(g.window_cycles, -(-most * g.ops_per_synapse // (g.ops_per_pe_cycle * g.unroll.c)))
            yield ctx.until(start + cycles)
            done = ctx.cycle()
            if unit_free > done:
                yield ctx.until(unit_free)
            self.counts += (cycles, ctx.cycle() - done, 1, 0)
            busy = -(-len(group) // self.neuron_lanes) if self.neuron_lanes else 0
            self.counts[3] += busy
            unit_free = ctx.cycle() + busy
        yield ctx.until(unit_free)
        end = ctx.cycle()
        for _ in range(taken):
            self.port.free_input(end)
        work(ctx, np.array([[ready, end]], np.int64), self.weights, self.state)
        self.book(synaptic, walked, weight_bits, events, self.counts)
        return end

    def _groups(self) -> list[list[int]]:
        """Flat neurons of each window group, in running order."""
        tile, u = self.tile, self.spec.gather.unroll
        channels, _, width = tile.population.shape
        groups = []
        for oy in range(tile.y0, tile.y1, u.oy):
            for ox in range(0, width, u.ox):
                for k in range(tile.k0, tile.k1, u.k):
                    groups.append(
                        [
                            (y * width + x) * channels + c
                            for y in range(oy, min(oy + u.oy, tile.y1))
                            for x in range(ox, min(ox + u.ox, width))
                            for c in range(k, min(k + u.k, tile.k1))
                        ]
                    )
        return groups

    def _walk(self, block: Block, taps: dict[int, int]) -> tuple[int, int, int]:
        """Adds every synapse of a block to its neuron: (synaptic operations, weight bits, events)."""
        operations = bits = events = 0
        for i in range(block.index.size):
            value = 1 if block.value is None else int(block.value[i])
            events += abs(value)
            fan = self.tile.fans[block.projection]
            flat = int(block.index[i])
            if fan.lanes[flat % fan.shape[0]] == 0:
                continue
            for place, targets in self.plain.targets(block.projection, flat):
                self.plain.add(block.projection, place, targets, value)
                for target in targets:
                    taps[target] = taps.get(target, 0) + abs(value)
                operations += len(targets) * abs(value)
                bits += len(targets) * abs(value) * fan.projection.weight_bits
        return operations, bits, events

    def fire(self, t: int, start: int) -> Generator[Any, None, tuple[int, int, int]]:
        """Neurons were updated window by window: the spikes are ready as soon as they may leave."""
        yield self.ctx.until(start)
        index, value = self.plain.update(t)
        self.ctx.work.publish(self.job.row, self.job.sample, t, index, value)
        return start, start, int(index.size)
