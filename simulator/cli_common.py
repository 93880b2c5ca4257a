"""What the commands have in common: options, progress on stderr, results on stdout, the check of an output folder."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator.errors import InputError

if TYPE_CHECKING:
    from rich.table import Table

TABLE_WIDTH = 120
Say = Callable[[str], None]


def option_set(*declared: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Several options as one decorator, shown by --help in the order in which they stand here."""

    def apply(command: Any) -> Any:
        for option in reversed(declared):
            command = option(command)
        return command

    return apply


HARDWARE = option_set(
    click.option("--hw", "hardware", required=True, metavar="HW", help="Hardware config: a path or a bundled name."),
    click.option("--set", "overrides", multiple=True, metavar="A.B=C", help="Overrides one value of the config."),
)
OUTPUT = option_set(
    click.option("--json", "as_json", is_flag=True, help="Prints exactly one JSON object."),
    click.option("-q", "--quiet", is_flag=True, help="No progress on stderr."),
)


def show_tables(tables: list[Table]) -> None:
    """Prints tables on stdout."""
    from rich.console import Console

    # A file or a pipe has no width: give tables room instead of the 80 columns that rich assumes.
    console = Console(width=None if sys.stdout.isatty() else TABLE_WIDTH)
    for table in tables:
        console.print(table)


def check_output(folder: Path | None) -> None:
    """Refuses an output folder that cannot be made, before any work is done for it."""
    if folder is None:
        return
    for part in (folder, *folder.parents):
        if part.exists():
            if not part.is_dir():
                raise InputError("the output is not a folder", key="--output", found=str(part))
            if not os.access(part, os.W_OK):
                raise InputError("the output folder cannot be written", key="--output", found=str(part))
            return


def emit(verb: str, content: dict[str, Any]) -> None:
    """Prints the one JSON object of a verb."""
    click.echo(json.dumps({"schema": f"neurocycle.{verb}/1", **content}, allow_nan=False))


def print_fields(fields: dict[str, Any], indent: str = "") -> None:
    """Prints plain values, one per line, nested ones indented."""
    for key, value in fields.items():
        if isinstance(value, dict):
            click.echo(f"{indent}{key}")
            print_fields(value, indent + "  ")
        else:
            click.echo(f"{indent}{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")


@contextmanager
def progress(quiet: bool) -> Iterator[Say]:
    """What is being done, on one line of stderr, while it is done; silent where stderr is no terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda text: None
        return
    from rich.console import Console

    with Console(stderr=True).status("starting") as status:
        yield lambda text: status.update(text)
