"""2-neurosim, 2-neurram: the two tables of RRAM figures from outside, through the benchmark commands."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import neurosim, neurram

pytestmark = pytest.mark.external


def test_neurosim_conversions_and_energy(data_dir: Path) -> None:
    result = neurosim.compute(neurosim.rows_of(data_dir / "cim" / "neurosim_snn_vgg9.csv"), seed=0)
    assert result.misses == []


def test_neurram_throughput_and_energy(data_dir: Path) -> None:
    result = neurram.compute(neurram.rows_of(data_dir / "cim" / "neurram_rows.csv"))
    assert result.misses == [] and len(result.figures["points"]) >= 4
