"""Pictures of crossbar chips hold the record's figures: timelines of layers and tiles, busy tiles, converter codes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from simulator import load_hardware, load_trace, simulate
from simulator.functional.crossbar import first_samples
from simulator.network import load_network
from simulator.record import Record, Track
from simulator.report.plots import draw_plot, drawable, intervals, timeline, write_plots
from simulator.report.plots.style import COLOURS, UNATTRIBUTED_COLOUR
from simulator.trace.synthetic import bernoulli_trace
from tests.unit.small_record import small_record


def run(chip: str, samples: int = 1, steps: int = 1, **options: bool) -> Record:
    net = load_network("digits")
    return simulate(load_hardware(chip), net, bernoulli_trace(net, steps, 0.1, samples=samples), **options)


@pytest.fixture(scope="module")
def record() -> Record:
    return run("cim_rram65", timeline=True)


@pytest.fixture(scope="module")
def picture(record: Record) -> Figure:
    return draw_plot(record, "timeline")


def labels(made: Figure, panel: int) -> list[str]:
    return [text.get_text() for text in made.axes[panel].get_yticklabels()]


def test_layers_have_rows_below_their_unit_and_tiles_a_panel(record: Record, picture: Figure) -> None:
    assert labels(picture, 0) == ["host", "cim", *record.named_layers]
    assert labels(picture, 1) == [str(n) for n in range(record.built["cim"]["tiles"])]
    assert [axes.get_ylabel() for axes in picture.axes] == ["unit and its layers", "tile"]
    assert [axes.get_xlabel() for axes in picture.axes] == ["time (µs)"] * 2
    for axes in picture.axes:
        assert axes.get_xlim() == pytest.approx((0.0, record.end_ps * 1e-6))


def test_bars_of_a_layer_are_its_intervals_in_its_colour(record: Record, picture: Figure) -> None:
    table = record.timeline
    assert table is not None
    period = 1e6 / record.hardware.clock_hz("cim")  # us
    first = len(record.units)
    for n in range(len(record.named_layers)):
        mine = table["unit"] == first + n
        low = 2 + n - 0.4
        found = [c for c in picture.axes[0].collections if abs(c.get_paths()[0].get_extents().ymin - low) < 1e-9]
        assert len(found) == 1 and found[0].get_snap() is False
        spans = [path.get_extents() for path in found[0].get_paths()]
        assert np.allclose([box.x0 for box in spans], table["start"][mine] * period)
        assert np.allclose([box.width for box in spans], table["duration"][mine] * period)
        assert {tuple(colour[:3]) for colour in found[0].get_facecolor()} == {to_rgb(COLOURS[n])}


def test_rows_of_tiles_are_as_dark_as_the_tiles_were_busy(record: Record, picture: Figure) -> None:
    (image,) = picture.axes[1].get_images()
    pixels = np.asarray(image.get_array())
    found = record.work["tiles"]["cim"]
    cycles = record.end_ps * record.hardware.clock_hz("cim") / 1e12
    for row, (busy, names) in enumerate(zip(found["busy_cycles"], found["layers"], strict=True)):
        hue = COLOURS[record.named_layers.index(names[0])] if len(names) == 1 else UNATTRIBUTED_COLOUR
        missing = (1.0 - pixels[row]).mean(axis=0)
        assert np.allclose(missing, (1.0 - np.array(to_rgb(hue))) * busy / cycles, atol=1e-9)
        assert busy > 0


def test_the_legend_says_what_the_units_own_bar_means(picture: Figure) -> None:
    texts = [text.get_text() for text in picture.legends[0].get_texts()]
    assert texts[0] == "several layers or none"


def test_tiles_that_layers_share_wear_no_layers_colour() -> None:
    net = load_network("digits")
    hardware = load_hardware("cim_rram65", ["cim.tile_sharing=true", "cim.pes_per_tile=64"])
    record = simulate(hardware, net, bernoulli_trace(net, 1, 0.1), timeline=True)
    assert any(len(names) > 1 for names in record.work["tiles"]["cim"]["layers"])
    (image,) = draw_plot(record, "timeline").axes[1].get_images()
    row = next(i for i, names in enumerate(record.work["tiles"]["cim"]["layers"]) if len(names) > 1)
    missing = (1.0 - np.asarray(image.get_array())[row]).sum(axis=0)
    hue = 1.0 - np.array(to_rgb(UNATTRIBUTED_COLOUR))
    assert missing[2] > 0 and np.allclose(missing / missing[2], hue / hue[2])


def test_several_samples_show_the_tiles_of_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    record = run("cim_rram65", samples=3, timeline=True)
    monkeypatch.setattr(timeline, "MAX_BARS", 100)
    made = timeline.draw(record)
    assert len(made.axes) == 3
    assert made.axes[2].get_xlim()[1] == pytest.approx(int(record.sample_end_ps[1]) * 1e-6)
    assert made.axes[2].get_title("left").startswith("part of the run: tiles at work")


def test_rows_of_a_unit_stand_between_it_and_the_next() -> None:
    record = small_record()
    first, second, *others = record.units
    tracks = tuple(Track(*names) for names in (
        (second, "layer", "fc"), (first, "layer", "conv"), (first, "tile", "0"), (second, "tile", "0"),
        (first, "tile", "1"),
    ))  # fmt: skip
    record = dataclasses.replace(record, tracks=tracks)
    layers, tiles = intervals.unit_rows(record), intervals.tile_rows(record)
    assert layers.names == (first, "conv", second, "fc", *others)
    assert layers.place.tolist() == [0, 2, *range(4, 4 + len(others)), 3, 1, -1, -1, -1]
    assert tiles.names == (f"{first} 0", f"{second} 0", f"{first} 1")
    assert tiles.place.tolist() == [-1] * (len(record.units) + 2) + [0, 1, 2]


def test_without_a_timeline_units_only() -> None:
    made = draw_plot(run("cim_rram65"), "timeline")
    assert labels(made, 0) == ["host", "cim"] and made.axes[0].get_ylabel() == "unit"


def test_bars_are_the_busy_share_of_each_tile_in_its_layers_colour(record: Record) -> None:
    axes = draw_plot(record, "tiles").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("tile", "busy (% of the run)")
    found, cycles = record.work["tiles"]["cim"], record.cycles["cim"].cycles
    assert np.allclose([bar.get_height() for bar in axes.patches], 100 * np.array(found["busy_cycles"]) / cycles)
    hues = [COLOURS[record.named_layers.index(names[0])] for names in found["layers"]]
    assert [tuple(bar.get_facecolor()[:3]) for bar in axes.patches] == [to_rgb(hue) for hue in hues]
    (line,) = axes.get_lines()
    assert line.get_ydata()[0] == pytest.approx(100 * np.mean(found["busy_cycles"]) / cycles)


def test_shared_and_empty_tiles_wear_no_layers_colour(record: Record) -> None:
    one, two = record.named_layers[:2]
    tiles = {"cim": {"busy_cycles": [5, 6, 0], "layers": [[one, two], [two], []]}}
    made = draw_plot(dataclasses.replace(record, work={**record.work, "tiles": tiles}), "tiles")
    hues = [tuple(bar.get_facecolor()[:3]) for bar in made.axes[0].patches]
    assert hues[:2] == [to_rgb(UNATTRIBUTED_COLOUR), to_rgb(COLOURS[1])] and hues[2] not in map(to_rgb, COLOURS)
    assert [text.get_text() for text in made.legends[0].get_texts()] == [two, "several layers"]


def test_codes_are_shares_of_the_conversions_of_each_layer() -> None:
    trace = first_samples(load_trace("digits"), 1)
    hardware = load_hardware("cim_rram65", ["cim.device={}"])
    record = simulate(hardware, load_network("digits"), trace)
    axes = draw_plot(record, "codes").axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("code of the converter", "share of the layer's conversions")
    assert len(axes.patches) == len(record.named_layers) and axes.get_yscale() == "log"
    for n, (steps, layer) in enumerate(zip(axes.patches, record.named_layers, strict=True)):
        facts = record.work["crossbar"][layer]
        values, edges, _ = steps.get_data()
        assert np.allclose(values * facts["conversions"], facts["codes"]) and values.sum() == pytest.approx(1.0)
        assert edges[0] == facts["lowest_code"] - 0.5
        assert edges[1] - edges[0] == facts["codes_per_bin"]
        assert to_rgb(steps.get_edgecolor()[:3]) == to_rgb(COLOURS[n])


def test_clipped_sums_stand_in_the_legend(record: Record) -> None:
    one = record.named_layers[0]
    facts = {"codes": [3, 1], "codes_per_bin": 2, "lowest_code": -4, "conversions": 4, "adc_clip_high": 1}
    made = draw_plot(dataclasses.replace(record, work={**record.work, "crossbar": {one: facts}}), "codes")
    assert [text.get_text() for text in made.legends[0].get_texts()] == [f"{one}: 25.00 % clipped"]
    assert made.axes[0].patches[0].get_data().edges.tolist() == [-4.5, -2.5, -0.5]


def test_pictures_that_a_run_does_not_allow(record: Record, tmp_path: Path) -> None:
    assert drawable(record, "tiles") and not drawable(record, "codes"), "no weights in real cells"
    paths = write_plots(record, tmp_path, ["tiles", "codes"], ["png"])
    assert [path.name for path in paths] == ["tiles.png"]
    assert not drawable(run("event_core_28nm"), "tiles") and not drawable(run("event_core_28nm"), "codes")


@pytest.mark.parametrize("tiles,lines,widths", [(20, 19, {2.0}), (40, 39, {0.5}), (61, 0, set())])
def test_rows_are_parted_while_there_is_room(tiles: int, lines: int, widths: set[float]) -> None:
    record = small_record()
    table = {name: np.append(column, 0).astype(column.dtype) for name, column in (record.timeline or {}).items()}
    table["unit"][-1], table["duration"][-1] = len(record.units), 1
    tracks = tuple(Track(record.units[0], "tile", str(n)) for n in range(tiles))
    drawn = draw_plot(dataclasses.replace(record, timeline=table, tracks=tracks), "timeline").axes[1].get_lines()
    assert len(drawn) == lines and {line.get_linewidth() for line in drawn} == widths
