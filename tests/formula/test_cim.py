"""Vectors of crossbar tiles against closed forms: cycles, every counter, what activity changes, what nothing costs."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import product
from math import comb
from types import SimpleNamespace

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.components.cim_tile.vectors import LayerVectors, Vectors
from simulator.mapping import place
from simulator.mapping.crossbar import CrossbarLayer, crossbar_plan
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace.synthetic import bernoulli_trace
from simulator.units import ceil_div

STEPS = 2
HZ = 100_000_000
IDEAL = ("cim.crossbar.zero_skip=none", "cim.crossbar.select_cycles=0")


@cache
def tile(chip: str, *changes: str):
    """Chip and tile unit of a bundled description with some fields changed."""
    hardware = load_hardware(chip, list(changes))
    return hardware, hardware.units["cim"]


def convolution(channels: int, outputs: int, width: int, kernel: int, padding: int = 0) -> Network:
    """One binary convolution of a square map."""
    made = width + 2 * padding - kernel + 1
    conv = Projection("conv", "in", "out", "conv", (kernel, kernel), padding=(padding, padding), weight_bits=4)
    return Network(
        "one",
        (
            Population("in", (channels, width, width), Neuron("input")),
            Population("out", (outputs, made, made), Neuron()),
        ),
        (conv,),
    )


def drawn(network: Network, density: float, steps: int = STEPS, seed: int = 0) -> np.ndarray:
    """Bool [steps, H, W, C]: independent spikes of the input."""
    c, h, w = network.population("in").shape
    return np.random.Generator(np.random.PCG64(seed)).random((steps, h, w, c)) < density


def layer_of(network: Network, hardware, spec, copies: int = 1) -> CrossbarLayer:
    """The network's only layer in the arrangement that it is placed in, several times over."""
    (entry,) = place(network, hardware).layers
    return crossbar_plan(network, spec, [replace(entry, copies=copies)]).layers["out"]


def vectors_of(network: Network, spikes: np.ndarray, chip: str, *changes: str) -> tuple[Vectors, CrossbarLayer]:
    """Vectors of the layer for given spikes, at `HZ`."""
    hardware, spec = tile(chip, *changes)
    layer = layer_of(network, hardware, spec)
    flat = [(np.flatnonzero(step).astype(np.uint32), None) for step in spikes]
    work = SimpleNamespace(network=network, spikes=lambda name, sample, t: flat[t])
    return LayerVectors(spec, HZ, layer, network).of(work, 0, 0, len(flat)), layer


