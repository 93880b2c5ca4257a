"""What the report says of main memory with rows: figures of hand-made counts, files of a real run."""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console
from rich.table import Table

from simulator.errors import InputError
from simulator.hardware import load_hardware, parse_hardware
from simulator.hardware.dram_presets import dram_preset
from simulator.hardware.dram_timing import COMMANDS
from simulator.network.hdf5 import add_array
from simulator.record import Record
from simulator.record_file import load_record, write_record
from simulator.report import write_run_directory
from simulator.report.dram import by_operand, dram_tables, dram_traffic, flat_prices, row_hit_rates
from simulator.report.dram_commands import COLUMNS
from simulator.report.info import describe_record
from simulator.report.plots import draw_plot
from simulator.report.tables import record_tables
from tests.unit.small_record import END_PS, LAYERS, UNITS, actions_of, description, small_record

PRICE = {"activate_energy_pj": 100.0, "read_burst_energy_pj": 20.0, "write_burst_energy_pj": 30.0,
         "refresh_energy_pj": 500.0, "active_energy_pj": 0.5, "idle_energy_pj": 0.25,
         "read_io_energy_pj_per_bit": 2.0, "write_io_energy_pj_per_bit": 3.0}  # fmt: skip
COUNTS = {
    ("conv", "read:weight"): 1024, ("conv", "overfetch:weight"): 512, ("conv", "activate:weight"): 2,
    ("conv", "read_burst:weight"): 3, ("conv", "row_hit:weight"): 1, ("conv", "row_closed:weight"): 1,
    ("conv", "row_conflict:weight"): 1, ("conv", "refresh_wait:weight"): 2,
    ("fc", "read:weight"): 2048, ("fc", "activate:weight"): 1, ("fc", "read_burst:weight"): 4,
    ("fc", "row_hit:weight"): 4,
    ("fc", "read:spike"): 100, ("fc", "write:spike"): 300, ("fc", "overfetch:spike"): 112,
    ("fc", "write_burst:spike"): 1, ("fc", "read_burst:spike"): 1, ("fc", "row_hit:spike"): 1,
    ("fc", "row_closed:spike"): 1, ("fc", "turnaround:spike"): 2,
    ("unattributed", "refresh:rank"): 3, ("unattributed", "active:rank"): 60, ("unattributed", "idle:rank"): 100,
}  # fmt: skip


@pytest.fixture
def record() -> Record:
    return record_with(ranks=2)


def record_with(ranks: int) -> Record:
    """The small record with a memory of so many ranks in the place of the plain one; 80 of its cycles pass."""
    data = description()
    data["units"]["dram"] = {
        "type": "banked_dram", "clock": "memory", "preset": "ddr4-2400", "timing": {"trfc_cycles": 7},
        "geometry": {"ranks": ranks},
        "leakage_mw": {"value": 0.5, "source": "made up", "grade": "derived"},
        "area_mm2": {"value": 0, "source": "made up", "grade": "derived"},
        **{name: {"value": value, "source": "made up", "grade": "derived"} for name, value in PRICE.items()},
    }  # fmt: skip
    machine = parse_hardware(yaml.safe_dump(data, sort_keys=False), file="small.yaml")
    plain = small_record()
    actions = actions_of(machine)
    counts = np.zeros((len(UNITS), len(LAYERS), len(actions)), np.int64)
    dram = UNITS.index("dram")
    for a, name in enumerate(plain.actions):
        if name in actions:
            counts[:, :, actions.index(name)] = plain.counts[:, :, a]
    counts[dram] = 0
    for (layer, action), n in COUNTS.items():
        counts[dram, LAYERS.index(layer), actions.index(action)] = n
    return dataclasses.replace(plain, hardware=machine, actions=actions, counts=counts)


def text_of(table: Table) -> str:
    console = Console(file=io.StringIO(), width=110)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined,no-any-return]


def row_of(table: Table, *first: str) -> list[str]:
    """Cells of the row that begins with these."""
    rows = zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
    return next(list(row) for row in rows if row[: len(first)] == first)


def test_each_operand_pays_for_its_own_commands(record: Record) -> None:
    found = {(t.layer, t.operand): t for t in dram_traffic(record)}
    assert list(found) == [("conv", "weight"), ("fc", "weight"), ("fc", "spike")]
    conv, spike = found["conv", "weight"], found["fc", "spike"]
    assert (conv.bursts, conv.hit_rate) == (3, pytest.approx(1 / 3))
    assert conv.pj_per_bit == pytest.approx((2 * 100 + 3 * 20 + 2.0 * (1024 + 512)) / 1024)
    assert spike.pj_per_bit == pytest.approx((20 + 30 + 2.0 * (100 + 112) + 3.0 * 300) / 400)
    assert spike.flat_pj_per_bit(1.0, 2.0) == pytest.approx(1.75)
    paid = sum(t.dynamic_pj for t in found.values())
    background = 3 * 500 + 60 * 0.5 + 100 * 0.25 + 0.5 * END_PS / 1000
    assert paid + background == pytest.approx(record.energy.by_unit["dram"]), "nothing is left out or told twice"


def test_operands_add_up_and_the_last_row_is_everything(record: Record) -> None:
    parts = by_operand(dram_traffic(record))
    assert [t.operand for t in parts] == ["weight", "spike", "all"]
    assert [t.bursts for t in parts] == [7, 2, 9]
    assert parts[-1].bits == 1024 + 2048 + 400
    assert row_hit_rates(record) == {"dram": pytest.approx(6 / 9)}
    assert describe_record(record)["row_hits"] == {"dram": "66.7 %"}


