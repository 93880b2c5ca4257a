"""Mutated record files: only an InputError comes out, or a record that still obeys every law."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.invariants import check_record
from simulator.record_file import load_record, write_record
from simulator.record_summary import summary_json
from tests.unit.small_record import small_record

SEEDS = range(60)


def attempt(path: Path) -> bool:
    """True when the file was refused; a file that is accepted must make a consistent record with a summary."""
    try:
        record = load_record(path)
    except InputError as error:
        assert str(path) in str(error)
        return True
    check_record(record)
    assert summary_json(record)
    return False


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_record(small_record(), tmp_path_factory.mktemp("record") / "r.h5").read_bytes()


def test_truncated_files_are_refused(tmp_path: Path, whole: bytes) -> None:
    rng = np.random.Generator(np.random.PCG64(1))
    path = tmp_path / "cut.h5"
    for length in [0, 1, 8, *rng.integers(9, len(whole), 20).tolist()]:
        path.write_bytes(whole[:length])
        assert attempt(path), length


@pytest.mark.parametrize("seed", SEEDS)
def test_replaced_objects_are_refused_or_consistent(tmp_path: Path, whole: bytes, seed: int) -> None:
    """One object is replaced by one of another type, shape or value, or removed."""
    rng = np.random.Generator(np.random.PCG64(seed))
    path = tmp_path / "changed.h5"
    path.write_bytes(whole)
    with h5py.File(path, "r+") as file:
        names: list[str] = []
        file.visititems(lambda name, node: names.append(name) if isinstance(node, h5py.Dataset) else None)
        name = sorted(names)[int(rng.integers(len(names)))]
        data = file[name][()]
        del file[name]
        change = int(rng.integers(6))
        if change == 0:
            file[name] = data[: max(0, data.shape[0] - 1)]
        elif change == 1:
            file[name] = data.astype(np.float64) if data.dtype.kind in "iu" else np.zeros(3)
        elif change == 2:
            file[name] = data[None]
        elif change == 3 and data.dtype.kind in "iu":
            flat = data.reshape(-1).copy()
            if flat.size:
                flat[int(rng.integers(flat.size))] = np.iinfo(flat.dtype).max
            file[name] = flat.reshape(data.shape)
        elif change == 4 and data.dtype.kind in "iu":
            file[name] = rng.integers(0, 256, data.shape).astype(data.dtype)
        elif change == 5:
            file.create_group(name)
    attempt(path)


@pytest.mark.parametrize("seed", SEEDS)
def test_flipped_bytes_of_plain_values_are_refused_or_consistent(tmp_path: Path, whole: bytes, seed: int) -> None:
    """Bytes inside the stored texts change; the HDF5 structure stays whole."""
    rng = np.random.Generator(np.random.PCG64(1000 + seed))
    path = tmp_path / "flipped.h5"
    path.write_bytes(whole)
    name = ("meta/json", "inputs/hwconfig")[seed % 2]
    with h5py.File(path, "r+") as file:
        data = file[name][()]
        for place in rng.integers(0, data.size, 3).tolist():
            data[place] = rng.integers(0, 256)
        file[name][...] = data
    attempt(path)
