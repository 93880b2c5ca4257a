"""Buses and links by themselves: when a parcel may go, how long it takes, who goes first, what credits hold back."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any, cast

import pytest

from simulator.components.bus import Bus
from simulator.components.link import Link
from simulator.engine.carrier import Parcel
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.errors import InputError
from simulator.hardware import unit_type
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from simulator.ledger import Ledger
from tests.order.shuffled import ShuffledEnvironment

ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])
WIDTH, LATENCY, PERIOD = 32, 3, 1000
FREE = {"value": 0, "source": "none", "grade": "assumed"}


def path(kind: str = "bus", engine: str = "kernel", credits: int = 8, env: Environment | None = None, **fields: str):
    """A bus or link of 32 bits per cycle of 1 ns with a latency of 3 cycles."""
    spec = unit_type(kind).model_validate(
        {"type": kind, "clock": "c", "width_bits": WIDTH, "latency_cycles": LATENCY, "credits": credits,
         "transfer_energy_pj_per_bit": FREE, "leakage_mw": FREE, "area_mm2": FREE, **fields}
    )  # fmt: skip
    nothing = cast(Any, None)
    ledger = Ledger(["path"], ["unattributed", "a"], [action.name for action in spec.ACTIONS])
    ctx = Context(name="path", number=0, env=env or Environment(), clock=Clock("c", 10**9), ledger=ledger,
                  log=StateLog((), paint, add_runs), board=nothing, queue=nothing, work=nothing,
                  reference=engine == "reference", first_id=0, plain={})  # fmt: skip
    return {"bus": Bus, "link": Link}[kind](ctx, spec)


Ask = tuple[int, int, int, int, int]
"""Client, cycle in which it asks, bits, cycles after arrival until the parcel is stored, priority."""


def carried(unit: Any, asks: list[Ask]) -> list[tuple[int, int, int, int]]:
    """Client, grant, release and arrival in cycles, in order of arrival."""
    env, found = unit.ctx.env, []
    carrier = unit.attach("someone")

    def one(client: int, at: int, bits: int, stored: int, priority: int) -> Generator[Any, Any, None]:
        yield env.sleep_until(at * PERIOD)
        grant, release = yield carrier.carry(Parcel(client, client, 1, "weight", bits, priority))
        found.append((client, grant // PERIOD, release // PERIOD, env.now // PERIOD))
        yield env.sleep_until(env.now + stored * PERIOD)
        carrier.taken()

    for ask in asks:
        env.process(one(*ask))
    env.run()
    unit.ctx.log.commit(0)
    return sorted(found, key=lambda row: (row[3], row[0]))


@ENGINES
@pytest.mark.parametrize("kind", ["bus", "link"])
@pytest.mark.parametrize("bits,words", [(1, 1), (32, 1), (33, 2), (320, 10)])
def test_words_then_latency(engine: str, kind: str, bits: int, words: int) -> None:
    unit = path(kind, engine)
    assert carried(unit, [(0, 5, bits, 0, 0)]) == [(0, 5, 5 + words, 5 + words + LATENCY)]
    assert unit.ctx.log.busy == words
    assert unit.ctx.links == {"path": {"weight": [bits, bits]}}
    assert unit.ctx.ledger.counts[0, 1, unit.ctx.ledger.index("transfer:weight")] == bits


@ENGINES
def test_the_next_parcel_goes_when_the_path_is_free_not_when_the_last_arrived(engine: str) -> None:
    """Blocked in cycle 9, legal in cycle 10; latencies overlap."""
    unit = path("bus", engine)
    assert carried(unit, [(0, 0, 320, 0, 0), (1, 2, 64, 0, 0)]) == [(0, 0, 10, 13), (1, 10, 12, 15)]
    assert unit.ctx.log.waits == {"arbiter": 8} and unit.ctx.log.busy == 12


@ENGINES
def test_ties_fall_by_id_and_early_before_late(engine: str) -> None:
    unit = path("bus", engine)
    assert [row[0] for row in carried(unit, [(3, 0, 32, 0, 0), (2, 0, 32, 0, 0), (1, 1, 32, 0, 0)])] == [2, 3, 1]


@ENGINES
def test_priority_overtakes_what_waits_but_not_what_goes(engine: str) -> None:
    asks = [(0, 0, 320, 0, 0), (1, 1, 32, 0, 0), (2, 5, 32, 0, 7), (3, 9, 32, 0, 7)]
    assert [row[0] for row in carried(path("bus", engine, arbitration="priority"), asks)] == [0, 2, 3, 1]
    assert [row[0] for row in carried(path("bus", engine), asks)] == [0, 1, 2, 3]


@ENGINES
def test_turns_go_round(engine: str) -> None:
    """Clients 0, 1 and 4 wait with three, two and one parcels: first come goes client by client, turns 0 1 4 0 1 0."""
    asks = [(0, 0, 32, 0, 0), (0, 0, 32, 0, 0), (0, 0, 32, 0, 0), (1, 0, 32, 0, 0), (1, 0, 32, 0, 0), (4, 0, 32, 0, 0)]
    assert [row[0] for row in carried(path("bus", engine, arbitration="round_robin"), asks)] == [0, 1, 4, 0, 1, 0]
    assert [row[0] for row in carried(path("bus", engine), asks)] == [0, 0, 0, 1, 1, 4]


@ENGINES
@pytest.mark.parametrize("credits,third", [(1, 2 * (1 + LATENCY + 20)), (2, 1 + LATENCY + 20), (3, 2)])
def test_credits_are_places_at_the_far_end(engine: str, credits: int, third: int) -> None:
    """Each parcel lies 20 cycles at the far end before it is stored; the third one goes when a place is free."""
    rows = carried(path("bus", engine, credits), [(i, 0, 32, 20, 0) for i in range(3)])
    assert [row[1] for row in rows][2] == third


@pytest.mark.parametrize("arbitration", ["first_come", "priority", "round_robin"])
@ENGINES
def test_shuffled_ties_change_nothing(engine: str, arbitration: str) -> None:
    asks = [(client, 7 * (client % 3), 32 * (1 + client % 4), client % 5, client % 2) for client in range(12)]
    plain = carried(path("bus", "kernel", 3, arbitration=arbitration), asks)
    for seed in range(6):
        assert carried(path("bus", engine, 3, ShuffledEnvironment(seed), arbitration=arbitration), asks) == plain


def test_a_link_belongs_to_one_mover() -> None:
    link, bus = path("link"), path("bus")
    link.attach("dma[0]")
    with pytest.raises(InputError, match=r"units.dma\[1\].via: a link belongs to one mover; found 'path, used by dma"):
        link.attach("dma[1]")
    assert bus.attach("dma[0]") is bus.attach("dma[1]")
