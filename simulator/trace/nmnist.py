"""N-MNIST recordings (`.bin`) and SLAYER's `.bs2`: the same bytes.

Five bytes per event, big-endian: x (8 bits), y (8), polarity (1, ON = 1), time in us (23).  The sensor has 34 x 34
pixels.  Files of the original N-Caltech101 mark an overflow of the time by an event with y = 240: refused by name.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from simulator.errors import InputError
from simulator.trace.events import CameraEvents, read_bytes

PIXELS = 34
OVERFLOW_Y = 240


def read_nmnist(path: str | Path) -> CameraEvents:
    """Events of one recording; raises InputError where the bytes cannot be N-MNIST."""
    path = Path(path)
    data = read_bytes(path)
    if len(data) % 5:
        raise InputError("the size is no multiple of 5 bytes per event", file=path, found=f"{len(data)} bytes")
    raw = np.frombuffer(data, np.uint8).reshape(-1, 5)
    x, y = raw[:, 0].astype(np.uint16), raw[:, 1].astype(np.uint16)
    if (y == OVERFLOW_Y).any():
        raise InputError("time overflow markers (y = 240) are not supported", file=path)
    if raw.size and (int(x.max()) >= PIXELS or int(y.max()) >= PIXELS):
        raise InputError(
            "an event lies outside the sensor",
            file=path,
            found=(int(x.max()), int(y.max())),
            allowed=f"{PIXELS} x {PIXELS} pixels",
        )
    high = raw[:, 2].astype(np.int64)
    time = (high & 0x7F) << 16 | raw[:, 3].astype(np.int64) << 8 | raw[:, 4]
    return CameraEvents(path, time, x, y, (high >> 7).astype(np.uint8), PIXELS, PIXELS)


def write_nmnist(events: CameraEvents, path: str | Path) -> None:
    """Writes events as N-MNIST bytes; what does not fit into the fields is an InputError."""
    limits = (
        ("x", events.x, PIXELS),
        ("y", events.y, PIXELS),
        ("time", events.time, 2**23),
        ("polarity", events.polarity, 2),
    )
    for name, values, limit in limits:
        if values.size and not 0 <= int(values.min()) <= int(values.max()) < limit:
            raise InputError(
                f"{name} does not fit the format", file=path, found=int(values.max()), allowed=f"0 .. {limit - 1}"
            )
    word = events.polarity.astype(np.int64) << 23 | events.time
    columns = [events.x, events.y, word >> 16, word >> 8 & 0xFF, word & 0xFF]
    Path(path).write_bytes(np.stack([c.astype(np.uint8) for c in columns], axis=1).tobytes())
