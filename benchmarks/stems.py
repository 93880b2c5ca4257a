"""The STEMS mapping study (arXiv 2502.03287) on `stems_meta1m`: energy by operand and memory, cycles by term.

    python -m benchmarks.stems                                              the two published points, against their bars
    python -m benchmarks.stems --schedule 7PLIF 1111111 1110000 --buffer 256KB   any other point: time bits, fusion bits
    python -m benchmarks.stems --sweep                                      main memory over schedules and buffer sizes

The reference is a run of the authors' code (sjoks93/STEMS 323e004), an analytical model: its energy comes by memory,
its latency as one figure.  Here every word is moved, so latency is split by what the array waited for.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.command import Result, show_result
from simulator.errors import InputError, NeurocycleError, nearest
from simulator.hardware import load_hardware
from simulator.hardware.specs.dram_banked import OUTCOMES
from simulator.mapping import Mapping, lower
from simulator.mapping.fusion import FUSED_CHOICES, Fusion, fused_entries
from simulator.mapping.schedule import LOAD, OPERANDS, STORE
from simulator.network import Network, load_network
from simulator.network.stems import red_blocks
from simulator.record import Record
from simulator.run import simulate
from simulator.trace.dense import dense_trace
from simulator.units import ceil_div

NETWORKS = {f"{k}PLIF": (f"sew_{k}plif", 16) for k in range(8)} | {"RED": ("red_lif", 12)}
HARDWARE = ("stems_meta1m", "stems_meta1m_lpddr4")
KB = 1024
PUBLISHED = {128: 1.05, 256: 2.1 / 2, 384: 3.1 / 3}
"""What the published files' small buffers hold, as a multiple of the size in their name."""
OUT = ("write", "write_burst")
SIZES = (128, 256, 384, 512, 1024, 2048, 64 * 1024, 128 * 1024)
MAC_PJ = (26_107_445_248 + 22_454_272 + 22_454_272) * 0.07
POINTS = {
    "step by step, layer by layer": ("0000000", "0000000", {
        "state": 16_806_451_200, "weight": 831_577_600, "input": 22_937_600, "output": 24_000, "total": 20.88397e9,
        "cycles": 37_882_268, "global": 0.51586e9, "weight SRAM": 0.68264e9, "input SRAM": 0.19382e9,
    }),
    "time batched, fused by columns": ("1111111", "1111111", {
        "state": 46_362_624 * (700 + 750) / 64, "weight": 4_751_872 * 700 / 64, "input": 22_937_600, "output": 24_000,
        "total": 3.981e9, "cycles": 29_336_460, "global": 0.1429e9, "weight SRAM": 0.6840e9, "input SRAM": 0.1981e9,
    }),
}  # fmt: skip
"""Published and recorded figures, pJ and cycles."""

