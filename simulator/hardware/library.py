"""Ready groups of fields in a bundled file, used by name: `adc: sar_neurosim65_5b`."""

from __future__ import annotations

import functools
from dataclasses import replace

from pydantic import BaseModel

from simulator.errors import unknown
from simulator.hardware.document import Node, read_document
from simulator.hardware.merge import mark
from simulator.resources import resource_folder


def named_part(group: type[BaseModel], node: Node, key: str) -> Node:
    """The group of fields that a text names in the library of `group`; any other node as it is.

    Raises InputError, with the nearest name, when the library has no such entry.
    """
    library = getattr(group, "LIBRARY", "")
    if not library or not isinstance(node.data, str):
        return node
    entries = library_entries(library)
    if node.data not in entries:
        raise unknown(f"name in {library}", node.data, entries, file=node.file, line=node.line, key=key)
    entry = entries[node.data]
    return entry.with_entry("name", replace(node, data=node.data))


@functools.cache
def library_entries(library: str) -> dict[str, Node]:
    """Name -> group of the bundled file `library`, bare numbers marked with the source of their entry."""
    root = read_document(resource_folder("hwconfigs") / f"{library}.yaml")
    entries = root.data[library]
    return {name: mark(entry, (None, None), f"{library}.{name}.") for name, entry in entries.data.items()}
