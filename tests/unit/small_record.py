"""A hand-made record of a small machine: every figure a test expects can be calculated from the constants below."""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from simulator.hardware import Hardware
from simulator.hardware.load import parse_hardware
from simulator.record import Output, Record, UnitTime

CORE_HZ, MEMORY_HZ = 500_000_000, 400_000_000
END_PS = 200_000  # 100 cycles of the core clock, 80 of the memory clock
UNITS = ("host", "dram", "dma", "weight", "state", "spikes", "core")
LAYERS = ("unattributed", "conv", "fc")
LANES, ENGINES = 4, 2


def description() -> dict[str, Any]:
    """The hardware file as plain values."""

    def constant(value: float, grade: str) -> dict[str, Any]:
        return {"value": value, "source": "made up for this test", "grade": grade}

    def base(kind: str, clock: str, leakage: float, area: float) -> dict[str, Any]:
        return {
            "type": kind,
            "clock": clock,
            "leakage_mw": constant(leakage, "derived"),
            "area_mm2": constant(area, "assumed"),
        }

    def sram(capacity: int, read: float, write: float) -> dict[str, Any]:
        return base("sram", "core", 0.5, 0.25) | {
            "capacity_bytes": capacity, "banks": 4, "ports": 1, "width_bits": 64,
            "latency_cycles": 1, "cycle_cycles": 1,
            "read_energy_pj_per_bit": constant(read, "measured"),
            "write_energy_pj_per_bit": constant(write, "measured"),
        }

    units: dict[str, Any] = {
        "host": base("host", "core", 0, 0) | {
            "launch_cycles": 2, "queue_depth": 4, "launch_energy_pj": constant(3.0, "assumed"),
        },
        "dram": base("dram", "memory", 0, 0) | {
            "capacity_bytes": 2**20, "burst_bits": 512, "burst_cycles": 4, "latency_cycles": 10, "queue_depth": 8,
            "read_energy_pj_per_bit": constant(4.0, "published"),
            "write_energy_pj_per_bit": constant(5.0, "published"),
            "background_mw": constant(7.0, "published"),
        },
        "dma": base("dma", "core", 0, 0.5) | {
            "chunk_bytes": 64, "buffers": 2, "setup_cycles": 1, "link_latency_cycles": 1, "far": "dram",
            "transfer_energy_pj_per_bit": constant(0.25, "assumed"),
        },
        "weight": sram(4096, 0.5, 0.75),
        "state": sram(4096, 0.5, 0.75),
        "spikes": sram(1024, 0.25, 0.5),
        "core": base("cmos_core", "core", 2.0, 1.5) | {
            "dataflow": "scatter",
            "scatter": {
                "lanes": LANES, "engines": ENGINES, "fifo_depth": 4, "feed_cycles": 1, "decode_cycles": 1,
                "pipeline_cycles": 2, "bank_row_skew": 1, "accumulate_cycles": 1, "update_cycles": 1,
                "output_fifo_depth": 4, "output_cycles": 1,
            },
            "weight_memory": "weight", "state_memory": "state", "spike_memory": "spikes",
            "spike_bits": 16, "spike_format": "address", "input_buffer_spikes": 8, "input_credits": 2,
            "output_credits": 2, "link_width_bits": 64, "link_latency_cycles": 1,
            "accumulate_energy_pj": constant(0.1, "assumed"),
            "decode_energy_pj": constant(0.5, "assumed"),
            "update_energy_pj": constant(0.2, "assumed"),
            "normalise_energy_pj": constant(0.3, "assumed"),
            "fifo_energy_pj": constant(0.05, "assumed"),
            "link_energy_pj_per_bit": constant(0.01, "assumed"),
            "active_energy_pj": constant(1.5, "assumed"),
        },
    }
    return {
        "name": "small", "description": "a machine for tests", "price_set": "test",
        "clocks": {"core": CORE_HZ, "memory": MEMORY_HZ},
        "main_clock": "core", "units": units,
    }


def hardware(change: dict[str, Any] | None = None) -> Hardware:
    """The machine; `change` maps "unit.field" (or a top-level key) to another value."""
    data = description()
    for path, value in (change or {}).items():
        node = data["units"] if "." in path else data
        *parents, last = path.split(".")
        for part in parents:
            node = node[part]
        node[last] = value
    return parse_hardware(yaml.safe_dump(data, sort_keys=False), file="small.yaml")


# (unit, layer, action): count.  Bits unless the action counts something else.
COUNTS = {
    ("host", "unattributed", "launch:task"): 4,
    ("dram", "conv", "read:weight"): 1024,
    ("dram", "conv", "overfetch:weight"): 512,
    ("dram", "fc", "read:weight"): 2048,
    ("dram", "fc", "write:spike"): 48,
    ("dma", "conv", "transfer:weight"): 1024,
    ("dma", "fc", "transfer:weight"): 2048,
    ("weight", "conv", "write:weight"): 1024,
    ("weight", "conv", "read:weight"): 3200,
    ("weight", "fc", "write:weight"): 2048,
    ("weight", "fc", "read:weight"): 800,
    ("state", "conv", "read:partial_sum"): 6400,
    ("state", "conv", "write:partial_sum"): 6400,
    ("spikes", "conv", "read:spike"): 320,
    ("spikes", "conv", "write:spike"): 96,
    ("core", "conv", "accumulate:partial_sum"): 400,
    ("core", "conv", "decode:spike"): 20,
    ("core", "conv", "update:state"): 64,
    ("core", "fc", "accumulate:partial_sum"): 60,
    ("core", "fc", "decode:spike"): 6,
    ("core", "fc", "update:state"): 20,
    ("core", "unattributed", "active:cycle"): 70,
}


