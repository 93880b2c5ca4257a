"""Drawn traces and the bundled files' names."""

import numpy as np
import pytest

from simulator import resources
from simulator.errors import InputError
from simulator.network import vgg11
from simulator.resources import find_resource, list_resources
from simulator.trace import bernoulli_trace, check_trace
from tests.unit.test_trace_file import tiny_network


def test_rates_are_met_and_seeds_repeat():
    trace = bernoulli_trace(vgg11(), 2, 0.1, samples=1, seed=4)
    check_trace(trace)
    for population in trace.network.populations:
        if population.size > 5000:
            rate = trace.spikes(population.name).count / (2 * population.size)
            assert abs(rate - 0.1) < 5 * np.sqrt(0.09 / (2 * population.size))
    assert trace.complete and trace.sha256 == bernoulli_trace(vgg11(), 2, 0.1, seed=4).sha256
    assert trace.sha256 != bernoulli_trace(vgg11(), 2, 0.1, seed=5).sha256


def test_each_population_has_its_own_stream():
    one = bernoulli_trace(tiny_network(), 50, {"in": 0.5, "out": 0.5}, seed=1)
    two = bernoulli_trace(tiny_network(), 50, {"in": 0.0, "out": 0.5}, seed=1)
    assert np.array_equal(one.spikes("out").block(0, 0, 50).index, two.spikes("out").block(0, 0, 50).index)
    assert two.spikes("in").count == 0
    assert bernoulli_trace(tiny_network(), 3, 1.0, samples=2).spikes("in").count == 3 * 2 * 18


def test_refusals():
    for steps, rates, message in (
        (3, {"in": 0.5}, "rates are missing.*out"),
        (3, {"inn": 0.5, "out": 1}, "did you mean 'in'"),
        (3, 1.5, "probability"),
        (3, float("nan"), "probability"),
        (-1, 0.5, "negative"),
    ):
        with pytest.raises(InputError, match=message):
            bernoulli_trace(tiny_network(), steps, rates)


def test_bundled_files_by_name(tmp_path, monkeypatch):
    (tmp_path / "hwconfigs").mkdir()
    for name in ("b.yaml", "a.yaml", "notes.txt"):
        (tmp_path / "hwconfigs" / name).write_text("")
    monkeypatch.setattr(resources, "resource_folder", lambda kind: tmp_path / kind)
    assert list_resources("hwconfigs") == ["a", "b"] and list_resources("traces") == []
    assert find_resource("hwconfigs", "a") == find_resource("hwconfigs", "a.yaml") == tmp_path / "hwconfigs" / "a.yaml"
    with pytest.raises(InputError, match="allowed: a, b"):
        find_resource("hwconfigs", "zebra")
