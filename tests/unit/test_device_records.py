"""Records of the digits net on tiles with devices: what a core sends, what a replay counts, what a file keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulator import load_hardware, load_network, load_trace, simulate
from simulator.functional.crossbar import first_samples, run_on_crossbars
from simulator.mapping import place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.record import Record
from simulator.record_file import load_record, write_record


def facts_of(record: Record, fact: str) -> dict[str, int]:
    return {name: facts[fact] for name, facts in record.work["crossbar"].items()}


def codes_of(record: Record) -> dict[str, dict]:
    """What converters saw, without the bound that needs no weights."""
    return {
        name: {key: value for key, value in facts.items() if key != "clip_possible"}
        for name, facts in record.work["crossbar"].items()
    }


def digits(samples: int) -> tuple:
    network, recorded = load_network("digits"), first_samples(load_trace("digits"), samples)
    return network, recorded, replace(recorded, populations={n: recorded.populations[n] for n in network.inputs})


def test_ideal_devices_send_what_a_core_sends() -> None:
    """2-function: outputs and membranes of the tile are those of the CMOS core, on the digits net."""
    network, recorded, inputs = digits(1)
    core = simulate(load_hardware("event_core_28nm"), network, inputs)
    for given in (inputs, recorded):
        tile = simulate(load_hardware("cim_rram65", ["cim.device={}", "cim.adc.bits=10"]), network, given)
        assert np.array_equal(tile.outputs["out"].index, core.outputs["out"].index)
        assert np.array_equal(tile.outputs["out"].step_start, core.outputs["out"].step_start)
        assert tile.work["spikes"] == core.work["spikes"] and sum(facts_of(tile, "adc_clip_high").values()) == 0
    made = simulate(load_hardware("cim_rram65", ["cim.device={}", "cim.adc.bits=10"]), network, inputs)
    for name, v in core.membranes.items():
        assert np.array_equal(made.membranes[name], v)


def test_a_run_on_devices_is_the_function_s_and_replays_to_the_same_facts(tmp_path) -> None:
    network, _, inputs = digits(1)
    hardware = load_hardware("cim_rram65", ["cim.device.model=wan2022_1day"])
    record = simulate(hardware, network, inputs, seed=5)
    plan = check_crossbars(place(network, hardware), network, hardware)
    made = run_on_crossbars(network, inputs, hardware.units["cim"], plan, 5)
    assert codes_of(record) == made.facts
    assert record.work["spikes"] == {p.name: made.trace.spikes(p.name).count for p in network.populations}
    assert record.work["spikes"] != simulate(hardware, network, inputs, seed=6).work["spikes"]
    assert codes_of(simulate(hardware, network, made.trace, seed=5)) == made.facts
    again = load_record(write_record(record, tmp_path / "record.h5"))
    assert again.work["crossbar"] == record.work["crossbar"] and again.summary() == record.summary()


def test_only_weights_in_real_devices_are_converted() -> None:
    """Without a device, without weights, or with every input taken as a spike there is nothing to count."""
    network, recorded, _ = digits(1)
    real, plain = load_hardware("cim_rram65", ["cim.device={}"]), load_hardware("cim_rram65")
    others = [(plain, network, "spikes"), (real, network.topology(), "spikes"), (real, network, "dense")]
    for hardware, given, activity in others:
        facts = simulate(hardware, given, recorded, activity=activity).work["crossbar"]
        assert all(set(seen) == {"rows_on_max", "clip_possible"} for seen in facts.values())
    made, bound = (simulate(real, n, recorded).work["crossbar"] for n in (network, network.topology()))
    for name, seen in made.items():
        assert bound[name].items() <= seen.items() and "codes" in seen


def test_what_is_cut_off_lies_within_the_bound() -> None:
    """One code per level: a sum above full scale needs rows that may add up to it."""
    network, recorded, _ = digits(1)
    settings = ["cim.device.adc_range=granular", "cim.adc.bits=3"]
    seen = simulate(load_hardware("cim_rram65", settings), network, recorded).work["crossbar"]
    assert sum(facts["adc_clip_high"] for facts in seen.values()) > 0
    for facts in seen.values():
        assert facts["adc_clip_high"] <= facts["clip_possible"] <= facts["conversions"]
