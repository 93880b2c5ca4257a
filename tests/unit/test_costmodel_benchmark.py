"""The benchmark of cost models: which bars it checks, its exit codes, and the page it makes."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks import costmodel
from benchmarks.command import Result
from benchmarks.costmodel_report import HEAD, write_readme
from simulator.costmodel.validation import Answers, Validation
from tests.unit.small_validation import answers

N = 400


def made(
    error: float, width: float = 0.03, covered: int = 360, name: str = "calibrated", count: int = N
) -> Validation:
    """Points over four decades; a model off by `error` either way in turn, its intervals `width` to each side, around
    the truth of the first `covered` points and beside it for the others."""
    truth = 10.0 ** (np.arange(count) / 100)
    sign = np.where(np.arange(count) % 2, 1.0, -1.0)
    simulated = answers("simulator", truth * 0.6, truth * 0.4, truth)
    model = answers(name, truth * 0.6, truth * (0.4 + error * sign), truth * (1 + error / 2 * sign))
    between = {}
    for quantity, total in model.total.items():
        middle = np.where(np.arange(count) < covered, simulated.total[quantity], simulated.total[quantity] * 2)
        between[quantity] = np.stack([middle - width * total, middle + width * total], axis=1)
    plain = {"kind": "drawn", "density": 0.1, "mapping": "default"}
    points = [{"architecture": f"a{i % 25}", **plain} for i in range(count)]
    return Validation("generated", "chip", "", 0, "the command", points, [], simulated,
                      [replace(model, interval=between)], 0.9)  # fmt: skip


def misses(validation: Validation) -> list[str]:
    """What the bars say of a validation."""
    result = Result()
    costmodel.check_errors(validation, result)
    return result.misses


@pytest.mark.parametrize(
    ("validation", "found"),
    [
        (made(0.02), []),
        (made(0.031), ["chip: latency MAPE 3.10 %, at most 3.0 %", "chip: energy MAPE 1.55 %, at most 1.5 %"]),
        (made(0.02, covered=N * 86 // 100), ["latency intervals cover 86.0 %", "energy intervals cover 86.0 %"]),
        (made(0.02, covered=N * 94 // 100), ["latency intervals cover 94.0 %", "energy intervals cover 94.0 %"]),
        (made(0.02, width=0.05), ["energy intervals 5.00 MAPE wide"]),
        (made(0.02, name="another"), ["no calibrated predictions"]),
    ],
)
def test_bars(validation: Validation, found: list[str]) -> None:
    said = misses(validation)
    assert len(said) == len(found), said
    for line, part in zip(said, found, strict=True):
        assert part in line


def test_few_points_and_a_wrong_order_are_misses() -> None:
    good = made(0.0)
    few = made(0.02, count=399)
    assert misses(few) == ["chip: 399 points, at least 400"]
    turned = Answers("calibrated", "", {q: t[::-1] for q, t in good.simulated.total.items()},
                     interval=good.models[0].interval)  # fmt: skip
    assert "chip: energy tau -1.000, at least 0.95" in misses(replace(good, models=[turned]))


def test_clusters_must_help_on_average() -> None:
    def pair(seeing: float, blind: float) -> Validation:
        return replace(made(seeing), models=[*made(seeing).models, *made(blind, name="calibrated, no clusters").models])

    def said(*validations: Validation) -> list[str]:
        result = Result()
        costmodel.check_clusters(validations, result)
        return result.misses

    assert said(pair(0.01, 0.02), pair(0.02, 0.015)) == []
    assert len(said(pair(0.01, 0.02), pair(0.04, 0.02))) == 2  # latency and energy
    assert said() == []


def test_page_keeps_the_sections_of_other_chips(tmp_path: Path) -> None:
    page = tmp_path / "README.md"
    write_readme(page, "one", {"generated": made(0.02)})
    first = page.read_text(encoding="utf-8")
    assert first.startswith(HEAD) and first.count("## one\n") == 1 and "the command" in first
    write_readme(page, "two", {"generated": made(0.01), "recorded": made(0.03)}, ["a bar"])
    write_readme(page, "one", {"generated": made(0.02)})
    both = page.read_text(encoding="utf-8")
    assert first[first.index("<!-- chip one |") :].rstrip() in both
    assert both.count("<!-- chip one |") == 1 == both.count("<!-- chip two |")
    assert all(len({line.count("|") for line in table.splitlines() if line.startswith("|")}) == 1
               for table in both.split("\n\n") if table.startswith("|"))  # fmt: skip
    assert "| one | 400 | 25 | 2.00 % | 2.00 % | 0.9" in both and "- missed: a bar" in both
    row = next(line for line in both.splitlines() if line.startswith("| two |")).split(" | ")
    assert (row[6], row[7], row[12], row[14]) == ("90.0 %", "3.00", "3.00 %, 1.50 %", "1 |")
    pictures = re.findall(r"!\[.*\]\((.*)\)", both)
    assert pictures == ["figures/costmodel_one.png", "figures/costmodel_two.png"]
    assert all((tmp_path / name).stat().st_size for name in pictures)
    assert sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*.*")) == ["README.md", *pictures]


def test_command_on_a_few_points(capsys: pytest.CaptureFixture[str]) -> None:
    """Too few points for the bar, so it is missed; the figures are there all the same."""
    argv = ["--chip", "sia_pynqz2", "--points", "5", "--suite", "digits"]
    assert costmodel.main([*argv, "--json"]) == 1
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert found["schema"] == "neurocycle.benchmark.costmodel/1" and found["passed"] is False
    suites = found["chips"]["sia_pynqz2"]
    assert list(suites) == ["generated", "digits"]
    assert suites["digits"]["groups"]["all"]["models"]["calibrated"]["latency"]["points"] == 5
    assert "sia_pynqz2, generated: 5 points" in err
    assert costmodel.main(["--suite", "generatd"]) == 2
    assert "did you mean 'generated'" in capsys.readouterr().err
    assert costmodel.main(["nowhere"]) == 2
