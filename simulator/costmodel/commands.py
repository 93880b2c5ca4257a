"""Commands of banked main memories in closed form: bursts, rows opened, refreshes, and background of the ranks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simulator.costmodel.bank_rows import HeldWrites, OpenRows, Pages
from simulator.costmodel.movement import Move, Movement
from simulator.units import PS_PER_SECOND

Region = tuple[int, str]
Times = tuple[np.ndarray, np.ndarray]
"""Start and completion of rows, ps, float64 [n] each."""
PHASES = 64
"""Repetitions of a part whose place between refreshes is followed one by one; more are like these."""


class Commands:
    """What the moves of a Schedule make main memories with banks do.

    touching: bool [moves], those that reach a bank, and not only the queues before it.
    """

    def __init__(self, movement: Movement, times: Times | None = None) -> None:
        """Books bursts and opened rows with the movement's tally, for all moves one after another as they start.

        times: of the moves; None: they start as they were added, and no refresh closes a row between them.
        """
        self._movement, self._tally = movement, movement.tally
        self._memories = {i: spec for i, spec in enumerate(movement.specs) if spec.type == "banked_dram"}
        self.touching = np.ones(len(movement.moves), np.bool_)
        for far, spec in self._memories.items():
            self._book(far, spec, times)

    @property
    def banked(self) -> bool:
        """True where a main memory has banks."""
        return bool(self._memories)

    def _book(self, far: int, spec: Any, times: Times | None) -> None:
        moves, channel = self._movement.moves, self._movement.transfers.channel(spec)
        rows, held = OpenRows(Pages(spec)), HeldWrites(spec.controller.drain_above)
        begun = ended = np.zeros(len(moves), np.int64)  # refreshes by then
        if times is not None and channel.interval:
            begun, ended = (np.floor(part / channel.interval).astype(np.int64) for part in times)
        past = 0
        for i in np.arange(len(moves)) if times is None else np.argsort(times[0], kind="stable"):
            move = moves[i]
            if move.far != far:
                continue
            if begun[i] > past:
                rows.close()
                past = int(begun[i])
            again = max(0, int(ended[i]) - past)  # the row under way is opened again
            issued = self._issued(move, held, channel.burst_bits)
            for (layer, operand), bursts in issued.items():
                opened = rows.access(layer, operand, bursts)[0] + again
                self._count(move, layer, operand, move.how, bursts, opened)
            self.touching[i] = move.bits < 0 or bool(issued)
            past += again

    def _issued(self, move: Move, held: HeldWrites, burst_bits: int) -> dict[Region, int]:
        """Bursts by (layer, operand) that a move makes the memory read or write now."""
        if move.bits < 0:  # as many as its streams say
            for stream, bits in move.terms:
                self._count(move, move.layer, move.operand, stream, bits / burst_bits, 0)
            return {}
        chunk = self._movement.specs[move.unit].chunk_bytes * 8
        whole, rest = divmod(max(1, move.bits), chunk)
        bursts = whole * -(-chunk // burst_bits) + -(-rest // burst_bits)
        region = move.layer, move.operand
        if move.store:
            return held.store(region, bursts)
        bursts -= held.load(region, bursts)
        return {region: bursts} if bursts else {}

    def _count(self, move: Move, layer: int, operand: str, stream: int, bursts: float, opened: int) -> None:
        verbs = {
            "write_burst" if move.store else "read_burst": bursts,
            "row_hit": bursts - opened,
            "row_conflict": opened,
            "activate": opened,
        }
        for verb, times in verbs.items():
            self._tally.add(move.far, layer, f"{verb}:{operand}", stream, times)

    def background(self, counts: np.ndarray, runs: Sequence[tuple[Times, float, float]]) -> None:
        """Adds refreshes, active and idle cycles to counts [U, L, A].

        runs: parts of the whole run, in order: times of the transfers in it that reach a bank, ps from its start; its
        length, ps; how often it comes.  A row stays open until the next refresh of its rank, the first one.
        """
        flat = counts.reshape(-1)
        end = sum(length * often for _, length, often in runs)
        for unit, spec in self._memories.items():
            channel = self._movement.transfers.channel(spec)
            interval, each = channel.interval, channel.interval / max(1, channel.refreshes)
            channels, ranks = spec.geometry.channels, spec.geometry.ranks * spec.geometry.channels
            ps = PS_PER_SECOND / self._movement.clocks[spec.clock]
            active, elapsed = 0.0, interval - each  # a rank's first refresh comes after its share of an interval
            for busy, length, often in runs:
                known = max(1, min(round(often), PHASES))
                for n in range(known):
                    phase = (elapsed + n * length) % interval if interval else 0.0
                    active += channels * _covered(busy, interval, length, phase) * often / known
                elapsed += often * length
            for action, times in (
                ("refresh:rank", channels * (end // each) if interval else 0.0),
                ("active:rank", active / ps),
                ("idle:rank", (end * ranks - active) / ps),
            ):
                flat[self._tally.cell(unit, 0, action)] += times


def _covered(busy: Times, interval: float, length: float, phase: float) -> float:
    """Time, ps, in which a row is open: from each transfer to the refresh after it, or to the end of the part.

    phase: time since a refresh at the start of the part.
    """
    start, done, end = busy[0] + phase, busy[1] + phase, length + phase
    if not start.size:
        return 0.0
    if not interval:
        return max(0.0, end - float(start.min()))
    begun, ended = ((part / interval).astype(np.int64) for part in (start, done))
    edges = np.arange(max(int(ended.max()), int(end / interval)) + 2) * interval
    first = edges[1:].copy()  # since when a row is open in each interval
    np.minimum.at(first, begun, start)
    through = np.bincount(begun + 1, minlength=edges.size) - np.bincount(ended + 1, minlength=edges.size)
    first = np.where(np.cumsum(through)[:-1] > 0, edges[:-1], first)
    found: float = float(np.maximum(0.0, np.minimum(edges[1:], end) - first).sum())
    return found
