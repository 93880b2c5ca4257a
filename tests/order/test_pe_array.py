"""The array, its own fills and the movers of tensors meet at one buffer: shuffled ties change no number."""

from __future__ import annotations

import pytest

from simulator.hardware import load_hardware
from simulator.run import simulate
from simulator.trace.synthetic import bernoulli_trace
from tests.differential.compare import differences
from tests.differential.test_pe_array import mapping, net
from tests.order.shuffled import ShuffledEnvironment


@pytest.mark.parametrize("buffer", [1 << 20, 512])
@pytest.mark.parametrize("engine", ["kernel", "reference"])
def test_shuffled_ties_change_nothing(engine: str, buffer: int) -> None:
    network = net()
    hardware = load_hardware("stems_meta1m", [f"global.capacity_bytes={buffer}", "dma[0..1].chunk_bytes=64"])
    plan = mapping(network, {"a": 6, "b": 3, "sum": 6, "half": 3}, "one", 3)
    trace = bernoulli_trace(network, 3, 0.3, seed=4)

    def once(environment: ShuffledEnvironment | None = None):
        return simulate(hardware, network, trace, plan, engine=engine, timeline=True, environment=environment)  # type: ignore[arg-type]

    plain = once()
    for seed in range(6):
        assert differences(plain, once(ShuffledEnvironment(seed))) == [], f"seed {seed}"
