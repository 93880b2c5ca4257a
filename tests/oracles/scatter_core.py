"""Plain definition of a scatter core's timing: feeder, FIFO, dispatcher, engines and banks, one cycle after another."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Event:
    """One event as the core meets it: when it may be read, cycles of decode and fetch, and its taps (bank, hold)."""

    ready: int
    fetch: int
    taps: list[tuple[int, int]]


@dataclass
class Walk:
    """An engine at work: what is left of its taps, when it asked for the next one, when its present one ends."""

    age: int
    taps: deque
    asked: int
    ends: int = -1


@dataclass
class OracleStep:
    """What one timestep left: push cycle per event, last cycle of work (None: no work), busy cycles, summed waits."""

    pushes: list[int] = field(default_factory=list)
    end: int | None = None
    busy: set[int] = field(default_factory=set)
    bank_waits: int = 0
    engine_waits: int = 0
    fifo_waits: int = 0


def oracle_step(events: list[Event], floor: int, feed: int, depth: int, engines: int) -> OracleStep:
    """Runs the events of a timestep from cycle `floor` until nothing is left to do."""
    result = OracleStep()
    to_feed = deque(events)
    feeding = None  # cycle in which the event at the head of `to_feed` is ready to be pushed
    fifo: deque[tuple[int, Event]] = deque()
    fetching: tuple[int, Event] | None = None
    walks: list[Walk] = []
    free_at: dict[int, int] = {}
    age = 0
    last_push = floor
    t = floor
    while to_feed or fifo or fetching or walks:
        # A tap ends: its bank is free and the engine asks for the next one in this cycle, or is done.
        for walk in list(walks):
            if walk.ends == t:
                walk.taps.popleft()
                walk.asked, walk.ends = t, -1
                if not walk.taps:
                    walks.remove(walk)
                    result.end = t
        # Banks: the oldest request first, then the older event.
        asking = [walk for walk in walks if walk.ends < 0 and walk.asked <= t]
        for walk in sorted(asking, key=lambda walk: (walk.asked, walk.age)):
            bank, hold = walk.taps[0]
            if free_at.get(bank, t) <= t:
                free_at[bank] = walk.ends = t + hold
            else:
                result.bank_waits += 1
        # Engines: a fetched event is handed over where one is idle; an event without taps needs none.
        if fetching and fetching[0] <= t:
            event = fetching[1]
            if not event.taps:
                fetching, result.end = None, t
            elif len(walks) < engines:
                walks.append(Walk(age, deque(event.taps), t + 1))
                age += 1
                fetching = None
            else:
                result.engine_waits += 1
        # The dispatcher takes an event that was pushed in an earlier cycle, then the feeder may use the place.
        if not fetching and fifo and fifo[0][0] < t:
            event = fifo.popleft()[1]
            fetching = (t + event.fetch, event)
        if to_feed and feeding is None and to_feed[0].ready <= t:
            feeding = max(last_push, to_feed[0].ready) + feed
        if feeding is not None and feeding <= t:
            if len(fifo) < depth:
                fifo.append((t, to_feed.popleft()))
                result.pushes.append(t)
                last_push, feeding = t, None
                if to_feed and to_feed[0].ready <= t:
                    feeding = t + feed
            else:
                result.fifo_waits += 1
        if walks or (fetching and fetching[0] > t):
            result.busy.add(t)
        t += 1
    return result


class OracleScan:
    """Update scans and the output link behind them, cycle by cycle; the link may still work in the next scan."""

    def __init__(self, depth: int, output: int) -> None:
        self.depth, self.output = depth, output
        self.fifo: deque[int] = deque()
        self.link_free = 0
        self.stalled: set[int] = set()
        self.done = 0

    def tick(self, t: int) -> None:
        """The link takes the oldest spike that was pushed before this cycle."""
        if self.fifo and self.fifo[0] < t and self.link_free <= t:
            self.fifo.popleft()
            self.link_free = self.done = t + self.output

    def run(self, since: int, start: int, spikes_per_word: list[int], update: int) -> int:
        """Scans words with so many spikes each from cycle `start`; the link runs from `since`.  Returns the end."""
        for t in range(since, start):
            self.tick(t)
        t = start
        last_push = start - 1
        for spikes in spikes_per_word:
            updated = t + update
            left = spikes
            while t < updated or left:
                self.tick(t)
                if t >= updated and left and last_push < t:
                    if len(self.fifo) < self.depth:
                        self.fifo.append(t)
                        last_push, left = t, left - 1
                    else:
                        self.stalled.add(t)
                if t >= updated and not left:
                    break
                t += 1
        return t

    def flush(self, t: int) -> int:
        """Runs the link until the FIFO is empty; returns the cycle in which the last spike is through."""
        while self.fifo:
            self.tick(t)
            t += 1
        return self.done
