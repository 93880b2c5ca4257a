"""`--set core.scatter.lanes=32`: one value changed after all files are merged."""

from __future__ import annotations

from dataclasses import replace

from pydantic import BaseModel

from simulator.errors import InputError, nearest, unknown
from simulator.hardware.constant import OVERRIDDEN
from simulator.hardware.document import Node, parse_document
from simulator.hardware.fields import group_of, is_constant
from simulator.hardware.header import Header
from simulator.hardware.library import named_part
from simulator.hardware.merge import substitute
from simulator.hardware.names import expand, split_path
from simulator.hardware.registry import unit_type


def apply_override(tree: Node, text: str) -> Node:
    """`tree` with one override "path=value" applied; the value is read as YAML.

    A path starts at a unit (core, core[2], core[0..3]) or at a key of the file (clocks.core, main_clock).  A constant
    keeps its source, marked as overridden, and becomes `assumed`; `{value: ..., source: ..., grade: ...}` replaces all.
    Raises InputError for a path that leads nowhere, with the nearest name.
    """
    path, equals, written = text.partition("=")
    shown = text if text.isprintable() else repr(text)
    where = f"--set {shown}" if len(shown) <= 80 else f"--set {shown[:77]}..."
    path = path.strip()
    if not (equals and path and path.isprintable()):
        raise InputError("not an override", file=where, found=text, allowed="PATH=VALUE, such as core.scatter.lanes=32")
    try:
        value = _unplaced(parse_document(written or "null", where))
        return _set(tree, split_path(path), value)
    except InputError as error:
        if error.file not in (None, where):
            raise
        raise InputError(
            error.message,
            file=where,
            key=error.key or path,
            found=error.found,
            allowed=error.allowed,
            nearest=error.nearest,
        ) from None


def _unplaced(node: Node) -> Node:
    """`node` without line numbers: an argument has one line."""
    data = node.data
    if isinstance(data, dict):
        data = {key: _unplaced(child) for key, child in data.items()}
    elif isinstance(data, list):
        data = [_unplaced(child) for child in data]
    return replace(node, data=data, line=None)


def _set(tree: Node, segments: list[str], value: Node) -> Node:
    if segments[0] in Header.model_fields:
        return _set_header(tree, segments, value)
    segments = segments[1:] if segments[0] == "units" else segments
    units = tree.data.get("units")
    known = list(units.data) if units is not None and isinstance(units.data, dict) else []
    if not segments:
        raise InputError("a unit is missing", allowed=known)
    if len(segments) == 1:
        raise InputError("a field is missing", allowed=f"{segments[0]}.FIELD=VALUE")
    entries = dict(units.data) if known else {}
    for name, _, index in expand(segments[0]):
        if name not in entries:
            choices = [*known, *Header.model_fields]
            raise InputError("unknown unit", found=name, allowed=known, nearest=nearest(name, choices))
        shown = value if index is None else substitute(value, index)
        entries[name] = _set_unit(entries[name], name, segments[1:], shown)
    return tree.with_entry("units", replace(units, data=entries))


def _set_header(tree: Node, segments: list[str], value: Node) -> Node:
    if len(segments) == 1:
        return tree.with_entry(segments[0], value)
    group = tree.data.get(segments[0])
    if group is None or not isinstance(group.data, dict) or len(segments) > 2:
        raise InputError("this path leads nowhere")
    if segments[1] not in group.data:
        raise unknown(segments[0], segments[1], group.data)
    return tree.with_entry(segments[0], group.with_entry(segments[1], value))


def _set_unit(unit: Node, name: str, segments: list[str], value: Node) -> Node:
    kind = unit.data.get("type") if isinstance(unit.data, dict) else None
    if kind is None or not isinstance(kind.data, str):
        raise unit.error("a unit needs a type", f"units.{name}")
    return _set_field(unit, unit_type(kind.data), segments, value)


def _set_field(node: Node, model: type[BaseModel], segments: list[str], value: Node) -> Node:
    name = segments[0]
    if name not in model.model_fields:
        raise unknown("key", name, model.model_fields)
    old = node.data.get(name)
    group = group_of(model, name)
    if is_constant(model, name) and segments[1:] in ([], ["value"]):
        return node.with_entry(name, _overridden(old, value))
    if len(segments) == 1:
        return node.with_entry(name, value)
    if group is None:
        raise InputError("this path leads nowhere", found=".".join(segments[1:]), allowed=f"{name} is a single value")
    if old is not None:
        old = named_part(group, old, name)
    if old is None or not isinstance(old.data, dict):
        # A bare number becomes a constant written out; an optional group that is absent starts empty.
        old = _written_out(old) if is_constant(model, name) else replace(value, data={})
    return node.with_entry(name, _set_field(old, group, segments[1:], value))


def _written_out(old: Node | None) -> Node:
    if old is None:
        raise InputError("there is no such constant to change")
    source, grade = old.default
    parts = {"value": old.data, "source": source, "grade": grade}
    return replace(old, data={key: replace(old, data=part) for key, part in parts.items() if part is not None})


def _overridden(old: Node | None, value: Node) -> Node:
    """The constant with a new value: what it was based on stays readable, what it is worth does not."""
    if isinstance(value.data, dict):
        source = value.data.get("source")
        if source is None or not isinstance(source.data, str):
            return value
        return value.with_entry("source", replace(source, data=f"{source.data}; {OVERRIDDEN}"))
    before = None
    if old is not None:
        known = old.data.get("source") if isinstance(old.data, dict) else None
        before = known.data if known is not None else old.default[0]
    mark = f"{before}; {OVERRIDDEN}" if before and not str(before).endswith(OVERRIDDEN) else before or OVERRIDDEN
    return replace(
        value,
        data={"value": value, "source": replace(value, data=mark), "grade": replace(value, data="assumed")},
    )
