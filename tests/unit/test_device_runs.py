"""Runs on real devices: the digits net, the same seed, facts that a record keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from benchmarks import cim_accuracy
from simulator import Trace, load_hardware, load_network, load_trace
from simulator.errors import InputError
from simulator.functional import compare_traces, crossbar_layer
from simulator.functional import complete as complete_module
from simulator.functional.crossbar import CrossbarRun, Crossbars, convert_recorded, first_samples, run_on_crossbars
from simulator.hardware.cim.device import Device
from simulator.mapping import place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace import MemorySpikes
from tests.oracles.random_crossbar import SCHEMES

NETWORK = load_network("digits")
RECORDED = first_samples(load_trace("digits"), 2)
INPUTS = replace(RECORDED, populations={name: RECORDED.populations[name] for name in NETWORK.inputs})


def tile_and_plan(*settings: str) -> tuple:
    hardware = load_hardware("cim_rram65", [f"cim.{s}" for s in ("adc.bits=10", *settings)])
    return hardware.units["cim"], check_crossbars(place(NETWORK, hardware), NETWORK, hardware)


def run(*settings: str, seed: int = 0, inputs: Trace = INPUTS) -> CrossbarRun:
    return run_on_crossbars(NETWORK, inputs, *tile_and_plan("device={}", *settings), seed)


@pytest.mark.parametrize("merge", ["analog", "private"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_ideal_devices_give_the_recorded_digits(scheme: str, merge: str) -> None:
    """2-function on the digits net, spike for spike; membranes as recorded by nobody are those of the ordinary run."""
    settings = (f"crossbar.signed={scheme}", f"crossbar.kernel_merge={merge}")
    made = run(*settings)
    assert compare_traces(RECORDED, made.trace) is None
    assert sum(RECORDED.spikes(name).count for name in NETWORK.layers) > 1000
    ordinary = complete_module.complete_trace(NETWORK, INPUTS)
    assert made.counts == ordinary[1]
    assert all(np.array_equal(made.membranes[name], v) for name, v in ordinary[2].items())
    assert convert_recorded(NETWORK, RECORDED, *tile_and_plan(*settings)) == made.facts


def test_one_seed_gives_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same seed: the same spikes, in pieces of time or of positions too; another seed: others."""
    device = ("device.model=wan2022_1day",)
    one, again, other = run(*device), run(*device), run(*device, seed=1)
    assert compare_traces(one.trace, again.trace) is None and one.facts == again.facts
    assert compare_traces(one.trace, other.trace) is not None
    monkeypatch.setattr(complete_module, "CHUNK_STEPS", 3)
    monkeypatch.setattr(crossbar_layer, "CAPACITY", 500)
    pieces = run(*device)
    assert compare_traces(one.trace, pieces.trace) is None and one.facts == pieces.facts


def test_a_sample_does_not_depend_on_those_before_it() -> None:
    """Cells are programmed once, and the noise of a read belongs to its sample and timestep."""
    device = ("device.model=wan2022_1s",)
    both, first = run(*device), run(*device, inputs=first_samples(INPUTS, 1))
    assert compare_traces(first_samples(both.trace, 1), first.trace) is None


def test_copies_are_other_cells() -> None:
    """With copies of its weights a layer's positions meet other cells, so that a spread changes other spikes."""

    def made(copies: int, sigma: float) -> CrossbarRun:
        hardware = load_hardware("cim_rram65", ["cim.adc.bits=10", f"cim.device.sigma_levels={sigma}"])
        plan = check_crossbars(place(NETWORK, hardware, duplication=copies), NETWORK, hardware)
        assert plan.layers["conv2"].copies == copies
        return run_on_crossbars(NETWORK, INPUTS, hardware.units["cim"], plan, 0)

    assert compare_traces(made(1, 0.0).trace, made(4, 0.0).trace) is None
    assert compare_traces(made(1, 0.3).trace, made(4, 0.3).trace) is not None


