"""4-energy: ODIN's published energy per synaptic operation from its priced actions, and what the price rests on."""

from __future__ import annotations

import math

import numpy as np
import pytest

from simulator.components.neurosynaptic_core import Image, Registers, Stimulus
from simulator.hardware import load_hardware
from tests.differential.test_neurosynaptic_core import Bench, run_core

EVENTS = 400
PUBLISHED_PJ = 12.7


def picojoules(bench: Bench, cycles: int) -> tuple[float, dict[str, float]]:
    """Dynamic and static energy of a run of the core of odin28, in all and by grade of the price."""
    chip = load_hardware("odin28")
    spec = chip.unit("core")
    counts = {name: bench.counts(0)[name] + bench.counts(1)[name] for name in bench.counts()}
    terms = [(spec.price_of(spec.action(name)), n) for name, n in counts.items()]
    seconds = cycles / chip.clock_hz("core")
    grades: dict[str, list[float]] = {}
    for price, n in terms:
        grades.setdefault(price.grade, []).append(price.value * n)
    grades.setdefault(spec.leakage_mw.grade, []).append(spec.leakage_mw.value * 1e-3 * seconds * 1e12)
    by_grade = {grade: math.fsum(parts) for grade, parts in grades.items()}
    return math.fsum(by_grade.values()), by_grade


@pytest.fixture(scope="module")
def saturated() -> tuple[Bench, int]:
    """Neuron events as fast as the core takes them, no spikes: (bench, cycles)."""
    neurons = np.zeros((14, 256), np.int16)
    neurons[1] = 255
    rng = np.random.Generator(np.random.PCG64(1))
    words = rng.integers(0, 256, EVENTS) << 8 | 7
    stimulus = Stimulus(np.zeros(EVENTS, np.int64), words)
    bench = run_core(Registers("odin", open_loop=True), [(Image(neurons, np.zeros((256, 256), np.uint8)), stimulus)])
    return bench, bench.core.recordings[0, 0].cycles


def test_energy_per_operation_at_the_peak_rate(saturated: tuple[Bench, int]) -> None:
    bench, cycles = saturated
    operations = bench.counts()["accumulate:partial_sum"]
    assert operations == 256 * EVENTS
    # The saturated external period is 519 cycles (measured on the RTL), so the rate is 256 / 519 of the clock.
    assert cycles == pytest.approx(519 * EVENTS, rel=1e-3)
    total, by_grade = picojoules(bench, cycles)
    assert total / operations == pytest.approx(PUBLISHED_PJ, rel=0.01)
    # By the model: 8.43 pJ, and (27.3 uW + 1.78 uW/MHz x 75 MHz) over the rate.
    assert total / operations == pytest.approx(8.43 + (27.3 + 1.78 * 75) / (75 * operations / cycles), rel=1e-9)
    assert set(by_grade) == {"assumed"}


def test_only_the_area_is_published() -> None:
    grades = load_hardware("odin28").grades()
    assert {name for name, grade in grades.items() if grade == "published"} == {"core.area_mm2"}
    assert set(grades.values()) == {"published", "assumed"}
    assert set(load_hardware("tinyodin").grades().values()) == {"assumed"}
