"""The compact SRAM table against all CACTI 7 runs of its word width and temperature."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.command import read_table
from simulator.hardware.cacti import sram_macro

pytestmark = pytest.mark.external
KEYED = {1024 << i for i in range(14)}


def test_every_run_of_the_table(data_dir: Path) -> None:
    seen, worst = 0, 0.0
    for row in read_table(data_dir / "memory" / "cacti7_sram.csv", "capacity_bytes", "read_pJ"):
        if row["word_bits"] != "64" or row["temp_K"] != "350":
            continue
        capacity = int(row["capacity_bytes"])
        macro = sram_macro(f"{row['device'].removeprefix('itrs-')}{row['node_nm']}", capacity)
        error = abs(macro.read_pj / float(row["read_pJ"]) - 1)
        static = float(row["leak_mW"]) + float(row["gate_leak_mW"])
        if capacity in KEYED:  # three digits were keyed
            assert error < 0.005 and macro.static_mw == pytest.approx(static, rel=0.005)
        seen, worst = seen + 1, max(worst, error)
    assert seen >= 18 * len(KEYED) and worst < 0.005
