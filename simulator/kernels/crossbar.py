"""Crossbar kernels: which wordlines each read drives, and what the converters make of the column currents.

A *read* is one row group of one conversion domain (an array, or arrays that share bitlines) for one output position and
one input plane.  Only reads with at least one active wordline are listed: the others convert to nothing.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def list_reads(
    values, seg_tap, seg_channel, seg_length, seg_domain, seg_row, seg_line, tap_y, tap_x,
    plane_sign, plane_bit, first, last, grid_width, stride_y, stride_x, height, width, channels,
    group_rows, pack, read_position, read_scale, read_start, entry_row, entry_value, lines,
):  # fmt: skip
    """Lists the reads of one row block for output positions first .. last; returns how many there are.

    values int32 [height * width * channels]: pooled inputs of one timestep, channel last
    seg_tap, seg_channel, seg_length, seg_domain, seg_row, seg_line int64 [segments]: tap, first channel and number of
        channels of each run of wordlines; its domain; its first row in the block's matrix and its first line in the
        domain.  Segments of a domain follow each other, lines rising
    tap_y, tap_x int64 [taps]: offset of each tap from (output row * stride_y, output column * stride_x)
    plane_sign, plane_bit int64 [planes]: binary planes, driven one after another; empty: a wordline carries its value
    first, last: output positions in raster order, last exclusive;  grid_width: positions per row of the output
    stride_y, stride_x: in pooled inputs;  height, width, channels: of the pooled input
    group_rows: most wordlines of one read;  pack: active lines fill the groups, or (False) groups are fixed runs
    read_position, read_scale int64 [capacity] (out): position minus `first`; sign * 2^bit of the plane, 1 if folded
    read_start int64 [capacity + 1] (out): first entry of each read, then the number of entries
    entry_row, entry_value int64 [capacity] (out): row in the matrix, and what it carries (1 with planes)
    lines int64 [1] (in, out): most active lines of one read seen so far

    Order: position, plane, domain, group, line.  `capacity` is at least positions * planes * rows of the block.
    """
    reads = 0
    entries = 0
    folded = plane_sign.size == 0
    passes = 1 if folded else plane_sign.size
    read_start[0] = 0
    for position in range(first, last):
        top = position // grid_width * stride_y
        left = position % grid_width * stride_x
        for plane in range(passes):
            scale = np.int64(1) if folded else plane_sign[plane] << plane_bit[plane]
            domain = np.int64(-1)
            group = np.int64(-1)
            active = np.int64(0)
            for seg in range(seg_tap.size):
                if seg_domain[seg] != domain:
                    domain = seg_domain[seg]
                    group = -1
                    active = 0
                y = top + tap_y[seg_tap[seg]]
                x = left + tap_x[seg_tap[seg]]
                if y < 0 or y >= height or x < 0 or x >= width:
                    continue
                base = (y * width + x) * channels + seg_channel[seg]
                for k in range(seg_length[seg]):
                    value = np.int64(values[base + k])
                    if value == 0:
                        continue
                    if not folded:
                        magnitude = value * plane_sign[plane]
                        if magnitude < 0 or (magnitude >> plane_bit[plane]) & 1 == 0:
                            continue
                        value = np.int64(1)
                    here = active // group_rows if pack else (seg_line[seg] + k) // group_rows
                    if here != group:
                        group = here
                        read_position[reads] = position - first
                        read_scale[reads] = scale
                        reads += 1
                    entry_row[entries] = seg_row[seg] + k
                    entry_value[entries] = value
                    entries += 1
                    read_start[reads] = entries
                    active += 1
                    lines[0] = max(lines[0], entries - read_start[reads - 1])
    return reads


@njit(cache=True)
def convert_reads(
    reads, first, read_position, read_scale, read_start, entry_row, entry_value, conductance, variance, normals,
    bitline, wordline, column_output, column_weight, column_reference, step, lowest, highest,
    partial, driven, histogram, shift, counts, current, spread, code,
):  # fmt: skip
    """Converts the column currents of listed reads and adds what they stand for; returns the conversions.

    reads: how many;  first: output position that read_position counts from
    read_position, read_scale, read_start, entry_row, entry_value: as `list_reads` leaves them
    conductance float64 [copies, rows, columns]: of each cell, in steps between two levels; position p reads copy
        p % copies
    variance float64 [copies, rows, columns]: of one read of each cell; [0, 0, 0]: reads are exact
    normals float64 [reads * columns] or [0]: standard normal numbers, one per conversion
    bitline: attenuation per active row;  wordline float64 [columns]: attenuation by the column's place (see `IrDrop`)
    column_output int64 [columns]: output that a column belongs to, -1 for a reference column
    column_weight int64 [columns]: what one level is worth: +-2^(bits below)
    column_reference int64 [columns]: column whose result is subtracted, or -1.  It precedes its users
    step: levels per code;  lowest, highest: codes of the converter (lowest 0, or -highest where currents have a sign)
    partial int64 [positions, outputs] (in, out): sums of weighted inputs
    driven int64 [positions] (in, out): scaled number of driven wordlines, for a correction by the offset of the weights
    histogram int64 [bins] (in, out): conversions by (code - lowest) >> shift
    shift: codes per bin, as a power of two
    counts int64 [4] (in, out): sums above full scale, codes 0, largest |code|, conversions
    current, spread float64 [columns], code int64 [columns]: scratch

    Per column: current = sum over active rows, in row order; attenuated; plus noise; code = |current| / step rounded to
    the nearest (half to even, so that no bias builds up), clipped; result = sign * code * step.
    """
    copies, _, columns = conductance.shape
    noisy = variance.size > 0
    attenuated = bitline != 0.0 or wordline.size > 0
    for read in range(reads):
        position = first + read_position[read]
        cells = conductance[position % copies]
        current[:] = 0.0
        if noisy:
            spread[:] = 0.0
        lines = np.int64(0)
        for k in range(read_start[read], read_start[read + 1]):
            row = cells[entry_row[k]]
            value = entry_value[k]
            lines += value
            if value == 1:
                for j in range(columns):
                    current[j] += row[j]
            else:
                for j in range(columns):
                    current[j] += row[j] * value
            if noisy:
                own = variance[position % copies, entry_row[k]]
                for j in range(columns):
                    spread[j] += own[j] * (value * value)
        if attenuated:
            on = read_start[read + 1] - read_start[read]
            for j in range(columns):
                current[j] /= 1.0 + bitline * on + (wordline[j] if wordline.size else 0.0)
        if noisy:
            for j in range(columns):
                current[j] += np.sqrt(spread[j]) * normals[read * columns + j]
        scale = read_scale[read]
        for j in range(columns):
            found = np.int64(np.rint(abs(current[j]) / step))
            if current[j] < 0.0:
                found = -found
            if found > highest or found < -highest:
                counts[0] += 1
            found = min(highest, max(lowest, found))
            if found == 0:
                counts[1] += 1
            counts[2] = max(counts[2], abs(found))
            histogram[(found - lowest) >> shift] += 1
            code[j] = found * step
            if column_output[j] >= 0:
                result = code[j]
                if column_reference[j] >= 0:
                    result -= code[column_reference[j]]
                partial[position, column_output[j]] += scale * column_weight[j] * result
        driven[position] += scale * lines
    counts[3] += reads * columns
    return reads * columns
