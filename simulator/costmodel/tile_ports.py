"""Ports of a bank of crossbar tiles in closed form: what is fetched, and how long each port serves in a timestep.

A buffer port belongs to a tile and serves all lanes and homes in it; an egress belongs to a tile, or to all of them on
a bus.  All layers make a timestep in the same time, so that a layer can be no faster than the ports that it uses.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.runs import Runs
from simulator.costmodel.tile_blocks import Blocks
from simulator.costmodel.tile_homes import HomeTimes, fetched
from simulator.costmodel.tile_inputs import Seen
from simulator.costmodel.tile_rows import kept
from simulator.mapping.crossbar import CrossbarLayer
from simulator.units import ceil_div


class PortTimes(NamedTuple):
    """Means of a timestep.  bits, latched [kinds, U]: bits and rows fetched for one lane of each of a kind's blocks.

    sent [kinds of position, U]: cycles in which the busiest egress sends the results of a position home.

    Per layer, float64 [layers, U], cycles per position of a copy.  fetch: of all its lanes in a tile;  share: of all
    that the busiest port serves;  queue: of one request of each who uses it.
    """

    bits: np.ndarray
    latched: np.ndarray
    sent: np.ndarray
    fetch: np.ndarray
    share: np.ndarray
    queue: np.ndarray


class Ports:
    """Ports of a bank of `tiles`, made once its `blocks` are closed.

    far [layers][copies]: spikes leave the tile.  places [layers]: kinds of position.
    """

    def __init__(
        self, spec: Any, tiles: int, layers: list[CrossbarLayer], blocks: Blocks, far: list[list[bool]],
        places: list[int],
    ) -> None:
        self.spec, self.blocks, self.layers = spec, blocks, len(layers)
        parts = [layers[k.layer].parts[layers[k.layer].row_blocks[k.members[0]].part] for k in blocks.kinds]
        share = [kept(spec, layers[k.layer], part) for k, part in zip(blocks.kinds, parts, strict=True)]
        rows = [layers[k.layer].row_blocks[k.members[0]].rows for k in blocks.kinds]
        row_of = np.repeat(np.arange(len(rows)), [k.places for k in blocks.kinds])
        self._kept, self._rows, self._planes = (
            np.array(values, np.float64)[row_of][:, None] for values in (share, rows, [len(p.planes) for p in parts])
        )
        self._first = np.array([k.row for k in blocks.kinds], np.int64)
        self._vectors = np.array([layers[k.layer].positions for k in blocks.kinds], np.float64)[:, None]
        self._bus = spec.network.kind == "bus"
        self._tiles, self._ports = tiles, tiles + (1 if self._bus else tiles)
        self._places = places
        self._wire(layers, far)

    def _egress(self, tile: int) -> int:
        return self._tiles + (0 if self._bus else tile)

    def _wire(self, layers: list[CrossbarLayer], far: list[list[bool]]) -> None:
        """Who asks which port: columns are kinds (fetch), kinds (sums sent), layers (fetch and write), layers (spikes
        sent), and a message of one cycle."""
        kinds, spec = len(self.blocks.kinds), self.spec
        of = {(k.layer, member): i for i, k in enumerate(self.blocks.kinds) for member in k.members}
        asks: dict[tuple[int, int], list[float]] = {}
        used: set[tuple[int, int]] = set()
        mine: dict[tuple[int, int, int], dict[int, int]] = {}
        sent: dict[tuple[int, int, int], dict[int, int]] = {}

        def ask(layer: int, port: int, column: int, times: float) -> None:
            both = asks.setdefault((port, column), [0.0, 0.0])
            both[0] += times * layers[layer].positions / layers[layer].copies
            both[1] += times
            used.add((layer, port))

        for n, layer in enumerate(layers):
            for lane in layer.lanes():
                kind = of[n, lane.row_block]
                ask(n, lane.tile, kind, 1)
                row = mine.setdefault((n, lane.copy, lane.tile), {})
                row[kind] = row.get(kind, 0) + 1
                if lane.tile != layer.home_tile(lane.copy):
                    cycles = ceil_div(lane.outputs * int(spec.digital.psum_bits), int(spec.network.link_bits))
                    egress = self._egress(lane.tile)
                    ask(n, egress, kinds + kind, cycles - 1)
                    ask(n, egress, 2 * (kinds + self.layers), 1)
                    row = sent.setdefault((n, lane.copy, egress), {})
                    row[kind] = row.get(kind, 0) + cycles - 1
                    row[-1] = row.get(-1, 0) + 1
            for copy in range(layer.copies):
                tile = layer.home_tile(copy)
                ask(n, tile, 2 * kinds + n, 1)
                if far[n][copy]:
                    ask(n, self._egress(tile), 2 * kinds + self.layers + n, 1)
        work, one = np.zeros((2, self._ports, 2 * (kinds + self.layers) + 1))
        for (at, column), both in asks.items():
            work[at, column], one[at, column] = both
        user, port = np.array(sorted(used), np.int64).reshape(-1, 2).T
        own = np.array([layer.positions / layer.copies for layer in layers])
        most = np.ones(self._ports)
        np.maximum.at(most, port, own[user])
        # Tiles that serve alike stand in one row.
        (self._share_of, self._share), (self._queue_of, self._queue) = (
            self._alike(user, table) for table in (work[port] / most[port][:, None], one[port])
        )
        whose, self._mine = _distinct(mine, kinds)
        self._mine_of = Runs(whose, self.layers)
        self._ways(*_distinct(sent, kinds + 1))

    def _alike(self, users: np.ndarray, table: np.ndarray) -> tuple[Runs, np.ndarray]:
        """The different rows of a table [rows, columns] of layers [rows], and whose they are."""
        found = np.unique(np.concatenate([users[:, None], table], axis=1), axis=0)
        return Runs(found[:, 0].astype(np.int64), self.layers), np.ascontiguousarray(found[:, 1:])

    def _ways(self, layers: np.ndarray, cycles: np.ndarray) -> None:
        """Entries (row of a kind of block, cycles) of each way home at each kind of position.

        cycles [ways, kinds + 1]: of results that are sent, less one, and (last) of messages of one cycle.
        """
        first = np.cumsum([0, *self._places])
        rows: list[int] = []
        each: list[float] = []
        starts: list[int] = []
        at: list[int] = []
        tokens: list[float] = []
        for layer, way in zip(layers.tolist(), cycles, strict=True):
            for i in range(self._places[layer]):
                starts.append(len(rows))
                at.append(int(first[layer]) + i)
                tokens.append(float(way[-1]))
                mine = [k for k, kind in enumerate(self.blocks.kinds) if kind.layer == layer]
                rows += [self.blocks.kinds[k].row + i for k in mine]
                each += [float(way[k]) for k in mine]
        self._way_row, self._way_cycles = np.array(rows, np.int64), np.array(each)[:, None]
        self._way_start = np.array(starts, np.int64)
        self._way_at = Runs(np.array(at, np.int64), sum(self._places))
        self._way_token = np.array(tokens)[:, None]

    def price(self, seen: Seen, on: np.ndarray, driven: np.ndarray, home: HomeTimes) -> PortTimes:
        """Means at these inputs; share of vectors that are driven: on float64 [kinds, U], driven [rows, U]."""
        blocks, steps = self.blocks, on.shape[1]
        present = np.where(blocks.whole >= 0, blocks.whole, 0)
        quiet = self._kept * np.where(blocks.whole[:, None] >= 0, seen.quiet(present, blocks.some), 0)
        events = self._kept * blocks.inside[:, None] * seen.share[blocks.some]
        window = np.ceil(self._kept * self._rows)
        bits, cycles = fetched(self.spec, window, self._planes, events, quiet)
        if self.spec.buffer.input_mode == "event":
            latched = events
        else:
            latched = window * (-np.expm1(quiet) if self.spec.buffer.zero_flags else np.ones_like(quiet))
        weight = blocks.weight[:, None]
        bits, cycles, latched = (np.add.reduceat(weight * np.broadcast_to(table, quiet.shape), self._first)
                                 if self._first.size else np.zeros((0, steps))
                                 for table in (bits, cycles, latched))  # fmt: skip
        cycles = cycles / self._vectors
        token = np.ones((1, steps))  # a vector that was skipped is told in a cycle
        one = np.concatenate([cycles, on, home.fetch + home.write, home.send, token])
        share, wait = self._share_of.longest(self._share @ one), self._queue_of.longest(self._queue @ one)
        fetch = self._mine_of.longest(self._mine @ cycles)
        sent = np.zeros((sum(self._places), steps))
        if self._way_start.size:
            ways = np.add.reduceat(self._way_cycles * driven[self._way_row], self._way_start) + self._way_token
            sent = self._way_at.longest(ways)
        return PortTimes(bits, latched, sent, fetch, share, wait)


def _distinct(rows: dict[tuple[int, int, int], dict[int, int]], columns: int) -> tuple[np.ndarray, np.ndarray]:
    """(layers [n], float64 [n, columns]) of the different rows by (layer, copy, port)."""
    found = sorted({(n, tuple(sorted(row.items()))) for (n, _, _), row in rows.items()})
    table = np.zeros((len(found), columns))
    for i, (_, row) in enumerate(found):
        for column, amount in row:
            table[i, column] = amount
    return np.array([n for n, _ in found], np.int64), table