def test_range_of_the_converter() -> None:
    """conv1 hears the same input in all runs; 9 rows of 2-bit cells reach 27 levels, 4 bits have 15 codes above 0."""
    exact = run().facts["conv1"]
    seen = np.array(exact["codes"])
    assert seen.sum() == exact["conversions"] and seen.size == exact["adc_code_max"] + 1 and exact["adc_step"] == 1
    assert seen[0] == exact["adc_zero"] and exact["adc_clip_high"] == 0 and exact["rows_on_max"] == 9
    widest, granular, calibrated = (
        run("adc.bits=4", f"device.adc_range={r}").facts["conv1"] for r in ("max", "granular", "calibrated")
    )
    assert widest["adc_step"] == 2 and widest["adc_clip_high"] == 0  # ceil(27 / 15)
    halves = np.rint(np.arange(seen.size) / 2).astype(int)
    assert widest["codes"] == np.bincount(halves, seen).astype(int).tolist()
    assert granular["adc_step"] == 1 and granular["adc_clip_high"] == seen[16:].sum() > 0
    assert granular["codes"] == [*seen[:15].tolist(), seen[15:].sum()]
    full = int(np.argmax(np.cumsum(seen) >= 0.999 * seen.sum()))  # both samples are among the four that calibrate
    assert full > 15 and calibrated["adc_step"] == -(-full // 15)
    half = run("adc.bits=4", "device.adc_range=calibrated", "device.adc_percentile=90").facts["conv1"]
    full = int(np.argmax(np.cumsum(seen) >= 0.9 * seen.sum()))
    assert half["adc_step"] == -(-full // 15) == 1 and half["adc_clip_high"] == seen[16:].sum()
    coarse = run("adc.bits=2", "device.adc_range=calibrated", "device.adc_percentile=50").facts["conv1"]
    middle = int(np.argmax(np.cumsum(seen) >= 0.5 * seen.sum()))  # of exact sums: 27 / 3 would be steps of 9
    assert coarse["adc_step"] == -(-middle // 3) < 9


def test_an_exact_dummy_column_removes_the_off_current() -> None:
    assert compare_traces(RECORDED, run("device.on_off_ratio=5").trace) is None
    assert compare_traces(RECORDED, run("device.on_off_ratio=5", "device.off_current=kept").trace) is not None
    differential = ("crossbar.signed=differential_columns", "device.on_off_ratio=4", "device.off_current=kept")
    assert compare_traces(RECORDED, run(*differential).trace) is None  # one level per row, on both columns of a pair


def crossbars_of(*settings: str) -> Crossbars:
    return Crossbars(NETWORK, *tile_and_plan(*settings), 0)


def test_every_read_has_noise_of_its_own() -> None:
    """By sample and timestep; both cells of a differential pair of rows vary, .1 of their conductance each."""
    crossbars = crossbars_of("crossbar.signed=differential_rows", "device.read_noise=0.1", "device.on_off_ratio=4")
    layer = crossbars.layers["conv2"]
    values = np.ones(16 * 8 * 8, np.int32)
    keys = [(0, 0), (0, 0), (0, 1), (1, 0), (1, 1)]
    sums = [layer.sums(0, values, crossbars.tallies["conv2"], 40, key).tolist() for key in keys]
    assert sums[0] == sums[1] and all(a != b for i, a in enumerate(sums[1:]) for b in sums[2 + i :])
    block = layer.blocks[0]
    plus, minus = block.columns.levels + 1, block.columns.minus + 1  # the lowest of four levels at ratio 4 is one step
    assert np.allclose(block.conductance[0], plus - minus)
    assert np.allclose(block.variance[0], 0.01 * (plus.astype(float) ** 2 + minus.astype(float) ** 2))


def test_wires_by_hand() -> None:
    """4 ohm: bit lines of nine joined arrays share the active rows; every eighth column conducts at a time."""
    fixed = ("device.ir_drop.wire_ohm=4", "crossbar.signed=differential_columns", "device.model=wan2022_cubic")
    together, apart = (
        crossbars_of(*fixed, f"crossbar.kernel_merge={m}", "arrangement=kernel").layers["conv2"].blocks[0]
        for m in ("analog", "private")
    )
    mean = together.columns.levels.mean() / 3 * 39.26e-6
    assert len(together.block.arrays) == 9
    assert apart.bitline == pytest.approx(4 * mean * 63 * 127 / 384)
    assert together.bitline == pytest.approx(apart.bitline / 9)
    assert together.wordline.tolist() == apart.wordline.tolist() and together.wordline[7] == 0.0
    assert together.wordline[23] == pytest.approx(4 * mean * 8 * (2 * 8 - 3))  # 7 + 6 columns beyond two hops of 8
    every = crossbars_of(*fixed, "crossbar.conduct=all", "arrangement=kernel").layers["conv2"].blocks[0]
    assert every.wordline[23] == pytest.approx(4 * mean * (23 * 64 - 23 * 12))


def one_neuron(weights: list[int], values: list[int], output: str, bits: int) -> tuple[Network, Trace]:
    network = Network(
        "one",
        (Population("in", (len(weights), 1, 1), Neuron("input", output=output)),
         Population("out", (1, 1, 1), Neuron(threshold=np.array([1]), output="multi"))),
        (Projection("p", "in", "out", "linear", weights=np.array([weights], np.int8), weight_bits=bits),),
    )  # fmt: skip
    index = np.arange(len(values), dtype=np.uint32)
    spikes = MemorySpikes(np.array([[0, len(values)]]), index, np.array(values, np.int32))
    return network, Trace("one", network, "step", np.array([1]), {"in": spikes})


def run_one(network: Network, trace: Trace, *settings: str) -> CrossbarRun:
    hardware = load_hardware("cim_rram65", [f"cim.{s}" for s in ("device={}", "adc.bits=10", *settings)])
    plan = check_crossbars(place(network, hardware), network, hardware)
    return run_on_crossbars(network, trace, hardware.units["cim"], plan)


def test_multi_spike_inputs_by_hand() -> None:
    """3 x 5 + 2 x -2 + 7 x 1 = 18, bit plane after bit plane."""
    network, trace = one_neuron([3, -2, 1], [5, 2, 7], "multi", 4)
    block = run_one(network, trace).trace.spikes("out").block(0, 0, 1)
    assert block.value is not None and block.value.tolist() == [18]


@pytest.mark.parametrize(
    ("weights", "values", "bits", "key", "text"),
    [
        ([3, 9], [1, 1], 4, "projection p: weight_bits", "-8 .. 7"),
        ([3, 2], [1, 300], 4, "projection p", "0 .. 255"),
        ([3, 2], [1, -1], 4, "projection p", "0 .. 255"),
    ],
)
def test_what_does_not_fit_is_refused(weights: list, values: list, bits: int, key: str, text: str) -> None:
    network, trace = one_neuron(weights, values, "multi", bits)
    with pytest.raises(InputError) as error:
        run_one(network, trace, "crossbar.signed=offset")
    assert error.value.key == key and text in str(error.value)


def test_seeds_and_float_networks_are_refused() -> None:
    with pytest.raises(InputError, match="seed"):
        run(seed=-1)
    with pytest.raises(InputError, match="integer weights"):
        network = replace(NETWORK, populations=NETWORK.populations[:1], projections=(), arithmetic="float")
        run_on_crossbars(network, INPUTS, *tile_and_plan())
    assert Device().ideal


def test_accuracy_benchmark(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    sweeps = {"ideal": ((),), "spread": (("device.sigma_levels=0.1",), ("device.sigma_levels=0.8",))}
    monkeypatch.setattr(cim_accuracy, "SWEEPS", sweeps)
    assert cim_accuracy.main(["--samples", "5", "--seeds", "2"]) == 0
    assert "passed" in capsys.readouterr().out.splitlines()[-1]
    monkeypatch.setattr(cim_accuracy, "CLEAN", ("adc.bits=3", "device={}"))
    assert cim_accuracy.main(["--samples", "2", "--seeds", "1"]) == 1
    assert cim_accuracy.main(["--hw", "cim_rramm65"]) == 2
