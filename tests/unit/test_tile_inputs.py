"""Sets of crossbar inputs: independent ones, windows of which the empty share was counted; messages of a position."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.costmodel.activity import GROUPS, independent
from simulator.costmodel.rates import Rates
from simulator.costmodel.tile_homes import position_bits
from simulator.costmodel.tile_inputs import Inputs

NEURONS = 4096


def found(rate: float, seen: float) -> Rates:
    """Stream 0: neurons that fire independently; stream 1: share of windows in which something is on (-1: unknown)."""
    value = np.array([[rate], [seen]])
    variance, empty = independent(np.array([[rate], [0.0]]), np.array(GROUPS, np.float64))
    return Rates(value, variance, empty, np.ones(1), 1)


@pytest.mark.parametrize("rate", [0.0, 0.01, 0.3, 1.0])
def test_sets_of_independent_inputs_are_binomial(rate: float) -> None:
    """Also beyond the largest group, and whatever windows would say of them if they were known."""
    inputs = Inputs(False)
    source = inputs.windowed(inputs.source(0, NEURONS, None), 1, 16, [(9, 100), (6, 40)])
    sizes = [(1, 1), (16, 1), (144, 9), (96, 6), (1000, 1)]
    sets = np.array([inputs.set_of(source, n, taps) for n, taps in sizes])
    inputs.close()
    logs = inputs.at(found(rate, -1)).quiet(sets, np.full(len(sizes), source.some))[:, 0]
    expected = [(1 - rate) ** n for n, _ in sizes]
    assert np.exp(logs) == pytest.approx(expected, rel=1e-6, abs=1e-290)


@pytest.mark.parametrize("share", [0.8, 0.5, 0.05])  # one place is empty with 0.85, so no window is more often
def test_windows_are_empty_as_often_as_was_counted(share: float) -> None:
    """400 positions, most with 9 places inside the map, some with 6 or 4; one place keeps what the groups tell.

    The growth from one place to nine is refined twice, which leaves less than half a percent.
    """
    taps = [(9, 324), (6, 72), (4, 4)]
    inputs = Inputs(False)
    source = inputs.windowed(inputs.source(0, NEURONS, None), 1, 16, taps)
    sets = np.array([inputs.set_of(source, 16 * n, n) for n, _ in taps] + [inputs.set_of(source, 16)])
    inputs.close()
    logs = inputs.at(found(0.01, 1 - share)).quiet(sets, np.full(4, source.some))[:, 0]
    assert np.average(np.exp(logs[:3]), weights=[n for _, n in taps]) == pytest.approx(share, rel=5e-3)
    assert np.exp(logs[3]) == pytest.approx(0.99**16)


def test_messages_of_a_position() -> None:
    """40 neurons of 2 bits: 80 bits, 5 words of a 16-bit port, 10 of an 8-bit link; half of the messages are empty."""
    spec = SimpleNamespace(
        buffer=SimpleNamespace(input_mode="bitmap", zero_flags=True, port_bits=16, address_bits=12),
        network=SimpleNamespace(link_bits=8),
    )
    p, quiet = np.array([[0.1]]), np.log(np.array([[0.5]]))
    bits, port, link = (x.item() for x in position_bits(spec, np.array([[40]]), np.array([[2]]), p, quiet))
    assert (bits, port, link) == pytest.approx((40, 0.5 * 5 + 0.5, 0.5 * 10 + 0.5))
    spec.buffer.zero_flags = False
    bits, port, link = (x.item() for x in position_bits(spec, np.array([[40]]), np.array([[2]]), p, quiet))
    assert (bits, port, link) == pytest.approx((80, 5, 10))
    spec.buffer.input_mode = "event"
    bits, port, link = (x.item() for x in position_bits(spec, np.array([[40]]), np.array([[2]]), p, quiet))
    assert (bits, port, link) == pytest.approx((4 * 12, 4 + 0.5, 4 * 12 / 8 + 0.5))
