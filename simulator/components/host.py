"""The host: hands the Schedule's tasks to the units, repetition by repetition, with a barrier between them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from simulator.engine.board import Job
from simulator.engine.context import Context


class Host:
    """Launches tasks in Schedule order, launch_cycles each; a unit's command queue holds queue_depth of them."""

    def __init__(self, ctx: Context, spec: Any) -> None:
        self.ctx, self.spec = ctx, spec
        self.queues: dict[int, Any] = {}

    def connect(self, units: dict[str, Any]) -> None:
        """Every other unit has a command queue."""
        self.queues = {unit.ctx.number: unit.ctx.queue for unit in units.values()}

    def start(self) -> None:
        """The machine starts `run` and waits for its end."""

    def run(self, repetitions: Any, unit_of_row: Any) -> Generator[Any, None, None]:
        """Runs the prologue and every repetition; `repetitions` yields (rows, sample, t0, t1, note when done)."""
        ctx = self.ctx
        for rows, sample, t0, t1, finished in repetitions:
            complete = ctx.board.begin(rows)
            for row in rows:
                start = ctx.cycle()
                yield ctx.until(start + self.spec.launch_cycles)
                ctx.log.add_busy(start, start + self.spec.launch_cycles)
                ctx.count(0, "launch:task", 1)
                queue = self.queues[unit_of_row[row]]
                yield from queue.put(Job(row, sample, t0, t1))
            yield complete
            ctx.log.commit(0)
            finished(ctx.env.now)
