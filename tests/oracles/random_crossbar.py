"""Random small networks that crossbars can hold, and random tiles to hold them."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np

from simulator.mapping.crossbar import CrossbarPlan, crossbar_plan
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.crossbar.lay import lay_out
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace import StepSpikesBuilder, Trace
from tests.oracles.random_network import Rng, pick, random_layer

SCHEMES = ("offset", "differential_columns", "differential_rows", "reference_column")


def fit_weights(rng: Rng, projection: Projection) -> Projection:
    """The same projection with weights cut to a random number of bits."""
    bits = pick(rng, 1, 3, 4, 5, 8, 8)
    low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
    return replace(projection, weight_bits=bits, weights=projection.weights.clip(low, high))


def crossbar_network(rng: Rng) -> Network:
    """A chain of two to four layers of any kind, residual joins, pools, delays; every value fits its planes."""
    source = Population("in", (pick(rng, 1, 2, 3), pick(rng, 3, 4, 6), pick(rng, 3, 5, 6)), Neuron("input"))
    populations, projections = [source], []
    for number in range(int(rng.integers(2, 5))):
        target, projection = random_layer(rng, number, populations[-1], True, False)
        neuron = target.neuron
        low, high = (150, 500) if neuron.output == "multi" else (1, 30)
        neuron = replace(neuron, threshold=rng.integers(low, high, neuron.threshold.size), membrane_bits=24)
        populations.append(replace(target, neuron=neuron))
        projections.append(fit_weights(rng, projection))
    flat = {p.target for p in projections if p.kind in ("linear", "sparse")}
    for a in range(len(populations)):
        for b in range(max(a, 1), len(populations)):
            one, other = populations[a], populations[b]
            name, delay = f"more{a}{b}", pick(rng, 0, 2) if b > a else 1
            if rng.random() < 0.6 or (b == a and rng.random() < 0.5):
                continue
            if one.shape == other.shape:
                weights = rng.integers(-20, 40, one.shape[0]).astype(np.int8)
                projections.append(Projection(name, one.name, other.name, "one_to_one", delay=delay, weights=weights))
            elif one.shape[1:] == other.shape[1:] and other.name not in flat:
                weights = rng.integers(-60, 100, (other.shape[0], one.shape[0], 1, 1)).astype(np.int8)
                more = Projection(name, one.name, other.name, "conv", delay=delay, weights=weights)
                projections.append(fit_weights(rng, more))
            elif other.name in flat:
                weights = rng.integers(-60, 100, (other.size, one.size)).astype(np.int8)
                more = Projection(name, one.name, other.name, "linear", delay=delay, weights=weights)
                projections.append(fit_weights(rng, more))
    return Network("random", tuple(populations), tuple(projections))


def binary_steps(rng: Rng, network: Network, samples: int = 2, steps: int = 5) -> Trace:
    """Random binary input spikes by timestep."""
    builder = StepSpikesBuilder()
    for _ in range(samples):
        builder.begin_sample()
        for _ in range(steps):
            size = network.population("in").size
            builder.add_step(np.flatnonzero(rng.random(size) < pick(rng, 0.0, 0.3, 0.7)).astype(np.uint32))
    return Trace("random", network, "step", np.full(samples, steps, np.int64), {"in": builder.build()})


def crossbar_tile(rng: Rng, **fixed) -> SimpleNamespace:
    """Fields of a `cim_tile` that shape its function, at random; `fixed` replaces parts by "part.field" or "field"."""
    tile = SimpleNamespace(
        tiles=None, pes_per_tile=pick(rng, 1, 4), arrays_per_pe=pick(rng, "kernel", 9, 16), tile_sharing=True,
        crossbar=SimpleNamespace(
            rows=pick(rng, 8, 16, 64), columns=pick(rng, 20, 64), cell_bits=pick(rng, 1, 2, 3, 4),
            signed=pick(rng, *SCHEMES), row_policy=pick(rng, "static", "static_skip", "pack"),
            rows_parallel=pick(rng, 1, 3, 8), kernel_merge=pick(rng, "analog", "mux", "private"), mux_ratio=8,
            conduct="selected", sample_hold=False,
        ),
        adc=SimpleNamespace(bits=24, kind=pick(rng, "sar", "sar", "integrate_steps")),
        digital=SimpleNamespace(psum_bits=40), buffer=SimpleNamespace(steps=8), quirks=(), device=None,
        input_bits=None, output_bits=None,
    )  # fmt: skip
    for key, value in fixed.items():
        part, _, name = key.partition("__")
        setattr(getattr(tile, part) if name else tile, name or part, value)
    return tile


def random_plan(rng: Rng, network: Network, tile: SimpleNamespace) -> CrossbarPlan:
    """Every layer one after another, in a random arrangement that fits, in one to three copies."""
    entries, first = [], 0
    for name in network.layers:
        kernels = [p.kernel[0] * p.kernel[1] for p in network.incoming(name) if p.kind in ("conv", "depthwise")]
        fits = tile.arrays_per_pe == "kernel" or max(kernels, default=1) <= tile.arrays_per_pe
        arrangement = pick(rng, "kernel", "im2col") if fits else "im2col"
        entries.append(CrossbarMapping(name, "cim", arrangement, pick(rng, 1, 1, 3), first))
        first = lay_out(network, tile, entries[-1]).end_pe
    return crossbar_plan(network, tile, entries)
