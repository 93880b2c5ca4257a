"""SpikeSim ELA in closed form: energy, area and latency of convolutions on crossbars, whatever their spikes.

Source: ela_spikesim.py of Intelligent-Computing-Lab-Yale/SpikeSim, commit c2627bc; its constants are re-keyed here
(65 nm, RRAM), its slips kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from simulator.errors import InputError
from simulator.units import ceil_div

CROSSBAR_PJ, ADC_PJ, MUX_PJ, SUBTRACT_PJ, TEMPORARY_PJ = 1.76423, 2.03084, 0.094245, 1.15e-6, 0.2
HTREE_PJ, FETCH_PJ, NEURON_PJ, TILE_BUFFER_PJ = 19.64 * 8, 4.64, 1.274 * 4, 397.0
CROSSBAR_UM2, ADC_UM2, MUX_UM2, SUBTRACT_UM2 = 26.2144, 693.633, 45.9, 13411.41498
TEMPORARY_UM2, TILE_BUFFER_UM2, HTREE_UM2, BIT_UM2 = 484.643999, 0.7391 * 64 * 128, 216_830 * 2, 0.7391
CYCLE_NS, STORE_BITS, MEMBRANE_LAYERS = 104, 22, 5


@dataclass(frozen=True)
class Convolution:
    """A layer as the estimator lists it: channels in and out, width of its input and output (after pooling)."""

    inputs: int
    outputs: int
    in_width: int
    out_width: int


@dataclass(frozen=True)
class Ela:
    """What the estimator prints: processing elements, tiles, pJ, um2, ns, and pJ per layer."""

    pes: int
    tiles: int
    energy_pj: float
    area_um2: float
    latency_ns: int
    layers_pj: tuple[float, ...]


def ela(layers: Sequence[Convolution], steps: int, size: int = 64, kernel: int = 3, pes_per_tile: int = 8) -> Ela:
    """Estimate for square arrays of `size`, one `kernel` for all layers, `steps` timesteps.

    PE = ceil(Cin / X) ceil(Cout / X);  E = sum PE H^2 T E_PE;  t = 104 ns T (sum of int(0.75 H^2 Cout), last in full).
    """
    if not layers or size < 8:
        raise InputError("ELA needs layers, and arrays of 8 columns", found=f"{len(layers)} layers, size {size}")
    share = size // 8
    pes = [ceil_div(layer.inputs, size) * ceil_div(layer.outputs, size) for layer in layers]
    read = kernel**2 * CROSSBAR_PJ + share * (ADC_PJ + MUX_PJ)
    cycle = HTREE_PJ + FETCH_PJ + NEURON_PJ + TILE_BUFFER_PJ + share * (read + 16 * SUBTRACT_PJ + TEMPORARY_PJ)
    energy = tuple(n * layer.out_width**2 * steps * cycle for n, layer in zip(pes, layers, strict=True))
    tiles = ceil_div(sum(pes), pes_per_tile)
    element = kernel**2 * CROSSBAR_UM2 + share * (ADC_UM2 + MUX_UM2)
    tile = share * SUBTRACT_UM2 + TEMPORARY_UM2 + TILE_BUFFER_UM2 + pes_per_tile * element + HTREE_UM2
    stored = sum(layer.inputs * layer.in_width**2 for layer in layers)
    stored += sum(layer.outputs * layer.out_width**2 for layer in layers[:MEMBRANE_LAYERS])
    work = [layer.out_width**2 * layer.outputs for layer in layers]
    cycles = sum(int(0.75 * n) for n in work[:-1]) + work[-1]
    area = tiles * tile + STORE_BITS * BIT_UM2 * stored
    return Ela(sum(pes), tiles, sum(energy), area, CYCLE_NS * steps * cycles, energy)
