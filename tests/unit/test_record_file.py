"""Record files: what is written is read back, bytes do not vary, and nothing half-written is left."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.record import Output, Record
from simulator.record_file import load_record, write_record
from simulator.record_summary import summary_json
from tests.unit.small_record import small_record


@pytest.mark.parametrize("timeline", [True, False])
def test_round_trip(tmp_path: Path, timeline: bool) -> None:
    record = small_record(timeline)
    found = load_record(write_record(record, tmp_path / "record.h5"))
    assert summary_json(found) == summary_json(record)
    assert found.hardware == record.hardware
    assert found.mapping_text == record.mapping_text
    for name in ("units", "layers", "actions", "kinds", "cycles", "work", "network", "trace", "mapping"):
        if name == "kinds" and not timeline:
            continue
        assert getattr(found, name) == getattr(record, name), name
    for name in ("counts", "layer_span", "layer_busy_ps", "sample_end_ps", "steps", "busy", "bin_cycles"):
        a, b = getattr(found, name), getattr(record, name)
        assert a.dtype == b.dtype and np.array_equal(a, b), name
    assert (found.timeline is None) == (not timeline)
    for column, values in (record.timeline or {}).items():
        assert found.timeline is not None
        assert found.timeline[column].dtype == values.dtype and np.array_equal(found.timeline[column], values)
    assert np.array_equal(found.outputs["fc"].step_start, record.outputs["fc"].step_start)
    assert np.array_equal(found.outputs["fc"].index, record.outputs["fc"].index)
    assert found.outputs["fc"].value is None
    assert np.array_equal(found.membranes["fc"], record.membranes["fc"])


def test_values_float_membranes_and_odd_names_survive(tmp_path: Path) -> None:
    record = small_record()
    spikes = Output(np.array([[0, 2]], np.int64), np.array([1, 2**32 - 1], np.uint32), np.array([-1, 3], np.int32))
    record = dataclasses.replace(record, outputs={"größer . ..": spikes}, membranes={"fc": np.array([0.1, -2.5])})
    found = load_record(write_record(record, tmp_path / "r.h5"))
    assert list(found.outputs) == ["größer . .."]
    assert np.array_equal(found.outputs["größer . .."].value, spikes.value)
    assert found.membranes["fc"].tolist() == [0.1, -2.5]


def test_equal_records_give_equal_bytes(tmp_path: Path) -> None:
    first, second = (write_record(small_record(), tmp_path / name).read_bytes() for name in ("a.h5", "b.h5"))
    assert hashlib.sha256(first).digest() == hashlib.sha256(second).digest()


def test_a_long_timeline_is_written_in_compressed_columns(tmp_path: Path) -> None:
    n = 200_000
    columns = {
        "start": np.arange(n, dtype=np.int64) * 3, "duration": np.full(n, 2, np.int64), "unit": np.zeros(n, np.uint16),
        "kind": np.zeros(n, np.uint8), "ref": np.ones(n, np.int32),
    }
    path = write_record(dataclasses.replace(small_record(), timeline=columns), tmp_path / "r.h5")
    with h5py.File(path) as file:
        start = file["timeline/start"]
        assert (start.chunks, start.shuffle, start.compression, start.compression_opts) == ((65536,), True, "gzip", 1)
    assert path.stat().st_size < 23 * n / 10
    found = load_record(path).timeline
    assert found is not None and np.array_equal(found["start"], columns["start"])


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    before = path.read_bytes()
    with pytest.raises(InputError, match="a name is too long"):
        write_record(dataclasses.replace(small_record(), kinds=("busy", "stall:" + "x" * 300)), path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["r.h5"]


def test_no_file_is_written_that_could_not_be_read(tmp_path: Path) -> None:
    # broadcast arrays take no memory; their size in a file would be 1.4 GB
    columns = small_record().timeline or {}
    endless = {name: np.broadcast_to(values[:1], 60_000_000) for name, values in columns.items()}
    with pytest.raises(InputError, match=r"too large for a file \(60000000 intervals\)"):
        write_record(dataclasses.replace(small_record(), timeline=endless), tmp_path / "r.h5")
    assert not list(tmp_path.iterdir())


def test_sizes_are_checked_before_memory_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    monkeypatch.setattr("simulator.record_read.MAX_TOTAL_BYTES", path.stat().st_size // 4)
    with pytest.raises(InputError, match=r"too large|fewer"):
        load_record(path)


def change_json(path: Path, **entries: object) -> None:
    """Replaces plain values ("work.spikes" style keys use two underscores for the dot)."""
    with h5py.File(path, "r+") as file:
        meta = json.loads(file["meta/json"][()].tobytes())
        for key, value in entries.items():
            node = meta
            *parents, last = key.split("__")
            for part in parents:
                node = node[part]
            node[last] = value
        del file["meta/json"]
        file["meta/json"] = np.frombuffer(json.dumps(meta).encode(), np.uint8)


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"schema": "neurocycle.record/9"}, r"/meta/json: schema.*found 'neurocycle.record/9'.*neurocycle.record/1"),
        ({"end_ps": -1}, r"/meta/json: end_ps.*found -1"),
        ({"end_ps": 2**63}, r"/meta/json: end_ps"),
        ({"seed": True}, r"/meta/json: seed"),
        ({"work": []}, r"/meta/json: work"),
        ({"work__input_spikes": None}, r"/meta/json: work.input_spikes"),
        ({"work__spikes__conv": "six"}, r"/meta/json: work.spikes.conv.*found 'six'"),
        ({"work__link_bits": {"dma": 3}}, r"work.link_bits.dma.*found 3"),
        ({"work__link_bits": {"dma": {"weight": {"sent": 1}}}}, r"work.link_bits.dma.weight.received"),
        ({"work__delivered_spikes": 99}, "the record contradicts itself: .*100 spikes were delivered or dropped"),
        ({"trace__samples": 3}, r"/steps/sample_end_ps.*found 'shape \(2,\)'"),
        ({"network__binary_layers": [{}]}, r"/meta/json: network.binary_layers"),
        ({"network__connection_sparsity": float("nan")}, r"/meta/json.*found 'NaN'.*finite"),
    ],
)
def test_wrong_plain_values_are_refused(tmp_path: Path, entries: dict[str, object], message: str) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    change_json(path, **entries)
    with pytest.raises(InputError, match=message):
        load_record(path)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("counts", np.zeros((7, 3, 2), np.int64), r"/counts.*shape \(7, 3, 2\)"),
        ("counts", np.zeros((7, 3), np.int64), r"/counts: wrong number of dimensions"),
        ("counts", np.zeros((7, 3, 2), np.float64), r"/counts: wrong data type"),
        ("units/cycles", np.full(7, -1, np.int64), r"/units/cycles.*found -1.*at least 0"),
        ("units/bin_cycles", np.zeros(7, np.int64), r"/units/bin_cycles.*found 0.*at least 1"),
        ("units/clock", np.array([b"warp"] * 7), r"/units/clock.*'warp'"),
        ("units/name", np.array([b"a"] * 7), r"/units/name.*the units of the hardware"),
        ("units/stall/unit", np.full(4, 7, np.int32), r"/units/stall/unit.*found 7"),
        ("layers/name", np.array([b"unattributed", b"x", b"x"]), r"/layers/name.*occurs twice"),
        ("layers/name", np.array([b"conv", b"x", b"y"]), r"/layers/name.*'unattributed' first"),
        ("layers/name", np.array([b"unattributed", b"\xff", b"y"]), r"/layers/name.*UTF-8"),
        ("timeline/unit", np.full(8, 7, np.uint16), r"/timeline/unit.*found 7.*below 7"),
        ("timeline/kind", np.full(8, 9, np.uint8), r"/timeline/kind.*found 9"),
        ("timeline/ref", np.full(8, -1, np.int32), r"/timeline/ref.*found -1"),
        ("timeline/duration", np.zeros(7, np.int64), r"/timeline/duration.*shape \(7,\)"),
        ("timeline/start", np.zeros(8, np.int32), r"/timeline/start.*found 'int32'"),
        ("outputs/spikes/0/step_start", np.array([[0, 9]], np.int64), r"/outputs/spikes/0/step_start.*out of order"),
        ("inputs/hwconfig", np.frombuffer(b"name: [", np.uint8), r"inputs/hwconfig"),
        ("busy", np.zeros((7, 4), np.int64), r"busy bins add up to 0"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path: Path, name: str, data: np.ndarray, message: str) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    with h5py.File(path, "r+") as file:
        del file[name]
        file[name] = data
    with pytest.raises(InputError, match=message):
        load_record(path)


def test_a_missing_object_a_link_and_a_lie_about_size_are_refused(tmp_path: Path) -> None:
    path = write_record(small_record(), tmp_path / "r.h5")
    with h5py.File(path, "r+") as file:
        del file["counts"]
    with pytest.raises(InputError, match="/counts: missing"):
        load_record(path)
    with h5py.File(path, "r+") as file:
        file["counts"] = h5py.ExternalLink("other.h5", "/counts")
    with pytest.raises(InputError, match="links to other places are refused"):
        load_record(path)
    with h5py.File(path, "r+") as file:
        del file["counts"]
        file.create_dataset("counts", (10**4, 10**4, 10**4), np.int64, chunks=(1, 1, 10**4))
    with pytest.raises(InputError, match="/counts: claims more data than the file holds"):
        load_record(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_record(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("spikes")
    with pytest.raises(InputError, match="not an HDF5 file"):
        load_record(tmp_path / "text.h5")
    with h5py.File(tmp_path / "trace.h5", "w") as file:
        file.attrs["schema"] = np.bytes_("neurocycle.trace/1")
    with pytest.raises(InputError, match=r"wrong schema.*neurocycle.trace/1.*neurocycle.record/1"):
        load_record(tmp_path / "trace.h5")


def test_a_loaded_record_can_be_repriced(tmp_path: Path) -> None:
    record: Record = load_record(write_record(small_record(), tmp_path / "r.h5"))
    assert summary_json(record.reprice(small_record().hardware)) == summary_json(small_record())
