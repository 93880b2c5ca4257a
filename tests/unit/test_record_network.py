"""What a record keeps of a network, against counts made by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.record_network import network_facts


def small_network() -> Network:
    """Input 2 x 4 x 4 -> conv 3 x 3 to 3 channels -> OR pooling -> linear to 5."""
    rng = np.random.Generator(np.random.PCG64(3))
    conv = rng.integers(1, 7, (3, 2, 3, 3)).astype(np.int8)
    conv[0, 0] = 0
    linear = rng.integers(1, 7, (5, 3)).astype(np.int16)
    linear[4] = 0
    threshold = np.array([4], np.int64)
    return Network(
        "small",
        (
            Population("in", (2, 4, 4), Neuron("input")),
            Population("conv", (3, 2, 2), Neuron("lif", np.array([3, 4, 5], np.int64), membrane_bits=12)),
            Population("out", (5, 1, 1), Neuron("cuba_lif", threshold, membrane_bits=16)),
        ),
        (
            Projection("a", "in", "conv", "conv", kernel=(3, 3), weight_bits=5, weights=conv),
            Projection("b", "conv", "out", "linear", weight_bits=16, pool=Pool("or", (2, 2), (2, 2)), weights=linear),
        ),
    )


def test_sizes_and_sparsity() -> None:
    network = small_network()
    facts = network_facts(network)
    assert facts["neurons_by_layer"] == {"conv": 3 * 2 * 2, "out": 5}
    assert facts["neurons"] == 17
    assert facts["weights"] == 3 * 2 * 9 + 5 * 3
    assert facts["zero_weights"] == 9 + 3
    assert facts["connection_sparsity"] == pytest.approx((9 + 3) / (54 + 15), abs=5e-4)
    # 2 x 2 positions of a 3 x 3 kernel without padding, and a linear layer
    assert facts["synapses"] == 2 * 2 * 9 * 2 * 3 + 5 * 3
    weights = -(-54 * 5 // 8) + 15 * 2
    # thresholds (3 and 1 values) and biases (1 each), one membrane per neuron, and a current for cuba_lif
    state = -(-(3 + 1 + 12) * 12 // 8) + (1 + 1 + 2 * 5) * 16 // 8
    assert facts["footprint_bytes"] == weights + state
    assert facts["sha256"] == network.sha256


def test_a_topology_knows_no_zero_weights() -> None:
    facts = network_facts(small_network().topology())
    assert facts["zero_weights"] is None and facts["connection_sparsity"] is None
    assert facts["weights"] == 69


def test_only_layers_that_surely_see_zeros_and_ones_are_binary() -> None:
    network = small_network()
    assert network_facts(network)["binary_layers"] == ["out"], "an input population may carry counts"
    first, second = network.projections
    assert second.pool is not None
    pooled = replace(network, projections=(first, replace(second, pool=replace(second.pool, kind="sum"))))
    assert network_facts(pooled)["binary_layers"] == []
    source, conv, out = network.populations
    multi = replace(network, populations=(source, replace(conv, neuron=replace(conv.neuron, output="multi")), out))
    assert network_facts(multi)["binary_layers"] == []
    assert network_facts(multi)["multi_spike"] and not network_facts(network)["multi_spike"]
