"""numpy files from strangers (`.npy`, `.npz`): sizes are checked before memory is taken, objects are refused."""

from __future__ import annotations

import tokenize
import warnings
import zipfile
import zlib
from math import prod
from pathlib import Path
from typing import IO

import numpy as np

from simulator.errors import InputError

MAX_BYTES = 2**30
"""Largest size of all arrays of a file together, unpacked."""
MAX_MEMBERS = 10_000
_KINDS = "biufSUV"
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    tokenize.TokenError,
    OSError,
    ValueError,
    EOFError,
    RuntimeError,
    KeyError,
    TypeError,
    SyntaxError,
    MemoryError,
)
"""What zipfile, zlib and numpy's header parser raise on broken bytes."""


def read_npz(path: str | Path) -> dict[str, np.ndarray]:
    """All arrays of an `.npz` file by key, in the file's order."""
    path = Path(path)
    arrays: dict[str, np.ndarray] = {}
    room = MAX_BYTES
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS:
                raise InputError("too many arrays", file=path, found=len(members), allowed=f"at most {MAX_MEMBERS}")
            for member in members:
                key = member.filename.removesuffix(".npy")
                if key == member.filename or key in arrays:
                    raise InputError("not an array, or one of two of that name", file=path, found=member.filename)
                with archive.open(member) as stream:
                    arrays[key] = _read(stream, path, key, min(room, member.file_size))
                room -= arrays[key].nbytes
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"not a sound .npz file ({error})", file=path) from None
    return arrays


def read_npy(path: str | Path) -> np.ndarray:
    """The array of an `.npy` file."""
    path = Path(path)
    try:
        with open(path, "rb") as stream:
            return _read(stream, path, path.stem, min(MAX_BYTES, path.stat().st_size))
    except InputError:
        raise
    except _BROKEN as error:
        raise InputError(f"not a sound .npy file ({error})", file=path) from None


def _read(stream: IO[bytes], path: Path, key: str, room: int) -> np.ndarray:
    """One array; its header must not claim more than `room` bytes."""
    version = np.lib.format.read_magic(stream)
    if version not in ((1, 0), (2, 0)):
        raise InputError("unknown version of the array format", file=path, key=key, found=version)
    header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy warns about headers of Python 2 while it tries to mend broken ones
        shape, fortran, dtype = header(stream)
    if dtype.hasobject or dtype.kind not in _KINDS:
        raise InputError("arrays of objects are refused", file=path, key=key, found=str(dtype))
    size = prod(shape) * dtype.itemsize
    if any(n < 0 for n in shape) or size > room:
        raise InputError(
            "claims more data than is allowed or there",
            file=path,
            key=key,
            found=f"{dtype} {shape}",
            allowed=f"at most {room} bytes",
        )
    data = stream.read(size)
    if len(data) != size:
        raise InputError("the data is cut off", file=path, key=key, found=f"{len(data)} of {size} bytes")
    array = np.frombuffer(data, dtype).reshape(shape, order="F" if fortran else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)
