"""The front door opens fast: heavy libraries are imported only by the work that needs them."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys

import pytest

from tests.unit.source_tree import ROOT

HEAVY = ("numba", "h5py", "matplotlib", "scipy", "nir", "pandas")
HELP_CPU_SECONDS = 0.3


def loaded_by(statement: str) -> set[str]:
    """Top-level names of the modules that are loaded once `statement` has run in a fresh interpreter."""
    code = f"{statement}\nimport json, sys\nprint(json.dumps(sorted({{m.split('.')[0] for m in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("statement", ["import simulator", "import simulator.cli", "import simulator.errors"])
def test_front_door_loads_no_heavy_library(statement: str) -> None:
    heavy = loaded_by(statement) & set(HEAVY)
    assert not heavy, f"`{statement}` loads {sorted(heavy)}"


def test_hardware_needs_no_compiler() -> None:
    heavy = loaded_by("from simulator import load_hardware") & {"numba", "matplotlib"}
    assert not heavy, f"load_hardware loads {sorted(heavy)}"


def test_help_is_quick() -> None:
    """CPU seconds, smallest of several runs: what is left is the program itself, not the machine's other load."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "simulator", "--help"], cwd=ROOT, env=environment,
                       capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(seconds) <= HELP_CPU_SECONDS, f"--help takes {min(seconds):.2f} CPU s, {HELP_CPU_SECONDS} are allowed"
