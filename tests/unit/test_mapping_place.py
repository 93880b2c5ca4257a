"""Placement: what fits is tiled by the rules, what does not is refused with the tensor, the place and both sizes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from simulator.errors import InputError
from simulator.mapping import check_mapping, lower, place
from simulator.mapping.chip import chip_of
from simulator.mapping.mapping import LayerMapping
from simulator.mapping.operands import Operands
from simulator.mapping.residence import inflows_of, spans_of
from simulator.mapping.tiles import tiles_of
from simulator.network import Network, Projection
from simulator.network.zoo import resnet18, vgg11
from tests.unit.mapping_bench import chain, chip, delayed, population, recurrent, residual


def message(make: Any) -> str:
    with pytest.raises(InputError) as caught:
        make()
    return str(caught.value)


def wide_linear(inputs: int = 64, outputs: int = 16) -> Network:
    return Network(
        "wide",
        (population("in", (inputs, 1, 1), "input"), population("fc", (outputs, 1, 1))),
        (Projection("p", "in", "fc", "linear"),),
    )


def test_everything_on_one_core_when_it_fits() -> None:
    mapping = place(chain(), chip())
    assert mapping.timesteps == "all" and mapping.inputs == {"in": "chip"}
    for entry in mapping.layers:
        assert entry == LayerMapping(entry.layer, ("core[0]",), 8, 6, 1, "resident", 2, "core", "chip")


def test_streams_the_widest_tile_of_which_two_fit() -> None:
    """A channel of c1 has 16 * 9 * 8 = 1152 bits; tiles are multiples of the 4 lanes."""
    network = chain(channels=16)
    per_channel = 16 * 9 * 8
    for room, tile, buffers in ((2 * 8 * per_channel, 8, 2), (2 * 8 * per_channel - 8, 4, 2), (7 * per_channel, 4, 1)):
        entry = place(network, chip(weight=room // 8)).layer("c1")
        assert (entry.weights, entry.tile_channels, entry.weight_buffers) == ("stream", tile, buffers)


def test_narrower_tiles_before_a_split_input_with_all_timesteps() -> None:
    network = wide_linear()  # a channel needs 64 * 8 = 512 bits
    entry = place(network, chip(weight=192)).layer("fc")
    assert (entry.tile_channels, entry.weight_buffers, entry.input_parts) == (1, 2, 1)
    entry = place(network, chip(weight=64)).layer("fc")
    assert (entry.tile_channels, entry.weight_buffers, entry.input_parts) == (1, 1, 1)


def test_input_is_split_where_not_even_one_channel_fits() -> None:
    mapping = place(wide_linear(), chip(weight=32))
    entry = mapping.layer("fc")
    assert mapping.timesteps == "one"
    # four channels, two buffers: 4 * (64 / parts) * 8 bits <= 128 bits needs 16 parts
    assert (entry.tile_channels, entry.input_parts, entry.weight_buffers) == (4, 16, 2)


def test_split_input_is_refused_where_all_timesteps_are_wished() -> None:
    text = message(lambda: place(wide_linear(), chip(weight=32), timesteps="all"))
    assert "the weights of 1 channel(s) of layer 'fc' do not fit memory 'weight[0]' of 'core[0]'" in text
    assert "512 bits needed, 256 bits available" in text


def test_weights_that_never_fit() -> None:
    """The least that can be loaded is a 3x3 kernel for one output and one input channel: 72 bits."""
    text = message(lambda: place(chain(), chip(weight=8)))
    assert "layers.c0.tile_channels: the weights of 1 channel(s), with the input split into 2 parts," in text
    assert "72 bits needed, 64 bits available" in text


def test_rows_are_cut_until_state_fits() -> None:
    """8 channels x 6 columns x 16 bits = 768 bits per row; 2000 bits hold two rows."""
    entry = place(chain(), chip(state=250)).layer("c1")
    assert (entry.tile_channels, entry.tile_rows) == (8, 2)
    assert place(chain(), chip(state=4 * 96)).layer("c1").tile_rows == 3  # four rows fit, two tiles of three are even
    entry = place(chain(), chip(state=50)).layer("c1")  # 400 bits: one row of 4 channels (a multiple of the lanes)
    assert (entry.tile_channels, entry.tile_rows) == (4, 1)


def test_state_that_never_fits() -> None:
    text = message(lambda: place(chain(), chip(state=10)))
    assert "the membranes of one channel and row of layer 'c0' do not fit memory 'state[0]'" in text
    assert "96 bits needed, 80 bits available" in text


def test_one_timestep_keeps_state_while_it_fits_and_spills_the_rest() -> None:
    """Each layer has 8 * 36 * 16 = 4608 bits: a budget of 3/4 of 16000 bits keeps two of four."""
    mapping = place(chain(depth=4), chip(state=2000), timesteps="one")
    assert [e.state for e in mapping.layers] == ["core", "core", "dram", "dram"]
    assert all(e.tile_rows == 6 for e in mapping.layers[:2])
    plan = check_mapping(mapping, chain(depth=4), chip(state=2000))
    assert plan.state_buffers == {"core[0]": 2}
    assert [e.state for e in place(chain(depth=4), chip(state=2304), timesteps="one").layers] == ["core"] * 4


def test_neurons_without_state_never_spill() -> None:
    """Their accumulators need room only while a tile runs: 2000 bits are two rows of 768 bits."""
    mapping = place(chain(depth=4, stateful=False), chip(state=250), timesteps="one")
    assert [(e.state, e.tile_channels, e.tile_rows) for e in mapping.layers] == [("core", 8, 2)] * 4


def test_cores_share_channels_or_rows() -> None:
    wide = place(chain(channels=16), chip(2, lanes=4))
    assert [(e.cores, e.tile_channels, e.tile_rows) for e in wide.layers] == [(("core[0]", "core[1]"), 8, 6)] * 3
    narrow = place(chain(channels=4), chip(3, lanes=4))
    assert [(e.tile_channels, e.tile_rows, len(e.cores)) for e in narrow.layers] == [(4, 2, 3)] * 3
    classifier = place(residual(), chip(4, lanes=4)).layer("out")
    assert (classifier.tile_channels, len(classifier.cores)) == (4, 3)


def test_cores_can_be_chosen() -> None:
    mapping = place(chain(), chip(3), cores=["core[2]"])
    assert {e.cores for e in mapping.layers} == {("core[2]",)}
    assert "did you mean 'core[2]'?" in message(lambda: place(chain(), chip(3), cores=["core(2)"]))


def test_spikes_that_do_not_fit_go_to_dram_and_come_back() -> None:
    """A layer's spikes are 8 * 36 * 8 steps = 2304 bits: 4608 bits hold the source and the output of a layer."""
    assert [e.spikes for e in place(chain(depth=4), chip(spike=576)).layers] == ["chip"] * 4
    tight = place(chain(depth=4), chip(spike=575))
    assert "dram" in [e.spikes for e in tight.layers]
    lower(tight, chain(depth=4), chip(spike=575))
    few = place(chain(depth=4), chip(spike=575), timesteps_hint=4)
    assert [e.spikes for e in few.layers] == ["chip"] * 4


