"""A validation of a few made-up points, for tests of tables and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from simulator.costmodel.validation import Answers, Validation


def answers(name: str, compute: Sequence[float], stall: Sequence[float], sram: Sequence[float]) -> Answers:
    """Latency of two terms, energy of one, all in simple numbers."""
    parts = {"compute": np.array(compute, float), "stall": np.array(stall, float)}
    energy = {"sram": np.array(sram, float)}
    return Answers(name, f"about {name}", {"latency": sum(parts.values()), "energy": energy["sram"]},
                   {"latency": parts, "energy": energy})  # fmt: skip


def small_validation() -> Validation:
    """Three points.  "own" errs by +10 % and -10 % of the total in the two terms of point 0, which cancel; "other"
    knows energies only and misses one; "own" states an interval for the latency that misses point 2."""
    simulated = answers("simulator", [60, 100, 900], [40, 100, 100], [10, 20, 40])
    own = answers("own", [70, 100, 900], [30, 140, 300], [10, 21, 40])
    own.interval["latency"] = np.array([[90.0, 110.0], [180.0, 300.0], [1100.0, 1300.0]])  # type: ignore[index]
    other = Answers("other", "a paper", {"latency": np.full(3, np.nan), "energy": np.array([20.0, np.nan, 80.0])})
    points = [
        {"architecture": f"net {i}", "kind": kind, "density": density, "mapping": "default"}
        for i, (kind, density) in enumerate([("drawn", 0.1), ("drawn", 0.2), ("recorded", None)])
    ]
    return Validation("made up", "chip", "0" * 64, 7, "neurocycle validate made_up --hw chip", points,
                      [{"case": "big", "reason": "does not fit"}], simulated, [own, other], 0.9,
                      ["a note"])  # fmt: skip
