"""Random small networks and inputs that use every option a network has."""

from __future__ import annotations

import numpy as np

from simulator.network import Decay, Network, Neuron, Pool, Population, Projection
from simulator.network.geometry import conv_output
from simulator.trace import Events, StepSpikesBuilder, Trace

Rng = np.random.Generator


def pick(rng: Rng, *choices):
    """One of the choices."""
    return choices[int(rng.integers(len(choices)))]


def random_weights(rng: Rng, shape: tuple[int, ...], integer: bool) -> np.ndarray:
    """Weights with some zeros; int8, int16, float32 or float64."""
    if integer:
        dtype = pick(rng, np.int8, np.int16)
        return (rng.integers(-60, 100, shape) * (rng.random(shape) < 0.9)).astype(dtype)
    return rng.normal(0.3, 1.0, shape).astype(pick(rng, np.float32, np.float64))


def random_neuron(rng: Rng, channels: int, integer: bool, eventwise: bool = False) -> Neuron:
    """A neuron with random options; parameters per channel or shared.  `eventwise` keeps to what runs without steps."""
    real = np.int64 if integer else np.float64
    size = pick(rng, 1, channels)
    scale = 1 if integer else 0.02

    def values(low: int, high: int) -> np.ndarray:
        return (rng.integers(low, high, size) * scale).astype(real)

    def decay() -> Decay:
        if not integer:
            return Decay("factor", factor=float(rng.random()))
        if rng.random() < 0.5:
            return Decay("shift", shift=int(rng.integers(1, 5)))
        return Decay("multiply", numerator=int(rng.integers(-20, 64)), bits=6, rounding=pick(rng, "floor", "zero"))

    model = "if" if eventwise else pick(rng, "if", "lif", "cuba_lif")
    common = {
        "model": model,
        "threshold": values(40, 200),
        "initial": values(-30, 30),
        "floor": pick(rng, None, values(-150, 0)),
        "reset": pick(rng, "zero", "subtract"),
        "compare": pick(rng, "ge", "gt"),
        "output": pick(rng, "binary", "binary", "multi", "signed"),
        "membrane_bits": pick(rng, 8, 10, 24, 32),
        "weight_shift": int(rng.integers(0, 3)) if integer else 0,
    }
    if eventwise:
        return Neuron(bias=np.zeros(1, real), **common)
    return Neuron(
        **common,
        bias=values(-10, 20),
        decay_v=decay() if model != "if" else Decay(),
        decay_u=decay() if model == "cuba_lif" else Decay(),
        dead_steps=pick(rng, 0, 0, 2),
        stateful=bool(rng.random() < 0.9),
        first_step=pick(rng, 0, 0, 1),
        reset_steps=pick(rng, (), (3,), (0, 2, 5)),
    )


def random_pool(rng: Rng, shape: tuple[int, int, int], integer: bool, eventwise: bool) -> Pool | None:
    """Pooling that fits the shape, or none."""
    if rng.random() < 0.5 or min(shape[1:]) < 3:
        return None
    kind = pick(rng, "sum", "or") if eventwise else pick(rng, "sum", "or", "average")
    size = pick(rng, (2, 2), (1, 2), (2, 1)) if integer or eventwise else pick(rng, (2, 2), (3, 2))
    stride = pick(rng, size, (2, 3)) if eventwise else pick(rng, size, (1, 2), (2, 1))
    return Pool(kind, size, stride)


def sparse_projection(rng: Rng, name: str, source: Population, seen: int, target: Population, integer: bool, **more):
    """Random CSR synapses without a pair twice."""
    dense = rng.random((seen, target.size)) < 0.3
    rows, cols = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(dense.sum(1))]).astype(np.int64)
    assert rows.size == indptr[-1]
    weights = random_weights(rng, (rows.size,), integer)
    return Projection(
        name, source.name, target.name, "sparse", weights=weights, indptr=indptr, indices=cols.astype(np.int32), **more
    )


