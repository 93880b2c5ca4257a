"""HDF5 files from strangers: every object is checked before a byte of its data is read.

HDF5 can point to other files (external links, external storage, virtual datasets), claim sizes without storage, and
unpack a small file into a very large array.  Readers of this package reach objects only through `HdfFile`, which
refuses all of that and turns whatever the HDF5 library raises into an `InputError` with the object's path.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from simulator.errors import InputError
from simulator.network.hdf5_heap import attribute_texts, read_strings

if TYPE_CHECKING:
    import h5py

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_CHUNK_BYTES = 16 * 2**20
"""Largest chunk that is unpacked: reading one element of a chunk unpacks all of it."""
MAX_ARRAY_BYTES = 2**30
"""Largest array that is read whole."""
DEFLATE_RATIO = 1032
"""Deflate cannot shrink data more than this, so a dataset that claims more than its storage can hold is a lie."""
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
CHUNK = 65536
_LIBRARY_ERRORS = (
    OSError,
    RuntimeError,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    OverflowError,
    UnicodeDecodeError,
    NotImplementedError,
)


def is_hdf5(path: Path) -> bool:
    """True when the file starts with the HDF5 signature."""
    with suppress(OSError), open(path, "rb") as file:
        return file.read(8) == SIGNATURE
    return False


@contextmanager
def translate(path: Path, key: str = "") -> Iterator[None]:
    """Turns errors of the HDF5 library into an `InputError` that names file and object."""
    try:
        yield
    except InputError:
        raise
    except MemoryError:
        raise InputError("the data does not fit into memory", file=path, key=key or None) from None
    except _LIBRARY_ERRORS as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"the file is damaged or not as expected ({text[:200]})", file=path, key=key or None) from None


@contextmanager
def naming(path: str | Path) -> Iterator[None]:
    """Puts the file's name before an `InputError` of checks that do not know it."""
    try:
        yield
    except InputError as error:
        if error.file == str(path):
            raise
        raise InputError(str(error), file=path) from None


