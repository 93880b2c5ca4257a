"""Closed form of cores whose main memory has banks: commands, background and time against the simulator."""

from __future__ import annotations

import pytest

from simulator import Activity, estimate, load_hardware, load_network, lower, place, simulate
from simulator.trace.synthetic import bernoulli_trace


@pytest.mark.parametrize("rate", [0.05, 0.3])
def test_cores_with_a_banked_main_memory(rate: float) -> None:
    """Loads of weights are of fixed size: their bursts are exact, their rows within those that other loads close."""
    hardware, network = load_hardware("event_core_28nm_ddr4"), load_network("digits")
    mapping, trace = place(network, hardware), bernoulli_trace(network, 4, rate, seed=3)
    made = estimate(lower(mapping, network, hardware), hardware, Activity.of(trace))
    record = simulate(hardware, network, trace, mapping)
    assert made.end_ps == pytest.approx(record.end_ps, rel=0.03)
    assert made.total_pj == pytest.approx(record.energy.total, rel=0.03)
    unit = record.units.index("dram")
    found = {
        name: (made.counts[unit, :, i].sum(), record.counts[unit, :, i].sum()) for i, name in enumerate(made.actions)
    }
    for action in ("read:weight", "overfetch:weight", "read_burst:weight"):
        assert found[action][0] == found[action][1] > 0, action
    for action in ("activate:weight", "row_hit:weight"):
        assert found[action][0] == pytest.approx(found[action][1], rel=0.15), action
    assert found["refresh:rank"][0] == pytest.approx(found["refresh:rank"][1], rel=0.05)
    assert found["active:rank"][0] == pytest.approx(found["active:rank"][1], rel=0.1)  # by where refreshes fall
    cycles = made.end_ps * hardware.clocks["dram"] / 1e12
    assert found["active:rank"][0] + found["idle:rank"][0] == pytest.approx(2 * cycles, abs=2)  # of two ranks


def test_a_slower_device_is_never_faster() -> None:
    plain, network = load_hardware("event_core_28nm_ddr4"), load_network("digits")
    schedule = lower(place(network, plain), network, plain)
    activity = Activity.bernoulli(network, 0.1, 4)
    for field, values in {
        "tcl_cycles": (12, 17, 30), "trcd_cycles": (10, 17, 40), "trfc_cycles": (100, 420, 900),
        "tccd_l_cycles": (4, 6, 12), "trp_cycles": (8, 17, 30),
    }.items():  # fmt: skip
        ends = [
            estimate(
                schedule, load_hardware("event_core_28nm_ddr4", [f"dram.timing.{field}={value}"]), activity
            ).end_ps
            for value in values
        ]
        assert ends == sorted(ends) and ends[0] < ends[-1], (field, ends)
