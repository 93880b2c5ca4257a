"""Spikes that outgrow the memory cap go through a file, and nothing else changes (1-speed)."""

from __future__ import annotations

import gc
import os
from pathlib import Path

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.errors import InputError
from simulator.functional import compare_traces, complete_trace
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace import StepSpikesBuilder, Trace
from simulator.trace.file import FileSpikes


def small_case() -> tuple[Network, Trace]:
    """A conv layer and 3 samples of different length, longer than one chunk of timesteps."""
    generator = np.random.Generator(np.random.PCG64(5))
    weights = generator.integers(-40, 60, (4, 2, 3, 3), dtype=np.int8)
    neuron = Neuron(threshold=np.array([90]))
    network = Network(
        "small",
        (Population("input", (2, 5, 5), Neuron(model="input")), Population("conv", (4, 5, 5), neuron)),
        (Projection("conv", "input", "conv", "conv", kernel=(3, 3), padding=(1, 1), weights=weights),),
    )
    builder = StepSpikesBuilder()
    steps = np.array([150, 3, 90])
    for total in steps:
        builder.begin_sample()
        for _ in range(total):
            builder.add_step(np.flatnonzero(generator.random(50) < 0.2).astype(np.uint32))
    trace = Trace("noise", network, "step", steps, {"input": builder.build()}, labels=np.array([1, 2, 3]))
    return network, trace


@pytest.mark.parametrize("cap", [0, 3000])
def test_spooled_trace_equals_the_one_in_memory(cap: int) -> None:
    network, inputs = small_case()
    kept, counts, membranes = complete_trace(network, inputs)
    spooled, counts_too, membranes_too = complete_trace(network, inputs, cap)
    assert all(isinstance(s, FileSpikes) for s in spooled.populations.values())
    assert compare_traces(kept, spooled) is None
    assert counts == counts_too
    assert spooled.labels is not None and spooled.labels.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(membranes["conv"], membranes_too["conv"])


def test_the_spool_file_goes_with_its_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    network, inputs = small_case()
    spooled, _, _ = complete_trace(network, inputs, 0)
    assert len(os.listdir(tmp_path)) == 1
    del spooled
    gc.collect()
    assert os.listdir(tmp_path) == []


def test_a_run_under_a_small_cap_is_the_same_run(monkeypatch: pytest.MonkeyPatch) -> None:
    network, inputs = small_case()
    chip = load_hardware("event_core_28nm")
    free = simulate(chip, network, inputs).summary()
    monkeypatch.setenv("NEUROCYCLE_MEMORY_MB", "0.001")
    assert simulate(chip, network, inputs).summary() == free


def test_a_cap_that_is_no_number_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NEUROCYCLE_MEMORY_MB", "lots")
    with pytest.raises(InputError, match=r"NEUROCYCLE_MEMORY_MB: not a number of megabytes; found 'lots'"):
        complete_trace(*small_case())
