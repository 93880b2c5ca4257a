"""A clock domain: an integer frequency, its edges in picoseconds."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.units import PS_PER_SECOND


@dataclass(frozen=True)
class Clock:
    """Edge k lies at ceil(k * 10**12 / frequency_hz) ps; what arrives on an edge is seen at that edge."""

    name: str
    frequency_hz: int

    def ps(self, cycle: int) -> int:
        """Time of edge `cycle`."""
        return -(-cycle * PS_PER_SECOND // self.frequency_hz)

    def at_or_after(self, time_ps: int) -> int:
        """First edge at or after `time_ps`."""
        return (time_ps - 1) * self.frequency_hz // PS_PER_SECOND + 1 if time_ps > 0 else 0
