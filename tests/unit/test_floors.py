"""A module imports only from lower floors (the table below is the one of CONTRIBUTING.md)."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.unit.source_tree import ROOT, imported_names, module_name, python_files, shown

# Floor, then the rooms on it.  A room is one or more top-level names below `simulator` that may import each other.
FLOORS: dict[int, list[tuple[str, ...]]] = {
    0: [("units", "errors", "resources")],
    1: [("hardware",), ("network",)],
    2: [("mapping",), ("trace",)],
    3: [("engine", "ledger"), ("kernels",)],
    4: [("components",)],
    5: [("machine", "machine_*", "workload"), ("functional",)],
    6: [("run", "record", "record_*", "energy", "invariants")],
    7: [("costmodel",)],
    8: [("report",)],
    9: [("mapper",), ("nas",), ("convert",)],
    10: [("cli", "cli_*", "__init__", "__main__")],
}
# Report and cost model see a record, never the machine that made it.
NEVER = {"report": {"components", "engine", "machine"}, "costmodel": {"components", "engine", "machine"}}


def room(module: str) -> tuple[int, tuple[str, ...], str]:
    """(floor, room, top-level name) of a module of `simulator`."""
    parts = module.split(".")
    top = parts[1] if len(parts) > 1 else "__init__"
    for floor, rooms in FLOORS.items():
        for names in rooms:
            if any(fnmatch(top, pattern) for pattern in names):
                return floor, names, top
    raise AssertionError(f"{module} is on no floor: add it to FLOORS and to CONTRIBUTING.md")


def complaint(importer: str, imported: str) -> str | None:
    """What is wrong with one import inside `simulator`, or None."""
    floor, names, top = room(importer)
    other_floor, other_names, other_top = room(imported)
    if top == "kernels" and other_top != "kernels":
        return "kernels import nothing of simulator"
    if other_top in NEVER.get(top, ()):
        return f"{top} never imports {other_top}"
    if top == "components" == other_top and importer != "simulator.components":
        own, other = importer.split(".")[2], f"{imported}.".split(".")[2]
        if other and other != own:
            return "components never import each other"
    if other_floor > floor:
        return f"floor {floor} imports floor {other_floor}"
    if other_floor == floor and other_names != names:
        return f"rooms of floor {floor} do not import each other"
    return None


@pytest.mark.parametrize("path", python_files("simulator"), ids=shown)
def test_imports_point_downwards(path: Path) -> None:
    wrong = []
    for line, imported in imported_names(path):
        if imported.split(".")[0] in ("tests", "benchmarks"):
            wrong.append(f"{shown(path)}:{line}: the library imports {imported}")
        if imported.split(".")[0] != "simulator":
            continue
        reason = complaint(module_name(path), imported)
        if reason:
            wrong.append(f"{shown(path)}:{line}: imports {imported}: {reason}")
    assert not wrong, "\n".join(wrong)


def test_kernels_import_only_numpy_and_numba() -> None:
    standard = {"__future__", "hashlib", "os", "sys", "pathlib", "math", "typing"}
    wrong = [
        f"{shown(path)}:{line}: {imported}"
        for path in python_files("simulator/kernels")
        for line, imported in imported_names(path)
        if imported.split(".")[0] not in {"numpy", "numba", *standard}
        and not imported.startswith("simulator.kernels")
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("importer", "imported", "wrong"),
    [
        ("simulator.network.check", "simulator.errors", False),
        ("simulator.network.check", "simulator.trace.trace", True),
        ("simulator.network.check", "simulator.hardware.load", True),
        ("simulator.run", "simulator.record_file", False),
        ("simulator.report.tables", "simulator.machine", True),
        ("simulator.report.tables", "simulator.record", False),
        ("simulator.kernels.pool", "simulator.units", True),
        ("simulator.components.sram", "simulator.components.dram", True),
        ("simulator.components.sram", "simulator.engine.clock", False),
        ("simulator.errors", "simulator", True),
    ],
)
def test_the_rule_itself(importer: str, imported: str, wrong: bool) -> None:
    assert (complaint(importer, imported) is not None) is wrong


def test_every_floor_of_the_table_is_written_down() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    for floor, rooms in FLOORS.items():
        line = next((row for row in text.splitlines() if row.startswith(f"| {floor} |")), "")
        for names in rooms:
            missing = [name for name in names if "*" not in name and f"`{name}`" not in line]
            assert not missing, f"floor {floor} of CONTRIBUTING.md lacks {missing}"
