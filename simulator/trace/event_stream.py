"""Event Stream (`.es`), type DVS.

"Event Stream", three version bytes, one type byte (1 = DVS), u16 width, u16 height; then one byte (time since the
event before << 1 | polarity), u16 x, u16 y per event, all little-endian.  A first byte of 255 stands alone and adds
127 us, 254 stands alone and marks a restart of the stream's bookkeeping.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.trace.events import CameraEvents, read_bytes

MAGIC = b"Event Stream"
HEADER_BYTES = 20
DVS = 1
OVERFLOW, RESET, OVERFLOW_US = 255, 254, 127
EVENT_BYTES = 5
WINDOW = 4096


def read_event_stream(path: str | Path) -> CameraEvents:
    """Events of an Event Stream file, type DVS; other types and broken streams are an InputError."""
    path = Path(path)
    data = read_bytes(path)
    if not data.startswith(MAGIC) or len(data) < HEADER_BYTES:
        raise InputError(
            "not an Event Stream file", file=path, allowed=f"{HEADER_BYTES} header bytes that start with {MAGIC!r}"
        )
    if data[12] != 2 or data[15] != DVS:
        raise InputError(
            "only version 2, type DVS is supported",
            file=path,
            found=f"version {data[12]}, type {data[15]}",
            allowed="version 2, type 1",
        )
    width, height = (int(v) for v in np.frombuffer(data, "<u2", 2, offset=16))
    body = np.frombuffer(data, np.uint8, offset=HEADER_BYTES)
    starts, waits = _event_starts(body, path)
    lead = body[starts]
    time = np.cumsum((lead >> 1).astype(np.int64)) + waits
    x = body[starts + 1].astype(np.uint16) | body[starts + 2].astype(np.uint16) << 8
    y = body[starts + 3].astype(np.uint16) | body[starts + 4].astype(np.uint16) << 8
    if starts.size and (int(x.max()) >= width or int(y.max()) >= height):
        raise InputError(
            "an event lies outside the sensor",
            file=path,
            found=(int(x.max()), int(y.max())),
            allowed=f"{width} x {height} pixels",
        )
    return CameraEvents(path, time, x, y, lead & 1, width, height)


def _event_starts(body: np.ndarray, path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Where each event begins (int64), and the us that overflow bytes before it add up to (int64).

    Between two single bytes lie events of five bytes, so whole runs are found at once; the window in which the end of
    a run is looked for grows with the run, so that the work stays in proportion to the file.
    """
    at, waited, window = 0, 0, WINDOW
    starts: list[np.ndarray] = []
    waits: list[np.ndarray] = []
    while at < body.size:
        lead = body[at : at + window * EVENT_BYTES : EVENT_BYTES]
        single = lead >= RESET
        events = int(single.argmax()) if single.any() else lead.size
        if events:
            if at + events * EVENT_BYTES > body.size:
                raise InputError("the last event is cut off", file=path, found=f"{body.size} bytes of events")
            starts.append(at + EVENT_BYTES * np.arange(events, dtype=np.int64))
            waits.append(np.full(events, waited, np.int64))
            at += events * EVENT_BYTES
        window = WINDOW if events < lead.size else min(window * 2, 2**20)
        run = body[at : at + window]
        singles = int((run < RESET).argmax()) if (run < RESET).any() else run.size
        waited += OVERFLOW_US * int((run[:singles] == OVERFLOW).sum())
        at += singles
    empty = np.empty(0, np.int64)
    return (np.concatenate(starts), np.concatenate(waits)) if starts else (empty, empty)
