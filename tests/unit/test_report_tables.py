"""Tables and CSV of a hand-made record; quantities as people read them."""

from __future__ import annotations

import csv
import dataclasses
import io

import pytest
from rich.console import Console

from simulator.record import Record
from simulator.report.csvs import layers_csv
from simulator.report.layers import COLUMNS, layer_rows, movement_columns
from simulator.report.quantity import percent, quantity
from simulator.report.tables import record_tables
from tests.unit.small_record import COUNTS, description, hardware, small_record


def printed(record: Record, width: int = 110) -> str:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    for table in record_tables(record):
        console.print(table)
    text = console.file.getvalue()
    assert all(len(line) <= width for line in text.splitlines())
    return text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0000123, "s", "12.3 µs"), (2e-7, "s", "200 ns"), (0, "B", "0 B"), (999.4, "J", "999 J"),
        (999.6, "J", "1.00 kJ"), (1000, "J", "1.00 kJ"), (9.996, "J", "10.0 J"),
        (-1.5e9, "Hz", "-1.50 GHz"), (None, "s", "–"), (0.0, "J", "0.00 J"), (7, "", "7"),
        (4e-15, "J", "0.00400 pJ"), (3.2e15, "op", "3200 Top"),
    ],
)
def test_quantities_have_three_digits_and_a_prefix(value: float | None, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_a_share_is_percent() -> None:
    assert (percent(0.1234), percent(None), percent(1.0, 0)) == ("12.3 %", "–", "100 %")


def test_tables_show_the_figures() -> None:
    text = printed(small_record())
    assert "net on small" in text
    for part in ("100 cycles of clock core at 500 MHz", "30.1 nJ", "57.5 %", "53.1 % published", "200 ns", "2.3 GSOPS"):
        assert part in text, part
    core = next(line for line in text.splitlines() if line.lstrip().startswith("core "))
    assert "70.0 %" in core and "25.0 %" in core and "5.0 %" in core and "weight_load 15.0 %" in core
    assert (core.count("█"), core.count("▒"), core.count("·")) == (16, 6, 2), "24 characters: 70 %, to 95 %, the rest"
    dram = next(line for line in text.splitlines() if "dram" in line and "read:weight" in line)
    share = (1024 + 2048) * 4.0 / small_record().energy.total
    assert f"{100 * share:.1f} %" in dram and "12.3 nJ" in dram and "published" in dram


def test_square_brackets_in_names_are_no_markup() -> None:
    record = dataclasses.replace(small_record(), layers=("unattributed", "[bold]conv[0]", "fc"))
    assert "[bold]conv[0]" in printed(record)


def test_one_energy_row_stands_for_the_small_ones() -> None:
    text = printed(small_record())
    groups = small_record().energy.by(lambda t: (t.unit, t.action))
    assert f"{len(groups) - 12} others" in text


def test_a_run_without_energy_or_time_still_has_tables() -> None:
    record = small_record()
    record.counts[:] = 0
    text = printed(dataclasses.replace(record, end_ps=0, layer_span=record.layer_span * 0 - 1))
    assert "no energy" in text


def test_layer_rows_add_up_to_the_run() -> None:
    record = small_record()
    rows = layer_rows(record)
    assert [row["layer"] for row in rows] == list(record.layers)
    assert sum(row["energy_pj"] for row in rows) == pytest.approx(record.energy.total)
    conv = rows[1]
    assert conv["density"] == pytest.approx(400 / 4000)
    sram = 1024 * 0.75 + 3200 * 0.5 + 6400 * (0.5 + 0.75) + 320 * 0.25 + 96 * 0.5
    assert conv["memory_pj"] == pytest.approx((1024 + 512) * 4 + sram)
    assert conv["interconnect_pj"] == pytest.approx(1024 * 0.25)
    assert (conv["dram_read_bits"], conv["dram_overfetch_bits"], conv["state_write_bits"]) == (1024, 512, 6400)
    for column in movement_columns(record):
        unit, verb, _ = column.rsplit("_", 2)
        total = sum(n for (u, _, action), n in COUNTS.items() if u == unit and action.startswith(f"{verb}:"))
        assert sum(row[column] for row in rows) == total, column


def test_layers_csv_has_documented_columns_and_full_precision() -> None:
    record = small_record()
    rows = list(csv.DictReader(io.StringIO(layers_csv(record))))
    assert list(rows[0]) == [*COLUMNS, *movement_columns(record)]
    assert [float(row["energy_pj"]) for row in rows] == [row["energy_pj"] for row in layer_rows(record)]
    assert rows[0]["neurons"] == "" and rows[1]["neurons"] == "32"


def test_a_name_is_no_spreadsheet_formula() -> None:
    record = dataclasses.replace(small_record(), layers=("unattributed", "=1+1", "fc"))
    assert "\n'=1+1," in layers_csv(record)


def test_memories_of_a_range_share_their_columns() -> None:
    new = {"weight": "weight[0]", "state": "weight[1]"}
    units = {new.get(name, name): spec for name, spec in description()["units"].items()}
    units["core"] |= {"weight_memory": "weight[0]", "state_memory": "weight[1]"}
    machine = hardware({"units": units})
    times = dict(zip(machine.units, small_record().cycles.values(), strict=True))
    record = dataclasses.replace(small_record(), hardware=machine, units=tuple(machine.units), cycles=times)
    conv = layer_rows(record)[1]
    assert conv["weight_read_bits"] == 3200 + 6400 and "state_read_bits" not in conv
