"""Spikes in numpy files.

.npy    a structured array of camera events, its fields found by name (never by position): t, x, y, and p; or one
        dense tensor, with the choices `layout` and, where a network has several inputs, `population`
.npz    one dense tensor per population, under its name, with the choice `layout`.  A tensor may be packed into
        bits: `k` holds the bytes, `k__shape` the shape (C order).  `labels` holds one number per sample.  The
        choice `population` takes some of the arrays ("input" or "input,conv1"); without it each array must be one
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network import Network
from simulator.network.choices import check_keys, require
from simulator.network.hdf5 import naming
from simulator.network.npz import MAX_BYTES, read_npy, read_npz
from simulator.trace.arrays import trace_from_arrays
from simulator.trace.events import CameraEvents
from simulator.trace.recordings import events_trace, input_population
from simulator.trace.trace import Trace

_FIELDS = {
    "time": ("t", "ts", "time", "timestamp"),
    "x": ("x",),
    "y": ("y",),
    "polarity": ("p", "on", "pol", "polarity"),
}
_PACKED = "__shape"


def load_array_file(path: str | Path, choices: Mapping[str, Any], network: Network | None = None) -> Trace:
    """Trace of a `.npy` or `.npz` file; raises InputError for what is missing, unknown or does not fit."""
    path = Path(path)
    if path.suffix == ".npy":
        array = read_npy(path)
        if array.dtype.names is not None:
            return events_trace([partial(structured_events, array, path)], choices, file=path, network=network)
        _check(choices, path)
        name = str(choices.get("population", "input"))
        if network is not None:
            name = input_population(network, choices, path).name
        return _trace({name: array}, choices, path, network, None)
    _check(choices, path)
    arrays = read_npz(path)
    labels = arrays.pop("labels", None)
    if labels is not None and (labels.dtype.kind not in "iu" or labels.ndim != 1):
        raise InputError(
            "labels must be whole numbers, one per sample",
            file=path,
            key="labels",
            found=f"{labels.dtype} {labels.shape}",
        )
    chosen = [k for k in arrays if not k.endswith(_PACKED)]
    if "population" in choices:
        wanted = [name.strip() for name in str(choices["population"]).split(",")]
        for name in wanted:
            if name not in chosen:
                raise unknown("array", name, chosen, file=path)
        chosen = wanted
    tensors = {k: _unpacked(arrays[k], arrays.get(k + _PACKED), path, k) for k in chosen}
    return _trace(tensors, choices, path, network, None if labels is None else labels.astype(np.int64))


def structured_events(array: np.ndarray, path: Path) -> CameraEvents:
    """Camera events of a structured array [N]; fields t (us), x, y, p in any order and integer type."""
    names = array.dtype.names or ()
    found: dict[str, np.ndarray] = {}
    for key, allowed in _FIELDS.items():
        field = next((n for n in allowed if n in names), None)
        if field is None:
            raise InputError(f"no field for {key}", file=path, found=list(names), allowed=allowed)
        found[key] = array[field]
        if found[key].ndim != 1 or found[key].dtype.kind not in ("biu" if key == "polarity" else "iu"):
            raise InputError(
                "events need one whole number per field", file=path, key=field, found=str(found[key].dtype)
            )
    limits = {"time": 2**62, "x": 2**16, "y": 2**16, "polarity": 2}
    for key, limit in limits.items():
        values = found[key]
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < limit:
            raise InputError(
                f"{key} out of range",
                file=path,
                found=(int(values.min()), int(values.max())),
                allowed=f"0 .. {limit - 1}",
            )
    return CameraEvents(
        path,
        found["time"].astype(np.int64),
        found["x"].astype(np.uint16),
        found["y"].astype(np.uint16),
        found["polarity"].astype(np.uint8),
    )


def _check(choices: Mapping[str, Any], path: Path) -> None:
    check_keys({k: v for k, v in choices.items() if not k.startswith("dt_")}, ("layout", "population"), file=path)
    require(choices, ["layout"], file=path)


def _trace(
    arrays: dict[str, np.ndarray],
    choices: Mapping[str, Any],
    path: Path,
    network: Network | None,
    labels: np.ndarray | None,
) -> Trace:
    if network is not None:
        names = [p.name for p in network.populations]
        for key in arrays:
            if key not in names:
                raise unknown("population", key, names, file=path)
    with naming(path):
        return trace_from_arrays(
            arrays,
            str(choices["layout"]),
            network=network,
            name=path.stem,
            source=f"{path.name}, layout {choices['layout']}",
            labels=labels,
        )


def _unpacked(data: np.ndarray, shape: np.ndarray | None, path: Path, key: str) -> np.ndarray:
    """The tensor itself, or the bits of packed bytes."""
    if shape is None:
        return data
    sizes = shape.reshape(-1).tolist() if shape.dtype.kind in "iu" and shape.size <= 8 else [-1]
    count = prod(sizes)
    if (
        min(sizes, default=-1) < 0
        or data.dtype != np.uint8
        or data.ndim != 1
        or data.size != -(-count // 8)
        or count > MAX_BYTES
    ):
        raise InputError(
            "the packed bits do not fit their shape", file=path, key=key, found=f"{data.size} bytes for {sizes}"
        )
    return np.unpackbits(data, count=count).reshape(sizes)
