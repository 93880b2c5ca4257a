"""Chips of crossbar tiles with shuffled ties: not one number changes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from simulator import simulate
from simulator.engine.environment import Environment
from tests.differential.cim_machines import cim_cases
from tests.differential.compare import differences
from tests.differential.machines import Case
from tests.order.shuffled import ShuffledEnvironment

CHIPS = 20
SEEDS = 4


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@settings(
    max_examples=CHIPS, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(case=cim_cases())
def test_shuffled_ties_change_nothing(engine: str, case: Case) -> None:
    def once(environment: Environment | None = None):
        return simulate(
            case.hardware, case.network, case.trace, case.mapping, engine=engine, timeline=True, environment=environment
        )

    plain = once()
    for seed in range(SEEDS):
        assert differences(plain, once(ShuffledEnvironment(seed))) == [], f"seed {seed}"
