"""Drawn architectures: the same for the same seed, within their bounds, of every kind that a family has."""

from __future__ import annotations

from collections import Counter

import pytest

from simulator.costmodel.architectures import FAMILIES, WORK, architecture, generate
from simulator.errors import InputError
from simulator.network import describe
from simulator.network.geometry import dense_operations


@pytest.mark.parametrize("family", FAMILIES)
def test_numbers_do_not_depend_on_how_many_are_drawn(family: str) -> None:
    few, many = generate(3, 4, family), generate(3, 8, family)
    assert [describe(net) for net in few] == [describe(net) for net in many[:4]]
    assert describe(architecture(3, 6, family)) == describe(many[6])
    assert len({str(describe(net)) for net in (*many, *generate(4, 8, family))}) == 16


@pytest.mark.parametrize("family", FAMILIES)
def test_work_lies_within_bounds(family: str) -> None:
    for net in generate(0, 24, family):
        made = sum(dense_operations(p, net.population(p.source), net.population(p.target)) for p in net.projections)
        assert WORK[0] / 4 <= made <= WORK[1], net.name  # pooled sources are counted before pooling
        low, high = FAMILIES[family].length
        assert len(net.inputs) == 1 and low <= len(net.layers) <= 3 * high + 2 and (high > 1 or len(net.layers) == 1)


@pytest.mark.parametrize("family", ["cores", "crossbars", "fused"])
def test_every_kind_occurs(family: str) -> None:
    nets = generate(0, 24, family)
    chosen = FAMILIES[family]
    kinds = Counter(p.kind for net in nets for p in net.projections)
    wanted = {"conv", "linear", "one_to_one"} | ({"depthwise"} if family != "crossbars" else set())
    assert wanted <= set(kinds)
    assert {net.population(name).neuron.model for net in nets for name in net.layers} >= set(chosen.models)
    assert {p.pool.kind for net in nets for p in net.projections if p.pool} == set(chosen.poolings)
    assert {p.weight_bits for net in nets for p in net.projections} >= set(chosen.weight_bits)
    assert len({net.population(net.inputs[0]).shape for net in nets}) >= 10
    residual = [net for net in nets for name in net.layers if len(net.incoming(name)) == 2]
    assert residual


@pytest.mark.parametrize("family", ["core_layers", "crossbar_layers"])
def test_single_layers_are_deep_and_of_several_kinds(family: str) -> None:
    nets = generate(0, 24, family)
    assert {p.kind for net in nets for p in net.projections} == {"conv", "linear"}
    assert {p.kernel for net in nets for p in net.projections} >= {(1, 1), (3, 3)}
    assert {net.population("input").shape[0] for net in nets} == set(FAMILIES[family].inputs)
    assert max(net.population(net.layers[0]).shape[0] for net in nets) >= 128


def test_unknown_families() -> None:
    with pytest.raises(InputError, match="did you mean 'cores'"):
        generate(0, 1, "core")
