"""Operands of a node that do not fit the global buffer together: they pass through it in pieces.

As in the source, operands stay from the smallest upwards while they fit and leave room for a piece of the others.  A
node with streamed operands is computed in pieces of output columns (and of output channels, where its weights are
streamed); every piece loads what it needs of the streamed operands and stores what it made.
"""

from __future__ import annotations

from dataclasses import dataclass

from simulator.errors import InputError
from simulator.units import ceil_div

WANTED_PIECES = 8
"""Pieces that a streamed node is cut into where its width allows, so that moves overlap with computation."""


@dataclass(frozen=True)
class Streams:
    """streamed: keys of the operands that pass in pieces; columns, channels: output columns and channels of a piece."""

    streamed: frozenset[str | int] = frozenset()
    columns: int = 0
    channels: int = 0


def streams_of(
    operands: dict[str | int, int],
    layer: str,
    columns: int,
    channels: int,
    halo: int,
    capacity: int,
    read: dict[str | int, int] | None = None,
) -> Streams:
    """What is streamed of a node's `operands` (bits by key: "W", "V", "O", or the number of a source).

    columns, channels: of the node's output.  halo: columns of a source that two neighbouring pieces may share, in
    output columns.  read: bits of a source that a node reads, where that is less than what stays.  InputError where
    even the smallest piece does not fit.
    """
    if sum(operands.values()) <= capacity:
        return Streams()
    reads = read or {}
    order = sorted(operands, key=lambda key: (operands[key], str(key)))
    fitting = 0
    while sum(operands[key] for key in order[: fitting + 1]) <= capacity:
        fitting += 1
    for kept in range(fitting, -1, -1):
        room = capacity - sum(operands[key] for key in order[:kept])
        streamed = order[kept:]
        for buffers in (2, 1):
            needs = {key: min(operands[key], reads.get(key, operands[key])) for key in streamed}
            found = _pieces(needs, columns, channels, halo, room // buffers)
            if found is not None:
                return Streams(frozenset(streamed), *found)
    raise InputError(
        f"the global buffer is too small for one output column of layer {layer!r}",
        key=f"layers.{layer}",
        found=f"operands of {sum(operands.values())} bits",
        allowed=f"pieces that fit {capacity} bits",
    )


def _pieces(
    streamed: dict[str | int, int], columns: int, channels: int, halo: int, room: int
) -> tuple[int, int] | None:
    """(columns, channels) of the largest piece of the wanted size or below that fits `room`; None: none does."""
    groups = [1] if "W" not in streamed else [n for n in range(1, channels + 1) if channels % n == 0]
    for parts in groups:
        wide = max(1, columns // WANTED_PIECES)
        while wide:
            need = 0
            for key, bits in streamed.items():
                if key == "W":
                    need += ceil_div(bits, parts)
                elif key in ("V", "O"):
                    need += ceil_div(bits * wide, columns * parts)
                else:
                    # A piece is loaded while the one before it, and what both share, are still there.
                    need += min(bits, ceil_div(2 * bits * (wide + halo), columns))
            if need <= room:
                return wide, channels // parts
            wide //= 2
    return None
