"""Mapping files: a round trip loses nothing, and every mistake is named with its file, line and key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.mapping import CrossbarMapping, LayerMapping, dump_mapping, load_mapping, place
from simulator.mapping.file import MAX_BYTES, json_schema, parse_mapping
from tests.unit.mapping_bench import chain, chip, recurrent, residual
from tests.unit.schema_checker import complaints

TEXT = """\
schema: neurocycle.mapping/1
hardware: bench
network: chain
timesteps: all
inputs: {in: chip}
layers:
  c0:
    cores: [core]
    tile_channels: 8
    tile_rows: 6
"""


@pytest.mark.parametrize("make", [chain, residual, recurrent])
def test_round_trip(make: object, tmp_path: Path) -> None:
    network = make()  # type: ignore[operator]
    mapping = place(network, chip(2, weight=300))
    path = tmp_path / "m.yaml"
    text = dump_mapping(mapping, path)
    assert path.read_text() == text
    again = load_mapping(path)
    assert again == mapping and again.sha256 == mapping.sha256
    assert again.layer(mapping.layers[-1].layer) == mapping.layers[-1]


def test_awkward_names_survive() -> None:
    mapping = parse_mapping(TEXT, "m.yaml")
    entry = replace(mapping.layers[0], layer="1e3: x", cores=("~",))
    odd = replace(mapping, hardware="1", network="on", layers=(entry,))
    assert parse_mapping(dump_mapping(odd), "m.yaml") == odd


def test_defaults_and_hash() -> None:
    mapping = parse_mapping(TEXT, "m.yaml")
    entry = mapping.layers[0]
    assert (entry.input_parts, entry.weights, entry.weight_buffers, entry.state, entry.spikes) == (
        1,
        "resident",
        2,
        "core",
        "chip",
    )
    assert mapping.timesteps_hint == 8
    spelled = TEXT.replace("    tile_rows: 6\n", "    tile_rows: 6\n    spikes: chip\n") + "timesteps_hint: 8\n"
    assert parse_mapping(spelled, "m.yaml").sha256 == mapping.sha256
    assert parse_mapping(TEXT.replace("tile_rows: 6", "tile_rows: 3"), "m.yaml").sha256 != mapping.sha256


MISTAKES = [
    ("timesteps: all", "timesteps: al", "m.yaml:4: timesteps: not one of the choices; found 'al'; allowed: all, one"),
    ("timesteps: all", "timesteps: al", "; did you mean 'all'?"),
    ("tile_rows", "tile_row", "m.yaml:10: layers.c0.tile_row: unknown key; allowed: cores, "),
    ("tile_rows", "tile_row", "did you mean 'tile_rows'?"),
    (
        "tile_rows: 6",
        "tile_rows: 0",
        "m.yaml:10: layers.c0.tile_rows: must be an integer; found '0'; allowed: 1 .. 2^31",
    ),
    ("tile_rows: 6", "tile_rows: 6.5", "m.yaml:10: layers.c0.tile_rows: must be an integer; found '6.5'"),
    ("tile_rows: 6", "tile_rows: .nan", "m.yaml:10: layers.c0.tile_rows: must be an integer"),
    ("tile_rows: 6", "tile_rows: 99999999999", "m.yaml:10: layers.c0.tile_rows: must be an integer"),
    ("tile_rows: 6", "tile_rows: {}", "m.yaml:10: layers.c0.tile_rows: must be an integer; found 'keys and values'"),
    ("    tile_rows: 6\n", "", "m.yaml:8: layers.c0.tile_rows: the key is missing"),
    ("tile_rows: 6", "tile_channels: 6", "m.yaml:10: layers.c0.tile_channels: the key appears twice"),
    ("[core]", "core", "m.yaml:8: layers.c0.cores: a list of core names is expected here; found 'core'"),
    ("[core]", "[]", "m.yaml:8: layers.c0.cores: a list of core names"),
    ("[core]", "[a, a]", "m.yaml:8: layers.c0.cores[1]: a core is named twice; found 'a'"),
    ("[core]", "[[a]]", "m.yaml:8: layers.c0.cores[0]: a name is expected here; found 'a list'"),
    ("in: chip", "in: chips", "m.yaml:5: inputs.in: not one of the choices; found 'chips'; allowed: chip, dram"),
    ("{in: chip}", "[in]", "m.yaml:5: inputs: keys and values are expected here; found 'a list'"),
    ("{in: chip}", "{[in]: chip}", "m.yaml:5: inputs: a key must be a name; found 'a list'"),
    ("mapping/1", "mapping/2", "m.yaml:1: schema: unknown file version; found 'neurocycle.mapping/2'"),
    ("hardware: bench\n", "", "m.yaml:1: hardware: the key is missing"),
    ("{in: chip}", "&a {in: *a}", "m.yaml:5: anchors and aliases are not used for a mapping"),
    ("{in: chip}", "{in: chip", "m.yaml:6: not valid YAML"),
    ("6\n", "6\n    weight_buffers: 3\n", "m.yaml:11: layers.c0.weight_buffers: not one of the choices; found '3'"),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES)
def test_mistakes_are_named(old: str, new: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_mapping(TEXT.replace(old, new), "m.yaml")
    assert expected in str(caught.value)


TILES = """\
schema: neurocycle.mapping/1
hardware: bench
network: chain
timesteps: all
inputs: {}
layers:
  c0:
    unit: cim
    arrangement: kernel
    copies: 2
    first_pe: 0
