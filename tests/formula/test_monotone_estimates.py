"""Estimates never rise with more bandwidth, more lanes or fewer spikes, whatever calibration makes of their terms.

A calibrated model multiplies the closed form's terms of time by weights >= 0; here the weights are 1, and drawn.
Terms that size what sharers wait for each other (`SHARED`) keep their weight: such a wait may grow where something else
becomes quicker, as it may in the simulator, so the law is about what each part takes for itself.  A word of several
lanes divides the scan into words and further spikes of a word (`DIVIDED`): what leaves the one enters the other, so the
two are weighed alike.

Energy: a wider word fetches more bits that nobody asked for, so what over-fetch costs is left out where words change.
How long a row stays open, and how often it is opened again, hangs on when a refresh falls, so commands and background
of a memory with rows are left out too.  Leakage goes by the time, and lanes have no power of their own in a
description: both are part of the energy that must not rise.  As in the simulator, lanes that a layer does not fill
fetch padding, and a wider array waits longer for a slow neuron unit: those lanes are climbed beside a weight memory
and neuron lanes that are wide enough for all of them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from simulator import Activity, Hardware, load_hardware, lower
from simulator.costmodel.architectures import architecture
from simulator.costmodel.estimate import compiled, priced
from simulator.costmodel.estimated import Estimate
from simulator.costmodel.wishes import placed
from simulator.trace.clustered import clustered_trace
from simulator.trace.synthetic import bernoulli_trace
from tests.formula.monotone import Ladders, at, climbs, foot, generator, overrides

STEPS = 3
SHARED = ("pe_array.conflict", "dma.conflict", "dram.contention", "dram.turnaround")
DIVIDED = (("cmos_core.scan", "cmos_core.output"),)
ROWS = ("activate", "read_burst", "write_burst", "active:rank", "idle:rank", "refresh")
PORTS: Ladders = {
    "core.input_credits": [1, 2, 4],
    "core.output_credits": [1, 2, 4],
    "core.link_width_bits": [8, 16, 32, 64, 256],
    "core.link_latency_cycles": [8, 4, 1],
    "spike.banks": [1, 2, 8],
    "spike.ports": [1, 2],
    "spike.width_bits": [16, 32, 64, 128],
    "spike.latency_cycles": [4, 1],
    "spike.cycle_cycles": [4, 2, 1],
    "weight.cycle_cycles": [4, 2, 1],
    "state.cycle_cycles": [4, 2, 1],
    "host.launch_cycles": [400, 100, 16, 0],
}


def movers(dma: str, memory: str) -> Ladders:
    """Ladders of a mover and its main memory."""
    return {
        f"{dma}.buffers": [1, 2, 4, 8],
        f"{dma}.setup_cycles": [64, 16, 4, 0],
        f"{dma}.link_latency_cycles": [32, 8, 2, 1],
        f"{memory}.burst_cycles": [16, 8, 4, 2],
        f"{memory}.latency_cycles": [60, 30, 10],
    }


class Chip(NamedTuple):
    """A bundled chip, the family of networks drawn for it, mappings, its ladders, and settings that stay."""

    name: str
    family: str
    mappings: tuple[str, ...]
    ladders: Ladders
    fixed: dict[str, object]


ON_CORES = ("default", "timesteps=one", "tile_channels=8", "weights=stream")
CHIPS = {
    "gather": Chip("sia_pynqz2", "cores", ON_CORES, {
        **PORTS, **movers("dma", "ddr"),
        "weight.width_bits": [16, 32, 64, 128],
        "state.banks": [4, 8, 16, 32],
        "state.width_bits": [16, 32, 64],
        "core.gather.unroll.c": [1, 2, 4],
        "core.gather.ops_per_pe_cycle": [2, 6, 12],
        "core.gather.neuron_lanes": [4, 8, 16, 64],
        "core.gather.fill_cycles": [16, 4, 0],
        "core.gather.window_cycles": [4, 2, 1],
    }, {}),
    "gather shape": Chip("sia_pynqz2", "cores", ON_CORES, {
        "core.gather.unroll.k": [1, 4, 16, 32, 64, 128],
        "core.gather.unroll.oy": [1, 2, 4],
        "core.gather.unroll.ox": [1, 2, 4],
    }, {"core.gather.neuron_lanes": 4096, "state.banks": 1024, "state.width_bits": 128}),
    "scatter": Chip("event_core_28nm", "cores", ON_CORES, {
        **PORTS, **movers("dma[0..1]", "dram"),
        "weight.banks": [1, 2, 4, 8],
        "weight.width_bits": [128, 256, 512, 1024],
        "state.banks": [2, 4, 8, 16],
        "core.scatter.engines": [1, 2, 4, 8],
        "core.scatter.fifo_depth": [1, 4, 32],
        "core.scatter.feed_cycles": [4, 2, 1],
        "core.scatter.decode_cycles": [4, 2, 1],
        "core.scatter.pipeline_cycles": [8, 3, 0],
        "core.scatter.accumulate_cycles": [4, 2, 1],
        "core.scatter.update_cycles": [4, 2, 1],
        "core.scatter.output_fifo_depth": [1, 4, 32],
        "core.scatter.output_cycles": [8, 2, 1],
    }, {}),
    "scatter lanes": Chip("event_core_28nm", "cores", ON_CORES, {
        "core.scatter.lanes": [1, 4, 8, 16, 32, 64, 128],
        "state.width_bits": [256, 512, 1024, 2048],
    }, {"weight.width_bits": 65536}),
    "tiles": Chip("cim_spikesim64", "crossbars", ("default", "arrangement=im2col", "duplication=2"), {
        "cim.crossbar.rows_parallel": [8, 16, 32, 64],
        "cim.crossbar.mux_ratio": [16, 8, 4, 2, 1],
        "cim.crossbar.select_cycles": [3, 1, 0],
        "cim.timing.wordline_ps": [16000, 4000, 0],
        "cim.timing.read_ps": [16000, 4000, 0],
        "cim.timing.mux_ps": [8000, 4000, 0],
        "cim.timing.convert_ps": [16000, 8000, 4000],
        "cim.timing.shift_add_cycles": [4, 1, 0],
        "cim.timing.check_cycles": [4, 1, 0],
        "cim.timing.accumulate_cycles": [4, 1],
        "cim.timing.lif_cycles": [4, 1],
        "cim.digital.accumulate_lanes": [8, 16, 64],
        "cim.digital.lif_lanes": [8, 16, 64],
        "cim.digital.lif_mode": ["all", "touched"],
        "cim.buffer.port_bits": [32, 64, 128, 576],
        "cim.buffer.psum_depth": [1, 2, 4],
        "cim.buffer.steps": [2, 3, 4],
        "cim.network.link_bits": [16, 32, 128],
        "cim.network.hop_cycles": [8, 2, 1],
        "cim.network.input_port_bits": [8, 64],
    }, {}),
    "array": Chip("stems_meta1m_lpddr4", "fused", ("default", "time=0", "depth=1"), {
        "dma[0..1].buffers": [1, 2, 4],
        "dma[0..1].setup_cycles": [64, 8, 0],
        "dma[0..1].link_latency_cycles": [32, 1],
        "array.lanes.k": [8, 16, 32, 64],
        "array.lanes.c": [1, 2, 4],
        "array.lanes.oy": [4, 8, 16],
        "array.lanes.ox": [1, 2, 4],
        "global.width_bits": [256, 512, 1024],
        "global.cycle_cycles": [4, 2, 1],
        "global.latency_cycles": [8, 1],
        "weight.width_bits": [64, 128, 256],
        "weight.latency_cycles": [8, 1],
        "input.width_bits": [32, 64, 128],
        "input.latency_cycles": [8, 1],
        "dram.timing.tcl_cycles": [40, 28, 14],
        "dram.timing.trcd_cycles": [40, 29, 15],
        "dram.timing.trp_cycles": [40, 29, 15],
        "dram.timing.burst_cycles": [16, 8, 4],
        "dram.timing.trfc_cycles": [800, 448, 100],
    }, {}),
}  # fmt: skip


class Case:
    """A drawn network on a chip, with drawn spikes and weights."""

    def __init__(self, key: str, *seed: int) -> None:
        self.rng = generator(*seed)
        self.chip = CHIPS[key]
        plain = load_hardware(self.chip.name)
        self.network = architecture(7, int(self.rng.integers(20)), self.chip.family).topology()
        label = str(self.rng.choice(self.chip.mappings))
        self.mapping = placed(self.network, plain, label, STEPS)
        self.schedule = lower(self.mapping, self.network, plain)
        draw = clustered_trace if self.rng.random() < 0.5 else bernoulli_trace
        rate = float(self.rng.choice([0.02, 0.2, 0.6]))
        self.activity = Activity.of(draw(self.network, STEPS, rate, seed=int(self.rng.integers(1000))))
        self.drawn = self.rng.uniform(0, 2, 64) * (self.rng.random(64) < 0.8)

    def hardware(self, values: dict[str, object]) -> Hardware:
        """The chip with these values."""
        return load_hardware(self.chip.name, overrides({**self.chip.fixed, **values}))

    def price(self, hardware: Hardware, activity: Activity) -> tuple[Estimate, Estimate]:
        """Estimates with the weights as they are, and with the drawn ones."""
        form, actions = compiled(self.schedule, hardware, self.network, self.mapping)
        default = np.array([term.weight for term in form.terms])
        names = [term.name for term in form.terms]
        drawn = np.where([name in SHARED for name in names], default, self.drawn[: default.size])
        for one, other in DIVIDED:
            if one in names:
                drawn[names.index(other)] = drawn[names.index(one)]
        weights = (default, drawn)
        first, second = (priced(self.schedule, hardware, activity, form, actions, w) for w in weights)
        return first, second


def worse(better: Estimate, base: Estimate, words: bool) -> dict[str, tuple[float, float]]:
    """Latency and energy where they rise by more than rounding; `words`: their widths are not the same."""
    found = {}
    if better.end_ps > base.end_ps + 2:
        found["end"] = (float(better.end_ps), float(base.end_ps))
    one, other = (_energy(e, words) for e in (better, base))
    if one > other * (1 + 1e-9):
        found["energy"] = (one, other)
    return found


def _energy(made: Estimate, words: bool) -> float:
    left_out = (*ROWS, "overfetch") if words else ROWS
    spent: dict[str, float] = dict(made.energy.by_action)
    return made.energy.total - sum(pj for action, pj in spent.items() if action.startswith(left_out))


def check(key: str, *seed: int, most: int) -> None:
    """Climbs ladders of a drawn chip, then takes spikes away."""
    case = Case(key, *seed)
    rungs = foot(case.rng, case.chip.ladders)
    standing = case.hardware(at(rungs, case.chip.ladders))
    base = case.price(standing, case.activity)
    for field, values in climbs(case.rng, rungs, case.chip.ladders, most):
        words = field.endswith(("width_bits", "lanes"))
        made = case.price(case.hardware(values), case.activity)
        for kind, after, ahead in zip(("plain", "weighed"), made, base, strict=True):
            assert worse(after, ahead, words) == {}, (field, values[field], kind)
    before = None
    for rate in (1.0, 0.6, 0.3, 0.1, 0.02, 0.0):
        made = case.price(standing, Activity.bernoulli(case.network, rate, STEPS))
        if before is not None:
            for kind, less, more in zip(("plain", "weighed"), made, before, strict=True):
                assert worse(less, more, False) == {}, (rate, kind)
        before = made


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("key", CHIPS)
def test_estimates_are_monotone(key: str, seed: int) -> None:
    check(key, seed, most=5)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("key", CHIPS)
def test_many_estimates_are_monotone(key: str, seed: int) -> None:
    check(key, seed, 1, most=40)
