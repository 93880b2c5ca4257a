"""Kernel and reference engine on random machines, networks and inputs: not one number may differ."""

from __future__ import annotations

from hypothesis import HealthCheck, given, note, settings

from simulator import simulate
from tests.differential.compare import differences
from tests.differential.machines import Case, cases

EXAMPLES = 300


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
@given(cases())
def test_engines_agree_in_every_number(case: Case) -> None:
    note(case.describe())
    kernel = simulate(case.hardware, case.network, case.trace, case.mapping, timeline=True)
    reference = simulate(case.hardware, case.network, case.trace, case.mapping, engine="reference", timeline=True)
    assert differences(kernel, reference) == []
