"""The native trace file: round trips, lazy reading, the incremental writer, refusals."""

import time

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network import Network, Neuron, Population, Projection
from simulator.trace import Block, Events, MemorySpikes, Trace
from simulator.trace.dense import DenseSpikes, dense_trace
from simulator.trace.file import FileSpikes, TraceWriter, read_trace, write_trace
from simulator.trace.synthetic import bernoulli_trace


def tiny_network():
    return Network(
        "tiny",
        (Population("in", (2, 3, 3), Neuron("input")), Population("out", (5, 1, 1), Neuron())),
        (
            Projection("fc", "in", "out", "linear", weights=np.ones((5, 18), np.int8)),
            Projection("sp", "in", "out", "sparse", indptr=np.arange(19), indices=np.arange(18) % 5),
        ),
    )


def tiny_trace():
    """Two samples of 3 and 1 timesteps; `out` has values, `in` has none."""
    return Trace(
        "t",
        tiny_network(),
        "step",
        np.array([3, 1]),
        {
            "in": MemorySpikes(np.array([[0, 2, 2, 3], [3, 4, 4, 4]]), np.array([1, 17, 0, 4], np.uint32)),
            "out": MemorySpikes(
                np.array([[0, 1, 2, 2], [2, 3, 3, 3]]), np.array([4, 0, 2], np.uint32), np.array([1, 7, -1], np.int32)
            ),
        },
        "made here",
        np.array([7, 3]),
    )


def events_trace():
    return Trace(
        "e",
        tiny_network(),
        "us",
        np.array([10, 20]),
        {"in": Events(np.array([0, 2, 3]), np.array([0, 9, 5]), np.array([3, 3, 1], np.uint32))},
    )


@pytest.mark.parametrize("make", [tiny_trace, events_trace])
def test_round_trip(tmp_path, make):
    trace = make()
    write_trace(trace, tmp_path / "t.h5")
    back = read_trace(tmp_path / "t.h5")
    assert back.sha256 == trace.sha256
    assert (back.name, back.source, back.time_base) == (trace.name, trace.source, trace.time_base)
    assert back.network.sha256 == trace.network.topology().sha256
    assert list(back.populations) == list(trace.populations)
    assert np.array_equal(back.steps, trace.steps)
    assert (back.labels is None) == (trace.labels is None) or np.array_equal(back.labels, trace.labels)


def test_blocks_of_a_file_equal_blocks_in_memory(tmp_path):
    trace = bernoulli_trace(tiny_network(), 40, 0.3, samples=3, seed=2)
    write_trace(trace, tmp_path / "t.h5")
    back = read_trace(tmp_path / "t.h5")
    rng = np.random.Generator(np.random.PCG64(0))
    for _ in range(100):
        name, sample = ("in", "out")[rng.integers(2)], int(rng.integers(3))
        t0 = int(rng.integers(0, 41))
        t1 = int(rng.integers(t0, 41))
        wanted, found = trace.spikes(name).block(sample, t0, t1), back.spikes(name).block(sample, t0, t1)
        assert np.array_equal(wanted.start, found.start) and np.array_equal(wanted.index, found.index)
        assert found.index.dtype == np.uint32 and found.start.dtype == np.int64 and found.value is None


