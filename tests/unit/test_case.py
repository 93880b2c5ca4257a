"""Cases: what is shared between them, and that spikes are those that were asked for."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator import load_trace
from simulator.costmodel.case import Case
from simulator.costmodel.observe import observe
from simulator.costmodel.sources import SPREAD, rates_of
from simulator.errors import InputError

CASE = Case("test", "digits", "drawn", "event_core_28nm", density=0.2, seed=5, steps=3, network="digits")


def test_cases_that_differ_in_spikes_share_the_rest() -> None:
    one, two = CASE.prepare(), replace(CASE, seed=6, density=0.1, samples=2).prepare()
    assert one.schedule is two.schedule and one.hardware is two.hardware and one.network is two.network
    assert one.mapping is two.mapping and one.trace.sha256 != two.trace.sha256
    assert one.trace.sha256 == CASE.prepare().trace.sha256


def test_density_is_met_over_all_populations() -> None:
    """Each population has a density of its own, drawn around the case's; spikes follow it."""
    ready = replace(CASE, steps=200).prepare()
    rates = rates_of(ready.case, ready.network)
    assert all(SPREAD[0] * 0.2 <= rate <= SPREAD[1] * 0.2 for rate in rates.values()) and len(set(rates.values())) > 1
    for population, mean in zip(ready.network.populations, ready.activity.mean, strict=True):
        rate = rates[population.name]
        error = 5 * np.sqrt(rate * (1 - rate) / (200 * population.size))
        assert abs(float(mean.mean()) - rate) < error


def test_clustered_spikes_have_the_same_rates_and_more_spread() -> None:
    plain, clustered = (replace(CASE, kind=kind, steps=20).prepare().activity for kind in ("drawn", "clustered"))
    assert float(clustered.variance[..., 1].mean()) > 1.5 * float(plain.variance[..., 1].mean())
    again = replace(CASE, kind="clustered", steps=20, seed=9).prepare().activity
    assert not np.array_equal(again.variance, clustered.variance)


def test_dense_and_trained_spikes() -> None:
    assert replace(CASE, density=1.0).prepare().activity.mean == pytest.approx(1.0)
    ready = replace(CASE, kind="trained", density=None, seed=3, samples=2).prepare()
    bundled = load_trace("digits")
    assert ready.trace.samples == 2 and ready.trace.steps.tolist() == bundled.steps[3:5].tolist()
    for name in bundled.populations:
        for sample in (0, 1):
            mine = ready.trace.spikes(name).block(sample, 0, int(ready.trace.steps[sample]))
            theirs = bundled.spikes(name).block(3 + sample, 0, int(bundled.steps[3 + sample]))
            assert np.array_equal(mine.index, theirs.index) and np.array_equal(mine.start, theirs.start)


def test_observations_repeat_but_for_the_time_they_took() -> None:
    one, two = observe(CASE), observe(CASE)
    assert one == two and one.simulated == two.simulated
    assert one.simulated.end_ps > 0 and one.activity.samples == 1
    assert one.activity.network is CASE.prepare().network
    assert one.estimated.end_ps == pytest.approx(one.simulated.end_ps, rel=0.2)


def test_refusals() -> None:
    for changed, message in (
        ({"network": "digts"}, "did you mean 'digits'"),
        ({"network": "generated/cores/x/1"}, "not a drawn architecture"),
        ({"network": "generated/coers/0/1"}, "not a drawn architecture"),
        ({"network": "snasnet/0303/8"}, "16 digits"),
        ({"network": "snasnet/0303003020020200/0"}, "not a network of cells"),
        ({"network": "recorded/loihi/250_25_1"}, "needs the directory"),
        ({"network": "recorded/loih/x", "directory": "/"}, "did you mean 'loihi'"),
        ({"mapping": "timesteps"}, "words wish=value"),
        ({"mapping": "timestep=one"}, "did you mean 'timesteps'"),
        ({"mapping": "timesteps=one timesteps=all"}, "each wish once"),
        ({"mapping": "weights=streamed"}, "did you mean 'stream'"),
        ({"overrides": ("core.gating=none",)}, "gating"),
    ):
        with pytest.raises(InputError, match=message):
            replace(CASE, **changed).prepare()
    with pytest.raises(InputError, match="needs a density"):
        _ = replace(CASE, density=None).prepare().trace
    with pytest.raises(InputError, match="fewer samples"):
        _ = replace(CASE, kind="trained", seed=10**6).prepare().trace
