"""The flow through a bank of crossbar tiles: kernel, processes and the cycle-by-cycle oracle on random segments."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.cim_tile import flow
from simulator.components.cim_tile.flow_reference import FlowReference
from simulator.components.cim_tile.segment import Flow, Home, InputFlow, Lane, LayerFlow, Segment, Stream, Window
from simulator.engine.environment import Environment
from tests.oracles.cim_flow import BUSY, INPUT, OracleFlow
from tests.order.shuffled import ShuffledEnvironment


def window(rng, stream: int, streams: list[Stream], readers, me: int, positions: int, buffered: int) -> Window:
    """A window on an earlier stream, or with a delay on a later one, in raster order or not."""
    delay = int(rng.integers(0, buffered)) if stream < me else int(rng.integers(1, buffered))
    need = rng.integers(0, streams[stream].positions + 1, positions)
    readers[stream].append((me, delay))
    return Window(stream, delay, np.sort(need) if rng.random() < 0.8 else need)


def segment(seed: int) -> Segment:
    """A few layers with copies, row blocks, residual and recurrent windows, tiles shared by chance."""
    rng = np.random.Generator(np.random.PCG64(seed))
    steps, buffered = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    inputs, layers = int(rng.integers(0, 3)), int(rng.integers(1, 4))
    tiles = int(rng.integers(1, 4))
    first = [0] * inputs + rng.choice([0, 0, 0, 1, 4], layers).tolist()
    streams = [Stream(int(rng.integers(1, 6)), n) for n in first]
    readers: list[list[tuple[int, int]]] = [[] for _ in streams]
    flows, lanes, homes = [], [], []
    slow = int(rng.integers(1, 9))
    for i in range(layers):
        me = inputs + i
        p, blocks, copies = streams[me].positions, int(rng.integers(0, 4)), int(rng.integers(1, 4))
        vectors = rng.integers(0, slow + 1, (steps, p, blocks, 4))
        vectors[..., 3] = rng.random(vectors.shape[:3]) < 0.7
        vectors[..., :2] *= rng.integers(0, 3, (*vectors.shape[:3], 1))
        work = rng.integers(0, slow + 1, (steps, p, 4))
        work[..., 2] = np.maximum(1, work[..., 2])
        work[..., 3] *= int(rng.integers(0, 2))
        flows.append(LayerFlow(me, copies, vectors, work))
        last = me + (1 if buffered > 1 else 0)
        sources = [int(rng.integers(0, min(last + 1, len(streams)))) for _ in range(blocks + 1)]
        if buffered == 1:
            sources = [s for s in sources if s < me]
        blocks_windows = [
            window(rng, s, streams, readers, me, p, buffered) if rng.random() < 0.8 else None for s in sources
        ]
        blocks_windows += [None] * (blocks + 1 - len(blocks_windows))
        own = tuple(w for w in blocks_windows[blocks:] if w is not None)
        for copy in range(copies):
            home = len(homes)
            homes.append(Home(i, copy, int(rng.integers(0, tiles)), own))
            for block in range(blocks):
                for tile in rng.permutation(tiles)[: rng.integers(1, tiles + 1)].tolist():
                    send = 0 if tile == homes[home].tile else int(rng.integers(1, slow + 1))
                    lanes.append(Lane(i, copy, block, tile, home, send, blocks_windows[block]))
    sources_in = [InputFlow(i, rng.integers(1, slow + 1, (steps, streams[i].positions))) for i in range(inputs)]
    return Segment(
        steps, int(rng.integers(1, 4)), int(rng.integers(0, 4)), buffered, tiles, int(rng.choice([1, tiles])),
        tuple(streams), tuple(sources_in), tuple(flows), tuple(lanes), tuple(homes), tuple(map(tuple, readers)),
    )  # fmt: skip


def reference(made: Segment, env: Environment | None = None) -> Flow:
    env = env or Environment()
    process = env.process(FlowReference(env, made, lambda c: env.sleep_until(c), lambda: env.now).run())
    return env.run(until=process)


def states(found: Flow) -> np.ndarray:
    """State of every cycle: the first of those that overlap."""
    state = np.full(found.end, -1)
    for kind in range(INPUT, BUSY - 1, -1):
        for start, end in found.runs[kind].tolist():
            state[start:end] = kind
    return state


def cycles(track: np.ndarray) -> set[int]:
    """Cycles of a track, whose intervals rise and do not touch."""
    assert (track[1:, 0] > track[:-1, 1]).all() and (track[:, 1] > track[:, 0]).all()
    return {cycle for start, end in track.tolist() for cycle in range(start, end)}


def check(a: Flow, b: Flow) -> None:
    assert a.end == b.end
    for name in ("span", "active", "tiles", "waits"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), name)
    assert a.tracks is not None and b.tracks is not None
    for mine, other in zip(a.tracks, b.tracks, strict=True):
        np.testing.assert_array_equal(mine, other)
    np.testing.assert_array_equal(states(a), states(b))


@pytest.mark.parametrize("seed", range(60))
def test_kernel_equals_the_bank_cycle_by_cycle(seed: int) -> None:
    made = segment(seed)
    found = flow.run(made, tracks=True)
    oracle = OracleFlow(made)
    end, span, active, waits, state = oracle.run()
    assert found.end == end
    np.testing.assert_array_equal(found.span, span)
    np.testing.assert_array_equal(found.active, active)
    np.testing.assert_array_equal(found.waits, waits)
    np.testing.assert_array_equal(states(found), state)
    assert found.tracks is not None
    assert [cycles(track) for track in found.tracks] == [*oracle.work, *oracle.tile_work]
    assert found.tiles.tolist() == [len(worked) for worked in oracle.tile_work]


def test_nobody_asks_for_tracks() -> None:
    made = segment(1)
    plain, full = flow.run(made), flow.run(made, tracks=True)
    assert plain.tracks is None and full.tracks is not None
    for name in ("end", "span", "active", "tiles", "waits"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(full, name), name)
    assert len(full.tracks) == len(made.layers) + made.tiles


@pytest.mark.parametrize("seed", range(100, 400))
def test_kernel_equals_the_processes(seed: int) -> None:
    made = segment(seed)
    check(flow.run(made, tracks=True), reference(made))


@pytest.mark.parametrize("seed", range(500, 530))
def test_order_within_a_cycle_changes_nothing(seed: int) -> None:
    made = segment(seed)
    found = flow.run(made, tracks=True)
    for tie in range(4):
        check(found, reference(made, ShuffledEnvironment(tie)))


def test_runs_of_the_kernel_cover_the_segment_once() -> None:
    for seed in range(40):
        found = flow.run(segment(seed))
        every = np.concatenate(found.runs)
        every = every[np.argsort(every[:, 0])]
        assert every[0, 0] == 0 and every[-1, 1] == found.end if found.end else every.size == 0
        assert (every[1:, 0] == every[:-1, 1]).all()
