"""Run directories: everything a run leaves, in files that appear only when all of them are complete.

    summary.json           the summary object (schema "neurocycle.summary/1")
    record.h5              the whole record, see `simulator.record_file`
    layers.csv             one row per layer, see `simulator.report.layers.COLUMNS`
    config.resolved.yaml   the hardware as it was simulated; `--hw config.resolved.yaml` runs it again
    commands.<unit>.csv.gz command schedule of a main memory that keeps it, see `simulator.report.dram_commands`
    <plot>.png, .svg       the pictures
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from simulator.record import Record
from simulator.record_file import write_record
from simulator.record_summary import summary_json
from simulator.report.csvs import layers_csv
from simulator.report.dram_commands import PATTERN, write_commands
from simulator.report.folder import write_folder
from simulator.report.plots import FORMATS, PLOTS, drawable, write_plots

SUMMARY = "summary.json"


def write_run_directory(
    record: Record, out_dir: str | Path, plots: Iterable[str] = PLOTS, formats: Iterable[str] = FORMATS
) -> list[Path]:
    """Writes all files of a run and returns their paths; pictures that the record does not allow are left out.

    How, and what becomes of files that were there: `simulator.report.folder`.
    """
    return write_folder(
        out_dir,
        lambda folder: _fill(record, folder, tuple(plots), tuple(formats)),
        SUMMARY,
        lambda folder: {*_pictures(), *(path.name for path in folder.glob(PATTERN))},
    )


def _fill(record: Record, folder: Path, plots: tuple[str, ...], formats: tuple[str, ...]) -> None:
    (folder / SUMMARY).write_text(summary_json(record), encoding="utf-8")
    (folder / "layers.csv").write_text(layers_csv(record), encoding="utf-8")
    (folder / "config.resolved.yaml").write_text(record.hardware.resolved_yaml(), encoding="utf-8")
    write_record(record, folder / "record.h5")
    for unit, commands in record.commands.items():
        write_commands(folder / PATTERN.replace("*", unit), commands)
    write_plots(record, folder, [name for name in plots if drawable(record, name)], formats)


def _pictures() -> set[str]:
    return {f"{name}.{suffix}" for name in PLOTS for suffix in FORMATS}
