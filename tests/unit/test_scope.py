"""A model answers for the machine that it was fitted for, and for settings that were varied meanwhile."""

from __future__ import annotations

import pytest

from simulator.costmodel.scope import Scope, settings
from simulator.errors import InputError
from simulator.hardware import Hardware, load_hardware


def chip(*overrides: str) -> Hardware:
    return load_hardware("event_core_28nm", list(overrides))


def test_the_machine_itself_passes_and_any_other_is_refused() -> None:
    scope = Scope.of([chip()])
    scope.check(chip())
    with pytest.raises(InputError, match="event_core_28nm") as caught:
        scope.check(load_hardware("sia_pynqz2"))
    assert "sia_pynqz2" in str(caught.value) and "free to change: nothing" in str(caught.value)


@pytest.mark.parametrize(
    "change", ["dram.burst_cycles=12", "core.scatter.engines=2", "core.accumulate_energy_pj=9", "clocks.core=100000000"]
)
def test_a_changed_setting_is_refused_and_named(change: str) -> None:
    with pytest.raises(InputError, match=change.split("=")[0]):
        Scope.of([chip()]).check(chip(change))


def test_settings_that_were_varied_may_lie_between_what_was_seen() -> None:
    scope = Scope.of([chip("dram.burst_cycles=6"), chip("dram.burst_cycles=24"), chip()])
    assert scope.varied == {"units.dram.burst_cycles": (6, 24)}
    scope.check(chip("dram.burst_cycles=12"))
    with pytest.raises(InputError, match=r"6 \.\. 24"):
        scope.check(chip("dram.burst_cycles=3"))
    with pytest.raises(InputError, match=r"free to change: units\.dram\.burst_cycles"):
        scope.check(chip("dram.burst_cycles=12", "weight.banks=2"))


def test_choices_that_were_varied_are_those_that_were_seen() -> None:
    pair = [load_hardware("sia_pynqz2", [f"core.gather.gating={g}"]) for g in ("skip", "none")]
    scope = Scope.of(pair)
    assert scope.varied == {"units.core.gather.gating": ("none", "skip")}
    with pytest.raises(InputError, match="gating"):
        scope.check(load_hardware("sia_pynqz2", ["core.gather.gating=energy"]))


def test_where_a_number_comes_from_does_not_matter() -> None:
    price = settings(chip())["units.core.accumulate_energy_pj"]
    Scope.of([chip()]).check(chip(f"core.accumulate_energy_pj={price}"))


def test_two_machines_make_no_scope() -> None:
    with pytest.raises(InputError, match="one machine"):
        Scope.of([chip(), load_hardware("sia_pynqz2")])
