"""How the wordlines of a row block are read: what shares converters, in which groups, in how many steps."""

from __future__ import annotations

from typing import Any

from simulator.mapping.crossbar.block import RowBlock
from simulator.mapping.crossbar.part import CrossbarPart
from simulator.units import ceil_div

Run = tuple[int, int, int]


def mux_steps(spec: Any, columns: int) -> int:
    """Mux steps to convert so many columns; under the quirk mux_steps_eq_adcs as many as a bank has converters."""
    return int(spec.bank_adcs if "mux_steps_eq_adcs" in spec.quirks else spec.crossbar.mux_steps(columns))


def domains_of(block: RowBlock, merged: bool) -> list[list[tuple[int, Run]]]:
    """Conversion domains of a block: (array, (tap, first channel, last channel)) of each run of wordlines.

    Arrays whose bit lines are joined (`merged`) are one domain, others one each.
    """
    arrays = [[(number, (s.tap, s.c0, s.c1)) for s in segments] for number, segments in enumerate(block.arrays)]
    return [[run for array in arrays for run in array]] if merged else arrays


def cut_groups(domain: list[tuple[int, Run]], limit: int) -> list[list[tuple[int, Run]]]:
    """Fixed groups: runs of `limit` inputs of a domain in wordline order."""
    groups: list[list[tuple[int, Run]]] = [[]]
    room = limit
    for array, (tap, low, high) in domain:
        while low < high:
            if room == 0:
                groups.append([])
                room = limit
            taken = min(room, high - low)
            groups[-1].append((array, (tap, low, low + taken)))
            low += taken
            room -= taken
    return groups


def drive_bits(part: CrossbarPart) -> int:
    """Magnitude bits of the inputs: planes, positive and negative ones together."""
    return len({bit for _, bit in part.planes})


def steps_of(spec: Any, bits: int) -> tuple[int, int, int]:
    """Integration steps I, conversion steps A and phases N of a converter that integrates inputs of `bits` bits.

    NeuRRAM as modelled in mit-emze/cimloop @d6e1390: phases p of (bits) if bits <= 3 or one-phase, else of
    (ceil(bits / 2), floor(bits / 2)); I = sum (2^p - 1), A = sum over phases of max(output bits - bits before, 0).
    """
    two = bits > 3 and spec.adc.phases == "two_phase"
    phases = (ceil_div(bits, 2), bits // 2) if two else (bits,)
    before = [sum(phases[:i]) for i in range(len(phases))]
    return sum((1 << p) - 1 for p in phases), sum(max(spec.adc.bits - b, 0) for b in before), len(phases)


def group_cycles(spec: Any, clock_hz: int, part: CrossbarPart) -> int:
    """Cycles of one group with a converter that integrates: I, A and N steps of `steps_of`, rounded up once."""
    integrate, convert, phases = steps_of(spec, drive_bits(part))
    steps = spec.adc.steps
    ps = steps.integrate_ps * integrate + steps.adc_ps * convert + steps.phase_ps * phases
    return int(spec.cycles(ps, clock_hz))
