"""The summary object of a hand-made record: every figure is calculated here."""

from __future__ import annotations

import dataclasses
import json

import pytest

from simulator.record_summary import summary_json
from simulator.units import edge_ps
from tests.unit.small_record import CORE_HZ, COUNTS, END_PS, ENGINES, LANES, UNITS, description, hardware, small_record

TOP = ["schema", "hardware", "network", "trace", "mapping", "engine", "activity", "seed", "latency", "work",
       "throughput", "energy_pj", "movement_bits", "utilization", "area_mm2", "neurobench"]


def test_it_has_the_keys_of_the_design_in_its_order() -> None:
    summary = small_record().summary()
    assert list(summary) == TOP
    assert summary["schema"] == "neurocycle.summary/1"
    assert list(summary["latency"]) == ["cycles", "clock", "clock_hz", "seconds", "per_sample_seconds", "per_layer"]
    assert list(summary["work"]) == ["input_spikes", "spikes", "synaptic_operations", "dense_operations",
                                     "neuron_updates", "output_spikes", "saturations"]
    assert list(summary["throughput"]) == ["gops", "gsops", "gops_per_w", "peak_gops", "utilization"]
    assert list(summary["energy_pj"]) == ["total", "dynamic", "static", "by_unit", "by_action", "by_layer", "by_grade"]
    assert list(summary["trace"]) == ["name", "sha256", "samples", "timesteps"]
    assert list(summary["neurobench"]) == ["Footprint", "ConnectionSparsity", "ActivationSparsity",
                                           "SynapticOperations"]


def test_latency_is_in_cycles_of_the_main_clock() -> None:
    latency = small_record().summary()["latency"]
    seconds = END_PS * 1e-12
    assert latency["cycles"] == round(seconds * CORE_HZ)
    assert latency["seconds"] == pytest.approx(seconds)
    assert latency["per_sample_seconds"] == pytest.approx(seconds / 2)
    # conv ran from 0 to 140 ns, fc from 120 ns on with 70 ns of work; a cycle takes 2 ns
    assert latency["per_layer"] == {
        "conv": {"cycles": 70, "start": 0, "end": 70},
        "fc": {"cycles": 35, "start": 60, "end": 100},
    }


def test_an_end_between_two_edges_counts_as_the_later_one() -> None:
    record = dataclasses.replace(small_record(), end_ps=edge_ps(100, CORE_HZ) + 1)
    assert record.summary()["latency"]["cycles"] == 101


def test_a_layer_that_never_ran_has_no_span() -> None:
    record = small_record()
    record.layer_span[2], record.layer_busy_ps[2] = -1, 0
    assert record.summary()["latency"]["per_layer"]["fc"] == {"cycles": 0, "start": None, "end": None}


def test_throughput() -> None:
    record = small_record()
    rate, seconds = record.summary()["throughput"], END_PS * 1e-12
    executed = sum(n for (_, _, action), n in COUNTS.items() if action.startswith("accumulate"))
    assert rate["gops"] == pytest.approx(4600 / seconds / 1e9)
    assert rate["gsops"] == pytest.approx(460 / seconds / 1e9)
    assert rate["peak_gops"] == pytest.approx(LANES * ENGINES * CORE_HZ / 1e9)
    assert rate["utilization"] == pytest.approx(executed / (LANES * ENGINES * 100))
    watts = record.energy.total * 1e-12 / seconds
    assert rate["gops_per_w"] == pytest.approx(4600 / seconds / 1e9 / watts)


def test_operations_follow_the_gather_core_s_operations_per_synapse() -> None:
    core = description()["units"]["core"]
    core = {k: v for k, v in core.items() if k != "scatter"} | {
        "dataflow": "gather",
        "gather": {"unroll": {"k": 4, "c": 2, "oy": 3, "ox": 1}, "ops_per_pe_cycle": 6, "ops_per_synapse": 2,
                   "gating": "skip", "window_cycles": 1, "neuron_lanes": 1, "fill_cycles": 0},
    }
    rate = small_record(machine=hardware({"units": {**description()["units"], "core": core}})).summary()["throughput"]
    assert rate["peak_gops"] == pytest.approx(4 * 2 * 3 * 1 * 6 * CORE_HZ / 1e9)
    assert rate["gops"] == pytest.approx(2 * 4600 / (END_PS * 1e-12) / 1e9)