def test_residual_source_counts_until_it_is_used() -> None:
    """While b -> c runs, a waits for c: a, b and c, 8 * 16 * 8 = 1024 bits each, are live together."""
    network = residual()
    operands, machine = Operands(network), chip_of(chip())
    cores = {name: ("core[0]",) for name in network.layers}
    spans = spans_of(operands, machine, cores, "all", 8)
    assert (spans["a"].start, spans["a"].end, spans["a"].bits) == (0, 2, 1024)
    assert [e.spikes for e in place(network, chip(spike=3 * 128)).layers] == ["chip"] * 4
    assert place(network, chip(spike=3 * 128 - 1)).layer("a").spikes == "dram"


def test_delayed_spikes_are_kept_for_every_timestep_of_the_delay() -> None:
    network = delayed()
    cores = {name: ("core[0]",) for name in network.layers}
    spans = spans_of(Operands(network), chip_of(chip()), cores, "one", 8)
    assert [(s.bits, s.start, s.end) for s in spans.values()] == [(4, 0, 0), (4 * 3, 0, 2), (4, 1, 2), (4, 2, 2)]


def test_inflow_is_whole_where_it_fits_and_by_tile_where_not() -> None:
    network = chain(depth=2)
    cores = {name: ("core[0]",) for name in network.layers}
    homes = {"in": "dram", "c0": "dram", "c1": "dram"}
    found = {}
    for spike in (288, 287):  # c0 is 2304 bits = 288 bytes; the input is 2 * 36 * 8 = 576 bits
        machine = chip_of(chip(spike=spike))
        spans = spans_of(Operands(network), machine, cores, "all", 8)
        found[spike] = inflows_of(Operands(network), machine, cores, spans, homes)
    assert found[288] == {("c0", "in"): "whole", ("c1", "c0"): "whole"}
    assert found[287] == {("c0", "in"): "whole", ("c1", "c0"): "tile"}


