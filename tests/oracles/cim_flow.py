"""Flow through a bank of crossbar tiles, cycle by cycle: in every cycle all actors move as far as they can, then ports
grant.  It looks at everything in every cycle and knows neither events nor queues of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import count

import numpy as np

BUSY, NETWORK, PARTIAL_SUM, PORT, INPUT, OUTPUT = range(6)
STATES = 5


@dataclass
class Request:
    """Somebody wants a port since `since`, or has it until `until`."""

    number: int
    cycles: int
    since: int
    until: int | None = None

    def over(self, now: int) -> bool:
        return self.until is not None and self.until <= now


@dataclass
class Port:
    """One client at a time; the longest waiter first, then the lowest number."""

    requests: list[Request] = field(default_factory=list)

    def ask(self, number: int, cycles: int, now: int) -> Request:
        request = Request(number, cycles, now)
        self.requests.append(request)
        return request

    def grant(self, now: int) -> None:
        self.requests = [r for r in self.requests if not r.over(now)]
        if self.requests and all(r.until is None for r in self.requests):
            best = min(self.requests, key=lambda r: (r.since, r.number))
            best.until = now + best.cycles


@dataclass
class OracleLane:
    """What a lane has done: each list holds a cycle per vector."""

    todo: list[tuple[int, int]]
    fetch: Request | None = None
    open_since: int | None = None
    fetched: list[int] = field(default_factory=list)
    started: list[int] = field(default_factory=list)
    results: list[int] = field(default_factory=list)
    arrivals: list[int] = field(default_factory=list)
    sending: Request | None = None


@dataclass
class OracleHome:
    """What a home is doing with its next position."""

    todo: list[tuple[int, int]]
    stage: str = "join"
    since: int = 0
    join: int | None = None
    taken: list[int] = field(default_factory=list)
    request: Request | None = None
    asked: int = 0
    ready: int = 0


class OracleFlow:
    """One segment; `run()` steps it to its end."""

    def __init__(self, segment) -> None:
        self.s = s = segment
        self.ports = [Port() for _ in range(s.tiles)]
        self.egress = [Port() for _ in range(s.egresses)]
        self.door = Port()
        self.when: list[dict[tuple[int, int], int]] = []  # cycle in which a position is available
        for stream in s.streams:
            old = [(t, p) for t in range(min(stream.first, s.steps)) for p in range(stream.positions)]
            self.when.append(dict.fromkeys(old, 0))
        self.lanes = [OracleLane(self._todo(lane.layer, lane.copy)) for lane in s.lanes]
        self.homes = [OracleHome(self._todo(home.layer, home.copy)) for home in s.homes]
        self.inputs = [self._all(i.stream) for i in s.inputs]
        self.doors: list[Request | None] = [None] * len(s.inputs)
        self.states: list[list[tuple[int, int]]] = [[] for _ in range(STATES)]
        self.work: list[set[int]] = [set() for _ in s.layers]
        self.tile_work: list[set[int]] = [set() for _ in range(s.tiles)]
        self.waits = np.zeros((len(s.layers), 6), np.int64)
        self.begin = [-1] * len(s.layers)

    def _all(self, stream: int) -> list[tuple[int, int]]:
        made = self.s.streams[stream]
        return [(t, p) for t in range(made.first, self.s.steps) for p in range(made.positions)]

    def _todo(self, layer: int, copy: int) -> list[tuple[int, int]]:
        flow = self.s.layers[layer]
        return [(t, p) for t, p in self._all(flow.stream) if p % flow.copies == copy]

    def there(self, stream: int, t: int, leading: int, now: int) -> bool:
        """True when all earlier timesteps and `leading` positions of timestep t are available."""
        if t < 0 or leading == 0:
            return True
        places = [(a, p) for a in range(t + 1) for p in range(self.s.streams[stream].positions if a < t else leading)]
        return all(self.when[stream].get(place, now + 1) <= now for place in places)

    def gate(self, stream: int, t: int, now: int) -> bool:
        return all(
            t - self.s.buffered + delay < 0
            or self.there(reader, t - self.s.buffered + delay, self.s.streams[reader].positions, now)
            for reader, delay in self.s.readers[stream]
        )

    def run(self):
        """(end, span, active, waits, state of every cycle)."""
        everything = sum(stream.positions * self.s.steps for stream in self.s.streams)
        for now in count():
            while self.settle(now):
                pass
            for port in (*self.ports, *self.egress, self.door):
                port.grant(now)
            known = [cycle for made in self.when for cycle in made.values()]
            if len(known) == everything and max(known, default=0) <= now:
                break
        span = np.zeros((len(self.s.layers), 2), np.int64)
        for i, flow in enumerate(self.s.layers):
            made = [self.when[flow.stream][place] for place in self._all(flow.stream)]
            if made:
                span[i] = self.begin[i], max(made)
        active = np.array([len(cycles) for cycles in self.work], np.int64)
        return now, span, active, self.waits, self.paint(now)

    def paint(self, end: int) -> np.ndarray:
        state = np.full(end, INPUT)
        for kind in range(INPUT - 1, -1, -1):
            for start, stop in self.states[kind]:
                state[start:stop] = kind
        return state

    def settle(self, now: int) -> bool:
        moved = [self.input(i, now) for i in range(len(self.inputs))]
        moved += [self.lane(i, now) for i in range(len(self.lanes))]
        moved += [self.home(i, now) for i in range(len(self.homes))]
        return any(moved)

    def input(self, i: int, now: int) -> bool:
        stream, request = self.s.inputs[i].stream, self.doors[i]
        if request is not None and request.over(now):
            self.when[stream][self.inputs[i].pop(0)] = now + self.s.hop
            self.doors[i] = None
            return True
        if request is None and self.inputs[i] and self.gate(stream, self.inputs[i][0][0], now):
            t, p = self.inputs[i][0]
            self.doors[i] = self.door.ask(i, int(self.s.inputs[i].cycles[t, p]), now)
            return True
        return False

    def lane(self, i: int, now: int) -> bool:
        return self.lane_fetch(i, now) or self.lane_start(i, now) or self.lane_send(i, now)

    def lane_fetch(self, i: int, now: int) -> bool:
        lane, me = self.s.lanes[i], self.lanes[i]
        m = len(me.fetched)
        if me.fetch is not None:
            if not me.fetch.over(now):
                return False
            self.asked(lane.layer, PORT, me.fetch)
            me.fetch = None
            me.fetched.append(now)
            return True
        if m == len(me.todo) or m > len(me.started):
            return False
        t, p = me.todo[m]
        w = lane.window
        if w is not None and not self.there(w.stream, t - w.delay, int(w.need[p]), now):
            return False
        self.waits[lane.layer, INPUT] += now - (me.started[-1] if m else 0)
        if self.begin[lane.layer] < 0:
            self.begin[lane.layer] = now
        cycles = int(self.s.layers[lane.layer].vectors[t, p, lane.block, 2])
        if cycles == 0:
            me.fetched.append(now)
        else:
            me.fetch = self.ports[lane.tile].ask(len(self.inputs) + i, cycles, now)
        return True

    def lane_start(self, i: int, now: int) -> bool:
        lane, me = self.s.lanes[i], self.lanes[i]
        m = len(me.started)
        if m == len(me.fetched):
            return False
        rows = self.s.layers[lane.layer].vectors
        free = me.started[-1] + int(rows[me.todo[m - 1]][lane.block, 1]) if m else 0
        if free > now or m - len(self.homes[lane.home].taken) >= self.s.depth:
            return False
        since = max(free, me.fetched[m])
        self.waits[lane.layer, PARTIAL_SUM] += now - since
        self.states[PARTIAL_SUM].append((since, now))
        me.started.append(now)
        result = max([now + int(rows[me.todo[m]][lane.block, 0]), *me.results[-1:]])
        me.results.append(result)
        self.worked(lane.layer, lane.tile, now, result)
        return True

    def lane_send(self, i: int, now: int) -> bool:
        lane, me = self.s.lanes[i], self.lanes[i]
        m = len(me.arrivals)
        if me.sending is not None:
            if not me.sending.over(now):
                return False
            self.waits[lane.layer, NETWORK] += now - me.sending.cycles - me.sending.since
            self.states[NETWORK].append((me.sending.since, now + self.s.hop))
            me.arrivals.append(now + self.s.hop)
            me.sending = None
            return True
        if m == len(me.results) or me.results[m] > now:
            return False
        if lane.send == 0:
            me.arrivals.append(now)
        else:
            active = self.s.layers[lane.layer].vectors[me.todo[m]][lane.block, 3]
            port = self.egress[self.s.egress(lane.tile)]
            me.sending = port.ask(len(self.inputs) + i, lane.send if active else 1, now)
        return True

    def home(self, i: int, now: int) -> bool:
        home, me = self.s.homes[i], self.homes[i]
        m = len(me.taken)
        number = len(self.inputs) + len(self.lanes) + i
        flow = self.s.layers[home.layer]
        if me.stage == "join" and m < len(me.todo):
            lanes = [self.lanes[j] for j, lane in enumerate(self.s.lanes) if lane.home == i]
            here = sum(len(lane.arrivals) > m and lane.arrivals[m] <= now for lane in lanes)
            if here < len(lanes):
                if here and me.join is None:
                    me.join = now
                return False
            if me.join is not None:
                self.waits[home.layer, PARTIAL_SUM] += now - me.join
                self.states[PARTIAL_SUM].append((me.join, now))
            me.stage, me.since, me.join = "window", now, None
        if me.stage == "window":
            t, p = me.todo[m]
            if not all(self.there(w.stream, t - w.delay, int(w.need[p]), now) for w in home.windows):
                return False
            self.waits[home.layer, INPUT] += now - me.since
            me.stage, me.since = "gate", now
        if me.stage == "gate":
            if not self.gate(flow.stream, me.todo[m][0], now):
                return False
            self.waits[home.layer, OUTPUT] += now - me.since
            me.stage, me.request = "read", None
            me.taken.append(now)
            if self.begin[home.layer] < 0:
                self.begin[home.layer] = now
            return True
        if me.stage == "join":
            return False
        fetch, work, write, send = (int(n) for n in flow.homes[me.todo[m - 1]])
        if me.stage == "read":
            if fetch and not self.through(self.ports[home.tile], me, number, fetch, home.layer, now):
                return False
            me.stage, me.since = "work", now
        if me.stage == "work":
            if me.since + work > now:
                return False
            self.worked(home.layer, home.tile, me.since, now)
            me.stage = "write"
        if me.stage == "write":
            if not self.through(self.ports[home.tile], me, number, write, home.layer, now):
                return False
            me.stage, me.asked = "send", now
        if send:
            if me.request is None:
                me.request = self.egress[self.s.egress(home.tile)].ask(number, send, now)
            if not me.request.over(now):
                return False
            self.waits[home.layer, NETWORK] += now - me.request.cycles - me.request.since
            me.request = None
        me.ready = max(me.ready, now + (self.s.hop if send else 0))
        if send:
            self.states[NETWORK].append((me.asked, me.ready))
        self.when[flow.stream][me.todo[m - 1]] = me.ready
        me.stage = "join"
        return True

    def through(self, port: Port, me: OracleHome, number: int, cycles: int, layer: int, now: int) -> bool:
        """True once the home's request has been served."""
        if me.request is None:
            me.request = port.ask(number, cycles, now)
        if not me.request.over(now):
            return False
        self.asked(layer, PORT, me.request)
        me.request = None
        return True

    def asked(self, layer: int, cause: int, request: Request) -> None:
        assert request.until is not None
        self.waits[layer, cause] += request.until - request.cycles - request.since
        self.states[cause].append((request.since, request.until))

    def worked(self, layer: int, tile: int, start: int, end: int) -> None:
        self.states[BUSY].append((start, end))
        self.work[layer].update(range(start, end))
        self.tile_work[tile].update(range(start, end))
