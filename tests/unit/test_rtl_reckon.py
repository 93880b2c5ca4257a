"""The comparison with recordings, on a small case written from the cycle-by-cycle definition of the core."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rtl_reckon import compare_case, is_reckon
from simulator.components.reckon_core.drive import Driver
from simulator.components.reckon_core.image import Image
from tests.differential.test_reckon_kernel import oracle_of
from tests.oracles.reckon import OracleBench

LINES = [("S", 0), ("I", 1), ("T", 0), ("E", 2), ("E", 5), ("T", 0), ("D", 0), ("L", 3), ("T", 0), ("X", 0),
         ("S", 1), ("E", 1), ("T", 0), ("D", 0), ("T", 0), ("G", 7), ("E", 1), ("T", 0), ("D", 0), ("X", 0),
]  # fmt: skip
SIZES = {94: 5, 95: 7, 96: 1}


def write_csv(path: Path, header: str, rows: list[list[object]]) -> None:
    """A table as the recordings write it."""
    with open(path, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def write_case(folder: Path, driver: Driver, through: bool) -> Path:
    """A case directory; `through`: its ticks are numbered through both samples."""
    rng = np.random.Generator(np.random.PCG64(5))
    image = Image(6, 8, 2, (1, 2, 0), 100, False, np.full(128, 90), np.full(128, 0x7F00))
    for table in (image.input_weights, image.recurrent_weights, image.output_weights):
        table[:] = rng.integers(-90, 128, table.shape)
    bench = oracle_of(image, driver)
    bench.run(LINES)
    registers = {9: 0, 12: 1, 13: 2, 14: 0, 69: 100} | SIZES
    (folder / "case.json").write_text(json.dumps({"core": "ReckOn"}))
    (folder / "config.txt").write_text("".join(f"{a} {v}\n" for a, v in registers.items()))
    (folder / "stimulus.txt").write_text("".join(f"{letter} {number}\n" for letter, number in LINES))
    (folder / "neurons_init.hex").write_text(f"{0xF00 << 116 | 90 << 100:032x}\n" * 128)
    for name, table in (
        ("winp", image.input_weights),
        ("wrec", image.recurrent_weights),
        ("wout", image.output_weights),
    ):
        words = table.view(np.uint8).reshape(-1, 16)[:, ::-1]
        (folder / f"{name}_init.hex").write_text("".join(word.tobytes().hex() + "\n" for word in words))
    write_recorded(folder, bench, through)
    return folder


def write_recorded(folder: Path, bench: OracleBench, through: bool) -> None:
    """The recorded side of a case: what the oracle's bench noted."""
    numbers, number = [], 0
    for i, row in enumerate(bench.ticks):
        number = i if through else 0 if not row["step"] else number + 1
        numbers.append(number)
    stepped = [n for n, row in zip(numbers, bench.ticks, strict=True) if row["step"]]
    write_csv(folder / "events_in.csv", "idx,addr,target,t_req,t_ack,t_done",
              [[i, *row] for i, row in enumerate(bench.events)])  # fmt: skip
    write_csv(
        folder / "ticks.csv",
        "tick,t_tick,kind,t_step,t_sdone,t_prop,t_scan_end,t_ready,n_inp,n_rec_spk,evt_cycles,eprop_cycles",
        [[n, r["time"], "X" if r["last"] else "T", r["step"], r["sdone"], r["prop"], 0 if r["last"] else r["ready"],
          r["ready"], r["inputs"], r["spikes"], r["passes"], 0] for n, r in zip(numbers, bench.ticks, strict=True)],
    )  # fmt: skip
    spikes = [[n, i] for n, fired in zip(stepped, bench.fired, strict=True) for i in range(256) if fired[i]]
    write_csv(folder / "spikes.csv", "tick,neuron", spikes)
    write_csv(folder / "out.csv", "tick,u0..u15", [[n, *u] for n, u in zip(stepped, bench.outputs, strict=True)])
    write_csv(folder / "results.csv", "sample,out_label,t_req", [[i, *row] for i, row in enumerate(bench.results)])
    for tick, u, dirty in bench.dumps:
        write_csv(folder / f"membrane_t{numbers[tick]}.csv", "neuron,u,dirty",
                  [[n, u[n] if dirty[n] else 77, dirty[n]] for n in range(256)])  # fmt: skip
    reads = bench.core.accesses
    summary = {
        "input_events": len(bench.events), "ticks": len(bench.ticks), "samples": len(bench.results),
        "cycles_total": bench.cycle, "rec_spikes": sum(map(sum, bench.fired)), "neuron_mem_reads": reads["nr"],
        "neuron_mem_writes": reads["nw"], "winp_reads": reads["winp"], "winp_writes": 0, "wrec_reads": reads["wrec"],
        "wrec_writes": 0, "wout_reads": reads["wout"], "wout_writes": 0,
        "state_cycles": {**bench.states, "GET_TAR": 0, "CONFIG": 0, "EPROP": 0},
        "evt_state_cycles": {**bench.scans, "SUPP": 0}, "timing_error": 0, "rtl_cycles_per_s": 1,
    }  # fmt: skip
    (folder / "summary.json").write_text(json.dumps(summary))


@pytest.mark.parametrize("driver", [Driver(), Driver(0, 8, 0), Driver(4, 4, 0), Driver(label_sent=False)])
@pytest.mark.parametrize("through", [True, False])
def test_a_case_of_two_samples_is_exact_whatever_its_bench(tmp_path: Path, driver: Driver, through: bool) -> None:
    case = write_case(tmp_path, driver, through)
    assert is_reckon(case)
    assert compare_case(case) == []


@pytest.mark.parametrize(("file", "line", "column"), [
    ("events_in.csv", 2, 3), ("ticks.csv", 4, 5), ("ticks.csv", 6, 1), ("spikes.csv", 1, 1), ("out.csv", 3, 2),
    ("results.csv", 2, 1), ("membrane_t1.csv", 3, 1), ("membrane_t6.csv", 3, 2)])  # fmt: skip
def test_one_changed_number_is_named(tmp_path: Path, file: str, line: int, column: int) -> None:
    case = write_case(tmp_path, Driver(), True)
    rows = [text.split(",") for text in (case / file).read_text().splitlines()]
    old = rows[line][column]
    rows[line][column] = str(int(old) + 1)
    (case / file).write_text("\n".join(",".join(row) for row in rows) + "\n")
    found = compare_case(case)
    assert any(f"{file} row {line}" in text and f"ours {old}, recorded {int(old) + 1}" in text for text in found)


def test_missing_rows_dumps_and_totals_are_named(tmp_path: Path) -> None:
    case = write_case(tmp_path, Driver(), True)
    rows = (case / "out.csv").read_text().splitlines()
    (case / "out.csv").write_text("\n".join(rows[:-1]) + "\n")
    (case / "membrane_t1.csv").unlink()
    summary = json.loads((case / "summary.json").read_text())
    (case / "summary.json").write_text(json.dumps(summary | {"winp_reads": summary["winp_reads"] + 1}))
    found = compare_case(case)
    assert f"out.csv: ours {len(rows) - 1} rows, recorded {len(rows) - 2}" in found
    assert "membrane_t1.csv: ours only" in found
    reads = summary["winp_reads"]
    assert f"summary.json winp_reads: ours {reads}, recorded {reads + 1}" in found
    assert len(found) == 3
