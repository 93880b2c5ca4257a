"""Energy of a hand-made record: price x count and power x time, added up in the test itself."""

from __future__ import annotations

import math
from typing import Any

import pytest

from simulator.errors import InputError, InvariantError
from tests.unit.small_record import CORE_HZ, COUNTS, END_PS, UNITS, description, hardware, small_record


def prices() -> dict[tuple[str, str], tuple[float, str]]:
    """(unit, action) -> price in pJ and its grade, read from the file's plain values."""
    units = description()["units"]
    per_bit = {"read": "read_energy_pj_per_bit", "overfetch": "read_energy_pj_per_bit", "transfer":
               "transfer_energy_pj_per_bit", "write": "write_energy_pj_per_bit"}
    single = {"launch": "launch_energy_pj", "accumulate": "accumulate_energy_pj", "decode": "decode_energy_pj",
              "update": "update_energy_pj", "active": "active_energy_pj"}
    found = {}
    for unit, _, action in COUNTS:
        constant = units[unit][(per_bit | single)[action.split(":")[0]]]
        found[unit, action] = constant["value"], constant["grade"]
    return found


def statics() -> dict[tuple[str, str], tuple[float, str]]:
    """(unit, action) -> pJ of static power and its grade: mW x ps = 1e-15 J."""
    found = {}
    for unit, fields in description()["units"].items():
        for name in ("leakage", "background"):
            constant = fields.get(f"{name}_mw")
            if constant and constant["value"]:
                found[unit, f"static:{name}"] = constant["value"] * END_PS * 1e-3, constant["grade"]
    return found


def expected(key: str) -> dict[str, float]:
    """pJ per value of `key` ("unit", "layer", "action" or "grade")."""
    price = prices()
    rows: list[tuple[dict[str, str], float]] = []
    for (unit, layer, action), n in COUNTS.items():
        pj, grade = price[unit, action]
        rows.append(({"unit": unit, "layer": layer, "action": action, "grade": grade}, n * pj))
    for (unit, action), (pj, grade) in statics().items():
        rows.append(({"unit": unit, "layer": "unattributed", "action": action, "grade": grade}, pj))
    groups: dict[str, float] = {}
    for names, pj in rows:
        groups[names[key]] = groups.get(names[key], 0.0) + pj
    return groups


@pytest.mark.parametrize("key", ["unit", "layer", "action", "grade"])
def test_energy_is_price_times_count(key: str) -> None:
    found = getattr(small_record().energy, f"by_{key}")
    assert {k: v for k, v in found.items() if v} == pytest.approx(expected(key), rel=1e-12)


def test_parts_add_up_to_the_total() -> None:
    energy = small_record().energy
    static = sum(pj for pj, _ in statics().values())
    total = sum(expected("unit").values())
    assert energy.static == pytest.approx(static, rel=1e-12)
    assert energy.total == pytest.approx(total, rel=1e-12)
    assert energy.dynamic == pytest.approx(total - static, rel=1e-12)


def test_background_power_of_the_dram_is_milliwatt_times_time() -> None:
    """7 mW for 200 ns is 1.4 nJ."""
    assert small_record().energy.by_action["static:background"] == pytest.approx(7e-3 * 200e-9 / 1e-12)


def test_terms_stand_in_ledger_order() -> None:
    record = small_record()
    places = [(record.units.index(t.unit), record.layers.index(t.layer), record.actions.index(t.action))
              for t in record.energy.terms if t.category != "static"]
    assert places == sorted(places)
    assert record.energy.total == math.fsum(t.pj for t in record.energy.terms)


def test_an_action_its_unit_does_not_declare_is_a_defect() -> None:
    record = small_record()
    record.counts[UNITS.index("host"), 1, record.actions.index("read:weight")] = 9
    with pytest.raises(InvariantError, match=r"unit host: counted 9 of 'read:weight'"):
        _ = record.energy


def price(value: float) -> dict[str, Any]:
    return {"value": value, "source": "another table", "grade": "published"}


def test_new_prices_need_no_new_run() -> None:
    record = small_record()
    again = record.reprice(hardware({"dram.read_energy_pj_per_bit": price(8.0), "core.area_mm2": price(9.0)}))
    bits = sum(n for (unit, _, action), n in COUNTS.items() if unit == "dram" and action[:4] in ("read", "over"))
    assert again.energy.total - record.energy.total == pytest.approx(bits * (8.0 - 4.0), rel=1e-9)
    assert again.summary()["latency"] == record.summary()["latency"]
    assert again.summary()["area_mm2"]["by_unit"]["core"] == 9.0
    assert record.energy.by_unit["dram"] == pytest.approx(expected("unit")["dram"]), "the old record must not change"


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"dram.latency_cycles": 11}, "dram.latency_cycles"),
        ({"core.scatter.lanes": 8}, "core.scatter.lanes"),
        ({"core.spike_bits": 32}, "core.spike_bits"),
        ({"clocks": {"core": CORE_HZ + 1, "memory": 400_000_000}}, "clocks"),
        ({"main_clock": "memory"}, "main_clock"),
    ],
)
def test_a_machine_with_other_timing_is_refused(change: dict[str, Any], key: str) -> None:
    with pytest.raises(InputError, match="changes timing") as caught:
        small_record().reprice(hardware(change))
    assert caught.value.key == key


def test_another_set_of_units_is_refused() -> None:
    data = description()["units"]
    extra = {**data, "weight2": data["weight"]}
    with pytest.raises(InputError, match="changes timing") as caught:
        small_record().reprice(hardware({"units": extra}))
    assert caught.value.key == "units"
