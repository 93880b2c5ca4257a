"""What a projection's wordlines see in a timestep: pooled spikes as prefix sums of their binary planes."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.kernels.cim_vectors import Map
from simulator.kernels.cim_vectors_inputs import fill_map, prefix_planes
from simulator.kernels.taps import pool_ranges
from simulator.mapping.crossbar import CrossbarLayer, CrossbarPart
from simulator.network import Population
from simulator.network.geometry import fan_out

NO_VALUE = np.empty(0, np.int32)


class PartInputs:
    """The pooled map of one projection; made once, filled for one timestep after another."""

    def __init__(self, layer: CrossbarLayer, part: CrossbarPart, source: Population, folded: bool) -> None:
        """`folded`: a converter integrates all planes of an input at once."""
        self.part = part
        p = part.projection
        c, h, w = part.shape
        self.channels, self.raw_width = source.shape[0], source.shape[2]
        self.binary = part.planes == ((1, 0),)
        self.values = np.zeros(h * w * c, np.int32)
        self.magnitude = np.zeros(0 if self.binary else self.values.size, np.int32)
        kinds = 1 if self.binary else len(part.planes) + 2
        self.sums = np.zeros((kinds, h * w, c + 1), np.int32)
        pool = p.pool
        self.presence = pool is not None and pool.kind == "or"
        sizes = [(source.shape[1 + axis], *((pool.size[axis], pool.stride[axis]) if pool else (1, 1)))
                 for axis in (0, 1)]  # fmt: skip
        self.ranges = [array for axis in sizes for array in pool_ranges(*axis)]
        self.sign = np.array([sign for sign, _ in part.planes], np.int64)
        self.bit = np.array([bit for _, bit in part.planes], np.int64)
        self.range = tuple(sign * sum(1 << b for s, b in part.planes if s == sign) for sign in (-1, 1))
        (ky, kx), (py, px), (dy, dx) = part.kernel, part.padding, part.dilation
        some = kinds - 2 if kinds > 1 else 0
        self.map = Map(
            sums=self.sums,
            height=h,
            width=w,
            planes=np.array([some] if folded else range(max(1, kinds - 2)), np.int64),
            some=some,
            magnitude=kinds - 1,
            tap_y=np.repeat(np.arange(ky, dtype=np.int64) * dy - py, kx),
            tap_x=np.tile(np.arange(kx, dtype=np.int64) * dx - px, ky),
            stride_y=part.stride[0],
            stride_x=part.stride[1],
            grid_width=layer.grid[1],
        )
        per_place = fan_out(p, source, layer.population)
        self.fan_out = np.ascontiguousarray(per_place.transpose(1, 2, 0)).ravel()

    def fill(self, index: np.ndarray, value: np.ndarray | None) -> None:
        """Takes one timestep's spikes of the source; InputError where a pooled value does not fit the planes."""
        self.values[:] = 0
        self.magnitude[:] = 0
        fill_map(
            index,
            NO_VALUE if value is None else value,
            *self.ranges,
            self.values,
            self.magnitude,
            self.channels,
            self.raw_width,
            self.part.shape[2],
            self.presence,
        )
        c = self.part.shape[0]
        low, high = prefix_planes(
            self.values.reshape(-1, c), self.magnitude.reshape(-1, c), self.sign, self.bit, self.sums
        )
        if low < self.range[0] or high > self.range[1]:
            raise InputError(
                "an input value lies outside what the wordlines are driven with",
                key=f"projection {self.part.projection.name}",
                found=int(low if low < self.range[0] else high),
                allowed=f"{self.range[0]} .. {self.range[1]}; see input_bits of the cim_tile unit, and "
                "output and value_bits of the source's neurons",
            )

    @property
    def loads(self) -> np.ndarray:
        """int32 [pooled neurons]: synaptic events of each pooled input, signed spikes of a window not cancelled."""
        return self.values if self.binary else self.magnitude

    def synaptic(self) -> int:
        """Synaptic operations of the timestep in closed form: events times fan-out; padding never counts."""
        return int((self.loads * self.fan_out).sum())

    def at_positions(self, grid: tuple[int, int]) -> np.ndarray:
        """Which inputs of a one-to-one projection are on at each output position: bool [positions, inputs]."""
        c, h, w = self.part.shape
        if self.part.kernel != (1, 1) or grid == (1, 1):
            return (self.values != 0).reshape(1, -1)
        sy, sx = self.part.stride
        on = (self.values != 0).reshape(h, w, c)[::sy, ::sx][: grid[0], : grid[1]]
        return on.reshape(grid[0] * grid[1], c)


def part_inputs(layer: CrossbarLayer, network: Any, folded: bool) -> list[PartInputs]:
    """One per projection of the layer, in its order."""
    return [PartInputs(layer, part, network.population(part.projection.source), folded) for part in layer.parts]
