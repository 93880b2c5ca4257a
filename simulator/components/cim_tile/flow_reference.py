"""Flow of a segment, plain definition: a process per input, lane and home, and arbiters in front of the ports."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import numpy as np
from simpy.events import Event

from simulator.components.cim_tile.segment import Flow, InputFlow, Segment, Window, joined
from simulator.engine.arbiter import Arbiter, Servers
from simulator.engine.environment import Environment
from simulator.engine.levels import GRANT_LINK, GRANT_SRAM

BUSY, NETWORK, PARTIAL_SUM, PORT, INPUT, OUTPUT = range(6)
Process = Generator[Any, Any, None]


class Signal:
    """Lets processes wait for a change of something that they then look at again."""

    def __init__(self, env: Environment) -> None:
        self.env = env
        self._event: Event = env.event()

    def fire(self) -> None:
        """Something changed in this instant."""
        event, self._event = self._event, self.env.event()
        event.succeed()

    def next(self) -> Event:
        """An event to yield: the next change."""
        return self._event

    def wait(self, ready: Callable[[], bool]) -> Process:
        """Waits until `ready()` is true."""
        while not ready():
            yield self._event


class FlowReference:
    """One run of a segment; `until(cycle)` gives an event at a cycle of the bank, `now()` its present cycle, both from
    the start of the segment."""

    def __init__(self, env: Environment, segment: Segment, until: Callable[[int], Any], now: Callable[[], int]) -> None:
        self.env, self.segment, self.until, self.now = env, segment, until, now
        s = segment
        self.ports = [Arbiter(env, GRANT_SRAM, Servers(1)) for _ in range(s.tiles)]
        self.egresses = [Arbiter(env, GRANT_LINK, Servers(1)) for _ in range(s.egresses)]
        self.input_port = Arbiter(env, GRANT_SRAM, Servers(1))
        self.available = [np.zeros(stream.positions * s.steps, bool) for stream in s.streams]
        self.grown = [Signal(env) for _ in s.streams]
        for stream, flags in zip(s.streams, self.available, strict=True):
            flags[: stream.first * stream.positions] = True
        self.left = sum(int((~flags).sum()) for flags in self.available)
        self.finished = env.event()
        self.taken = [0] * len(s.homes)
        self.took = [Signal(env) for _ in s.homes]
        self.arrived = [0] * len(s.lanes)
        self.came = [Signal(env) for _ in s.homes]
        self.full = [False] * len(s.lanes)
        self.latched = [Signal(env) for _ in s.lanes]
        self.results: list[list[tuple[int, int]]] = [[] for _ in s.lanes]
        self.started = [Signal(env) for _ in s.lanes]
        self.intervals: list[list[tuple[int, int]]] = [[] for _ in range(INPUT + 1)]
        self.work: list[list[tuple[int, int]]] = [[] for _ in (*s.layers, *range(s.tiles))]
        self.span = np.full((len(s.layers), 2), -1, np.int64)
        self.waits = np.zeros((len(s.layers), 6), np.int64)

    def run(self) -> Generator[Any, Any, Flow]:
        """A process that ends with the segment; its value is what happened."""
        s, start = self.segment, self.env.process
        if self.left:
            for number, flow in enumerate(s.inputs):
                start(self._input(number, flow))
            for number in range(len(s.lanes)):
                start(self._register(number))
                start(self._pe(number))
                start(self._results(number))
            for number in range(len(s.homes)):
                start(self._home(number))
            yield self.finished
        end = self.now()
        self.intervals[INPUT].append((0, end))
        tracks = tuple(joined(work) for work in self.work)
        worked = np.array([int((track[:, 1] - track[:, 0]).sum()) for track in tracks], np.int64)
        runs = tuple(np.array(found, np.int64).reshape(-1, 2) for found in self.intervals)
        layers = len(s.layers)
        return Flow(end, np.maximum(self.span, 0), worked[:layers], worked[layers:], self.waits, runs, tracks)

    def _hold(self, port: Arbiter, requester: int, cycles: int, layer: int, cause: int) -> Process:
        """Asks for a port, holds it for some cycles and gives it back; what it waited is booked under `cause`."""
        asked = self.now()
        granted = self.env.event()
        port.request(requester, 0, granted.succeed)  # type: ignore[arg-type]
        yield granted
        if layer >= 0:
            self.waits[layer, cause] += self.now() - asked
        yield self.until(self.now() + cycles)
        port.release(0)
        if cause == PORT and layer >= 0:
            self.intervals[PORT].append((asked, self.now()))

    def _wait(self, signal: Signal, ready: Callable[[], bool], layer: int, cause: int) -> Process:
        since = self.now()
        yield from signal.wait(ready)
        if layer >= 0:
            self.waits[layer, cause] += self.now() - since

    def _gate(self, stream: int, t: int, layer: int) -> Process:
        for reader, delay in self.segment.readers[stream]:
            made = self._has_made(reader, t - self.segment.buffered + delay)
            yield from self._wait(self.grown[reader], made, layer, OUTPUT)

    def _has_made(self, stream: int, t: int) -> Callable[[], bool]:
        """Tells when all positions of a stream up to timestep t are available."""
        flags = self.available[stream]
        needed = (t + 1) * self.segment.streams[stream].positions
        return lambda: _leading(flags) >= needed

    def _window(self, window: Window, t: int, p: int, layer: int) -> Process:
        positions = self.segment.streams[window.stream].positions
        needed = (t - window.delay) * positions + int(window.need[p]) if window.need[p] else 0
        flags = self.available[window.stream]
        yield from self._wait(self.grown[window.stream], lambda: _leading(flags) >= needed, layer, INPUT)

    def _publish(self, stream: int, flat: int, at: int, layer: int) -> Process:
        yield self.until(at)
        self.available[stream][flat] = True
        if layer >= 0:
            self.span[layer, 1] = max(self.span[layer, 1], self.now())
        self.grown[stream].fire()
        self.left -= 1
        if self.left == 0:
            self.finished.succeed()

    def _input(self, number: int, flow: InputFlow) -> Process:
        stream = self.segment.streams[flow.stream]
        for t in range(stream.first, self.segment.steps):
            for p in range(stream.positions):
                yield from self._gate(flow.stream, t, -1)
                yield from self._hold(self.input_port, number, int(flow.cycles[t, p]), -1, PORT)
                at = self.now() + self.segment.hop
                self.env.process(self._publish(flow.stream, t * stream.positions + p, at, -1))

    def _begin(self, layer: int) -> None:
        if self.span[layer, 0] < 0:
            self.span[layer, 0] = self.now()

    def _vectors(self, layer: int, copy: int) -> Generator[tuple[int, int], None, None]:
        flow = self.segment.layers[layer]
        stream = self.segment.streams[flow.stream]
        for t in range(stream.first, self.segment.steps):
            for p in range(copy, stream.positions, flow.copies):
                yield t, p

    def _register(self, number: int) -> Process:
        """Fetches vector after vector into the lane's input register."""
        lane = self.segment.lanes[number]
        requester = len(self.segment.inputs) + number
        for t, p in self._vectors(lane.layer, lane.copy):
            if lane.window is not None:
                yield from self._window(lane.window, t, p, lane.layer)
            self._begin(lane.layer)
            cycles = int(self.segment.layers[lane.layer].vectors[t, p, lane.block, 2])
            if cycles:
                yield from self._hold(self.ports[lane.tile], requester, cycles, lane.layer, PORT)
            self.full[number] = True
            self.latched[number].fire()
            yield from self.latched[number].wait(lambda: not self.full[number])

    def _pe(self, number: int) -> Process:
        """Starts vector after vector: register full, PE free, room for the result."""
        lane = self.segment.lanes[number]
        last = 0
        for m, (t, p) in enumerate(self._vectors(lane.layer, lane.copy)):
            yield from self.latched[number].wait(lambda: self.full[number])
            since = self.now()
            yield from self._wait(self.took[lane.home], self._has_room(lane.home, m), lane.layer, PARTIAL_SUM)
            start = self.now()
            self.intervals[PARTIAL_SUM].append((since, start))
            self.full[number] = False
            self.latched[number].fire()
            lat, occ = (int(n) for n in self.segment.layers[lane.layer].vectors[t, p, lane.block, :2])
            last = max(start + lat, last)
            self.results[number].append((start, last))
            self.started[number].fire()
            yield self.until(start + occ)

    def _has_room(self, home: int, m: int) -> Callable[[], bool]:
        """Tells when the m-th result of a lane has a place where it may wait for its home."""
        return lambda: m - self.taken[home] < self.segment.depth

    def _results(self, number: int) -> Process:
        """Hands result after result to the home, over the network if that is in another tile."""
        lane = self.segment.lanes[number]
        requester = len(self.segment.inputs) + number
        for m, (t, p) in enumerate(self._vectors(lane.layer, lane.copy)):
            while len(self.results[number]) == m:
                yield self.started[number].next()
            start, end = self.results[number][m]
            yield self.until(end)
            self._worked(lane.layer, lane.tile, start, end)
            if lane.send == 0:
                self._arrive(number)
                continue
            active = self.segment.layers[lane.layer].vectors[t, p, lane.block, 3]
            asked = self.now()
            egress = self.egresses[self.segment.egress(lane.tile)]
            yield from self._hold(egress, requester, lane.send if active else 1, lane.layer, NETWORK)
            self.env.process(self._travel(asked, lambda: self._arrive(number)))

    def _worked(self, layer: int, tile: int, start: int, end: int) -> None:
        for intervals in (self.intervals[BUSY], self.work[layer], self.work[len(self.segment.layers) + tile]):
            intervals.append((start, end))

    def _travel(self, asked: int, arrive: Callable[[], None]) -> Process:
        yield self.until(self.now() + self.segment.hop)
        self.intervals[NETWORK].append((asked, self.now()))
        arrive()

    def _arrive(self, lane: int) -> None:
        self.arrived[lane] += 1
        self.came[self.segment.lanes[lane].home].fire()

    def _home(self, number: int) -> Process:
        """Takes position after position: results, own rows, gate; then work, write and send."""
        s = self.segment
        home = s.homes[number]
        flow = s.layers[home.layer]
        lanes = [i for i, lane in enumerate(s.lanes) if lane.home == number]
        requester = len(s.inputs) + len(s.lanes) + number
        ready = 0
        for m, (t, p) in enumerate(self._vectors(home.layer, home.copy)):
            yield from self._join(number, home.layer, lanes, m)
            for window in home.windows:
                yield from self._window(window, t, p, home.layer)
            yield from self._gate(flow.stream, t, home.layer)
            self._begin(home.layer)
            self.taken[number] += 1
            self.took[number].fire()
            fetch, work, write, send = (int(n) for n in flow.homes[t, p])
            if fetch:
                yield from self._hold(self.ports[home.tile], requester, fetch, home.layer, PORT)
            start = self.now()
            yield self.until(start + work)
            self._worked(home.layer, home.tile, start, self.now())
            yield from self._hold(self.ports[home.tile], requester, write, home.layer, PORT)
            asked, hop = self.now(), 0
            if send:
                hop = s.hop
                yield from self._hold(self.egresses[s.egress(home.tile)], requester, send, home.layer, NETWORK)
            ready = max(ready, self.now() + hop)
            if send:
                self.intervals[NETWORK].append((asked, ready))
            flat = t * s.streams[flow.stream].positions + p
            self.env.process(self._publish(flow.stream, flat, ready, home.layer))

    def _join(self, number: int, layer: int, lanes: list[int], m: int) -> Process:
        """Waits for the results of all lanes; a wait for partial sums from the first one on."""
        since = -1
        while True:
            there = sum(self.arrived[lane] > m for lane in lanes)
            if there == len(lanes):
                break
            if there and since < 0:
                since = self.now()
            yield self.came[number].next()
        if since >= 0:
            self.waits[layer, PARTIAL_SUM] += self.now() - since
            self.intervals[PARTIAL_SUM].append((since, self.now()))


def _leading(flags: np.ndarray) -> int:
    """How many positions are available one after the other from the first."""
    return int(flags.size if flags.all() else flags.argmin())
