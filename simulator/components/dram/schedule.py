"""Command schedules as tables: which command each channel issued in which cycle."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

from simulator.hardware.dram_timing import COMMANDS

COLUMNS = ("channel", "cycle", "command", "rank", "bank_group", "bank", "row", "column")


def write_schedule(path: Path, commands: np.ndarray) -> None:
    """Writes a gzipped CSV table with the columns `COLUMNS`; places that a command does not have are empty.

    commands: int64 [n, 8], as `BankedDram.commands` makes them.
    """
    with gzip.open(path, "wt", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for channel, cycle, command, *places in commands.tolist():
            table.writerow([channel, cycle, COMMANDS[command], *("" if place < 0 else place for place in places)])
