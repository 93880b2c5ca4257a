"""Folders of results: their files appear when all of them are complete, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from simulator.errors import InputError


def write_folder(
    out_dir: str | Path, fill: Callable[[Path], None], last: str, stale: Callable[[Path], Iterable[str]]
) -> list[Path]:
    """Lets `fill` write files into a hidden folder beside `out_dir`, renames it when complete, returns their paths.

    In a folder that exists, files of an earlier result are replaced one by one, `last` last, those that `stale` names
    are removed, and other files stay.  On failure or interruption the hidden folder is removed.  Raises InputError
    where the folder cannot be written.
    """
    out_dir = Path(out_dir).absolute()
    partial = out_dir.with_name(f".{out_dir.name}.{os.getpid()}.partial")
    try:
        out_dir.parent.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
    except OSError as error:
        raise InputError(f"cannot make the run directory ({error.strerror})", file=out_dir) from None
    try:
        fill(partial)
        names = sorted((p.name for p in partial.iterdir()), key=lambda name: (name == last, name))
        if out_dir.is_dir():
            # the old summary goes first: without one, a folder says that its files do not belong together
            (out_dir / last).unlink(missing_ok=True)
            for name in set(stale(out_dir)) - set(names):
                (out_dir / name).unlink(missing_ok=True)
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
