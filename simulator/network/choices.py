"""Import choices: what a file format leaves open and the user must say, by `--import key=value` or a sidecar file.

One table names every key of every reader, so that a misspelt key is found whichever file it was meant for.  A choice
without a value is an error that lists the options; nothing is ever assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

from simulator.errors import InputError, unknown

Scope = Literal["network", "trace", "both"]


@dataclass(frozen=True)
class Choice:
    """One key: who reads it, its options in words, and what it decides."""

    key: str
    scope: Scope
    options: str
    meaning: str


CHOICES: dict[str, Choice] = {
    c.key: c
    for c in (
        Choice("reset", "network", "zero | subtract", "membrane after a spike"),
        Choice("floor", "network", "none | minus_threshold | a number", "lowest membrane value, after the fire test"),
        Choice(
            "output", "network", "binary | multi", "one spike per timestep at most, or as many as the membrane holds"
        ),
        Choice("compare", "network", "ge | gt", "fires at the threshold, or only above it"),
        Choice("delay", "network", "0, 1, 2, ...", "timesteps that a spike takes from one population to the next"),
        Choice("decay", "network", "euler | exact", "leak per timestep: 1 - dt/tau, or exp(-dt/tau)"),
        Choice("quantise", "network", "none | int8", "weights as in the file, or integers scaled per layer"),
        Choice("reset_steps", "network", "timesteps such as 0,17", "restarts: state returns to its start before them"),
        Choice("until", "network", "a population's name", "only this population and what leads to it"),
        Choice("seed", "network", "none | a number", "built-in networks: topology only, or random weights"),
        Choice("classes", "network", "a number", "built-in networks: outputs of the classifier"),
        Choice("dt_us", "both", "a number of microseconds", "length of a timestep (also as dt_ms, dt_s)"),
        Choice("dt_ms", "both", "a number of milliseconds", "length of a timestep (also as dt_us, dt_s)"),
        Choice("dt_s", "both", "a number of seconds", "length of a timestep (also as dt_us, dt_ms)"),
        Choice("time_base", "trace", "step | us", "bin the events into timesteps, or keep their times"),
        Choice("rounding", "trace", "round | floor", "timestep of an event: nearest (half to even), or cut off"),
        Choice("multiple", "trace", "or | sum", "several events of one pixel in a timestep: one spike, or counted"),
        Choice(
            "polarity", "trace", "off_on | on_off | merged", "channels 0 and 1 of the two polarities, or one channel"
        ),
        Choice("origin", "trace", "zero | first", "time 0 is the file's zero, or the first event of each sample"),
        Choice("steps", "trace", "a number | all", "timesteps of each sample; later events are dropped"),
        Choice("sub_us", "trace", "round", "times that are no whole microseconds: take the nearest"),
        Choice("width", "trace", "a number", "pixels per row, where neither file nor network says it"),
        Choice("height", "trace", "a number", "pixel rows, where neither file nor network says it"),
        Choice("neurons", "trace", "a number", "neurons of the population, where neither file nor network says it"),
        Choice(
            "layout", "trace", "axes such as TBN, BTCHW, WHCT (several: TCHW|TN)", "meaning of a dense tensor's axes"
        ),
        Choice("population", "trace", "a name", "which population the file's spikes belong to"),
    )
}


def check_keys(given: Mapping[str, Any], used: Iterable[str], *, file: object) -> None:
    """Raises InputError for a key that the reader of `file` does not use, with the nearest one that it does."""
    names = list(used)
    for key in given:
        if key not in names:
            raise unknown("import choice for this file", key, names, file=file)


def for_scope(given: Mapping[str, Any], scope: Scope, *, file: object) -> dict[str, Any]:
    """The choices that concern `scope`; those of the other kind of file are left to its reader.

    A command line gives one set of choices to a network and its input.  A key that no reader knows is an InputError.
    """
    for key in given:
        if key not in CHOICES:
            raise unknown("import choice", key, CHOICES, file=file)
    return {k: v for k, v in given.items() if CHOICES[k].scope in (scope, "both")}


def require(given: Mapping[str, Any], keys: Iterable[str], *, file: object) -> None:
    """Raises one InputError that lists every missing choice with its options."""
    missing = [key for key in keys if key not in given]
    if missing:
        listed = "; ".join(f"{key} = {CHOICES[key].options} ({CHOICES[key].meaning})" for key in missing)
        raise InputError(
            f"the file does not say {_and(missing)}: give {'it' if len(missing) == 1 else 'them'} with --import "
            f"key=value or in {Path(str(file)).name}.import.yaml",
            file=file,
            allowed=listed,
        )


def one_of(given: Mapping[str, Any], key: str, options: tuple[str, ...], *, file: object) -> str:
    """The value of a choice among names."""
    value = given[key]
    # YAML 1.1 and Python spell "none" in several ways.
    text = "none" if value is None else str(value).strip().lower()
    if text not in options:
        raise unknown(f"value of the import choice {key}", value, options, file=file)
    return text


def number(given: Mapping[str, Any], key: str, *, file: object, low: int = 0, high: int = 10**12) -> int:
    """The value of a choice that is a whole number."""
    value = decimal(given, key, file=file)
    if value.denominator != 1 or not low <= value <= high:
        raise InputError(
            f"the import choice {key} must be a whole number", file=file, found=given[key], allowed=f"{low} .. {high}"
        )
    return int(value)


def whole_numbers(given: Mapping[str, Any], key: str, *, file: object) -> list[int]:
    """The value of a choice that is a list of whole numbers separated by commas or spaces."""
    items = str(given[key]).replace(",", " ").split()
    if not items or len(items) > 10_000:
        raise InputError(f"the import choice {key} must be whole numbers such as 0,17", file=file, found=given[key])
    return [number({key: item}, key, file=file) for item in items]


def timestep_us(given: Mapping[str, Any], *, file: object) -> Fraction:
    """Length of a timestep in microseconds, exact, from dt_us, dt_ms or dt_s (exactly one of them)."""
    named = [key for key in ("dt_us", "dt_ms", "dt_s") if key in given]
    if not named:
        require(given, ["dt_us"], file=file)
    if len(named) > 1:
        raise InputError("the timestep is given twice", file=file, found=named, allowed="one of dt_us, dt_ms, dt_s")
    scale = {"dt_us": 1, "dt_ms": 1000, "dt_s": 10**6}[named[0]]
    return decimal(given, named[0], file=file, positive=True) * scale


def decimal(given: Mapping[str, Any], key: str, *, file: object, positive: bool = False) -> Fraction:
    """The value of a choice that is a number, exactly as it was written."""
    text = str(given[key]).strip()
    try:
        # Decimal keeps the exponent apart: "1e999999999" is refused before anyone computes it.
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise InputError(f"the import choice {key} must be a number", file=file, found=given[key])
    if len(text) > 40 or (value and not -12 <= value.adjusted() <= 12) or (positive and value <= 0):
        raise InputError(f"the import choice {key} is out of range", file=file, found=given[key])
    return Fraction(value)


def choices_of(path: Path, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What the caller gave, or where that is None what stands in the sidecar `<file>.import.yaml`, if there is one."""
    return load_choices((), Path(f"{path}.import.yaml")) if given is None else dict(given)


