"""A folder of N-MNIST recordings with its table of labels.

The table `labels_<folder>.csv` beside the folder (or `labels.csv` in it) lists the recordings: columns `file` (its
last part is the name in the folder) and `label`.  Without a table every `.bin` and `.bs2` of the folder is taken, in
natural order of the names, without labels.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.network.nir_graph import natural
from simulator.trace.events import CameraEvents
from simulator.trace.nmnist import read_nmnist

SUFFIXES = (".bin", ".bs2")
MAX_RECORDINGS = 200_000


def list_recordings(folder: str | Path) -> tuple[list[Path], np.ndarray | None]:
    """Paths of the recordings in order, and int64 [B] labels where there is a table."""
    folder = Path(folder)
    tables = [t for t in (folder.parent / f"labels_{folder.resolve().name}.csv", folder / "labels.csv") if t.is_file()]
    if not tables:
        paths = sorted((p for p in folder.iterdir() if p.suffix in SUFFIXES), key=lambda p: natural(p.name))
        if not paths:
            raise InputError("no recordings in this folder", file=folder, allowed=[f"*{s}" for s in SUFFIXES])
        return paths, None
    return _from_table(tables[0], folder)


def readers(paths: list[Path]) -> list[Callable[[], CameraEvents]]:
    """A function per recording that reads it."""
    return [partial(read_nmnist, path) for path in paths]


def _from_table(table: Path, folder: Path) -> tuple[list[Path], np.ndarray]:
    paths: list[Path] = []
    labels: list[int] = []
    try:
        with open(table, newline="", encoding="utf-8") as file:
            rows = csv.DictReader(file)
            if not {"file", "label"} <= set(rows.fieldnames or ()):
                raise InputError("the table needs the columns file and label", file=table, found=rows.fieldnames)
            for row in rows:
                name, label = str(row["file"]), str(row["label"]).strip()
                if not label.isdecimal() or len(label) > 9 or len(paths) >= MAX_RECORDINGS:
                    raise InputError("a label must be a whole number", file=table, line=rows.line_num, found=label)
                path = folder / Path(name).name  # never outside the folder, whatever the table says
                if not path.is_file():
                    raise InputError("no such recording", file=table, line=rows.line_num, found=name)
                paths.append(path)
                labels.append(int(label))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"not a table ({error})", file=table) from None
    if not paths:
        raise InputError("the table lists no recordings", file=table)
    return paths, np.array(labels, np.int64)
