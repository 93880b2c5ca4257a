"""neurocycle: cycle-level simulation of neuromorphic hardware.

A hardware description, a network with its spikes and a mapping go in; exact cycles, energy, bits moved and utilisation
come out:

    from simulator import load_hardware, load_network, load_trace, simulate

    record = simulate(load_hardware("event_core_28nm"), load_network("digits"), load_trace("digits"))
    record.summary()["latency"]["cycles"]

Every public name stands in the table below and is imported when first used: `import simulator` costs little.
Modules import only from lower floors (see CONTRIBUTING.md); this file is the top one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulator.costmodel.activity import Activity
    from simulator.costmodel.calibrate import calibrate
    from simulator.costmodel.estimate import estimate
    from simulator.costmodel.estimated import Estimate
    from simulator.costmodel.model_file import load_model
    from simulator.costmodel.suite import load_suite
    from simulator.costmodel.validate import validate
    from simulator.functional import run_network
    from simulator.hardware import Hardware
    from simulator.hardware.load import load_hardware
    from simulator.mapping.file import load_mapping
    from simulator.mapping.lower import lower
    from simulator.mapping.mapping import Mapping
    from simulator.mapping.place import place
    from simulator.mapping.schedule import Schedule
    from simulator.network import Network
    from simulator.network.load import load_network
    from simulator.record import Record
    from simulator.record_file import load_record
    from simulator.run import simulate
    from simulator.trace import Trace
    from simulator.trace.load import load_trace

__version__ = "0.1.0"

# Public name: the module that defines it.
_HOME = {
    "Activity": "simulator.costmodel.activity",
    "Estimate": "simulator.costmodel.estimated",
    "Hardware": "simulator.hardware",
    "Mapping": "simulator.mapping.mapping",
    "Network": "simulator.network",
    "Record": "simulator.record",
    "Schedule": "simulator.mapping.schedule",
    "Trace": "simulator.trace",
    "calibrate": "simulator.costmodel.calibrate",
    "estimate": "simulator.costmodel.estimate",
    "load_hardware": "simulator.hardware.load",
    "load_mapping": "simulator.mapping.file",
    "load_model": "simulator.costmodel.model_file",
    "load_network": "simulator.network.load",
    "load_record": "simulator.record_file",
    "load_suite": "simulator.costmodel.suite",
    "load_trace": "simulator.trace.load",
    "lower": "simulator.mapping.lower",
    "place": "simulator.mapping.place",
    "run_network": "simulator.functional",
    "simulate": "simulator.run",
    "validate": "simulator.costmodel.validate",
}

__all__ = [
    "Activity",
    "Estimate",
    "Hardware",
    "Mapping",
    "Network",
    "Record",
    "Schedule",
    "Trace",
    "calibrate",
    "estimate",
    "load_hardware",
    "load_mapping",
    "load_model",
    "load_network",
    "load_record",
    "load_suite",
    "load_trace",
    "lower",
    "place",
    "run_network",
    "simulate",
    "validate",
]


def __getattr__(name: str) -> Any:
    """The public name, imported from its home on first use (PEP 562)."""
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
