"""A chain of NIR nodes between two populations (pooling, flattening, weights, scales) as one projection.

A projection holds at most one pooling and then at most one set of weights, so a chain must come down to that: scales
and stacked linear maps are multiplied out, everything else that does not fit is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.network.geometry import conv_output
from simulator.network.nir_graph import Graph, Node
from simulator.network.projection import Kind, Pool, Projection

Shape = tuple[int, ...]


@dataclass
class Chain:
    """Nodes from a source population (exclusive) to a target population (exclusive), in the order of the flow."""

    graph: Graph
    nodes: list[Node]
    source_shape: Shape
    shape: Shape = ()
    pool: Pool | None = None
    kind: Kind = "one_to_one"
    weights: np.ndarray | None = None
    options: dict[str, Any] = field(default_factory=dict)
    exact: bool = True

    def __post_init__(self) -> None:
        self.shape = self.source_shape
        for node in self.nodes:
            _STEPS[node.type](self, node)

    def scale(self, factor: np.ndarray, node: Node | None = None) -> None:
        """Multiplies what arrives at each target neuron by `factor` (broadcast to the chain's shape)."""
        if (factor == 1).all():
            return
        self.exact = False
        full = np.broadcast_to(np.asarray(factor, np.float64), self.shape)
        if self.weights is None:
            self.weights = full.copy()
        elif self.kind == "one_to_one":
            self.weights = self.weights * full
        elif self.kind == "linear":
            self.weights = self.weights * full.reshape(-1, 1)
        else:
            per_channel = full.reshape(full.shape[0], -1)
            if (per_channel != per_channel[:, :1]).any():
                name = node.name if node else self.nodes[-1].name
                raise self.graph.wrong(name, "a factor that differs within a channel does not fit a convolution")
            self.weights = self.weights * per_channel[:, 0].reshape(-1, *(1,) * (self.weights.ndim - 1))

    def projection(self, name: str, source: str, target: str, shape: Shape, delay: int) -> Projection:
        """The projection; `shape` is the target's [C, H, W]."""
        dtype: np.dtype = np.dtype(np.float64)
        if self.exact and self.weights is not None and self.weights.dtype == np.float32:
            dtype = np.dtype(np.float32)
        common: dict[str, Any] = {"delay": delay, "pool": self.pool, "weight_bits": dtype.itemsize * 8}
        if self.kind != "one_to_one":
            assert self.weights is not None
            return Projection(
                name, source, target, self.kind, weights=self.weights.astype(dtype), **common, **self.options
            )
        seen = chw(self.graph, self.source_shape, source)
        if self.pool is not None:
            seen = (seen[0], _pooled(seen[1], self.pool, 0), _pooled(seen[2], self.pool, 1))
        values = np.ones(seen) if self.weights is None else self.weights.reshape(seen)
        per_channel = values.reshape(seen[0], -1)
        if seen == shape and (per_channel == per_channel[:, :1]).all():
            return Projection(name, source, target, "one_to_one", weights=per_channel[:, 0].astype(dtype), **common)
        # One synapse per neuron: source in channel-last order, target index by the same C-order position.
        size = prod(seen)
        order = np.arange(size).reshape(seen).transpose(1, 2, 0).reshape(-1)
        last = np.empty(size, np.int64)
        last[np.arange(size).reshape(shape).transpose(1, 2, 0).reshape(-1)] = np.arange(size)
        return Projection(
            name,
            source,
            target,
            "sparse",
            weights=values.reshape(-1)[order].astype(dtype),
            indptr=np.arange(size + 1),
            indices=last[order],
            **common,
        )


def chw(graph: Graph, shape: Shape, name: str) -> tuple[int, int, int]:
    """[C, H, W] of a NIR shape: [N] are N channels, [C, L] is one row."""
    if len(shape) > 3 or any(n < 1 for n in shape):
        raise graph.wrong(name, "shape must be [N], [C, L] or [C, H, W]", found=shape)
    if len(shape) == 3:
        return shape[0], shape[1], shape[2]
    if len(shape) == 2:
        return shape[0], 1, shape[1]
    return (shape[0] if shape else 1), 1, 1


def pair(graph: Graph, node: Node, key: str, dims: int = 2) -> tuple[int, ...]:
    """An integer parameter given once or per axis."""
    values = np.asarray(node.values[key]).reshape(-1)
    if values.size not in (1, dims) or (values != np.floor(values)).any() or (np.abs(values) > 2**20).any():
        raise graph.wrong(node.name, f"{key} must be {dims} integers", found=values.tolist()[:8])
    return tuple(int(v) for v in np.broadcast_to(values, (dims,)))


def _pooled(size: int, pool: Pool, axis: int) -> int:
    return (size - pool.size[axis]) // pool.stride[axis] + 1


def _pool(chain: Chain, node: Node) -> None:
    graph = chain.graph
    if chain.weights is not None or chain.pool is not None:
        raise graph.wrong(node.name, "pooling must directly follow a population of neurons or an input")
    if len(chain.shape) != 3:
        raise graph.wrong(node.name, "pooling needs an input of [C, H, W]", found=chain.shape)
    if node.text or any(pair(graph, node, "padding")):
        raise graph.wrong(node.name, "padding of a pooling is not supported")
    size, stride = pair(graph, node, "kernel_size"), pair(graph, node, "stride")
    if min(*size, *stride) < 1:
        raise graph.wrong(node.name, "kernel_size and stride must be >= 1", found=(size, stride))
    chain.pool = Pool("sum" if node.type == "SumPool2d" else "average", (size[0], size[1]), (stride[0], stride[1]))
    c, h, w = chain.shape
    chain.shape = (c, _pooled(h, chain.pool, 0), _pooled(w, chain.pool, 1))
    if min(chain.shape) < 1:
        raise graph.wrong(node.name, "the pooling window is larger than its input", found=(c, h, w))


def _flatten(chain: Chain, node: Node) -> None:
    """Flattening of the whole tensor in C order, which is the order of a linear projection's inputs."""
    start, end = (int(pair(chain.graph, node, k, 1)[0]) for k in ("start_dim", "end_dim"))
    dims = len(chain.shape)
    if not -dims <= start < dims or not -dims <= end < dims:
        raise chain.graph.wrong(
            node.name, "start_dim or end_dim lies outside the shape", found=(start, end, chain.shape)
        )
    start, end = start % dims, end % dims
    flat = (*chain.shape[:start], prod(chain.shape[start : end + 1]), *chain.shape[end + 1 :])
    if chain.kind != "one_to_one":
        raise chain.graph.wrong(node.name, "flattening between weights and their neurons is not supported")
    if start > end or len(flat) != 1:
        raise chain.graph.wrong(node.name, "only flattening to one dimension is supported", found=flat)
    if chain.weights is not None:
        chain.weights = chain.weights.reshape(flat)
    chain.shape = flat


def _linear(chain: Chain, node: Node) -> None:
    weight = node.values["weight"]
    if weight.ndim != 2 or weight.dtype.kind not in "fiu":
        raise chain.graph.wrong(node.name, "weight must have shape [out, in]", found=weight.shape)
    if chain.shape != (weight.shape[1],):
        raise chain.graph.wrong(
            node.name, "the input does not fit the weight", found=chain.shape, allowed=[str((weight.shape[1],))]
        )
    if chain.kind == "conv":
        raise chain.graph.wrong(node.name, "a linear map after a convolution needs neurons between them")
    if chain.kind == "linear":
        assert chain.weights is not None
        chain.weights, chain.exact = weight.astype(np.float64) @ chain.weights, False
    elif chain.weights is not None:
        chain.weights, chain.exact = weight * chain.weights.reshape(1, -1), False
    else:
        chain.weights = weight
    chain.kind, chain.shape = "linear", (weight.shape[0],)


def _conv(chain: Chain, node: Node) -> None:
    graph, dims = chain.graph, 1 if node.type == "Conv1d" else 2
    weight = node.values["weight"]
    if weight.ndim != dims + 2 or weight.size == 0:
        raise graph.wrong(node.name, f"weight must have {dims + 2} dimensions", found=weight.shape)
    if chain.kind != "one_to_one":
        raise graph.wrong(node.name, "a convolution after other weights needs neurons between them")
    if len(chain.shape) != dims + 1:
        raise graph.wrong(node.name, f"needs an input of {dims + 1} dimensions", found=chain.shape)
    stride, dilation = (pair(graph, node, k, dims) for k in ("stride", "dilation"))
    groups = pair(graph, node, "groups", 1)[0]
    kernel = weight.shape[2:]
    padding = _padding(graph, node, kernel, stride, dilation)
    if min(*stride, *dilation, groups) < 1 or min(padding) < 0 or chain.shape[0] != weight.shape[1] * groups:
        raise graph.wrong(
            node.name,
            "stride, padding, dilation, groups and weight do not fit the input",
            found=f"input {chain.shape}, weight {weight.shape}, groups {groups}",
        )
    if chain.weights is not None:
        per_channel = chain.weights.reshape(chain.shape[0], -1)
        if (per_channel != per_channel[:, :1]).any():
            raise graph.wrong(node.name, "a scale before a convolution must be equal within a channel")
        factor = per_channel[:, 0].reshape(groups, 1, -1)
        out = weight.reshape(groups, -1, weight.shape[1], *kernel) * factor.reshape(groups, 1, -1, *(1,) * dims)
        weight, chain.exact = out.reshape(weight.shape), False
    positions = tuple(
        conv_output(n, kernel[i], stride[i], padding[i], dilation[i]) for i, n in enumerate(chain.shape[1:])
    )
    if min(positions) < 1:
        raise graph.wrong(node.name, "the kernel is larger than its input", found=chain.shape)
    chain.kind, chain.shape, chain.weights = "conv", (weight.shape[0], *positions), weight
    row = (lambda values, fill: (fill, *values)) if dims == 1 else (lambda values, fill: tuple(values))
    if dims == 1:
        chain.weights = weight[:, :, None, :]
    chain.options = {
        "kernel": row(kernel, 1),
        "stride": row(stride, 1),
        "padding": row(padding, 0),
        "dilation": row(dilation, 1),
        "groups": groups,
    }


def _padding(graph: Graph, node: Node, kernel: Shape, stride: Shape, dilation: Shape) -> tuple[int, ...]:
    if "padding" not in node.text:
        return pair(graph, node, "padding", len(kernel))
    if node.text["padding"] == "valid":
        return (0,) * len(kernel)
    spans = [d * (k - 1) for d, k in zip(dilation, kernel, strict=True)]
    if node.text["padding"] != "same" or max(stride) > 1 or any(span % 2 for span in spans):
        raise graph.wrong(
            node.name, "padding must be numbers, valid, or same (stride 1, odd kernel)", found=node.text["padding"]
        )
    return tuple(span // 2 for span in spans)


def _scale(chain: Chain, node: Node) -> None:
    try:
        factor = np.broadcast_to(node.values["scale"], chain.shape)
    except ValueError:
        raise chain.graph.wrong(
            node.name, "scale does not fit its input", found=node.values["scale"].shape, allowed=[str(chain.shape)]
        ) from None
    chain.scale(np.asarray(factor, np.float64), node)


_STEPS = {
    "SumPool2d": _pool,
    "AvgPool2d": _pool,
    "Flatten": _flatten,
    "Linear": _linear,
    "Affine": _linear,
    "Conv1d": _conv,
    "Conv2d": _conv,
    "Scale": _scale,
}


def bias_through(graph: Graph, node: Node, after: list[Node], shape: Shape) -> np.ndarray | None:
    """What the bias of `node` (output shape `shape`) adds at the end of the nodes `after` it; None without a bias."""
    bias = node.values.get("bias")
    if bias is None or not bias.any():
        return None
    first = bias.reshape(-1, *(1,) * (len(shape) - 1)) if bias.ndim == 1 else bias
    try:
        value = np.broadcast_to(first.astype(np.float64), shape)
    except ValueError:
        raise graph.wrong(node.name, "bias does not fit the weight", found=bias.shape, allowed=[str(shape)]) from None
    for later in after:
        if later.type in ("Linear", "Affine"):
            value = later.values["weight"].astype(np.float64) @ value
        elif later.type == "Scale":
            value = value * later.values["scale"]
        else:
            raise InputError(
                f"{later.type} after a bias needs neurons between them", file=graph.path, key=f"node {later.name}"
            )
    return value
