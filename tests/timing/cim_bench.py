"""Segments of crossbar tiles whose times can be worked out by hand, and both ways to run them."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.components.cim_tile import flow
from simulator.components.cim_tile.flow_reference import FlowReference
from simulator.components.cim_tile.segment import Flow, Home, InputFlow, Lane, LayerFlow, Segment, Stream, Window
from simulator.engine.environment import Environment


def run(segment: Segment, engine: str) -> Flow:
    """The flow of a segment by either engine; a cycle of the plain one is a picosecond."""
    if engine == "kernel":
        return flow.run(segment)
    env = Environment()
    process = env.process(FlowReference(env, segment, lambda c: env.sleep_until(c), lambda: env.now).run())
    result: Flow = env.run(until=process)
    return result


def layer(stream: int, steps: int, positions: int, blocks: int = 1, copies: int = 1, **cycles: int) -> LayerFlow:
    """A layer all of whose vectors take `lat`, `occ`, `fetch` and whose homes take `own`, `work`, `write`, `send`."""
    names = ("lat", "occ", "fetch", "active"), ("own", "work", "write", "send")
    default = {"lat": 1, "occ": 1, "fetch": 1, "active": 1, "own": 0, "work": 1, "write": 1, "send": 0}
    values = default | cycles
    vectors = np.zeros((steps, positions, blocks, 4), np.int64)
    vectors[...] = [values[name] for name in names[0]]
    homes = np.zeros((steps, positions, 4), np.int64)
    homes[...] = [values[name] for name in names[1]]
    return LayerFlow(stream, copies, vectors, homes)


def alone(positions: int = 1, tiles: tuple[int, ...] = (0,), home: int = 0, send: int = 3, **fields: Any) -> Segment:
    """One layer without windows: a lane per entry of `tiles`, its home in tile `home`, each lane a row block."""
    given = {"steps": 1, "depth": 1000, "hop": 2, "buffered": 9, "egresses": 3}
    given |= {key: fields.pop(key) for key in list(fields) if key in given}
    made = layer(0, given["steps"], positions, len(tiles), **fields)
    lanes = tuple(Lane(0, 0, i, tile, 0, 0 if tile == home else send, None) for i, tile in enumerate(tiles))
    return Segment(
        tiles=3, streams=(Stream(positions, 0),), inputs=(), layers=(made,), lanes=lanes,
        homes=(Home(0, 0, home, ()),), readers=((),), **given,
    )  # fmt: skip


def chain(
    first: LayerFlow,
    second: LayerFlow,
    need: list[int],
    *,
    steps: int = 1,
    buffered: int = 9,
    delay: int = 0,
    arrival: int | None = None,
    hop: int = 2,
) -> Segment:
    """Two layers in tiles 0 and 1; the second needs `need` positions of the first; the first reads an input of as many
    positions as it has, where `arrival` cycles on the input port are given."""
    positions = first.homes.shape[1]
    streams = [Stream(positions, 0), Stream(second.homes.shape[1], 0)]
    inputs: tuple[InputFlow, ...] = ()
    readers: list[tuple[tuple[int, int], ...]] = [((1, delay),), ()]
    window = None
    layers = (first, second)
    shift = 0
    if arrival is not None:
        shift = 1
        streams.insert(0, Stream(positions, 0))
        inputs = (InputFlow(0, np.full((steps, positions), arrival, np.int64)),)
        readers = [((1, 0),), ((2, delay),), ()]
        window = Window(0, 0, np.arange(1, positions + 1))
    made = tuple(LayerFlow(i + shift, flow.copies, flow.vectors, flow.homes) for i, flow in enumerate(layers))
    lanes = (Lane(0, 0, 0, 0, 0, 0, window), Lane(1, 0, 0, 1, 1, 0, Window(shift, delay, np.array(need, np.int64))))
    homes = (Home(0, 0, 0, ()), Home(1, 0, 1, ()))
    return Segment(
        steps=steps, depth=1000, hop=hop, buffered=buffered, tiles=2, egresses=2, streams=tuple(streams), inputs=inputs,
        layers=made, lanes=lanes, homes=homes, readers=tuple(readers),
    )  # fmt: skip
