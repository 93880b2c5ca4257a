"""Unit types: every action has a price and every price an action; types are found, not listed."""

from __future__ import annotations

import importlib
from importlib.metadata import EntryPoint
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, Field, ValidationError

from simulator.errors import InputError
from simulator.hardware import Action, Constant, UnitSpec, registry, unit_type, unit_types
from simulator.hardware.action import CATEGORIES
from simulator.hardware.fields import group_of
from tests.unit.hardware_text import machine

TYPES = sorted(unit_types())


def define(
    actions: tuple[Action, ...],
    component: str = "a.b:C",
    references: dict[str, tuple[str, ...]] | None = None,
    **fields: Any,
) -> type[UnitSpec]:
    """A unit type called `lamp` with the given actions and extra fields."""
    members = {
        "__annotations__": {
            "type": Literal["lamp"],
            "ACTIONS": ClassVar,
            "COMPONENT": ClassVar,
            "REFERENCES": ClassVar,
            **fields,
        },
        "__module__": __name__,
        "ACTIONS": actions,
        "COMPONENT": component,
        "REFERENCES": references or {},
    }
    return type("Lamp", (UnitSpec,), members)


SHINE = Action("shine", "photon", "operation", "shine_energy_pj", "compute")
Price = Annotated[Constant, Field(description="a price")]


def paths(model: type[BaseModel], prefix: str = "") -> list[str]:
    """Dotted paths of all fields, those of groups included."""
    found = []
    for field in model.model_fields:
        group = group_of(model, field)
        inner = paths(group, f"{prefix}{field}.") if group not in (None, Constant) else []
        found += [prefix + field, *inner]
    return found


@pytest.mark.parametrize("name", TYPES)
def test_actions_and_prices_match_both_ways(name: str) -> None:
    spec = unit_type(name)
    prices = {path for path in paths(spec) if "_energy_pj" in path}
    assert {price for a in spec.ACTIONS for price in (a.price, a.instead) if price} == prices
    assert all(a.category in CATEGORIES for a in spec.ACTIONS)
    assert len({a.name for a in spec.ACTIONS}) == len(spec.ACTIONS)
    assert spec.type_name() == name


@pytest.mark.parametrize("name", TYPES)
def test_every_field_is_described(name: str) -> None:
    pending: list[type[BaseModel]] = [unit_type(name)]
    while pending:
        model = pending.pop()
        for field, info in model.model_fields.items():
            assert info.description, f"{model.__name__}.{field}"
            group = group_of(model, field)
            pending += [group] if group is not None else []


def test_declared_actions_and_stalls() -> None:
    def names(kind: str) -> list[str]:
        return [a.name for a in unit_type(kind).ACTIONS]

    operands = ["weight", "state", "spike", "partial_sum"]
    moved = [f"{verb}:{operand}" for verb in ("read", "write", "overfetch") for operand in operands]
    assert names("sram") == names("dram") == moved
    assert names("dma") == [f"transfer:{operand}" for operand in operands]
    assert names("host") == ["launch:task"]
    assert names("cmos_core") == [
        "accumulate:partial_sum",
        "decode:spike",
        "update:state",
        "normalise:state",
        "fifo:spike",
        "link:spike",
        "active:cycle",
    ]
    assert unit_type("cmos_core").STALLS == ("weight_load", "dependency", "output_fifo", "output", "input")
    assert unit_type("dma").STALLS == ("dependency", "memory")
    assert unit_type("sram").action("overfetch:spike").price == "read_energy_pj_per_bit"
    with pytest.raises(InputError, match=r"sram has no such action; found 'red:spike'.*did you mean 'read:spike'"):
        unit_type("sram").action("red:spike")


def test_a_well_made_type_is_accepted() -> None:
    spec = define((SHINE,), shine_energy_pj=Price, far=str, references={"far": ("dram",)})
    assert spec.type_name() == "lamp"


@pytest.mark.parametrize(
    ("actions", "fields", "message"),
    [
        ((SHINE,), {}, "price of shine:photon must be a required"),
        ((), {"shine_energy_pj": Price}, "no action is charged with this price; found 'shine_energy_pj'"),
        ((SHINE,), {"shine_energy_pj": float}, "price of shine:photon must be"),
        ((SHINE,), {"shine_energy_pj": Constant | None}, "price of shine:photon must be"),
        ((Action("shine", "photon", "operation", "leakage_mw", "compute"),), {}, "found 'leakage_mw'"),
        ((SHINE, SHINE), {"shine_energy_pj": Price}, "declares an action twice; found 'shine:photon'"),
        ((Action("a", "b", "bit", "p_energy_pj", "light"),), {"p_energy_pj": Price}, "found 'light'"),  # type: ignore[arg-type]
        ((), {"idle_mw": int}, 'belong to required constants only; found "idle_mw'),
        ((), {"brightness": Constant}, 'belong to required constants only; found "brightness'),
        ((), {"references": {"near": ("sram",)}}, "REFERENCES names no field; found 'near'"),
        ((), {"component": "somewhere"}, "COMPONENT; found 'somewhere'"),
    ],
)
def test_a_type_that_could_misprice_is_refused(
    actions: tuple[Action, ...], fields: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        define(actions, **fields)
    assert message in str(caught.value)


def test_specs_are_frozen() -> None:
    dram = machine().unit("dram")
    with pytest.raises(ValidationError):
        dram.clock = "core"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        dram.leakage_mw.value = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        machine().units["dram"] = dram  # type: ignore[index]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Registers objects of this module under the entry point group for one test."""
    module = importlib.import_module(__name__)

    def register(**objects: Any) -> None:
        for name, value in objects.items():
            monkeypatch.setattr(module, name, value, raising=False)
        points = [EntryPoint(name, f"{__name__}:{name}", registry.ENTRY_POINTS) for name in objects]
        monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.ENTRY_POINTS else [])
        registry.unit_types.cache_clear()

    yield register
    monkeypatch.undo()
    registry.unit_types.cache_clear()


def test_a_type_of_another_package_is_found(registered: Any) -> None:
    registered(Lamp=define((SHINE,), shine_energy_pj=Price))
    assert sorted([*TYPES, "lamp"]) == list(unit_types())
    chip = machine(LAMP_TEXT)
    assert chip.unit("desk").action("shine:photon").price == "shine_energy_pj"


def test_wrong_registrations_are_refused(registered: Any) -> None:
    registered(thing=3)
    with pytest.raises(InputError, match=r"entry point thing of neurocycle.units is no unit type"):
        unit_types()
    registered(A=define((SHINE,), shine_energy_pj=Price), B=define((SHINE,), shine_energy_pj=Price))
    with pytest.raises(InputError, match="lamp: two classes claim one unit type"):
        unit_types()


LAMP_TEXT = """\
name: room
description: one lamp
price_set: none
main_clock: mains
clocks: {mains: 50}
units:
  desk: {type: lamp, clock: mains, source: s, grade: assumed, shine_energy_pj: 1, leakage_mw: 0, area_mm2: 0}
"""
