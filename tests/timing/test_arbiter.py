"""Earliest legal instant of a grant: blocked at c - 1, legal at c; ties fall by (request time, id)."""

from __future__ import annotations

from simulator.engine.arbiter import Arbiter, BankedPorts, Servers
from simulator.engine.credit import Credits
from simulator.engine.environment import Environment
from simulator.engine.levels import GRANT_BANK


class Probe:
    """Asks for things at given instants and notes when each is granted."""

    def __init__(self, pool) -> None:
        self.env = Environment()
        self.arbiter = Arbiter(self.env, GRANT_BANK, pool)
        self.granted: list[tuple[int, int]] = []

    def ask(self, at: int, requester: int, key: int = 0, hold: int | None = None, priority: int = 0) -> None:
        """Requester asks at `at`; it gives the key back `hold` after its grant."""

        def grant() -> None:
            self.granted.append((self.env.now, requester))
            if hold is not None:
                self.env.call_at(self.env.now + hold, lambda: self.arbiter.release(key))

        self.env.call_at(at, lambda: self.arbiter.request(requester, key, grant, priority))

    def run(self) -> list[tuple[int, int]]:
        """Grants as (instant, requester), in order."""
        self.env.run()
        return self.granted


def test_a_free_server_is_granted_in_the_instant_of_the_request() -> None:
    probe = Probe(Servers(1))
    probe.ask(7, 0)
    assert probe.run() == [(7, 0)]


def test_a_held_server_is_blocked_until_its_release_and_legal_at_it() -> None:
    for at in (11, 12, 13, 14, 15, 16):
        probe = Probe(Servers(1))
        probe.ask(10, 0, hold=5)
        probe.ask(at, 1)
        assert probe.run() == [(10, 0), (max(at, 15), 1)]


def test_the_older_request_goes_first_then_the_lower_id() -> None:
    probe = Probe(Servers(1))
    probe.ask(0, 9, hold=10)
    for at, requester in ((3, 5), (3, 2), (2, 8), (10, 0)):
        probe.ask(at, requester, hold=10)
    assert probe.run() == [(0, 9), (10, 8), (20, 2), (30, 5), (40, 0)]


def test_of_more_requests_than_servers_the_first_by_id_are_served() -> None:
    probe = Probe(Servers(2))
    for requester in (4, 1, 3, 2):
        probe.ask(6, requester, hold=4)
    assert probe.run() == [(6, 1), (6, 2), (10, 3), (10, 4)]


def test_a_bank_conflict_waits_and_another_bank_does_not() -> None:
    probe = Probe(BankedPorts(2, 2))
    probe.ask(0, 0, key=0, hold=5)
    probe.ask(1, 1, key=0, hold=5)
    probe.ask(1, 2, key=1, hold=5)
    assert probe.run() == [(0, 0), (1, 2), (5, 1)]


def test_a_port_conflict_waits_although_the_bank_is_free() -> None:
    probe = Probe(BankedPorts(2, 1))
    probe.ask(0, 0, key=0, hold=5)
    probe.ask(1, 1, key=1, hold=5)
    assert probe.run() == [(0, 0), (5, 1)]


def test_a_credit_returns_to_the_longest_waiter_in_its_instant() -> None:
    env = Environment()
    credits = Credits(env, 1)
    taken: list[tuple[int, str]] = []

    def sender(name: str, at: int):
        yield env.sleep_until(at)
        slot = credits.take()
        if slot is not None:
            yield slot
        taken.append((env.now, name))

    for name, at in (("first", 1), ("late", 3), ("second", 2)):
        env.process(sender(name, at))
    env.call_at(9, credits.give)
    env.call_at(12, credits.give)
    env.run()
    assert taken == [(1, "first"), (9, "second"), (12, "late")]


def test_higher_priority_goes_before_earlier_and_lower_id() -> None:
    probe = Probe(Servers(1))
    probe.ask(0, 9, hold=10)
    probe.ask(1, 0, hold=1)
    probe.ask(3, 2, hold=1, priority=1)
    probe.ask(3, 1, hold=1, priority=1)
    probe.ask(10, 3, hold=1, priority=2)
    assert probe.run() == [(0, 9), (10, 3), (11, 1), (12, 2), (13, 0)]
