"""Events as files hold them: times and addresses, not yet spikes of a population."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from simulator.errors import InputError

POLARITIES = ("off_on", "on_off", "merged")
MAX_FILE_BYTES = 2**29
"""Largest event file that is read whole (about 100 million events of five bytes)."""


@dataclass(frozen=True)
class CameraEvents:
    """Events of an event camera, in file order.

    time: int64 [N] in microseconds.  x, y: uint16 [N], y counted as the file counts it.  polarity: uint8 [N], 1 = ON.
    width, height: the sensor's pixels, or None where the file does not say.
    """

    path: Path
    time: np.ndarray
    x: np.ndarray
    y: np.ndarray
    polarity: np.ndarray
    width: int | None = None
    height: int | None = None

    def index_in(self, shape: tuple[int, int, int], polarity: str) -> np.ndarray:
        """uint32 [N]: flat channel-last index of each event in a population of `shape` (C, H, W).

        `polarity`: "off_on" puts OFF into channel 0 and ON into channel 1, "on_off" the other way round, "merged"
        puts both into the only channel.
        """
        channels, height, width = shape
        if channels != (1 if polarity == "merged" else 2):
            raise InputError(
                f"polarity = {polarity} does not fit the population's channels",
                file=self.path,
                found=channels,
                allowed="merged for 1 channel, off_on or on_off for 2",
            )
        if (self.width is not None and self.width != width) or (self.height is not None and self.height != height):
            raise InputError(
                "the sensor's size is not the population's",
                file=self.path,
                found=f"{self.width} x {self.height} pixels",
                allowed=[f"{width} x {height}"],
            )
        if self.time.size and (int(self.x.max()) >= width or int(self.y.max()) >= height):
            raise InputError(
                "an event lies outside the population",
                file=self.path,
                found=f"x up to {int(self.x.max())}, y up to {int(self.y.max())}",
                allowed=f"{width} x {height} pixels",
            )
        index = (self.y.astype(np.int64) * width + self.x) * channels
        if polarity != "merged":
            index += self.polarity if polarity == "off_on" else 1 - self.polarity.astype(np.int64)
        return index.astype(np.uint32)


@dataclass(frozen=True)
class UnitEvents:
    """Spikes of numbered neurons.  time: int64 [N] in microseconds.  unit: int64 [N], from 0."""

    path: Path
    time: np.ndarray
    unit: np.ndarray

    def index_in(self, shape: tuple[int, int, int], polarity: str) -> np.ndarray:
        """uint32 [N]: flat channel-last index; unit numbers count a population of `shape` in C, H, W order."""
        channels, height, width = shape
        if self.unit.size and not 0 <= int(self.unit.min()) <= int(self.unit.max()) < channels * height * width:
            raise InputError(
                "a neuron's number lies outside the population",
                file=self.path,
                found=int(self.unit.max()),
                allowed=f"0 .. {channels * height * width - 1}",
            )
        channel, place = np.divmod(self.unit, height * width)
        return (place * channels + channel).astype(np.uint32)


def read_bytes(path: Path) -> bytes:
    """The whole file, after a look at its size."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise InputError(
                "the event file is too large", file=path, found=f"{size} bytes", allowed=f"at most {MAX_FILE_BYTES}"
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read the file ({error.strerror})", file=path) from None


def percent_header(data: bytes, path: Path) -> tuple[dict[str, str], int]:
    """Lines "% key value" at the start of a camera file: {key in lower case: value}, and where the rest begins.

    The header may end without a mark, so a line counts only if a space (or the end of the line) follows its "%".
    """
    fields: dict[str, str] = {}
    at = 0
    while data[at : at + 1] == b"%" and data[at + 1 : at + 2] in (b" ", b"\n", b"\r"):
        end = data.find(b"\n", at)
        if end < 0 or end - at > 4096:
            raise InputError("the text header does not end", file=path)
        words = data[at + 1 : end].decode("latin-1").strip().split(None, 1)
        at = end + 1
        if words and words[0].lower() == "end":
            break
        if words:
            fields[words[0].lower()] = words[1] if len(words) > 1 else ""
    return fields, at


def header_size(fields: dict[str, str], path: Path) -> tuple[int | None, int | None]:
    """Width and height of a "%" header: `geometry 640x480`, `width 640` and `height 480`, or in the `format` line."""
    texts = {k: fields.get(k, "") for k in ("width", "height")}
    if "geometry" in fields:
        texts["width"], _, texts["height"] = fields["geometry"].lower().partition("x")
    for part in fields.get("format", "").split(";"):
        key, _, value = part.partition("=")
        if key.strip().lower() in texts:
            texts[key.strip().lower()] = value
    sizes = []
    for key, text in texts.items():
        if text.strip() and not (text.strip().isdecimal() and 0 < int(text.strip()[:9]) <= 65536):
            raise InputError(f"{key} of the sensor is not a number of pixels", file=path, found=text)
        sizes.append(int(text) if text.strip() else None)
    return sizes[0], sizes[1]