class HdfFile:
    """A file opened for reading; a context manager.  Paths of objects are absolute, such as "/populations/conv1"."""

    def __init__(self, path: Path) -> None:
        import h5py

        self.path = Path(path)
        if not self.path.is_file():
            raise InputError("no such file", file=self.path)
        if not is_hdf5(self.path):
            raise InputError("not an HDF5 file", file=self.path, allowed="a file that starts with the HDF5 signature")
        with translate(self.path):
            self._file = h5py.File(self.path, "r", locking=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Releases the file."""
        with translate(self.path):
            self._file.close()

    def has(self, path: str) -> bool:
        """True when a hard link of that path exists (nothing behind other links is looked at)."""
        with translate(self.path, path):
            node: Any = self._file
            for part in _parts(path):
                if not hasattr(node, "keys") or part not in node:
                    return False
                node = self._member(node, part, path)
            return True

    def names(self, path: str, limit: int = 100_000) -> list[str]:
        """Names of the members of a group, sorted."""
        group = self.group(path)
        with translate(self.path, path):
            if len(group) > limit:
                raise InputError(
                    "too many members", file=self.path, key=path, found=len(group), allowed=f"at most {limit}"
                )
            return sorted(group.keys())

    def group(self, path: str) -> h5py.Group:
        """The group at `path`."""
        import h5py

        node = self._node(path)
        if not isinstance(node, h5py.Group):
            raise InputError("expected a group", file=self.path, key=path, found=type(node).__name__)
        return node

    def is_group(self, path: str) -> bool:
        """True when `path` exists and is a group."""
        import h5py

        return self.has(path) and isinstance(self._node(path), h5py.Group)

    def dataset(self, path: str, kinds: str, ndim: int | tuple[int, ...], *, lazy: bool = False) -> h5py.Dataset:
        """The dataset at `path` after all checks that need no data.

        `kinds` are the allowed numpy dtype kinds ("iu", "f", "S", and "O" for strings of variable length).
        A dataset that is read piece by piece (`lazy`) may exceed MAX_ARRAY_BYTES.
        """
        import h5py

        node = self._node(path)
        if not isinstance(node, h5py.Dataset):
            raise InputError("expected a dataset", file=self.path, key=path, found=type(node).__name__)
        with translate(self.path, path):
            self._check_dataset(node, path, kinds, (ndim,) if isinstance(ndim, int) else ndim, lazy)
        return node

    def array(self, path: str, kinds: str, ndim: int | tuple[int, ...], limit: int = MAX_ARRAY_BYTES) -> np.ndarray:
        """The whole dataset at `path`; `limit` is the largest size in bytes."""
        node = self.dataset(path, kinds, ndim)
        with translate(self.path, path):
            size = int(node.size or 0) * node.dtype.itemsize
            if size > limit:
                raise InputError(
                    "too large", file=self.path, key=path, found=f"{size} bytes", allowed=f"at most {limit}"
                )
            if node.dtype.kind == "O":
                return self._strings(node, path)
            return np.asarray(node[()])

    def text(self, path: str) -> str:
        """A scalar (or one-element) string dataset."""
        node = self.array(path, "SO", (0, 1), limit=2**16)
        value = node.reshape(-1)[0] if node.size == 1 else None
        if not isinstance(value, (bytes, str)):
            raise InputError("expected one string", file=self.path, key=path, found=value)
        with translate(self.path, path):
            return value.decode() if isinstance(value, bytes) else value

    def dataset_attribute(self, path: str, name: str, kinds: str, ndim: int) -> str | None:
        """A string attribute of a dataset, None where there is none; strings of variable length are decoded here.

        Attributes of that name must then have one value throughout the file, because it is found by name alone.
        """
        node = self.dataset(path, kinds, ndim)
        with translate(self.path, f"{path}.{name}"):
            if name not in node.attrs:
                return None
            handle = node.attrs.get_id(name)
            if handle.shape not in ((), (1,)) or not (handle.dtype.kind == "S" or _is_text(handle.dtype)):
                raise InputError("expected one string", file=self.path, key=f"{path}.{name}", found=str(handle.dtype))
            if handle.dtype.kind == "S":
                return np.asarray(node.attrs[name]).reshape(-1)[0].decode()
            values = {text.decode() for text in attribute_texts(self.path, name)}
        if len(values) != 1:
            raise InputError(
                "the attribute has several values in the file",
                file=self.path,
                key=f"{path}.{name}",
                found=sorted(values),
            )
        return values.pop()

    def attribute(self, name: str) -> str | None:
        """A string attribute of fixed length (at most 256 bytes) of the root group, None where there is none."""
        with translate(self.path, f"attribute {name}"):
            if name not in self._file.attrs:
                return None
            handle = self._file.attrs.get_id(name)
            if handle.dtype.kind != "S" or handle.dtype.itemsize > 256 or handle.shape not in ((), (1,)):
                return None
            return np.asarray(self._file.attrs[name]).reshape(-1)[0].decode()

    def _strings(self, node: h5py.Dataset, path: str) -> np.ndarray:
        """Object array of bytes, in the dataset's shape."""
        offset = node.id.get_offset()
        if node.chunks is not None or (offset is None and node.size):
            raise InputError("strings must be stored in one piece", file=self.path, key=path)
        texts = read_strings(self.path, offset, node.size, key=path) if node.size else []
        return np.array(texts, dtype=object).reshape(node.shape)

    def _node(self, path: str) -> Any:
        with translate(self.path, path):
            node: Any = self._file
            for part in _parts(path):
                if not hasattr(node, "keys") or part not in node:
                    raise InputError("missing", file=self.path, key=path)
                node = self._member(node, part, path)
            return node

    def _member(self, group: Any, name: str, path: str) -> Any:
        import h5py

        link = group.get(name, getlink=True)
        if not isinstance(link, h5py.HardLink):
            raise InputError("links to other places are refused", file=self.path, key=path, found=type(link).__name__)
        return group[name]

    def _check_dataset(self, node: h5py.Dataset, path: str, kinds: str, ndims: tuple[int, ...], lazy: bool) -> None:
        where: dict[str, Any] = {"file": self.path, "key": path}
        dtype = node.dtype
        if dtype.kind not in kinds or (dtype.kind == "O" and not _is_text(dtype)) or dtype.itemsize > 256:
            raise InputError("wrong data type", found=str(dtype), allowed=_kind_names(kinds), **where)
        if node.shape is None or len(node.shape) not in ndims:
            raise InputError("wrong number of dimensions", found=node.shape, allowed=[str(n) for n in ndims], **where)
        if node.is_virtual or node.external:
            raise InputError("data outside the file is refused", **where)
        plist = node.id.get_create_plist()
        for i in range(plist.get_nfilters()):
            code = plist.get_filter(i)[0]
            if code not in FILTERS:
                raise InputError("unknown compression filter", found=code, allowed=list(FILTERS.values()), **where)
        size = dtype.itemsize
        for n in node.shape:
            size *= int(n)
        chunk = dtype.itemsize
        for n in node.chunks or ():
            chunk *= int(n)
        if node.chunks and chunk > MAX_CHUNK_BYTES:
            raise InputError(
                "chunks are too large", found=f"{chunk} bytes", allowed=f"at most {MAX_CHUNK_BYTES}", **where
            )
        stored = node.id.get_storage_size()
        if size > stored * DEFLATE_RATIO:
            raise InputError(
                "claims more data than the file holds",
                found=f"shape {node.shape}, {stored} bytes stored",
                **where,
            )
        if not lazy and size > MAX_ARRAY_BYTES:
            raise InputError("too large", found=f"{size} bytes", allowed=f"at most {MAX_ARRAY_BYTES}", **where)


@contextmanager
def new_file(path: Path) -> Iterator[h5py.File]:
    """A new HDF5 file that appears under `path` only when everything was written.

    It is written under a temporary name in the same folder and renamed; on failure the temporary file is removed.
    Equal content gives equal bytes: no timestamps, a fixed file format version.
    """
    temporary = temporary_name(path)
    file = create(temporary)
    try:
        yield file
        file.close()
        os.replace(temporary, path)
    except BaseException:
        with suppress(Exception):
            file.close()
        temporary.unlink(missing_ok=True)
        raise


def temporary_name(path: Path) -> Path:
    """Hidden name beside `path`, unlike that of any other process."""
    return Path(path).with_name(f".{Path(path).name}.{os.getpid()}.partial")


def create(path: Path) -> h5py.File:
    """Opens a new file for writing with a fixed format version; a folder that cannot be written is an InputError."""
    import h5py

    try:
        return h5py.File(path, "w", libver=("earliest", "v110"))
    except OSError as error:
        raise InputError(f"cannot write here ({str(error).splitlines()[0]})", file=path.parent) from None


def add_array(group: h5py.Group, name: str, data: np.ndarray) -> None:
    """One array as a dataset: chunks of at most 64 Ki elements, shuffle, gzip 1; small ones are stored plainly."""
    if data.size <= 64:
        group.create_dataset(name, data=data, track_times=False)
        return
    chunks, room = [], CHUNK
    for n in reversed(data.shape):
        chunks.append(max(1, min(n, room)))
        room //= chunks[-1]
    group.create_dataset(
        name,
        data=data,
        chunks=tuple(reversed(chunks)),
        shuffle=True,
        compression="gzip",
        compression_opts=1,
        track_times=False,
    )


def _parts(path: str) -> list[str]:
    return [p for p in path.split("/") if p]


def _is_text(dtype: np.dtype) -> bool:
    import h5py

    return h5py.check_string_dtype(dtype) is not None


def _kind_names(kinds: str) -> list[str]:
    names = {"i": "signed integer", "u": "unsigned integer", "f": "float", "S": "string", "O": "string", "b": "bool"}
    return list(dict.fromkeys(names[k] for k in kinds))
