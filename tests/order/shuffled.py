"""An event loop whose ties fall at random."""

from __future__ import annotations

from heapq import heappush

import numpy as np
from simpy.events import Event

from simulator.engine.environment import Environment
from simulator.engine.levels import PHASE1


class ShuffledEnvironment(Environment):
    """Events of one instant and level come in an order drawn from `seed`, not in the order of their insertion."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self._rng = np.random.Generator(np.random.PCG64(seed))

    def schedule(self, event: Event, priority: int = PHASE1, delay: int = 0) -> None:
        order = (int(self._rng.integers(1 << 62)), next(self._eid))
        heappush(self._queue, (self.now + delay, priority, order, event))
