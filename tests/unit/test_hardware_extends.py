"""One file laid over another: what merges, what is replaced, who vouches for a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.hardware import Hardware, load_hardware
from tests.unit.hardware_text import TEXT, changed, machine


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "base.yaml").write_text(TEXT)
    return tmp_path


def load(folder: Path, text: str, *overrides: str) -> Hardware:
    path = folder / "child.yaml"
    path.write_text(f"extends: base.yaml\n{text}")
    return load_hardware(path, overrides)


def refusal(folder: Path, text: str) -> str:
    with pytest.raises(InputError) as caught:
        load(folder, text)
    return str(caught.value)


def test_empty_child_is_its_base(base: Path) -> None:
    assert load(base, "") == machine()


def test_fields_merge_at_every_depth(base: Path) -> None:
    chip = load(base, "name: child\nclocks: {extra: 5}\nunits: {core: {gather: {unroll: {ox: 9}}}}\n")
    assert chip.name == "child"
    assert chip.clocks == {"core": 100_000_000, "slow": 25_000_000, "extra": 5}
    assert chip.unit("core").model_dump()["gather"]["unroll"] == {"k": 8, "c": 1, "oy": 2, "ox": 9}
    assert list(chip.units) == list(machine().units)


def test_overrides_come_after_extends(base: Path) -> None:
    assert (
        load(base, "units: {dram: {burst_bits: 64}}\n", "dram.burst_bits=32").unit("dram").model_dump()["burst_bits"]
        == 32
    )


def test_a_number_never_inherits_the_source_of_another(base: Path) -> None:
    message = refusal(base, "units:\n  memory[0]:\n    leakage_mw: 9\n")
    assert "child.yaml:4: units.memory[0].leakage_mw: this constant has no source" in message
    message = refusal(base, "units:\n  memory[0]: {area_mm2: {value: 9}}\n")
    assert "units.memory[0].area_mm2: this constant has no source" in message
    chip = load(base, "source: mine\ngrade: assumed\nunits:\n  memory[0]: {leakage_mw: 9}\n")
    assert chip.unit("memory[0]").leakage_mw.model_dump() == {"value": 9.0, "source": "mine", "grade": "assumed"}
    # ... and a default of the child never reaches what the base wrote.
    assert chip.unit("memory[0]").constants()["read_energy_pj_per_bit"].source == "a table"
    assert chip.unit("dram").leakage_mw.source == "a book"


def test_parts_of_a_constant_merge(base: Path) -> None:
    chip = load(base, "units:\n  memory[0]: {area_mm2: {grade: assumed}}\n")
    assert chip.unit("memory[0]").area_mm2.model_dump() == {"value": 0.2, "source": "a ruler", "grade": "assumed"}


def test_row_of_units_copies_the_unit_of_the_base(base: Path) -> None:
    chip = load(base, "units:\n  core[0..1]: {weight_memory: 'memory[{i}]'}\n  core[2]: {}\n")
    assert list(chip.units) == ["dram", "memory[0]", "memory[1]", "memory[2]", "core[0]", "core[1]", "core[2]"]
    assert [chip.unit(f"core[{i}]").model_dump()["weight_memory"] for i in range(3)] == [
        "memory[0]",
        "memory[1]",
        "memory[0]",
    ]
    assert chip.unit("core[1]").constants() == machine().unit("core").constants()


def test_ranges_of_both_files_meet(base: Path) -> None:
    chip = load(base, "units:\n  memory[1..2]: {banks: 8}\n")
    assert [chip.unit(f"memory[{i}]").model_dump()["banks"] for i in range(3)] == [4, 8, 8]


def test_units_are_removed_and_added(base: Path) -> None:
    host = (
        "{type: host, clock: core, launch_cycles: 1, queue_depth: 1, source: s, grade: assumed, "
        "launch_energy_pj: 0, leakage_mw: 0, area_mm2: 0}"
    )
    chip = load(base, f"units:\n  core: null\n  memory[0..2]: null\n  host: {host}\n")
    assert list(chip.units) == ["dram", "host"]
    message = refusal(base, "units:\n  drm: null\n")
    assert "child.yaml:3: units.drm: there is no such unit to remove" in message and "did you mean 'dram'?" in message


def test_a_unit_of_another_type_takes_the_place_of_the_old_one(base: Path) -> None:
    """Nothing of the old one stays, its clock neither; a unit that states the same type again merges."""
    host = (
        "type: host, clock: core, launch_cycles: 1, queue_depth: 1, source: s, grade: assumed, "
        "launch_energy_pj: 0, leakage_mw: 0, area_mm2: 0"
    )
    chip = load(base, f"units:\n  dram: {{{host}}}\n")
    assert chip.unit("dram").type == "host" and list(chip.units) == list(machine().units)
    assert "units.dram.clock: missing" in refusal(base, f"units:\n  dram: {{{host.replace('clock: core, ', '')}}}\n")
    rows = load(base, f"units:\n  dram[0..1]: {{{host}}}\n")
    assert [rows.unit(f"dram[{i}]").type for i in (0, 1)] == ["host", "host"]
    same = load(base, "units: {dram: {type: dram, burst_bits: 64}}\n").unit("dram").model_dump()
    assert same == {**machine().unit("dram").model_dump(), "burst_bits": 64}


def test_error_points_into_the_file_that_is_wrong(base: Path) -> None:
    (base / "base.yaml").write_text(changed("burst_cycles: 4", "burst_cycles: -4"))
    assert "base.yaml:16: units.dram.burst_cycles" in refusal(base, "name: x\n")
    assert "child.yaml:3: units.dram.burst_cycles" in refusal(base, "units:\n  dram: {burst_cycles: -3}\n")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("nothing.yaml", ["child.yaml:1: extends: no such file", "nothing.yaml"]),
        ("./", ["no such file"]),
        (f"{'x' * 300}.yaml", ["no such file"]),
        ("event_core", ["child.yaml:1: extends: ", "event_core_28nm", "did you mean"]),
        ("3", ["extends: wrong value", "found 3"]),
        ("[a]", ["extends: wrong value"]),
        ('"a\\0b.yaml"', ["extends: wrong value"]),
        ("child.yaml", ["child.yaml:1: extends: files extend each other in a loop"]),
        ("./sub/../child.yaml", ["loop"]),
    ],
)
def test_what_cannot_be_extended(tmp_path: Path, value: str, parts: list[str]) -> None:
    (tmp_path / "sub").mkdir()
    path = tmp_path / "child.yaml"
    path.write_text(f"extends: {value}\n")
    with pytest.raises(InputError) as caught:
        load_hardware(path)
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_longer_loop_is_found(tmp_path: Path) -> None:
    for name, target in (("a", "b"), ("b", "c"), ("c", "a")):
        (tmp_path / f"{name}.yaml").write_text(f"extends: {target}.yaml\n")
    with pytest.raises(InputError, match=r"c\.yaml:1: extends: files extend each other in a loop"):
        load_hardware(tmp_path / "a.yaml")


def test_path_is_relative_to_the_file(base: Path) -> None:
    (base / "deep").mkdir()
    (base / "deep" / "child.yaml").write_text("extends: ../base.yaml\nname: deep\n")
    assert load_hardware(base / "deep" / "child.yaml").name == "deep"


def test_names_of_files(tmp_path: Path) -> None:
    for name, part in (
        ("event_core_28", "did you mean 'event_core_28nm'?"),
        ("", "not a file name"),
        ("a\0b", "not a file name"),
        ("none/such", "no such file"),
        (str(tmp_path), "not a file"),
    ):
        with pytest.raises(InputError) as caught:
            load_hardware(name)
        assert part in str(caught.value)


def test_a_large_unit_is_not_multiplied(tmp_path: Path) -> None:
    path = tmp_path / "big.yaml"
    path.write_text(f"units:\n  x[0..4095]: [{', '.join('1' * 100)}]\n")
    with pytest.raises(InputError, match="too many values in this range"):
        load_hardware(path)
    path.write_text("units:\n  x[0..4095]: {}\n  y[0]: {}\n")
    with pytest.raises(InputError, match="too many units"):
        load_hardware(path)
    path.write_text("- 1\n")
    with pytest.raises(InputError, match="a hardware file is a mapping"):
        load_hardware(path)
