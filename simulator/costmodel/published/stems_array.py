"""A chip as ZigZag and STEMS describe one: an array with unrolled loops, memories around it, a flat main memory.

Sources: ZigZag 3.9.1 (KULeuven-MICAS), STEMS (sjoks93/STEMS, commit 323e004).  A register per processing element costs
nothing, as in STEMS.  What the source does not know (pipelines, queues, row buffers, refresh, leakage) is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from simulator.costmodel.loopnest_types import DIRECTIONS, READS, LoopMachine, LoopMemory, Port
from simulator.hardware import Hardware
from simulator.units import PS_PER_SECOND

UNBOUND = 1 << 62
"""Bits per cycle of a register, which never makes anything wait."""


class Flat(NamedTuple):
    """A memory by its word: bits, ps per word, pJ per bit read and written."""

    bits: int
    ps: float
    read_pj: float
    write_pj: float


@dataclass(frozen=True)
class Array:
    """A computing unit with what feeds it.

    machine     memories by operand (O, W, I), see `LoopMachine`; prices are in `memories`
    lanes       steps of each loop that the array unrolls
    clock_ps    its cycle
    mac_pj      a synaptic operation
    memories    by name; `bits` is the least access that is paid for
    state       memory of the states V, with bits per cycle
    stays       True: V stays in registers for all timesteps of a node; False: it is read and written in each
    skips       what a missing spike saves: "none", "energy", "skip"
    """

    machine: LoopMachine
    lanes: dict[str, int]
    clock_ps: float
    mac_pj: float
    memories: dict[str, Flat]
    state: tuple[str, int]
    stays: bool
    skips: str


def array_of(spec: Any, hardware: Hardware) -> Array | None:
    """The array of a core or a PE array; None for any other unit."""
    if spec.type == "pe_array":
        lanes = spec.lanes
        own, first, far = spec.weight_memory, spec.input_memory, spec.global_memory
        levels = [("O", ""), ("W", ""), ("W", own), ("I", first), ("O", far), ("W", far), ("I", far)]
        least = {own: spec.access_bits, first: spec.access_bits}
        return _array(spec, hardware, {"K": lanes.k, "C": lanes.c, "OY": lanes.oy, "OX": lanes.ox}, levels, least,
                      float(spec.operation_energy_pj.value), (far, True, spec.gating))  # fmt: skip
    if spec.type != "cmos_core":
        return None
    weight, state, spike = spec.weight_memory, spec.state_memory, spec.spike_memory
    if spec.gather is not None:
        unroll = spec.gather.unroll
        lanes = {"K": unroll.k, "C": unroll.c, "OY": unroll.oy, "OX": unroll.ox}
        taps = max(1, spec.gather.ops_per_pe_cycle // spec.gather.ops_per_synapse)
        along = "FX" if unroll.ox == 1 else "C"
        lanes[along] = lanes.get(along, 1) * taps
        levels = [("O", ""), ("W", weight), ("I", spike), ("O", spike)]
        price = float(spec.accumulate_energy_pj.value) * spec.gather.ops_per_synapse
        return _array(spec, hardware, lanes, levels, {}, price, (state, False, spec.gather.gating))
    lanes = {"K": spec.scatter.lanes, "C": spec.scatter.engines}
    levels = [("W", weight), ("O", state), ("I", spike), ("O", spike)]
    price = float(spec.accumulate_energy_pj.value)
    return _array(spec, hardware, lanes, levels, {}, price, (state, False, "skip"))


def main_memory(spec: Any, hardware: Hardware) -> Flat:
    """A main memory with one price per bit: of a device with rows, bursts of whole rows, an activate for each."""
    clock = PS_PER_SECOND / hardware.clocks[spec.clock]
    if hasattr(spec, "burst_bits"):
        prices = spec.read_energy_pj_per_bit, spec.write_energy_pj_per_bit
        return Flat(spec.burst_bits, spec.burst_cycles * clock, *(float(p.value) for p in prices))
    geometry = spec.geometry
    bits = geometry.burst_bytes * 8
    shared = float(spec.activate_energy_pj.value) / geometry.columns
    bursts = spec.read_burst_energy_pj, spec.write_burst_energy_pj
    wires = spec.read_io_energy_pj_per_bit, spec.write_io_energy_pj_per_bit
    prices = tuple((float(b.value) + shared) / bits + float(w.value) for b, w in zip(bursts, wires, strict=True))
    return Flat(bits, spec.timing.burst_cycles * clock / geometry.channels, *prices)


def chip_memory(spec: Any, hardware: Hardware, least: int = 0) -> Flat:
    """An on-chip memory; `least` bits of an access instead of a whole word."""
    clock = PS_PER_SECOND / hardware.clocks[spec.clock]
    prices = spec.read_energy_pj_per_bit, spec.write_energy_pj_per_bit
    return Flat(least or spec.width_bits, spec.cycle_cycles * clock, *(float(p.value) for p in prices))


def _array(
    spec: Any, hardware: Hardware, lanes: dict[str, int], levels: list[tuple[str, str]], least: dict[str, int],
    mac_pj: float, state: tuple[str, bool, str],
) -> Array:  # fmt: skip
    """levels: (operand, memory) from the array outwards, "" for a register; state: memory of V, stays, skips."""
    clock = PS_PER_SECOND / hardware.clocks[spec.clock]
    served: dict[str, list[str]] = {}
    for operand, name in levels:
        key = name or f"register {operand}"
        served.setdefault(key, [])
        if operand not in served[key]:
            served[key].append(operand)
    memories, flats = [], {}
    for name, operands in served.items():
        if name.startswith("register "):
            memories.append(LoopMemory(name, tuple(operands), 1, True, 0.0, 0.0, _ports(UNBOUND, 0, operands)))
            flats[name] = Flat(1, 0.0, 0.0, 0.0)
            continue
        unit: Any = hardware.units[name]
        flats[name] = chip_memory(unit, hardware, least.get(name, 0))
        ports = _ports(_per_cycle(unit, hardware, clock), unit.ports, operands)
        memories.append(LoopMemory(name, tuple(operands), unit.capacity_bytes * 8, False, 0.0, 0.0, ports))
    home, stays, skips = state
    elements = 1
    for steps in lanes.values():
        elements *= steps
    flats.setdefault(home, chip_memory(hardware.units[home], hardware))
    return Array(LoopMachine(elements, mac_pj, tuple(memories)), lanes, clock, mac_pj, flats,
                 (home, _per_cycle(hardware.units[home], hardware, clock)), stays, skips)  # fmt: skip


def _per_cycle(unit: Any, hardware: Hardware, clock: float) -> int:
    """Bits of a memory per cycle of the array: all banks side by side."""
    cycles = clock * hardware.clocks[unit.clock] / PS_PER_SECOND / unit.cycle_cycles
    return max(1, int(unit.banks * unit.width_bits * cycles))


def _ports(bits: int, count: int, operands: list[str]) -> tuple[Port, ...]:
    """One port for all, one to read and one to write, or (0) one for each operand and direction."""
    links = [(operand, direction) for operand in operands for direction in DIRECTIONS]
    groups: dict[str, list[tuple[str, str]]] = {}
    for operand, direction in links:
        way = "read" if direction in READS else "write"
        name = (f"{operand} {direction}", "all", way)[min(count, 2)]
        groups.setdefault(name, []).append((operand, direction))
    return tuple(Port(name, bits, tuple(own)) for name, own in groups.items())
