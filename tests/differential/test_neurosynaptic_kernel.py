"""4-random: kernel of the neurosynaptic core against a core clock by clock (tests/oracles/neurosynaptic.py)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simulator.components.neurosynaptic_core import OPERATIONS, Core, Registers
from tests.oracles.neurosynaptic import Neuron, OracleCore, Setup

FIELDS = ("v", "threshold", "leak", "disabled", "ca_enabled", "theta", "th1", "th2", "th3", "caleak", "calcium",
          "counter", "up", "down")  # fmt: skip
CASES = 200


def random_registers(rng: np.random.Generator, odin: bool) -> Registers:
    """Registers with small sweeps and FIFOs, so that FIFOs fill and spikes are lost."""

    def coin(p: float = 0.5) -> bool:
        return bool(rng.random() < p)

    last = 8 * int(rng.integers(1, 5)) - 1 if odin else int(rng.integers(0, 30))
    return Registers(
        dialect="odin" if odin else "tinyodin",
        last_neuron=last,
        fifo_depth=int(rng.integers(1, 6)),
        open_loop=coin(0.3),
        source_addresses=coin(0.25),
        request_delay=int(rng.integers(0, 4)),
        acknowledge_delay=int(rng.integers(0, 6)),
        release_delay=int(rng.integers(0, 6)),
        update_unmapped=odin and coin(),
        propagate_unmapped=odin and coin(),
        learn_on_synapse=odin and coin(),
        monitored=int(rng.integers(0, last + 1)),
        inhibits=frozenset(np.flatnonzero(rng.random(256) < 0.3).tolist()) if odin else frozenset(),
        cut_cycle=int(rng.integers(1, 1500)) if coin(0.15) else 1 << 62,
    )


def random_neurons(rng: np.random.Generator, odin: bool) -> np.ndarray:
    """int16 [14, 256]: thresholds near the membranes, so that there are spikes; learning flags at zero."""
    found = np.zeros((len(FIELDS), 256), np.int16)
    found[1] = rng.integers(0, 30, 256)
    found[2] = rng.integers(0, 9, 256)
    found[3] = rng.random(256) < 0.2
    if not odin:
        found[0] = rng.integers(-2048, 2048, 256) if rng.random() < 0.2 else rng.integers(-25, 25, 256)
        found[1][rng.random(256) < 0.2] = 4095
        return found
    found[0] = rng.integers(0, 256, 256) if rng.random() < 0.2 else rng.integers(0, 25, 256)
    found[1][rng.random(256) < 0.2] = 255
    found[4] = rng.random(256) < 0.7
    found[5] = rng.integers(0, 20, 256)
    for row, high in ((6, 4), (7, 8), (8, 8), (9, 4), (10, 8), (11, 4)):
        found[row] = rng.integers(0, high, 256)
    return found if rng.random() < 0.8 else np.where(np.arange(len(FIELDS))[:, None] == 4, np.int16(0), found)


def random_words(rng: np.random.Generator, odin: bool, last: int, n: int) -> list[int]:
    """Input words of every kind."""
    words = []
    for _ in range(n):
        a, b = (int(x) for x in rng.integers(0, last + 1, 2))
        kind = int(rng.integers(0, 12))
        if not odin:
            high = (0, 0, 0, 256, 256, 512, 512, 512, 768)[kind % 9]
            words.append(high | (255 if kind == 3 else int(rng.integers(0, 256)) if high & 512 else a))
        elif kind < 3:
            words.append(a << 8 | 7)
        elif kind < 5:
            words.append(a << 8 | int(rng.integers(0, 32)) << 3 | 1)
        elif kind < 7:
            words.append(1 << 16 | a << 8 | b)
        elif kind < 9:
            words.append(a << 8 | (127 if kind == 7 else 255))
        elif kind < 11:
            words.append(a << 8 | 128)
        else:
            words.append(int(rng.integers(0, 1 << 7)) | a << 8 if rng.random() < 0.8 else a << 8)
    return words


def oracle_of(registers: Registers, neurons: np.ndarray, synapses: np.ndarray) -> OracleCore:
    """The same core for the plain definition."""
    r = registers
    setup = Setup(
        odin=r.dialect == "odin", depth=r.fifo_depth, last=r.last_neuron, open_loop=r.open_loop,
        sources=r.source_addresses, q=r.request_delay, d=r.acknowledge_delay, e=r.release_delay,
        update_unmapped=r.update_unmapped, propagate_unmapped=r.propagate_unmapped, learn_on_synapse=r.learn_on_synapse,
        monitored=r.monitored, inhibits=r.inhibits, cut=r.cut_cycle,
    )  # fmt: skip
    plain = [Neuron(**dict(zip(FIELDS, column, strict=True))) for column in neurons.T.tolist()]
    return OracleCore(setup, plain, synapses.tolist())


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("odin", [False, True], ids=["tinyodin", "odin"])
def test_kernel_equals_the_core_clock_by_clock(odin: bool, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64([seed, odin]))
    registers = random_registers(rng, odin)
    neurons = random_neurons(rng, odin)
    synapses = rng.integers(0, 16, (256, 256)).astype(np.uint8)
    words = random_words(rng, odin, registers.last_neuron, int(rng.integers(1, 22)))
    due = np.sort(rng.integers(0, int(rng.integers(1, 900)), len(words)))
    oracle = oracle_of(registers, neurons, synapses)
    # A loop that never dies is cut off, so that every case ends.
    cut = min(registers.cut_cycle, 2500)
    oracle.setup.cut = cut
    core = Core(Registers(**{**vars(registers), "cut_cycle": cut}), neurons, synapses, rows=8)
    oracle.run(list(zip(due.tolist(), words, strict=True)))
    log = core.run(due, np.array(words))

    spikes = [[*row[:4], OPERATIONS[row[4]], row[5]] for row in log.spikes.tolist()]
    assert spikes == oracle.spikes
    assert core.neurons.T.tolist() == [[getattr(neuron, name) for name in FIELDS] for neuron in oracle.neurons]
    assert core.synapses.tolist() == oracle.synapses
    operations = [[OPERATIONS[row[0]], *row[1:]] for row in log.operations.tolist()]
    transfers = log.transfers.tolist()
    events = [[*row[:6], OPERATIONS[row[6]]] for row in log.events[: log.done].tolist()]
    assert events == oracle.events[: log.done]
    if oracle.finished:
        assert log.done == len(words) == len(oracle.events)
        assert operations == oracle.operations
        assert transfers == oracle.transfers
        counts = log.counts
        assert (counts["neuron_reads"], counts["neuron_writes"]) == (oracle.reads, oracle.writes)
        assert (counts["synapse_reads"], counts["synapse_writes"]) == (oracle.synapse_reads, oracle.synapse_writes)
        assert (counts["dropped"], counts["highest_fill"]) == (oracle.dropped, oracle.highest_fill)
        assert (log.last_active_cycle, log.output_busy_cycles) == (oracle.last_active, oracle.busy_cycles)
        assert {k: v for k, v in log.state_cycles.items() if v} == {
            k: v for k, v in oracle.state_cycles.items() if k != "WAIT"
        }
    else:
        over = [row for row in operations if row[2] < cut - 1]
        assert over == oracle.operations[: len(over)]
        over_there = [row for row in transfers if row[5] < cut]
        assert over_there == oracle.transfers[: len(over_there)]


@pytest.mark.parametrize("odin", [False, True], ids=["tinyodin", "odin"])
def test_a_run_that_is_continued_equals_one_in_a_piece(odin: bool) -> None:
    rng = np.random.Generator(np.random.PCG64([3, odin]))
    registers = replace(random_registers(rng, odin), open_loop=True, cut_cycle=1 << 62)
    neurons, synapses = random_neurons(rng, odin), rng.integers(0, 16, (256, 256)).astype(np.uint8)
    words = np.array(random_words(rng, odin, registers.last_neuron, 16))
    due = np.where(np.arange(16) < 7, 0, 50_000)
    whole = Core(registers, neurons.copy(), synapses.copy())
    log = whole.run(due, words)
    core = Core(registers, neurons, synapses)
    parts = [core.run(due[:7], words[:7]), core.run(due, words)]
    assert core.neurons.tolist() == whole.neurons.tolist() and core.synapses.tolist() == whole.synapses.tolist()
    for table in ("events", "operations", "spikes", "transfers"):
        assert np.concatenate([getattr(part, table) for part in parts]).tolist() == getattr(log, table).tolist()
    assert parts[1].counts == log.counts
