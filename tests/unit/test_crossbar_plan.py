"""Plans on crossbars: every synapse lies on exactly one cell group, nothing is larger than an array, counts add up."""

from collections import Counter

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.mapping.crossbar import crossbar_plan
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.network.zoo import resnet18
from tests.unit.crossbar_bench import bank, in_a_row, plan, random_bank, random_network


def wanted(part, layer):
    """Every (tap, channel, output) that carries a weight, by the definition of the projection."""
    p, (c, h, w) = part.projection, part.shape
    if p.kind == "one_to_one":
        return set()
    if p.kind in ("linear", "sparse"):
        return {(y * w + x, i, o) for y in range(h) for x in range(w) for i in range(c) for o in range(layer.outputs)}
    taps = p.kernel[0] * p.kernel[1]
    if p.kind == "depthwise":
        return {(tap, i, i) for tap in range(taps) for i in range(c)}
    inside, made = c // p.groups, layer.outputs // p.groups
    return {
        (tap, g * inside + i, g * made + o)
        for g in range(p.groups)
        for tap in range(taps)
        for i in range(inside)
        for o in range(made)
    }


def held(part, layer):
    """How often each (tap, channel, output) crossing occurs in the row blocks of a part."""
    found = Counter()
    for block in layer.row_blocks[part.first_block : part.end_block]:
        for segments in block.arrays:
            for tap, c0, c1 in segments:
                for o0, o1 in block.columns:
                    found.update((tap, c, o) for c in range(c0, c1) for o in range(o0, o1))
    return found


@pytest.mark.parametrize("arrangement", ["kernel", "im2col"])
@pytest.mark.parametrize("seed", range(12))
def test_every_synapse_lies_in_exactly_one_place(seed, arrangement):
    rng = np.random.Generator(np.random.PCG64(seed))
    network, spec = random_network(rng), random_bank(rng)
    found = plan(network, spec, arrangement, copies=int(rng.integers(1, 4)))
    for layer in found.layers.values():
        for number, part in enumerate(layer.parts):
            crossings, synapses = held(part, layer), wanted(part, layer)
            assert all(crossings[s] == 1 for s in synapses)
            if part.projection.kind != "depthwise":
                assert set(crossings) == synapses
            assert all(b.part == number for b in layer.row_blocks[part.first_block : part.end_block])


@pytest.mark.parametrize("seed", range(12))
def test_no_block_is_larger_than_its_arrays(seed):
    rng = np.random.Generator(np.random.PCG64(100 + seed))
    network, spec = random_network(rng), random_bank(rng)
    double = 2 if spec.crossbar.signed == "differential_rows" else 1
    for arrangement in ("kernel", "im2col"):
        for layer in plan(network, spec, arrangement).layers.values():
            for number, block in enumerate(layer.row_blocks):
                assert all(0 < rows * double <= spec.crossbar.rows for rows in block.array_rows)
                limit = layer.parts[block.part].taps if spec.arrays_per_pe == "kernel" else spec.arrays_per_pe
                assert len(block.arrays) <= (limit if arrangement == "kernel" or limit == spec.arrays_per_pe else 1)
                for column in range(len(block.columns)):
                    assert 0 < layer.columns_of(number, column) <= spec.crossbar.columns


