"""Runs, bursts and requests of tensor boxes against the plain definition, bit by bit; closed forms of whole boxes."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.mapping.layout import Layout, Runs, repeated, requests, runs
from tests.oracles.layout import bits_of, bursts_of

CASES = range(150)


def case(seed: int) -> tuple[Layout, tuple[int, int, int], tuple, int, np.random.Generator]:
    """A random layout, tensor, box and element size."""
    rng = np.random.Generator(np.random.PCG64(seed))
    order = ("row_major", "channel_last", "tiled")[seed % 3]
    shape = tuple(int(n) for n in rng.integers(1, 9, 3))
    tile = tuple(int(n) for n in rng.integers(1, 5, 3)) if order == "tiled" else None
    ends = [sorted(int(n) for n in rng.choice(size + 1, 2, replace=False)) for size in shape]
    box = tuple((low, high) for low, high in ends)
    return Layout(order, tile), shape, box, int(rng.choice([1, 2, 4, 8, 12, 16])), rng


def covered(start: np.ndarray, length: np.ndarray) -> list[int]:
    """Everything that the stretches hold, stretch by stretch."""
    return [at for a, n in zip(start.tolist(), length.tolist(), strict=True) for at in range(a, a + n)]


@pytest.mark.parametrize("seed", CASES)
def test_runs_hold_every_bit_once_and_do_not_touch(seed: int) -> None:
    layout, shape, box, bits, _ = case(seed)
    found = runs(layout, shape, box, bits)
    assert covered(found.start, found.bits) == sorted(bits_of(layout.order, layout.tile, shape, box, bits))
    assert (found.start[1:] > (found.start + found.bits)[:-1]).all()


@pytest.mark.parametrize("seed", CASES)
def test_bytes_hold_every_bit_and_each_byte_once(seed: int) -> None:
    layout, shape, box, bits, _ = case(seed)
    address, length = runs(layout, shape, box, bits).in_bytes()
    expected = {bit // 8 for bit in bits_of(layout.order, layout.tile, shape, box, bits)}
    assert covered(address, length) == sorted(expected)
    assert (address[1:] > (address + length)[:-1]).all()


@pytest.mark.parametrize("seed", CASES)
def test_bursts_and_overfetch_are_exact(seed: int) -> None:
    layout, shape, box, bits, rng = case(seed)
    burst = int(rng.choice([8, 24, 64, 512]))
    found = runs(layout, shape, box, bits)
    expected = bursts_of(bits_of(layout.order, layout.tile, shape, box, bits), burst)
    number, used = found.bursts(burst)
    assert dict(zip(number.tolist(), used.tolist(), strict=True)) == expected and number.size == len(expected)
    assert list(number) == sorted(number)
    volume = np.prod([high - low for low, high in box])
    assert found.overfetch_bits(burst) == len(expected) * burst - volume * bits


@pytest.mark.parametrize("seed", CASES)
def test_requests_are_bursts_in_a_row(seed: int) -> None:
    layout, shape, box, bits, rng = case(seed)
    burst, most = int(rng.choice([8, 64])), int(rng.integers(1, 6))
    found = runs(layout, shape, box, bits)
    first, count, asked = requests(found, burst, most)
    number, used = found.bursts(burst)
    assert covered(first, count) == number.tolist()
    assert count.max() <= most and asked.sum() == used.sum() == found.total_bits
    sums = dict(zip(number.tolist(), used.tolist(), strict=True))
    for a, n, total in zip(first.tolist(), count.tolist(), asked.tolist(), strict=True):
        assert total == sum(sums[a + i] for i in range(n))
    # A request ends only where it is full or where a burst is missing.
    ends = (first + count)[:-1]
    assert all(n == most or end != begin for n, end, begin in zip(count[:-1], ends, first[1:], strict=True))


@pytest.mark.parametrize("seed", CASES)
def test_copies_lie_a_stride_apart(seed: int) -> None:
    layout, shape, box, bits, _ = case(seed)
    one = bits_of(layout.order, layout.tile, shape, box, bits)
    stride = layout.elements(shape) * bits
    assert max(one) < stride
    found = repeated(runs(layout, shape, box, bits), stride, 3)
    assert covered(found.start, found.bits) == sorted(bit + i * stride for i in range(3) for bit in one)


@pytest.mark.parametrize("order,tile", [("row_major", None), ("channel_last", None), ("tiled", (4, 2, 8))])
def test_a_whole_tensor_is_one_run(order: str, tile: tuple[int, int, int] | None) -> None:
    found = runs(Layout(order, tile), (4, 6, 8), ((0, 4), (0, 6), (0, 8)), 4)
    assert (found.start.tolist(), found.bits.tolist()) == ([0], [4 * 6 * 8 * 4])


def test_rows_of_channels_by_hand() -> None:
    """Rows 2 and 3 of 64 channels of 32 x 32 bits: 64 runs of 64 bits, each in a burst of 512 of its own; channel last
    one run of 4096 bits in 8 bursts."""
    box = ((0, 64), (2, 4), (0, 32))
    rows = runs(Layout("row_major"), (64, 32, 32), box, 1)
    assert rows.start.tolist() == [1024 * c + 64 for c in range(64)] and set(rows.bits.tolist()) == {64}
    assert rows.overfetch_bits(512) == 64 * (512 - 64)
    last = runs(Layout("channel_last"), (64, 32, 32), box, 1)
    assert (last.start.tolist(), last.bits.tolist()) == ([2 * 32 * 64], [4096])
    assert last.overfetch_bits(512) == 0
    assert runs(Layout("tiled", (64, 2, 32)), (64, 32, 32), box, 1).start.tolist() == [4096]


def test_misaligned_run_takes_one_burst_more() -> None:
    found = Runs(np.array([500]), np.array([512]))
    assert found.overfetch_bits(512) == 512
    assert [part.tolist() for part in found.bursts(512)] == [[0, 1], [12, 500]]


@pytest.mark.parametrize("box", [((0, 0), (0, 1), (0, 1)), ((0, 3), (0, 1), (0, 1)), ((-1, 1), (0, 1), (0, 1))])
def test_a_box_outside_is_refused(box: tuple) -> None:
    with pytest.raises(InputError, match="inside its tensor"):
        runs(Layout("row_major"), (2, 2, 2), box, 1)


@pytest.mark.parametrize("order,tile", [("tiled", None), ("row_major", (1, 1, 1)), ("tiled", (0, 1, 1))])
def test_tiles_belong_to_the_tiled_order(order: str, tile: tuple[int, int, int] | None) -> None:
    with pytest.raises(InputError, match="tile"):
        Layout(order, tile)
