"""Every field of a tile's description changes some figure somewhere: one that changes nothing would be a lie."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel

from simulator import load_hardware, load_network, load_trace, simulate
from simulator.errors import InputError
from simulator.functional.crossbar import first_samples, run_on_crossbars
from simulator.hardware import Hardware
from simulator.hardware.cim.device import Device
from simulator.hardware.constant import Constant
from simulator.mapping import place
from simulator.mapping.crossbar.check import check_crossbars
from simulator.network import Network, Neuron, Pool, Population, Projection
from simulator.trace.synthetic import bernoulli_trace

CHIPS: dict[str, tuple[str, ...]] = {
    "cim_rram65": (),
    "cim_rram65 pack": (
        "crossbar.row_policy=pack", "crossbar.rows=16", "crossbar.rows_parallel=4", "crossbar.columns=24",
        "write.count=true", "write.parallel_cells=5", "buffer.input_mode=event", "buffer.port_bits=4",
        "buffer.psum_depth=1", "network.link_bits=4", "network.input_port_bits=4", "digital.lif_lanes=1",
        "digital.accumulate_lanes=1", "pes_per_tile=2",
    ),
    "cim_rram65 hold": (
        "crossbar.sample_hold=true", "crossbar.redrive_per_mux_step=false", "adc=survey65_4b", "power_gating=true",
        "tiles=9", "tile_sharing=true",
    ),
    "cim_neurram130": ("input_bits=6", "timing.shift_add_cycles=1"),
    "cim_neurosim65": (
        "adc=mlsa_neurosim65_4b", "write.count=true", "buffer.port_bits=16", "network.kind=htree",
        "crossbar.conduct=all",
    ),
    "cim_spikesim64": ("timing.hold_ps=2000", "crossbar.kernel_merge=private"),
    "cim_spikesim64_ela": ("crossbar.rows=8", "crossbar.columns=8"),
    "cim_spikesim64_ela spikes": ("quirks=spikingjelly",),
    "cim_spikesim64_ela meant": ("quirks=[lumps_per_pe_cycle,xbar_area_fixed]",),
    "cim_isaac32": ("buffer.port_bits=4",),
}  # fmt: skip
"""Chips under settings that bring a field to bear; the first word is the bundled name."""
WORDS: dict[str, tuple[str, ...]] = {
    "signed": ("differential_columns", "differential_rows", "reference_column"),
    "row_policy": ("static", "static_skip", "pack"),
    "conduct": ("selected", "all"),
    "kernel_merge": ("analog", "mux", "private"),
    "zero_skip": ("none", "pe", "array"),
    "network.kind": ("htree", "bus", "mesh"),
    "adc.kind": ("sar", "flash", "survey"),
    "input_mode": ("bitmap", "event"),
    "lif_mode": ("all", "touched"),
    "arrangement": ("kernel", "im2col"),
    "pipeline": ("stream", "after"),
    "phases": ("one_phase", "two_phase"),
    "cell_current": ("included", "excluded"),
    "arrays_per_pe": ("12",),
    "tiles": ("40",),
    "input_bits": ("3",),
    "convert_ps": ("9000",),
}
LABELS = {"type", "clock", "source", "grade", "adc.name", "adc.node_nm", "adc.kind"}
"""What says where numbers are from.  An ADC's `kind` decides which of its other fields are legal."""
WHOLE = {"device", "quirks", "lumps", "adc.steps", "area.fixed"}
"""Parts that are there or not; each has tests of its own, and its fields are among these."""


def networks() -> tuple[Network, Network]:
    """Convolutions, pooling, depthwise beside identity, linear; and its first two convolutions alone."""
    bits = {"padding": (1, 1), "weight_bits": 4}
    populations = (
        Population("in", (12, 8, 8), Neuron("input")), Population("a", (20, 8, 8), Neuron()),
        Population("b", (24, 4, 4), Neuron()), Population("dw", (24, 4, 4), Neuron()),
        Population("c", (10, 1, 1), Neuron()),
    )  # fmt: skip
    projections = (
        Projection("in_a", "in", "a", "conv", (3, 3), **bits),  # type: ignore[arg-type]
        Projection("a_b", "a", "b", "conv", (3, 3), pool=Pool("or", (2, 2), (2, 2)), **bits),  # type: ignore[arg-type]
        Projection("b_dw", "b", "dw", "depthwise", (3, 3), **bits),  # type: ignore[arg-type]
        Projection("same", "b", "dw", "one_to_one", weight_bits=4),
        Projection("dw_c", "dw", "c", "linear", weight_bits=4),
    )
    return Network("all", populations, projections), Network("convolutions", populations[:3], projections[:2])


