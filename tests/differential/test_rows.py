"""When rows start and end: the kernel against its plain definition, and cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.costmodel.timing import Row, Rows
from tests.oracles import rows as plain


@pytest.mark.parametrize("seed", range(25))
def test_kernel_agrees_with_its_definition(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    units, layers, prices = int(rng.integers(1, 5)), int(rng.integers(1, 5)), int(rng.integers(1, 9))
    rows = []
    for i in range(int(rng.integers(0, 60))):
        after = rng.choice(i, size=int(rng.integers(0, min(i, 3) + 1)), replace=False) if i else []
        rows.append(
            Row(
                int(rng.integers(units)),
                int(rng.integers(layers)),
                tuple(int(j) for j in after),
                int(rng.integers(prices)),
                bool(rng.random() < 0.6),
                int(rng.integers(-1, 3)),
            )
        )
    depth, launch = int(rng.integers(1, 5)), float(rng.integers(0, 4))
    hold = rng.integers(0, 20, (prices, 3)).astype(np.float64)
    done = hold + rng.integers(0, 6, (prices, 3))
    use = rng.integers(0, 20, (prices, 3)).astype(np.float64)
    made = Rows(rows, layers, depth).run(hold, done, launch, use)
    for n in range(3):
        prices_now = (x[:, n].tolist() for x in (hold, done, use))
        end, busy, first, last = plain.run_rows(rows, *prices_now, layers, launch, depth)
        assert made.end[n] == end
        assert made.busy[n].tolist() == busy
        assert made.start[n].tolist() == first
        assert made.last[n].tolist() == last


def spans(rows: list[Row], hold: list[float], launch: float = 0, depth: int = 16) -> tuple[float, list[float]]:
    """End, and busy time of the layers, of rows that are complete when they free their unit."""
    price = np.array(hold, np.float64)[:, None]
    made = Rows(rows, 3, depth).run(price, price, launch)
    return float(made.end[0]), made.busy[0].tolist()


def test_rows_of_a_unit_follow_each_other_and_wait_for_what_they_need() -> None:
    rows = [Row(0, 0, (), 0, False), Row(1, 1, (0,), 1, True), Row(0, 0, (), 0, False), Row(1, 2, (2, 1), 2, True)]
    assert spans(rows, [5, 7, 1]) == (13, [0, 7, 1])  # loads end at 5 and 10, the layers run 5 .. 12 and 12 .. 13
    assert spans(rows, [5, 2, 1]) == (11, [0, 2, 1])  # the second layer waits for its load until 10


def test_a_full_queue_keeps_the_host_from_the_rows_behind() -> None:
    """Depth 1: unit 0 has taken a row and another waits, so that the third is handed out when the first ends."""
    rows = [Row(0, 0, (), 0, False)] * 3 + [Row(1, 1, (), 1, True)]
    assert spans(rows, [10, 25], depth=1)[0] == 35
    assert spans(rows, [10, 25], depth=2)[0] == 30
    assert spans(rows, [10, 25], launch=3, depth=2)[0] == 4 * 3 + 25


def test_rows_of_a_layer_that_overlap_count_once() -> None:
    rows = [Row(0, 1, (), 0, True), Row(1, 1, (), 1, True)]
    assert spans(rows, [4, 6]) == (6, [0, 6, 0])


def test_rows_that_share_a_memory_end_when_it_has_worked_for_all_of_them() -> None:
    """Two channels of one memory: alone each takes 10 + 2, of which the memory works 10."""
    rows = [Row(0, 0, (), 0, False, 5), Row(1, 0, (), 0, False, 5), Row(0, 0, (), 0, False, 5)]
    price, use = np.array([[12.0]]), np.array([[10.0]])
    assert Rows(rows[:1], 1, 4).run(price, price, 0, use).end[0] == 12
    assert Rows(rows[:2], 1, 4).run(price, price, 0, use).end[0] == 20
    assert Rows(rows, 1, 4).run(price, price, 0, use).end[0] == 30
    alone = [row._replace(memory=-1) for row in rows]
    assert Rows(alone, 1, 4).run(price, price, 0, use).end[0] == 24
