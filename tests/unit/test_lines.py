"""Lines: spikes that lie in some rows and columns of a map reach as many places as these do."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import Activity, Network, Trace, estimate, load_hardware, load_network, lower, place, simulate
from simulator.costmodel.activity import Lines
from simulator.costmodel.lines import read_lines, span_lines, tap_lines
from simulator.costmodel.rates import Stream, rates
from simulator.mapping.reach import reach
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.trace.spikes import StepSpikesBuilder


def conv(stride: int = 1) -> Network:
    """4 channels of 9 x 7 to 8 channels, 3 x 3, padded."""
    shape = (8, (9 - 1) // stride + 1, (7 - 1) // stride + 1)
    populations = Population("in", (4, 9, 7), Neuron(model="input")), Population("out", shape, Neuron())
    window = {"kernel": (3, 3), "stride": (stride, stride), "padding": (1, 1), "weight_bits": 8}
    return Network("n", populations, (Projection("p", "in", "out", "conv", **window),))


def spikes(network: Network, rows: tuple[int, ...], columns: tuple[int, ...]) -> Trace:
    """Every channel of these rows and columns of the input fires in each of three timesteps; the output is silent."""
    grid = np.zeros((9, 7, 4), bool)
    grid[np.ix_(rows, columns)] = True
    found = {}
    for name, index in (("in", np.flatnonzero(grid)), ("out", np.empty(0, np.int64))):
        builder = StepSpikesBuilder()
        builder.begin_sample()
        for _ in range(3):
            builder.add_step(index.astype(np.uint32))
        found[name] = builder.build(3)
    return Trace("t", network.topology(), "step", np.array([3]), found, "made")


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("tile_rows", [None, 2])
@pytest.mark.parametrize("chip", ["sia_pynqz2", "event_core_28nm"])
@pytest.mark.parametrize(("rows", "columns"), [((0,), (0, 6)), ((4, 5), (3,)), ((1, 8), (0, 1, 2, 3, 4, 5, 6))])
def test_counts_are_exact_where_rows_and_columns_say_all(
    chip: str, stride: int, tile_rows: int | None, rows: tuple[int, ...], columns: tuple[int, ...]
) -> None:
    hardware, network = load_hardware(chip), conv(stride)
    mapping = place(network, hardware, tile_rows=tile_rows)
    trace = spikes(network, rows, columns)
    activity = Activity.of(trace)
    record = simulate(hardware, network, trace, mapping)
    schedule = lower(mapping, network, hardware)
    made, plain = (estimate(schedule, hardware, a) for a in (activity, activity.independent()))
    for unit, action in (("core", "accumulate:partial_sum"), ("weight", "read:weight"), ("core", "decode:spike")):
        at = record.units.index(unit), slice(None), record.actions.index(action)
        assert made.counts[at].tolist() == record.counts[at].tolist(), (unit, action)
    at = record.units.index("core"), slice(None), record.actions.index("accumulate:partial_sum")
    assert plain.counts[at].tolist() != record.counts[at].tolist()


def test_lines_of_fans() -> None:
    """A tile of output rows 3 .. 6 of a 3 x 3 window reads rows 2 .. 7; rows inside reach three, the ends one."""
    tile = reach(conv(), "out", 0, 8, 3, 6)
    assert read_lines(tile.fans[0]) == ((0, 0, 1, 1, 1, 1, 1, 0, 0), (1,) * 7)
    assert tap_lines(tile.fans[0]) == ((0, 0, 1, 2, 3, 2, 1, 0, 0), (2, 3, 3, 3, 3, 3, 2))
    assert read_lines(reach(conv(), "out", 0, 8, 0, 9).fans[0]) is None
    assert span_lines(1, 3, 4, 2) == ((0, 1, 1, 0), (1, 1)) and span_lines(0, 4, 4, 2) is None


def test_rates_weigh_lines() -> None:
    """Twice as many spikes in the first half of the rows: its events per neuron are 4 / 3 of the mean."""
    activity = Activity.bernoulli(load_network("digits"), 0.3, 2)
    rows = np.repeat([4 / 3, 2 / 3], 4)
    lines = {1: Lines(rows, np.ones(8))}
    known = Activity(**{**vars(activity), "lines": lines})
    low, high = ((1,) * 4 + (0,) * 4, (1,) * 8), ((0,) * 4 + (1,) * 4, (1,) * 8)
    value = rates([Stream(1, 0, 0), Stream(1, 0, 0, 1, low), Stream(1, 0, 0, 1, high)], known).value
    assert value[:, 0] == pytest.approx([0.3, 0.4, 0.2])
    assert rates([Stream(1, 0, 0, 1, low)], activity).value[0, 0] == pytest.approx(0.3)
