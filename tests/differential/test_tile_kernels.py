"""Kernels of the closed form of crossbar tiles against plain definitions, on random blocks and random flows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.kernels import tile_blocks as blocks
from simulator.kernels import tile_flow as flow
from tests.oracles.tile_blocks import Group, expected
from tests.oracles.tile_flow import Stream, ends

POLICIES = {"static": blocks.STATIC, "static_skip": blocks.STATIC_SKIP, "pack": blocks.PACK}
SKIPS = {"none": blocks.NONE, "pe": blocks.PE, "array": blocks.ARRAY}
NAMES = {"active": blocks.ACTIVE, "groups": blocks.GROUPS, "idle": blocks.IDLE, "rows": blocks.ROWS,
         "inputs": blocks.INPUTS, "adds": blocks.ADDS, "slots": blocks.SLOTS, "convert": blocks.CONVERT}  # fmt: skip


def tables(groups: list[Group], limit: int) -> tuple[blocks.Kinds, np.ndarray]:
    """One kind at one place, and the sizes of its sets: the whole, the domains, the groups."""
    domains = sorted({g.domain for g in groups})
    by_domain = [sum(g.inputs for g in groups if g.domain == d) for d in domains]
    sizes = [sum(by_domain), *by_domain, *(g.inputs for g in groups)]
    first = 1 + len(domains)
    kinds = blocks.Kinds(
        kind=np.array([(0, 0, 1, 0, 1, 0, len(groups), limit)], np.int64),
        weight=np.ones(1), whole=np.zeros(1, np.int64), cell=np.zeros(1, np.int64), domain=np.zeros(1, np.int64),
        group_set=np.arange(first, first + len(groups)), inputs=np.array([g.inputs for g in groups], np.float64),
        domain_set=np.arange(1, first), of=np.array([g.domain for g in groups], np.int64),
        arrays=np.array([g.arrays for g in groups], np.float64),
    )  # fmt: skip
    return kinds, np.array(sizes, np.float64)[:, None]


def random_groups(rng: np.random.Generator, policy: str, limit: int) -> list[Group]:
    """Up to eight inputs in a few domains; with `pack` a domain is one group."""
    found: list[Group] = []
    for domain in range(int(rng.integers(1, 4))):
        count = 1 if policy == "pack" else int(rng.integers(1, 3))
        for _ in range(count):
            inputs = int(rng.integers(1, 5 if policy == "pack" else min(3, limit) + 1))
            if sum(g.inputs for g in found) + inputs <= 8:
                found.append(Group(domain, int(rng.integers(1, 3)), inputs))
    return found


@pytest.mark.parametrize("policy", list(POLICIES))
@pytest.mark.parametrize("skip", list(SKIPS))
@pytest.mark.parametrize("side", [False, True])
def test_expected_groups_are_means_over_all_patterns(policy: str, skip: str, side: bool) -> None:
    rng = np.random.Generator(np.random.PCG64(len(policy) * 7 + len(skip) + side))
    for _ in range(6):
        limit = int(rng.integers(1, 4))
        groups = random_groups(rng, policy, limit)
        p = np.array([[0.0, 0.03, float(rng.random()), 1.0]])
        kinds, size = tables(groups, limit)
        at, more = ([0], [5]) if policy == "pack" else ([0, 1, 2], [3, 1, 2])
        reading = blocks.Reading(POLICIES[policy], SKIPS[skip], side, np.array(at), np.array(more))
        found = np.zeros((1, blocks.FOUND, p.size))
        on, turns = np.zeros((1, p.size)), np.zeros((1, p.size))
        off = np.log(np.maximum(1 - p, 1e-300))
        blocks.price_blocks(kinds, reading, np.repeat(size, p.size, axis=1), off, p, found, on, turns)
        for u, one in enumerate(p[0].tolist()):
            plain = expected(groups, limit, policy, skip, side, at, more, one)
            for name, column in NAMES.items():
                if name != "convert" or policy != "pack":
                    assert found[0, column, u] == pytest.approx(plain[name], abs=1e-9), (name, groups, one)
            assert on[0, u] == pytest.approx(plain["active"], abs=1e-9)
            assert turns[0, u] == pytest.approx(plain["turns"], abs=1e-9), (groups, limit, one)


@pytest.mark.parametrize("n", [1, 4, 17, 200])
@pytest.mark.parametrize("p", [1e-6, 0.03, 0.5, 0.97])
def test_more_than_is_the_tail_of_a_binomial(n: int, p: float) -> None:
    chance = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
    for k in {0, n // 3, n // 2, n - 1, n}:
        assert blocks.more_than(float(k), float(n), p) == pytest.approx(math.fsum(chance[k + 1 :]), rel=1e-9, abs=1e-14)


def test_conversions_of_packed_groups_are_full_or_half_full() -> None:
    """All 10 inputs on in groups of 4: two full groups and one that counts as half full (2 rows)."""
    reading = blocks.Reading(blocks.PACK, blocks.PE, False, np.array([0, 2, 3]), np.array([1, 10, 100]))
    assert blocks.conversions(reading, 10.0, 1.0, 4) == pytest.approx(2 * 111 + 11)
    assert blocks.conversions(reading, 10.0, 0.0, 4) == 0


def random_flow(rng: np.random.Generator, steps: int) -> list[Stream]:
    """An input and up to three layers that read earlier streams, or themselves one timestep later."""
    def times() -> dict[str, float]:
        return {name: float(rng.integers(0, 9)) / 2 for name in ("period", "fetch", "late", "home", "after")}

    streams = [Stream(int(rng.integers(1, 6)), 1, False, [times() for _ in range(steps)])]
    for n in range(1, int(rng.integers(2, 5))):
        positions = int(rng.integers(1, 6))
        s = Stream(positions, int(rng.integers(1, 3)), rng.random() < 0.8, [times() for _ in range(steps)])
        for source in {n - 1, int(rng.integers(n))}:
            need = np.sort(rng.integers(0, streams[source].positions + 1, positions)).tolist()
            s.windows.append((source, int(rng.integers(0, 2)), need, not s.lanes or rng.random() < 0.3))
        if rng.random() < 0.3:
            s.windows.append((n, 1, [positions] * positions, False))
        streams.append(s)
        for source, delay, _, _ in s.windows:
            streams[source].readers.append((n, delay))
    return streams


def packed(streams: list[Stream], depth: int, buffered: int) -> flow.Streams:
    """The kernel's tables of the same streams."""
    rows, windows, needs, first, copies = [], [], [], 0, 0
    for s in streams:
        begin = len(windows)
        for source, delay, need, own in s.windows:
            windows.append((source, delay, len(needs), int(own)))
            needs += need
        rows.append((s.positions, s.copies, first, begin, len(windows), int(s.lanes), copies))
        first, copies = first + s.positions, copies + s.copies
    gates = [reader for s in streams for reader in s.readers]
    return flow.Streams(
        np.array(rows, np.int64), np.array(windows, np.int64).reshape(-1, 4), np.array([*needs, 0], np.int64),
        np.cumsum([0, *(len(s.readers) for s in streams)]), np.array(gates, np.int64).reshape(-1, 2), depth, buffered,
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(25))
def test_flow_follows_its_definition(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    steps, depth, buffered = 4, int(rng.integers(1, 4)), int(rng.integers(2, 4))
    streams = random_flow(rng, steps)
    order = ("period", "fetch", "late", "home", "after")
    times = np.zeros((steps, len(streams), flow.TIMES))
    for n, s in enumerate(streams):
        for t in range(steps):
            times[t, n, :5] = [s.times[t][name] for name in order]
    copies = sum(s.copies for s in streams)
    begin, end, active = np.zeros((3, steps, len(streams)))
    rows = 1 + max(delay for s in streams for _, delay, _, _ in s.windows)
    there = np.full((rows, sum(s.positions for s in streams)), np.nan)
    played = flow.flow_tiles(
        packed(streams, depth, buffered), times, np.ones((steps, len(streams)), np.uint8), np.full(copies, -np.inf),
        np.zeros(copies), np.full(copies * depth, -np.inf), np.zeros(copies, np.int64), np.full(len(streams), -np.inf),
        there, begin, end, active,
    )  # fmt: skip
    assert played == steps
    assert end.tolist() == ends(streams, depth, buffered, steps)
    assert (active <= end - np.minimum(begin, end) + 1e-9).all()


def test_flow_stops_where_all_streams_keep_their_pace() -> None:
    """One layer of four positions, 7 cycles each: every timestep takes 28; the rest of the timesteps is left out."""
    streams = [Stream(4, 1, False, []), Stream(4, 1, True, [], [(0, 0, [1, 2, 3, 4], False)])]
    streams[0].readers.append((1, 0))
    times = np.zeros((1, 2, flow.TIMES))
    times[0, 0, flow.HOME] = 1
    times[0, 1, [flow.PERIOD, flow.LATE, flow.HOME, flow.WORK]] = 7, 7, 2, 1
    begin, end, active = np.zeros((3, 50, 2))
    played = flow.flow_tiles(
        packed(streams, 2, 2), times, np.ones((1, 2), np.uint8), np.full(2, -np.inf), np.zeros(2),
        np.full(4, -np.inf), np.zeros(2, np.int64), np.full(2, -np.inf), np.zeros((50, 8)), begin, end, active,
    )  # fmt: skip
    assert 4 < played < 12
    assert end[played - 1, 1] - end[played - 2, 1] == 28
    assert end[0, 1] == 1 + 3 * 7 + 7 + 2
    assert 27 <= active[1, 1] <= 28  # a gap of a cycle between the last vector's result and its home may be lost
