"""Scope: the hardware that a model was fitted for, and what of it may be changed without asking for another model."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from simulator.errors import InputError

if TYPE_CHECKING:
    from simulator.hardware import Hardware

Plain = str | int | float | bool | None
REMARKS = ("source", "grade", "description", "labels", "name")
"""Keys of a machine that say where numbers come from: they change no result."""


@dataclass(frozen=True)
class Scope:
    """One machine and the settings that were varied while its model was fitted.

    name    name of the machine
    varied  key path of each setting that differed between the machines fitted on -> its values: [lowest, highest]
            where all are numbers, else every value seen
    fixed   sha256 of all other settings
    """

    name: str
    varied: Mapping[str, tuple[Plain, ...]]
    fixed: str

    @classmethod
    def of(cls, machines: Iterable[Hardware]) -> Scope:
        """What these machines, variants of one, have in common; InputError where they have different names."""
        each = list(machines)
        tables = [settings(hardware) for hardware in each]
        names = sorted({hardware.name for hardware in each})
        if len(names) != 1:
            raise InputError("a model is of one machine", key="hardware", found=names, allowed="cases of one machine")
        paths = sorted(set().union(*tables))
        seen = {path: sorted({json.dumps(table.get(path)) for table in tables}) for path in paths}
        varied = {path: _values(json.loads(f"[{','.join(found)}]")) for path, found in seen.items() if len(found) > 1}
        return cls(names[0], varied, _hash(tables[0], varied))

    def check(self, hardware: Hardware) -> None:
        """InputError where a setting differs that was not varied, or differs further than it was."""
        found = settings(hardware)
        if _hash(found, self.varied) != self.fixed:
            raise InputError(
                f"this model was fitted for other hardware{self._difference(found)}",
                key=f"hardware {hardware.name}",
                found=f"{hardware.name}, sha256 {hardware.sha256[:12]}",
                allowed=f"{self.name}; free to change: {', '.join(self.varied) or 'nothing'}",
            )
        for path, values in self.varied.items():
            value = found.get(path)
            if not _within(value, values):
                shown = f"{values[0]} .. {values[-1]}" if _numbers(values) else ", ".join(map(repr, values))
                raise InputError(
                    "this model was fitted for other values", key=f"hardware {hardware.name}: {path}", found=value,
                    allowed=shown,
                )  # fmt: skip

    def _difference(self, found: Mapping[str, Plain]) -> str:
        """The settings that differ from the bundled machine of that name, where it is the one that was fitted."""
        base = self._bundled
        if base is None:
            return ""
        paths = [p for p in sorted({*base, *found}) if p not in self.varied and base.get(p) != found.get(p)]
        return f": {paths[0]} is {found.get(paths[0])!r}, was {base.get(paths[0])!r}" if 0 < len(paths) < 9 else ""

    @cached_property
    def _bundled(self) -> dict[str, Plain] | None:
        from simulator.hardware import load_hardware

        try:
            base = settings(load_hardware(self.name))
        except InputError:
            return None
        return base if _hash(base, self.varied) == self.fixed else None


def settings(hardware: Hardware) -> dict[str, Plain]:
    """Every setting of a machine that can change a result, by its key path."""
    found: dict[str, Plain] = {}
    _flatten(hardware.describe(), "", found)
    return found


def _flatten(node: Any, path: str, found: dict[str, Plain]) -> None:
    if isinstance(node, Mapping):
        if "value" in node and "grade" in node:
            found[path] = node["value"]
            return
        for key, child in node.items():
            if path != "" or key not in REMARKS:
                _flatten(child, f"{path}.{key}".lstrip("."), found)
    elif isinstance(node, list):
        for i, child in enumerate(node):
            _flatten(child, f"{path}[{i}]", found)
    elif path.rpartition(".")[2] not in ("source", "grade"):
        found[path] = node


def _hash(table: Mapping[str, Plain], varied: Mapping[str, object]) -> str:
    kept = {path: value for path, value in table.items() if path not in varied}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode("ascii")).hexdigest()


def _numbers(values: Iterable[Plain]) -> bool:
    return all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)


def _values(found: list[Plain]) -> tuple[Plain, ...]:
    if _numbers(found):
        return min(found), max(found)  # type: ignore[type-var]
    return tuple(found)


def _within(value: Plain, values: tuple[Plain, ...]) -> bool:
    if not _numbers(values):
        return value in values
    low, high = values
    return _numbers([value]) and low <= value <= high  # type: ignore[operator]
