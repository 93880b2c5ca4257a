"""Hypothesis strategies for small machines, and for whole cases: a machine, a network, its input and a mapping."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import assume
from hypothesis import strategies as st

from simulator.errors import InputError
from simulator.functional import complete_trace
from simulator.hardware import Hardware, parse_hardware
from simulator.mapping import Mapping, dump_mapping, place
from simulator.network import Network
from simulator.trace import Trace
from tests.differential.networks import describe_network, describe_trace, networks, traces

MAX_OPERATIONS = 20_000
"""Multi-spike neurons in a loop can grow without bound, and the plain definition walks synapse by synapse."""

CLOCKS = [100_000_000, 333_333_333, 500_000_000, 1_234_567_891, 77_777_777, 1_000_000_000_000]

HEAD = """\
name: random
description: a machine for tests
price_set: none
main_clock: a
source: none
grade: assumed
clocks: {{a: {a}, b: {b}, c: {c}}}
units:
"""
PRICED = "leakage_mw: 0, area_mm2: 0"
MEMORY = f"read_energy_pj_per_bit: 0.5, write_energy_pj_per_bit: 0.25, {PRICED}"
CORE_PRICES = (
    "accumulate_energy_pj: 1, decode_energy_pj: 1, update_energy_pj: 1, normalise_energy_pj: 1, fifo_energy_pj: 1, "
    f"link_energy_pj_per_bit: 1, active_energy_pj: 1, {PRICED}"
)


@dataclass(frozen=True, repr=False)
class Case:
    """Everything one comparison needs; `text` is the machine as YAML."""

    text: str
    hardware: Hardware
    network: Network
    trace: Trace
    mapping: Mapping

    def describe(self) -> str:
        """The whole case, for a reader of a failing example."""
        parts = (self.text, describe_network(self.network), describe_trace(self.trace), dump_mapping(self.mapping))
        return "\n".join(parts)

    __repr__ = describe


def _fields(**values: object) -> str:
    return ", ".join(f"{key}: {value}" for key, value in values.items())


def _sram(draw, clock: str, sizes: list[int]) -> str:
    banks, width = draw(st.integers(1, 5)), draw(st.sampled_from([64, 16, 8, 24, 256]))
    row_bytes = banks * width // 8
    fields = _fields(
        type="sram",
        clock=clock,
        capacity_bytes=-(-draw(st.sampled_from(sizes)) // row_bytes) * row_bytes,
        banks=banks,
        ports=draw(st.integers(1, 3)),
        width_bits=width,
        latency_cycles=draw(st.integers(1, 3)),
        cycle_cycles=draw(st.integers(1, 3)),
    )
    return f"{{{fields}, {MEMORY}}}"


def _scatter(draw) -> str:
    return _fields(
        lanes=draw(st.integers(1, 5)),
        engines=draw(st.integers(1, 4)),
        fifo_depth=draw(st.integers(1, 4)),
        feed_cycles=draw(st.integers(1, 3)),
        decode_cycles=draw(st.integers(1, 3)),
        pipeline_cycles=draw(st.integers(0, 3)),
        bank_row_skew=draw(st.integers(0, 4)),
        accumulate_cycles=draw(st.integers(1, 3)),
        update_cycles=draw(st.integers(1, 3)),
        output_fifo_depth=draw(st.integers(1, 3)),
        output_cycles=draw(st.integers(1, 4)),
    )


def _gather(draw) -> str:
    sizes = {axis: draw(st.integers(1, 3)) for axis in ("k", "c", "oy", "ox")}
    return _fields(
        unroll=f"{{{_fields(**sizes)}}}",
        ops_per_pe_cycle=draw(st.integers(1, 3)),
        ops_per_synapse=draw(st.integers(1, 2)),
        gating=draw(st.sampled_from(["none", "energy", "skip"])),
        window_cycles=draw(st.integers(1, 3)),
        neuron_lanes=draw(st.integers(1, 4)),
        fill_cycles=draw(st.integers(0, 4)),
    )


def _core(draw, i: int, dataflow: str, stored: str) -> str:
    part = _scatter(draw) if dataflow == "scatter" else _gather(draw)
    fields = _fields(
        type="cmos_core",
        clock="a",
        dataflow=dataflow,
        weight_memory=f'"weight[{i}]"',
        state_memory=f'"state[{i}]"',
        spike_memory="spike",
        input_buffer_spikes=draw(st.sampled_from([8, 1, 3, 64])),
        input_credits=draw(st.integers(1, 4)),
        output_credits=draw(st.integers(1, 3)),
        link_width_bits=draw(st.sampled_from([32, 5, 64])),
        link_latency_cycles=draw(st.integers(1, 3)),
    )
    return f"{{{fields}, {stored}, {dataflow}: {{{part}}}, {CORE_PRICES}}}"


@st.composite
def hardware_texts(draw, dataflows: tuple[str, ...]) -> str:
    """A machine as YAML: one core per entry of `dataflows`, private weight and state memories, shared spike memory."""
    clock = st.sampled_from(["a", "b", "c"])
    text = HEAD.format(**{name: draw(st.sampled_from(CLOCKS)) for name in "abc"})
    host = _fields(
        type="host", clock=draw(clock), launch_cycles=draw(st.integers(0, 9)), queue_depth=draw(st.integers(1, 3))
    )
    text += f"  host: {{{host}, launch_energy_pj: 1, {PRICED}}}\n"
    for i in range(draw(st.integers(1, 2))):
        dma = _fields(
            type="dma",
            clock=draw(clock),
            chunk_bytes=draw(st.sampled_from([64, 7, 1, 1024])),
            buffers=draw(st.integers(1, 3)),
            setup_cycles=draw(st.integers(0, 9)),
            link_latency_cycles=draw(st.integers(1, 4)),
            far="dram",
        )
        text += f'  "dma[{i}]": {{{dma}, transfer_energy_pj_per_bit: 1, {PRICED}}}\n'
    dram = _fields(
        type="dram",
        clock=draw(clock),
        capacity_bytes=2**30,
        burst_bits=draw(st.sampled_from([64, 24, 512])),
        burst_cycles=draw(st.integers(1, 5)),
        latency_cycles=draw(st.integers(0, 20)),
    )
    text += f"  dram: {{{dram}, background_mw: 1, {MEMORY}}}\n"
    text += f"  spike: {_sram(draw, draw(clock), [65536, 65536, 4096, 64])}\n"
    bits, form = draw(st.sampled_from([16, 7])), draw(st.sampled_from(["address", "bitmap"]))
    stored = _fields(spike_bits=bits, spike_format=form)
    for i, dataflow in enumerate(dataflows):
        text += f'  "weight[{i}]": {_sram(draw, "a", [65536, 65536, 512, 64])}\n'
        text += f'  "state[{i}]": {_sram(draw, "a", [65536, 65536, 256, 32])}\n'
        text += f'  "core[{i}]": {_core(draw, i, dataflow, stored)}\n'
    return text


@st.composite
def cases(draw) -> Case:
    """A machine of one to three cores, a network, its inputs, and a mapping that `place` makes with random wishes."""
    dataflows = tuple(draw(st.lists(st.sampled_from(["scatter", "gather"]), min_size=1, max_size=3)))
    text = draw(hardware_texts(dataflows))
    hardware = parse_hardware(text, file="random.yaml")
    network = draw(networks("gather" not in dataflows))
    wishes = {
        "timesteps": draw(st.sampled_from([None, "one"])),
        "tile_channels": draw(st.sampled_from([None, None, 1, 2])),
        "tile_rows": draw(st.sampled_from([None, None, 1, 2])),
        "weights": draw(st.sampled_from([None, None, "stream"])),
    }
    try:
        mapping = place(network, hardware, **wishes)
    except InputError:
        assume(False)
    trace = draw(traces(network))
    _, counts, _ = complete_trace(network, trace)
    assume(sum(counts.synaptic_operations.values()) <= MAX_OPERATIONS)
    return Case(text, hardware, network, trace, mapping)
