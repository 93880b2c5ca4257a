"""Checks a network as a whole: names, shapes, dtypes, delays.  Every finding names the population or projection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.geometry import conv_output, pooled_shape
from simulator.network.order import running_groups

if TYPE_CHECKING:
    from simulator.network.network import Network
    from simulator.network.population import Population
    from simulator.network.projection import Projection

MAX_NEURONS = 2**31
INT_WEIGHTS = (np.dtype(np.int8), np.dtype(np.int16))
FLOAT_WEIGHTS = (np.dtype(np.float32), np.dtype(np.float64))


def check_network(network: Network) -> None:
    """Raises InputError at the first thing that cannot be run."""
    where = f"network {network.name}"
    _unique([p.name for p in network.populations], f"{where}: populations")
    _unique([p.name for p in network.projections], f"{where}: projections")
    if not network.populations:
        raise InputError("a network needs at least one population", key=where)
    by_name = {p.name: p for p in network.populations}
    for population in network.populations:
        _check_population(network, population)
    for projection in network.projections:
        key = f"projection {projection.name}"
        for end in (projection.source, projection.target):
            if end not in by_name:
                raise unknown("population", end, by_name, key=key)
        source, target = by_name[projection.source], by_name[projection.target]
        if target.is_input:
            raise InputError("a projection cannot end in an input population", key=key, found=target.name)
        _check_projection(network, projection, source, target)
    running_groups(network)


def _unique(names: list[str], where: str) -> None:
    seen = set()
    for name in names:
        if name in seen:
            raise InputError("the name is used twice", key=where, found=name)
        if not name or "/" in name:
            raise InputError("a name must not be empty nor contain '/'", key=where, found=name)
        seen.add(name)


def _check_population(network: Network, population: Population) -> None:
    key = f"population {population.name}"
    if len(population.shape) != 3 or any(int(n) != n or n < 1 for n in population.shape):
        raise InputError("shape must be three positive integers (C, H, W)", key=key, found=population.shape)
    if population.size > MAX_NEURONS:
        raise InputError("too many neurons", key=key, found=population.size, allowed=f"at most {MAX_NEURONS}")
    neuron = population.neuron
    if not 1 <= neuron.stored_bits <= 32:
        raise InputError("value_bits out of range", key=key, found=neuron.value_bits, allowed="1 .. 32")
    if population.is_input:
        return
    real = np.dtype(np.int64 if network.arithmetic == "int" else np.float64)
    for field in ("threshold", "bias", "initial", "floor"):
        array = getattr(neuron, field)
        if array is None and field == "floor":
            continue
        if array.dtype != real or array.shape not in ((1,), (population.shape[0],)):
            raise InputError(
                f"{field} must be {real} of shape [1] or [{population.shape[0]}] (one value per channel)",
                key=key,
                found=f"{array.dtype} {list(array.shape)}",
            )
        if real == np.float64 and not np.isfinite(array).all():
            raise InputError(f"{field} must be finite", key=key)
    if (neuron.threshold <= 0).any():
        raise InputError("threshold must be positive", key=key, found=float(neuron.threshold.min()))
    allowed = ("none", "shift", "multiply") if network.arithmetic == "int" else ("none", "factor")
    for field in ("decay_v", "decay_u"):
        kind = getattr(neuron, field).kind
        if kind not in allowed:
            raise InputError(
                f"{field}.kind does not fit {network.arithmetic} arithmetic", key=key, found=kind, allowed=allowed
            )
    if network.arithmetic == "int" and not 2 <= neuron.membrane_bits <= 32:
        raise InputError("membrane_bits out of range", key=key, found=neuron.membrane_bits, allowed="2 .. 32")
    if network.arithmetic == "float" and neuron.weight_shift:
        raise InputError("weight_shift is for integer networks", key=key, found=neuron.weight_shift)
    if neuron.dead_steps < 0 or neuron.first_step < 0 or not 0 <= neuron.weight_shift <= 16:
        raise InputError("dead_steps, first_step and weight_shift (at most 16) must not be negative", key=key)


def _check_projection(network: Network, p: Projection, source: Population, target: Population) -> None:
    key = f"projection {p.name}"
    if p.delay < 0:
        raise InputError("delay must be >= 0 timesteps", key=key, found=p.delay)
    least = 0 if p.kind == "one_to_one" else 1
    if not least <= p.weight_bits <= 64:
        raise InputError("weight_bits out of range", key=key, found=p.weight_bits, allowed=f"{least} .. 64")
    for field, low in (("kernel", 1), ("stride", 1), ("padding", 0), ("dilation", 1)):
        if any(int(v) != v or v < low for v in getattr(p, field)):
            raise InputError(f"{field} must be integers >= {low}", key=key, found=getattr(p, field))
    if p.pool is not None:
        if any(v < 1 for v in (*p.pool.size, *p.pool.stride)):
            raise InputError("pool size and stride must be >= 1", key=key, found=p.pool)
        area = p.pool.size[0] * p.pool.size[1]
        if network.arithmetic == "int" and p.pool.kind == "average" and area & (area - 1):
            raise InputError("average pooling with integers needs a window of 2^n positions", key=key, found=area)
    c, h, w = pooled_shape(p, source)
    if h < 1 or w < 1:
        raise InputError("the pooling window is larger than the source", key=key, found=source.shape)
    expected = _expected_shapes(p, (c, h, w), target, key)
    if p.kind == "sparse":
        _check_csr(p, c * h * w, target, key)
    if p.weights is None:
        return
    if p.weights.shape != expected:
        raise InputError("weights have the wrong shape", key=key, found=list(p.weights.shape), allowed=[list(expected)])
    kinds = INT_WEIGHTS if network.arithmetic == "int" else FLOAT_WEIGHTS
    if p.weights.dtype not in kinds:
        raise InputError("weights have the wrong type", key=key, found=p.weights.dtype, allowed=kinds)
    if p.weights.dtype.kind == "f" and not np.isfinite(p.weights).all():
        raise InputError("weights must be finite", key=key)


def _expected_shapes(p: Projection, seen: tuple[int, int, int], target: Population, key: str) -> tuple[int, ...]:
    """Shape of the weights; raises where source, kernel and target do not fit."""
    c, h, w = seen
    if p.kind in ("conv", "depthwise"):
        out = tuple(conv_output(n, p.kernel[i], p.stride[i], p.padding[i], p.dilation[i]) for i, n in enumerate((h, w)))
        if out != target.shape[1:]:
            raise InputError(
                f"the kernel makes {out[0]} x {out[1]} positions of {h} x {w}, "
                f"the target has {target.shape[1]} x {target.shape[2]}",
                key=key,
            )
        if p.kind == "depthwise":
            if target.shape[0] != c:
                raise InputError("a depthwise projection keeps the channels", key=key, found=(c, target.shape[0]))
            return (c, *p.kernel)
        if p.groups < 1 or c % p.groups or target.shape[0] % p.groups:
            raise InputError("groups must divide the channels of source and target", key=key, found=p.groups)
        return (target.shape[0], c // p.groups, *p.kernel)
    if p.kind == "linear":
        return (target.size, c * h * w)
    if p.kind == "one_to_one":
        if target.shape != seen:
            raise InputError("one_to_one needs equal shapes", key=key, found=(seen, target.shape))
        return (c,)
    if p.kind == "sparse":
        return (0,) if p.indptr is None else (int(p.indptr[-1]),)
    raise unknown("projection kind", p.kind, ("conv", "depthwise", "linear", "sparse", "one_to_one"), key=key)


def _check_csr(p: Projection, rows: int, target: Population, key: str) -> None:
    if p.indptr is None or p.indices is None:
        raise InputError("a sparse projection needs indptr and indices", key=key)
    if p.indptr.shape != (rows + 1,) or p.indptr[0] != 0 or (np.diff(p.indptr) < 0).any():
        raise InputError(f"indptr must have {rows + 1} rising entries from 0", key=key, found=list(p.indptr.shape))
    if p.indices.shape != (int(p.indptr[-1]),):
        raise InputError("indices do not match indptr", key=key, found=list(p.indices.shape))
    if p.indices.size and not 0 <= int(p.indices.min()) <= int(p.indices.max()) < target.size:
        raise InputError("an index lies outside the target", key=key, allowed=f"0 .. {target.size - 1}")
