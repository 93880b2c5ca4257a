"""Files of cost models: JSON, written whole or not at all, checked like any stranger's file when read."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulator.costmodel.features import MEANING
from simulator.costmodel.intervals import ALWAYS, Interval
from simulator.costmodel.model import HARD, SCHEMA, CostModel, Held, Weighed
from simulator.costmodel.scope import Scope
from simulator.errors import InputError, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_BYTES = 2**22
"""Size of the largest file that is read."""
MAX_ENTRIES = 4096
"""Entries of the longest list or table in it."""
KEYS = ("schema", "hardware", "closed_form", "terms", "counts", "level", "interval", "seen", "held_out", "fitted_on")
_ERRORS = ("points", "latency_mape", "latency_p95", "energy_mape", "energy_p95")


def describe(model: CostModel) -> dict[str, Any]:
    """The plain content of a model's file."""
    return {
        "schema": SCHEMA,
        "hardware": {
            "name": model.scope.name,
            "fixed_sha256": model.scope.fixed,
            "varied": {path: list(values) for path, values in model.scope.varied.items()},
        },
        "closed_form": {"sha256": _terms_hash(model.terms)},
        "terms": [
            {"name": t.name, "weight": t.weight, "default": t.default, "meaning": t.meaning} for t in model.terms
        ],
        "counts": [
            {"unit_type": unit, "action": action, "weight": weight} for (unit, action), weight in model.counts.items()
        ],
        "level": model.level,
        "interval": {
            name: {"low": i.low, "high": i.high, "scale": dict(i.scale)} for name, i in model.intervals.items()
        },
        "seen": {name: list(ends) for name, ends in model.seen.items()},
        "held_out": {name: {key: getattr(held, key) for key in _ERRORS} for name, held in model.held_out.items()},
        "fitted_on": dict(model.fitted_on),
    }


def save_model(model: CostModel, path: Path) -> Path:
    """Writes a model; InputError where the folder cannot be written."""
    text = json.dumps(describe(model), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        raise InputError(f"cannot write here ({error.strerror})", file=path) from None
    finally:
        partial.unlink(missing_ok=True)
    return path


def load_model(path: str | Path) -> CostModel:
    """Reads a model; InputError, with file and key path, for anything that is missing, unknown or out of range."""
    file = Path(path)
    return _Reader(file).model(_read(file))


def _terms_hash(terms: Iterable[Weighed]) -> str:
    """Hash of the closed form's terms: names and weights without calibration."""
    return hashlib.sha256(json.dumps([[t.name, t.default] for t in terms]).encode("ascii")).hexdigest()


def _read(file: Path) -> Any:
    try:
        with file.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError("too large for a cost model", file=file, allowed=f"at most {MAX_BYTES} bytes")
        return json.loads(data.decode("utf-8"), parse_constant=_no_number)
    except InputError:
        raise
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=file) from None
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise InputError(f"not a JSON file ({str(error).splitlines()[0]})", file=file) from None


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


