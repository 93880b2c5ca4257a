"""3-stems-counts: state, weights and synaptic positions of the shipped networks, as published (arXiv 2502.03287)."""

from __future__ import annotations

import pytest

from simulator.network import load_network
from simulator.network.sizes import state_bits, synaptic_positions, weight_bits

STATE = {7: 46_362_624, 6: 8_613_888, 5: 2_322_432, 4: 749_568, 3: 356_352, 2: 61_440, 1: 12_288, 0: 0}


@pytest.mark.parametrize("blocks", sorted(STATE))
def test_state_follows_the_stateful_blocks(blocks: int) -> None:
    net = load_network(f"sew_{blocks}plif")
    assert sum(state_bits(net, layer) for layer in net.layers) == STATE[blocks]


def test_twenty_times_fewer_states() -> None:
    assert STATE[7] / STATE[5] == pytest.approx(20, rel=0.005)


@pytest.mark.parametrize(
    ("name", "steps", "positions", "weights"),
    [("sew_7plif", 16, 26_107_445_248, 4_751_872), ("red_lif", 12, 113_980_538_880, 12_423_936)],
)
def test_positions_and_weights(name: str, steps: int, positions: int, weights: int) -> None:
    net = load_network(name)
    assert steps * sum(synaptic_positions(net, layer) for layer in net.layers) == positions
    assert sum(weight_bits(net, layer) for layer in net.layers) == weights


def test_state_of_the_detector() -> None:
    net = load_network("red_lif")
    assert sum(state_bits(net, layer) for layer in net.layers) == 14_853_120


@pytest.mark.parametrize(("name", "rows"), [("sew_7plif", 30), ("red_lif", 17)])
def test_layers_are_the_rows_of_the_published_workload(name: str, rows: int) -> None:
    net = load_network(name)
    assert len(net.layers) == rows
    assert sorted(int("".join(c for c in layer if c.isdigit())) for layer in net.layers) == list(range(rows))


def test_shapes_of_single_layers() -> None:
    sew, red = load_network("sew_7plif"), load_network("red_lif")
    assert sew.population("conv17").shape == (128, 8, 8) and sew.population("pool29").shape == (128, 1, 1)
    assert red.population("conv13").shape == (256, 23, 40) and red.population("conv16").shape == (256, 3, 5)
    assert [p.source for p in red.incoming("add11")] == ["conv9", "conv10"]
