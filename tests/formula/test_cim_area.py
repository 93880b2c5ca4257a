"""Area and leakage of CIM tiles: SpikeSim's published formula and figures, and the contract's form term by term."""

from __future__ import annotations

import math

import pytest

from simulator.hardware import load_hardware
from simulator.hardware.specs.cim_tile import CimTile

CIN = (3, 64, 64, 128, 128, 256, 256)
COUT = (64, 64, 128, 128, 256, 256, 256)
IN_SIDE = (32, 32, 16, 16, 8, 8, 8)
OUT_SIDE = (32, 16, 16, 8, 8, 8, 4)
"""VGG9's convolutions as SpikeSim lists them: map sides after pooling."""


def tile(*overrides: str, chip: str = "cim_spikesim64_ela") -> CimTile:
    spec = load_hardware(chip, overrides).unit("cim")
    assert isinstance(spec, CimTile)
    return spec


def vgg9(spec: CimTile, kernel: int = 3) -> dict[str, int]:
    """What VGG9 builds, by the estimator's own rule: ceil(Cin/X) ceil(Cout/X) elements of k^2 arrays per layer."""
    x, per_tile = spec.crossbar, spec.pes_per_tile
    used = sum(math.ceil(i / x.rows) * math.ceil(o / x.columns) for i, o in zip(CIN, COUT, strict=True))
    tiles = math.ceil(used / per_tile)
    neurons = [o * side**2 for o, side in zip(COUT, OUT_SIDE, strict=True)]
    return {
        "tiles": tiles,
        "pes": tiles * per_tile,
        "arrays": tiles * per_tile * kernel**2,
        "adcs": tiles * per_tile * x.bank_adcs,
        "used_pes": used,
        "used_arrays": used * kernel**2,
        "neurons": sum(neurons),
        "first_neurons": sum(neurons[:5]),
        "source_neurons": sum(i * side**2 for i, side in zip(CIN, IN_SIDE, strict=True)),
    }


def size(x: int) -> tuple[str, str]:
    return f"cim.crossbar.rows={x}", f"cim.crossbar.columns={x}"


GOLDENS = [
    ("X = 32", size(32), 3, 190, 24, 17310819.530856),
    ("X = 64", (), 3, 48, 6, 8425528.755833998),
    ("X = 128", size(128), 3, 14, 2, 6347938.740158),
    ("X = 64, P = 4", ("cim.pes_per_tile=4",), 3, 48, 12, 11710472.782068),
    ("X = 64, sram", ("cim.area.fixed.crossbar_um2=671.089",), 3, 48, 6, 8704114.583034),
    ("X = 64, k = 1", (), 1, 48, 6, 8415462.426234),
    ("X = 64, k = 5", (), 5, 48, 6, 8445661.415034),
]


@pytest.mark.parametrize(("name", "overrides", "kernel", "pes", "tiles", "um2"), GOLDENS, ids=[g[0] for g in GOLDENS])
def test_spikesim_areas_come_out(
    name: str, overrides: tuple[str, ...], kernel: int, pes: int, tiles: int, um2: float
) -> None:
    spec = tile(*overrides)
    built = vgg9(spec, kernel)
    assert (built["used_pes"], built["tiles"]) == (pes, tiles)
    found = spec.built_area_um2(built)
    assert math.fsum(found.values()) == pytest.approx(um2, rel=1e-12, abs=0)


@pytest.mark.parametrize(("x", "um2"), [(32, 12465540.094), (64, 3580249.319), (128, 1502659.303)])
def test_spikesim_area_parts_come_out(x: int, um2: float) -> None:
    spec = tile(*size(x))
    found = spec.built_area_um2(vgg9(spec))
    assert round(found["input_memory"], 3) == 2580818.944
    assert round(found["membrane_memory"], 3) == 2264460.493
    tiles = math.fsum(v for name, v in found.items() if name not in ("input_memory", "membrane_memory"))
    assert round(tiles, 3) == um2


