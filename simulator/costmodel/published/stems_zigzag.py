"""STEMS / ZigZag counting: compulsory words with a ceil per refresh, loop nests per computation node, density scaling.

Sources: STEMS, arXiv 2502.03287, code sjoks93/STEMS commit 323e004; ZigZag 3.9.1, whose counting rules it builds on.
Each task of the Schedule is a computation node or a transfer:

transfer   ceil(bits / word) words of main memory and of the memory on chip, every time it happens; a spike is one bit
node       words and cycles of its loop nest (`stems_node.py`), states V read and written once per node, or per timestep
energy     words x price + operations x price; W, I, operations and the sums that they touch x i_rate (share of inputs
           that are not zero) where the chip skips, operations alone where it gates; no leakage, background or control
latency    a node starts when its unit is free and the tasks before it are complete; transfers share one link per main
           memory; where the chip skips, cycles x i_rate, but not below those that outputs and states need

A bank of crossbars is `stems_crossbar.py`.  The source's search for a mapping is not repeated: the Schedule is given.
"""

from __future__ import annotations

from collections.abc import Mapping as Readings
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from simulator.costmodel.activity import Activity
from simulator.costmodel.loopnest_types import LoopLayer
from simulator.costmodel.published import stems_crossbar
from simulator.costmodel.published.density import arriving, rates
from simulator.costmodel.published.model import PublishedModel
from simulator.costmodel.published.stems_array import Array, array_of, chip_memory, main_memory
from simulator.costmodel.published.stems_node import Counted, count
from simulator.costmodel.published.stems_timeline import Booking, last_end
from simulator.hardware import Hardware
from simulator.mapping import schedule as s
from simulator.mapping.mapping import Mapping
from simulator.mapping.operands import part_range
from simulator.mapping.schedule import Schedule
from simulator.network import Network, Projection
from simulator.network.geometry import pooled_shape
from simulator.network.sizes import state_bits
from simulator.units import ceil_div

_KNOWN: WeakKeyDictionary[Schedule, tuple[Hardware, tuple[int, ...], Compiled]] = WeakKeyDictionary()


class Task(NamedTuple):
    """A row of the Schedule.

    nests      (projection, its loop nest) of a node; none for a transfer
    array      of a node
    state      V of a node: pJ, cycles and words per direction
    ps, pj     of a transfer, full
    sent       population of recorded spikes that it moves, -1 where its size is known
    words      (memory, operand, "read" or "write") -> words of a transfer
    """

    nests: tuple[tuple[Projection, Counted], ...]
    array: Array | None
    state: tuple[float, int, int]
    ps: float
    pj: float
    sent: int
    words: Readings[tuple[str, str, str], int]


@dataclass(frozen=True)
class Counts:
    """A run: words (memory, operand, "read" or "write"), energy and time."""

    words: dict[tuple[str, str, str], float]
    energy_pj: float
    latency_ps: float


@dataclass
class Compiled:
    """Tasks of a Schedule, equal ones once; the prologue's and the body's rows."""

    tasks: list[Task] = field(default_factory=list)
    of_row: list[int] = field(default_factory=list)
    parts: list[list[Booking]] = field(default_factory=list)


