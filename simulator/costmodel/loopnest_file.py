"""Reads a layer, a machine and pinned mappings in the layout of published reference runs (YAML and JSON)."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

from simulator.costmodel.loopnest_types import (
    DIRECTIONS,
    LOOPS,
    OPERANDS,
    LoopLayer,
    LoopMachine,
    LoopMemory,
    PinnedLoops,
    Port,
    touches,
)
from simulator.errors import InputError, unknown
from simulator.hardware.document import read_document

MAX_DENOMINATOR = 4096


def read_layer(path: Path) -> LoopLayer:
    """A convolution: `loop_sizes`, `stride` {y, x}, `precision_bits` {W, I, O_partial, O_final}; loops default to 1.

    `relevant_loops` and `macs`, where given, must be those of a convolution.
    """
    tree = Entry(_yaml(path), str(path))
    sizes = dict.fromkeys(LOOPS, 1)
    for loop, entry in tree.of("loop_sizes").items():
        if loop not in LOOPS:
            raise unknown("loop", loop, LOOPS, file=path, key="loop_sizes")
        sizes[loop] = entry.whole()
    bits = {name: tree.of("precision_bits").of(name).whole() for name in ("W", "I", "O_partial", "O_final")}
    stride = tree.of("stride") if tree.has("stride") else None
    layer = LoopLayer(
        str(tree.of("name").data) if tree.has("name") else path.stem,
        sizes,
        bits,
        (stride.of("y").whole(), stride.of("x").whole()) if stride else (1, 1),
    )
    if tree.has("relevant_loops"):
        for operand, entry in tree.of("relevant_loops").items():
            loops = {loop for loop in LOOPS if operand in OPERANDS and touches(operand, loop)}
            if set(map(str, entry.list_of())) != loops:
                raise entry.error("only convolutions can be read", allowed=sorted(loops) or list(OPERANDS))
    if tree.has("macs") and tree.of("macs").data != layer.macs:
        raise tree.of("macs").error("not the product of the loop sizes", allowed=str(layer.macs))
    return layer


def read_machine(path: Path) -> LoopMachine:
    """An array and its memories, ordered from the array outwards; `links` may say `X.all` for all four directions."""
    tree = Entry(_yaml(path), str(path))
    array = tree.of("array")
    memories = []
    for entry in tree.of("memories").entries():
        operands = tuple(map(str, entry.of("operands").list_of()))
        for operand in operands:
            if operand not in OPERANDS:
                raise unknown("operand", operand, OPERANDS, file=path, key=f"{entry.key}.operands")
        instances = entry.of("instances")
        if instances.data not in ("per_pe", 1):
            raise instances.error("wrong value", allowed="per_pe, 1")
        memories.append(LoopMemory(
            str(entry.of("name").data), operands, entry.of("capacity_bits").whole(), instances.data == "per_pe",
            entry.of("read_pj").number(), entry.of("write_pj").number(),
            tuple(_port(port) for port in entry.of("ports").entries()),
        ))  # fmt: skip
    names = [memory.name for memory in memories]
    if len(set(names)) < len(names):
        raise tree.of("memories").error("two memories have one name")
    return LoopMachine(array.of("processing_elements").whole(), array.of("mac_energy_pj").number(), tuple(memories))


def read_mapping(entry: Entry, spatial: Entry, spatial_latency: Entry) -> PinnedLoops:
    """One mapping of a reference file: `temporal_innermost_first` and, per operand and level, the `loops` placed there.

    spatial, spatial_latency: loops unrolled over the array; fractions are read as the nearest simple ratio.
    """
    temporal = _loops(entry.of("temporal_innermost_first"))
    placed = {}
    for operand in OPERANDS:
        levels = [_loops(level.of("loops")) for level in entry.of("operands").of(operand).entries()]
        if [loop for level in levels for loop in level] != temporal:
            raise entry.of("operands").of(operand).error("the levels do not hold the temporal loops in their order")
        placed[operand] = tuple(len(level) for level in levels)
    fractions = {loop: Fraction(each.number()).limit_denominator(MAX_DENOMINATOR) for loop, each in spatial.items()}
    whole = {loop: each.whole() for loop, each in spatial_latency.items()}
    return PinnedLoops(tuple(temporal), placed, fractions, whole)


def read_json(path: Path) -> Entry:
    """A JSON file as entries that know their key path."""
    try:
        return Entry(json.loads(path.read_text(encoding="utf-8")), str(path))
    except (OSError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"not a readable JSON file ({error})", file=path) from None


class Entry:
    """A value of a file with its key path, for messages."""

    def __init__(self, data: Any, file: str, key: str = "") -> None:
        self.data, self.file, self.key = data, file, key

    def error(self, message: str, **parts: Any) -> InputError:
        """An InputError that points here."""
        return InputError(message, file=self.file, key=self.key or None, found=self.data, **parts)

    def has(self, name: str) -> bool:
        """Whether a key exists."""
        return isinstance(self.data, dict) and name in self.data

    def of(self, name: str) -> Entry:
        """The value of a key; InputError where it is missing."""
        if not isinstance(self.data, dict):
            raise self.error("not a table of keys")
        if name not in self.data:
            raise InputError("missing key", file=self.file, key=f"{self.key}.{name}".lstrip("."))
        return Entry(self.data[name], self.file, f"{self.key}.{name}".lstrip("."))

    def items(self) -> list[tuple[str, Entry]]:
        """All keys with their values."""
        if not isinstance(self.data, dict):
            raise self.error("not a table of keys")
        return [(str(name), self.of(name)) for name in self.data]

    def list_of(self) -> list[Any]:
        """The plain list."""
        if not isinstance(self.data, list):
            raise self.error("not a list")
        return self.data

    def entries(self) -> list[Entry]:
        """All items of the list."""
        return [Entry(each, self.file, f"{self.key}[{i}]") for i, each in enumerate(self.list_of())]

    def whole(self) -> int:
        """A whole number of at least 1."""
        if not isinstance(self.data, int) or isinstance(self.data, bool) or self.data < 1:
            raise self.error("wrong value", allowed="a whole number of at least 1")
        return self.data

    def number(self) -> float:
        """A number of at least 0."""
        if not isinstance(self.data, int | float) or isinstance(self.data, bool) or not 0 <= self.data < 1e30:
            raise self.error("wrong value", allowed="a number of at least 0")
        return self.data


def _yaml(path: Path) -> Any:
    return read_document(path).plain()


def _loops(entry: Entry) -> list[tuple[str, int]]:
    loops = []
    for each in entry.entries():
        pair = each.list_of()
        if len(pair) != 2 or pair[0] not in LOOPS:
            raise each.error("not a pair [loop, steps]", allowed=LOOPS)
        loops.append((str(pair[0]), Entry(pair[1], each.file, each.key).whole()))
    return loops


def _port(entry: Entry) -> Port:
    links = []
    for link in map(str, entry.of("links").list_of()):
        operand, _, direction = link.partition(".")
        if operand not in OPERANDS or direction not in (*DIRECTIONS, "all"):
            raise entry.of("links").error("unknown link", allowed="operand.direction, operand.all")
        links += [(operand, each) for each in (DIRECTIONS if direction == "all" else (direction,))]
    return Port(str(entry.of("name").data), entry.of("bits").whole(), tuple(links))
