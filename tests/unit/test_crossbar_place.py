"""Placement on crossbars against published counts, and schedules whose layers stream into each other."""

import hashlib
from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.mapping import CrossbarMapping, Mapping, dump_mapping, lower, place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.crossbar.duplicate import copies_of, groups_of, tiles_needed
from simulator.mapping.file import parse_mapping
from simulator.mapping.schedule import COMPUTE, PROGRAM, WEIGHT
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.network.zoo import resnet18, vgg9
from tests.unit.crossbar_bench import bank, chip, plan, random_network, weight_cells
from tests.unit.mapping_bench import chip as core_chip
from tests.unit.mapping_bench import delayed, recurrent, residual

ELA = (
    "fixed_pe_cycle",
    "post_pool_dims",
    "overlap_75",
    "sorted_pe_counts",
    "hang_when_all_small",
    "conv_only_one_kernel",
)
# SpikeSim's script at commit c2627bc on its default network: X, PEs, tiles, PE cycles per timestep.
SPIKESIM = [(32, 190, 24, 13312), (64, 48, 6, 3840), (128, 14, 2, 2048)]


def planned(network, hardware, **wishes):
    return check_crossbars(place(network, hardware, **wishes), network, hardware)


@pytest.mark.parametrize(("x", "pes", "tiles", "cycles"), SPIKESIM)
def test_vgg9_takes_the_processing_elements_of_spikesim(x, pes, tiles, cycles):
    found = planned(vgg9(), chip(rows=x, columns=x, quirks=ELA))
    assert (found.built["used_pes"], found.tiles) == (pes, tiles)
    assert sum(layer.pes * layer.positions for layer in found.layers.values() if not layer.omitted) == cycles
    assert found.layers["fc"].omitted and found.layers["fc"].pes == 0


def test_spikesim_maps_are_counted_after_pooling():
    """Maps of 32, 32, 16, 16, 8, 8, 8 are counted as 32, 16, 16, 8, 8, 8, 4: pooling becomes a stride."""
    layers = planned(vgg9(), chip(quirks=ELA)).layers
    assert [layers[f"conv{i}"].grid for i in range(1, 8)] == [(n, n) for n in (32, 16, 16, 8, 8, 8, 4)]
    assert layers["conv2"].parts[0].stride == (2, 2) and layers["conv3"].parts[0].stride == (1, 1)
    built = planned(vgg9(), chip(quirks=ELA)).built
    assert built["source_neurons"] == 3 * 32**2 + 64 * (32**2 + 16**2) + 128 * (16**2 + 8**2) + 2 * 256 * 8**2
    assert built["first_neurons"] == 64 * (32**2 + 16**2) + 128 * (16**2 + 8**2) + 256 * 8**2
    whole = planned(vgg9(), chip(), arrangement="kernel")
    assert sum(layer.pes * layer.positions for name, layer in whole.layers.items() if name != "fc") == 6144


def test_tiles_of_four_processing_elements():
    assert planned(vgg9(), chip(quirks=ELA, pes_per_tile=4)).tiles == 12


def test_vgg9_takes_the_arrays_of_neurosim():
    """NeuroSim V1.4: conversions = 64 columns x arrays x vectors; its first layer is flattened, the others are not."""
    found = planned(vgg9(), chip(kernel_merge="private"))
    layers = [found.layers[f"conv{i}"] for i in range(1, 8)]
    vectors = (900, 900, 196, 196, 36, 36, 36)
    conversions = [64 * layer.arrays * n for layer, n in zip(layers, vectors, strict=True)]
    assert conversions == [57600, 518400, 225792, 451584, 165888, 331776, 331776]
    assert [layer.arrangement for layer in layers] == ["im2col"] + ["kernel"] * 6
    assert all(layer.columns_of(0, 0) == 64 for layer in layers)


