"""Crossbars as STEMS and ZigZag would count them: weights lie in the array, inputs and outputs in the tile buffer.

Source: counting rules of ZigZag 3.9.1 (ceil per transfer) and density scaling of STEMS (sjoks93/STEMS, commit 323e004)
on an array whose rows are C x FY x FX and whose columns are K.  Per output position and timestep one vector: its inputs
read from the buffer once per block of columns, its spikes written, its states read and written.  A vector takes the mux
steps of its columns, in every timestep; rows are charged x i_rate where the chip skips zeros.
"""

from __future__ import annotations

from typing import Any

from simulator.costmodel.activity import Activity
from simulator.costmodel.published.density import arriving, rates
from simulator.hardware import Hardware
from simulator.mapping.crossbar.check import check_crossbars
from simulator.mapping.mapping import Mapping
from simulator.mapping.place import place
from simulator.network.sizes import state_bits
from simulator.units import PS_PER_SECOND, ceil_div


def counts(
    hardware: Hardware, activity: Activity, mapping: Mapping | None = None
) -> tuple[dict[tuple[str, str, str], float], float, float]:
    """(words of the buffer port by operand and direction, pJ, ps) of a run, all samples.

    Layers follow each other position by position: the slowest one counts; one after another where the chip says so.
    """
    network = activity.network
    plan = check_crossbars(place(network, hardware) if mapping is None else mapping, network, hardware)
    spec: Any = hardware.units[plan.unit]
    steps, port = int(activity.steps.sum()), spec.buffer.port_bits
    active = rates(activity)
    index = {p.name: i for i, p in enumerate(network.populations)}
    words: dict[tuple[str, str, str], float] = {}
    energy, times = 0.0, [0.0]
    for layer in plan.layers.values():
        if layer.omitted:
            continue
        vectors = layer.positions * steps
        longest = 0
        for number, block in enumerate(layer.row_blocks):
            part = layer.parts[block.part]
            share = arriving(part.projection, float(active[index[part.projection.source]]))
            share = share if spec.zero_skip != "none" else 1.0
            planes = len(part.planes)
            columns = [layer.columns_of(number, n) for n in range(len(block.columns))]
            longest = max(longest, *(planes * spec.crossbar.mux_steps(n) for n in columns))
            inputs = ceil_div(block.rows * planes, port) * len(columns) * share * vectors
            _add(words, plan.unit, "I", "read", inputs)
            energy += inputs * port * float(spec.prices.read_spike_energy_pj_per_bit.value)
            energy += vectors * planes * _vector_pj(spec, block.rows * share * part.rows_per_input, columns)
        out = ceil_div(layer.outputs * layer.population.neuron.stored_bits, port)
        held = state_bits(network, layer.layer) // layer.population.size * layer.outputs
        _add(words, plan.unit, "O", "write", out * vectors)
        energy += out * vectors * port * float(spec.prices.write_spike_energy_pj_per_bit.value)
        for way in ("read", "write"):
            price = getattr(spec.prices, f"{way}_state_energy_pj_per_bit")
            _add(words, plan.unit, "V", way, ceil_div(held, port) * vectors)
            energy += held * vectors * float(price.value)
        times.append(ceil_div(layer.positions, layer.copies) * steps * longest * _turn_ps(spec, hardware))
    return words, energy, sum(times) if spec.pipeline == "after" else max(times)


def _add(words: dict[tuple[str, str, str], float], unit: str, operand: str, way: str, n: float) -> None:
    key = unit, operand, way
    words[key] = words.get(key, 0.0) + n


def _turn_ps(spec: Any, hardware: Hardware) -> float:
    """A mux step with its read and its conversion, ps."""
    hertz = int(hardware.clocks[spec.clock])
    steps = spec.timing.mux_ps, spec.timing.read_ps, spec.convert_ps()
    return sum(spec.cycles(ps, hertz) for ps in steps) * PS_PER_SECOND / hertz


def _vector_pj(spec: Any, rows: float, columns: list[int]) -> float:
    """Energy of a vector in the arrays of a row block, pJ: rows driven, columns converted and added up."""
    prices = spec.prices
    driven = sum(spec.crossbar.mux_steps(n) if spec.crossbar.redrive_per_mux_step else 1 for n in columns)
    lines = float(prices.drive_row_energy_pj.value) * driven + float(prices.latch_row_energy_pj.value)
    column = sum(float(price.value) for price in (prices.read_column_energy_pj, spec.adc.convert_energy_pj,
                                                  prices.shift_add_partial_sum_energy_pj))  # fmt: skip
    return rows * lines + sum(columns) * column