def active_rows(spikes: np.ndarray, kernel: int, padding: int, rows: int) -> np.ndarray:
    """int [steps, positions, row blocks, taps, rows]: whether each row of each array is on; absent rows are off."""
    padded = np.pad(spikes, ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    steps, h, _, c = padded.shape
    made = h - kernel + 1
    windows = np.stack([padded[:, y : y + made, x : x + made] for y, x in product(range(kernel), repeat=2)], axis=3)
    blocks = ceil_div(c, rows)
    filled = np.zeros((steps, made * made, kernel * kernel, blocks * rows), np.int64)
    filled[..., :c] = windows.reshape(steps, made * made, kernel * kernel, c)
    return filled.reshape(steps, made * made, kernel * kernel, blocks, rows).transpose(0, 1, 3, 2, 4)


@pytest.mark.parametrize("policy", ["static", "static_skip", "pack"])
@pytest.mark.parametrize("merge", ["analog", "mux", "private"])
@pytest.mark.parametrize("held", [False, True])
def test_at_density_one_cycles_are_the_closed_form(policy: str, merge: str, held: bool) -> None:
    changes = (*IDEAL, f"cim.crossbar.row_policy={policy}", f"cim.crossbar.kernel_merge={merge}",
               "cim.crossbar.rows=32", "cim.crossbar.rows_parallel=8", f"cim.crossbar.sample_hold={held}",
               "cim.timing.hold_ps=11000",
               "cim.crossbar.redrive_per_mux_step=false", "cim.timing.wordline_ps=21000", "cim.timing.read_ps=30000",
               "cim.timing.mux_ps=1", "cim.timing.accumulate_cycles=3", "cim.adc.time_ps=45000",
               "cim.arrangement=kernel")  # fmt: skip
    network = convolution(64, 20, 5, 3)
    found, layer = vectors_of(network, np.ones((STEPS, 5, 5, 64), bool), "cim_rram65", *changes)
    per_array, columns = 32 // 8, 20 * 2  # two blocks of 32 channels; two 2-bit cells per weight
    groups = {"analog": 9 * per_array, "mux": 9 * per_array, "private": per_array}[merge]
    mux_steps = ceil_div(columns, 64 // 8)
    wordline, read, hold, mux, adc, shift_add = 3, 3, 2, 1, 5, tile("cim_rram65")[1].timing.shift_add_cycles
    tree = 4 * 3 if merge == "private" else 0  # ceil(log2 9) additions of 3 cycles
    lat = occ = groups * (wordline + mux_steps * (mux + read + adc)) + shift_add + tree
    if held:
        r, v = wordline + read + hold, mux_steps * (mux + adc)
        lat, occ = r + (groups - 1) * max(r, v) + v + shift_add + tree, groups * max(r, v)
    assert found.lat.shape == (STEPS, 9, 2) == (STEPS, layer.positions, len(layer.row_blocks))
    assert set(found.lat.ravel().tolist()) == {lat}
    assert set(found.occ.ravel().tolist()) == {occ}
    assert found.active.all()


def test_26_clocks_of_spikesim() -> None:
    """1 latch + 8 x (mux, read, convert) + 1 shift-add at 250 MHz with one group of 64 rows: a reconstruction."""
    changes = (*IDEAL, "cim.arrangement=kernel")
    hardware, spec = tile("cim_spikesim64", *changes)
    network = convolution(64, 64, 2, 1)
    layer = layer_of(network, hardware, spec)
    nothing = np.empty(0, np.uint32), None
    work = SimpleNamespace(network=network, spikes=lambda name, sample, t: nothing)
    found = LayerVectors(spec, 250_000_000, layer, network).of(work, 0, 0, 1)
    assert set(found.lat.ravel().tolist()) == {26} == {int(spec.timing.pe_cycle_clocks)}


@pytest.mark.parametrize("density", [0.0, 0.02, 0.1, 0.5, 1.0])
@pytest.mark.parametrize(("policy", "merge", "skip"), [
    ("static", "analog", "pe"), ("static_skip", "mux", "array"), ("pack", "private", "none"), ("pack", "analog", "pe"),
    ("static", "private", "none"), ("static", "mux", "array"),
])  # fmt: skip
def test_every_counter_is_its_closed_form(density: float, policy: str, merge: str, skip: str) -> None:
    limit, rows, kernel = 8, 32, 3
    changes = (f"cim.crossbar.row_policy={policy}", f"cim.crossbar.kernel_merge={merge}", "cim.arrangement=kernel",
               f"cim.crossbar.zero_skip={skip}", f"cim.crossbar.rows_parallel={limit}", f"cim.crossbar.rows={rows}",
               "cim.crossbar.redrive_per_mux_step=true", "cim.crossbar.conduct=selected", "cim.pes_per_tile=8",
               "cim.digital.lif_mode=all", "cim.buffer.input_mode=bitmap", "cim.buffer.line_buffer=false",
               "cim.buffer.zero_flags=false")  # fmt: skip
    network = convolution(64, 40, 6, kernel, padding=1)
    spikes = drawn(network, density)
    found, layer = vectors_of(network, spikes, "cim_rram65", *changes)
    spec = tile("cim_rram65", *changes)[1]
    on = active_rows(spikes, kernel, 1, rows)
    taken = on.any(axis=(3, 4)) if skip != "none" else np.ones(on.shape[:3], bool)
    arrays = on.any(axis=4) if skip == "array" else np.broadcast_to(taken[..., None], on.shape[:4])
    if merge == "analog":
        domain, used = on.reshape(*on.shape[:3], 1, kernel * kernel * rows), taken[..., None]
    else:
        domain, used = on, arrays
    by_group = domain.reshape(*domain.shape[:4], -1, limit).sum(axis=-1)
    n = domain.sum(axis=-1)
    if policy == "pack":
        groups = np.where(used, -(-n // limit), 0)
        idle = np.zeros_like(groups)
    else:
        groups = np.where(used, (by_group > 0).sum(axis=-1), 0)
        idle = np.where(used & (policy == "static"), (by_group == 0).sum(axis=-1), 0)
    per_vector = (groups + idle).sum(axis=-1)
    converted, outputs, columns = int(per_vector.sum()), 40, 80
    first, second = 64, 16  # columns of the two column blocks, eight converters each: 8 and 2 mux steps
    steps = first // 8 + second // 8
    total = int(n.sum())
    vectors = STEPS * layer.positions * 2
    read_arrays = kernel * kernel if merge == "analog" and policy == "pack" else 1
    expected = {
        "slot:row": converted * read_arrays * rows * steps,
        "drive:row": total * steps,
        "select:row": converted * 2 if policy == "pack" else 0,
        "read:cell": total * columns,
        "conduct:column": total * columns * spec.cell.mean_milli_us,
        "read:column": converted * columns,
        "convert:column": int(groups.sum()) * columns,
        "convert_idle:column": int(idle.sum()) * columns,
        "hold:column": 0,
        "shift_add:partial_sum": converted * outputs,  # two slices
        "subtract:partial_sum": converted * outputs,
        "accumulate:partial_sum": int(np.maximum(per_vector - 1, 0).sum()) * outputs
        + int(np.maximum(taken.sum(axis=2) - 1, 0).sum()) * outputs,
        "check:vector": 0 if skip == "none" else vectors * 2,
        "latch:row": vectors * kernel * kernel * rows * 2,
        "read:spike": vectors * kernel * kernel * rows,
        "update:state": STEPS * 40 * layer.positions,
        "read:state": STEPS * 40 * layer.positions * spec.digital.membrane_bits,
        "write:state": STEPS * 40 * layer.positions * spec.digital.membrane_bits,
        "link:partial_sum": 0,  # four processing elements lie in one tile
    }
    assert {name: found.counts.get(name, 0) for name in expected} == expected
    assert set(found.counts) <= set(expected)
    assert found.synaptic == total * outputs
    assert int(found.active.sum()) == int(taken.sum())
    most = np.where(used, n, 0) if policy == "pack" else np.where(used[..., None], by_group, 0)
    assert found.most_rows == min(int(most.max()), limit)


@pytest.mark.parametrize(("rows", "limit", "density", "skipping", "packed", "empty"), [
    (64, 8, 0.02, 1.194, 0.726, 0.274), (64, 8, 0.1, 4.556, 1.186, 0.0012), (64, 16, 0.05, 2.239, 0.962, 0.0375),
    (64, 32, 0.2, 1.998, 1.000, None), (128, 8, 0.1, 9.113, 2.042, None), (128, 32, 0.02, 1.904, 0.925, 0.075),
])  # fmt: skip
def test_expected_groups_follow_density(
    rows: int, limit: int, density: float, skipping: float, packed: float, empty: float | None
) -> None:
    """Groups of one array on independent rows: the reference's table, the binomial form, and drawn spikes agree."""
    of = [comb(rows, n) * density**n * (1 - density) ** (rows - n) for n in range(rows + 1)]
    assert rows / limit * (1 - (1 - density) ** limit) == pytest.approx(skipping, abs=6e-4)
    assert sum(p * ceil_div(n, limit) for n, p in enumerate(of)) == pytest.approx(packed, abs=6e-4)
    network = convolution(rows, 8, 40, 1)
    spikes = drawn(network, density, steps=4)
    base = ("cim.crossbar.zero_skip=pe", f"cim.crossbar.rows={rows}", f"cim.crossbar.rows_parallel={limit}")
    for policy, expected in (("static_skip", skipping), ("pack", packed)):
        found, _ = vectors_of(network, spikes, "cim_rram65", *base, f"cim.crossbar.row_policy={policy}")
        vectors = found.active.size
        assert found.counts["read:column"] / 16 / vectors == pytest.approx(expected, rel=0.03)
        if empty is not None:
            assert of[0] == pytest.approx(empty, rel=0.02)
            assert 1 - found.active.mean() == pytest.approx(of[0], abs=4 * (of[0] / vectors) ** 0.5)


def test_skipping_a_vector_costs_the_zero_test_only() -> None:
    changes = ("cim.crossbar.zero_skip=pe", "cim.timing.check_cycles=5")
    found, _ = vectors_of(convolution(8, 8, 4, 3), np.zeros((STEPS, 4, 4, 8), bool), "cim_rram65", *changes)
    assert not found.active.any()
    assert set(found.lat.ravel().tolist()) == set(found.occ.ravel().tolist()) == {5}


def test_a_vector_that_is_held_lasts_at_least_its_zero_test() -> None:
    """occ = max(G max(r, v), c_check)."""
    changes = ("cim.crossbar.zero_skip=pe", "cim.timing.check_cycles=50", "cim.crossbar.sample_hold=true",
               "cim.crossbar.redrive_per_mux_step=false", "cim.crossbar.rows_parallel=64")  # fmt: skip
    found, _ = vectors_of(convolution(8, 1, 4, 1), np.ones((1, 4, 4, 8), bool), "cim_rram65", *changes)
    assert set(found.occ.ravel().tolist()) == {50}
    assert int(found.lat.min()) > 50


@pytest.mark.parametrize(("copies", "fresh"), [(1, 1), (2, 2), (3, 3)])
def test_a_line_buffer_fetches_new_columns_only(copies: int, fresh: int) -> None:
    """Every copy moves on by as many columns as there are copies; a row of the output begins with a whole window."""
    hardware, spec = tile("cim_rram65", "cim.buffer.line_buffer=true", "cim.buffer.port_bits=1",
                          "cim.arrangement=kernel", "cim.buffer.input_mode=bitmap",
                          "cim.buffer.zero_flags=false")  # fmt: skip
    network = convolution(10, 8, 9, 3)
    layer = layer_of(network, hardware, spec, copies)
    assert layer.copies == copies
    work = SimpleNamespace(network=network, spikes=lambda name, sample, t: (np.empty(0, np.uint32), None))
    fetch = LayerVectors(spec, HZ, layer, network).of(work, 0, 0, 1).fetch.reshape(7, 7)
    assert (fetch[:, :copies] == 9 * 10).all()
    assert (fetch[:, copies:] == 3 * fresh * 10).all()


def test_nothing_costs_control_and_leakage_only() -> None:
    """No spike at all: with skipping, addresses instead of bit maps and lazily updated neurons nothing else is paid."""
    hardware, spec = tile("cim_rram65", "cim.digital.lif_mode=touched", "cim.buffer.input_mode=event")
    network = convolution(20, 30, 6, 3, padding=1)
    record = simulate(hardware, network, bernoulli_trace(network, 5, 0.0))
    paid = {name for name, pj in record.energy.by_action.items() if pj and not name.startswith("static:")}
    assert paid <= {a.name for a in spec.ACTIONS if a.category == "control"}
    assert record.energy.total > 0.0


@pytest.mark.parametrize(("out_bits", "in_bits", "phases", "tops"), [
    (3, 1, "two_phase", 2.140), (5, 3, "two_phase", 1.205), (7, 5, "two_phase", 0.541), (9, 7, "two_phase", 0.354),
])  # fmt: skip
def test_time_of_a_converter_that_integrates(out_bits: int, in_bits: int, phases: str, tops: float) -> None:
    """270 I + 300 A + 300 N ns (mit-emze/cimloop @d6e1390); 48 cores of 65536 operations: the model's TOPS."""
    changes = (f"cim.adc.bits={out_bits}", f"cim.input_bits={in_bits}", f"cim.adc.phases={phases}",
               "cim.adc.steps.integrate_ps=270000")  # fmt: skip
    hardware, spec = tile("cim_neurram130", *changes)
    network = convolution(128, 256, 2, 1)
    layer = layer_of(network, hardware, spec)
    work = SimpleNamespace(network=network, spikes=lambda name, sample, t: (np.empty(0, np.uint32), None))
    clock_hz = 1_000_000_000
    found = LayerVectors(spec, clock_hz, layer, network).of(work, 0, 0, 1)
    (ns,) = set(found.occ.ravel().tolist())
    assert 48 * 65536 / (ns * 1e-9) / 1e12 == pytest.approx(tops, abs=6e-4)
