"""One tree out of a file and the files it extends.

Ranges of units are expanded and `source` / `grade` defaults are attached file by file, before anything is merged: a
number is only ever vouched for by the file that wrote it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from simulator.errors import InputError, nearest
from simulator.hardware.constant import GRADES
from simulator.hardware.document import MAX_NODES, Node, read_document
from simulator.hardware.names import expand
from simulator.resources import find_resource

MAX_UNITS = 4096


def load_tree(path: Path, chain: tuple[Path, ...] = ()) -> Node:
    """Merged tree of the file at `path` and of everything it extends."""
    return resolve(read_document(path), path, chain)


def resolve(root: Node, path: Path | None, chain: tuple[Path, ...] = ()) -> Node:
    """Expands one file's tree and lays it over the file it extends.

    path: the file itself (relative `extends` start there), None for text that is in no file.
    chain: the files that are being extended, to find a loop.
    """
    if not isinstance(root.data, dict):
        raise root.error("a hardware file is a mapping", found=root.plain())
    chain = (*chain, path.resolve()) if path else chain
    root = _with_defaults(root)
    base = root.data.pop("extends", None)
    if "units" in root.data:
        root = root.with_entry("units", _expanded(root.data["units"]))
    if base is None:
        return root
    target = _extended_path(base, path)
    if target.resolve() in chain:
        raise base.error("files extend each other in a loop", "extends", found=base.data)
    return _merge_files(load_tree(target, chain), root)


def _extended_path(base: Node, path: Path | None) -> Path:
    name = base.data
    if not isinstance(name, str) or not name or "\0" in name:
        raise base.error("wrong value", "extends", found=name, allowed="a bundled name or a path to a .yaml file")
    if "/" in name or name.endswith((".yaml", ".yml")):
        target = (path.parent if path else Path()) / name
        try:
            usable = target.is_file()
        except OSError:
            usable = False
        if not usable:
            raise base.error("no such file", "extends", found=name)
        return target
    try:
        return find_resource("hwconfigs", name)
    except InputError as error:
        raise base.error(error.message, "extends", found=name, allowed=error.allowed, nearest=error.nearest) from None


def _with_defaults(root: Node) -> Node:
    """A copy of one file's tree whose units know the defaults of this file; the top-level ones are used up."""
    entries = dict(root.data)
    source, grade = _default(root, "")
    entries.pop("source", None)
    entries.pop("grade", None)
    units = entries.get("units")
    if units is not None and isinstance(units.data, dict):
        marked = {}
        for name, unit in units.data.items():
            marked[name] = mark(unit, (source, grade), f"units.{name}.")
        entries["units"] = replace(units, data=marked)
    return replace(root, data=entries)


def _default(node: Node, prefix: str) -> tuple[str | None, str | None]:
    if not isinstance(node.data, dict):
        return None, None
    source, grade = node.data.get("source"), node.data.get("grade")
    if source is not None and (not isinstance(source.data, str) or not source.data):
        raise source.error("wrong value", f"{prefix}source", found=source.plain(), allowed="text that names an origin")
    if grade is not None and (not isinstance(grade.data, str) or grade.data not in GRADES):
        found = grade.plain()
        raise grade.error(
            "unknown grade", f"{prefix}grade", found=found, allowed=GRADES, nearest=nearest(found, GRADES)
        )
    return source.data if source else None, grade.data if grade else None


def mark(node: Node, default: tuple[str | None, str | None], prefix: str) -> Node:
    """`node` whose bare numbers know their source and grade: those of the innermost group that states its own.

    prefix: key path of the node, with a dot at its end, for messages.
    """
    data = node.data
    if isinstance(data, dict):
        if "value" not in data:  # a constant vouches for itself only
            own = _default(node, prefix)
            default = (own[0] or default[0], own[1] or default[1])
        data = {key: mark(child, default, f"{prefix}{key}.") for key, child in data.items()}
    return replace(node, data=data, default=default)


