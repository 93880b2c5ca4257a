"""Automatic placement on crossbars: arrangement and copies of every layer, and the processing elements they take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from simulator.errors import InputError, nearest
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.crossbar.cut import array_size
from simulator.mapping.crossbar.duplicate import Duplication, copies_of
from simulator.mapping.crossbar.entry import ARRANGEMENTS, CrossbarMapping
from simulator.mapping.crossbar.lay import lay_out
from simulator.mapping.crossbar.quirk import knows_convolutions_only, shares_tiles
from simulator.mapping.mapping import Mapping
from simulator.network.geometry import pooled_shape
from simulator.network.network import Network
from simulator.units import ceil_div

if TYPE_CHECKING:
    from simulator.hardware import Hardware

WINDOWS = ("conv", "depthwise")


def bank_of(hardware: Hardware) -> str | None:
    """Name of the `cim_tile` unit that layers are placed on, None for a chip of cores; InputError with several."""
    banks = [name for name, spec in hardware.units.items() if spec.type == "cim_tile"]
    if not banks or any(spec.type == "cmos_core" for spec in hardware.units.values()):
        return None
    if len(banks) > 1:
        raise InputError(
            "a network is placed on one cim_tile unit, which stands for all its tiles",
            key=f"hardware {hardware.name}",
            found=banks,
        )
    return banks[0]


def place_on_crossbars(
    network: Network,
    hardware: Hardware,
    unit: str,
    arrangement: str | None,
    duplication: Duplication,
    timesteps: str | None,
    timesteps_hint: int,
) -> Mapping:
    """A mapping of all layers onto the tiles of `unit`, in running order, one after another.

    Wishes are kept or refused: `arrangement` "kernel" or "im2col" for every layer with a window (None: see
    `arrangement_of`), `duplication` as in `simulator.mapping.crossbar.duplicate`.  Layers share tiles where the unit
    says so, else each starts in a tile of its own.
    """
    spec: Any = hardware.units[unit]
    if timesteps == "one":
        raise InputError(
            "tiles pass spikes on timestep by timestep by themselves", key="timesteps", found="one", allowed=["all"]
        )
    if arrangement is not None and arrangement not in ARRANGEMENTS:
        close = nearest(arrangement, ARRANGEMENTS)
        raise InputError(
            "not one of the choices", key="arrangement", found=arrangement, allowed=ARRANGEMENTS, nearest=close
        )
    chosen = {name: arrangement_of(network, spec, name, arrangement) for name in network.layers}
    single = {
        name: lay_out(network, spec, CrossbarMapping(name, unit, chosen[name]))  # type: ignore[arg-type]
        for name in network.layers
    }
    copies = copies_of(single, spec, duplication)
    entries = []
    pe, per_tile = 0, int(spec.pes_per_tile)
    for name, layer in single.items():
        if not shares_tiles(spec):
            pe = ceil_div(pe, per_tile) * per_tile
        entries.append(CrossbarMapping(name, unit, chosen[name], copies[name], pe))  # type: ignore[arg-type]
        pe += copies[name] * layer.pes_per_copy
    mapping = Mapping(
        hardware=hardware.name,
        network=network.name,
        timesteps="all",
        layers=tuple(entries),
        timesteps_hint=timesteps_hint,
    )
    check_crossbars(mapping, network, hardware)
    return mapping


def arrangement_of(network: Network, spec: Any, layer: str, wish: str | None = None) -> str:
    """The arrangement of a layer: the wish, or the unit's own where it makes sense.

    Layers without a window (linear, sparse) are flattened.  Without a wish, so is one whose kernel has more positions
    than a processing element has arrays, and one whose whole window fits a single array (a first layer of few
    channels), except under quirks of estimators that know one array per kernel position only.
    """
    windows = [p for p in network.incoming(layer) if p.kind in WINDOWS]
    if not windows:
        return "im2col"
    if wish is not None:
        return wish
    if spec.arrangement == "im2col" or knows_convolutions_only(spec):
        return str(spec.arrangement)
    for p in windows:
        size, taps = array_size(spec, p), p.kernel[0] * p.kernel[1]
        channels = pooled_shape(p, network.population(p.source))[0] // p.groups
        if size.arrays is not None and taps > size.arrays:
            return "im2col"
        if p.kind == "conv" and p.groups == 1 and 1 < taps and taps * channels <= size.rows:
            return "im2col"
    return "kernel"
