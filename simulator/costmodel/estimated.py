"""The Estimate: what the closed form says, in the Record's terms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from simulator.energy import Energy, energy_of
from simulator.record_summary import movement_bits
from simulator.units import PS_PER_SECOND, edge_at_or_after

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.record import Record

SCHEMA = "neurocycle.estimate/1"
_PRICES: dict[str, tuple[np.ndarray, float]] = {}


@dataclass(frozen=True, eq=False)
class Estimate:
    """Expected counts and times of a run; the names are those of `Record`.  U units, L layers, A actions.

    counts      int64 [U, L, A], expected counts, rounded
    end_ps      expected end of the run, ps;  layer_busy_ps, layer_span: as in the Record
    samples     samples of the activity
    built       unit -> what a mapping made it consist of
    interval    "latency", "energy" -> (low, high), factors of the estimate between which the simulator's figure lies
                with the probability that the model was asked for; empty without a calibrated model
    warnings    where the question lies outside what the model has seen
    """

    hardware: Hardware
    units: tuple[str, ...]
    layers: tuple[str, ...]
    actions: tuple[str, ...]
    counts: np.ndarray
    end_ps: int
    layer_busy_ps: np.ndarray
    layer_span: np.ndarray
    samples: int
    built: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    interval: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    @cached_property
    def cycles(self) -> int:
        """End of the run in cycles of the main clock."""
        return edge_at_or_after(self.end_ps, self.hardware.clocks[self.hardware.main_clock])

    @cached_property
    def energy(self) -> Energy:
        """Energy by unit, action, layer and grade, in pJ, priced as a Record is."""
        return energy_of(cast("Record", self))

    @cached_property
    def total_pj(self) -> float:
        """All energy in pJ: the sum of `energy`, worked out at once."""
        prices, power = self._prices()
        return float((self.counts.sum(axis=1) * prices).sum()) + power * self.end_ps / 1000

    def _prices(self) -> tuple[np.ndarray, float]:
        """float64 [U, A] prices in pJ, and the static power of all units in mW."""
        key = f"{self.hardware.sha256}{sorted((u, tuple(sorted(b.items()))) for u, b in self.built.items())}"
        if key not in _PRICES:
            column = {name: i for i, name in enumerate(self.actions)}
            table = np.zeros((len(self.units), len(self.actions)))
            power = 0.0
            for row, name in zip(table, self.units, strict=True):
                spec = self.hardware.units[name]
                for action in spec.ACTIONS:
                    price = spec.price_of(action)
                    row[column[action.name]] = 0.0 if price is None else float(price.value)
                power += sum(float(mw.value) for mw in spec.built_leakage_mw(self.built.get(name, {})).values())
            _PRICES.clear()
            _PRICES[key] = table, power
        return _PRICES[key]

    @cached_property
    def movement_bits(self) -> dict[str, dict[str, dict[str, int]]]:
        """Bits per memory level, operand and direction."""
        return movement_bits(cast("Record", self))

    @cached_property
    def area_mm2(self) -> dict[str, float]:
        """Area by unit, mm2."""
        found = {}
        for name in self.units:
            spec = self.hardware.units[name]
            built = self.built.get(name)
            um2 = spec.built_area_um2(built or {})
            found[name] = sum(um2.values()) * 1e-6
        return found

    def summary(self) -> dict[str, Any]:
        """Plain values under schema "neurocycle.estimate/1", in the terms of the Record's summary."""
        clock = self.hardware.main_clock
        hertz = int(self.hardware.clocks[clock])
        layers = {
            name: {
                "cycles": edge_at_or_after(int(self.layer_busy_ps[row]), hertz),
                "start": None if start < 0 else edge_at_or_after(int(start), hertz),
                "end": None if end < 0 else edge_at_or_after(int(end), hertz),
            }
            for row, (name, (start, end)) in enumerate(zip(self.layers, self.layer_span.tolist(), strict=True))
            if row
        }
        energy, seconds = self.energy, self.end_ps / PS_PER_SECOND
        return {
            "schema": SCHEMA,
            "hardware": {"name": self.hardware.name, "sha256": self.hardware.sha256},
            "latency": {
                "cycles": self.cycles,
                "clock": clock,
                "clock_hz": hertz,
                "seconds": seconds,
                "per_sample_seconds": seconds / self.samples if self.samples else None,
                "per_layer": layers,
            },
            "energy_pj": {
                "total": energy.total,
                "dynamic": energy.dynamic,
                "static": energy.static,
                "by_unit": dict(energy.by_unit),
                "by_action": dict(energy.by_action),
                "by_layer": dict(energy.by_layer),
                "by_grade": dict(energy.by_grade),
            },
            "movement_bits": self.movement_bits,
            "area_mm2": {"total": sum(self.area_mm2.values()), "by_unit": self.area_mm2},
            "interval": {name: list(factors) for name, factors in self.interval.items()},
            "warnings": list(self.warnings),
        }
