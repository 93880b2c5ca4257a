"""VGG-11 and ResNet-18 on the SIA reconstruction: the workload arithmetic, and replays with drawn or dense activity.

Two kinds of check.  `workload_checks` holds shapes and counts of the built-in networks against the tables; it runs
nothing.  `replay` runs a network and holds what the machine did against `sia_formula`.

Pooling: the built-in networks pool by average, and a core without multipliers executes an operation for each of the
spikes (up to four in VGG-11) that fall on one pooled position.  The tables count one event per position, as if the
pooled map sent spikes of its own; so in dense runs, and there only, a pooled position carries one event (pooling "or").
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from benchmarks.sia_formula import expected, inside, positions, weights
from benchmarks.sia_layer import PRESET, executed_operations, static_mw
from benchmarks.sia_tables import CLASSIFIER_WEIGHTS, IDENTITY_ADDITIONS, PEAK_OPS, STEPS, TABLES, TOTALS, Row
from simulator.hardware import load_hardware
from simulator.mapping import Mapping, place
from simulator.network import Network, Projection
from simulator.network.zoo import resnet18, vgg11
from simulator.record import Record
from simulator.run import simulate
from simulator.trace import Trace
from simulator.trace.dense import dense_trace
from simulator.trace.synthetic import bernoulli_trace

NETWORKS = {"vgg11": vgg11, "resnet18": resnet18}
GATINGS = ("none", "energy", "skip")
ACTIVITIES = ("spikes", "dense")


@dataclass(frozen=True)
class Check:
    """One comparison: what, and both values."""

    what: str
    found: Any
    expected: Any

    @property
    def holds(self) -> bool:
        """True when both values are the same."""
        return bool(self.found == self.expected)


@dataclass(frozen=True)
class Replay:
    """One run of one network: figures of the whole, a row per layer, and the checks on it.

    ms, compute_ms      the whole run; the cycles in which the array executes operations
    gops                operations of the dense network / time: "effective" where gating skips, it may exceed the peak
    sop                 synaptic operations that spikes caused
    utilization         operations executed / operations that the array could have executed in the time
    energy_mj           operations and static board power for the whole run
    neuron_unit_ms      time the batch-norm and threshold unit works; wait_ms: array waiting for it
    other_ms            the core's other busy time: pipeline fill, and the neuron unit finishing after the array
    stall_ms, idle_ms   by cause, time in which the core could not work; time without work
    """

    network: str
    gating: str
    activity: str
    ops_per_synapse: int
    ms: float
    compute_ms: float
    gops: float
    sop: int
    dense_operations: int
    utilization: float
    energy_mj: float
    neuron_unit_ms: float
    wait_ms: float
    other_ms: float
    stall_ms: dict[str, float]
    idle_ms: float
    weight_bytes: int
    layers: list[dict[str, Any]]
    checks: list[Check] = field(repr=False)


def workload_checks(name: str) -> list[Check]:
    """Every column of the network's table, its totals, and the closed forms for dense time and energy."""
    network = NETWORKS[name]()
    found = [_row(network, p) for p in network.projections if p.kind == "conv"]
    by_name = {row.name: row for row in found}
    checks = [
        Check(f"{name} {row.name} {column}", getattr(by_name.get(row.name), column, None), getattr(row, column))
        for row in TABLES[name]
        for column in Row._fields[1:]
    ]
    total = TOTALS[name]
    for column in ("neurons", "positions", "inside", "weights"):
        checks.append(Check(f"{name} sum of {column}", sum(getattr(r, column) for r in found), getattr(total, column)))
    seconds = [STEPS * sum(row.positions for row in found) * ops / PEAK_OPS for ops in (1, 2)]
    checks.append(Check(f"{name} dense ms, 1 and 2 ops", tuple(f"{s * 1e3:.2f}" for s in seconds), total.dense_ms))
    energy = tuple(f"{s * 1540:.1f}" for s in seconds)
    checks.append(Check(f"{name} dense mJ at 1.54 W, 1 and 2 ops", energy, total.dense_mj))
    additions = IDENTITY_ADDITIONS if name == "resnet18" else 0
    checks.append(Check(f"{name} identity additions", _identities(network), additions))
    classifier = sum(weights(network, p) for p in network.projections if p.kind == "linear")
    checks.append(Check(f"{name} classifier weights", classifier, CLASSIFIER_WEIGHTS))
    return checks


def replay(name: str, gating: str, activity: str, rate: float = 0.1, ops_per_synapse: int = 2, seed: int = 0) -> Replay:
    """Runs a network for T = 8 on the preset; spikes are drawn with probability `rate`, or dense."""
    hardware = load_hardware(PRESET, [f"core.gather.gating={gating}", f"core.gather.ops_per_synapse={ops_per_synapse}"])
    network = NETWORKS[name]()
    if activity == "dense":
        network = one_event_per_position(network)
        trace = dense_trace(network, STEPS)
    else:
        trace = bernoulli_trace(network, STEPS, rate, seed=seed)
    mapping = place(network, hardware)
    record = simulate(hardware, network, trace, mapping, seed=seed)
    time, milli = record.cycles["core"], 1e3 / hardware.clock_hz("core")
    seconds = record.end_ps / 1e12
    dense = int(record.work["dense_operations"])
    compute, wait = time.waits["compute"], time.waits.get("neuron_unit_wait", 0)
    return Replay(
        network=name,
        gating=gating,
        activity=activity,
        ops_per_synapse=ops_per_synapse,
        ms=seconds * 1e3,
        compute_ms=compute * milli,
        gops=dense * ops_per_synapse / seconds / 1e9,
        sop=int(record.work["synaptic_operations"]),
        dense_operations=dense,
        utilization=executed_operations(record) / (PEAK_OPS * seconds),
        energy_mj=record.energy.total * 1e-9,
        neuron_unit_ms=time.waits["neuron_unit"] * milli,
        wait_ms=wait * milli,
        other_ms=(time.busy - compute - wait) * milli,
        stall_ms={cause: cycles * milli for cause, cycles in time.stall.items()},
        idle_ms=time.idle * milli,
        weight_bytes=sum(_weight_bytes(record).values()),
        layers=list(_layers(network, record, ops_per_synapse)),
        checks=list(_run_checks(network, mapping, trace, record)),
    )


