"""Builds a machine from a hardware description and runs a Schedule on it; wires, never computes."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.engine.board import Board, JobQueue
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.errors import InputError, InvariantError
from simulator.kernels.bins import add_runs
from simulator.ledger import UNATTRIBUTED, Ledger
from simulator.workload import Workload

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.mapping import Schedule
    from simulator.network import Network

IDS_PER_UNIT = 1 << 20


@dataclass
class Machine:
    """A machine ready to run; afterwards it holds what the run left."""

    hardware: Hardware
    schedule: Schedule
    work: Workload
    env: Environment
    ledger: Ledger
    units: dict[str, Any]
    sample_end_ps: list[int] = field(default_factory=list)
    step_end_ps: list[int] = field(default_factory=list)
    end_ps: int = 0

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Runs the prologue, then every sample; `progress(sample)` is called after each."""
        host = next(unit for name, unit in self.units.items() if self.hardware.unit(name).type == "host")
        finished = self.env.process(host.run(self._repetitions(progress), self.schedule.unit))
        self.env.run(until=finished)
        self.end_ps = self.env.now
        for unit in self.units.values():
            unit.ctx.log.commit(0)
            if self.end_ps < 0:
                raise InvariantError(f"unit {unit.ctx.name}: time ran backwards")

    def _repetitions(self, progress: Callable[[int], None] | None) -> Iterator[tuple[Any, int, int, int, Any]]:
        schedule = self.schedule
        yield range(schedule.prologue), 0, 0, 0, lambda now: None
        body = range(schedule.prologue, schedule.rows)
        for sample in range(self.work.trace.samples):
            steps = int(self.work.steps[sample])
            if schedule.repeat == "sample":
                yield body, sample, 0, steps, lambda now: None
            else:
                for t in range(steps):
                    yield body, sample, t, t + 1, self.step_end_ps.append
            self.sample_end_ps.append(self.env.now)
            self.work.end_sample(sample)
            for unit in self.units.values():
                if self.hardware.unit(unit.ctx.name).type in ("sram", "dram"):
                    unit.ctx.log.commit(0)
            if progress is not None:
                progress(sample)

    def layer_span(self) -> np.ndarray:
        """int64 [L, 2]: start and end of every ledger row in ps, -1 where it never ran."""
        span = np.full((len(self.ledger.layers), 2), -1, np.int64)
        for unit in self.units.values():
            for layer, (start, end) in unit.ctx.spans.items():
                span[layer, 0] = start if span[layer, 0] < 0 else min(span[layer, 0], start)
                span[layer, 1] = max(span[layer, 1], end)
        return span

    def layer_busy_ps(self) -> np.ndarray:
        """int64 [L]: ps in which at least one compute task of the layer ran."""
        total = np.zeros(len(self.ledger.layers), np.int64)
        for layer in range(total.size):
            tasks = sorted(task for unit in self.units.values() for task in unit.ctx.extra["tasks"].get(layer, ()))
            until = 0
            for start, end in tasks:
                total[layer] += max(0, end - max(start, until))
                until = max(until, end)
        return total


def build(
    hardware: Hardware,
    schedule: Schedule,
    network: Network,
    work: Workload,
    *,
    reference: bool = False,
    timeline: bool = False,
    environment: Environment | None = None,
) -> Machine:
    """A machine of `hardware` with all units made and wired; raises InputError where the description cannot run."""
    hosts = [name for name in hardware.units if hardware.unit(name).type == "host"]
    if len(hosts) != 1:
        raise InputError("a machine needs exactly one unit of type host", key=f"hardware {hardware.name}", found=hosts)
    env = environment or Environment()
    actions: dict[str, None] = {}
    for name in hardware.units:
        actions.update((action.name, None) for action in hardware.unit(name).ACTIONS)
    ledger = Ledger(list(hardware.units), [UNATTRIBUTED, *network.layers], list(actions))
    board = Board(env, schedule.rows)
    depth = hardware.unit(hosts[0]).queue_depth  # type: ignore[attr-defined]
    state: dict[str, Any] = {}
    units: dict[str, Any] = {}
    for number, name in enumerate(hardware.units):
        spec = hardware.unit(name)
        ctx = Context(
            name=name,
            number=number,
            env=env,
            clock=Clock(spec.clock, hardware.clock_hz(name)),
            ledger=ledger,
            log=StateLog(spec.STALLS, add_runs, timeline),
            board=board,
            queue=JobQueue(env, depth),
            work=work,
            reference=reference,
            extra={"first_id": number * IDS_PER_UNIT, "state": state, "network": network, "tasks": {}},
        )
        module, _, kind = spec.COMPONENT.partition(":")
        units[name] = getattr(importlib.import_module(module), kind)(ctx, spec)
    for unit in units.values():
        unit.connect(units)
    for unit in units.values():
        unit.start()
    return Machine(hardware, schedule, work, env, ledger, units)
