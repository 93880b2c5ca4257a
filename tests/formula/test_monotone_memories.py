"""A mover, a path and a memory alone never get slower with more bandwidth, nor a main memory channel.

A channel with banks bends this rule, as the devices do; the last tests show each case: the scheduler that serves what
is ready first, a refresh that closes rows at its hour, a row opened early by an access that is left out, and a write
latency that is shorter, so that the bus has to turn around later.  The law holds for bursts served in order, without
refresh.  The size of a chunk is no bandwidth: it travels whole.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator.components.dram.tables import channel_tables
from simulator.components.dram.trace import BurstTrace, ChannelRun, run_traces
from simulator.hardware import parse_hardware
from simulator.hardware.dram_geometry import DramController
from simulator.hardware.dram_presets import DramPreset, dram_preset, dram_presets
from simulator.hardware.dram_timing import DramTiming
from simulator.record import Record
from tests.formula.monotone import Ladders, Spikes, at, climbs, fewer, foot, generator, grown, overrides
from tests.formula.test_monotone_cores import EVEN, WEIGHT, draw, layer, replay
from tests.timing.test_dma import PATHS

CASES = 5
MOVER = EVEN.replace("  spike: {type", f"{PATHS}  spike: {{type")
MOVERS: Ladders = {
    "dma.buffers": [1, 2, 3, 4, 8],
    "dma.setup_cycles": [9, 3, 0],
    "dma.link_latency_cycles": [5, 2, 1],
    "dram.burst_bits": [8, 16, 64, 512],
    "dram.burst_cycles": [5, 3, 2, 1],
    "dram.latency_cycles": [20, 7, 1, 0],
    "dram.queue_depth": [1, 2, 4, 64],
    "spike.banks": [1, 2, 4],
    "spike.ports": [1, 2],
    "spike.width_bits": [8, 16, 64, 512],
    "spike.latency_cycles": [3, 1],
    "spike.cycle_cycles": [3, 2, 1],
    f"{WEIGHT}.banks": [1, 2, 4],
    f"{WEIGHT}.ports": [1, 2, 4],
    f"{WEIGHT}.width_bits": [8, 64, 512],
    f"{WEIGHT}.latency_cycles": [3, 1],
    f"{WEIGHT}.cycle_cycles": [3, 1],
}
PATH: Ladders = {"width_bits": [8, 16, 64, 512], "latency_cycles": [6, 2, 1], "credits": [1, 2, 4]}


def check_mover(*seed: int, most: int) -> None:
    """One DMA channel brings weights and spikes to a core and takes its spikes away."""
    rng = generator(*seed)
    network = layer(rng, "scatter")
    spikes = draw(rng, network)
    via = str(rng.choice(["bus", "link", "none"]))
    ladders = {**MOVERS, **({} if via == "none" else {f"{via}.{field}": values for field, values in PATH.items()})}
    fixed: dict[str, object] = {"dma.chunk_bytes": int(rng.choice([1, 3, 7, 16, 64]))}
    fixed |= {} if via == "none" else {"dma.via": via}
    if len(spikes["in"]) > 1:  # the core's reads and writes keep out of each other's way
        fixed |= {"spike.banks": 1024, "spike.ports": 1024}
    ladders = {field: values for field, values in ladders.items() if field not in fixed}
    rungs = foot(rng, ladders)

    def run(values: dict[str, object], found: dict[str, Spikes] = spikes) -> Record:
        return replay(parse_hardware(MOVER, overrides({**values, **fixed}), file="mover.yaml"), network, found)

    base = run(at(rungs, ladders))
    for field, better in climbs(rng, rungs, ladders, most):
        assert run(better).end_ps <= base.end_ps, (field, better[field])
    assert grown(run(at(rungs, ladders), {name: fewer(rng, steps) for name, steps in spikes.items()}), base) == {}


@pytest.mark.parametrize("seed", range(CASES))
def test_a_mover_alone_is_monotone(seed: int) -> None:
    check_mover(seed, most=8)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_many_movers_alone_are_monotone(seed: int) -> None:
    for number in range(20):
        check_mover(seed, number, most=30)


TIMINGS = (
    "tcl_cycles", "burst_cycles", "trcd_cycles", "trp_cycles", "tras_cycles", "trrd_s_cycles", "trrd_l_cycles",
    "tfaw_cycles", "tccd_s_cycles", "tccd_l_cycles", "twr_cycles", "trtp_cycles", "tppd_cycles",
)  # fmt: skip
QUEUES: Ladders = {
    "read_queue": [1, 4, 32],
    "write_queue": [1, 4, 32],
    "bank_queue": [1, 2, 8],
    "outstanding_limit": [1, 2, 4, 16, 0],
}


def channel(device: DramPreset, timing: DramTiming, bursts: BurstTrace, **controller: object) -> ChannelRun:
    """The channel of a device with other timings and policies serves the bursts."""
    policy = DramController(**{"scheduler": "fcfs", "refresh": "none", **controller})  # type: ignore[arg-type]
    return run_traces(channel_tables(timing, device.geometry, policy), [bursts])


def blocks(rng: np.random.Generator, device: DramPreset) -> np.ndarray:
    """Bursts one after another, anywhere, or in a few rows of a few banks."""
    g, size = device.geometry, int(rng.integers(1, 120))
    kind = int(rng.integers(3))
    if kind == 0:
        return np.arange(size) + int(rng.integers(1000))
    if kind == 1:
        return rng.integers(0, 1 << 16, size) * 97
    rows = rng.integers(0, 4, size) * g.columns * g.bank_groups * g.banks_per_group * g.ranks
    return rows + rng.integers(0, 8, size) + rng.integers(0, 4, size) * g.columns * g.bank_groups


@pytest.mark.parametrize("seed", range(30))
def test_a_channel_in_order_without_refresh_is_monotone(seed: int) -> None:
    """Shorter timings, longer queues, fewer bursts at the end; reads alone or writes alone, open or closed pages."""
    rng = generator(seed)
    device = dram_preset(str(rng.choice(dram_presets())))
    block = blocks(rng, device)
    size = len(block)
    arrival = np.cumsum(rng.integers(0, int(rng.choice([1, 5, 30])), size))
    write = np.full(size, bool(rng.random() < 0.5))
    bursts = BurstTrace(block, write, arrival)
    rungs = foot(rng, QUEUES)
    policy = {"page": str(rng.choice(["open", "close"])), **at(rungs, QUEUES)}
    base = channel(device, device.timing, bursts, **policy).cycles
    for field in rng.permutation(len(TIMINGS))[:6].tolist():
        name = TIMINGS[field]
        cycles = getattr(device.timing, name)
        if cycles > 1:
            quicker = device.timing.model_copy(update={name: int(rng.integers(1, cycles))})
            assert channel(device, quicker, bursts, **policy).cycles <= base, name
    for field, better in climbs(rng, rungs, QUEUES, 4):
        assert channel(device, device.timing, bursts, **{**policy, **better}).cycles <= base, field
    first = BurstTrace(block[: size // 2], write[: size // 2], arrival[: size // 2])
    assert channel(device, device.timing, first, **policy).cycles <= base


def test_a_burst_left_out_may_leave_its_row_closed() -> None:
    """DDR4-3200: the row that the first burst opened is now opened by the second one, which arrives 28 cycles later."""
    device = dram_preset("ddr4-3200")
    block, arrival = np.arange(517, 522), np.array([10, 38, 49, 68, 79])
    whole, rest = (
        channel(device, device.timing, BurstTrace(block[i:], np.zeros(5 - i, bool), arrival[i:])) for i in (0, 1)
    )
    assert rest.cycles > whole.cycles
    assert rest.done[0] - rest.accepted[0] == whole.done[0] - whole.accepted[0]


@pytest.mark.parametrize("scheduler,refresh", [("frfcfs", "none"), ("fcfs", "rank")])
def test_ready_first_and_refresh_are_no_monotone_policies(scheduler: str, refresh: str) -> None:
    """The same draws find runs that a shorter timing makes longer, by other choices or by a row that refresh closes."""
    worse = 0
    for seed in range(60):
        rng = generator(seed)
        device = dram_preset(str(rng.choice(dram_presets())))
        block = rng.integers(0, 1 << 16, 100) * 97
        bursts = BurstTrace(block, rng.random(100) < 0.4, np.zeros(100, np.int64))
        timing = device.timing.model_copy(update={"trefi_cycles": 1500})
        base = channel(device, timing, bursts, scheduler=scheduler, refresh=refresh).cycles
        for name in TIMINGS:
            quicker = timing.model_copy(update={name: max(1, getattr(timing, name) - 1)})
            worse += channel(device, quicker, bursts, scheduler=scheduler, refresh=refresh).cycles > base
    assert worse > 0
