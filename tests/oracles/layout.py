"""Layouts element by element: where each bit of a box lies, and which bursts hold one."""

from __future__ import annotations

from itertools import product


def place(order: str, tile: tuple[int, int, int] | None, shape: tuple[int, int, int], c: int, y: int, x: int) -> int:
    """Place of element (c, y, x) of a tensor of `shape`, counted in elements."""
    channels, height, width = shape
    if order == "row_major":
        return (c * height + y) * width + x
    if order == "channel_last":
        return (y * width + x) * channels + c
    assert tile is not None
    tc, th, tw = tile
    number = ((c // tc) * -(-height // th) + y // th) * -(-width // tw) + x // tw
    return number * tc * th * tw + ((c % tc) * th + y % th) * tw + x % tw


def bits_of(
    order: str, tile: tuple[int, int, int] | None, shape: tuple[int, int, int], box: tuple[tuple[int, int], ...],
    element_bits: int,
) -> list[int]:
    """Address of every bit of a box, in the order of its elements."""
    return [
        place(order, tile, shape, c, y, x) * element_bits + bit
        for c, y, x in product(*(range(low, high) for low, high in box))
        for bit in range(element_bits)
    ]


def bursts_of(bits: list[int], burst_bits: int) -> dict[int, int]:
    """Burst -> bits of the box in it."""
    found: dict[int, int] = {}
    for bit in bits:
        found[bit // burst_bits] = found.get(bit // burst_bits, 0) + 1
    return dict(sorted(found.items()))
