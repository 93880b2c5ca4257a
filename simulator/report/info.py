"""What is in a file, as plain values: a trace, network, hardware config, mapping, record or cost model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping as Choices
from pathlib import Path
from typing import Any

import numpy as np

from simulator.costmodel.model import CostModel
from simulator.errors import InputError, unknown
from simulator.hardware import Hardware, load_hardware
from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.fusion.entry import FusedMapping
from simulator.mapping.mapping import LayerMapping, Mapping
from simulator.network import Network
from simulator.network.hdf5 import HdfFile, is_hdf5
from simulator.record import Record
from simulator.record_network import network_facts
from simulator.report.costmodel import describe_model
from simulator.report.crossbars import TYPE as CROSSBAR_TYPE
from simulator.report.crossbars import converter_text
from simulator.report.dram import row_hit_rates
from simulator.report.quantity import percent, quantity
from simulator.resources import list_resources
from simulator.trace import Trace

HEAD_BYTES = 2**16
_MAPPING = re.compile(rb"""^["']?schema["']?\s*:\s*["']?neurocycle\.mapping/""", re.MULTILINE)


def describe_file(name: str, choices: Choices[str, Any] | None = None) -> dict[str, Any]:
    """Description of `name`: a path, a run directory, or a bundled name (all that bear the name).

    `choices` say what a foreign format leaves open.  Raises InputError where the content is not understood.
    """
    path = Path(name)
    if (path / "record.h5").is_file():
        path = path / "record.h5"
    if not path.exists():
        return _describe_bundled(name, dict(choices or {}))
    facts = _describe_recording(path) if not choices else None
    return {"file": str(path), "bytes": path.stat().st_size, **(facts or describe(_load(path, dict(choices or {}))))}


def describe(thing: Hardware | Network | Trace | Mapping | Record | CostModel) -> dict[str, Any]:
    """Description of a loaded object; key "kind" says which kind it is."""
    if isinstance(thing, Hardware):
        return {"kind": "hardware", **describe_hardware(thing)}
    if isinstance(thing, Network):
        return {"kind": "network", **describe_network(thing)}
    if isinstance(thing, Trace):
        return {"kind": "trace", **describe_trace(thing)}
    if isinstance(thing, Mapping):
        return {"kind": "mapping", **describe_mapping(thing)}
    if isinstance(thing, CostModel):
        return {"kind": "cost model", **describe_model(thing)}
    return {"kind": "record", **describe_record(thing)}


def describe_hardware(hardware: Hardware) -> dict[str, Any]:
    """Clocks, units by type, capacities, and how many constants have which grade."""
    memories = {
        name: _capacity(spec.capacity_bytes)  # type: ignore[attr-defined]
        for name, spec in hardware.units.items()
        if hasattr(spec, "capacity_bytes")
    }
    crossbars = {name: converter_text(spec) for name, spec in hardware.units.items() if spec.type == CROSSBAR_TYPE}
    return {
        "name": hardware.name,
        "description": hardware.description,
        "labels": list(hardware.labels),
        "price_set": hardware.price_set,
        "sha256": hardware.sha256,
        "clocks": {
            name: quantity(hertz, "Hz") + (" (main)" if name == hardware.main_clock else "")
            for name, hertz in hardware.clocks.items()
        },
        "units": {name: spec.type for name, spec in hardware.units.items()},
        "memories": memories,
        **({"crossbars": crossbars} if crossbars else {}),
        "constants_by_grade": dict(sorted(Counter(hardware.grades().values()).items())),
    }


def describe_network(network: Network) -> dict[str, Any]:
    """Sizes, and one line per population and projection."""
    facts = network_facts(network)
    return {
        "name": network.name,
        "sha256": network.sha256,
        "source": network.source,
        "arithmetic": network.arithmetic,
        "neurons": facts["neurons"],
        "weights": facts["weights"],
        "has_weights": network.has_weights,
        "connection_sparsity": facts["connection_sparsity"],
        "footprint_bytes": facts["footprint_bytes"],
        "choices": {str(key): str(value) for key, value in network.choices.items()},
        "populations": {
            p.name: f"{p.neuron.model}, shape {' x '.join(str(n) for n in p.shape)}" for p in network.populations
        },
        "projections": {
            p.name: f"{p.kind} {p.source} -> {p.target}, {p.weight_bits}-bit weights"
            + (f", delay {p.delay}" if p.delay else "")
            + (f", {p.pool.kind} pooling" if p.pool else "")
            for p in network.projections
        },
    }


def describe_trace(trace: Trace) -> dict[str, Any]:
    """Samples, duration, and spikes and rate per population (a multi-spike entry counts once)."""
    duration = int(trace.steps.sum())
    span = "timesteps" if trace.time_base == "step" else f"duration_{trace.time_base}"
    populations = {}
    for name, spikes in trace.populations.items():
        size = trace.network.population(name).size
        rate = spikes.count / (size * duration) if duration else None
        each = f"{percent(rate, 2)} of neurons per step" if trace.time_base == "step" else f"{size:,} neurons"
        populations[name] = f"{spikes.count:,} spikes, {each}"
    return {
        "name": trace.name,
        "network": trace.network.name,
        "source": trace.source,
        "time_base": trace.time_base,
        "samples": trace.samples,
        span: {"longest": int(trace.steps.max(initial=0)), "total": duration},
        "complete": trace.complete,
        "labels": None if trace.labels is None else int(np.unique(trace.labels).size),
        "spikes": sum(s.count for s in trace.populations.values()),
        "populations": populations,
    }


def describe_mapping(mapping: Mapping) -> dict[str, Any]:
    """Which hardware and network it is for, and one line per layer."""
    return {
        "hardware": mapping.hardware,
        "network": mapping.network,
        "sha256": mapping.sha256,
        "timesteps": mapping.timesteps,
        "layers": {m.layer: _layer_line(m) for m in mapping.layers},
    }


def _layer_line(m: LayerMapping | CrossbarMapping | FusedMapping) -> str:
    if isinstance(m, LayerMapping):
        return (
            f"cores {', '.join(m.cores)}; tiles of {m.tile_channels} channels x {m.tile_rows} rows; "
            f"weights {m.weights}, state {m.state}, spikes {m.spikes}"
        )
    if isinstance(m, FusedMapping):
        return f"{m.unit}, block {m.block}; nodes of {m.node_timesteps} timestep(s), {m.columns} column range(s)"
    return f"{m.unit}, {m.arrangement}; copies {m.copies}; from processing element {m.first_pe}"


def describe_record(record: Record) -> dict[str, Any]:
    """The run's inputs and its headline figures."""
    summary = record.summary()
    latency, rate, energy = summary["latency"], summary["throughput"], summary["energy_pj"]
    hits = row_hit_rates(record)
    return {
        "hardware": record.hardware.name,
        "network": record.network["name"],
        "trace": record.trace["name"],
        "samples": record.samples,
        "engine": record.engine,
        "activity": record.activity,
        "seed": record.seed,
        "cycles": latency["cycles"],
        "time": quantity(latency["seconds"], "s"),
        "energy": quantity(energy["total"] * 1e-12, "J"),
        "synaptic_operations": summary["work"]["synaptic_operations"],
        "utilization": percent(rate["utilization"]),
        **({"row_hits": {unit: percent(rate) for unit, rate in hits.items()}} if hits else {}),
        "intervals": None if record.timeline is None else int(record.timeline["start"].size),
        "units": {
            unit: percent(time.busy / time.cycles) + " busy" if time.cycles else "–"
            for unit, time in record.cycles.items()
        },
    }


