"""Recorded cases with an exact answer: neurons, layers and networks against chips, simulators and published tables.

    python -m benchmarks.recorded DATA [--json]

DATA holds `silicon/`, `nets/`, `layer_traces/` and `nmnist/`.  Bars: every case below is exact, that is, not one spike,
membrane value or count differs (the membrane of SpiNNaker2's float model within 1e-6, densities to 12 digits).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.command import Result, run_command
from benchmarks.recorded_loihi import loihi_network, single_neuron
from benchmarks.recorded_pilotnet import pilotnet
from benchmarks.recorded_prosperity import prosperity
from benchmarks.recorded_scnn import scnn

CASES = (loihi_network, single_neuron, pilotnet, prosperity, scnn)


def compute(data: Path) -> Result:
    """Runs all cases."""
    result = Result()
    exact = 0
    for case in CASES:
        before = len(result.misses)
        result.lines.append(case(result, data))
        exact += len(result.misses) == before
    result.figures["exact_cases"] = exact
    result.bar = f"{exact} of {len(CASES)} recorded cases exact (all)"
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """Command line."""
    return run_command("recorded", "Recorded spikes, membranes and densities with an exact answer.", compute, argv)


if __name__ == "__main__":
    sys.exit(main())