def test_whole_loads_share_the_room() -> None:
    """c reads b and a, 1024 bits each, and writes 1024 bits that stay: the second source has to fit as well."""
    network = residual()
    cores = {name: ("core[0]",) for name in network.layers}
    homes = {"in": "chip", "a": "dram", "b": "dram", "c": "chip", "out": "chip"}
    for spike, expected in ((384, "whole"), (383, "tile")):
        machine = chip_of(chip(spike=spike))
        spans = spans_of(Operands(network), machine, cores, "all", 8)
        found = inflows_of(Operands(network), machine, cores, spans, homes)
        assert (found["c", "b"], found["c", "a"]) == ("whole", expected)


def test_private_spike_memories_send_spikes_through_dram() -> None:
    network, hardware = chain(channels=16), chip(2, private_spikes=True)
    mapping = place(network, hardware)
    # the last layer's consumers are nobody, but two cores with their own memories make it
    assert [e.spikes for e in mapping.layers] == ["dram"] * 3
    kept = replace(mapping, layers=tuple(replace(e, spikes="chip") for e in mapping.layers))
    text = message(lambda: check_mapping(kept, network, hardware))
    assert "layers.c0.spikes: the spikes of 'c0' cannot stay on chip" in text and "allowed: dram" in text


def test_recurrent_networks_run_timestep_by_timestep() -> None:
    assert place(recurrent(), chip()).timesteps == "one"
    assert "the network is recurrent" in message(lambda: place(recurrent(), chip(), timesteps="all"))
    mapping = replace(place(recurrent(), chip()), timesteps="all")
    assert "timesteps: the network is recurrent" in message(lambda: check_mapping(mapping, recurrent(), chip()))


def test_wishes_are_kept_or_refused() -> None:
    mapping = place(chain(), chip(), tile_channels={"c1": 3}, tile_rows=4)
    assert [(e.tile_channels, e.tile_rows) for e in mapping.layers] == [(8, 4), (3, 4), (8, 4)]
    assert "did you mean 'c1'?" in message(lambda: place(chain(), chip(), tile_channels={"c11": 3}))
    assert "layers.c1.tile_rows: more than the layer has; found 7; allowed: 1 .. 6" in message(
        lambda: place(chain(), chip(), tile_rows={"c1": 7})
    )
    text = message(lambda: place(chain(), chip(state=250), tile_rows=3))
    assert "the membranes of a tile of layer 'c0'" in text and "2304 bits needed, 2000 bits available" in text
    text = message(lambda: place(chain(), chip(weight=400), weights="resident"))
    assert "the resident weights of layer 'c1'" in text
    assert "4608 bits needed, 2048 bits available" in text
    assert "found 0; allowed: 1 .. 2^31 - 1" in message(lambda: place(chain(), chip(), tile_channels=0))


def test_hand_made_mappings_are_checked() -> None:
    network, hardware = chain(), chip()
    mapping = place(network, hardware)

    def changed(**fields: Any) -> Any:
        return replace(mapping, layers=(replace(mapping.layers[0], **fields), *mapping.layers[1:]))

    cases = [
        (replace(mapping, network="other"), "network: the mapping was made for another network; found 'other'"),
        (replace(mapping, layers=mapping.layers[1:]), "the mapping does not say where layer 'c0' goes"),
        (replace(mapping, inputs={}), "the mapping does not say where input 'in' goes"),
        (replace(mapping, inputs={"inn": "chip", "in": "chip"}), "did you mean 'in'?"),
        (changed(layer="c9"), "layers.c9: unknown layer"),
        (changed(cores=("core[1]",)), "layers.c0.cores: unknown core"),
        (changed(input_parts=2), 'layers.c0.input_parts: input parts need timesteps "one"'),
        (changed(input_parts=3), "allowed: 1 .. 2"),
        (changed(state="dram"), "layers.c0.state: with timesteps"),
    ]
    for wrong, part in cases:
        assert part in message(lambda wrong=wrong: check_mapping(wrong, network, hardware))
    streamed = replace(mapping, layers=tuple(replace(e, weights="stream") for e in mapping.layers))
    text = message(lambda: check_mapping(streamed, network, chip(weight=1151)))
    assert "2 buffer(s) for the streamed weights of layer 'c1'" in text
    assert "9216 bits needed, 9208 bits available" in text  # 2 x 8 x 8 x 9 x 8
    check_mapping(streamed, network, chip(weight=1152))
    small = chip(spike=100)
    text = message(lambda: check_mapping(mapping, network, small))
    assert "the spikes that are live while layer 'c0' runs do not fit memory 'spikes'" in text
    assert "2880 bits needed, 800 bits available" in text
    assert "those of 'c0' (2304 bits)" in text


