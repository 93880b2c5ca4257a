"""Pictures: axes say what they show in which unit, bars and images hold the record's figures, files are whole."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PolyCollection
from matplotlib.colors import to_rgb

from simulator.errors import InputError
from simulator.record import Record
from simulator.report.plots import PLOTS, draw_plot, drawable, intervals, write_plots
from simulator.report.plots import timeline as timeline_plot
from simulator.report.plots.style import COLOURS
from tests.unit.small_record import UNITS, small_record

LABELS = {
    "timeline": ("time (ns)", "unit"),
    "energy": ("energy (nJ)", "unit"),
    "movement": ("operand", "memory level and direction"),
    "traffic": ("data moved (kbit)", "memory level and direction"),
    "flow": ("", ""),
    "bandwidth": ("", "dram\n(Gbit/s)"),
    "raster": ("", "neuron (channel-last index)"),
    "roofline": (
        "operations executed per byte of main memory (op/B)",
        "operations executed per second of computing (GOPS)",
    ),
}


def test_every_picture_is_tried() -> None:
    """Those of crossbar tiles need such a chip: `test_report_tiles.py`."""
    assert set(PLOTS) == LABELS.keys() | {"tiles", "codes"}


def many_intervals(n: int = 6000) -> Record:
    """The core alternates: one cycle of work for conv, then one stalled cycle."""
    record = small_record()
    columns = {
        "start": np.arange(n, dtype=np.int64), "duration": np.ones(n, np.int64),
        "unit": np.full(n, UNITS.index("core"), np.uint16), "kind": (np.arange(n) % 2).astype(np.uint8),
        "ref": np.ones(n, np.int32),
    }
    return dataclasses.replace(record, timeline=columns, end_ps=n * 2000, trace={**record.trace, "samples": 1})


@pytest.mark.parametrize("name", LABELS)
def test_axes_are_labelled_with_units(name: str) -> None:
    axes = draw_plot(small_record(), name).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == LABELS[name]
    assert "net" in axes.get_title("left") + axes.get_title()


@pytest.mark.parametrize("name", LABELS)
def test_files_are_whole_and_their_bytes_do_not_vary(tmp_path: Path, name: str) -> None:
    first = write_plots(small_record(), tmp_path / "a", [name])
    assert [p.name for p in first] == [f"{name}.png", f"{name}.svg"]
    assert sorted(p.name for p in (tmp_path / "a").iterdir()) == sorted(p.name for p in first)
    assert first[0].read_bytes().startswith(b"\x89PNG") and first[0].read_bytes().endswith(b"IEND\xaeB`\x82")
    assert first[1].read_text().rstrip().endswith("</svg>")
    second = write_plots(small_record(), tmp_path / "b", [name])
    assert [p.read_bytes() for p in first] == [p.read_bytes() for p in second]


def bars(record: Record) -> dict[tuple[int, str], list[tuple[float, float]]]:
    """(row, "work" or hatch) -> spans along x of the timeline's bars."""
    found: dict[tuple[int, str], list[tuple[float, float]]] = {}
    for collection in draw_plot(record, "timeline").axes[0].collections:
        assert isinstance(collection, PolyCollection)
        for path in collection.get_paths():
            box = path.get_extents()
            row = round((box.y0 + box.y1) / 2)
            found.setdefault((row, collection.get_hatch() or "work"), []).append((box.x0, box.x1))
    return found


def test_few_intervals_are_bars_with_stalls_hatched() -> None:
    found = bars(small_record())
    core, dma, dram = (UNITS.index(name) for name in ("core", "dma", "dram"))
    # a core cycle takes 2 ns, a memory cycle 2.5 ns
    assert np.allclose(found[core, "work"], [(30.0, 120.0), (140.0, 190.0)])
    assert np.allclose(found[dram, "work"], [(0.0, 80.0)])
    stalls = [spans for (row, hatch), spans in found.items() if row == dma and hatch != "work"]
    assert np.allclose(sorted(stalls), [[(100.0, 124.0)], [(124.0, 160.0)]]), "two causes have two hatches"


def test_layers_differ_in_colour_and_the_legend_names_them() -> None:
    figure = draw_plot(small_record(), "timeline")
    shades = [c.get_facecolor() for c in figure.axes[0].collections if not c.get_hatch()]
    colours = {tuple(np.round(row[:3], 3)) for rows in shades for row in rows}
    assert colours == {tuple(np.round(to_rgb(c), 3)) for c in COLOURS[:2]}
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:2] == ["conv", "fc"] and "stall: weight_load" in names and "stall: memory" in names


def test_many_intervals_are_an_image_whose_colours_mix_by_share() -> None:
    figure = draw_plot(many_intervals(), "timeline")
    assert not figure.axes[0].collections
    image = next(i.get_array() for i in figure.axes[0].images if i.get_array().ndim == 3)
    work = 1.0 - np.array(to_rgb(COLOURS[0]))
    stall = 1.0 - np.array(to_rgb(timeline_plot.STALL_COLOURS[0]))
    # 1,200 bins over 6,000 cycles: five cycles per bin, three of one kind and two of the other in turn
    assert np.allclose(image[UNITS.index("core"), 0], 1.0 - 0.6 * work - 0.4 * stall)
    assert np.allclose(image[UNITS.index("core"), 1], 1.0 - 0.4 * work - 0.6 * stall)
    assert np.allclose(image[UNITS.index("host")], 1.0)


def test_an_image_does_not_depend_on_the_chunks_it_is_read_in(monkeypatch: pytest.MonkeyPatch) -> None:
    def pixels() -> np.ndarray:
        images = draw_plot(many_intervals(), "timeline").axes[0].images
        return next(i.get_array() for i in images if i.get_array().ndim == 3)

    whole = pixels()
    monkeypatch.setattr(intervals, "CHUNK", 777)
    assert np.allclose(pixels(), whole)


