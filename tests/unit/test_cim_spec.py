"""The CIM tile's description: what loads, what a name stands for, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.energy import check_same_timing
from simulator.errors import InputError
from simulator.hardware import Hardware, json_schema, load_hardware
from simulator.hardware.cim.prices import ACTIONS
from simulator.hardware.cim.quirks import FLAGS, QUIRKS, SETS
from simulator.hardware.document import parse_document
from simulator.hardware.library import library_entries
from simulator.hardware.specs.cim_tile import CimTile
from simulator.resources import list_resources
from tests.unit.schema_checker import complaints

CHIPS = [name for name in list_resources("hwconfigs") if name.startswith("cim_")]
BLOCKS = sorted(library_entries("adc_blocks"))


def chip(*overrides: str, name: str = "cim_spikesim64") -> Hardware:
    return load_hardware(name, overrides)


def tile(*overrides: str, name: str = "cim_spikesim64") -> CimTile:
    spec = chip(*overrides, name=name).unit("cim")
    assert isinstance(spec, CimTile)
    return spec


def test_the_chips_that_ship() -> None:
    assert CHIPS == [
        "cim_isaac32", "cim_neurosim22", "cim_neurosim32", "cim_neurosim65", "cim_neurram130", "cim_rram65",
        "cim_spikesim64", "cim_spikesim64_ela"]  # fmt: skip
    assert "adc_blocks" not in list_resources("hwconfigs")
    for name in CHIPS:
        spec = tile(name=name)
        for action in ACTIONS:
            priced = not (action.verb.startswith("lump_") or action.price.startswith("adc.steps"))
            assert (spec.price_of(action) is not None) or not priced, (name, action.name)
    assert tile().price_of(ACTIONS[-1]) is None
    assert tile(name="cim_spikesim64_ela").price_of(ACTIONS[-1]) is not None


@pytest.mark.parametrize("name", CHIPS)
def test_a_price_of_zero_says_why(name: str) -> None:
    """Included in another price, outside the source, or not stated: never just a zero from the data sheet."""
    for field, constant in tile(name=name).constants().items():
        if "_energy_pj" in field and constant.value == 0:
            assert re.search(r"\b(included in|not|no|none|outside)\b", constant.source), (field, constant.source)


def test_rows_in_parallel_are_all_rows_unless_stated() -> None:
    own = "cim.crossbar.kernel_merge=private"
    assert tile(own).crossbar.rows_parallel == 64
    assert tile(own, "cim.crossbar.rows=32").crossbar.rows_parallel == 32
    assert tile(own, "cim.crossbar.rows_parallel=8").crossbar.rows_parallel == 8


def test_joined_bit_lines_hold_the_rows_of_all_their_arrays() -> None:
    assert tile().crossbar.kernel_merge == "analog"
    assert tile().crossbar.rows_parallel >= 9 * 64
    assert tile("cim.crossbar.rows_parallel=100").crossbar.rows_parallel == 100


def test_converters_of_a_bank_and_mux_steps() -> None:
    assert tile().bank_adcs == 8 and tile().crossbar.mux_steps(64) == 8 and tile().crossbar.mux_steps(9) == 2
    assert tile("cim.crossbar.columns=60").bank_adcs == 8
    assert tile(name="cim_isaac32").bank_adcs == 1


def test_analog_times_are_whole_cycles_rounded_up() -> None:
    spec = tile()
    assert [spec.cycles(ps, 250_000_000) for ps in (0, 1, 4000, 4001, 8000)] == [0, 1, 1, 2, 2]
    isaac, clock = tile(name="cim_isaac32"), chip(name="cim_isaac32").clock_hz("cim")
    assert isaac.cycles(isaac.timing.read_ps, clock) == 128 and isaac.cycles(isaac.convert_ps(), clock) == 1
    neurosim = tile(name="cim_neurosim65")
    assert neurosim.cycles(neurosim.convert_ps(), chip(name="cim_neurosim65").clock_hz("cim")) == 1


def test_the_reconstruction_of_spikesim_s_26_clocks() -> None:
    """Word lines, eight times (mux, read, convert), shift-add; without the zero test, which the estimator lacks."""
    spec, hz = tile("cim.crossbar.zero_skip=none"), chip().clock_hz("cim")
    t = spec.timing
    step = sum(spec.cycles(ps, hz) for ps in (t.mux_ps, t.read_ps, spec.convert_ps()))
    once = spec.check_cycles + spec.cycles(t.wordline_ps, hz) + t.shift_add_cycles
    assert once + spec.crossbar.mux_steps(64) * step == 26 == t.pe_cycle_clocks


def test_conversion_time_is_the_block_s_or_the_unit_s() -> None:
    assert tile().convert_ps() == 4000
    assert tile("cim.adc=survey65_4b").convert_ps() == 10_000
    sar = tile("cim.adc=sar_neurosim65_8b", "cim.adc.early_stop=true")
    assert [sar.convert_ps(bits) for bits in (1, 4, 8, 9)] == [2000, 5000, 9000, 9000]


def test_zero_test_and_skipping_that_take_effect() -> None:
    assert tile().check_cycles == 1 and tile("cim.crossbar.zero_skip=none").check_cycles == 0
    assert tile("cim.crossbar.zero_skip=array").zero_skip == "pe"
    assert tile("cim.crossbar.zero_skip=array", "cim.crossbar.kernel_merge=mux").zero_skip == "array"


@pytest.mark.parametrize("name", BLOCKS)
def test_every_converter_can_be_named(name: str) -> None:
    adc = tile(f"cim.adc={name}").adc
    assert adc.name == name and adc.area_um2.value > 0 and adc.source and adc.grade
    assert tile(f"cim.adc={name}", "cim.adc.bits=5").adc.bits == 5


@pytest.mark.parametrize(
    ("name", "e0_fj", "e1_fj", "um2"),
    [  # rounded figures of the closed form's own table
        ("sar_neurosim65_4b", 204.2, 0.667, 921), ("sar_neurosim65_5b", 267.6, 0.800, 1084),
        ("sar_neurosim65_6b", 338.4, 0.934, 1248), ("sar_neurosim65_8b", 502.6, 1.201, 1575),
        ("sar_neurosim32_4b", 67.1, 0.405, 223), ("sar_neurosim32_5b", 87.3, 0.486, 263),
        ("sar_neurosim32_6b", 109.7, 0.567, 303), ("sar_neurosim32_8b", 161.4, 0.729, 382),
        ("sar_neurosim22_4b", 32.6, 0.398, 105), ("sar_neurosim22_5b", 42.4, 0.477, 124),
        ("sar_neurosim22_6b", 53.2, 0.557, 143), ("sar_neurosim22_8b", 78.1, 0.716, 181),
    ],
)  # fmt: skip
def test_sar_prices_are_the_closed_form(name: str, e0_fj: float, e1_fj: float, um2: float) -> None:
    adc = tile(f"cim.adc={name}").adc
    assert adc.convert_energy_pj.value * 1e3 == pytest.approx(e0_fj, abs=0.06)
    assert adc.conductance_energy_pj_per_milli_us.value * 1e6 == pytest.approx(e1_fj, abs=0.0006)
    assert adc.idle_convert_energy_pj.value * 1e3 == pytest.approx(adc.bits + 1)
    assert adc.area_um2.value == um2


@pytest.mark.parametrize(
    ("name", "ohm", "fj"),
    [  # exact values of the tool for one resistance of the column; the split is within 1.3 % of them
        ("sar_neurosim65_4b", 20e3, 237.5), ("sar_neurosim65_5b", 100e3, 275.6), ("sar_neurosim65_5b", 6.25e3, 395.4),
        ("sar_neurosim65_8b", 3e3, 902.3), ("sar_neurosim32_4b", 3e3, 204.8), ("sar_neurosim32_8b", 20e3, 198.8),
        ("sar_neurosim22_4b", 6.25e3, 96.2), ("sar_neurosim22_8b", 3e3, 316.5),
    ],
)  # fmt: skip
def test_sar_prices_meet_the_tool_s_values(name: str, ohm: float, fj: float) -> None:
    adc = tile(f"cim.adc={name}").adc
    pj = adc.convert_energy_pj.value + adc.conductance_energy_pj_per_milli_us.value * 1e9 / ohm
    assert pj * 1e3 == pytest.approx(fj, rel=0.013)


def test_cells_are_priced_once() -> None:
    """A converter whose prices hold the cells' current replaces the unit's price of a read."""
    read = CimTile.action("read:cell")
    for block, expected in (("sar_neurosim65_5b", 0.0), ("mlsa_neurosim65_4b", 0.0002531), ("survey65_4b", 0.0141428)):
        price = tile(f"cim.adc={block}", name="cim_neurosim65").price_of(read)
        assert price is not None and price.value == pytest.approx(expected)


def test_prices_per_vector_that_follow_a_quirk() -> None:
    """Sub: 1.15e-6 as printed, 1.15 as meant; H-tree: 157.12 pJ for 8 elements, or in proportion."""

    def pj(action: str, without: str = "", *overrides: str) -> float:
        flags = ",".join(flag for flag in SETS["spikesim_ela"] if flag != without)
        spec = tile(f"cim.quirks=[{flags}]", *overrides, name="cim_spikesim64_ela")
        price = spec.price_of(CimTile.action(action))
        assert price is not None
        return price.value

    assert pj("lump_sub:column") == 1.15e-6 and pj("lump_sub:column", "sub_unit_slip") == 1.15
    assert pj("lump_htree:vector") == pj("lump_htree:vector", "htree_fixed_8") == 157.12
    assert pj("lump_htree:vector", "", "cim.pes_per_tile=4") == 157.12
    assert pj("lump_htree:vector", "htree_fixed_8", "cim.pes_per_tile=4") == 78.56


def test_an_area_is_an_energy_with_its_quirk_only() -> None:
    sram = ("cim.lumps.crossbar_step_energy_pj=671.089", "cim.area.fixed.crossbar_um2=671.089")
    assert tile(*sram, name="cim_spikesim64_ela").lumps is not None
    flags = ",".join(flag for flag in SETS["spikesim_ela"] if flag != "sram_energy_is_area")
    with pytest.raises(InputError, match=r"lumps\.crossbar_step_energy_pj: one number serves as the energy"):
        tile(*sram, f"cim.quirks=[{flags}]", name="cim_spikesim64_ela")


def test_mean_conductance_is_an_integer_of_milli_microsiemens() -> None:
    """Mid level of 100 k and 1.7 M ohm, 25 k in series: 4.68 uS."""
    assert tile(name="cim_neurosim65").cell.mean_milli_us == 4675


def test_quirk_names_stand_for_flags() -> None:
    assert [q.id for q in QUIRKS[:22]] == [f"Q{i}" for i in range(1, 23)]
    assert len(set(FLAGS)) == len(FLAGS) and all(q.does and q.instead and q.affects for q in QUIRKS)
    assert tile(name="cim_spikesim64_ela").quirks == FLAGS[:22] == SETS["spikesim_ela"]
    assert set(SETS["spikingjelly"]) <= set(FLAGS) and "patch_events" in SETS["spikingjelly"]
    assert tile("cim.quirks=tiles_shared").quirks == ("tiles_shared",)
    assert tile("cim.quirks=[tiles_shared, post_pool_dims]").quirks == ("post_pool_dims", "tiles_shared")
    assert tile("cim.quirks=[]").quirks == ()
    assert tile("cim.quirks=spikingjelly", name="cim_spikesim64_ela").quirks == SETS["spikingjelly"]


def test_quirks_are_described_in_the_schema() -> None:
    field = json_schema()["$defs"]["cim_tile"]["properties"]["quirks"]
    assert "spikesim_ela" in field["anyOf"][0]["enum"]


@pytest.mark.parametrize(
    ("overrides", "parts"),
    [
        (["cim.adc=sar_neurosim65_5"], ["cim.adc: unknown name in adc_blocks", "did you mean 'sar_neurosim65_5b'?"]),
        (["cim.adc.bit=5"], ["unknown key", "did you mean 'bits'?"]),
        (["cim.adc=5"], ["cim.adc", "found 5"]),
        (["cim.quirks=spikesim_elo"], ["cim.quirks: unknown quirk", "did you mean 'spikesim_ela'?"]),
        (["cim.quirks=[fixed_pe_cycles]"], ["unknown quirk", "did you mean 'fixed_pe_cycle'?"]),
        (["cim.quirks=3"], ["cim.quirks: wrong value", "found 3"]),
        (["cim.quirks=[3]"], ["unknown quirk", "found 3"]),
        (["cim.quirks=lumps_per_pe_cycle"], ["cim.lumps", "needs prices per vector", "lumps absent"]),
        (["cim.crossbar.kernel_merge=mux", "cim.crossbar.rows_parallel=65"], ["crossbar.rows_parallel", "at most 64"]),
        (["cim.crossbar.mux_ratio=65"], ["crossbar.mux_ratio", "found 65", "at most 64"]),
        (["cim.crossbar.rows=33", "cim.crossbar.signed=differential_rows"], ["crossbar.rows", "an even number"]),
        (["cim.crossbar.sample_hold=true", "cim.crossbar.redrive_per_mux_step=true"], ["redrive_per_mux_step"]),
        (["cim.crossbar.signed=two"], ["crossbar.signed", "found 'two'"]),
        (["cim.crossbar.cell_bits=9"], ["crossbar.cell_bits", "found 9", "less than or equal to 8"]),
        (["cim.adc.early_stop=true"], ["adc.early_stop", "kind: flash", "allowed: sar"]),
        (
            ["cim.adc=sar_neurosim65_5b", "cim.adc.early_stop=true", "cim.crossbar.sample_hold=true"],
            ["adc.early_stop", "sample_hold"],
        ),
        (["cim.timing.convert_ps=null"], ["timing.convert_ps", "states no conversion time"]),
        (["cim.adc.kind=integrate_steps"], ["adc.steps", "steps absent"]),
        (["cim.adc=steps_neurram130", "cim.adc.kind=sar"], ["adc.steps", "steps present"]),
        (["cim.cell.on_ohm=1e9"], ["cell.on_ohm", "below 100000000.0"]),
        (["cim.arrays_per_pe=kernels"], ["arrays_per_pe", "found 'kernels'", "kernel or a positive integer"]),
        (["cim.arrays_per_pe=0"], ["arrays_per_pe", "found 0"]),
        (["cim.prices.drive_row_energy_pj=-1"], ["prices.drive_row_energy_pj", "found -1"]),
        (["cim.price.drive_row_energy_pj=1"], ["unknown key", "did you mean 'prices'?"]),
        (["cim.area.fixed=null", "cim.quirks=xbar_area_fixed"], ["area.fixed", "xbar_area_fixed"]),
        (["cim.timing.pe_cycle_clocks=null", "cim.quirks=fixed_pe_cycle"], ["timing.pe_cycle_clocks"]),
        (["cim.area.layout_overhead=0.5"], ["area.layout_overhead", "greater than or equal to 1"]),
    ],
)
def test_what_does_not_fit_is_refused_in_one_message(overrides: list[str], parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        chip(*overrides)
    message = str(caught.value)
    assert "\n" not in message
    for part in parts:
        assert part in message, f"{part!r} is not in {message!r}"


def test_lumped_prices_need_their_quirk() -> None:
    with pytest.raises(InputError, match="legal with the quirk lumps_per_pe_cycle only"):
        tile("cim.quirks=[]", name="cim_spikesim64_ela")
    assert tile("cim.quirks=[]", "cim.lumps=null", name="cim_spikesim64_ela").lumps is None


def test_a_group_may_state_source_and_grade_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(
        "extends: cim_spikesim64\nname: own\nsource: the file\ngrade: measured\nunits:\n  cim:\n    source: the unit\n"
        "    grade: assumed\n    area: {source: a ruler, grade: derived, cell_um2: 1,\n"
        "           row_um2: {value: 2, grade: measured}}\n"
        "    prices: {drive_row_energy_pj: 3}\n"
    )
    spec = load_hardware(path).unit("cim").constants()
    assert spec["area.cell_um2"].model_dump() == {"value": 1, "source": "a ruler", "grade": "derived"}
    assert spec["area.row_um2"].model_dump() == {"value": 2, "source": "a ruler", "grade": "measured"}
    assert spec["prices.drive_row_energy_pj"].model_dump() == {"value": 3, "source": "the unit", "grade": "assumed"}
    assert spec["area.bit_um2"].grade == "published"
    path.write_text(path.read_text().replace("grade: derived", "grade: derivd"))
    with pytest.raises(InputError, match=r"units\.cim\.area\.grade: unknown grade.*did you mean 'derived'"):
        load_hardware(path)


BLOCK = (
    "{name: mine, kind: sar, bits: 3, time_ps: 10, cell_current: excluded, source: mine, grade: assumed, "
    "convert_energy_pj: 1, idle_convert_energy_pj: 1, conductance_energy_pj_per_milli_us: 0, read_cell_energy_pj: 0, "
    "area_um2: 1, leakage_nw: 0}"
)


def test_a_whole_block_may_stand_in_place_of_a_name(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(f"extends: cim_spikesim64\nname: own\nunits:\n  cim:\n    adc: {BLOCK}\n")
    assert load_hardware(path).unit("cim").model_dump()["adc"]["name"] == "mine"


def test_the_schema_takes_names_and_blocks_and_refuses_neither_s_mistakes() -> None:
    schema = json_schema()

    def wrong(text: str) -> list[str]:
        return complaints(parse_document(text, "f").plain(), schema["$defs"]["cim_tile"]["properties"]["adc"], schema)

    assert not wrong("sar_isaac32_8b") and not wrong(BLOCK)
    assert wrong("3") and wrong("{kind: sar}")


def test_prices_change_without_a_new_run_and_times_do_not() -> None:
    base = chip(name="cim_neurosim65")
    for change in ("cim.prices.drive_row_energy_pj=1", "cim.area.cell_um2=1", "cim.leakage.row_nw=1",
                   "cim.adc.convert_energy_pj=1", "cim.adc.name=other", "cim.power_gating=true"):  # fmt: skip
        check_same_timing(base, chip(change, name="cim_neurosim65"))
    for change in ("cim.adc.bits=6", "cim.adc=survey65_5b", "cim.crossbar.rows_parallel=8", "cim.cell.on_ohm=1e4"):
        with pytest.raises(InputError, match="changes timing"):
            check_same_timing(base, chip(change, name="cim_neurosim65"))
