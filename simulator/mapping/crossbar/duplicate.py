"""Duplication: how often a layer's weights are stored, so that layers with many positions do not hold up the others."""

from __future__ import annotations

from collections.abc import Mapping as ReadOnlyDict
from typing import Any

from simulator.errors import InputError, nearest, unknown
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.quirk import shares_tiles
from simulator.units import ceil_div

Duplication = str | int | ReadOnlyDict[str, int]
RULES = ("none", "balance", "neurosim")


def copies_of(layers: dict[str, CrossbarLayer], spec: Any, wish: Duplication) -> dict[str, int]:
    """Copies per layer; `layers` are laid out with one copy each.

    wish  "none": one copy; "balance": copies go to the slowest layer while the unit's tiles last; "neurosim": the rule
          of NeuroSim; a number for all layers (where a layer has that many positions); or a number per layer name
    """
    if isinstance(wish, str):
        if wish not in RULES:
            raise InputError(
                "not one of the choices", key="duplication", found=wish, allowed=RULES, nearest=nearest(wish, RULES)
            )
        if wish == "balance":
            return _balanced(layers, spec)
        return _neurosim(layers) if wish == "neurosim" else dict.fromkeys(layers, 1)
    if isinstance(wish, int):
        _check(wish, "duplication")
        return {name: min(wish, layer.positions) for name, layer in layers.items()}
    for name, count in wish.items():
        if name not in layers:
            raise unknown("layer", name, layers, key="duplication")
        _check(count, f"duplication.{name}")
    return {name: wish.get(name, 1) for name in layers}


def groups_of(layer: CrossbarLayer, spec: Any) -> int:
    """Row groups that the slowest processing element converts per position when every input fires, one after another.

    A group is `rows_parallel` rows; arrays that share bitlines ("analog") are counted together, those that take turns
    ("mux") one by one, those with converters of their own ("private") side by side; planes follow one another.
    """
    parallel = int(spec.crossbar.rows_parallel)
    most = 0
    for block in layer.row_blocks:
        each = [ceil_div(rows, parallel) for rows in block.array_rows]
        merge = spec.crossbar.kernel_merge
        groups = {"analog": ceil_div(block.rows, parallel), "mux": sum(each), "private": max(each)}[merge]
        most = max(most, groups * len(layer.parts[block.part].planes))
    return most


def tiles_needed(layers: dict[str, CrossbarLayer], spec: Any, copies: dict[str, int]) -> int:
    """Tiles for `copies` of every layer, one layer after another, each in tiles of its own where none are shared."""
    per_tile, pe = int(spec.pes_per_tile), 0
    for name, layer in layers.items():
        if not shares_tiles(spec):
            pe = ceil_div(pe, per_tile) * per_tile
        pe += copies[name] * layer.pes_per_copy
    return max(1, ceil_div(pe, per_tile))


def _balanced(layers: dict[str, CrossbarLayer], spec: Any) -> dict[str, int]:
    """Greedy: the layer with most groups per copy gets the fewest further copies that help it, until none fit.

    It ends at the first slowest layer that cannot be helped: copies of faster ones would not shorten the pipeline.
    """
    if spec.tiles is None:
        raise InputError(
            "copies are balanced within a number of tiles, and this unit takes as many as it needs",
            key="duplication",
            found="balance",
            allowed="another rule, or a number for `tiles` of the cim_tile unit",
        )
    copies = dict.fromkeys(layers, 1)
    groups = {name: groups_of(layer, spec) for name, layer in layers.items()}
    while True:
        time = {name: ceil_div(layer.positions, copies[name]) * groups[name] for name, layer in layers.items()}
        slowest = max(layers, key=lambda name: time[name])
        share = ceil_div(layers[slowest].positions, copies[slowest])
        if share == 1 or not groups[slowest]:
            return copies
        more = {**copies, slowest: ceil_div(layers[slowest].positions, share - 1)}
        if tiles_needed(layers, spec, more) > int(spec.tiles):
            return copies
        copies = more


def _neurosim(layers: dict[str, CrossbarLayer]) -> dict[str, int]:
    """NeuroSim V1.4 (Chip.cpp; manual): bound = ceil(largest map / degree), copies = ceil((map / bound)^2).

    `map` is the side of a layer's input map; the degree is 8, at most the largest by the smallest map.  Layers of one
    position count with no copy.
    """
    sides = {name: max(layer.parts[0].shape[1:]) for name, layer in layers.items() if layer.positions > 1}
    if not sides:
        return dict.fromkeys(layers, 1)
    largest, smallest = max(sides.values()), min(sides.values())
    bound = ceil_div(largest, max(1, min(8, largest // smallest)))
    return {name: ceil_div(sides[name] ** 2, bound**2) if name in sides else 1 for name in layers}


def _check(value: object, key: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        raise InputError("must be an integer", key=key, found=value, allowed="1 .. 2^31 - 1")
