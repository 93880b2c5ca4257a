"""Wishes: a mapping written in one line, such as `timesteps=one tile_channels=8`."""

from __future__ import annotations

from dataclasses import replace
from itertools import cycle, islice
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError, unknown
from simulator.mapping import Mapping, place
from simulator.mapping.fusion.entry import Fusion
from simulator.mapping.fusion.machine import array_of
from simulator.mapping.fusion.place import blocks_of, fused_entries
from simulator.network.stems import red_blocks

if TYPE_CHECKING:
    from simulator.hardware import Hardware
    from simulator.network import Network

DEFAULT = "default"
NUMBERS = ("tile_channels", "tile_rows")
TEXTS = ("timesteps", "weights", "arrangement", "duplication")
BITS = ("time", "depth")
FUSION = ("order", "eviction", "halo", "state_start", "barriers")


def placed(network: Network, hardware: Hardware, label: str, steps: int) -> Mapping:
    """The mapping that `label` describes, for samples of `steps` timesteps.

    "default" is `place(network, hardware)`.  Otherwise words `wish=value`, the wishes of `simulator.mapping.place`;
    on an array behind a global buffer `time` and `depth`, one bit per block (fewer bits are repeated until every block
    has its own), and the rules of `Fusion`.  InputError where a word is none of them or nothing fits.
    """
    wishes = _words(label)
    if array_of(hardware) is None:
        for name in wishes:
            if name not in (*NUMBERS, *TEXTS):
                raise unknown("wish", name, (*NUMBERS, *TEXTS), key=f"mapping {label}")
        return place(network, hardware, timesteps_hint=max(1, steps), **wishes)
    return _fused(network, hardware, label, wishes, steps)


def _words(label: str) -> dict[str, Any]:
    """Wishes by name; numbers as integers."""
    found: dict[str, Any] = {}
    for word in [] if label == DEFAULT else label.split():
        name, sign, value = word.partition("=")
        if not sign or not value or name in found:
            raise InputError(
                "a mapping is written as words wish=value, each wish once", key=f"mapping {label}", found=word
            )
        found[name] = int(value) if value.isdecimal() and name not in BITS else value
    return found


def _fused(network: Network, hardware: Hardware, label: str, wishes: dict[str, Any], steps: int) -> Mapping:
    """Layers cut into computation nodes by the bits of their blocks."""
    for name in wishes:
        if name not in (*BITS, *FUSION):
            raise unknown("wish", name, (*BITS, *FUSION), key=f"mapping {label}")
    blocks = red_blocks() if network.name == "red_lif" else blocks_of(network)
    bits = {name: wishes.get(name, default) for name, default in (("time", "1"), ("depth", "0"))}
    time, depth = ("".join(islice(cycle(text), max(len(text), len(blocks)))) for text in bits.values())
    made = Mapping(
        hardware.name, network.name, "all", fused_entries(network, hardware, time, depth, blocks), {}, max(1, steps)
    )
    rules = {name: value for name, value in wishes.items() if name in FUSION}
    return replace(made, fusion=Fusion(**rules)) if rules else made
