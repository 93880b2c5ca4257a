"""What part of which tensor a load or store moves: boxes, sizes of elements, timesteps; and what has no fixed size."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from simulator.engine.board import Job
from simulator.engine.context import Tensor
from simulator.mapping.schedule import SPIKE, STATE, WEIGHT
from simulator.network import Network, Neuron, Population
from simulator.workload import Workload

SHAPE = (4, 8, 6)
NETWORK = Network("n", (Population("in", SHAPE, Neuron("input")),), ())


def tensor(operand: int, bits: int, spike_format: str = "bitmap", population: int = 0, **extent: int) -> Tensor | None:
    """Of one row that moves channels 1 to 3 and rows 2 to 5, in a repetition of timesteps 0 to 9."""
    row = {"operand": operand, "population": population, "k0": 1, "k1": 3, "y0": 2, "y1": 5}
    columns = {name: np.array([value]) for name, value in row.items()}
    columns |= {name: np.array([extent[name]] if extent else [], np.int32) for name in ("x0", "x1", "t0", "t1")}
    schedule = SimpleNamespace(populations=("in",), **columns)
    work = SimpleNamespace(schedule=schedule, network=NETWORK, spike_format=spike_format,
                           transfer=lambda job: (bits, "", "", "", False))  # fmt: skip
    return Workload.tensor(cast(Any, work), Job(0, 0, 0, 9))


def test_a_bit_map_of_spikes_per_timestep() -> None:
    assert tensor(SPIKE, 2 * 3 * 6 * 9) == Tensor(SHAPE, ((1, 3), (2, 5), (0, 6)), 1, 9)


def test_states_are_there_once_with_all_their_bits() -> None:
    assert tensor(STATE, 2 * 3 * 6 * 12) == Tensor(SHAPE, ((1, 3), (2, 5), (0, 6)), 12, 1)


def test_rows_with_columns_and_timesteps_of_their_own() -> None:
    """Two columns, three timesteps, values of four bits."""
    found = tensor(SPIKE, 2 * 3 * 2 * 3 * 4, x0=1, x1=3, t0=4, t1=7)
    assert found == Tensor(SHAPE, ((1, 3), (2, 5), (1, 3)), 4, 3)


@pytest.mark.parametrize(
    "operand,spike_format,population,bits",
    [(SPIKE, "address", 0, 324), (WEIGHT, "bitmap", -1, 324), (STATE, "bitmap", 0, 37), (STATE, "bitmap", 0, 1)],
)
def test_what_has_no_fixed_size(operand: int, spike_format: str, population: int, bits: int) -> None:
    assert tensor(operand, bits, spike_format, population) is None
