"""A decision that comes out differently with a calibrated cost model: how wide to build a global buffer.

    python -m benchmarks.decision [--networks N] [--json]

The array of the STEMS study has a global buffer of one 128-bit bank per 128 KB; every operand passes it.  Asked is the
smallest buffer of 1, 2, 4 or 8 banks that makes a network at most 5 % slower than the largest one does: a bank less is
area saved, a bank too few is a missed frame rate.  The question is put for each of N drawn networks, fused or layer by
layer, to

- the simulator, whose answer counts;
- the closed form without calibration;
- models calibrated on the other networks only: none has seen the network that it is asked about;
- the published models that price this chip.

The example is, of the decisions that calibration mends, the one in which the closed form's choice is slowest.

Bars: there is such a decision, in which the calibrated model chooses as the simulator does and the closed form does
not; and of all decisions the calibrated models get more right than the closed form.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NamedTuple

from benchmarks.command import Result, run_options
from simulator.costmodel.case import Case
from simulator.costmodel.held_out import held_out
from simulator.costmodel.observe import Observation, observe
from simulator.costmodel.published import MODELS

CHIP = "stems_meta1m_lpddr4"
BANKS = (1, 2, 4, 8)
BANK_BYTES, BANK_BITS = 131_072, 128
MAPPINGS = {"default": "layer by layer", "time=0 depth=1": "fused"}
NETWORKS, STEPS = 24, 3
SLOWER = 0.05
OURS = ("simulator", "closed form", "calibrated")


class Decision(NamedTuple):
    """A network and a mapping: by who answers, the latency of each buffer, ps."""

    network: str
    mapping: str
    latency: dict[str, list[float]]

    def choice(self, who: str) -> int:
        """Banks of the smallest buffer that is fast enough."""
        ends = self.latency[who]
        return next(banks for banks, end in zip(BANKS, ends, strict=True) if end <= (1 + SLOWER) * ends[-1])

    def right(self, who: str) -> bool:
        """Whether the choice is the simulator's."""
        return self.choice(who) == self.choice("simulator")

    def slower(self, who: str) -> float:
        """How much slower than with the largest buffer the choice is in the simulator."""
        ends = self.latency["simulator"]
        return ends[BANKS.index(self.choice(who))] / ends[-1] - 1


def main(argv: Sequence[str] | None = None) -> int:
    """Prints the example and how often who decides as the simulator does; 1 where a bar is missed."""
    return run_options("decision", __doc__.splitlines()[0], compute, _declare, argv)


def _declare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--networks", type=int, default=NETWORKS, help=f"drawn networks (default {NETWORKS})")


def compute(options: argparse.Namespace) -> Result:
    """All decisions, by everyone who answers."""
    found = decide(options.networks)
    judges = [who for who in found[0].latency if who != "simulator"]
    right = {who: sum(each.right(who) for each in found) for who in judges}
    result = Result(bar=f"of {len(found)} decisions the closed form gets {right['closed form']} right, calibrated "
                        f"models {right['calibrated']} (more)")  # fmt: skip
    result.check(right["calibrated"] > right["closed form"], "calibrated models are right more often")
    flipped = [each for each in found if each.right("calibrated") and not each.right("closed form")]
    lost = [each for each in found if each.right("closed form") and not each.right("calibrated")]
    if result.check(bool(flipped), "one decision that calibration mends"):
        example = max(flipped, key=lambda each: each.slower("closed form"))
        result.lines += _example(example)
        result.figures["example"] = {
            "network": example.network, "mapping": example.mapping, "banks": {who: example.choice(who) for who in OURS},
        }  # fmt: skip
    result.lines += ["", f"{'who decides':<14}  as the simulator  too few banks  too many"]
    for who in judges:
        few = sum(each.choice(who) < each.choice("simulator") for each in found)
        many = len(found) - few - right[who]
        result.lines.append(f"{who:<14}  {right[who]:>9} of {len(found):<3}  {few:>13}  {many:>8}")
    result.lines += ["", f"mended by calibration: {len(flipped)}; spoilt by it: {len(lost)}"]
    result.figures |= {"decisions": len(found), "right": right, "mended": len(flipped), "spoilt": len(lost)}
    ordered = {who: ordered_as(found, who) for who in judges}
    pairs = len({each.network for each in found}) * len(BANKS)
    told = ", ".join(f"{who} {count}" for who, count in ordered.items())
    result.lines.append(f"layer by layer or fused, which is faster: of {pairs} answers right: {told}")
    result.figures |= {"pairs": pairs, "ordered": ordered}
    return result


