"""Converters of a layer: how many levels a code stands for, which codes there are, and what was counted at them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from simulator.errors import InputError

MAX_BINS = 4096
WIDE_BINS = 1 << 16


@dataclass(frozen=True)
class Converter:
    """`step` levels per code, codes lowest .. highest (lowest is 0, or -highest for currents with a sign)."""

    step: int
    lowest: int
    highest: int

    @property
    def codes(self) -> int:
        """Number of codes."""
        return self.highest - self.lowest + 1


@dataclass
class Tally:
    """What the converters of one layer saw.

    histogram int64 [bins]: conversions by code, `1 << shift` codes per bin from the lowest code on
    counts int64 [4]: sums above full scale, codes 0, largest |code|, conversions;  lines int64 [1]: most inputs
    on in one read;  overflows: partial sums that did not fit their accumulator
    """

    converter: Converter
    most_bins: int = MAX_BINS
    shift: int = field(init=False)
    histogram: np.ndarray = field(init=False)
    counts: np.ndarray = field(init=False)
    lines: np.ndarray = field(init=False)
    overflows: int = 0

    def __post_init__(self) -> None:
        self.shift = max(0, (-(-self.converter.codes // self.most_bins) - 1).bit_length())
        self.histogram = np.zeros(-(-self.converter.codes >> self.shift), np.int64)
        self.counts, self.lines = np.zeros(4, np.int64), np.zeros(1, np.int64)

    def facts(self) -> dict[str, int | list[int]]:
        """Plain integers; `codes` is the histogram without its empty end."""
        used = int(np.flatnonzero(self.histogram)[-1]) + 1 if self.histogram.any() else 0
        return {
            "conversions": int(self.counts[3]),
            "adc_clip_high": int(self.counts[0]),
            "adc_zero": int(self.counts[1]),
            "adc_code_max": int(self.counts[2]),
            "adc_step": self.converter.step,
            "rows_on_max": int(self.lines[0]),
            "accumulator_overflow": self.overflows,
            "lowest_code": self.converter.lowest,
            "codes_per_bin": 1 << self.shift,
            "codes": self.histogram[:used].tolist(),
        }


def converter(bits: int, full_scale: float, signed: bool, granular: bool = False) -> Converter:
    """The converter of `bits` bits for sums up to `full_scale` levels.

    The step is the smallest whole number of levels that covers the full scale, so that results stay integers (the
    factor is part of the digital scale); one level with `granular`, whatever is cut off.  Signed currents take one bit
    for the sign, with as many codes below as above 0.
    """
    highest = (1 << (bits - 1)) - 1 if signed else (1 << bits) - 1
    if highest < 1:
        raise InputError("a converter of currents with a sign needs 2 bits", key="adc.bits", found=bits)
    step = 1 if granular else max(1, int(np.ceil(full_scale / highest)))
    return Converter(step, -highest if signed else 0, highest)


def lossless(full_scale: float, signed: bool) -> Converter:
    """A converter that resolves every level and cuts nothing off; twice the full scale leaves room for noise."""
    highest = max(1, int(np.ceil(2 * full_scale)))
    return Converter(1, -highest if signed else 0, highest)


def seen_full_scale(tally: Tally, percentile: float) -> float:
    """Magnitude of sums, in levels, that `percentile` per cent of the conversions in a lossless tally do not exceed."""
    places = np.arange(tally.histogram.size, dtype=np.int64)
    low = tally.converter.lowest + (places << tally.shift)
    size = np.maximum(np.abs(low), np.abs(low + (1 << tally.shift) - 1))
    order = np.argsort(size, kind="stable")
    reached = np.cumsum(tally.histogram[order])
    if not reached.size or reached[-1] == 0:
        return 1.0
    at = int(np.searchsorted(reached, np.ceil(reached[-1] * percentile / 100.0)))
    return float(size[order[min(at, order.size - 1)]] * tally.converter.step)
