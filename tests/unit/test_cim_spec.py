"""The CIM tile's description: what loads, what a name stands for, and what is refused."""

from __future__ import annotations

from simulator.hardware import load_hardware
from simulator.hardware.specs.cim_tile import CimTile


def tile(name: str = "cim_spikesim64", *overrides: str) -> CimTile:
    spec = load_hardware(name, overrides).unit("cim")
    assert isinstance(spec, CimTile)
    return spec


def test_rows_in_parallel_are_all_rows_unless_stated() -> None:
    assert tile().crossbar.rows_parallel == 64
    assert tile("cim_spikesim64", "cim.crossbar.rows=32").crossbar.rows_parallel == 32
    assert tile("cim_spikesim64", "cim.crossbar.rows_parallel=8").crossbar.rows_parallel == 8
