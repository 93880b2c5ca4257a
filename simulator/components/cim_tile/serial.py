"""The schedule of the SpikeSim estimator in place of the flow (quirk overlap_75).

A layer starts when the one before has done 75 % of its vectors, the product truncated.  With fixed_pe_cycle and
latency_serial_cout, W = positions x outputs vectors of a fixed length c and T timesteps give
c T (sum over all layers but the last of int(0.75 W) + W of the last): `ela_spikesim.py` of SpikeSim at commit c2627bc.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.components.cim_tile.assembly import Member
from simulator.components.cim_tile.segment import Flow, joined
from simulator.mapping.crossbar.quirk import overlapped


def run(spec: Any, members: list[Member], steps: int, tiles: int) -> Flow:
    """Layers one behind the other, each from 75 % of the one before; a tile works as long as any layer on it."""
    span = np.array(overlapped([_work(spec, member, steps) for member in members]), np.int64).reshape(-1, 2)
    end = int(span[:, 1].max(initial=0))
    none = np.empty((0, 2), np.int64)
    on: list[list[tuple[int, int]]] = [[] for _ in range(tiles)]
    for member, (begin, finish) in zip(members, span.tolist(), strict=True):
        for tile in member.layer.tiles:
            on[tile].append((begin, finish))
    tracks = tuple(joined(intervals) for intervals in (*([(a, b)] for a, b in span.tolist()), *on))
    return Flow(
        end=end,
        span=span,
        active=span[:, 1] - span[:, 0],
        tiles=np.array([int((track[:, 1] - track[:, 0]).sum()) for track in tracks[len(members) :]], np.int64),
        waits=np.zeros((len(members), 6), np.int64),
        runs=(span[span[:, 1] > span[:, 0]], none, none, none, np.array([[0, end]], np.int64)),
        tracks=tracks,
    )


def _work(spec: Any, member: Member, steps: int) -> tuple[int, int]:
    """(vectors of one timestep, cycles of one vector in all timesteps); without a fixed length, the whole layer is one
    vector that takes the longest row block of each position."""
    outputs = member.layer.outputs if "latency_serial_cout" in spec.quirks else 1
    if "fixed_pe_cycle" in spec.quirks:
        return member.layer.positions * outputs, int(spec.timing.pe_cycle_clocks) * steps
    longest = member.vectors.occ.max(axis=2, initial=0)
    return int(longest.sum()) * outputs, 1
