"""Whatever is done to a hardware file or an override, a machine or one InputError comes out."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.hardware import Hardware, load_hardware, parse_hardware
from simulator.resources import find_resource, list_resources

NAMES = list_resources("hwconfigs")
TEXTS = [find_resource("hwconfigs", name).read_text(encoding="utf-8") for name in NAMES]
RESOLVED = [load_hardware(name).describe() for name in NAMES]
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])

snippets = st.sampled_from(
    [
        "&a ",
        "*a",
        "!!python/name:os.system ''",
        "<<: *a",
        "{",
        "}",
        "[",
        "]",
        "- ",
        ": ",
        "#",
        "|",
        ">",
        "%",
        "@",
        "\t",
        "\x00",
        "-1",
        ".nan",
        "-.inf",
        "1e999",
        "1e-12",
        "010",
        "1:30",
        "9" * 80,
        "null",
        "true",
        "''",
        "[0..99999999]",
        "[3..1]",
        "{i}",
        "extends: sia_pynqz2",
        "source: ''",
        "grade: guess",
        "type: sram",
        "\ud800",
        "\u2028",
        "  ",
    ]
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), snippets)
values = st.recursive(scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=6), v, max_size=3))


def survives(build: Any) -> None:
    """Runs `build`; a machine must round-trip, an error must be an InputError of one line."""
    try:
        chip = build()
    except InputError as error:
        assert "\n" not in str(error)
        return
    assert isinstance(chip, Hardware)
    assert parse_hardware(chip.resolved_yaml()) == chip


@FUZZ
@given(st.sampled_from(TEXTS), st.data())
def test_broken_text(text: str, data: st.DataObject) -> None:
    lines = text.split("\n")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(lines) - 1))
        column = data.draw(st.integers(0, len(lines[at])))
        match data.draw(st.sampled_from(["delete", "repeat", "insert", "cut", "indent", "swap"])):
            case "delete":
                lines[at] = ""
            case "repeat":
                lines.insert(at, lines[at])
            case "insert":
                lines[at] = lines[at][:column] + data.draw(snippets | st.text(max_size=5)) + lines[at][column:]
            case "cut":
                lines[at] = lines[at][:column]
            case "indent":
                lines[at] = "  " + lines[at]
            case "swap":
                other = data.draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
    survives(lambda: parse_hardware("\n".join(lines)))


def _replace_somewhere(node: Any, data: st.DataObject) -> Any:
    """`node` with one value, key or entry below it changed."""
    if isinstance(node, dict) and node and data.draw(st.integers(0, 5)):
        key = data.draw(st.sampled_from(list(node)))
        match data.draw(st.sampled_from(["below", "below", "below", "drop", "rename"])):
            case "below":
                return {**node, key: _replace_somewhere(node[key], data)}
            case "drop":
                return {k: v for k, v in node.items() if k != key}
            case "rename":
                name = data.draw(st.text(max_size=6) | snippets | st.just(key + "x"))
                return {name if k == key else k: v for k, v in node.items()}
    return data.draw(values)


@FUZZ
@given(st.sampled_from(RESOLVED), st.data())
def test_broken_values(machine: dict[str, Any], data: st.DataObject) -> None:
    broken = _replace_somewhere(json.loads(json.dumps(machine)), data)
    try:
        text = yaml.safe_dump(broken, sort_keys=False)
    except yaml.YAMLError:
        return
    survives(lambda: parse_hardware(text))


@FUZZ
@given(st.sampled_from(NAMES), st.data())
def test_broken_overrides(name: str, data: st.DataObject) -> None:
    found: Any = RESOLVED[NAMES.index(name)]
    found = {**found, **found["units"]}
    path = []
    while isinstance(found, dict) and found and data.draw(st.integers(0, 9)):
        key = data.draw(st.sampled_from(list(found)))
        path.append(key)
        found = found[key]
    if not data.draw(st.integers(0, 3)):
        path.append(data.draw(st.text(max_size=5) | snippets))
    override = ".".join(path) + data.draw(st.sampled_from(["=", "=", "=", ".=", "[0..1]=", ""]))
    override += data.draw(snippets | st.text(max_size=6) | st.integers(-9, 999).map(str))
    survives(lambda: load_hardware(name, [override]))
