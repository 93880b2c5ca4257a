"""Operand sizes: every way to cut a layer adds up to the whole, and single tiles match formulas."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.mapping.mapping import LayerMapping
from simulator.mapping.operands import Operands, part_range
from simulator.mapping.tiles import tiles_of, weight_tiles_of
from simulator.network import Network, Pool, Projection
from simulator.network.geometry import weight_count
from tests.unit.mapping_bench import population, recurrent

SHAPE_IN, SHAPE_OUT = (8, 6, 4), (12, 3, 2)


def single(kind: str, **fields: object) -> Network:
    """One projection of `kind` from 8 x 6 x 4 neurons, pooled where the kind keeps the channels."""
    pool = Pool("sum", (2, 2), (2, 2))
    out = SHAPE_OUT if kind in ("conv", "linear", "sparse") else (8, 3, 2)
    rng = np.random.Generator(np.random.PCG64(1))
    if kind == "sparse":
        counts = rng.integers(0, 5, 8 * 3 * 2)
        fields["indptr"] = np.concatenate([[0], counts.cumsum()]).astype(np.int64)
        fields["indices"] = rng.integers(0, 12 * 3 * 2, counts.sum())
    if kind in ("conv", "depthwise"):
        fields |= {"kernel": (3, 3), "padding": (1, 1)}
    projection = Projection("p", "in", "out", kind, pool=pool, weight_bits=5, **fields)  # type: ignore[arg-type]
    return Network("single", (population("in", SHAPE_IN, "input"), population("out", out)), (projection,))


KINDS = [("conv", {}), ("conv", {"groups": 4}), ("depthwise", {}), ("linear", {}), ("sparse", {}), ("one_to_one", {})]


@pytest.mark.parametrize(("kind", "fields"), KINDS)
@pytest.mark.parametrize(("channels", "rows", "parts"), [(12, 3, 1), (5, 3, 1), (4, 2, 3), (7, 1, 8), (1, 3, 5)])
def test_cuts_add_up_to_all_weights(kind: str, fields: dict, channels: int, rows: int, parts: int) -> None:
    network = single(kind, **fields)
    operands = Operands(network)
    out = network.population("out")
    entry = LayerMapping("out", ("core",), min(channels, out.shape[0]), rows, parts)
    total = sum(
        operands.weights("out", tile.k0, tile.k1, tile.rows, part, parts)
        for tile in weight_tiles_of(tiles_of(entry, out.shape))
        for part in range(parts)
    )
    assert total == 5 * weight_count(network.projections[0], network.population("in"), out)


def test_single_tiles_by_formula() -> None:
    rows = [(0, 3)]
    assert Operands(single("conv")).weights("out", 2, 7, rows) == 5 * 8 * 9 * 5
    assert Operands(single("conv", groups=4)).weights("out", 2, 7, rows) == 5 * (8 // 4) * 9 * 5
    # groups of 3 outputs and 2 inputs: part 0 of 4 holds inputs 0 and 1, which only outputs 0, 1 and 2 read
    assert Operands(single("conv", groups=4)).weights("out", 2, 7, rows, 0, 4) == 5 * 2 * 9 * 1
    assert Operands(single("linear")).weights("out", 2, 7, [(1, 3)]) == 5 * (8 * 3 * 2) * 5 * (2 * 2)
    assert Operands(single("depthwise")).weights("out", 2, 7, rows, 1, 2) == 5 * 9 * 3


def test_sparse_tile_counts_its_own_synapses() -> None:
    network = single("sparse")
    indices = network.projections[0].indices
    assert indices is not None
    channel, row = indices % 12, indices // (12 * 2)
    inside = int(((channel >= 3) & (channel < 8) & (row >= 1)).sum())
    assert 0 < inside < indices.size
    assert Operands(network).weights("out", 3, 8, [(1, 3)]) == 5 * inside


def test_state_and_spike_bits() -> None:
    operands = Operands(recurrent())
    assert operands.state("h", 0, 5, 0, 1) == 5 * 16
    current = Network(
        "cuba",
        (population("in", (2, 1, 1), "input"), population("x", (4, 3, 2), "cuba_lif", output="signed")),
        (Projection("p", "in", "x", "linear"),),
    )
    assert Operands(current).state("x", 1, 3, 0, 2) == 2 * 2 * 2 * 16 * 2
    assert Operands(current).spikes("x", 7) == 4 * 3 * 2 * 7 * 2


@pytest.mark.parametrize("parts", [1, 3, 8, 11])
def test_parts_cover_the_channels_once(parts: int) -> None:
    ranges = [part_range(8, part, parts) for part in range(parts)]
    assert [c for a, b in ranges for c in range(a, b)] == list(range(8))


def test_source_range_is_what_the_window_reads() -> None:
    network = single("conv")
    p = network.projections[0]
    # output row 2 reads pooled rows 1 .. 3 of 3, so pooled rows 1 and 2: source rows 2 .. 5
    assert Operands(network).source_range(p, 0, 12, 2, 3, 0, 1) == (0, 8, 2, 6)
    assert Operands(network).source_range(p, 0, 12, 0, 3, 1, 2) == (4, 8, 0, 6)
    grouped = single("conv", groups=4)
    assert Operands(grouped).source_range(grouped.projections[0], 2, 7, 0, 1, 0, 1) == (0, 6, 0, 4)
    depthwise = single("depthwise")
    assert Operands(depthwise).source_range(depthwise.projections[0], 2, 7, 0, 1, 1, 2)[:2] == (4, 7)
