"""Earliest cycles of the neurosynaptic core, and its published periods: cycles from the text of the specification."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.neurosynaptic_core import OPERATIONS, Core, Log, Registers

TREF, PUSH, POP_NEUR, POP_VIRT = (OPERATIONS.index(name) for name in ("TREF", "PUSH", "POP_NEUR", "POP_VIRT"))
TINY_ALL = 256 | 255
ODIN_ALL = 0x7F


def run(dialect: str, events: list[tuple[int, int]], thresholds: dict[int, int] | None = None, **registers) -> Log:
    """Runs (due, word) events on a core whose neurons never fire, but those in `thresholds`; weights are 1."""
    neurons = np.zeros((14, 256), np.int16)
    neurons[1] = 4095 if dialect == "tinyodin" else 255
    for neuron, threshold in (thresholds or {}).items():
        neurons[1, neuron] = threshold
    core = Core(Registers(dialect, **registers), neurons, np.full((256, 256), 9 if dialect == "odin" else 1, np.uint8))
    due, words = zip(*events, strict=True)
    return core.run(np.array(due), np.array(words))


def starts(log: Log, operation: int) -> list[int]:
    """First cycles of an operation."""
    return log.operations[log.operations[:, 0] == operation, 1].tolist()


def test_an_idle_core_answers_as_specified() -> None:
    log = run("tinyodin", [(10, 5)])
    # Request, seen + 2, PUSH + 3, acknowledge + 4, request low + 5, waits + 8, POP + 9.
    assert log.events[0, :6].tolist() == [10, 12, 13, 14, 15, 18]
    assert starts(log, POP_NEUR) == [19]


@pytest.mark.parametrize(
    ("dialect", "word", "period"), [("tinyodin", 5, 520), ("odin", 5 << 8 | 7, 519)], ids=["tinyodin", "odin"]
)
def test_saturated_external_neuron_events(dialect: str, word: int, period: int) -> None:
    begins = starts(run(dialect, [(0, word)] * 12), POP_NEUR)
    assert np.diff(begins)[2:].tolist() == [period] * 9


@pytest.mark.parametrize(("dialect", "period"), [("tinyodin", 514), ("odin", 513)])
def test_events_out_of_the_fifo(dialect: str, period: int) -> None:
    # Each event makes neuron 1 spike into the FIFO again, which goes on until the run is cut off.
    word = 5 if dialect == "tinyodin" else 5 << 8 | 7
    log = run(dialect, [(0, word)], {1: 1}, source_addresses=True, monitored=0, cut_cycle=20_000)
    begins = starts(log, POP_NEUR)
    # Each sweep sends its source: tinyodin stands behind the sweep, odin in it, 8 cycles either way.
    assert len(begins) > 30 and set(np.diff(begins).tolist()) == {period + 8}


@pytest.mark.parametrize("delays", [(0, 0), (1, 1), (5, 3), (0, 9)])
def test_a_spike_stops_the_sweep_for_six_cycles_and_the_receivers_delays(delays: tuple[int, int]) -> None:
    registers = {"acknowledge_delay": delays[0], "release_delay": delays[1], "open_loop": True, "last_neuron": 7}
    calm = run("tinyodin", [(0, 1)], **registers)
    stopped = run("tinyodin", [(0, 1)], {3: 1}, **registers)
    assert stopped.operations[1, 2] - calm.operations[1, 2] == stopped.operations[1, 4] == 6 + sum(delays)
    # A spike of the last neuron costs the same behind the sweep, before the pop.
    behind = run("tinyodin", [(0, 1)], {7: 1}, **registers)
    assert behind.operations[1, 4] == 0
    assert behind.operations[2, 2] - calm.operations[2, 2] == behind.operations[2, 4] == 6 + sum(delays)


@pytest.mark.parametrize(("depth", "served"), [(2, ["TREF", "POP_NEUR"]), (3, ["TREF", "PUSH"])])
def test_a_full_fifo_withholds_the_acknowledge(depth: int, served: list[str]) -> None:
    # A time reference makes neurons 2 and 3 spike.  The link is busy behind the last one for so long that the next
    # request is seen before the controller decides: it must wait where two spikes fill the FIFO.
    log = run("tinyodin", [(0, TINY_ALL), (0, 5)], {2: 0, 3: 0}, fifo_depth=depth, last_neuron=3, cut_cycle=300)
    assert [OPERATIONS[kind] for kind in log.operations[:2, 0].tolist()] == served
    # TREF 4 .. 19 (8 cycles of it behind neuron 2), done 24, request 25, seen 27, link idle 28, decision there.
    assert log.operations[0, 1:3].tolist() == [4, 19] and log.transfers[1, 5] == 28
    assert log.operations[1, 1] == 29
    if depth == 3:
        assert log.events[1, :2].tolist() == [25, 27]


def test_bistability_waits_for_queued_events_and_other_requests_do_not() -> None:
    neuron, bistable = 5 << 8 | 7, 3 << 8 | 128
    yields = run("odin", [(0, neuron), (0, bistable)])
    served = [OPERATIONS[kind] for kind in yields.operations[:, 0].tolist()]
    assert served == ["PUSH", "POP_NEUR", "BIST"]
    assert yields.operations[2, 2] - yields.operations[2, 1] + 1 == 64
    everything = run("odin", [(0, 0)])
    assert everything.operations[0, 2] - everything.operations[0, 1] + 1 == 16384
    log = run("odin", [(0, neuron), (0, ODIN_ALL)])
    assert [OPERATIONS[kind] for kind in log.operations[:, 0].tolist()] == ["PUSH", "POP_NEUR", "TREF"]
