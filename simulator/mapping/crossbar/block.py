"""A row block: the inputs that one row of processing elements holds, array by array, and their column blocks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Segment(NamedTuple):
    """Consecutive wordlines of an array: channels c0 .. c1 of the pooled source at kernel tap `tap` = ky * kw + kx."""

    tap: int
    c0: int
    c1: int

    @property
    def rows(self) -> int:
        """Number of inputs in the segment (wordlines; twice as many lines with differential rows)."""
        return self.c1 - self.c0


@dataclass(frozen=True)
class RowBlock:
    """Inputs that are driven together, and the outputs that they reach.

    part     which projection of the layer, index into `CrossbarLayer.parts`
    arrays   per array of the processing element its segments in wordline order
    columns  output ranges [o0, o1), one per column block; each column block is one processing element, and all of them
             hold the same rows.  Outputs are channels; neurons, flat and channel last, where the layer has one position
    """

    part: int
    arrays: tuple[tuple[Segment, ...], ...]
    columns: tuple[tuple[int, int], ...]

    @property
    def array_rows(self) -> tuple[int, ...]:
        """Inputs per array."""
        return tuple(sum(s.rows for s in segments) for segments in self.arrays)

    @property
    def rows(self) -> int:
        """Inputs of all arrays of one processing element."""
        return sum(self.array_rows)

    @property
    def outputs(self) -> int:
        """Outputs of all column blocks."""
        return sum(o1 - o0 for o0, o1 in self.columns)
