"""The bundled digits network and trace: they agree with each other, with two simulations, and with their README.

Remade by `python traces/make_digits.py`; a new result needs its reason in the commit and new figures here.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from simulator.functional import run_network
from simulator.network import Network
from simulator.network.file import read_network
from simulator.trace import Block, MemorySpikes, Trace
from simulator.trace.file import read_trace, write_trace

ROOT = Path(__file__).resolve().parents[2]
NETWORK = ROOT / "traces" / "digits.net.h5"
TRACE = ROOT / "traces" / "digits.trace.h5"
# Without compilation a sample takes seconds; two of them still reach every layer.
CHECKED = 2 if os.environ.get("NUMBA_DISABLE_JIT") == "1" else 100
CORRECT_OF_445 = 437
CORRECT_OF_100 = 97


@cache
def network() -> Network:
    return read_network(NETWORK)


@cache
def trace() -> Trace:
    return read_trace(TRACE)


def part_of_traces(name: str) -> ModuleType:
    """A module of the folder traces/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "traces" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def block(source: Trace, population: str, sample: int) -> Block:
    return source.spikes(population).block(sample, 0, int(source.steps[sample]))


def test_files_are_small() -> None:
    assert NETWORK.stat().st_size + TRACE.stat().st_size < 2 * 10**6


def test_trace_is_complete_and_belongs_to_the_network() -> None:
    assert trace().complete
    assert trace().samples == 100 and set(trace().steps.tolist()) == {8}
    assert trace().labels is not None and np.bincount(trace().labels).tolist() == [10] * 10
    assert trace().network.sha256 == network().topology().sha256


def test_network_is_int8_with_integer_thresholds() -> None:
    assert network().arithmetic == "int"
    assert {str(p.weights.dtype) for p in network().projections if p.weights is not None} == {"int8"}
    assert network().has_weights
    assert [p.name for p in network().incoming("conv3")] == ["conv3", "short"]


def first_samples(samples: int) -> Trace:
    """The recorded inputs of the first samples, and nothing else."""
    blocks = [block(trace(), "input", s) for s in range(samples)]
    offsets = np.cumsum([0, *(b.index.size for b in blocks)])
    inputs = MemorySpikes(
        np.stack([b.start + o for b, o in zip(blocks, offsets[:-1], strict=True)]),
        np.concatenate([b.index for b in blocks]),
    )
    return Trace("inputs", trace().network, "step", trace().steps[:samples], {"input": inputs})


def test_run_network_makes_the_recorded_spikes() -> None:
    made = run_network(network(), first_samples(CHECKED))
    for population in network().populations:
        for sample in range(CHECKED):
            stored, found = block(trace(), population.name, sample), block(made, population.name, sample)
            where = f"population {population.name}, sample {sample}"
            assert np.array_equal(stored.start, found.start), where
            assert np.array_equal(stored.index, found.index), where
            assert stored.value is None and (found.value is None or (found.value == 1).all()), where


def test_plain_reference_makes_the_recorded_spikes() -> None:
    dense = {p.name: dense_spikes(p.name) for p in network().populations}
    made = part_of_traces("digits_oracle").reference_spikes(network(), dense["input"])
    for name, spikes in dense.items():
        assert spikes.any(), f"population {name} is silent"
        assert np.array_equal(spikes, made[name]), f"population {name}"


def dense_spikes(population: str) -> np.ndarray:
    """uint8 [B, T, C, H, W] of the stored spikes."""
    c, h, w = network().population(population).shape
    flat = np.zeros((trace().samples, 8, h * w * c), np.uint8)
    for sample in range(trace().samples):
        stored = block(trace(), population, sample)
        flat[sample, np.repeat(np.arange(8), np.diff(stored.start)), stored.index] = 1
    return flat.reshape(trace().samples, 8, h, w, c).transpose(0, 1, 4, 2, 3)


def test_accuracy_is_what_is_stated() -> None:
    counts = dense_spikes("out").sum(axis=(1, 3, 4), dtype=np.int64)
    assert int((counts.argmax(axis=1) == trace().labels).sum()) == CORRECT_OF_100
    assert network().choices["correct_int8_snn"] == CORRECT_OF_445
    assert network().choices["test_images"] == 445 and CORRECT_OF_445 / 445 >= 0.965
    readme = (ROOT / "traces" / "README.md").read_text(encoding="utf-8")
    assert f"| **{CORRECT_OF_445} = {CORRECT_OF_445 / 4.45:.2f} %** | **{CORRECT_OF_100} = 97.00 %** |" in readme


@pytest.fixture(scope="module")
def remade_trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trace as the script remakes it from the stored network; it also measures the whole test split again."""
    pytest.importorskip("sklearn", reason="scikit-learn has the images: pip install 'neurocycle[train]'")
    folder = tmp_path_factory.mktemp("digits")
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_DISABLE_JIT"}
    script = str(ROOT / "traces" / "make_digits.py")
    command = [sys.executable, script, "--from-weights", str(NETWORK), "--out", str(folder)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr
    assert f"int8_snn: {CORRECT_OF_445} of 445" in run.stdout
    return folder / TRACE.name


def file_sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_remake_holds_the_same_spikes(remade_trace: Path) -> None:
    again = read_trace(remade_trace)
    assert again.sha256 == trace().sha256
    assert again.labels is not None and np.array_equal(again.labels, trace().labels)


def test_remake_is_byte_identical(remade_trace: Path, tmp_path: Path) -> None:
    import h5py

    if h5py.__version__ == network().choices["made_with_h5py"]:
        expected = TRACE
    else:  # another build of HDF5 or zlib may pack the same content differently, but must do so every time
        expected = tmp_path / "digits.trace.h5"
        write_trace(trace(), expected)
    assert file_sha256(remade_trace) == file_sha256(expected)