def test_equal_traces_give_equal_bytes(tmp_path):
    write_trace(tiny_trace(), tmp_path / "a.h5")
    time.sleep(1.1)  # HDF5 object times have a resolution of one second
    write_trace(read_trace(tmp_path / "a.h5"), tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_writer_takes_samples_of_unknown_length(tmp_path):
    trace = bernoulli_trace(tiny_network(), 3000, 0.2, samples=2, seed=9)
    with TraceWriter(tmp_path / "w.h5", trace.network, ["out", "in"], name=trace.name) as writer:
        for sample, steps in ((0, 3000), (1, 1500)):
            writer.begin_sample()
            for name in ("out", "in"):
                for t in range(0, steps, 7):
                    writer.add_block(name, trace.spikes(name).block(sample, t, min(t + 7, steps)))
    back = read_trace(tmp_path / "w.h5")
    assert back.steps.tolist() == [3000, 1500] and back.labels is None
    for name in ("in", "out"):
        assert np.array_equal(back.spikes(name).block(1, 0, 1500).index, trace.spikes(name).block(1, 0, 1500).index)
        assert np.array_equal(back.spikes(name).block(1, 100, 200).start, trace.spikes(name).block(1, 100, 200).start)


def test_values_appear_late_and_only_where_needed(tmp_path):
    one = np.array([1], np.uint32)
    with TraceWriter(tmp_path / "w.h5", tiny_network(), ["in", "out"], name="w") as writer:
        writer.begin_sample()
        for t in range(70_000):
            writer.add_step("in", one, np.array([1], np.int32))
            writer.add_step("out", one, np.array([5], np.int32) if t == 69_999 else None)
    back = read_trace(tmp_path / "w.h5")
    assert back.spikes("in").block(0, 0, 70_000).value is None
    value = back.spikes("out").block(0, 0, 70_000).value
    assert value.dtype == np.int32 and value.sum() == 70_004 and value[-1] == 5


def test_dense_activity_can_be_written(tmp_path):
    trace = dense_trace(tiny_network(), np.array([2, 3]))
    write_trace(trace, tmp_path / "d.h5")
    back = read_trace(tmp_path / "d.h5")
    assert back.sha256 == trace.sha256 and back.spikes("in").count == 90 == DenseSpikes(18, 5).count


def test_memory_stays_at_a_window(tmp_path):
    """A block leaves at most two windows of 64 Ki entries behind, whatever the file's size."""
    trace = bernoulli_trace(tiny_network(), 20_000, 0.9, seed=1)
    write_trace(trace, tmp_path / "t.h5")
    spikes = read_trace(tmp_path / "t.h5").spikes("in")
    assert isinstance(spikes, FileSpikes) and spikes.count > 300_000
    for t in range(0, 20_000, 100):
        spikes.block(0, t, t + 100)
        assert spikes._index.size <= 65_536 + 1 and spikes._offsets.size <= 65_536


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_interrupted_writer_leaves_nothing(tmp_path, error):
    with pytest.raises(error), TraceWriter(tmp_path / "w.h5", tiny_network(), ["in"], name="w") as writer:
        writer.begin_sample()
        assert len(list(tmp_path.iterdir())) == 1
        raise error
    assert list(tmp_path.iterdir()) == []


def test_a_forgotten_writer_leaves_nothing(tmp_path):
    writer = TraceWriter(tmp_path / "w.h5", tiny_network(), ["in"], name="w")
    del writer
    assert list(tmp_path.iterdir()) == []


def test_writer_refuses_what_would_not_read_back(tmp_path):
    def write(steps):
        with TraceWriter(tmp_path / "w.h5", tiny_network(), ["in", "out"], name="w") as writer:
            steps(writer)

    one = np.array([1], np.uint32)
    cases = [
        (lambda w: w.add_step("in", one), "begin_sample must come"),
        (lambda w: (w.begin_sample(), w.add_step("inn", one)), "did you mean 'in'"),
        (lambda w: (w.begin_sample(), w.add_step("in", np.array([18]))), "outside the population"),
        (lambda w: (w.begin_sample(), w.add_step("in", np.array([-1]))), "outside the population"),
        (lambda w: (w.begin_sample(), w.add_step("in", one, np.array([0]))), "must not be 0"),
        (lambda w: (w.begin_sample(), w.add_step("in", one)), "differ in timesteps"),
        (lambda w: (w.begin_sample(3), w.begin_sample()), "all samples have a label"),
    ]
    for steps, message in cases:
        with pytest.raises(InputError, match=message):
            write(steps)
        assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="unknown population"):
        TraceWriter(tmp_path / "w.h5", tiny_network(), ["nowhere"], name="w")