def test_a_unit_without_intervals_shows_its_busy_bins() -> None:
    axes = draw_plot(small_record(), "timeline").axes[0]
    rows = sorted(round(sum(image.get_extent()[2:]) / 2) for image in axes.images)
    assert rows == [UNITS.index(name) for name in ("host", "weight", "state", "spikes")]


def test_a_window_shows_its_intervals_one_by_one() -> None:
    axes = timeline_plot.draw(many_intervals(), (2000, 42_000)).axes[0]
    assert sum(len(c.get_paths()) for c in axes.collections) == 20
    assert axes.get_xlim() == pytest.approx((2.0, 42.0))


def test_long_runs_of_several_samples_get_a_second_panel() -> None:
    record = many_intervals()
    ends = np.array([40_000, 80_000, 12_000_000], np.int64)
    record = dataclasses.replace(record, trace={**record.trace, "samples": 3}, sample_end_ps=ends)
    _, second = draw_plot(record, "timeline").axes
    assert second.get_xlim() == pytest.approx((0.0, 80.0)), "the first two samples"
    assert sum(len(c.get_paths()) for c in second.collections) == 40


def test_without_a_timeline_the_busy_bins_are_shown() -> None:
    record = small_record(timeline=False)
    axes = draw_plot(record, "timeline").axes[0]
    shares = [image.get_array() for image in axes.images]
    assert len(shares) == len(UNITS)
    assert np.allclose(shares[UNITS.index("core")], record.busy[UNITS.index("core")] / 25)
    assert axes.images[UNITS.index("dram")].get_extent()[1] == pytest.approx(200.0), "80 cycles of 2.5 ns"


def test_energy_bars_add_up_per_unit() -> None:
    record = small_record()
    axes = draw_plot(record, "energy").axes[0]
    shown = [label.get_text() for label in axes.get_yticklabels()]
    assert shown == list(UNITS)
    for row, unit in enumerate(shown):
        width = sum(p.get_width() for p in axes.patches if round(p.get_y() + p.get_height() / 2) == row)
        assert width == pytest.approx(record.energy.by_unit[unit] / 1000), unit
    assert "53 % published" in axes.get_title("left")


def test_a_thirteenth_action_joins_the_others() -> None:
    record = small_record()
    actions = [name for name in record.energy.by_action if not name.startswith("static")]
    names = [text.get_text() for text in draw_plot(record, "energy").legends[0].get_texts()]
    assert len(actions) > 2 * len(COLOURS) and "other actions" in names
    assert len(names) == 2 * len(COLOURS) - 1 + 1 + 2


def test_movement_cells_hold_bytes() -> None:
    axes = draw_plot(small_record(), "movement").axes[0]
    rows = [label.get_text() for label in axes.get_yticklabels()]
    columns = [label.get_text() for label in axes.get_xticklabels()]
    cells = {(rows[round(t.get_position()[1])], columns[round(t.get_position()[0])]): t.get_text() for t in axes.texts}
    assert cells["dram  read", "weight"] == "384 B"
    assert cells["state  write", "partial sum"] == "800 B"
    assert cells["dram  read", "state"] == "–"
    assert "weight  overfetch" not in rows, "nothing was over-fetched there"


def test_the_raster_holds_every_spike_and_their_rate() -> None:
    dots, histogram = draw_plot(small_record(), "raster").axes
    assert dots.collections[0].get_offsets().tolist() == [[0, 3], [2, 7], [4, 3]]
    assert [bar.get_height() for bar in histogram.patches] == [1, 0, 1, 0, 1, 0]
    assert "timestep (3 per sample" in histogram.get_xlabel()
    assert histogram.get_ylabel() == "spikes\nper step"


def test_roofline_points_are_operations_per_byte_and_second() -> None:
    axes = draw_plot(small_record(), "roofline").axes[0]
    points = {c.get_label(): c.get_offsets()[0].tolist() for c in axes.collections}
    assert points["conv"] == pytest.approx([400 / ((1024 + 512) / 8), 400 / 140e-9 / 1e9])
    assert points["fc"] == pytest.approx([60 / ((2048 + 48) / 8), 60 / 70e-9 / 1e9])
    line = np.asarray(axes.lines[0].get_xydata())
    bandwidth = 512 / 8 / 4 * 400e6
    assert line[1] == pytest.approx([4e9 / bandwidth, 4.0])
    assert "above the slope" not in axes.get_title("left")


def test_roofline_explains_points_above_the_slope() -> None:
    record = small_record()
    quick = dataclasses.replace(record, layer_busy_ps=record.layer_busy_ps // 1000)
    assert "above the slope" in draw_plot(quick, "roofline").axes[0].get_title("left")


def test_pictures_a_record_does_not_allow(tmp_path: Path) -> None:
    record = dataclasses.replace(small_record(), outputs={})
    assert not drawable(record, "raster") and drawable(record, "energy")
    with pytest.raises(InputError, match="no output spikes"):
        draw_plot(record, "raster")
    with pytest.raises(InputError, match="raster: the record holds no output spikes"):
        write_plots(record, tmp_path, ["raster"])
    assert [p.name for p in write_plots(record, tmp_path, ["raster", "energy"], ["png"])] == ["energy.png"]
    with pytest.raises(InputError, match=r"unknown plot.*did you mean 'energy'"):
        draw_plot(record, "enrgy")


def test_settings_of_the_caller_stay(tmp_path: Path) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    write_plots(small_record(), tmp_path, ["energy"], ["png"])
    assert dict(matplotlib.rcParams) == before
