"""Kernel of the tick-driven recurrent core against its cycle-by-cycle definition (tests/oracles/reckon.py)."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.reckon_core.drive import Driver, Recording, Stimulus, run_stimulus
from simulator.components.reckon_core.image import LINES, Image, check_stimulus
from tests.oracles.reckon import OracleBench, OracleCore

CASES = 200


def random_image(rng: np.random.Generator) -> Image:
    """A core of at most 21 neurons, even and odd, with thresholds of both signs and leaks of both kinds."""
    scale = int(rng.choice([20, 600, 9000]))
    lowest, highest = (-scale // 8, scale) if rng.random() < 0.8 else (-32768, 32768)
    low, high = (-128, 128) if rng.random() < 0.7 else (40, 128)
    return Image(
        inputs=int(rng.integers(1, 22)),
        recurrent=int(rng.integers(1, 22)),
        outputs=int(rng.integers(1, 17)),
        shifts=tuple(int(n) for n in rng.integers(0, 8, 3)),
        kappa=int(rng.integers(0, 256)),
        reset_to_zero=bool(rng.integers(0, 2)),
        thresholds=rng.integers(lowest, highest, 128),
        alphas=rng.integers(0x7000, 0x9000, 128),
        input_weights=rng.integers(low, high, (256, 256)).astype(np.int8),
        recurrent_weights=rng.integers(low, high, (256, 256)).astype(np.int8),
        output_weights=rng.integers(low, high, (256, 16)).astype(np.int8),
    )


def random_lines(rng: np.random.Generator) -> list[tuple[str, int]]:
    """One or two samples with every kind of line between their ticks."""
    lines: list[tuple[str, int]] = []
    for sample in range(int(rng.integers(1, 3))):
        lines.append(("S", sample))
        steps = int(rng.integers(1, 5))
        for step in range(steps + 1):
            for _ in range(int(rng.integers(0, 6))):
                letter = str(rng.choice(list("EEEEEEIVLG")))
                number = {"E": int(rng.integers(0, 24)), "L": int(rng.integers(0, 16)), "G": int(rng.integers(0, 9))}
                lines.append((letter, number.get(letter, int(rng.integers(0, 2)))))
            lines.append(("X" if step == steps else "T", 0))
            if rng.random() < 0.4:
                lines.append(("D", 0))
        if lines[-1][0] == "D":
            lines.pop()
    return lines


def oracle_of(image: Image, driver: Driver) -> OracleBench:
    """The same core and bench in plain Python."""
    core = OracleCore(
        image.inputs, image.recurrent, image.outputs, image.shifts, image.kappa, image.reset_to_zero,
        image.thresholds.tolist(), image.alphas.tolist(), image.input_weights.tolist(),
        image.recurrent_weights.tolist(), image.output_weights.tolist(),
    )  # fmt: skip
    return OracleBench(core, driver.start, driver.sample, driver.level, driver.label_sent)


def assert_equal(run: Recording, bench: OracleBench) -> None:
    """Every log of the kernel is the oracle's."""
    assert run.cycles == bench.cycle
    assert run.events.tolist() == bench.events
    rows = [
        [row["time"], row["last"], row["step"], row["sdone"], row["prop"],
         0 if row["last"] else row["ready"], row["ready"], row["inputs"], row["spikes"], row["passes"]]
        for row in bench.ticks
    ]  # fmt: skip
    assert run.ticks.tolist() == rows
    stepped = run.ticks[:, 3] > 0
    assert run.fired[stepped].tolist() == bench.fired
    assert run.potentials[stepped].tolist() == bench.outputs
    assert run.results.tolist() == bench.results
    assert list(zip(run.dumps, run.membranes.tolist(), run.marks.tolist(), strict=True)) == bench.dumps
    assert run.states.tolist() == list(bench.states.values())
    assert run.counts[:5].tolist() == list(bench.core.accesses.values())


@pytest.mark.parametrize("first", range(0, CASES, 20))
def test_kernel_equals_the_core_cycle_by_cycle(first: int) -> None:
    fired = 0
    for seed in range(first, first + 20):
        rng = np.random.Generator(np.random.PCG64(seed))
        image, lines = random_image(rng), random_lines(rng)
        start, sample, level = (int(n) for n in rng.integers(0, 9, 3))
        driver = Driver(start, max(sample, 3), level, bool(rng.integers(0, 2)))
        kind = np.array([LINES.index(letter) for letter, _ in lines], np.uint8)
        value = np.array([number for _, number in lines], np.int64)
        check_stimulus(kind, value, "case")
        run = run_stimulus(image, Stimulus(kind, value), driver)
        bench = oracle_of(image, driver)
        bench.run(lines)
        assert_equal(run, bench)
        fired += int(run.fired.sum())
    assert fired > 100, "the cases must spike"


def test_a_cycle_more_is_seen() -> None:
    """The oracle stands for a clock: a stimulus with one more cycle of gap is one cycle longer."""
    rng = np.random.Generator(np.random.PCG64(1))
    image = random_image(rng)
    lengths = []
    for gap in (0, 1):
        bench = oracle_of(image, Driver())
        bench.run([("S", 0), ("T", 0), ("G", gap), ("X", 0)])
        lengths.append(bench.cycle)
    assert lengths[1] == lengths[0] + 1
