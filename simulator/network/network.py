"""The network: populations, projections, and the order in which layers run."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np

from simulator.errors import InputError, unknown
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.network.projection import Projection


@dataclass(frozen=True)
class Network:
    """A spiking network; validated when it is made.

    `arithmetic` is "int" (bit exact) or "float" (float64).  `source` says where the network came from, `choices`
    what its file did not say and the user decided (reset mode, membrane floor, timestep ...).
    """

    name: str
    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    arithmetic: Literal["int", "float"] = "int"
    source: str = ""
    choices: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        from simulator.network.check import check_network

        check_network(self)

    def population(self, name: str) -> Population:
        """The population called `name`; an unknown name is an `InputError` with the nearest one."""
        try:
            return self._by_name[name]
        except KeyError:
            raise unknown("population", name, self._by_name) from None

    def incoming(self, name: str) -> tuple[Projection, ...]:
        """Projections that end in population `name`, in file order."""
        return self._incoming.get(name, ())

    def outgoing(self, name: str) -> tuple[Projection, ...]:
        """Projections that start in population `name`, in file order."""
        return tuple(p for p in self.projections if p.source == name)

    @cached_property
    def _by_name(self) -> dict[str, Population]:
        return {p.name: p for p in self.populations}

    @cached_property
    def _incoming(self) -> dict[str, tuple[Projection, ...]]:
        found: dict[str, list[Projection]] = {}
        for projection in self.projections:
            found.setdefault(projection.target, []).append(projection)
        return {name: tuple(items) for name, items in found.items()}

    @cached_property
    def groups(self) -> tuple[tuple[str, ...], ...]:
        """Populations in running order: each group is one strongly connected component, sources first.

        A group with more than one member (or one that feeds itself) is recurrent: its members advance together,
        timestep by timestep, in an order in which every delay-0 projection points forward.
        """
        from simulator.network.order import running_groups

        return running_groups(self)

    @cached_property
    def layers(self) -> tuple[str, ...]:
        """Names of the populations with incoming projections, in running order; a "layer" of tables and ledgers."""
        return tuple(name for group in self.groups for name in group if self.incoming(name))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of the populations that only receive recorded spikes."""
        return tuple(p.name for p in self.populations if p.is_input)

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of the populations that feed nobody."""
        sources = {p.source for p in self.projections}
        return tuple(p.name for p in self.populations if p.name not in sources)

    def topology(self) -> Network:
        """The same network without weights: enough to replay a full trace."""
        bare = tuple(replace(p, weights=None) for p in self.projections)
        return replace(self, projections=bare)

    @property
    def has_weights(self) -> bool:
        """True when every projection carries its weights."""
        return all(p.weights is not None for p in self.projections)

    @cached_property
    def derived(self) -> dict[str, Any]:
        """What others worked out from the weights once and will want again (sparsity, fan-outs), by their own keys."""
        return {}

    @cached_property
    def sha256(self) -> str:
        """Hash of the canonical content, weights included."""
        digest = hashlib.sha256(json.dumps(describe(self), sort_keys=True).encode())
        for projection in self.projections:
            for array in (projection.weights, projection.indptr, projection.indices):
                if array is not None:
                    data = np.ascontiguousarray(array)
                    digest.update(f"{data.dtype.str}{data.shape}".encode())
                    digest.update(data.tobytes())
        return digest.hexdigest()


def describe(network: Network) -> dict[str, Any]:
    """The network without its weights as plain JSON values; the inverse is `from_description`."""
    return {
        "name": network.name,
        "arithmetic": network.arithmetic,
        "source": network.source,
        "choices": network.choices,
        "populations": [
            {"name": p.name, "shape": list(p.shape), "neuron": _plain_neuron(p.neuron, network.arithmetic)}
            for p in network.populations
        ],
        "projections": [
            {k: _plain(getattr(p, k)) for k in p.__dataclass_fields__ if k not in ("weights", "indptr", "indices")}
            for p in network.projections
        ],
    }


def _plain_neuron(neuron: Neuron, arithmetic: str) -> dict[str, Any]:
    """An input population may carry the integer defaults in a float network: one number is written one way."""
    plain = _plain(neuron)
    if neuron.value_bits is None:
        del plain["value_bits"]
    if arithmetic == "float":
        for name in ("threshold", "bias", "initial", "floor"):
            if plain[name] is not None:
                plain[name] = [float(v) for v in plain[name]]
    return plain


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    if hasattr(value, "__dataclass_fields__"):
        return {k: _plain(getattr(value, k)) for k in value.__dataclass_fields__}
    return value


def from_description(
    data: dict[str, Any], arrays: dict[str, dict[str, np.ndarray]] | None = None
) -> Network:
    """Network from `describe`'s values; `arrays[projection]` holds weights, indptr and indices where there are any."""
    from simulator.network.neuron import Decay
    from simulator.network.projection import Pool

    real = np.int64 if data["arithmetic"] == "int" else np.float64

    def neuron(d: dict[str, Any]) -> Neuron:
        d = dict(d)
        for key in ("threshold", "bias", "initial"):
            d[key] = np.asarray(d[key], real)
        if d.get("floor") is not None:
            d["floor"] = np.asarray(d["floor"], real)
        d["decay_v"], d["decay_u"] = Decay(**d["decay_v"]), Decay(**d["decay_u"])
        d["reset_steps"] = tuple(d["reset_steps"])
        return Neuron(**d)

    def projection(d: dict[str, Any]) -> Projection:
        d = dict(d)
        for key in ("kernel", "stride", "padding", "dilation"):
            d[key] = tuple(d[key])
        if d.get("pool") is not None:
            pool = d["pool"]
            d["pool"] = Pool(pool["kind"], tuple(pool["size"]), tuple(pool["stride"]))
        stored: dict[str, Any] = dict((arrays or {}).get(d["name"], {}))
        return Projection(**d, **stored)

    try:
        return Network(
            name=data["name"],
            populations=tuple(
                Population(p["name"], tuple(p["shape"]), neuron(p["neuron"])) for p in data["populations"]
            ),
            projections=tuple(projection(p) for p in data["projections"]),
            arithmetic=data["arithmetic"],
            source=data.get("source", ""),
            choices=data.get("choices", {}),
        )
    except (KeyError, TypeError) as error:
        raise InputError(f"network description is incomplete or has an unknown field: {error}") from None
