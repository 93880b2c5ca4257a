"""Closed forms of a scatter core, to the cycle: one spike through all of it, and the rate that each part allows."""

from __future__ import annotations

import pytest

from tests.timing.bench import intervals, machine, network, run, span

ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])


def duration(hardware, net, spikes: int, engine: str) -> int:
    """Cycles of the task when so many spikes of the middle neuron come in one timestep."""
    middle = net.population("in").size // 2
    start, end = span(run(hardware, net, [middle] * spikes, engine=engine))
    return end - start


@ENGINES
@pytest.mark.parametrize(
    "feed,decode,accumulate,pipeline,update,output,latency,kernel",
    [(1, 1, 1, 0, 1, 1, 1, 1), (2, 3, 2, 3, 1, 4, 2, 3), (4, 1, 3, 1, 2, 2, 5, 3), (1, 7, 1, 5, 3, 1, 1, 5)],
)
def test_unloaded_latency_of_one_spike(
    engine, feed, decode, accumulate, pipeline, update, output, latency, kernel
) -> None:
    hardware = machine(
        core__scatter__feed_cycles=feed, core__scatter__decode_cycles=decode,
        core__scatter__accumulate_cycles=accumulate, core__scatter__pipeline_cycles=pipeline,
        core__scatter__update_cycles=update, core__scatter__output_cycles=output, core__link_latency_cycles=latency,
        spike__latency_cycles=latency,
    )  # fmt: skip
    net = network(kernel=kernel, size=kernel, threshold=1)
    taps = neurons = kernel * kernel  # the middle neuron reaches every output, and every output fires
    read = 1 + latency + latency  # one word of the spike memory, its latency, the link
    ready = read
    fetched = ready + feed + 1 + decode + 1  # pushed, popped one cycle later, decoded, weights read in one cycle
    accumulated = fetched + 1 + taps * accumulate  # the engine starts in the cycle after the hand-over
    scanned = accumulated + pipeline + neurons * update
    # Spike i is pushed when its word is updated; the link takes one every `output` cycles from the next cycle on.
    first = accumulated + pipeline + update + 1
    last = max(scanned + 1, first + (neurons - 1) * output)
    if output < update:
        last = scanned + 1
    written = last + output + 1 + latency + 1  # through, link cycles, link latency, one word of the spike memory
    assert duration(hardware, net, 1, engine) == written


@ENGINES
@pytest.mark.parametrize("feed", [3, 5])
def test_feed_limits_the_rate(engine, feed) -> None:
    hardware = machine(core__scatter__feed_cycles=feed, core__scatter__accumulate_cycles=1)
    net = network()
    assert duration(hardware, net, 40, engine) - duration(hardware, net, 10, engine) == 30 * feed


@ENGINES
@pytest.mark.parametrize("width,cycles", [(8, 1), (4, 2), (2, 4)])
def test_weight_fetch_limits_the_rate(engine, width, cycles) -> None:
    """An 8-bit weight per tap: nine taps take 9 x 8 / width cycles of fetch behind the cycle of decoding."""
    hardware = machine(weight__width_bits=width, weight__banks=1, core__scatter__accumulate_cycles=1,
                       core__scatter__engines=4)  # fmt: skip
    net = network(kernel=3, size=3)
    assert duration(hardware, net, 40, engine) - duration(hardware, net, 10, engine) == 30 * (1 + 9 * cycles)


@ENGINES
@pytest.mark.parametrize("engines", [1, 2, 3])
def test_engines_limit_the_rate(engine, engines) -> None:
    """An event keeps an engine for the cycle after the hand-over and its taps; 16 banks keep the engines apart."""
    hardware = machine(core__scatter__engines=engines, core__scatter__accumulate_cycles=4, state__banks=16)
    net = network(kernel=3, size=3)
    per_round = 1 + 9 * 4
    n, m = 12 * engines, 4 * engines
    assert duration(hardware, net, n, engine) - duration(hardware, net, m, engine) == 8 * per_round


