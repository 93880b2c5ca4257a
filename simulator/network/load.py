"""Any network by path or bundled name: the file's content and suffix say which reader takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from simulator.errors import InputError, unknown
from simulator.network.choices import check_keys, choices_of, for_scope, number
from simulator.network.file import SCHEMA, read_network
from simulator.network.hdf5 import HdfFile, is_hdf5
from simulator.network.network import Network
from simulator.network.snasnet import RELEASED, snasnet
from simulator.network.stems import red_lif, sew_plif
from simulator.network.zoo import resnet18, vgg9, vgg11
from simulator.resources import find_resource, list_resources

STEMS: dict[str, Callable[..., Network]] = {f"sew_{k}plif": partial(sew_plif, k) for k in range(8)} | {
    "red_lif": red_lif
}
"""Topologies of the STEMS study; they have no options."""
SNASNETS: dict[str, Callable[..., Network]] = {
    "snasnet_cifar10": partial(snasnet, RELEASED["cifar10"]),
    "snasnet_cifar100": partial(snasnet, RELEASED["cifar100"], channels=128, outputs=500, pool=2),
}
"""Topologies of the released cells of SNASNet; they have no options."""
TOPOLOGIES = {**STEMS, **SNASNETS}
BUILT_IN: dict[str, Callable[..., Network]] = {"resnet18": resnet18, "vgg9": vgg9, "vgg11": vgg11, **TOPOLOGIES}
BUNDLED_SUFFIX = ".net"
FORMATS = "native HDF5, NIR (.nir), lava-dl (.net), numpy arrays (.npz)"


def load_network(name_or_path: str | Path, choices: Mapping[str, Any] | None = None) -> Network:
    """Network of a file, a bundled network (`digits`), or a built-in one (`vgg9`, `vgg11`, `resnet18`).

    `choices` are the import choices (keys and options: `choices.py`); those that concern traces only are left alone.
    None takes them from the sidecar `<file>.import.yaml`, where there is one.
    A path that exists goes before a name.  Raises InputError for unknown names, formats and choices.
    """
    path = Path(name_or_path)
    given = for_scope(choices_of(path, choices), "network", file=path)
    if path.exists():
        return _from_file(path, given)
    name = str(name_or_path)
    if name in BUILT_IN:
        return _built_in(name, given)
    bundled = network_names()
    if name in bundled:
        _refuse(given, path)
        return read_network(find_resource("traces", name + BUNDLED_SUFFIX))
    if path.suffix or len(path.parts) > 1:
        raise InputError("no such file", file=path, allowed=f"a path, or a name: {', '.join([*BUILT_IN, *bundled])}")
    raise unknown("network", name, [*BUILT_IN, *bundled])


def network_names() -> list[str]:
    """Names of the bundled networks (built-in ones, which are made when asked for, come apart in `BUILT_IN`)."""
    return [n.removesuffix(BUNDLED_SUFFIX) for n in list_resources("traces") if n.endswith(BUNDLED_SUFFIX)]


def _from_file(path: Path, given: dict[str, Any]) -> Network:
    if path.is_dir():
        raise InputError("a folder is no network", file=path, allowed=FORMATS)
    if path.suffix == ".npz":
        from simulator.network.arrays import read_network_npz

        return read_network_npz(path, given)
    if not is_hdf5(path):
        raise InputError("not a network file", file=path, found=path.suffix or "no suffix", allowed=FORMATS)
    with HdfFile(path) as file:
        schema = file.attribute("schema")
        looks_nir = file.is_group("/node") and file.is_group("/node/nodes")
        looks_lava = file.is_group("/layer")
    if schema == SCHEMA:
        _refuse(given, path)
        return read_network(path)
    if schema is not None:
        raise InputError("this file is no network", file=path, found=schema, allowed=[SCHEMA])
    if looks_nir:
        from simulator.network.nir import read_nir

        return read_nir(path, given)
    if looks_lava:
        from simulator.network.lava import read_lava_net

        return read_lava_net(path, given)
    raise InputError("an HDF5 file, but no network that is known here", file=path, allowed=FORMATS)


def _built_in(name: str, given: dict[str, Any]) -> Network:
    if name in TOPOLOGIES:
        _refuse(given, Path(name))
    check_keys(_without_timestep(given), ("seed", "classes"), file=name)
    options: dict[str, Any] = {}
    if "classes" in given:
        options["classes"] = number(given, "classes", file=name, low=1, high=10**6)
    if "seed" in given:
        text = str(given["seed"]).strip().lower()
        none = given["seed"] is None or text == "none"
        options["seed"] = None if none else number(given, "seed", file=name, high=2**40)
    return BUILT_IN[name](**options)


def _refuse(given: dict[str, Any], path: Path) -> None:
    """A native file says everything itself; a timestep may be meant for the input."""
    rest = _without_timestep(given)
    if rest:
        raise InputError("this file leaves nothing open: it takes no import choices", file=path, found=list(rest))


def _without_timestep(given: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in given.items() if not k.startswith("dt_")}
