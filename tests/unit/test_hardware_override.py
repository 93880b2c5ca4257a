"""`--set path=value`: one value changed after everything is merged, and what it says about itself afterwards."""

from __future__ import annotations

import pytest

from simulator.errors import InputError
from tests.unit.hardware_text import FILE, TEXT, changed, line_of, machine, refused


@pytest.mark.parametrize(
    ("override", "path", "value"),
    [
        ("core.gather.unroll.k=32", ["core", "gather", "unroll", "k"], 32),
        ("units.core.gather.gating=energy", ["core", "gather", "gating"], "energy"),
        ("core.gather.unroll={k: 1, c: 2, oy: 3, ox: 4}", ["core", "gather", "unroll", "c"], 2),
        ("dram.queue_depth=7", ["dram", "queue_depth"], 7),
        ("dram.burst_bits=1e3", ["dram", "burst_bits"], 1000),
        ("memory[1].banks=8", ["memory[1]", "banks"], 8),
        (" core.spike_bits = 24", ["core", "spike_bits"], 24),
        ("core.weight_memory=memory[2]", ["core", "weight_memory"], "memory[2]"),
        ("dram.background_mw.grade=measured", ["dram", "background_mw", "grade"], "measured"),
        ("dram.background_mw.source=a = b", ["dram", "background_mw", "source"], "a = b"),
    ],
)
def test_value_is_set(override: str, path: list[str], value: object) -> None:
    found: object = machine(TEXT, override).unit(path[0])
    for name in path[1:]:
        found = getattr(found, name)
    assert found == value


def test_header_is_set() -> None:
    assert machine(TEXT, "clocks.core=2e8").clocks == {"core": 200_000_000, "slow": 25_000_000}
    assert machine(TEXT, "main_clock=slow").main_clock == "slow"
    assert machine(TEXT, "labels=[a, b]").labels == ("a", "b")


def test_overrides_apply_in_order_and_only_where_they_say() -> None:
    chip = machine(TEXT, "memory[0..2].banks=8", "memory[1].banks=16")
    assert [chip.unit(f"memory[{i}]").model_dump()["banks"] for i in range(3)] == [8, 16, 8]
    assert machine().unit("memory[1]").model_dump()["banks"] == 4


def test_index_stands_for_the_unit_of_a_range() -> None:
    text = changed("weight_memory: memory[0]", "weight_memory: memory[1]").replace(
        "  core:\n    type", "  core[0..2]:\n    type"
    )
    chip = machine(text, "core[1..2].weight_memory=memory[{i}]")
    assert [chip.unit(f"core[{i}]").model_dump()["weight_memory"] for i in range(3)] == [
        "memory[1]",
        "memory[1]",
        "memory[2]",
    ]


def test_constant_keeps_its_source_but_not_its_grade() -> None:
    before = machine()
    chip = machine(TEXT, "memory[0..1].area_mm2=0.5", "dram.background_mw.value=1e-3", "dram.background_mw=3")
    assert chip.unit("memory[0]").area_mm2.model_dump() == {
        "value": 0.5,
        "source": "a ruler; overridden by --set",
        "grade": "assumed",
    }
    assert chip.unit("memory[2]").area_mm2 == before.unit("memory[2]").area_mm2
    assert chip.unit("dram").constants()["background_mw"].model_dump() == {
        "value": 3.0,
        "source": "a book; overridden by --set",
        "grade": "assumed",
    }
    assert chip.sha256 != before.sha256


def test_constant_may_bring_its_own_source() -> None:
    chip = machine(TEXT, "dram.background_mw={value: 3, source: a meter, grade: measured}")
    assert chip.unit("dram").constants()["background_mw"].model_dump() == {
        "value": 3.0,
        "source": "a meter; overridden by --set",
        "grade": "measured",
    }
    refused(
        TEXT,
        "--set dram.background_mw={value: 3}: units.dram.background_mw: this constant has no source",
        line=None,
        overrides=("dram.background_mw={value: 3}",),
    )


