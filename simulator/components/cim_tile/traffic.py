"""Spikes as the ports of tiles see them: how many leave or enter per position, their bits, and the cycles they take.

A bit map holds the stored bits of every neuron of a position, an event list one address per spike (input_mode of the
buffer).  With zero flags the bit map of a position where nothing fired is neither written nor sent.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from simulator.network import Population


def events(
    work: Any, population: Population, grid: tuple[int, int], sample: int, t0: int, t1: int
) -> tuple[np.ndarray, int]:
    """(int64 [t1 - t0, positions] of neurons that send, spikes in total) of a population made on `grid` positions."""
    channels, height, width = population.shape
    positions = grid[0] * grid[1]
    found = np.zeros((t1 - t0, positions), np.int64)
    spikes = 0
    for t in range(t0, t1):
        index, value = work.spikes(population.name, sample, t)
        spikes += int(index.size if value is None else np.abs(value).sum())
        place = index.astype(np.int64) // channels
        at = place // width * grid[0] // height * grid[1] + place % width * grid[1] // width
        found[t - t0] = np.bincount(at, minlength=positions)
    return found, spikes


def bits(spec: Any, population: Population, outputs: int, sent: np.ndarray) -> np.ndarray:
    """int64 like `sent`: bits of the spikes of each position that has so many `outputs`."""
    if spec.buffer.input_mode == "event":
        return sent * int(spec.buffer.address_bits)
    full = outputs * population.neuron.stored_bits
    return np.where(sent > 0, full, 0) if spec.buffer.zero_flags else np.full_like(sent, full)


def port_cycles(spec: Any, sent: np.ndarray, moved: np.ndarray) -> np.ndarray:
    """Cycles on a tile's buffer port: one per spike, or per word of a bit map; at least one."""
    if spec.buffer.input_mode == "event":
        return np.maximum(sent, 1)
    return np.maximum(-(-moved // int(spec.buffer.port_bits)), 1)


def link_cycles(moved: np.ndarray, width: int) -> np.ndarray:
    """Cycles on a link of `width` bits: at least one, which tells that the position is complete."""
    return np.maximum(-(-moved // width), 1)