LINK = 64
SMALL_STATES = 46_362_624 - 3 * 12_582_912
TERMS = {
    "step by step, layer by layer": {
        "layer 0 waits for its states": 16 * (2 * 12_582_912 // LINK - 2_048),
        "states that fit, both ways": 16 * 2 * SMALL_STATES // LINK,
        "weights, every step": 16 * 4_751_872 // LINK,
    },
    "time batched, fused by columns": {
        "states, weights, images, outputs over the link": (2 * 46_362_624 + 4_751_872 + 2_097_152 + 2_048) // LINK,
    },
}
"""What the reference adds to the fixed unrolling: closed forms of moves that it does not overlap with computation."""


@dataclass(frozen=True)
class Point:
    """One schedule on one buffer."""

    network: str
    time: str
    depth: str
    overrides: tuple[str, ...] = ()
    fusion: Fusion = field(default_factory=Fusion)
    hardware: str = HARDWARE[0]


def parse_buffer(text: str, published: bool) -> tuple[str, ...]:
    """Overrides for a buffer size such as 256KB or 2MB; `published`: the size of the published file of that name."""
    number, unit = text[:-2], text[-2:].upper()
    size = int(number) * {"KB": 1, "MB": 1024}.get(unit, 0) if number.isdecimal() else 0
    if size not in SIZES:
        names = [f"{s}KB" if s < 1024 else f"{s // 1024}MB" for s in SIZES]
        raise InputError("not a buffer size of the study", key="--buffer", found=text, allowed=names,
                         nearest=nearest(text, names))  # fmt: skip
    width = 1024 if size > 2048 else size  # 128 bits per 128 KB; the "infinite" ones keep the width of 1 MB
    held = int(size * KB * (PUBLISHED.get(size, 1) if published else 1)) // (width // 8) * (width // 8)  # whole words
    return f"global.capacity_bytes={held}", f"global.width_bits={width}"


def prepare(point: Point) -> tuple[Network, Any, Mapping, int]:
    """Network, hardware, mapping and timesteps of a point."""
    if point.network not in NETWORKS:
        raise InputError("not a network of the study", key="--schedule", found=point.network, allowed=list(NETWORKS),
                         nearest=nearest(point.network, list(NETWORKS)))  # fmt: skip
    name, steps = NETWORKS[point.network]
    network, hardware = load_network(name), load_hardware(point.hardware, point.overrides)
    blocks = red_blocks() if point.network == "RED" else None
    entries = fused_entries(network, hardware, point.time, point.depth, blocks)
    return network, hardware, Mapping(hardware.name, network.name, "all", entries, {}, steps, point.fusion), steps


def moved(point: Point) -> dict[str, int]:
    """Bits between main memory and buffer by operand and direction, from the schedule alone."""
    network, hardware, mapping, _ = prepare(point)
    s = lower(mapping, network, hardware)
    return {
        f"{name} {way}": int(s.bits[(s.op == op) & (s.operand == operand)].sum())
        for operand, name in enumerate(OPERANDS[:3])
        for op, way in ((LOAD, "in"), (STORE, "out"))
    }


def fixed_cycles(network: Network, steps: int) -> int:
    """Cycles of the convolutions at the fixed unrolling: T ceil(K / 32) ceil(C / 2) ceil(OY / 16) OX FY FX."""
    total = 0
    for p in network.projections:
        if p.kind == "conv":
            k, oy, ox = network.population(p.target).shape
            c = network.population(p.source).shape[0]
            total += ceil_div(k, 32) * ceil_div(c, 2) * ceil_div(oy, 16) * ox * p.kernel[0] * p.kernel[1]
    return total * steps


def bursts(record: Record) -> dict[str, dict[str, int]]:
    """What became of the bursts of a main memory with rows, by operand: what a constant per bit does not show."""
    unit = record.units.index("dram")
    found: dict[str, dict[str, int]] = {}
    for verb in OUTCOMES:
        for operand in OPERANDS[:3]:
            action = f"{verb}:{operand}"
            if action in record.actions:
                count = int(record.counts[unit, :, record.actions.index(action)].sum())
                found.setdefault(operand, {})[verb] = count
    return found


def run(point: Point) -> dict[str, Any]:
    """Simulates a point with dense activity: energies in pJ, cycles by term, CPU seconds."""
    network, hardware, mapping, steps = prepare(point)
    begin = time.process_time()
    record = simulate(hardware, network, dense_trace(network, steps), mapping, activity="dense")
    by: dict[tuple[str, str], float] = record.energy.by(lambda t: (t.unit, t.action))

    def pj(unit: str, operand: str = "", *verbs: str) -> float:
        """Energy of a unit; of an operand's actions only, or of certain verbs only."""
        found = []
        for (u, action), value in by.items():
            verb, what = action.split(":")
            if u == unit and operand in ("", what) and (not verbs or verb in verbs):
                found.append(value)
        return math.fsum(found)

    array = record.cycles["array"]
    fixed = fixed_cycles(network, steps)
    names = {"dependency": "waits for main memory", "weight_fill": "weights into their memory",
             "input_fill": "inputs into their memory", "state": "states to and from registers",
             "output": "outputs into the buffer"}  # fmt: skip
    return {
        "pj": {
            "total": record.energy.total, "MAC": pj("array"), "global": pj("global"), "weight SRAM": pj("weight"),
            "input SRAM": pj("input"), "DRAM": pj("dram"), "state": pj("dram", "state"), "weight": pj("dram", "weight"),
            "input": pj("dram", "spike") - pj("dram", "spike", *OUT), "output": pj("dram", "spike", *OUT),
            **({"refresh and background": pj("dram", "rank")} if pj("dram", "rank") else {}),
        },
        "cycles": {
            "total": array.cycles, "convolutions at the fixed unrolling": fixed,
            "additions and poolings, input port": array.busy - fixed,
            **{names[cause]: cycles for cause, cycles in array.stall.items()}, "idle": array.idle,
        },
        "main memory link busy": record.cycles["dram"].busy,
        "bursts": bursts(record),
        "cpu_s": time.process_time() - begin,
    }  # fmt: skip


def show(title: str, found: dict[str, Any], reference: dict[str, float] | None = None) -> list[str]:
    """Lines of a point; the reference stands beside where it has a figure."""
    ref = reference or {}
    beside = f"{'reference':>14}" if ref else ""
    lines = [f"{title}   ({found['cpu_s']:.1f} s CPU)", f"  {'mJ':38}{'here':>14}{beside}"]
    for name, value in found["pj"].items():
        known = {"MAC": MAC_PJ if ref else None}.get(name, ref.get(name))
        shown = "" if known is None else f"{known / 1e9:14.6f}{100 * (value / known - 1):+9.2f} %"
        label = f"  main memory: {name}s" if name in ("state", "weight", "input", "output") else name
        label = f"  main memory: {name}" if name.startswith("refresh") else label
        lines.append(f"  {label:38}{value / 1e9:14.6f}{shown}")
    lines.append(f"  {'cycles':38}{'here':>14}{beside}")
    for name, value in found["cycles"].items():
        known = ref.get("cycles") if name == "total" else None
        shown = "" if known is None else f"{known:14,.0f}{100 * (value / known - 1):+9.2f} %"
        lines.append(f"  {name:38}{value:14,}{shown}")
    fixed = found["cycles"]["convolutions at the fixed unrolling"]
    if ref:
        rest = f"{found['cycles']['total'] - fixed:14,}{int(ref['cycles']) - fixed:14,}"
        lines.append(f"  {'everything but the fixed unrolling':38}{rest}")
        terms = TERMS[title]
        lines += [f"    {'reference, ' + name:50}{cycles:14,}" for name, cycles in terms.items()]
        left = int(ref["cycles"]) - fixed - sum(terms.values())
        lines.append(f"    {'reference, not attributed':50}{left:14,}")
    lines.append(f"  {'main memory link busy':38}{found['main memory link busy']:14,}")
    for operand, counts in found["bursts"].items():
        shown = ", ".join(f"{verb.replace('_', ' ')} {n:,}" for verb, n in counts.items())
        lines.append(f"  bursts of {operand:8}{shown}")
    return lines


def published_points() -> Result:
    """Both published points against their bars."""
    result = Result()
    worst = 0.0
    for title, (steps, depth, reference) in POINTS.items():
        found = run(Point("7PLIF", steps, depth))
        result.lines += show(title, found, reference)
        for name in ("state", "weight", "input", "output"):
            result.check(found["pj"][name] == reference[name], f"{title}: main memory, {name}s not exact")
        result.check(abs(found["pj"]["MAC"] - MAC_PJ) < 1, f"{title}: MAC energy not exact")
        off = found["pj"]["total"] / reference["total"] - 1
        worst = max(worst, abs(off))
        result.check(abs(off) <= 0.05, f"{title}: total energy off by {100 * off:.2f} %, allowed 5 %")
        result.check(found["cpu_s"] <= 60, f"{title}: {found['cpu_s']:.0f} s CPU, allowed 60")
        result.figures[title] = found
    result.lines += REMARKS
    result.bar = f"main memory and MAC energy exact, total energy off by at most {100 * worst:.2f} % (bar 5 %)"
    return result


REMARKS = [
    "Cycles: the reference adds moves of main memory to the run time node by node; here loads run ahead as far as the",
    "buffer has room, so fewer of them are waited for.  In return the array waits for its one set of registers",
    "(states, outputs), for fills of its own memories, and for the 128-bit input port in additions and poolings.",
]


def sweep(published: bool, fusion: Fusion) -> Result:
    """Megabits through the link to main memory: schedules by buffer sizes."""
    result = Result(bar="schedules lowered")
    shapes = [("7PLIF", "0" * 7, "0" * 7), ("7PLIF", "1" * 7, "0" * 7), ("7PLIF", "0" * 7, "1" * 7),
              ("7PLIF", "1" * 7, "1" * 7), ("7PLIF", "1" * 7, "1111000"), ("5PLIF", "0011111", "1111000"),
              ("RED", "0" * 8, "0" * 8), ("RED", "1" * 8, "1" * 8), ("RED", "1" * 8, "11110000")]  # fmt: skip
    names = [f"{s}KB" if s < 1024 else f"{s // 1024}MB" for s in SIZES]
    result.lines.append(f"{'Mbit':30}" + "".join(f"{name:>10}" for name in names))
    for network, steps, depth in shapes:
        cells = []
        for name in names:
            try:
                bits = sum(moved(Point(network, steps, depth, parse_buffer(name, published), fusion)).values())
                cells.append(f"{bits / 1e6:10.1f}")
                result.figures[f"{network} {steps} {depth} {name}"] = bits
            except InputError:
                cells.append(f"{'no room':>10}")
        result.lines.append(f"{network:6}{steps:10}{depth:14}" + "".join(cells))
    return result


def main(argv: Sequence[str] | None = None) -> int:
    """The command; 0 done or bars reached, 1 a bar was missed, 2 the input is wrong."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stems", description="the STEMS mapping study")
    parser.add_argument("--schedule", nargs=3, metavar=("NETWORK", "TIME", "DEPTH"), help="another point")
    parser.add_argument("--buffer", default="1MB", help="size of the global buffer, such as 256KB")
    parser.add_argument("--published-sizes", action="store_true", help="small buffers as large as the published files")
    parser.add_argument("--hardware", choices=HARDWARE, default=HARDWARE[0], help="flat main memory, or a real one")
    parser.add_argument("--sweep", action="store_true", help="main memory only, over schedules and buffers")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    for name in Fusion.__dataclass_fields__:
        allowed = " | ".join(FUSED_CHOICES[name])
        parser.add_argument(f"--{name.replace('_', '-')}", default=getattr(Fusion(), name), help=allowed)
    options = parser.parse_args(argv)
    try:
        fusion = Fusion(**{name: getattr(options, name) for name in Fusion.__dataclass_fields__})
        if options.sweep:
            result = sweep(options.published_sizes, fusion)
        elif options.schedule:
            overrides = parse_buffer(options.buffer, options.published_sizes)
            network, steps, depth = options.schedule
            point = Point(network, steps, depth, overrides, fusion, options.hardware)
            found = run(point)
            bar = f"{found['pj']['total'] / 1e9:.4f} mJ, {found['cycles']['total']:,} cycles"
            result = Result(figures=found, bar=bar)
            result.lines = show(" ".join((*options.schedule, options.buffer)), found)
            result.lines += [f"  {name:38}{bits:14,} bits" for name, bits in moved(point).items()]
        else:
            result = published_points()
    except NeurocycleError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return show_result("stems", result, options.json)


if __name__ == "__main__":
    sys.exit(main())
