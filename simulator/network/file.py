"""The project's own network file (HDF5).  Layout and limits: FORMAT.md beside this module.

/                       attribute `schema` = "neurocycle.network/1" (string of fixed length)
/description            uint8 [n]: UTF-8 JSON, the values of `describe(network)`; at most 64 MiB
/projections/<i>/       i = position in the description's list, in decimal
    weights             int8 | int16 | float32 | float64, shape by the projection's kind; absent in a topology
    indptr, indices     int64 [N_in + 1], int64 [nnz]: only where kind = "sparse"
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from simulator.errors import InputError
from simulator.network.description import MAX_JSON_BYTES, network_from_json, parse_json
from simulator.network.hdf5 import HdfFile, add_array, new_file
from simulator.network.network import Network, describe

if TYPE_CHECKING:
    import h5py

SCHEMA = "neurocycle.network/1"
MAX_WEIGHT_BYTES = 2**30
"""Limit of all arrays of a network together."""


def write_network(network: Network, path: str | Path) -> None:
    """Writes `network` with its weights; the file appears whole or not at all, equal networks give equal bytes."""
    with new_file(Path(path)) as file:
        file.attrs["schema"] = np.bytes_(SCHEMA)
        add_json(file, "description", describe(network))
        add_projections(file.create_group("projections"), network, weights=True)


def read_network(path: str | Path) -> Network:
    """Network of a file of `write_network`.

    Raises InputError for anything else: another schema, damaged or lying files, links, wrong types and shapes.
    """
    with HdfFile(Path(path)) as file:
        check_schema(file, SCHEMA)
        data = read_json(file, "/description")
        return network_from_json(data, read_projections(file, data, "/projections"), file=path, key="/description")


def check_schema(file: HdfFile, schema: str) -> None:
    """Raises InputError unless the file says that it has this schema."""
    found = file.attribute("schema")
    if found != schema:
        raise InputError(
            "wrong schema", file=file.path, key="attribute schema", found=found or "none", allowed=[schema]
        )


def add_json(group: h5py.Group, name: str, value: Any) -> None:
    """A JSON value as a uint8 dataset; keys are sorted so that equal values give equal bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    add_array(group, name, np.frombuffer(text, np.uint8))


def read_json(file: HdfFile, path: str) -> Any:
    """The JSON value of a uint8 dataset."""
    data = file.array(path, "u", 1, limit=MAX_JSON_BYTES)
    if data.dtype != np.uint8:
        raise InputError("wrong data type", file=file.path, key=path, found=str(data.dtype), allowed=["uint8"])
    return parse_json(data.tobytes(), file=file.path, key=path)


def add_projections(group: h5py.Group, network: Network, weights: bool) -> None:
    """Arrays of every projection that has any, in subgroups named by position."""
    for i, projection in enumerate(network.projections):
        arrays = {"indptr": projection.indptr, "indices": projection.indices}
        if weights:
            arrays["weights"] = projection.weights
        for name, array in arrays.items():
            if array is not None:
                data = array if name == "weights" else array.astype(np.int64)
                add_array(group.require_group(str(i)), name, np.ascontiguousarray(data))


def read_projections(file: HdfFile, data: Any, path: str) -> dict[str, dict[str, np.ndarray]]:
    """Arrays by projection name, as `from_description` wants them; the total size is limited."""
    names = file.names(path) if file.has(path) else []
    listed = data.get("projections") if isinstance(data, dict) else None
    known = {str(i): p for i, p in enumerate(listed)} if isinstance(listed, list) else {}
    arrays: dict[str, dict[str, np.ndarray]] = {}
    room = MAX_WEIGHT_BYTES
    for number in names:
        item = known.get(number)
        if not isinstance(item, dict) or not isinstance(item.get("name"), str):
            raise InputError("no projection of this number is described", file=file.path, key=f"{path}/{number}")
        found: dict[str, np.ndarray] = {}
        for name in file.names(f"{path}/{number}"):
            at = f"{path}/{number}/{name}"
            if name not in ("weights", "indptr", "indices"):
                raise InputError("unknown dataset", file=file.path, key=at, allowed=["weights", "indptr", "indices"])
            if name == "weights":
                found[name] = file.array(at, "if", (1, 2, 3, 4), limit=room)
            else:
                found[name] = file.array(at, "i", 1, limit=room)
            found[name] = found[name].astype(found[name].dtype.newbyteorder("="), copy=False)
            room -= found[name].nbytes
        arrays[item["name"]] = found
    return arrays
