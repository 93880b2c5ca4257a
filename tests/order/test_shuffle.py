"""What happens in one instant has no order but the one written down: with shuffled ties not one number changes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings

from simulator import simulate
from simulator.engine.environment import Environment
from tests.differential.compare import differences
from tests.differential.machines import Case, cases
from tests.order.shuffled import ShuffledEnvironment
from tests.timing.bench import machine, network, run

MACHINES = 40
SEEDS = 8


@pytest.mark.parametrize("engine", ["kernel", "reference"])
@settings(
    max_examples=MACHINES, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(case=cases())
def test_shuffled_ties_change_nothing(engine: str, case: Case) -> None:
    def once(environment: Environment | None = None):
        return simulate(
            case.hardware, case.network, case.trace, case.mapping, engine=engine, timeline=True, environment=environment
        )

    plain = once()
    for seed in range(SEEDS):
        assert differences(plain, once(ShuffledEnvironment(seed))) == [], f"seed {seed}"


def test_blocks_that_leave_in_one_instant_keep_their_order() -> None:
    """Timesteps 2 and 3 fire nothing and are scanned while the spikes of timestep 1 still drain: all three blocks leave
    with the last of them, and the link takes them in the order of their timesteps."""
    hardware = machine(core__scatter__output_cycles=30, core__link_width_bits=1)
    net = network(kernel=3, size=3, threshold=1)
    plain = run(hardware, net, [4], [], [])
    for engine in ("kernel", "reference"):
        for seed in range(SEEDS):
            shuffled = run(hardware, net, [4], [], [], engine=engine, environment=ShuffledEnvironment(seed))
            assert differences(plain, shuffled) == [], f"{engine}, seed {seed}"


def test_the_shuffle_does_shuffle() -> None:
    """The test above means something only if ties really fall in different orders, and levels keep theirs."""

    def order(environment: Environment) -> list[int]:
        seen: list[int] = []
        for i in range(20):
            environment.call_at(5, lambda i=i: seen.append(i), level=1 + i // 10)
        environment.run()
        return seen

    assert order(Environment()) == list(range(20))
    shuffled = [order(ShuffledEnvironment(seed)) for seed in range(4)]
    assert len({tuple(seen) for seen in shuffled}) == 4
    for seen in shuffled:
        assert sorted(seen[:10]) == list(range(10))
        assert sorted(seen[10:]) == list(range(10, 20))
