"""DMA channels: buffers, buses on the way, priorities, and bursts of laid out tensors, to the cycle and to the bit."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.hardware import Hardware, json_schema, parse_hardware
from simulator.hardware.document import parse_document
from simulator.mapping.layout import Layout, runs
from simulator.network import Network, Neuron, Population, Projection
from simulator.record import Record
from tests.differential.compare import differences
from tests.order.shuffled import ShuffledEnvironment
from tests.timing.bench import NEVER, PRICED, TEXT, intervals, network, run
from tests.unit.schema_checker import complaints

ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])
LAUNCH, SETUP, LINK, BURST, LATENCY = 5, 3, 2, 4, 7  # the bench's
WIDTH, BUS_LATENCY = 16, 6
PATHS = f"""\
  bus: {{type: bus, clock: core, width_bits: {WIDTH}, latency_cycles: {BUS_LATENCY}, credits: 4,
        transfer_energy_pj_per_bit: 1, {PRICED}}}
  link: {{type: link, clock: core, width_bits: {WIDTH}, latency_cycles: {BUS_LATENCY}, credits: 4,
         transfer_energy_pj_per_bit: 1, {PRICED}}}
"""
WITH_PATHS = TEXT.replace("  spike: {type", f"{PATHS}  spike: {{type")


def chip(*overrides: str, text: str = WITH_PATHS) -> Hardware:
    """The bench with a bus and a link beside its memories."""
    return parse_hardware(text, overrides, file="bench.yaml")


def loaded(hardware: Hardware, engine: str) -> int:
    """Cycle in which the weights of a 5 x 5 kernel (200 bits) lie in their memory."""
    return intervals(run(hardware, network(kernel=5, size=5), [], engine=engine), "weight[0]")[0][1]


@ENGINES
@pytest.mark.parametrize("via", ["bus", "link"])
def test_a_path_adds_its_words_and_its_latency(engine: str, via: str) -> None:
    words = -(-200 // WIDTH)
    direct = LAUNCH + SETUP + BURST + LATENCY + LINK + 1
    assert loaded(chip(), engine) == direct
    assert loaded(chip(f"dma.via={via}"), engine) == direct + words + BUS_LATENCY


@ENGINES
@pytest.mark.parametrize("buffers", [1, 2, 3, 4, 5])
def test_each_buffer_hides_a_round_trip(engine: str, buffers: int) -> None:
    """Five chunks of 40 bits; the bursts of a round trip are served one after another, everything else overlaps."""
    trip = BURST + LATENCY + LINK + 1
    begin = LAUNCH + SETUP
    done = [0] * 5
    channel = begin
    for i in range(5):
        asked = begin if i < buffers else done[i - buffers]
        channel = max(asked, channel) + BURST
        done[i] = channel - BURST + trip
    hardware = chip("dma.chunk_bytes=5", f"dma.buffers={buffers}")
    assert loaded_last(hardware, engine) == done[-1]


def loaded_last(hardware: Hardware, engine: str) -> int:
    """Cycle in which the last chunk of the weights lies in their memory; the core never reads them: no spikes."""
    return intervals(run(hardware, network(kernel=5, size=5), [], engine=engine), "weight[0]")[-1][1]


CHANNELS = TEXT.replace("  dma: {type", '  "dma[0..2]": {type')


@ENGINES
@pytest.mark.parametrize("priority,grant", [(0, 2), (3, 1)])
def test_priority_overtakes_waiting_chunks_at_memory(engine: str, priority: int, grant: int) -> None:
    """Loads go to dma[0] and dma[2].  Two chunks of the first are asked for before the one of the second, which is
    served third, or second with a higher priority."""
    burst = 20
    hardware = chip(f"dma[2].priority={priority}", "dma[0].chunk_bytes=13", "dma[0].buffers=2",
                    f"dram.burst_cycles={burst}", text=CHANNELS)  # fmt: skip
    record = run(hardware, network(kernel=5, size=5, channels=2), [], engine=engine, cores=2)
    begin = LAUNCH + SETUP
    assert 2 * LAUNCH + SETUP < begin + burst
    stored = begin + (grant + 1) * burst + LATENCY + LINK + 1
    assert intervals(record, "weight[1]")[0] == (stored - 1, stored)


@ENGINES
def test_bits_are_counted_on_the_path(engine: str) -> None:
    record = run(chip("dma.via=bus"), network(kernel=5, size=5), [0, 3], engine=engine)
    moved = {name: int(record.counts[record.units.index(name)].sum()) for name in ("dma", "bus")}
    assert moved["bus"] == moved["dma"] > 200
    sent = record.work["link_bits"]["bus"]
    assert sum(part["sent"] for part in sent.values()) == moved["bus"]
    assert record.cycles["bus"].busy == sum(end - start for start, end in intervals(record, "bus"))


@ENGINES
def test_a_busy_bus_holds_back_memory(engine: str) -> None:
    """One credit: a chunk leaves for the bus only when the one before it is stored."""
    few = ("dma.via=bus", "dma.chunk_bytes=5", "dma.buffers=5", "bus.credits=1")
    words = -(-40 // WIDTH)
    first = LAUNCH + SETUP + BURST + LATENCY + LINK
    assert loaded_last(chip(*few), engine) == first + 5 * (words + BUS_LATENCY + 1)


def pictures(size: int = 8, channels: int = 4) -> Network:
    """Inputs of several channels, each neuron seeing its own pixel of all of them."""
    neuron = Neuron(threshold=np.array([NEVER], np.int64))
    weights = np.ones((2, channels, 1, 1), np.int8)
    return Network(
        "pictures",
        (Population("in", (channels, size, size), Neuron("input")), Population("out", (2, size, size), neuron)),
        (Projection("p", "in", "out", "conv", (1, 1), weights=weights),),
    )


TILE = "{channels: 4, rows: 3, columns: 3}"
STEPS = ([1, 2], [], [5])
BIT_MAPS = ("core[0..1].spike_format=bitmap", "dram.burst_bits=64", "dram.burst_cycles=1")


def count(record: Record, unit: str, action: str) -> int:
    """Count of an action of a unit over all layers."""
    return int(record.counts[record.units.index(unit), :, record.actions.index(action)].sum())


@ENGINES
@pytest.mark.parametrize("layout", ["{order: row_major}", "{order: channel_last}", f"{{order: tiled, tile: {TILE}}}"])
def test_overfetch_is_that_of_the_layout(engine: str, layout: str) -> None:
    """Every row of the schedule that moves a box of spikes is read as the bursts that hold it."""
    from simulator.mapping import lower, place

    hardware = chip(*BIT_MAPS, "spike.capacity_bytes=160", "spike.width_bits=64", f"dma.layout={layout}")
    network_ = pictures()
    mapping = place(network_, hardware, cores=["core[0]"], tile_rows=2)
    schedule = lower(mapping, network_, hardware)
    form = parse_document(layout, "layout").plain()
    known = Layout(form["order"], form.get("tile") and tuple(form["tile"].values()))
    expected, boxes = 0, set()
    for row in schedule.table():
        if row["op"] not in ("LOAD", "STORE") or row["operand"] != "spike":
            continue
        shape = network_.population(row["population"]).shape
        box = ((row["k0"], row["k1"]), (row["y0"], row["y1"]), (0, shape[2]))
        boxes.add(box)
        stride = -(-known.elements(shape) // 64)
        one = runs(known, shape, box, 1)
        assert stride * 64 >= known.elements(shape)
        expected += len(STEPS) * one.overfetch_bits(64)
    record = run(hardware, network_, *STEPS, engine=engine, tile_rows=2)
    assert len(boxes) > 1
    assert count(record, "dram", "overfetch:spike") == expected


SHARED = CHANNELS.replace("  spike: {type", f"{PATHS}  spike: {{type")


@pytest.mark.parametrize("arbitration", ["first_come", "priority", "round_robin"])
def test_engines_and_shuffled_ties_agree(arbitration: str) -> None:
    """Three channels at one bus and one memory, chunks of few bursts, a store and loads at once."""
    hardware = chip(*BIT_MAPS, "spike.capacity_bytes=160", "spike.width_bits=64", "dma[0..2].layout={order: row_major}",
                    "dma[0..2].via=bus", "dma[0..2].buffers=3", "dma[0..2].chunk_bytes=24", "dma[1].priority=1",
                    "bus.credits=2", f"bus.arbitration={arbitration}", text=SHARED)  # fmt: skip
    plain = run(hardware, pictures(), *STEPS, tile_rows=2, cores=2)
    assert plain.cycles["bus"].waits["arbiter"] > 0
    for engine in ("kernel", "reference"):
        for seed in range(3):
            other = run(hardware, pictures(), *STEPS, engine=engine, tile_rows=2, cores=2,
                        environment=ShuffledEnvironment(seed))  # fmt: skip
            assert differences(plain, other) == [], f"{engine}, seed {seed}"


def test_without_a_layout_nothing_changes() -> None:
    assert "layout" not in chip().resolved_yaml() and "via" not in chip().resolved_yaml()
    assert "priority" not in chip().resolved_yaml()


@pytest.mark.parametrize(
    "override,message",
    [
        (f"dma.layout={{order: row_major, tile: {TILE}}}", "a tile belongs to the tiled order"),
        ("dma.layout={order: tiled}", r"units.dma.layout.tile: a tile belongs to the tiled order"),
        ("dma.layout={order: tiled, tile: {channels: 1, rows: 1}}", r"units.dma.layout.tile.columns: missing key"),
        ("dma.layout={order: by_row}", r"layout.order: wrong value; found 'by_row'"),
        ("dma.via=buss", r"units.dma.via: there is no such bus or link; found 'buss'.*did you mean 'bus'"),
        ("dma.via=spike", "this unit is no bus or link"),
        ("bus.arbitration=fair", "bus.arbitration"),
    ],
)
def test_mistakes_end_in_one_message(override: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        chip(override)


def test_the_schema_knows_paths_and_layouts() -> None:
    schema = json_schema()
    good = chip("dma.via=bus", "dma.priority=2", f"dma.layout={{order: tiled, tile: {TILE}}}").describe()
    assert complaints(good, schema, schema) == []
    bad = chip("dma.via=bus").describe()
    bad["units"]["dma"]["layout"] = {"order": "by_row"}
    assert complaints(bad, schema, schema)
