"""The plain definition of a neuron and of a synapse: Python integers, one neuron at a time.

The reference engine computes with this; kernels are compared with it.  It follows the equations of `neuron.py` line by
line and is meant to be read, not to be fast.
"""

from __future__ import annotations

from simulator.network.neuron import Decay, Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection


def decayed(x: int, decay: Decay) -> int:
    """What is left of `x` after one timestep."""
    if decay.kind == "shift":
        return x - (x >> decay.shift)
    if decay.kind == "multiply":
        if decay.rounding == "zero":
            size = (abs(x) * abs(decay.numerator)) >> decay.bits
            return size if (x < 0) == (decay.numerator < 0) else -size
        return (x * decay.numerator) >> decay.bits
    return x


class PlainPopulation:
    """State of a population: membranes v, currents u, steps left of the dead time; flat, channel last."""

    def __init__(self, population: Population) -> None:
        self.population = population
        self.reset()

    def reset(self) -> None:
        """Everything back to its initial value (a new sample)."""
        size, channels = self.population.size, self.population.shape[0]
        initial = self.population.neuron.initial
        self.v = [int(initial[i % channels % initial.size]) for i in range(size)]
        self.u = [0] * size
        self.dead = [0] * size

    def update(self, i: int, arrived: int) -> tuple[int, int]:
        """One timestep of neuron i, at which weights summing to `arrived` came: (spikes sent, values clamped)."""
        n: Neuron = self.population.neuron
        c = i % self.population.shape[0]
        threshold = int(n.threshold[c % n.threshold.size])
        limit = 1 << (n.membrane_bits - 1)
        clamped = 0
        u = arrived << n.weight_shift
        if n.model == "cuba_lif":
            u += decayed(self.u[i], n.decay_u)
            self.u[i] = min(max(u, -limit), limit - 1)
            clamped += self.u[i] != u
        v = decayed(self.v[i], n.decay_v) if n.model != "if" else self.v[i]
        v += u + int(n.bias[c % n.bias.size])
        sent = _fires(v, threshold, n)
        if sent:
            v = 0 if n.reset == "zero" else v - sent * threshold
        if n.floor is not None:
            v = max(v, int(n.floor[c % n.floor.size]))
        if n.dead_steps:
            if self.dead[i]:
                self.dead[i] -= 1
                v, sent = 0, 0
            elif sent:
                self.dead[i] = n.dead_steps
        self.v[i] = min(max(v, -limit), limit - 1)
        return sent, clamped + (self.v[i] != v)


def _fires(v: int, threshold: int, n: Neuron) -> int:
    if n.output == "multi":
        if v < threshold or (v == threshold and n.compare == "gt"):
            return 0
        return (v - 1) // threshold if n.compare == "gt" else v // threshold
    size = abs(v) if n.output == "signed" else v
    if size < threshold or (size == threshold and n.compare == "gt"):
        return 0
    return -1 if v < 0 else 1


Shape = tuple[int, int, int]


def weight(p: Projection, source: Shape, target: Shape, at: Shape, to: Shape) -> int:
    """Weight from pooled source neuron `at` (c, y, x) to target neuron `to` (k, y, x); 0 where there is no synapse.

    `source` is the pooled source's shape, `target` the target's.  Sparse projections are walked by index instead.
    """
    assert p.weights is not None
    (c, y, x), (k, oy, ox) = at, to
    _, h, w = source
    if p.kind == "linear":
        _, rows, columns = target
        return int(p.weights[(k * rows + oy) * columns + ox, (c * h + y) * w + x])
    if p.kind == "one_to_one":
        return int(p.weights[c]) if c == k else 0
    ky = y + p.padding[0] - oy * p.stride[0]
    kx = x + p.padding[1] - ox * p.stride[1]
    if ky % p.dilation[0] or kx % p.dilation[1]:
        return 0
    ky, kx = ky // p.dilation[0], kx // p.dilation[1]
    if not (0 <= ky < p.kernel[0] and 0 <= kx < p.kernel[1] and 0 <= y < h and 0 <= x < w):
        return 0
    if p.kind == "depthwise":
        return int(p.weights[c, ky, kx]) if c == k else 0
    outputs, inputs = p.weights.shape[0] // p.groups, p.weights.shape[1]
    if k // outputs != c // inputs:
        return 0
    return int(p.weights[k, c % inputs, ky, kx])
