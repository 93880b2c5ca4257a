"""Inputs of crossbar vectors: spikes of a timestep as a map of pooled values, and prefix sums of its binary planes."""

from __future__ import annotations

from numba import njit


@njit(cache=True)
def fill_map(
    index, value, row_first, row_last, col_first, col_last, values, magnitude, channels, width, pooled_width, presence
):
    """Pools one timestep's spikes into a map; returns nothing.

    index uint32 [n], value int32 [n] or [0] (all 1): spikes of the source, flat channel last
    row_first, row_last int64 [H]; col_first, col_last int64 [W]: pooled rows and columns whose window holds a
        coordinate, last exclusive
    values int32 [N pooled] (in, out): zero on entry; sums of the spikes of each window, or 1 where one is there
    magnitude int32 [N pooled] or [0] (in, out): the same of the absolute values
    channels, width: of the source;  pooled_width: of the map
    presence: True for OR pooling
    """
    graded = value.size > 0
    for i in range(index.size):
        flat = int(index[i])
        pixel = flat // channels
        c = flat - pixel * channels
        y = pixel // width
        x = pixel - y * width
        s = value[i] if graded else 1
        if s == 0:
            continue
        for row in range(row_first[y], row_last[y]):
            for col in range(col_first[x], col_last[x]):
                at = (row * pooled_width + col) * channels + c
                if presence:
                    values[at] = 1
                else:
                    values[at] += s
                if magnitude.size > 0:
                    magnitude[at] = 1 if presence else magnitude[at] + abs(s)


@njit(cache=True)
def prefix_planes(values, magnitude, plane_sign, plane_bit, sums):
    """Prefix sums along the channels, plane by plane; returns the smallest and largest value of the map.

    values int32 [pixels, C]: pooled inputs;  magnitude int32 [pixels, C] or [0, 0]: what they count for in synaptic
        operations
    plane_sign, plane_bit int64 [planes]: an input is on in a plane where sign * value has this bit set
    sums int32 [planes + 2, pixels, C + 1] (out): entry c is what lies in channels 0 .. c - 1: of each plane, then of
        inputs that are not zero, then of magnitudes; or [1, pixels, C + 1] where the values are 0 and 1 only
    """
    planes = plane_sign.size
    low = 0
    high = 0
    for pixel in range(values.shape[0]):
        if sums.shape[0] == 1:
            total = 0
            for c in range(values.shape[1]):
                v = values[pixel, c]
                low = min(low, v)
                high = max(high, v)
                total += v
                sums[0, pixel, c + 1] = total
            continue
        for c in range(values.shape[1]):
            v = int(values[pixel, c])
            low = min(low, v)
            high = max(high, v)
            for k in range(planes):
                signed = v * plane_sign[k]
                on = 1 if signed > 0 and (signed >> plane_bit[k]) & 1 else 0
                sums[k, pixel, c + 1] = sums[k, pixel, c] + on
            sums[planes, pixel, c + 1] = sums[planes, pixel, c] + (1 if v != 0 else 0)
            sums[planes + 1, pixel, c + 1] = sums[planes + 1, pixel, c] + magnitude[pixel, c]
    return low, high
