"""Loads and stores of a Schedule: what each counts in the ledger, and its place among the timed transfers."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.tally import Tally
from simulator.costmodel.transfers import Transfers
from simulator.errors import InputError
from simulator.units import PS_PER_SECOND


class Move(NamedTuple):
    """A load or store; unit, near and far are indices of units.

    terms: (stream, bits per event), so many bits in all.  how: the stream that counts once whenever the row runs.
    bits: its size where that is fixed, else -1, and then `spare` bits of a word are moved in vain at either end.
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
    spare: float = 0.0


class Movement:
    """Books moves with a tally and adds them to the transfers; units are known by index."""

    def __init__(self, hardware: Any, units: tuple[str, ...], tally: Tally) -> None:
        self.units, self.tally = units, tally
        self.specs = [hardware.units[name] for name in units]
        self._clocks = dict(hardware.clocks)
        self.transfers = Transfers(self._clocks)

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
        if far.type == "banked_dram":
            bursts = [(s, bits / channel.burst_bits) for s, bits in m.terms]
            bursts.append((m.how, _spare(m, chunk, channel.burst_bits) / channel.burst_bits))
            opened = self.transfers.opened[place]
            verb = "write_burst" if m.store else "read_burst"
            for stream, times in bursts:
                add(m.far, m.layer, f"{verb}:{m.operand}", stream, times)
                add(m.far, m.layer, f"row_hit:{m.operand}", stream, times)
            add(m.far, m.layer, f"row_hit:{m.operand}", m.how, -opened)
            add(m.far, m.layer, f"row_conflict:{m.operand}", m.how, opened)
            add(m.far, m.layer, f"activate:{m.operand}", m.how, opened)
        return place

    def background(self, counts: np.ndarray, end: float, busy: list[tuple[np.ndarray, np.ndarray]]) -> None:
        """Adds refreshes, active and idle cycles of main memories to counts [U, L, A] for a run that ends at `end` ps.

        busy: starts and completions of all transfers, ps, float64 [n] each.  A row stays open until the next refresh.
        """
        for unit, spec in enumerate(self.specs):
            if spec.type != "banked_dram":
                continue
            channel = self.transfers.channel(spec)
            ranks = spec.geometry.ranks * spec.geometry.channels
            ps = PS_PER_SECOND / self._clocks[spec.clock]
            active = _covered(busy, channel.interval, end)
            flat = counts.reshape(-1)
            for action, times in (
                ("refresh:rank", ranks * end / channel.interval if channel.interval else 0.0),
                ("active:rank", active / ps * spec.geometry.channels),
                ("idle:rank", (end * ranks - active * spec.geometry.channels) / ps),
            ):
                flat[self.tally.cell(unit, 0, action)] += times


def _covered(busy: list[tuple[np.ndarray, np.ndarray]], interval: float, end: float) -> float:
    """Time, ps, in which a row is open: from each transfer to the refresh after it, or to the end of the run."""
    if not busy:
        return 0.0
    start, done = (np.concatenate(parts) for parts in zip(*busy, strict=True))
    if not start.size:
        return 0.0
    closed = np.minimum(end, (np.floor(done / interval) + 1) * interval if interval else end)
    order = np.argsort(start)
    until = np.maximum.accumulate(closed[order])
    since = np.maximum(start[order], np.concatenate(([0.0], until[:-1])))
    found: float = float(np.maximum(0.0, until - since).sum())
    return found


def _spare(move: Move, chunk: int, word: int) -> float:
    """Bits of words that the chunks of a move fill in part only."""
    if move.bits < 0:
        return move.spare
    whole, rest = divmod(max(1, move.bits), chunk)
    return whole * (-chunk % word) + (-rest % word)
