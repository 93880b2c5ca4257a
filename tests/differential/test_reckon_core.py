"""The tick-driven recurrent core as a unit, alone on an event loop: its two engines, its ledger and its timeline."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

from simulator.components.reckon_core.core import ReckonCore
from simulator.components.reckon_core.drive import Driver, Recording, Stimulus, run_stimulus, stimulus_of_steps
from simulator.components.reckon_core.image import LINES, Image
from simulator.engine.board import Board, Job, JobQueue
from simulator.engine.clock import Clock
from simulator.engine.context import Context
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.errors import InputError
from simulator.hardware import load_hardware
from simulator.kernels.bins import add_runs
from simulator.kernels.sweep import paint
from simulator.ledger import UNATTRIBUTED, Ledger
from tests.differential.test_reckon_kernel import random_image, random_lines
from tests.order.shuffled import ShuffledEnvironment
from tests.unit.test_reckon_placement import recurrent_network

HZ = 13_000_000


@dataclass
class Bench:
    """One core of `reckon28` with a queue of samples, without a machine around it."""

    env: Environment
    core: ReckonCore
    ledger: Ledger

    def counts(self, layer: int = 1) -> dict[str, int]:
        """Action -> count of a layer, by default the recurrent one."""
        return dict(zip(self.ledger.actions, self.ledger.counts[0, layer].tolist(), strict=True))


def run_core(
    samples: list[tuple[Image, Stimulus]], reference: bool = False, environment: Environment | None = None
) -> Bench:
    """Runs samples one after another on the core, all commanded at time 0."""
    work = SimpleNamespace(
        layer=lambda row: 1, after=lambda row: ([], []), stimulus=lambda row, sample: samples[row], delivered=0
    )
    return run_work(work, len(samples), 1, reference, environment or Environment())


def run_work(work: SimpleNamespace, tasks: int, steps: int, reference: bool, env: Environment) -> Bench:
    """Runs so many tasks of `steps` timesteps that `work` tells of."""
    spec = load_hardware("reckon28").unit("core")
    ledger = Ledger(["core"], [UNATTRIBUTED, "rec", "out"], [action.name for action in spec.ACTIONS])
    board = Board(env, tasks)
    log = StateLog(spec.STALLS, paint, add_runs, timeline=True)
    queue = JobQueue(env, tasks)
    ctx = Context("core", 0, env, Clock("core", HZ), ledger, log, board, queue, work, reference, 0, {})  # type: ignore[arg-type]
    core = ReckonCore(ctx, spec)
    core.connect({})
    core.start()
    complete = board.begin(range(tasks))

    def host():
        for row in range(tasks):
            yield from queue.put(Job(row, 0, 0, steps))
        yield complete

    env.run(until=env.process(host()))
    return Bench(env, core, ledger)


def random_samples(seed: int) -> list[tuple[Image, Stimulus]]:
    """Two stimuli on random cores; some lines are due later, some spikes are given."""
    rng = np.random.Generator(np.random.PCG64(seed))
    samples = []
    for _ in range(2):
        lines = random_lines(rng)
        kind = np.array([LINES.index(letter) for letter, _ in lines], np.uint8)
        due = np.cumsum(rng.integers(0, 90, len(lines))) if rng.random() < 0.5 else np.empty(0, np.int64)
        ticks = int(np.isin(kind, [LINES.index("T"), LINES.index("X")]).sum())
        given = np.zeros((ticks if rng.random() < 0.5 else 0, 256), np.uint8)
        given[:, :20] = rng.integers(0, 2, (len(given), 20))
        value = np.array([number for _, number in lines], np.int64)
        samples.append((random_image(rng), Stimulus(kind, value, due, given)))
    return samples


def assert_same(ours: Recording, theirs: Recording) -> None:
    """Two recordings agree in every log."""
    for name, value in vars(ours).items():
        assert np.array_equal(value, getattr(theirs, name)), name


@pytest.mark.parametrize("first", range(0, 200, 50))
def test_engines_agree_in_every_log(first: int) -> None:
    """4-random: 200 random configurations, kernel and reference definition, counts and cycles."""
    for seed in range(first, first + 50):
        samples = random_samples(seed)
        fast = run_core(samples)
        plain = run_core(samples, reference=True, environment=ShuffledEnvironment(seed))
        for key, recording in fast.core.recordings.items():
            assert_same(recording, plain.core.recordings[key])
        assert fast.env.now == plain.env.now
        assert fast.counts() == plain.counts()
        for ours, theirs in zip(fast.core.ctx.log.intervals(), plain.core.ctx.log.intervals(), strict=True):
            assert np.array_equal(ours, theirs)


def test_cycles_and_counts_of_a_sample_in_closed_form() -> None:
    """PROP = NN + 2P per active index, STEP = NS, SDONE = 1; accesses and operations follow from the same numbers."""
    image = Image(inputs=16, recurrent=20, outputs=3, recurrent_weights=np.zeros((256, 256), np.int8))
    inputs = [np.array([0, 5]), np.array([5]), np.array([], np.int64)]
    given = [np.array([5, 7]), np.array([], np.int64), np.array([19])]
    bench = run_core([(image, stimulus_of_steps(inputs, given))])
    run = bench.core.recordings[0, 0]
    active = [2, 2, 0]  # {0, 5}, {5} with spikes {5, 7}, nothing
    assert (run.ticks[:3, 5] - run.ticks[:3, 4]).tolist() == [20 + 20 * n for n in active]
    assert (run.ticks[1:, 3] - run.ticks[1:, 2]).tolist() == [20, 20, 20]
    assert run.ticks[:, 8].tolist() == [0, 2, 0, 1]
    passes, sources, spikes = 4, 5, 2
    assert bench.counts() == {
        "accumulate:partial_sum": 20 * sources + 3 * spikes,
        "update:state": 3 * 20,
        "accept:spike": 3,
        "read:state": 128 * (10 * passes + 3 * 10),
        "write:state": 128 * (10 * passes + 3 * 10),
        "read:weight": 128 * (2 * sources + spikes),
        "active:cycle": 20 * 3 + 20 * passes + 3 * 21 + 5,
    }
    log = bench.core.ctx.log
    assert log.busy == bench.counts()["active:cycle"]
    assert log.busy + sum(log.stall) < run.cycles == bench.core.ctx.clock.at_or_after(bench.env.now)


@pytest.mark.parametrize("reference", [False, True])
def test_a_network_delivers_its_fan_outs_and_books_outputs_apart(reference: bool) -> None:
    """Operations delivered are those of the network; the core's own, one loop past its end, are priced besides."""
    spikes = {"in": [[1, 4], [], [0]], "rec": [[1, 2, 3], [0], [9]], "out": [[], [], []]}
    work = SimpleNamespace(
        network=recurrent_network(inputs=6, recurrent=10, outputs=3),
        layer=lambda row: 1,
        after=lambda row: ([], []),
        spikes=lambda name, sample, t: (np.array(spikes[name][t], np.uint32), None),
        delivered=0,
    )
    bench = run_work(work, 1, 3, reference, Environment())
    assert work.delivered == 10 * 3 + 10 * 4 + 3 * 5, "inputs, loop without its last spike, outputs"
    assert bench.counts()["accumulate:partial_sum"] == 10 * (3 + 5)
    assert bench.counts(2)["accumulate:partial_sum"] == 3 * 5
    assert bench.counts(2)["read:weight"] == 128 * 5
    assert set(bench.core.ctx.tasks) == {1, 2}


def test_a_tick_moves_the_controller_three_cycles_later_and_not_before() -> None:
    for gap in (0, 1, 5):
        kind = np.array([LINES.index(letter) for letter in "SGTX"], np.uint8)
        run = run_stimulus(Image(inputs=4, recurrent=4), Stimulus(kind, np.array([0, gap, 0, 0])), Driver())
        assert run.ticks[0, 0] == 4 + gap
        assert run.ticks[0, 4] == 4 + gap + 3


def test_a_network_that_is_too_large_is_refused() -> None:
    with pytest.raises(InputError, match=r"units\.core\.outputs.*larger.*17.*at most 16"):
        run_core([(Image(outputs=17), stimulus_of_steps([np.array([1])]))])


def test_published_energy_of_an_operation() -> None:
    chip = load_hardware("reckon28")
    core = chip.unit("core").constants()
    assert (core["accumulate_energy_pj"].value, core["accumulate_energy_pj"].grade) == (5.3, "published")
    assert (core["area_mm2"].value, core["area_mm2"].grade) == (0.45, "published")
    others = [name for name in core if name not in ("accumulate_energy_pj", "area_mm2")]
    assert {core[name].grade for name in others} == {"assumed"}
