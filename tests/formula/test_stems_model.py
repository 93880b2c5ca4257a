"""The STEMS / ZigZag counting model: two runs of the authors' code, and words, states and times worked out by hand."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from benchmarks.stems import POINTS, Point, prepare
from simulator import Activity, Hardware, Network, load_hardware, lower, place
from simulator.costmodel.loopnest_types import LoopLayer
from simulator.costmodel.published.density import arriving
from simulator.costmodel.published.stems_array import array_of, main_memory
from simulator.costmodel.published.stems_crossbar import counts as crossbar_counts
from simulator.costmodel.published.stems_node import count
from simulator.costmodel.published.stems_timeline import Booking, last_end
from simulator.costmodel.published.stems_zigzag import Counts, counts
from simulator.network import Neuron, Population, Projection
from simulator.network.projection import Pool

R, W = 700 / 64, 750 / 64


def small(pool: Pool | None = None, inputs: int = 16) -> Network:
    """`inputs` channels of 8 x 8 into 32 channels of 8 x 8 (pooled: 4 x 4), weights of 8 bits, membranes of 16."""
    side = 8 if pool is None else 4
    populations = (
        Population("l0", (inputs, 8, 8), Neuron("input")),
        Population("l1", (32, side, side), Neuron("if", membrane_bits=16)),
    )
    made = Projection("p", "l0", "l1", "conv", (3, 3), padding=(1, 1), pool=pool)
    return Network("small", populations, (made,), "int")


def counted(network: Network, hardware: Hardware, rate: float = 1.0, steps: int = 4, samples: int = 1) -> Counts:
    """What the model says of the default mapping."""
    mapping = place(network, hardware, timesteps_hint=steps)
    found = counts(lower(mapping, network, hardware), hardware, Activity.bernoulli(network, rate, steps, samples))
    assert found is not None
    return found


@lru_cache(maxsize=2)
def published(title: str) -> Counts:
    """A point of the study, dense."""
    steps, depth, _ = POINTS[title]
    network, hardware, mapping, length = prepare(Point("7PLIF", steps, depth))
    found = counts(lower(mapping, network, hardware), hardware, Activity.bernoulli(network, 1.0, length))
    assert found is not None
    return found


@pytest.mark.parametrize("title", list(POINTS))
def test_runs_of_the_authors_code_come_out(title: str) -> None:
    """Main memory to the digit; memories, total and cycles as near as the search for loop orders allows."""
    found, reference = published(title), POINTS[title][2]
    energy: dict[str, float] = {}
    for (memory, operand, way), words in found.words.items():
        if memory == "dram":
            energy[operand] = energy.get(operand, 0.0) + words * 64 * (R if way == "read" else W)
    named = {"V": "state", "W": "weight", "I": "input", "O": "output"}
    assert {named[key]: value for key, value in energy.items()} == {key: reference[key] for key in named.values()}
    sram = sum(words * 64 * (0.10 if way == "read" else 0.12)
               for (memory, _, way), words in found.words.items() if memory == "weight")  # fmt: skip
    assert sram == pytest.approx(reference["weight SRAM"], rel=0.01)
    assert found.energy_pj == pytest.approx(reference["total"], rel=0.02)
    assert found.latency_ps == pytest.approx(reference["cycles"] * 1000, rel=0.07)


def test_words_of_transfers_have_a_ceil_each() -> None:
    """5 channels in: 11,520 bits of weights once, 4 timesteps of 320 spikes per sample; outputs stay on chip.

    Bursts have 512 bits: 22.5 and 2.5 of them.  On chip, words of 512 bits for weights, of 64 for spikes.
    """
    found = counted(small(inputs=5), load_hardware("event_core_28nm"), steps=4, samples=3).words
    assert found["dram", "W", "read"] == found["weight", "W", "write"] == 23
    assert found["dram", "I", "read"] == 3 * 3 and found["spike", "I", "write"] == 3 * 20
    assert ("dram", "O", "write") not in found


@pytest.mark.parametrize(("chip", "words"), [("event_core_28nm", 4 * 2048 * 16 / 1024), ("sia_pynqz2", 4 * 2048)])
def test_states_are_read_and_written_in_every_timestep(chip: str, words: float) -> None:
    """2,048 membranes of 16 bits in words of 1,024 and of 16 bits."""
    found = counted(small(), load_hardware(chip)).words
    assert found["state", "V", "read"] == found["state", "V", "write"] == words


def test_states_stay_in_registers_for_a_node_of_the_array() -> None:
    """One node for all timesteps: 2,048 x 16 bits in words of 1,024, once each way beside main memory's own moves."""
    hardware = load_hardware("stems_meta1m")
    found = counted(small(), hardware).words
    held = 2048 * 16
    assert found["dram", "V", "read"] == found["dram", "V", "write"] == held / 64
    assert found["global", "V", "read"] == found["global", "V", "write"] == 2 * held / 1024


