"""Files that ship with the product: bundled traces and hardware configs, found by name.

An installed wheel carries them in `simulator/_data/<kind>/`; a source tree in `<kind>/` beside the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from simulator.errors import unknown

Kind = Literal["traces", "hwconfigs"]
PARTS = ("adc_blocks",)
"""Files that others refer to by the names of their entries; they are no machines and are not listed."""
SUFFIXES: dict[str, tuple[str, ...]] = {"traces": (".h5",), "hwconfigs": (".yaml", ".yml")}


def resource_folder(kind: Kind) -> Path:
    """Folder that holds the bundled files of `kind` (it may be absent in a broken installation)."""
    package = Path(__file__).resolve().parent
    installed = package / "_data" / kind
    return installed if installed.is_dir() else package.parent / kind


def list_resources(kind: Kind) -> list[str]:
    """Names of the bundled files of `kind`, without suffix, in alphabetical order."""
    return sorted(_files(kind))


def find_resource(kind: Kind, name: str) -> Path:
    """Path of the bundled file `name` (with or without its suffix).

    Raises InputError that lists the names and the nearest one.
    """
    files = _files(kind)
    for candidate in (name, *(name.removesuffix(s) for s in SUFFIXES[kind] if name.endswith(s))):
        if candidate in files:
            return files[candidate]
    raise unknown(f"name in the bundled {kind}", name, files)


def _files(kind: Kind) -> dict[str, Path]:
    folder = resource_folder(kind)
    if not folder.is_dir():
        return {}
    files = {p.stem: p for p in sorted(folder.iterdir()) if p.suffix in SUFFIXES[kind] and p.is_file()}
    return {name: path for name, path in files.items() if name not in PARTS}