@pytest.mark.parametrize("seed", range(8))
def test_processing_elements_are_numbered_without_gaps_or_overlap(seed):
    rng = np.random.Generator(np.random.PCG64(200 + seed))
    network, spec = random_network(rng), random_bank(rng)
    found = plan(network, spec, copies=2)
    taken = Counter()
    for layer in found.layers.values():
        per_tile = Counter(pe // spec.pes_per_tile for pe in range(layer.first_pe, layer.end_pe))
        lanes = layer.lanes()
        assert sum(lane.pes for lane in lanes) == layer.pes
        by_tile = Counter()
        for lane in lanes:
            by_tile[lane.tile] += lane.pes
        assert by_tile == per_tile
        for copy in range(2):
            assert layer.home_tile(copy) in layer.tiles
            for number, block in enumerate(layer.row_blocks):
                mine = [lane for lane in layer.lane_tiles(copy) if lane.row_block == number]
                assert sum(lane.outputs for lane in mine) == block.outputs
                assert sum(lane.columns for lane in mine) == sum(
                    layer.columns_of(number, c) for c in range(len(block.columns))
                )
        taken.update(range(layer.first_pe, layer.end_pe))
    assert all(count == 1 for count in taken.values())
    assert found.built["used_pes"] == len(taken)
    assert found.built["pes"] == found.tiles * spec.pes_per_tile >= len(taken)


def test_kernel_blocks_of_a_layer_by_hand():
    """100 -> 70 channels, 3 x 3, 64 x 64 arrays of one column per weight: blocks of 64 and 36 channels."""
    layer = plan(_conv(100, 70), bank()).layers["b"]
    assert [b.array_rows for b in layer.row_blocks] == [(64,) * 9, (36,) * 9]
    assert all(b.columns == ((0, 64), (64, 70)) for b in layer.row_blocks)
    assert layer.pes == 4 and layer.arrays == 36


def test_im2col_blocks_of_a_layer_by_hand():
    """3 -> 64 channels, 3 x 3: 27 rows in one array; 10 -> 64: 90 rows in arrays of 64 and 26, one PE or two."""
    (block,) = plan(_conv(3, 64), bank(), "im2col").layers["b"].row_blocks
    assert block.array_rows == (27,) and len(block.arrays[0]) == 9
    blocks = plan(_conv(10, 64), bank(), "im2col").layers["b"].row_blocks
    assert [b.array_rows for b in blocks] == [(64,), (26,)]
    assert [tuple(s) for s in blocks[1].arrays[0]] == [(6, 4, 10), (7, 0, 10), (8, 0, 10)]
    (block,) = plan(_conv(10, 64), bank(arrays_per_pe=9), "im2col").layers["b"].row_blocks
    assert block.array_rows == (64, 26)


@pytest.mark.parametrize(
    ("signed", "cell_bits", "rows", "columns"),
    [
        ("offset", 4, 64, 64),
        ("offset", 1, 64, 16),
        ("offset", 3, 64, 32),
        ("differential_columns", 2, 64, 16),
        ("differential_rows", 4, 32, 64),
        ("reference_column", 2, 64, 31),
        ("reference_column", 4, 64, 63),
    ],
)
def test_rows_and_weights_of_an_array(signed, cell_bits, rows, columns):
    """4-bit weights on 64 x 64 cells; the reference column takes one of 64, so 31 weights of two columns are left."""
    layer = plan(_conv(64, 64), bank(signed=signed, cell_bits=cell_bits)).layers["b"]
    assert layer.row_blocks[0].array_rows[0] == rows
    assert layer.row_blocks[0].columns[0] == (0, columns)


@pytest.mark.parametrize(
    ("output", "pool", "planes"),
    [
        ("binary", None, ((1, 0),)),
        ("signed", None, ((1, 0), (-1, 0))),
        ("multi", None, tuple((1, b) for b in range(8))),
        ("binary", "or", ((1, 0),)),
        ("signed", "or", ((1, 0),)),
        ("binary", "sum", ((1, 0), (1, 1), (1, 2))),
        ("signed", "average", ((1, 0), (1, 1), (1, 2), (-1, 0), (-1, 1), (-1, 2))),
    ],
)
def test_planes_hold_every_input_value(output, pool, planes):
    """A 2 x 2 window that adds holds 0 .. 4 spikes: three bits."""
    window = None if pool is None else Pool(pool, (2, 2), (2, 2))
    network = Network(
        "n",
        (Population("a", (4, 4, 4), Neuron(model="input", output=output)), Population("b", (4, 1, 1), Neuron())),
        (Projection("p", "a", "b", "linear", pool=window, weight_bits=4),),
    )
    assert plan(network, bank()).layers["b"].parts[0].planes == planes
    if len(planes) > 2:
        with pytest.raises(InputError, match="magnitude bits, the unit drives 2"):
            plan(network, bank(input_bits=2))
        signed = plan(network, bank(input_bits=9, kind="integrate_steps"))  # one of nine bits is the sign
        assert {bit for _, bit in signed.layers["b"].parts[0].planes} == set(range(8))


def test_built_counts_by_hand():
    """Two layers of 1 and 2 processing elements in 2 tiles of 2: four elements of nine arrays, eight ADCs each."""
    network = _conv(3, 64, then=128)
    spec = bank(pes_per_tile=2)
    built = plan(network, spec).built
    assert built["used_pes"] == 3 and built["used_tiles"] == 2
    assert built["pes"] == 4 and built["arrays"] == 36 and built["banks"] == 4 and built["adcs"] == 32
    assert built["neurons"] == 16 * (64 + 128) and built["source_neurons"] == 16 * (3 + 64)
    assert plan(network, bank(pes_per_tile=2, kernel_merge="private")).built["adcs"] == 36 * 8
    assert plan(network, bank(pes_per_tile=2, tiles=5)).built["pes"] == 10


def test_lanes_and_homes_by_hand():
    """70 -> 130 channels at one column per weight: 2 x 3 elements a copy, four to a tile; one column is reserved.

    Copy 0 takes elements 2 .. 7 (tiles 0 and 1), copy 1 elements 8 .. 13 (tiles 2 and 3).
    """
    network, spec = _conv(70, 130), bank(pes_per_tile=4, columns=64, signed="reference_column")
    layer = crossbar_plan(network, spec, [CrossbarMapping("b", "cim", "kernel", 2, 2)]).layers["b"]
    assert layer.row_blocks[0].columns == ((0, 63), (63, 126), (126, 130))
    assert [tuple(lane) for lane in layer.lanes()] == [
        (0, 0, 0, 2, 128, 126),
        (0, 0, 1, 1, 5, 4),
        (0, 1, 1, 3, 133, 130),
        (1, 0, 2, 3, 133, 130),
        (1, 1, 2, 1, 64, 63),
        (1, 1, 3, 2, 69, 67),
    ]
    assert (layer.home_tile(0), layer.home_tile(1)) == (0, 2) and layer.tiles == range(0, 4)


def test_consumers_name_every_reader():
    found = plan(resnet18(), bank())
    assert found.consumers["conv1"] == (("s1.b1.conv1", 0), ("s1.b1.conv2", 1))
    assert sum(len(readers) for readers in found.consumers.values()) == len(resnet18().projections)
    assert found.consumers["fc"] == ()


def test_a_delay_needs_as_many_buffered_timesteps():
    network = _conv(4, 4, delay=2)
    assert plan(network, bank(steps=3))
    with pytest.raises(InputError, match=r"delay 2.*at most 1"):
        plan(network, bank(steps=2))


def test_too_many_tiles_say_how_many():
    with pytest.raises(InputError, match="needs 3 tiles of 1 processing elements, 2 are available"):
        plan(_conv(3, 64, then=128), bank(pes_per_tile=1, tiles=2))


def test_layers_must_not_overlap_nor_share_tiles_where_that_is_not_allowed():
    network, shared, apart = _conv(3, 64, then=128), bank(), bank(tile_sharing=False)
    entries = in_a_row(network, shared)
    with pytest.raises(InputError, match="'b' and 'c' overlap"):
        crossbar_plan(network, shared, [entries[0], CrossbarMapping("c", "cim", "kernel", 1, 0)])
    with pytest.raises(InputError, match=r"share a tile.*at least 8"):
        crossbar_plan(network, apart, entries)
    assert plan(network, apart).layers["c"].first_pe == 8


def test_a_missing_layer_and_a_kernel_that_is_too_large_are_refused():
    network = _conv(3, 64, then=128)
    with pytest.raises(InputError, match="does not say where layer 'c' goes"):
        crossbar_plan(network, bank(), in_a_row(network, bank())[:1])
    with pytest.raises(InputError, match=r"9 positions.*4 arrays.*im2col"):
        plan(network, bank(arrays_per_pe=4))
    with pytest.raises(InputError, match="not one weight of 4 bits fits"):
        plan(network, bank(columns=3, cell_bits=1))


def test_linear_beside_convolution_needs_one_position():
    def joined(size):
        return Network(
            "n",
            (Population("a", (2, size, size), Neuron(model="input")), Population("b", (4, size, size), Neuron())),
            (
                Projection("p", "a", "b", "conv", kernel=(1, 1)),
                Projection("q", "a", "b", "linear"),
            ),
        )

    assert plan(joined(1), bank(cell_bits=8)).layers["b"].positions == 1
    with pytest.raises(InputError, match="cannot take conv 'p' and linear 'q'"):
        plan(joined(2), bank(cell_bits=8))


def _conv(channels, made, then=None, delay=0):
    populations = [Population("a", (channels, 4, 4), Neuron(model="input")), Population("b", (made, 4, 4), Neuron())]
    conv = {"kind": "conv", "kernel": (3, 3), "padding": (1, 1), "weight_bits": 4}
    projections = [Projection("p", "a", "b", delay=delay, **conv)]
    if then:
        populations.append(Population("c", (then, 4, 4), Neuron()))
        projections.append(Projection("q", "b", "c", **conv))
    return Network("n", tuple(populations), tuple(projections))
