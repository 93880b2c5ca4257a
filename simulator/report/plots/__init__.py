"""Pictures of a run, one file per kind.  Each module has TITLE, `missing(record)` and `draw(record)`.

`missing` says in words why the record does not allow the picture, or returns None.  `draw` returns a matplotlib Figure.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from simulator.errors import InputError, unknown
from simulator.record import Record

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLOTS: tuple[str, ...] = (
    "timeline", "energy", "movement", "traffic", "flow", "bandwidth", "raster", "roofline", "tiles", "codes",
)  # fmt: skip
"""Names of the pictures; each is a module of this package."""

FORMATS = ("png", "svg")


def draw_plot(record: Record, name: str) -> Figure:
    """The picture called `name` as a matplotlib Figure.

    Raises InputError for an unknown name, and where the record lacks what the picture shows.
    """
    module = _module(name)
    reason = module.missing(record)
    if reason:
        raise InputError(f"this run allows no such picture: {reason}", key=f"plot {name}")
    return module.draw(record)


def drawable(record: Record, name: str) -> bool:
    """True when the record allows the picture called `name`."""
    return _module(name).missing(record) is None


def write_plots(
    record: Record, folder: str | Path, names: Iterable[str] = PLOTS, formats: Iterable[str] = FORMATS
) -> list[Path]:
    """Draws the pictures into `folder` as <name>.<format> and returns the paths; each file appears when complete.

    Pictures the record does not allow are left out; InputError, with the reason, if that leaves none.
    """
    from simulator.report.plots.style import save

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written, reasons = [], []
    for name in names:
        reason = _module(name).missing(record)
        if reason:
            reasons.append(f"{name}: {reason}")
            continue
        figure = _module(name).draw(record)
        for suffix in formats:
            path = folder / f"{name}.{suffix}"
            temporary = folder / f".{name}.{os.getpid()}.partial.{suffix}"
            try:
                save(figure, temporary)
                os.replace(temporary, path)
            finally:
                temporary.unlink(missing_ok=True)
            written.append(path)
    if reasons and not written:
        raise InputError(f"this run allows none of these pictures ({'; '.join(reasons)})", key="plot")
    return written


def _module(name: str) -> ModuleType:
    if name not in PLOTS:
        raise unknown("plot", name, PLOTS)
    return import_module(f"simulator.report.plots.{name}")
