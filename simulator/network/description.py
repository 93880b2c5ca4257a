"""The JSON description of a network, read with suspicion: every field is checked before a Network is built of it."""

from __future__ import annotations

import json
from typing import Any, Literal, get_args, get_origin, get_type_hints

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.network import Network, from_description
from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Pool, Projection

MAX_JSON_BYTES = 64 * 2**20
MAX_ITEMS = 100_000
MAX_INTEGER = 2**62
_ARRAYS = ("weights", "indptr", "indices")


def parse_json(data: bytes, *, file: object, key: str) -> Any:
    """JSON value of UTF-8 bytes; broken text, NaN and infinity are an InputError."""
    if len(data) > MAX_JSON_BYTES:
        raise InputError(
            "the JSON text is too long", file=file, key=key, found=len(data), allowed=f"at most {MAX_JSON_BYTES} bytes"
        )

    def refuse(text: str) -> Any:
        raise ValueError(f"{text} is not allowed")

    try:
        return json.loads(data.decode("utf-8"), parse_constant=refuse)
    except (ValueError, RecursionError) as error:
        raise InputError(f"not valid JSON ({error})", file=file, key=key) from None


def network_from_json(
    data: Any, arrays: dict[str, dict[str, np.ndarray]] | None = None, *, file: object, key: str
) -> Network:
    """Network of a description (the values that `describe` makes), after a check of every field's type.

    Raises InputError that names the file and the path of the wrong field.
    """
    at = _Place(file, key)
    _fields(data, {"name", "arithmetic", "source", "choices", "populations", "projections"}, at)
    for name in ("name", "source"):
        _typed(data[name], str, at.below(name))
    _typed(data["arithmetic"], Literal["int", "float"], at.below("arithmetic"))
    if not isinstance(data["choices"], dict):
        raise at.below("choices").wrong(data["choices"], "a mapping")
    for i, item in enumerate(_list(data["populations"], at.below("populations"))):
        here = at.below(f"populations[{i}]")
        _fields(item, {"name", "shape", "neuron"}, here)
        _object(item, Population, here, skip=("neuron",))
        _neuron(item["neuron"], here.below("neuron"), data["arithmetic"])
    plain = [name for name in Projection.__dataclass_fields__ if name not in _ARRAYS]
    for i, item in enumerate(_list(data["projections"], at.below("projections"))):
        here = at.below(f"projections[{i}]")
        _fields(item, set(plain), here)
        _object(item, Projection, here, skip=(*_ARRAYS, "pool"))
        if item["pool"] is not None:
            _fields(item["pool"], set(Pool.__dataclass_fields__), here.below("pool"))
            _object(item["pool"], Pool, here.below("pool"))
    try:
        return from_description(data, arrays)
    except InputError as error:
        raise InputError(str(error), file=file, key=key) from None
    except (ValueError, OverflowError, AttributeError, MemoryError) as error:
        raise InputError(f"not a usable network ({error})", file=file, key=key) from None


class _Place:
    """Where in the description the check stands."""

    def __init__(self, file: object, key: str) -> None:
        self.file, self.key = file, key

    def below(self, name: str) -> _Place:
        return _Place(self.file, f"{self.key}.{name}")

    def wrong(self, found: object, allowed: object) -> InputError:
        return InputError(
            "wrong value",
            file=self.file,
            key=self.key,
            found=found,
            allowed=allowed if isinstance(allowed, (str, list)) else str(allowed),
        )


def _neuron(data: Any, at: _Place, arithmetic: str) -> None:
    data = {"value_bits": None, **data} if isinstance(data, dict) else data
    _fields(data, set(Neuron.__dataclass_fields__), at)
    real = ("threshold", "bias", "initial", "floor")
    _object(data, Neuron, at, skip=(*real, "decay_v", "decay_u", "reset_steps"))
    for name in real:
        values = data[name]
        if values is None and name == "floor":
            continue
        for value in _list(values, at.below(name)):
            _typed(value, int if arithmetic == "int" else float, at.below(name))
    for value in _list(data["reset_steps"], at.below("reset_steps")):
        _typed(value, int, at.below("reset_steps"))
    for name in ("decay_v", "decay_u"):
        _fields(data[name], set(Decay.__dataclass_fields__), at.below(name))
        _object(data[name], Decay, at.below(name))
        for field, high in (("shift", 62), ("bits", 62)):
            if not 0 <= data[name][field] <= high:
                raise at.below(name).below(field).wrong(data[name][field], f"0 .. {high}")


def _fields(data: Any, names: set[str], at: _Place) -> None:
    if not isinstance(data, dict):
        raise at.wrong(data, "a mapping")
    for name in data:
        if name not in names:
            raise unknown("field", name, names, file=at.file, key=at.key)
    missing = sorted(names - set(data))
    if missing:
        raise InputError("fields are missing", file=at.file, key=at.key, found=missing)


def _list(data: Any, at: _Place) -> list[Any]:
    if not isinstance(data, list) or len(data) > MAX_ITEMS:
        raise at.wrong(data, f"a list of at most {MAX_ITEMS}")
    return data


def _object(data: dict[str, Any], kind: type, at: _Place, skip: tuple[str, ...] = ()) -> None:
    """Checks each value of a dataclass's plain form against the type hint of its field."""
    hints = get_type_hints(kind)
    for name in kind.__dataclass_fields__:  # type: ignore[attr-defined]
        if name not in skip:
            _typed(data[name], hints[name], at.below(name))


def _typed(value: Any, hint: Any, at: _Place) -> None:
    if get_origin(hint) is Literal:
        if value not in get_args(hint):
            raise at.wrong(value, [str(v) for v in get_args(hint)])
    elif get_origin(hint) is tuple:
        kinds = get_args(hint)
        if not isinstance(value, list) or len(value) != len(kinds):
            raise at.wrong(value, f"a list of {len(kinds)}")
        for item, kind in zip(value, kinds, strict=True):
            _typed(item, kind, at)
    elif hint is int:
        if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_INTEGER:
            raise at.wrong(value, "an integer below 2^62")
    elif hint is float:
        if isinstance(value, bool) or not isinstance(value, (int, float)) or abs(value) > 1e300:
            raise at.wrong(value, "a finite number")
    elif hint == int | None:
        if value is not None:
            _typed(value, int, at)
    elif not isinstance(value, hint):
        raise at.wrong(value, hint.__name__)
