"""Suites: what is in them, what is left out and why, and how bad names and files read."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from simulator import load_trace
from simulator.costmodel.observe import observe
from simulator.costmodel.suite import Suite, load_suite
from simulator.costmodel.suite_file import FOLDER, GROUP, read_suite, suite_names
from simulator.costmodel.suite_schema import json_schema
from simulator.errors import InputError
from tests.unit.schema_checker import complaints

CHIPS = ("sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4")
SMALL = """\
schema: neurocycle.suite/1
groups:
  - networks: [digits]
    steps: [2]
    mappings: {cmos_core: [default, weights=stream, weights=resident, tile_rows=4000000000]}
    drawn: [[0.1, 0.2], [1.0]]
    clustered: [[0.3]]
"""


def written(path: Path, text: str) -> str:
    """A suite file with this text."""
    file = path / "own.yaml"
    file.write_text(text, encoding="utf-8")
    return str(file)


@pytest.mark.parametrize("chip", CHIPS)
def test_generated_suite_is_large_enough(chip: str) -> None:
    """At least 400 points from at least 20 drawn architectures and the named networks; every point has its own name."""
    suite = load_suite("generated", chip)
    assert len(suite.cases) >= 400
    assert sum(case.network.startswith("generated/") for case in suite.cases) >= 300
    drawn = {case.architecture for case in suite.cases if case.network.startswith("generated/")}
    assert len(drawn) >= 20
    assert {"digits", "vgg9", "vgg11", "resnet18"} <= set(suite.architectures)
    assert len({case.name for case in suite.cases}) == len(suite.cases)
    assert all(reason for _, reason in suite.left_out)


def test_suites_repeat_and_seeds_draw_anew() -> None:
    one, two, other = (load_suite("generated", "event_core_28nm", seed=seed) for seed in (0, 0, 1))
    assert one == two
    assert not {case.name for case in one.cases} & {case.name for case in other.cases}


@pytest.mark.parametrize("name", ["digits", "sia", "cim"])
@pytest.mark.parametrize("chip", CHIPS)
def test_every_suite_has_points_on_every_chip(name: str, chip: str) -> None:
    assert load_suite(name, chip).cases


@pytest.mark.parametrize("chip", CHIPS)
def test_trained_spikes_run_for_as_long_as_they_were_recorded(chip: str) -> None:
    suite = load_suite("digits", chip)
    kept = [case for case in suite.cases if case.mapping == "default" and case.samples == 1]
    assert len(kept) == (1 if chip.startswith("stems") else 8)  # images differ in their spikes only
    assert {case.kind for case in suite.cases} == {"trained"} and {case.samples for case in suite.cases} == {1, 4}
    assert {case.steps for case in suite.cases} == {int(load_trace("digits").steps.max())}
    for case in (suite.cases[0], suite.cases[-1]):
        assert observe(case).simulated.end_ps > 0


def test_the_stems_suite_takes_the_bits_of_its_blocks() -> None:
    suite = load_suite("stems", "stems_meta1m_lpddr4")
    assert {case.network for case in suite.cases} == {f"sew_{k}plif" for k in range(8)} | {"red_lif"}
    assert any("time=0000111" in case.mapping for case in suite.cases) and not suite.left_out


def test_what_does_not_fit_is_left_out_with_its_reason(tmp_path: Path) -> None:
    suite = load_suite(written(tmp_path, SMALL), "sia_pynqz2")
    assert suite.name == "own"
    reasons = dict(suite.left_out)
    assert "must be an integer" in reasons["digits, mapping tile_rows=4000000000"]
    assert reasons["digits, mapping weights=resident"] == "it is the same as mapping default"
    found = [(case.mapping, case.kind, case.density) for case in suite.cases]
    assert found == [
        ("default", "drawn", 0.1), ("default", "drawn", 0.2), ("default", "clustered", 0.3),
        ("weights=stream", "drawn", 1.0), ("weights=stream", "clustered", 0.3),
    ]  # fmt: skip


def test_settings_are_taken_in_turn(tmp_path: Path) -> None:
    text = SMALL.replace("    steps", "    settings: [default, dma.setup_cycles=9 host.launch_cycles=7]\n    steps")
    suite = load_suite(written(tmp_path, text), "sia_pynqz2", overrides=["core.gather.gating=none"])
    assert [case.overrides for case in suite.cases][:4] == [
        *(("core.gather.gating=none",),) * 3,
        ("core.gather.gating=none", "dma.setup_cycles=9", "host.launch_cycles=7"),
    ]
    assert suite.cases[3].prepare().hardware.units["host"].launch_cycles == 7


def test_nothing_that_fits_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nothing of this suite fits the chip: the suite has no mappings"):
        load_suite(written(tmp_path, SMALL), "cim_spikesim64")


def test_recordings_need_a_directory(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs the directory"):
        load_suite("recorded", "sia_pynqz2")
    with pytest.raises(InputError, match="no such directory"):
        load_suite("recorded", "sia_pynqz2", str(tmp_path / "none"))
    with pytest.raises(InputError, match=r"nothing of this suite fits.*no such file"):
        load_suite("recorded", "sia_pynqz2", str(tmp_path))


def test_unknown_suites_and_chips() -> None:
    assert suite_names() == ["cim", "digits", "generated", "recorded", "sia", "stems"]
    with pytest.raises(InputError, match=r"unknown suite.*digts.*cim, digits, generated.*did you mean 'digits'"):
        load_suite("digts", "sia_pynqz2")
    with pytest.raises(InputError, match="did you mean 'sia_pynqz2'"):
        load_suite("digits", "sia_pynq2")
    with pytest.raises(InputError, match=r"none\.yaml"):
        load_suite("none.yaml", "sia_pynqz2")


DEFECTS = [
    ("schema: neurocycle.suite/1", "schema: neurocycle.suite/9", "own.yaml:1: schema: not a suite file"),
    ("schema: neurocycle.suite/1\n", "", "schema: a suite needs this key"),
    ("    drawn:", "    drwan:", r"own.yaml:6: groups\[0\]\.drwan: unknown key.*did you mean 'drawn'"),
    ("networks: [digits]", "family: {cmos_core: cores}", r"groups\[0\]\.count"),
    ("networks: [digits]", "family: {cmos_core: coers}\n    count: 1", "did you mean 'cores'"),
    ("networks: [digits]", "networks: [digits]\n    recorded: [loihi]", "one source of networks"),
    ("networks: [digits]", "networks: []", "a list is expected"),
    ("networks: [digits]", "networks: [3]", "a text is expected"),
    ("steps: [2]", "steps: [0]", "must be an integer; found 0"),
    ("steps: [2]", "steps: [2.5]", "must be an integer"),
    ("cmos_core:", "cmos_cor:", "did you mean 'cmos_core'"),
    ("[1.0]", "[1.5]", "a density is a number; found 1.5"),
    ("[1.0]", "[true]", "a density is a number"),
    ("    mappings", "    mapings", "did you mean 'mappings'"),
]


@pytest.mark.parametrize(("old", "new", "message"), DEFECTS)
def test_defects_of_a_suite_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in SMALL
    with pytest.raises(InputError, match=message):
        read_suite(written(tmp_path, SMALL.replace(old, new)))
    if "one source" not in message:  # which the schema for editors leaves open
        assert complaints(yaml.safe_load(SMALL.replace(old, new)), json_schema(), json_schema())


def test_the_schema_takes_what_the_reader_takes() -> None:
    for name in suite_names():
        read_suite(name)
        content = yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
        assert complaints(content, json_schema(), json_schema()) == []
    assert set(json_schema()["properties"]["groups"]["items"]["properties"]) == set(GROUP)


def test_architectures_come_in_order() -> None:
    suite = load_suite("sia", "event_core_28nm")
    assert isinstance(suite, Suite) and suite.architectures == ("vgg11", "resnet18")
