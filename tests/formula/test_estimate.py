"""Estimates against the simulator: equal where the closed form is exact, close on drawn traces, monotone everywhere."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from simulator import Activity, Record, Schedule, estimate, load_hardware, load_network, lower, place, simulate
from simulator.costmodel.estimate import compiled
from simulator.costmodel.estimated import Estimate
from simulator.errors import InputError
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace

STEPS = 4


def both(chip: str, net: str, rate: float, overrides: tuple[str, ...] = ()) -> tuple[Record, Estimate]:
    """A run and its estimate; rate 1: every neuron fires."""
    hardware, network = load_hardware(chip, list(overrides)), load_network(net)
    mapping = place(network, hardware)
    trace = dense_trace(network, STEPS) if rate == 1 else bernoulli_trace(network, STEPS, rate, seed=2)
    made = estimate(lower(mapping, network, hardware), hardware, Activity.of(trace))
    return simulate(hardware, network, trace, mapping), made


def column(found: Record | Estimate, unit: str, action: str) -> list[int]:
    """Counts of an action by layer."""
    counts: list[int] = found.counts[found.units.index(unit), :, found.actions.index(action)].tolist()
    return counts


@pytest.mark.parametrize("gating", ["skip", "energy", "none"])
def test_gather_core_is_exact_when_every_neuron_fires(gating: str) -> None:
    """Cycles at work, and every count of the core and its memories; padding makes windows of different length.

    Without gating events of summed pooling beyond the dense positions are operations that the closed form leaves out.
    """
    record, made = both("sia_pynqz2", "digits", 1, (f"core.gather.gating={gating}",))
    for action in ("active:cycle", "decode:spike", "update:state", "link:spike"):
        assert column(made, "core", action) == column(record, "core", action), action
    for unit, action in (("state", "read:state"), ("spike", "read:spike")):
        assert column(made, unit, action) == column(record, unit, action), action
    if gating != "none":
        assert column(made, "core", "accumulate:partial_sum") == column(record, "core", "accumulate:partial_sum")
        assert column(made, "weight", "read:weight") == column(record, "weight", "read:weight")
    assert made.layer_busy_ps[1:] == pytest.approx(record.layer_busy_ps[1:], rel=2e-4)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.005)  # loads: chunks in flight are a mean


def test_counts_that_do_not_depend_on_spikes_are_exact_at_any_rate() -> None:
    record, made = both("sia_pynqz2", "digits", 0.1)
    for unit, action in (
        ("dma", "transfer:weight"), ("ddr", "read:weight"), ("state", "write:state"), ("spike", "read:spike"),
        ("spike", "write:spike"), ("core", "update:state"), ("host", "launch:task"),
    ):  # fmt: skip
        assert column(made, unit, action) == column(record, unit, action), action


def test_scatter_core_counts_are_exact_when_every_neuron_fires() -> None:
    record, made = both("event_core_28nm", "digits", 1)
    for unit, action in (
        ("core", "accumulate:partial_sum"), ("core", "decode:spike"), ("core", "fifo:spike"), ("core", "link:spike"),
        ("weight", "read:weight"), ("weight", "overfetch:weight"), ("state", "read:partial_sum"),
        ("state", "overfetch:partial_sum"), ("state", "read:state"), ("dma[0]", "transfer:spike"),
    ):  # fmt: skip
        assert column(made, unit, action) == column(record, unit, action), (unit, action)


def test_crossbar_counts_are_exact_when_every_neuron_fires() -> None:
    record, made = both("cim_spikesim64", "vgg9", 1)
    for a, action in enumerate(record.actions):
        if action not in ("active:cycle", "read:spike", "link:spike", "write:spike"):
            assert made.counts[1, :, a].tolist() == record.counts[1, :, a].tolist(), action
    for action in ("read:spike", "link:spike", "write:spike"):
        assert column(made, "cim", action) == column(record, "cim", action), action
    assert made.area_mm2["cim"] == pytest.approx(record.summary()["area_mm2"]["by_unit"]["cim"], rel=1e-12)


@pytest.mark.parametrize("chip", ["sia_pynqz2", "event_core_28nm", "cim_spikesim64"])
@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3])
def test_uncalibrated_error_on_drawn_traces_is_within_five_percent(chip: str, rate: float) -> None:
    record, made = both(chip, "digits", rate)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.05)
    assert made.total_pj == pytest.approx(record.energy.total, rel=0.05)
    assert made.energy.total == pytest.approx(made.total_pj, rel=1e-9)


@pytest.mark.parametrize("action", ["convert:column", "convert_idle:column", "drive:row", "update:state"])
def test_expected_row_groups_of_crossbars(action: str) -> None:
    """From P(empty) alone; four timesteps of some hundred vectors leave a few percent of chance."""
    record, made = both("cim_spikesim64", "digits", 0.1)
    assert sum(column(made, "cim", action)) == pytest.approx(sum(column(record, "cim", action)), rel=0.04)


def priced(chip: str, rate: float, overrides: tuple[str, ...] = ()) -> Estimate:
    """The estimate of digits under independent spikes, with the mapping of the chip as it is bundled."""
    network, plain = load_network("digits"), load_hardware(chip)
    changed = load_hardware(chip, list(overrides)) if overrides else plain
    schedule: Schedule = lower(place(network, plain), network, plain)
    return estimate(schedule, changed, Activity.bernoulli(network, rate, STEPS))


@pytest.mark.parametrize("chip", ["sia_pynqz2", "event_core_28nm", "cim_spikesim64"])
def test_fewer_spikes_never_cost_more(chip: str) -> None:
    """Up to a rate of 0.7 in energy: summed pooling drives bit planes, and of a full window of four only one is on, so
    that crossbars themselves take less at rate 1 than at 0.9."""
    made = [priced(chip, rate) for rate in (0.0, 0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9, 1.0)]
    assert all(a.end_ps <= b.end_ps for a, b in pairwise(made))
    made = made[:8] if chip == "cim_spikesim64" else made
    assert all(a.total_pj <= b.total_pj * (1 + 1e-9) for a, b in pairwise(made))


@pytest.mark.parametrize(
    ("chip", "field", "values"),
    [
        ("sia_pynqz2", "ddr.burst_cycles", (16, 8, 4, 2)),
        ("sia_pynqz2", "core.gather.neuron_lanes", (4, 8, 16, 64)),
        ("sia_pynqz2", "core.gather.ops_per_pe_cycle", (2, 4, 6, 12)),
        ("sia_pynqz2", "core.link_width_bits", (8, 16, 64, 256)),
        ("event_core_28nm", "dram.burst_cycles", (24, 12, 6, 3)),
        ("event_core_28nm", "core.scatter.engines", (1, 2, 4, 8)),
        ("event_core_28nm", "weight.banks", (1, 2, 4)),
        ("cim_spikesim64", "cim.digital.accumulate_lanes", (8, 16, 64)),
        ("cim_spikesim64", "cim.buffer.port_bits", (64, 128, 576)),
    ],
)
def test_more_hardware_is_never_slower(chip: str, field: str, values: tuple[int, ...]) -> None:
    ends = [priced(chip, 0.1, (f"{field}={value}",)).end_ps for value in values]
    assert ends == sorted(ends, reverse=True)


def test_a_network_that_was_read_twice_is_the_same_and_another_is_not() -> None:
    """The closed form of a schedule serves equal networks with other weights; other shapes are refused."""
    hardware, network = load_hardware("sia_pynqz2"), load_network("digits")
    schedule = lower(place(network, hardware), network, hardware)
    again = load_network("digits")
    made = [estimate(schedule, hardware, Activity.bernoulli(n, 0.1, 2)).end_ps for n in (network, again)]
    assert made[0] == made[1]
    assert compiled(schedule, hardware, network)[0] is compiled(schedule, hardware, again)[0]
    wide = replace(again, populations=tuple(
        replace(p, neuron=replace(p.neuron, membrane_bits=24)) for p in again.populations
    ))  # fmt: skip
    assert compiled(schedule, hardware, wide)[0] is not compiled(schedule, hardware, again)[0]


def test_hardware_without_a_closed_form_is_refused() -> None:
    network, plain = load_network("digits"), load_hardware("sia_pynqz2")
    schedule = lower(place(network, plain), network, plain)
    with pytest.raises(InputError, match="this hardware or schedule has no closed form"):
        estimate(schedule, load_hardware("stems_meta1m"), Activity.bernoulli(network, 0.1, 1))