def test_linear_layers_are_flattened():
    """4096 inputs of `fc` in 64 arrays of 64 rows, one processing element each, or nine arrays per element."""
    layer = planned(vgg9(), chip()).layers["fc"]
    assert (layer.positions, layer.outputs, layer.pes, layer.arrays) == (1, 10, 64, 64)
    layer = planned(vgg9(), chip(arrays_per_pe=9)).layers["fc"]
    assert (layer.pes, layer.arrays, layer.built_arrays) == (8, 64, 72)


def test_a_window_that_fits_one_array_is_flattened():
    """3 x 3 windows of 7 channels have 63 rows, of 8 channels 72; a kernel with more positions than arrays is too."""
    for channels, arrangement in ((7, "im2col"), (8, "kernel")):
        assert place(_chain((channels,)), chip()).on_crossbars[0].arrangement == arrangement
    for arrays, arrangement in ((8, "im2col"), (9, "kernel")):
        assert place(_chain((64,)), chip(arrays_per_pe=arrays)).on_crossbars[0].arrangement == arrangement
    assert place(_chain((64,)), chip(arrangement="im2col")).on_crossbars[0].arrangement == "im2col"


def test_layers_share_tiles_or_do_not():
    shared, apart = planned(resnet18(), chip()), planned(resnet18(), chip(tile_sharing=False))
    for found, together in ((shared, True), (apart, False)):
        owners = {}
        for layer in found.layers.values():
            for pe in range(layer.first_pe, layer.end_pe):
                owners.setdefault(pe // 8, set()).add(layer.layer)
        assert (max(len(names) for names in owners.values()) > 1) == together
        assert found.built["used_tiles"] == len(owners)
    assert shared.tiles == -(-shared.built["used_pes"] // 8) < apart.tiles


@pytest.mark.parametrize("seed", range(6))
def test_random_networks_are_placed_and_read_back(seed):
    rng = np.random.Generator(np.random.PCG64(seed))
    network, hardware = random_network(rng), chip(arrays_per_pe=int(rng.choice([4, 9])), tile_sharing=seed % 2 == 0)
    mapping = place(network, hardware, duplication=int(rng.integers(1, 4)))
    again = parse_mapping(dump_mapping(mapping), "m.yaml")
    assert again == mapping and again.sha256 == mapping.sha256
    assert lower(again, network, hardware).sha256 == lower(mapping, network, hardware).sha256


def test_neurosim_duplication_by_its_rule():
    """Maps of 32, 32, 16, 16, 8, 8, 8: degree 32 / 8 = 4, bound 8, copies (map / 8)^2; the classifier has one."""
    layers = planned(vgg9(), chip(), duplication="neurosim").layers
    assert [layer.copies for layer in layers.values()] == [16, 16, 4, 4, 1, 1, 1, 1]


@pytest.mark.parametrize("tiles", [14, 16, 20, 40, 400])
def test_balance_helps_the_slowest_layer_until_nothing_fits(tiles):
    hardware = chip(tiles=tiles)
    found = planned(vgg9(), hardware, duplication="balance")
    spec = hardware.units["cim"]
    copies = {name: layer.copies for name, layer in found.layers.items()}
    assert tiles_needed(found.layers, spec, copies) <= tiles
    time = {name: -(-layer.positions // layer.copies) * groups_of(layer, spec) for name, layer in found.layers.items()}
    slowest = max(time, key=time.__getitem__)
    layer = found.layers[slowest]
    share = -(-layer.positions // layer.copies)
    more = {**copies, slowest: -(-layer.positions // (share - 1))}
    assert tiles_needed(found.layers, spec, more) > tiles
    single = planned(vgg9(), hardware).layers
    assert max(time.values()) <= max(layer.positions * groups_of(layer, spec) for layer in single.values())
    # No layer has a copy that it could give back without becoming the slowest.
    for name, count in copies.items():
        if count > 1:
            less = -(-found.layers[name].positions // (count - 1)) * groups_of(found.layers[name], spec)
            assert less > time[name]


def test_groups_of_a_vector_by_hand():
    """64 channels, 3 x 3, 16 rows at once: 576 rows together 36 groups, in turn 9 x 4, side by side 4."""
    for merge, groups in (("analog", 36), ("mux", 36), ("private", 4)):
        spec = bank(kernel_merge=merge, rows_parallel=16)
        assert groups_of(plan(vgg9(), spec).layers["conv2"], spec) == groups
    spec = bank(kernel_merge="mux", rows_parallel=48)
    assert groups_of(plan(vgg9(), spec).layers["conv2"], spec) == 18


def test_duplication_by_number_and_by_name():
    layers = planned(vgg9(), chip(), duplication=5).layers
    assert [layer.copies for layer in layers.values()] == [5] * 7 + [1]
    layers = planned(vgg9(), chip(), duplication={"conv2": 3}).layers
    assert [layer.copies for layer in layers.values()] == [1, 3, 1, 1, 1, 1, 1, 1]
    assert layers["conv3"].first_pe == 4


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"duplication": "balanced"}, "not one of the choices.*did you mean 'balance'"),
        ({"duplication": "balance"}, "takes as many as it needs"),
        ({"duplication": 0}, "must be an integer"),
        ({"duplication": {"conv9": 2}}, "unknown layer.*did you mean 'conv"),
        ({"arrangement": "kernal"}, "not one of the choices.*did you mean 'kernel'"),
        ({"timesteps": "one"}, "by themselves"),
        ({"tile_rows": 4}, "tile_rows: the wish means nothing on 'bench'"),
    ],
)
def test_wishes_that_cannot_be_kept(wish, message):
    with pytest.raises(InputError, match=message):
        place(vgg9(), chip(), **wish)


def test_a_chip_of_cores_refuses_wishes_for_crossbars():
    with pytest.raises(InputError, match="arrangement: the wish means nothing"):
        place(residual(), core_chip(), arrangement="kernel")
    with pytest.raises(InputError, match="duplication: the wish means nothing"):
        place(residual(), core_chip(), duplication="balance")


def test_too_few_tiles_say_how_many_are_needed():
    with pytest.raises(InputError, match="'vgg9' needs 14 tiles of 8 processing elements, 5 are available"):
        place(vgg9(), chip(tiles=5))


def test_schedule_streams_from_source_to_consumer():
    """One task per layer and sample; the second convolution of a block consumes the first one and the shortcut."""
    network, hardware = resnet18(), chip()
    schedule = lower(place(network, hardware), network, hardware)
    assert schedule.rows == len(network.layers) and schedule.prologue == 0 and schedule.repeat == "sample"
    row = {name: i for i, name in enumerate(network.layers)}
    assert schedule.stream_of(row["conv1"]).tolist() == []
    assert schedule.stream_of(row["s1.b1.conv2"]).tolist() == [row["s1.b1.conv1"], row["conv1"]]
    assert schedule.after.size == 0 and (schedule.op == COMPUTE).all()
    assert [schedule.layers[i] for i in schedule.layer] == list(network.layers)
    assert schedule.table()[row["s1.b1.conv2"]]["stream"] == [1, 0]


def test_layers_one_after_another_wait_for_the_row_before():
    network, hardware = residual(), chip(pipeline="after")
    schedule = lower(place(network, hardware), network, hardware)
    assert [schedule.after_of(i).tolist() for i in range(schedule.rows)] == [[], [0], [1], [2]]
    assert schedule.stream.size == 0


def test_streams_change_the_hash():
    network = residual()
    found = [lower(place(network, c), network, c).sha256 for c in (chip(), chip(pipeline="after"))]
    assert found[0] != found[1]


def test_programming_is_a_prologue_with_the_bits_of_all_copies():
    """2 -> 8 -> 8 -> 8 channels, 3 x 3, 8-bit weights, and 8 x 10 linear ones; the identity has no array."""
    network = residual()
    hardware = chip(write=SimpleNamespace(count=True))
    schedule = lower(place(network, hardware, duplication={"a": 3}), network, hardware)
    assert schedule.prologue == 4
    assert (schedule.op[:4] == PROGRAM).all() and (schedule.operand[:4] == WEIGHT).all()
    assert schedule.bits[:4].tolist() == [3 * 2 * 8 * 9 * 8, 8 * 8 * 9 * 8, 8 * 8 * 9 * 8, 8 * 10 * 8]
    assert [schedule.after_of(i).tolist() for i in range(4, 8)] == [[0], [1], [2], [3]]


def test_cells_of_the_weights():
    """8-bit weights in 4-bit cells: two cells, four with a pair of columns or rows."""
    for signed, cells in (
        ("offset", 2),
        ("reference_column", 2),
        ("differential_columns", 4),
        ("differential_rows", 4),
    ):
        hardware = chip(signed=signed)
        layer = planned(residual(), hardware).layers["b"]
        assert weight_cells(layer) == 8 * 8 * 9 * cells
    depthwise = Network(
        "n",
        (Population("a", (8, 4, 4), Neuron(model="input")), Population("b", (8, 4, 4), Neuron())),
        (Projection("p", "a", "b", "depthwise", kernel=(3, 3), padding=(1, 1)),),
    )
    for arrangement in ("kernel", "im2col"):
        assert weight_cells(planned(depthwise, chip(), arrangement=arrangement).layers["b"]) == 8 * 9 * 2


def test_recurrent_networks_need_side_by_side_layers_and_buffers():
    network = recurrent()
    assert planned(network, chip(steps=2))
    with pytest.raises(InputError, match="delay"):
        place(network, chip(steps=1))
    if any(len(group) > 1 for group in network.groups):
        with pytest.raises(InputError, match="must run side by side"):
            place(network, chip(steps=2, pipeline="after"))
    assert lower(place(delayed(), chip()), delayed(), chip()).rows == len(delayed().layers)


@pytest.mark.parametrize(
    ("quirk", "network", "message"),
    [
        ("conv_only_one_kernel", residual(), "2 projections into one layer"),
        ("conv_only_one_kernel", resnet18(), "2 projections into one layer"),
        ("sorted_pe_counts", None, "must not become fewer"),
        ("hang_when_all_small", None, "never ends when no layer fills an array"),
        ("overlap_75", None, "13 convolution layers.; allowed: at most 12"),
    ],
)
def test_quirks_refuse_what_the_estimator_cannot_compute(quirk, network, message):
    if network is None:
        widths = {"sorted_pe_counts": (128, 64), "hang_when_all_small": (32, 64), "overlap_75": (64,) * 13}[quirk]
        network = _chain(widths)
    with pytest.raises(InputError, match=message):
        place(network, chip(quirks=(quirk,)), arrangement="kernel")
    assert place(network, chip(), arrangement="kernel")


def test_quirks_at_their_limits():
    """Unrounded channels count as well as elements; a layer that fills one array exactly is enough; 12 layers are."""
    with pytest.raises(InputError, match="must not become fewer"):
        place(_chain((64, 64, 32)), chip(quirks=("sorted_pe_counts",)))
    assert place(_chain((64, 64, 64)), chip(quirks=("sorted_pe_counts", "hang_when_all_small")))
    with pytest.raises(InputError, match="never ends"):
        place(_chain((64, 63)), chip(quirks=("hang_when_all_small",), rows=65, columns=65))
    assert place(_chain((64,) * 12), chip(quirks=("overlap_75",)))


def test_schedules_without_streams_and_nodes_keep_their_hash():
    """The hash of a schedule of cores covers columns, `after` and names, in the order of fields, and no more."""
    schedule = lower(place(residual(), core_chip()), residual(), core_chip())
    digest = hashlib.sha256()
    for item in fields(schedule):
        if item.name not in ("stream_start", "stream", "x0", "x1", "t0", "t1"):
            value = getattr(schedule, item.name)
            digest.update(item.name.encode() + b"\0")
            digest.update(value.tobytes() if isinstance(value, np.ndarray) else repr(value).encode())
    assert schedule.sha256 == digest.hexdigest()


def test_pooling_quirk_refuses_consumers_that_pool_differently():
    pool = Pool("or", (2, 2), (2, 2))
    network = Network(
        "n",
        (
            Population("a", (2, 4, 4), Neuron(model="input")),
            Population("b", (2, 4, 4), Neuron()),
            Population("c", (2, 2, 2), Neuron()),
            Population("d", (2, 4, 4), Neuron()),
        ),
        (
            Projection("p", "a", "b", "conv"),
            Projection("q", "b", "c", "conv", pool=pool),
            Projection("r", "b", "d", "conv"),
        ),
    )
    with pytest.raises(InputError, match="pool it differently"):
        place(network, chip(quirks=("post_pool_dims",)))


def test_one_network_goes_on_one_bank():
    two = chip()
    two.units["more"] = bank()
    with pytest.raises(InputError, match="one cim_tile unit"):
        place(residual(), two)
    mapping = place(residual(), chip())
    moved = [
        CrossbarMapping(e.layer, "more" if i else "cim", e.arrangement, 1, e.first_pe)
        for i, e in enumerate(mapping.on_crossbars)
    ]
    spread = Mapping("bench", "residual", "all", tuple(moved))
    with pytest.raises(InputError, match="one cim_tile unit"):
        check_crossbars(spread, residual(), two)
    with pytest.raises(InputError, match="unknown cim_tile unit"):
        lower(spread, residual(), chip())
    with pytest.raises(InputError, match="no cim_tile unit"):
        lower(spread, residual(), core_chip())
    with pytest.raises(InputError, match="wait nowhere"):
        lower(replace(mapping, inputs={"in": "chip"}), residual(), chip())
    with pytest.raises(InputError, match="another network"):
        lower(mapping, vgg9(), chip())
    with pytest.raises(InputError, match="by themselves"):
        lower(replace(mapping, timesteps="one"), residual(), chip())
    with pytest.raises(InputError, match="no cmos_core unit"):
        lower(
            place(residual(), core_chip()), residual(), SimpleNamespace(**{**vars(core_chip()), "units": chip().units})
        )


def test_copies_of_one_position_are_not_made():
    spec = bank()
    assert copies_of(plan(residual(), spec).layers, spec, 4)["out"] == 1


def _chain(widths):
    """3 x 3 convolutions of these widths, from an input of the first one, on maps of 4 x 4."""
    names = ["in", *(f"c{i}" for i in range(len(widths)))]
    shapes = zip(names, (widths[0], *widths), strict=True)
    return Network(
        "chain",
        tuple(Population(n, (c, 4, 4), Neuron(model="input" if n == "in" else "if")) for n, c in shapes),
        tuple(
            Projection(f"p{i}", names[i], names[i + 1], "conv", kernel=(3, 3), padding=(1, 1), weight_bits=4)
            for i in range(len(widths))
        ),
    )


def test_flags_of_a_convolution_profiler_keep_kernels_and_leave_linear_layers_out():
    layers = planned(vgg9(), chip(quirks=("patch_events", "tiles_shared"), tile_sharing=False)).layers
    assert layers["conv1"].arrangement == "kernel" and layers["fc"].omitted
    assert layers["conv2"].first_pe == 1


@pytest.mark.parametrize(("x", "pes", "tiles", "cycles"), SPIKESIM)
def test_bundled_spikesim_chip_gives_the_same_counts(x, pes, tiles, cycles):
    hardware = load_hardware(
        "cim_spikesim64", [f"units.cim.crossbar.{name}={x}" for name in ("rows", "columns", "rows_parallel")]
    )
    found = planned(vgg9(), hardware, arrangement="kernel")
    convolutions = [layer for name, layer in found.layers.items() if name != "fc"]
    assert sum(layer.pes for layer in convolutions) == pes
    assert -(-convolutions[-1].end_pe // 8) == tiles
    assert cycles < sum(layer.pes * layer.positions for layer in convolutions)  # before pooling there are more
