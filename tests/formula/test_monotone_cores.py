"""A core alone never gets slower with more bandwidth or lanes, and never costs more with fewer spikes.

What a core shares with itself bends this rule, as it would in silicon; the last tests show what happens:

- several engines take turns at the membrane banks, and what is early may meet another one there (R. L. Graham, Bounds
  on multiprocessing timing anomalies, 1969): the law holds for one engine;
- reads and writes of one spike memory meet in its banks; here every block has a bank of its own, or there is one
  timestep, all of whose reads end before its write;
- a weight word holds the weights of all lanes: lanes that a layer does not fill, behind a weight memory that does not
  grow with them, fetch padding;
- an array that hands more windows at once to a slow neuron unit waits longer for the last ones;
- a block of spikes travels whole, so its size is no bandwidth.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator import simulate
from simulator.hardware import Hardware, parse_hardware
from simulator.mapping import place
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from simulator.trace import StepSpikesBuilder, Trace
from tests.formula.monotone import Ladders, Spikes, at, climbs, fewer, fire, foot, generator, grown, overrides
from tests.timing import bench

CASES = 7
EVEN = bench.TEXT.replace("write_energy_pj_per_bit: 0.25", "write_energy_pj_per_bit: 0.5").replace(
    "capacity_bytes: 1048576", "capacity_bytes: 50331648"
)
"""The bench; a bit fetched for nothing costs what one written costs, so that a word costs the same however full."""
GATHER = (
    EVEN[: EVEN.index("                scatter: {")].replace("dataflow: scatter", "dataflow: gather")
    + """\
                gather: {unroll: {k: 1, c: 1, oy: 1, ox: 1}, ops_per_pe_cycle: 1, ops_per_synapse: 1, gating: none,
                         window_cycles: 1, neuron_lanes: 1, fill_cycles: 1}}
