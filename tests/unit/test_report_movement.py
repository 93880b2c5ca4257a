"""Pictures and tables of data movement: flows close per level, bars and bandwidths hold the record's bits."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from simulator.record import Record
from simulator.record_summary import OPERANDS, movement_bits
from simulator.report.flows import CORES, Flow, chain_of, flows
from simulator.report.plots import bandwidth as bandwidth_plot
from simulator.report.plots import draw_plot, drawable
from simulator.report.plots import flow as flow_plot
from simulator.report.residency import has_state, residency_rows, residency_table
from tests.unit.small_record import END_PS, LAYERS, MEMORY_HZ, UNITS, small_record


def moved(counts: dict[tuple[str, str, str], int]) -> Record:
    """The small record with other counts: (unit, layer, action) -> bits."""
    record = small_record()
    table = np.zeros_like(record.counts)
    for (unit, layer, action), bits in counts.items():
        table[UNITS.index(unit), LAYERS.index(layer), record.actions.index(action)] = bits
    return dataclasses.replace(record, counts=table)


def test_flows_by_hand() -> None:
    """Weights come from memory; 48 of 320 bits of spikes read go there; partial sums stay between memory and cores."""
    assert flows(small_record()) == [
        Flow("dram", "weight", "weight", 3072, True),
        Flow("weight", CORES, "weight", 4000, True),
        Flow("spikes", "dram", "spike", 48, False),
        Flow("spikes", CORES, "spike", 272, True),
        Flow(CORES, "spikes", "spike", 96, False),
        Flow("state", CORES, "partial_sum", 6400, True),
        Flow(CORES, "state", "partial_sum", 6400, False),
    ]


def test_a_chain_of_two_levels_on_chip() -> None:
    """100 bits of state come in through two levels, are used 30 and 40 times over, and 60 go out again."""
    record = moved(
        {("dram", "conv", "read:state"): 100, ("dram", "conv", "write:state"): 60,
         ("spikes", "conv", "write:state"): 160, ("spikes", "conv", "read:state"): 160,
         ("state", "conv", "write:state"): 4000, ("state", "conv", "read:state"): 3000}
    )  # fmt: skip
    assert chain_of(record, "state") == ["dram", "spikes", "state"]
    found = {(f.source, f.target): f.bits for f in flows(record)}
    assert found == {
        ("dram", "spikes"): 100, ("spikes", "state"): 160, ("state", "spikes"): 60, ("state", CORES): 2940,
        (CORES, "state"): 3840, (CORES, "dram"): 60,
    }  # fmt: skip


def test_copies_of_what_came_in_do_not_go_out_again() -> None:
    """Spikes pass through two levels inwards; the 30 that the outer one got more come from the cores."""
    record = moved(
        {("dram", "conv", "read:spike"): 50, ("spikes", "conv", "write:spike"): 80,
         ("spikes", "conv", "read:spike"): 60, ("state", "conv", "write:spike"): 60,
         ("state", "conv", "read:spike"): 200}
    )  # fmt: skip
    found = {(f.source, f.target): f.bits for f in flows(record)}
    assert found == {("dram", "spikes"): 50, ("spikes", "state"): 60, ("state", CORES): 200, (CORES, "spikes"): 30}


@pytest.mark.parametrize("seed", range(20))
def test_every_bit_read_and_written_is_in_one_flow(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    record = moved(
        {(unit, LAYERS[int(rng.integers(0, 3))], f"{verb}:{operand}"): int(rng.integers(0, 1000))
         for unit in ("dram", "weight", "state", "spikes") for verb in ("read", "write") for operand in OPERANDS
         if rng.random() < 0.6}
    )  # fmt: skip
    found = flows(record)
    assert all(flow.bits > 0 for flow in found)
    for level, operands in movement_bits(record).items():
        for operand, parts in operands.items():
            mine = [flow for flow in found if flow.operand == operand]
            assert sum(f.bits for f in mine if f.source == level) == parts["read"]
            assert sum(f.bits for f in mine if f.target == level) == parts["write"]


def test_bands_are_as_high_as_their_bits() -> None:
    axes = draw_plot(small_record(), "flow").axes[0]
    heights = []
    for patch in axes.patches:
        points = patch.get_path().vertices
        heights.append(points[7][1] - points[0][1])
    whole = 4000 + 6400 * 2 + 272 + 96  # the cores' left side is the fullest
    expected = [max(flow.bits / whole, flow_plot.HAIRLINE) for flow in flows(small_record())]
    columns = flow_plot.columns(small_record())
    assert columns == {"dram": 0, "weight": 1, "spikes": 1, "state": 1, CORES: 2}
    inside = 4000 + 6400 * 2 + 320 + 48
    assert max(whole, inside) == whole
    assert np.allclose(heights, expected)


def test_levels_in_the_same_column_follow_the_longest_chain() -> None:
    """Weights go dram, weight, state; states go dram, state: `state` stands behind `weight`.  Chains of opposite order
    end, and an operand that never leaves the chip starts behind main memory."""
    record = moved(
        {("dram", "conv", "read:weight"): 9, ("weight", "conv", "read:weight"): 10,
         ("state", "conv", "read:weight"): 20, ("dram", "conv", "read:state"): 5, ("state", "conv", "read:state"): 5,
         ("spikes", "conv", "read:spike"): 7}
    )  # fmt: skip
    assert flow_plot.columns(record) == {"dram": 0, "weight": 1, "state": 2, "spikes": 1, CORES: 3}
    opposite = moved(
        {("weight", "conv", "read:weight"): 1, ("state", "conv", "read:weight"): 2,
         ("weight", "conv", "read:state"): 2, ("state", "conv", "read:state"): 1}
    )  # fmt: skip
    assert max(flow_plot.columns(opposite).values()) <= 6
    assert draw_plot(opposite, "flow").axes[0].patches


def test_no_movement_no_picture() -> None:
    still = moved({})
    assert not any(drawable(still, name) for name in ("traffic", "flow", "bandwidth"))


def test_bars_add_up_to_the_bits_of_each_operand() -> None:
    axes = draw_plot(small_record(), "traffic").axes[0]
    names = [label.get_text() for label in axes.get_yticklabels()]
    ends: dict[str, float] = dict.fromkeys(names, 0.0)
    for bar in axes.patches:
        ends[names[round(bar.get_y() + bar.get_height() / 2)]] += bar.get_width()
    assert ends["dram  read"] == pytest.approx(3.072) and ends["dram  overfetch"] == pytest.approx(0.512)
    assert ends["weight  write"] == pytest.approx(3.072) and ends["spikes  write"] == pytest.approx(0.096)
    hatched = {names[round(b.get_y() + b.get_height() / 2)] for b in axes.patches if b.get_hatch() and b.get_width()}
    assert hatched == {"dram  overfetch"}


def test_bandwidth_over_time_adds_up_to_the_bits_moved() -> None:
    record = small_record()
    seconds = END_PS / 1e12 / bandwidth_plot.BINS
    found = bandwidth_plot.rates(record)
    total = {level: sum(sum(p[v] for v in ("read", "write", "overfetch")) for p in operands.values())
             for level, operands in movement_bits(record).items()}  # fmt: skip
    assert {level: rate.sum() * seconds for level, rate in found.items()} == pytest.approx(total)


def test_bandwidth_of_a_busy_memory_is_its_peak() -> None:
    """All 80 memory cycles busy in four bins of 20: 512 bits every four cycles."""
    record = small_record()
    busy, width = record.busy.copy(), record.bin_cycles.copy()
    dram = UNITS.index("dram")
    busy[dram], width[dram] = 20, 20
    full = dataclasses.replace(
        moved({("dram", "conv", "read:weight"): 80 // 4 * 512}), busy=busy, bin_cycles=width
    )
    assert busy.shape[1] == 4 and bandwidth_plot.peak(full, "dram") == 512 / 4 * MEMORY_HZ
    assert np.allclose(bandwidth_plot.rates(full)["dram"], 512 / 4 * MEMORY_HZ)
    assert bandwidth_plot.peak(full, "weight") is None
    busy[dram], width[dram] = (40, 40, 0, 0), 40  # bins may reach beyond the end of the run
    assert np.allclose(bandwidth_plot.rates(full)["dram"], 512 / 4 * MEMORY_HZ)


def test_state_lives_where_it_passes_outermost() -> None:
    record = moved(
        {("dram", "conv", "write:state"): 60, ("state", "conv", "read:state"): 160,
         ("state", "fc", "read:state"): 80, ("spikes", "fc", "write:state"): 8}
    )  # fmt: skip
    rows = {row["layer"]: row for row in residency_rows(record)}
    assert rows["conv"]["home"] == "dram" and rows["conv"]["dram write"] == 60 and rows["conv"]["state read"] == 160
    assert rows["fc"]["home"] == "state" and "dram write" not in rows["fc"]
    table = residency_table(record)
    assert [str(column.header) for column in table.columns][:3] == ["layer", "neurons", "lives in"]
    assert table.row_count == 2


def test_state_that_no_memory_moves_lives_in_registers() -> None:
    record = small_record()
    assert not has_state(record)
    assert {row["home"] for row in residency_rows(record)} == {"registers"}
