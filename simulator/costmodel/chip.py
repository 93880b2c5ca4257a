"""What the closed form of a machine answers: a chip with its schedule, compiled once, priced for any activity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

import numpy as np

from simulator.costmodel.rates import Rates, Stream


class Term(NamedTuple):
    """A part of the time of tasks of one kind, `<unit type>.<part>`, in the closed form.

    weight: its share of the whole without calibration: 1 for what the closed form knows, 0 for what only calibration
    can size, such as stalls.  Times are sums and maxima of terms, so that more of any term is never faster.
    meaning: one line, for the file of a calibrated model.
    """

    name: str
    weight: float = 1.0
    meaning: str = ""


class Priced(NamedTuple):
    """A run: counts float64 [U, L, A]; end, ps; busy time of the layers [L] and their first start and last end [L, 2],
    ps (-1: never)."""

    counts: np.ndarray
    end: float
    busy: np.ndarray
    span: np.ndarray


class Chip(Protocol):
    """The closed form.  `streams` are the rates it needs; `terms` what `price` weighs; `built` as in the Record."""

    streams: list[Stream]
    terms: tuple[Term, ...]
    built: Mapping[str, Mapping[str, int]]

    def price(self, found: Rates, weights: np.ndarray) -> Priced:
        """A run at these rates, the time of every term multiplied by its weight, float64 [terms].

        Each time is a sum or maximum of terms with weights >= 0, so that the end is homogeneous of degree one in
        them: end = sum over terms of weight x d end / d weight.
        """
        ...
