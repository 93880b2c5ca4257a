"""Programmed cells: target levels to conductances with variation, drift and stuck cells, and the noise of reading them.

Conductances leave here in *levels*: divided by the step between two levels, the current of g_min included.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from simulator.hardware.cim.device import READ_TIME_S, Device

CELLS, READS = 1, 2
"""First entry of the spawn key: what the random numbers are for."""


class Cells(NamedTuple):
    """conductance float64 in levels, and variance float64 of one read in levels^2, both of the levels' shape."""

    conductance: np.ndarray
    variance: np.ndarray


def generator(seed: int, *key: int) -> np.random.Generator:
    """PCG64 of a seed and a place (purpose, layer, ...): the order in which places are visited does not matter."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed, spawn_key=key)))


def off_levels(device: Device, cell_bits: int) -> float:
    """Current of a cell in its lowest level, in levels."""
    low, high = device.range_us
    return low / (high - low) * ((1 << cell_bits) - 1)


def program_cells(levels: np.ndarray, cell_bits: int, device: Device, rng: np.random.Generator) -> Cells:
    """Programs cells to `levels` (integers, any shape) and lets time pass.

    In this order: target; spread of programming, not below 0; drift, kept inside the device's range as in its source;
    stuck cells.  The same numbers are drawn whatever effects are on, so that one seed compares them on the same cells.
    """
    low, high = device.range_us
    step = (high - low) / ((1 << cell_bits) - 1)
    if device.ideal:
        return Cells(levels.astype(np.float64), np.zeros(levels.shape))
    target = low + levels * step
    programmed, drifted = rng.standard_normal(levels.shape), rng.standard_normal(levels.shape)
    fate = rng.random(levels.shape)
    spread = np.sqrt(device.spread(target) ** 2 + (device.sigma_levels * step) ** 2)
    g = np.maximum(target + spread * programmed, 0.0)
    model = device.physics
    if model.drifts and device.seconds is not None:
        log = np.log(device.seconds)
        a, b = model.drift_sigma
        g = np.clip(g + model.drift_mean * log + max(a + b * log, 0.0) * drifted, low, high)
    stuck_off, stuck_on = device.stuck_shares
    g[fate < stuck_off] = low
    g[fate >= 1.0 - stuck_on] = high
    return Cells(g / step, _read_variance(g, device) / step**2)


def _read_variance(g: np.ndarray, device: Device) -> np.ndarray:
    """Variance of one read, uS^2.  The logarithmic law holds above 1 uS (its logarithm would turn negative below)."""
    variance = (device.read_share * g) ** 2
    k = device.physics.read_log
    if k and device.seconds is not None:
        time = np.log((device.seconds + READ_TIME_S) / (2 * READ_TIME_S))
        variance = variance + (k * np.log10(np.maximum(g, 1.0))) ** 2 * max(float(time), 0.0)
    return variance
