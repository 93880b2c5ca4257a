"""The mapping: pure data: on which cores or crossbars a layer lives, how it is cut, and where its operands stay."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Literal

from simulator.errors import InputError, nearest, unknown
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.fusion.entry import FusedMapping, Fusion

Timesteps = Literal["all", "one"]
CHOICES: dict[str, tuple[Any, ...]] = {
    "timesteps": ("all", "one"),
    "weights": ("resident", "stream"),
    "weight_buffers": (1, 2),
    "state": ("core", "dram"),
    "spikes": ("chip", "dram"),
}
DEFAULT_TIMESTEPS_HINT = 8


@dataclass(frozen=True)
class LayerMapping:
    """How one layer (a population with the projections into it) runs.

    layer           name of the population
    cores           names of the `cmos_core` units that share the layer; tile i runs on cores[i % len(cores)]
    tile_channels   output channels of a tile, 1 .. C; the last tile may be smaller
    tile_rows       output rows of a tile, 1 .. H; the last tile may be smaller
    input_parts     number of parts (>= 1) into which the input channels are split; a tile accumulates them in turn
    weights         "resident": loaded once before the first sample; "stream": loaded again in every repetition
    weight_buffers  streamed weights: tiles that the weight memory holds at once, 2 lets loads run ahead of compute
    state           "core": membranes stay in the core's state memory; "dram": loaded before, stored after each tile
    spikes          where the layer's output spikes stay until they are used: "chip" or "dram"
    """

    layer: str
    cores: tuple[str, ...]
    tile_channels: int
    tile_rows: int
    input_parts: int = 1
    weights: Literal["resident", "stream"] = "resident"
    weight_buffers: int = 2
    state: Literal["core", "dram"] = "core"
    spikes: Literal["chip", "dram"] = "chip"

    def __post_init__(self) -> None:
        key = f"layers.{self.layer}"
        for name in ("weights", "weight_buffers", "state", "spikes"):
            check_choice(name, getattr(self, name), f"{key}.{name}")
        for name in ("tile_channels", "tile_rows", "input_parts"):
            check_count(getattr(self, name), f"{key}.{name}")
        object.__setattr__(self, "cores", tuple(self.cores))
        if not self.cores:
            raise InputError("a layer needs at least one core", key=f"{key}.cores")
        if len(set(self.cores)) != len(self.cores):
            raise InputError("a core is named twice", key=f"{key}.cores", found=list(self.cores))


@dataclass(frozen=True)
class Mapping:
    """Placement of a network on a chip.

    timesteps       "all": each layer runs all timesteps of a sample before the next layer starts (feed-forward nets);
                    "one": every timestep all layers run once
    layers          one entry per layer of the network: all on cores, all on crossbars, or all cut into nodes
    inputs          where the spikes of each input population stay once they have been loaded from DRAM: "chip" (one
                    load per repetition) or "dram" (one load per layer that consumes them); empty on crossbars, where
                    inputs stream in through the chip's input port, and where layers are cut into nodes
    timesteps_hint  timesteps for which spikes are buffered when `timesteps` is "all"; used by capacity checks only;
                    where layers are cut into nodes, the timesteps that every sample has
    fusion          how nodes share the global buffer; only where layers are cut into nodes
    """

    hardware: str
    network: str
    timesteps: Timesteps
    layers: tuple[LayerMapping | CrossbarMapping | FusedMapping, ...]
    inputs: dict[str, str] = field(default_factory=dict)
    timesteps_hint: int = DEFAULT_TIMESTEPS_HINT
    fusion: Fusion | None = None

    def __post_init__(self) -> None:
        check_choice("timesteps", self.timesteps, "timesteps")
        check_count(self.timesteps_hint, "timesteps_hint")
        object.__setattr__(self, "layers", tuple(self.layers))
        for name, home in self.inputs.items():
            check_choice("spikes", home, f"inputs.{name}")
        seen: dict[str, None] = {}
        for entry in self.layers:
            if entry.layer in seen:
                raise InputError("the layer is mapped twice", key=f"layers.{entry.layer}")
            seen[entry.layer] = None
        if self.on_cores and self.on_crossbars:
            raise InputError(
                "layers on cores and layers on crossbars do not go together in one mapping",
                key=f"layers.{self.on_crossbars[0].layer}",
                found=f"{self.on_cores[0].layer!r} is on {', '.join(self.on_cores[0].cores)}",
            )
        if self.fused:
            self._check_fused()
        elif self.fusion is not None:
            raise InputError("only a mapping whose layers are cut into nodes has this", key="fusion")

    def _check_fused(self) -> None:
        """Layers cut into nodes stand alone, and a block's layers agree on their timesteps."""
        if len(self.fused) != len(self.layers):
            odd = next(entry.layer for entry in self.layers if not isinstance(entry, FusedMapping))
            raise InputError("layers cut into nodes do not go together with others", key=f"layers.{odd}")
        if self.timesteps != "all" or self.inputs:
            raise InputError("layers cut into nodes go with timesteps all and no inputs", key="timesteps")
        if self.fusion is None:
            object.__setattr__(self, "fusion", Fusion())
        steps: dict[int, str] = {}
        for entry in self.fused:
            if steps.setdefault(entry.block, entry.node_timesteps) != entry.node_timesteps:
                key = f"layers.{entry.layer}.node_timesteps"
                allowed = steps[entry.block]
                raise InputError("the layers of a block share it", key=key, found=entry.node_timesteps, allowed=allowed)

    @cached_property
    def on_cores(self) -> tuple[LayerMapping, ...]:
        """The entries of layers that live on cores."""
        return tuple(entry for entry in self.layers if isinstance(entry, LayerMapping))

    @cached_property
    def on_crossbars(self) -> tuple[CrossbarMapping, ...]:
        """The entries of layers that live on crossbars."""
        return tuple(entry for entry in self.layers if isinstance(entry, CrossbarMapping))

    @cached_property
    def fused(self) -> tuple[FusedMapping, ...]:
        """The entries of layers that are cut into computation nodes."""
        return tuple(entry for entry in self.layers if isinstance(entry, FusedMapping))

    def layer(self, name: str) -> LayerMapping:
        """The entry of layer `name` on cores; an unknown name is an `InputError` with the nearest one."""
        try:
            return self._by_name[name]
        except KeyError:
            raise unknown("layer", name, self._by_name, key="layers") from None

    @cached_property
    def _by_name(self) -> dict[str, LayerMapping]:
        return {entry.layer: entry for entry in self.on_cores}

    def describe(self) -> dict[str, Any]:
        """The mapping as plain values, in the layout of its YAML file."""
        return {
            "schema": "neurocycle.mapping/1",
            "hardware": self.hardware,
            "network": self.network,
            "timesteps": self.timesteps,
            "timesteps_hint": self.timesteps_hint,
            "inputs": dict(self.inputs),
            **({} if self.fusion is None else {"fusion": asdict(self.fusion)}),
            "layers": {
                entry.layer: {
                    name: _plain(getattr(entry, name)) for name in entry.__dataclass_fields__ if name != "layer"
                }
                for entry in self.layers
            },
        }

    @cached_property
    def sha256(self) -> str:
        """Hash of the canonical content; the order of layers and inputs in a file does not matter."""
        return hashlib.sha256(json.dumps(self.describe(), sort_keys=True).encode()).hexdigest()


def check_choice(kind: str, value: object, key: str) -> None:
    """Raises InputError unless `value` is one of the allowed values of field `kind`."""
    allowed = CHOICES[kind]
    if value not in allowed or type(value) is not type(allowed[0]):
        close = nearest(value, [v for v in allowed if isinstance(v, str)]) if isinstance(value, str) else None
        raise InputError("not one of the choices", key=key, found=value, allowed=allowed, nearest=close)


def check_count(value: object, key: str) -> None:
    """Raises InputError unless `value` is an integer >= 1."""
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise InputError("must be an integer", key=key, found=value, allowed="1 .. 2^31 - 1")


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
