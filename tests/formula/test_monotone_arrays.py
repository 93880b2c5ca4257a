"""Crossbar tiles and an array behind a global buffer, each alone, never get slower with more bandwidth or lanes.

A tile has one port into its buffer: the fetch of the next vector and the result of the last one take turns at it, and
what comes sooner may come in front of the wrong one.  The law holds where nothing is fetched beside (vectors and
results given), and for a whole tile with one vector per timestep under way.  Sizes that change the placement (columns,
elements per tile) are no bandwidth: larger tiles are fewer tiles, with fewer ports.
The array has one port into the global buffer too; the law holds where its windows are not filled ahead.  A wider array
has larger windows, and one that does not fit its memory any more is filled again: here none fits.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from simulator import simulate
from simulator.components.cim_tile.segment import LayerFlow
from simulator.components.pe_array import PeArray
from simulator.components.sram import Sram
from simulator.engine.board import Board, Job, JobQueue
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.hardware import load_hardware
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from simulator.ledger import UNATTRIBUTED, Ledger
from simulator.mapping import place
from simulator.mapping.fusion.nest import Box
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from simulator.trace import StepSpikesBuilder, Trace
from tests.formula.monotone import Ladders, Spikes, at, climbs, fewer, fire, foot, generator, grown, overrides
from tests.timing import cim_bench

TILE: Ladders = {
    "cim.crossbar.rows_parallel": [2, 4, 8, 64],
    "cim.crossbar.mux_ratio": [8, 4, 2, 1],
    "cim.crossbar.select_cycles": [3, 1, 0],
    "cim.timing.wordline_ps": [4500, 1000, 0],
    "cim.timing.read_ps": [9999, 2000, 0],
    "cim.timing.mux_ps": [3000, 0],
    "cim.timing.shift_add_cycles": [4, 1, 0],
    "cim.timing.check_cycles": [2, 1, 0],
    "cim.timing.accumulate_cycles": [2, 1, 0],
    "cim.timing.lif_cycles": [3, 1],
    "cim.digital.accumulate_lanes": [1, 3, 64],
    "cim.digital.lif_lanes": [1, 2, 64],
    "cim.digital.lif_mode": ["all", "touched"],
    "cim.buffer.port_bits": [1, 4, 64, 576],
    "cim.buffer.psum_depth": [1, 2, 5],
    "cim.network.link_bits": [1, 8, 128],
    "cim.network.hop_cycles": [7, 2, 1],
    "cim.network.input_port_bits": [1, 8, 64],
}
KINDS = {
    "cim.crossbar.signed": ["offset", "differential_columns", "differential_rows", "reference_column"],
    "cim.crossbar.row_policy": ["static", "static_skip", "pack"],
    "cim.crossbar.cell_bits": [1, 2, 4],
    "cim.crossbar.zero_skip": ["none", "pe", "array"],
    "cim.buffer.input_mode": ["bitmap", "event"],
    "cim.network.kind": ["htree", "bus", "mesh"],
    "cim.pes_per_tile": [1, 2, 8],
}


def check_tile(*seed: int, most: int) -> None:
    """A linear layer of one timestep: its vectors are fetched, worked on and written in this order."""
    rng = generator(*seed)
    inputs, outputs = int(rng.choice([3, 8, 70, 140])), int(rng.choice([1, 5, 16]))
    network = Network(
        "layer",
        (Population("in", (inputs, 1, 1), Neuron("input")), Population("out", (outputs, 1, 1), Neuron())),
        (Projection("p", "in", "out", "linear"),),
    )
    rates = {"in": float(rng.choice([0.05, 0.3, 1.0])), "out": float(rng.choice([0.0, 0.3, 1.0]))}
    spikes = {name: fire(rng, network.population(name).size, 1, rate) for name, rate in rates.items()}
    fixed = {field: values[int(rng.integers(len(values)))] for field, values in KINDS.items()}

    def run(values: dict[str, object], found: dict[str, Spikes] = spikes) -> Record:
        hardware = load_hardware("cim_rram65", overrides({**fixed, **values}))
        populations = {}
        for name, steps in found.items():
            builder = StepSpikesBuilder()
            builder.begin_sample()
            builder.add_step(np.array(steps[0], np.uint32))
            populations[name] = builder.build()
        trace = Trace("layer", network, "step", np.array([1], np.int64), populations)
        return simulate(hardware, network, trace, place(network, hardware))

    rungs = foot(rng, TILE)
    base = run(at(rungs, TILE))
    for field, better in climbs(rng, rungs, TILE, most):
        assert run(better).end_ps <= base.end_ps, (field, better[field])
    worse = grown(run(at(rungs, TILE), {name: fewer(rng, steps) for name, steps in spikes.items()}), base)
    worse.pop("cim.active:cycle", None)  # cycles in which any array works: more, where arrays overlap less
    assert worse == {}


@pytest.mark.parametrize("seed", range(10))
def test_tiles_with_one_vector_are_monotone(seed: int) -> None:
    check_tile(seed, most=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_tiles_with_one_vector_are_monotone(seed: int) -> None:
    for number in range(25):
        check_tile(seed, number, most=18)


def flow(seed: int, fetch: int) -> tuple[LayerFlow, dict[str, int]]:
    """A layer of random vectors and results on up to three tiles, and what lies around it."""
    rng = generator(seed)
    steps, positions, blocks = (int(rng.integers(1, high)) for high in (4, 6, 4))
    vectors = np.ones((steps, positions, blocks, 4), np.int64)
    vectors[..., 1] = rng.integers(1, 6, vectors.shape[:3])
    vectors[..., 0] = vectors[..., 1] + rng.integers(0, 5, vectors.shape[:3])
    vectors[..., 2] = rng.integers(0, fetch + 1, vectors.shape[:3])
    homes = np.stack([rng.integers(low, 5, (steps, positions)) for low in (0, 1, 1, 0)], axis=-1)
    homes[..., 0] *= fetch > 0
    around = {"depth": int(rng.integers(1, 4)), "hop": int(rng.integers(2, 6)), "send": int(rng.integers(2, 6))}
    return LayerFlow(0, 1, vectors, homes), around


def end(layer: LayerFlow, around: dict[str, int]) -> int:
    """Cycles of the layer alone, a tile per row block."""
    steps, positions, blocks, _ = layer.vectors.shape
    segment = cim_bench.alone(positions, tuple(range(blocks)), steps=steps, **around)
    (made,) = segment.layers
    made.vectors[...], made.homes[...] = layer.vectors, layer.homes
    return cim_bench.run(segment, "kernel").end


@pytest.mark.parametrize("seed", range(60))
def test_a_flow_without_fetches_is_monotone(seed: int) -> None:
    """Every vector and result by itself: any of its times may be cut without a later end."""
    layer, around = flow(seed, fetch=0)
    base = end(layer, around)
    rng = generator(seed, 1)
    for _ in range(6):
        vectors, homes = layer.vectors.copy(), layer.homes.copy()
        which = tuple(int(rng.integers(size)) for size in vectors.shape[:3])
        vectors[which][:2] -= min(int(rng.integers(0, 4)), int(vectors[which][1]) - 1)
        vectors[which][0] = int(rng.integers(vectors[which][1], vectors[which][0] + 1))
        cut = [int(rng.integers(low, high + 1)) for low, high in zip((0, 1, 1, 0), homes[which[:2]], strict=True)]
        homes[which[:2]] = cut
        assert end(LayerFlow(0, 1, vectors, homes), around) <= base
    for better in ({"depth": around["depth"] + 1}, {"hop": around["hop"] - 1}, {"send": around["send"] - 1}):
        assert end(layer, {**around, **better}) <= base


def test_one_port_of_a_tile_serves_whoever_asks_first() -> None:
    """With fetches beside results, some cuts of a single time end later: the port had gone to the other one."""
    worse = 0
    for seed in range(60):
        layer, around = flow(seed, fetch=5)
        base = end(layer, around)
        for which in np.ndindex(layer.vectors.shape[:3]):
            vectors = layer.vectors.copy()
            vectors[which][:2] -= 1 if vectors[which][1] > 1 else 0
            worse += end(LayerFlow(0, 1, vectors, layer.homes), around) > base
    assert worse > 0


ARRAY: Ladders = {
    "array.lanes.k": [1, 2, 4, 8, 32],
    "array.lanes.c": [1, 2, 4],
    "array.lanes.oy": [1, 2, 4, 8, 16],
    "array.lanes.ox": [1, 2, 4],
    "global.width_bits": [64, 128, 256, 1024],
    "global.cycle_cycles": [3, 2, 1],
    "global.latency_cycles": [3, 1],
    "weight.width_bits": [32, 64, 128, 256],
    "weight.latency_cycles": [3, 1],
    "input.width_bits": [16, 32, 64, 128],
    "input.latency_cycles": [3, 1],
}


def node(network: Network, values: dict[str, object], steps: int) -> int:
    """Picoseconds of a node over the whole layer in an array with its three memories and nothing else."""
    hardware = load_hardware("stems_meta1m", overrides({**values, "input.capacity_bytes": 16}))
    env, units = Environment(), {}
    names = ["array", "global", "weight", "input"]
    channels, _, width = network.population("out").shape
    box = Box("out", 0, channels, 0, width, 0, steps)
    work = SimpleNamespace(
        layer=lambda row: 1, after=lambda row: ([], []), box=lambda row: box, network=network, delivered=0,
        reached=lambda row, sample: 0,
    )  # fmt: skip
    board, queue = Board(env, 1), JobQueue(env, 1)
    actions = sorted({action.name for name in names for action in hardware.unit(name).ACTIONS})
    ledger = Ledger(names, [UNATTRIBUTED, "out"], actions)
    for number, name in enumerate(names):
        spec = hardware.unit(name)
        log = StateLog(spec.STALLS, paint, add_runs)
        clock = Clock("core", hardware.clocks["core"])
        ctx = Context(name, number, env, clock, ledger, log, board, queue, work, False, 2 * number, {})  # type: ignore[arg-type]
        units[name] = (PeArray if name == "array" else Sram)(ctx, spec)
    for unit in units.values():
        unit.connect(units)
        unit.start()
    complete = board.begin(range(1))

    def host():
        yield from queue.put(Job(0, 0, 0, steps))
        yield complete

    env.run(until=env.process(host()))
    return env.now


def check_array(*seed: int, most: int) -> None:
    """A convolution or linear layer as one node, whose windows never fit the input memory: 17 x 8 bits at least."""
    rng = generator(*seed)
    width, side, channels = int(rng.integers(1, 9)), int(rng.choice([1, 3])), int(rng.integers(1, 20))
    neuron = Neuron(membrane_bits=12) if rng.random() < 0.7 else Neuron(model="if", stateful=False)
    source = Population("in", (int(rng.integers(17, 25)), width, width), Neuron("input", output="multi", value_bits=8))
    linear = rng.random() < 0.3
    target = Population("out", (channels, 1, 1) if linear else (channels, width, width), neuron)
    conv = Projection("p", "in", "out", "conv", (side, side), padding=(side // 2, side // 2), weight_bits=4)
    network = Network(
        "layer", (source, target), (Projection("p", "in", "out", "linear", weight_bits=4) if linear else conv,)
    )
    steps = int(rng.integers(1, 4))
    rungs = foot(rng, ARRAY)
    base = node(network, at(rungs, ARRAY), steps)
    for field, better in climbs(rng, rungs, ARRAY, most):
        assert node(network, better, steps) <= base, (field, better[field])


@pytest.mark.parametrize("seed", range(12))
def test_an_array_alone_is_monotone(seed: int) -> None:
    """Its cycles do not hang on spikes: without a spike an element waits or saves energy."""
    check_array(seed, most=6)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_arrays_alone_are_monotone(seed: int) -> None:
    for number in range(40):
        check_array(seed, number, most=11)
