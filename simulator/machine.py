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
from simulator.errors import InputError
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
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

    def __post_init__(self) -> None:
        rows = len(self.ledger.layers)
        self.layer_span = np.full((rows, 2), -1, np.int64)  # start and end in ps, -1 where a layer never ran
        self.layer_busy_ps = np.zeros(rows, np.int64)  # ps in which at least one of its tasks ran

    def run(self, progress: Callable[[int], None] | None = None) -> None:
        """Runs the prologue, then every sample; `progress(sample)` is called after each."""
        host = next(unit for name, unit in self.units.items() if self.hardware.unit(name).type == "host")
        finished = self.env.process(host.run(self._repetitions(progress), self.schedule.unit))
        self.env.run(until=finished)
        self.end_ps = self.env.now
        for unit in self.units.values():
            unit.ctx.log.commit(0)

    def _repetitions(self, progress: Callable[[int], None] | None) -> Iterator[tuple[Any, int, int, int, Any]]:
        """(rows, sample, t0, t1, what to call when they are complete) for everything that the host is to run."""
        schedule = self.schedule
        yield range(schedule.prologue), 0, 0, 0, self._settle
        body = range(schedule.prologue, schedule.rows)
        for sample in range(self.work.trace.samples):
            steps = int(self.work.steps[sample])
            if schedule.repeat == "sample":
                yield body, sample, 0, steps, self._settle
            else:
                for t in range(steps):
                    yield body, sample, t, t + 1, self._step_done
            self.sample_end_ps.append(self.env.now)
            self.work.end_sample(sample)
            for unit in self.units.values():
                if self.hardware.unit(unit.ctx.name).MEMORY:
                    unit.ctx.log.commit(0)
            if progress is not None:
                progress(sample)

    def _step_done(self, now: int) -> None:
        self.step_end_ps.append(now)
        self._settle(now)

    def _settle(self, now: int) -> None:
        """A repetition is complete: adds its tasks to the layers' spans and busy times."""
        tasks: dict[int, list[tuple[int, int]]] = {}
        for unit in self.units.values():
            for layer, ran in unit.ctx.tasks.items():
                tasks.setdefault(layer, []).extend(ran)
            unit.ctx.tasks.clear()
        for layer, ran in tasks.items():
            ran.sort()
            if self.layer_span[layer, 0] < 0:
                self.layer_span[layer, 0] = ran[0][0]
            until = 0
            for start, end in ran:
                self.layer_busy_ps[layer] += max(0, end - max(start, until))
                until = max(until, end)
            self.layer_span[layer, 1] = until


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
    plain: dict[str, Any] = {}
    units: dict[str, Any] = {}
    for number, name in enumerate(hardware.units):
        spec = hardware.unit(name)
        ctx = Context(
            name=name,
            number=number,
            env=env,
            clock=Clock(spec.clock, hardware.clock_hz(name)),
            ledger=ledger,
            log=StateLog(spec.STALLS, paint, add_runs, timeline),
            board=board,
            queue=JobQueue(env, depth),
            work=work,
            reference=reference,
            first_id=number * IDS_PER_UNIT,
            plain=plain,
        )
        module, _, kind = spec.COMPONENT.partition(":")
        units[name] = getattr(importlib.import_module(module), kind)(ctx, spec)
    for unit in units.values():
        unit.connect(units)
    for unit in units.values():
        unit.start()
    return Machine(hardware, schedule, work, env, ledger, units)
