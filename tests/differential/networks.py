"""Hypothesis strategies for small integer networks with every option that a core meets, and for their input spikes.

Shapes, options and counts are drawn one by one, so that a failing example shrinks to few layers, small shapes and few
spikes.  Weights come from a drawn seed: their values do not help a reader.
"""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from simulator.network import Decay, Network, Neuron, Pool, Population, Projection
from simulator.network.geometry import conv_output
from simulator.trace import StepSpikesBuilder, Trace

MAX_SPIKES = 500
MAX_SYNAPSES = 6000


def _per_channel(draw, channels: int, low: int, high: int) -> np.ndarray:
    size = draw(st.sampled_from([1, channels]))
    return np.array([draw(st.integers(low, high)) for _ in range(size)], np.int64)


def _decay(draw) -> Decay:
    kind = draw(st.sampled_from(["none", "shift", "multiply"]))
    if kind == "none":
        return Decay()
    if kind == "shift":
        return Decay("shift", shift=draw(st.integers(1, 4)))
    rounding = draw(st.sampled_from(["floor", "zero"]))
    return Decay("multiply", numerator=draw(st.integers(-5, 16)), bits=4, rounding=rounding)


def _neuron(draw, channels: int) -> Neuron:
    model = draw(st.sampled_from(["if", "lif", "cuba_lif"]))
    low = draw(st.sampled_from([None, 0, -30]))
    return Neuron(
        model=model,
        threshold=_per_channel(draw, channels, 1, 60),
        bias=_per_channel(draw, channels, 0, 5),
        initial=_per_channel(draw, channels, 0, 15),
        reset=draw(st.sampled_from(["subtract", "zero"])),
        compare=draw(st.sampled_from(["ge", "gt"])),
        decay_v=_decay(draw) if model != "if" else Decay(),
        decay_u=_decay(draw) if model == "cuba_lif" else Decay(),
        weight_shift=draw(st.integers(0, 1)),
        floor=None if low is None else np.array([low], np.int64),
        dead_steps=draw(st.sampled_from([0, 0, 1])),
        membrane_bits=draw(st.sampled_from([16, 8, 6, 32, 5])),
        stateful=draw(st.sampled_from([True, True, True, False])),
        output=draw(st.sampled_from(["binary", "binary", "multi", "signed"])),
        first_step=draw(st.sampled_from([0, 0, 0, 1, 2])),
        reset_steps=draw(st.sampled_from([(), (), (1,), (0, 2)])),
    )


