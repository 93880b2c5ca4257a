"""Plain definition of a tick-driven recurrent core and of the bench around it, one clock cycle after another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field


@dataclass
class OracleCore:
    """Registers of the core; `clock` is one rising edge.  Weights are lists: source, then target."""

    inputs: int
    recurrent: int
    outputs: int
    shifts: tuple[int, int, int]
    kappa: int
    reset_to_zero: bool
    thresholds: list[int]
    alphas: list[int]
    winp: list[list[int]]
    wrec: list[list[int]]
    wout: list[list[int]]
    u: list[int] = field(default_factory=lambda: [0] * 256)
    dirty: list[int] = field(default_factory=lambda: [0] * 256)
    z: list[int] = field(default_factory=lambda: [0] * 256)
    inp: set[int] = field(default_factory=set)
    inp_next: set[int] = field(default_factory=set)
    out: list[int] = field(default_factory=lambda: [0] * 16)
    wins: list[int] = field(default_factory=lambda: [0] * 16)
    state: str = "IDLE"
    scan: str = "WAIT"
    index: int = 0
    count: int = 0
    ack: bool = False
    out_req: bool = False
    label: int = -1
    row_of_outputs: int = -1
    pipe: dict[str, list[bool]] = field(default_factory=dict)
    accesses: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("nr", "nw", "winp", "wrec", "wout"), 0))

    def synchronised(self, name: str, value: bool) -> bool:
        """A pin after two flip-flops, as this cycle's logic sees it; `value` is what the pin has in this cycle."""
        stages = self.pipe.setdefault(name, [False, False])
        seen = stages.pop(0)
        stages.append(value)
        return seen

    def clock(self, pins: dict[str, int]) -> None:
        """One cycle: looks at the pins and the registers, then moves the registers."""
        sample = self.synchronised("sample", bool(pins["sample"]))
        infer = self.synchronised("infer", bool(pins["infer"]))
        req = self.synchronised("req", bool(pins["req"]))
        out_ack = self.synchronised("out_ack", bool(pins["out_ack"]))
        level = self.synchronised("tick", bool(pins["tick"]))
        tick = level and not self.pipe.get("tick_before", [False])[0]
        self.pipe["tick_before"] = [level]

        if self.row_of_outputs >= 0:
            row, self.row_of_outputs = self.row_of_outputs, -1
            for k in range(self.outputs):
                self.out[k] = saturated(self.out[k] + self.wout[row][k] * 2 ** self.shifts[2])

        following = getattr(self, f"_{self.state.lower()}")(tick, sample, infer, out_ack)

        if tick:
            self.inp, self.inp_next = self.inp_next, set()
        elif req and not self.ack and not pins["target"]:
            self.inp_next.add(pins["addr"])
        self.ack = req
        if self.state != "IDLE" and following == "IDLE":
            self.u, self.dirty, self.z = [0] * 256, [0] * 256, [0] * 256
            self.inp, self.inp_next, self.out = set(), set(), [0] * 16
        if following != self.state:
            self.index = self.count = 0
            self.scan = "CNT" if following == "PROP" else "WAIT"
        self.state = following

    def _idle(self, tick: bool, sample: bool, infer: bool, out_ack: bool) -> str:
        self.out_req = False
        self.wins = [0] * 16
        return "PROP" if tick and sample else "IDLE"

    def _prop(self, tick: bool, sample: bool, infer: bool, out_ack: bool) -> str:
        i = self.index
        if self.scan == "CNT":
            if i in self.inp or self.z[i]:
                self.scan, self.count = "EVT", 0
                if self.z[i]:
                    self.accesses["wout"] += 1
                    self.row_of_outputs = i
            else:
                self._next_index()
        elif self.scan == "EVT":
            pair = self.count // 2
            if self.count % 16 == 0:
                self.accesses["winp"] += i in self.inp
                self.accesses["wrec"] += self.z[i]
            if self.count % 2 == 0:
                self.accesses["nr"] += 1
            else:
                self.accesses["nw"] += 1
                for n in (2 * pair, 2 * pair + 1):
                    w = self.wrec[i][n] * 2 ** self.shifts[1] if self.z[i] else 0
                    w += self.winp[i][n] * 2 ** self.shifts[0] if i in self.inp else 0
                    self.u[n] = saturated(self.u[n] + saturated(w))
                    self.dirty[n] = 1
            if self.count == 2 * (-(-self.recurrent // 2)) - 1:
                self.inp.discard(i)
                self.z[i] = 0
                self._next_index()
            else:
                self.count += 1
        return "STEP" if tick else "PROP"

    def _next_index(self) -> None:
        done = self.index == max(self.recurrent, self.inputs) - 1
        self.index, self.scan = (0, "WAIT") if done else (self.index + 1, "CNT")

    def _step(self, tick: bool, sample: bool, infer: bool, out_ack: bool) -> str:
        pair = self.count // 2
        if self.count % 2 == 0:
            self.accesses["nr"] += 1
            self.z[2 * pair] = self.z[2 * pair + 1] = 0
        else:
            self.accesses["nw"] += 1
            for n in (2 * pair, 2 * pair + 1):
                leak = kept(self.u[n] * self.alphas[pair] // 2**15)
                self.z[n] = int(self.u[n] >= self.thresholds[pair])
                if self.z[n]:
                    leak = 0 if self.reset_to_zero else kept(leak - self.thresholds[pair])
                self.u[n] = leak
                self.dirty[n] = 1
        if self.count < self.outputs:
            self.out[self.count] = kept(self.out[self.count] * self.kappa // 2**7)
        self.count += 1
        return "SDONE" if self.count == max(self.recurrent, self.inputs, self.outputs) else "STEP"

    def _sdone(self, tick: bool, sample: bool, infer: bool, out_ack: bool) -> str:
        if infer:
            self.wins[self.out.index(max(self.out[: self.outputs]))] += 1
        return "PROP" if sample else "SEND"

    def _send(self, tick: bool, sample: bool, infer: bool, out_ack: bool) -> str:
        if not self.out_req and not out_ack:
            self.out_req = True
            self.label = self.wins.index(max(self.wins[: self.outputs]))
            return "SEND"
        if self.out_req and out_ack:
            self.out_req = False
            return "IDLE"
        return "SEND"


def saturated(x: int) -> int:
    """x limited to 16 bits."""
    return max(-(2**15), min(2**15 - 1, x))


def kept(x: int) -> int:
    """The low 16 bits of x, signed."""
    return (x + 2**15) % 2**16 - 2**15


@dataclass
class OracleBench:
    """The bench: drives lines (letter, number) into a core and notes what the recordings note.

    wait_start, wait_sample, wait_level: cycles before the first line, after S, after V or I; label_sent: whether L is
    an event.
    """

    core: OracleCore
    wait_start: int = 0
    wait_sample: int = 4
    wait_level: int = 4
    label_sent: bool = True
    cycle: int = 0
    pins: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("sample", "infer", "tick", "req", "addr", "target", "out_ack"), 0)
    )
    events: list[list[int]] = field(default_factory=list)
    ticks: list[dict[str, int]] = field(default_factory=list)
    fired: list[list[int]] = field(default_factory=list)
    outputs: list[list[int]] = field(default_factory=list)
    results: list[list[int]] = field(default_factory=list)
    dumps: list[tuple[int, list[int], list[int]]] = field(default_factory=list)
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("IDLE", "PROP", "STEP", "SDONE", "SEND"), 0))
    scans: dict[str, int] = field(default_factory=lambda: dict.fromkeys(("WAIT", "CNT", "EVT"), 0))

    def run(self, lines: list[tuple[str, int]]) -> None:
        """Drives all lines; afterwards `cycle` is the length of the run."""
        self._idle(self.wait_start)
        for letter, number in lines:
            if letter == "S":
                self.pins["sample"] = 1
                self._idle(self.wait_sample)
            elif letter in "VI":
                if letter == "I":
                    self.pins["infer"] = number
                self._idle(self.wait_level)
            elif letter == "E" or (letter == "L" and self.label_sent):
                self._event(number, letter == "L")
            elif letter == "G":
                self._idle(number)
            elif letter == "D":
                self.dumps.append((len(self.ticks) - 1, list(self.core.u), list(self.core.dirty)))
            elif letter in "TX":
                if letter == "X":
                    self.pins["sample"] = 0
                    self._idle(4)
                self._tick(letter == "X")

    def _cycle(self) -> None:
        """One cycle; the receiver of results acknowledges in the cycle after a request, and releases likewise."""
        self.states[self.core.state] += 1
        self.scans[self.core.scan] += 1
        request = self.core.out_req
        self.core.clock(self.pins)
        self.pins["out_ack"] = int(request)
        self.cycle += 1

    def _idle(self, cycles: int) -> None:
        for _ in range(cycles):
            self._cycle()

    def _until(self, reached) -> Iterator[None]:
        while not reached():
            yield None
            self._cycle()

    def _event(self, address: int, target: bool) -> None:
        """A four-phase handshake: request until acknowledged, then low; over when the core sees it low and lets go."""
        asked = self.cycle
        self.pins.update(req=1, addr=address, target=int(target))
        for _ in self._until(lambda: self.core.ack):
            pass
        acknowledged = self.cycle
        self._cycle()
        self.pins["req"] = 0
        for _ in self._until(lambda: not self.core.ack):
            pass
        self.events.append([address, int(target), asked, acknowledged, self.cycle])
        self._cycle()

    def _tick(self, last: bool) -> None:
        """A rising TIME_TICK; the next line waits until the core can take another, after a result 9 cycles longer."""
        row = dict(time=self.cycle, last=int(last), step=0, sdone=0, prop=0, ready=0, inputs=0, spikes=0, passes=0)
        self.pins["tick"] = 1
        before = self.scans["EVT"]
        entered = self.core.state
        for _ in self._until(lambda: self.core.state != entered):
            pass
        if self.core.state == "STEP":
            row["step"] = self.cycle
            for _ in self._until(lambda: self.core.state == "SDONE"):
                pass
            row["sdone"], row["spikes"] = self.cycle, sum(self.core.z)
            self.fired.append(list(self.core.z))
            self.outputs.append(list(self.core.out))
            self._cycle()
        self.pins["tick"] = 0
        if self.core.state == "PROP":
            row["prop"], row["inputs"] = self.cycle, len(self.core.inp)
            for _ in self._until(lambda: self.core.scan == "WAIT"):
                pass
        else:
            for _ in self._until(lambda: self.core.out_req):
                pass
            self.results.append([self.core.label, self.cycle])
            for _ in self._until(lambda: self.core.state == "IDLE"):
                pass
            self._idle(9)
        row["ready"], row["passes"] = self.cycle, self.scans["EVT"] - before
        self.ticks.append(row)
        self._cycle()
