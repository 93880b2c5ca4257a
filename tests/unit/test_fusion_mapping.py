"""Fused mappings: file form, order of nodes, halos, barriers, the buffer's space, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.mapping import Mapping, dump_mapping, lower
from simulator.mapping.file import parse_mapping
from simulator.mapping.fusion import FusedMapping, Fusion, blocks_of, fused_entries
from simulator.mapping.fusion.buffer import GlobalBuffer
from simulator.mapping.fusion.nodes import Nodes, nearest_divisor
from simulator.mapping.fusion.order import Ready, barriers_of
from simulator.mapping.fusion.stream import streams_of
from simulator.network import Network, Neuron, Population, Projection, load_network


def chain(width: int = 8, padding: int = 1) -> Network:
    """Input, two 3x3 convolutions of 4 channels; the second has stride 2."""
    neuron = Neuron(membrane_bits=8)
    half = (width + 2 * padding - 3) // 2 + 1
    wide = width + 2 * padding - 2
    return Network(
        "chain",
        (
            Population("image", (2, width, width), Neuron("input")),
            Population("a", (4, wide, wide), neuron),
            Population("b", (4, (wide + 2 * padding - 3) // 2 + 1 if padding else half, half), neuron),
        ),
        (
            Projection("pa", "image", "a", "conv", kernel=(3, 3), padding=(padding, padding)),
            Projection("pb", "a", "b", "conv", kernel=(3, 3), stride=(2, 2), padding=(padding, padding)),
        ),
    )


def entries(net: Network, columns: dict[str, int], steps: str = "one") -> tuple[FusedMapping, ...]:
    """An entry per layer, all in block 0."""
    return tuple(FusedMapping(name, "array", 0, steps, columns.get(name, 1)) for name in net.layers)  # type: ignore[arg-type]


def test_a_file_comes_back() -> None:
    net, hardware = load_network("sew_5plif"), load_hardware("stems_meta1m")
    made = fused_entries(net, hardware, "0011111", "1111000")
    mapping = Mapping(hardware.name, net.name, "all", made, {}, 16, Fusion(halo="padded", barriers="yes"))
    again = parse_mapping(dump_mapping(mapping), "x.yaml")
    assert again == mapping and again.sha256 == mapping.sha256
    assert lower(again, net, hardware).sha256 == lower(mapping, net, hardware).sha256


@pytest.mark.parametrize(
    ("change", "key"),
    [
        (("order: gated", "order: gatd"), "fusion.order"),
        (("columns: 128", "columns: 0"), "layers.conv0.columns"),
        (("node_timesteps: one", "node_timesteps: some"), "node_timesteps"),
        (("block: 0", "blok: 0"), "layers.conv0"),
    ],
)
def test_wrong_files_are_one_message(change: tuple[str, str], key: str) -> None:
    net, hardware = load_network("sew_5plif"), load_hardware("stems_meta1m")
    made = fused_entries(net, hardware, "0011111", "1111000")
    text = dump_mapping(Mapping(hardware.name, net.name, "all", made, {}, 16)).replace(*change)
    with pytest.raises(InputError) as error:
        parse_mapping(text, "x.yaml")
    assert key in str(error.value) and "x.yaml" in str(error.value)


def test_columns_that_do_not_divide_are_refused() -> None:
    net = chain()
    with pytest.raises(InputError, match="equal"):
        Nodes(net, entries(net, {"a": 3}), Fusion(), 2)


def test_bits_of_the_wrong_length_are_refused() -> None:
    with pytest.raises(InputError, match="one bit per block"):
        fused_entries(load_network("sew_7plif"), load_hardware("stems_meta1m"), "111", "0000000")


def test_blocks_and_columns_of_the_published_network() -> None:
    net = load_network("sew_7plif")
    blocks = blocks_of(net)
    assert [len(block) for block in blocks] == [5, 4, 4, 4, 5, 4, 4]
    made = {e.layer: e for e in fused_entries(net, load_hardware("stems_meta1m"), "1" * 7, "1" * 7)}
    assert [made[block[1]].columns for block in blocks] == [128, 64, 32, 16, 8, 4, 2]
    assert made["pool4"].columns == 64
    assert [nearest_divisor(40, n) for n in (40, 23, 7)] == [40, 20, 8]


def test_halo_of_the_source_and_of_the_network() -> None:
    net = chain()
    one_sided, padded = (
        Nodes(net, entries(net, {"a": 8, "b": 4}), Fusion(halo=halo), 1) for halo in ("one_sided", "padded")  # type: ignore[arg-type]
    )
    a, b = one_sided.edges_of[1][0], one_sided.edges_of[2][0]
    assert a.columns.tolist()[:2] == [[0, 3], [1, 4]] and a.columns.tolist()[-2:] == [[6, 8], [7, 8]]
    assert b.columns.tolist() == [[0, 3], [2, 5], [4, 7], [6, 8]]
    assert padded.edges_of[1][0].columns.tolist()[0] == [0, 2]
    assert padded.edges_of[2][0].columns.tolist() == [[0, 2], [1, 4], [3, 6], [5, 8]]


@pytest.mark.parametrize("halo", ["one_sided", "padded"])
@pytest.mark.parametrize("cut", [{"a": 8, "b": 4}, {"a": 2}, {"b": 2}, {}])
@pytest.mark.parametrize("mixed", [("one", "one"), ("one", "all"), ("all", "one")])
def test_ranges_are_the_pairs_they_stand_for(halo: str, cut: dict[str, int], mixed: tuple[str, str]) -> None:
    net = chain()
    kinds = zip("ab", mixed, strict=True)
    made = tuple(FusedMapping(n, "array", i, m, cut.get(n, 1)) for i, (n, m) in enumerate(kinds))  # type: ignore[arg-type]
    nodes = Nodes(net, made, Fusion(halo=halo), 3)  # type: ignore[arg-type]
    reads: dict[int, set[int]] = {n: set() for n in range(nodes.count)}
    waits = np.zeros(nodes.count, int)
    for layer, edges in enumerate(nodes.edges_of):
        for edge in edges:
            for t in range(nodes.steps_of[layer]):
                for c in range(nodes.parts[layer]):
                    me = int(nodes.base[layer]) + t * nodes.parts[layer] + c
                    for other in nodes.needed(edge, c, t):
                        reads[other].add(me)
                        waits[me] += edge.source >= nodes.inputs
    for source, edges in enumerate(nodes.edges_from):
        for edge in edges:
            for t in range(nodes.steps_of[source]):
                for c in range(nodes.parts[source]):
                    me = int(nodes.base[source]) + t * nodes.parts[source] + c
                    assert set(nodes.readers(edge, c, t)) == reads[me]
    assert nodes.uses().tolist() == [len(reads[n]) for n in range(nodes.count)]
    assert nodes.open_inputs().tolist() == waits.tolist()
    order = [node for node, *_ in Ready(nodes, [0] * 3, True)]
    assert sorted(order) == list(range(int(nodes.base[1]), nodes.count))


def test_depth_first_by_columns() -> None:
    net = chain()
    nodes = Nodes(net, entries(net, {"a": 8, "b": 4}), Fusion(), 1)
    order = [(population, c) for _, population, c, _ in Ready(nodes, [0] * 3, True)]
    assert order[:6] == [(1, 0), (1, 1), (1, 2), (2, 0), (1, 3), (1, 4)]
    twice = Nodes(net, entries(net, {"a": 8, "b": 4}), Fusion(), 2)
    steps = [t for _, _, _, t in Ready(twice, [0] * 3, True)]
    assert steps == [0] * 12 + [1] * 12
    layers = [population for _, population, _, _ in Ready(nodes, [0] * 3, False)]
    assert layers[3] == 2


@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("ff", [0, 0]),  # f: fused and batched, s: fused step by step, l: a whole layer
        ("fsf", [0, 1, 2]),
        ("flsf", [0, 0, 0, 1]),
        ("sslf", [0, 0, 0, 0]),
    ],
)
def test_barriers(bits: str, expected: list[int]) -> None:
    made = [
        FusedMapping(f"l{i}", "array", i, "one" if b == "s" else "all", 1 if b == "l" else 4)
        for i, b in enumerate(bits)
    ]
    assert list(barriers_of(made).values()) == expected


@pytest.mark.parametrize(("by_size", "gone"), [(False, [2]), (True, [0, 2])])
def test_the_least_important_leave_first(by_size: bool, gone: list[int]) -> None:
    """Keys 100 x uses - layer: 299, 198, 97 and 400; uses x bits: 9, 120, 30 and 4."""
    buffer = GlobalBuffer(100, [3, 60, 30, 1], [3, 2, 1, 4], [1, 2, 3, 0], [True] * 4, by_size)
    left: list[int] = []
    for tensor in range(4):
        buffer.enter(tensor)

    def evict(tensor: int) -> None:
        left.append(tensor)
        buffer.leave(tensor, 7)

    buffer.make_room(6 + 30, [3], evict, "x")
    assert left == gone and buffer.room >= 36
    with pytest.raises(InputError, match="overflows"):
        buffer.make_room(100, [3], evict, "x")


def test_space_waits_for_the_rows_that_gave_it_back() -> None:
    buffer = GlobalBuffer(10, [6, 4, 5], [1] * 3, [0] * 3, [True] * 3, False)
    assert buffer.enter(0) == [] and buffer.enter(1) == []
    buffer.leave(1, 11)
    buffer.leave(0, 12)
    assert buffer.enter(2) == [11, 12]  # 4 bits of tensor 1, then 1 bit of tensor 0
    assert buffer.room == 5 and buffer.take(5) == [12]


def test_pieces_of_what_does_not_fit() -> None:
    whole = streams_of({"W": 10, "V": 20, "O": 5}, "x", 16, 4, 2, 35)
    assert not whole.streamed
    found = streams_of({"W": 10, "V": 320, "O": 5, 0: 8}, "x", 16, 4, 2, 103)
    assert found.streamed == {"V"} and found.columns == 2 and found.channels == 4  # 2 x 40 bits fit 80
    weights = streams_of({"W": 400, "V": 20, "O": 5, 0: 8}, "x", 16, 4, 2, 283)
    assert weights.streamed == {"W"} and weights.channels == 1  # a quarter fits twice beside 33 bits
    with pytest.raises(InputError, match="too small"):
        streams_of({"W": 400, "V": 20, "O": 5, 0: 8}, "x", 16, 4, 2, 10)


def test_two_kinds_of_layers_do_not_mix() -> None:
    from simulator.mapping import LayerMapping

    with pytest.raises(InputError, match="do not go together"):
        Mapping("h", "n", "all", (FusedMapping("a", "array", 0, "one"), LayerMapping("b", ("core",), 1, 1)))
    with pytest.raises(InputError, match="share it"):
        Mapping("h", "n", "all", (FusedMapping("a", "array", 0, "one"), FusedMapping("b", "array", 0, "all")))


@pytest.mark.parametrize("size", [131_072, 262_144, 1_048_576])
@pytest.mark.parametrize(("time", "depth"), [("1111111", "1111111"), ("0000000", "0000000"), ("0011111", "1111000")])
def test_no_row_reads_what_is_not_there(size: int, time: str, depth: str) -> None:
    """Replays a schedule with the last row of each unit as its clock: what a row reads was loaded or computed before.

    Rows wait for rows named in `after` and, by the order of their unit, for all earlier rows of these units.
    """
    network, hardware = load_network("sew_7plif"), load_hardware("stems_meta1m", [f"global.capacity_bytes={size}"])
    made = fused_entries(network, hardware, time, depth)
    s = lower(Mapping(hardware.name, network.name, "all", made, {}, 16), network, hardware)
    units = {int(u): i for i, u in enumerate(np.unique(s.unit))}
    seen = np.full((s.rows, len(units)), -1)  # per row: the last row of each unit that is complete before it starts
    last = [-1] * len(units)
    for row in range(s.rows):
        mine = units[int(s.unit[row])]
        before = [last[mine], *s.after_of(row).tolist()]
        for other in before:
            if other >= 0:
                seen[row] = np.maximum(seen[row], seen[other])
                at = units[int(s.unit[other])]
                seen[row, at] = max(seen[row, at], other)
        last[mine] = row
    weight_load: dict[int, int] = {}
    state_move: dict[tuple[int, int], int] = {}
    stored: dict[tuple[int, ...], int] = {}
    for row in range(s.rows):
        layer = int(s.layer[row])
        tensor = tuple(int(a[row]) for a in (s.operand, s.population, s.x0, s.x1, s.t0, s.t1))
        if s.op[row] == 2:
            stored[tensor] = row
        elif s.op[row] == 0 and tensor in stored:
            assert seen[row, units[int(s.unit[stored[tensor]])]] >= stored[tensor], row
        if s.operand[row] == 0:
            weight_load[layer] = row
        elif s.operand[row] == 1:
            state_move[layer, int(s.x0[row])] = row
        elif s.op[row] == 1:
            name = s.layers[layer]
            load = units[int(s.unit[weight_load[layer]])] if layer in weight_load else -1
            if load >= 0:
                assert seen[row, load] >= weight_load[layer], (row, name)
            if (layer, int(s.x0[row])) in state_move:
                moved = state_move[layer, int(s.x0[row])]
                assert s.op[moved] == 0 and seen[row, units[int(s.unit[moved])]] >= moved, (row, name)
