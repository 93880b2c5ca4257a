"""Makes the bundled example: a small spiking network for handwritten digits, and its spikes on 100 test images.

    python traces/make_digits.py                                       trains, then writes both files (about 30 s)
    python traces/make_digits.py --from-weights traces/digits.net.h5   remakes the trace from the stored network

Needs scikit-learn, and torch for training: `pip install "neurocycle[train]"`.  The first form remakes both files byte
for byte on the same class of machine (torch on one thread, seeded; the versions stand in the network's choices); the
second form is integers from end to end and gives the same spikes everywhere.

Data: the 1797 images of scikit-learn's `load_digits`, 8 x 8 pixels, grey levels 0..16.
Split: of each class, in the data set's order, every fourth image (positions 3, 7, 11, ...) is a test image: 445 test
and 1352 training images.  The trace holds the first 10 test images of each class, in the data set's order.
Input: every pixel is an integrate-and-fire neuron that starts at 8, adds its grey level in each of T = 8 steps, spikes
at 16 or more and then subtracts 16.  Level g gives floor((g + 1) / 2) spikes, spread evenly.
Network: conv1 16 x 8 x 8, conv2 32 x 8 x 8, conv3 32 x 4 x 4 (conv2 and conv1 pooled, the latter over a 1 x 1
shortcut), fc1 64, out 10; IF neurons, reset by subtraction, one integer threshold and bias per channel, int8 weights.
Readout: the class with most output spikes over all steps, ties to the lowest class.
Accuracy of the int8 spiking network on the 445 test images: 98.20 % (437); traces/README.md has the table.
"""

from __future__ import annotations

import argparse
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]  # a script beside the package: works in a source tree without installing

from digits_oracle import reference_spikes  # noqa: E402

from simulator.errors import InputError  # noqa: E402
from simulator.functional import run_network  # noqa: E402
from simulator.network import Network, Neuron, Pool, Population, Projection  # noqa: E402
from simulator.network.file import read_network, write_network  # noqa: E402
from simulator.trace import MemorySpikes, Trace  # noqa: E402
from simulator.trace.file import write_trace  # noqa: E402

if TYPE_CHECKING:
    from digits_train import Quantised

T = 8
FULL = 16
RECORDED_PER_CLASS = 10
MEMBRANE_BITS = 16
SHAPES = {"conv1": (16, 8, 8), "conv2": (32, 8, 8), "conv3": (32, 4, 4), "fc1": (64, 1, 1), "out": (10, 1, 1)}
MINIMUM_ACCURACY = 0.965


def load_images() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Grey levels int64 [1797, 8, 8], labels int64 [1797], and bool [1797]: True for test images."""
    from sklearn.datasets import load_digits

    data = load_digits()
    labels = data.target.astype(np.int64)
    test = np.zeros(labels.size, bool)
    for digit in range(10):
        test[np.flatnonzero(labels == digit)[3::4]] = True
    return data.images.astype(np.int64), labels, test


def encode(images: np.ndarray) -> np.ndarray:
    """Spikes uint8 [B, T, 1, 8, 8] of grey levels int64 [B, 8, 8] in 0..16."""
    v = np.full(images.shape, FULL // 2)
    spikes = np.zeros((len(images), T, 1, 8, 8), np.uint8)
    for t in range(T):
        v = v + images
        spikes[:, t, 0] = v >= FULL
        v = v - FULL * (v >= FULL)
    return spikes


def recorded(labels: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Indices int64 [100] of the recorded images: the first 10 test images of each class, in the data set's order."""
    chosen = [np.flatnonzero(test & (labels == digit))[:RECORDED_PER_CLASS] for digit in range(10)]
    return np.sort(np.concatenate(chosen))


def classify(output: np.ndarray) -> np.ndarray:
    """Class int64 [B] of output spikes [B, T, 10, 1, 1]: most spikes, ties to the lowest class."""
    return output.sum(axis=1, dtype=np.int64).reshape(len(output), -1).argmax(axis=1)


