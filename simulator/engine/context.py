"""What a unit sees of the machine around it."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from simulator.engine.board import Board, Job, JobQueue
from simulator.engine.clock import Clock
from simulator.engine.environment import Environment
from simulator.engine.statelog import StateLog
from simulator.ledger import Ledger

if TYPE_CHECKING:
    from simulator.mapping.crossbar import CrossbarLayer, CrossbarPlan
    from simulator.mapping.fusion.nest import Box
    from simulator.mapping.reach import Reach
    from simulator.network import Network


@dataclass(frozen=True)
class Feed:
    """Events of one projection in one timestep, as they reach a tile.

    projection: place in the tile's list.  index uint32 [n], value int32 [n] or None: the events.
    stored: entries that are read from memory (more than `n` where OR pooling drops some).
    region: neurons in the source rows that the tile reads (the size of its bit map).
    """

    projection: int
    index: np.ndarray
    value: np.ndarray | None
    stored: int
    region: int


@dataclass(frozen=True)
class Tensor:
    """Part of a tensor that moves as a whole.

    shape: channels, rows, columns.  box: half-open ranges of them.  element_bits: size of an element.
    copies: how many such tensors lie one after another (timesteps).
    """

    shape: tuple[int, int, int]
    box: tuple[tuple[int, int], tuple[int, int], tuple[int, int]]
    element_bits: int
    copies: int


class Work(Protocol):
    """The workload of a run: what each Schedule row reads and makes.

    delivered: synaptic operations that cores executed for a spike; added to by cores, read after the run.
    dropped: synaptic operations of spikes that cores lost; likewise.
    computing: the cores make the inner spikes themselves (reference engine).
    plan: all layers on crossbars, None on other chips.
    """

    delivered: int
    dropped: int
    computing: bool
    network: Network
    plan: CrossbarPlan | None

    def after(self, row: int) -> tuple[list[int], list[int]]:
        """Rows that must be complete first: loads of weights, and the others."""
        ...

    def tile(self, row: int) -> Reach:
        """The tile that a compute row works on."""
        ...

    def stream(self, row: int) -> list[int]:
        """Rows whose output a row consumes as it arrives."""
        ...

    def crossbar(self, row: int) -> CrossbarLayer:
        """The layer of a compute or program row on crossbars."""
        ...

    def box(self, row: int) -> Box:
        """What a compute row of a fused mapping makes."""
        ...

    def reached(self, row: int, sample: int) -> int:
        """Synaptic operations that the sample's spikes cause in the box of a row."""
        ...

    def op(self, row: int) -> int:
        """What a row does: LOAD, COMPUTE, STORE or PROGRAM."""
        ...

    def layer(self, row: int) -> int:
        """Ledger row of the layer."""
        ...

    def feeds(self, row: int, sample: int, t: int) -> list[Feed]:
        """Events that reach the tile in timestep t, one entry per projection that has any neuron to read."""
        ...

    def spikes(self, population: str, sample: int, t: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Spikes of a whole population in timestep t, rising; none before the start."""
        ...

    def fired(self, row: int, sample: int, t: int) -> tuple[np.ndarray, np.ndarray | None]:
        """Spikes of the whole layer in timestep t (kernel engine: known before the run)."""
        ...

    def publish(self, row: int, sample: int, t: int, index: np.ndarray, value: np.ndarray | None) -> None:
        """Spikes that a tile made in timestep t (reference engine)."""
        ...

    def transfer(self, job: Job) -> tuple[int, str, str, str, bool]:
        """(payload bits, operand, on-chip memory, DRAM, True for a store) of a load or store."""
        ...

    def tensor(self, job: Job) -> Tensor | None:
        """The part of a tensor that a load or store moves, None where it has no fixed size."""
        ...


@dataclass
class Context:
    """One unit's view: loop, clock, ledger row, state log, command queue, and the workload."""

    name: str
    number: int
    env: Environment
    clock: Clock
    ledger: Ledger
    log: StateLog
    board: Board
    queue: JobQueue
    work: Work
    reference: bool
    first_id: int
    """The first of the requester ids that belong to this unit alone."""
    plain: dict[str, Any]
    """Neurons of a computing run by layer, shared by all cores (reference engine)."""
    tasks: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    """Start and end in ps of the compute tasks since the last repetition, by ledger row of their layer."""
    links: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    """Bits sent and received per link and operand, counted at either end."""
    owner: str | None = None
    """The core in whose cycles this memory is accessed, where there is one."""

    def cycle(self) -> int:
        """The unit's first edge at or after now."""
        return self.clock.at_or_after(self.env.now)

    def until(self, cycle: int) -> Any:
        """An event to yield: the unit's edge `cycle` (now, if it is past)."""
        return self.env.sleep_until(self.clock.ps(cycle))

    def next_job(self) -> Generator[Any, Any, tuple[Job, int]]:
        """Takes the next command and waits for what it depends on: (job, the cycle in which it may start).

        The wait is a stall, told apart as "weight_load" while a load of weights is missing, where the unit knows that
        cause, and "dependency" otherwise.
        """
        job = yield from self.queue.get()
        begin = self.cycle()
        weights, others = self.work.after(job.row)
        yield from self.board.wait(weights + others)
        start = self.cycle()
        if weights and "weight_load" in self.log.causes:
            loaded = self.clock.at_or_after(max(self.board.done_ps[row] for row in weights))
            self.log.add_stall("weight_load", begin, min(loaded, start))
        self.log.add_stall("dependency", begin, start)
        return job, start

    def count(self, layer: int, action: str, amount: int) -> None:
        """Books `amount` under this unit, a layer's ledger row and an action."""
        if amount:
            self.ledger.add(self.number, layer, self.ledger.index(action), amount)

    def sent(self, link: str, operand: str, bits: int) -> None:
        """`bits` left one end of a link."""
        self.links.setdefault(link, {}).setdefault(operand, [0, 0])[0] += bits

    def received(self, link: str, operand: str, bits: int) -> None:
        """`bits` arrived at the other end of a link."""
        self.links.setdefault(link, {}).setdefault(operand, [0, 0])[1] += bits

    def ran(self, layer: int, start_ps: int, end_ps: int) -> None:
        """A compute task of a layer ran from start to end."""
        self.tasks.setdefault(layer, []).append((start_ps, end_ps))
