"""A whole machine whose main memory has banks and rows: nothing else of it changes, and the two engines agree."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from simulator import simulate
from simulator.components.dram.banked import SettlingLog
from simulator.errors import InputError
from simulator.hardware import Hardware, parse_hardware
from simulator.hardware.dram_timing import COMMANDS
from simulator.mapping import place
from simulator.record_file import load_record, write_record
from simulator.trace import StepSpikesBuilder, Trace
from tests.differential.compare import differences
from tests.timing import bench

MEMORY = "{type: banked_dram, clock: dram, preset: ddr4-2400, leakage_mw: 0, area_mm2: 0}"


def machine(hertz: int = 1_200_000_000, keep: bool = False) -> Hardware:
    """The bench with DDR4-2400 as it is."""
    memory = MEMORY.replace("}", ", keep_schedule: true}") if keep else MEMORY
    text, found = re.subn(r"  dram: \{type: dram,.*?\}\n", f"  dram: {memory}\n", bench.TEXT, flags=re.DOTALL)
    assert found == 1
    return parse_hardware(text.replace("clocks: {", f"clocks: {{dram: {hertz}, "), file="bench.yaml")


def test_engines_agree_and_energy_has_its_parts() -> None:
    network = bench.network(kernel=3, size=8, channels=4, threshold=3)
    steps = [list(range(0, 64, 5)), [], list(range(0, 64, 3))]
    kernel, reference = (bench.run(machine(), network, *steps, engine=engine) for engine in ("kernel", "reference"))
    assert differences(kernel, reference) == []
    energy = kernel.energy.by_action
    cycles = kernel.end_ps * 12 // 10_000
    counts = {a: int(kernel.counts[:, :, kernel.actions.index(a)].sum()) for a in ("active:rank", "idle:rank")}
    assert abs(sum(counts.values()) - 2 * cycles) <= 2
    for action in ("active:rank", "idle:rank", "activate:weight", "read_burst:weight"):
        assert energy.get(action, 0) > 0
    assert kernel.energy.by_layer["unattributed"] > 0


def test_a_run_of_several_samples_keeps_its_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The schedule of the whole run is in the record, in both engines the same; totals are booked at each sample's end;
    keeping it changes nothing."""
    ends = []
    plain = SettlingLog.commit
    monkeypatch.setattr(SettlingLog, "commit", lambda log, *until: (ends.append(until), plain(log, *until))[1])
    network = bench.network(kernel=3, size=8, channels=4, threshold=3)
    builder = StepSpikesBuilder()
    for sample in range(3):
        builder.begin_sample()
        for step in range(2):
            builder.add_step(np.arange(sample, 64, 3 + step, dtype=np.uint32))
    trace = Trace("three", network, "step", np.array([2, 2, 2], np.int64), {"in": builder.build()})
    kept = machine(keep=True)
    mapping = place(network, kept, cores=["core[0]"])
    kernel, reference = (simulate(kept, network, trace, mapping, engine=e) for e in ("kernel", "reference"))  # type: ignore[arg-type]
    assert len(ends) == 2 * (3 + 1)
    assert differences(kernel, reference) == []
    commands = kernel.commands["dram"]
    names = [COMMANDS[code] for code in commands[:, 2].tolist()]
    for action, name in (("activate", "ACT"), ("read_burst", "RD"), ("write_burst", "WR"), ("refresh", "REF")):
        columns = [a for a, counted in enumerate(kernel.actions) if counted.startswith(f"{action}:")]
        assert names.count(name) == int(kernel.counts[:, :, columns].sum()), action
    assert names.count("REF") > 0 and names.count("RD") > 0
    assert load_record(write_record(kernel, tmp_path / "record.h5")).commands["dram"].tolist() == commands.tolist()
    silent = simulate(machine(), network, trace, place(network, machine(), cores=["core[0]"]))
    assert silent.commands == {} and silent.counts.tolist() == kernel.counts.tolist() and silent.end_ps == kernel.end_ps


def test_another_clock_than_that_of_the_device_is_refused() -> None:
    with pytest.raises(InputError, match=r"units\.dram\.clock: the clock of this memory is not that of ddr4-2400"):
        bench.run(machine(1_000_000_000), bench.network(), [0])
