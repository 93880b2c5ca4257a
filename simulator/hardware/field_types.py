"""Integer field types of specs; the upper bounds keep a typing error in a file from becoming a memory request."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

MAX_CYCLES = 2**31 - 1
MAX_STRUCTURE = 2**20
MAX_BYTES = 2**50


def _integer(value: Any) -> Any:
    """Whole numbers only: 500e6 is one, True, "3" and 2.5 are none."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    if isinstance(value, bool) or not whole:
        raise PydanticCustomError("integer", "Input should be an integer")
    return int(value)


Integer = BeforeValidator(_integer)
Cycles = Annotated[int, Field(ge=0, le=MAX_CYCLES), Integer]
"""A number of clock cycles that may be zero."""
PositiveCycles = Annotated[int, Field(ge=1, le=MAX_CYCLES), Integer]
"""A number of clock cycles that must pass: latency of a link, hold time of a bank."""
Structure = Annotated[int, Field(ge=1, le=MAX_STRUCTURE), Integer]
"""How often something exists: lanes, banks, ports, FIFO places, credits, bits of a word."""
Bytes = Annotated[int, Field(ge=1, le=MAX_BYTES), Integer]
"""A size in bytes."""
