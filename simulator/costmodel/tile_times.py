"""Times of layers on crossbar tiles per position, from what their row blocks, homes and ports take on average.

A vector takes long where something is on and is skipped in a few cycles where nothing is.  A layer whose lanes wait for
each other at every position takes E[max over lanes, ports]; one that could run far ahead takes the largest mean.  A few
results may wait for a home, so that the truth lies between: `TOGETHER` is the share of the former.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.costmodel.chip import Term
from simulator.costmodel.runs import Runs
from simulator.costmodel.tile_blocks import Blocks, BlockTimes
from simulator.costmodel.tile_homes import Homes, HomeTimes
from simulator.costmodel.tile_ports import PortTimes
from simulator.kernels import tile_flow as kernel
from simulator.kernels.tile_times import expected_longest, room
from simulator.mapping.crossbar import CrossbarLayer

TERMS = (
    Term("cim_tile.turns", 1, "groups of wordlines driven, read and converted one after another"),
    Term("cim_tile.digital", 1, "zero test, shift-and-add, sums of row blocks, neurons"),
    Term("cim_tile.fetch", 1, "windows read from the tile's buffer, spikes written into it"),
    Term("cim_tile.port", 1, "all that the busiest port of a layer serves"),
    Term("cim_tile.wait", 0, "one request of each client of a port, before a request is served"),
    Term("cim_tile.link", 1, "partial sums and spikes between tiles"),
    Term("cim_tile.entry", 1, "inputs that enter the chip"),
    Term("cim_tile.program", 1, "cells that are written before the first input"),
    Term("host.launch", 1, "commands"),
)
TURNS, DIGITAL, FETCH, PORT, WAIT, LINK, ENTRY, PROGRAM, LAUNCH = range(9)
TOGETHER = 0.6
"""Share of the time of lanes that wait for each other at every position; assumed, from runs of random networks."""


DOUBLINGS = 4
SHARPNESS = 1 << DOUBLINGS
"""Power of the mean that stands for the longer of two times near each other: a port that is nearly always busy and
lanes that are nearly always busy make each other wait; assumed, from runs of random networks."""


def soft(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(one^k + other^k)^(1/k), a little above the larger: homogeneous and monotone in both, which are >= 0."""
    most = np.maximum(one, other)
    # Sixteenth powers and roots by squares and square roots: quicker than the general power.
    power = np.minimum(one, other) / np.where(most > 0, most, 1)
    for _ in range(DOUBLINGS):
        power = power * power
    power += 1
    for _ in range(DOUBLINGS):
        power = np.sqrt(power)
    return np.asarray(most * power)


