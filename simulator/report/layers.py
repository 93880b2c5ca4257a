"""One row per layer: the table that layers.csv and the terminal show.

Row "unattributed" (refresh, control, static power) stands first, so that each column adds up to the run's total.
"""

from __future__ import annotations

import math
from typing import Any

from simulator.record import Record
from simulator.record_summary import MOVES, OPERANDS, level_of

COLUMNS: dict[str, str] = {
    "layer": "population with the projections into it; unattributed: what belongs to no layer",
    "neurons": "neurons of the layer",
    "spikes": "spikes the layer sent, over all samples and timesteps",
    "synaptic_operations": "weights applied to a target because of a spike (zero weights count, padding does not)",
    "dense_operations": "the same if every input fired in every timestep (padding counts)",
    "density": "synaptic_operations / dense_operations",
    "start_cycle": "cycle of the main clock at which the layer's first task started",
    "end_cycle": "cycle of the main clock at which the layer's last task ended",
    "busy_cycles": "cycles of the main clock in which at least one task of the layer ran",
    "energy_pj": "energy of the layer, pJ",
    "compute_pj": "of that: arithmetic",
    "memory_pj": "of that: reads and writes of memories",
    "interconnect_pj": "of that: links and movers",
    "control_pj": "of that: decoding, queues, clock tree, launches",
    "static_pj": "of that: static power x time (only in row unattributed)",
}
"""Column -> meaning with its unit.  After these come `<level>_<read|write|overfetch|broadcast>_bits`: bits moved at a
memory level (unit name without its index) for the layer, all operands together."""

CATEGORIES = ("compute", "memory", "interconnect", "control", "static")


def layer_rows(record: Record) -> list[dict[str, Any]]:
    """Rows in ledger order; each has the keys of `COLUMNS` and of `movement_columns(record)`.

    Values are str, int, float, or None where the run does not know them.
    """
    latency = record.summary()["latency"]["per_layer"]
    work, neurons = record.work, record.network.get("neurons_by_layer") or {}
    parts = record.energy.by(lambda t: (t.layer, t.category))
    rows = []
    for row, layer in enumerate(record.layers):
        time = latency.get(layer, {})
        synaptic = (work.get("synaptic_by_layer") or {}).get(layer)
        dense = (work.get("dense_by_layer") or {}).get(layer)
        energy = {c: parts.get((layer, c), 0.0) for c in CATEGORIES}
        rows.append(
            {
                "layer": layer,
                "neurons": neurons.get(layer),
                "spikes": work["spikes"].get(layer),
                "synaptic_operations": synaptic,
                "dense_operations": dense,
                "density": None if synaptic is None or not dense else synaptic / dense,
                "start_cycle": time.get("start"),
                "end_cycle": time.get("end"),
                "busy_cycles": time.get("cycles"),
                "energy_pj": math.fsum(energy.values()),
                **{f"{c}_pj": energy[c] for c in CATEGORIES},
                **_movement(record, row),
            }
        )
    return rows


def movement_columns(record: Record) -> list[str]:
    """Names of the columns of bits moved, memory levels in the order of the hardware file."""
    return list(_movement(record, 0))


def _movement(record: Record, row: int) -> dict[str, int]:
    found: dict[str, int] = {}
    column = {name: a for a, name in enumerate(record.actions)}
    for u, unit in enumerate(record.units):
        declared = {a.name for a in record.hardware.units[unit].ACTIONS}
        for verb in MOVES:
            names = [f"{verb}:{operand}" for operand in OPERANDS if f"{verb}:{operand}" in declared & column.keys()]
            if names:
                key = f"{level_of(unit)}_{verb}_bits"
                found[key] = found.get(key, 0) + sum(int(record.counts[u, row, column[name]]) for name in names)
    return found
