"""Crossbars against the ordinary network (ideal cells, enough bits) and against the plain definition (lossy codes)."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.functional import compare_traces, complete_trace, plan_network
from simulator.functional.crossbar import Crossbars, convert_recorded, run_on_crossbars
from simulator.functional.crossbar_adc import Converter
from simulator.hardware.cim.device import Device
from simulator.network import Network
from simulator.trace import Trace
from tests.oracles.crossbar import OracleCounts, OracleTile, oracle_sums
from tests.oracles.random_crossbar import SCHEMES, binary_steps, crossbar_network, crossbar_tile, random_plan


def equal_to_the_ordinary_network(network: Network, inputs: Trace, tile, plan) -> int:
    """Spikes, membranes and counts of both; returns the inner spikes."""
    trace, counts, membranes = complete_trace(network, inputs)
    made = run_on_crossbars(network, inputs, tile, plan)
    assert compare_traces(trace, made.trace) is None
    assert made.counts == counts
    for name, v in membranes.items():
        assert made.membranes[name].tolist() == v.tolist(), name
    for facts in made.facts.values():
        assert facts["adc_clip_high"] == 0 and facts["accumulator_overflow"] == 0 and facts["adc_step"] == 1
    assert convert_recorded(network, trace, tile, plan) == made.facts
    return sum(trace.spikes(name).count for name in network.layers)


@pytest.mark.parametrize("seed", range(60))
def test_ideal_cells_give_the_spikes_of_the_ordinary_network(seed: int) -> None:
    """2-function: random nets with residuals, pools, groups, depthwise, linear, sparse; any scheme, slices, planes."""
    rng = np.random.Generator(np.random.PCG64(seed))
    network = crossbar_network(rng)
    tile = crossbar_tile(rng, crossbar__signed=SCHEMES[seed % 4])
    equal_to_the_ordinary_network(network, binary_steps(rng, network), tile, random_plan(rng, network, tile))


def test_the_random_networks_do_fire_and_use_every_kind() -> None:
    kinds, spikes = set(), 0
    for seed in range(60):
        rng = np.random.Generator(np.random.PCG64(seed))
        network = crossbar_network(rng)
        kinds |= {p.kind for p in network.projections} | {f"{p.pool.kind} pool" for p in network.projections if p.pool}
        kinds |= {"grouped" for p in network.projections if p.groups > 1}
        kinds |= {"residual" for name in network.layers if len(network.incoming(name)) > 1}
        kinds |= {network.population(p.source).neuron.output for p in network.projections}
        trace = complete_trace(network, binary_steps(rng, network))[0]
        spikes += sum(trace.spikes(name).count > 20 for name in network.layers)
    assert spikes > 60
    assert kinds >= {"conv", "depthwise", "linear", "sparse", "one_to_one", "grouped", "residual", "signed", "multi"}
    assert kinds >= {"sum pool", "average pool", "or pool"}


@pytest.mark.parametrize("seed", range(100, 140))
def test_lossy_codes_equal_the_plain_definition(seed: int) -> None:
    """Sums, clipped codes, histogram, lines and overflows with any converter, layer by layer."""
    rng = np.random.Generator(np.random.PCG64(seed))
    network = crossbar_network(rng)
    tile = crossbar_tile(rng, digital__psum_bits=int(rng.integers(6, 20)))
    plan = random_plan(rng, network, tile)
    inputs = binary_steps(rng, network, samples=1, steps=2)
    trace = complete_trace(network, inputs)[0]
    crossbars = Crossbars(network, tile, plan, 0)
    signed = {name: layer.signed for name, layer in crossbars.layers.items()}
    codes = {name: int(rng.integers(1, 12)) for name in signed}
    steps = {name: int(rng.integers(1, 5)) for name in signed}
    crossbars.use({n: Converter(steps[n], -codes[n] if s else 0, codes[n]) for n, s in signed.items()})
    box = tile.crossbar
    for layer in plan_network(network).layers:
        name = layer.name
        arrays = crossbars.layers[name]
        expected = OracleCounts()
        oracle = OracleTile(
            box.signed, box.cell_bits, box.rows_parallel, box.row_policy == "pack", box.kernel_merge == "analog",
            tile.adc.kind == "integrate_steps", steps[name], -codes[name] if signed[name] else 0, codes[name],
            tile.digital.psum_bits,
        )  # fmt: skip
        for number, synapses in enumerate(layer.incoming):
            if arrays.layer.parts[number].digital:
                continue
            index, value = trace.spikes(synapses.projection.source).block(0, 0, 2).step(1)
            index, value = synapses.pooled((index, np.empty(0, np.int32) if value is None else value))
            seen = dict(zip(index.tolist(), value.tolist() if value.size else [1] * index.size, strict=True))
            sums = oracle_sums(network, arrays.layer, number, seen, oracle, expected)
            values = arrays.values(number, index, value)
            assert arrays.sums(number, values, crossbars.tallies[name], oracle.psum_bits, (0, 1)).tolist() == sums
        facts = crossbars.tallies[name].facts()
        found = {facts["lowest_code"] + i: n for i, n in enumerate(facts["codes"]) if n}
        assert found == expected.codes
        assert facts["adc_clip_high"] == expected.clipped and facts["adc_zero"] == expected.zeros
        assert facts["adc_code_max"] == expected.largest and facts["conversions"] == expected.conversions
        assert facts["rows_on_max"] == expected.lines and facts["accumulator_overflow"] == expected.overflows


def test_lossy_cases_do_clip_and_overflow() -> None:
    """The comparison above means something only if codes are cut off and sums overflow."""
    clipped = overflows = 0
    for seed in range(100, 104):
        rng = np.random.Generator(np.random.PCG64(seed))
        network = crossbar_network(rng)
        device = Device(adc_range="granular")
        tile = crossbar_tile(rng, adc__bits=2, crossbar__rows_parallel=8, digital__psum_bits=6, device=device)
        facts = run_on_crossbars(network, binary_steps(rng, network), tile, random_plan(rng, network, tile)).facts
        clipped += sum(f["adc_clip_high"] for f in facts.values())
        overflows += sum(f["accumulator_overflow"] for f in facts.values())
    assert clipped > 100 and overflows > 100