def build_network(q: Quantised, choices: dict[str, Any]) -> Network:
    """The network of quantised parameters."""
    pool = Pool("sum", (2, 2), (2, 2))

    def conv(name: str, source: str, target: str, size: int, pool: Pool | None = None) -> Projection:
        kernel, padding = (size, size), (size // 2, size // 2)
        return Projection(name, source, target, "conv", kernel, padding=padding, pool=pool, weights=q.weights[name])

    def neurons(name: str) -> Neuron:
        values = {"threshold": q.threshold[name], "bias": q.bias[name], "initial": q.initial[name]}
        return Neuron(**values, membrane_bits=MEMBRANE_BITS)

    layers = [Population(name, shape, neurons(name)) for name, shape in SHAPES.items()]
    return Network(
        name="digits",
        populations=(Population("input", (1, 8, 8), Neuron(model="input")), *layers),
        projections=(
            conv("conv1", "input", "conv1", 3),
            conv("conv2", "conv1", "conv2", 3),
            conv("conv3", "conv2", "conv3", 3, pool),
            conv("short", "conv1", "conv3", 1, pool),
            Projection("fc1", "conv3", "fc1", "linear", pool=pool, weights=q.weights["fc1"]),
            Projection("out", "fc1", "out", "linear", weights=q.weights["out"]),
        ),
        source="traces/make_digits.py: trained on scikit-learn's digits with quantised activations (QCFS, L = T = 8)",
        choices=choices,
    )


def train_network() -> Network:
    """Trains, quantises and measures; the accuracies on the test split stand in the network's choices."""
    import digits_train

    images, labels, test = load_images()
    spikes = encode(images)
    counts = spikes.sum(axis=(1, 2), dtype=np.uint8)
    correct = {}
    for name, quantised in (("relu_ann", False), ("qcfs_ann", True)):
        ann = digits_train.train(counts[~test], labels[~test], quantised)
        correct[name] = digits_train.correct(ann, counts[test], labels[test])
    q = digits_train.quantise(ann)
    output = reference_spikes(build_network(q, {}), spikes[test])["out"]
    correct["int8_snn"] = int((classify(output) == labels[test]).sum())
    choices: dict[str, Any] = {
        "timesteps": T,
        "input": "integrate and fire from 8, threshold 16, reset by subtraction, adds the grey level 0..16 each step",
        "readout": "most output spikes over all timesteps, ties to the lowest class",
        "test_split": "per class every fourth image from position 3, in the order of load_digits",
        "test_images": int(test.sum()),
        **{f"correct_{name}": n for name, n in correct.items()},
        **{f"made_with_{name}": version(name) for name in ("h5py", "numpy", "scikit-learn", "torch")},
    }
    return build_network(q, choices)


def record(network: Network) -> Trace:
    """All spikes of the 100 recorded images, computed twice: by the plain reference and by `run_network`.

    Raises SystemExit where the two differ, or where the test split does not give the accuracy that the network states.
    """
    images, labels, test = load_images()
    spikes = encode(images)
    correct = int((classify(reference_spikes(network, spikes[test])["out"]) == labels[test]).sum())
    stated = network.choices.get("correct_int8_snn")
    if correct != stated or correct < MINIMUM_ACCURACY * test.sum():
        raise SystemExit(f"{correct} of {test.sum()} test images are right, the network states {stated}")
    chosen = recorded(labels, test)
    trace = Trace(
        name="digits",
        network=network.topology(),
        time_base="step",
        steps=np.full(chosen.size, T, np.int64),
        populations={name: to_steps(s) for name, s in reference_spikes(network, spikes[chosen]).items()},
        source="traces/make_digits.py: the first 10 test images of each class of scikit-learn's digits",
        labels=labels[chosen],
    )
    again = run_network(network, inputs_only(trace))
    for population in network.populations:
        if not same_spikes(trace, again, population.name):
            raise SystemExit(f"run_network and the plain reference differ in population {population.name}")
    return trace


def to_steps(spikes: np.ndarray) -> MemorySpikes:
    """Channel-last event form of spikes uint8 [B, T, C, H, W]."""
    b, t = spikes.shape[:2]
    rows = spikes.transpose(0, 1, 3, 4, 2).reshape(b * t, -1)
    ends = np.concatenate([[0], np.cumsum(np.count_nonzero(rows, axis=1))]).astype(np.int64)
    start = ends[np.arange(b)[:, None] * t + np.arange(t + 1)]
    return MemorySpikes(start, np.nonzero(rows)[1].astype(np.uint32))


def inputs_only(trace: Trace) -> Trace:
    """The same trace with nothing but its input spikes."""
    kept = {name: trace.spikes(name) for name in trace.network.inputs}
    return Trace(trace.name, trace.network, "step", trace.steps, kept, trace.source, trace.labels)


def same_spikes(a: Trace, b: Trace, population: str) -> bool:
    """True when both traces hold the same spikes of `population` in every step of every sample."""
    for sample in range(a.samples):
        total = int(a.steps[sample])
        x, y = (trace.spikes(population).block(sample, 0, total) for trace in (a, b))
        if not np.array_equal(x.start, y.start) or not np.array_equal(x.index, y.index):
            return False
        if any(v is not None and (v != 1).any() for v in (x.value, y.value)):
            return False
    return True


def main(arguments: list[str] | None = None) -> None:
    """Command line: see the module's docstring."""
    parser = argparse.ArgumentParser(description="Makes the bundled digits network and trace.")
    parser.add_argument("--out", type=Path, default=HERE, help="folder of the files (default: beside this script)")
    parser.add_argument("--from-weights", type=Path, metavar="NET", help="remake only the trace, of this network")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    try:
        network = read_network(options.from_weights) if options.from_weights else train_network()
        trace = record(network)
    except ModuleNotFoundError as error:
        raise SystemExit(f'{error.name} is missing: pip install "neurocycle[train]"') from None
    except InputError as error:
        raise SystemExit(str(error)) from None
    if not options.from_weights:
        write_network(network, options.out / "digits.net.h5")
    write_trace(trace, options.out / "digits.trace.h5")
    for key in ("correct_relu_ann", "correct_qcfs_ann", "correct_int8_snn"):
        n, total = network.choices[key], network.choices["test_images"]
        print(f"{key.removeprefix('correct_'):>9}: {n} of {total} test images ({100 * n / total:.2f} %)")
    for population in network.populations:
        print(f"{population.name:>9}: {trace.spikes(population.name).count} spikes in {trace.samples} samples")


if __name__ == "__main__":
    main()