@ENGINES
@pytest.mark.parametrize("engines", [2, 4])
def test_one_bank_limits_the_rate(engine, engines) -> None:
    """All taps in one bank: whatever the engines, a tap every `accumulate` cycles."""
    hardware = machine(core__scatter__engines=engines, core__scatter__accumulate_cycles=3, state__banks=1)
    net = network(kernel=3, size=3)
    assert duration(hardware, net, 40, engine) - duration(hardware, net, 10, engine) == 30 * 9 * 3


@ENGINES
def test_a_one_place_fifo_couples_feeder_and_dispatcher(engine) -> None:
    """The feeder pushes in the cycle of a pop, and the next pop follows when the dispatcher is free."""
    hardware = machine(core__scatter__fifo_depth=1, core__scatter__decode_cycles=6)
    record = run(hardware, network(), [0] * 5, engine=engine)
    # Event i + 1 is ready after one cycle and waits until event i leaves: pops are 7 cycles apart (decode, fetch).
    # Event 1 waits 0 + (its place is free at once, one cycle after the push), events 2 .. 4 wait 6, 6 and 6 cycles.
    assert record.cycles["core[0]"].waits["fifo"] == 0 + 0 + 6 * 3


@ENGINES
@pytest.mark.parametrize("output,depth", [(3, 1), (3, 2), (5, 4), (2, 3)])
def test_output_fifo_limits_the_scan(engine, output, depth) -> None:
    size = 5
    n = size * size
    hardware = machine(core__scatter__output_cycles=output, core__scatter__output_fifo_depth=depth)
    net = network(kernel=2 * size - 1, size=size, threshold=1)
    record = run(hardware, net, [n // 2], engine=engine)
    start = intervals(record, "core[0]")[0][0]
    end = max(b for kind in ("busy", "stall:output_fifo") for _, b in intervals(record, "core[0]", kind))
    fetched = start + 1 + 1  # decode, and the weights in one word
    scan = fetched + 1 + n * 2 + 3  # hand-over, taps of two cycles, pipeline
    first_leaves = scan + 1 + 1
    last_push = max(scan + n, first_leaves + (n - 1 - depth) * output)
    assert end == last_push
    stalled = sum(b - a for a, b in intervals(record, "core[0]", "stall:output_fifo"))
    assert stalled == last_push - (scan + n) == record.cycles["core[0]"].stall["output_fifo"]
    written = first_leaves + (n - 1) * output + output + 1 + 2 + 1
    assert span(record)[1] == written


@ENGINES
@pytest.mark.parametrize("latency", [1, 4])
def test_one_credit_costs_a_round_trip_per_block(engine, latency) -> None:
    """Blocks of one spike and one credit: read, latency, link, feed, then the credit returns and the next is read."""
    hardware = machine(core__input_credits=1, core__input_buffer_spikes=1, core__link_latency_cycles=latency,
                       spike__latency_cycles=latency)  # fmt: skip
    round_trip = 1 + latency + latency + 1
    net = network()
    assert duration(hardware, net, 30, engine) - duration(hardware, net, 10, engine) == 20 * round_trip


@ENGINES
def test_one_output_credit_holds_back_the_next_scan(engine) -> None:
    """The scan of timestep t starts when the block of t - 1 lies in the spike memory."""
    net = network(threshold=1)
    steps = [[0], [0], [0]]
    free = run(machine(core__output_credits=3), net, *steps, engine=engine)
    held = run(machine(core__output_credits=1, core__link_latency_cycles=20), net, *steps, engine=engine)
    assert free.cycles["core[0]"].stall["output"] == 0
    scans = intervals(held, "core[0]", "stall:output")
    assert len(scans) == 2
    assert {end for _, end in scans} <= {start for start, _ in intervals(held, "core[0]")}
    # A scan of one word, a spike through the link, 1 + 20 cycles of output link, one word written: then the next.
    assert scans[1][1] - scans[0][1] == 1 + 1 + 1 + 1 + 20 + 1
