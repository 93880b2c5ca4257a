"""Devices: the published numbers come out of the models, and programmed cells follow them."""

from __future__ import annotations

import numpy as np
import pytest

from simulator.errors import InputError
from simulator.functional.crossbar_cells import generator, off_levels, program_cells
from simulator.hardware.cim.device import DEVICE_MODELS, Device, IrDrop

POINTS = np.array([0.0, 5.0, 10.0, 20.0, 30.0, 40.0])
WAN = {  # standard deviations in uS at POINTS, and their rms over a uniform conductance
    "wan2022_1s": ([0.35, 1.75, 2.26, 2.02, 1.53, 1.10], 1.78),
    "wan2022_1day": ([0.70, 2.76, 3.72, 3.91, 3.37, 2.65], 3.37),
    "wan2022_2days": ([0.78, 2.71, 3.66, 3.93, 3.37, 2.68], 3.37),
}


def device(model: str, **more) -> Device:
    return Device(model=model, seconds=1.0 if DEVICE_MODELS[model].drifts else None, **more)


@pytest.mark.parametrize("name", WAN)
def test_wan_spread(name: str) -> None:
    """Fits of aihwkit's reram.py, within half a unit of the last printed digit."""
    sigma, rms = WAN[name]
    assert np.abs(device(name).spread(POINTS) - sigma).max() < 0.0051
    g = np.linspace(0, 40, 100_001)
    assert abs(np.sqrt((device(name).spread(g) ** 2).mean()) - rms) < 0.0051


@pytest.mark.parametrize(("name", "steps"), [("wan2022_1s", [0.045, 0.134, 0.312, 0.669]),
                                             ("wan2022_1day", [0.084, 0.253, 0.590, 1.26])])  # fmt: skip
def test_spread_in_weight_steps(name: str, steps: list[float]) -> None:
    """rms sigma / (40 uS / (2^bits - 1)), 1 .. 4 bits per cell, as tabulated (4 bits: from an rms of 3 digits)."""
    g = np.linspace(0, 40, 100_001)
    rms = np.sqrt((device(name).spread(g) ** 2).mean())
    for bits, expected in enumerate(steps, 1):
        assert rms / (40 / (2**bits - 1)) == pytest.approx(expected, abs=0.006 if bits == 4 else 0.001)


def test_other_published_spreads() -> None:
    assert np.abs(device("wan2022_cubic").spread(POINTS) - [1.05, 1.97, 2.41, 2.36, 1.82, 1.71]).max() < 0.0051
    assert device("milo2021").spread(np.array([50.0, 225.0])) == pytest.approx([4.32665, 2.732925])
    assert device("cmo_hfox_2pct").spread(np.array([50.0])) == pytest.approx([0.01122 + 0.01129 * 50])
    assert device("cmo_hfox_0.2pct").spread(np.array([50.0])) == pytest.approx([0.00081 + 0.00107 * 50])
    assert device("mnsim").spread(np.array([100.0])) == pytest.approx([1.0])


@pytest.mark.parametrize("name", ["wan2022_1day", "milo2021", "mnsim"])
@pytest.mark.parametrize("level", [1, 3])
def test_programmed_cells_spread_as_the_model_says(name: str, level: int) -> None:
    """40 000 cells: mean and standard deviation within five standard errors (no cell reaches 0 at these levels)."""
    n, one = 40_000, device(name, stuck_on=0.0, stuck_off=0.0)
    low, high = one.range_us
    step = (high - low) / 3
    target = low + level * step
    g = program_cells(np.full(n, level), 2, one, generator(1, 1)).conductance * step
    sigma = float(one.spread(np.array([target]))[0])
    assert abs(g.mean() - target) < 5 * sigma / n**0.5
    assert abs(g.std() - sigma) < 5 * sigma / (2 * n) ** 0.5


@pytest.mark.parametrize("seconds", [1.0, 3600.0, 1e6])
def test_drift_shifts_and_widens(seconds: float) -> None:
    """CMO/HfOx: mean -.0890 ln t, standard deviation .4118 + .0420 ln t on top of programming, uS."""
    n, one = 40_000, Device(model="cmo_hfox_2pct", seconds=seconds)
    g = program_cells(np.full(n, 1), 2, one, generator(2, 1)).conductance * 80 / 3  # 10 .. 90 uS in three steps
    target, log = 10 + 80 / 3, np.log(seconds)
    sigma = np.hypot(0.01122 + 0.01129 * target, 0.4118 + 0.0420 * log)
    assert abs(g.mean() - (target - 0.0890 * log)) < 5 * sigma / n**0.5
    assert abs(g.std() - sigma) < 5 * sigma / (2 * n) ** 0.5


def test_stuck_cells() -> None:
    """Shares within five standard errors, and only they lie at the ends of the range."""
    n = 100_000
    cells = program_cells(np.full(n, 1), 2, Device(stuck_off=0.02, stuck_on=0.05), generator(3, 1)).conductance
    for level, share in ((0.0, 0.02), (3.0, 0.05)):
        assert abs((cells == level).mean() - share) < 5 * (share / n) ** 0.5
    assert set(np.unique(cells)) == {0.0, 1.0, 3.0}
    model = program_cells(np.full(n, 1), 1, device("mnsim"), generator(3, 1)).conductance
    assert abs((model == off_levels(device("mnsim"), 1)).mean() - 0.001) < 5 * (0.001 / n) ** 0.5


