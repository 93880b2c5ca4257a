"""The ledger counts in int64 and checks its names and its size."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError, InvariantError
from simulator.ledger import MAX_COUNTERS, Ledger, check_counters

LAYERS = ("unattributed", "conv")


def test_counts_land_in_their_cell_and_add_up() -> None:
    ledger = Ledger(("core", "dram"), LAYERS, ("read:weight", "write:weight"))
    ledger.add(1, 1, ledger.index("write:weight"), 5)
    ledger.add(1, 1, ledger.index("write:weight"), 2**40)
    expected = np.zeros((2, 2, 2), np.int64)
    expected[1, 1, 1] = 5 + 2**40
    assert ledger.counts.dtype == np.int64
    assert (ledger.counts == expected).all()


def test_an_unknown_action_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'read:wieght'.*did you mean 'read:weight'"):
        Ledger(("core",), LAYERS, ("read:weight", "write:state")).index("read:wieght")


@pytest.mark.parametrize(
    ("units", "layers", "actions", "message"),
    [
        (("a",), ("conv",), ("x:y",), "unattributed"),
        (("a", "a"), LAYERS, ("x:y",), "two units of the same name"),
        (("a",), (*LAYERS, "conv"), ("x:y",), "two layers of the same name"),
        (("a",), LAYERS, ("x:y", "x:y"), "two actions of the same name"),
    ],
)
def test_wrong_names_are_refused(
    units: tuple[str, ...], layers: tuple[str, ...], actions: tuple[str, ...], message: str
) -> None:
    with pytest.raises(InvariantError, match=message):
        Ledger(units, layers, actions)


def test_the_size_is_checked_before_memory_is_taken() -> None:
    check_counters(1, 1, MAX_COUNTERS)
    with pytest.raises(InputError, match="the ledger would be too large"):
        check_counters(2, 1, MAX_COUNTERS)
