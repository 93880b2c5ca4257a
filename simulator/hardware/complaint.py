"""From what a validator says to the one message a user reads: file, line, key path, found, allowed, nearest."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from simulator.errors import InputError, nearest
from simulator.hardware.document import Node
from simulator.hardware.fields import group_of
from simulator.hardware.names import split_path


def relocate(error: InputError, tree: Node) -> InputError:
    """The same complaint with the file and line at which its key path was written."""
    node = tree.find(split_path(error.key)) if error.key else tree
    return node.error(error.message, error.key, found=error.found, allowed=error.allowed, nearest=error.nearest)


def explain(error: ValidationError, model: type[BaseModel], tree: Node, path: list[str]) -> InputError:
    """The first complaint of pydantic as an InputError, with the number of further ones.

    An unknown key comes before all others: it is the misspelling that makes another key missing.

    model: what was validated; path: where in `tree` it lies.
    """
    first = min(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    kind, where = first["type"], [str(part) for part in first["loc"] if part != "[key]"]
    node = tree.find([*path, *where])
    # A bare number is a constant's value; the user never wrote `.value`.
    if where[-1:] == ["value"] and not isinstance(node.data, dict) and tree.find([*path, *where[:-1]]) is node:
        where = where[:-1]
    key = ".".join([*path, *where])
    more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
    if kind == "missing":
        holder = _model_at(model, where[:-1])
        field = holder.model_fields.get(where[-1]) if holder else None
        return node.error(f"missing key{more}", key, allowed=field.description if field else None)
    if kind == "extra_forbidden":
        holder = _model_at(model, where[:-1])
        choices = list(holder.model_fields) if holder else []
        return node.error(
            f"unknown key{more}", key, found=where[-1], allowed=choices, nearest=nearest(where[-1], choices)
        )
    found = _shown(first["input"])
    allowed = str(first["msg"]).removeprefix("Input should be ").removeprefix("Value error, ")
    names = _literals(first)
    return node.error(f"wrong value{more}", key, found=found, allowed=allowed, nearest=nearest(found, names))


def _model_at(model: type[BaseModel], where: list[str]) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for name in where:
        if current is None or name not in current.model_fields:
            return None
        current = group_of(current, name)
    return current


def _literals(complaint: Any) -> list[str]:
    """Names a literal field accepts, read from pydantic's context ("'a', 'b' or 'c'")."""
    expected = complaint.get("ctx", {}).get("expected", "") if complaint["type"] == "literal_error" else ""
    return [name.strip(" '") for name in expected.replace(" or ", ",").split(",") if name.strip()]


def _shown(value: Any) -> Any:
    return "nothing" if value is None else value
