"""The native network file: round trips, equal bytes, refusals."""

import time

import h5py
import numpy as np
import pytest

from simulator.errors import InputError
from simulator.network import Decay, Network, Neuron, Pool, Population, Projection
from simulator.network.file import MAX_WEIGHT_BYTES, read_network, write_network
from simulator.network.zoo import resnet18


def small_network(weights=True):
    """Every projection kind, a recurrence with delay, per-channel parameters."""
    rng = np.random.Generator(np.random.PCG64(5))

    def w(*shape):
        return rng.integers(-8, 9, shape, dtype=np.int8) if weights else None

    lif = Neuron(
        "cuba_lif",
        threshold=np.array([5, 6, 7]),
        floor=np.array([-9]),
        reset="zero",
        compare="gt",
        decay_v=Decay("multiply", numerator=3968, bits=12, rounding="zero"),
        decay_u=Decay("shift", shift=2),
        first_step=1,
        reset_steps=(0, 17),
        output="multi",
        membrane_bits=24,
    )
    return Network(
        "small",
        (
            Population("in", (2, 6, 6), Neuron("input")),
            Population("a", (3, 6, 6), lif),
            Population("b", (3, 3, 3), Neuron()),
            Population("out", (4, 1, 1), Neuron()),
        ),
        (
            Projection("conv", "in", "a", "conv", kernel=(3, 3), padding=(1, 1), weights=w(3, 2, 3, 3)),
            Projection("rec", "a", "a", "one_to_one", delay=1, weights=w(3)),
            Projection(
                "dw", "a", "b", "depthwise", kernel=(1, 1), pool=Pool("sum", (2, 2), (2, 2)), weights=w(3, 1, 1)
            ),
            Projection("fc", "b", "out", "linear", weights=w(4, 27)),
            Projection("sp", "in", "out", "sparse", indptr=np.arange(73) // 36, indices=np.array([1, 3]), weights=w(2)),
        ),
        source="made here",
        choices={"reset": "zero"},
    )


def test_round_trip_keeps_everything(tmp_path):
    network = small_network()
    write_network(network, tmp_path / "n.h5")
    assert read_network(tmp_path / "n.h5").sha256 == network.sha256
    bare = small_network(weights=False)
    write_network(bare, tmp_path / "t.h5")
    back = read_network(tmp_path / "t.h5")
    assert back.sha256 == bare.sha256 and not back.has_weights


def test_round_trip_of_float_weights_and_large_nets(tmp_path):
    network = Network(
        "f",
        (
            Population("i", (3, 1, 1), Neuron("input")),
            Population(
                "o",
                (2, 1, 1),
                Neuron("lif", np.array([0.1]), np.array([0.0]), np.array([0.0]), decay_v=Decay("factor", factor=0.96)),
            ),
        ),
        (Projection("p", "i", "o", "linear", weights=np.array([[0.5, -1, 2], [3, 4, 5]], np.float32)),),
        arithmetic="float",
    )
    write_network(network, tmp_path / "f.h5")
    assert read_network(tmp_path / "f.h5").sha256 == network.sha256
    large = resnet18(seed=1)
    write_network(large, tmp_path / "r.h5")
    assert read_network(tmp_path / "r.h5").sha256 == large.sha256


def test_equal_networks_give_equal_bytes(tmp_path):
    write_network(small_network(), tmp_path / "a.h5")
    time.sleep(1.1)  # HDF5 object times have a resolution of one second
    write_network(small_network(), tmp_path / "b.h5")
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    import simulator.network.file as module

    def fail(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "add_projections", fail)
    with pytest.raises(KeyboardInterrupt):
        write_network(small_network(), tmp_path / "n.h5")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="cannot write here"):
        write_network(small_network(), tmp_path / "absent" / "n.h5")


def test_wrong_files_are_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_network(tmp_path / "absent.h5")
    (tmp_path / "text.h5").write_text("hello")
    with pytest.raises(InputError, match="not an HDF5 file"):
        read_network(tmp_path / "text.h5")
    with h5py.File(tmp_path / "other.h5", "w") as f:
        f.attrs["schema"] = np.bytes_("neurocycle.network/2")
    with pytest.raises(InputError, match=r"neurocycle\.network/1"):
        read_network(tmp_path / "other.h5")


def damage(path, change):
    write_network(small_network(), path)
    with h5py.File(path, "r+") as f:
        change(f)
    return path


def replace(f, name, **kwargs):
    if name in f:
        del f[name]
    f.create_dataset(name, **kwargs)


