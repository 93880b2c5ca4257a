"""Compatibility flags: what published estimators do differently from the tile's contract, as data.

SpikeSim is `ela_spikesim.py` of Intelligent-Computing-Lab-Yale/SpikeSim at commit c2627bc, SpikingJelly is
`activation_based/op_counter/spikesim` of fangwei123456/spikingjelly at commit afb1322; both were read and run.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BeforeValidator, WithJsonSchema

from simulator.errors import InputError, unknown


@dataclass(frozen=True)
class Quirk:
    """One flag.

    id        number in reports;  flag: name in a hardware file
    does      what the estimator does
    affects   letters: E energy, A area, L latency, U which networks can be computed at all
    instead   what the tile does without the flag
    """

    id: str
    flag: str
    does: str
    affects: str
    instead: str


QUIRKS: tuple[Quirk, ...] = (
    Quirk("Q1", "fixed_pe_cycle", "26 clocks per vector whatever size, kernel, bits or density", "L",
          "cycles of the contract"),
    Quirk("Q2", "mux_steps_eq_adcs", "columns/8 is both converter count and mux steps, so (columns/8)^2 conversions",
          "E", "a conversion per used column"),
    Quirk("Q3", "reread_per_mux_step", "the array is charged at every mux step", "E", "crossbar.sample_hold"),
    Quirk("Q4", "adc_shared_over_kernel", "array energy times kernel positions, conversions not", "EL",
          "crossbar.kernel_merge"),
    Quirk("Q5", "sram_energy_is_area", "device sram uses one literal, 671.089, as energy and as area", "E",
          "energies have a source of their own"),
    Quirk("Q6", "sub_unit_slip", "1.15e-6 pJ per subtraction, almost certainly a slip of units", "E",
          "1.15 pJ, as was meant"),
    Quirk("Q7", "lumps_per_pe_cycle", "tile buffer, H-tree, fetch and neuron unit charged per vector of a PE", "E",
          "bits moved, and an update per neuron"),
    Quirk("Q8", "htree_fixed_8", "H-tree energy and area for 8 processing elements whatever pes_per_tile is", "EA",
          "grows with the processing elements"),
    Quirk("Q9", "xbar_area_fixed", "26.2144 um2 per array of any size", "A", "rows x columns x cell area"),
    Quirk("Q10", "sub_area_x8_temp_area_1", "subtractor area times columns/8 per tile, temporary buffer once per tile",
          "A", "per converter"),
    Quirk("Q11", "full_tiles", "all processing elements of the last, partly filled tile", "A",
          "a chip made for one network has the processing elements it uses"),
    Quirk("Q12", "no_activity", "no term for spikes, sparsity, weight bits or ADC bits", "EL", "counts follow spikes"),
    Quirk("Q13", "no_static_no_dram", "no leakage, no main memory, no programming", "E", "leakage is counted"),
    Quirk("Q14", "post_pool_dims", "maps counted after the pooling of their consumer, four times too small", "EL",
          "sizes before pooling"),
    Quirk("Q15", "input_mem_22bit", "input maps stored with a membrane word per spike", "A", "input bits"),
    Quirk("Q16", "neuron_mem_first5", "membrane memory of the first five layers only", "A", "all layers"),
    Quirk("Q17", "latency_serial_cout", "time multiplied by output channels although they are read in parallel", "L",
          "vectors over parallel units"),
    Quirk("Q18", "overlap_75", "a layer starts when the one before has done 75 %, truncated; at most 12 layers", "LU",
          "a layer starts when its inputs are there"),
    Quirk("Q19", "tiles_shared", "layers may share a tile", "A", "tile_sharing of the unit"),
    Quirk("Q20", "sorted_pe_counts", "processing elements must not become fewer from layer to layer", "U",
          "any order"),
    Quirk("Q21", "hang_when_all_small", "never ends when no layer fills an array", "U", "ends"),
    Quirk("Q22", "conv_only_one_kernel", "one kernel for all layers, square maps, no linear layer, no residual", "U",
          "every layer has its own"),
    Quirk("J1", "patch_events", "converters, buffer and H-tree fire once per row block with any spike, the neuron "
          "unit once per position with any spike; active rows are scaled to a full array", "E",
          "counts follow rows, columns and bits"),
)  # fmt: skip
"""Q1 to Q22 are SpikeSim's, J1 is how SpikingJelly counts spikes with SpikeSim's prices."""

FLAGS: tuple[str, ...] = tuple(q.flag for q in QUIRKS)

SETS: dict[str, tuple[str, ...]] = {
    "spikesim_ela": tuple(q.flag for q in QUIRKS if q.id.startswith("Q")),
    "spikingjelly": (
        "mux_steps_eq_adcs",
        "reread_per_mux_step",
        "adc_shared_over_kernel",
        "sub_unit_slip",
        "lumps_per_pe_cycle",
        "htree_fixed_8",
        "xbar_area_fixed",
        "sub_area_x8_temp_area_1",
        "full_tiles",
        "no_static_no_dram",
        "input_mem_22bit",
        "neuron_mem_first5",
        "tiles_shared",
        "patch_events",
    ),
}
"""Names that stand for several flags: the whole estimator, or the counting rules of its user."""

_ALLOWED = [*SETS, *FLAGS]


def _flags(value: Any) -> tuple[str, ...]:
    """Flags named by a text or a list of texts, sets expanded, in the order of the table."""
    names = [value] if isinstance(value, str) else value
    if not isinstance(names, list | tuple):
        raise InputError("wrong value", key="quirks", found=value, allowed="a name or a list of names")
    chosen: set[str] = set()
    for name in names:
        if not isinstance(name, str) or name not in _ALLOWED:
            raise unknown("quirk", name, _ALLOWED, key="quirks")
        chosen.update(SETS.get(name, (name,)))
    return tuple(flag for flag in FLAGS if flag in chosen)


_NAMES = {"enum": _ALLOWED}
Quirks = Annotated[
    tuple[str, ...],
    BeforeValidator(_flags),
    WithJsonSchema({"anyOf": [_NAMES, {"type": "array", "items": _NAMES}]}),
]
"""Flags in the order of the table; a file may name a set, one flag, or a list of both."""
