"""A priced or measured constant: its value, where it comes from, and how much that is worth."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError

Grade = Literal["measured", "published", "derived", "assumed", "reconstruction"]
"""measured: read off the device or by running a tool; published: stated in print; derived: arithmetic on the former;
assumed: an engineer's choice; reconstruction: fills a gap of a published machine so that its stated figures hold."""

OVERRIDDEN = "overridden by --set"
"""Stands in the source of every constant that a user changed on the command line."""

GRADES: tuple[str, ...] = get_args(Grade)


def _number(value: Any) -> Any:
    """Only real numbers pass: pydantic alone would read True as 1 and "3" as 3."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise PydanticCustomError("number", "Input should be a number")
    return value


class Constant(BaseModel):
    """`value` (float, unit in the field's name, finite and >= 0), `source` (text) and `grade` of one constant.

    In YAML it is `{value: 3.2, source: "...", grade: derived}`, or a bare number that takes `source` and `grade` from
    its unit, else from the top of its file.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Annotated[float, Field(ge=0, allow_inf_nan=False, description="the number"), BeforeValidator(_number)]
    source: Annotated[str, Field(min_length=1, strict=True, description="where the number comes from")]
    grade: Annotated[Grade, Field(description="how the number was obtained")]

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """A YAML file may write a bare number, and leave out what its unit or file states as default."""
        full = handler.resolve_ref_schema(handler(schema))
        return {
            "anyOf": [
                {"type": "number", "minimum": 0},
                {
                    "type": "object",
                    "properties": full["properties"],
                    "required": ["value"],
                    "additionalProperties": False,
                },
            ]
        }
