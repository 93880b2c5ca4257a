"""Vectors of crossbar layers: kernel and closed forms against one wordline, group and mux step at a time."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from types import SimpleNamespace

import numpy as np
import pytest

from simulator import load_hardware
from simulator.components.cim_tile.vectors import LayerVectors
from tests.oracles.cim_vectors import Oracle
from tests.oracles.random_crossbar import crossbar_network, random_plan
from tests.oracles.random_network import pick

STEPS = 3


@cache
def unit(chip: str):
    """The tile of a bundled chip."""
    return load_hardware(chip).units["cim"]


def random_tile(rng):
    """A tile of random structure, policies and times, and its clock in Hz."""
    spec = unit(pick(rng, "cim_rram65", "cim_neurosim65", "cim_neurram130"))
    integrating = spec.adc.kind == "integrate_steps"
    held = not integrating and rng.random() < 0.3
    rows = pick(rng, 8, 16, 64)
    merge = pick(rng, "analog", "mux", "private")
    crossbar = {
        "rows": rows,
        "columns": pick(rng, 20, 33, 64),
        "cell_bits": pick(rng, 1, 2, 4),
        "signed": pick(rng, "offset", "differential_columns", "differential_rows", "reference_column"),
        "row_policy": pick(rng, "static", "static_skip", "pack"),
        "rows_parallel": pick(rng, 1, 3, 8, rows, 500 if merge == "analog" else rows),
        "select_cycles": pick(rng, 0, 1, 2),
        "sample_hold": held,
        "conduct": pick(rng, "selected", "all"),
        "kernel_merge": merge,
        "zero_skip": pick(rng, "none", "pe", "array"),
        "redrive_per_mux_step": bool(not held and rng.random() < 0.5),
        "mux_ratio": pick(rng, 1, 3, 8),
    }
    timing = {name: int(rng.integers(0, 9000)) for name in ("wordline_ps", "read_ps", "hold_ps", "mux_ps")}
    timing |= {name: pick(rng, 0, 1, 3) for name in ("shift_add_cycles", "check_cycles", "accumulate_cycles")}
    adc = {"bits": pick(rng, 2, 4, 5), "phases": pick(rng, "one_phase", "two_phase"),
           "early_stop": bool(spec.adc.kind == "sar" and not held and rng.random() < 0.5)}  # fmt: skip
    buffer = {"port_bits": pick(rng, 1, 7, 64), "line_buffer": bool(rng.random() < 0.5), "steps": 8,
              "input_mode": pick(rng, "bitmap", "event"), "address_bits": pick(rng, 8, 16),
              "zero_flags": bool(rng.random() < 0.5)}  # fmt: skip
    spec = spec.model_copy(update={
        "tiles": None, "pes_per_tile": pick(rng, 1, 2, 4), "arrays_per_pe": pick(rng, "kernel", 9, 16),
        "tile_sharing": True, "input_bits": pick(rng, None, None, 12),
        "crossbar": spec.crossbar.model_copy(update=crossbar), "timing": spec.timing.model_copy(update=timing),
        "adc": spec.adc.model_copy(update=adc), "buffer": spec.buffer.model_copy(update=buffer),
        "digital": spec.digital.model_copy(update={"lif_mode": pick(rng, "all", "touched")}),
    })  # fmt: skip
    return spec, pick(rng, 100_000_000, 250_000_000, 937_000_000)


def random_spikes(rng, network):
    """Spikes of every population by timestep: [(index, value)], of any density, none before the start."""
    drawn = {}
    for population in network.populations:
        kind = population.neuron.output
        for t in range(STEPS):
            density = pick(rng, 0.0, 0.02, 0.3, 1.0)
            index = np.flatnonzero(rng.random(population.size) < density).astype(np.uint32)
            value = None
            if kind == "signed":
                value = rng.choice([-1, 1], index.size).astype(np.int32)
            elif kind == "multi":
                value = rng.integers(1, 256, index.size).astype(np.int32)
            drawn[population.name, t] = index, value
    return drawn


@pytest.mark.parametrize("seed", range(48))
def test_vectors_equal_sets_of_active_rows(seed: int) -> None:
    rng = np.random.Generator(np.random.PCG64(seed))
    spec, clock_hz = random_tile(rng)
    network = crossbar_network(rng)
    plan = random_plan(rng, network, spec)
    drawn = random_spikes(rng, network)
    nothing = np.empty(0, np.uint32), None
    work = SimpleNamespace(network=network, spikes=lambda name, _, t: drawn.get((name, t), nothing))

    def listed(name: str, t: int) -> list[tuple[int, int]]:
        index, value = drawn.get((name, t), nothing)
        return list(zip(index.tolist(), [1] * index.size if value is None else value.tolist(), strict=True))

    for layer in plan.layers.values():
        neuron = replace(layer.population.neuron, first_step=pick(rng, 0, 0, 1, 5))
        layer = replace(layer, population=replace(layer.population, neuron=neuron))
        t0 = pick(rng, 0, 0, 1)
        ours = LayerVectors(spec, clock_hz, layer, network).of(work, 0, t0, STEPS)
        plain = Oracle(spec, clock_hz, layer, network, listed).run(t0, STEPS)
        for name in ("lat", "occ", "fetch", "active", "updated", "own_fetch"):
            expected = np.zeros_like(getattr(ours, name))
            for (t, *place), number in getattr(plain, name).items():
                expected[(t - t0, *place)] = number
            np.testing.assert_array_equal(getattr(ours, name), expected, err_msg=f"{layer.layer}: {name}")
        assert {k: v for k, v in ours.counts.items() if v} == {k: v for k, v in plain.counts.items() if v}, layer.layer
        assert (ours.synaptic, ours.most_rows, ours.clip_possible) == (
            plain.synaptic, plain.most_rows, plain.clip_possible
        )  # fmt: skip
