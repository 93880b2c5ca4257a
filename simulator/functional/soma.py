"""Prepared neurons: parameters in kernel order, their state, and one timestep's update."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulator.errors import InputError
from simulator.functional.synapses import UNIT, SpikeList
from simulator.kernels.neuron import compact, step_float, step_int
from simulator.network.neuron import Decay
from simulator.network.population import Population

ROW = 512
"""Parameters per channel are repeated to rows of at least so many neurons, so that loops over a row pay off."""
OUTPUT = {"binary": 0, "signed": 1, "multi": 2}


@dataclass
class State:
    """State of one population: v [N] and u [N] (int32 or float64; u empty without a living current), dead int32 [N].

    `acc` collects the arriving sums and is zero between timesteps; `wide_acc` is its int64 stand-in, made when needed.
    """

    v: np.ndarray
    u: np.ndarray
    dead: np.ndarray
    acc: np.ndarray
    fired: np.ndarray
    index: np.ndarray
    value: np.ndarray
    wide_acc: np.ndarray | None = None

    def wide(self) -> np.ndarray:
        """The int64 accumulator."""
        if self.wide_acc is None:
            self.wide_acc = np.zeros(self.v.size, np.int64)
        return self.wide_acc


@dataclass(frozen=True)
class Soma:
    """The neurons of a population made ready for the kernels; arrays are rows of repeated channel parameters."""

    population: Population
    integer: bool
    threshold: np.ndarray
    bias: np.ndarray
    floor: np.ndarray
    initial: np.ndarray
    low: float
    high: float

    def new_state(self) -> State:
        """Fresh state of a sample's start."""
        neuron, size = self.population.neuron, self.population.size
        real = np.int32 if self.integer else np.float64
        state = State(
            v=np.empty(size, real),
            u=np.empty(size if neuron.model == "cuba_lif" else 0, real),
            dead=np.zeros(size if neuron.dead_steps else 0, np.int32),
            acc=np.zeros(size, real),
            fired=np.zeros(size, np.int32),
            index=np.empty(size, np.uint32),
            value=np.empty(0 if neuron.output == "binary" else size, np.int32),
        )
        self.reset(state)
        return state

    def reset(self, state: State) -> None:
        """Sets v and u back to their initial values (the refractory counter goes on)."""
        state.v.reshape(-1, self.initial.size)[:] = self.initial
        state.u[:] = 0

    def step(self, state: State, acc: np.ndarray) -> tuple[SpikeList, int]:
        """One timestep from the sums in `acc` (left at zero): the spikes sent, and how many values saturated."""
        neuron = self.population.neuron
        strict, to_zero, output = neuron.compare == "gt", neuron.reset == "zero", OUTPUT[neuron.output]
        clamped = 0
        if not neuron.stateful:
            self.reset(state)
        if self.integer:
            clamped = step_int(
                acc, state.v, state.u, state.dead, state.fired,
                np.empty(self.threshold.size, np.int64), np.empty(self.threshold.size, np.int64),
                self.threshold, self.bias, self.floor, neuron.weight_shift,
                *_kernel_decay(neuron.decay_v), *_kernel_decay(neuron.decay_u),
                strict, to_zero, output, neuron.dead_steps, self.low, self.high,
            )  # fmt: skip
        else:
            step_float(
                acc, state.v, state.u, state.dead, state.fired, self.threshold, self.bias, self.floor,
                _factor(neuron.decay_v), _factor(neuron.decay_u), strict, to_zero, output, neuron.dead_steps,
            )  # fmt: skip
        count = compact(state.fired, state.index, state.value)
        value = state.value[:count].copy() if state.value.size else UNIT
        return (state.index[:count].copy(), value), clamped


def prepare_soma(population: Population, integer: bool) -> Soma:
    """Checks what only a run needs (fields that contradict the model, ranges of the kernels) and repeats parameters."""
    neuron = population.neuron
    key = f"population {population.name}"
    if neuron.model == "if" and neuron.decay_v.kind != "none":
        raise InputError("an if neuron has no decay", key=f"{key}: decay_v", found=neuron.decay_v.kind)
    if neuron.model != "cuba_lif" and neuron.decay_u.kind != "none":
        raise InputError(
            "only a cuba_lif neuron has a current that decays", key=f"{key}: decay_u", found=neuron.decay_u.kind
        )
    low: float = -np.inf
    high: float = np.inf
    lowest: float = -np.inf
    if integer:
        low, high = -(1 << (neuron.membrane_bits - 1)), (1 << (neuron.membrane_bits - 1)) - 1
        lowest = np.iinfo(np.int64).min
        _check_integers(population, key, low, high)
    real = np.int64 if integer else np.float64
    floor = np.full(1, lowest, real) if neuron.floor is None else neuron.floor
    return Soma(
        population,
        integer,
        threshold=_row(neuron.threshold, population),
        bias=_row(neuron.bias, population),
        floor=_row(floor, population),
        initial=_row(neuron.initial, population),
        low=low,
        high=high,
    )


def _check_integers(population: Population, key: str, low: int, high: int) -> None:
    """Refuses parameters beyond what int64 arithmetic holds exactly."""
    neuron = population.neuron
    for field in ("threshold", "bias", "floor"):
        values = getattr(neuron, field)
        if values is not None and (np.abs(values.astype(object)) >= 2**60).any():
            raise InputError("too large for exact 64-bit arithmetic", key=f"{key}: {field}", allowed="below 2**60")
    if (neuron.initial < low).any() or (neuron.initial > high).any():
        raise InputError(
            "initial does not fit membrane_bits", key=key, found=neuron.initial.tolist(), allowed=f"{low} .. {high}"
        )
    for field in ("decay_v", "decay_u"):
        decay = getattr(neuron, field)
        if abs(decay.numerator) >= 2**31 or not (0 <= decay.shift <= 62 and 0 <= decay.bits <= 62):
            raise InputError(
                "decay out of range",
                key=f"{key}: {field}",
                found=decay,
                allowed="|numerator| below 2**31, shift and bits 0 .. 62",
            )


def _row(values: np.ndarray, population: Population) -> np.ndarray:
    """Parameters of shape [1] or [C], repeated to the shortest row of whole channels, pixels or lines >= ROW."""
    c, h, w = population.shape
    per_channel = np.broadcast_to(values, (c,))
    length = next((n for n in (c, c * w, c * w * h) if n >= ROW), c * w * h)
    return np.tile(per_channel, length // c)


def _kernel_decay(decay: Decay) -> tuple[int, int, int]:
    """(kind, numerator, bits) of `decay_row`."""
    if decay.kind == "none":
        return 0, 1, 0
    if decay.kind == "shift":
        return 1, 1, decay.shift
    return 2 if decay.rounding == "floor" else 3, decay.numerator, decay.bits


def _factor(decay: Decay) -> float:
    return float(decay.factor) if decay.kind == "factor" else 1.0
