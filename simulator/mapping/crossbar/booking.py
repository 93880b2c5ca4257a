"""Actions of a layer's vectors from the totals of its row blocks, in closed form.

Symbols per row block: A vectors that are not skipped, G converted groups (G1 with an active row), n active rows summed
over converted groups, M mux steps, C used columns, O outputs, S slices, r wordlines per input; sums run over the
block's processing elements (one per column block), all of which see the same rows.  Sources: the tile's contract
(steps 0 to 7 of a vector); a converter that integrates counts as NeuRRAM does in mit-emze/cimloop @d6e1390.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from simulator.mapping.crossbar.groups import drive_bits, mux_steps, steps_of
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.part import CrossbarPart

Counts = dict[str, int]


class Totals(NamedTuple):
    """Totals of a row block over its vectors.

    vectors; active: those that are not skipped;  groups, idle: converted groups with and without an active row;  rows:
    active rows over all groups;  inputs: active inputs;  adds: groups after the first of each vector;  slots: arrays
    read.
    """

    vectors: int
    active: int
    groups: int
    idle: int
    rows: int
    inputs: int
    adds: int
    slots: int


def add(counts: Counts, action: str, number: int) -> None:
    """Adds to an action's count."""
    counts[action] = counts.get(action, 0) + int(number)


class Block:
    """A row block's sizes over its column blocks: PEs, columns, outputs, and sums with the mux steps of each."""

    def __init__(self, spec: Any, layer: CrossbarLayer, number: int) -> None:
        block = layer.row_blocks[number]
        self.part: CrossbarPart = layer.parts[block.part]
        self.pes = len(block.columns)
        self.arrays = len(block.arrays)
        self.rows = block.rows
        used = [layer.columns_of(number, column) for column in range(self.pes)]
        steps = [mux_steps(spec, columns) for columns in used]
        if "mux_steps_eq_adcs" in spec.quirks:
            used = [spec.bank_adcs**2] * self.pes
        self.columns = sum(used)
        self.steps = sum(steps)
        self.column_steps = sum(c * m for c, m in zip(used, steps, strict=True))
        self.outputs = block.outputs
        self.depthwise = self.part.projection.kind == "depthwise"
        self.slices = self.part.slices

    @property
    def fan_out(self) -> int:
        """Outputs that one active row reaches: its own channel's in a depthwise block, else all."""
        return 1 if self.depthwise else self.outputs


def book_block(spec: Any, block: Block, found: Totals, counts: Counts) -> None:
    """Adds the actions of one row block, linear in what was `found`.

    slot:row      r_all steps per array read: rows of the array x read steps
    drive:row     n r, times M where word lines are driven anew at each mux step
    select:row    G (pack)                          hold:column    G C (sample and hold)
    read:cell     n r C; of all columns in each mux step where those conduct: n r C M
    conduct       read:cell of selected columns x mean conductance in 0.001 uS
    read:column   G C                               convert:column G1 C;  convert_idle:column (G - G1) C
    shift_add     G O (S - 1)                       subtract       G O where the sign is corrected digitally
    accumulate    O x groups after the first of a vector
    check:vector  vectors, with zero skipping
    """
    crossbar, quirks = spec.crossbar, spec.quirks
    lines = block.part.rows_per_input
    groups, idle = found.groups, found.idle
    if "adc_shared_over_kernel" in quirks:
        groups, idle = found.active, 0
    rows = found.rows * lines
    if spec.adc.kind == "integrate_steps":
        book_integrating(spec, block, found, counts)
        steps = drive_bits(block.part) * block.pes
        rows *= drive_bits(block.part)
        redriven = block.pes
    else:
        again = crossbar.redrive_per_mux_step or "reread_per_mux_step" in quirks
        steps = block.pes if crossbar.sample_hold else block.steps
        redriven = block.steps if again else block.pes
        wide = crossbar.conduct == "all" and not crossbar.sample_hold
        add(counts, "read:cell", rows * (block.column_steps if wide else block.columns))
        add(counts, "conduct:column", rows * block.columns * spec.cell.mean_milli_us)
    add(counts, "slot:row", found.slots * crossbar.rows * steps)
    add(counts, "drive:row", rows * redriven)
    add(counts, "select:row", (groups + idle) * block.pes if crossbar.row_policy == "pack" else 0)
    add(counts, "read:column", (groups + idle) * block.columns)
    add(counts, "hold:column", (groups + idle) * block.columns if crossbar.sample_hold else 0)
    add(counts, "convert:column", groups * block.columns)
    add(counts, "convert_idle:column", idle * block.columns)
    add(counts, "shift_add:partial_sum", (groups + idle) * block.outputs * (block.slices - 1))
    corrected = crossbar.signed != "differential_rows"
    add(counts, "subtract:partial_sum", (groups + idle) * block.outputs if corrected else 0)
    add(counts, "accumulate:partial_sum", found.adds * block.outputs)
    add(counts, "check:vector", found.vectors * block.pes if spec.zero_skip != "none" else 0)


def book_integrating(spec: Any, block: Block, found: Totals, counts: Counts) -> None:
    """Adds the steps of a converter that integrates: I, b and A per group and column, b the inputs' magnitude bits.

    Per neuron 0.25 I + 1.2 b + (0.3 + 0.1) A pJ in NeuRRAM: integrate, sample, conversion step with a shift-add.  An
    active row is driven once per magnitude bit.
    """
    integrate, convert, _ = steps_of(spec, drive_bits(block.part))
    groups = found.groups + found.idle
    add(counts, "integrate:column", groups * block.columns * integrate)
    add(counts, "sample:column", groups * block.columns * drive_bits(block.part))
    add(counts, "step:column", groups * block.columns * convert)
    add(counts, "shift_add:partial_sum", groups * block.columns * convert)


def book_lumps(spec: Any, blocks: list[Block], found: list[Totals], sites: int, counts: Counts) -> None:
    """Replaces all actions but conversions by SpikeSim's, per vector of a processing element (lumps_per_pe_cycle).

    blocks, found: of the layer;  sites: positions with any spike in their window.
    Per vector: tile buffer 1, H-tree 1, fetch 1, neuron unit 1, array k^2 M, temporary buffer M, subtractor 16 M, with
    M mux steps (ela_spikesim.py @c2627bc: M = X/8).  Under patch_events vectors are those with a spike, the neuron unit
    fires once per position with one, and the array is charged per active row, in thousandths of a row of a full array:
    n X / channels (SpikingJelly op_counter/spikesim @afb1322).
    """
    kept = {action: counts.get(action, 0) for action in ("convert:column", "convert_idle:column", "read:column")}
    counts.clear()
    counts.update(kept)
    by_rows = "patch_events" in spec.quirks
    for block, seen in zip(blocks, found, strict=True):
        vectors = seen.active
        for name in ("tile_buffer", "htree", "fetch"):
            add(counts, f"lump_{name}:vector", vectors * block.pes)
        add(counts, "lump_neuron:vector", (sites if by_rows else vectors) * block.pes)
        add(counts, "lump_temp:column", vectors * block.steps)
        add(counts, "lump_sub:column", vectors * block.steps * 16)
        if by_rows:
            thousandths = 1000 * seen.inputs * block.pes * spec.crossbar.rows * block.arrays
            add(counts, "lump_row:row", (2 * thousandths + block.rows) // (2 * block.rows))
        else:
            again = block.steps if "reread_per_mux_step" in spec.quirks else block.pes
            add(counts, "lump_crossbar_step:array", vectors * block.arrays * again)