class _Reader:
    """Turns the plain content of one file into a model, with the key path of whatever is wrong."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def model(self, data: Any) -> CostModel:
        """The whole file."""
        schema = data.get("schema") if isinstance(data, dict) else None
        if schema != SCHEMA:
            raise InputError("not a cost model", file=self.file, key="schema", found=schema, allowed=[SCHEMA])
        table = self.table(data, "", KEYS)
        machine = self.table(table["hardware"], "hardware", ("name", "fixed_sha256", "varied"))
        scope = Scope(
            self.text(machine["name"], "hardware.name"),
            {p: self.values(v, f"hardware.varied.{p}") for p, v in self.open(machine["varied"], "hardware.varied")},
            self.sha(machine["fixed_sha256"], "hardware.fixed_sha256"),
        )
        terms = tuple(self.term(item, key) for item, key in self.items(table["terms"], "terms"))
        form = self.table(table["closed_form"], "closed_form", ("sha256",))
        if self.sha(form["sha256"], "closed_form.sha256") != _terms_hash(terms):
            raise self.wrong("is not the hash of the terms in this file", "closed_form.sha256", form["sha256"])
        counts = dict(self.count(item, key) for item, key in self.items(table["counts"], "counts"))
        interval = self.table(table["interval"], "interval", ("latency", "energy"))
        return CostModel(
            scope=scope,
            terms=terms,
            counts=counts,
            intervals={name: self.interval(item, f"interval.{name}") for name, item in interval.items()},
            level=self.number(table["level"], "level", 0, 1),
            seen={
                name: self.ends(ends, f"seen.{name}")
                for name, ends in self.table(table["seen"], "seen", tuple(MEANING)).items()
            },
            held_out={
                name: self.held(item, f"held_out.{name}") for name, item in self.open(table["held_out"], "held_out")
            },
            fitted_on=dict(self.open(table["fitted_on"], "fitted_on")),
        )

    def term(self, item: Any, key: str) -> Weighed:
        """One entry of `terms`."""
        found = self.table(item, key, ("name", "weight", "default", "meaning"))
        return Weighed(
            self.text(found["name"], f"{key}.name"),
            self.number(found["weight"], f"{key}.weight"),
            self.number(found["default"], f"{key}.default"),
            self.text(found["meaning"], f"{key}.meaning"),
        )

    def count(self, item: Any, key: str) -> tuple[tuple[str, str], float]:
        """One entry of `counts`."""
        found = self.table(item, key, ("unit_type", "action", "weight"))
        name = self.text(found["unit_type"], f"{key}.unit_type"), self.text(found["action"], f"{key}.action")
        return name, self.number(found["weight"], f"{key}.weight")

    def interval(self, item: Any, key: str) -> Interval:
        """One entry of `interval`."""
        found = self.table(item, key, ("low", "high", "scale"))
        scale = dict(self.open(found["scale"], f"{key}.scale"))
        for name in scale:
            if name not in (ALWAYS, *HARD):
                raise unknown("feature of a scale", name, (ALWAYS, *HARD), file=self.file, key=f"{key}.scale")
        if ALWAYS not in scale:
            raise self.wrong("missing key", f"{key}.scale.{ALWAYS}", None)
        low = self.number(found["low"], f"{key}.low", -1e9)
        return Interval(
            low,
            self.number(found["high"], f"{key}.high", low),
            {name: self.number(value, f"{key}.scale.{name}") for name, value in scale.items()},
        )

    def held(self, item: Any, key: str) -> Held:
        """One entry of `held_out`."""
        found = self.table(item, key, _ERRORS)
        points = found["points"]
        if not isinstance(points, int) or isinstance(points, bool) or points < 0:
            raise self.wrong("not a number of points", f"{key}.points", points)
        return Held(points, *(self.number(found[name], f"{key}.{name}") for name in _ERRORS[1:]))

    def wrong(self, message: str, key: str, found: Any, allowed: str | None = None) -> InputError:
        """An InputError that points into the file."""
        return InputError(message, file=self.file, key=key or None, found=found, allowed=allowed)

    def table(self, data: Any, key: str, names: tuple[str, ...]) -> dict[str, Any]:
        """A table with exactly these keys."""
        found = dict(self.open(data, key))
        for name in found:
            if name not in names:
                raise unknown("key", name, names, file=self.file, key=key or None)
        for name in names:
            if name not in found:
                raise self.wrong("missing key", f"{key}.{name}".lstrip("."), None)
        return found

    def open(self, data: Any, key: str) -> list[tuple[str, Any]]:
        """The entries of a table with any keys."""
        if not isinstance(data, dict):
            raise self.wrong("not a table of keys", key, data)
        return list(self._sized(data, key).items())

    def items(self, data: Any, key: str) -> list[tuple[Any, str]]:
        """Items of a list, each with its key path."""
        if not isinstance(data, list):
            raise self.wrong("not a list", key, data)
        return [(item, f"{key}[{i}]") for i, item in enumerate(self._sized(data, key))]

    def number(self, value: Any, key: str, low: float = 0.0, high: float = 1e18) -> float:
        """A number within [low, high]."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise self.wrong("wrong value", key, value, f"a number from {low:g} to {high:g}")
        return float(value)

    def text(self, value: Any, key: str) -> str:
        """A printable text."""
        if not isinstance(value, str) or not value.isprintable() or len(value) > MAX_ENTRIES:
            raise self.wrong("not a line of text", key, value)
        return value

    def sha(self, value: Any, key: str) -> str:
        """A sha256 in hexadecimal digits."""
        if not isinstance(value, str) or len(value) != 64 or set(value) - set("0123456789abcdef"):
            raise self.wrong("not a sha256", key, value)
        return value

    def ends(self, value: Any, key: str) -> tuple[float, float]:
        """Lowest and highest of a range."""
        numbers = [self.number(item, at, -1e18) for item, at in self.items(value, key)]
        if len(numbers) != 2 or numbers[0] > numbers[1]:
            raise self.wrong("not a range", key, value, "[lowest, highest]")
        return numbers[0], numbers[1]

    def values(self, value: Any, key: str) -> tuple[str | int | float | bool | None, ...]:
        """Values of a setting that was varied: [lowest, highest], or all that were seen."""
        found = [item for item, _ in self.items(value, key)]
        if not found or not all(item is None or isinstance(item, str | int | float) for item in found):
            raise self.wrong("not a list of values", key, value)
        plain = all(isinstance(item, int | float) and not isinstance(item, bool) for item in found)
        return self.ends(value, key) if plain else tuple(found)

    def _sized(self, data: Any, key: str) -> Any:
        if len(data) > MAX_ENTRIES:
            raise self.wrong("too many entries", key, len(data), f"at most {MAX_ENTRIES}")
        return data
