"""Published models: what their sources print, and what their formulas say by hand."""

from __future__ import annotations

import pytest

from simulator import Activity, load_hardware, load_network, lower, place, simulate
from simulator.costmodel.published import MODELS, lemaire, operations, roofline
from simulator.costmodel.published.spikesim_ela import Convolution, convolutions, ela
from simulator.trace.dense import dense_trace

# VGG9 as ela_spikesim.py of SpikeSim @c2627bc lists it, output sizes after pooling.
VGG9 = [
    Convolution(*row)
    for row in (
        (3, 64, 32, 32), (64, 64, 32, 16), (64, 128, 16, 16), (128, 128, 16, 8), (128, 256, 8, 8), (256, 256, 8, 8),
        (256, 256, 8, 4),
    )
]  # fmt: skip


@pytest.mark.parametrize(
    ("size", "pes", "tiles", "energy", "area"),
    [
        (32, 190, 24, 44074016.137216, 17310819.530856),
        (64, 48, 6, 15906934.026240002, 8425528.755833998),
        (128, 14, 2, 13978902.265856002, 6347938.740158),
    ],
)
def test_ela_prints_what_its_source_prints(size: int, pes: int, tiles: int, energy: float, area: float) -> None:
    found = ela(VGG9, 5, size)
    assert (found.pes, found.tiles, found.latency_ns) == (pes, tiles, 62_832_640)
    assert found.energy_pj == pytest.approx(energy, rel=1e-12)
    assert found.area_um2 == pytest.approx(area, rel=1e-12)


def test_ela_variants_of_its_source() -> None:
    assert ela(VGG9, 5, kernel=1).energy_pj == pytest.approx(13739048.20224, rel=1e-12)
    assert ela(VGG9, 5, kernel=5).area_um2 == pytest.approx(8445661.415034, rel=1e-12)
    assert ela(VGG9, 5, pes_per_tile=4).area_um2 == pytest.approx(11710472.782068, rel=1e-12)
    assert ela(VGG9, 1).latency_ns == 12_566_528


def test_operations_are_those_of_the_simulator_when_every_neuron_fires() -> None:
    network = load_network("digits")
    record = simulate(load_hardware("event_core_28nm"), network, dense_trace(network, 2))
    found = operations.synaptic_operations(Activity.bernoulli(network, 1.0, 2))
    assert found == pytest.approx(record.work["synaptic_by_layer"])
    energy = operations.energy_pj(Activity.bernoulli(network, 1.0, 2))
    assert sum(energy.values()) == pytest.approx(0.9 * record.work["synaptic_operations"])


@pytest.mark.parametrize(("size", "pj"), [(1024, 10), (8192, 10), (20480, 15), (32768, 20), (1 << 20, 100)])
def test_memory_prices_lie_on_lines_between_the_published_ones(size: int, pj: float) -> None:
    assert lemaire.access_pj(size) == pytest.approx(pj)


def test_without_spikes_only_neurons_cost() -> None:
    network = load_network("digits")
    parts = lemaire.energy_pj(Activity.bernoulli(network, 0.0, 3))
    for name, found in parts.items():
        size = network.population(name).size
        assert found["operations"] == pytest.approx(0.1 * size * 3)
        assert found["weights"] == found["spikes"] == 0
        assert found["membranes"] == pytest.approx(2 * size * 3 * lemaire.access_pj(4 * size))


CHIPS = ("sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4")
"""One chip of each kind that networks of layers run on."""


@pytest.mark.parametrize("chip", CHIPS)
def test_no_run_beats_the_roofline(chip: str) -> None:
    network, hardware = load_network("digits"), load_hardware(chip)
    mapping = place(network, hardware)
    bound = roofline.bound_ps(lower(mapping, network, hardware), hardware, Activity.bernoulli(network, 1.0, 8), mapping)
    end = simulate(hardware, network, dense_trace(network, 8), mapping).end_ps
    assert 0.1 * end < bound <= end


@pytest.mark.parametrize("chip", CHIPS)
def test_every_model_answers_the_same_question_on_every_chip(chip: str) -> None:
    network, hardware = load_network("digits"), load_hardware(chip)
    mapping = place(network, hardware)
    schedule = lower(mapping, network, hardware)
    one, two = (Activity.bernoulli(network, 0.2, 8, samples) for samples in (1, 2))
    names = [model.name for model in MODELS]
    assert len(set(names)) == len(names)
    for model in MODELS:
        for answer in (model.latency_ps, model.energy_pj):
            figure, both = (answer(schedule, hardware, activity, mapping) for activity in (one, two))
            if figure is None or both is None:
                assert figure is both
            elif model.name == "stems_zigzag" or model.name == "roofline":
                assert 0 < figure <= both <= 2 * figure
            else:
                assert both == pytest.approx(2 * figure)


def test_models_are_silent_where_their_source_is() -> None:
    network = load_network("digits")
    activity = Activity.bernoulli(network, 0.2, 8)
    answers = {}
    for chip in ("event_core_28nm", "cim_spikesim64"):
        hardware = load_hardware(chip)
        schedule = lower(place(network, hardware), network, hardware)
        for model in MODELS:
            asked = model.latency_ps(schedule, hardware, activity), model.energy_pj(schedule, hardware, activity)
            answers[chip, model.name] = tuple(figure is not None for figure in asked)
    for chip in ("event_core_28nm", "cim_spikesim64"):
        assert answers[chip, "operations"] == answers[chip, "lemaire"] == (False, True)
        assert answers[chip, "roofline"] == (True, False)
    assert answers["event_core_28nm", "spikesim_ela"] == (False, False)
    assert answers["cim_spikesim64", "spikesim_ela"] == (True, True)


def test_ela_lists_the_convolutions_of_a_network() -> None:
    """Maps of 8 x 8, pooled by 2 ahead of conv3, its shortcut and the linear layer."""
    rows = [(c.inputs, c.outputs, c.in_width, c.out_width) for c in convolutions(load_network("digits"))]
    assert rows == [(1, 16, 8, 8), (16, 32, 8, 4), (32, 32, 4, 2), (16, 32, 4, 2)]
