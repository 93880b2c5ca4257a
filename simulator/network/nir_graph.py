"""The graph of a NIR file (HDF5), as plain values: nodes with their parameters, edges, nested graphs flattened.

Read directly, without the `nir` package: its strict checks refuse some old public files.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.hdf5 import HdfFile

NEURONS: dict[str, tuple[str, ...]] = {
    "IF": ("r", "v_threshold"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "w_in"),
    "Threshold": ("threshold",),
}
_CONV = ("weight", "bias", "stride", "padding", "dilation", "groups")
MAPS: dict[str, tuple[str, ...]] = {
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Conv1d": _CONV,
    "Conv2d": _CONV,
    "Scale": ("scale",),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Flatten": ("start_dim", "end_dim"),
}
ENDS: dict[str, tuple[str, ...]] = {"Input": ("shape",), "Output": ("shape",)}
_TYPES = {**NEURONS, **MAPS, **ENDS}
_REFUSED = {
    "I": "it sends no spikes",
    "LI": "it sends no spikes",
    "CubaLI": "it sends no spikes",
    "Delay": "delays within the graph are not supported",
}
# Old files lack these; the value is what their definition says when it is absent.
_OPTIONAL = {"v_reset": 0.0, "w_in": 1.0}
_IGNORED = ("type", "metadata", "input_type", "output_type", "input_shape")
MAX_NODES = 10_000
MAX_DEPTH = 8


@dataclass(frozen=True)
class Node:
    """One node: its name (nested ones are "outer.inner"), type and parameters as arrays."""

    name: str
    type: str
    values: dict[str, np.ndarray]
    text: dict[str, str]


@dataclass(frozen=True)
class Graph:
    """Nodes by name in natural order ("2" before "10"), and for each node its direct predecessors."""

    path: Path
    version: str
    nodes: dict[str, Node]
    before: dict[str, tuple[str, ...]]

    def wrong(self, name: str, message: str, **details: Any) -> InputError:
        """An InputError about one node."""
        return InputError(message, file=self.path, key=f"node {name}", **details)


def read_graph(path: str | Path) -> Graph:
    """Graph of a NIR file; raises InputError for node types that have no counterpart here, by name."""
    with HdfFile(Path(path)) as file:
        version = file.text("/version") if file.has("/version") else "unknown"
        nodes: dict[str, Node] = {}
        edges: list[tuple[str, str]] = []
        _read_level(file, "/node", "", nodes, edges, 0)
        return _flatten(Path(path), version, nodes, edges)


def _read_level(
    file: HdfFile, at: str, prefix: str, nodes: dict[str, Node], edges: list[tuple[str, str]], depth: int
) -> None:
    if depth > MAX_DEPTH:
        raise InputError("graphs are nested too deep", file=file.path, key=at, allowed=f"at most {MAX_DEPTH} levels")
    for name in file.names(f"{at}/nodes"):
        here = f"{at}/nodes/{name}"
        kind = file.text(f"{here}/type")
        if len(nodes) >= MAX_NODES:
            raise InputError("too many nodes", file=file.path, allowed=f"at most {MAX_NODES}")
        if kind == "NIRGraph":
            _read_level(file, here, f"{prefix}{name}.", nodes, edges, depth + 1)
            continue
        if kind in _REFUSED:
            raise InputError(
                f"node type {kind} is not supported: {_REFUSED[kind]}", file=file.path, key=f"node {prefix}{name}"
            )
        if kind not in _TYPES:
            raise unknown("NIR node type", kind, _TYPES, file=file.path, key=f"node {prefix}{name}")
        nodes[prefix + name] = _read_node(file, here, prefix + name, kind)
    pairs = file.array(f"{at}/edges", "SO", (1, 2), limit=2**24)
    if pairs.size % 2 or (pairs.ndim == 2 and pairs.size and pairs.shape[1] != 2):
        raise InputError("edges must be pairs", file=file.path, key=f"{at}/edges", found=pairs.shape)
    for a, b in pairs.reshape(-1, 2).tolist():
        names = [v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in (a, b)]
        edges.append((prefix + names[0], prefix + names[1]))


def _read_node(file: HdfFile, at: str, name: str, kind: str) -> Node:
    values: dict[str, np.ndarray] = {}
    text: dict[str, str] = {}
    optional = {k: v for k, v in _OPTIONAL.items() if kind in ("IF", "LIF", "CubaLIF")}
    wanted = _TYPES[kind]
    for parameter in file.names(at):
        if parameter in _IGNORED:
            continue
        if parameter not in wanted and parameter not in optional:
            raise unknown(f"parameter of {kind}", parameter, (*wanted, *optional), file=file.path, key=f"node {name}")
        where = f"{at}/{parameter}"
        if parameter == "padding" and file.dataset(where, "iufbSO", (0, 1, 2, 3, 4)).dtype.kind in "SO":
            text[parameter] = file.text(where)
            continue
        values[parameter] = file.array(where, "iufb", (0, 1, 2, 3, 4))
        if values[parameter].dtype.kind == "f" and not np.isfinite(values[parameter]).all():
            raise InputError("a parameter is not finite", file=file.path, key=where)
    for parameter in wanted:
        if parameter not in values and parameter not in text:
            if parameter not in optional:
                raise InputError(f"{kind} lacks a parameter", file=file.path, key=f"node {name}", found=parameter)
            values[parameter] = np.asarray(optional[parameter])
    return Node(name, kind, values, text)


def _flatten(path: Path, version: str, nodes: dict[str, Node], edges: list[tuple[str, str]]) -> Graph:
    """Edges to or from a nested graph go to its Input or come from its Output; those two then vanish."""
    inner = {n: v.type for n, v in nodes.items() if "." in n and v.type in ENDS and _is_inner(n, nodes, edges)}
    outer = {n.rpartition(".")[0] for n in inner}
    joined: dict[tuple[str, str], None] = {}
    for a, b in edges:
        starts = [n for n, t in inner.items() if t == "Output" and n.rpartition(".")[0] == a] if a in outer else [a]
        ends = [n for n, t in inner.items() if t == "Input" and n.rpartition(".")[0] == b] if b in outer else [b]
        for start in starts:
            for end in ends:
                joined[(start, end)] = None
        for name in (*starts, *ends):
            if name not in nodes:
                raise unknown("node in an edge", name, nodes, file=path, key=f"edge {a} -> {b}")
        if not starts or not ends:
            raise InputError(
                "a nested graph without Input or Output cannot be joined", file=path, key=f"edge {a} -> {b}"
            )
    before: dict[str, list[str]] = {n: [] for n in nodes}
    for a, b in joined:
        before[b].append(a)
    for name in inner:
        followers = [n for n, sources in before.items() if name in sources]
        for follower in followers:
            at = before[follower].index(name)
            before[follower][at : at + 1] = before[name]
        del before[name]
    kept = sorted((n for n in nodes if n not in inner), key=natural)
    return Graph(
        path,
        version,
        {n: nodes[n] for n in kept},
        {n: tuple(sorted(dict.fromkeys(before[n]), key=natural)) for n in kept},
    )


def _is_inner(name: str, nodes: dict[str, Node], edges: list[tuple[str, str]]) -> bool:
    """True for the ends of a nested graph (a plain node may carry a dot in its name, as "lif1.lif" does)."""
    graph = name.rpartition(".")[0]
    return graph not in nodes and any(graph in pair for pair in edges)


def natural(name: str) -> tuple[tuple[int, int, str], ...]:
    """Sort key that puts "2" before "10"."""
    parts = re.findall(r"\d+|\D+", name)
    return tuple((0, int(p), "") if p.isdigit() and len(p) < 19 else (1, 0, p) for p in parts)
