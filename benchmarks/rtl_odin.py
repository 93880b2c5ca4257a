"""tinyODIN and ODIN cases of RTL recordings against the simulator, field by field.

Two fields are no property of the core and left out: the word of AER_POP, which is whatever the bench latched, and how
long the bench went on observing an idle core (`cycles_total`; the cycles in WAIT follow from it and are compared so).
`last_active_cycle` is compared where the output link was idle before the controller was.  A recording that was cut off
(`max_cycles`) is compared up to there: what was complete by then, spikes and memories.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.command import read_table, whole
from benchmarks.rtl_case import Case, core_of, read_case, read_hex, read_json
from simulator.components.neurosynaptic_core import OPERATIONS, Core, Log, encode_neurons, encode_synapses
from simulator.errors import InputError

EVENTS = ("t_req", "t_sync", "t_proc_start", "t_ack", "t_req_low", "t_done", "op")
OPS = ("op", "start", "end", "data", "stall_cycles", "spikes", "fifo_fill_at_start")
SPIKES = ("t_spike", "neuron", "pushed", "fifo_fill_after", "during_op", "op_start")
AEROUT = ("addr", "t_req", "t_ack", "t_req_low", "t_ack_low", "t_busy_low")
AER_POP = OPERATIONS.index("AER_POP")


def is_odin(path: Path) -> bool:
    """True where a case directory is one of tinyODIN or ODIN."""
    try:
        core_of(path)
    except InputError:
        return False
    return True


def compare_case(path: Path) -> list[str]:
    """Differences between the simulator and a recorded case, one line each; none: the case is exact."""
    case = read_case(path)
    registers = case.registers()
    core = case.core(registers)
    log = core.run(case.due, case.words)
    cut = registers.cut_cycle if case.cut_off else None
    return [
        *_table(path / "events_in.csv", ("idx", "t_due", "addr", *EVENTS), _events(case, log), cut, (3, 9)),
        *_table(path / "ops.csv", OPS, _operations(log), cut, (1, 3), skip=("data",)),
        *_table(path / "spikes.csv", ("idx", *SPIKES), _spikes(log), cut, (1, 2)),
        *_table(path / "aerout.csv", ("idx", *AEROUT), _numbered(log.transfers), cut, (2, 7)),
        *_memories(case, core),
        *_summary(case, core, log, cut),
    ]


def _numbered(rows: np.ndarray) -> list[list[Any]]:
    return [[i, *row] for i, row in enumerate(rows.tolist())]


def _events(case: Case, log: Log) -> list[list[Any]]:
    given = zip(case.due.tolist(), case.words.tolist(), log.events.tolist(), strict=False)
    return [[i, due, word, *row[:6], OPERATIONS[row[6]]] for i, (due, word, row) in enumerate(given)]


def _operations(log: Log) -> list[list[Any]]:
    return [[OPERATIONS[row[0]], *row[1:]] for row in log.operations.tolist()]


def _spikes(log: Log) -> list[list[Any]]:
    return [[i, *row[:4], OPERATIONS[row[4]], row[5]] for i, row in enumerate(log.spikes.tolist())]


def _table(
    path: Path,
    columns: tuple[str, ...],
    ours: list[list[Any]],
    cut: int | None,
    times: tuple[int, int],
    skip: Sequence[str] = (),
) -> list[str]:
    """Differences between our rows and those of a CSV file; `skip` names columns that AER_POP leaves undefined.

    Where the run was cut off in cycle `cut`, only rows whose times (columns times[0] .. times[1]) lie before it count.
    """
    recorded = read_table(path, *columns)
    known = len(ours)
    if cut is not None:
        while ours and max(ours[-1][times[0] : times[1]]) >= cut - 1:
            ours = ours[:-1]
        if not len(ours) <= len(recorded) <= known:
            return [f"{path.name}: ours {len(ours)} to {known} rows, recorded {len(recorded)}"]
    found = []
    for i, (row, cells) in enumerate(zip(ours, recorded, strict=False)):
        for name, value in zip(columns, row, strict=True):
            if name in skip and row[0] == "AER_POP":
                continue
            if cells[name] != str(value):
                found.append(f"{path.name} row {i + 1} {name}: ours {value}, recorded {cells[name]}")
                break
    if cut is None and len(ours) != len(recorded):
        found.append(f"{path.name}: ours {len(ours)} rows, recorded {len(recorded)}")
    return found


def _memories(case: Case, core: Core) -> list[str]:
    """Differences of the final membranes, neuron words and synapse words."""
    path = case.path
    found = []
    table = path / "membrane_final.csv"
    membranes = {whole(row, "neuron", table): whole(row, "v", table) for row in read_table(table, "neuron", "v")}
    ours = dict(enumerate(core.neurons[0].tolist()))
    for neuron in sorted(ours.keys() | membranes.keys()):
        if ours.get(neuron) != membranes.get(neuron):
            us, them = ours.get(neuron, "nothing"), membranes.get(neuron, "nothing")
            found.append(f"{table.name} neuron {neuron}: ours {us}, recorded {them}")
    words = encode_neurons(core.neurons, case.neurons, case.dialect)
    found += _words(path / "neurons_final.hex", words, "neuron", 8 if case.dialect == "tinyodin" else 32)
    synapses = encode_synapses(core.synapses).tolist()
    if (path / "synapses_final.hex").is_file():
        found += _words(path / "synapses_final.hex", synapses, "word", 8)
    else:
        changed = np.flatnonzero(np.array(synapses, np.uint32) != case.synapses)
        found += [f"synapse word {i}: changed, though the recording holds no final image" for i in changed.tolist()]
    return found


def _words(path: Path, ours: list[int], what: str, digits: int) -> list[str]:
    recorded = read_hex(path)
    if len(recorded) != len(ours):
        return [f"{path.name}: ours {len(ours)} words, recorded {len(recorded)}"]
    pairs = enumerate(zip(ours, recorded, strict=True))
    return [f"{path.name} {what} {i}: ours {a:0{digits}x}, recorded {b:0{digits}x}" for i, (a, b) in pairs if a != b]


def totals(case: Case, core: Core, log: Log) -> dict[str, Any]:
    """What `summary.json` says of a whole run, without its length and the speed of the RTL."""
    counts = log.counts
    return {
        "events": len(case.words),
        "events_done": log.done,
        "out_spikes": len(log.spikes),
        "spikes_dropped_fifo_full": counts["dropped"],
        "max_fifo_fill": counts["highest_fill"],
        "pop_neur": log.performed("POP_NEUR"),
        "pop_virt": log.performed("POP_VIRT"),
        "neuron_updates": counts["neuron_writes"],
        "aer_busy_cycles": log.output_busy_cycles,
        "aerout_tx": len(log.transfers),
        "neuron_mem_read_cycles": counts["neuron_reads"],
        "neuron_mem_write_cycles": counts["neuron_writes"],
        "synapse_mem_read_cycles": counts["synapse_reads"],
        "synapse_mem_write_cycles": counts["synapse_writes"],
        "synapse_words_changed": int((encode_synapses(core.synapses) != case.synapses).sum()),
    }


def _summary(case: Case, core: Core, log: Log, cut: int | None) -> list[str]:
    path = case.path / "summary.json"
    recorded = read_json(path)
    ours = totals(case, core, log)
    if cut is not None:
        ours = {key: ours[key] for key in ("events", "out_spikes", "spikes_dropped_fifo_full", "synapse_words_changed")}
    else:
        states = dict(log.state_cycles)
        if isinstance(recorded.get("cycles_total"), int):
            states["WAIT"] = recorded["cycles_total"] - sum(states.values())
        ours["state_cycles"] = states
        last = log.last_active_cycle
        if not len(log.transfers) or int(log.transfers[-1, 5]) <= last:
            ours["last_active_cycle"] = last
    found = []
    for key, value in ours.items():
        if key not in recorded:
            continue
        them = recorded[key]
        if key == "state_cycles" and isinstance(them, dict):
            value = {name: cycles for name, cycles in value.items() if cycles}
            them = {name: cycles for name, cycles in them.items() if cycles}
        if value != them:
            found.append(f"{path.name} {key}: ours {value}, recorded {them}")
    return found