def put(f, name, **kwargs):
    del f[name]
    f.create_dataset(name, **kwargs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: put(f, "populations/in/index", data=np.array([1, 18, 0, 4], np.uint32)), "outside the population"),
        (lambda f: put(f, "populations/in/index", data=np.array([1, 17, 0, 4], np.int32)), "wrong data type"),
        (lambda f: put(f, "populations/in/index", data=np.array([1, 17, 0, 4], np.uint64)), "wrong data type"),
        (lambda f: put(f, "populations/in/index", data=np.array([[1, 17, 0, 4]], np.uint32)), "number of dimensions"),
        (lambda f: put(f, "populations/in/index", data=np.array([1.0, 17, 0, np.nan])), "wrong data type"),
        (lambda f: put(f, "populations/in/index", data=np.array([1, 17, 0], np.uint32)), "step offsets"),
        (lambda f: put(f, "populations/in/index", data=np.array([1, 17, 0, 4, 4], np.uint32)), "do not end at"),
        (lambda f: put(f, "populations/in/index", shape=(10**12,), dtype="u4", chunks=(65536,)), "claims more data"),
        (
            lambda f: put(f, "populations/in/index", shape=(10**12,), dtype="u4", chunks=(2**29,)),
            "chunks are too large",
        ),
        (lambda f: put(f, "populations/in/index", shape=(4,), dtype=h5py.string_dtype()), "wrong data type"),
        (lambda f: put(f, "populations/in/index", data=np.zeros(4, [("a", "u4")])), "wrong data type"),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 1, 3], [3, 4, 4, 4]])), "never decrease"),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[1, 2, 2, 3], [3, 4, 4, 4]])), "never decrease"),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 2, 3], [2, 4, 4, 4]])), "never decrease"),
        (
            lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 2, 3], [3, 3, 3, 4]])),
            "after the sample's last",
        ),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 2, 9], [9, 9, 9, 9]])), "do not end at"),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 2**62, 2**62], [3, 4, 4, 4]])), "at most"),
        (lambda f: put(f, "populations/in/step_start", data=np.array([[0, 2, 2, 3]])), "wrong shape"),
        (lambda f: put(f, "populations/out/value", data=np.array([1, 0, 1], np.int32)), "must not be 0"),
        (lambda f: put(f, "populations/out/value", data=np.array([1, 2], np.int32)), "differ in length"),
        (lambda f: put(f, "steps", data=np.array([3, -1])), "out of range"),
        (lambda f: put(f, "steps", data=np.array([3, 1, 1])), "wrong shape|differ in length"),
        (lambda f: put(f, "steps", data=np.array([3, 2**50])), "out of range"),
        (lambda f: put(f, "labels", data=np.array([3])), "differ in length"),
        (lambda f: f.move("populations/in", "populations/inn"), "no population of this name"),
        (lambda f: f.__delitem__("populations/in/index"), "missing"),
        (lambda f: f.__delitem__("populations"), "missing"),
        (lambda f: put(f, "populations", data=3), "expected a group"),
        (lambda f: put(f, "description", data=np.frombuffer(b"{}", np.uint8)), "needs name, network"),
    ],
)
def test_hostile_traces_are_refused(tmp_path, change, message):
    path = tmp_path / "t.h5"
    write_trace(tiny_trace(), path)
    with h5py.File(path, "r+") as f:
        change(f)
    with pytest.raises(InputError, match=message) as caught:
        read_trace(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: put(f, "populations/in/time", data=np.array([9, 0, 5])), "times must not decrease"),
        (lambda f: put(f, "populations/in/time", data=np.array([0.0, 9, np.nan])), "wrong data type"),
        (lambda f: put(f, "populations/in/index", data=np.array([3, 99, 1], np.uint32)), "outside the population"),
        (lambda f: put(f, "populations/in/sample_start", data=np.array([0, 4, 3])), "must rise"),
    ],
)
def test_hostile_event_traces_are_refused(tmp_path, change, message):
    path = tmp_path / "e.h5"
    write_trace(events_trace(), path)
    with h5py.File(path, "r+") as f:
        change(f)
    with pytest.raises(InputError, match=message):
        read_trace(path)


def test_truncated_files_are_refused(tmp_path):
    path = tmp_path / "t.h5"
    write_trace(tiny_trace(), path)
    data = path.read_bytes()
    for size in (0, 4, 100, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:size])
        with pytest.raises(InputError):
            read_trace(path)


@pytest.mark.parametrize("steps", [1, 40, 70_000])
def test_windows_of_offsets_span_samples_and_parts_of_samples(tmp_path, steps):
    """Samples of different lengths, in every order of access."""
    rng = np.random.Generator(np.random.PCG64(steps))
    lengths = [steps, 0, steps // 2, steps, 1]
    with TraceWriter(tmp_path / "w.h5", tiny_network(), ["in"], name="w", longest=steps) as writer:
        wanted = []
        for length in lengths:
            writer.begin_sample()
            counts = rng.integers(0, 3, length)
            index = rng.integers(0, 18, int(counts.sum())).astype(np.uint32)
            writer.add_block("in", Block(np.concatenate([[0], np.cumsum(counts)]), index, None))
            wanted.append((np.concatenate([[0], np.cumsum(counts)]), index))
    spikes = read_trace(tmp_path / "w.h5").spikes("in")
    for sample in (4, 0, 3, 1, 2):
        start, index = wanted[sample]
        for t0 in (0, lengths[sample] // 2, max(0, lengths[sample] - 1)):
            block = spikes.block(sample, t0, lengths[sample])
            assert np.array_equal(block.start, start[t0:] - start[t0]) and np.array_equal(
                block.index, index[start[t0] :]
            )
