"""Recordings as cases: the spikes are those of the files, and every layer that a file lists is there."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from simulator.costmodel.case import Case
from simulator.costmodel.observe import observe
from simulator.costmodel.recorded import recording, recordings
from simulator.costmodel.suite import load_suite
from simulator.errors import InputError

pytestmark = pytest.mark.external
KINDS = ("prosperity", "pilotnet", "nmnist", "loihi")


def test_layers_have_the_listed_shape_and_density(data_dir: Path) -> None:
    """All layers of spikes of both files, against the table beside them."""
    with open(data_dir / "layer_traces" / "prosperity_layers.csv", encoding="utf-8") as file:
        listed = [row for row in csv.DictReader(file) if row["is_spike_tensor"] == "1"]
    assert len(listed) > 20
    for row in listed:
        found = recording(f"recorded/prosperity/{Path(row['file']).stem}/{row['layer']}", str(data_dir))
        steps, *shape = (int(n) for n in row["shape"].split("x"))
        population = found.network.population("input")
        assert population.shape == (tuple(shape) if len(shape) == 3 else (*shape, 1, 1))
        assert found.spikes.steps.tolist() == [steps]
        count = found.spikes.spikes("input").count
        assert count == int(row["nonzero"]) and f"{count / steps / population.size:.6f}" == row["density"]


def test_neurons_are_numbered_channel_last(data_dir: Path) -> None:
    """Every spike of the file at (t, c, y, x) is neuron (y W + x) C + c of timestep t."""
    with np.load(data_dir / "layer_traces" / "prosperity_vgg9_cifar10.npz", allow_pickle=False) as file:
        shape = tuple(file["conv2d_4__shape"].tolist())
        t, c, y, x = np.nonzero(np.unpackbits(file["conv2d_4"], count=int(np.prod(shape))).reshape(shape))
    block = recording("recorded/prosperity/prosperity_vgg9_cifar10/conv2d_4", str(data_dir)).spikes.spikes("input")
    for step in range(shape[0]):
        here = t == step
        expected = np.sort((y[here] * shape[3] + x[here]) * shape[1] + c[here])
        assert np.array_equal(block.block(0, step, step + 1).index, expected)


def test_what_a_layer_sends_is_what_the_next_one_reads(data_dir: Path) -> None:
    """Where nothing lies between; behind a pooling, drawn spikes pool to about the recorded density."""
    vgg = "recorded/prosperity/prosperity_vgg9_cifar10"
    one, two = (recording(f"{vgg}/{name}", str(data_dir)).spikes for name in ("conv2d_2", "conv2d_3"))
    for step in range(4):
        mine, theirs = one.spikes("conv2d_2").block(0, step, step + 1), two.spikes("input").block(0, step, step + 1)
        assert np.array_equal(mine.index, theirs.index)
    pooled = recording(f"{vgg}/conv2d_1", str(data_dir))
    sent = np.zeros((4, 32, 32, 64), bool)
    block = pooled.spikes.spikes("conv2d_1").block(0, 0, 4)
    for step in range(4):
        sent[step].reshape(-1)[block.step(step)[0]] = True
    density = float(sent.reshape(4, 16, 2, 16, 2, 64).any(axis=(2, 4)).mean())
    assert density == pytest.approx(0.185577, rel=0.02)  # of conv2d_2's input; 65536 draws: 0.8 %


def test_the_chain_holds_recorded_spikes_only(data_dir: Path) -> None:
    """17 convolutions, three shortcuts and four identities; each population sends what the next convolution reads."""
    name = "recorded/prosperity/prosperity_resnet19_cifar10"
    found = recording(f"{name}/chain", str(data_dir))
    assert len(found.network.layers) == 15
    kinds = [p.kind for p in found.network.projections]
    assert kinds.count("one_to_one") == 4 and sum(p.kernel == (1, 1) and p.kind == "conv"
                                                  for p in found.network.projections) == 3  # fmt: skip
    for projection in found.network.projections:
        if projection.kernel != (3, 3):
            continue
        alone = recording(f"{name}/{projection.target}", str(data_dir)).spikes
        chained = found.spikes.spikes(projection.source).block(0, 0, 4)
        assert np.array_equal(alone.spikes("input").block(0, 0, 4).index, chained.index)


def test_every_recording_is_found_and_cut_to_its_timesteps(data_dir: Path) -> None:
    left_out: list[tuple[str, str]] = []
    names = dict(recordings(KINDS, str(data_dir), left_out))
    assert not left_out and len(names) == 7 + 22 + 1 + 8 + 1
    pilot = Case("t", "p", "recorded", "sia_pynqz2", steps=5, network="recorded/pilotnet/all", directory=str(data_dir))
    assert pilot.prepare().trace.steps.tolist() == [5]
    chip = recording("recorded/loihi/250_25_1", str(data_dir))
    assert chip.spikes.spikes("input").block(0, 0, 40).index.size == 0  # silent at first
    assert chip.trace(0, 40).spikes("input").block(0, 0, 1).index.size > 0
    full = chip.spikes
    assert full.spikes("fc1").count == 639 + int(full.spikes("fc1").block(0, 499, 500).index.size)  # the last, unseen


def test_counts_of_a_recording_fit_what_its_input_stores(data_dir: Path) -> None:
    """Events of a pixel in a millisecond are added up, so that a wordline must carry more than one bit."""
    case = Case("t", "n", "recorded", "cim_spikesim64", steps=40, network="recorded/nmnist/scnn/60001",
                directory=str(data_dir))  # fmt: skip
    seen = observe(case)
    ready = case.prepare()
    values = ready.trace.spikes("input").block(0, 0, 40).value
    bits = ready.network.population("input").neuron.stored_bits
    assert values is not None and 1 < int(values.max()) < 2**bits and seen.simulated.end_ps > 0


@pytest.mark.parametrize("chip", ["sia_pynqz2", "event_core_28nm", "cim_spikesim64", "stems_meta1m_lpddr4"])
def test_the_suite_fits_the_chips(data_dir: Path, chip: str) -> None:
    suite = load_suite("recorded", chip, str(data_dir))
    assert {case.kind for case in suite.cases} == {"recorded"} and len(suite.cases) >= 30
    assert {"prosperity_vgg9_cifar10", "prosperity_resnet19_cifar10"} <= set(suite.architectures)
    steps = {case.architecture: case.steps for case in suite.cases}
    assert steps["prosperity_vgg9_cifar10"] == 4 and steps["nmnist_scnn"] == 40


def test_wrong_names_name_the_choices(data_dir: Path) -> None:
    for name, message in (
        ("prosperity/prosperity_vgg9_cifar1/fc_0", "did you mean 'prosperity_vgg9_cifar10'"),
        ("prosperity/prosperity_vgg9_cifar10/fc_9", "did you mean 'fc_"),
        ("pilotnet/some", "allowed: all"),
        ("nmnist/mlq/60001", "did you mean 'mlp'"),
        ("nmnist/mlp/1", "unknown recording"),
        ("loihi/1", "allowed: 250_25_1"),
    ):
        with pytest.raises(InputError, match=message):
            recording(f"recorded/{name}", str(data_dir))
