"""Hypothesis strategies for chips of crossbar tiles with everything about them drawn at random, and whole cases."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

from simulator import load_hardware
from simulator.errors import InputError
from simulator.functional import complete_trace
from simulator.hardware import Hardware
from simulator.mapping import place
from simulator.network import Network, Neuron
from simulator.trace import MemorySpikes, Trace
from tests.differential.machines import MAX_OPERATIONS, Case
from tests.differential.networks import networks, traces

BASE = "cim_rram65"
LARGEST = 255
"""Largest spike count that wordlines are driven with: a byte."""
CHOICES = {
    "pes_per_tile": [1, 2, 3, 8],
    "arrays_per_pe": ["kernel", 9, 12],
    "tile_sharing": ["true", "false"],
    "arrangement": ["kernel", "im2col"],
    "pipeline": ["stream", "stream", "after"],
    "crossbar.columns": [9, 16, 40, 64],
    "crossbar.cell_bits": [1, 2, 4],
    "crossbar.signed": ["offset", "differential_columns", "differential_rows", "reference_column"],
    "crossbar.row_policy": ["static", "static_skip", "pack"],
    "crossbar.select_cycles": [0, 1, 3],
    "crossbar.conduct": ["selected", "all"],
    "crossbar.kernel_merge": ["analog", "mux", "private"],
    "crossbar.zero_skip": ["none", "pe", "array"],
    "crossbar.mux_ratio": [1, 3, 8],
    "timing.wordline_ps": [0, 1000, 4500],
    "timing.read_ps": [0, 2000, 9999],
    "timing.hold_ps": [0, 2000],
    "timing.mux_ps": [0, 3000],
    "timing.shift_add_cycles": [0, 1, 4],
    "timing.check_cycles": [0, 1, 2],
    "timing.accumulate_cycles": [0, 1, 2],
    "timing.lif_cycles": [1, 3],
    "digital.accumulate_lanes": [1, 3, 64],
    "digital.lif_lanes": [1, 2, 64],
    "digital.lif_mode": ["all", "touched"],
    "digital.membrane_bits": [16, 22],
    "digital.psum_bits": [8, 22],
    "buffer.port_bits": [1, 4, 64, 576],
    "buffer.line_buffer": ["true", "false"],
    "buffer.psum_depth": [1, 2, 5],
    "buffer.steps": [3, 4],
    "buffer.input_mode": ["bitmap", "event"],
    "buffer.address_bits": [4, 16],
    "buffer.zero_flags": ["true", "false"],
    "network.kind": ["htree", "bus", "mesh"],
    "network.link_bits": [1, 8, 128],
    "network.hop_cycles": [1, 2, 7],
    "network.input_port_bits": [1, 8, 64],
    "write.count": ["true", "false"],
    "write.parallel_cells": [1, 16],
}


@cache
def _loaded(overrides: tuple[str, ...]) -> Hardware:
    return load_hardware(BASE, overrides)


@st.composite
def chips(draw) -> tuple[str, ...]:
    """Overrides of the bundled chip; the first choice of each field is the simplest."""
    found = {key: draw(st.sampled_from(values)) for key, values in CHOICES.items()}
    rows = draw(st.sampled_from([8, 12, 64]))
    found["crossbar.rows"] = rows
    found["crossbar.rows_parallel"] = draw(st.sampled_from([2, 5, rows]))
    hold = draw(st.booleans())
    found["crossbar.sample_hold"] = str(hold).lower()
    found["crossbar.redrive_per_mux_step"] = "false" if hold else draw(st.sampled_from(["true", "false"]))
    found["adc.early_stop"] = "false" if hold else draw(st.sampled_from(["true", "false"]))
    launch = draw(st.integers(0, 3))
    texts = [f"cim.{key}={value}" for key, value in found.items()]
    return (*texts, f"host.launch_cycles={launch}", f"host.queue_depth={draw(st.integers(1, 4))}")


def driven(draw, network: Network, trace: Trace) -> tuple[Network, Trace]:
    """Inputs whose values wordlines can be driven with, and that say so: spikes, signed spikes or counts."""
    kinds = {name: draw(st.sampled_from(["binary", "binary", "signed", "multi"])) for name in network.inputs}
    populations = tuple(
        replace(p, neuron=Neuron("input", output=kinds[p.name])) if p.name in kinds else p for p in network.populations
    )
    found = {}
    for name, kind in kinds.items():
        spikes = trace.spikes(name)
        assert isinstance(spikes, MemorySpikes)
        value = np.ones(spikes.index.size, np.int32) if spikes.value is None else spikes.value
        fitting = {"binary": None, "signed": np.where(value < 0, -1, 1), "multi": np.maximum(1, np.abs(value))}[kind]
        found[name] = replace(spikes, value=None if fitting is None else fitting.astype(np.int32))
    network = replace(network, populations=populations)
    return network, replace(trace, network=network.topology(), populations=found)


@st.composite
def cim_cases(draw) -> Case:
    """A chip of tiles, a network with residual and recurrent projections, its inputs and a mapping by `place`."""
    overrides = draw(chips())
    network = draw(networks(True))
    network, trace = driven(draw, network, draw(traces(network)))
    duplication = draw(st.sampled_from(["none", "none", "balance"]))
    hardware = _loaded(overrides)
    try:
        mapping = place(network, hardware, duplication=duplication)
    except InputError:
        assume(False)
    full, counts, _ = complete_trace(network, trace)
    assume(sum(counts.synaptic_operations.values()) <= MAX_OPERATIONS)
    values = [full.spikes(name).value for name in full.populations]
    assume(all(np.abs(value).max(initial=0) <= LARGEST for value in values if value is not None))
    return Case("\n".join(overrides), hardware, network, trace, mapping)
