"""Schedules: every tensor is moved, everything is computed once, in an order that no timing can break."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.errors import InputError, InvariantError
from simulator.mapping import Mapping, Schedule, lower, place
from simulator.mapping.capacity import check_mapping, persists
from simulator.mapping.schedule import COMPUTE, LOAD, SPIKE, STATE, STORE, WEIGHT
from simulator.network import Network
from simulator.network.geometry import weight_count
from tests.unit.mapping_bench import chain, chip, delayed, recurrent, residual


def before(schedule: Schedule) -> list[int]:
    """For every row the set (as bits of an integer) of rows that are complete before it starts, whatever the timing."""
    last_on: dict[int, int] = {}
    result: list[int] = []
    prologue = (1 << schedule.prologue) - 1
    for i in range(schedule.rows):
        direct = schedule.after_of(i).tolist()
        unit = int(schedule.unit[i])
        if unit in last_on:
            direct.append(last_on[unit])
        known = prologue if i >= schedule.prologue else 0
        for row in direct:
            known |= result[row] | 1 << row
        result.append(known)
        last_on[unit] = i
    return result


def rows_of(schedule: Schedule, **wanted: int) -> list[int]:
    """Rows whose columns have the wanted values."""
    mask = np.ones(schedule.rows, bool)
    for name, value in wanted.items():
        mask &= getattr(schedule, name) == value
    return np.flatnonzero(mask).tolist()


def check(mapping: Mapping, network: Network, hardware: Any) -> Schedule:
    """Lowers the mapping and checks everything that must hold for any schedule."""
    schedule = lower(mapping, network, hardware)
    known = before(schedule)
    check_coverage(schedule, mapping, network)
    check_sources(schedule, mapping, network, known)
    check_weight_memory(schedule, mapping, hardware, known)
    check_state_memory(schedule, mapping, network, hardware, known)
    return schedule


def check_coverage(schedule: Schedule, mapping: Mapping, network: Network) -> None:
    """Each channel and row of each layer is computed once per input part, parts in order, on a core of the layer."""
    for number, layer in enumerate(network.layers, start=1):
        entry = mapping.layer(layer)
        c, h, _ = network.population(layer).shape
        seen = np.zeros((entry.input_parts, c, h), int)
        for i in rows_of(schedule, op=COMPUTE, layer=number):
            box = np.s_[schedule.part[i], schedule.k0[i] : schedule.k1[i], schedule.y0[i] : schedule.y1[i]]
            assert (seen[: schedule.part[i], box[1], box[2]] == 1).all() and (seen[box] == 0).all()
            seen[box] += 1
            assert schedule.first[i] == (schedule.part[i] == 0)
            assert schedule.last[i] == (schedule.part[i] == entry.input_parts - 1)
            assert schedule.units[schedule.unit[i]] in entry.cores
        assert (seen == 1).all()


def check_sources(schedule: Schedule, mapping: Mapping, network: Network, known: list[int]) -> None:
    """A compute starts after all computes, stores and loads that bring it its sources' spikes."""
    index = {p.name: i for i, p in enumerate(network.populations)}
    for number, layer in enumerate(network.layers, start=1):
        for i in rows_of(schedule, op=COMPUTE, layer=number):
            for p in network.incoming(layer):
                same = mapping.timesteps == "all" or p.delay == 0
                is_input = network.population(p.source).is_input
                if not is_input and same:
                    made = rows_of(schedule, op=COMPUTE, population=index[p.source])
                    assert all(known[i] >> row & 1 for row in made)
                home = mapping.inputs[p.source] if is_input else mapping.layer(p.source).spikes
                loads = rows_of(schedule, op=LOAD, operand=SPIKE, population=index[p.source])
                if not (is_input and home == "chip"):
                    loads = [row for row in loads if schedule.layer[row] == number]
                if home == "dram" and not is_input:
                    stores = rows_of(schedule, op=STORE, operand=SPIKE, population=index[p.source])
                    done = sum((schedule.k1[r] - schedule.k0[r]) * (schedule.y1[r] - schedule.y0[r]) for r in stores)
                    c, h, _ = network.population(p.source).shape
                    assert done == c * h
                    if same:
                        assert all(known[row] >> store & 1 for row in loads for store in stores)
                if home == "dram" or is_input:
                    assert any(known[i] >> row & 1 for row in loads)
                else:
                    assert not loads


