"""Records of chips made for their network: what the mapping built is kept, priced, reported and checked."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from simulator.errors import InputError, InvariantError
from simulator.hardware import load_hardware
from simulator.record import Record, UnitTime
from simulator.record_file import load_record, write_record
from simulator.record_summary import summary_json
from simulator.units import edge_at_or_after
from tests.unit.small_record import small_record

BUILT = {
    "tiles": 2, "pes": 16, "arrays": 144, "adcs": 1152, "used_pes": 9, "used_arrays": 81, "neurons": 1000,
    "first_neurons": 1000, "source_neurons": 500,
}  # fmt: skip
END_PS = 9_640_000


def cim_record(counts: dict[str, int], chip: str = "cim_neurosim65", **changes: Any) -> Record:
    """A run of one layer on `chip` that counted `counts` on the unit cim."""
    hardware = load_hardware(chip)
    actions = tuple(dict.fromkeys(a.name for spec in hardware.units.values() for a in spec.ACTIONS))
    table = np.zeros((2, 2, len(actions)), np.int64)
    for name, n in counts.items():
        table[1, 1, actions.index(name)] = n
    cycles = edge_at_or_after(END_PS, hardware.clocks["core"])
    time = UnitTime("core", cycles, 1, cycles - 1)
    base = small_record()
    work = dict(base.work) | {
        "spikes": {"conv": 3}, "synaptic_by_layer": {}, "dense_by_layer": {}, "link_bits": {},
    }  # fmt: skip
    return dataclasses.replace(
        base, hardware=hardware, units=("host", "cim"), layers=("unattributed", "conv"), actions=actions, counts=table,
        cycles={"host": time, "cim": time}, end_ps=END_PS, layer_span=np.array([[-1, -1], [0, END_PS]]),
        layer_busy_ps=np.array([0, END_PS]), sample_end_ps=np.full(base.samples, END_PS), work=work,
        busy=np.array([[1], [1]], np.int64), bin_cycles=np.array([cycles, cycles]), timeline=None, kinds=("busy",),
        outputs={}, membranes={}, built={"cim": BUILT}, **changes,
    )  # fmt: skip


def test_area_and_leakage_follow_what_was_built() -> None:
    record = cim_record({})
    area = record.summary()["area_mm2"]
    assert area["by_component"]["cim.adc"] == pytest.approx(81 * 8 * 1084e-6)
    assert area["by_unit"]["cim"] == pytest.approx(math.fsum(area["by_component"].values()))
    assert area["per_tile"]["cim"] == area["by_unit"]["cim"] / 2
    power = record.summary()["static_mw"]
    assert power["by_component"]["cim.leakage_row_driver"] == pytest.approx(81 * 38.3e-6)
    assert power["per_tile"]["cim"] == power["total"] / 2 == math.fsum(power["by_component"].values()) / 2
    assert area["total"] == area["by_unit"]["host"] + area["by_unit"]["cim"]
    seconds = END_PS * 1e-12
    assert record.energy.by_action["static:leakage_row_driver"] == pytest.approx(81 * 38.3e-9 * seconds * 1e12)
    assert record.energy.by_layer["unattributed"] == record.energy.static


def test_a_chip_that_is_not_made_for_its_network_reports_as_before() -> None:
    summary = small_record().summary()
    assert list(summary["area_mm2"]) == ["total", "by_unit"] and "static_mw" not in summary


def test_prices_in_groups_are_found() -> None:
    record = cim_record({"drive:row": 10, "convert:column": 4, "conduct:column": 1000, "read:cell": 7})
    by_action = record.energy.by_action
    assert by_action["drive:row"] == pytest.approx(0.165)
    assert by_action["convert:column"] == pytest.approx(4 * 0.267582)
    assert by_action["conduct:column"] == pytest.approx(0.800395e-3)
    assert by_action["read:cell"] == 0
    outside = record.reprice(load_hardware("cim_neurosim65", ["cim.adc.cell_current=excluded"]))
    assert outside.energy.by_action["read:cell"] == pytest.approx(7 * 0.0141428)


def test_a_count_without_a_price_is_a_defect() -> None:
    with pytest.raises(InvariantError, match="counted 3 of 'lump_temp:column', which its description leaves"):
        _ = cim_record({"lump_temp:column": 3}).energy
    assert cim_record({"lump_temp:column": 3}, "cim_spikesim64_ela").energy.by_action["lump_temp:column"] == 3 * 0.2


def test_round_trip(tmp_path: Path) -> None:
    record = cim_record({"drive:row": 10})
    found = load_record(write_record(record, tmp_path / "r.h5"))
    assert found.built == record.built
    assert summary_json(found) == summary_json(record)


@pytest.mark.parametrize(
    ("built", "part"),
    [
        ({"cimm": BUILT}, "found 'cimm'; allowed: host, cim"),
        ({"cim": BUILT | {"tiles": -1}}, "built.cim.tiles"),
        ({"cim": BUILT | {"tiles": 1.5}}, "built.cim.tiles"),
        ({"cim": {"tiles": 1}}, "found ['tiles']; allowed: tiles, pes"),
        ({"cim": []}, "built.cim"),
    ],
)
def test_a_stranger_s_counts_are_checked(tmp_path: Path, built: Any, part: str) -> None:
    path = write_record(dataclasses.replace(cim_record({}), built=built), tmp_path / "r.h5")
    with pytest.raises(InputError, match="unexpected content") as caught:
        load_record(path)
    assert part in str(caught.value)


def test_a_record_without_the_table_is_read_as_before(tmp_path: Path) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    with h5py.File(path) as file:
        assert b'"built"' not in file["meta/json"][()].tobytes()
    assert load_record(path).built == {}
