"""All numbers of two Records side by side."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.record import Record

ARRAYS = ("counts", "layer_span", "layer_busy_ps", "sample_end_ps", "steps", "busy", "bin_cycles")
VALUES = (
    "end_ps", "work", "units", "layers", "actions", "kinds", "tracks", "network", "trace", "mapping", "activity",
    "seed",
)  # fmt: skip


def differences(a: Record, b: Record) -> list[str]:
    """One line per number that differs; empty where the two runs are the same run (the engine's name apart)."""
    found: list[str] = []
    for name in VALUES:
        _compare(name, getattr(a, name), getattr(b, name), found)
    for unit in a.cycles:
        _compare(f"cycles {unit}", a.cycles[unit], b.cycles[unit], found)
    for u, layer, action in np.argwhere(a.counts != b.counts).tolist():
        where = f"counts {a.units[u]} {a.layers[layer]} {a.actions[action]}"
        found.append(f"{where}: {a.counts[u, layer, action]} and {b.counts[u, layer, action]}")
    for name in ARRAYS:
        _compare(name, getattr(a, name), getattr(b, name), found)
    _compare_tables("timeline", a.timeline, b.timeline, found)
    _compare_tables("commands", a.commands, b.commands, found)
    _compare_tables("membranes", a.membranes, b.membranes, found)
    _compare("outputs", sorted(a.outputs), sorted(b.outputs), found)
    for name in a.outputs:
        for column in ("step_start", "index", "value"):
            mine, other = getattr(a.outputs[name], column), getattr(b.outputs[name], column)
            _compare(f"outputs {name} {column}", mine, other, found)
    _compare("summary", _without_engine(a), _without_engine(b), found)
    return found


def _without_engine(record: Record) -> dict[str, Any]:
    return {key: value for key, value in record.summary().items() if key != "engine"}


def _compare_tables(name: str, a: Any, b: Any, found: list[str]) -> None:
    _compare(f"{name} keys", None if a is None else sorted(a), None if b is None else sorted(b), found)
    for key in a or ():
        _compare(f"{name} {key}", a[key], (b or {}).get(key), found)


def _compare(name: str, a: Any, b: Any, found: list[str]) -> None:
    if isinstance(a, dict) and isinstance(b, dict) and a.keys() == b.keys():
        for key in a:
            _compare(f"{name} {key}", a[key], b[key], found)
    elif isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.shape == b.shape:
        where = np.argwhere(a != b)
        if where.size:
            at = tuple(where[0].tolist())
            found.append(f"{name}: {len(where)} of {a.size} values, first at {at}: {a[at]} and {b[at]}")
    elif isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        found.append(f"{name}: {getattr(a, 'shape', a)} and {getattr(b, 'shape', b)} values")
    elif a != b:
        found.append(f"{name}: {a!r} and {b!r}")
