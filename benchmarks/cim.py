"""RRAM tiles against the published SpikeSim estimator: its figures exactly, and what each of its quirks does.

    python -m benchmarks.cim [--json]

Needs no data.  VGG9 runs as an ordinary network on the ordinary unit with the quirk flags on (`cim_spikesim64_ela`,
activity dense).  Four parts:

1. The estimator's own figures (ela_spikesim.py at commit c2627bc, run) for three array sizes and five variants: PEs and
   tiles exact, energy and area to a relative 1e-12, latency exact in ns.
2. SpikingJelly's figures with its counting rules, spikes drawn at six densities: within 0.5 % of its expectation.
3. Quirk by quirk: what energy, area and latency become when one flag is taken out, and where all are out.
4. The same run with every converter of 4 and 5 bits that is in print: how much of the total this one choice decides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from benchmarks.cim_adc import adc_lines
from benchmarks.cim_ela import CASES, GOLDEN_TOLERANCE, Case, Figures, simulated
from benchmarks.cim_quirks import quirk_lines
from benchmarks.cim_spikes import DENSITIES, SPIKES_TOLERANCE, spikes_error
from benchmarks.command import Result, run_alone


def main(argv: Sequence[str] | None = None) -> int:
    """Runs all parts; 0 every figure holds, 1 one does not, 2 the input is wrong."""
    return run_alone("cim", __doc__.splitlines()[0], compute, argv)


def compute() -> Result:
    """All parts of the benchmark."""
    result = Result()
    exact = _goldens(result)
    worst = _spikes(result)
    result.lines += ["", *quirk_lines(), "", *adc_lines()]
    result.bar = (
        f"{exact} of {len(CASES)} SpikeSim cases exact (all must); SpikingJelly's expectation met within {worst:.2%} "
        f"(bar {SPIKES_TOLERANCE:.1%})"
    )
    return result


def _goldens(result: Result) -> int:
    """The estimator's figures; returns how many cases are exact."""
    result.lines.append("SpikeSim VGG9             PEs  tiles          energy pJ           area um2  latency ns")
    exact, figures = 0, []
    for case in CASES:
        found = simulated(case)
        wrong = differences(found, case)
        exact += not wrong
        for what in wrong:
            result.check(False, f"{case.name}: {what}")
        result.lines.append(
            f"  {case.name:22s} {found.pes:4d}  {found.tiles:5d}  {found.energy_pj:17.3f}  {found.area_um2:17.3f}  "
            f"{found.latency_ns:10d}{'' if wrong else '  exact'}"
        )
        figures.append({"case": case.name, "pes": found.pes, "tiles": found.tiles, "energy_pj": found.energy_pj,
                        "area_um2": found.area_um2, "latency_ns": found.latency_ns, "exact": not wrong})  # fmt: skip
    result.figures["spikesim"] = figures
    return exact


def differences(found: Figures, case: Case) -> list[str]:
    """What differs from the published figures of a case; figures that were not published are not compared."""
    wrong = []
    for name in ("pes", "tiles", "latency_ns"):
        value, wanted = getattr(found, name), getattr(case.golden, name)
        if wanted is not None and value != wanted:
            wrong.append(f"{name} {value}, published {wanted}")
    for name in ("energy_pj", "area_um2"):
        value, wanted = getattr(found, name), getattr(case.golden, name)
        if wanted is not None and abs(value / wanted - 1) > GOLDEN_TOLERANCE:
            wrong.append(f"{name} {value!r}, published {wanted!r}")
    for layer, wanted in case.layers_pj.items():
        if round(found.layers_pj[layer], 3) != wanted:
            wrong.append(f"energy of {layer} {found.layers_pj[layer]:.3f} pJ, published {wanted}")
    return wrong


def _spikes(result: Result) -> float:
    """The counting rules of the estimator's user on drawn spikes; returns the worst relative error."""
    result.lines += ["", "SpikingJelly rules    energy pJ  expectation   error"]
    worst, figures = 0.0, []
    for density in DENSITIES:
        energy, expected = spikes_error(density)
        error = energy / expected - 1
        worst = max(worst, abs(error))
        result.check(abs(error) <= SPIKES_TOLERANCE, f"density {density}: {error:+.2%} off SpikingJelly's expectation")
        result.lines.append(f"  density {density:5.2f}  {energy:15.0f}  {expected:11.0f}  {error:+6.2%}")
        figures.append({"density": density, "energy_pj": energy, "expected_pj": expected})
    result.figures["spikingjelly"] = figures
    return worst


if __name__ == "__main__":
    sys.exit(main())
