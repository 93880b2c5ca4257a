"""Dense spike tensors as a trace.  A layout is never guessed: the caller names each axis by a letter.

    T timestep    B sample    N neuron, in C, H, W order    C channel (or P)    H row (or Y)    W column (or X)

T is required; without B there is one sample; the neurons are either N or any of C, H, W (a missing one has size 1).
Habits of the field: "TBN", "TBCHW" (snnTorch, SpikingJelly, Norse), "BTN", "BTCHW" (sinabs, Rockpool), "BCHWT"
(lava-dl), "TPYX" (tonic frames).  Values are spike counts: whole numbers, negative ones for signed spikes.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from simulator.errors import InputError
from simulator.network import Network, Neuron, Population
from simulator.trace.spikes import MemorySpikes, StepSpikesBuilder
from simulator.trace.trace import Trace

_SAME = str.maketrans("PYX", "CHW")
_ORDER = "BTHWC"


def trace_from_arrays(
    arrays: Mapping[str, np.ndarray],
    layout: str | Mapping[str, str],
    *,
    network: Network | None = None,
    name: str = "arrays",
    source: str = "arrays given by the user",
    labels: np.ndarray | None = None,
) -> Trace:
    """Trace of one dense tensor per population (bool, integer, or float with whole values).

    `layout`: one for all, or one per population; several separated by "|" are told apart by their number of axes.
    `network`: populations must be of it; without one, each array becomes an input population of its own.
    Raises InputError that names the population for axes, shapes and values that do not fit.
    """
    if not arrays:
        raise InputError("no arrays", file=name)
    parts: dict[str, np.ndarray] = {}
    for population, array in arrays.items():
        text = layout if isinstance(layout, str) else layout.get(population, "")
        parts[population] = _ordered(np.asarray(array), text, population)
    samples, steps = next(iter(parts.values())).shape[:2]
    for population, part in parts.items():
        if part.shape[:2] != (samples, steps):
            raise InputError(
                "the arrays differ in samples or timesteps",
                key=f"population {population}",
                found=part.shape[:2],
                allowed=[str((samples, steps))],
            )
    if network is None:
        made = [Population(k, (p.shape[4], p.shape[2], p.shape[3]), Neuron("input")) for k, p in parts.items()]
        network = Network(name, tuple(made), (), source=source)
    spikes = {k: _spikes(part, network.population(k).shape, k) for k, part in parts.items()}
    if labels is not None and labels.shape != (samples,):
        raise InputError("one label per sample is needed", key="labels", found=labels.shape, allowed=[str((samples,))])
    return Trace(name, network.topology(), "step", np.full(samples, steps, np.int64), spikes, source, labels)


def _ordered(array: np.ndarray, layout: str, population: str) -> np.ndarray:
    """The array with axes B, T, H, W, C; neurons given as N come as channels."""
    key = f"population {population}"
    fitting = [text for text in layout.split("|") if len(text) == array.ndim]
    if len(fitting) != 1:
        raise InputError(f"the layout must have one letter for each of the {array.ndim} axes", key=key, found=layout)
    axes = fitting[0].upper().translate(_SAME)
    wrong = sorted(set(axes) - set("TBNCHW"))
    if wrong or len(set(axes)) != len(axes) or "T" not in axes or ("N" in axes and set(axes) & set("CHW")):
        raise InputError(
            "unknown layout",
            key=key,
            found=fitting[0],
            allowed="the letter T, perhaps B, and either N or some of C, H, W, each once, such as TBN or BTCHW",
        )
    axes = axes.replace("N", "C")
    present = [axes.index(a) for a in _ORDER if a in axes]
    missing = tuple(i for i, a in enumerate(_ORDER) if a not in axes)
    return np.expand_dims(array.transpose(present), missing)


def _spikes(part: np.ndarray, shape: tuple[int, int, int], population: str) -> MemorySpikes:
    key = f"population {population}"
    _, steps, height, width, channels = part.shape
    flat_neurons = (height, width) == (1, 1) and channels == shape[0] * shape[1] * shape[2]
    if (channels, height, width) != shape and not flat_neurons:
        raise InputError(
            "the array does not fit the population", key=key, found=(channels, height, width), allowed=[str(shape)]
        )
    if part.dtype.kind not in "biuf":
        raise InputError("spikes must be numbers", key=key, found=str(part.dtype))
    builder = StepSpikesBuilder()
    for sample in part:
        builder.begin_sample()
        for step in sample:
            # Only one step is copied at a time, whatever the order of the axes in memory is.
            dense = step if not flat_neurons else step.reshape(shape).transpose(1, 2, 0)
            values = dense.reshape(-1)
            index = np.flatnonzero(values)
            builder.add_step(index.astype(np.uint32), _counts(values[index], key))
    return builder.build(steps)


def _counts(values: np.ndarray, key: str) -> np.ndarray | None:
    """int32 values of the spikes, None where all are 1."""
    if values.dtype.kind == "b":
        return None
    if values.dtype.kind == "f":
        broken = values[~np.isfinite(values) | (values != np.floor(values))]
        if broken.size:
            raise InputError("spikes must be whole numbers", key=key, found=float(broken[0]))
    if values.size and max(abs(int(values.max())), abs(int(values.min()))) >= 2**31:
        raise InputError("a spike's value is too large", key=key, found=float(np.abs(values).max()))
    return None if (values == 1).all() else values.astype(np.int32)
