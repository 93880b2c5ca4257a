"""Pipeline of layers on crossbar tiles in closed form: when each timestep of each layer begins and ends, at mean times.

The recurrence and its streams stand in `simulator/kernels/tile_flow.py`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.kernels import tile_flow as kernel
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPlan
from simulator.mapping.crossbar.windows import needed
from simulator.network import Network, Population

SETTLED = 12
"""Timesteps after which streams keep their pace, where all timesteps are alike."""


class Played(NamedTuple):
    """A sample, cycles: its end; begin and end of each stream [N, 2] (-1: never); how long each is at work [N]."""

    end: float
    span: np.ndarray
    active: np.ndarray


class Flow:
    """Streams that run at the same time: `inputs` that enter the chip, then `layers` in running order."""

    def __init__(
        self, network: Network, plan: CrossbarPlan, inputs: list[Population], layers: list[CrossbarLayer],
        depth: int, buffered: int,
    ) -> None:  # fmt: skip
        number = {name: i for i, name in enumerate([*(p.name for p in inputs), *(layer.layer for layer in layers)])}
        self.streams = len(number)
        rows: list[tuple[int, ...]] = []
        windows: list[tuple[int, ...]] = []
        needs = [np.zeros(0, np.int64)]
        first = copies = at = 0
        for entering in inputs:
            positions = entering.shape[1] * entering.shape[2]
            rows.append((positions, 1, first, 0, 0, 0, copies))
            first, copies = first + positions, copies + 1
        for layer in layers:
            before = len(windows)
            for part in layer.parts:
                p = part.projection
                if p.source not in number:
                    continue
                source = network.population(p.source)
                made = plan.layers[p.source].grid if p.source in plan.layers else source.shape[1:]
                need = needed(part, layer.grid, source, (made[0], made[1]))
                windows.append((number[p.source], p.delay, at, int(part.digital)))
                needs.append(need)
                at += need.size
            lanes = int(any(not part.digital for part in layer.parts))
            rows.append((layer.positions, layer.copies, first, before, len(windows), lanes, copies))
            first, copies = first + layer.positions, copies + layer.copies
        gates = [[(number[layer], plan.layers[layer].parts[part].projection.delay)
                  for layer, part in plan.consumers[name] if layer in number] for name in number]  # fmt: skip
        self._tables = kernel.Streams(
            stream=np.array(rows, np.int64).reshape(-1, 7),
            window=np.array(windows, np.int64).reshape(-1, 4),
            need=np.concatenate(needs).astype(np.int64),
            gate_start=np.cumsum([0, *(len(gate) for gate in gates)]).astype(np.int64),
            gate=np.array([g for gate in gates for g in gate], np.int64).reshape(-1, 2),
            depth=depth,
            buffered=buffered,
        )
        self._copies = copies
        kept = 1 + max((delay for _, delay, *_ in windows), default=0)
        self._there = np.empty((kept, first))

    def run(self, times: np.ndarray, live: np.ndarray, steps: int) -> Played:
        """A sample of so many timesteps; times float64 [U, streams, TIMES], live bool [U, streams] as in the kernel."""
        played = min(steps, SETTLED) if times.shape[0] == 1 else min(steps, times.shape[0])
        if not played:
            return Played(0.0, np.full((self.streams, 2), -1.0), np.zeros(self.streams))
        start, free = np.full(self._copies, -np.inf), np.zeros(self._copies)
        taken = np.full(self._copies * self._tables.depth, -np.inf)
        begin, end, active = np.empty((3, played, self.streams))
        played = kernel.flow_tiles(
            self._tables, np.ascontiguousarray(times), live.astype(np.uint8), start, free, taken,
            np.zeros(self._copies, np.int64), np.full(self.streams, -np.inf), self._there, begin, end, active,
        )  # fmt: skip
        begin, end, active = begin[:played], end[:played], active[:played]
        last, work = end[-1], active.sum(axis=0)
        if steps > played:
            last = last + (steps - played) * (last - end[-2])
            work = work + (steps - played) * active[-1]
        made = (begin >= 0).any(axis=0)
        first = np.where(made, begin[(begin >= 0).argmax(axis=0), np.arange(self.streams)], -1)
        return Played(float(last.max(initial=0)), np.stack([first, np.where(made, last, -1)], axis=1), work)


