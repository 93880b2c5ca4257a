"""Command schedules as files: which command each channel of a main memory issued in which cycle."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path

import numpy as np

from simulator.hardware.dram_timing import COMMANDS

COLUMNS = ("channel", "cycle", "command", "rank", "bank_group", "bank", "row", "column")
PATTERN = "commands.*.csv.gz"
"""Names of these files in a run directory, the unit's name in place of the star."""
CHUNK = 1 << 16


def write_commands(path: Path, commands: np.ndarray) -> None:
    """Writes a gzipped CSV table with the columns `COLUMNS`; places that a command does not have are empty.

    commands: int64 [n, 8], as in `Record.commands`.  Equal schedules give equal bytes.
    """
    with (
        open(path, "wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as packed,
        io.TextIOWrapper(packed, encoding="utf-8", newline="") as file,
    ):
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for begin in range(0, len(commands), CHUNK):
            for channel, cycle, command, *places in commands[begin : begin + CHUNK].tolist():
                table.writerow([channel, cycle, COMMANDS[command], *("" if place < 0 else place for place in places)])
