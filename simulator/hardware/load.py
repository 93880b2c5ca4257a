"""From a YAML file to a checked `Hardware`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from simulator.errors import InputError, unknown
from simulator.hardware.complaint import explain, relocate
from simulator.hardware.document import Node, parse_document
from simulator.hardware.fields import group_of, is_constant
from simulator.hardware.hardware import Hardware
from simulator.hardware.header import Header
from simulator.hardware.library import named_part
from simulator.hardware.merge import load_tree, resolve
from simulator.hardware.override import apply_override
from simulator.hardware.registry import unit_types
from simulator.hardware.specs.base import UnitSpec
from simulator.resources import find_resource

_Model = TypeVar("_Model", bound=BaseModel)


def load_hardware(name_or_path: str | Path, overrides: Sequence[str] = ()) -> Hardware:
    """The machine described by a bundled name or a YAML file, with "path=value" overrides applied in order.

    Raises InputError (file, line, key path, what was found, what is allowed, nearest match) for the first defect.
    """
    text = str(name_or_path)
    if not text or "\0" in text:
        raise InputError("not a file name", found=text, allowed="a bundled name or the path of a .yaml file")
    path = Path(text)
    if not (isinstance(name_or_path, Path) or "/" in text or path.suffix in (".yaml", ".yml")):
        path = find_resource("hwconfigs", text)
    return _build(load_tree(path), overrides)


def parse_hardware(text: str, overrides: Sequence[str] = (), *, file: str = "<text>") -> Hardware:
    """The machine described by YAML text, such as `Hardware.resolved_yaml` of a recorded run.

    file: how messages name the text.  Errors as for `load_hardware`.
    """
    return _build(resolve(parse_document(text, file), None), overrides)


def _build(tree: Node, overrides: Sequence[str]) -> Hardware:
    for override in overrides:
        tree = apply_override(tree, override)
    header_keys = {*Header.model_fields, "units"}
    for key, child in tree.data.items():
        if key not in header_keys:
            raise unknown(
                "key", key, [*header_keys, "extends", "source", "grade"], file=child.file, line=child.line, key=key
            )
    header = _validate(Header, {k: v.plain() for k, v in tree.data.items() if k != "units"}, tree, [])
    units = tree.data.get("units")
    if units is None:
        raise tree.error("missing key", "units", allowed="a mapping from unit name to unit")
    specs = {name: _build_unit(tree, name, unit, header.clocks) for name, unit in units.data.items()}
    try:
        return Hardware(
            name=header.name,
            description=header.description,
            labels=header.labels,
            price_set=header.price_set,
            clocks=header.clocks,
            main_clock=header.main_clock,
            units=specs,
        )
    except InputError as error:
        raise relocate(error, tree) from None


def _build_unit(tree: Node, name: str, unit: Node, clocks: Mapping[str, int]) -> UnitSpec:
    key = f"units.{name}"
    if not isinstance(unit.data, dict):
        raise unit.error("wrong value", key, found=unit.plain(), allowed="a mapping with the fields of a unit")
    types = unit_types()
    kind = unit.data.get("type")
    if kind is None:
        raise unit.error("missing key", f"{key}.type", allowed=list(types))
    if not isinstance(kind.data, str) or kind.data not in types:
        raise unknown("unit type", kind.plain(), types, file=kind.file, line=kind.line, key=f"{key}.type")
    spec = types[kind.data]
    plain = _with_sources(unit, spec, key)
    clock = plain.get("clock")
    try:
        plain = spec.filled(plain, clocks.get(clock) if isinstance(clock, str) else None)
    except InputError as error:
        error.key = f"{key}.{error.key}"
        raise relocate(error, tree) from None
    return _validate(spec, plain, tree, ["units", name])


def _with_sources(node: Node, model: type[BaseModel], key: str) -> dict[str, Any]:
    """Plain data of a group of fields, its constants written out with source and grade."""
    plain: dict[str, Any] = {}
    for name, child in node.data.items():
        known = name in model.model_fields
        if known and is_constant(model, name) and child.data is not None:
            plain[name] = _constant(child, f"{key}.{name}")
        elif known and (group := group_of(model, name)) is not None and isinstance(child.data, dict | str):
            part = named_part(group, child, f"{key}.{name}")
            plain[name] = _with_sources(part, group, f"{key}.{name}") if isinstance(part.data, dict) else part.plain()
        else:
            plain[name] = child.plain()
    return plain


def _constant(node: Node, key: str) -> dict[str, Any]:
    plain = node.plain() if isinstance(node.data, dict) else {"value": node.plain()}
    for part, default in zip(("source", "grade"), node.default, strict=True):
        if plain.get(part) is None:
            if default is None:
                raise node.error(
                    f"this constant has no {part}",
                    key,
                    found=node.plain(),
                    allowed='{value: ..., source: "...", grade: ...}, or `source:` and `grade:` of its unit or file',
                )
            plain[part] = default
    return plain


def _validate(model: type[_Model], plain: dict[str, Any], tree: Node, path: list[str]) -> _Model:
    try:
        return model.model_validate(plain)
    except ValidationError as error:
        raise explain(error, model, tree, path) from None
    except InputError as error:
        error.key = ".".join([*path, *([error.key] if error.key else [])])
        raise relocate(error, tree) from None