def test_dataflow_can_be_switched() -> None:
    scatter = (
        "core.scatter={lanes: 8, engines: 1, fifo_depth: 2, feed_cycles: 1, decode_cycles: 1, pipeline_cycles: 0, "
        "bank_row_skew: 0, accumulate_cycles: 1, update_cycles: 1, output_fifo_depth: 2, output_cycles: 1}"
    )
    chip = machine(TEXT, "core.dataflow=scatter", "core.gather=null", scatter)
    assert chip.unit("core").model_dump()["scatter"]["lanes"] == 8
    refused(
        TEXT,
        f"{FILE}:{line_of('    gather:')}: units.core.gather: gather does not belong here",
        line=None,
        overrides=("core.dataflow=scatter", scatter),
    )
    refused(TEXT, "units.core.scatter.engines: missing key", line=None, overrides=("core.scatter.lanes=4",))


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("core.gather.unrol.k=3", ["core.gather.unrol.k: unknown key", "found 'unrol'", "did you mean 'unroll'?"]),
        ("core.gathr.unroll.k=3", ["unknown key", "did you mean 'gather'?"]),
        ("core.bank=3", ["unknown key", "found 'bank'", "spike_bits"]),
        ("cores.spike_bits=3", ["unknown unit", "found 'cores'", "memory[0]", "did you mean 'core'?"]),
        ("memory[3].banks=3", ["unknown unit", "found 'memory[3]'", "did you mean 'memory["]),
        ("memory[1..3].banks=3", ["unknown unit", "found 'memory[3]'"]),
        ("memory[2..1].banks=3", ["bad range", "found 'memory[2..1]'"]),
        ("memory[x].banks=3", ["bad range"]),
        ("memory.banks=3", ["unknown unit", "found 'memory'", "did you mean 'memory["]),
        ("main_clok=core", ["a field is missing"]),
        ("core=3", ["a field is missing", "core.FIELD=VALUE"]),
        ("units=3", ["a unit is missing", "dram"]),
        ("clocks.cor=3", ["unknown clock", "did you mean 'core'?"]),
        ("clocks.core.hz=3", ["this path leads nowhere"]),
        ("main_clock.core=3", ["this path leads nowhere"]),
        ("dram.burst_bits.x=3", ["this path leads nowhere", "burst_bits is a single value"]),
        ("dram.background_mw.valu=3", ["unknown key", "did you mean 'value'?"]),
        ("dram.background_mw.value.x=3", ["this path leads nowhere"]),
        ("dram.burst_bits", ["not an override", "PATH=VALUE"]),
        ("=3", ["not an override"]),
        ("a\nb=3", ["not an override"]),
        ("a..b=3", ["not a dotted path"]),
        (".a=3", ["not a dotted path"]),
        ("a.=3", ["not a dotted path"]),
        ("a[1]b=3", ["not a dotted path"]),
        ("a[1=3", ["not a dotted path"]),
        ("dram.burst_bits=", ["units.dram.burst_bits: wrong value", "found 'nothing'"]),
        ("dram.burst_bits=x", ["units.dram.burst_bits: wrong value", "found 'x'"]),
        ("dram.burst_bits=-1", ["found -1", "greater than or equal to 1"]),
        ("dram.background_mw=-1", ["units.dram.background_mw.value: wrong value", "found -1"]),
        ("dram.background_mw=.inf", ["dram.background_mw: not a finite number"]),
        ("dram.background_mw=!!python/none ''", ["this tag"]),
        ("dram.background_mw=[", ["not valid YAML"]),
        ("core.weight_memory=memry", ["units.core.weight_memory: there is no such sram"]),
        ("dram.type=sram", ["units.dram."]),
    ],
)
def test_wrong_override_is_refused(override: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        machine(TEXT, override)
    message = str(caught.value)
    assert message.startswith("--set ") or override == "dram.type=sram"
    assert "\n" not in message
    for part in parts:
        assert part in message, message


def test_override_needs_a_unit_that_can_be_read() -> None:
    text = changed("    type: dram\n", "")
    refused(text, "units.dram: a unit needs a type", line=line_of("  dram:\n", text), overrides=("dram.burst_bits=3",))
    text = changed("    background_mw: 10\n", "")
    refused(text, "there is no such constant to change", line=None, overrides=("dram.background_mw.grade=measured",))