def _describe_recording(path: Path) -> dict[str, Any] | None:
    """Events of a camera file before any choice is made about them; None for other files."""
    from simulator.trace.load import CAMERAS

    if path.is_dir() or path.suffix not in CAMERAS:
        return None
    events = CAMERAS[path.suffix](path)
    count = int(events.time.size)
    span_us = int(events.time.max() - events.time.min()) if count else 0
    return {
        "kind": "recording",
        "events": count,
        "on_events": int(events.polarity.astype(np.int64).sum()),
        "duration": quantity(span_us * 1e-6, "s"),
        "rate": quantity(count / (span_us * 1e-6), "events/s") if span_us else None,
        "pixels_seen": f"x up to {int(events.x.max())}, y up to {int(events.y.max())}" if count else None,
        "to_make_a_trace": "say what the file leaves open with --import key=value",
    }


def _capacity(size: int) -> str:
    """Bytes of a memory in the binary multiple that is exact."""
    for shift, unit in ((30, "GiB"), (20, "MiB"), (10, "KiB")):
        if size % (1 << shift) == 0:
            return f"{size >> shift} {unit}"
    return f"{size} B"


def _describe_bundled(name: str, choices: dict[str, Any]) -> dict[str, Any]:
    """A bundled name may stand for hardware, or for a trace and its network."""
    from simulator.network.load import BUILT_IN, load_network, network_names
    from simulator.trace.load import load_trace, trace_names

    chips, traces, networks = list_resources("hwconfigs"), trace_names(), [*BUILT_IN, *network_names()]
    found: dict[str, Any] = {}
    if name in chips:
        found["hardware"] = describe_hardware(load_hardware(name))
    if name in networks:
        found["network"] = describe_network(load_network(name, choices))
    if name in traces:
        found["trace"] = describe_trace(load_trace(name))
    if found:
        return {"bundled": name, **found}
    if "/" in name or "." in name:
        raise InputError("no such file", file=name)
    raise unknown("file or bundled name", name, {*chips, *traces, *networks})


def _load(path: Path, choices: dict[str, Any]) -> Hardware | Network | Trace | Mapping | Record | CostModel:
    """Loads a file by what it says it is, and by its suffix where it says nothing."""
    from simulator.costmodel.model_file import load_model
    from simulator.mapping.file import load_mapping
    from simulator.network.file import SCHEMA as NETWORK
    from simulator.network.load import load_network
    from simulator.record_file import SCHEMA as RECORD
    from simulator.record_file import load_record
    from simulator.trace.load import load_trace

    if path.suffix in (".yaml", ".yml"):
        with open(path, "rb") as file:
            head = file.read(HEAD_BYTES)
        return load_mapping(path) if _MAPPING.search(head) else load_hardware(path)
    if path.suffix == ".json":
        return load_model(path)
    if path.suffix == ".npz":
        # arrays of a network and dense spikes share the suffix: whichever reader understands them
        try:
            return load_network(path, choices)
        except InputError:
            return load_trace(path, None, choices)
    if not is_hdf5(path):
        return load_trace(path, None, choices)
    with HdfFile(path) as hdf:
        schema = hdf.attribute("schema")
        network = schema == NETWORK or (schema is None and (hdf.is_group("/node/nodes") or hdf.is_group("/layer")))
    if schema == RECORD:
        return load_record(path)
    return load_network(path, choices) if network else load_trace(path, None, choices)