def check_weight_memory(schedule: Schedule, mapping: Mapping, hardware: Any, known: list[int]) -> None:
    """When a load starts, the tiles that may still be needed leave it room; all weights a compute uses are there."""
    for name, spec in hardware.units.items():
        if spec.type != "cmos_core":
            continue
        memory = schedule.units.index(spec.weight_memory)
        loads = rows_of(schedule, op=LOAD, operand=WEIGHT, near=memory)
        uses: dict[int, list[int]] = {row: [] for row in loads}
        for i in rows_of(schedule, op=COMPUTE, unit=schedule.units.index(name)):
            for row in schedule.after_of(i).tolist():
                if row in uses:
                    uses[row].append(i)
                    assert schedule.layer[row] == schedule.layer[i]
                    assert schedule.k0[row] <= schedule.k0[i] and schedule.k1[i] <= schedule.k1[row]
                    assert schedule.y0[row] <= schedule.y0[i] and schedule.y1[i] <= schedule.y1[row]
        assert all(uses.values())
        for row in loads:
            held = 0
            for other in loads:
                streamed = mapping.layer(schedule.layers[schedule.layer[other]]).weights == "stream"
                dead = streamed and all(known[row] >> use & 1 for use in uses[other])
                if other <= row and not dead:
                    held += int(schedule.bits[other])
            assert held <= spec_bits(hardware, spec.weight_memory)


def check_state_memory(schedule: Schedule, mapping: Mapping, network: Network, hardware: Any, known: list[int]) -> None:
    """State from DRAM is loaded before and stored after its tile, and finds room beside all that stays."""
    operands = check_mapping(mapping, network, hardware).operands
    for name, spec in hardware.units.items():
        if spec.type != "cmos_core":
            continue
        unit, memory = schedule.units.index(name), schedule.units.index(spec.state_memory)
        loads = rows_of(schedule, op=LOAD, operand=STATE, near=memory)
        stores = rows_of(schedule, op=STORE, operand=STATE, near=memory)
        kept, scratch = 0, 0
        for i in rows_of(schedule, op=COMPUTE, unit=unit, first=1):
            layer = schedule.layers[schedule.layer[i]]
            box = (int(schedule.k0[i]), int(schedule.k1[i]), int(schedule.y0[i]), int(schedule.y1[i]))
            bits = operands.state(layer, *box)
            if not persists(mapping.timesteps, network, layer):
                scratch = max(scratch, bits)
            elif mapping.layer(layer).state == "core":
                kept += bits
            else:
                mine = [
                    r
                    for r in loads
                    if (schedule.layer[r], schedule.k0[r], schedule.y0[r])
                    == (schedule.layer[i], schedule.k0[i], schedule.y0[i])
                ]
                assert len(mine) == 1 and known[i] >> mine[0] & 1 and schedule.bits[mine[0]] == bits
                store = stores[loads.index(mine[0])]
                assert known[store] >> i & 1 and schedule.bits[store] == bits
        assert len(loads) == len(stores)
        for j, row in enumerate(loads):
            held = [int(schedule.bits[loads[n]]) for n in range(j + 1) if n == j or not known[row] >> stores[n] & 1]
            assert kept + scratch + sum(held) <= spec_bits(hardware, spec.state_memory)
        assert kept + scratch <= spec_bits(hardware, spec.state_memory)


def spec_bits(hardware: Any, name: str) -> int:
    return hardware.units[name].capacity_bytes * 8


def all_weight_bits(network: Network) -> int:
    return sum(
        p.weight_bits * weight_count(p, network.population(p.source), network.population(p.target))
        for p in network.projections
    )


