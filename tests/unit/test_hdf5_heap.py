"""Strings of variable length, decoded from the bytes of an HDF5 file."""

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network.hdf5 import HdfFile
from simulator.network.hdf5_heap import attribute_texts, read_strings

TEXTS = ["a", "", "input", "a longer one than eight bytes", "µs"]


def written(path, libver):
    with h5py.File(path, "w", libver=libver) as file:
        file.create_dataset("names", data=np.array(TEXTS, dtype=object), dtype=h5py.string_dtype())
        file["single"] = "word"
        for name in ("a", "b"):
            file[name] = np.arange(3.0)
            file[name].attrs["units"] = "ms"
        file["a"].attrs["fixed"] = np.bytes_("s")
        file["a"].attrs["number"] = 3
    return path


@pytest.mark.parametrize("libver", ["earliest", "v108", "latest"])
def test_strings_equal_those_of_the_library(tmp_path, libver):
    path = written(tmp_path / "x.h5", libver)
    with HdfFile(path) as file:
        assert [t.decode() for t in file.array("/names", "O", 1)] == TEXTS
        assert file.text("/single") == "word"
        assert file.dataset_attribute("/a", "units", "f", 1) == "ms"
        assert file.dataset_attribute("/a", "fixed", "f", 1) == "s"
        assert file.dataset_attribute("/a", "absent", "f", 1) is None
        with pytest.raises(InputError, match="expected one string"):
            file.dataset_attribute("/a", "number", "f", 1)
    assert attribute_texts(path, "units") == [b"ms", b"ms"]


def test_an_attribute_of_two_values_is_refused(tmp_path):
    path = written(tmp_path / "x.h5", "earliest")
    with h5py.File(path, "r+") as file:
        file["b"].attrs["units"] = "s"
    with HdfFile(path) as file, pytest.raises(InputError, match="several values"):
        file.dataset_attribute("/a", "units", "f", 1)


def offset_of(path, name):
    with h5py.File(path) as file:
        return file[name].id.get_offset()


@pytest.mark.parametrize(
    ("at", "value", "size", "message"),
    [
        (0, 2**32 - 1, 4, "cannot be found"),  # a length of 4 GiB
        (0, 17, 4, "cannot be found"),  # longer than its object
        (4, 2**63, 8, "cannot be found"),  # a heap outside the file
        (4, 0, 8, "cannot be found"),  # a heap that is none
        (12, 999, 4, "cannot be found"),  # no such object
    ],
)
def test_damaged_references_are_refused(tmp_path, at, value, size, message):
    path = written(tmp_path / "x.h5", "earliest")
    offset = offset_of(path, "single")
    data = bytearray(path.read_bytes())
    assert int.from_bytes(data[offset : offset + 4], "little") == 4
    data[offset + at : offset + at + size] = value.to_bytes(size, "little")
    path.write_bytes(data)
    with HdfFile(path) as file, pytest.raises(InputError, match=message):
        file.text("/single")


@pytest.mark.parametrize("claimed", [0, 2**64 - 1, 2**64 - 16, 10**6])
def test_heaps_that_cannot_be_walked_are_refused(tmp_path, claimed):
    """The HDF5 library itself never returns from some of these."""
    path = written(tmp_path / "x.h5", "earliest")
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    at, free = heap + 16, None
    while free is None:
        index, size = int.from_bytes(data[at : at + 2], "little"), int.from_bytes(data[at + 8 : at + 16], "little")
        free = at if index == 0 else None
        at += 16 + (size + 7 & ~7)
    data[free + 8 : free + 16] = claimed.to_bytes(8, "little")
    path.write_bytes(data)
    with HdfFile(path) as file, pytest.raises(InputError, match="cannot be found"):
        file.text("/single")


def test_strings_outside_the_file_and_chunked_ones_are_refused(tmp_path):
    path = written(tmp_path / "x.h5", "earliest")
    with pytest.raises(InputError, match="outside the file"):
        read_strings(path, path.stat().st_size - 8, 1, key="x")
    with pytest.raises(InputError, match="too many strings"):
        read_strings(path, 0, 10**9, key="x")
    with h5py.File(path, "r+") as file:
        file.create_dataset("chunked", data=np.array(TEXTS, dtype=object), dtype=h5py.string_dtype(), chunks=(2,))
    with HdfFile(path) as file, pytest.raises(InputError, match="in one piece"):
        file.array("/chunked", "O", 1)
