"""Suite files: which networks, mappings and spikes a suite is made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from simulator.costmodel.architectures import FAMILIES
from simulator.costmodel.wishes import DEFAULT
from simulator.errors import nearest, unknown
from simulator.hardware.document import Node, read_document

SCHEMA = "neurocycle.suite/1"
FOLDER = Path(__file__).with_name("suites")
CHIPS = ("pe_array", "cim_tile", "cmos_core")
"""Unit types that tell kinds of chips apart; of a chip with several, the first counts."""
TOP = ("schema", "description", "groups")
GROUP = (
    "family", "count", "networks", "recorded", "architecture", "steps", "samples", "mappings", "settings", "drawn",
    "clustered", "trained",
)  # fmt: skip
SOURCES = ("family", "networks", "recorded")
MOST = 4096
"""Largest count of anything that a suite file states."""


@dataclass(frozen=True)
class Group:
    """Networks that share mappings and kinds of spikes; what comes by chip is keyed by unit type, see `CHIPS`.

    family, count        chip -> family of drawn architectures, and how many of them;  or
    networks             names as in `load_network`;  or
    recorded             kinds of recordings
    architecture         name under which all of them are held out together; "": each on its own
    steps                timesteps, taken in turn by network after network;  samples: of every case
    mappings             chip -> wishes, see `simulator.costmodel.wishes`
    settings             overrides of the chip, "unit.field=value" words or "default", taken in turn likewise
    drawn, clustered     lists of densities, taken in turn by mapping after mapping
    trained              first samples of the bundled trace of the network
    """

    family: dict[str, str] = field(default_factory=dict)
    count: int = 0
    networks: tuple[str, ...] = ()
    recorded: tuple[str, ...] = ()
    architecture: str = ""
    steps: tuple[int, ...] = (4,)
    samples: int = 1
    mappings: dict[str, tuple[str, ...]] = field(default_factory=dict)
    settings: tuple[str, ...] = (DEFAULT,)
    drawn: tuple[tuple[float, ...], ...] = ()
    clustered: tuple[tuple[float, ...], ...] = ()
    trained: tuple[int, ...] = ()


def suite_names() -> list[str]:
    """Names of the suites that ship with the product."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def read_suite(name: str) -> tuple[str, tuple[Group, ...]]:
    """(name, groups) of a bundled suite or of a suite file; InputError with the place of the first defect."""
    path = Path(name)
    if "/" in name or path.suffix in (".yaml", ".yml"):
        return path.stem, _suite(read_document(path))
    if name not in suite_names():
        raise unknown("suite", name, suite_names())
    return name, _suite(read_document(FOLDER / f"{name}.yaml"))


def _suite(node: Node) -> tuple[Group, ...]:
    top = _table(node, TOP, "")
    for key in TOP:
        if key not in top and key != "description":
            raise node.error("a suite needs this key", key=key)
    if top["schema"].data != SCHEMA:
        raise top["schema"].error("not a suite file", key="schema", found=top["schema"].plain(), allowed=[SCHEMA])
    return tuple(_group(each, f"groups[{i}]") for i, each in enumerate(_items(top["groups"], "groups")))


def _group(node: Node, key: str) -> Group:
    table = _table(node, GROUP, key)
    sources = [name for name in SOURCES if name in table]
    if len(sources) != 1:
        raise node.error("a group has one source of networks", key=key, found=sources, allowed=SOURCES)
    if "mappings" not in table:
        raise node.error("a group needs mappings", key=f"{key}.mappings")
    found: dict[str, Any] = {}
    for name, child in table.items():
        where = f"{key}.{name}"
        if name == "family":
            found[name] = {chip: _family(each, f"{where}.{chip}") for chip, each in _table(child, CHIPS, where).items()}
        elif name == "mappings":
            found[name] = {
                chip: tuple(_text(each, f"{where}.{chip}") for each in _items(texts, f"{where}.{chip}"))
                for chip, texts in _table(child, CHIPS, where).items()
            }
        elif name in ("networks", "recorded", "settings"):
            found[name] = tuple(_text(each, where) for each in _items(child, where))
        elif name in ("drawn", "clustered"):
            found[name] = tuple(
                tuple(_density(each, where) for each in _items(some, where)) for some in _items(child, where)
            )
        elif name in ("steps", "trained"):
            low = 1 if name == "steps" else 0
            found[name] = tuple(_count(each, where, low) for each in _items(child, where))
        elif name == "architecture":
            found[name] = _text(child, where)
        else:
            found[name] = _count(child, where, 1)
    if "family" in table and "count" not in table:
        raise node.error("how many architectures are drawn?", key=f"{key}.count")
    return Group(**found)


def _table(node: Node, keys: tuple[str, ...], key: str) -> dict[str, Node]:
    """A mapping whose keys are known."""
    if not isinstance(node.data, dict):
        raise node.error("a mapping is expected", key=key or None, found=node.plain(), allowed=keys)
    for name, child in node.data.items():
        if name not in keys:
            where = f"{key}.{name}" if key else str(name)
            raise child.error("unknown key", key=where, allowed=keys, nearest=nearest(name, keys))
    found: dict[str, Node] = node.data
    return found


def _items(node: Node, key: str) -> list[Node]:
    """A list that is not empty."""
    if not isinstance(node.data, list) or not node.data:
        raise node.error("a list is expected", key=key, found=node.plain())
    return node.data


def _text(node: Node, key: str) -> str:
    if not isinstance(node.data, str) or not node.data:
        raise node.error("a text is expected", key=key, found=node.plain())
    return node.data


def _family(node: Node, key: str) -> str:
    name = _text(node, key)
    if name not in FAMILIES:
        raise node.error("unknown family", key=key, found=name, allowed=FAMILIES, nearest=nearest(name, FAMILIES))
    return name


def _count(node: Node, key: str, low: int) -> int:
    value = node.data
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= MOST:
        raise node.error("must be an integer", key=key, found=node.plain(), allowed=f"{low} .. {MOST}")
    return value


def _density(node: Node, key: str) -> float:
    value = node.data
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise node.error("a density is a number", key=key, found=node.plain(), allowed="0 .. 1")
    return float(value)


