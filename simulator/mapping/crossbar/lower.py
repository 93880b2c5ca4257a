"""Lowering onto crossbars: one task per layer and sample, streaming from layer to layer or one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.mapping import schedule as s
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.mapping import Mapping
from simulator.mapping.schedule import Schedule
from simulator.network.network import Network

if TYPE_CHECKING:
    from simulator.hardware import Hardware


def lower_on_crossbars(mapping: Mapping, network: Network, hardware: Hardware) -> Schedule:
    """The schedule of a mapping on crossbars.

    Body: one COMPUTE per layer for all timesteps of a sample.  With `pipeline: stream` a layer's row names in `stream`
    the rows of its sources (a source that comes later, in a recurrent network, is left out: its spikes arrive with a
    delay); with `after` each row waits for the one before.  Prologue: where the unit counts writes, one PROGRAM per
    layer with the bits of all copies of its weights.
    """
    plan = check_crossbars(mapping, network, hardware)
    spec = hardware.units[plan.unit]
    unit = list(hardware.units).index(plan.unit)
    population = {p.name: i for i, p in enumerate(network.populations)}
    rows: list[tuple[int, ...]] = []
    after: list[list[int]] = []
    stream: list[list[int]] = []

    def row(op: int, number: int, name: str, operand: int, index: int, bits: int) -> int:
        c, h, _ = network.population(name).shape
        done = int(op == s.COMPUTE)
        rows.append((op, unit, number, operand, index, -1, -1, bits, 0, c, 0, h, 0, 1, done, done))
        after.append([])
        stream.append([])
        return len(rows) - 1

    programmed: dict[str, int] = {}
    if spec.write.count:  # type: ignore[attr-defined]
        for number, (name, layer) in enumerate(plan.layers.items(), start=1):
            if layer.weight_bits:
                programmed[name] = row(s.PROGRAM, number, name, s.WEIGHT, -1, layer.weight_bits)
    prologue = len(rows)
    computed: dict[str, int] = {}
    for number, (name, layer) in enumerate(plan.layers.items(), start=1):
        here = row(s.COMPUTE, number, name, s.PARTIAL_SUM, population[name], 0)
        if name in programmed:
            after[here].append(programmed[name])
        if spec.pipeline == "after":  # type: ignore[attr-defined]
            after[here] += list(computed.values())[-1:]
        else:
            sources = dict.fromkeys(part.projection.source for part in layer.parts)
            stream[here] = [computed[source] for source in sources if source in computed]
        computed[name] = here
    columns = np.array(rows, np.int64).reshape(-1, len(s.COLUMNS))
    return Schedule(
        **{name: columns[:, i] for i, name in enumerate(s.COLUMNS)},
        after_start=_starts(after),
        after=np.array([i for found in after for i in found], np.int32),
        prologue=prologue,
        repeat="sample",
        units=tuple(hardware.units),
        layers=("unattributed", *network.layers),
        populations=tuple(p.name for p in network.populations),
        stream_start=_starts(stream),
        stream=np.array([i for found in stream for i in found], np.int32),
    )


def _starts(lists: list[list[int]]) -> np.ndarray:
    return np.cumsum([0, *(len(found) for found in lists)]).astype(np.int64)
