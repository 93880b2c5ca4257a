"""The README's example of a classifier's last layer on tinyODIN, as it stands there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_the_example_of_the_readme_classifies_the_digits(capsys: pytest.CaptureFixture[str]) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    code = next(c for c in re.findall(r"```python\n(.*?)```", readme, re.DOTALL) if "tail_network" in c)
    found: dict[str, Any] = {}
    exec(code, found)
    record, trace = found["record"], found["trace"]
    assert capsys.readouterr().out.split()[0] == str(record.summary()["latency"]["cycles"])
    right = dict.fromkeys(("core", "network"), 0)
    for sample in range(trace.samples):
        out = record.outputs["out"]
        low, high = int(out.step_start[sample, 0]), int(out.step_start[sample, -1])
        values = None if out.value is None else out.value[low:high]
        own = trace.spikes("out").block(sample, 0, int(trace.steps[sample])).index
        for name, counts in (("core", np.bincount(out.index[low:high], values, 10)), ("network", np.bincount(own))):
            right[name] += int(counts.argmax()) == trace.labels[sample]
    assert right == {"core": 97, "network": 97}
    assert "97 of the 100 digits are still classified right, as many as before" in readme.replace("\n", " ")