def _expanded(units: Node) -> Node:
    """Units with ranges written out; `{i}` in a text of a ranged unit becomes its index."""
    if not isinstance(units.data, dict):
        raise units.error("wrong value", "units", found=units.plain(), allowed="a mapping from unit name to unit")
    entries: dict[str, Node] = {}
    for name, unit in units.data.items():
        try:
            members = expand(name)
        except InputError as error:
            raise unit.error(error.message, f"units.{name}", found=error.found, allowed=error.allowed) from None
        if len(members) * unit.size() > MAX_NODES:
            raise unit.error("too many values in this range", f"units.{name}", allowed=f"at most {MAX_NODES}")
        for member, _, index in members:
            if member in entries:
                raise unit.error(f"{member} is defined twice (first in line {entries[member].line})", f"units.{name}")
            entries[member] = unit if index is None else substitute(unit, index)
        if len(entries) > MAX_UNITS:
            raise unit.error("too many units", f"units.{name}", allowed=f"at most {MAX_UNITS}")
    bases = {expand(member)[0][1] for member in entries if "[" in member}
    for name in sorted(bases & entries.keys()):
        raise entries[name].error("a unit and a row of units share one name", f"units.{name}")
    return replace(units, data=entries)


def substitute(node: Node, index: int) -> Node:
    """`node` with `{i}` replaced by `index` in every text."""
    data = node.data
    if isinstance(data, str):
        data = data.replace("{i}", str(index))
    elif isinstance(data, dict):
        data = {key: substitute(child, index) for key, child in data.items()}
    elif isinstance(data, list):
        data = [substitute(child, index) for child in data]
    return replace(node, data=data)


def _merge_files(base: Node, child: Node) -> Node:
    entries = dict(base.data)
    for key, value in child.data.items():
        if key == "units" and "units" in base.data:
            entries[key] = _merge_units(base.data[key], value)
        else:
            entries[key] = _merge(entries.get(key), value)
    return replace(child, data=entries)


def _merge_units(base: Node, child: Node) -> Node:
    """Units of `child` over those of `base`: same name merges, null removes, a new name is added at the end; a unit of
    another type takes the place of the base's.

    core[0] .. core[3] over a base with one unit `core` are four copies of it, each merged, in its place.
    """
    copies: dict[str, list[str]] = {}
    for name in child.data:
        template = expand(name)[0][1]
        if name not in base.data and template in base.data and template != name:
            copies.setdefault(template, []).append(name)
    entries: dict[str, Node] = {}
    for name, unit in base.data.items():
        if name in copies:
            entries.update({copy: _merge_unit(unit, child.data[copy]) for copy in copies[name]})
        elif name not in child.data:
            entries[name] = unit
        elif child.data[name].data is not None:
            entries[name] = _merge_unit(unit, child.data[name])
    for name, unit in child.data.items():
        if unit.data is None and name not in base.data:
            raise unit.error(
                "there is no such unit to remove",
                f"units.{name}",
                allowed=list(base.data),
                nearest=nearest(name, base.data),
            )
        if name not in base.data and name not in entries:
            entries[name] = unit
    return replace(child, data=entries)


def _merge_unit(base: Node, child: Node) -> Node:
    """Fields of `child` over those of `base`; those of another type are of no use to it."""
    types = [node.data["type"].data for node in (base, child) if isinstance(node.data, dict) and "type" in node.data]
    return child if len(types) == 2 and types[0] != types[1] else _merge(base, child)


def _merge(base: Node | None, child: Node) -> Node:
    # A constant is replaced as a whole: a new value never inherits the source of an old one.
    if base is None or not (isinstance(base.data, dict) and isinstance(child.data, dict)) or "value" in child.data:
        return child
    entries = dict(base.data)
    for key, value in child.data.items():
        entries[key] = _merge(entries.get(key), value)
    return replace(child, data=entries)