def ordered_as(found: Sequence[Decision], who: str) -> int:
    """Pairs of mappings, by network and buffer, that `who` puts in the simulator's order."""
    count = 0
    for network in dict.fromkeys(each.network for each in found):
        one, other = (
            next(d for d in found if (d.network, d.mapping) == (network, mapping)) for mapping in MAPPINGS.values()
        )
        for i in range(len(BANKS)):
            signs = {
                (a > b) - (a < b)
                for judge in ("simulator", who)
                for a, b in ((one.latency[judge][i], other.latency[judge][i]),)
            }
            count += len(signs) == 1
    return count


def _example(found: Decision) -> list[str]:
    """A table of the example."""
    heads = "  ".join(f"{_kilobytes(banks):>6} KB" for banks in BANKS)
    lines = [f"{found.network}, {found.mapping}: slower than with the largest buffer", f"{'':<14}  {heads}  choice"]
    for who, ends in found.latency.items():
        shares = "  ".join(f"{100 * (end / ends[-1] - 1):>7.1f} %" for end in ends)
        lines.append(f"{who:<14}  {shares}  {_kilobytes(found.choice(who))} KB")
    late, most = 100 * found.slower("closed form"), 100 * SLOWER
    lines.append(f"the closed form's choice is {late:.1f} % slower in the simulator, at most {most:.0f} % are allowed")
    return lines


def _kilobytes(banks: int) -> int:
    return banks * BANK_BYTES // 1024


def decide(networks: int) -> list[Decision]:
    """Every network with every mapping; answered by all who can."""
    cases = [_case(index, mapping, banks) for index in range(networks) for mapping in MAPPINGS for banks in BANKS]
    seen = [observe(case) for case in cases]
    calibrated = held_out(seen)
    found = []
    for first in range(0, len(cases), len(BANKS)):
        several = slice(first, first + len(BANKS))
        latency: dict[str, list[float]] = {
            "simulator": [float(each.simulated.end_ps) for each in seen[several]],
            "closed form": [float(each.estimated.end_ps) for each in seen[several]],
            "calibrated": [float(each.figures.end_ps) for each in calibrated[several]],
            **_published(seen[several]),
        }
        case = cases[first]
        found.append(Decision(case.architecture, MAPPINGS[case.mapping], latency))
    return found


def _case(index: int, mapping: str, banks: int) -> Case:
    """A drawn network on the chip with so many banks; spikes change nothing on it."""
    settings = (f"global.capacity_bytes={banks * BANK_BYTES}", f"global.width_bits={banks * BANK_BITS}")
    return Case(
        "decision", f"fused{index:02d}", "drawn", CHIP, settings, mapping, 0.1, index, STEPS, 1,
        f"generated/fused/0/{index}",
    )  # fmt: skip


def _published(seen: Sequence[Observation]) -> dict[str, list[float]]:
    """Latencies by the published models that have any for this chip."""
    found: dict[str, list[float]] = {}
    for model in MODELS:
        ends = []
        for each in seen:
            ready = each.case.prepare()
            end = model.latency_ps(ready.schedule, ready.hardware, each.activity, ready.mapping)
            if end is not None:
                ends.append(end)
        if len(ends) == len(seen):
            found[model.name] = ends
    return found


if __name__ == "__main__":
    sys.exit(main())