def describe_with(f, **fields):
    import json

    data = json.loads(f["description"][()].tobytes())
    for path, value in fields.items():
        node = data
        *parents, last = path.split("__")
        for part in parents:
            node = node[int(part)] if part.isdigit() else node[part]
        node[last] = value
    replace(f, "description", data=np.frombuffer(json.dumps(data).encode(), np.uint8))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: replace(f, "projections/0/weights", data=np.zeros((3, 2, 3, 2), np.int8)), "wrong shape"),
        (lambda f: replace(f, "projections/0/weights", data=np.zeros((3, 2, 3, 3), np.int32)), "wrong type"),
        (lambda f: replace(f, "projections/0/weights", data=np.full((3, 2, 3, 3), np.nan)), "wrong type"),
        (lambda f: replace(f, "projections/0/weights", data=np.zeros(54, "S3")), "wrong data type"),
        (
            lambda f: replace(f, "projections/0/weights", shape=(10**12,), dtype="i1", chunks=(65536,)),
            "claims more data",
        ),
        (
            lambda f: replace(
                f, "projections/0/weights", data=np.zeros(2**27, np.int8), chunks=(2**27,), compression=4
            ),
            "chunks are too large",
        ),
        (lambda f: f.__setitem__("projections/0/extra", np.zeros(3)), "unknown dataset"),
        (lambda f: f.__setitem__("projections/9/weights", np.zeros(3)), "no projection of this number"),
        (lambda f: replace(f, "projections/4/indices", data=np.array([1, 4])), "outside the target"),
        (lambda f: replace(f, "projections/4/indptr", data=np.arange(73)[::-1].copy()), "indptr must have"),
        (lambda f: replace(f, "description", data=np.frombuffer(b"{", np.uint8)), "not valid JSON"),
        (lambda f: replace(f, "description", data=np.frombuffer(b"[" * 100_000, np.uint8)), "not valid JSON"),
        (lambda f: replace(f, "description", data=np.frombuffer(b"[1]", np.uint8)), "no projection of this number"),
        (lambda f: describe_with(f, populations__1__neuron__model="lfi"), "lif"),
        (lambda f: describe_with(f, populations__1__shape=[3, 6]), "a list of 3"),
        (lambda f: describe_with(f, populations__1__shape=[3, 6.5, 6]), "an integer"),
        (lambda f: describe_with(f, populations__1__shape=[2**40, 6, 6]), "too many neurons"),
        (lambda f: describe_with(f, populations__1__neuron__threshold=[10**30]), "an integer"),
        (lambda f: describe_with(f, populations__1__neuron__leak=1), "unknown field"),
        (lambda f: describe_with(f, populations__1__neuron__decay_v__bits=-3), "0 .. 62"),
        (lambda f: describe_with(f, projections__0__stride=[0, 1]), ">= 1"),
        (lambda f: describe_with(f, projections__0__source="inn"), "did you mean 'in'"),
        (lambda f: describe_with(f, projections__2__pool={"kind": "max", "size": [2, 2], "stride": [2, 2]}), "average"),
        (lambda f: describe_with(f, name=5), "wrong value"),
    ],
)
def test_hostile_networks_are_refused(tmp_path, change, message):
    path = damage(tmp_path / "n.h5", change)
    with pytest.raises(InputError, match=message) as caught:
        read_network(path)
    assert str(path) in str(caught.value)


def test_links_to_other_files_are_refused(tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as f:
        f["w"] = np.zeros((3, 2, 3, 3), np.int8)

    def external_link(f):
        del f["projections/0/weights"]
        f["projections/0/weights"] = h5py.ExternalLink(str(tmp_path / "secret.h5"), "/w")

    def soft_link(f):
        del f["projections/0/weights"]
        f["projections/0/weights"] = h5py.SoftLink("/projections/1/weights")

    def virtual(f):
        layout = h5py.VirtualLayout((3, 2, 3, 3), np.int8)
        layout[...] = h5py.VirtualSource(str(tmp_path / "secret.h5"), "w", (3, 2, 3, 3))
        del f["projections/0/weights"]
        f.create_virtual_dataset("projections/0/weights", layout)

    def external_data(f):
        replace(
            f, "projections/0/weights", shape=(3, 2, 3, 3), dtype="i1", external=[(str(tmp_path / "secret.h5"), 0, 54)]
        )

    for change, message in (
        (external_link, "links to other places"),
        (soft_link, "links to other places"),
        (virtual, "outside the file"),
        (external_data, "outside the file"),
    ):
        with pytest.raises(InputError, match=message):
            read_network(damage(tmp_path / "n.h5", change))


def test_the_size_of_all_weights_together_is_limited(tmp_path, monkeypatch):
    import simulator.network.file as module

    write_network(small_network(), tmp_path / "n.h5")
    assert MAX_WEIGHT_BYTES == 2**30
    monkeypatch.setattr(module, "MAX_WEIGHT_BYTES", 60)
    with pytest.raises(InputError, match="too large"):
        read_network(tmp_path / "n.h5")
