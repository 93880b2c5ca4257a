"""What a functional run counts besides spikes."""

from __future__ import annotations

from dataclasses import dataclass, field

from simulator.network import Network


@dataclass
class Counts:
    """Integer totals of a run.

    synaptic_operations: per projection; |value| of each (pooled) spike times the targets it reaches, zero weights
        counted, padding not.  Spikes that arrive before the target's `first_step` are counted although they are lost.
    neuron_updates: per population; neurons times computed timesteps (event by event: the synaptic operations into it).
    saturations: per population; stored membranes and currents that had to be clamped.
    """

    synaptic_operations: dict[str, int] = field(default_factory=dict)
    neuron_updates: dict[str, int] = field(default_factory=dict)
    saturations: dict[str, int] = field(default_factory=dict)

    @classmethod
    def zero(cls, network: Network) -> Counts:
        """Counts of a run that has not begun."""
        computing = [p.name for p in network.populations if not p.is_input]
        return cls({p.name: 0 for p in network.projections}, dict.fromkeys(computing, 0), dict.fromkeys(computing, 0))

    def add(self, other: Counts) -> None:
        """Adds the totals of another run of the same network."""
        for field_name in ("synaptic_operations", "neuron_updates", "saturations"):
            mine, theirs = getattr(self, field_name), getattr(other, field_name)
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
