"""The array behind a global buffer: loop nests against a count of every input, both engines, and closed forms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.hardware.specs.pe_array import Lanes
from simulator.mapping import Mapping
from simulator.mapping.fusion import FusedMapping, Fusion
from simulator.mapping.fusion.nest import Box, Memories, Planner
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.network.sizes import weight_bits
from simulator.run import simulate
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace
from tests.oracles import pe_array as plain

ROOM = Memories(1 << 20, 64, 1 << 20, 32, 16)


def net(width: int = 6, stride: int = 1, padding: int = 1, kernel: int = 3) -> Network:
    """Image, convolution with states, convolution without, their addition, a pooling, and a linear layer."""
    stateful, plain_ = Neuron(membrane_bits=12), Neuron(model="if", stateful=False)
    wide = (width + 2 * padding - kernel) // stride + 1
    return Network(
        "small",
        (
            Population("image", (3, width, width), Neuron("input", output="multi", value_bits=4)),
            Population("a", (8, wide, wide), stateful),
            Population("b", (8, wide, wide), plain_),
            Population("sum", (8, wide, wide), plain_),
            Population("half", (8, wide // 2, wide // 2), plain_),
            Population("out", (5, 1, 1), stateful),
        ),
        (
            Projection("pa", "image", "a", "conv", kernel=(kernel, kernel), stride=(stride, stride),
                       padding=(padding, padding), weight_bits=4),
            Projection("pb", "a", "b", "conv", kernel=(1, 1), weight_bits=4),
            Projection("s1", "b", "sum", "one_to_one", weight_bits=0),
            Projection("s2", "a", "sum", "one_to_one", weight_bits=0),
            Projection("p", "sum", "half", "one_to_one", weight_bits=0, pool=Pool("or", (2, 2), (2, 2))),
            Projection("o", "half", "out", "linear", weight_bits=4),
        ),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_loop_nests_count_what_single_outputs_need(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    network = net(int(rng.integers(5, 9)), int(rng.integers(1, 3)), int(rng.integers(0, 2)))
    lanes = Lanes(k=int(rng.integers(1, 9)), c=int(rng.integers(1, 4)), oy=int(rng.integers(1, 5)), ox=1)
    steps = int(rng.integers(1, 4))
    planner = Planner(network, lanes, ROOM)
    for layer in network.layers:
        c, h, w = network.population(layer).shape
        x0 = int(rng.integers(0, w))
        box = Box(layer, 0, c, x0, int(rng.integers(x0 + 1, w + 1)), 0, steps)
        node = planner.node(box)
        tiles = [tile for group in node.groups for tile in group.tiles]
        outputs = c * h * (box.x1 - box.x0)
        stateful = network.population(layer).neuron.stateful
        assert node.operations == plain.operations(network, layer, outputs, steps)
        assert sum(t.made for t in tiles) == outputs * steps
        assert sum(t.state for t in tiles) == outputs * 12 * stateful
        filled, weights = sum(g.inputs for g in node.groups), sum(t.weights for t in tiles)
        assert weights == weight_bits(network, layer)
        if layer == "sum" or layer == "half":
            own = lanes if len(tiles) > 1 and tiles[0].made < c * h * steps else Lanes(k=c, c=1, oy=h, ox=1)
            assert filled == plain.fills(network, layer, own, box)
        else:
            assert filled == plain.fills(network, layer, lanes, box)


def test_cycles_by_hand() -> None:
    """Layer a: 8 channels in 3 groups of 3, 6 rows in 2 of 4, 6 columns; 2 timesteps x 9 taps x ceil(3 / 2) cycles."""
    network = net()
    lanes = Lanes(k=3, c=2, oy=4, ox=1)
    wide = Memories(1 << 20, 64, 1 << 20, 64, 16)
    node = Planner(network, lanes, wide).node(Box("a", 0, 8, 0, 6, 0, 2))
    tiles = [tile for group in node.groups for tile in group.tiles]
    assert [t.cycles for t in tiles] == [2 * 9 * 2] * (3 * 2 * 6)
    assert node.weight_read[0] == 2 * 2 * 6 * 9 * 3 * 8 * 4  # every weight, per timestep, row group and column
    # 2 and 1 input channels at once: 24 and 12 bits in words of 16; of the last 2 output channels 16 and 8 bits.
    assert node.weight_read[1] == 36 * 2 * 9 * (32 + 16) - 12 * 2 * 9 * 16
    assert node.input_read[0] == 3 * 2 * 6 * 9 * 3 * 6 * 4
    narrow = Planner(network, lanes, ROOM).node(Box("a", 0, 8, 0, 6, 0, 2))
    tall = [tile.cycles for group in narrow.groups for tile in group.tiles if tile.made == 2 * 4 * 3]
    assert set(tall) == {2 * 9 * 2}  # 2 channels x 4 rows x 4 bits are the 32 bits of the port
    slow = Memories(1 << 20, 64, 1 << 20, 16, 16)
    late = Planner(network, lanes, slow).node(Box("a", 0, 8, 0, 6, 0, 2))
    assert {t.cycles for g in late.groups for t in g.tiles if t.made == 2 * 4 * 3} == {2 * 9 * (2 + 1)}


@pytest.mark.parametrize("stay", ["weights", "inputs"])
def test_the_order_of_loops_follows_what_is_filled(stay: str) -> None:
    network = net()
    lanes = Lanes(k=4, c=1, oy=2, ox=1)
    kernel = 8 * 3 * 9 * 4
    small = Memories(kernel if stay == "inputs" else kernel // 2, 64, 1 << 20, 32, 16)
    node = Planner(network, lanes, small).node(Box("a", 0, 8, 0, 6, 0, 1))
    weights = sum(t.weights for g in node.groups for t in g.tiles)
    inputs = sum(g.inputs for g in node.groups)
    once = plain.fills(network, "a", lanes, Box("a", 0, 8, 0, 6, 0, 1))
    assert weights == kernel
    assert inputs == once * (1 if stay == "inputs" else 2)


def mapping(network: Network, columns: dict[str, int], steps: str, timesteps: int, **fusion: Any) -> Mapping:
    """All layers in one block each."""
    made = tuple(
        FusedMapping(name, "array", i, steps, columns.get(name, 1))  # type: ignore[arg-type]
        for i, name in enumerate(network.layers)
    )
    return Mapping("stems_meta1m", network.name, "all", made, {}, timesteps, Fusion(**fusion))


@pytest.mark.parametrize("steps", ["one", "all"])
@pytest.mark.parametrize("columns", [{}, {"a": 6, "b": 3, "sum": 6, "half": 3}])
@pytest.mark.parametrize("buffer", [1 << 20, 512])
def test_both_engines_agree(steps: str, columns: dict[str, int], buffer: int) -> None:
    network = net()
    hardware = load_hardware("stems_meta1m", [f"global.capacity_bytes={buffer}", "dma[0..1].chunk_bytes=64"])
    plan = mapping(network, columns, steps, 3)
    trace = bernoulli_trace(network, 3, 0.3, seed=4)
    kernel, reference = (
        simulate(hardware, network, trace, plan, engine=engine, activity="dense")  # type: ignore[arg-type]
        for engine in ("kernel", "reference")
    )
    assert kernel.end_ps == reference.end_ps
    assert (kernel.counts == reference.counts).all()
    for unit in kernel.units:
        assert kernel.cycles[unit] == reference.cycles[unit]


@pytest.mark.parametrize("gating", ["none", "energy"])
def test_missing_spikes_save_energy_only_where_gated(gating: str) -> None:
    network = net()
    hardware = load_hardware("stems_meta1m", [f"array.gating={gating}"])
    plan = mapping(network, {}, "all", 3)
    trace = dense_trace(network, 3)
    dense = simulate(hardware, network, trace, plan, activity="dense")
    padded = sum(plain.operations(network, layer, network.population(layer).size, 3) for layer in network.layers)
    index = dense.actions.index("operate:partial_sum")
    operations = int(dense.counts[:, :, index].sum())
    assert operations == (padded if gating == "none" else dense.work["delivered_spikes"])
    assert dense.work["delivered_spikes"] < padded


def test_nodes_take_the_length_of_the_samples() -> None:
    network, hardware = net(), load_hardware("stems_meta1m")
    trace = bernoulli_trace(network, 3, 0.3, seed=4)
    record = simulate(hardware, network, trace)
    assert record.work["delivered_spikes"] == record.work["sent_fanout_spikes"]
    with pytest.raises(InputError, match="another length"):
        simulate(hardware, network, trace, mapping(network, {}, "all", 4))


def test_a_window_is_filled_ahead_only_where_both_fit() -> None:
    """The widest window is 6 rows x 3 columns x 3 channels x 4 bits = 216 bits, its next column 72: 240 hold one."""
    network = net()
    trace = bernoulli_trace(network, 1, 0.3, seed=4)
    small, large = (
        simulate(
            load_hardware("stems_meta1m", [f"input.capacity_bytes={n}", "input.width_bits=16"]), network, trace
        )
        for n in (30, 4096)
    )
    assert (small.counts == large.counts).all()
    assert small.cycles["array"].stall["input_fill"] > large.cycles["array"].stall["input_fill"]
    assert small.cycles["array"].busy == large.cycles["array"].busy
