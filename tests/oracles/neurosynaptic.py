"""A neurosynaptic core clock by clock: sender, synchronisers, FIFO, controller, memories, output link and receiver.

Everything is one step per cycle and one neuron or synapse word per access, in Python integers, from the text of the
specification; no code is shared with the simulator.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field


@dataclass
class Neuron:
    """One neuron: parameters and state under their names."""

    v: int
    threshold: int
    leak: int
    disabled: int
    ca_enabled: int = 0
    theta: int = 0
    th1: int = 0
    th2: int = 0
    th3: int = 0
    caleak: int = 0
    calcium: int = 0
    counter: int = 0
    up: int = 0
    down: int = 0


@dataclass
class Setup:
    """Registers, and delays of the neighbours."""

    odin: bool
    depth: int
    last: int
    open_loop: bool
    sources: bool
    q: int
    d: int
    e: int
    update_unmapped: bool = False
    propagate_unmapped: bool = False
    learn_on_synapse: bool = False
    monitored: int = 0
    inhibits: frozenset[int] = frozenset()
    cut: int = 1 << 60


@dataclass
class OracleCore:
    """The core and both neighbours; `run` fills the lists, each row as the simulator's log has it."""

    setup: Setup
    neurons: list[Neuron]
    synapses: list[list[int]]
    events: list[list] = field(default_factory=list)
    operations: list[list] = field(default_factory=list)
    spikes: list[list] = field(default_factory=list)
    transfers: list[list[int]] = field(default_factory=list)
    state_cycles: dict[str, int] = field(default_factory=dict)
    reads: int = 0
    writes: int = 0
    synapse_reads: int = 0
    synapse_writes: int = 0
    dropped: int = 0
    busy_cycles: int = 0
    highest_fill: int = 0
    last_active: int = 0
    finished: bool = False

    def classify(self, word: int) -> str:
        """What an input word asks for."""
        if not self.setup.odin:
            return "TREF" if word & 0x100 else "PUSH"
        if word & 0x10000:
            return "SYNAPSE"
        low = word & 0x7F
        return {0x7F: "TREF", 0: "BIST"}.get(low, "PUSH")

    def payload(self, word: int) -> tuple[int, int]:
        """(payload, address) that a pushed word leaves in the FIFO."""
        if self.setup.odin:
            return (word & 0xF8) >> 3, (word & 0xFF00) >> 8
        if word & 0x200:
            return (word & 0xF0) >> 4, word & 0xF
        return 0, word & 0xFF

    def update(self, neuron: Neuron, weight: int, leaks: bool) -> bool:
        """One neuron update: `weight` is added unless the event leaks; True where it fires inside."""
        s = self.setup
        n = neuron.v
        if leaks:
            n = min(n + neuron.leak, 0) if n < 0 else max(n - neuron.leak, 0)
        elif s.odin:
            n = min(max(n + weight, 0), 255)
        else:
            n = min(max(n + weight, -2048), 2047)
        fires = n >= 0 and n >= neuron.threshold
        neuron.v = 0 if fires else n
        if neuron.ca_enabled:
            ca_leak = False
            if leaks and neuron.caleak > 0:
                ca_leak = neuron.counter == neuron.caleak - 1
                neuron.counter = 0 if ca_leak else (neuron.counter + 1) % 32
            if fires and not ca_leak and neuron.calcium < 7:
                neuron.calcium += 1
            if ca_leak and not fires and neuron.calcium > 0:
                neuron.calcium -= 1
            high = neuron.v >= neuron.theta
            neuron.up = int(high and neuron.th1 <= neuron.calcium < neuron.th3)
            neuron.down = int(not high and neuron.th1 <= neuron.calcium < neuron.th2)
        return fires

    def weight(self, pre: int, post: int, nibble: int) -> int:
        """Signed weight of a stored nibble."""
        if not self.setup.odin:
            return nibble - 16 if nibble >= 8 else nibble
        if not (nibble & 8 or self.setup.propagate_unmapped):
            return 0
        return -(nibble & 7) if pre in self.setup.inhibits else nibble & 7

    def change(self, pre: int, post: int, up: int, down: int) -> None:
        """Moves one weight by one, where its mapping allows."""
        nibble = self.synapses[pre][post]
        if not (nibble & 8 or self.setup.update_unmapped):
            return
        w = nibble & 7
        if up and w < 7:
            w += 1
        elif down and w > 0:
            w -= 1
        self.synapses[pre][post] = (nibble & 8) | w

    def run(self, stimulus: list[tuple[int, int]]) -> None:
        """Runs (due cycle, word) events until nothing moves any more, or to the cut-off cycle."""
        s = self.setup
        n = s.last + 1
        fifo: deque[tuple[int, int]] = deque()
        state, count, op, event = "WAIT", 0, None, None
        word = 0
        following = 0
        rise = max(stimulus[0][0], 1) if stimulus else None
        fall: int | None = None
        req = 0
        req_past = [0, 0]
        out_req = busy = out_ack = 0
        out_past = [0, 0, 0]
        out_rise = out_fall = None
        transfer: list[int] = []
        old_nibbles: list[int] = []
        cycle = 0
        idle = 0
        while idle < 3 and cycle < s.cut:
            # What both neighbours and the synchronisers show in this cycle.
            ack = state == "WAIT_REQDN"
            if rise == cycle:
                req, rise, word = 1, None, stimulus[following][1]
                event = [cycle, 0, 0, 0, 0, 0, ""]
                self.events.append(event)
            if req and ack and fall is None:
                event[3] = cycle
                fall = cycle + s.q
            if fall == cycle:
                req, fall = 0, None
                event[4] = cycle
            seen = req_past[1]
            if event and seen and not event[1]:
                event[1] = cycle
            if out_req and out_rise is None and not out_ack:
                out_rise = cycle + s.d
            if out_rise == cycle:
                out_ack = 1
                transfer[2] = cycle
                out_rise = None
            if not out_req and out_ack and out_fall is None:
                out_fall = cycle + s.e
            if out_fall == cycle:
                out_ack, out_fall = 0, None
                transfer[4] = cycle
            ack_seen, ack_before = out_past[1], out_past[2]
            was_busy = busy
            self.state_cycles[state] = self.state_cycles.get(state, 0) + 1
            self.busy_cycles += busy
            full = len(fifo) >= s.depth
            if state != "WAIT" or busy:
                self.last_active = cycle
            idle = 0 if state != "WAIT" or busy or fifo or req or rise is not None else idle + 1
            # What the controller does in this cycle.
            nxt = state
            push = None
            pop = False
            send = None
            spike = None
            write = count % 2 == 1
            if state == "WAIT":
                kind = self.classify(word)
                if busy:
                    pass
                elif full:
                    nxt = "POP_VIRT" if fifo[0][0] else "POP_NEUR"
                elif seen and kind != "BIST":
                    nxt = kind
                elif fifo:
                    nxt = "POP_VIRT" if fifo[0][0] else "POP_NEUR"
                elif seen:
                    nxt = "BIST"
            elif state == "WAIT_REQDN":
                if not seen:
                    nxt = "WAIT"
                    event[5] = cycle + 1
                    following += 1
                    if following < len(stimulus):
                        due = stimulus[following][0]
                        rise = event[5] + s.q if due <= event[5] + 1 else due
            elif state == "PUSH":
                push = self.payload(word)
                nxt = "WAIT_REQDN"
            elif state == "BIST":
                words = n // 8
                rows = [word >> 8 & 255] if word & 0x80 else range(n)
                row, column = divmod(count // 2, words)
                if write:
                    self.synapse_writes += 1
                    for post in range(8 * column, 8 * column + 8):
                        strong = (self.synapses[rows[row]][post] & 7) >= 4
                        self.change(rows[row], post, strong, not strong)
                else:
                    self.synapse_reads += 1
                if count == 2 * words * len(rows) - 1:
                    nxt = "WAIT_REQDN"
            elif state == "AER_POP":
                if not busy:
                    pop = True
                    nxt = "WAIT"
            else:
                single = None
                leaks = state == "TREF"
                last = False
                if state == "TREF":
                    if s.odin:
                        single = word >> 8 & 255 if word & 0x80 else None
                    else:
                        single = word & 255 if word & 255 != 255 else None
                elif state == "SYNAPSE":
                    single = word & 255
                elif state == "POP_VIRT":
                    single = fifo[0][1]
                i = count // 2 if single is None else single
                last = write and (single is not None or i == s.last)
                if write and not busy:
                    self.writes += 1
                    pre = word >> 8 & 255 if state == "SYNAPSE" else fifo[0][1] if state == "POP_NEUR" else 0
                    weight = 0
                    neuron = self.neurons[i]
                    if state == "POP_VIRT":
                        payload = fifo[0][0]
                        if s.odin:
                            leaks = bool(payload & 1)
                            weight = (payload >> 2) * (-1 if payload & 2 else 1)
                        else:
                            weight = payload - 16 if payload >= 8 else payload
                    elif state == "POP_NEUR":
                        if i % 8 == 0:
                            old_nibbles = self.synapses[pre][i : i + 8]
                            if s.odin:
                                self.synapse_writes += 1
                                for post in range(i, i + 8):
                                    self.change(pre, post, self.neurons[post].up, self.neurons[post].down)
                            else:
                                self.synapse_reads += 1
                        weight = self.weight(pre, i, old_nibbles[i % 8])
                        if s.odin and s.sources and i == s.monitored:
                            send = pre
                        if not s.odin and s.sources and last:
                            send = pre
                    elif state == "SYNAPSE":
                        self.synapse_writes += 1
                        weight = self.weight(pre, i, self.synapses[pre][i])
                        if s.learn_on_synapse:
                            self.change(pre, i, neuron.up, neuron.down)
                    if self.update(neuron, weight, leaks) and not neuron.disabled:
                        spike = i
                        if not s.sources:
                            send = i
                        if not s.open_loop:
                            push = (0, i)
                elif not write:
                    self.reads += 1
                    if state == "SYNAPSE" or (state == "POP_NEUR" and i % 8 == 0):
                        self.synapse_reads += 1
                if busy and op is not None:
                    op[4] += 1
                if last and not busy:
                    if state in ("POP_NEUR", "POP_VIRT") and (s.odin or state == "POP_VIRT"):
                        pop = True
                        nxt = "WAIT"
                    else:
                        nxt = "AER_POP" if state == "POP_NEUR" else "WAIT_REQDN"
            if state == "AER_POP" and busy:
                op[4] += 1
            # The edge: FIFO, output link, controller, flip-flops.
            pushed = None
            if push is not None:
                pushed = not full
            if pop:
                fifo.popleft()
            if pushed:
                fifo.append(push)
            self.highest_fill = max(self.highest_fill, len(fifo))
            if spike is not None:
                op[5] += 1
                self.dropped += pushed is False
                mark = -1 if s.open_loop else int(bool(pushed))
                self.spikes.append([cycle, spike, mark, len(fifo), state, op[1]])
            if state not in ("WAIT", "WAIT_REQDN"):
                op[2] = cycle
            if send is not None and not ack_seen:
                out_req = busy = 1
                transfer = [send, cycle + 1, 0, 0, 0, 0]
                self.transfers.append(transfer)
            elif ack_seen:
                if out_req:
                    transfer[3] = cycle + 1
                out_req, busy = 0, 1
            elif ack_before:
                busy = 0
                transfer[5] = cycle + 1
            count = 0 if state == "WAIT" else count + (not was_busy)
            if nxt != state and nxt not in ("WAIT", "WAIT_REQDN"):
                external = nxt in ("TREF", "BIST", "SYNAPSE", "PUSH")
                about = word if external else fifo[0][0] << 8 | fifo[0][1]
                op = [nxt, cycle + 1, cycle + 1, about, 0, 0, len(fifo)]
                self.operations.append(op)
                if external:
                    event[2], event[6] = cycle + 1, nxt
            req_past = [req, req_past[0]]
            out_past = [out_ack, *out_past[:2]]
            state = nxt
            cycle += 1
        self.finished = idle == 3
