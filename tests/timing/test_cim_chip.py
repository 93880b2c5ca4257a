"""A chip of crossbar tiles against the contract's closed form, without contention: one convolution, every input on.

Without sample and hold c_vec = c_check + G (c_wl + M (c_mux + c_read + c_adc)) + c_sa.  With it, r = c_wl + c_read +
c_sh and v = M (c_mux + c_adc): c_check + r + (G - 1) max(r, v) + v + c_sa, and a vector per G max(r, v) when busy.
"""

from __future__ import annotations

import numpy as np
import pytest

from simulator import load_hardware, simulate
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace import StepSpikesBuilder, Trace

CYCLE_PS = 2000  # cim_rram65 runs at 500 MHz
WIDE = 1 << 16
LAUNCH = 3


def network(rows: int, width: int) -> Network:
    """A 1 x 1 convolution of `rows` channels into 8 on `width` positions in a row, 4-bit weights."""
    neuron = Neuron(threshold=np.array([1 << 20], np.int64))
    weights = np.ones((8, rows, 1, 1), np.int8)
    return Network(
        "bench",
        (Population("in", (rows, 1, width), Neuron("input")), Population("out", (8, 1, width), neuron)),
        (Projection("p", "in", "out", "conv", weight_bits=4, weights=weights),),
    )


def cycles(rows: int, width: int, engine: str, **fields: object) -> int:
    """Cycles of the layer on a chip whose ports never matter, with every input firing once."""
    net = network(rows, width)
    overrides = {
        "crossbar.rows": 64, "crossbar.columns": 64, "crossbar.cell_bits": 4, "crossbar.mux_ratio": 8,
        "crossbar.signed": "offset", "crossbar.row_policy": "static", "crossbar.zero_skip": "none",
        "buffer.port_bits": WIDE, "buffer.input_mode": "bitmap", "network.input_port_bits": WIDE,
        "network.link_bits": WIDE, "network.hop_cycles": 1, "digital.lif_lanes": 64, "digital.lif_mode": "all",
        "timing.lif_cycles": 1, "timing.accumulate_cycles": 1, "buffer.psum_depth": 64, "adc.early_stop": "false",
        "crossbar.redrive_per_mux_step": "false", **{key.replace("__", "."): value for key, value in fields.items()},
    }  # fmt: skip
    texts = [f"cim.{key}={value}" for key, value in overrides.items()]
    hardware = load_hardware("cim_rram65", [*texts, f"host.launch_cycles={LAUNCH}"])
    builder = StepSpikesBuilder()
    builder.begin_sample()
    builder.add_step(np.arange(rows * width, dtype=np.uint32))
    trace = Trace("bench", net, "step", np.array([1], np.int64), {"in": builder.build()})
    record = simulate(hardware, net, trace, engine=engine)  # type: ignore[arg-type]
    start, end = record.layer_span[1].tolist()
    assert record.end_ps == end
    assert (end - start) % CYCLE_PS == 0
    return (end - start) // CYCLE_PS


def analog(wordline: int, read: int, hold: int, mux: int, convert: int, shift: int) -> dict[str, object]:
    """Times of each step in whole cycles."""
    ps = {"wordline": wordline, "read": read, "hold": hold, "mux": mux}
    found: dict[str, object] = {f"timing__{key}_ps": value * CYCLE_PS for key, value in ps.items()}
    return found | {"adc__time_ps": convert * CYCLE_PS, "timing__shift_add_cycles": shift}


TAIL = 1 + 1  # neurons of the position in one word of lanes, one word of the buffer port
ENGINES = pytest.mark.parametrize("engine", ["kernel", "reference"])


@ENGINES
@pytest.mark.parametrize("rows,parallel", [(16, 16), (64, 16), (50, 16), (64, 64)])
@pytest.mark.parametrize("wordline,read,mux,convert,shift", [(1, 1, 1, 1, 1), (2, 5, 1, 3, 0)])
def test_a_vector_takes_its_closed_form(engine, rows, parallel, wordline, read, mux, convert, shift) -> None:
    fields = analog(wordline, read, 0, mux, convert, shift)
    took = cycles(rows, 1, engine, crossbar__rows_parallel=parallel, crossbar__sample_hold="false", **fields)
    groups, steps = -(-rows // parallel), 1  # 8 columns on 8 converters
    c_vec = groups * (wordline + steps * (mux + read + convert)) + shift
    assert took == 1 + c_vec + TAIL


@ENGINES
@pytest.mark.parametrize("check", [1, 3])
def test_the_zero_test_comes_first(engine, check) -> None:
    fields = analog(1, 1, 0, 1, 1, 1) | {"timing__check_cycles": check, "crossbar__zero_skip": "pe"}
    took = cycles(16, 1, engine, crossbar__rows_parallel=16, crossbar__sample_hold="false", **fields)
    assert took == 1 + check + (1 + 3) + 1 + TAIL


@ENGINES
@pytest.mark.parametrize("rows", [16, 64])
def test_positions_follow_at_the_rate_of_the_array(engine, rows) -> None:
    fields = analog(2, 5, 0, 1, 3, 4) | {"crossbar__rows_parallel": 16, "crossbar__sample_hold": "false"}
    c_vec = rows // 16 * (2 + 1 + 5 + 3) + 4
    assert cycles(rows, 12, engine, **fields) - cycles(rows, 4, engine, **fields) == 8 * c_vec


@ENGINES
@pytest.mark.parametrize("rows", [16, 64])
@pytest.mark.parametrize("read,convert", [(5, 1), (1, 6)])
def test_held_columns_are_converted_while_the_next_group_is_read(engine, rows, read, convert) -> None:
    fields = analog(2, read, 1, 1, convert, 4) | {"crossbar__rows_parallel": 16, "crossbar__sample_hold": "true"}
    groups, r, v = rows // 16, 2 + read + 1, 1 + convert
    assert cycles(rows, 1, engine, **fields) == 1 + r + (groups - 1) * max(r, v) + v + 4 + TAIL
    assert cycles(rows, 12, engine, **fields) - cycles(rows, 4, engine, **fields) == 8 * groups * max(r, v)
