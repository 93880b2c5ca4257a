"""Crossbar tiles to the cycle: a vector alone, what may begin when, and the rate that each part allows."""

from __future__ import annotations

import pytest

from tests.timing.cim_bench import alone, chain, layer, run

ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])


@ENGINES
@pytest.mark.parametrize(
    "fetch,lat,own,work,write", [(1, 1, 0, 0, 1), (3, 9, 0, 4, 2), (5, 26, 2, 1, 7), (0, 0, 0, 0, 1)]
)
def test_a_vector_alone(engine, fetch, lat, own, work, write) -> None:
    made = alone(fetch=fetch, lat=lat, occ=lat, own=own, work=work, write=write)
    found = run(made, engine)
    assert found.end == found.span[0, 1] == fetch + lat + own + work + write
    assert found.active[0] == lat + work
    assert found.waits.sum() == 0


@ENGINES
@pytest.mark.parametrize("sent,hop", [(1, 1), (4, 3)])
def test_a_result_of_another_tile_travels(engine, sent, hop) -> None:
    """Egress and a hop for the result; egress and a hop for the spikes where a reader lives elsewhere."""
    inside = run(alone(fetch=2, lat=5, hop=hop), engine).end
    assert run(alone(fetch=2, lat=5, tiles=(1,), send=sent, hop=hop), engine).end == inside + sent + hop
    both = alone(fetch=2, lat=5, tiles=(1,), send=sent, hop=hop)
    both.layers[0].homes[..., 3] = 6
    assert run(both, engine).end == inside + sent + hop + 6 + hop
    both.layers[0].vectors[..., 3] = 0  # a skipped vector sends a token of one cycle
    assert run(both, engine).end == inside + 1 + hop + 6 + hop


@ENGINES
@pytest.mark.parametrize("occ,late", [(6, 0), (7, 0), (8, 1), (11, 4)])
def test_the_next_vector_waits_for_the_pe(engine, occ, late) -> None:
    """Vector 0 starts in cycle 7, when vector 1 is first fetched; that is there in 14: a PE free in 14 will do."""
    found = run(alone(2, fetch=7, lat=1, occ=occ), engine)
    assert found.end == 14 + late + 1 + 2


@ENGINES
@pytest.mark.parametrize("depth,fetch,lat,occ,work,write", [
    (9, 2, 3, 3, 1, 1), (9, 5, 3, 3, 1, 1), (9, 2, 12, 7, 1, 1), (9, 1, 2, 2, 6, 1), (1, 1, 2, 2, 6, 3),
    (2, 1, 4, 4, 2, 8),
])  # fmt: skip
def test_the_slowest_part_sets_the_rate(engine, depth, fetch, lat, occ, work, write) -> None:
    """Fetch, PE and home work side by side; a home and a lane share the buffer port."""

    def end(positions: int) -> int:
        return run(alone(positions, depth=depth, fetch=fetch, lat=lat, occ=occ, work=work, write=write), engine).end

    assert end(60) - end(20) == 40 * max(occ, work + write, fetch + write)


@ENGINES
@pytest.mark.parametrize("tiles,rate", [((0, 1), 6), ((1, 1), 12), ((1, 1, 1), 18), ((1, 2), 6)])
def test_lanes_of_a_tile_share_its_port(engine, tiles, rate) -> None:
    """Six cycles of fetch per lane; the home, in a tile of its own or with a write of one cycle, takes less."""

    def end(positions: int) -> int:
        return run(alone(positions, tiles=tiles, home=2, send=1, fetch=6), engine).end

    if 2 in tiles:
        rate += 1
    assert end(50) - end(10) == 40 * rate


@ENGINES
def test_the_longest_waiter_is_served_first_then_the_lowest_number(engine) -> None:
    """Three lanes ask in cycle 0 for 5 cycles each: results are there in 6, 11 and 16; the join waits for the last."""
    found = run(alone(1, tiles=(0, 0, 0), fetch=5), engine)
    assert found.end == 16 + 1 + 1
    assert found.waits[0].tolist() == [0, 0, 10, 5 + 10, 0, 0]  # partial sums from 6 to 16; ports 5 and 10


@ENGINES
@pytest.mark.parametrize("egresses,rate", [(3, 4), (1, 8)])
def test_a_bus_has_one_egress(engine, egresses, rate) -> None:
    def end(positions: int) -> int:
        return run(alone(positions, tiles=(0, 1), home=2, send=4, egresses=egresses), engine).end

    assert end(50) - end(10) == 40 * rate