"""
)
CORE, WEIGHT, STATE = "core[0..1]", "weight[0..1]", "state[0..1]"
COMMON: Ladders = {
    f"{CORE}.input_credits": [1, 2, 4],
    f"{CORE}.output_credits": [1, 2, 4],
    f"{CORE}.link_width_bits": [5, 8, 32, 64, 65536],
    f"{CORE}.link_latency_cycles": [4, 2, 1],
    "spike.banks": [1, 2, 4],
    "spike.ports": [1, 2],
    "spike.width_bits": [8, 16, 32, 64, 65536],
    "spike.latency_cycles": [3, 1],
    "spike.cycle_cycles": [3, 1],
    f"{WEIGHT}.banks": [1, 2, 4],
    f"{WEIGHT}.cycle_cycles": [3, 2, 1],
    f"{STATE}.banks": [1, 2, 3, 4, 8, 16],
    f"{STATE}.cycle_cycles": [3, 2, 1],
}
LANES: dict[str, Ladders] = {
    "scatter": {
        f"{CORE}.scatter.lanes": [1, 2, 4, 8],
        f"{CORE}.scatter.fifo_depth": [1, 2, 4, 64],
        f"{CORE}.scatter.feed_cycles": [3, 2, 1],
        f"{CORE}.scatter.decode_cycles": [3, 2, 1],
        f"{CORE}.scatter.pipeline_cycles": [3, 2, 0],
        f"{CORE}.scatter.accumulate_cycles": [3, 2, 1],
        f"{CORE}.scatter.update_cycles": [3, 2, 1],
        f"{CORE}.scatter.output_fifo_depth": [1, 2, 4, 64],
        f"{CORE}.scatter.output_cycles": [4, 2, 1],
        f"{WEIGHT}.width_bits": [64, 128, 65536],
        f"{STATE}.width_bits": [16, 32, 64, 128],
    },
    "gather": {
        f"{CORE}.gather.unroll.k": [1, 2, 4, 8],
        f"{CORE}.gather.unroll.c": [1, 2, 4],
        f"{CORE}.gather.unroll.oy": [1, 2, 4],
        f"{CORE}.gather.unroll.ox": [1, 2, 4],
        f"{CORE}.gather.ops_per_pe_cycle": [1, 2, 3],
        f"{CORE}.gather.window_cycles": [3, 2, 1],
        f"{CORE}.gather.neuron_lanes": [1, 2, 4],
        f"{CORE}.gather.fill_cycles": [4, 2, 0],
        f"{CORE}.gather.gating": ["none", "energy", "skip"],
        f"{WEIGHT}.width_bits": [8, 16, 64, 65536],
        f"{STATE}.width_bits": [16, 32, 64, 128],
    },
}
SHAPE = tuple(f"{CORE}.gather.unroll.{axis}" for axis in ("k", "oy", "ox"))
QUICK_NEURONS = {f"{CORE}.gather.neuron_lanes": 1024, f"{STATE}.banks": 1024, f"{STATE}.width_bits": 1024}


def layer(rng: np.random.Generator, dataflow: str) -> Network:
    """An input and one convolution or linear layer; a scatter core's channels fill its lanes."""
    size, side = int(rng.integers(1, 7)), int(rng.choice([1, 3, 5]))
    channels = int(rng.choice([8, 16])) if dataflow == "scatter" else int(rng.integers(1, 9))
    source = Population("in", (int(rng.integers(1, 4)), size, size), Neuron("input"))
    if rng.random() < 0.2:
        wide = Population("out", (channels, 1, 1), Neuron())
        return Network("layer", (source, wide), (Projection("p", "in", "out", "linear"),))
    target = Population("out", (channels, size, size), Neuron())
    conv = Projection("p", "in", "out", "conv", (side, side), padding=(side // 2, side // 2))
    return Network("layer", (source, target), (conv,))


def draw(rng: np.random.Generator, network: Network) -> dict[str, Spikes]:
    """Spikes of both populations: what a layer sends does not hang on what it receives, as in a replay."""
    steps = int(rng.integers(1, 4))
    rates = {"in": rng.choice([0.1, 0.3, 0.7, 1.0]), "out": rng.choice([0.0, 0.1, 0.5, 1.0])}
    return {name: fire(rng, network.population(name).size, steps, float(rate)) for name, rate in rates.items()}


def replay(hardware: Hardware, network: Network, spikes: dict[str, Spikes]) -> Record:
    """The layer on the first core, all its spikes given."""
    populations = {}
    for name, steps in spikes.items():
        builder = StepSpikesBuilder()
        builder.begin_sample()
        for step in steps:
            builder.add_step(np.array(step, np.uint32))
        populations[name] = builder.build()
    trace = Trace("layer", network, "step", np.array([len(spikes["in"])], np.int64), populations)
    return simulate(hardware, network, trace, place(network, hardware, cores=["core[0]"]))


class Case:
    """A drawn core with its layer and spikes."""

    def __init__(self, dataflow: str, *seed: int) -> None:
        rng = self.rng = generator(*seed)
        self.text = EVEN if dataflow == "scatter" else GATHER
        self.network = layer(rng, dataflow)
        self.spikes = draw(rng, self.network)
        self.ladders = {**COMMON, **LANES[dataflow]}
        self.fixed: dict[str, object] = {}
        if len(self.spikes["in"]) > 1:
            self.fixed |= {"spike.banks": 1024, "spike.ports": 1024}
        if dataflow == "scatter":
            self.fixed[f"{CORE}.scatter.bank_row_skew"] = int(rng.integers(0, 5))
        elif rng.random() < 0.5:
            self.fixed |= QUICK_NEURONS
        else:
            self.fixed |= {field: self.ladders[field][int(rng.integers(3))] for field in SHAPE}
        self.ladders = {field: values for field, values in self.ladders.items() if field not in self.fixed}
        self.rungs = foot(rng, self.ladders)

    def run(self, values: dict[str, object], spikes: dict[str, Spikes] | None = None) -> Record:
        """The record with these values."""
        hardware = parse_hardware(self.text, overrides({**values, **self.fixed}), file="core.yaml")
        return replay(hardware, self.network, spikes or self.spikes)


def check(dataflow: str, *seed: int, most: int) -> None:
    """Climbs some ladders from a drawn core, then takes spikes away."""
    case = Case(dataflow, *seed)
    base = case.run(at(case.rungs, case.ladders))
    for field, better in climbs(case.rng, case.rungs, case.ladders, most):
        assert case.run(better).end_ps <= base.end_ps, (field, better[field])
    less = {name: fewer(case.rng, steps) for name, steps in case.spikes.items()}
    assert grown(case.run(at(case.rungs, case.ladders), less), base) == {}


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("dataflow", ["scatter", "gather"])
def test_a_core_alone_is_monotone(dataflow: str, seed: int) -> None:
    check(dataflow, seed, most=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("dataflow", ["scatter", "gather"])
def test_many_cores_alone_are_monotone(dataflow: str, seed: int) -> None:
    for number in range(25):
        check(dataflow, seed, number, most=30)


def test_engines_that_share_banks_may_lose_by_a_quicker_decoder() -> None:
    """Two engines; decoded a cycle sooner, the third event meets the second one in a bank and goes on a cycle later."""
    network = bench.network(kernel=3, size=2, channels=2, threshold=1)
    fields: dict[str, object] = {"core__scatter__engines": 2, "state__banks": 4, "core__scatter__accumulate_cycles": 1}
    ends = {}
    for engines in (1, 2):
        for decode in (3, 2):
            hardware = bench.machine(
                **{**fields, "core__scatter__engines": engines}, core__scatter__decode_cycles=decode
            )
            ends[engines, decode] = bench.run(hardware, network, [0, 1, 3]).end_ps
    assert ends[2, 3] < ends[2, 2]
    assert ends[1, 2] <= ends[1, 3]


def test_lanes_without_channels_fetch_padding() -> None:
    """One channel, nine taps: each event fetches nine words of as many 8-bit weights as there are lanes, at 8 bits a
    cycle, behind the cycle of its decoding."""
    for lanes in (1, 4):
        hardware = bench.machine(weight__width_bits=8, core__scatter__lanes=lanes, core__scatter__engines=8,
                                 core__scatter__accumulate_cycles=1, state__width_bits=256)  # fmt: skip
        spans = [bench.span(bench.run(hardware, bench.network(kernel=3, size=3), [4] * n)) for n in (10, 40)]
        few, many = (end - start for start, end in spans)
        assert many - few == 30 * (1 + 9 * lanes)


def test_a_wider_array_waits_longer_for_a_slow_neuron_unit() -> None:
    """Four positions of one row, three taps at the last one, one neuron per cycle behind the array.

    Two at a time: windows of 1 and 3 cycles; the unit ends at max(1 + 2 + 2, 1 + 3 + 2) = 6.  All four at once: 3 + 4.
    """
    source, target = Population("in", (3, 1, 4), Neuron("input")), Population("out", (1, 1, 4), Neuron())
    network = Network("row", (source, target), (Projection("p", "in", "out", "conv", (1, 1)),))
    spans = {}
    for columns in (2, 4):
        values = {f"{CORE}.gather.gating": "skip", f"{CORE}.gather.unroll.ox": columns, f"{STATE}.width_bits": 1024}
        hardware = parse_hardware(GATHER, overrides(values), file="core.yaml")
        start, end = replay(hardware, network, {"in": [[9, 10, 11]], "out": [[]]}).layer_span[1].tolist()
        spans[columns] = (end - start) // 1000
    assert spans[4] - spans[2] == 7 - 6


def test_a_write_may_meet_a_read_sooner_over_a_quicker_link() -> None:
    """One bank: the first timestep's spikes, which a wider link brings home earlier, come before a block of the second
    one's instead of after it."""
    fields = {"spike.width_bits": 8, f"{CORE}.input_buffer_spikes": 1, f"{CORE}.input_credits": 1,
              f"{CORE}.scatter.accumulate_cycles": 1, f"{CORE}.scatter.pipeline_cycles": 0}  # fmt: skip
    network = bench.network(size=2, threshold=1)
    ends = {}
    for banks in (1, 1024):
        for width in (8, 16):
            values = {**fields, "spike.banks": banks, "spike.ports": banks, f"{CORE}.link_width_bits": width}
            hardware = parse_hardware(EVEN, overrides(values), file="core.yaml")
            ends[banks, width] = bench.run(hardware, network, [0, 1, 2, 3], [0, 1, 2, 3]).end_ps
    assert ends[1, 16] > ends[1, 8]
    assert ends[1024, 16] <= ends[1024, 8]
