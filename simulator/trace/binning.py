"""Events to timesteps.  Two conventions are in use and give different rasters, so each part of them is a choice."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from simulator.errors import InputError
from simulator.trace.spikes import Block

ROUNDINGS = ("round", "floor")
MULTIPLES = ("or", "sum")
ORIGINS = ("zero", "first")
MAX_BINNED_STEPS = 2**26


def bin_events(
    time_us: np.ndarray,
    index: np.ndarray,
    *,
    dt_us: Fraction | int,
    rounding: str,
    multiple: str,
    origin: str,
    steps: int | None,
) -> tuple[Block, int]:
    """Spikes of one sample by timestep, and how many events fell outside the steps and were dropped.

    time_us: int64 [N], in any order.  index: uint32 [N], flat neuron index.
    An event at time t belongs to step t / dt_us, rounded half to even ("round") or down ("floor"); t counts from 0
    ("zero") or from the first event of the sample ("first").  Several events of one neuron in a step make one spike
    ("or") or a spike with their number as value ("sum").  `steps` None takes as many steps as the last event needs.
    Within a step the indices rise.
    """
    for name, given, allowed in (
        ("rounding", rounding, ROUNDINGS),
        ("multiple", multiple, MULTIPLES),
        ("origin", origin, ORIGINS),
    ):
        if given not in allowed:
            raise InputError("unknown value", key=name, found=given, allowed=allowed)
    dt = Fraction(dt_us)
    if dt <= 0 or dt.denominator > 10**6 or dt.numerator > 10**15:
        raise InputError("out of range", key="dt_us", found=str(dt_us), allowed="above 0, at most six decimals")
    time = np.asarray(time_us, np.int64)
    if origin == "first" and time.size:
        time = time - time.min()
    if time.size and int(np.abs(time).max()) > 2**62 // dt.denominator:
        raise InputError("times are too large for this timestep", key="dt_us", found=int(np.abs(time).max()))
    step, rest = np.divmod(time * dt.denominator, dt.numerator)
    if rounding == "round":
        step += (2 * rest > dt.numerator) | ((2 * rest == dt.numerator) & (step & 1 == 1))
    if steps is None:
        steps = int(step.max()) + 1 if step.size else 0
        if steps > MAX_BINNED_STEPS:
            raise InputError(
                "too many timesteps",
                found=steps,
                allowed=f"at most {MAX_BINNED_STEPS}; choose origin = first or a longer dt",
            )
    inside = (step >= 0) & (step < steps)
    key = step[inside] << 32 | np.asarray(index, np.int64)[inside]
    key, counts = np.unique(key, return_counts=True)
    start = np.searchsorted(key, np.arange(steps + 1, dtype=np.int64) << 32)
    value = counts.astype(np.int32) if multiple == "sum" and (counts > 1).any() else None
    block = Block(start.astype(np.int64), (key & 0xFFFFFFFF).astype(np.uint32), value)
    return block, int(time.size - inside.sum())
