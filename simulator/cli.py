"""The command line: thin commands over the calls of `simulator`.

Results go to stdout, progress to stderr.  Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 130 interrupted;
an error is one message on stderr, never a traceback.  Heavy imports stand inside the commands: `--help` stays fast.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from simulator import __version__, cli_cost
from simulator.cli_common import (
    HARDWARE,
    OUTPUT,
    Say,
    check_output,
    emit,
    option_set,
    print_fields,
    progress,
    show_tables,
)
from simulator.errors import InputError, NeurocycleError, unknown

if TYPE_CHECKING:
    from simulator import Hardware, Network, Record, Trace

INTERRUPTED = 130
TERMINATED = 143
DEMO_TRACE = "digits"
DEMO_CHIPS = ("event_core_28nm", "sia_pynqz2")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(version=__version__, prog_name="neurocycle")
def cli() -> None:
    """Cycle-level simulation of neuromorphic hardware: cycles, energy, bits moved, utilisation."""


cli.add_command(cli_cost.validate)
cli.add_command(cli_cost.calibrate)


def main(argv: Sequence[str] | None = None) -> None:
    """Entry point of the command; leaves the process with the documented exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    sys.exit(run_command(argv))


def run_command(argv: Sequence[str] | None = None) -> int:
    """Runs one command line (default: that of the process) and returns its exit code; errors become one message."""
    debug = bool(os.environ.get("NEUROCYCLE_DEBUG"))
    try:
        code = cli.main(args=None if argv is None else list(argv), prog_name="neurocycle", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except NeurocycleError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return 2
    except click.ClickException as error:
        return _fail(_usage_message(error), 2)
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted; no half-written result was left", INTERRUPTED)
    except BrokenPipeError:
        # Whoever read the results has left: nothing can be said to it, and the interpreter must not try when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail("out of memory", 1)
    except Exception as error:
        if debug:
            raise
        if isinstance(error, OSError) and error.filename is not None:
            return _fail(f"{error.filename}: {error.strerror}", 1)
        kind = type(error).__name__
        return _fail(f"defect in neurocycle: {kind}: {error}; NEUROCYCLE_DEBUG=1 shows where, please report it", 1)


def _fail(message: str, code: int) -> int:
    click.echo(f"neurocycle: {message}", err=True)
    return code


def _usage_message(error: click.ClickException) -> str:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    return f"{message} Try '{context.command_path} --help'." if context is not None else message


def _terminate(number: int, frame: object) -> None:
    """SIGTERM unwinds the stack like Ctrl-C does, so that temporary files go away."""
    raise SystemExit(TERMINATED)


_RUN = option_set(
    click.option("--mapping", metavar="M", help="Mapping YAML; without it one is made that fits."),
    click.option("--activity", type=click.Choice(["dense", "spikes"]), default="spikes", show_default=True,
                 help="Pretend that every input fires, or use the spikes."),
    click.option("--engine", type=click.Choice(["kernel", "reference"]), default="kernel", show_default=True,
                 help="Compiled kernels, or the plain event-by-event definition (same numbers, slow)."),
    click.option("--import", "choices", multiple=True, metavar="KEY=VALUE",
                 help="Says what a file format leaves open; a missing choice is an error that lists the options."),
    click.option("--timeline", is_flag=True, help="Records every busy and stalled interval of every unit."),
    click.option("--seed", type=int, default=0, show_default=True, help="Seed of random numbers, if any are needed."),
    click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Writes a run directory."),
)


@cli.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("neurocycle-demo"), show_default=True,
              metavar="DIR", help="Where the run directories go, one per chip.")
