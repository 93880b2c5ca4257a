"""Trains the digits network with quantised activations and turns it into int8 weights (needs torch).

Method: QCFS (Bu et al., ICLR 2022) with L = T = 8 levels.  A layer's activation is

    h(x) = lambda * clip(floor(L x / lambda + 1/2) / L, 0, 1)          straight-through gradient through floor

and the spiking layer keeps its weights, fires at lambda, resets by subtraction and starts at lambda / 2.  The ANN sees
the spike counts of the input encoder divided by T, so that its input is what the spiking network sees on average.

Every random number (initial weights, order of the images, shifts) comes from numpy's PCG64; torch only computes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

LEVELS = 8
EPOCHS = 60
BATCH = 32
RATE = 0.05
MOMENTUM = 0.9
DECAY = 5e-4
FIRST_LAMBDA = 2.0
LOGIT_GAIN = 10.0
SEED = 20240806

WEIGHT_SHAPES = {
    "conv1": (16, 1, 3, 3),
    "conv2": (32, 16, 3, 3),
    "conv3": (32, 32, 3, 3),
    "short": (32, 16, 1, 1),
    "fc1": (64, 128),
    "out": (10, 64),
}
"""Projections of the network; `short` is the 1x1 shortcut from conv1 into conv3 and has no bias of its own."""

LAYERS = ("conv1", "conv2", "conv3", "fc1", "out")
"""Populations with neurons: one bias per channel, one lambda per population."""


@dataclass(frozen=True)
class Quantised:
    """Integer network: weights int8 by projection; threshold, bias and initial int64 [C] by population."""

    weights: dict[str, np.ndarray]
    threshold: dict[str, np.ndarray]
    bias: dict[str, np.ndarray]
    initial: dict[str, np.ndarray]


class _Floor(torch.autograd.Function):
    """floor forward, identity backward."""

    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x.floor()

    @staticmethod
    def backward(ctx: object, grad: Tensor) -> Tensor:
        return grad


class DigitsAnn:
    """The ANN: parameters as plain tensors.  `quantised` False replaces QCFS by ReLU (the full-precision ANN)."""

    def __init__(self, rng: np.random.Generator, quantised: bool) -> None:
        self.quantised = quantised
        self.weights = {}
        for name, shape in WEIGHT_SHAPES.items():
            spread = (2.0 / np.prod(shape[1:])) ** 0.5
            self.weights[name] = _leaf(rng.normal(0.0, spread, shape))
        self.bias = {}
        for name in LAYERS:
            channels = WEIGHT_SHAPES[name][0]
            start = FIRST_LAMBDA / 2 if name == "out" and quantised else 0.0
            self.bias[name] = _leaf(np.full(channels, start))
        self.scale = {name: _leaf(np.array(FIRST_LAMBDA)) for name in LAYERS}

    def parameters(self) -> list[Tensor]:
        """All trained tensors, in a fixed order."""
        scales = list(self.scale.values()) if self.quantised else []
        return [*self.weights.values(), *self.bias.values(), *scales]

    def forward(self, x: Tensor) -> Tensor:
        """Logits [N, 10] of images [N, 1, 8, 8] in 0..1."""
        w, b = self.weights, self.bias
        h1 = self._activate(F.conv2d(x, w["conv1"], b["conv1"], padding=1), "conv1")
        h2 = self._activate(F.conv2d(h1, w["conv2"], b["conv2"], padding=1), "conv2")
        main = F.conv2d(F.avg_pool2d(h2, 2), w["conv3"], b["conv3"], padding=1)
        h3 = self._activate(main + F.conv2d(F.avg_pool2d(h1, 2), w["short"]), "conv3")
        h4 = self._activate(F.linear(F.avg_pool2d(h3, 2).flatten(1), w["fc1"], b["fc1"]), "fc1")
        z = F.linear(h4, w["out"], b["out"])
        if not self.quantised:
            return z
        return self._activate(z, "out") / self.scale["out"] * LOGIT_GAIN

    def _activate(self, x: Tensor, layer: str) -> Tensor:
        if not self.quantised:
            return F.relu(x)
        scale = self.scale[layer]
        return scale * torch.clamp(_Floor.apply(LEVELS * x / scale + 0.5) / LEVELS, 0.0, 1.0)


def _leaf(values: np.ndarray) -> Tensor:
    return torch.tensor(values, dtype=torch.float32, requires_grad=True)


def train(counts: np.ndarray, labels: np.ndarray, quantised: bool) -> DigitsAnn:
    """Trains on spike counts uint8 [N, 8, 8] (0..T) and labels int64 [N]: SGD, cosine rate, shifts by one pixel."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    rng = np.random.Generator(np.random.PCG64(SEED))
    ann = DigitsAnn(rng, quantised)
    optimiser = torch.optim.SGD(ann.parameters(), lr=RATE, momentum=MOMENTUM, weight_decay=DECAY)
    batches = -(-len(counts) // BATCH)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, EPOCHS * batches)
    padded = np.pad(counts.astype(np.float32) / LEVELS, ((0, 0), (1, 1), (1, 1)))
    for _ in range(EPOCHS):
        order = rng.permutation(len(counts))
        shift = rng.integers(0, 3, (len(counts), 2))
        for i in range(batches):
            picked = order[i * BATCH : (i + 1) * BATCH]
            windows = zip(picked, shift[picked], strict=True)
            images = np.stack([padded[n, y : y + 8, x : x + 8] for n, (y, x) in windows])
            loss = F.cross_entropy(ann.forward(torch.from_numpy(images)[:, None]), torch.from_numpy(labels[picked]))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return ann


def correct(ann: DigitsAnn, counts: np.ndarray, labels: np.ndarray) -> int:
    """Number of images that the ANN classifies correctly; ties go to the lowest class."""
    with torch.no_grad():
        logits = ann.forward(torch.from_numpy(counts.astype(np.float32) / LEVELS)[:, None]).numpy()
    return int((logits.argmax(1) == labels).sum())


def quantise(ann: DigitsAnn) -> Quantised:
    """int8 weights with one scale per output channel; threshold and bias in units of that scale, half to even.

    u_c is the real value of one integer unit of current in channel c.  A spike of layer l is worth lambda_l (one of the
    input: 1), a quarter of that behind a 2 x 2 sum pool.  The two projections into conv3 share u_c, since they add into
    one membrane.
    """
    scale = {name: float(value.detach()) for name, value in ann.scale.items()}
    into = {
        "conv1": (("conv1", 1.0),),
        "conv2": (("conv2", scale["conv1"]),),
        "conv3": (("conv3", scale["conv2"] / 4), ("short", scale["conv1"] / 4)),
        "fc1": (("fc1", scale["conv3"] / 4),),
        "out": (("out", scale["fc1"]),),
    }
    result = Quantised({}, {}, {}, {})
    for layer, projections in into.items():
        real = {name: ann.weights[name].detach().numpy().astype(np.float64) * worth for name, worth in projections}
        peak = np.max([np.abs(w).reshape(w.shape[0], -1).max(axis=1) for w in real.values()], axis=0)
        unit = peak / 127
        for name, w in real.items():
            result.weights[name] = np.rint(w / unit.reshape(-1, *[1] * (w.ndim - 1))).astype(np.int8)
        threshold = np.maximum(1, np.rint(scale[layer] / unit)).astype(np.int64)
        result.threshold[layer] = threshold
        result.bias[layer] = np.rint(ann.bias[layer].detach().numpy().astype(np.float64) / unit).astype(np.int64)
        result.initial[layer] = threshold // 2
    return result
