"""Plain definition of a neuron: the equations of `simulator.network.neuron`, in Python numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass

from simulator.network import Decay, Neuron


@dataclass
class Cell:
    """State of one neuron."""

    v: float
    u: float = 0
    dead: int = 0


def decayed(x: float, decay: Decay) -> float:
    """What is left of x after one timestep."""
    if decay.kind == "none":
        return x
    if decay.kind == "factor":
        return x * decay.factor
    if decay.kind == "shift":
        return x - (x >> decay.shift)
    product = x * decay.numerator
    if decay.rounding == "floor":
        return product >> decay.bits
    return (abs(product) >> decay.bits) * (1 if product >= 0 else -1)


def sent(neuron: Neuron, v: float, threshold: float) -> int:
    """What a neuron with membrane v sends."""

    def reaches(x: float) -> bool:
        return x > threshold if neuron.compare == "gt" else x >= threshold

    if neuron.output == "signed":
        return 1 if reaches(v) else -1 if reaches(-v) else 0
    if not reaches(v):
        return 0
    if neuron.output == "binary":
        return 1
    many = int(v // threshold)
    if neuron.compare == "gt" and many * threshold == v:
        many -= 1
    return many


def clamp(x: float, bits: int | None) -> tuple[float, int]:
    """x limited to `bits`, and whether that changed it; None leaves floats alone."""
    if bits is None:
        return x, 0
    limited = min(max(x, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
    return limited, int(limited != x)


def channel(array, c: int) -> float:
    """A parameter of channel c as a Python number."""
    return array[c if array.size > 1 else 0].item()


def update(neuron: Neuron, cell: Cell, arrived: float, c: int, integer: bool) -> tuple[int, int]:
    """One timestep of one neuron of channel c: what it sends, and how many stored values saturated."""
    threshold, floor = channel(neuron.threshold, c), -math.inf
    if neuron.floor is not None:
        floor = channel(neuron.floor, c)
    bits = neuron.membrane_bits if integer else None
    if not neuron.stateful:
        cell.v, cell.u = channel(neuron.initial, c), 0
    current = arrived * 2**neuron.weight_shift if integer else arrived
    saturated = 0
    if neuron.model == "cuba_lif":
        current = decayed(cell.u, neuron.decay_u) + current
        cell.u, saturated = clamp(current, bits)
    v = decayed(cell.v, neuron.decay_v) + current + channel(neuron.bias, c)
    n = sent(neuron, v, threshold)
    if n:
        v = 0 if neuron.reset == "zero" else v - n * threshold
    v = max(v, floor)
    if cell.dead > 0:
        cell.dead -= 1
        n, v = 0, 0
    elif n:
        cell.dead = neuron.dead_steps
    cell.v, clamped = clamp(v, bits)
    return n, saturated + clamped