CHIPS = {
    "large": {},
    "streams": {"weight": 400, "state": 400},
    "tight": {"weight": 300, "state": 60, "spike": 30},
    "one dma": {"weight": 400, "dmas": 1},
    "two cores": {"cores": 2, "weight": 300, "state": 200},
    "private spikes": {"cores": 3, "weight": 300, "state": 200, "private_spikes": True},
    "three dmas": {"cores": 2, "weight": 200, "state": 40, "spike": 40, "dmas": 3},
}


@pytest.mark.parametrize("timesteps", ["all", "one"])
@pytest.mark.parametrize("name", CHIPS)
@pytest.mark.parametrize("make", [chain, residual, recurrent])
def test_schedules_are_complete_and_safe(make: Any, name: str, timesteps: str) -> None:
    network, hardware = make(), chip(**CHIPS[name])
    if make is recurrent and timesteps == "all":
        timesteps = "one"
    mapping = place(network, hardware, timesteps=timesteps)  # type: ignore[arg-type]
    schedule = check(mapping, network, hardware)
    assert schedule.repeat == ("sample" if timesteps == "all" else "step")
    if len(schedule.units) and all(len(entry.cores) == 1 and entry.input_parts == 1 for entry in mapping.layers):
        assert sum(schedule.weight_bits()) == all_weight_bits(network)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_random_mappings_are_complete_and_safe(data: st.DataObject) -> None:
    """Mappings drawn at random: either refused with a message, or lowered to a safe schedule."""
    network = data.draw(st.sampled_from([chain(4, 4, 2), residual(), recurrent(), chain(4, 4, 2, stateful=False)]))
    cores = data.draw(st.integers(1, 3))
    sizes = {k: data.draw(st.sampled_from([24, 60, 150, 400, 4000])) for k in ("weight", "state", "spike")}
    hardware = chip(cores, dmas=data.draw(st.integers(1, 3)), **sizes)
    mapping = place(network, chip(cores), timesteps="one")
    choices = {"weights": ("resident", "stream"), "weight_buffers": (1, 2), "state": ("core", "dram")}
    layers = []
    for entry in mapping.layers:
        c, h, _ = network.population(entry.layer).shape
        drawn = {name: data.draw(st.sampled_from(values)) for name, values in choices.items()}
        names = data.draw(st.lists(st.sampled_from([f"core[{i}]" for i in range(cores)]), min_size=1, unique=True))
        layers.append(
            replace(
                entry,
                **drawn,
                cores=tuple(names),
                tile_channels=data.draw(st.integers(1, c)),
                tile_rows=data.draw(st.integers(1, h)),
                input_parts=data.draw(st.integers(1, 2)),
                spikes=data.draw(st.sampled_from(["chip", "dram"])),
            )
        )
    inputs = {name: data.draw(st.sampled_from(["chip", "dram"])) for name in mapping.inputs}
    changed = replace(mapping, layers=tuple(layers), inputs=inputs)
    try:
        check(changed, network, hardware)
    except InputError as error:
        assert "bits available" in str(error)


def test_weights_are_loaded_once_per_core_that_uses_them() -> None:
    """Two cores share rows, so each needs the kernels: twice the weights, stated by `weight_bits`."""
    network, hardware = chain(4, 6, 2), chip(2)
    schedule = check(place(network, hardware), network, hardware)
    assert schedule.weight_bits() == (2 * all_weight_bits(network), 0)


def test_input_parts_reload_weights_for_each_row_tile() -> None:
    network, hardware = chain(4, 6, 1), chip()
    mapping = place(network, hardware, timesteps="one", tile_rows=2)
    split = replace(mapping, layers=tuple(replace(e, input_parts=2, weights="stream") for e in mapping.layers))
    schedule = check(split, network, hardware)
    assert schedule.weight_bits() == (0, 3 * all_weight_bits(network))


