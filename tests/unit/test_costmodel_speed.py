"""The speed command of the cost model: what it measures is there and adds up; how fast is for the command to say."""

from __future__ import annotations

import json
from math import prod

import pytest

from benchmarks import costmodel_speed as speed
from simulator import load_hardware
from simulator.costmodel.loopnest import price_loops
from simulator.costmodel.loopnest_types import LoopLayer
from simulator.costmodel.published.stems_array import array_of
from simulator.costmodel.published.stems_node import mappings


def test_figures_of_a_small_network(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(speed, "TILINGS", 100)
    code = speed.main(["--networks", "digits", "--chips", "sia_pynqz2", "--json"])
    document = json.loads(capsys.readouterr().out)
    assert document["passed"] is (code == 0)
    (row,) = document["estimates"]
    assert row["ratio"] == pytest.approx(row["simulated_s"] / row["alike_ms"] * 1e3)
    assert row["ratio_by_step"] == pytest.approx(row["simulated_s"] / row["by_step_ms"] * 1e3)
    assert len(document["tilings_per_s"]) == 3 and min(document["tilings_per_s"].values()) > 0


def test_a_bar_that_is_missed_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(speed, "TILINGS", 100)
    monkeypatch.setattr(speed, "RATIO", 1e9)
    assert speed.main(["--networks", "digits", "--chips", "sia_pynqz2"]) == 1
    printed = capsys.readouterr().out
    assert "missed: digits on sia_pynqz2" in printed and printed.splitlines()[-1].endswith("MISSED")


def test_an_unknown_chip_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    assert speed.main(["--networks", "digits", "--chips", "sia"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(("number", "factors"), [(1, []), (2, [2]), (56, [2, 2, 2, 7]), (97, [97]), (36, [2, 2, 3, 3])])
def test_prime_factors(number: int, factors: list[int]) -> None:
    assert speed.primes(number) == factors and prod(factors) == number


def test_loops_in_factors_are_the_same_layer() -> None:
    """Cut and shuffled, they still cover it: the plain evaluator accepts them."""
    hardware = load_hardware("stems_meta1m")
    array = array_of(hardware.unit("array"), hardware)
    assert array is not None
    layer = LoopLayer("one", {"B": 2, "K": 64, "C": 12, "OY": 16, "OX": 6, "FY": 3, "FX": 3},
                      {"W": 4, "I": 1, "O_partial": 16, "O_final": 1})  # fmt: skip
    for mapping in mappings(layer, array):
        cut = speed.in_factors(mapping, array, 1)
        assert cut.cycles == mapping.cycles
        assert price_loops(layer, array.machine, cut).ladder.ideal_temporal == mapping.cycles
