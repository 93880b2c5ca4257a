"""Tracks of a timeline: layers and tiles of a bank, their times, how they are stored, what is refused on reading."""

from __future__ import annotations

import dataclasses
import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from simulator import load_hardware, place, simulate
from simulator.errors import InputError, InvariantError
from simulator.invariants import check_record
from simulator.network import load_network
from simulator.record import Record, Track
from simulator.record_file import load_record, write_record
from simulator.trace.synthetic import bernoulli_trace
from tests.unit.small_record import small_record


@pytest.fixture(scope="module", params=["cim_rram65", "cim_spikesim64", "cim_isaac32"])
def record(request: pytest.FixtureRequest) -> Record:
    net = load_network("digits")
    return simulate(load_hardware(request.param), net, bernoulli_trace(net, 2, 0.1, samples=2), timeline=True)


def rows_of(record: Record, number: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Start, end and layer of the intervals of row `number`."""
    table = record.timeline
    assert table is not None
    chosen = table["unit"] == number
    start = table["start"][chosen]
    return start, start + table["duration"][chosen], table["ref"][chosen]


def test_every_layer_and_tile_has_a_track(record: Record) -> None:
    tiles = record.built["cim"]["tiles"]
    wanted = [Track("cim", "layer", name) for name in record.named_layers]
    assert list(record.tracks) == wanted + [Track("cim", "tile", str(n)) for n in range(tiles)]


def test_tracks_hold_the_busy_cycles_of_layers_and_tiles(record: Record) -> None:
    """Layers: action active:cycle; tiles: work["tiles"]; all within the unit's own busy time, and covering it."""
    unit, active = record.units.index("cim"), record.actions.index("active:cycle")
    found = record.work["tiles"]["cim"]
    covered: dict[str, np.ndarray] = {}
    end_cycle = record.cycles["cim"].cycles
    for n, track in enumerate(record.tracks, start=len(record.units)):
        start, end, ref = rows_of(record, n)
        assert (start[1:] >= end[:-1]).all()
        covered.setdefault(track.kind, np.zeros(end_cycle + 1, np.int64))
        np.add.at(covered[track.kind], start, 1)
        np.add.at(covered[track.kind], end, -1)
        if track.kind == "layer":
            row = record.layers.index(track.name)
            assert int((end - start).sum()) == record.counts[unit, row, active] > 0
            assert (ref == row).all()
        else:
            names = found["layers"][int(track.name)]
            assert int((end - start).sum()) == found["busy_cycles"][int(track.name)]
            assert (ref == (record.layers.index(names[0]) if len(names) == 1 else 0)).all()
    for steps in covered.values():
        assert int((np.cumsum(steps) > 0).sum()) == record.cycles["cim"].busy


def test_tiles_name_the_layers_that_live_there(record: Record) -> None:
    found = record.work["tiles"]["cim"]
    assert len(found["busy_cycles"]) == len(found["layers"]) == record.built["cim"]["tiles"]
    assert {name for names in found["layers"] for name in names} == set(record.named_layers)
    summary = record.summary()["work"]
    assert summary["tiles"] == record.work["tiles"] and summary["crossbar"] == record.work["crossbar"]


def test_no_tile_works_longer_than_its_bank(record: Record) -> None:
    most = record.cycles["cim"].busy
    found = record.work["tiles"]["cim"]
    for busy in (most, most + 1, -1):
        tiles = {"cim": {**found, "busy_cycles": [*found["busy_cycles"][:-1], busy]}}
        changed = dataclasses.replace(record, work={**record.work, "tiles": tiles})
        if busy == most:
            check_record(changed)
        else:
            with pytest.raises(InvariantError, match=f"tile {len(found['layers']) - 1} worked for {busy} cycles"):
                check_record(changed)


def test_tracks_survive_the_file(record: Record, tmp_path: Path) -> None:
    found = load_record(write_record(record, tmp_path / "r.h5"))
    assert found.tracks == record.tracks and found.summary() == record.summary()
    assert found.timeline is not None and record.timeline is not None
    for column, values in record.timeline.items():
        np.testing.assert_array_equal(found.timeline[column], values)


def test_without_a_timeline_there_are_no_tracks_but_tiles_are_counted(record: Record) -> None:
    net = load_network("digits")
    trace = bernoulli_trace(net, 2, 0.1, samples=2)
    plain = simulate(record.hardware, net, trace)
    assert plain.tracks == () and plain.timeline is None
    assert plain.work == record.work and plain.summary() == record.summary()


def test_layers_that_run_one_after_another_have_tracks_that_do_not_overlap() -> None:
    net = load_network("digits")
    hardware = load_hardware("cim_rram65", ["cim.pipeline=after"])
    record = simulate(hardware, net, bernoulli_trace(net, 2, 0.1), place(net, hardware), timeline=True)
    spans = [rows_of(record, len(record.units) + n)[:2] for n in range(len(record.named_layers))]
    for (_, end), (start, _) in pairwise(spans):
        assert end.max() <= start.min()
    _, _, ref = rows_of(record, record.units.index("cim"))
    assert set(ref.tolist()) == set(range(1, len(record.layers))), "a segment of one layer wears its colour"


def test_records_of_other_chips_hold_neither(tmp_path: Path) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    with h5py.File(path) as file:
        assert "tracks" not in file["timeline"]
    found = load_record(path)
    assert found.tracks == () and not {"tiles", "crossbar"} & found.summary()["work"].keys()


@pytest.mark.parametrize("column,value,message", [
    ("unit", 99, "/timeline/tracks/unit"),
    ("kind", None, "/timeline/tracks/kind"),
])  # fmt: skip
def test_odd_tracks_are_refused(record: Record, tmp_path: Path, column: str, value: Any, message: str) -> None:
    path = write_record(record, tmp_path / "r.h5")
    with h5py.File(path, "r+") as file:
        group = file["timeline/tracks"]
        if value is None:
            names = group[column][:-1]
            del group[column]
            group[column] = names
        else:
            group[column][0] = value
    with pytest.raises(InputError, match=message):
        load_record(path)


def test_an_interval_of_no_track_is_refused(record: Record, tmp_path: Path) -> None:
    path = write_record(record, tmp_path / "r.h5")
    with h5py.File(path, "r+") as file:
        file["timeline/unit"][0] = len(record.units) + len(record.tracks)
    with pytest.raises(InputError, match="/timeline/unit"):
        load_record(path)


@pytest.mark.parametrize("key,value", [
    ("tiles", {"cim": {"busy_cycles": [1], "layers": []}}),
    ("tiles", {"cim": {"busy_cycles": [-1], "layers": [[]]}}),
    ("tiles", {"cim": {"busy_cycles": [1], "layers": ["conv1"]}}),
    ("tiles", {"cim": {"busy_cycles": [1], "layers": [[1]]}}),
    ("tiles", {"cim": []}),
    ("tiles", {"chip": {"busy_cycles": [1], "layers": [["conv1"]]}}),
    ("crossbar", {"conv1": 3}),
    ("crossbar", {"conv1": {"codes": [True]}}),
    ("crossbar", {"conv1": {"rows_on_max": "many"}}),
    ("crossbar", {"conv1": {"codes": [1, -1]}}),
    ("crossbar", {"conv1": {"codes": 1}}),
    ("crossbar", {"conv1": {"lowest_code": 1.5}}),
])  # fmt: skip
def test_odd_facts_about_tiles_are_refused(record: Record, tmp_path: Path, key: str, value: Any) -> None:
    path = write_record(record, tmp_path / "r.h5")
    with h5py.File(path, "r+") as file:
        meta = json.loads(bytes(file["meta/json"][...]))
        meta["work"][key] = value
        del file["meta/json"]
        file["meta/json"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)
    with pytest.raises(InputError, match=f"work.{key}"):
        load_record(path)