def test_what_skips_is_scaled_and_nothing_else() -> None:
    """Energy is affine in i_rate; an array without gating does not see it."""
    for chip, sees in (("event_core_28nm", True), ("sia_pynqz2", True), ("stems_meta1m", False)):
        network, hardware = small(), load_hardware(chip)
        low, mid, high = (counted(network, hardware, rate) for rate in (0.0, 0.5, 1.0))
        assert mid.energy_pj == pytest.approx((low.energy_pj + high.energy_pj) / 2)
        assert (low.energy_pj < high.energy_pj) == sees
        assert (low.latency_ps < high.latency_ps) == sees
    gated = load_hardware("stems_meta1m", ["array.gating=energy"])
    low, high = (counted(small(), gated, rate) for rate in (0.25, 1.0))
    assert high.energy_pj - low.energy_pj == pytest.approx(0.75 * 0.07 * 16 * 32 * 9 * 64 * 4)
    assert high.latency_ps == low.latency_ps


def test_pooled_inputs_are_zero_where_all_are() -> None:
    network = small(pool=Pool("or", (2, 2), (2, 2)))
    assert arriving(network.projections[0], 0.5) == 1 - 0.5**4
    assert arriving(small().projections[0], 0.5) == 0.5


def test_a_nest_by_hand() -> None:
    """1 x 1 convolution, K 64 x C 8 over 16 places on the event core: 64 x 4 lanes, two rounds of channels."""
    array = array_of(load_hardware("event_core_28nm").unit("core"), load_hardware("event_core_28nm"))
    assert array is not None and array.machine.elements == 256
    sizes = {"B": 1, "K": 64, "C": 8, "OY": 4, "OX": 4, "FY": 1, "FX": 1}
    found = count(LoopLayer("one", sizes, {"W": 8, "I": 1, "O_partial": 16, "O_final": 1}), array)
    assert found.mac_pj == pytest.approx(8 * 64 * 16 * 0.1926)
    # Weights stay while the 16 places pass: every weight leaves its memory once, 256 x 8 bits in words of 512.
    assert found.words[0]["weight", "W", "read"] == 2 * 4
    # Sums are read and written in every round, 64 x 16 bits; 1,024 spikes leave once in words of 64.
    assert found.words[0]["state", "O", "read"] == found.words[0]["state", "O", "write"] == 2 * 16
    assert found.words[1]["spike", "O", "write"] == 64 * 16 / 64
    assert found.cycles >= 2 * 16


def test_a_main_memory_with_rows_has_a_price_per_bit() -> None:
    hardware = load_hardware("stems_meta1m_lpddr4")
    flat = main_memory(hardware.unit("dram"), hardware)
    assert 1 < flat.read_pj < 20 and 1 < flat.write_pj < 20
    assert flat.bits / flat.ps == pytest.approx(6.4 * 8 / 1000, rel=1e-9)  # 6.4 GB/s of the channel in the file
    plain = load_hardware("stems_meta1m")
    assert main_memory(plain.unit("dram"), plain) == (64, 1000.0, R, W)


@pytest.mark.parametrize(("tasks", "ps", "end"), [
    ([], [], 0),
    ([(0, -1, ()), (0, -1, ())], [3, 4], 7),
    ([(0, -1, ()), (1, -1, ())], [3, 4], 4),
    ([(0, 5, ()), (1, 5, ())], [3, 4], 7),
    ([(0, 5, ()), (1, -1, (0,)), (2, 5, (1,)), (0, 5, ())], [2, 10, 2, 3], 14),
])  # fmt: skip
def test_links_are_booked_as_early_as_they_are_free(
    tasks: list[tuple[int, int, tuple[int, ...]]], ps: list[float], end: float
) -> None:
    """In order on a unit; side by side on two; one after another on a link; a later load before an earlier store."""
    assert last_end([Booking(*task) for task in tasks], ps) == end


def test_vectors_of_crossbars_by_hand() -> None:
    """3 x 3 from 16 to 32 channels on 64 x 64 arrays of 8 mux steps: 32 columns are 4 steps of 3 cycles of 4 ns."""
    hardware, network = load_hardware("cim_spikesim64"), small()
    network = Network("small", network.populations,
                      (Projection("p", "l0", "l1", "conv", (3, 3), padding=(1, 1), weight_bits=4),), "int")  # fmt: skip
    words, energy, ps = crossbar_counts(hardware, Activity.bernoulli(network, 0.25, 5))
    assert ps == 64 * 5 * 4 * 3 * 4000
    assert words["cim", "I", "read"] == pytest.approx(64 * 5 * 0.25 * 1)  # 144 bits through a port of 576
    assert words["cim", "O", "write"] == 64 * 5
    rows, columns = 0.25 * 144 * 0.22052875, 32 * (0.094245 + 2.03084)
    port = 576 * 0.0484619140625
    states = 2 * 32 * 16 * 0.00164772727
    assert energy == pytest.approx(64 * 5 * (rows + columns + 0.25 * port + port + states), rel=1e-5)


def test_chips_without_an_array_are_not_answered() -> None:
    network = Network("two", (Population("l0", (4, 1, 1), Neuron("input")), Population("l1", (3, 1, 1), Neuron("if"))),
                      (Projection("p", "l0", "l1", "linear", weights=np.ones((3, 4), np.int8)),), "int")  # fmt: skip
    hardware = load_hardware("tinyodin")
    schedule = lower(place(network, hardware), network, hardware)
    assert counts(schedule, hardware, Activity.bernoulli(network, 0.5, 3)) is None
