"""Run directories: everything a run leaves, in files that appear only when all of them are complete.

    summary.json           the summary object (schema "neurocycle.summary/1")
    record.h5              the whole record, see `simulator.record_file`
    layers.csv             one row per layer, see `simulator.report.layers.COLUMNS`
    config.resolved.yaml   the hardware as it was simulated; `--hw config.resolved.yaml` runs it again
    commands.<unit>.csv.gz command schedule of a main memory that keeps it, see `simulator.report.dram_commands`
    <plot>.png, .svg       the pictures
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from simulator.errors import InputError
from simulator.record import Record
from simulator.record_file import write_record
from simulator.record_summary import summary_json
from simulator.report.csvs import layers_csv
from simulator.report.dram_commands import PATTERN, write_commands
from simulator.report.plots import FORMATS, PLOTS, drawable, write_plots

SUMMARY = "summary.json"


def write_run_directory(
    record: Record, out_dir: str | Path, plots: Iterable[str] = PLOTS, formats: Iterable[str] = FORMATS
) -> list[Path]:
    """Writes all files of a run and returns their paths; pictures that the record does not allow are left out.

    Everything is made in a hidden folder beside `out_dir` and renamed when complete.  In a folder that exists, files of
    an earlier run are replaced one by one, the summary last, and its other files stay.  On failure or interruption the
    hidden folder is removed.  Raises InputError where the folder cannot be written.
    """
    out_dir = Path(out_dir).absolute()
    partial = out_dir.with_name(f".{out_dir.name}.{os.getpid()}.partial")
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise InputError(f"cannot make the run directory ({error.strerror})", file=out_dir) from None
    try:
        _fill(record, partial, tuple(plots), tuple(formats))
        names = sorted((p.name for p in partial.iterdir()), key=lambda name: (name == SUMMARY, name))
        if out_dir.is_dir():
            # the old summary goes first: without one, a folder says that its files do not belong together
            (out_dir / SUMMARY).unlink(missing_ok=True)
            schedules = {path.name for path in out_dir.glob(PATTERN)}
            for stale in (_pictures() | schedules) - set(names):
                (out_dir / stale).unlink(missing_ok=True)
            for name in names:
                os.replace(partial / name, out_dir / name)
        else:
            os.rename(partial, out_dir)
    except OSError as error:
        raise InputError(f"cannot write the run directory ({error.strerror})", file=out_dir) from None
    finally:
        with suppress(OSError):
            shutil.rmtree(partial)
    return [out_dir / name for name in names]


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
