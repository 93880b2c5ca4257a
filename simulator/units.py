"""Integer time and exact unit conversions.

Global time is int picoseconds.  A clock domain is an integer frequency f in Hz; its edge k lies at
ceil(k * 10**12 / f) ps, always computed from k and never as a sum of rounded periods.
"""

from __future__ import annotations

from fractions import Fraction

from simulator.errors import InputError

PS_PER_SECOND = 10**12


def ceil_div(a: int, b: int) -> int:
    """Smallest integer >= a / b for b > 0."""
    return -(-a // b)


def edge_ps(cycle: int, frequency_hz: int) -> int:
    """Picosecond at which edge `cycle` of a clock of `frequency_hz` lies."""
    return -(-cycle * PS_PER_SECOND // frequency_hz)


def edge_at_or_after(time_ps: int, frequency_hz: int) -> int:
    """First edge of the clock that lies at or after `time_ps`.

    edge k lies at ceil(k P / f) >= t  <=>  k P / f > t - 1  <=>  k > (t - 1) f / P.
    """
    return (time_ps - 1) * frequency_hz // PS_PER_SECOND + 1 if time_ps > 0 else 0


def cycles_from_ns(time_ns: float | str | Fraction, frequency_hz: int, rounding: str = "error") -> int:
    """Cycles of a clock that make up `time_ns`; `rounding` is "error", "up" or "nearest".

    The default refuses a time that is no whole number of cycles, so that nothing is rounded silently.
    """
    exact = Fraction(str(time_ns)) * frequency_hz / 10**9
    if exact.denominator == 1:
        return int(exact)
    if rounding == "up":
        return ceil_div(exact.numerator, exact.denominator)
    if rounding == "nearest":
        return round(exact)
    raise InputError(
        f"{time_ns} ns is no whole number of cycles at {frequency_hz} Hz ({float(exact):.6g} cycles)",
        allowed='a multiple of the period, or rounding "up" or "nearest"',
    )
