"""Networks from NIR files (.nir).

NIR gives equations in continuous time.  What it does not give, the user chooses (see `choices.py`): `reset`, `floor`,
`output`, `compare`, `delay`, and for decaying neurons the timestep (`dt_us`, `dt_ms` or `dt_s`) and `decay`.
`quantise = int8` turns the result into integers.  Per timestep, with I the weighted sum of spikes plus bias:

    IF        v += r I
    LIF       v = (1 - k) v + k (v_leak + r I)        k = dt / tau (euler) or 1 - exp(-dt / tau) (exact)
    CubaLIF   u = (1 - k_syn) u + k_syn w_in I;  v = (1 - k_mem) v + k_mem (v_leak + r u)
    Threshold v = I, forgotten after the timestep

The factors are multiplied into weights and bias.  Every feed-forward hop takes `delay` timesteps; a projection that
closes a cycle takes at least one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from simulator.errors import InputError
from simulator.network.choices import check_keys, decimal, number, one_of, require, timestep_us
from simulator.network.cut import cut_network
from simulator.network.hdf5 import naming
from simulator.network.network import Network
from simulator.network.neuron import Decay, Model, Neuron
from simulator.network.nir_chain import Chain, Shape, bias_through, chw
from simulator.network.nir_graph import MAPS, NEURONS, Graph, Node, read_graph
from simulator.network.population import Population
from simulator.network.projection import Projection
from simulator.network.quantise import quantise_int8

MAX_PATHS = 10_000


def read_nir(path: str | Path, choices: Mapping[str, Any]) -> Network:
    """Network of a NIR file with the user's `choices`.

    Raises InputError for a missing or unknown choice, a node type without counterpart, and graphs that do not come
    down to populations and projections.
    """
    with naming(path):
        network = _Reader(read_graph(path), choices).network()
        if "until" in choices:
            network = cut_network(network, str(choices["until"]))
        return quantise_int8(network) if network.choices.get("quantise") == "int8" else network


class _Reader:
    def __init__(self, graph: Graph, choices: Mapping[str, Any]) -> None:
        self.graph, self.path = graph, graph.path
        self.kinds = {n.type for n in graph.nodes.values()}
        self._shapes: dict[str, Shape] = {}
        self.names = self._order()
        self.bias: dict[str, np.ndarray] = {}
        self.chains: list[tuple[str, str, list[Node]]] = []
        for name in self.names:
            self._collect(name)
        self.used = self._choose(choices)

    def network(self) -> Network:
        populations = []
        for name in self.names:
            shape = chw(self.graph, self._shape(name), name)
            populations.append(Population(name, shape, self._neuron(self.graph.nodes[name], shape)))
        return Network(
            name=self.path.stem,
            populations=tuple(populations),
            projections=tuple(self._projections({p.name: p.shape for p in populations})),
            arithmetic="float",
            source=f"NIR file {self.path.name}, version {self.graph.version}",
            choices=self.used,
        )

    def _choose(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The choices that this graph needs, checked, in plain form."""
        decaying = bool(self.kinds & {"LIF", "CubaLIF"})
        needed = ["reset", "floor"] if self.kinds & {"IF", "LIF", "CubaLIF"} else []
        needed += ["output", "compare", "delay"]
        steps = [key for key in ("dt_us", "dt_ms", "dt_s") if key in given]
        if decaying:
            needed += ["decay", *(steps or ["dt_us"])]
        # The timestep also bins the input, so it may be given where no neuron decays.
        check_keys(given, dict.fromkeys([*needed, "quantise", "until", "dt_us", "dt_ms", "dt_s"]), file=self.path)
        require(given, needed, file=self.path)
        options = {
            "reset": ("zero", "subtract"),
            "output": ("binary", "multi"),
            "compare": ("ge", "gt"),
            "decay": ("euler", "exact"),
            "quantise": ("none", "int8"),
        }
        used: dict[str, Any] = {k: one_of(given, k, v, file=self.path) for k, v in options.items() if k in given}
        used["delay"] = number(given, "delay", file=self.path, high=2**16)
        if "floor" in needed:
            text = str(given["floor"]).strip().lower()
            named = given["floor"] is None or text in ("none", "minus_threshold")
            used["floor"] = (
                ("none" if given["floor"] is None else text)
                if named
                else float(decimal(given, "floor", file=self.path))
            )
        if steps:
            self.dt_s = float(timestep_us(given, file=self.path) / 10**6)
            used["dt_s"] = self.dt_s
        return used

    # --- which node is what

    def _order(self) -> list[str]:
        """Populations, inputs first; where a cycle leaves no other choice, the first that something placed reaches."""
        graph = self.graph
        sources = {
            n: {s for s, _ in self._paths(n)} for n, v in graph.nodes.items() if v.type in NEURONS or v.type == "Input"
        }
        for name, node in graph.nodes.items():
            if node.type == "Output":
                bare = [n for n in graph.before[name] if graph.nodes[n].type in MAPS]
                if bare:
                    raise graph.wrong(bare[0], "the output has no neurons after these weights")
            elif node.type in MAPS and not any(name in before for before in graph.before.values()):
                raise graph.wrong(name, "leads nowhere")
            elif node.type in NEURONS and not graph.before[name]:
                raise graph.wrong(name, "has no input")
        if not any(v.type == "Input" for v in graph.nodes.values()):
            raise InputError("the graph has no Input", file=self.path)
        placed: list[str] = []
        while len(placed) < len(sources):
            rest = [n for n in sources if n not in placed]
            ready = (
                [n for n in rest if sources[n] <= {*placed, n}] or [n for n in rest if sources[n] & set(placed)] or rest
            )
            placed.append(ready[0])
        return placed

    def _paths(self, target: str) -> Iterator[tuple[str, list[Node]]]:
        """(source population, nodes between) for every way that leads into `target`; nearest nodes are walked first."""
        graph = self.graph
        stack: list[tuple[str, list[Node]]] = [(target, [])]
        count = 0
        while stack:
            at, chain = stack.pop()
            for name in reversed(graph.before[at]):
                node = graph.nodes[name]
                if node.type in NEURONS or node.type == "Input":
                    yield name, chain
                elif node.type == "Output":
                    raise graph.wrong(name, "an output cannot feed other nodes")
                elif any(n is node for n in chain):
                    raise graph.wrong(name, "a cycle without neurons")
                else:
                    stack.append((name, [node, *chain]))
                count += 1
                if count > MAX_PATHS:
                    raise graph.wrong(target, "too many ways lead into this node", allowed=f"at most {MAX_PATHS}")

    def _collect(self, target: str) -> None:
        """Chains into `target`, and what the biases on them add up to (each bias once per way from its node)."""
        seen: dict[tuple[int, ...], None] = {}
        total: np.ndarray | None = None
        for source, nodes in self._paths(target):
            self.chains.append((source, target, nodes))
            for i, node in enumerate(nodes):
                key = tuple(id(n) for n in nodes[i:])
                if key in seen:
                    continue
                seen[key] = None
                shape = Chain(self.graph, nodes[: i + 1], self._shape(source)).shape
                value = bias_through(self.graph, node, nodes[i + 1 :], shape)
                if value is not None:
                    total = value if total is None else total + value
        if total is not None:
            self.bias[target] = total

    def _shape(self, name: str) -> Shape:
        """Shape of a population; parameters of one value take the shape of what arrives."""
        if name not in self._shapes:
            node = self.graph.nodes[name]
            if node.type == "Input":
                shape = tuple(int(n) for n in node.values["shape"].reshape(-1)[:8])
            else:
                try:
                    shape = np.broadcast_shapes(*(node.values[k].shape for k in NEURONS[node.type]))
                except ValueError:
                    raise self.graph.wrong(name, "parameters have different shapes") from None
                if int(np.prod(shape)) == 1:
                    self._shapes[name] = shape
                    arriving = [(s, c) for s, c in self._paths(name) if s != name]
                    if arriving:
                        shape = Chain(self.graph, arriving[0][1], self._shape(arriving[0][0])).shape
            self._shapes[name] = shape
        return self._shapes[name]

    # --- populations and projections

    def _projections(self, shapes: dict[str, tuple[int, int, int]]) -> Iterator[Projection]:
        taken: set[str] = set()
        place = {name: i for i, name in enumerate(self.names)}
        for source, target, nodes in self.chains:
            chain, own = Chain(self.graph, nodes, self._shape(source)), self._shape(target)
            if chain.shape != own:
                raise self.graph.wrong(
                    target,
                    f"what arrives from {source} does not fit the neurons",
                    found=chain.shape,
                    allowed=[str(own)],
                )
            chain.scale(self._gain(self.graph.nodes[target]))
            weighted = [n.name for n in nodes if "weight" in n.values or "scale" in n.values]
            name = weighted[-1] if weighted else f"{source}->{target}"
            name = name if name not in taken else f"{name}:{source}->{target}"
            taken.add(name)
            recurrent = place[source] >= place[target]
            delay = max(1, self.used["delay"]) if recurrent else self.used["delay"]
            yield chain.projection(name, source, target, shapes[target], delay)

    def _step(self, node: Node, key: str) -> np.ndarray:
        """Share k of the way to rest that a state covers in one timestep; `key` names the time constant."""
        tau = node.values[key].astype(np.float64)
        if (tau <= 0).any():
            raise self.graph.wrong(node.name, f"{key} must be positive", found=float(tau.min()))
        share = self.dt_s / tau if self.used["decay"] == "euler" else -np.expm1(-self.dt_s / tau)
        if (share > 1).any():
            raise self.graph.wrong(
                node.name,
                f"the timestep is longer than {key}",
                found=f"{self.dt_s} s",
                allowed=f"at most {tau.min()} s",
            )
        return share

    def _gain(self, node: Node) -> np.ndarray:
        """What one unit of weighted input adds to the membrane (or to the current, in units of the membrane)."""
        values = node.values
        if node.type == "Threshold":
            return np.ones(1)
        r = values["r"].astype(np.float64)
        if node.type == "IF":
            return r
        if node.type == "LIF":
            return r * self._step(node, "tau")
        return r * self._step(node, "tau_mem") * values["w_in"] * self._step(node, "tau_syn")

    def _neuron(self, node: Node, shape: tuple[int, int, int]) -> Neuron:
        if node.type == "Input":
            return Neuron("input")
        graph, values, used = self.graph, node.values, self.used
        compare, output = used["compare"], used["output"]
        bias = self.bias.get(node.name, np.zeros(1))
        if node.type == "Threshold":
            threshold = self._per_channel(node, "threshold", values["threshold"], shape)
            return Neuron(
                "if",
                threshold,
                self._per_channel(node, "bias", bias, shape),
                np.zeros(1),
                reset="zero",
                compare=compare,
                output=output,
                membrane_bits=32,
                stateful=False,
            )
        if values.get("v_reset", np.zeros(1)).any():
            raise graph.wrong(node.name, "v_reset other than 0 is not supported")
        threshold = self._per_channel(node, "v_threshold", values["v_threshold"], shape)
        if (threshold <= 0).any():
            raise graph.wrong(node.name, "v_threshold must be positive", found=float(threshold.min()))
        decays: dict[str, Any] = {}
        if node.type == "CubaLIF" and bias.any():
            raise graph.wrong(node.name, "a bias into a CubaLIF decays with its current, which has no counterpart here")
        if node.type != "IF":
            share = self._step(node, "tau" if node.type == "LIF" else "tau_mem")
            decays["decay_v"] = self._decay(node, share)
            bias = share * values["v_leak"] + (self._gain(node) * bias if node.type == "LIF" else 0.0)
        else:
            bias = self._gain(node) * bias
        if node.type == "CubaLIF":
            decays["decay_u"] = self._decay(node, self._step(node, "tau_syn"))
        floor = None
        if used["floor"] == "minus_threshold":
            floor = -threshold
        elif used["floor"] != "none":
            floor = np.full(1, used["floor"], np.float64)
        models: dict[str, Model] = {"IF": "if", "LIF": "lif", "CubaLIF": "cuba_lif"}
        return Neuron(
            models[node.type],
            threshold,
            self._per_channel(node, "bias", bias, shape),
            np.zeros(1),
            used["reset"],
            compare,
            floor=floor,
            output=output,
            **decays,
        )

    def _decay(self, node: Node, share: np.ndarray) -> Decay:
        flat = np.unique(share)
        if flat.size > 1:
            raise self.graph.wrong(
                node.name,
                "time constants differ within the population: one per population is supported",
                found=f"{flat.size} values",
            )
        return Decay("factor", factor=float(1.0 - flat[0]))

    def _per_channel(self, node: Node, what: str, value: np.ndarray, shape: tuple[int, int, int]) -> np.ndarray:
        """float64 [C] (or [1] where all are equal) of a parameter given per neuron."""
        full = np.broadcast_to(np.asarray(value, np.float64), self._shape(node.name)).reshape(shape[0], -1)
        if (full != full[:, :1]).any():
            raise self.graph.wrong(node.name, f"{what} differs within a channel: one value per channel is supported")
        return full[:1, 0].copy() if (full == full[0, 0]).all() else full[:, 0].copy()
