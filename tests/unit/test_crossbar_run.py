"""Whole runs on crossbar tiles: what placement changes about a run, and what it must not change."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from simulator.hardware import load_hardware
from simulator.mapping import dump_mapping, load_mapping, place
from simulator.network import Network
from simulator.network.zoo import vgg9
from simulator.record import Record
from simulator.run import simulate
from simulator.trace import Trace, bernoulli_trace
from tests.unit.mapping_bench import residual

CHIP = "cim_rram65"


@pytest.fixture(scope="module")
def network() -> Network:
    return vgg9((3, 16, 16))


@pytest.fixture(scope="module")
def trace(network: Network) -> Trace:
    return bernoulli_trace(network, 2, 0.1, samples=1, seed=3)


def run(network: Network, trace: Trace, *overrides: str, **wishes: object) -> Record:
    hardware = load_hardware(CHIP, [f"cim.{text}" for text in overrides])
    return simulate(hardware, network, trace, place(network, hardware, **wishes))  # type: ignore[arg-type]


def total(record: Record, action: str) -> int:
    return int(record.counts[:, :, record.actions.index(action)].sum())


def test_copies_shorten_a_run_and_change_no_conversion(network: Network, trace: Trace) -> None:
    """Every vector is converted once, on whichever copy: time falls, conversions and synaptic operations stay."""
    single, balanced = (run(network, trace, "tiles=48", duplication=wish) for wish in ("none", "balance"))
    assert balanced.end_ps < 0.5 * single.end_ps
    for action in ("convert:column", "convert_idle:column", "update:state", "accumulate:partial_sum"):
        assert total(balanced, action) == total(single, action) > 0 or action == "convert_idle:column"
    assert balanced.work["synaptic_operations"] == single.work["synaptic_operations"]
    assert balanced.built["cim"]["used_pes"] > single.built["cim"]["used_pes"]
    assert balanced.built["cim"]["tiles"] == single.built["cim"]["tiles"] == 48


def test_layers_one_after_another_take_longer(network: Network, trace: Trace) -> None:
    streamed, apart = run(network, trace), run(network, trace, "pipeline=after")
    assert apart.end_ps > streamed.end_ps
    starts = apart.layer_span[1:, 0].tolist()
    ends = apart.layer_span[1:, 1].tolist()
    assert all(start >= end for start, end in zip(starts[1:], ends, strict=False))
    assert (streamed.layer_span[2:, 0] < streamed.layer_span[1:-1, 1]).all()
    assert total(apart, "convert:column") == total(streamed, "convert:column")


def test_programming_comes_first_and_counts_every_cell() -> None:
    """8-bit weights of 2 -> 8 -> 8 -> 8 channels and 8 x 10 linear ones; each cell is erased, set and verified."""
    network = residual()
    trace = bernoulli_trace(network, 2, 0.3, samples=2, seed=3)
    idle, counted = run(network, trace), run(network, trace, "write.count=true")
    plain = counted.end_ps - idle.end_ps
    assert plain > 0 and counted.sample_end_ps[0] - idle.sample_end_ps[0] == plain
    weights = 2 * 8 * 9 + 2 * 8 * 8 * 9 + 8 * 10
    spec = load_hardware(CHIP).units["cim"]
    cells = -(-8 // spec.crossbar.cell_bits)  # type: ignore[attr-defined]
    pulses = 1 + spec.write.verify_steps  # type: ignore[attr-defined]
    assert spec.crossbar.signed == "offset"  # type: ignore[attr-defined]
    assert total(counted, "program:cell") == weights * cells * pulses and total(idle, "program:cell") == 0


def test_a_mapping_from_a_file_gives_the_same_run(network: Network, trace: Trace, tmp_path: Path) -> None:
    hardware = load_hardware(CHIP)
    mapping = place(network, hardware, duplication={"conv2": 2})
    dump_mapping(mapping, tmp_path / "m.yaml")
    first, again = (simulate(hardware, network, trace, m) for m in (mapping, load_mapping(tmp_path / "m.yaml")))
    assert first.end_ps == again.end_ps and np.array_equal(first.counts, again.counts)
    assert first.mapping == again.mapping and first.mapping_text == again.mapping_text


def test_estimators_leave_linear_layers_out(network: Network, trace: Trace) -> None:
    """The quirks count seven convolutions; spikes into the classifier are dropped, and the books still balance."""
    hardware = load_hardware("cim_spikesim64_ela")
    record = simulate(hardware, network, trace)
    classifier = record.layers.index("fc")
    assert not record.counts[:, classifier].any() and (record.layer_span[classifier] == -1).all()
    assert record.work["dropped_spikes"] == record.work["synaptic_by_layer"]["fc"] > 0


def test_a_trace_of_inputs_is_run_first() -> None:
    network = replace(vgg9((3, 8, 8), seed=2), name="vgg9")
    full = bernoulli_trace(network, 2, 0.3, samples=1, seed=3)
    inputs = replace(full, populations={"input": full.populations["input"]})
    record = run(network, inputs)
    assert record.work["input_spikes"] > 0 and set(record.outputs) == {"fc"}


# ela_spikesim.py of Intelligent-Computing-Lab-Yale/SpikeSim at commit c2627bc: array side, pJ, um2, ns.
SPIKESIM = [
    (32, 44074016.137216, 17310819.530856, 62832640),
    (64, 15906934.026240002, 8425528.755833998, 62832640),
    (128, 13978902.265856002, 6347938.740158, 62832640),
]


@pytest.mark.parametrize(("side", "energy", "area", "latency"), SPIKESIM)
def test_estimator_comes_out_of_an_ordinary_run(side: int, energy: float, area: float, latency: int) -> None:
    """2-ela: chip, mapping and record as for any other run, with the quirks on and every input taken to fire."""
    sides = [f"units.cim.crossbar.{name}={side}" for name in ("rows", "columns", "rows_parallel")]
    hardware, network = load_hardware("cim_spikesim64_ela", sides), vgg9()
    record = simulate(hardware, network, bernoulli_trace(network, 5, 0.1, samples=1, seed=1), activity="dense")
    found = record.summary()
    assert found["energy_pj"]["total"] == pytest.approx(energy, rel=1e-12)
    assert found["area_mm2"]["total"] * 1e6 == pytest.approx(area, rel=1e-12)
    assert record.end_ps == latency * 1000
