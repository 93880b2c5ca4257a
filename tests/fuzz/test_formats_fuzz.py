"""Damaged and hostile files: whatever the bytes, a reader returns or raises InputError, and takes little memory."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network.arrays import read_network_npz
from simulator.network.file import read_network, write_network
from simulator.network.lava import read_lava_net
from simulator.network.nir import read_nir
from simulator.trace.dat import read_dat
from simulator.trace.event_stream import read_event_stream
from simulator.trace.evt2 import read_evt2
from simulator.trace.file import read_trace, write_trace
from simulator.trace.load import load_trace
from simulator.trace.nmnist import read_nmnist
from simulator.trace.sonata import read_sonata
from simulator.trace.synthetic import bernoulli_trace
from tests.unit.nir_writer import conv, ones, write_nir
from tests.unit.test_camera_files import EVENTS, cd, evt2_words, nmnist_bytes, stream_bytes
from tests.unit.test_lava import write as write_lava
from tests.unit.test_load_trace import sonata
from tests.unit.test_network_arrays import COMMON, layers
from tests.unit.test_network_file import small_network
from tests.unit.test_trace_file import events_trace, tiny_network, tiny_trace

ROOT = Path(__file__).resolve().parents[2]
MUTATIONS = 150
IF_CHOICES = {"reset": "subtract", "floor": "none", "output": "binary", "compare": "ge", "delay": 0}


def read_nir_file(path):
    return read_nir(path, IF_CHOICES)


def read_lava_file(path):
    return read_lava_net(path, {"delay": 0})


def read_array_file(path):
    return load_trace(path, None, {"layout": "BTN|TN"})


def make_nir(path):
    nodes = {
        "i": ("Input", {"shape": [2, 6, 6]}),
        "w": ("Conv2d", conv(np.ones((3, 2, 3, 3), np.float32), padding=1)),
        "a": ("IF", ones(3, 6, 6)),
        "p": ("SumPool2d", {"kernel_size": [2, 2], "stride": [2, 2], "padding": [0, 0]}),
        "f": ("Flatten", {"start_dim": 0, "end_dim": -1}),
        "l": ("Linear", {"weight": np.ones((4, 27), np.float32)}),
        "b": ("IF", ones(4)),
        "o": ("Output", {"shape": [4]}),
    }
    names = list(nodes)
    write_nir(path, nodes, list(pairwise(names)))


def make_network_npz(path):
    np.savez_compressed(
        path,
        **{f"{i}.{k}": np.asarray(v) for i, layer in enumerate(layers()) for k, v in layer.items()},
        **{f"common.{k}": np.array(v) for k, v in COMMON.items()},
    )


CASES = {
    "network.h5": (lambda p: write_network(small_network(), p), read_network),
    "trace.h5": (lambda p: write_trace(tiny_trace(), p), read_trace),
    "long.h5": (lambda p: write_trace(bernoulli_trace(tiny_network(), 200, 0.3, samples=2), p), read_trace),
    "events.h5": (lambda p: write_trace(events_trace(), p), read_trace),
    "net.nir": (make_nir, read_nir_file),
    "lava.net": (write_lava, read_lava_file),
    "sonata.h5": (lambda p: sonata(p, "spikes/v1", "node_ids", units="ms"), read_sonata),
    "net.npz": (make_network_npz, read_network_npz),
    "dense.npz": (lambda p: np.savez(p, a=np.eye(5, dtype=np.int8), labels=np.array([1])), read_array_file),
    "dense.npy": (lambda p: np.save(p, np.eye(5)), read_array_file),
    "a.bin": (lambda p: p.write_bytes(nmnist_bytes(EVENTS)), read_nmnist),
    "a.es": (lambda p: p.write_bytes(stream_bytes([(t, 1, 2, 1) for t in range(0, 3000, 90)])), read_event_stream),
    "a.raw": (
        lambda p: p.write_bytes(b"% evt 2.0\n" + evt2_words(8 << 28, *(cd(1, k, k, k) for k in range(40)))),
        read_evt2,
    ),
    "a.dat": (lambda p: p.write_bytes(b"% Version 2\n\x00\x08" + bytes(range(16)) * 8), read_dat),
}


def mutated(good: bytes, rng: np.random.Generator) -> bytes:
    """Cut off, bytes replaced, bits flipped, or words set to the values that sizes and addresses break at."""
    data = bytearray(good)
    kind = int(rng.integers(4))
    if kind == 0:
        return bytes(data[: rng.integers(len(data))])
    for _ in range(int(rng.choice([1, 2, 8, 64]))):
        at = int(rng.integers(len(data)))
        if kind == 1:
            data[at] = int(rng.integers(256))
        elif kind == 2:
            data[at] ^= 1 << int(rng.integers(8))
        else:
            end = min(len(data), at + int(rng.choice([2, 4, 8])))
            data[at:end] = (b"\xff" if rng.integers(2) else b"\0") * (end - at)
    return bytes(data)


def fuzz(folder: Path, name: str, seed: int, count: int) -> dict[str, int]:
    """Reads `count` mutations of one file; returns how many were read and how many refused."""
    make, read = CASES[name]
    path = folder / name
    make(path)
    good = path.read_bytes()
    seen = {"read": 0, "refused": 0}
    for k in range(count):
        path.write_bytes(mutated(good, np.random.Generator(np.random.PCG64([seed, k]))))
        try:
            read(path)
            seen["read"] += 1
        except InputError as error:
            assert str(path) in str(error), str(error)
            seen["refused"] += 1
    return seen


@pytest.mark.parametrize("name", CASES)
def test_damaged_files_give_input_errors(tmp_path, name):
    """In a process of its own: if the HDF5 library broke down on some bytes, this test would fail and not vanish."""
    call = f"fuzz(Path({str(tmp_path)!r}), {name!r}, 1, {MUTATIONS})"
    code = f"from pathlib import Path; from tests.fuzz.test_formats_fuzz import fuzz; print({call})"
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=False
    )
    assert run.returncode == 0, f"{run.returncode}: {run.stderr[-2000:]}"
    counts = ast.literal_eval(run.stdout)
    assert sum(counts.values()) == MUTATIONS and counts["refused"] > 0


# --- files that are well formed and lie


def big(file, name, shape, dtype, chunk, **kwargs):
    """A dataset that unpacks to a lot: constant data, stored compressed; only some chunks are really written."""
    if name in file:
        del file[name]
    data = file.create_dataset(name, shape=shape, dtype=dtype, chunks=chunk, compression="gzip", **kwargs)
    return data


def bomb_index(file):
    """2^28 entries of index 0 (1 GiB) in about 1 MiB of file."""
    count = 2**28
    data = big(file, "populations/in/index", (count,), "u4", (2**22,))
    packed = np.zeros(2**22, np.uint32)
    data[: 2**22] = packed
    raw = data.id.read_direct_chunk((0,))[1]
    for at in range(2**22, count, 2**22):
        data.id.write_direct_chunk((at,), raw)
    file["populations/in/step_start"][...] = [[0, count, count, count], [count] * 4]


def test_bombs_are_read_in_little_memory(tmp_path):
    """A trace that unpacks to 1 GiB in one timestep is refused or scanned, never held."""
    path = tmp_path / "t.h5"
    write_trace(tiny_trace(), path)
    with h5py.File(path, "r+") as file:
        bomb_index(file)
    assert path.stat().st_size < 8 * 2**20
    code = (
        "import sys\nfrom simulator.errors import InputError\nfrom simulator.trace.file import read_trace\n"
        f"try:\n    read_trace({str(path)!r})\nexcept InputError as error:\n    print(error)\n"
        # not ru_maxrss: that one begins with what the process held that started this one
        "status = open('/proc/self/status').read()\n"
        "sys.stderr.write(status.split('VmHWM:')[1].split()[0])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=300, check=True
    )
    assert "entries per timestep" in run.stdout
    assert int(run.stderr) < 500 * 1024, "peak memory in KiB"


@pytest.mark.parametrize(
    ("make", "read", "change"),
    [
        (
            lambda p: write_network(small_network(), p),
            read_network,
            lambda f: big(f, "projections/0/weights", (10**6, 10**6), "i1", (1, 65536)),
        ),
        (
            lambda p: write_network(small_network(), p),
            read_network,
            lambda f: big(f, "description", (10**12,), "u1", (65536,)),
        ),
        (lambda p: write_trace(tiny_trace(), p), read_trace, lambda f: big(f, "steps", (10**12,), "i8", (65536,))),
        (
            lambda p: write_trace(tiny_trace(), p),
            read_trace,
            lambda f: big(f, "populations/in/step_start", (2, 10**12), "i8", (1, 65536)),
        ),
        (
            lambda p: write_trace(tiny_trace(), p),
            read_trace,
            lambda f: big(f, "populations/in/index", (10**12,), "u4", (65536,)),
        ),
        (
            lambda p: write_trace(events_trace(), p),
            read_trace,
            lambda f: big(f, "populations/in/time", (10**12,), "i8", (65536,)),
        ),
        (make_nir, read_nir_file, lambda f: big(f, "node/nodes/l/weight", (10**6, 10**6), "f4", (1, 65536))),
        (write_lava, read_lava_file, lambda f: big(f, "layer/3/weight", (10**6, 10**6), "f4", (1, 65536))),
        (
            lambda p: sonata(p, "spikes/v1", "node_ids"),
            read_sonata,
            lambda f: big(f, "spikes/v1/timestamps", (10**12,), "f8", (65536,)),
        ),
    ],
)
def test_sizes_are_checked_before_memory_is_taken(tmp_path, make, read, change):
    path = tmp_path / "x"
    make(path)
    with h5py.File(path, "r+") as file:
        change(file)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match=r"claims more data|wrong shape"):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100 * 1024


def test_unknown_filters_and_links_of_foreign_files_are_refused(tmp_path):
    path = tmp_path / "n.nir"
    make_nir(path)
    with h5py.File(path, "r+") as file:
        del file["node/nodes/l/weight"]
        file.create_dataset("node/nodes/l/weight", data=np.ones((4, 27), np.float32), chunks=(4, 27), compression="lzf")
    with pytest.raises(InputError, match="unknown compression filter"):
        read_nir_file(path)
    with h5py.File(path, "r+") as file:
        del file["node/nodes/l"]
        file["node/nodes/l"] = h5py.ExternalLink("elsewhere.h5", "/")
    with pytest.raises(InputError, match="links to other places"):
        read_nir_file(path)
