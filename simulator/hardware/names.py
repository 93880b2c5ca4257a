"""Names in a hardware file: units, ranges of units, and dotted paths to a field."""

from __future__ import annotations

import re

from simulator.errors import InputError

MAX_RANGE = 4096
"""Units that one range may stand for."""

_UNIT = re.compile(r"(?P<base>[A-Za-z_][A-Za-z0-9_]*)(\[(?P<index>[^\[\]]*)\])?")
_RANGE = re.compile(r"(?P<first>[0-9]{1,9})(\.\.(?P<last>[0-9]{1,9}))?")
_SEGMENT = re.compile(r"[^.\[\]]+(\[[^\[\]]*\])?")
_NAMES = "a word such as core, one of a row such as core[2], or a range such as core[0..3]"
_PATHS = "names joined by dots, such as core.scatter.lanes"


def expand(name: str) -> list[tuple[str, str, int | None]]:
    """(unit name, name without index, index or None) for each unit that `name` stands for.

    "core" is itself, "core[2]" one of a row, "core[0..3]" the four units core[0] to core[3].
    """
    match = _UNIT.fullmatch(name)
    if match is None:
        raise InputError("not a unit name", found=name, allowed=_NAMES)
    base, index = match["base"], match["index"]
    if index is None:
        return [(base, base, None)]
    span = _RANGE.fullmatch(index)
    first = int(span["first"]) if span else 0
    last = int(span["last"] or first) if span else -1
    if span is None or last < first or last - first >= MAX_RANGE:
        allowed = f"{base}[FIRST..LAST], FIRST <= LAST, at most {MAX_RANGE} units"
        raise InputError("bad range", found=name, allowed=allowed)
    return [(f"{base}[{i}]", base, i) for i in range(first, last + 1)]


def split_path(path: str) -> list[str]:
    """Segments of a dotted path; dots inside brackets do not separate: core[0..3].scatter.lanes has three."""
    segments, at = [], 0
    while True:
        match = _SEGMENT.match(path, at)
        if match is None:
            raise InputError("not a dotted path", found=path, allowed=_PATHS)
        segments.append(match[0])
        at = match.end()
        if at == len(path):
            return segments
        if path[at] != ".":
            raise InputError("not a dotted path", found=path, allowed=_PATHS)
        at += 1