@OUTPUT
def demo(output: Path, as_json: bool, quiet: bool) -> None:
    """Replays the bundled trace on the bundled chips: tables, report, timeline."""
    from simulator import load_hardware, load_trace

    check_output(output)
    runs: dict[str, Any] = {}
    with progress(quiet) as say:
        trace = load_trace(DEMO_TRACE)
        for chip in DEMO_CHIPS:
            options = {"engine": "kernel", "activity": "spikes", "timeline": True, "seed": 0}
            record = _simulate(load_hardware(chip), trace.network, trace, None, options, say)
            _write(record, output / chip, say)
            _draw_first_sample(record, output / chip)
            if not as_json:
                _show(record)
            runs[chip] = record.summary()
    if as_json:
        emit("demo", {"output": str(output), "runs": runs})
    else:
        click.echo(f"run directories, tables and pictures: {', '.join(str(output / chip) for chip in DEMO_CHIPS)}")


@cli.command()
@click.argument("trace")
@click.option("--network", metavar="NET", help="Network the trace belongs to, when the trace does not embed it.")
@HARDWARE
@_RUN
@OUTPUT
def replay(trace: str, network: str | None, hardware: str, overrides: tuple[str, ...], mapping: str | None,
           choices: tuple[str, ...], output: Path | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Runs the recorded spikes of TRACE on a chip; no weights are needed."""
    from simulator import load_hardware, load_network, load_trace

    check_output(output)
    with progress(quiet) as say:
        say("reading input")
        chip = load_hardware(hardware, list(overrides))
        net = None if network is None else load_network(network, _choices(choices, network))
        spikes = load_trace(trace, net, _choices(choices, trace))
        if not spikes.complete:
            missing = [p.name for p in spikes.network.populations if p.name not in spikes.populations]
            raise InputError(f"the trace cannot be replayed, it lacks the spikes of {', '.join(missing)}; "
                             "`neurocycle run NETWORK INPUT` makes them", file=trace)
        record = _simulate(chip, net or spikes.network, spikes, mapping, options, say)
        _finish(record, output, as_json, say)


@cli.command()
@click.argument("network")
@click.argument("input")
@HARDWARE
@_RUN
@OUTPUT
def run(network: str, input: str, hardware: str, overrides: tuple[str, ...], mapping: str | None,
        choices: tuple[str, ...], output: Path | None, as_json: bool, quiet: bool, **options: Any) -> None:
    """Feeds the spikes of INPUT to NETWORK (LIF dynamics) and runs the result on a chip."""
    from simulator import load_hardware, load_network, load_trace

    check_output(output)
    with progress(quiet) as say:
        say("reading input")
        chip = load_hardware(hardware, list(overrides))
        net = load_network(network, _choices(choices, network))
        spikes = load_trace(input, net, _choices(choices, input))
        if spikes.complete:
            say("running the network beside its recorded spikes")
            spikes = _checked_inputs(net, spikes)
        record = _simulate(chip, net, spikes, mapping, options, say)
        _finish(record, output, as_json, say)


@cli.command()
@click.argument("file")
@click.option("--import", "choices", multiple=True, metavar="KEY=VALUE", help="Says what a file format leaves open.")
@OUTPUT
def info(file: str, choices: tuple[str, ...], as_json: bool, quiet: bool) -> None:
    """Says what is in FILE: a trace, network, hardware config, mapping, record, run directory or cost model."""
    from simulator.report.info import describe_file

    with progress(quiet) as say:
        say(f"reading {file}")
        described = describe_file(file, _choices(choices, file))
    if as_json:
        emit("info", described)
    else:
        print_fields(described)


@cli.command()
@click.argument("run")
@click.option("--what", multiple=True, metavar="PLOT", help="Which picture; default: all that the run allows.")
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="DIR", help="Default: beside the record.")
@OUTPUT
def plot(run: str, what: tuple[str, ...], output: Path | None, as_json: bool, quiet: bool) -> None:
    """Draws the pictures of RUN, a run directory or a record file."""
    from simulator import load_record
    from simulator.report import PLOTS, write_plots

    for name in what:
        if name not in PLOTS:
            raise unknown("plot", name, PLOTS, key="--what")
    path = Path(run) / "record.h5" if Path(run).is_dir() else Path(run)
    check_output(output)
    with progress(quiet) as say:
        say("drawing")
        written = write_plots(load_record(path), output or path.parent, what or tuple(PLOTS))
    if as_json:
        emit("plot", {"files": [str(p) for p in written]})
    else:
        click.echo("\n".join(str(p) for p in written))


@cli.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="Prints exactly one JSON object.")
def list_bundled(as_json: bool) -> None:
    """Names what ships with neurocycle: chips, traces, networks, suites of cost models."""
    from simulator.costmodel.suite_file import suite_names
    from simulator.network.load import BUILT_IN, network_names
    from simulator.resources import list_resources
    from simulator.trace.load import trace_names

    bundled = {
        "hardware": list_resources("hwconfigs"),
        "traces": trace_names(),
        "networks": [*network_names(), *sorted(BUILT_IN)],
        "suites": suite_names(),
    }
    if as_json:
        emit("list", bundled)
    else:
        click.echo("\n".join(f"{kind:10}{name}" for kind, names in bundled.items() for name in names))


@cli.command()
@click.argument("kind", required=False)
def schema(kind: str | None) -> None:
    """Prints the JSON Schema of every YAML file, or of one KIND of them (for editors)."""
    from simulator.costmodel.suite_schema import json_schema as suite_schema
    from simulator.hardware.schema import json_schema as hardware_schema
    from simulator.mapping.file import json_schema as mapping_schema

    schemas = {"hardware": hardware_schema, "mapping": mapping_schema, "suite": suite_schema}
    if kind is None:
        emit("schema", {name: make() for name, make in schemas.items()})
    elif kind in schemas:
        click.echo(json.dumps(schemas[kind](), indent=2))
    else:
        raise unknown("kind of YAML file", kind, schemas)


# --- what the commands have in common


def _simulate(
    hardware: Hardware, network: Network, trace: Trace, mapping: str | None, options: dict[str, Any], say: Say
) -> Record:
    from simulator import load_mapping, simulate

    plan = None if mapping is None else load_mapping(mapping)
    task = f"simulating {trace.name} on {hardware.name}, seed {options['seed']}"
    say(task)
    return simulate(hardware, network, trace, plan, **options,
                    progress=lambda sample: say(f"{task}: sample {sample + 1} of {trace.samples}"))


def _checked_inputs(network: Network, recorded: Trace) -> Trace:
    """The input spikes of a trace that also holds all others, once the network has been seen to make those."""
    from dataclasses import replace

    from simulator.functional import compare_traces, run_network

    difference = compare_traces(recorded, run_network(network, recorded))
    if difference is not None:
        raise InputError(f"the recorded spikes differ from the run: {difference}", key=f"trace {recorded.name}")
    return replace(recorded, populations={name: recorded.populations[name] for name in network.inputs})


def _choices(items: tuple[str, ...], file: str) -> dict[str, Any]:
    from simulator.network.choices import load_choices

    return load_choices(list(items), Path(f"{file}.import.yaml"))


def _finish(record: Record, output: Path | None, as_json: bool, say: Say) -> None:
    if output is not None:
        _write(record, output, say)
    if as_json:
        click.echo(json.dumps(record.summary(), allow_nan=False))
    else:
        _show(record)
        if output is not None:
            click.echo(f"run directory: {output}")


def _write(record: Record, folder: Path, say: Say) -> None:
    from simulator.report import write_run_directory

    say(f"writing {folder}")
    write_run_directory(record, folder)


def _draw_first_sample(record: Record, folder: Path) -> None:
    """A timeline in which single layers can be seen: a hundred samples side by side are a blur."""
    from simulator.report.plots.style import save
    from simulator.report.plots.timeline import draw

    partial = folder / f".first_sample.{os.getpid()}.png"
    try:
        save(draw(record, (0, int(record.sample_end_ps[0]))), partial)
        os.replace(partial, folder / "first_sample.png")
    finally:
        partial.unlink(missing_ok=True)


def _show(record: Record) -> None:
    from simulator.report.tables import record_tables

    show_tables(record_tables(record))
