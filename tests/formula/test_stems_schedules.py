"""3-stems-run, off-chip part: bits that published schedules move between main memory and the global buffer.

Expected values: /reference of STEMS (arXiv 2502.03287, sjoks93/STEMS 323e004): closed forms over the sizes of the
published workload, confirmed to the digit by runs of the authors' code.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from simulator.hardware import load_hardware
from simulator.mapping import Mapping, lower
from simulator.mapping.fusion import Fusion, fused_entries
from simulator.mapping.schedule import LOAD, OPERANDS, SPIKE, STATE, STORE, WEIGHT, Schedule
from simulator.network import load_network
from simulator.network.stems import red_blocks

STATE_BITS, WEIGHT_BITS, IMAGE_BITS = 46_362_624, 4_751_872, 128 * 128 * 2 * 4 * 16
READ, WRITE = 700 / 64, 750 / 64


def schedule(
    time: str, depth: str, network: str = "sew_7plif", overrides: tuple[str, ...] = (), **fusion: Any
) -> Schedule:
    """The schedule of a network on `stems_meta1m`."""
    net, hardware = load_network(network), load_hardware("stems_meta1m", overrides)
    red = network == "red_lif"
    entries = fused_entries(net, hardware, time, depth, red_blocks() if red else None)
    mapping = Mapping(hardware.name, net.name, "all", entries, {}, 12 if red else 16, Fusion(**fusion))
    return lower(mapping, net, hardware)


def bits(found: Schedule, op: int, operand: int) -> int:
    """Bits of one operand in one direction."""
    return int(found.bits[(found.op == op) & (found.operand == operand)].sum())


def total(found: Schedule) -> int:
    """All bits moved."""
    return sum(bits(found, op, operand) for op in (LOAD, STORE) for operand in range(3))


def energy(found: Schedule) -> dict[str, float]:
    """pJ in main memory by operand; the network's outputs apart from its inputs."""
    return {
        "V": bits(found, LOAD, STATE) * READ + bits(found, STORE, STATE) * WRITE,
        "W": bits(found, LOAD, WEIGHT) * READ + bits(found, STORE, WEIGHT) * WRITE,
        "I": bits(found, LOAD, SPIKE) * READ,
        "O": bits(found, STORE, SPIKE) * WRITE,
    }


def test_layer_by_layer_step_by_step_is_exact() -> None:
    found = energy(schedule("0000000", "0000000"))
    assert found == {"V": 16_806_451_200, "W": 831_577_600, "I": 22_937_600, "O": 24_000}
    assert sum(found.values()) == 17_660_990_400


def test_batched_and_fused_is_at_the_floor() -> None:
    found = schedule("1111111", "1111111")
    assert energy(found) == {
        "V": STATE_BITS * (READ + WRITE), "W": WEIGHT_BITS * READ, "I": IMAGE_BITS * READ, "O": 2048 * WRITE
    }  # fmt: skip
    assert sum(energy(found).values()) / 1e9 == pytest.approx(1.1253, abs=5e-5)
    assert [round(energy(found)[key] / 1e9, 4) for key in "VWI"] == [1.0504, 0.0520, 0.0229]


def test_five_blocks_with_states_are_at_their_floor() -> None:
    found = schedule("0011111", "1111000", "sew_5plif")
    assert total(found) == 2 * 2_322_432 + WEIGHT_BITS + IMAGE_BITS + 2048


def test_order_of_schedules() -> None:
    stepped, batched, fused = (
        total(schedule(*bits)) for bits in (("0000000", "0000000"), ("1111111", "0000000"), ("1111111", "1111000"))
    )
    assert stepped > batched > fused
    assert stepped / fused == pytest.approx(1561.7 / 99.57, rel=1e-3)


def test_batches_of_whole_layers_move_the_maps_of_the_first_block() -> None:
    """Block 0: four maps written and five reads; the three maps of block 1 (4.19 Mb each) do not fit either."""
    found = schedule("1111111", "0000000")
    first, second = 16 * 1_048_576, 16 * 262_144
    assert bits(found, STORE, SPIKE) == 4 * first + 3 * second + 2048
    assert bits(found, LOAD, SPIKE) == IMAGE_BITS + 5 * first + 3 * second


def test_batches_of_whole_layers_in_two_megabytes() -> None:
    """The published estimate of 250.6 Mbit: states twice, weights and images once, block 0's maps 4 out and 5 in."""
    found = schedule("1111111", "0000000", overrides=("global.capacity_bytes=2097152",))
    assert total(found) == 2 * STATE_BITS + WEIGHT_BITS + IMAGE_BITS + 9 * 16 * 1_048_576 + 2048
    assert total(found) / 1e6 == pytest.approx(250.6, abs=0.05)


@pytest.mark.parametrize("size", [1_048_576, 2_097_152, 67_108_864])
def test_zero_start_forgets_states_that_stay(size: int) -> None:
    found = schedule("1111111", "1111111", overrides=(f"global.capacity_bytes={size}",), state_start="zero")
    assert total(found) == WEIGHT_BITS + IMAGE_BITS + 2048


def test_a_buffer_for_everything_moves_everything_once() -> None:
    found = schedule("0000000", "0000000", overrides=("global.capacity_bytes=67108864",))
    assert total(found) == 2 * STATE_BITS + WEIGHT_BITS + IMAGE_BITS + 2048


@pytest.mark.parametrize("eviction", ["stems_code", "uses_x_size"])
def test_smaller_buffers_move_more(eviction: str) -> None:
    sizes = [131_072, 262_144, 524_288, 1_048_576]
    moved = [
        total(schedule("1111111", "1111111", overrides=(f"global.capacity_bytes={n}",), eviction=eviction))
        for n in sizes
    ]
    assert moved == sorted(moved, reverse=True) and moved[0] > moved[-1]


def test_detector_states_move_every_step_and_fusion_helps_its_front() -> None:
    state = 14_853_120
    layers, batched = schedule("0" * 8, "0" * 8, "red_lif"), schedule("1" * 8, "0" * 8, "red_lif")
    assert bits(layers, LOAD, STATE) == bits(layers, STORE, STATE) == 12 * state
    assert bits(batched, LOAD, STATE) == bits(batched, STORE, STATE) == state
    fused = schedule("1" * 8, "11110000", "red_lif")
    assert total(fused) < 0.5 * total(batched)
    assert bits(fused, LOAD, WEIGHT) == 12_423_936


def test_every_output_is_computed_once() -> None:
    found = schedule("0111111", "0101100", "sew_7plif", ("global.capacity_bytes=262144",))
    net = load_network("sew_7plif")
    for i, name in enumerate(net.layers, 1):
        c, _, width = net.population(name).shape
        mine = (found.op == 1) & (found.layer == i)
        area = (found.k1 - found.k0)[mine] * (found.x1 - found.x0)[mine] * (found.t1 - found.t0)[mine]
        assert int(area.sum()) == c * width * 16, name
        seen = np.stack((found.k0, found.x0, found.t0), axis=1)[mine]
        assert len(np.unique(seen, axis=0)) == len(seen), name


def test_many_nodes_are_cheap() -> None:
    found = schedule("0" * 8, "1" * 8, "red_lif")
    assert int((found.op == 1).sum()) >= 12 * 2000
    assert OPERANDS[int(found.operand[0])] in ("weight", "spike")
