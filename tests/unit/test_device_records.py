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
    assert record.work["crossbar"] == made.facts
    assert record.work["spikes"] == {p.name: made.trace.spikes(p.name).count for p in network.populations}
    assert record.work["spikes"] != simulate(hardware, network, inputs, seed=6).work["spikes"]
    assert simulate(hardware, network, made.trace, seed=5).work["crossbar"] == made.facts
    again = load_record(write_record(record, tmp_path / "record.h5"))
    assert again.work["crossbar"] == record.work["crossbar"] and again.summary() == record.summary()


def test_only_weights_in_real_devices_are_converted() -> None:
    """Without a device, without weights, or with every input taken as a spike there is nothing to count."""
    network, recorded, _ = digits(1)
    real, plain = load_hardware("cim_rram65", ["cim.device={}"]), load_hardware("cim_rram65")
    assert "crossbar" in simulate(real, network, recorded).work
    assert "crossbar" not in simulate(plain, network, recorded).work
    assert "crossbar" not in simulate(real, network.topology(), recorded).work
    assert "crossbar" not in simulate(real, network, recorded, activity="dense").work
