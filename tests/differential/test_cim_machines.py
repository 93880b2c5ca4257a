"""Chips of crossbar tiles at random: both engines in every number, and the spikes of a core on ordinary memory."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, assume, given, note, settings

from simulator import load_hardware, place, simulate
from simulator.errors import InputError
from tests.differential.cim_machines import cim_cases
from tests.differential.compare import differences
from tests.differential.machines import Case

EXAMPLES = 150
CHECKS = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=CHECKS,
)  # fmt: skip
@given(cim_cases())
def test_engines_agree_in_every_number(case: Case) -> None:
    note(case.describe())
    kernel = simulate(case.hardware, case.network, case.trace, case.mapping, timeline=True)
    reference = simulate(case.hardware, case.network, case.trace, case.mapping, engine="reference", timeline=True)
    assert differences(kernel, reference) == []


@settings(
    max_examples=30, deadline=None, derandomize=True, database=None, suppress_health_check=CHECKS,
)  # fmt: skip
@given(cim_cases())
def test_tiles_make_the_spikes_of_a_core(case: Case) -> None:
    """Computing runs of both chips, residual projections, pooling and delays included: spike for spike (2-function)."""
    note(case.describe())
    core = load_hardware("event_core_28nm")
    try:
        mapping = place(case.network, core)
    except InputError:
        assume(False)
    tiles = simulate(case.hardware, case.network, case.trace, case.mapping, engine="reference")
    cores = simulate(core, case.network, case.trace, mapping, engine="reference")
    for name, output in cores.outputs.items():
        for column in ("step_start", "index", "value"):
            np.testing.assert_array_equal(getattr(tiles.outputs[name], column), getattr(output, column))
    for name, membrane in cores.membranes.items():
        np.testing.assert_array_equal(tiles.membranes[name], membrane)
    for count in ("spikes", "synaptic_by_layer", "delivered_spikes", "saturations"):
        assert tiles.work[count] == cores.work[count]
