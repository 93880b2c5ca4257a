"""A kernel whose source, or whose NUMBA_* settings, changed is never served code that was compiled before.

The package is copied, a kernel runs in a fresh interpreter, something is really changed, and the kernel runs again with
the same cache folder.  Each case also shows that the cache is used where nothing changed; else it would prove nothing.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.source_tree import ROOT

# Two kernels of which one calls the other across modules: Numba itself looks at the caller's file only.
INNER = """
from numba import njit


@njit(cache=True)
def inner(x):
    return x + 1
"""
OUTER = """
from numba import njit

from simulator.kernels.zz_inner import inner


@njit(cache=True)
def outer(x):
    return 10 * inner(x)


@njit(cache=True)
def peek(values, i):
    return values[i]
"""
CALL_OUTER = """
from simulator.kernels.zz_outer import outer as kernel
result = int(kernel(1))
"""
# Reads behind the end of a view, where the array below it has more: defined, and refused where bounds are checked.
CALL_PEEK = """
import numpy as np
from simulator.kernels.zz_outer import peek as kernel
try:
    result = int(kernel(np.arange(8)[:4], 5))
except IndexError:
    result = "refused"
"""
CALL_BINS = """
import numpy as np
from simulator.kernels.bins import add_runs as kernel
bins = np.zeros(2, np.int64)
kernel(np.array([1]), np.array([5]), 3, bins)
result = bins.tolist()
"""
REPORT = """
import json
stats = getattr(kernel, "stats", None)
print(json.dumps([result, bool(stats and stats.cache_hits)]))
"""


class Copy:
    """A copy of the package with a cache folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / "simulator", folder / "simulator", ignore=shutil.ignore_patterns("__pycache__"))
        self.kernels = folder / "simulator" / "kernels"
        (self.kernels / "zz_inner.py").write_text(INNER)
        (self.kernels / "zz_outer.py").write_text(OUTER)

    def run(self, code: str, **settings: str) -> tuple[object, bool]:
        """Result of `code` in a fresh interpreter, and whether its kernel came from the cache."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "PYTHON"))}
        environment |= {
            "PYTHONPATH": str(self.folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NEUROCYCLE_CACHE": str(self.folder / "cache"),
            **settings,
        }
        done = subprocess.run(
            [sys.executable, "-c", code + REPORT], cwd=self.folder, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        result, cached = json.loads(done.stdout)
        return result, cached

    def edit(self, name: str, old: str, new: str) -> None:
        """Changes a source file; its time and size stay, so that only its content tells."""
        path = self.kernels / name
        text, times = path.read_text(), path.stat()
        assert text.count(old) == 1 and len(old) == len(new)
        path.write_text(text.replace(old, new))
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return Copy(tmp_path)


def test_a_changed_callee_in_another_module_is_compiled_anew(copy: Copy) -> None:
    assert copy.run(CALL_OUTER) == (20, False)
    assert copy.run(CALL_OUTER) == (20, True)
    copy.edit("zz_inner.py", "x + 1", "x + 6")
    assert copy.run(CALL_OUTER) == (70, False)
    copy.edit("zz_inner.py", "x + 6", "x + 1")
    assert copy.run(CALL_OUTER) == (20, True)
    assert len(list((copy.folder / "cache").iterdir())) == 2
    assert not list(copy.kernels.rglob("*.nbi"))


def test_a_changed_kernel_of_the_package_is_compiled_anew(copy: Copy) -> None:
    assert copy.run(CALL_BINS) == ([2, 2], False)
    copy.edit("bins.py", "bins[b] += stop - a", "bins[b] -= stop - a")
    assert copy.run(CALL_BINS) == ([-2, -2], False)


@pytest.mark.parametrize(
    ("setting", "results"),
    [("NUMBA_BOUNDSCHECK", {"0": 5, "1": "refused"}), ("NUMBA_DISABLE_JIT", {"0": 5, "1": "refused"})],
)
@pytest.mark.parametrize("first", ["0", "1"])
def test_a_changed_setting_is_served_code_of_its_own(
    copy: Copy, setting: str, results: dict[str, object], first: str
) -> None:
    second = "1" if first == "0" else "0"
    for value in (first, second):
        assert copy.run(CALL_PEEK, **{setting: value}) == (results[value], False)
    for value in (first, second):
        jit = not (setting == "NUMBA_DISABLE_JIT" and value == "1")
        result, cached = copy.run(CALL_PEEK, **{setting: value})
        # A call that raised leaves its compiled code in the cache as well.
        assert (result, cached) == (results[value], jit)
