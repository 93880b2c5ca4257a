"""2-ela, 2-spikes: the SpikeSim estimator's printed figures, and SpikingJelly's expectation, from ordinary runs."""

from __future__ import annotations

import pytest

from benchmarks.cim import differences
from benchmarks.cim_ela import CASES, Case, figures_of, run, simulated
from benchmarks.cim_quirks import ESTIMATOR
from benchmarks.cim_spikes import SPIKES_TOLERANCE, expectation, spikes_error
from simulator.hardware.cim.quirks import QUIRKS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_printed_figure(case: Case) -> None:
    assert differences(simulated(case), case) == []


@pytest.mark.parametrize("density", [0.2, 1.0])
def test_expectation_of_the_spike_rules(density: float) -> None:
    energy, expected = spikes_error(density, samples=3)
    assert energy == pytest.approx(expected, rel=SPIKES_TOLERANCE)


def test_expectation_as_published() -> None:
    published = {0.01: 10603209, 0.05: 12612260, 0.1: 13435751, 0.2: 13888637, 0.5: 14559939, 1.0: 15651826}
    assert {density: round(expectation(density)) for density in published} == published


@pytest.mark.parametrize("flag", ["reread_per_mux_step", "post_pool_dims", "latency_serial_cout", "full_tiles"])
def test_a_flag_taken_out_is_felt(flag: str) -> None:
    """A small tile size and a small array let every one of these flags matter."""
    others = [name for name in ESTIMATOR if name != flag]
    small = ("cim.crossbar.rows=32", "cim.crossbar.columns=32", "cim.crossbar.rows_parallel=32", "cim.pes_per_tile=7")
    base, found = figures_of(run(small)), figures_of(run((*small, f"cim.quirks=[{', '.join(others)}]")))
    affects = next(quirk.affects for quirk in QUIRKS if quirk.flag == flag)
    assert (found.energy_pj != base.energy_pj) is ("E" in affects)
    assert (found.latency_ns != base.latency_ns) is ("L" in affects)
    if "A" in affects:
        assert found.area_um2 != base.area_um2
