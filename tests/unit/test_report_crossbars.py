"""Tables of crossbar chips: their figures are those of the record, and other chips do not have them."""

from __future__ import annotations

import io

import pytest
from rich.console import Console
from rich.table import Table

from simulator import load_hardware, simulate
from simulator.network import load_network
from simulator.record import Record
from simulator.report.crossbars import component_table, crossbar_table, has_crossbars
from simulator.report.quantity import quantity
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


def test_all_tables_fit_the_terminal(record: Record) -> None:
    assert max(len(line) for table in record_tables(record) for line in text_of(table).splitlines()) <= 110


def test_a_chip_of_cores_has_no_such_tables() -> None:
    net = load_network("digits")
    assert not has_crossbars(simulate(load_hardware("event_core_28nm"), net, bernoulli_trace(net, 1, 0.1)))
