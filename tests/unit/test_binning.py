"""Events to timesteps, against a plain definition in exact fractions."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.trace.binning import bin_events


def plain(events, dt, rounding, multiple, origin, steps):
    first = min((t for t, _ in events), default=0) if origin == "first" else 0
    counts, dropped = Counter(), 0
    places = [(Fraction(t - first) / dt, i) for t, i in events]
    places = [(round(x) if rounding == "round" else x.__floor__(), i) for x, i in places]
    total = steps if steps is not None else max((s for s, _ in places), default=-1) + 1
    for s, i in places:
        if 0 <= s < total:
            counts[s, i] += 1
        else:
            dropped += 1
    per_step = [
        sorted((i, n if multiple == "sum" else 1) for (s, i), n in counts.items() if s == t) for t in range(total)
    ]
    return per_step, dropped


EVENT = st.tuples(st.integers(0, 4000), st.integers(0, 5))


@settings(deadline=None, max_examples=150)
@given(
    st.lists(EVENT, max_size=40),
    st.sampled_from([1, 100, 250, 1000, Fraction(5, 2)]),
    st.sampled_from(["round", "floor"]),
    st.sampled_from(["or", "sum"]),
    st.sampled_from(["zero", "first"]),
    st.sampled_from([None, 1, 3, 40]),
)
def test_bins_follow_the_definition(events, dt, rounding, multiple, origin, steps):
    expected, dropped = plain(events, Fraction(dt), rounding, multiple, origin, steps)
    time, index = np.array([t for t, _ in events], np.int64), np.array([i for _, i in events], np.uint32)
    block, outside = bin_events(time, index, dt_us=dt, rounding=rounding, multiple=multiple, origin=origin, steps=steps)
    assert outside == dropped and block.start.size == len(expected) + 1
    for t, wanted in enumerate(expected):
        found, value = block.step(t)
        assert list(zip(found.tolist(), [1] * found.size if value is None else value.tolist(), strict=True)) == wanted


def test_half_rounds_to_even():
    block, _ = bin_events(
        np.array([500, 1500, 2500]),
        np.zeros(3, np.uint32),
        dt_us=1000,
        rounding="round",
        multiple="sum",
        origin="zero",
        steps=4,
    )
    assert np.diff(block.start).tolist() == [1, 0, 1, 0] and block.value.tolist() == [1, 2]


def test_refusals():
    time, index = np.array([0, 2**40]), np.zeros(2, np.uint32)
    options = {"dt_us": 1, "rounding": "floor", "multiple": "or", "origin": "zero", "steps": 3}
    for change, message in (
        ({"steps": None}, "too many timesteps"),
        ({"dt_us": 0}, "out of range"),
        ({"dt_us": Fraction(1, 10**7)}, "out of range"),
        ({"rounding": "up"}, "rounding"),
        ({"multiple": "max"}, "multiple"),
        ({"origin": "last"}, "origin"),
    ):
        with pytest.raises(InputError, match=message):
            bin_events(time, index, **{**options, **change})