"""

MISTAKES_ON_TILES = [
    (
        "kernel",
        "kernal",
        "m.yaml:9: layers.c0.arrangement: not one of the choices; found 'kernal'; allowed: kernel, im2col",
    ),
    ("kernel", "kernal", "did you mean 'kernel'?"),
    ("copies: 2", "copies: 0", "m.yaml:10: layers.c0.copies: must be an integer; found '0'; allowed: 1 .. 2^31"),
    (
        "first_pe: 0",
        "first_pe: -1",
        "m.yaml:11: layers.c0.first_pe: must be an integer; found '-1'; allowed: 0 .. 2^31",
    ),
    ("    first_pe: 0\n", "", "m.yaml:8: layers.c0.first_pe: the key is missing"),
    ("copies", "copy", "m.yaml:10: layers.c0.copy: unknown key; allowed: unit, arrangement, copies, first_pe"),
    ("unit: cim", "unit: [cim]", "m.yaml:8: layers.c0.unit: a name is expected here"),
    (
        "first_pe: 0\n",
        "first_pe: 0\n  c1: {cores: [core], tile_channels: 1, tile_rows: 1}\n",
        "m.yaml:12: layers.c1: cores and crossbars do not go together",
    ),
]


@pytest.mark.parametrize(("old", "new", "expected"), MISTAKES_ON_TILES)
def test_mistakes_on_crossbars_are_named(old: str, new: str, expected: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_mapping(TILES.replace(old, new), "m.yaml")
    assert expected in str(caught.value)


def test_layers_on_crossbars_survive_a_round_trip() -> None:
    mapping = parse_mapping(TILES, "m.yaml")
    (entry,) = mapping.on_crossbars
    assert entry == CrossbarMapping("c0", "cim", "kernel", 2, 0) and not mapping.on_cores
    assert parse_mapping(dump_mapping(mapping), "m.yaml") == mapping
    without = parse_mapping(TILES.replace("    copies: 2\n", ""), "m.yaml")
    assert without.on_crossbars[0].copies == 1 and without.sha256 != mapping.sha256
    with pytest.raises(InputError, match="unknown layer"):
        mapping.layer("c0")
    for field in ({"copies": 0}, {"copies": True}, {"first_pe": -1}, {"arrangement": "kern"}):
        with pytest.raises(InputError, match=r"layers\.c0"):
            replace(entry, **field)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="do not go together"):
        replace(mapping, layers=(entry, LayerMapping("c1", ("core",), 1, 1)))


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none\.yaml: the mapping cannot be read: No such file"):
        load_mapping(tmp_path / "none.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        load_mapping(tmp_path)
    binary = tmp_path / "b.yaml"
    binary.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(InputError, match="not UTF-8 text"):
        load_mapping(binary)
    with pytest.raises(InputError, match="the file is empty"):
        parse_mapping("# nothing\n", "m.yaml")
    with pytest.raises(InputError, match="nested too deeply"):
        parse_mapping("[" * 100_000, "m.yaml")
    huge = tmp_path / "huge.yaml"
    with huge.open("wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(InputError, match="too large for a mapping"):
        load_mapping(huge)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_mangled_files_raise_nothing_but_input_errors(data: st.DataObject) -> None:
    scraps = [":", "- ", "{", "]", "!!python/object:x ", "&a ", "*a", "\t", "?", "0x1f", "", "\u00e9", "\x00"]
    lines = data.draw(st.sampled_from([TEXT, TILES])).splitlines()
    for _ in range(data.draw(st.integers(1, 3))):
        i = data.draw(st.integers(0, len(lines) - 1))
        at = data.draw(st.integers(0, len(lines[i])))
        scrap = data.draw(st.sampled_from(scraps))
        lines[i] = lines[i][:at] + scrap + lines[i][at + data.draw(st.integers(0, 4)) :]
    try:
        parse_mapping("\n".join(lines), "m.yaml")
    except InputError as error:
        assert str(error).startswith("m.yaml")


def test_schema_lists_what_the_reader_takes() -> None:
    schema = json_schema()
    data = yaml.safe_load(dump_mapping(place(chain(), chip())))
    assert set(data) == set(schema["properties"]) - {"fusion"}  # only where layers are cut into nodes
    layer = schema["properties"]["layers"]["additionalProperties"]["anyOf"][0]
    assert set(data["layers"]["c0"]) == set(layer["properties"])
    assert set(layer["required"]) == {"cores", "tile_channels", "tile_rows"}
    on_tiles = schema["properties"]["layers"]["additionalProperties"]["anyOf"][1]
    entry = yaml.safe_load(dump_mapping(parse_mapping(TILES, "m.yaml")))["layers"]["c0"]
    assert set(entry) == set(on_tiles["properties"])
    assert not complaints(entry, on_tiles, schema) and complaints({**entry, "first_pe": -1}, on_tiles, schema)
    assert schema["properties"]["timesteps"]["enum"] == ["all", "one"]