def test_flat_prices_are_those_published() -> None:
    """STEMS: 700 and 750 pJ per 64 bits."""
    assert flat_prices()["STEMS"] == (700 / 64, 750 / 64)
    assert flat_prices()["one price"] == (5.77964, 5.03264)


def test_table_of_operands(record: Record) -> None:
    operands, layers, _ = dram_tables(record)
    assert row_of(operands, "weight")[1:7] == ["7", "71.4 %", "14.3 %", "14.3 %", "2", "0"]
    assert row_of(layers, "fc", "spike")[2:] == ["2", "50.0 %", "50.0 %", "0.0 %", "0", "2", "3.44", "11.52", "5.22"]
    assert max(len(line) for table in record_tables(record) for line in text_of(table).splitlines()) <= 110
    assert "what the constant per bit hid" in "".join(text_of(table) for table in record_tables(record))


def test_table_of_what_belongs_to_nobody(record: Record) -> None:
    """Two ranks for 80 cycles; both turns of the bus leave tRTRS = 1 empty."""
    table = dram_tables(record)[2]
    bits = 1024 + 2048 + 400
    assert row_of(table, "dram")[1:] == ["refresh, of a rank", "3", "21", "13.1 %", "1.50 nJ", f"{1500 / bits:.2f}"]
    assert row_of(table, "", "turning the data bus, at least")[2:5] == ["2", "2", "2.5 %"]
    assert row_of(table, "", "background, a row open")[3:6] == ["60", "37.5 %", "30.0 pJ"]
    assert row_of(table, "", "background, no row open")[3:6] == ["100", "62.5 %", "25.0 pJ"]
    assert row_of(table, "", "leakage")[5] == "100 pJ"
    assert row_of(table, "", "beside: background of 'one price'")[5] == "100 nJ", "501.969 mW for 200 ns"


def test_one_rank_must_wait_for_its_writes() -> None:
    """A turn to a write and one back: tRTRS = 1, then tWTR_S = 3 after the write's data and tCL = 17 to the read's."""
    table = dram_tables(record_with(ranks=1))[2]
    assert row_of(table, "", "turning the data bus, at least")[2:5] == ["2", "21", f"{21 / 80:.1%}".replace("%", " %")]


def test_a_machine_without_rows_says_nothing_of_them() -> None:
    assert dram_tables(small_record()) == [] and "row_hits" not in describe_record(small_record())


def test_roofline_knows_the_bandwidth_of_all_channels(record: Record) -> None:
    """The slope is the data bus: 64 bytes per 4 cycles of 400 MHz."""
    axes = draw_plot(record, "roofline").axes[0]
    assert np.asarray(axes.lines[0].get_xydata())[1] == pytest.approx([4e9 / (64 / 4 * 400e6), 4.0])
    points = {c.get_label(): c.get_offsets()[0].tolist() for c in axes.collections}
    assert points["conv"][0] == pytest.approx(400 / ((1024 + 512) / 8))


def test_the_bundled_chip_is_its_base_but_for_the_memory() -> None:
    base, chip = load_hardware("event_core_28nm"), load_hardware("event_core_28nm_ddr4")
    assert list(chip.units) == list(base.units) and chip.clocks == base.clocks
    assert [u for u in chip.units if chip.unit(u) != base.unit(u)] == ["dram"]
    assert chip.unit("dram").type == "banked_dram"
    device = dram_preset("ddr4-2400")
    assert chip.clocks["dram"] * device.cycle_ns / 1e9 == pytest.approx(1, abs=0.01)


COMMANDS_MADE = np.array(
    [[0, 5, COMMANDS.index("ACT"), 1, 2, 3, 9, -1], [0, 22, COMMANDS.index("RD"), 1, 2, 3, 9, 17],
     [1, 4, COMMANDS.index("REF"), 0, -1, -1, -1, -1]], np.int64)  # fmt: skip


def test_command_schedules_are_files_of_the_run_directory(record: Record, tmp_path: Path) -> None:
    kept = dataclasses.replace(record, commands={"dram": COMMANDS_MADE})
    for name in ("a", "b"):
        assert tmp_path / name / "commands.dram.csv.gz" in write_run_directory(kept, tmp_path / name, ())
    path = tmp_path / "a" / "commands.dram.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == list(COLUMNS)
    assert rows[1:] == [["0", "5", "ACT", "1", "2", "3", "9", ""], ["0", "22", "RD", "1", "2", "3", "9", "17"],
                        ["1", "4", "REF", "0", "", "", "", ""]]  # fmt: skip
    assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    again = load_record(tmp_path / "a" / "record.h5")
    assert {name: rows.tolist() for name, rows in again.commands.items()} == {"dram": COMMANDS_MADE.tolist()}
    write_run_directory(record, tmp_path / "a", ())
    assert not path.exists(), "the schedule of an earlier run would contradict the summary"


@pytest.mark.parametrize(("column", "value"), [(2, len(COMMANDS)), (1, -1), (3, -2)])
def test_damaged_schedules_are_refused(record: Record, tmp_path: Path, column: int, value: int) -> None:
    import h5py

    path = write_record(dataclasses.replace(record, commands={"dram": COMMANDS_MADE}), tmp_path / "record.h5")
    damaged = COMMANDS_MADE.copy()
    damaged[1, column] = value
    with h5py.File(path, "r+") as file:
        del file["commands/0"]
        add_array(file["commands"], "0", damaged)
    with pytest.raises(InputError, match="/commands/0"):
        load_record(path)