def random_layer(
    rng: Rng, number: int, source: Population, integer: bool, eventwise: bool
) -> tuple[Population, Projection]:
    """A population behind `source`, joined to it by any kind of projection."""
    pool = random_pool(rng, source.shape, integer, eventwise)
    c, h, w = source.shape
    if pool is not None:
        h, w = ((n - s) // t + 1 for n, s, t in zip((h, w), pool.size, pool.stride, strict=True))
    kind = pick(rng, "conv", "conv", "depthwise", "linear", "sparse", "one_to_one")
    name = f"layer{number}"
    more = {"pool": pool, "delay": 0 if eventwise else pick(rng, 0, 0, 1, 3)}
    if kind in ("conv", "depthwise"):
        kernel = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        stride, dilation = (pick(rng, 1, 2), pick(rng, 1, 3, 2)), (pick(rng, 1, 1, 2), pick(rng, 1, 1, 2))
        padding = (int(rng.integers(0, 3)), int(rng.integers(0, 3)))
        sizes = [conv_output(n, kernel[i], stride[i], padding[i], dilation[i]) for i, n in enumerate((h, w))]
        if min(sizes) < 1:
            kernel, stride, padding, dilation, sizes = (1, 1), (1, 1), (0, 0), (1, 1), [h, w]
        groups = pick(rng, *(g for g in range(1, c + 1) if c % g == 0)) if kind == "conv" else 1
        channels = groups * int(rng.integers(1, 4)) if kind == "conv" else c
        shape = (channels, sizes[0], sizes[1])
        size = (c, *kernel) if kind == "depthwise" else (channels, c // groups, *kernel)
        weights = random_weights(rng, size, integer)
        more |= {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups,
                 "weights": weights}  # fmt: skip
    else:
        shape = (c, h, w) if kind == "one_to_one" else (int(rng.integers(1, 5)), pick(rng, 1, 2), pick(rng, 1, 3))
        if kind == "linear":
            more["weights"] = random_weights(rng, (int(np.prod(shape)), c * h * w), integer)
        elif kind == "one_to_one":
            more["weights"] = random_weights(rng, (c,), integer)
    target = Population(name, shape, random_neuron(rng, shape[0], integer, eventwise))
    if kind == "sparse":
        return target, sparse_projection(rng, f"to_{name}", source, c * h * w, target, integer, **more)
    return target, Projection(f"to_{name}", source.name, name, kind, **more)


def random_network(rng: Rng, arithmetic: str = "int", eventwise: bool = False) -> Network:
    """Two inputs, a chain of two to four layers, residual joins, and (unless `eventwise`) recurrent projections."""
    integer = arithmetic == "int"
    inputs = [
        Population("left", (pick(rng, 1, 2, 3), pick(rng, 3, 4, 6), pick(rng, 3, 5, 6)), Neuron("input")),
        Population("right", (2, 1, 3), Neuron("input")),
    ]
    populations, projections = list(inputs), []
    for number in range(int(rng.integers(2, 5))):
        source = populations[-1] if number else inputs[0]
        target, projection = random_layer(rng, number, source, integer, eventwise)
        populations.append(target)
        projections.append(projection)
    layers = populations[2:]
    for number in range(int(rng.integers(0, 4))):
        low, high = sorted(rng.integers(0, len(layers), 2).tolist())
        backwards = not eventwise and rng.random() < 0.6
        source, target = (layers[high], layers[low]) if backwards else (layers[low], layers[high])
        if source is target and not backwards:
            source = inputs[1]
        delay = int(rng.integers(1, 4)) if backwards else 0
        projections.append(sparse_projection(rng, f"more{number}", source, source.size, target, integer, delay=delay))
    return Network("random", tuple(populations), tuple(projections), arithmetic)


def random_steps(rng: Rng, network: Network, samples: int = 2, steps: int = 9) -> Trace:
    """Random input spikes by timestep, some of them with values; samples of different length."""
    lengths = np.array([steps - 2 * i for i in range(samples)], np.int64)
    populations = {}
    for name in network.inputs:
        size, graded = network.population(name).size, rng.random() < 0.5
        builder = StepSpikesBuilder()
        for length in lengths:
            builder.begin_sample()
            for _ in range(length):
                index = np.flatnonzero(rng.random(size) < pick(rng, 0.0, 0.2, 0.6)).astype(np.uint32)
                value = rng.integers(-2, 4, index.size).astype(np.int32) if graded else None
                builder.add_step(index, value)
        populations[name] = builder.build()
    return Trace("random", network, "step", lengths, populations)


def random_events(rng: Rng, network: Network, samples: int = 2, count: int = 40) -> Trace:
    """Random input events with many equal times."""
    populations = {}
    for name in network.inputs:
        size = network.population(name).size
        sizes = rng.integers(0, count, samples)
        start = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        time = np.concatenate([np.sort(rng.integers(0, count // 2, n)) for n in sizes]).astype(np.int64)
        index = rng.integers(0, size, start[-1]).astype(np.uint32)
        value = pick(rng, None, rng.integers(-2, 4, start[-1]).astype(np.int32))
        populations[name] = Events(start, time, index, value)
    return Trace("random", network, "us", np.full(samples, count, np.int64), populations)
