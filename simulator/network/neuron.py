"""The neuron (soma) of a population: its equation and its parameters.

Per timestep t, for every neuron, with `a` the sum of weighted spikes that arrived (accumulated wide):

    u[t] = decay_u(u[t-1]) + (a << weight_shift)        cuba_lif: the synaptic current u lives on
    u[t] = a << weight_shift                            if, lif: the current lives one step
    v[t] = decay_v(v[t-1]) + u[t] + bias                if: no decay
    n[t] = fires(v[t])                                  0 or 1; `multi`: floor(v / threshold); `signed`: -1, 0, 1
    v[t] = 0 or v - n * threshold where n != 0          reset "zero" or "subtract"
    v[t] = max(v, floor)                                where a floor is given, after the fire test
    v[t] = clamp to `membrane_bits`                     integers only; every clamped value is counted

Everything is integer arithmetic, bit exact, when the network's arithmetic is "int"; float64 otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

Model = Literal["input", "if", "lif", "cuba_lif"]
VALUE_BITS = {"binary": 1, "signed": 2, "multi": 8}
"""Bits that a buffer reserves per neuron and timestep where the network says nothing; a count is kept in one byte."""


@dataclass(frozen=True)
class Decay:
    """What is left of a value after one timestep.

    kind "none":      x
    kind "shift":     x - (x >> shift)                                          (integers)
    kind "multiply":  (x * numerator) / 2**bits, rounded as `rounding` says     (integers)
    kind "factor":    x * factor                                                (float)

    `rounding` is "floor" (arithmetic shift, towards minus infinity) or "zero" (magnitude shifted, towards zero).
    """

    kind: Literal["none", "shift", "multiply", "factor"] = "none"
    shift: int = 0
    numerator: int = 1
    bits: int = 0
    rounding: Literal["floor", "zero"] = "floor"
    factor: float = 1.0


@dataclass(frozen=True)
class Neuron:
    """Parameters of one population's neurons; arrays have shape [C] (one value per channel).

    `threshold`, `bias` and `initial` (and `floor`, where there is one) are int64 in integer networks and float64
    in float networks.  `model="input"` marks a population that only receives recorded spikes and computes nothing.
    """

    model: Model = "if"
    threshold: np.ndarray = field(default_factory=lambda: np.ones(1, np.int64))
    bias: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    initial: np.ndarray = field(default_factory=lambda: np.zeros(1, np.int64))
    reset: Literal["zero", "subtract"] = "subtract"
    compare: Literal["ge", "gt"] = "ge"
    decay_v: Decay = Decay()
    decay_u: Decay = Decay()
    weight_shift: int = 0
    floor: np.ndarray | None = None
    dead_steps: int = 0
    """Refractory: timesteps after a spike in which v is held at 0 and nothing fires (Loihi's refDelay - 1)."""
    membrane_bits: int = 32
    """Width of the stored membrane (and current); wider values saturate at write-back and are counted."""
    stateful: bool = True
    """False: v and u start from `initial` and 0 in every timestep, so no state is stored between steps."""
    output: Literal["binary", "multi", "signed"] = "binary"
    first_step: int = 0
    """Timesteps before this one are skipped: no update, no output, arriving input is lost."""
    reset_steps: tuple[int, ...] = ()
    """v and u return to their initial values before these timesteps (a restart seen in a recording)."""
    value_bits: int | None = None
    """Bits that a memory keeps per neuron and timestep of the output; None: 1 binary, 2 signed, 8 multi-spike."""

    @property
    def stored_bits(self) -> int:
        """Bits of one neuron's output of one timestep in a memory that has a place for every neuron."""
        return VALUE_BITS[self.output] if self.value_bits is None else self.value_bits
