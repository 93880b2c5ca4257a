"""A memory of single-port banks behind ports: the server that SRAM and DRAM units put in front of their arrays."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any

from simpy.events import Event

from simulator.engine.arbiter import Arbiter, BankedPorts
from simulator.engine.context import Context

COMMIT_ROWS = 1 << 14


@dataclass(frozen=True)
class Access:
    """One burst of words: `words` words in one bank, for one layer and operand; `bits` of them are asked for.

    priority: higher goes first where several wait.
    block: where the first word lies in its tensor, in words, -1 where only the order of the bursts is known.
    """

    requester: int
    bank: int
    words: int
    write: bool
    layer: int
    operand: str
    bits: int
    priority: int = 0
    block: int = -1


class BankedMemory:
    """Serves bursts: a burst holds its bank and a port for words x cycle_cycles; a read's last word arrives
    latency_cycles later, a write is done when its hold ends.  What is served first says the arbiter."""

    def __init__(
        self, ctx: Context, level: int, banks: int, ports: int, word_bits: int, cycle_cycles: int, latency_cycles: int
    ) -> None:
        self.ctx, self.banks, self.word_bits = ctx, banks, word_bits
        self.cycle_cycles, self.latency_cycles = cycle_cycles, latency_cycles
        self.arbiter = Arbiter(ctx.env, level, BankedPorts(banks, ports))

    @property
    def burst_bits(self) -> int:
        """Bits that one word moves."""
        return self.word_bits

    def words(self, bits: int) -> int:
        """Words that hold `bits`, at least one."""
        return max(1, -(-bits // self.word_bits))

    def access(self, burst: Access) -> Event:
        """Asks for a burst at the memory's next edge; the event fires, with (grant ps, release ps), when it is done."""
        env, clock = self.ctx.env, self.ctx.clock
        edge = clock.ps(clock.at_or_after(env.now))
        key = burst.bank % self.banks
        done = env.event()

        def ask() -> None:
            asked = clock.at_or_after(env.now)
            self.arbiter.request(burst.requester, key, lambda: self._granted(burst, key, asked, done), burst.priority)

        if edge == env.now:
            ask()
        else:
            env.call_at(edge, ask)
        return done

    def _granted(self, burst: Access, key: int, asked: int, done: Event) -> None:
        ctx = self.ctx
        grant = ctx.clock.at_or_after(ctx.env.now)
        verb = "write" if burst.write else "read"
        ctx.count(burst.layer, f"{verb}:{burst.operand}", burst.bits)
        ctx.count(burst.layer, f"overfetch:{burst.operand}", burst.words * self.word_bits - burst.bits)
        ctx.log.add_wait("bank", grant - asked)
        if ctx.reference:
            ctx.env.process(self._word_by_word(burst, key, grant, done))
            return
        release = grant + burst.words * self.cycle_cycles
        self._busy(grant, release)
        release_ps = ctx.clock.ps(release)
        value = (ctx.env.now, release_ps)
        ctx.env.call_at(release_ps, lambda: self.arbiter.release(key))
        late = 0 if burst.write else self.latency_cycles
        ctx.env.succeed_at(done, value, ctx.clock.ps(release + late))

    def _word_by_word(self, burst: Access, key: int, grant: int, done: Event) -> Generator[Any, None, None]:
        """The plain definition: every word takes its cycles, then the latency passes."""
        ctx = self.ctx
        grant_ps = ctx.env.now
        at = grant
        for _ in range(burst.words):
            self._busy(at, at + self.cycle_cycles)
            at += self.cycle_cycles
            yield ctx.until(at)
        release_ps = ctx.env.now
        self.arbiter.release(key)
        if not burst.write and self.latency_cycles:
            yield ctx.until(at + self.latency_cycles)
        done.succeed((grant_ps, release_ps))

    def _busy(self, start: int, end: int) -> None:
        log = self.ctx.log
        log.add_busy(start, end)
        if log.pending > COMMIT_ROWS and self.ctx.owner is None:
            log.commit(0, self.ctx.cycle())  # every later grant lies at or after now
