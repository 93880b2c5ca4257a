"""Plain definition of pooling and synapses: every target looks at every source neuron, in Python numbers."""

from __future__ import annotations

from simulator.network import Population, Projection

Spikes = dict[int, int]
"""Flat channel-last index -> value; the order of insertion is the order in which spikes are delivered."""


def coordinates(index: int, channels: int, width: int) -> tuple[int, int, int]:
    """(c, y, x) of a flat channel-last index."""
    return index % channels, index // channels // width, index // channels % width


def pool(projection: Projection, source: Population, spikes: Spikes) -> Spikes:
    """Spikes as the synapses see them, rising index; "average" pools like "sum" here and is divided later."""
    if projection.pool is None:
        return dict(spikes)
    c, h, w = source.shape
    (py, px), (sy, sx) = projection.pool.size, projection.pool.stride
    rows, cols = (h - py) // sy + 1, (w - px) // sx + 1
    pooled = {}
    for y in range(rows):
        for x in range(cols):
            for channel in range(c):
                window = [
                    spikes.get(((y * sy + dy) * w + x * sx + dx) * c + channel, 0)
                    for dy in range(py)
                    for dx in range(px)
                ]
                total = int(any(window)) if projection.pool.kind == "or" else sum(window)
                if total:
                    pooled[(y * cols + x) * c + channel] = total
    return pooled


def pooled_shape(projection: Projection, source: Population) -> tuple[int, int, int]:
    """(C, H, W) of what the synapses see."""
    c, h, w = source.shape
    if projection.pool is None:
        return c, h, w
    (py, px), (sy, sx) = projection.pool.size, projection.pool.stride
    return c, (h - py) // sy + 1, (w - px) // sx + 1


def synapses(projection: Projection, source: Population, target: Population, index: int) -> list[tuple[int, float]]:
    """(target index, weight) of every synapse of one (pooled) source neuron, target rising."""
    c_in, h, w = pooled_shape(projection, source)
    c_out, height, width = target.shape
    c, y, x = coordinates(index, c_in, w)
    found = []
    if projection.kind == "sparse":
        first, last = int(projection.indptr[index]), int(projection.indptr[index + 1])
        found = [(int(projection.indices[k]), projection.weights[k].item()) for k in range(first, last)]
        return sorted(found, key=lambda pair: pair[0])
    for at in range(c_out * height * width):
        d, oy, ox = coordinates(at, c_out, width)
        if projection.kind == "linear":
            found.append((at, projection.weights[(d * height + oy) * width + ox, (c * h + y) * w + x].item()))
        elif projection.kind == "one_to_one":
            if at == index:
                found.append((at, projection.weights[c].item()))
        else:
            tap_y = y + projection.padding[0] - oy * projection.stride[0]
            tap_x = x + projection.padding[1] - ox * projection.stride[1]
            if tap_y % projection.dilation[0] or tap_x % projection.dilation[1]:
                continue
            ky, kx = tap_y // projection.dilation[0], tap_x // projection.dilation[1]
            if not (0 <= ky < projection.kernel[0] and 0 <= kx < projection.kernel[1]):
                continue
            if projection.kind == "depthwise":
                if d == c:
                    found.append((at, projection.weights[c, ky, kx].item()))
            else:
                per_in, per_out = c_in // projection.groups, c_out // projection.groups
                if c // per_in == d // per_out:
                    found.append((at, projection.weights[d, c % per_in, ky, kx].item()))
    return found


def deliver(projection: Projection, source: Population, target: Population, pooled: Spikes, sums: list) -> int:
    """Adds weighted spikes to `sums`, one Python number per target; returns the synaptic operations."""
    operations = 0
    for index, value in pooled.items():
        reached = synapses(projection, source, target, index)
        operations += len(reached) * abs(value)
        for at, weight in reached:
            sums[at] += weight * value
    return operations
