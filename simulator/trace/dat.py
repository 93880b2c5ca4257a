"""Prophesee DAT (`.dat`): a "%" text header, one byte type, one byte event size (8), then little-endian events.

Event: u32 time in us, u32 with x in bits 0..13, y in 14..27, polarity in 28..31.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.trace.events import CameraEvents, header_size, percent_header, read_bytes

EVENT_BYTES = 8
EVENT_TYPES = (0, 12)
"""Types of change-detection events in older and newer files."""


def read_dat(path: str | Path) -> CameraEvents:
    """Events of a DAT file in file order; raises InputError where type, size or polarity are not those of events."""
    path = Path(path)
    data = read_bytes(path)
    fields, at = percent_header(data, path)
    if not fields or len(data) < at + 2:
        raise InputError("no DAT header", file=path, allowed='text lines that start with "%", then type and size')
    kind, size = data[at], data[at + 1]
    if kind not in EVENT_TYPES or size != EVENT_BYTES:
        raise InputError(
            "not a file of camera events",
            file=path,
            found=f"type {kind}, {size} bytes per event",
            allowed=f"type {EVENT_TYPES[0]} or {EVENT_TYPES[1]}, {EVENT_BYTES} bytes",
        )
    at += 2
    if (len(data) - at) % EVENT_BYTES:
        raise InputError("the data is no multiple of 8 bytes per event", file=path, found=f"{len(data) - at} bytes")
    words = np.frombuffer(data, "<u4", offset=at).reshape(-1, 2)
    address = words[:, 1]
    polarity = (address >> 28).astype(np.uint8)
    if polarity.size and int(polarity.max()) > 1:
        raise InputError("polarity must be 0 or 1", file=path, found=int(polarity.max()))
    width, height = header_size(fields, path)
    return CameraEvents(
        path,
        words[:, 0].astype(np.int64),
        (address & 0x3FFF).astype(np.uint16),
        (address >> 14 & 0x3FFF).astype(np.uint16),
        polarity,
        width,
        height,
    )
