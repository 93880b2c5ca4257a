"""SNASNet: sizes of the released networks as published, and what becomes of skips and edges that point back."""

from __future__ import annotations

import pytest

from simulator import load_network
from simulator.errors import InputError
from simulator.network import Network
from simulator.network.geometry import dense_operations, weight_count
from simulator.network.snasnet import parse_cell, snasnet


def conv_weights(net: Network) -> int:
    """Weights of the convolutions, and two values of batch normalisation per output channel of each."""
    total = 0
    for p in (p for p in net.projections if p.kind == "conv"):
        target = net.population(p.target)
        total += weight_count(p, net.population(p.source), target) + 2 * target.shape[0]
    return total


def fc_weights(net: Network) -> int:
    """Weights of the linear layers."""
    return sum(weight_count(p, net.population(p.source), net.population(p.target))
               for p in net.projections if p.kind == "linear")  # fmt: skip


@pytest.mark.parametrize(
    ("name", "convolutions", "linear", "macs"),
    [("snasnet_cifar10", 11.03, 8.49, 5.24), ("snasnet_cifar100", 3.33, 17.29, 1.55)],
)
def test_released_networks_have_the_published_sizes(
    name: str, convolutions: float, linear: float, macs: float
) -> None:
    """Millions of weights of convolutions and of linear layers, 10^9 operations of the convolutions per timestep."""
    net = load_network(name)
    assert round(conv_weights(net) / 1e6, 2) == convolutions and round(fc_weights(net) / 1e6, 2) == linear
    convs = [p for p in net.projections if p.kind == "conv"]
    made = sum(dense_operations(p, net.population(p.source), net.population(p.target)) for p in convs)
    assert round(made / 1e9, 2) == macs


def ways(net: Network, target: str) -> list[tuple[str, int, int]]:
    """(source, side of the kernel or 0, delay) of what ends in a population."""
    return [(p.source, 0 if p.kind == "one_to_one" else p.kernel[0], p.delay) for p in net.incoming(target)]


def test_edges_that_point_back_are_a_timestep_late() -> None:
    net = snasnet(channels=8, hidden=16)
    assert ways(net, "c1.n0") == [("input", 3, 0), ("c1.n2", 1, 1)]
    assert ways(net, "c1.n1") == [("c1.n0", 3, 0), ("c1.n3", 1, 1)]
    assert ways(net, "c2.n0") == [("reduce", 0, 0), ("c2.n2", 1, 1)]
    assert [p.pool is not None for p in net.incoming("c2.n0")] == [True, False]


def test_skips_pass_sums_on() -> None:
    """1 -> 3 and 0 -> 1 are skips: node 3 sums the stem and the edge into node 1 a second time."""
    net = snasnet("0113 0001 0003 0000", channels=8, hidden=16)
    assert [p.name for p in net.populations][:4] == ["input", "c1.n0", "c1.n2", "c1.n3"]
    assert ways(net, "c1.n2") == [("input", 3, 0)]
    assert ways(net, "c1.n3") == [("c1.n0", 3, 0), ("input", 3, 0), ("c1.n2", 3, 0)]


def test_nodes_on_no_way_are_dropped() -> None:
    """Node 2 is reached but leads nowhere."""
    assert parse_cell("0333 0003 0000 0000")[0] == (0, 3, 0, 3)
    shapes = {p.name for p in snasnet("0333 0003 0000 0000", channels=8).populations}
    assert "c1.n2" not in shapes and "c1.n1" in shapes


def test_refusals() -> None:
    for cell, message in (
        ("0303", "16 digits"),
        ("0303 0030 2002 0205", "16 digits"),
        ("0304 0030 2002 0200", "no counterpart"),
        ("0330 0003 0003 0000", "edge from node 0 to node 3"),
        ("1303 0030 2002 0200", "edge to itself"),
        ("0101 1003 0000 0000", "circle"),
    ):
        with pytest.raises(InputError, match=message):
            snasnet(cell, channels=8)
    with pytest.raises(InputError, match="import choices"):
        load_network("snasnet_cifar10", {"seed": 1})


