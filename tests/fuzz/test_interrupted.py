"""Ctrl-C, SIGTERM and kill -9 in the middle of a run, and in the middle of writing it: never a half-written result."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simulator import load_record
from tests.unit.small_digits import write_small_trace
from tests.unit.source_tree import ROOT

# The command, stopped where it hurts: a function is replaced by one that does half its work, says so, and waits.
STOPPED = """
import os, sys, time
import simulator.cli
stage = sys.argv.pop(1)

def wait(*_, **__):
    print("here", flush=True)
    time.sleep(120)

if stage == "run":
    import simulator.run
    from simulator.machine import Machine
    Machine.run = wait
elif stage == "pictures":
    import simulator.report.plots.style as style
    real = style.save
    def save(figure, path):
        real(figure, path)
        wait()
    style.save = save
elif stage == "record":
    import h5py
    real_close = h5py.File.close
    def close(self):
        writing = self.mode != "r"
        real_close(self)
        if writing:
            wait()
    h5py.File.close = close
else:
    real_rename = getattr(os, stage)
    def rename(a, b):
        place = os.path.abspath(b)
        if "out" in (os.path.basename(place), os.path.basename(os.path.dirname(place))):
            wait()
        real_rename(a, b)
    setattr(os, stage, rename)
simulator.cli.main(sys.argv[1:])
"""
STAGES = ("run", "record", "pictures", "rename")


def stop_at(stage: str, number: int, trace: Path, out: Path) -> tuple[int, str]:
    """Exit code and stderr of a replay that gets signal `number` at `stage`."""
    environment = {k: v for k, v in os.environ.items() if k != "NEUROCYCLE_DEBUG"}
    argv = [sys.executable, "-c", STOPPED, stage, "replay", str(trace), "--hw", "sia_pynqz2", "-o", str(out)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "here\n", process.stderr.read()
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
    return process.returncode, errors


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with one sample of the bundled trace."""
    return write_small_trace(tmp_path_factory.mktemp("trace") / "one.h5")


@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_leaves_nothing(stage: str, trace: Path, tmp_path: Path) -> None:
    code, errors = stop_at(stage, signal.SIGINT, trace, tmp_path / "out")
    assert code == 130
    assert errors.strip() == "neurocycle: interrupted; no half-written result was left"
    assert list(tmp_path.iterdir()) == []


def test_termination_leaves_nothing(trace: Path, tmp_path: Path) -> None:
    code, _ = stop_at("pictures", signal.SIGTERM, trace, tmp_path / "out")
    assert code == 143
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("stage", STAGES)
def test_kill_leaves_no_result(stage: str, trace: Path, tmp_path: Path) -> None:
    """A killed process cannot tidy up; what it leaves bears a name that says so, and no result's name."""
    code, _ = stop_at(stage, signal.SIGKILL, trace, tmp_path / "out")
    assert code == -signal.SIGKILL
    assert all(p.name.startswith(".out.") and p.name.endswith(".partial") for p in tmp_path.iterdir())


def test_kill_while_replacing_an_older_run(trace: Path, tmp_path: Path) -> None:
    """Files of the new run replace those of the old one; in between there is no summary that vouches for the mix."""
    out = tmp_path / "out"
    argv = ["replay", str(trace), "--hw", "event_core_28nm", "-o", str(out), "--json"]
    command = [sys.executable, "-m", "simulator", *argv]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    before = load_record(out / "record.h5").summary()
    assert json.loads(done.stdout) == json.loads(json.dumps(before))
    code, _ = stop_at("replace", signal.SIGKILL, trace, out)
    assert code == -signal.SIGKILL
    assert not (out / "summary.json").exists()
    assert load_record(out / "record.h5").summary() == before
