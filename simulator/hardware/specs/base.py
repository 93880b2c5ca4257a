"""What every hardware unit states: its type, clock, static power, area, actions, stalls and component."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field

from simulator.errors import InputError, nearest
from simulator.hardware.action import CATEGORIES, Action
from simulator.hardware.constant import Constant, Grade
from simulator.hardware.fields import group_of


class Part(BaseModel):
    """A group of fields inside a unit (`scatter:`, `unroll:`); frozen, unknown keys refused.

    LIBRARY  name of a bundled file of ready groups; a text in place of the group then names one of them
    """

    LIBRARY: ClassVar[str] = ""

    model_config = ConfigDict(frozen=True, extra="forbid")


class SourcedPart(Part):
    """A group of fields that may state `source` and `grade` of its own bare numbers."""

    source: Annotated[
        str | None, Field(min_length=1, strict=True, description="source of the bare numbers of this group")
    ] = None
    grade: Annotated[Grade | None, Field(description="grade of the bare numbers of this group")] = None


class UnitSpec(Part):
    """Base of all unit types.  A subclass fixes `type` by a Literal and names the four class variables.

    ACTIONS     everything a run may charge to the unit, each with one price field and one category
    STALLS      causes of a stall, in order of precedence
    COMPONENT   "module:Class" of the unit's process, imported only when a machine is built
    PREPARE     "module:function" of a unit that takes a whole network and runs a sample as one task; see
                `simulator.mapping.whole`
    MEMORY      "chip" or "main" where the unit stores what others use
    REFERENCES  fields that hold the name of another unit -> the types that unit may have

    Names of `Constant` fields say what they are: `*_energy_pj*` is a price and belongs to an action, `*_mw` is static
    power, `*_mm2` is area; in groups of fields `*_nw` is static power, `*_um2` is area, `*_ohm` resistance, each of one
    piece.  A subclass that breaks this raises InputError when it is defined.
    """

    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    STALLS: ClassVar[tuple[str, ...]] = ()
    COMPONENT: ClassVar[str] = ""
    PREPARE: ClassVar[str] = ""
    MEMORY: ClassVar[Literal["", "chip", "main"]] = ""
    REFERENCES: ClassVar[dict[str, tuple[str, ...]]] = {}

    type: Annotated[str, Field(description="type of the unit")]
    clock: Annotated[str, Field(strict=True, description="name of the clock domain the unit runs in")]
    source: Annotated[
        str | None, Field(min_length=1, strict=True, description="source of the bare numbers among its constants")
    ] = None
    grade: Annotated[Grade | None, Field(description="grade of the bare numbers among the unit's constants")] = None
    leakage_mw: Annotated[Constant, Field(description="static power of the unit, mW; 0 must be stated too")]
    area_mm2: Annotated[Constant, Field(description="silicon area of the unit, mm2; 0 must be stated too")]

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        """Checks actions and prices against each other as soon as a concrete unit type is defined."""
        if cls.type_name() is not None:
            _check_type(cls)

    @classmethod
    def type_name(cls) -> str | None:
        """The `type:` that selects this spec in YAML; None for a base class without one."""
        annotation = cls.model_fields["type"].annotation
        return str(get_args(annotation)[0]) if get_origin(annotation) is Literal else None

    @classmethod
    def filled(cls, plain: dict[str, Any], clock_hz: int | None) -> dict[str, Any]:
        """Plain fields of a unit before they are checked, with what can be derived where the file leaves it out.

        clock_hz: frequency of the unit's clock, None where that name is unknown.  InputError with a key path that
        starts at the unit.
        """
        return plain

    @classmethod
    def action(cls, name: str) -> Action:
        """The action called "verb:operand"; InputError with the nearest name when the unit has none such."""
        for action in cls.ACTIONS:
            if action.name == name:
                return action
        names = [a.name for a in cls.ACTIONS]
        raise InputError(
            f"{cls.type_name()} has no such action", found=name, allowed=names, nearest=nearest(name, names)
        )

    def constants(self) -> dict[str, Constant]:
        """Path of the field ("leakage_mw", "area.cell_um2") -> constant, in declared order."""
        return dict(_constants(self, ""))

    def price_of(self, action: Action) -> Constant | None:
        """Energy of one count of `action`, pJ; None where the spec leaves out the group that holds it."""
        return self.at(action.price)

    def at(self, path: str) -> Any:
        """Value at a dotted path of fields; None where an optional group on the way is absent."""
        found: Any = self
        for name in path.split("."):
            found = None if found is None else getattr(found, name)
        return found

    def built_area_um2(self, built: Mapping[str, int]) -> dict[str, float]:
        """Area by component, um2, of what a mapping built (counts as in the Record); here the unit as a whole."""
        return {"unit": float(self.area_mm2.value) * 1e6}

    def built_leakage_mw(self, built: Mapping[str, int]) -> dict[str, Constant]:
        """Static power by component, mW, of what a mapping built; here every `*_mw` field of the unit."""
        names = [name for name in type(self).model_fields if name.endswith("_mw")]
        return {name.removesuffix("_mw"): getattr(self, name) for name in names}


def _constants(part: Part, prefix: str) -> Iterator[tuple[str, Constant]]:
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, Constant):
            yield prefix + name, value
        elif isinstance(value, Part):
            yield from _constants(value, f"{prefix}{name}.")


GROUPED = ("_nw", "_um2")
"""Endings that in groups of fields belong to constants only."""


def _annotations(model: type[BaseModel], prefix: str = "") -> dict[str, Any]:
    """Path -> annotation of every field of a unit type, those of its groups included."""
    found: dict[str, Any] = {}
    for name, field in model.model_fields.items():
        found[prefix + name] = field.annotation
        group = group_of(model, name)
        if group is not None and group is not Constant:
            found.update(_annotations(group, f"{prefix}{name}."))
    return found


def _check_type(spec: type[UnitSpec]) -> None:
    """Raises InputError unless prices and actions of a unit type match both ways."""
    fields = _annotations(spec)
    names = [a.name for a in spec.ACTIONS]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"unit type {spec.__name__} declares an action twice", found=name)
    for action in spec.ACTIONS:
        for price in (action.price, *([action.instead] if action.instead else [])):
            if fields.get(price) is not Constant or "_energy_pj" not in price:
                prices = [n for n, a in fields.items() if a is Constant and "_energy_pj" in n]
                raise InputError(
                    f"unit type {spec.__name__}: the price of {action.name} must be a required *_energy_pj* constant",
                    found=price,
                    allowed=prices,
                    nearest=nearest(price, prices),
                )
        if action.category not in CATEGORIES:
            raise InputError(f"unit type {spec.__name__}: {action.name}", found=action.category, allowed=CATEGORIES)
    charged = {price for a in spec.ACTIONS for price in (a.price, a.instead)}
    for name, annotation in fields.items():
        priced = "_energy_pj" in name
        if priced and name not in charged:
            raise InputError(f"unit type {spec.__name__}: no action is charged with this price", found=name)
        endings = ("_mw", "_mm2", *(GROUPED if "." in name else ()))
        constant = annotation is Constant and not ("." in name and name.endswith("_ohm"))
        if (priced or name.endswith(endings)) != constant:
            raise InputError(
                f"unit type {spec.__name__}: names *_energy_pj*, *_mw and *_mm2 belong to required constants only",
                found=f"{name}: {annotation}",
            )
    for name in spec.REFERENCES:
        if name not in spec.model_fields:
            raise InputError(f"unit type {spec.__name__}: REFERENCES names no field", found=name, allowed=fields)
    if not re.fullmatch(r"[\w.]+:\w+", spec.COMPONENT):
        raise InputError(f"unit type {spec.__name__}: COMPONENT", found=spec.COMPONENT, allowed='"module:Class"')