@pytest.mark.parametrize(
    ("flag", "component", "um2"),
    [
        ("xbar_area_fixed", "crossbar", 2 * 8 * 9 * 128 * 128 * 0.0064),
        ("htree_fixed_8", "htree", 4 * 4 * 54207.5),
        ("sub_area_x8_temp_area_1", "subtract", 2 * 8 * 16 * 13411.41498),
        ("sub_area_x8_temp_area_1", "psum_buffer", 2 * 8 * 16 * 484.643999),
        ("full_tiles", "adc", 14 * 16 * 693.633),
        ("input_mem_22bit", "input_memory", 158720 * 0.7391),
        ("neuron_mem_first5", "membrane_memory", 159744 * 22 * 0.7391),
    ],
)
def test_each_area_quirk_can_be_switched_off(flag: str, component: str, um2: float) -> None:
    """X = 128: two tiles of eight elements (four of four for the H-tree), 14 of them used, 16 converters each."""
    shape = (*size(128), f"cim.pes_per_tile={4 if flag == 'htree_fixed_8' else 8}")
    on = tile(*shape)
    without = [name for name in on.quirks if name != flag]
    off = tile(*shape, f"cim.quirks=[{','.join(without)}]")
    before, after = on.built_area_um2(vgg9(on)), off.built_area_um2(vgg9(off))
    assert before[component] != pytest.approx(um2, rel=1e-9)
    assert after[component] == pytest.approx(um2, rel=1e-12)


def test_the_contract_s_form_term_by_term() -> None:
    spec = tile("cim.area.layout_overhead=1.25", "cim.crossbar.mux_ratio=16", chip="cim_neurosim65")
    built = vgg9(spec)
    found = spec.built_area_um2(built)
    arrays = 48 * 9
    expected = {
        "crossbar": arrays * 64 * 64 * 0.2028,
        "row_driver": arrays * 1052,
        "column": arrays * 968.5,
        "adc": arrays * 4 * 1084,  # a bank per array: kernel_merge private
        "shift_add": arrays * 4 * 8 * (12.14 + 10.79),
        "subtract": arrays * 4 * 8 * 12.14,
        "psum_buffer": arrays * 4 * 16 * 10.79,
        "accumulate": 6 * 64 * 16 * (12.14 + 10.79),
        "lif": 6 * 64 * 22 * (12.14 + 10.79),
        "buffer": 6 * 8192 * 0.592,
        "membrane_memory": built["neurons"] * 22 * 0.592,
        "input_memory": 158720 * 0.592,
    }
    expected["layout"] = 0.25 * sum(expected.values())
    for name, um2 in expected.items():
        assert found[name] == pytest.approx(um2, rel=1e-12), name
    assert {name for name, um2 in found.items() if um2} == expected.keys()


def test_leakage_by_component_follows_what_is_built() -> None:
    spec = tile("cim.adc=mlsa_neurosim65_4b", chip="cim_neurosim65")
    found = spec.built_leakage_mw(vgg9(spec))
    arrays = 48 * 9
    assert found["leakage_row_driver"].value == pytest.approx(arrays * 38.3e-6)
    assert found["leakage_column"].value == pytest.approx(arrays * 41.1e-6)
    assert found["leakage_adc"].value == pytest.approx(arrays * 27.9e-6)
    assert found["leakage_adc"].grade == "derived"
    assert tile().built_leakage_mw(vgg9(tile())) == {}


def test_gated_elements_keep_their_area_and_do_not_leak() -> None:
    plain = tile("cim.tiles=7", chip="cim_neurosim65")
    gated = tile("cim.tiles=7", "cim.power_gating=true", chip="cim_neurosim65")
    built = vgg9(plain) | {"tiles": 7, "pes": 56, "arrays": 56 * 9, "adcs": 56 * 9 * 8}
    assert plain.built_area_um2(built) == gated.built_area_um2(built)
    leaks = [spec.built_leakage_mw(built)["leakage_row_driver"].value for spec in (plain, gated)]
    assert leaks == pytest.approx([56 * 9 * 38.3e-6, 48 * 9 * 38.3e-6])


def test_a_core_of_neurram_has_its_published_area() -> None:
    spec = tile(chip="cim_neurram130")
    built = dict.fromkeys(vgg9(spec), 48) | {"adcs": 48 * 256, "neurons": 0}
    parts = spec.built_area_um2(built)
    total = math.fsum(parts.values())
    assert total / 48 == pytest.approx(1270 * 256 / 0.28, rel=1e-6)
    assert parts["crossbar"] / total == pytest.approx(0.12, rel=1e-5)
    assert parts["row_driver"] / total == pytest.approx(0.21, rel=1e-5)
    assert (parts["adc"] + parts["mux"] + parts["shift_add"]) / total == pytest.approx(0.28, rel=1e-5)
