"""Prophesee EVT 2.0 (`.raw`): a "%" text header, then little-endian 32-bit words.

Bits 28..31 are the type: 0 OFF and 1 ON events (time low 22..27, x 11..21, y 0..10), 8 the time's high 28 bits, 10 an
external trigger, 14 and 15 vendor data.  time = high << 6 | low, in us.  Events before the first high word have no
time and are left out.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.trace.events import CameraEvents, header_size, percent_header, read_bytes

TIME_HIGH = 8
KNOWN = (0, 1, TIME_HIGH, 10, 14, 15)


def read_evt2(path: str | Path) -> CameraEvents:
    """Events of an EVT 2.0 file in file order; other versions of EVT are refused by name."""
    path = Path(path)
    data = read_bytes(path)
    fields, at = percent_header(data, path)
    version = fields.get("evt") or fields.get("format", "").split(";")[0]
    if version and version.strip().upper() not in ("2.0", "EVT2", "2"):
        raise InputError("only EVT 2.0 is supported", file=path, found=version)
    if (len(data) - at) % 4:
        raise InputError(
            "the data is no multiple of 4 bytes", file=path, found=f"{len(data) - at} bytes after the header"
        )
    words = np.frombuffer(data, "<u4", offset=at)
    kind = words >> 28
    strange = ~np.isin(kind, KNOWN)
    if strange.any():
        raise InputError(
            "a word of unknown type: not EVT 2.0",
            file=path,
            found=int(kind[strange][0]),
            allowed=[str(k) for k in KNOWN],
        )
    # Position of the last high word at or before each word; -1 before the first.
    last_high = np.maximum.accumulate(np.where(kind == TIME_HIGH, np.arange(words.size), -1))
    event = (kind <= 1) & (last_high >= 0)
    chosen = words[event]
    time = (words[last_high[event]].astype(np.int64) & 0xFFFFFFF) << 6 | (chosen >> 22 & 0x3F)
    width, height = header_size(fields, path)
    return CameraEvents(
        path,
        time,
        (chosen >> 11 & 0x7FF).astype(np.uint16),
        (chosen & 0x7FF).astype(np.uint16),
        kind[event].astype(np.uint8),
        width,
        height,
    )