def test_reads_vary_by_their_share_of_the_conductance() -> None:
    """Variance in levels^2: (share * g)^2; the logarithmic law of CMO/HfOx at 1 hour."""
    cells = program_cells(np.array([0, 1, 3]), 2, Device(read_noise=0.1), generator(4, 1))
    assert cells.variance == pytest.approx([0.0, 0.01, 0.09])
    one = Device(model="cmo_hfox_0.2pct", seconds=3600.0)
    g, variance = program_cells(np.array([2]), 2, one, generator(4, 1))
    sigma = 0.0277 * np.log10(g * 80 / 3) * np.sqrt(np.log((3600 + 1e-6) / 2e-6))
    assert np.sqrt(variance) * 80 / 3 == pytest.approx(sigma)
    assert not Device().noisy_reads and device("wan2022_1s").noisy_reads


def test_off_current_in_levels() -> None:
    """g_min / step = L / (ratio - 1)."""
    assert off_levels(Device(), 2) == 0.0
    assert off_levels(Device(on_off_ratio=4.0), 2) == pytest.approx(1.0)
    assert off_levels(device("milo2021"), 4) == pytest.approx(15 * 50 / 175)
    assert program_cells(np.array([0, 3]), 2, Device(on_off_ratio=4.0), generator(5, 1)).conductance == pytest.approx(
        [1.0, 4.0]
    )


def test_one_seed_gives_the_same_cells_and_compares_effects_on_them() -> None:
    levels = np.arange(4000) % 4
    a, b = (program_cells(levels, 2, device("wan2022_1s"), generator(7, 1, 2)).conductance for _ in range(2))
    other = program_cells(levels, 2, device("wan2022_1s"), generator(7, 1, 3)).conductance
    assert np.array_equal(a, b) and not np.array_equal(a, other)
    half, full = (
        program_cells(levels, 2, Device(sigma_levels=s), generator(7, 1)).conductance - levels for s in (0.01, 0.02)
    )
    inside = levels > 0  # level 0 cannot fall below no conductance
    assert np.allclose(2 * half[inside], full[inside])


def mesh_currents(conductance: np.ndarray, active: list[int], ohm: float) -> np.ndarray:
    """Column currents at 1 V of a crosspoint mesh by nodal analysis: drivers at column 0, amplifiers at row 0.

    Nodes: one of the row wire and one of the column wire per cell; inactive rows carry no current.
    """
    rows, columns = conductance.shape
    here = {(r, c): i for i, (r, c) in enumerate((r, c) for r in active for c in range(columns))}
    size = len(here)
    nodes = size + rows * columns
    matrix, right = np.zeros((nodes, nodes)), np.zeros(nodes)

    def join(a: int, b: int, siemens: float) -> None:
        matrix[a, a] += siemens
        matrix[b, b] += siemens
        matrix[a, b] -= siemens
        matrix[b, a] -= siemens

    for (r, c), node in here.items():
        join(node, size + r * columns + c, conductance[r, c])
        if c:
            join(node, here[r, c - 1], 1 / ohm)
        else:  # an ideal source, by a conductance far above all others
            matrix[node, node] += 1e6
            right[node] += 1e6
    for r in range(rows):
        for c in range(columns):
            node = size + r * columns + c
            if r:
                join(node, node - columns, 1 / ohm)
            else:
                matrix[node, node] += 1e6
    return np.linalg.solve(matrix, right)[size : size + columns] * 1e6


@pytest.mark.parametrize("active", [[8], [2, 6, 10, 14], list(range(16))])
@pytest.mark.parametrize("ohm", [1.0, 10.0])
def test_wires_attenuate_as_the_mesh_does(active: list[int], ohm: float) -> None:
    """The closed form keeps within 8 % of the loss that Kirchhoff's laws give, at losses up to a tenth."""
    siemens, place = 40e-6, np.arange(16)
    drop = IrDrop(wire_ohm=ohm)
    current = mesh_currents(np.full((16, 16), siemens), active, ohm)
    loss = 1 - current / (siemens * len(active))
    model = 1 - 1 / (1 + drop.bitline_drop(siemens, 16) * len(active) + drop.wordline_drop(siemens, place, 16))
    assert 0 < loss[1:].max() < 0.12
    assert np.abs(model - loss).max() < 0.08 * loss.max()


@pytest.mark.parametrize(
    ("fields", "key", "text"),
    [
        ({"model": "wan2202_1s"}, "device.model", "wan2022_1s"),
        ({"model": "cmo_hfox_2pct"}, "device.seconds", "drifts"),
        ({"seconds": 5.0}, "device.seconds", "no law of drift"),
        ({"stuck_off": 0.6, "stuck_on": 0.6}, "device.stuck_off", "stuck"),
    ],
)
def test_what_does_not_go_together(fields: dict, key: str, text: str) -> None:
    with pytest.raises(InputError) as error:
        Device(**fields)
    assert error.value.key == key and text in str(error.value)


def test_every_model_says_where_it_comes_from() -> None:
    for name, model in DEVICE_MODELS.items():
        assert model.source and 0 <= model.g_min_us < model.g_max_us, name
        assert device(name).ideal == (name == "ideal")
