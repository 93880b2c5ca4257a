"""Loads and stores of a Schedule: what each counts in the ledger, and its place among the timed transfers."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from simulator.costmodel.tally import Tally
from simulator.costmodel.transfers import Transfers
from simulator.errors import InputError


class Move(NamedTuple):
    """A load or store; unit, near and far are indices of units.

    terms: (stream, bits per event), so many bits in all.  how: the stream that counts once whenever the row runs.
    bits: its size where that is fixed, else -1, and then it ends anywhere after an entry of `entry` bits (0: a bit map,
    which mostly fills its words).
    """

    unit: int
    near: int
    far: int
    store: bool
    layer: int
    operand: str
    terms: list[tuple[int, float]]
    how: int
    bits: int = -1
    entry: int = 0


class Movement:
    """Books moves with a tally and adds them to the transfers; units are known by index."""

    def __init__(self, hardware: Any, units: tuple[str, ...], tally: Tally) -> None:
        self.units, self.tally = units, tally
        self.specs = [hardware.units[name] for name in units]
        self.clocks = dict(hardware.clocks)
        self.transfers = Transfers(self.clocks)
        self.moves: list[Move] = []

    def add(self, move: Move) -> int:
        """Place of the move's times among the transfers.  InputError where main memory has no closed form."""
        m, add = move, self.tally.add
        dma, near, far = (self.specs[i] for i in (m.unit, m.near, m.far))
        if far.type not in ("dram", "banked_dram"):
            raise InputError(
                "this main memory has no closed form", key=f"units.{self.units[m.far]}.type", found=far.type,
                allowed=["dram", "banked_dram"],
            )  # fmt: skip
        first, second = (m.near, m.far) if m.store else (m.far, m.near)
        via = None if dma.via is None else self.units.index(dma.via)
        for stream, bits in m.terms:
            for unit in (m.unit, *(() if via is None else (via,))):
                add(unit, m.layer, f"transfer:{m.operand}", stream, bits)
            add(first, m.layer, f"read:{m.operand}", stream, bits)
            add(second, m.layer, f"write:{m.operand}", stream, bits)
        channel = self.transfers.channel(far)
        chunk = dma.chunk_bytes * 8
        for place, word in ((m.far, channel.burst_bits), (m.near, near.width_bits)):
            add(place, m.layer, f"overfetch:{m.operand}", m.how, _spare(m, chunk, word))
        path = None if via is None else self.specs[via]
        place = self.transfers.add(dma, near, far, m.store, m.terms, path, (m.layer, m.operand))
        self.moves.append(m)
        return place


def _spare(move: Move, chunk: int, word: int) -> float:
    """Bits of words that the chunks of a move fill in part only."""
    if move.bits < 0:
        return (word - math.gcd(word, move.entry)) / 2 if move.entry else 0.0
    whole, rest = divmod(max(1, move.bits), chunk)
    return whole * (-chunk % word) + (-rest % word)
