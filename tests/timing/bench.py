"""One small machine whose times can be worked out by hand, and readers of what a run on it left."""

from __future__ import annotations

import numpy as np

from simulator import simulate
from simulator.engine.environment import Environment
from simulator.hardware import Hardware, parse_hardware
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from simulator.trace import StepSpikesBuilder, Trace
from tests.differential.machines import CORE_PRICES, MEMORY, PRICED

WIDE = 2**20
NEVER = 2**40
TEXT = f"""\
name: bench
description: one core on one clock; links and memories wide enough never to matter unless a test narrows them
price_set: none
main_clock: core
source: none
grade: assumed
clocks: {{core: 1_000_000_000, other: 1_000_000_000}}
units:
  host: {{type: host, clock: core, launch_cycles: 5, queue_depth: 8, launch_energy_pj: 1, {PRICED}}}
  dma: {{type: dma, clock: core, chunk_bytes: 65536, buffers: 1, setup_cycles: 3, link_latency_cycles: 2, far: dram,
        transfer_energy_pj_per_bit: 1, {PRICED}}}
  dram: {{type: dram, clock: core, capacity_bytes: 1048576, burst_bits: {WIDE}, burst_cycles: 4, latency_cycles: 7,
         background_mw: 1, {MEMORY}}}
  spike: {{type: sram, clock: core, capacity_bytes: 1048576, banks: 2, ports: 2, width_bits: 65536, latency_cycles: 1,
          cycle_cycles: 1, {MEMORY}}}
  "weight[0..1]": {{type: sram, clock: core, capacity_bytes: 1048576, banks: 1, ports: 1, width_bits: 65536,
                  latency_cycles: 1, cycle_cycles: 1, {MEMORY}}}
  "state[0..1]": {{type: sram, clock: core, capacity_bytes: 1048576, banks: 16, ports: 1, width_bits: 64,
                 latency_cycles: 1, cycle_cycles: 1, {MEMORY}}}
  "core[0..1]": {{type: cmos_core, clock: core, dataflow: scatter, weight_memory: "weight[{{i}}]",
                state_memory: "state[{{i}}]", spike_memory: spike, spike_bits: 16, spike_format: address,
                input_buffer_spikes: 1000, input_credits: 4, output_credits: 4, link_width_bits: 65536,
                link_latency_cycles: 2, {CORE_PRICES},
                scatter: {{lanes: 1, engines: 1, fifo_depth: 64, feed_cycles: 1, decode_cycles: 1, pipeline_cycles: 3,
                          bank_row_skew: 3, accumulate_cycles: 2, update_cycles: 1, output_fifo_depth: 64,
                          output_cycles: 1}}}}
"""


def machine(**fields: object) -> Hardware:
    """The bench with fields changed: `core__scatter__feed_cycles=2` sets that field of every unit called core[..]."""
    overrides = []
    for name, value in fields.items():
        unit, _, path = name.partition("__")
        unit = f"{unit}[0..1]" if unit in ("core", "weight", "state") else unit
        overrides.append(f"{unit}.{path.replace('__', '.')}={value}")
    return parse_hardware(TEXT, overrides, file="bench.yaml")


def network(kernel: int = 1, size: int = 1, channels: int = 1, threshold: int = NEVER) -> Network:
    """A 1 x size x size input and one convolution with padding, all weights 1; it fires at `threshold`."""
    neuron = Neuron(threshold=np.array([threshold], np.int64))
    weights = np.ones((channels, 1, kernel, kernel), np.int8)
    return Network(
        "bench",
        (Population("in", (1, size, size), Neuron("input")), Population("out", (channels, size, size), neuron)),
        (Projection("p", "in", "out", "conv", (kernel, kernel), padding=(kernel // 2, kernel // 2), weights=weights),),
    )


def trace(net: Network, *steps: list[int]) -> Trace:
    """One sample; each step lists the input neurons that fire."""
    builder = StepSpikesBuilder()
    builder.begin_sample()
    for step in steps:
        builder.add_step(np.array(step, np.uint32))
    return Trace("bench", net, "step", np.array([len(steps)], np.int64), {"in": builder.build()})


def run(
    hardware: Hardware,
    net: Network,
    *steps: list[int],
    engine: str = "kernel",
    cores: int = 1,
    environment: Environment | None = None,
    **wishes: int,
) -> Record:
    """Runs the steps on so many of the bench's cores, placed with `wishes`, with a timeline."""
    from simulator.mapping import place

    mapping = place(net, hardware, cores=[f"core[{i}]" for i in range(cores)], **wishes)  # type: ignore[arg-type]
    spikes = trace(net, *steps)
    return simulate(hardware, net, spikes, mapping, engine=engine, timeline=True, environment=environment)  # type: ignore[arg-type]


def span(record: Record) -> tuple[int, int]:
    """Start and end of the layer, in cycles of 1 ns."""
    start, end = record.layer_span[1].tolist()
    return start // 1000, end // 1000


def intervals(record: Record, unit: str, kind: str = "busy") -> list[tuple[int, int]]:
    """(start, end) of a unit's intervals of one kind, in its own cycles."""
    table = record.timeline
    assert table is not None
    mine = (table["unit"] == record.units.index(unit)) & (table["kind"] == record.kinds.index(kind))
    return list(zip(table["start"][mine].tolist(), (table["start"] + table["duration"])[mine].tolist(), strict=True))
