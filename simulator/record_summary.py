"""The summary object of a Record (schema "neurocycle.summary/1"): plain Python values in a fixed key order.

Words used here.  An *operation* of `throughput` is what the hardware's peak counts: a synaptic position times the
core's `ops_per_synapse` (1 unless the description says 2).

    gops         operations per second of the dense network (every input fires), 1e9/s: the figure accelerators quote
    gsops        synaptic operations per second that spikes really caused, 1e9/s
    gops_per_w   gops / average power (total energy / time)
    peak_gops    operations per second if every lane of every core worked in every cycle
    utilization  operations executed (ledger) / operations the peak allows in the same time
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

from simulator.units import PS_PER_SECOND, edge_at_or_after

if TYPE_CHECKING:
    from simulator.record import Record

SCHEMA = "neurocycle.summary/1"
OPERANDS = ("weight", "state", "spike", "partial_sum")
MOVES = ("read", "write", "overfetch", "broadcast")


def summarise(record: Record) -> dict[str, Any]:
    """The summary object; keys are documented in the module's docstring and in the design's words."""
    return {
        "schema": SCHEMA,
        "hardware": {"name": record.hardware.name, "sha256": record.hardware.sha256},
        "network": dict(record.network),
        "trace": {key: record.trace[key] for key in ("name", "sha256", "samples", "timesteps")},
        "mapping": dict(record.mapping),
        "engine": record.engine,
        "activity": record.activity,
        "seed": record.seed,
        "latency": _latency(record),
        "work": _work(record),
        "throughput": throughput(record),
        "energy_pj": _energy(record),
        "movement_bits": movement_bits(record),
        "utilization": _utilization(record),
        "area_mm2": _area(record),
        **({"static_mw": _static(record)} if record.built else {}),
        "neurobench": neurobench(record),
    }


def summary_json(record: Record) -> str:
    """The summary as JSON text; the same record gives the same bytes everywhere."""
    return json.dumps(record.summary(), indent=2, allow_nan=False, ensure_ascii=False) + "\n"


def _latency(record: Record) -> dict[str, Any]:
    clock = record.hardware.main_clock
    hertz = int(record.hardware.clocks[clock])
    seconds = record.end_ps / PS_PER_SECOND
    layers = {}
    for row, name in enumerate(record.layers):
        start, end = (int(t) for t in record.layer_span[row])
        if row == 0 and start < 0:
            continue
        layers[name] = {
            "cycles": edge_at_or_after(int(record.layer_busy_ps[row]), hertz),
            "start": None if start < 0 else edge_at_or_after(start, hertz),
            "end": None if end < 0 else edge_at_or_after(end, hertz),
        }
    return {
        "cycles": edge_at_or_after(record.end_ps, hertz),
        "clock": clock,
        "clock_hz": hertz,
        "seconds": seconds,
        "per_sample_seconds": seconds / record.samples if record.samples else None,
        "per_layer": layers,
    }


def _work(record: Record) -> dict[str, Any]:
    work = record.work
    return {
        "input_spikes": int(work["input_spikes"]),
        "spikes": {name: int(work["spikes"][name]) for name in record.named_layers if name in work["spikes"]},
        "synaptic_operations": int(work["synaptic_operations"]),
        "dense_operations": int(work["dense_operations"]),
        "neuron_updates": int(work["neuron_updates"]),
        "output_spikes": int(work["output_spikes"]),
        "saturations": int(work["saturations"]),
        **{key: work[key] for key in ("tiles", "crossbar", "beside_network") if work.get(key)},
    }


def peak_operations(spec: Any) -> tuple[int, int] | None:
    """(operations per cycle at full use, operations per synaptic position) of a unit that computes; None for others."""
    peak = getattr(spec, "peak_ops_per_cycle", None)
    if peak is None:
        return None
    return int(peak), int(getattr(getattr(spec, "gather", None), "ops_per_synapse", 1))


def throughput(record: Record) -> dict[str, float | None]:
    """gops, gsops, gops_per_w, peak_gops, utilization; None where the divisor is zero or no unit computes."""
    seconds = record.end_ps / PS_PER_SECOND
    hardware = record.hardware
    peak, executed, factor = 0, 0, 1
    for u, unit in enumerate(record.units):
        found = peak_operations(hardware.units[unit])
        if found is None:
            continue
        peak += found[0] * int(hardware.clocks[hardware.units[unit].clock])
        factor = max(factor, found[1])
        columns = [a for a, name in enumerate(record.actions) if name.startswith("accumulate:")]
        executed += int(record.counts[u][:, columns].sum())
    dense = int(record.work["dense_operations"]) * factor
    joules = record.energy.total * 1e-12
    return {
        "gops": dense / seconds / 1e9 if seconds else None,
        "gsops": int(record.work["synaptic_operations"]) / seconds / 1e9 if seconds else None,
        "gops_per_w": dense / joules / 1e9 if joules else None,
        "peak_gops": peak / 1e9 if peak else None,
        "utilization": executed / (peak * seconds) if peak and seconds else None,
    }


def _energy(record: Record) -> dict[str, Any]:
    energy = record.energy
    return {
        "total": energy.total,
        "dynamic": energy.dynamic,
        "static": energy.static,
        "by_unit": {unit: energy.by_unit.get(unit, 0.0) for unit in record.units},
        "by_action": energy.by_action,
        "by_layer": {layer: energy.by_layer.get(layer, 0.0) for layer in record.layers},
        "by_grade": energy.by_grade,
    }


def level_of(unit: str) -> str:
    """Memory level of a unit: its name without the index of a range, so that `weight[0]` .. `weight[3]` are one."""
    return re.sub(r"\[\d+\]", "", unit)


def movement_bits(record: Record) -> dict[str, dict[str, dict[str, int]]]:
    """Bits per memory level, operand and direction; only levels that can move, and operands that did."""
    levels: dict[str, dict[str, dict[str, int]]] = {}
    column = {name: a for a, name in enumerate(record.actions)}
    for u, unit in enumerate(record.units):
        names = [a.name for a in record.hardware.units[unit].ACTIONS if a.verb in MOVES and a.operand in OPERANDS]
        if not names:
            continue
        level = levels.setdefault(level_of(unit), {})
        for operand in OPERANDS:
            for verb in MOVES:
                name = f"{verb}:{operand}"
                if name in names and name in column:
                    parts = level.setdefault(operand, dict.fromkeys(MOVES, 0))
                    parts[verb] += int(record.counts[u, :, column[name]].sum())
    return {
        name: {operand: parts for operand, parts in level.items() if any(parts.values())}
        for name, level in levels.items()
    }


def _utilization(record: Record) -> dict[str, Any]:
    found = {}
    for unit in record.units:
        time = record.cycles[unit]
        found[unit] = {
            "clock": time.clock,
            "busy": int(time.busy),
            "idle": int(time.idle),
            "stall": {cause: int(n) for cause, n in time.stall.items()},
            "waits": {cause: int(n) for cause, n in time.waits.items()},
        }
    return found


def _area(record: Record) -> dict[str, Any]:
    """Area in mm2 by unit; where a mapping builds units, also by component ("cim.adc") and per tile."""
    parts = {
        unit: {
            name: um2 * 1e-6
            for name, um2 in record.hardware.units[unit].built_area_um2(record.built[unit]).items()
        }
        for unit in record.units
        if unit in record.built
    }
    by_unit = {
        unit: math.fsum(parts[unit].values()) if unit in parts else float(record.hardware.units[unit].area_mm2.value)
        for unit in record.units
    }
    area: dict[str, Any] = {"total": math.fsum(by_unit.values()), "by_unit": by_unit}
    if parts:
        area["by_component"] = {f"{unit}.{name}": mm2 for unit, found in parts.items() for name, mm2 in found.items()}
        area["per_tile"] = {unit: by_unit[unit] / n for unit in parts if (n := record.built[unit].get("tiles"))}
    return area


def _static(record: Record) -> dict[str, Any]:
    """Static power in mW of the units that a mapping builds, by component ("cim.leakage_adc") and per tile."""
    by_component: dict[str, float] = {}
    per_tile: dict[str, float] = {}
    for unit, built in record.built.items():
        powers = record.hardware.units[unit].built_leakage_mw(built)
        found = {f"{unit}.{name}": float(power.value) for name, power in powers.items()}
        by_component |= found
        if built.get("tiles"):
            per_tile[unit] = math.fsum(found.values()) / built["tiles"]
    return {"total": math.fsum(by_component.values()), "by_component": by_component, "per_tile": per_tile}


def neurobench(record: Record) -> dict[str, Any]:
    """The NeuroBench block; a figure that the record cannot give exactly is None, never an estimate.

    ActivationSparsity counts spikes over neurons x timesteps x samples of all layers; where a neuron may send several
    spikes in a timestep, a count of spikes is no count of active neurons and the figure is None.
    SynapticOperations are per sample; Dense leaves padding out, unlike `work.dense_operations`.  Effective ones leave
    zero weights out: they are taken from the run where it knows them, or are the synaptic operations themselves where
    no weight is zero and all layers see binary inputs.
    """
    network, work, samples = record.network, record.work, record.samples
    neurons = network.get("neurons_by_layer") or {}
    steps = int(record.trace.get("total_steps", samples * int(record.trace["timesteps"])))
    activations = sum(neurons.values()) * steps
    spikes = sum(int(work["spikes"].get(name, 0)) for name in neurons)
    macs, acs = work.get("effective_macs"), work.get("effective_acs")
    all_binary = bool(neurons) and set(network.get("binary_layers", ())) >= neurons.keys()
    if macs is None and acs is None and network.get("zero_weights") == 0 and all_binary:
        macs, acs = 0, work["synaptic_operations"]

    def per_sample(count: Any) -> float | None:
        return None if count is None or not samples else int(count) / samples

    return {
        "Footprint": network.get("footprint_bytes"),
        "ConnectionSparsity": network.get("connection_sparsity"),
        "ActivationSparsity": 1 - spikes / activations if activations and not network.get("multi_spike") else None,
        "SynapticOperations": {
            "Dense": None if network.get("synapses") is None else per_sample(network["synapses"] * steps),
            "Effective_MACs": per_sample(macs),
            "Effective_ACs": per_sample(acs),
        },
    }
