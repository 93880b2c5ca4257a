"""Compatibility flags of the SpikeSim estimator that change a plan, or that refuse a network as it would.

Source of each: `ela_spikesim.py` of Intelligent-Computing-Lab-Yale/SpikeSim at commit c2627bc, read in the code.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError
from simulator.network.network import Network
from simulator.network.projection import Pool
from simulator.units import ceil_div

if TYPE_CHECKING:
    from simulator.mapping.crossbar.layer import CrossbarLayer

MOST_LAYERS = 12


def merged_pool(spec: Any, network: Network, layer: str) -> Pool | None:
    """The pooling of the layer's consumers that shrinks its own positions (`post_pool_dims`), or None."""
    if "post_pool_dims" not in spec.quirks:
        return None
    found = network.outgoing(layer)
    pools = {None if p.pool is None else (p.pool.size, p.pool.stride) for p in found}
    if len(pools) > 1:
        raise InputError(
            "quirk post_pool_dims counts positions after pooling, but the layer's consumers pool it differently",
            key=f"layer {layer}",
            found=[p.name for p in found],
        )
    return found[0].pool if found else None


def knows_convolutions_only(spec: Any) -> bool:
    """Whether a flag stands for an estimator that counts convolutions by kernel position, and nothing else.

    SpikeSim: `conv_only_one_kernel`.  SpikingJelly's profiler (commit afb1322), with the same formulas: `patch_events`.
    """
    return "conv_only_one_kernel" in spec.quirks or "patch_events" in spec.quirks


def is_left_out(spec: Any, network: Network, layer: str) -> bool:
    """Whether the layer takes no hardware and no time: a linear one, under a flag that knows convolutions only."""
    return knows_convolutions_only(spec) and any(p.kind == "linear" for p in network.incoming(layer))


def shares_tiles(spec: Any) -> bool:
    """Whether layers may share a tile: as the unit says, and always under `tiles_shared`."""
    return bool(spec.tile_sharing) or "tiles_shared" in spec.quirks


def check_quirks(spec: Any, network: Network, layers: dict[str, CrossbarLayer]) -> None:
    """Raises InputError for a network that the estimator cannot compute, quirk by quirk."""
    present = [layer for layer in layers.values() if not layer.omitted]
    if "conv_only_one_kernel" in spec.quirks:
        _check_kernels(present)
    edges = [_channels(layer) for layer in present]
    rows, columns = int(spec.crossbar.rows), int(spec.crossbar.columns)
    if "overlap_75" in spec.quirks and len(present) > MOST_LAYERS:
        raise InputError(
            f"quirk overlap_75: the latency list holds {MOST_LAYERS} layers",
            key=f"network {network.name}",
            found=f"{len(present)} convolution layers",
            allowed=f"at most {MOST_LAYERS}",
        )
    if "hang_when_all_small" in spec.quirks and all(a * b < rows * columns for a, b in edges):
        raise InputError(
            "quirk hang_when_all_small: the estimator never ends when no layer fills an array",
            key=f"network {network.name}",
            found=f"{max((a * b for a, b in edges), default=0)} weights per kernel position in the largest layer",
            allowed=f"at least {rows * columns} ({rows} rows x {columns} columns) in one layer",
        )
    if "sorted_pe_counts" in spec.quirks:
        for before, after in pairwise(range(len(present))):
            (a, b), (c, d) = edges[before], edges[after]
            whole = ceil_div(a, rows) * ceil_div(b, columns), ceil_div(c, rows) * ceil_div(d, columns)
            if whole[1] < whole[0] or c * d < a * b:
                raise InputError(
                    "quirk sorted_pe_counts: processing elements must not become fewer from layer to layer",
                    key=f"layer {present[after].layer}",
                    found=f"{a} x {b} channels in {present[before].layer!r}, then {c} x {d}",
                    allowed="check the order of the layers",
                )


def overlapped(work: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """(start, end) of each layer under `overlap_75`, from its vectors and the cycles of each.

    A layer starts when the one before has done 75 % of its vectors, the product truncated.
    """
    found: list[tuple[float, float]] = []
    start = 0.0
    for vectors, cycles in work:
        found.append((start, start + vectors * cycles))
        start += 3 * vectors // 4 * cycles
    return found


def _channels(layer: CrossbarLayer) -> tuple[int, int]:
    """(input channels, output channels) of the layer's first projection."""
    return layer.parts[0].shape[0], layer.outputs


def _check_kernels(present: list[CrossbarLayer]) -> None:
    """One square kernel for all layers, square maps, one ungrouped convolution per layer, no copies."""
    kernels = {layer.parts[0].kernel for layer in present}
    for layer in present:
        p = layer.parts[0].projection
        square = layer.parts[0].kernel[0] == layer.parts[0].kernel[1] and layer.grid[0] == layer.grid[1]
        wrong = [
            text
            for text, found in (
                (f"{len(layer.parts)} projections into one layer", len(layer.parts) > 1),
                (f"a {p.kind} projection", p.kind != "conv"),
                (f"{p.groups} groups", p.groups > 1),
                (f"{layer.copies} copies", layer.copies > 1),
                (f"a kernel of {p.kernel} on a map of {layer.grid}", not square),
                (f"kernels of {sorted(kernels)}", len(kernels) > 1),
                (f"arrangement {layer.arrangement}", layer.arrangement != "kernel"),
            )
            if found
        ]
        if wrong:
            raise InputError(
                "quirk conv_only_one_kernel: the estimator knows plain convolutions with one square kernel only",
                key=f"layer {layer.layer}",
                found=wrong[0],
            )