def load_choices(items: Iterable[str], sidecar: str | Path | None = None) -> dict[str, Any]:
    """Choices of `--import key=value` items on top of those of a sidecar YAML file (which may be absent).

    Keys are checked against every reader's; the file's reader then says which ones it needs.
    """
    given: dict[str, Any] = {}
    if sidecar is not None and Path(sidecar).is_file():
        given.update(_read_sidecar(Path(sidecar)))
    named: set[str] = set()
    for item in items:
        key, separator, value = str(item).partition("=")
        key = key.strip()
        if not separator or not value.strip():
            raise InputError("--import takes key=value", found=item)
        if key not in CHOICES:
            raise unknown("import choice", key, CHOICES, key="--import")
        if key in named:
            raise InputError("the choice is given twice", key=f"--import {key}")
        named.add(key)
        given[key] = value.strip()
    # One timestep: what the command line says replaces the sidecar's, also in another unit.
    steps = [key for key in ("dt_us", "dt_ms", "dt_s") if key in named]
    if steps:
        given = {k: v for k, v in given.items() if not k.startswith("dt_") or k in steps}
    return given


def _read_sidecar(path: Path) -> dict[str, Any]:
    import yaml

    if path.stat().st_size > 2**20:
        raise InputError("the sidecar file is too large", file=path, allowed="at most 1 MiB")
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = None if mark is None else mark.line + 1
        raise InputError("not valid YAML", file=path, line=line, found=getattr(error, "problem", None)) from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise InputError("expected a mapping of key: value", file=path, found=type(data).__name__)
    for key, value in data.items():
        if key not in CHOICES:
            raise unknown("import choice", key, CHOICES, file=path)
        if isinstance(value, (list, dict)):
            raise InputError("expected a single value", file=path, key=str(key), found=value)
    return dict(data)


def _and(names: list[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " and " + names[-1]
