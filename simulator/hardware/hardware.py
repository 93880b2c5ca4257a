"""A machine: clocks and units, each number with its source and grade."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any

import yaml

from simulator.errors import unknown
from simulator.hardware.check import check_hardware
from simulator.hardware.specs.base import UnitSpec


@dataclass(frozen=True, eq=False)
class Hardware:
    """A resolved, checked description of a machine.

    name, description   as in the file
    labels              marks that every result carries ("reconstruction")
    price_set           name of the one set of operation prices in use
    clocks              clock domain -> frequency in Hz
    main_clock          the domain in whose cycles latencies are reported
    units               unit name -> spec, in file order; this is the order of the ledger

    Two machines are equal when their resolved contents are.  Raises InputError, with the key path, for content that
    does not fit together.
    """

    name: str
    description: str
    labels: tuple[str, ...]
    price_set: str
    clocks: Mapping[str, int]
    main_clock: str
    units: Mapping[str, UnitSpec]

    def __post_init__(self) -> None:
        """Freezes the mappings and checks that the parts fit together."""
        object.__setattr__(self, "clocks", MappingProxyType(dict(self.clocks)))
        object.__setattr__(self, "units", MappingProxyType(dict(self.units)))
        check_hardware(self.clocks, self.main_clock, self.units, self.price_set)

    def unit(self, name: str) -> UnitSpec:
        """Spec of a unit; InputError with the nearest name when there is none such."""
        if name not in self.units:
            raise unknown("unit", name, self.units)
        return self.units[name]

    def clock_hz(self, unit: str) -> int:
        """Frequency of a unit's clock in Hz."""
        return self.clocks[self.unit(unit).clock]

    def grades(self) -> dict[str, str]:
        """Grade of every constant, keyed "unit.field", in file order."""
        return {
            f"{name}.{field}": constant.grade
            for name, spec in self.units.items()
            for field, constant in spec.constants().items()
        }

    def describe(self) -> dict[str, Any]:
        """The resolved content as plain data: what `sha256` is over and `resolved_yaml` prints."""
        return {
            "name": self.name,
            "description": self.description,
            "labels": list(self.labels),
            "price_set": self.price_set,
            "clocks": dict(sorted(self.clocks.items())),
            "main_clock": self.main_clock,
            "units": {name: spec.model_dump(mode="json", exclude_none=True) for name, spec in self.units.items()},
        }

    @cached_property
    def sha256(self) -> str:
        """Hash of the resolved content (files merged, overrides applied), not of any file's bytes."""
        return hashlib.sha256(json.dumps(self.describe(), separators=(",", ":")).encode("ascii")).hexdigest()

    def resolved_yaml(self) -> str:
        """YAML text without `extends`, ranges or defaults that loads back to an equal Hardware."""
        return yaml.dump(self.describe(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=116)

    def __eq__(self, other: object) -> bool:
        """Equality of the resolved contents."""
        return self.sha256 == other.sha256 if isinstance(other, Hardware) else NotImplemented

    def __hash__(self) -> int:
        """Hash of the resolved content."""
        return hash(self.sha256)

    def __reduce__(self) -> tuple[Any, ...]:
        """Machines travel to worker processes; read-only mappings cannot, so their contents do."""
        fields = (self.labels, self.price_set, dict(self.clocks), self.main_clock, dict(self.units))
        return Hardware, (self.name, self.description, *fields)


class _Dumper(yaml.SafeDumper):
    """Puts into double quotes what YAML 1.1 would write so that it reads back as something else.

    A bare 1e-12 is a number for this project's reader; line breaks other than a plain one do not survive single quotes.
    """


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    number = re.fullmatch(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+", text)
    style = '"' if number or not text.isprintable() else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
