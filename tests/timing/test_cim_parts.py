"""Parts of the timing of crossbar tiles by themselves: windows, partial sums, programming, the estimator's schedule."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator import load_hardware, place, simulate
from simulator.components.cim_tile import serial, traffic
from simulator.components.cim_tile.assembly import Member
from simulator.errors import InputError
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.part import input_magnitude_bits
from simulator.mapping.crossbar.windows import needed
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.trace import StepSpikesBuilder, Trace


def brute(part, at: tuple[int, int], height: int, width: int) -> int:
    """Leading raw positions that hold the window of output position `at`, tap by tap and pooled place by place."""
    pool = part.projection.pool
    size, stride = ((1, 1), (1, 1)) if pool is None else (pool.size, pool.stride)
    found = 0
    for ky in range(part.kernel[0]):
        for kx in range(part.kernel[1]):
            y = at[0] * part.stride[0] - part.padding[0] + ky * part.dilation[0]
            x = at[1] * part.stride[1] - part.padding[1] + kx * part.dilation[1]
            if not (0 <= y < part.shape[1] and 0 <= x < part.shape[2]):
                continue
            for dy in range(size[0]):
                for dx in range(size[1]):
                    row, column = y * stride[0] + dy, x * stride[1] + dx
                    if row < height and column < width:
                        found = max(found, row * width + column + 1)
    return found


@pytest.mark.parametrize("seed", range(60))
def test_windows_end_with_the_last_source_under_a_tap(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))

    def pair(low: int, high: int) -> tuple[int, int]:
        return int(rng.integers(low, high)), int(rng.integers(low, high))

    height, width = pair(3, 8)
    pool = None if rng.random() < 0.4 else Pool("or", pair(1, 3), pair(1, 3))
    seen = (height, width)
    if pool is not None:
        seen = tuple((n - s) // t + 1 for n, s, t in zip(seen, pool.size, pool.stride, strict=True))
    part = SimpleNamespace(
        projection=SimpleNamespace(pool=pool), shape=(2, *seen), kernel=pair(1, 4), stride=pair(1, 3),
        padding=pair(0, 4), dilation=pair(1, 3),
    )  # fmt: skip
    grid = pair(1, 6)
    source = SimpleNamespace(shape=(2, height, width))
    expected = [brute(part, (y, x), height, width) for y in range(grid[0]) for x in range(grid[1])]
    assert needed(part, grid, source, (height, width)).tolist() == expected
    one = needed(part, grid, source, (1, 1)).tolist()
    assert one == [min(1, n) for n in expected]  # a source of one position is there whole or not at all


def block(part: int, low: int, high: int) -> SimpleNamespace:
    return SimpleNamespace(part=part, columns=((low, high),), outputs=high - low)


@pytest.mark.parametrize("blocks,digital,words", [
    ([(0, 0, 20)], 0, 0), ([(0, 0, 20)] * 4, 0, 3 * 3), ([(0, 0, 20)], 1, 3), ([], 1, 0), ([], 2, 3),
    ([(0, 0, 10), (0, 0, 10), (0, 10, 20)], 0, 2), ([(0, 0, 20), (1, 0, 10), (1, 10, 20)], 0, 4),
])  # fmt: skip
def test_partial_sums_are_added_word_by_word(blocks, digital, words) -> None:
    """8 lanes: 20 outputs are 3 words, 10 outputs are 2; the first sum of every output is only written."""
    analog = 2 if any(part == 1 for part, _, _ in blocks) else int(bool(blocks))
    parts = [SimpleNamespace(digital=False)] * analog + [SimpleNamespace(digital=True)] * digital
    layer = SimpleNamespace(outputs=20, parts=parts, row_blocks=[block(*b) for b in blocks])
    assert CrossbarLayer.added_words(layer, 8) == words


def tiny() -> tuple[Network, Trace]:
    """Two linear layers 20 -> 30 -> 3 with 4-bit weights, and one timestep without a spike."""
    populations = (
        Population("in", (20, 1, 1), Neuron("input")), Population("a", (30, 1, 1), Neuron()),
        Population("b", (3, 1, 1), Neuron()),
    )  # fmt: skip
    projections = (
        Projection("p", "in", "a", "linear", weight_bits=4, weights=np.ones((30, 20), np.int8)),
        Projection("q", "a", "b", "linear", weight_bits=4, weights=np.ones((3, 30), np.int8)),
    )
    net = Network("tiny", populations, projections)
    builder = StepSpikesBuilder()
    builder.begin_sample()
    builder.add_step(np.empty(0, np.uint32))
    return net, Trace("tiny", net, "step", np.array([1], np.int64), {"in": builder.build()})


@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_weights_are_written_row_by_row_before_the_first_input(engine) -> None:
    """16 x 16 arrays of 4-bit cells in tiles of one element; at 500 MHz a reset takes 2 cycles, each of 2 sets 3."""
    net, trace = tiny()
    fields = {
        "crossbar.rows": 16, "crossbar.columns": 16, "crossbar.cell_bits": 4, "crossbar.signed": "offset",
        "crossbar.rows_parallel": 16, "pes_per_tile": 1, "arrays_per_pe": 1, "write.count": "true",
        "write.parallel_cells": 8, "write.reset_ps": 4000, "write.set_ps": 5000, "write.verify_steps": 2,
    }  # fmt: skip
    hardware = load_hardware("cim_rram65", [*(f"cim.{key}={v}" for key, v in fields.items()), "host.launch_cycles=0"])
    record = simulate(hardware, net, trace, place(net, hardware), engine=engine)
    cells, rows = (record.actions.index(f"program:{what}") for what in ("cell", "row"))
    unit = record.units.index("cim")
    pulses = 3
    assert record.counts[unit, :, cells].tolist() == [0, 20 * 30 * pulses, 30 * 3 * pulses]
    groups_a = 20 * (2 + 2)  # 30 columns: 16 and 14, each two groups of at most 8 cells
    assert record.counts[unit, :, rows].tolist() == [0, groups_a * pulses, 30 * pulses]
    slowest_a, slowest_b = 16 * 2, 16  # groups of the fullest tile
    start = record.layer_span[1, 0] // 2000
    first_input = 1 + int(hardware.unit("cim").network.hop_cycles)  # type: ignore[attr-defined]
    assert start == (slowest_a + slowest_b) * (2 + 2 * 3) + first_input


@pytest.mark.parametrize("flags,expected", [
    (("overlap_75", "fixed_pe_cycle", "latency_serial_cout"), (7 * 9 * 3 // 4 + 5 * 4) * 26 * 3),
    (("overlap_75", "fixed_pe_cycle"), (9 * 3 // 4 + 5) * 26 * 3),
    (("overlap_75",), (27 * 2 * 3 // 4 + 15 * 2)),
])  # fmt: skip
def test_the_estimators_layers_start_at_three_quarters(flags, expected) -> None:
    """9 positions of 7 outputs, then 5 positions of 4 outputs, 3 timesteps, vectors of 26 clocks or of 2 cycles; the
    first layer lives on tiles 0 and 1, the second on tiles 1 and 2."""
    spec = SimpleNamespace(quirks=flags, timing=SimpleNamespace(pe_cycle_clocks=26))
    members = [
        Member(
            SimpleNamespace(positions=p, outputs=k, tiles=tiles),
            SimpleNamespace(occ=np.full((3, p, 2), 2)),
        )
        for p, k, tiles in ((9, 7, range(2)), (5, 4, range(1, 3)))
    ]
    found = serial.run(spec, members, 3, 4)
    assert found.end == expected == found.span[1, 1]
    assert found.span[0, 0] == 0 and found.runs[0].tolist() == found.span.tolist()
    (_, first), (second, end) = found.span.tolist()
    assert found.tracks is not None
    intervals = [(0, first)], [(second, end)], [(0, first)], [(0, max(first, end))], [(second, end)], []
    assert [track.tolist() for track in found.tracks] == [[list(interval) for interval in row] for row in intervals]
    assert found.tiles.tolist() == [first, max(first, end), end - second, 0]


@pytest.mark.parametrize(
    ("neuron", "stored", "magnitude"),
    [
        (Neuron("input"), 1, 1),
        (Neuron("input", output="signed"), 2, 1),
        (Neuron("input", output="multi"), 8, 8),
        (Neuron("input", output="multi", value_bits=4), 4, 4),
        (Neuron("input", value_bits=8), 8, 1),
    ],
)
def test_bit_maps_and_planes_are_as_wide_as_what_neurons_keep(neuron: Neuron, stored: int, magnitude: int) -> None:
    source = Population("in", (3, 2, 2), neuron)
    sent = np.array([[0, 2, 3, 0]])
    spec = SimpleNamespace(buffer=SimpleNamespace(input_mode="bitmap", zero_flags=True))
    assert traffic.bits(spec, source, 3, sent).tolist() == [[0, 3 * stored, 3 * stored, 0]]
    conv = Projection("out", "in", "out", "conv", (1, 1))
    assert input_magnitude_bits(conv, source) == magnitude
    pooled = Projection("out", "in", "out", "conv", (1, 1), pool=Pool("sum", (2, 2), (2, 2)))
    assert input_magnitude_bits(pooled, source) == magnitude + 2  # four of the largest


def test_a_count_beyond_the_stored_bits_is_refused() -> None:
    """Fifteen fit four planes, sixteen do not; a network that says nothing keeps a byte."""

    def run(count: int, **stored: int) -> int:
        source = Population("in", (3, 1, 1), Neuron("input", output="multi", **stored))
        conv = Projection("out", "in", "out", "conv", (1, 1), weight_bits=4)
        network = Network("counts", (source, Population("out", (2, 1, 1), Neuron())), (conv,))
        made = {}
        for name, values in (("in", [count]), ("out", [])):
            builder = StepSpikesBuilder()
            builder.begin_sample()
            builder.add_step(np.arange(len(values), dtype=np.uint32), np.array(values, np.int32) if values else None)
            made[name] = builder.build()
        trace = Trace("counts", network.topology(), "step", np.array([1], np.int64), made)
        hardware = load_hardware("cim_rram65", ["cim.crossbar.row_policy=static"])
        record = simulate(hardware, network, trace)
        return int(record.counts[:, :, record.actions.index("check:vector")].sum())

    assert run(15, value_bits=4) == run(16) == 1
    with pytest.raises(InputError, match="value_bits"):
        run(16, value_bits=4)
