"""Closed form of row blocks on crossbars: what their vectors cost per timestep, for all layers of a bank at once."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from simulator.costmodel.tile_inputs import Inputs, Seen, Source
from simulator.costmodel.tile_rows import Place, alike, groups_of
from simulator.kernels import tile_blocks as kernel
from simulator.mapping.crossbar import CrossbarLayer
from simulator.mapping.crossbar.groups import group_cycles, mux_steps

POLICIES = {"static": kernel.STATIC, "static_skip": kernel.STATIC_SKIP, "pack": kernel.PACK}
SKIPS = {"none": kernel.NONE, "pe": kernel.PE, "array": kernel.ARRAY}


class Kind(NamedTuple):
    """Row blocks of one layer that cost the same: the numbers of its blocks, the first of its rows."""

    layer: int
    members: list[int]
    row: int
    places: int


class BlockTimes(NamedTuple):
    """Per row (a kind of block at a kind of position), float64 [rows, U].

    on: P(not skipped).  Of vectors that are not, cycles until the next may start: turns: while wordlines are driven and
    read;  spent: others;  and likewise until the result: result, settled.
    """

    on: np.ndarray
    turns: np.ndarray
    spent: np.ndarray
    result: np.ndarray
    settled: np.ndarray


class Blocks:
    """Row blocks of a bank: `add` layer by layer, `close`, then `price`."""

    def __init__(self, spec: Any, clock_hz: int, inputs: Inputs) -> None:
        self.spec, self.clock_hz, self.inputs = spec, clock_hz, inputs
        self.kinds: list[Kind] = []
        self.rows = 0
        self._tables: dict[str, list[Any]] = {name: [] for name in (*kernel.Kinds._fields, "time")}
        crossbar, timing = spec.crossbar, spec.timing
        ps = (timing.wordline_ps, timing.read_ps, timing.hold_ps, timing.mux_ps)
        line, self._read, self._hold, self._mux = (spec.cycles(value, clock_hz) for value in ps)
        self._line = line + (crossbar.select_cycles if crossbar.row_policy == "pack" else 0)
        self.integrates = spec.adc.kind == "integrate_steps"
        self._held = bool(crossbar.sample_hold) and not self.integrates

    def add(self, number: int, layer: CrossbarLayer, sources: list[Source], places: list[Place]) -> None:
        """Row blocks of a layer: its number, the inputs of its projections, its kinds of position."""
        for members in alike(self.spec, layer):
            block = layer.row_blocks[members[0]]
            part, source = layer.parts[block.part], sources[block.part]
            groups = groups_of(self.spec, part, block)
            limit = part.group_limit(self.spec.crossbar.rows_parallel)
            first = len(self._tables["of"])
            self._tables["kind"].append((source.some, *source.planes, self.rows, self.rows + len(places), first,
                                         first + len(groups.domain), limit))  # fmt: skip
            self._tables["of"] += groups.domain
            self._tables["arrays"] += groups.arrays
            for place in places:
                inside = place.inside[block.part]
                seen = [[(tap, n) for tap, n in runs if inside[tap]] for runs in groups.runs]
                found = [sum(n for _, n in runs) for runs in seen]
                domains: list[list[tuple[int, int]]] = [[] for _ in range(groups.domain[-1] + 1)]
                for domain, runs in zip(groups.domain, seen, strict=True):
                    domains[domain] += runs
                self._tables["weight"].append(place.many)
                self._tables["whole"].append(self._set(source, [run for runs in seen for run in runs]))
                self._tables["cell"].append(len(self._tables["inputs"]))
                self._tables["domain"].append(len(self._tables["domain_set"]))
                self._tables["group_set"] += [self._set(source, runs) for runs in seen]
                self._tables["inputs"] += found
                self._tables["domain_set"] += [self._set(source, runs) for runs in domains]
            self._tables["time"].append(self._times(layer, members[0]))
            self.kinds.append(Kind(number, members, self.rows, len(places)))
            self.rows += len(places)

    def _set(self, source: Source, runs: list[tuple[int, int]]) -> int:
        """The set of inputs of some runs (tap, inputs)."""
        return self.inputs.set_of(source, sum(n for _, n in runs), len({tap for tap, _ in runs}))

    def _times(self, layer: CrossbarLayer, number: int) -> tuple[float, ...]:
        """Of a vector: cycles of a turn without conversion, mux steps, other cycles, cycles of the first turn more."""
        spec, block = self.spec, layer.row_blocks[number]
        mux = max(mux_steps(spec, layer.columns_of(number, c)) for c in range(len(block.columns)))
        tree = (len(block.arrays) - 1).bit_length() * spec.timing.accumulate_cycles
        spent = spec.timing.shift_add_cycles + (tree if spec.crossbar.kernel_merge == "private" else 0)
        if self.integrates:
            part = layer.parts[block.part]
            return group_cycles(spec, self.clock_hz, part), 0, spent, 0
        if "fixed_pe_cycle" in spec.quirks:
            return 0, 0, int(spec.timing.pe_cycle_clocks) - spec.check_cycles, 0
        if self._held:
            read = self._line + self._read + self._hold
            convert = mux * (self._mux + spec.cycles(spec.convert_ps(), self.clock_hz))
            return max(read, convert), 0, spent, min(read, convert)
        return self._line + mux * (self._mux + self._read), mux, spent, 0

    def close(self) -> None:
        """All layers are added."""
        kinds = {"weight": np.float64, "inputs": np.float64, "arrays": np.float64}
        tables = {name: np.array(self._tables[name], kinds.get(name, np.int64)) for name in kernel.Kinds._fields}
        tables["kind"] = tables["kind"].reshape(-1, 8)
        self._kinds = kernel.Kinds(**tables)
        spec = self.spec
        skip = "pe" if "patch_events" in spec.quirks else spec.zero_skip
        at, more = _conversions(spec, self.clock_hz, int(tables["kind"][:, kernel.LIMIT].max(initial=0)))
        self._reading = kernel.Reading(
            POLICIES[spec.crossbar.row_policy], SKIPS[skip], spec.crossbar.kernel_merge == "private", at, more
        )
        of = np.repeat(np.arange(len(self.kinds)), [kind.places for kind in self.kinds])
        time = np.array(self._tables["time"], np.float64).reshape(-1, 4)
        self._kind_of_row = of
        self._turn, self._steps, self._spent, self._first = (time[of, i][:, None] for i in range(4))
        self.weight = self._kinds.weight
        cells = np.append(self._kinds.cell, len(self._kinds.inputs)) if self.rows else np.zeros(1, np.int64)
        self.inside = np.array([self._kinds.inputs[a:b].sum() for a, b in pairwise(cells.tolist())])
        self.whole, self.some = self._kinds.whole, self._kinds.kind[of, kernel.SOME]

    def price(self, seen: Seen) -> tuple[np.ndarray, BlockTimes]:
        """(float64 [kinds, FOUND, U]: see `kernels/tile_blocks.py`; times of vectors) per timestep."""
        steps = seen.size.shape[1]
        found = np.zeros((len(self.kinds), kernel.FOUND, steps))
        on, turns = np.zeros((self.rows, steps)), np.zeros((self.rows, steps))
        kernel.price_blocks(self._kinds, self._reading, seen.size, seen.off, seen.share, found, on, turns)
        groups = found[:, kernel.GROUPS] + found[:, kernel.IDLE]
        convert = found[:, kernel.CONVERT] / np.where(groups > 0, groups, 1)
        made = turns / np.where(on > 0, on, 1)
        spent = np.broadcast_to(self._spent + self.spec.check_cycles, on.shape)
        if self._held:
            taken = made * self._turn
            result = np.where(made > 0, (np.maximum(made, 1) - 1) * self._turn + self._turn + self._first, 0)
            return found, BlockTimes(on, taken, np.zeros_like(on), result, spent)
        taken = made * (self._turn + self._steps * convert[self._kind_of_row])
        return found, BlockTimes(on, taken, spent, taken, spent)


def _conversions(spec: Any, clock_hz: int, limit: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows on, cycles more): from so many rows on a conversion takes so many cycles more than with fewer.

    A converter that stops early resolves ceil(log2(n (2^cell_bits - 1) + 1)) bits, the bit length of the largest sum.
    """
    if not spec.adc.early_stop:
        return np.zeros(1, np.int64), np.array([spec.cycles(spec.convert_ps(), clock_hz)], np.int64)
    top = (1 << spec.crossbar.cell_bits) - 1
    cycles = [spec.cycles(spec.convert_ps(min(spec.adc.bits, (n * top).bit_length())), clock_hz)
              for n in range(limit + 1)]  # fmt: skip
    at = [0, *(n for n in range(1, limit + 1) if cycles[n] != cycles[n - 1])]
    more = [cycles[n] - (cycles[n - 1] if n else 0) for n in at]
    return np.array(at, np.int64), np.array(more, np.int64)
