"""The functional kernels one by one, at the edges of their ranges, against plain Python numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.functional.synapses import UNIT, prepare_synapses
from simulator.kernels.neuron import compact, decay_row, fire_row, hold_row, store_row
from simulator.kernels.taps import axis_runs, pool_ranges, tap_order
from simulator.network import Decay, Neuron, Pool, Population, Projection
from simulator.network.geometry import conv_output, fan_out
from tests.oracles.neuron import decayed, sent
from tests.oracles.synapse import deliver, pool

INT32 = st.integers(-(2**31), 2**31 - 1)
quick = settings(max_examples=40, deadline=None, derandomize=True)


@quick
@given(
    st.lists(INT32, min_size=1, max_size=9),
    st.sampled_from(["none", "shift", "floor", "zero"]),
    st.integers(-(2**31) + 1, 2**31 - 1),
    st.integers(0, 62),
)
def test_decay_of_any_integer(values: list[int], kind: str, numerator: int, bits: int) -> None:
    result = np.empty(len(values), np.int64)
    decay_row(np.array(values, np.int32), result, ["none", "shift", "floor", "zero"].index(kind), numerator, bits)
    if kind in ("floor", "zero"):
        decay = Decay("multiply", numerator=numerator, bits=bits, rounding=kind)
    else:
        decay = Decay(kind, shift=bits)
    assert result.tolist() == [decayed(x, decay) for x in values]


@quick
@given(
    st.lists(st.integers(-(2**50), 2**50), min_size=1, max_size=9),
    st.integers(1, 2**40),
    st.integers(-3, 3),
    st.sampled_from(["ge", "gt"]),
    st.sampled_from(["zero", "subtract"]),
    st.sampled_from(["binary", "signed", "multi"]),
)
def test_fire_and_reset(values: list[int], threshold: int, near: int, compare: str, reset: str, output: str) -> None:
    values = [*values, near * threshold, near * threshold + 1, -threshold, threshold, threshold - 1]
    neuron = Neuron("if", compare=compare, reset=reset, output=output)
    wide, fired = np.array(values, np.int64), np.empty(len(values), np.int32)
    floor = np.full(len(values), -(2**45), np.int64)
    code = ["binary", "signed", "multi"].index(output)
    fire_row(wide, fired, np.full(len(values), threshold), floor, compare == "gt", reset == "zero", code)
    for v, n, after in zip(values, fired.tolist(), wide.tolist(), strict=True):
        expected = min(sent(neuron, v, threshold), 2**31 - 1)
        left = v if expected == 0 else 0 if reset == "zero" else v - expected * threshold
        assert (n, after) == (expected, max(left, -(2**45)))


@quick
@given(st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=9), st.integers(2, 32))
def test_store_clamps_and_counts(values: list[int], bits: int) -> None:
    low, high = -(2 ** (bits - 1)), 2 ** (bits - 1) - 1
    stored = np.empty(len(values), np.int32)
    count = store_row(np.array(values, np.int64), stored, low, high)
    expected = [min(max(x, low), high) for x in values]
    assert stored.tolist() == expected
    assert count == sum(a != b for a, b in zip(values, expected, strict=True))


def test_refractory_neurons_wait_out_their_steps() -> None:
    dead = np.zeros(1, np.int32)
    seen = []
    for _ in range(7):
        wide, fired = np.array([9], np.int64), np.array([1], np.int32)
        hold_row(wide, fired, dead, 2)
        seen.append((int(fired[0]), int(wide[0])))
    assert seen == [(1, 9), (0, 0), (0, 0)] * 2 + [(1, 9)]


@pytest.mark.parametrize("size", [1, 15, 16, 17, 64, 100])
@pytest.mark.parametrize("share", [0.0, 0.1, 1.0])
def test_compact_lists_what_fired(size: int, share: float) -> None:
    rng = np.random.Generator(np.random.PCG64(size))
    fired = ((rng.random(size) < share) * rng.choice([-1, 1, 5], size)).astype(np.int32)
    index, value = np.empty(size, np.uint32), np.empty(size, np.int32)
    count = compact(fired, index, value)
    assert index[:count].tolist() == np.flatnonzero(fired).tolist()
    assert value[:count].tolist() == fired[fired != 0].tolist()
    assert compact(fired, index, UNIT) == count
    assert index[:count].tolist() == np.flatnonzero(fired).tolist()


@quick
@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 4), st.integers(0, 4), st.integers(1, 4), st.booleans())
def test_axis_runs_hold_every_tap_once(
    size: int, kernel: int, stride: int, padding: int, dilation: int, merge: bool
) -> None:
    outputs = conv_output(size, kernel, stride, padding, dilation)
    order = tap_order(kernel, stride, dilation).tolist()
    assert sorted(order) == list(range(kernel))
    start, slot, first, length = axis_runs(size, kernel, stride, padding, dilation, max(outputs, 0), merge)
    for x in range(size):
        found = [
            (order[slot[run] + i], first[run] + i) for run in range(start[x], start[x + 1]) for i in range(length[run])
        ]
        expected = [
            (tap, output)
            for output in range(max(outputs, 0))
            for tap in range(kernel)
            if output * stride + tap * dilation - padding == x
        ]
        assert found == expected


def test_unit_stride_merges_a_row_into_one_run() -> None:
    """This is what makes the inner loop long: three taps and three outputs side by side."""
    for stride, dilation in ((1, 1), (2, 1), (2, 2)):
        start, *_ = axis_runs(32, 3, stride, 1, dilation, conv_output(32, 3, stride, 1, dilation), True)
        assert np.diff(start).max() == 1


@quick
@given(st.integers(1, 9), st.integers(1, 4), st.integers(1, 4))
def test_pool_ranges(size: int, window: int, stride: int) -> None:
    first, last = pool_ranges(size, min(window, size), stride)
    window = min(window, size)
    outputs = (size - window) // stride + 1
    for x in range(size):
        expected = [o for o in range(outputs) if o * stride <= x < o * stride + window]
        assert list(range(first[x], last[x])) == expected


@pytest.mark.parametrize("kind", ["sum", "or"])
@pytest.mark.parametrize(("size", "stride"), [((2, 2), (2, 2)), ((3, 2), (1, 2)), ((1, 2), (3, 3))])
def test_pool_spikes(kind: str, size: tuple[int, int], stride: tuple[int, int]) -> None:
    rng = np.random.Generator(np.random.PCG64(5))
    source = Population("in", (3, 6, 5), Neuron("input"))
    rows, cols = ((n - k) // s + 1 for n, k, s in zip((6, 5), size, stride, strict=True))
    target = Population("out", (3, rows, cols), Neuron("if"))
    projection = Projection("p", "in", "out", "one_to_one", pool=Pool(kind, size, stride),
                            weights=np.ones(3, np.int8))  # fmt: skip
    synapses = prepare_synapses(projection, source, target)
    for _ in range(5):
        index = np.flatnonzero(rng.random(source.size) < 0.4).astype(np.uint32)
        value = rng.integers(-1, 3, index.size).astype(np.int32)
        pooled, values = synapses.pooled((index, value))
        expected = pool(projection, source, dict(zip(index.tolist(), value.tolist(), strict=True)))
        assert pooled.tolist() == sorted(expected)
        assert (values.tolist() or [1] * pooled.size) == [expected[i] for i in pooled.tolist()]


@pytest.mark.parametrize("weights", [np.int8, np.int16, np.float32, np.float64])
@pytest.mark.parametrize("acc", [np.int32, np.int64])
def test_scatter_in_every_type(weights: type, acc: type) -> None:
    """Extreme weights and values, in an accumulator that just holds them."""
    whole = np.dtype(weights).kind == "i"
    rng = np.random.Generator(np.random.PCG64(3))
    source, target = Population("in", (2, 4, 4), Neuron("input")), Population("out", (4, 4, 4), Neuron("if"))
    shape = (4, 1, 3, 3)
    matrix = np.full(shape, np.iinfo(weights).min, weights) if whole else rng.normal(size=shape).astype(weights)
    projection = Projection("p", "in", "out", "conv", (3, 3), padding=(1, 1), groups=2, weights=matrix)
    synapses = prepare_synapses(projection, source, target)
    index = np.arange(source.size, dtype=np.uint32)
    value = rng.integers(-1000, 1000, index.size).astype(np.int32)
    if acc is np.int64:
        value[:] = 2**31 - 1
    sums = np.zeros(target.size, acc if whole else np.float64)
    operations = synapses.scatter((index, value), sums)
    expected = [0 if whole else 0.0] * target.size
    counted = deliver(projection, source, target, dict(zip(index.tolist(), value.tolist(), strict=True)), expected)
    assert sums.tolist() == expected
    assert operations == counted
    reach = fan_out(projection, source, target).transpose(1, 2, 0).reshape(-1)
    assert operations == int((reach[index] * np.abs(value.astype(np.int64))).sum())
    if whole:
        assert synapses.bound((index, value)) >= max(abs(x) for x in expected)
