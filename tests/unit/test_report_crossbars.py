"""Tables of crossbar chips: their figures are those of the record, and other chips do not have them."""

from __future__ import annotations

import dataclasses
import io

import pytest
from rich.console import Console
from rich.table import Table

from simulator import load_hardware, simulate
from simulator.network import load_network
from simulator.record import Record
from simulator.report.crossbars import component_table, converter_text, crossbar_table, has_crossbars, tile_table
from simulator.report.info import describe_hardware
from simulator.report.quantity import percent, quantity
from simulator.report.tables import record_tables
from simulator.trace.synthetic import bernoulli_trace


@pytest.fixture(scope="module")
def record() -> Record:
    net = load_network("digits")
    return simulate(load_hardware("cim_neurosim65"), net, bernoulli_trace(net, 2, 0.1))


def text_of(table: Table) -> str:
    console = Console(file=io.StringIO(), width=110)
    console.print(table)
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_layers_show_their_counts(record: Record) -> None:
    text = text_of(crossbar_table(record))
    unit = record.units.index("cim")
    for row, layer in enumerate(record.layers[1:], start=1):
        line = next(line for line in text.splitlines() if line.strip().startswith(layer))
        driven = int(record.counts[unit, row, record.actions.index("drive:row")])
        done = [int(record.counts[unit, row, record.actions.index(f"{v}:column")]) for v in ("convert", "convert_idle")]
        assert f"{driven:,}" in line and f"{sum(done):,}" in line and f"{100 * done[1] / sum(done):.1f} %" in line


def test_components_add_up_to_the_area_and_the_static_power(record: Record) -> None:
    text = text_of(component_table(record))
    area = record.summary()["area_mm2"]
    assert f"{area['total']:.4g} mm2" in next(line for line in text.splitlines() if line.strip().startswith("all"))
    adc = next(line for line in text.splitlines() if "cim.adc" in line)
    assert f"{area['by_component']['cim.adc']:.4g} mm2" in adc
    watt = record.energy.static / record.end_ps  # 1 pJ in 1 ps is 1 W
    assert quantity(watt, "W") in next(line for line in text.splitlines() if line.strip().startswith("all"))


def test_tiles_show_their_busy_share_layer_by_layer(record: Record) -> None:
    lines = text_of(tile_table(record)).splitlines()
    found, cycles = record.work["tiles"]["cim"], record.cycles["cim"].cycles
    for layer in record.layers[1:]:
        mine = [busy for busy, on in zip(found["busy_cycles"], found["layers"], strict=True) if on == [layer]]
        line = next(line for line in lines if layer in line.split())
        shares = [percent(n / cycles) for n in (sum(mine) / len(mine), min(mine), max(mine))]
        assert "  ".join(shares).split() == [word for word in line.split() if word == "%" or word[0].isdigit()][-6:]
        assert line.count("█") == max(1, round(20 * sum(mine) / len(mine) / cycles))


def test_neighbours_with_the_same_layers_are_one_row(record: Record) -> None:
    tiles = {"cim": {"busy_cycles": [0, 10, 20, 30], "layers": [["a"], ["b"], ["b"], ["a", "b"]]}}
    text = text_of(tile_table(dataclasses.replace(record, work={**record.work, "tiles": tiles})))
    firsts = [line.split("  ")[0].strip() for line in text.splitlines()[4:]]
    assert firsts == ["0", "1 – 2", "3", ""] and "a, b" in text
    banks = {"cim": tiles["cim"], "host": tiles["cim"]}
    assert "host 1 – 2" in text_of(tile_table(dataclasses.replace(record, work={**record.work, "tiles": banks})))


def test_records_without_tiles_have_no_table_of_them(record: Record) -> None:
    older = dataclasses.replace(record, work={key: value for key, value in record.work.items() if key != "tiles"})
    titles = [str(table.title) for table in record_tables(older)]
    assert len(titles) + 1 == len(record_tables(record)) and not any(title.startswith("tiles") for title in titles)


@pytest.mark.parametrize("chip,settings,said", [
    ("cim_neurosim65", (), "ADC sar_neurosim65_5b, 5 bits, one for 8 columns; no quirks"),
    ("cim_spikesim64_ela", (), "quirks spikesim_ela"),
    ("cim_rram65", ("cim.quirks=full_tiles",), "quirks full_tiles"),
    ("cim_rram65", ("cim.crossbar.mux_ratio=1",), "one per column; no quirks"),
])  # fmt: skip
def test_the_converter_and_the_quirks_are_named(chip: str, settings: tuple[str, ...], said: str) -> None:
    hardware = load_hardware(chip, settings)
    assert said in converter_text(hardware.unit("cim"))
    assert describe_hardware(hardware)["crossbars"] == {"cim": converter_text(hardware.unit("cim"))}


def test_the_table_of_layers_names_the_converter(record: Record) -> None:
    assert f"cim: {converter_text(record.hardware.unit('cim'))}" in text_of(crossbar_table(record))


def test_all_tables_fit_the_terminal(record: Record) -> None:
    assert max(len(line) for table in record_tables(record) for line in text_of(table).splitlines()) <= 110


def test_a_chip_of_cores_has_no_such_tables() -> None:
    net = load_network("digits")
    made = simulate(load_hardware("event_core_28nm"), net, bernoulli_trace(net, 1, 0.1))
    assert not has_crossbars(made) and not any("tiles" in str(table.title) for table in record_tables(made))
    assert "crossbars" not in describe_hardware(made.hardware)
