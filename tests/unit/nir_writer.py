"""Writes small NIR files for tests, as plain HDF5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np

Nodes = dict[str, tuple[str, dict[str, Any]]]
IF_CHOICES = {"reset": "subtract", "floor": "none", "output": "binary", "compare": "ge", "delay": 0}
LIF_CHOICES = {**IF_CHOICES, "dt_ms": "0.1", "decay": "euler"}


def write_nir(path: Path, nodes: Nodes, edges: list[tuple[str, str]], version: str = "1.0.8") -> Path:
    """`nodes`: name -> (type, parameters); a node of type NIRGraph has the parameters {"nodes": .., "edges": ..}."""
    with h5py.File(path, "w") as file:
        file["version"] = version
        level(file.create_group("node"), nodes, edges)
    return path


def level(group: h5py.Group, nodes: Nodes, edges: list[tuple[str, str]]) -> None:
    group["type"] = "NIRGraph"
    group.create_dataset("edges", data=np.array(edges, dtype=object).reshape(-1, 2), dtype=h5py.string_dtype())
    for name, (kind, parameters) in nodes.items():
        node = group.create_group(f"nodes/{name}")
        if kind == "NIRGraph":
            level(node, parameters["nodes"], parameters["edges"])
            continue
        node["type"] = kind
        for key, value in parameters.items():
            node[key] = value


def ones(*shape: int) -> dict[str, Any]:
    """Parameters of an IF node of that shape."""
    return {"r": np.ones(shape, np.float32), "v_threshold": np.ones(shape, np.float32)}


def conv(weight: np.ndarray, stride: int = 1, padding: Any = 0, groups: int = 1, bias: Any = None) -> dict[str, Any]:
    """Parameters of a convolution node."""
    dims = weight.ndim - 2
    return {
        "weight": weight,
        "bias": np.zeros(weight.shape[0], weight.dtype) if bias is None else np.asarray(bias, weight.dtype),
        "stride": np.full(dims, stride),
        "padding": padding if isinstance(padding, str) else np.full(dims, padding),
        "dilation": np.ones(dims, np.int64),
        "groups": groups,
    }