@ENGINES
@pytest.mark.parametrize("depth", [1, 2, 5])
def test_results_wait_for_their_home(engine, depth) -> None:
    """A home of 100 cycles takes position m at its end; the lane starts vector m + depth then, not a cycle earlier."""
    found = run(alone(8, depth=depth, fetch=1, lat=1, occ=1, work=99, write=1), engine)
    assert found.end == 2 + 8 * 100
    quick = 1 + depth  # vectors that start before the home is busy: one is taken at once
    blocked = sum(2 + 100 * (m - depth) - _ready(m, depth) for m in range(quick, 8))
    assert found.waits[0, 2] == blocked


def _ready(m: int, depth: int) -> int:
    """Cycle in which vector m is in the register and the PE is free: a cycle of fetch and of work after its elder."""
    if m <= depth + 1:
        return m + 1
    return 2 + 100 * (m - 1 - depth) + 1


@ENGINES
@pytest.mark.parametrize("needed", [0, 1, 3, 5])
def test_a_window_opens_with_its_last_position(engine, needed) -> None:
    """The first result is there in cycle 3; the first layer has a position every 10 cycles, the first in cycle 13."""
    first = layer(0, 1, 5, fetch=1, lat=2, occ=2, work=9, write=1)
    second = layer(1, 1, 1, fetch=1, lat=2, occ=2, work=9, write=1)
    found = run(chain(first, second, [needed]), engine)
    opens = 3 + 10 * needed if needed else 0
    assert found.span[1].tolist() == [opens, opens + 1 + 2 + 10]


@ENGINES
def test_layers_follow_each_other_position_by_position(engine) -> None:
    """Windows of one position: the second layer ends one position after the first, a hop where it lives elsewhere."""
    first = layer(0, 1, 20, fetch=1, lat=5, occ=5, work=1, write=1, send=1)
    second = layer(1, 1, 20, fetch=1, lat=5, occ=5, work=1, write=1)
    found = run(chain(first, second, list(range(1, 21)), hop=4), engine)
    one = 1 + 5 + 1 + 1
    assert found.span[0].tolist() == [0, one + 19 * 5 + 1 + 4]
    assert found.span[1].tolist() == [one + 1 + 4, one + 19 * 5 + 1 + 4 + one]


@ENGINES
def test_a_buffer_of_one_timestep_makes_layers_take_turns(engine) -> None:
    """The source may begin timestep t when its reader has made t - 1; with room for all timesteps it runs ahead."""
    fast = layer(0, 6, 1, fetch=0, lat=1, occ=1)
    slow = layer(1, 6, 1, fetch=1, lat=40, occ=40)
    one = 1 + 40 + 1 + 1
    tight = run(chain(fast, slow, [1], steps=6, buffered=1), engine)
    assert tight.end == 3 + one + 5 * (2 + one)  # a result in 1; the home of the source works and writes: 2 cycles
    assert tight.waits[0, 5] == 5 * one
    loose = run(chain(fast, slow, [1], steps=6, buffered=6), engine)
    assert loose.end == 3 + one + 5 * 40
    assert loose.waits[0, 5] == 0


@ENGINES
def test_a_delay_keeps_a_timestep_longer(engine) -> None:
    """With delay 1 the reader is never late, but the source waits until its reader has made t - 2 + 1."""
    fast = layer(0, 6, 1, fetch=0, lat=1, occ=1)
    slow = layer(1, 6, 1, fetch=1, lat=40, occ=40)
    found = run(chain(fast, slow, [1], steps=6, buffered=2, delay=1), engine)
    assert found.end == 43 + 5 * 40
    assert found.span[0].tolist() == [0, 43 + 4 * 40 + 2]


@ENGINES
@pytest.mark.parametrize("arrival", [3, 11])
def test_inputs_enter_one_after_another(engine, arrival) -> None:
    """The input port lets a position in every `arrival` cycles; the first vector starts a hop after the first."""
    first = layer(0, 1, 9, fetch=1, lat=2, occ=2)
    second = layer(1, 1, 1, fetch=1, lat=2, occ=2)
    found = run(chain(first, second, [9], arrival=arrival, hop=2), engine)
    assert found.span[0].tolist() == [arrival + 2, 9 * arrival + 2 + 1 + 2 + 1 + 1]
