"""Camera recordings: bytes written here by the formats' definitions, read back field by field."""

import struct

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.trace.dat import read_dat
from simulator.trace.event_stream import read_event_stream
from simulator.trace.events import CameraEvents, UnitEvents
from simulator.trace.evt2 import read_evt2
from simulator.trace.nmnist import read_nmnist, write_nmnist
from simulator.trace.nmnist_set import list_recordings

EVENTS = [(654, 3, 5, 1), (660, 33, 0, 0), (660, 0, 33, 1), (2**23 - 1, 17, 18, 0)]


def rows(events):
    return list(zip(events.time.tolist(), events.x.tolist(), events.y.tolist(), events.polarity.tolist(), strict=True))


def nmnist_bytes(events):
    return b"".join(bytes([x, y]) + (p << 23 | t).to_bytes(3, "big") for t, x, y, p in events)


def test_nmnist(tmp_path):
    path = tmp_path / "a.bs2"
    path.write_bytes(nmnist_bytes(EVENTS))
    events = read_nmnist(path)
    assert rows(events) == EVENTS and (events.width, events.height) == (34, 34)
    assert events.time.dtype == np.int64 and events.x.dtype == np.uint16 and events.polarity.dtype == np.uint8
    write_nmnist(events, tmp_path / "b.bin")
    assert (tmp_path / "b.bin").read_bytes() == path.read_bytes()
    (tmp_path / "empty.bin").write_bytes(b"")
    assert read_nmnist(tmp_path / "empty.bin").time.size == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"1234567", "multiple of 5 bytes"),
        (bytes([1, 240, 0, 0, 0]), "overflow markers"),
        (bytes([34, 0, 0, 0, 0]), "outside the sensor"),
    ],
)
def test_nmnist_refusals(tmp_path, data, message):
    (tmp_path / "a.bin").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_nmnist(tmp_path / "a.bin")


def test_nmnist_writer_refuses_what_does_not_fit(tmp_path):
    late = CameraEvents(tmp_path, np.array([2**23]), *(np.array([0], np.uint16),) * 2, np.array([0], np.uint8))
    with pytest.raises(InputError, match="time does not fit"):
        write_nmnist(late, tmp_path / "a.bin")


def test_a_folder_with_a_table_of_labels(tmp_path):
    folder = tmp_path / "some"
    folder.mkdir()
    for name in ("10.bin", "2.bs2", "1.bin"):
        (folder / name).write_bytes(nmnist_bytes(EVENTS))
    (folder / "notes.txt").write_text("x")
    paths, labels = list_recordings(folder)
    assert [p.name for p in paths] == ["1.bin", "2.bs2", "10.bin"] and labels is None
    table = tmp_path / "labels_some.csv"
    table.write_text("id,file,label\n10,some/10.bin,7\n1,1.bin,0\n")
    paths, labels = list_recordings(folder)
    assert [p.name for p in paths] == ["10.bin", "1.bin"] and labels.tolist() == [7, 0]
    for text, message in (
        ("id,label\n1,2\n", "columns file and label"),
        ("file,label\n3.bin,1\n", "no such recording"),
        ("file,label\n1.bin,seven\n", "whole number"),
        ("file,label\n../../etc/passwd,1\n", "no such recording"),
        ("file,label\n", "lists no recordings"),
    ):
        table.write_text(text)
        with pytest.raises(InputError, match=message):
            list_recordings(folder)
    (tmp_path / "none").mkdir()
    with pytest.raises(InputError, match="no recordings"):
        list_recordings(tmp_path / "none")


def evt2_words(*words):
    return struct.pack(f"<{len(words)}I", *words)


def cd(kind, low, x, y):
    return kind << 28 | low << 22 | x << 11 | y


def test_evt2(tmp_path):
    words = evt2_words(
        cd(1, 5, 1, 1), 8 << 28 | 3, cd(1, 5, 639, 479), cd(0, 63, 2, 3), 10 << 28 | 77, 8 << 28 | 4, cd(0, 0, 7, 8)
    )
    expected = [(3 * 64 + 5, 639, 479, 1), (3 * 64 + 63, 2, 3, 0), (4 * 64, 7, 8, 0)]
    for header, size in (
        (b"% evt 2.0\n", (None, None)),
        (b"% format EVT2;width=640;height=480\n% end\n", (640, 480)),
        (b"% evt 2.0\n% geometry 640x480\n", (640, 480)),
        (b"", (None, None)),
    ):
        (tmp_path / "a.raw").write_bytes(header + words)
        events = read_evt2(tmp_path / "a.raw")
        assert rows(events) == expected and (events.width, events.height) == size


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"% evt 3.0\n" + evt2_words(0), r"only EVT 2\.0.*3\.0"),
        (b"% format EVT21;width=3\n", "EVT21"),
        (b"% evt 2.0\nabc", "multiple of 4"),
        (b"% evt 2.0\n" + evt2_words(5 << 28), "unknown type.*found 5"),
        (b"% evt 2.0", "header does not end"),
        (b"% width many\n% evt 2.0\n", "not a number of pixels"),
    ],
)
def test_evt2_refusals(tmp_path, data, message):
    (tmp_path / "a.raw").write_bytes(data)
    with pytest.raises(InputError, match=message):
        read_evt2(tmp_path / "a.raw")