def test_double_buffering_waits_for_the_buffer_it_takes() -> None:
    """Load i names the last compute of tile i - buffers, and stands before the compute that it overlaps."""
    network, hardware = chain(8, 4, 3), chip()
    streamed = place(network, hardware, weights="stream", tile_channels=2, tile_rows=2)
    for buffers in (1, 2):
        mapping = replace(streamed, layers=tuple(replace(e, weight_buffers=buffers) for e in streamed.layers))
        schedule = check(mapping, network, hardware)
        loads = rows_of(schedule, op=LOAD, operand=WEIGHT)
        computes = rows_of(schedule, op=COMPUTE)
        assert len(loads) == 3 * 4 and len(computes) == 2 * len(loads)
        for i, load in enumerate(loads):
            expected = [computes[2 * (i - buffers) + 1]] if i >= buffers else []
            assert schedule.after_of(load).tolist() == expected
            if buffers == 2 and i % 4:
                assert load < computes[2 * (i - 1)]


def test_state_is_loaded_ahead_of_the_store_before_it() -> None:
    """With room for two tiles, a load waits for the store two tiles back and is handed out before the last one."""
    network, machine = chain(8, 4, 1), chip(dmas=1)
    for state, ahead in ((256, True), (255, False)):  # a tile has 8 x 2 x 4 x 16 = 1024 bits
        mapping = place(network, machine, timesteps="one", tile_rows=1)
        spilled = replace(mapping, layers=(replace(mapping.layers[0], state="dram", tile_rows=2),))
        hardware = chip(dmas=1, state=state)
        schedule = check(spilled, network, hardware)
        loads, stores = (rows_of(schedule, op=op, operand=STATE) for op in (LOAD, STORE))
        assert len(loads) == len(stores) == 2
        assert (loads[1] < stores[0]) == ahead
        assert schedule.after_of(loads[1]).tolist() == ([] if ahead else [stores[0]])


def test_resident_weights_load_once_before_the_body() -> None:
    network, hardware = residual(), chip()
    schedule = check(place(network, hardware), network, hardware)
    assert schedule.weight_bits() == (all_weight_bits(network), 0)
    assert schedule.prologue == len(network.layers)
    assert (schedule.op[: schedule.prologue] == LOAD).all() and (schedule.operand[: schedule.prologue] == WEIGHT).all()


def test_spikes_at_home_in_dram_are_stored_per_tile_and_loaded_per_layer() -> None:
    network, hardware = residual(), chip()
    mapping = place(network, hardware, tile_channels=4)
    layers = tuple(replace(e, spikes="dram" if e.layer == "a" else "chip") for e in mapping.layers)
    schedule = check(replace(mapping, layers=layers), network, hardware)
    a = [p.name for p in network.populations].index("a")
    assert len(rows_of(schedule, op=STORE, operand=SPIKE)) == 2
    loads = rows_of(schedule, op=LOAD, operand=SPIKE, population=a)
    assert [schedule.layers[schedule.layer[i]] for i in loads] == ["b", "c"]
    assert (schedule.bits[loads] == -1).all()
    assert schedule.units[schedule.unit[loads[0]]] == "dma[0]"
    assert {schedule.units[u] for u in schedule.unit[schedule.op == STORE]} == {"dma[1]"}


def test_spikes_too_large_for_the_chip_are_loaded_for_each_compute_with_halo() -> None:
    network, hardware = chain(8, 6, 2), chip(spike=40)
    mapping = place(network, hardware, tile_rows=2, tile_channels=4)
    assert mapping.layer("c0").spikes == "dram"
    schedule = check(mapping, network, hardware)
    loads = rows_of(schedule, op=LOAD, operand=SPIKE, population=schedule.populations.index("c0"))
    assert [(int(schedule.y0[i]), int(schedule.y1[i])) for i in loads] == [(0, 3), (1, 5), (3, 6)] * 2


def test_delayed_spikes_do_not_order_a_timestep() -> None:
    network, hardware = recurrent(), chip()
    mapping = place(network, hardware)
    layers = tuple(replace(e, spikes="dram") for e in mapping.layers)
    schedule = check(replace(mapping, layers=layers), network, hardware)
    (load,) = [i for i in rows_of(schedule, op=LOAD, operand=SPIKE, layer=1) if schedule.population[i] == 1]
    assert schedule.after_of(load).size == 0


