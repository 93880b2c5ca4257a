"""Closed forms of transfers, to the cycle: launches, DMA chunks, DRAM, SRAM ports and banks, clock crossings."""

from __future__ import annotations

import pytest

from simulator.engine.clock import Clock
from tests.timing.bench import intervals, machine, network, run, span

ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])
LAUNCH, SETUP, LINK, BURST, LATENCY = 5, 3, 2, 4, 7  # the bench's
BITS = 25 * 8
"""Weights of a 5 x 5 kernel: the tensor that these tests move."""


def loaded(hardware, engine: str) -> int:
    """Cycle in which the weights lie in their memory: the end of the first stretch of writes to it."""
    record = run(hardware, network(kernel=5, size=5), [], engine=engine)
    writes = [b for a, b in intervals(record, "weight[0]")]
    return writes[-1]


@ENGINES
def test_one_chunk(engine) -> None:
    """Launch, set-up, the burst and its latency, the link, one word written."""
    assert loaded(machine(), engine) == LAUNCH + SETUP + BURST + LATENCY + LINK + 1


@ENGINES
@pytest.mark.parametrize("burst,latency,launch,setup", [(1, 0, 0, 0), (9, 20, 1, 7)])
def test_dram_latency_and_bandwidth(engine, burst, latency, launch, setup) -> None:
    """200 bits in bursts of 16 hold the channel for 13 bursts."""
    hardware = machine(
        dram__burst_bits=16, dram__burst_cycles=burst, dram__latency_cycles=latency, host__launch_cycles=launch,
        dma__setup_cycles=setup,
    )  # fmt: skip
    assert loaded(hardware, engine) == launch + setup + 13 * burst + latency + LINK + 1


@ENGINES
@pytest.mark.parametrize("chunk", [1, 4, 5, 25])
def test_one_buffer_moves_chunk_after_chunk(engine, chunk) -> None:
    chunks = 25 // chunk + (25 % chunk > 0)
    per_chunk = BURST + LATENCY + LINK + 1
    assert loaded(machine(dma__chunk_bytes=chunk), engine) == LAUNCH + SETUP + chunks * per_chunk


@ENGINES
@pytest.mark.parametrize("burst", [12, 20])
def test_two_buffers_hide_everything_but_the_channel(engine, burst) -> None:
    """A burst that lasts longer than latency, link and write together keeps the channel busy without a gap."""
    hardware = machine(dma__chunk_bytes=5, dma__buffers=2, dram__burst_cycles=burst)
    assert burst >= LATENCY + LINK + 1
    assert loaded(hardware, engine) == LAUNCH + SETUP + 5 * burst + LATENCY + LINK + 1
    record = run(hardware, network(kernel=5, size=5), [], engine=engine)
    begin = LAUNCH + SETUP
    assert intervals(record, "dram")[0] == (begin, begin + 5 * burst)


@ENGINES
def test_two_buffers_of_a_short_burst_wait_for_their_round_trip(engine) -> None:
    """Chunks 0 and 1 start a burst apart; each buffer then comes back after burst, latency, link and write."""
    hardware = machine(dma__chunk_bytes=5, dma__buffers=2)
    round_trip = BURST + LATENCY + LINK + 1
    assert 2 * BURST < round_trip
    assert loaded(hardware, engine) == LAUNCH + SETUP + 3 * round_trip


