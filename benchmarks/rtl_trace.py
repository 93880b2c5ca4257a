"""An RTL recording's stimulus as a trace of cycles, and the command that replays it on the bundled chip.

    python -m benchmarks.rtl_trace CASE_DIR -o TRACE.h5 [--json]

The trace holds one population: the input words of the core, or the lines of a ReckOn stimulus.  Registers become
overrides of the description, and its `image` names the case's directory.  A register that cuts the run off is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.rtl_case import read_case
from benchmarks.rtl_reckon import is_reckon
from simulator.components.neurosynaptic_core import Registers
from simulator.components.neurosynaptic_core.registers import WORD_BITS
from simulator.components.reckon_core.image import LINES, read_stimulus
from simulator.components.reckon_core.placement import VALUE_BITS
from simulator.errors import NeurocycleError
from simulator.network import Network
from simulator.network.neuron import Neuron
from simulator.network.population import Population
from simulator.trace import Events, Trace
from simulator.trace.file import write_trace

CHIPS = {"tinyodin": "tinyodin", "odin": "odin28"}
LONGEST_GAP = (1 << VALUE_BITS) - 1


def stimulus_trace(name: str, time: np.ndarray, index: np.ndarray, size: int) -> Trace:
    """One sample of events of one population of `size` words.  time int64 [n] cycles, index int64 [n] words."""
    network = Network(name, (Population("input", (size, 1, 1), Neuron("input")),), ())
    events = Events(np.array([0, time.size]), time.astype(np.int64), index.astype(np.uint32))
    span = int(time.max(initial=0)) + 1
    return Trace(name, network, "cycle", np.array([span]), {"input": events}, source=f"stimulus of {name}")


def trace_of(case: Path) -> tuple[Trace, str, list[str]]:
    """(trace, bundled chip, overrides of its description) of a case directory; InputError where it is damaged."""
    if is_reckon(case):
        kinds, values = read_stimulus(case / "stimulus.txt")
        words: list[int] = []
        for kind, value in zip(kinds.tolist(), values.tolist(), strict=True):
            letter = LINES[kind]
            parts = [value] if letter in "EVIL" else [0]
            if letter == "G":  # a gap of any length is a row of gaps that a word can hold
                parts = [LONGEST_GAP] * (value // LONGEST_GAP) + [value % LONGEST_GAP]
            words += [kind << VALUE_BITS | part for part in parts]
        index = np.array(words, np.int64)
        trace = stimulus_trace(case.name, np.zeros(index.size, np.int64), index, len(LINES) << VALUE_BITS)
        return trace, "reckon28", [f"core.image={case}"]
    found = read_case(case)
    registers = found.registers(endless=True)
    order = np.maximum.accumulate(found.due)  # the sender keeps the order of its events
    trace = stimulus_trace(case.name, order, found.words, 1 << WORD_BITS[found.dialect])
    return trace, CHIPS[found.dialect], [f"core.image={case}", *overrides(registers)]


def overrides(registers: Registers) -> list[str]:
    """Registers and delays as overrides of the unit `core`."""
    fields = {
        "last_neuron": registers.last_neuron,
        "fifo_depth": registers.fifo_depth,
        "open_loop": registers.open_loop,
        "source_addresses": registers.source_addresses,
        "monitored": registers.monitored,
        "update_unmapped": registers.update_unmapped,
        "propagate_unmapped": registers.propagate_unmapped,
        "learn_on_synapse": registers.learn_on_synapse,
        "request_delay_cycles": registers.request_delay,
        "acknowledge_delay_cycles": registers.acknowledge_delay,
        "release_delay_cycles": registers.release_delay,
    }
    return [f"core.{name}={json.dumps(value)}" for name, value in fields.items()]


def main(argv: Sequence[str] | None = None) -> int:
    """Writes the trace and prints the command; 2 where the case cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rtl_trace", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("case", type=Path, help="directory of one recording")
    parser.add_argument("-o", "--output", type=Path, required=True, help="trace file to write")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    options = parser.parse_args(argv)
    try:
        trace, chip, changes = trace_of(options.case)
        write_trace(trace, options.output)
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    command = ["neurocycle", "replay", str(options.output), "--hw", chip]
    command += [word for change in changes for word in ("--set", change)]
    print(json.dumps({"trace": str(options.output), "command": command}) if options.json else " ".join(command))
    return 0


if __name__ == "__main__":
    sys.exit(main())