def test_a_run_of_no_time_divides_by_nothing() -> None:
    rate = dataclasses.replace(small_record(), end_ps=0).summary()["throughput"]
    assert rate["gops"] is None and rate["gsops"] is None and rate["utilization"] is None


def test_movement_is_bits_per_level_operand_and_direction() -> None:
    found = small_record().summary()["movement_bits"]
    expected: dict[str, dict[str, dict[str, int]]] = {unit: {} for unit in ("dram", "weight", "state", "spikes")}
    for (unit, _, action), n in COUNTS.items():
        verb, operand = action.split(":")
        if unit in expected:
            parts = expected[unit].setdefault(operand, dict.fromkeys(("read", "write", "overfetch", "broadcast"), 0))
            parts[verb] += n
    assert found == expected


def test_memories_of_a_range_are_one_level() -> None:
    new = {"weight": "weight[0]", "state": "weight[1]"}
    units = {new.get(name, name): spec for name, spec in description()["units"].items()}
    units["core"] |= {"weight_memory": "weight[0]", "state_memory": "weight[1]"}
    machine = hardware({"units": units})
    record = dataclasses.replace(
        small_record(), hardware=machine, units=tuple(machine.units),
        cycles={new: time for new, time in zip(machine.units, small_record().cycles.values(), strict=True)},
    )
    movement = record.summary()["movement_bits"]
    assert list(movement) == ["dram", "weight", "spikes"]
    assert set(movement["weight"]) == {"weight", "partial_sum"}


def test_utilisation_area_and_neurobench() -> None:
    summary = small_record().summary()
    assert summary["utilization"]["core"] == {
        "clock": "core", "busy": 70, "idle": 5, "stall": {"weight_load": 15, "dependency": 10},
        "waits": {"bank": 33, "fifo": 120},
    }
    areas = {unit: spec["area_mm2"]["value"] for unit, spec in description()["units"].items()}
    assert summary["area_mm2"] == {"total": pytest.approx(sum(areas.values())), "by_unit": areas}
    assert summary["neurobench"] == {
        "Footprint": 558,
        "ConnectionSparsity": 0.1,
        "ActivationSparsity": pytest.approx(1 - (6 + 3) / ((32 + 10) * 6)),
        "SynapticOperations": {"Dense": 700 * 6 / 2, "Effective_MACs": 390 / 2, "Effective_ACs": 54 / 2},
    }


def test_effective_operations_are_only_given_where_they_are_exact() -> None:
    record = small_record()
    work = {k: v for k, v in record.work.items() if not k.startswith("effective")}

    def effective(network: dict[str, object]) -> tuple[object, object]:
        changed = dataclasses.replace(record, work=work, network={**record.network, **network})
        block = changed.summary()["neurobench"]["SynapticOperations"]
        return block["Effective_MACs"], block["Effective_ACs"]

    assert effective({}) == (None, None)
    assert effective({"zero_weights": 0}) == (None, None), "conv may see inputs other than 0 and 1"
    assert effective({"zero_weights": 0, "binary_layers": ["conv", "fc"]}) == (0, 460 / 2)
    assert effective({"zero_weights": None, "binary_layers": ["conv", "fc"]}) == (None, None), "no weights are known"


def test_json_is_plain_and_its_bytes_do_not_vary() -> None:
    first, second = summary_json(small_record()), summary_json(small_record())
    assert first == second
    assert json.loads(first) == small_record().summary()
    assert list(json.loads(first)["energy_pj"]["by_unit"]) == list(UNITS)
