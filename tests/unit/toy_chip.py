"""A chip with a closed form of one line, whose true weights a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, cast

import numpy as np

from simulator.costmodel.chip import Priced, Term
from simulator.costmodel.features import MEANING
from simulator.costmodel.prices import Prices
from simulator.costmodel.rates import Rates, Stream
from simulator.costmodel.surface import Point
from simulator.hardware import load_hardware

TERMS = (
    Term("core.events", 1.0, "cycles per event"),
    Term("core.scan", 1.0, "cycles of the scan over all neurons"),
    Term("dma.stream", 1.0, "transfers beside the computation"),
    Term("core.conflict", 0.0, "cycles in which two events want one bank"),
)
HARDWARE = load_hardware("event_core_28nm")
UNITS = ("core",)
POINTS = 240
ACTIONS = tuple(action.name for action in HARDWARE.unit("core").ACTIONS)
NOTHING = Rates(np.zeros((0, 1)), np.zeros((0, 1, 5)), np.zeros((0, 1, 5)), np.ones(1), 1)


class ToyChip:
    """End: max(a w0 + b w1, c w2) + d w3, ps, of features a, b, c, d; a operations, b decoded spikes."""

    streams: ClassVar[list[Stream]] = []
    terms = TERMS
    built: ClassVar[dict[str, dict[str, int]]] = {}

    def __init__(self, features: Sequence[float]) -> None:
        self.features = [float(f) for f in features]

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run; the rates say nothing."""
        a, b, c, d = (f * w for f, w in zip(self.features, weights.tolist(), strict=True))
        counts = np.zeros((1, 1, len(ACTIONS)))
        counts[0, 0, ACTIONS.index("accumulate:partial_sum")] = self.features[0]
        counts[0, 0, ACTIONS.index("decode:spike")] = self.features[1]
        end = max(a + b, c) + d
        return Priced(counts, end, np.array([end]), np.zeros((1, 2)))


def toy_points(weights: Sequence[float], factor: float, seed: int = 0, noise: float = 0.0) -> list[Point]:
    """POINTS points of 6 architectures whose runs obey these weights, and count `factor` times as many operations."""
    rng = np.random.Generator(np.random.PCG64(seed))
    prices = Prices(HARDWARE, UNITS, ACTIONS, {})
    points = []
    for n in range(POINTS):
        chip = ToyChip(np.exp(rng.normal(14, 1, 4)))
        made = chip.price(NOTHING, np.array(weights, np.float64))
        made.counts[:, :, ACTIONS.index("accumulate:partial_sum")] *= factor
        end = made.end * (1 + noise * rng.normal())
        points.append(Point(f"net{n % 6}", chip, NOTHING, prices, end, prices.energies(made.counts)))
    return points


def toy_features(points: Sequence[Point]) -> list[dict[str, float]]:
    """Features of the points, which differ in how many events they have."""
    return [
        dict.fromkeys(MEANING, 1.0) | {"events": chip.features[0]}
        for chip in (cast("ToyChip", point.chip) for point in points)
    ]