def one_event_per_position(network: Network) -> Network:
    """The same network with OR pooling: a pooled position sends at most one spike per timestep."""
    pooled = (p if p.pool is None else replace(p, pool=replace(p.pool, kind="or")) for p in network.projections)
    return replace(network, projections=tuple(pooled))


def _run_checks(network: Network, mapping: Mapping, trace: Trace, record: Record) -> Iterator[Check]:
    gather = record.hardware.units["core"].gather  # type: ignore[attr-defined]
    dense = trace.name.startswith("dense")
    name = f"{network.name} {gather.gating} {'dense' if dense else 'spikes'}"
    work, total = record.work, TOTALS[network.name]
    bytes_read = _weight_bytes(record)
    layers = {layer: expected(network, layer, mapping, gather, trace) for layer in network.layers}
    for layer, found in layers.items():
        projections = network.incoming(layer)
        yield Check(f"{name} {layer} weight bytes", bytes_read[layer], sum(weights(network, p) for p in projections))
        everything = STEPS * sum(positions(network, p) for p in projections)
        yield Check(f"{name} {layer} dense operations", work["dense_by_layer"][layer], everything)
        yield Check(f"{name} {layer} synaptic operations", work["synaptic_by_layer"][layer], found.sop)
    # One weight per channel of an identity shortcut, and the classifier, come on top of the tables' sum.
    extra = sum(weights(network, p) for p in network.projections if p.kind in ("one_to_one", "linear"))
    convolutions = sum(bytes_read.values()) - extra
    yield Check(f"{name} weight bytes of the convolutions, once per image", convolutions, total.weights)
    if dense:
        reached = STEPS * (total.inside + CLASSIFIER_WEIGHTS + _identities(network))
        yield Check(f"{name} synaptic operations: positions inside", work["synaptic_operations"], reached)
    walked = sum(x.walked if gather.gating == "none" else x.sop for x in layers.values())
    yield Check(f"{name} operations executed", executed_operations(record), walked * gather.ops_per_synapse)
    compute = record.cycles["core"].waits["compute"]
    yield Check(f"{name} compute cycles", compute, sum(x.cycles for x in layers.values()))


def _weight_bytes(record: Record) -> dict[str, int]:
    """Bytes of weights read from main memory, per layer."""
    bits = record.counts[record.units.index("ddr"), :, record.actions.index("read:weight")]
    return {layer: int(n) // 8 for layer, n in zip(record.layers[1:], bits[1:], strict=True)}


def _layers(network: Network, record: Record, factor: int) -> Iterator[dict[str, Any]]:
    per_layer = record.summary()["latency"]["per_layer"]
    accumulate = record.actions.index("accumulate:partial_sum")
    static = float(static_mw(record.hardware))
    bytes_read = _weight_bytes(record)
    for row, layer in enumerate(record.layers[1:], start=1):
        seconds = int(record.layer_busy_ps[row]) / 1e12
        projections = network.incoming(layer)
        executed = int(record.counts[:, row, accumulate].sum())
        yield {
            "layer": layer,
            "cycles": per_layer[layer]["cycles"],
            "ms": seconds * 1e3,
            "positions": sum(positions(network, p) for p in projections),
            "inside": sum(inside(network, p) for p in projections),
            "sop": int(record.work["synaptic_by_layer"][layer]),
            "weight_bytes": bytes_read[layer],
            "gops": int(record.work["dense_by_layer"][layer]) * factor / seconds / 1e9,
            "utilization": executed / (PEAK_OPS * seconds),
            "energy_uj": record.energy.by_layer.get(layer, 0.0) * 1e-6 + static * seconds * 1e3,
        }


def _row(network: Network, p: Projection) -> Row:
    """The table's columns of one convolution, computed from the network."""
    target = network.population(p.target)
    neurons = target.size if p.name == p.target else 0
    count, dense = weights(network, p), positions(network, p)
    return Row(
        p.name,
        neurons,
        dense,
        inside(network, p),
        count,
        f"{count * p.weight_bits / 8 / 1024:.1f}",
        neurons * target.neuron.membrane_bits // 8 // 1024,
        neurons * STEPS // 8 // 1024,
        f"{STEPS * dense / PEAK_OPS * 1e3:.3f}",
    )


def _identities(network: Network) -> int:
    """Additions of the identity shortcuts per timestep if every source neuron fires."""
    return sum(inside(network, p) for p in network.projections if p.kind == "one_to_one")
