"""Figures: parts of time and energy add up, and belong where the units say."""

from __future__ import annotations

import math
from functools import cache

import pytest

from simulator import Record
from simulator.costmodel.case import Case
from simulator.costmodel.estimate import estimate
from simulator.costmodel.figures import ENERGY, LATENCY, Figures

CHIPS = ("sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4")


@cache
def run(chip: str) -> Record:
    """The bundled network on a chip, with drawn spikes."""
    from simulator import simulate

    ready = Case("test", "digits", "drawn", chip, density=0.1, seed=3, steps=2, network="digits").prepare()
    return simulate(ready.hardware, ready.network, ready.trace, ready.mapping)


@pytest.mark.parametrize("chip", CHIPS)
def test_parts_of_a_record_add_up(chip: str) -> None:
    record = run(chip)
    found = Figures.of(record)
    assert tuple(found.energy) == ENERGY and tuple(found.latency) == LATENCY
    assert sum(found.latency.values()) == found.end_ps == record.end_ps
    assert found.cycles == record.summary()["latency"]["cycles"]
    assert found.energy_pj == math.fsum(found.energy.values())
    assert found.energy_pj == pytest.approx(record.energy.total, rel=1e-15)
    assert math.fsum(found.pj.values()) == pytest.approx(record.energy.total, rel=1e-15)
    assert sum(found.counts.values()) == record.counts.sum()
    assert all(value > 0 for value in found.latency.values())


@pytest.mark.parametrize("chip", CHIPS)
def test_parts_are_those_of_the_units(chip: str) -> None:
    """Main memory, memories on chip and movers by the record's own sums over units; static power apart."""
    record = run(chip)
    found, units = Figures.of(record), record.hardware.units
    static: dict[str, float] = {}
    for term in record.energy.terms:
        if term.category == "static" or term.action in ("active:rank", "idle:rank"):
            static[term.unit] = static.get(term.unit, 0.0) + term.pj
    dynamic = {name: pj - static.get(name, 0.0) for name, pj in record.energy.by_unit.items()}

    def total(*types: str) -> float:
        return sum(pj for name, pj in dynamic.items() if units[name].type in types)

    assert found.energy["leakage"] == pytest.approx(sum(static.values()), rel=1e-9)
    assert found.energy["dram"] == pytest.approx(total("dram", "banked_dram"), rel=1e-9)
    if chip != "cim_spikesim64":  # whose tile holds all of it in one unit
        assert found.energy["state"] + found.energy["sram"] == pytest.approx(total("sram"), rel=1e-9)
        by_link = total("dma") + found.pj.get(("cmos_core", "link:spike"), 0.0)
        assert found.energy["interconnect"] == pytest.approx(by_link, rel=1e-9)


def test_compute_is_the_time_in_which_the_core_was_busy() -> None:
    for chip in ("sia_pynqz2", "event_core_28nm"):
        record = run(chip)
        tick = 10**12 // record.hardware.clocks["core"]
        assert Figures.of(record).latency["compute"] == record.cycles["core"].busy * tick


def test_states_are_membranes_and_nothing_else() -> None:
    record = run("event_core_28nm")
    state = sum(t.pj for t in record.energy.terms if t.action in ("read:state", "write:state", "overfetch:state")
                and record.hardware.units[t.unit].type == "sram")  # fmt: skip
    assert Figures.of(record).energy["state"] == pytest.approx(state, rel=1e-12)


@pytest.mark.parametrize("chip", CHIPS)
def test_estimates_have_the_same_parts(chip: str) -> None:
    """Within a fifth of the run, part by part where a part is a hundredth of the whole: the same things are meant."""
    ready = Case("test", "digits", "drawn", chip, density=0.1, seed=3, steps=2, network="digits").prepare()
    made = Figures.of(estimate(ready.schedule, ready.hardware, ready.activity, mapping=ready.mapping))
    found = Figures.of(run(chip))
    assert sum(made.latency.values()) == made.end_ps
    for parts in ("latency", "energy"):
        mine, simulated = getattr(made, parts), getattr(found, parts)
        for name, value in simulated.items():
            if value > 0.01 * sum(simulated.values()):
                assert mine[name] == pytest.approx(value, rel=0.2), (parts, name)