def _weights(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    return (rng.integers(-20, 50, shape) * (rng.random(shape) < 0.9)).astype(np.int8)


def _pool(draw, shape: tuple[int, int, int], sparse: bool) -> Pool | None:
    if min(shape[1:]) < 2 or not draw(st.booleans()):
        return None
    size = draw(st.sampled_from([(2, 2), (1, 2), (2, 1)]))
    stride = draw(st.sampled_from([size, (1, 1), (2, 2), (1, 2)]))
    return Pool("or" if sparse else draw(st.sampled_from(["sum", "average", "or"])), size, stride)


def _sparse(rng: np.random.Generator, seen: int, size: int) -> dict[str, np.ndarray]:
    dense = rng.random((seen, size)) < 0.4
    starts = np.concatenate(([0], np.cumsum(dense.sum(axis=1)))).astype(np.int64)
    return {"indptr": starts, "indices": np.nonzero(dense)[1].astype(np.int32), "weights": _weights(rng, (starts[-1],))}


def _kernel(draw, c: int, h: int, w: int, kind: str) -> tuple[tuple[int, int, int], dict]:
    """Target shape and parameters of a convolution that fits a source of c x h x w."""
    kernel = (draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    stride = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    padding = (draw(st.integers(0, 2)), draw(st.integers(0, 2)))
    dilation = (draw(st.integers(1, 2)), draw(st.integers(1, 2)))
    out = [conv_output(n, kernel[i], stride[i], padding[i], dilation[i]) for i, n in enumerate((h, w))]
    if min(out) < 1 or max(out) > 6:
        kernel, stride, padding, dilation, out = (1, 1), (1, 1), (0, 0), (1, 1), [h, w]
    groups = 1
    channels = c
    if kind == "conv":
        groups = draw(st.sampled_from([g for g in range(1, c + 1) if c % g == 0]))
        channels = groups * draw(st.integers(1, 4))
    more = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    return (channels, out[0], out[1]), more


def _layer(draw, rng, name: str, source: Population, kinds: list[str]) -> tuple[Population, Projection]:
    """A population behind `source`, joined to it by a projection of one of `kinds`."""
    kind = draw(st.sampled_from(kinds))
    pool = _pool(draw, source.shape, kind == "sparse")
    c, h, w = source.shape
    if pool is not None:
        h, w = ((n - s) // t + 1 for n, s, t in zip((h, w), pool.size, pool.stride, strict=True))
    more: dict = {"pool": pool, "delay": draw(st.sampled_from([0, 0, 0, 1])), "weight_bits": draw(st.integers(4, 8))}
    if kind in ("conv", "depthwise"):
        shape, kernel = _kernel(draw, c, h, w, kind)
        groups = c if kind == "depthwise" else kernel["groups"]
        size = (shape[0], c // groups, *kernel["kernel"])
        more |= kernel
        more["weights"] = _weights(rng, size[:1] + size[2:] if kind == "depthwise" else size)
    elif kind == "one_to_one":
        shape = (c, h, w)
        more["weights"] = _weights(rng, (c,))
    else:
        shape = (draw(st.integers(1, 6)), draw(st.integers(1, 2)), draw(st.integers(1, 3)))
        seen, size = c * h * w, shape[0] * shape[1] * shape[2]
        more |= {"weights": _weights(rng, (size, seen))} if kind == "linear" else _sparse(rng, seen, size)
    return Population(name, shape, _neuron(draw, shape[0])), Projection(f"to_{name}", source.name, name, kind, **more)


def _extra(draw, rng, number: int, populations: list[Population], first_layer: int, sparse: bool) -> Projection:
    """A residual projection forwards, or a recurrent one with a delay."""
    source = draw(st.integers(0, len(populations) - 1))
    target = draw(st.integers(first_layer, len(populations) - 1))
    a, b = populations[source], populations[target]
    delay = draw(st.integers(1 if source >= target else 0, 2))
    name = f"more{number}"
    if a.shape == b.shape and draw(st.booleans()):
        return Projection(name, a.name, b.name, "one_to_one", delay=delay, weights=_weights(rng, (a.shape[0],)))
    if a.shape[1:] == b.shape[1:] and draw(st.booleans()):
        w = _weights(rng, (b.shape[0], a.shape[0], 1, 1))
        return Projection(name, a.name, b.name, "conv", delay=delay, weights=w)
    if sparse and draw(st.booleans()):
        return Projection(name, a.name, b.name, "sparse", delay=delay, **_sparse(rng, a.size, b.size))
    return Projection(name, a.name, b.name, "linear", delay=delay, weights=_weights(rng, (b.size, a.size)))


@st.composite
def networks(draw, sparse: bool) -> Network:
    """One or two inputs, one to four layers in a chain, residual and recurrent projections; `sparse` allows CSR."""
    rng = np.random.Generator(np.random.PCG64(draw(st.integers(0, 999))))
    kinds = ["conv", "conv", "depthwise", "linear", "one_to_one"] + ["sparse"] * sparse
    inputs = draw(st.integers(1, 2))
    populations = []
    for i in range(inputs):
        shape = (draw(st.integers(1, 4)), draw(st.integers(1, 5)), draw(st.integers(1, 5)))
        populations.append(Population(f"in{i}", shape, Neuron("input")))
    projections = []
    for i in range(draw(st.integers(1, 4))):
        source = populations[-1] if i else populations[draw(st.integers(0, inputs - 1))]
        population, projection = _layer(draw, rng, f"layer{i}", source, kinds)
        populations.append(population)
        projections.append(projection)
    for i in range(draw(st.integers(0, 3))):
        projections.append(_extra(draw, rng, i, populations, inputs, sparse))
    return Network("random", tuple(populations), tuple(projections))


@st.composite
def traces(draw, network: Network) -> Trace:
    """Input spikes of one or two samples of one to four timesteps; fewer spikes are a part of more spikes."""
    lengths = draw(st.lists(st.integers(1, 4), min_size=1, max_size=2))
    rng = np.random.Generator(np.random.PCG64(draw(st.integers(0, 999))))
    found = {}
    budget = MAX_SPIKES
    for name in network.inputs:
        size = network.population(name).size
        places = sum(lengths) * size
        n = draw(st.integers(0, min(places, budget)))
        budget -= n
        chosen = np.sort(rng.permutation(places)[:n])
        values = rng.integers(-2, 4, places).astype(np.int32) if draw(st.sampled_from([False, False, True])) else None
        builder = StepSpikesBuilder()
        low = 0
        for length in lengths:
            builder.begin_sample()
            for _ in range(length):
                here = chosen[(chosen >= low) & (chosen < low + size)]
                builder.add_step((here - low).astype(np.uint32), None if values is None else values[here])
                low += size
        found[name] = builder.build()
    return Trace("random", network.topology(), "step", np.array(lengths, np.int64), found)


def describe_network(network: Network) -> str:
    """One line per population and projection, only what differs from the defaults."""
    lines = []
    for p in network.populations:
        lines.append(f"{p.name} {p.shape} {_different(p.neuron, Neuron(p.neuron.model))}")
    for q in network.projections:
        plain = Projection(q.name, q.source, q.target, q.kind)
        lines.append(f"{q.name}: {q.source} -> {q.target} {q.kind} {_different(q, plain)}")
    return "\n".join(lines)


def describe_trace(trace: Trace) -> str:
    """Every spike as step:index (x value)."""
    lines = []
    for name in trace.populations:
        for sample, steps in enumerate(trace.steps.tolist()):
            block = trace.spikes(name).block(sample, 0, steps)
            parts = []
            for t in range(steps):
                index, value = block.step(t)
                shown = index.tolist() if value is None else list(zip(index.tolist(), value.tolist(), strict=True))
                parts.append(f"{t}: {shown}")
            lines.append(f"{name} sample {sample}  " + "  ".join(parts))
    return "\n".join(lines)


def _different(value, plain) -> str:
    shown = []
    for key in value.__dataclass_fields__:
        mine, usual = getattr(value, key), getattr(plain, key)
        same = np.array_equal(mine, usual) if isinstance(mine, np.ndarray) else mine == usual
        if not same:
            shown.append(f"{key}={mine.tolist()}" if isinstance(mine, np.ndarray) else f"{key}={mine}")
    return " ".join(shown)
