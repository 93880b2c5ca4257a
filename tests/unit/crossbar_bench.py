"""A bank of crossbar tiles as the planner sees one, and random networks for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from simulator.mapping.crossbar.entry import CrossbarMapping
from simulator.mapping.crossbar.lay import lay_out
from simulator.mapping.crossbar.layer import CrossbarLayer
from simulator.mapping.crossbar.plan import CrossbarPlan, crossbar_plan
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.units import ceil_div

CROSSBAR = {
    "rows": 64,
    "columns": 64,
    "cell_bits": 4,
    "signed": "offset",
    "kernel_merge": "analog",
    "mux_ratio": 8,
    "rows_parallel": 64,
}
SIGNED = ("offset", "differential_columns", "differential_rows", "reference_column")


def bank(**fields: Any) -> Any:
    """A `cim_tile` spec with only the fields that the planner reads; keys of `crossbar` may be given directly."""
    crossbar = {key: fields.pop(key, value) for key, value in CROSSBAR.items()}
    buffer = SimpleNamespace(steps=fields.pop("steps", 4))
    values = {
        "type": "cim_tile",
        "tiles": None,
        "pes_per_tile": 8,
        "arrays_per_pe": "kernel",
        "tile_sharing": True,
        "arrangement": "kernel",
        "input_bits": None,
        "adc": SimpleNamespace(kind=fields.pop("kind", "sar")),
        "pipeline": "stream",
        "quirks": (),
        "write": SimpleNamespace(count=False),
        **fields,
    }
    return SimpleNamespace(crossbar=SimpleNamespace(**crossbar), buffer=buffer, **values)


def in_a_row(network: Network, spec: Any, arrangement: str = "kernel", copies: int = 1) -> list[CrossbarMapping]:
    """One entry per layer, one after another, each in tiles of its own where the unit does not share tiles."""
    entries: list[CrossbarMapping] = []
    pe = 0
    for name in network.layers:
        if not spec.tile_sharing:
            pe = ceil_div(pe, spec.pes_per_tile) * spec.pes_per_tile
        entries.append(CrossbarMapping(name, "cim", arrangement, copies, pe))  # type: ignore[arg-type]
        pe = lay_out(network, spec, entries[-1]).end_pe
    return entries


def plan(network: Network, spec: Any, arrangement: str = "kernel", copies: int = 1) -> CrossbarPlan:
    """The plan of `in_a_row`."""
    return crossbar_plan(network, spec, in_a_row(network, spec, arrangement, copies))


def weight_cells(layer: CrossbarLayer) -> int:
    """Physical cells that hold the weights of all copies."""
    each = (layer.weights(i) * p.columns_per_weight * p.rows_per_input for i, p in enumerate(layer.parts))
    return layer.copies * sum(each)


def random_bank(rng: np.random.Generator) -> Any:
    """A bank with small arrays, so that layers need several of them."""
    return bank(
        rows=int(rng.choice([8, 12, 16, 64])),
        columns=int(rng.choice([9, 16, 40])),
        cell_bits=int(rng.choice([1, 2, 4])),
        signed=str(rng.choice(SIGNED)),
        kernel_merge=str(rng.choice(["analog", "mux", "private"])),
        arrays_per_pe="kernel" if rng.random() < 0.5 else int(rng.choice([9, 16])),
        pes_per_tile=int(rng.integers(1, 6)),
        tile_sharing=bool(rng.random() < 0.5),
    )


def random_network(rng: np.random.Generator) -> Network:
    """conv (strided, padded, dilated, grouped) -> depthwise + identity -> conv behind a pool -> linear, sparse."""
    groups = int(rng.choice([1, 1, 2, 3]))
    channels, width = groups * int(rng.integers(1, 4)), groups * int(rng.integers(1, 9))
    kernel, stride = (int(rng.integers(1, 4)), int(rng.integers(1, 4))), (int(rng.integers(1, 3)), 1)
    padding, dilation = (int(rng.integers(0, 2)), int(rng.integers(0, 2))), (1, int(rng.integers(1, 3)))
    size = (8, 9)
    made = tuple((size[i] + 2 * padding[i] - dilation[i] * (kernel[i] - 1) - 1) // stride[i] + 1 for i in (0, 1))
    bits = {"weight_bits": int(rng.choice([3, 4]))}
    a = (width, *made)
    pool = Pool(str(rng.choice(["or", "sum"])), (2, 2), (2, 2))  # type: ignore[arg-type]
    b = (int(rng.integers(1, 20)), (made[0] - 2) // 2 + 1, (made[1] - 2) // 2 + 1)
    n_b, n_d = b[0] * b[1] * b[2], 7
    fans = [np.sort(rng.choice(n_d, int(rng.integers(0, 4)), replace=False)) for _ in range(n_b)]
    indptr = np.cumsum([0, *(len(f) for f in fans)]).astype(np.int32)
    indices = np.concatenate([*fans, np.empty(0)]).astype(np.int32)
    populations = (
        Population("in", (channels, *size), Neuron(model="input", output=str(rng.choice(["binary", "signed"])))),  # type: ignore[arg-type]
        Population("a", a, Neuron()),
        Population("dw", a, Neuron()),
        Population("b", b, Neuron()),
        Population("c", (int(rng.integers(1, 30)), 1, 2), Neuron()),
        Population("d", (n_d, 1, 1), Neuron()),
    )
    conv = {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    projections = (
        Projection("in_a", "in", "a", "conv", **conv, **bits),
        Projection("a_dw", "a", "dw", "depthwise", kernel=(3, 3), padding=(1, 1), **bits),
        Projection("a_dw_id", "a", "dw", "one_to_one", **bits),
        Projection("dw_b", "dw", "b", "conv", kernel=(1, 1), pool=pool, **bits),
        Projection("b_c", "b", "c", "linear", **bits),
        Projection("b_d", "b", "d", "sparse", indptr=indptr, indices=indices, **bits),
    )
    return Network("random", populations, projections)


def chip(**fields: Any) -> Any:
    """A host and one `bank(**fields)` called "cim"."""
    return SimpleNamespace(name="bench", units={"host": SimpleNamespace(type="host"), "cim": bank(**fields)})