def test_accumulators_and_state_on_the_move_need_room_together() -> None:
    """c0 keeps no state; a tile of it has 8 x 6 x 6 x 16 = 4608 bits, and so have the membranes of c1 from DRAM."""
    base = chain(depth=2)
    first = population("c0", (8, 6, 6), stateful=False)
    network = replace(base, populations=(base.populations[0], first, base.populations[2]))
    mapping = place(network, chip(), timesteps="one")
    moved = replace(mapping, layers=(mapping.layers[0], replace(mapping.layers[1], state="dram")))
    text = message(lambda: check_mapping(moved, network, chip(state=1151)))
    assert "9216 bits needed, 9208 bits available" in text
    for state, buffers in ((1152, 1), (1727, 1), (1728, 2)):
        assert check_mapping(moved, network, chip(state=state)).state_buffers == {"core[0]": buffers}


def test_values_are_checked_when_a_mapping_is_made() -> None:
    with pytest.raises(
        InputError, match=r"layers\.c0\.weights: not one of the choices; found 'residant'; .*'resident'"
    ):
        LayerMapping("c0", ("core",), 1, 1, weights="residant")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="weight_buffers: not one of the choices; found True"):
        LayerMapping("c0", ("core",), 1, 1, weight_buffers=True)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="tile_rows: must be an integer; found 0"):
        LayerMapping("c0", ("core",), 1, 0)
    with pytest.raises(InputError, match="a layer needs at least one core"):
        LayerMapping("c0", (), 1, 1)
    with pytest.raises(InputError, match="a core is named twice"):
        LayerMapping("c0", ("core", "core"), 1, 1)


def test_hardware_that_cannot_be_mapped_to() -> None:
    hardware = chip(dmas=0)
    assert "hardware bench: the hardware has no dma unit" in message(lambda: place(chain(), hardware))
    shared = chip(2)
    shared.units["core[1]"].state_memory = "state[0]"
    text = message(lambda: place(chain(), shared))
    assert "units.core[1].state_memory: the memory is already used by core[0].state_memory" in text


def test_tiles_are_dealt_out_in_turn() -> None:
    tiles = tiles_of(LayerMapping("x", ("a", "b"), 4, 2), (6, 5, 1))
    assert [(t.k0, t.k1, t.y0, t.y1, t.core) for t in tiles] == [
        (0, 4, 0, 2, "a"),
        (0, 4, 2, 4, "b"),
        (0, 4, 4, 5, "a"),
        (4, 6, 0, 2, "b"),
        (4, 6, 2, 4, "a"),
        (4, 6, 4, 5, "b"),
    ]


@pytest.mark.parametrize("make", [vgg11, resnet18])
@pytest.mark.parametrize("cores", [1, 4])
@pytest.mark.parametrize("timesteps", ["all", "one"])
def test_networks_of_the_zoo_fit_a_small_chip(make: Any, cores: int, timesteps: str) -> None:
    network = make()
    hardware = chip(cores, weight=288 * 1024, state=128 * 1024, spike=192 * 1024, lanes=64)
    mapping = place(network, hardware, timesteps=timesteps)  # type: ignore[arg-type]
    schedule = lower(mapping, network, hardware)
    assert schedule.prologue == 0 and schedule.weight_bits()[1] > 8 * 9_000_000
    assert place(network, hardware, timesteps=timesteps) == mapping  # type: ignore[arg-type]
