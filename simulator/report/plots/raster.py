"""Output spikes: neuron over time, with the rate of all neurons below."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from simulator.record import Output, Record
from simulator.report.plots.style import COLOURS, GREY, figure, styled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLE = "output spikes"
MAX_SAMPLES = 32
MAX_DOTS = 200_000


def missing(record: Record) -> str | None:
    """Why the picture cannot be drawn, or None."""
    if not record.outputs:
        return "the record holds no output spikes"
    return None if any(o.step_start.shape[1] > 1 for o in record.outputs.values()) else "no timestep was recorded"


def draw(record: Record) -> Figure:
    """The first samples (at most 32), one behind the other; populations stand above each other."""
    outputs = {name: o for name, o in record.outputs.items() if o.step_start.shape[1] > 1}
    samples = min(MAX_SAMPLES, *(o.step_start.shape[0] for o in outputs.values()))
    steps = max(o.step_start.shape[1] - 1 for o in outputs.values())
    sizes = record.network.get("neurons_by_layer") or {}
    rate = np.zeros(samples * steps)
    with styled():
        made, (dots, histogram) = figure(9.5, 4.6, rows=2, ratios=(3, 1))
        offset = 0
        for i, (name, output) in enumerate(outputs.items()):
            time, neuron, weight = _flatten(output, samples, steps)
            np.add.at(rate, time, weight)
            keep = slice(None) if time.size <= MAX_DOTS else slice(None, None, -(-time.size // MAX_DOTS))
            size = int(sizes.get(name, neuron.max(initial=0) + 1))
            mark = float(np.clip(2000 / max(samples * steps, size), 1.0, 30.0))
            dots.scatter(time[keep], offset + neuron[keep], s=mark, color=COLOURS[i % len(COLOURS)], linewidths=0,
                         label=name, rasterized=time.size > 2000)
            offset += size
        for sample in range(samples + 1):
            for axes in (dots, histogram):
                axes.axvline(sample * steps - 0.5, color=GREY, linewidth=0.4)
        shown = "" if samples == record.samples else f", first {samples} of {record.samples} samples"
        names = f" of {next(iter(outputs))}" if len(outputs) == 1 else ""
        dots.set_title(f"{record.network['name']}: output spikes{names}{shown}")
        dots.set_ylabel("neuron (channel-last index)")
        dots.set_ylim(-0.5, offset - 0.5)
        dots.yaxis.get_major_locator().set_params(integer=True)
        histogram.bar(np.arange(rate.size), rate, 1.0, color=GREY)
        histogram.set_ylabel("spikes\nper step")
        histogram.set_xlabel(f"timestep ({steps} per sample; grey lines part the samples)")
        histogram.set_xlim(-0.5, samples * steps - 0.5)
        if len(outputs) > 1:
            made.legend(loc="outside lower center", ncols=4, title="population")
    return made


def _flatten(output: Output, samples: int, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Global timestep, neuron index and spike count (|value|) of every entry of the first samples."""
    starts = output.step_start[:samples]
    counts = np.diff(starts, axis=1)
    time = np.repeat(np.arange(samples)[:, None] * steps + np.arange(counts.shape[1]), counts.reshape(-1))
    first, last = int(starts[0, 0]), int(starts[-1, -1])
    weight = np.ones(last - first) if output.value is None else np.abs(output.value[first:last])
    return time, output.index[first:last].astype(np.int64), weight
