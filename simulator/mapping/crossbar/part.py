"""One projection of a layer as its crossbars see it: the window per position and the planes of its inputs."""

from __future__ import annotations

from dataclasses import dataclass

from simulator.network.population import Population
from simulator.network.projection import Projection


def largest_input(source: Population) -> int:
    """Largest magnitude that one neuron sends in a timestep: 1, or the largest count that its stored bits hold."""
    return (1 << source.neuron.stored_bits) - 1 if source.neuron.output == "multi" else 1


@dataclass(frozen=True, eq=False)
class CrossbarPart:
    """A projection on crossbars.

    projection   the projection itself
    shape        (C, H, W) of the source after the projection's pooling; one row of a crossbar is one (tap, channel)
    kernel, stride, padding, dilation   the window of one output position, pairs (y, x), as applied: the whole map for
                 linear and sparse projections, 1 x 1 for one_to_one
    planes       (sign, bit) of each binary plane of the inputs, in driving order: value = sum of sign * 2^bit
    slices       columns side by side that hold the bits of one weight
    columns_per_weight   physical columns per output: slices, times 2 with differential columns
    rows_per_input   physical rows per input: 2 with differential rows, else 1
    first_block, end_block   its row blocks, a range into `CrossbarLayer.row_blocks`; empty for one_to_one
    """

    projection: Projection
    shape: tuple[int, int, int]
    kernel: tuple[int, int]
    stride: tuple[int, int]
    padding: tuple[int, int]
    dilation: tuple[int, int]
    planes: tuple[tuple[int, int], ...]
    slices: int
    columns_per_weight: int
    rows_per_input: int
    first_block: int
    end_block: int

    @property
    def taps(self) -> int:
        """Kernel positions."""
        return self.kernel[0] * self.kernel[1]

    def group_limit(self, rows_parallel: int) -> int:
        """Inputs that may be on at the same time: `rows_parallel` wordlines, of which an input takes `rows_per_input`.

        Never more than a window has, so that tables over the number of rows stay small.
        """
        return min(self.shape[0] * self.taps, max(1, rows_parallel // self.rows_per_input))

    @property
    def digital(self) -> bool:
        """Whether the projection uses no array: its inputs are added in the accumulation unit (one_to_one)."""
        return self.projection.kind == "one_to_one"


def input_magnitude_bits(projection: Projection, source: Population) -> int:
    """Bits of the largest input magnitude: of the neuron's output, times the window where pooling adds."""
    largest = largest_input(source)
    pool = projection.pool
    if pool is not None and pool.kind == "or":
        return 1
    if pool is not None:
        largest *= pool.size[0] * pool.size[1]
    return largest.bit_length()


def input_planes(projection: Projection, source: Population, bits: int | None) -> tuple[tuple[int, int], ...]:
    """Binary planes of the inputs: bits of the positive values, then of the negative ones of a signed source.

    `bits` fixes the number of magnitude planes; None takes as many as the values need.
    """
    count = input_magnitude_bits(projection, source) if bits is None else bits
    pooled_away = projection.pool is not None and projection.pool.kind == "or"
    signs = (1, -1) if source.neuron.output == "signed" and not pooled_away else (1,)
    return tuple((sign, bit) for sign in signs for bit in range(count))