def test_a_delayed_source_is_of_an_earlier_timestep() -> None:
    """With timesteps "one" b does not wait for a, which comes first; with "all" it does."""
    network, hardware = delayed(), chip(3)
    for timesteps, waits in (("one", False), ("all", True)):
        mapping = place(network, hardware, timesteps=timesteps)  # type: ignore[arg-type]
        spread = tuple(replace(e, cores=(f"core[{i}]",)) for i, e in enumerate(mapping.layers))
        schedule = check(replace(mapping, layers=spread), network, hardware)
        a, b, _ = rows_of(schedule, op=COMPUTE)
        assert (a in schedule.after_of(b).tolist()) == waits


def test_spikes_loaded_for_each_compute_reuse_the_room_of_two() -> None:
    network, hardware = chain(8, 6, 2), chip(spike=40)
    schedule = check(place(network, hardware, tile_rows=1, tile_channels=8), network, hardware)
    loads = rows_of(schedule, op=LOAD, operand=SPIKE, population=schedule.populations.index("c0"))
    computes = rows_of(schedule, op=COMPUTE, layer=2)
    assert len(loads) == len(computes) == 6
    for i, load in enumerate(loads):
        assert load in schedule.after_of(computes[i]).tolist()
        assert [row for row in schedule.after_of(load).tolist() if row in computes] == (
            [computes[i - 2]] if i >= 2 else []
        )


def test_a_whole_population_is_loaded_when_the_layer_before_is_done() -> None:
    """c reads a again from DRAM: the load takes room that b may still have used."""
    network, hardware = residual(), chip()
    mapping = place(network, hardware)
    layers = tuple(replace(e, spikes="dram" if e.layer == "a" else "chip") for e in mapping.layers)
    schedule = check(replace(mapping, layers=layers), network, hardware)
    (load,) = rows_of(schedule, op=LOAD, operand=SPIKE, population=1, layer=3)
    (b,) = rows_of(schedule, op=COMPUTE, layer=2)
    assert b in schedule.after_of(load).tolist()


def test_a_row_may_only_wait_for_earlier_rows() -> None:
    network, hardware = chain(), chip()
    schedule = lower(place(network, hardware), network, hardware)
    for row, bad in ((schedule.rows - 1, schedule.rows - 1), (schedule.rows - 1, -1)):
        after = schedule.after.copy()
        after[schedule.after_start[row]] = bad
        with pytest.raises(InvariantError, match="depends on itself or on a later row"):
            replace(schedule, after=after)
    with pytest.raises(InvariantError, match="columns of different lengths"):
        replace(schedule, bits=schedule.bits[1:])
    with pytest.raises(InvariantError, match="prologue"):
        replace(schedule, prologue=schedule.rows + 1)
    with pytest.raises(ValueError, match="read-only"):
        schedule.bits[0] = 1


def test_many_rows_are_cheap() -> None:
    """A wide layer in single-channel, single-row tiles: one load per channel, one compute per tile."""
    network, hardware = chain(64, 32, 3), chip(weight=4000)
    mapping = place(network, hardware, tile_channels=1, tile_rows=1)
    schedule = lower(mapping, network, hardware)
    assert len(rows_of(schedule, op=COMPUTE)) == 3 * 64 * 32
    assert len(rows_of(schedule, op=LOAD, operand=WEIGHT)) == 3 * 64


def test_schedule_hash_and_table() -> None:
    network, hardware = residual(), chip()
    mapping = place(network, hardware)
    schedule = lower(mapping, network, hardware)
    assert schedule.sha256 == lower(mapping, network, hardware).sha256
    other = place(network, hardware, tile_rows=2)
    assert lower(other, network, hardware).sha256 != schedule.sha256
    table = schedule.table()
    assert len(table) == schedule.rows
    first = table[0]
    assert (first["op"], first["operand"], first["layer"], first["near"], first["far"]) == (
        "LOAD",
        "weight",
        "a",
        "weight[0]",
        "dram",
    )
    assert table[-1]["op"] == "COMPUTE" and table[-1]["layer"] == "out" and table[-1]["near"] is None