@ENGINES
@pytest.mark.parametrize("cycle,width", [(1, 8), (3, 8), (2, 64)])
def test_sram_takes_its_cycle_time_per_word(engine, cycle, width) -> None:
    hardware = machine(weight__cycle_cycles=cycle, weight__width_bits=width)
    words = -(-BITS // width)
    assert loaded(hardware, engine) == LAUNCH + SETUP + BURST + LATENCY + LINK + words * cycle


@ENGINES
@pytest.mark.parametrize("banks,ports", [(1, 1), (2, 1), (1, 2)])
def test_two_cores_at_one_spike_memory_take_turns(engine, banks, ports) -> None:
    """Both read their first block in one cycle: from one bank, or through one port; the lower id goes first."""
    net = network(kernel=3, size=4, channels=2)
    hardware = machine(spike__banks=banks, spike__ports=ports, spike__width_bits=16, spike__cycle_cycles=2)
    record = run(hardware, net, [5], engine=engine, cores=2)
    words = 2  # one spike and the end-of-step marker, 16 bits each
    first = {core: intervals(record, core, "stall:input")[0] for core in ("core[0]", "core[1]")}
    start = max(begin for begin, _ in first.values())
    ready = {core: end for core, (_, end) in first.items()}
    # Read of two words of two cycles, latency 1, link latency 2, feed 1, popped one cycle later: work begins.
    assert ready["core[0]"] == start + words * 2 + 1 + 2 + 1 + 1
    assert ready["core[1]"] == ready["core[0]"] + words * 2
    assert record.cycles["spike"].waits["bank"] >= words * 2


@ENGINES
def test_launches_are_a_row_of_equal_steps(engine) -> None:
    record = run(machine(host__launch_cycles=6), network(), [0], engine=engine)
    tasks = int(record.counts[record.units.index("host"), 0, record.actions.index("launch:task")])
    assert record.cycles["host"].busy == 6 * tasks
    assert intervals(record, "host")[0] == (0, 6)


@ENGINES
def test_a_full_command_queue_holds_the_host(engine) -> None:
    """With one place per queue the host hands out the second task of a unit when that unit takes the first."""
    net = network(size=5)
    deep = run(machine(host__queue_depth=8), net, [], engine=engine, tile_rows=1)
    flat = run(machine(host__queue_depth=1), net, [], engine=engine, tile_rows=1)
    begin = intervals(deep, "host")[1][0]
    assert intervals(deep, "host")[1] == (begin, begin + 6 * LAUNCH)  # the load of the input, and five rows of outputs
    scans = [end for _, end in intervals(flat, "core[0]")]
    assert len(scans) == 5
    # Row 1 is taken at once, row 2 waits in the queue; row 3 is handed out when row 1 is done, row 4 when row 2 is.
    assert intervals(flat, "host")[1:] == [
        (begin, begin + 4 * LAUNCH), (scans[0], scans[0] + LAUNCH), (scans[1], scans[1] + LAUNCH)
    ]  # fmt: skip


@pytest.mark.parametrize("hertz", [1, 3, 77_777_777, 333_333_333, 999_999_999, 10**12])
def test_clock_edges_are_exact(hertz) -> None:
    """Edge k is the first whole picosecond at or after k periods; an arrival on it is seen there, one later is not."""
    clock = Clock("odd", hertz)
    for k in (0, 1, 2, 3, 7, 1000, 12_345_678_901):
        edge = clock.ps(k)
        assert edge * hertz >= k * 10**12 > (edge - 1) * hertz or k == 0
        assert clock.at_or_after(edge) == k
        assert clock.at_or_after(edge + 1) == k + 1
        if k:
            assert clock.at_or_after(clock.ps(k - 1) + 1) == k


@ENGINES
@pytest.mark.parametrize("hertz", [333_333_333, 700_000_001, 3_000_000_007])
def test_a_request_crosses_to_the_next_edge_of_the_other_clock(engine, hertz) -> None:
    """DRAM on a clock of its own: the request waits for its edge, the data for an edge of the DMA's clock."""
    text_clock, core = Clock("other", hertz), Clock("core", 10**9)
    hardware = machine(dram__clock="other", clocks__other=hertz)
    asked = text_clock.at_or_after(core.ps(LAUNCH + SETUP))
    arrived = core.at_or_after(text_clock.ps(asked + BURST + LATENCY))
    assert loaded(hardware, engine) == arrived + LINK + 1


@ENGINES
def test_an_empty_timestep_takes_its_marker_and_its_scan(engine) -> None:
    """Read, latency, link; then one word per neuron, the output link, one word written."""
    start, end = span(run(machine(), network(size=3), [], engine=engine))
    assert end - start == (1 + 1 + 2) + 9 + (1 + 2) + 1
