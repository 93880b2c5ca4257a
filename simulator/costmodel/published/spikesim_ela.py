"""SpikeSim ELA in closed form: energy, area and latency of convolutions on crossbars, whatever their spikes.

Source: ela_spikesim.py of Intelligent-Computing-Lab-Yale/SpikeSim, commit c2627bc; its constants are re-keyed here
(65 nm, RRAM), its slips kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.model import PublishedModel
from simulator.errors import InputError
from simulator.hardware import Hardware
from simulator.mapping.mapping import Mapping
from simulator.mapping.schedule import Schedule
from simulator.network import Network
from simulator.network.geometry import pooled_shape
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


def convolutions(network: Network) -> list[Convolution]:
    """The convolutions of a network as the estimator lists them, in its order; other layers are left out.

    A map that is not square counts with the root of its size, rounded; what a layer's first reader pools is pooled.
    """
    found = []
    for p in network.projections:
        if p.kind != "conv":
            continue
        source, target = network.population(p.source), network.population(p.target)
        channels, rows, columns = pooled_shape(p, source)
        readers = network.outgoing(p.target)
        made = pooled_shape(readers[0], target) if readers else target.shape
        found.append(Convolution(channels // p.groups, target.shape[0], round((rows * columns) ** 0.5),
                                 round((made[1] * made[2]) ** 0.5)))  # fmt: skip
    return found


def _answer(hardware: Hardware, activity: Activity) -> Ela | None:
    """The estimate for a chip of square crossbars, all timesteps of all samples; None for other chips and networks."""
    tiles: list[Any] = [spec for spec in hardware.units.values() if spec.type == "cim_tile"]
    layers = convolutions(activity.network)
    steps = int(activity.steps.sum())
    if not tiles or not layers or not steps or tiles[0].crossbar.rows != tiles[0].crossbar.columns:
        return None
    kernel = max(p.kernel[0] for p in activity.network.projections if p.kind == "conv")
    size = tiles[0].crossbar.rows
    return ela(layers, steps, size, kernel, tiles[0].pes_per_tile) if size >= 8 else None


def _total_pj(
    schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> float | None:
    found = _answer(hardware, activity)
    return None if found is None else found.energy_pj


def _total_ps(
    schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> float | None:
    found = _answer(hardware, activity)
    return None if found is None else found.latency_ns * 1000.0


MODEL = PublishedModel("spikesim_ela", "ela_spikesim.py of SpikeSim, commit c2627bc", _total_ps, _total_pj)
