"""The part of a hardware file above its units."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from simulator.hardware.field_types import Integer

MAX_HERTZ = 10**12
"""One picosecond, the grain of global time; a faster clock would have two edges at one time."""

Name = Annotated[str, Field(strict=True, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Frequency = Annotated[int, Field(ge=1, le=MAX_HERTZ), Integer]


class Header(BaseModel):
    """Everything of a hardware file but its units."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Annotated[str, Field(strict=True, min_length=1, description="name of the machine in reports")]
    description: Annotated[str, Field(strict=True, description="what the machine is, in a sentence or two")]
    labels: Annotated[
        tuple[Annotated[str, Field(strict=True, min_length=1)], ...],
        Field(description="marks that every result carries, such as reconstruction"),
    ] = ()
    price_set: Annotated[
        str, Field(strict=True, min_length=1, description="name of the one set of operation prices that is used")
    ]
    clocks: Annotated[dict[Name, Frequency], Field(min_length=1, description="clock domain -> frequency in Hz")]
    main_clock: Annotated[str, Field(strict=True, description="clock in whose cycles latencies are reported")]
