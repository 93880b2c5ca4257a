"""Whole runs on tiles with devices: the function converts what the machine is charged for."""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.functional import complete_trace
from simulator.record import Record
from tests.oracles.random_crossbar import SCHEMES, binary_steps, crossbar_network
from tests.oracles.random_network import pick


def converted(record: Record) -> dict[str, int]:
    """Conversions of columns with an active row, by layer, as the ledger has them."""
    unit, action = record.units.index("cim"), record.actions.index("convert:column")
    return {name: int(record.counts[unit, record.layers.index(name), action]) for name in record.named_layers}


def facts_of(record: Record, fact: str) -> dict[str, int]:
    return {name: facts[fact] for name, facts in record.work["crossbar"].items()}


@pytest.mark.parametrize("seed", range(32))
def test_the_machine_is_charged_for_the_conversions_that_the_function_makes(seed: int) -> None:
    """Two computations that share no code: groups, planes, columns and domains of the tile, and of the function."""
    rng = np.random.Generator(np.random.PCG64(seed))
    network = crossbar_network(rng)
    while any(p.kind == "sparse" and p.pool and p.pool.kind != "or" for p in network.projections):
        network = crossbar_network(rng)  # sums in front of sparse synapses have no fan-out on a machine
    rows = pick(rng, 8, 16)
    settings = {
        "device": "{}", "buffer.steps": 8, "crossbar.signed": SCHEMES[seed % 4], "crossbar.rows": rows,
        "crossbar.columns": 20, "crossbar.mux_ratio": pick(rng, 1, 5), "crossbar.cell_bits": pick(rng, 1, 2, 4),
        "crossbar.rows_parallel": pick(rng, 2, 3, 8), "crossbar.kernel_merge": pick(rng, "analog", "mux", "private"),
        "crossbar.row_policy": pick(rng, "static", "static_skip", "pack"), "arrangement": pick(rng, "kernel", "im2col"),
        "crossbar.zero_skip": pick(rng, "none", "pe", "array"), "adc.bits": pick(rng, 3, 8),
    }  # fmt: skip
    hardware = load_hardware("cim_rram65", [f"cim.{key}={value}" for key, value in settings.items()])
    trace = complete_trace(network, binary_steps(rng, network, samples=2, steps=3))[0]
    record = simulate(hardware, network, trace)
    assert converted(record) == facts_of(record, "conversions")
    bounds = simulate(hardware, network.topology(), trace).work["crossbar"]
    for name, facts in record.work["crossbar"].items():
        assert facts["rows_on_max"] == bounds[name]["rows_on_max"]
        assert facts["clip_possible"] == bounds[name]["clip_possible"] <= facts["conversions"]


def test_both_engines_hear_the_devices() -> None:
    rng = np.random.Generator(np.random.PCG64(3))
    network = crossbar_network(rng)
    inputs = binary_steps(rng, network, samples=1, steps=3)
    settings = ["cim.device.sigma_levels=0.3", "cim.buffer.steps=8", "cim.arrangement=im2col"]
    hardware = load_hardware("cim_rram65", settings)
    kernel, reference = (simulate(hardware, network, inputs, engine=e) for e in ("kernel", "reference"))
    assert kernel.work == reference.work and kernel.end_ps == reference.end_ps
    assert np.array_equal(kernel.counts, reference.counts)