class Times:
    """Times of all layers of a bank; made once its `blocks` and `homes` are closed."""

    def __init__(self, spec: Any, layers: list[CrossbarLayer], blocks: Blocks, homes: Homes) -> None:
        self.spec = spec
        self._positions = np.array([layer.positions for layer in layers], np.float64)[:, None]
        serial = [layer.outputs if "latency_serial_cout" in spec.quirks else 1 for layer in layers]
        self._serial = np.array(serial, np.float64)[:, None]
        self._slots(layers, blocks, homes)
        self._count = homes.count[:, None]
        self._kind_first = np.array([kind.row for kind in blocks.kinds], np.int64)
        self._kind_layer = np.array([kind.layer for kind in blocks.kinds], np.int64)
        self._layer_of_kind = Runs(self._kind_layer, len(layers))
        self._weight = blocks.weight[:, None]

    def _slots(self, layers: list[CrossbarLayer], blocks: Blocks, homes: Homes) -> None:
        """Kinds of block of each slot, that is kind of position and projection on arrays; slots of each position."""
        kinds: dict[tuple[int, int], list[int]] = {}
        for kind in blocks.kinds:
            part = layers[kind.layer].row_blocks[kind.members[0]].part
            kinds.setdefault((kind.layer, part), []).append(kind.row)
        gather: list[int] = []
        starts: list[int] = []
        place_of: list[int] = []
        first: list[int] = []
        slots: list[list[int]] = []
        layer_of: list[int] = []
        for number in range(len(layers)):
            first.append(len(layer_of))
            for i in range(homes.places[number]):
                mine = [rows for (layer, _), rows in sorted(kinds.items()) if layer == number]
                slots.append(list(range(len(starts), len(starts) + len(mine))))
                for rows in mine:
                    starts.append(len(gather))
                    place_of.append(len(layer_of))
                    gather += [row + i for row in rows]
                layer_of.append(number)
        widest = max((len(mine) for mine in slots), default=0)
        self._gather, self._starts = np.array(gather, np.int64), np.array(starts, np.int64)
        self._place, self._layer = np.array(place_of, np.int64), np.array(layer_of, np.int64)
        self._slot = np.array([[*mine, *[-1] * (widest - len(mine))] for mine in slots], np.int64).reshape(-1, widest)
        self._room = room(self._slot)
        self._first = np.array(first, np.int64)

    def of(
        self,
        weights: np.ndarray,
        vectors: BlockTimes,
        home: HomeTimes,
        ports: PortTimes,
        outside: np.ndarray,
        enter: np.ndarray,
    ) -> np.ndarray:
        """float64 [U, inputs + layers, TIMES] of `kernels/tile_flow.py`; enter [inputs, U]: cycles of a position.

        outside [layers]: share of copies whose spikes leave the tile.
        """
        inputs, steps = enter.shape
        leaves = outside[:, None]
        check = np.broadcast_to(weights[DIGITAL] * self.spec.check_cycles * self._serial, ports.share.shape)
        wait = weights[WAIT] * np.minimum(ports.queue, ports.share)
        fetch = weights[FETCH] * ports.fetch
        share = weights[PORT] * ports.share
        hop = weights[LINK] * int(self.spec.network.hop_cycles)
        found = np.zeros((steps, inputs + self._positions.size, kernel.TIMES))
        found[:, :inputs, kernel.HOME] = weights[ENTRY] * enter.T
        found[:, :inputs, kernel.AFTER] = hop
        period, late = self._vectors(weights, vectors, home.some, check, fetch, share, weights[LINK] * ports.sent)
        requests = 1 + (home.fetch > 0)
        work = weights[DIGITAL] * home.work
        rest = weights[FETCH] * (home.fetch + home.write) + weights[LINK] * home.send * leaves + wait * requests
        mine = found[:, inputs:]
        for column, time in (
            (kernel.PERIOD, period),
            (kernel.FETCH, fetch + wait),
            (kernel.LATE, late),
            (kernel.HOME, work + rest),
            (kernel.AFTER, np.broadcast_to(hop * (leaves > 0), work.shape)),
            (kernel.WORK, work),
        ):
            mine[:, :, column] = time.T
        return found

    def _vectors(
        self, weights: np.ndarray, vectors: BlockTimes, some: np.ndarray, check: np.ndarray, alone: np.ndarray,
        share: np.ndarray, sent: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(cycles between the vectors of a copy, cycles from the start of one to its result), means per layer."""
        taken = weights[TURNS] * vectors.turns + weights[DIGITAL] * vectors.spent
        result = weights[TURNS] * vectors.result + weights[DIGITAL] * vectors.settled
        longest, latest = (self._longest(table) for table in (taken, result))
        idle, other, port = check[self._layer], alone[self._layer], share[self._layer]
        least = np.maximum(np.maximum(idle, sent), np.maximum(other, port))
        each = self._expected(soft(longest, port[self._place]), some, least)
        hop = weights[LINK] * int(self.spec.network.hop_cycles)
        last = self._expected(latest, some, idle) + sent + hop * (sent > 0)
        together, late = (self._mean(table) for table in (each, last))
        apart = alone
        if self._kind_first.size:
            busy = check[self._kind_layer]
            row_busy = np.repeat(busy, np.diff(np.append(self._kind_first, taken.shape[0])), axis=0)
            row_serial = np.repeat(self._serial[self._kind_layer], np.diff(np.append(self._kind_first, taken.shape[0])))
            mean = vectors.on * np.maximum(taken * row_serial[:, None], row_busy) + (1 - vectors.on) * row_busy
            mean = np.add.reduceat(self._weight * mean, self._kind_first) / self._positions[self._kind_layer]
            apart = np.maximum(apart, self._layer_of_kind.longest(soft(mean, share[self._kind_layer])))
        return (1 - TOGETHER) * apart + TOGETHER * together, late

    def _longest(self, table: np.ndarray) -> np.ndarray:
        """Longest of all kinds of block of each slot, for a table [rows, U]."""
        every = np.concatenate([table, np.zeros((1, table.shape[1]))])[self._gather]
        if not self._starts.size:
            return every
        found: np.ndarray = np.maximum.reduceat(every, self._starts) * self._serial[self._layer][self._place]
        return found

    def _expected(self, time: np.ndarray, some: np.ndarray, least: np.ndarray) -> np.ndarray:
        """Mean of the longest of `least` and the slots that are driven, [places, U]; times and chances [slots, U].

        Projections are driven independently of each other: from the longest on, each counts where no longer one is.
        """
        found = np.empty(least.shape)
        expected_longest(self._slot, time, some, least, *self._room, found)
        return found

    def _mean(self, table: np.ndarray) -> np.ndarray:
        """Mean over the positions of each layer of a table [kinds of position, U]."""
        if not table.size:
            return np.zeros((self._positions.size, table.shape[1]))
        found: np.ndarray = np.add.reduceat(self._count * table, self._first) / self._positions
        return found
