"""What is set once before a neurosynaptic core runs: its dialect, its registers, and the delays of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from simulator.errors import InputError

TINYODIN = "tinyodin"
ODIN = "odin"
DIALECTS = (TINYODIN, ODIN)
FIFO_DEPTH = {TINYODIN: 128, ODIN: 32}
WORD_BITS = {TINYODIN: 10, ODIN: 17}
SOURCES = 256
NEVER = 1 << 62


@dataclass(frozen=True)
class Registers:
    """Registers of a core and delays of the sender and the receiver beside it.

    last_neuron: of a sweep (MAX_NEUR); `odin` sweeps all of its neurons.  open_loop: spikes do not return to the FIFO.
    source_addresses: the output sends the address of each neuron event instead of spikes; `odin` sends it in the update
    of `monitored`.  request_delay, acknowledge_delay, release_delay: cycles (see `reference/cores.md`, conventions).
    update_unmapped, propagate_unmapped, learn_on_synapse: `odin` only.  inhibits: sources with inhibitory synapses.
    cut_cycle: cycle in which the run is cut off.
    """

    dialect: str
    last_neuron: int = 255
    fifo_depth: int = 0
    open_loop: bool = False
    source_addresses: bool = False
    request_delay: int = 1
    acknowledge_delay: int = 1
    release_delay: int = 1
    update_unmapped: bool = False
    propagate_unmapped: bool = False
    learn_on_synapse: bool = False
    monitored: int = 0
    inhibits: frozenset[int] = frozenset()
    cut_cycle: int = NEVER

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise InputError("unknown dialect", key="dialect", found=self.dialect, allowed=DIALECTS)
        if not self.fifo_depth:
            object.__setattr__(self, "fifo_depth", FIFO_DEPTH[self.dialect])
        for name, low, high in (
            ("last_neuron", 0, SOURCES - 1),
            ("monitored", 0, SOURCES - 1),
            ("fifo_depth", 1, 1 << 20),
            ("request_delay", 0, 1 << 20),
            ("acknowledge_delay", 0, 1 << 20),
            ("release_delay", 0, 1 << 20),
            ("cut_cycle", 1, NEVER),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise InputError("the register is out of range", key=name, found=value, allowed=f"{low} .. {high}")
        if self.dialect == ODIN and (self.last_neuron + 1) % 8:
            raise InputError(
                "a core that learns has whole synapse words only",
                key="last_neuron",
                found=self.last_neuron,
                allowed="7, 15, 23, ... 255",
            )

    def vector(self, learns: bool) -> np.ndarray:
        """int64 [14]: the kernel's `cfg`; `learns` where any neuron has calcium enabled."""
        return np.array(
            [
                DIALECTS.index(self.dialect),
                self.fifo_depth,
                self.last_neuron,
                self.open_loop,
                self.source_addresses,
                self.request_delay,
                self.acknowledge_delay,
                self.release_delay,
                self.update_unmapped,
                self.propagate_unmapped,
                self.learn_on_synapse,
                self.monitored,
                learns,
                self.cut_cycle,
            ],
            np.int64,
        )

    def signs(self) -> np.ndarray:
        """uint8 [256]: 1 where a source inhibits."""
        found = np.zeros(SOURCES, np.uint8)
        found[sorted(self.inhibits)] = 1
        return found


_TINY = {
    "open_loop": "open_loop",
    "aer_src_ctrl": "source_addresses",
    "max_neur": "last_neuron",
    "req_delay": "request_delay",
    "ack_delay": "acknowledge_delay",
    "ack_release_delay": "release_delay",
    "max_cycles": "cut_cycle",
}
_ODIN = {
    **{name: field for name, field in _TINY.items() if name != "max_neur"},
    "update_unmapped": "update_unmapped",
    "propagate_unmapped": "propagate_unmapped",
    "sdsp_on_syn": "learn_on_synapse",
    "monitor_neur": "monitored",
}
FLAGS = ("open_loop", "source_addresses", "update_unmapped", "propagate_unmapped", "learn_on_synapse")


def is_register(dialect: str, name: str) -> bool:
    """Whether `name` is a register (or a delay of a neighbour) that `named_registers` knows."""
    if dialect == TINYODIN:
        return name in _TINY
    return name in _ODIN or name == "burst_timeref" or _sign_register(name) is not None


def _sign_register(name: str) -> int | None:
    """Which syn_sign register it is: number k holds the signs of sources 16 k .. 16 k + 15."""
    number = name.removeprefix("syn_sign")
    return int(number) if number != name and number.isdecimal() and int(number) < SOURCES // 16 else None


def named_registers(dialect: str, values: dict[str, int], file: object = None) -> Registers:
    """Registers from the names that the chips' own registers have; InputError for one that is unknown or not modelled.

    A name that is missing has the value that it has after reset.
    """
    names = _TINY if dialect == TINYODIN else _ODIN
    fields: dict[str, Any] = {}
    inhibits: set[int] = set()
    for name, value in values.items():
        group = _sign_register(name) if dialect == ODIN else None
        if group is not None:
            if not 0 <= value < 1 << 16:
                raise InputError("the register is out of range", file=file, key=name, found=value, allowed="0 .. 65535")
            inhibits.update(16 * group + bit for bit in range(16) if value >> bit & 1)
        elif dialect == ODIN and name == "burst_timeref":
            if value:
                raise InputError("burst FIFOs are not modelled", file=file, key=name, found=value, allowed="0")
        elif name not in names:
            raise InputError("unknown register", file=file, key=name, allowed=sorted(names))
        elif names[name] in FLAGS:
            if value not in (0, 1):
                raise InputError("the register is a flag", file=file, key=name, found=value, allowed="0 or 1")
            fields[names[name]] = bool(value)
        else:
            fields[names[name]] = value
    try:
        return Registers(dialect, inhibits=frozenset(inhibits), **fields)
    except InputError as error:
        raise InputError(error.message, file=file, key=error.key, found=error.found, allowed=error.allowed) from None