def test_dat(tmp_path):
    events = [(0, 77, 41, 1), (99_952, 2**14 - 1, 5, 0)]
    body = b"".join(struct.pack("<II", t, p << 28 | y << 14 | x) for t, x, y, p in events)
    for header, kind, size in ((b"% Version 2\n", 0, None), (b"% Width 304\n% Height 240\n", 12, 304)):
        (tmp_path / "a.dat").write_bytes(header + bytes([kind, 8]) + body)
        found = read_dat(tmp_path / "a.dat")
        assert rows(found) == events and found.width == size
    for data, message in (
        (b"\x00\x08" + body, "no DAT header"),
        (b"% a\n\x00\x09" + body, "9 bytes per event"),
        (b"% a\n\x07\x08", "type 7"),
        (b"% a\n\x00\x08" + body[:-1], "multiple of 8"),
        (b"% a\n\x00\x08" + struct.pack("<II", 0, 2 << 28), "polarity must be 0 or 1"),
    ):
        (tmp_path / "a.dat").write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_dat(tmp_path / "a.dat")


def stream_bytes(events, width=320, height=240, version=2, kind=1):
    """Event Stream of sorted events, written one by one."""
    out = b"Event Stream" + bytes([version, 0, 0, kind]) + struct.pack("<HH", width, height)
    now = 0
    for t, x, y, p in events:
        while t - now >= 127:
            out, now = out + b"\xff", now + 127
        out, now = out + bytes([(t - now) << 1 | p]) + struct.pack("<HH", x, y), t
    return out


@pytest.mark.parametrize("seed", range(4))
def test_event_stream(tmp_path, seed):
    """Runs of events and of overflow bytes of many lengths."""
    rng = np.random.Generator(np.random.PCG64(seed))
    gaps = rng.choice([0, 1, 126, 127, 128, 5000, 10**6], 3000, p=[0.6, 0.2, 0.05, 0.05, 0.05, 0.045, 0.005])
    times = np.cumsum(gaps)
    events = [(int(t), int(rng.integers(320)), int(rng.integers(240)), int(rng.integers(2))) for t in times]
    (tmp_path / "a.es").write_bytes(stream_bytes(events))
    found = read_event_stream(tmp_path / "a.es")
    assert rows(found) == events and (found.width, found.height) == (320, 240)


def test_event_stream_marks_and_refusals(tmp_path):
    path = tmp_path / "a.es"
    path.write_bytes(stream_bytes([]) + b"\xfe\xff\xfe" + stream_bytes([(3, 1, 2, 1)])[20:] + b"\xff")
    assert rows(read_event_stream(path)) == [(130, 1, 2, 1)]
    path.write_bytes(stream_bytes([]))
    assert read_event_stream(path).time.size == 0
    good = stream_bytes([(3, 1, 2, 1), (4, 1, 2, 1)])
    for data, message in (
        (b"Event", "not an Event Stream"),
        (stream_bytes([], kind=2), "type DVS"),
        (stream_bytes([], version=3), "version 2"),
        (good[:-2], "cut off"),
        (stream_bytes([(0, 320, 2, 0)]), "outside the sensor"),
    ):
        path.write_bytes(data)
        with pytest.raises(InputError, match=message):
            read_event_stream(path)


def test_index_is_channel_last_and_polarity_is_named(tmp_path):
    (tmp_path / "a.bin").write_bytes(nmnist_bytes([(0, 3, 5, 1), (1, 3, 5, 0)]))
    events = read_nmnist(tmp_path / "a.bin")
    place = 5 * 34 + 3
    assert events.index_in((2, 34, 34), "off_on").tolist() == [2 * place + 1, 2 * place]
    assert events.index_in((2, 34, 34), "on_off").tolist() == [2 * place, 2 * place + 1]
    assert events.index_in((1, 34, 34), "merged").tolist() == [place, place]
    for shape, polarity, message in (
        ((1, 34, 34), "off_on", "polarity = off_on"),
        ((2, 34, 34), "merged", "polarity"),
        ((2, 35, 34), "off_on", "sensor's size"),
    ):
        with pytest.raises(InputError, match=message):
            events.index_in(shape, polarity)
    unsized = CameraEvents(events.path, events.time, events.x, events.y, events.polarity)
    with pytest.raises(InputError, match="outside the population"):
        unsized.index_in((2, 5, 34), "off_on")


def test_unit_numbers_count_in_c_order(tmp_path):
    units = UnitEvents(tmp_path, np.arange(12), np.arange(12))
    expected = np.arange(12).reshape(2, 3, 2).transpose(1, 2, 0).reshape(-1)
    assert np.array_equal(np.argsort(units.index_in((2, 3, 2), "")), expected)
    with pytest.raises(InputError, match="outside the population"):
        units.index_in((2, 3, 1), "")


def test_missing_files_are_input_errors(tmp_path):
    for read in (read_nmnist, read_evt2, read_dat, read_event_stream):
        with pytest.raises(InputError, match="cannot read the file"):
            read(tmp_path / "absent")
