"""Which unit types exist: the files of `specs/`, and what other packages register."""

from __future__ import annotations

import functools
import importlib
import inspect
import pkgutil
from importlib.metadata import entry_points

from simulator.errors import InputError, unknown
from simulator.hardware import specs
from simulator.hardware.specs.base import UnitSpec

ENTRY_POINTS = "neurocycle.units"
"""Entry point group under which another package registers a subclass of UnitSpec."""


@functools.cache
def unit_types() -> dict[str, type[UnitSpec]]:
    """Type name in YAML -> spec class, in alphabetical order.

    Raises InputError when a registered object is no UnitSpec or two classes claim one type name.
    """
    found: list[type[UnitSpec]] = []
    for module in sorted(pkgutil.iter_modules(specs.__path__), key=lambda m: m.name):
        loaded = importlib.import_module(f"{specs.__name__}.{module.name}")
        classes = inspect.getmembers(loaded, inspect.isclass)
        found += [c for _, c in classes if issubclass(c, UnitSpec) and c.__module__ == loaded.__name__]
    for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda p: (p.name, p.value)):
        registered = point.load()
        if not (inspect.isclass(registered) and issubclass(registered, UnitSpec)):
            raise InputError(
                f"entry point {point.name} of {ENTRY_POINTS} is no unit type",
                found=point.value,
                allowed="a subclass of simulator.hardware.specs.base.UnitSpec",
            )
        found.append(registered)
    types: dict[str, type[UnitSpec]] = {}
    for spec in found:
        name = spec.type_name()
        if name is None:
            continue
        if types.setdefault(name, spec) is not spec:
            raise InputError("two classes claim one unit type", key=name, found=f"{spec!r} and {types[name]!r}")
    return dict(sorted(types.items()))


def unit_type(name: str) -> type[UnitSpec]:
    """Spec class of a type name; InputError with the nearest name when there is none."""
    types = unit_types()
    if name not in types:
        raise unknown("unit type", name, types)
    return types[name]
