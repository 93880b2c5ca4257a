"""The neurosynaptic core as a unit, alone on an event loop: 4-random for its two engines, its ledger, its timeline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.components.neurosynaptic_core import Core, Image, NeurosynapticCore, Recording, Registers, Stimulus
from simulator.engine.board import Board, Job, JobQueue
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.hardware import load_hardware
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from simulator.ledger import UNATTRIBUTED, Ledger
from tests.differential.test_neurosynaptic_kernel import random_neurons, random_registers, random_words
from tests.order.shuffled import ShuffledEnvironment

HZ = 75_000_000
CASES = 200
LONGEST = 4000


@dataclass
class Bench:
    """One core with a queue of samples, without a machine around it."""

    env: Environment
    core: NeurosynapticCore
    ledger: Ledger

    def counts(self, layer: int = 1) -> dict[str, int]:
        """Action -> count of a ledger row; 1 is the layer's."""
        return dict(zip(self.ledger.actions, self.ledger.counts[0, layer].tolist(), strict=True))


def spec_of(registers: Registers):
    """The description of a core with these registers."""
    name = "odin28" if registers.dialect == "odin" else "tinyodin"
    values = {
        "dialect": registers.dialect, "last_neuron": registers.last_neuron, "fifo_depth": registers.fifo_depth,
        "open_loop": registers.open_loop, "source_addresses": registers.source_addresses,
        "request_delay_cycles": registers.request_delay, "acknowledge_delay_cycles": registers.acknowledge_delay,
        "release_delay_cycles": registers.release_delay, "update_unmapped": registers.update_unmapped,
        "propagate_unmapped": registers.propagate_unmapped, "learn_on_synapse": registers.learn_on_synapse,
        "monitored": registers.monitored,
    }  # fmt: skip
    return CHIPS[name].unit("core").model_copy(update=values)


CHIPS = {name: load_hardware(name) for name in ("odin28", "tinyodin")}


def run_core(
    registers: Registers,
    samples: list[tuple[Image, Stimulus]],
    reference: bool = False,
    environment: Environment | None = None,
) -> Bench:
    """Runs samples one after another on the core, all commanded at time 0."""
    env = environment or Environment()
    spec = spec_of(registers)
    ledger = Ledger(["core"], [UNATTRIBUTED, "layer"], [action.name for action in spec.ACTIONS])
    board = Board(env, len(samples))
    work = SimpleNamespace(
        layer=lambda row: 1, after=lambda row: ([], []), stimulus=lambda row, sample: samples[row], delivered=0
    )
    log = StateLog(spec.STALLS, paint, add_runs, timeline=True)
    queue = JobQueue(env, len(samples))
    ctx = Context("core", 0, env, Clock("core", HZ), ledger, log, board, queue, work, reference, 0, {})
    core = NeurosynapticCore(ctx, spec)
    core.connect({})
    core.start()
    complete = board.begin(range(len(samples)))

    def host():
        for row in range(len(samples)):
            yield from queue.put(Job(row, 0, 0, 1))
        yield complete

    env.run(until=env.process(host()))
    return Bench(env, core, ledger)


def random_sample(rng: np.random.Generator, registers: Registers) -> tuple[Image, Stimulus]:
    """A random core, and input of every kind."""
    odin = registers.dialect == "odin"
    image = Image(
        random_neurons(rng, odin), rng.integers(0, 16, (256, 256)).astype(np.uint8), registers.inhibits
    )
    words = random_words(rng, odin, registers.last_neuron, int(rng.integers(1, 16)))
    due = np.sort(rng.integers(0, int(rng.integers(1, 600)), len(words)))
    return image, Stimulus(due, np.array(words))


def ending(registers: Registers, image: Image, stimulus: Stimulus) -> Registers:
    """The registers, with an open loop where spikes would go round for good; no run is cut off."""
    core = Core(replace(registers, cut_cycle=LONGEST), image.neurons.copy(), image.synapses.copy())
    endless = core.run(stimulus.due, stimulus.words).last_active_cycle >= LONGEST // 2
    return replace(registers, cut_cycle=1 << 62, open_loop=registers.open_loop or endless)


def assert_same(ours: Recording, theirs: Recording) -> None:
    """Two recordings agree in every table, counter and memory word."""
    for name, value in vars(ours).items():
        other = getattr(theirs, name)
        assert np.array_equal(value, other) if isinstance(value, np.ndarray) else value == other, name


@pytest.mark.parametrize("seed", range(CASES))
@pytest.mark.parametrize("odin", [False, True], ids=["tinyodin", "odin"])
def test_kernel_equals_the_processes(odin: bool, seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64([seed, odin, 1]))
    registers = random_registers(rng, odin)
    sample = random_sample(rng, registers)
    registers = ending(registers, *sample)
    fast, plain = run_core(registers, [sample]), run_core(registers, [sample], reference=True)
    assert_same(fast.core.recordings[0, 0], plain.core.recordings[0, 0])
    assert fast.counts() == plain.counts()
    assert fast.env.now == plain.env.now


def test_two_samples_follow_one_another_whatever_the_order_of_ties() -> None:
    rng = np.random.Generator(np.random.PCG64(7))
    registers = random_registers(rng, True)
    samples = [random_sample(rng, registers) for _ in range(2)]
    for sample in samples:
        registers = ending(registers, *sample)
    alone = [run_core(registers, [sample]) for sample in samples]
    cycles = [bench.core.recordings[0, 0].cycles for bench in alone]
    for reference in (False, True):
        for seed in range(4):
            both = run_core(registers, samples, reference, ShuffledEnvironment(seed))
            for row, bench in enumerate(alone):
                assert_same(both.core.recordings[row, 0], bench.core.recordings[0, 0])
            assert both.env.now == Clock("core", HZ).ps(sum(cycles))
            total = {name: sum(bench.counts()[name] for bench in alone) for name in both.counts()}
            assert both.counts() == total
            assert both.counts()["clock:cycle"] == sum(cycles)
            log = both.core.ctx.log
            assert log.busy + sum(log.stall) == sum(cycles)


def test_ledger_and_states_of_one_neuron_event_by_hand() -> None:
    neurons = np.zeros((14, 256), np.int16)
    neurons[1] = 4095
    neurons[1, 3] = 1
    synapses = np.zeros((256, 256), np.uint8)
    synapses[5, 3] = 2
    registers = Registers("tinyodin", last_neuron=7, open_loop=True)
    bench = run_core(registers, [(Image(neurons, synapses), Stimulus(np.array([10]), np.array([5])))])
    # Request 10, PUSH 13, POP_NEUR 19 .. 42 with a stall of 8 behind neuron 3 (spike in 26), AER_POP 43.
    recording = bench.core.recordings[0, 0]
    assert recording.operations[:, 1:3].tolist() == [[13, 13], [19, 42], [43, 43]]
    assert recording.transfers.tolist() == [[3, 27, 28, 31, 32, 35]]
    assert recording.cycles == 44
    assert bench.counts() == {
        "accumulate:partial_sum": 8, "update:state": 0, "accept:spike": 1, "send:spike": 1, "fifo:spike": 1,
        "read:state": 32 * (8 + 8), "write:state": 32 * 8, "read:weight": 32 * 2, "write:weight": 0,
        "clock:cycle": 44,
    }  # fmt: skip
    log = bench.core.ctx.log
    # Busy: 12 .. 13, and 18 .. 43 less the stall; handshake 14 .. 17.
    assert (log.busy, dict(zip(log.causes, log.stall, strict=True))) == (
        2 + 26 - 8, {"dependency": 0, "handshake": 4, "output": 8, "input": 12},
    )  # fmt: skip
