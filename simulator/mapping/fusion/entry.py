"""The mapping of layers that run as computation nodes through one global buffer: pure data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from simulator.errors import InputError, nearest

FUSED_CHOICES: dict[str, tuple[str, ...]] = {
    "order": ("gated", "memory"),
    "eviction": ("stems_code", "uses_x_size"),
    "halo": ("one_sided", "padded"),
    "state_start": ("stored", "zero"),
    "barriers": ("no", "yes"),
    "node_timesteps": ("all", "one"),
}


@dataclass(frozen=True)
class Fusion:
    """How the nodes of all layers share the global buffer (STEMS, arXiv 2502.03287; sjoks93/STEMS 323e004).

    order        which of the ready nodes runs next: "gated" smallest barrier, timestep and column, then the deepest
                 layer; "memory" smallest barrier, then the deepest layer
    eviction     what leaves a full buffer first: "stems_code" least 100 x remaining uses - layer number; "uses_x_size"
                 least remaining uses x bits
    halo         columns that a window reads: "one_sided" x * stride ... + kernel - 1 as in the source, "padded" as the
                 network's padding says
    state_start  "stored": membranes are read from DRAM before their first use and written after their last; "zero":
                 they start as zero and end forgotten, so only evictions move them
    barriers     "yes": a change between fusion step by step and fusion in batches of time keeps later nodes waiting
    """

    order: Literal["gated", "memory"] = "gated"
    eviction: Literal["stems_code", "uses_x_size"] = "stems_code"
    halo: Literal["one_sided", "padded"] = "one_sided"
    state_start: Literal["stored", "zero"] = "stored"
    barriers: Literal["no", "yes"] = "no"

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            check_fused_choice(name, getattr(self, name), f"fusion.{name}")


@dataclass(frozen=True)
class FusedMapping:
    """How one layer (a population with the projections into it) is cut into computation nodes.

    layer           name of the population
    unit            name of the `pe_array` unit
    block           number of the block that the layer belongs to; the layers of a block share `node_timesteps`
    node_timesteps  "one": a node is one timestep; "all": a node batches all timesteps
    columns         number of column ranges that the layer is cut into, a divisor of its width; 1: not cut
    """

    layer: str
    unit: str
    block: int
    node_timesteps: Literal["all", "one"]
    columns: int = 1

    def __post_init__(self) -> None:
        key = f"layers.{self.layer}"
        check_fused_choice("node_timesteps", self.node_timesteps, f"{key}.node_timesteps")
        for name, low in (("block", 0), ("columns", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or not low <= value < 2**31:
                raise InputError("must be an integer", key=f"{key}.{name}", found=value, allowed=f"{low} .. 2^31 - 1")


def check_fused_choice(name: str, value: object, key: str) -> None:
    """Raises InputError unless `value` is one of the texts that field `name` may hold."""
    allowed = FUSED_CHOICES[name]
    if value not in allowed:
        close = nearest(value, list(allowed)) if isinstance(value, str) else None
        raise InputError("not one of the choices", key=key, found=value, allowed=allowed, nearest=close)
