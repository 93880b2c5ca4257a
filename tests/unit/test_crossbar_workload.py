"""What a run tells the tiles about their rows, and what `info` says about a mapping on crossbars."""

from types import SimpleNamespace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.mapping import lower, place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.schedule import COMPUTE, PROGRAM
from simulator.network import load_network
from simulator.network.zoo import resnet18, vgg9
from simulator.report.info import describe
from simulator.resources import list_resources
from simulator.trace import bernoulli_trace
from simulator.workload import Workload
from tests.unit.crossbar_bench import chip, weight_cells
from tests.unit.mapping_bench import chip as core_chip
from tests.unit.mapping_bench import residual


def workload(network, hardware):
    mapping = place(network, hardware)
    plan = check_crossbars(mapping, network, hardware) if mapping.on_crossbars else None
    trace = bernoulli_trace(network, 3, 0.3, samples=2, seed=5)
    return Workload(lower(mapping, network, hardware), network, trace, False, ("address", 32), plan)


def test_rows_know_their_layer_their_streams_and_what_they_do():
    network = residual()
    work = workload(network, chip(write=SimpleNamespace(count=True)))
    names = [work.crossbar(row).layer for row in range(work.schedule.rows)]
    assert names == list(network.layers) * 2
    assert [work.op(row) for row in range(8)] == [PROGRAM] * 4 + [COMPUTE] * 4
    assert [work.stream(row) for row in range(4, 8)] == [[], [4], [5, 4], [6]]
    assert [work.after(row) for row in range(4, 8)] == [([], [0]), ([], [1]), ([], [2]), ([], [3])]
    assert work.crossbar(5) is work.plan.layers["b"]


def test_a_chip_of_cores_has_no_plan():
    assert workload(residual(), core_chip()).plan is None


def test_layers_that_an_estimator_leaves_out_receive_nothing():
    network = vgg9((3, 8, 8))
    mapping = place(network, chip(quirks=("conv_only_one_kernel",)))
    plan = check_crossbars(mapping, network, chip(quirks=("conv_only_one_kernel",)))
    schedule = lower(mapping, network, chip(quirks=("conv_only_one_kernel",)))
    trace = bernoulli_trace(network, 1, 0.3, samples=1, seed=5)
    assert Workload(schedule, network, trace, False, ("address", 32), plan).left_out == ("fc",)
    assert workload(network, chip()).left_out == ()


def test_tiles_see_the_spikes_of_the_trace():
    network = residual()
    work = workload(network, chip())
    index, value = work.spikes("a", 1, 2)
    stored = work.trace.spikes("a").block(1, 0, 3).step(2)
    assert value is None and np.array_equal(index, stored[0])
    assert work.spikes("a", 1, -1)[0].size == 0


def test_info_names_the_place_of_every_layer():
    found = describe(place(residual(), chip(), duplication={"b": 3}))
    assert found["kind"] == "mapping" and found["timesteps"] == "all"
    assert found["layers"]["b"] == "cim, kernel; copies 3; from processing element 1"


def test_vgg9_is_a_built_in_network():
    assert load_network("vgg9", {"classes": "100"}).population("fc").size == 100


CHIPS = [name for name in list_resources("hwconfigs") if name.startswith("cim_") and not name.endswith("_ela")]


@pytest.mark.parametrize("name", CHIPS)
def test_bundled_chips_take_networks_or_say_what_is_missing(name):
    """Every bundled chip: weights fit the cells that are built, and each layer has a row."""
    hardware = load_hardware(name)
    for network in (load_network("digits"), vgg9(weight_bits=4), resnet18()):
        try:
            mapping = place(network, hardware)
        except InputError as refused:
            assert "tiles of" in str(refused) and "are available" in str(refused)
            continue
        plan = check_crossbars(mapping, network, hardware)
        assert sum(weight_cells(layer) for layer in plan.layers.values()) <= plan.built["cells"]
        assert plan.built["used_pes"] <= plan.built["pes"] and plan.built["used_arrays"] <= plan.built["arrays"]
        schedule = lower(mapping, network, hardware)
        assert schedule.rows - schedule.prologue == len(network.layers)
