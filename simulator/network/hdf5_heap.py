"""Strings of variable length in HDF5 files, decoded here and not by the HDF5 library.

The library (seen in 2.0.0) walks a damaged heap for ever, takes 4 GB for one claimed string, and copies a heap object
into a buffer before it compares the sizes.  The layout is simple:

    reference   length (4 bytes), address of a collection (8), index of an object in it (4), all little-endian
    collection  "GCOL", version (1 byte), 3 reserved, size (8 bytes, all of it included)
    object      index (2 bytes), references (2), 4 reserved, size (8 bytes), data padded to 8 bytes
    free space  index 0; its size counts the object's 16 header bytes too
"""

from __future__ import annotations

import mmap
import struct
from pathlib import Path

from simulator.errors import InputError

SIGNATURE = b"GCOL"
HEADER = 16
REFERENCE = struct.Struct("<IQI")
MAX_TEXT_BYTES = 65536
MAX_STRINGS = 1_000_000


def read_strings(path: Path, offset: int, count: int, *, key: str) -> list[bytes]:
    """`count` strings whose references stand at byte `offset` of the file; anything unsound is an InputError."""
    if count > MAX_STRINGS:
        raise InputError("too many strings", file=path, key=key, found=count, allowed=f"at most {MAX_STRINGS}")
    heaps: dict[int, dict[int, bytes]] = {}
    found = []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        if not _plain_addresses(data):
            raise InputError("addresses of another size than 8 bytes are not supported", file=path)
        references = data[offset : offset + count * REFERENCE.size]
        if len(references) != count * REFERENCE.size:
            raise InputError("the strings lie outside the file", file=path, key=key)
        for length, address, index in REFERENCE.iter_unpack(references):
            if length == 0:
                found.append(b"")
                continue
            if address not in heaps:
                heaps[address] = _objects(data, address)
            text = heaps[address].get(index)
            if text is None or length > len(text):
                raise InputError("the file is damaged: a string cannot be found", file=path, key=key)
            found.append(text[:length].rstrip(b"\0"))
    return found


def attribute_texts(path: Path, name: str) -> list[bytes]:
    """Values of every attribute `name` of the file that is one string of variable length, in the order of the file.

    The library gives no place of an attribute's data, so attribute messages are found by their name:

        version 1   version, reserved, sizes of name, type and space (2 bytes each); then these three padded to 8; data
        version 3   version, flags, the same sizes, character set (1 byte); then these three unpadded; data
    """
    wanted = name.encode() + b"\0"
    found = []
    with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        at = data.find(wanted)
        while at >= 0:
            for version, before, unit in ((1, 8, 8), (3, 9, 1)):
                head = data[max(0, at - before) : at]
                if len(head) == before and head[0] == version and int.from_bytes(head[2:4], "little") == len(wanted):
                    sizes = struct.unpack("<3H", head[2:8])
                    found.append(at + sum(-(-size // unit) * unit for size in sizes))
            at = data.find(wanted, at + 1)
    return [text for offset in found for text in read_strings(path, offset, 1, key=f"attribute {name}")]


def _plain_addresses(data: mmap.mmap) -> bool:
    """True where addresses and lengths have 8 bytes and count from the start of the file."""
    version = data[8]
    if version in (0, 1):
        base = 24 if version == 0 else 28
        return data[13] == data[14] == 8 and data[base : base + 8] == bytes(8)
    return version in (2, 3) and data[9] == data[10] == 8 and data[12:20] == bytes(8)


def _objects(data: mmap.mmap, start: int) -> dict[int, bytes]:
    """Objects of the collection at `start` by index; empty where it cannot be walked to its end."""
    if start + HEADER > len(data) or data[start : start + 4] != SIGNATURE:
        return {}
    size = int.from_bytes(data[start + 8 : start + 16], "little")
    if size < HEADER or start + size > len(data):
        return {}
    objects: dict[int, bytes] = {}
    at, end = start + HEADER, start + size
    while at + HEADER <= end:
        index = int.from_bytes(data[at : at + 2], "little")
        claimed = int.from_bytes(data[at + 8 : at + 16], "little")
        step = claimed if index == 0 else HEADER + (claimed + 7 & ~7)
        if step < HEADER or at + step > end:
            return {}
        if index and claimed <= MAX_TEXT_BYTES:
            objects[index] = data[at + HEADER : at + HEADER + claimed]
        at += step
    return objects