def leaves(part: BaseModel, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """(path, value) of every field below a part of a description."""
    for name in type(part).model_fields:
        value = getattr(part, name)
        if isinstance(value, BaseModel) and not isinstance(value, Constant):
            yield from leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def others(path: str, value: Any) -> list[str]:
    """Other values of a field."""
    for name, words in WORDS.items():
        if path == name or path.endswith("." + name):
            return [word for word in words if word != value]
    if isinstance(value, bool):
        return [str(not value).lower()]
    if isinstance(value, Constant):
        return [repr(value.value * 2 + 1)]
    if isinstance(value, int):
        return [str(value * 2 + 1), str(max(1, value // 2))] if value else ["3001", "1"]
    return [repr(value * 1.5)] if isinstance(value, float) else []


def figures(hardware: Hardware, network: Network, density: float) -> dict[str, Any]:
    """All figures of a run; not what it ran on, nor on which grades its energy rests (an override changes those)."""
    summary = simulate(hardware, network, bernoulli_trace(network, 3, density, seed=1)).summary()
    energy = {key: value for key, value in summary["energy_pj"].items() if key != "by_grade"}
    return {**{k: v for k, v in summary.items() if k not in ("hardware", "mapping")}, "energy_pj": energy}


@pytest.mark.slow
def test_every_field_changes_a_figure() -> None:
    everything, convolutions = networks()
    found: dict[str, bool] = {}
    for chip, settings in CHIPS.items():
        name = chip.split()[0]
        network = convolutions if name.endswith("ela") else everything
        given = [f"cim.{setting}" for setting in settings]
        hardware = load_hardware(name, given)
        before = {density: figures(hardware, network, density) for density in (0.02, 0.3)}
        for path, value in leaves(hardware.units["cim"]):
            if path in LABELS | WHOLE or path.rsplit(".", 1)[-1] in ("source", "grade") or found.get(path):
                continue
            found[path] = False
            for other in others(path, value):
                try:
                    changed = load_hardware(name, [*given, f"cim.{path}={other}"])
                    found[path] = any(figures(changed, network, d) != before[d] for d in before)
                except InputError:
                    continue  # this value does not go together with the others
                if found[path]:
                    break
    assert len(found) > 120
    assert [path for path, changes in found.items() if not changes] == []


DEVICES: dict[str, tuple[str, ...]] = {
    "model=wan2022_1day": (),
    "seconds=1e6": ("model=cmo_hfox_2pct", "seconds=10"),
    "on_off_ratio=5": ("off_current=kept", "on_off_ratio=100"),
    "off_current=kept": ("on_off_ratio=5",),
    "sigma_relative=0.2": (),
    "sigma_levels=0.4": (),
    "stuck_off=0.1": (),
    "stuck_on=0.1": (),
    "read_noise=0.2": (),
    "ir_drop.wire_ohm=32": (),
    "ir_drop.bitline=3": ("ir_drop.wire_ohm=8",),
    "ir_drop.wordline=3": ("ir_drop.wire_ohm=8",),
    "adc_range=calibrated": (),
    "adc_percentile=70": ("adc_range=calibrated",),
    "calibration_samples=1": ("adc_range=calibrated", "adc_percentile=100"),
}
"""Setting of a device -> settings under which it matters."""


@pytest.mark.parametrize("setting", DEVICES)
def test_every_field_of_a_device_changes_what_converters_see(setting: str) -> None:
    network, recorded = load_network("digits"), first_samples(load_trace("digits"), 2)
    inputs = replace(recorded, populations={name: recorded.populations[name] for name in network.inputs})

    def seen(*settings: str) -> Any:
        given = ["cim.adc.bits=3", "cim.device={}", *(f"cim.device.{s}" for s in settings)]
        hardware = load_hardware("cim_rram65", given)
        plan = check_crossbars(place(network, hardware), network, hardware)
        return run_on_crossbars(network, inputs, hardware.units["cim"], plan, 0).facts

    assert seen(*DEVICES[setting], setting) != seen(*DEVICES[setting])


def test_every_field_of_a_device_is_among_them() -> None:
    assert {name.split("=")[0].split(".")[0] for name in DEVICES} == set(Device.model_fields)
