"""What a spec's fields are: constants, groups of fields, or plain values."""

from __future__ import annotations

import inspect
from typing import Any, get_args

from pydantic import BaseModel

from simulator.hardware.constant import Constant


def group_of(model: type[BaseModel], name: str) -> type[BaseModel] | None:
    """Model of a field that holds a group of fields (or a constant), also where it is optional; else None."""
    annotation: Any = model.model_fields[name].annotation
    for candidate in (annotation, *get_args(annotation)):
        if inspect.isclass(candidate) and issubclass(candidate, BaseModel):
            return candidate
    return None


def is_constant(model: type[BaseModel], name: str) -> bool:
    """True when the field holds a `Constant`."""
    return group_of(model, name) is Constant
