"""Share of empty windows against looking at every window, neuron by neuron."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import Activity, Network
from simulator.costmodel.rates import Stream, rates
from simulator.costmodel.windows import empty_windows
from simulator.network import Neuron, Pool, Population, Projection
from simulator.trace.synthetic import bernoulli_trace

STEPS = 3


def network(pool: Pool | None, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]) -> Network:
    """One convolution of a 2 x 9 x 11 map, padded by one, one timestep late."""
    height, width = (9, 11) if pool is None else ((9 - pool.size[0]) // pool.stride[0] + 1,
                                                  (11 - pool.size[1]) // pool.stride[1] + 1)  # fmt: skip
    made = [(n + 2 - (k - 1) * d - 1) // s + 1
            for n, k, d, s in zip((height, width), kernel, dilation, stride, strict=True)]  # fmt: skip
    return Network(
        "one",
        (Population("in", (2, 9, 11), Neuron("input")), Population("out", (3, made[0], made[1]), Neuron("if"))),
        (Projection("p", "in", "out", "conv", kernel=kernel, stride=stride, padding=(1, 1), dilation=dilation,
                    pool=pool, delay=1),),
    )  # fmt: skip


def window_is_empty(on: np.ndarray, p: Projection, shape: tuple[int, int], y: int, x: int) -> bool:
    """Whether no neuron of `on` [C, H, W] lies under a kernel position; `shape` is that of the pooled map."""
    for ky in range(p.kernel[0]):
        for kx in range(p.kernel[1]):
            row = y * p.stride[0] - p.padding[0] + ky * p.dilation[0]
            column = x * p.stride[1] - p.padding[1] + kx * p.dilation[1]
            if not (0 <= row < shape[0] and 0 <= column < shape[1]):
                continue
            (h, w), (sy, sx) = ((1, 1), (1, 1)) if p.pool is None else (p.pool.size, p.pool.stride)
            if on[:, row * sy : row * sy + h, column * sx : column * sx + w].any():
                return False
    return True


@pytest.mark.parametrize("pool", [None, Pool("or", (2, 2), (2, 2)), Pool("average", (2, 2), (2, 1))])
@pytest.mark.parametrize(
    ("kernel", "stride", "dilation"), [((3, 3), (1, 1), (1, 1)), ((1, 3), (2, 1), (1, 1)), ((3, 2), (2, 2), (1, 2))]
)
def test_share_of_empty_windows(
    pool: Pool | None, kernel: tuple[int, int], stride: tuple[int, int], dilation: tuple[int, int]
) -> None:
    net = network(pool, kernel, stride, dilation)
    trace = bernoulli_trace(net, STEPS, 0.03, samples=2, seed=3)
    p, (_, rows, columns) = net.projections[0], net.populations[1].shape
    shape = (9, 11) if pool is None else ((9 - pool.size[0]) // pool.stride[0] + 1,
                                          (11 - pool.size[1]) // pool.stride[1] + 1)  # fmt: skip
    expected = []
    for t in range(STEPS):
        shares = []
        for sample in range(2):
            on = np.zeros(9 * 11 * 2, bool)
            on[trace.spikes("in").block(sample, t, t + 1).step(0)[0]] = True
            on = on.reshape(9, 11, 2).transpose(2, 0, 1)
            shares += [window_is_empty(on, p, shape, y, x) for y in range(rows) for x in range(columns)]
        expected.append(np.mean(shares))
    assert empty_windows(trace)[0] == pytest.approx(expected)
    assert 0 < max(expected) < 1


def test_streams_of_windows_arrive_late_and_are_not_known_of_independent_spikes() -> None:
    net = network(None, (3, 3), (1, 1), (1, 1))
    activity = Activity.of(bernoulli_trace(net, STEPS, 0.05, seed=1))
    streams = [Stream(0, 1, 0, seen=0), Stream(0, 1, 0)]
    found = rates(streams, activity)
    assert found.value[0].tolist() == [0, *(1 - activity.windows[0][:2]).tolist()]
    assert (rates(streams, activity.independent()).value[0] == -1).all()
    assert (rates(streams, Activity.bernoulli(net, 0.05, STEPS)).value[0] == -1).all()
    assert rates([Stream(0, 5, 0, seen=0)], activity).value[0].tolist() == [0] * STEPS