def counts(
    schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> Counts | None:
    """What the model says of a run, all samples; None for chips without an array or crossbars to count around."""
    network = activity.network
    kinds = {spec.type for spec in hardware.units.values()}
    if "cim_tile" in kinds:
        return Counts(*stems_crossbar.counts(hardware, activity, mapping))
    arrays = {name: found for name, spec in hardware.units.items() if (found := array_of(spec, hardware))}
    if not arrays or not activity.samples:
        return None
    made = _compiled(schedule, hardware, network, arrays, activity)
    rate = rates(activity)
    index = {p.name: i for i, p in enumerate(network.populations)}
    ps, pj = (np.array(column) for column in zip(*(_price(task, rate, index) for task in made.tasks), strict=True))
    repetitions = activity.samples if schedule.repeat == "sample" else int(activity.steps.sum())
    times = np.zeros(len(made.tasks))
    split = schedule.prologue
    np.add.at(times, made.of_row[:split], 1)
    np.add.at(times, made.of_row[split:], repetitions)
    end = 0.0
    for part, own, often in zip(made.parts, (made.of_row[:split], made.of_row[split:]), (1, repetitions), strict=True):
        end += last_end(part, ps[own].tolist()) * often
    words: dict[tuple[str, str, str], float] = {}
    for task, happens in zip(made.tasks, times.tolist(), strict=True):
        for key, moved in _words(task, rate, index):
            words[key] = words.get(key, 0.0) + moved * happens
    return Counts(words, float(pj @ times), end)


def _compiled(
    schedule: Schedule, hardware: Hardware, network: Network, arrays: dict[str, Array], activity: Activity
) -> Compiled:
    """The tasks of a Schedule, kept as long as it lives; samples of several lengths count with the mean one."""
    steps = max(1, round(float(activity.steps.mean())))
    key = (steps, *(p.size for p in network.populations))
    kept = _KNOWN.get(schedule)
    if kept is not None and kept[0] is hardware and kept[1] == key:
        return kept[2]
    made, known = Compiled(), dict[Any, int]()
    rows: list[Booking] = []
    for i in range(schedule.rows):
        columns = tuple(int(getattr(schedule, name)[i]) for name in s.COLUMNS)
        extent = tuple(int(getattr(schedule, name)[i]) for name in s.EXTENT) if schedule.x0.size else ()
        # Channels and rows matter by number only; nodes at other timesteps are alike.
        form = columns if schedule.op[i] != s.COMPUTE else _form(columns, extent, list(s.COLUMNS))
        if form not in known:
            known[form] = len(made.tasks)
            made.tasks.append(_task(schedule, i, hardware, network, arrays, steps))
        made.of_row.append(known[form])
        base = 0 if i < schedule.prologue else schedule.prologue
        after = tuple(a - base for a in schedule.after_of(i).tolist() if a >= base)
        moves = schedule.op[i] != s.COMPUTE
        rows.append(Booking(int(schedule.unit[i]), int(schedule.far[i]) if moves else -1, after))
    split = schedule.prologue
    made.parts = [rows[:split], rows[split:]]
    _KNOWN[schedule] = hardware, key, made
    return made


def _form(columns: tuple[int, ...], extent: tuple[int, ...], names: list[str]) -> tuple[int, ...]:
    """What a node's price depends on."""
    of = dict(zip(names, columns, strict=True))
    x0, x1, t0, t1 = extent or (0, 0, 0, 0)
    sizes = of["k1"] - of["k0"], of["y1"] - of["y0"], x1 - x0, t1 - t0
    return (*(of[name] for name in ("op", "unit", "layer", "part", "parts", "first", "last")), *sizes)


def _task(
    schedule: Schedule, i: int, hardware: Hardware, network: Network, arrays: dict[str, Array], steps: int
) -> Task:
    """One row: a node, or a transfer between main memory and chip."""
    if schedule.op[i] == s.COMPUTE:
        return _node(schedule, i, network, arrays[schedule.units[schedule.unit[i]]], steps)
    near, far = (schedule.units[getattr(schedule, side)[i]] for side in ("near", "far"))
    main, chip = main_memory(hardware.units[far], hardware), chip_memory(hardware.units[near], hardware)
    bits, sent = int(schedule.bits[i]), -1
    if bits < 0:
        sent = int(schedule.population[i])
        width = network.populations[sent].shape[2]
        bits = int((schedule.k1[i] - schedule.k0[i]) * (schedule.y1[i] - schedule.y0[i])) * width
        bits *= steps if schedule.repeat == "sample" else 1
    first, second = (ceil_div(bits, flat.bits) for flat in (main, chip))
    stores = schedule.op[i] == s.STORE
    operand = "WVIO"[int(schedule.operand[i])] if schedule.operand[i] < 2 else "O" if stores else "I"
    ways = ("write", "read") if stores else ("read", "write")
    words = {(far, operand, ways[0]): first, (near, operand, ways[1]): second}
    pj = first * main.bits * (main.write_pj if stores else main.read_pj)
    pj += second * chip.bits * (chip.read_pj if stores else chip.write_pj)
    return Task((), None, (0.0, 0, 0), first * main.ps, pj, sent, words)


def _node(schedule: Schedule, i: int, network: Network, array: Array, steps: int) -> Task:
    """One computation node: a loop nest per projection into its layer, and its states."""
    name = schedule.layers[schedule.layer[i]]
    target = network.population(name)
    channels, rows = int(schedule.k1[i] - schedule.k0[i]), int(schedule.y1[i] - schedule.y0[i])
    columns, long = target.shape[2], steps if schedule.repeat == "sample" else 1
    if schedule.x0.size:
        columns, long = int(schedule.x1[i] - schedule.x0[i]), int(schedule.t1[i] - schedule.t0[i])
    last, parts = bool(schedule.last[i]), int(schedule.parts[i])
    neuron = target.neuron
    nests = []
    for p in network.incoming(name):
        depth = pooled_shape(p, network.population(p.source))[0]
        low, high = part_range(depth, int(schedule.part[i]), parts)
        if high <= low:
            continue
        layer = loop_layer(p, network, (channels, rows, columns), high - low, long,
                           neuron.stored_bits if last else neuron.membrane_bits)  # fmt: skip
        nests.append((p, count(layer, array)))
    held = state_bits(network, name) // target.size * channels * rows * columns if last else 0
    flat = array.memories[array.state[0]]
    times = 1 if array.stays else long
    words = ceil_div(held, flat.bits) * times
    cycles = 2 * ceil_div(held, array.state[1]) * times
    pj = words * flat.bits * (flat.read_pj + flat.write_pj)
    return Task(tuple(nests), array, (pj, cycles, words), 0.0, 0.0, -1, {})


def loop_layer(
    p: Projection, network: Network, shape: tuple[int, int, int], inputs: int, steps: int, out_bits: int
) -> LoopLayer:
    """A projection as loops: outputs K x OY x OX of `shape` from `inputs` channels, timesteps as B.

    Groups have the weights and operations of one group; their inputs are counted as if all outputs shared them.
    """
    source, target = network.population(p.source), network.population(p.target)
    depth, height, width = pooled_shape(p, source)
    sizes = {"B": steps, "K": shape[0], "C": inputs, "OY": shape[1], "OX": shape[2], "FY": p.kernel[0],
             "FX": p.kernel[1]}  # fmt: skip
    if p.kind == "linear":
        sizes |= {"C": inputs * height * width, "OY": 1, "OX": 1, "K": shape[0] * shape[1] * shape[2], "FY": 1, "FX": 1}
    elif p.kind == "sparse":
        assert p.indptr is not None
        mean = max(1, round(int(p.indptr[-1]) / target.size * inputs / depth))
        sizes |= {"C": mean, "FY": 1, "FX": 1}
    elif p.kind == "conv":
        sizes["C"] = max(1, inputs // p.groups)
    else:
        sizes["C"] = 1
        if p.kind == "one_to_one":
            sizes |= {"FY": 1, "FX": 1}
    bits = {"W": p.weight_bits, "I": source.neuron.stored_bits, "O_partial": target.neuron.membrane_bits,
            "O_final": out_bits}  # fmt: skip
    down, right = p.stride if p.kind in ("conv", "depthwise") else (1, 1)
    return LoopLayer(p.name, sizes, bits, (down, right))


def _price(task: Task, rate: np.ndarray, index: dict[str, int]) -> tuple[float, float]:
    """(ps, pJ) of a task at these rates; spikes that are moved are bits, whatever their value."""
    if task.array is None:
        return task.ps, task.pj
    array, (pj, least, _) = task.array, task.state
    cycles = 0.0
    for p, nest in task.nests:
        share = arriving(p, float(rate[index[p.source]])) if array.skips != "none" else 1.0
        skipped = share if array.skips == "skip" else 1.0
        pj += nest.access_pj[0] * skipped + nest.access_pj[1] + nest.mac_pj * share
        cycles += max(nest.cycles * skipped, nest.busy[0] * skipped, nest.busy[1])
    return max(cycles, float(least)) * array.clock_ps, pj


def _words(task: Task, rate: np.ndarray, index: dict[str, int]) -> list[tuple[tuple[str, str, str], float]]:
    """Words of a task by memory, operand and direction, scaled as energy is; registers are left out."""
    found: list[tuple[tuple[str, str, str], float]] = [(key, float(n)) for key, n in task.words.items()]
    if task.array is None:
        return found
    for p, nest in task.nests:
        share = arriving(p, float(rate[index[p.source]])) if task.array.skips == "skip" else 1.0
        found += [(key, n * scale) for scale, words in zip((share, 1.0), nest.words, strict=True)
                  for key, n in words.items() if not key[0].startswith("register ")]  # fmt: skip
    for way in ("read", "write"):
        found.append(((task.array.state[0], "V", way), float(task.state[2])))
    return found


def _total_ps(
    schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> float | None:
    found = counts(schedule, hardware, activity, mapping)
    return None if found is None else found.latency_ps


def _total_pj(
    schedule: Schedule, hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> float | None:
    found = counts(schedule, hardware, activity, mapping)
    return None if found is None else found.energy_pj


MODEL = PublishedModel(
    "stems_zigzag", "STEMS (arXiv 2502.03287), counting rules of ZigZag 3.9.1, schedule given", _total_ps, _total_pj
)
