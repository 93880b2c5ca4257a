"""When nodes and transfers run, as the scheduler of STEMS books them: each link window as early as it is free.

Source: sjoks93/STEMS, commit 323e004: a node waits for the tensors that it needs, a tensor for the first free window of
the link; latency = max(end of the last node, end of the last link window).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Booking(NamedTuple):
    """A task: the unit that runs it in order, the link that it occupies (-1: none), earlier tasks that must be over."""

    unit: int
    link: int
    after: tuple[int, ...]


def last_end(tasks: Sequence[Booking], ps: Sequence[float]) -> float:
    """End of the last task, ps, where task i takes ps[i].

    A unit runs its tasks in order; of the units whose next task could start, the one that can start first does.
    """
    queues: dict[int, list[int]] = {}
    for i, task in enumerate(tasks):
        queues.setdefault(task.unit, []).append(i)
    heads = dict.fromkeys(queues, 0)
    free = dict.fromkeys(queues, 0.0)
    links: dict[int, float] = {}
    end = [-1.0] * len(tasks)
    while heads:
        best, unit = float("inf"), -1
        for name, head in heads.items():
            task = tasks[queues[name][head]]
            start = max(free[name], links.get(task.link, 0.0))
            for earlier in task.after:
                start = max(start, end[earlier]) if end[earlier] >= 0 else float("inf")
            if start < best:
                best, unit = start, name
        i = queues[unit][heads[unit]]
        end[i] = free[unit] = best + ps[i]
        if tasks[i].link >= 0:
            links[tasks[i].link] = end[i]
        heads[unit] += 1
        if heads[unit] == len(queues[unit]):
            del heads[unit]
    return max(end, default=0.0)
