"""The Record: what a run leaves behind.  Counts and times only; joules and tables are made from it afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from simulator.ledger import UNATTRIBUTED

if TYPE_CHECKING:
    from simulator.energy import Energy
    from simulator.hardware import Hardware


@dataclass(frozen=True)
class UnitTime:
    """What one unit did with its time, in cycles of its own clock: busy + idle + sum(stall) = cycles.

    `stall` maps a cause to the cycles in which the unit could not work because of it (first cause in declared order).
    `waits` maps a cause to cycles summed over the requesters inside the unit (engines at banks, the feeder at a full
    FIFO ...); they overlap with each other and with work, so they may exceed `cycles`.
    """

    clock: str
    cycles: int
    busy: int
    idle: int
    stall: Mapping[str, int] = field(default_factory=dict)
    waits: Mapping[str, int] = field(default_factory=dict)


class Track(NamedTuple):
    """A part of a unit with intervals of its own in a timeline, in cycles of the unit's clock.

    kind  "layer": the layer called `name`, while any of its parts works;  "tile": number `name` of a bank of tiles
    """

    unit: str
    kind: str
    name: str


@dataclass(frozen=True)
class Output:
    """Output spikes of one population.

    step_start: int64 [B, T + 1], offsets into `index`.  index: uint32 [N], channel-last.  value: int32 [N] or None.
    """

    step_start: np.ndarray
    index: np.ndarray
    value: np.ndarray | None = None


@dataclass(frozen=True, eq=False)
class Record:
    """Result of one run on one machine.  U units, L layers (row 0 is "unattributed"), A actions, B samples.

    hardware      resolved description; prices are taken from it when energy is asked for
    network       `network_facts(network)`: name, sha256, neurons, weights, ... (plain values)
    trace         name, sha256, samples (B), timesteps (of the longest sample), total_steps (sum over the samples)
    mapping       name, sha256, timesteps ("all" or "one");  mapping_text: the mapping as YAML
    engine        "kernel" or "reference";  activity: "spikes" or "dense";  seed: int
    units, layers, actions   names of the three axes of `counts`
    counts        int64 [U, L, A], see `simulator.ledger`
    cycles        unit -> UnitTime
    end_ps        end of the run, ps
    layer_span    int64 [L, 2], start and end of each layer in ps, -1 where it never ran
    layer_busy_ps int64 [L], ps in which at least one task of the layer ran
    sample_end_ps int64 [B], end of each sample, ps
    steps         int64 [n], end of each (sample, timestep) in ps where the machine knows it; may be empty
    work          input_spikes, spikes{layer: n}, synaptic_operations, dense_operations, neuron_updates, output_spikes,
                  saturations, synaptic_by_layer{layer: n}, dense_by_layer{layer: n};
                  for the invariants: sent_fanout_spikes, delivered_spikes, dropped_spikes,
                  link_bits{link: {operand: {sent, broadcast, received, overfetch}}};
                  for NeuroBench, where known: effective_macs, effective_acs (zero weights left out);
                  chips of crossbar tiles only:
                  tiles{unit: {busy_cycles: [n per tile], layers: [names per tile]}}: cycles in which a processing
                  element or the neurons of the tile worked, and the layers that live on it;
                  crossbar{layer: {rows_on_max: most active rows of one read, clip_possible: conversions that could
                  exceed the converter's range, whatever the weights}}, and where the weights ran on a `device`:
                  conversions, adc_clip_high (sums above full scale), adc_zero (codes 0), adc_code_max, adc_step
                  (levels per code), accumulator_overflow, lowest_code, codes_per_bin, codes: [conversions per bin]
    busy          int64 [U, bins], busy cycles per bin;  bin_cycles: int64 [U], width of a bin in the unit's own cycles
    timeline      None, or columns start int64, duration int64 (the unit's own cycles), unit uint16, kind uint8
                  (index into `kinds`), ref int32 (layer row, 0: none or several); one row per interval.  A `unit` from
                  U on is a track: U + n stands for `tracks[n]`
    tracks        parts of units in the timeline, see `Track`; a track adds nothing to any total
    kinds         names of the interval kinds: "busy", then "stall:<cause>"
    outputs       population -> Output
    membranes     population -> int64 or float64 array, final membranes of the last sample, channel-last
    built         unit -> what a mapping made it consist of (tiles, pes, arrays, ...), for units made for their network
    commands      unit -> int64 [n, 8], command schedule of a main memory with `keep_schedule`, channel after channel:
                  channel, cycle, command (a place in `dram_timing.COMMANDS`), rank, bank group, bank, row, column;
                  -1 where a command has none
    """

    hardware: Hardware
    network: Mapping[str, Any]
    trace: Mapping[str, Any]
    mapping: Mapping[str, Any]
    mapping_text: str
    engine: str
    activity: str
    seed: int
    units: tuple[str, ...]
    layers: tuple[str, ...]
    actions: tuple[str, ...]
    counts: np.ndarray
    cycles: Mapping[str, UnitTime]
    end_ps: int
    layer_span: np.ndarray
    layer_busy_ps: np.ndarray
    sample_end_ps: np.ndarray
    work: Mapping[str, Any]
    busy: np.ndarray
    bin_cycles: np.ndarray
    steps: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    timeline: Mapping[str, np.ndarray] | None = None
    kinds: tuple[str, ...] = ("busy",)
    tracks: tuple[Track, ...] = ()
    outputs: Mapping[str, Output] = field(default_factory=dict)
    membranes: Mapping[str, np.ndarray] = field(default_factory=dict)
    built: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    commands: Mapping[str, np.ndarray] = field(default_factory=dict)

    def summary(self) -> dict[str, Any]:
        """The summary object of schema "neurocycle.summary/1": plain Python values in a fixed key order."""
        from simulator.record_summary import summarise

        return summarise(self)

    @cached_property
    def energy(self) -> Energy:
        """Energy of the run by unit, action, layer and grade, in pJ."""
        from simulator.energy import energy_of

        return energy_of(self)

    def reprice(self, hardware: Hardware) -> Record:
        """The same run under the prices of `hardware`.

        Raises InputError, naming the field, where `hardware` differs in anything that could change timing.
        """
        from simulator.energy import check_same_timing

        check_same_timing(self.hardware, hardware)
        return replace(self, hardware=hardware)

    @property
    def samples(self) -> int:
        """Number of samples B."""
        return int(self.trace["samples"])

    @property
    def named_layers(self) -> tuple[str, ...]:
        """The layers without row 0."""
        return tuple(name for name in self.layers if name != UNATTRIBUTED)


TIMELINE_COLUMNS: dict[str, np.dtype[Any]] = {
    "start": np.dtype(np.int64),
    "duration": np.dtype(np.int64),
    "unit": np.dtype(np.uint16),
    "kind": np.dtype(np.uint8),
    "ref": np.dtype(np.int32),
}
"""Columns of a timeline and their types."""
