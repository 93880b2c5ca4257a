"""numpy files: sizes before memory, no objects."""

import io
import zipfile

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network import npz
from simulator.network.npz import read_npy, read_npz


def array_bytes(array, **replace):
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=True)
    data = stream.getvalue()
    for old, new in replace.get("swap", ()):
        assert old in data
        data = data.replace(old, new)
    return data


def archive(path, members, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return path


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_round_trip(tmp_path, save):
    arrays = {
        "a": np.arange(6, dtype=">i4").reshape(2, 3),
        "b": np.asfortranarray(np.ones((3, 2))),
        "c": np.array("text"),
        "d": np.empty((0, 3)),
        "e": np.array(4),
    }
    save(tmp_path / "x.npz", **arrays)
    back = read_npz(tmp_path / "x.npz")
    assert list(back) == list(arrays)
    for key, array in arrays.items():
        assert np.array_equal(back[key], array) and back[key].shape == array.shape and back[key].dtype.isnative
    np.save(tmp_path / "x.npy", arrays["a"])
    assert np.array_equal(read_npy(tmp_path / "x.npy"), arrays["a"])


def test_objects_are_refused(tmp_path):
    objects = np.array([{"a": 1}], dtype=object)
    archive(tmp_path / "x.npz", [("a.npy", array_bytes(objects))])
    with pytest.raises(InputError, match="objects are refused"):
        read_npz(tmp_path / "x.npz")
    (tmp_path / "x.npy").write_bytes(array_bytes(objects))
    with pytest.raises(InputError, match="objects are refused"):
        read_npy(tmp_path / "x.npy")


def test_objects_inside_a_record_are_refused(tmp_path):
    records = np.array([(1, None)], dtype=[("t", "i8"), ("x", "O")])
    (tmp_path / "x.npy").write_bytes(array_bytes(records))
    with pytest.raises(InputError, match="objects are refused"):
        read_npy(tmp_path / "x.npy")


def test_claims_are_checked_before_memory_is_taken(tmp_path, monkeypatch):
    unclosed = array_bytes(np.zeros(10, np.int64), swap=[(b"(10,), }", b"(10,),  ")])
    huge = array_bytes(np.zeros(10, np.int64), swap=[(b"(10,), }           ", b"(1000000000000,), }")])
    for data in (unclosed, huge):
        (tmp_path / "x.npy").write_bytes(data)
        with pytest.raises(InputError, match=r"not a sound|claims more data"):
            read_npy(tmp_path / "x.npy")
        archive(tmp_path / "x.npz", [("a.npy", data)])
        with pytest.raises(InputError, match=r"not a sound|claims more data"):
            read_npz(tmp_path / "x.npz")
    monkeypatch.setattr(npz, "MAX_BYTES", 100)
    np.savez_compressed(tmp_path / "bomb.npz", a=np.zeros(200, np.int8))
    with pytest.raises(InputError, match="claims more data"):
        read_npz(tmp_path / "bomb.npz")
    np.savez_compressed(tmp_path / "two.npz", a=np.zeros(60, np.int8), b=np.zeros(60, np.int8))
    with pytest.raises(InputError, match="claims more data"):
        read_npz(tmp_path / "two.npz")


def test_broken_archives(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.arange(100))
    data = (tmp_path / "x.npz").read_bytes()
    for broken in (b"", b"PK", data[:200], data[:-30], data.replace(b"NUMPY", b"NOMPY")):
        (tmp_path / "x.npz").write_bytes(broken)
        with pytest.raises(InputError):
            read_npz(tmp_path / "x.npz")
    archive(tmp_path / "y.npz", [("readme.txt", b"hello")])
    with pytest.raises(InputError, match="not an array"):
        read_npz(tmp_path / "y.npz")
    np.save(tmp_path / "z.npy", np.arange(100))
    (tmp_path / "z.npy").write_bytes((tmp_path / "z.npy").read_bytes()[:-8])
    with pytest.raises(InputError, match="cut off"):
        read_npy(tmp_path / "z.npy")
    with pytest.raises(InputError):
        read_npz(tmp_path / "absent.npz")
