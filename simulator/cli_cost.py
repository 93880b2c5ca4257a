"""Commands about cost models: validate and calibrate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from simulator.cli_common import OUTPUT, check_output, emit, option_set, progress, show_tables
from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.costmodel.case import Case

_SUITE = option_set(
    click.argument("suite"),
    click.argument("directory", required=False, type=click.Path(path_type=Path), metavar="[DIR]"),
    click.option("--hw", "hardware", required=True, metavar="HW", help="Hardware config: a path or a bundled name."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of drawn spikes and architectures."),
    click.option("--level", type=click.FloatRange(0.5, 0.99), default=0.9, show_default=True,
                 help="Share of the points that intervals are to cover."),
    click.option("--points", type=click.IntRange(min=1), metavar="N",
                 help="At most N cases, as different as they can be."),
)


@click.command()
@_SUITE
@click.option("--model", "model", metavar="MODEL",
              help="A calibrated model; without one each architecture is predicted by a model fitted on the others.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR",
              help="Writes JSON, Markdown, CSV and scatter plots.")
@OUTPUT
def validate(suite: str, directory: Path | None, hardware: str, seed: int, level: float, points: int | None,
             model: str | None, output: Path | None, as_json: bool, quiet: bool) -> None:
    """Holds cost models against the simulator on the cases of SUITE: errors, by term too, and a scatter plot.

    DIR holds the recordings of suite "recorded".
    """
    from simulator import load_model
    from simulator import validate as compare

    check_output(output)
    with progress(quiet) as say:
        say("reading input")
        given = None if model is None else load_model(model)
        made = compare(suite, hardware, model=given, directory=None if directory is None else str(directory),
                       seed=seed, level=level, points=points,
                       progress=lambda done, of, case: say(_line(done, of, case)))
        if output is not None:
            from simulator.report.validation_files import write_validation

            say(f"writing {output}")
            write_validation(made, output)
    if as_json:
        content = made.to_dict()
        content.pop("schema")
        emit("validate", content)
    else:
        from simulator.report.validation import validation_tables

        show_tables(validation_tables(made))
        click.echo("\n".join([*made.notes, f"made by: {made.command}"]))
        if output is not None:
            click.echo(f"tables and pictures: {output}")


@click.command()
@_SUITE
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="MODEL",
              help="The file to write, JSON.")
@OUTPUT
def calibrate(suite: str, directory: Path | None, hardware: str, seed: int, level: float, points: int | None,
              output: Path, as_json: bool, quiet: bool) -> None:
    """Fits the cost model of a chip to the simulator on the cases of SUITE; says its held-out error.

    DIR holds the recordings of suite "recorded".
    """
    from simulator import calibrate as fit

    _check_file(output)
    with progress(quiet) as say:
        say("reading input")
        model = fit(suite, hardware, directory=None if directory is None else str(directory), seed=seed, level=level,
                    budget=points,
                    progress=lambda done, most: say(f"{suite} on {hardware}: {done} of at most {most} cases"))
        say(f"writing {output}")
        model.save(output)
    described = model.describe()
    described.pop("schema")
    if as_json:
        emit("calibrate", {"model": str(output), **described})
    else:
        from simulator.report.costmodel import model_tables

        show_tables(model_tables(model))
        click.echo(f"model: {output}")


def _line(done: int, of: int, case: Case) -> str:
    return f"{case.suite} on {case.hardware}, seed {case.seed}: case {done + 1} of {of}, {case.architecture}"


def _check_file(path: Path) -> None:
    """Refuses a file that cannot be made, before any work is done for it."""
    if path.is_dir():
        raise InputError("the output is a folder, not a file", key="--output", found=str(path))
    check_output(path.parent)
