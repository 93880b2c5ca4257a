"""Rules of a projection's vectors: policies as numbers, times in cycles of the unit's clock."""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.kernels.cim_vectors import ARRAY, NONE, PACK, PE, STATIC, STATIC_SKIP, Rules
from simulator.mapping.crossbar import CrossbarPart
from simulator.mapping.crossbar.groups import group_cycles

POLICIES = {"static": STATIC, "static_skip": STATIC_SKIP, "pack": PACK}
SKIPS = {"none": NONE, "pe": PE, "array": ARRAY}


def vector_rules(spec: Any, clock_hz: int, part: CrossbarPart) -> Rules:
    """How the vectors of a projection are driven and read on a unit that runs at `clock_hz` Hz."""
    crossbar, timing = spec.crossbar, spec.timing
    limit = part.group_limit(crossbar.rows_parallel)
    magnitude = spec.adc.bits - (crossbar.signed == "differential_rows")  # codes of pairs of rows have a sign
    select = crossbar.select_cycles if crossbar.row_policy == "pack" else 0
    skip = PE if "patch_events" in spec.quirks else SKIPS[spec.zero_skip]
    wordline, read, hold, mux = (
        spec.cycles(ps, clock_hz) for ps in (timing.wordline_ps, timing.read_ps, timing.hold_ps, timing.mux_ps)
    )
    adc = np.array([spec.cycles(spec.convert_ps(bits), clock_hz) for bits in _bits(spec, limit)], np.int64)
    if spec.adc.kind == "integrate_steps":
        wordline, read, hold, mux, adc = group_cycles(spec, clock_hz, part), 0, 0, 0, np.zeros_like(adc)
    return Rules(
        policy=POLICIES[crossbar.row_policy],
        skip=skip,
        limit=limit,
        side_by_side=crossbar.kernel_merge == "private",
        held=crossbar.sample_hold and spec.adc.kind != "integrate_steps",
        everything="no_activity" in spec.quirks,
        range_rows=((1 << magnitude) - 1) // ((1 << crossbar.cell_bits) - 1),
        check=spec.check_cycles,
        wordline=wordline + select,
        read=read,
        hold=hold,
        mux=mux,
        shift_add=timing.shift_add_cycles,
        adc=adc,
    )


def _bits(spec: Any, limit: int) -> list[int]:
    """Bits that a conversion resolves with 0 .. `limit` rows on: all, or as many as their sum can fill (early stop).

    ceil(log2(n (2^cell_bits - 1) + 1)) is the bit length of the largest sum.
    """
    if not spec.adc.early_stop:
        return [spec.adc.bits] * (limit + 1)
    top = (1 << spec.crossbar.cell_bits) - 1
    return [min(spec.adc.bits, (n * top).bit_length()) for n in range(limit + 1)]
