"""One layer laid out on crossbars: its projections as parts, their row blocks, its output positions."""

from __future__ import annotations

from typing import Any

from simulator.errors import InputError
from simulator.mapping.crossbar.block import RowBlock
from simulator.mapping.crossbar.cut import array_size, cut
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.part import CrossbarPart, input_magnitude_bits, input_planes
from simulator.mapping.crossbar.quirk import is_left_out, merged_pool
from simulator.network.geometry import pooled_shape
from simulator.network.network import Network
from simulator.network.population import Population
from simulator.network.projection import Projection

FLAT = ("linear", "sparse")


def lay_out(network: Network, spec: Any, entry: CrossbarMapping) -> CrossbarLayer:
    """The layer of `entry` on the crossbars of `spec`; InputError where its projections do not go together."""
    name = entry.layer
    population = network.population(name)
    incoming = network.incoming(name)
    flat = _is_flat(name, population, incoming)
    omitted = is_left_out(spec, network, name)
    grid = (1, 1) if flat else population.shape[1:]
    outputs = population.size if flat else population.shape[0]
    shrink = (1, 1)
    pool = None if flat else merged_pool(spec, network, name)
    if pool is not None:  # the layer is counted as a convolution with the stride of its consumers' pooling
        shrink = pool.stride
        grid = ((grid[0] - pool.size[0]) // shrink[0] + 1, (grid[1] - pool.size[1]) // shrink[1] + 1)
    parts: list[CrossbarPart] = []
    blocks: list[RowBlock] = []
    widths: list[int] = []
    reserved = 0
    for number, p in enumerate(incoming):
        source = network.population(p.source)
        seen = pooled_shape(p, source)
        size = array_size(spec, p)
        reserved = size.reserved
        first = len(blocks)
        window, stride, padding, dilation = _window(p, seen, flat)
        taps = window[0] * window[1]
        kernel = entry.arrangement == "kernel" and p.kind in ("conv", "depthwise")
        if kernel and size.arrays is not None and taps > size.arrays and not omitted:
            raise InputError(
                f"the kernel has {taps} positions, a processing element has {size.arrays} arrays",
                key=f"layers.{name}.arrangement",
                found="kernel",
                allowed=["im2col"],
            )
        if not omitted:
            blocks += cut(p, seen, outputs, taps, number, kernel, size)
        for block in blocks[first:]:
            widths.append(len(block.arrays) if size.arrays is None else size.arrays)
        parts.append(
            CrossbarPart(
                projection=p,
                shape=seen,
                kernel=window,
                stride=(stride[0] * shrink[0], stride[1] * shrink[1]),
                padding=padding,
                dilation=dilation,
                planes=input_planes(p, source, _driven_bits(spec, p, source)),
                slices=size.slices,
                columns_per_weight=size.columns_per_weight,
                rows_per_input=size.rows_per_input,
                first_block=first,
                end_block=len(blocks),
            )
        )
    return CrossbarLayer(
        layer=name,
        population=population,
        arrangement=entry.arrangement,
        grid=grid,
        outputs=outputs,
        parts=tuple(parts),
        row_blocks=tuple(blocks),
        copies=entry.copies,
        first_pe=entry.first_pe,
        pes_per_tile=int(spec.pes_per_tile),
        reserved_columns=reserved,
        pe_arrays=tuple(widths),
        omitted=omitted,
    )


def _is_flat(name: str, population: Population, incoming: tuple[Projection, ...]) -> bool:
    """Whether the layer is computed as one position; convolutions beside linear synapses need a map of one position."""
    flat = [p for p in incoming if p.kind in FLAT]
    windows = [p for p in incoming if p.kind in ("conv", "depthwise")]
    if flat and windows and population.shape[1:] != (1, 1):
        raise InputError(
            f"a layer of {population.shape[1]} x {population.shape[2]} positions cannot take {windows[0].kind} "
            f"{windows[0].name!r} and {flat[0].kind} {flat[0].name!r} synapses on crossbars together",
            key=f"layer {name}",
            allowed="one of the two, or a target of 1 x 1 positions",
        )
    return bool(flat)


def _window(
    p: Projection, seen: tuple[int, int, int], flat: bool
) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int], tuple[int, int]]:
    """(kernel, stride, padding, dilation) of the window that one output position sees of the pooled source."""
    if p.kind in FLAT or (p.kind == "one_to_one" and flat):
        return (seen[1], seen[2]), (1, 1), (0, 0), (1, 1)
    if p.kind == "one_to_one":
        return (1, 1), (1, 1), (0, 0), (1, 1)
    return p.kernel, p.stride, p.padding, p.dilation


def _driven_bits(spec: Any, p: Projection, source: Population) -> int | None:
    """Magnitude bits that the unit drives, None: as many as the values need; InputError where they need more.

    A converter that integrates step by step drives signed inputs, so one of `input_bits` is the sign: magnitude bits
    max(1, input_bits - 1) (NeuRRAM, Wan et al., Nature 2022, as modelled in CiMLoop's wan_nature_2022).
    """
    if spec.input_bits is None:
        return None
    bits = int(spec.input_bits)
    if spec.adc.kind == "integrate_steps":
        bits = max(1, bits - 1)
    needed = input_magnitude_bits(p, source)
    if needed > bits:
        raise InputError(
            f"the inputs of the projection need {needed} magnitude bits, the unit drives {bits}",
            key=f"projection {p.name}",
            found=f"input_bits {spec.input_bits}",
        )
    return bits
