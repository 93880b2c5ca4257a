"""estimate(...): what a Schedule costs under an Activity, in closed form, in the Record's terms."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from weakref import WeakKeyDictionary, ref

import numpy as np

from simulator.costmodel.estimated import Estimate
from simulator.costmodel.rates import rates
from simulator.errors import InputError
from simulator.mapping.whole import whole_unit

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity
    from simulator.costmodel.chip import Chip, Term
    from simulator.hardware import Hardware
    from simulator.mapping import Mapping, Schedule
    from simulator.network import Network

_OF_NEURONS = ("model", "membrane_bits", "stateful", "output", "first_step", "value_bits")
REMEMBERED = 8
"""Networks that a compiled schedule knows to be the same as its own."""


class _Kept(NamedTuple):
    """A compiled closed form, what it was made for, and networks found to be the same as `network`."""

    chip: Chip
    actions: tuple[str, ...]
    hardware: Hardware
    network: Network
    mapping: Mapping | None
    alike: deque[ref[Network]]


_KNOWN: WeakKeyDictionary[Any, list[_Kept]] = WeakKeyDictionary()


class Correction(Protocol):
    """A model that corrects the closed form, such as a calibrated one."""

    def check(self, hardware: Hardware) -> None:
        """InputError where the model was not made for this hardware."""
        ...

    def weights(self, terms: tuple[Term, ...]) -> np.ndarray:
        """float64 [terms]: the weight of each term of time; InputError where the closed form has other terms."""
        ...

    def correct(self, made: Estimate, activity: Activity) -> Estimate:
        """The estimate, its times weighted already, with its counts corrected, its interval and its warnings."""
        ...


def estimate(
    schedule: Schedule,
    hardware: Hardware,
    activity: Activity,
    model: Correction | None = None,
    *,
    mapping: Mapping | None = None,
) -> Estimate:
    """Latency, energy, bits moved and area of a run, from shapes and spike statistics alone.

    What depends on schedule and hardware only is worked out once and kept as long as the schedule lives.  `mapping`:
    the one that the schedule was lowered from, where it lies on crossbars; left out, `place(network, hardware)`.
    `model` corrects the closed form.  Raises InputError where a unit has no closed form.
    """
    if model is not None:
        model.check(hardware)
    chip, actions = compiled(schedule, hardware, activity.network, mapping)
    weights = np.array([term.weight for term in chip.terms]) if model is None else model.weights(chip.terms)
    made = priced(schedule, hardware, activity, chip, actions, weights)
    return made if model is None else model.correct(made, activity)


def priced(
    schedule: Schedule,
    hardware: Hardware,
    activity: Activity,
    chip: Chip,
    actions: tuple[str, ...],
    weights: np.ndarray,
) -> Estimate:
    """The estimate of a compiled schedule with these weights of its terms, float64 [terms]."""
    counts, end, busy, span = chip.price(rates(chip.streams, activity), weights)
    return Estimate(
        hardware=hardware,
        units=schedule.units,
        layers=schedule.layers,
        actions=actions,
        counts=np.rint(counts).astype(np.int64),
        end_ps=int(np.rint(end)),
        layer_busy_ps=np.rint(busy).astype(np.int64),
        layer_span=np.rint(span).astype(np.int64),
        samples=activity.samples,
        built=chip.built,
    )


def compiled(
    schedule: Schedule, hardware: Hardware, network: Network, mapping: Mapping | None = None
) -> tuple[Chip, tuple[str, ...]]:
    """The closed form of a schedule and the actions of its ledger; made once and kept as long as the schedule lives."""
    known = _KNOWN.setdefault(schedule, [])
    for kept in known:
        if kept.hardware is hardware and kept.mapping is mapping:
            if any(one() is network for one in kept.alike):
                return kept.chip, kept.actions
            if _same(kept.network, network):
                kept.alike.append(ref(network))
                return kept.chip, kept.actions
    names = tuple(p.name for p in network.populations)
    if names != schedule.populations:
        raise InputError("the activity is of another network", found=list(names), allowed=list(schedule.populations))
    actions = tuple(dict.fromkeys(a.name for name in hardware.units for a in hardware.unit(name).ACTIONS))
    chip = _chip(schedule, hardware, network, mapping, actions)
    known.append(_Kept(chip, actions, hardware, network, mapping, deque([ref(network)], REMEMBERED)))
    return chip, actions


def _chip(
    schedule: Schedule, hardware: Hardware, network: Network, mapping: Mapping | None, actions: tuple[str, ...]
) -> Chip:
    """The closed form that fits the units of a machine."""
    kinds = {hardware.unit(name).type for name in hardware.units}
    if "cim_tile" in kinds:
        from simulator.costmodel.tile_chip import TileChip

        return TileChip(schedule, hardware, network, mapping, actions)
    if "cmos_core" in kinds and not schedule.x0.size:
        from simulator.costmodel.cores import CoreChip

        return CoreChip(schedule, hardware, network, actions)
    if "pe_array" in kinds and schedule.x0.size:
        from simulator.costmodel.fused import FusedChip

        return FusedChip(schedule, hardware, network, actions)
    if "neurosynaptic_core" in kinds or "reckon_core" in kinds:
        from simulator.costmodel.whole_neurosynaptic import NeurosynapticChip
        from simulator.costmodel.whole_reckon import ReckonChip

        unit = whole_unit(hardware)
        assert unit is not None
        whole = ReckonChip if hardware.unit(unit).type == "reckon_core" else NeurosynapticChip
        return whole(schedule, hardware, network, unit, actions)
    raise InputError(
        "this hardware or schedule has no closed form",
        key=f"hardware {hardware.name}",
        found=sorted(kinds),
        allowed=["a cmos_core with whole rows", "a cim_tile", "a pe_array with a fused mapping", "a core that holds "
                 "the network whole"],
    )


def _same(one: Network, other: Network) -> bool:
    """Two networks of equal shapes: the same object, or equal populations and projections but for weights and what
    decides when a neuron fires."""
    if one is other:
        return True
    if len(one.populations) != len(other.populations) or len(one.projections) != len(other.projections):
        return False
    for a, b in zip(one.populations, other.populations, strict=True):
        if (a.name, a.shape) != (b.name, b.shape):
            return False
        if any(getattr(a.neuron, key) != getattr(b.neuron, key) for key in _OF_NEURONS):
            return False
    keys = ("source", "target", "kind", "kernel", "stride", "padding", "dilation", "groups", "delay", "pool")
    pairs = zip(one.projections, other.projections, strict=True)
    return all(getattr(a, key) == getattr(b, key) for a, b in pairs for key in (*keys, "weight_bits"))
