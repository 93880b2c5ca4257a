"""Pinned loop nests against a published analytical tool: every word count, every rung of the latency ladder.

    python -m benchmarks.pinned FILE_or_DIR [--json]

FILE is a reference file such as `memory/zz_golden.json`; of a DIR every *.json file is read that holds `mappings`.  It
names its `layer` and its `hardware` (YAML files beside it).  Per mapping: share of (operand, level) entries whose four
word counts are equal, share of exact energies and ports, the first difference, the error of each rung; the compiled
form must agree and says its speed.  The bar: all words exact, every rung within 1 %.  Beside it, the words if
neighbouring elements shared their halo.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.command import Result, run_options
from simulator.costmodel.loopnest import LoopCost, price_loops
from simulator.costmodel.loopnest_file import Entry, read_json, read_layer, read_machine, read_mapping
from simulator.costmodel.loopnest_types import DIRECTIONS, OPERANDS, LoopLayer, LoopMachine, PinnedLoops
from simulator.costmodel.tilings import Tilings, price_tilings
from simulator.errors import InputError

RUNGS = ("ideal", "ideal_temporal", "total0", "total1", "total2")
RUNG_TOLERANCE = 0.01
ENERGY_TOLERANCE = 1e-9
COPIES = 60_000


def compute(path: Path) -> Result:
    """Compares every mapping of a reference file, or of all reference files of a directory."""
    result = Result()
    cases = []
    for file, tree in reference_files(path):
        layer, machine = (read(_beside(tree, key)) for read, key in ((read_layer, "layer"), (read_machine, "hardware")))
        mappings = []
        for entry in tree.of("mappings").entries():
            mapping = read_mapping(entry, tree.of("spatial"), tree.of("spatial_for_latency"))
            mappings.append(mapping)
            ours = price_loops(layer, machine, mapping)
            shared = price_loops(layer, machine, mapping, "distinct")
            cases.append(judge(result, file.name, entry, ours, shared))
        compare_compiled(result, file.name, layer, machine, mappings, cases[-len(mappings) :])
    entries = sum(case["entries"] for case in cases)
    exact = sum(case["exact_entries"] for case in cases)
    worst = max(error for case in cases for error in case["ladder_errors"].values())
    result.bar = (f"{exact} of {entries} entries exact, worst rung {100 * worst:.3f} % off "
                  f"(all exact, {100 * RUNG_TOLERANCE:.0f} %)")  # fmt: skip
    result.figures = {"mappings": cases, "entries": entries, "exact_entries": exact, "worst_rung_error": worst}
    return result


def reference_files(path: Path) -> list[tuple[Path, Entry]]:
    """The reference files at a path with their contents; InputError if there is none."""
    if not path.exists():
        raise InputError("no such file or directory", file=path)
    files = [path] if path.is_file() else sorted(path.glob("*.json"))
    found = [(file, tree) for file in files if (tree := read_json(file)).has("mappings")]
    if not found:
        raise InputError("no reference file with pinned mappings", file=path)
    if not all(tree.of("mappings").list_of() for _, tree in found):
        raise InputError("a reference file without mappings", file=path, key="mappings")
    return found


def judge(result: Result, file: str, entry: Entry, ours: LoopCost, shared: LoopCost) -> dict[str, Any]:
    """Compares one mapping; prints its entries, notes the misses."""
    name = str(entry.of("id").data)
    differences: list[str] = []
    exact = energies = 0
    result.lines.append(f"{file} {name}: words per operand and level: {', '.join(DIRECTIONS)}")
    levels = [(operand, level) for operand in OPERANDS for level in entry.of("operands").of(operand).entries()]
    for (operand, level), mine, distinct in zip(levels, ours.levels, shared.levels, strict=True):
        theirs = {direction: level.of("port_words").of(direction).data for direction in DIRECTIONS}
        where = f"{operand} {mine.memory}"
        if level.of("memory").data != mine.memory:
            raise level.of("memory").error("not the operand's memory at this level", allowed=mine.memory)
        same = mine.words == theirs
        exact += same
        differences += [f"{where} {key}: {mine.words[key]}, the reference has {value}"
                        for key, value in theirs.items() if mine.words[key] != value]  # fmt: skip
        energies += close(mine.energy_pj, level.of("energy_pj").number())
        beside = "" if distinct.words == mine.words else (
            f"; distinct elements: {' '.join(str(n) for n in distinct.words.values())}")  # fmt: skip
        result.lines.append(f"  {where:14s} {' '.join(f'{n:>10d}' for n in mine.words.values())}  "
                            f"{'exact' if same else 'DIFFERS'}{beside}")  # fmt: skip
    ladder = {rung: (getattr(ours.ladder, rung), entry.of("cycles").of(rung).whole()) for rung in RUNGS}
    errors = {rung: abs(mine / theirs - 1) for rung, (mine, theirs) in ladder.items()}
    result.lines += [
        f"  {rung:14s} {mine:>10d}  {100 * (mine / theirs - 1):+.3f} %" for rung, (mine, theirs) in ladder.items()
    ]
    total_exact = close(ours.total_pj, entry.of("energy_pj").of("total").number())
    ports, wrong_port = compare_ports(entry, ours)
    for difference in differences:
        result.check(False, f"{name}: {difference}")
    for rung, error in errors.items():
        result.check(error <= RUNG_TOLERANCE, f"{name}: {rung} {ladder[rung][0]}, the reference has {ladder[rung][1]}")
    result.check(
        total_exact, f"{name}: energy {ours.total_pj} pJ, the reference has {entry.of('energy_pj').of('total').data}"
    )
    result.lines.append(f"  {exact} of {len(levels)} entries and {energies} energies exact, {ports}; "
                        f"first difference: {(differences + wrong_port + ['none'])[0]}")  # fmt: skip
    return {"file": file, "id": name, "entries": len(levels), "exact_entries": exact, "exact_energies": energies,
            "total_pj": ours.total_pj, "total_energy_exact": total_exact, "ports": ports,
            "ladder": {rung: mine for rung, (mine, _) in ladder.items()}, "ladder_errors": errors,
            "first_difference": (differences + wrong_port + [None])[0], "overfull": ours.overfull}  # fmt: skip


def compare_compiled(
    result: Result,
    file: str,
    layer: LoopLayer,
    machine: LoopMachine,
    mappings: list[PinnedLoops],
    cases: list[dict[str, Any]],
) -> None:
    """Prices the mappings of a file with the compiled form, which must agree, and many copies to know its speed."""
    found = price_tilings(layer, machine, Tilings.of(mappings))
    for i, case in enumerate(cases):
        same = found.cycles[i].tolist() == [case["ladder"][rung] for rung in RUNGS[1:]]
        same &= close(float(found.energy_pj[i]), case["total_pj"])
        result.check(same, f"{case['id']}: the compiled form differs: {found.cycles[i].tolist()}")
    many = Tilings.of(mappings * (COPIES // len(mappings) + 1))
    start = time.process_time()
    price_tilings(layer, machine, many)
    speed = len(many.loop) / (time.process_time() - start)
    for case in cases:
        case["tilings_per_cpu_s"] = round(speed)
    result.lines.append(f"{file}: compiled form equal, {speed / 1e6:.2f} M tilings per CPU second "
                        f"({many.loop.shape[1]} loops each)")  # fmt: skip


def compare_ports(entry: Entry, ours: LoopCost) -> tuple[str, list[str]]:
    """(how many ports have every link and the stall exact, the differences); ports are known by their links."""
    if not entry.has("ports"):
        return "ports not recorded", []
    mine = {}
    for load in ours.ports:
        rows = [{"operand": t.transfer.operand, "direction": t.transfer.direction,
                 "transfer_cycles": t.transfer.accesses, "window_cycles": t.window,
                 "period_cycles": t.transfer.period, "periods": t.transfer.periods, "stall_cycles": t.stall}
                for t in load.transfers]  # fmt: skip
        mine[load.memory.name, links(rows)] = (load.stall, sorted(rows, key=str))
    ports = entry.of("ports").entries()
    wrong = []
    for port in ports:
        rows = port.of("links").list_of()
        found = mine.get((str(port.of("memory").data), links(rows)))
        if found != (port.of("stall_cycles").data, sorted(rows, key=str)):
            wrong.append(f"{port.of('memory').data}.{port.of('port').data}: {found}")
    return f"{len(ports) - len(wrong)} of {len(ports)} ports exact", wrong


def links(rows: list[dict[str, Any]]) -> frozenset[tuple[Any, Any]]:
    """The (operand, direction) pairs of a port."""
    return frozenset((row.get("operand"), row.get("direction")) for row in rows)


def close(a: float, b: float) -> bool:
    """Equal but for the rounding of sums."""
    return abs(a - b) <= ENERGY_TOLERANCE * max(abs(a), abs(b))


def _beside(tree: Entry, key: str) -> Path:
    path = Path(tree.file).parent / str(tree.of(key).data)
    if not path.is_file():
        raise tree.of(key).error("no such file beside the reference file")
    return path


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command; 0 bar reached, 1 missed, 2 the input is wrong."""
    return run_options("pinned", __doc__.splitlines()[0], lambda options: compute(options.path), _declare, argv)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("path", type=Path, help="reference file or directory")


if __name__ == "__main__":
    sys.exit(main())