def actions_of(machine: Hardware) -> tuple[str, ...]:
    """Union of the units' actions in file order."""
    return tuple(dict.fromkeys(a.name for spec in machine.units.values() for a in spec.ACTIONS))


def unit_times() -> dict[str, UnitTime]:
    """busy + stall + idle = 100 core cycles, 80 memory cycles."""
    quiet = {unit: UnitTime("core", 100, 10, 90) for unit in ("host", "weight", "state", "spikes")}
    return {
        **quiet,
        "dram": UnitTime("memory", 80, 32, 48),
        "dma": UnitTime("core", 100, 50, 20, {"dependency": 12, "memory": 18}),
        "core": UnitTime("core", 100, 70, 5, {"weight_load": 15, "dependency": 10}, {"bank": 33, "fifo": 120}),
    }


def small_record(timeline: bool = True, machine: Hardware | None = None) -> Record:
    """Two layers, two samples of three timesteps, on the machine above."""
    machine = machine or hardware()
    actions = actions_of(machine)
    counts = np.zeros((len(UNITS), len(LAYERS), len(actions)), np.int64)
    for (unit, layer, action), n in COUNTS.items():
        counts[UNITS.index(unit), LAYERS.index(layer), actions.index(action)] = n
    times = {unit: unit_times()[unit] for unit in UNITS}
    bins = np.zeros((len(UNITS), 4), np.int64)
    for u, unit in enumerate(UNITS):
        width = times[unit].cycles // 4
        for b in range(4):  # busy from cycle 0 on
            bins[u, b] = min(max(times[unit].busy - b * width, 0), width)
    columns = None
    if timeline:
        core, dma = UNITS.index("core"), UNITS.index("dma")
        rows = [  # start, duration, unit, kind, ref
            (0, 50, dma, 0, 1), (50, 12, dma, 1, 2), (62, 18, dma, 3, 2),
            (0, 15, core, 2, 1), (15, 45, core, 0, 1), (60, 10, core, 1, 2), (70, 25, core, 0, 2),
            (0, 32, UNITS.index("dram"), 0, 1),
        ]
        types = (np.int64, np.int64, np.uint16, np.uint8, np.int32)
        names = ("start", "duration", "unit", "kind", "ref")
        columns = {n: np.array([r[i] for r in rows], t) for i, (n, t) in enumerate(zip(names, types, strict=True))}
    return Record(
        hardware=machine,
        network={
            "name": "net", "sha256": "a" * 64, "weights": 390, "neurons": 42,
            "neurons_by_layer": {"conv": 32, "fc": 10},
            "footprint_bytes": 558, "synapses": 700,
            "zero_weights": 39, "connection_sparsity": 0.1, "binary_layers": ["fc"],
        },
        trace={"name": "trace", "sha256": "b" * 64, "samples": 2, "timesteps": 3, "total_steps": 6},
        mapping={"name": "automatic", "sha256": "c" * 64, "timesteps": "all"},
        mapping_text="hardware: small\nnetwork: net\n",
        engine="kernel",
        activity="spikes",
        seed=0,
        units=UNITS,
        layers=LAYERS,
        actions=actions,
        counts=counts,
        cycles=times,
        end_ps=END_PS,
        layer_span=np.array([[-1, -1], [0, 140_000], [120_000, 200_000]], np.int64),
        layer_busy_ps=np.array([0, 140_000, 70_000], np.int64),
        sample_end_ps=np.array([100_000, 200_000], np.int64),
        steps=np.array([30_000, 60_000, 100_000, 130_000, 160_000, 200_000], np.int64),
        work={
            "input_spikes": 20, "spikes": {"conv": 6, "fc": 3}, "synaptic_operations": 460, "dense_operations": 4600,
            "neuron_updates": 84, "output_spikes": 3, "saturations": 1,
            "synaptic_by_layer": {"conv": 400, "fc": 60}, "dense_by_layer": {"conv": 4000, "fc": 600},
            "sent_fanout_spikes": 26, "delivered_spikes": 25, "dropped_spikes": 1,
            "link_bits": {"dma": {"weight": {"sent": 3584, "broadcast": 0, "received": 3072, "overfetch": 512}}},
            "effective_macs": 390, "effective_acs": 54,
        },
        busy=bins,
        bin_cycles=np.array([t.cycles // 4 for t in times.values()], np.int64),
        timeline=columns,
        kinds=("busy", "stall:dependency", "stall:weight_load", "stall:memory"),
        outputs={"fc": Output(np.array([[0, 1, 1, 2], [2, 2, 3, 3]], np.int64), np.array([3, 7, 3], np.uint32))},
        membranes={"fc": np.arange(10, dtype=np.int64) - 5},
    )
