"""A small machine as YAML text, for tests that break one line of it."""

from __future__ import annotations

import re

import pytest

from simulator.errors import InputError
from simulator.hardware import Hardware, parse_hardware

FILE = "chip.yaml"
TEXT = """\
name: chip
description: a machine for tests
price_set: none
main_clock: core
source: a book
grade: published
clocks:
  core: 100_000_000
  slow: 25e6
units:
  dram:
    type: dram
    clock: slow
    capacity_bytes: 1048576
    burst_bits: 512
    burst_cycles: 4
    latency_cycles: 30
    read_energy_pj_per_bit: 5
    write_energy_pj_per_bit: 6
    background_mw: 10
    leakage_mw: 0
    area_mm2: 0
  memory[0..2]:
    type: sram
    clock: core
    source: a table
    grade: derived
    capacity_bytes: 65536
    banks: 4
    ports: 1
    width_bits: 64
    latency_cycles: 1
    cycle_cycles: 1
    read_energy_pj_per_bit: 0.1
    write_energy_pj_per_bit: {value: 2e-1, grade: assumed}
    leakage_mw: 1.5
    area_mm2: {value: 0.2, source: a ruler, grade: measured}
  core:
    type: cmos_core
    clock: core
    dataflow: gather
    weight_memory: memory[0]
    state_memory: memory[1]
    spike_memory: memory[2]
    spike_bits: 16
    spike_format: address
    input_buffer_spikes: 64
    input_credits: 2
    output_credits: 2
    link_width_bits: 32
    link_latency_cycles: 1
    gather:
      unroll: {k: 8, c: 1, oy: 2, ox: 2}
      ops_per_pe_cycle: 3
      ops_per_synapse: 1
      gating: skip
      window_cycles: 1
      neuron_lanes: 4
      fill_cycles: 2
    accumulate_energy_pj: 0.5
    decode_energy_pj: 0
    update_energy_pj: 0
    normalise_energy_pj: 0
    fifo_energy_pj: 0
    link_energy_pj_per_bit: 0
    active_energy_pj: 0
    leakage_mw: 3
    area_mm2: 0
"""


def line_of(snippet: str, text: str = TEXT) -> int:
    """Line (from 1) of the only place where `snippet` stands."""
    assert text.count(snippet) == 1, snippet
    return text[: text.index(snippet)].count("\n") + 1


def changed(old: str, new: str, text: str = TEXT) -> str:
    """`text` with its only `old` replaced."""
    assert text.count(old) == 1, old
    return text.replace(old, new)


def machine(text: str = TEXT, *overrides: str) -> Hardware:
    return parse_hardware(text, overrides, file=FILE)


def refused(text: str, *parts: str, line: int | None, overrides: tuple[str, ...] = ()) -> InputError:
    """Asserts that `text` is refused in `line` with every part in the message, and returns the error."""
    with pytest.raises(InputError) as caught:
        machine(text, *overrides)
    message = str(caught.value)
    if line is not None:
        assert message.startswith(f"{FILE}:{line}: "), message
    for part in parts:
        assert part in message, f"{part!r} is not in {message!r}"
    assert not re.search(r"\n", message), message
    return caught.value
