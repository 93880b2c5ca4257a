"""A YAML file as a tree that remembers where each value was written.

Only plain data comes out.  Tags other than those of the core types, recursive aliases, aliases that expand to too
many values, duplicate keys, merge keys, numbers that are not finite and numbers that YAML 1.1 reads in a surprising
way (010 is 8, 1:30 is 90) are refused, each with file and line.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from simulator.errors import InputError

MAX_BYTES = 4 * 2**20
MAX_NODES = 200_000
MAX_DEPTH = 32
MAX_DIGITS = 64

_TAG = "tag:yaml.org,2002:"
_STRINGS = {_TAG + "str", _TAG + "timestamp", _TAG + "value"}
_KEYS = _STRINGS | {_TAG + kind for kind in ("null", "bool", "int", "float")}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?0b[01_]+")
_EXPONENT = re.compile(r"[-+]?[0-9]+(\.[0-9]*)?[eE][-+]?[0-9]+")
"""Such as 1e-12 and 500e6: strings for YAML 1.1, numbers for everybody else."""
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Node:
    """A value and its place.

    data: dict[str, Node], list[Node], or a str, int, float, bool or None.
    file, line: where it was written; the line of a mapping's entry is that of its key.
    default: (source, grade) that hold for bare numbers written here; see `merge`.
    """

    data: Any
    file: str
    line: int | None
    default: tuple[str | None, str | None] = (None, None)

    def plain(self) -> Any:
        """The value as ordinary dicts, lists and scalars."""
        if isinstance(self.data, dict):
            return {key: child.plain() for key, child in self.data.items()}
        if isinstance(self.data, list):
            return [child.plain() for child in self.data]
        return self.data

    def find(self, path: list[str]) -> Node:
        """The deepest node on a path of keys: where to point when the end of the path does not exist."""
        node = self
        for key in path:
            if not isinstance(node.data, dict) or key not in node.data:
                break
            node = node.data[key]
        return node

    def size(self) -> int:
        """Number of values, this one included."""
        if isinstance(self.data, dict):
            return 1 + sum(child.size() for child in self.data.values())
        return 1 + sum(child.size() for child in self.data) if isinstance(self.data, list) else 1

    def with_entry(self, key: str, child: Node) -> Node:
        """The same mapping with one entry set."""
        return replace(self, data={**self.data, key: child})

    def error(self, message: str, key: str | None = None, **parts: Any) -> InputError:
        """An InputError that points here."""
        return InputError(message, file=self.file, line=self.line, key=key, **parts)


def read_document(path: Path) -> Node:
    """Tree of the YAML file at `path`; every defect of the file is an InputError."""
    try:
        if not path.is_file():
            raise InputError("not a file" if path.exists() else "no such file", file=path)
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror})", file=path) from None
    return parse_document(data, str(path))


def parse_document(data: bytes | str, file: str) -> Node:
    """Tree of YAML text; `file` names it in messages."""
    if len(data) > MAX_BYTES:
        raise InputError("the file is too large", file=file, allowed=f"at most {MAX_BYTES} bytes")
    try:
        text = data.decode("utf-8-sig") if isinstance(data, bytes) else data
        _check_shape(text, file)
        root = yaml.compose(text, Loader=_Loader)
    except UnicodeError:
        raise InputError("not UTF-8 text", file=file) from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "unreadable text"
        raise InputError(f"not valid YAML: {problem}", file=file, line=mark.line + 1 if mark else None) from None
    if root is None:
        raise InputError("the file is empty", file=file, line=1)
    return _Converter(file).convert(root, root.start_mark.line + 1, "", ())


def _check_shape(text: str, file: str) -> None:
    """Refuses text with too many or too deeply nested values before a tree of it is made."""
    depth = count = 0
    events: Iterator[yaml.Event] = yaml.parse(text, Loader=_Loader)
    for event in events:
        line = event.start_mark.line + 1 if event.start_mark else 1
        count += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise InputError("too deeply nested", file=file, line=line, allowed=f"at most {MAX_DEPTH} levels")
        if count > MAX_NODES:
            raise _too_many(file, line)


def _too_many(file: str, line: int) -> InputError:
    return InputError("too many values, aliases expanded", file=file, line=line, allowed=f"at most {MAX_NODES}")


class _Converter:
    """Turns a composed YAML node into `Node`s, counting every value as often as an alias repeats it."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.count = 0

    def convert(self, node: yaml.Node, line: int, key: str, above: tuple[int, ...]) -> Node:
        self.count += 1
        if self.count > MAX_NODES:
            raise _too_many(self.file, line)
        if id(node) in above:
            raise InputError("an alias refers to a value that contains it", file=self.file, line=line, key=key)
        # An alias can nest deeper than the text does.
        if len(above) > MAX_DEPTH:
            raise InputError("too deeply nested", file=self.file, line=line, allowed=f"at most {MAX_DEPTH} levels")
        within = (*above, id(node))
        if isinstance(node, yaml.MappingNode) and node.tag == _TAG + "map":
            return Node(self._mapping(node, key, within), self.file, line)
        if isinstance(node, yaml.SequenceNode) and node.tag == _TAG + "seq":
            items = [
                self.convert(child, child.start_mark.line + 1, f"{key}[{i}]", within)
                for i, child in enumerate(node.value)
            ]
            return Node(items, self.file, line)
        if isinstance(node, yaml.ScalarNode):
            return Node(self._scalar(node, line, key), self.file, line)
        raise self._tag(node, line, key)

    def _mapping(self, node: yaml.MappingNode, key: str, within: tuple[int, ...]) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for name_node, child in node.value:
            line = name_node.start_mark.line + 1
            if not (isinstance(name_node, yaml.ScalarNode) and name_node.value and name_node.value.isprintable()):
                raise InputError("a key must be a word", file=self.file, line=line, key=key)
            if name_node.tag == _TAG + "merge":
                raise InputError(
                    "merge keys are not supported",
                    file=self.file,
                    line=line,
                    key=key,
                    found="<<",
                    allowed="`extends:` of another file",
                )
            if name_node.tag not in _KEYS:
                raise self._tag(name_node, line, key)
            name = str(name_node.value)
            path = f"{key}.{name}" if key else name
            if name in entries:
                raise InputError(
                    f"duplicate key (first in line {entries[name].line})", file=self.file, line=line, key=path
                )
            entries[name] = self.convert(child, line, path, within)
        return entries

    def _scalar(self, node: yaml.ScalarNode, line: int, key: str) -> Any:
        text: str = node.value
        if node.tag in _STRINGS:
            # Quotes make a string of anything; only a bare 1e-12 is a number.
            return self._float(text, line, key) if not node.style and _EXPONENT.fullmatch(text) else text
        if node.tag == _TAG + "null":
            return None
        if node.tag == _TAG + "bool" and text.lower() in ("true", "yes", "on", "false", "no", "off"):
            return text.lower() in ("true", "yes", "on")
        if node.tag == _TAG + "int":
            if len(text) <= MAX_DIGITS and _INTEGER.fullmatch(text):
                return int(text.replace("_", ""), 0)
            raise InputError(
                "not a plain integer",
                file=self.file,
                line=line,
                key=key,
                found=text,
                allowed="decimal, 0x or 0b digits; quote it if it is text",
            )
        if node.tag == _TAG + "float":
            return self._float(text, line, key)
        raise self._tag(node, line, key)

    def _float(self, text: str, line: int, key: str) -> float:
        try:
            number = float(text.replace("_", ""))
        except ValueError:
            number = math.nan
        if len(text) > MAX_DIGITS or not math.isfinite(number):
            raise InputError(
                "not a finite number",
                file=self.file,
                line=line,
                key=key,
                found=text,
                allowed="a finite decimal number; quote it if it is text",
            )
        return number

    def _tag(self, node: yaml.Node, line: int, key: str) -> InputError:
        shown = str(node.tag).replace(_TAG, "!!")
        return InputError(
            "this tag is not allowed here",
            file=self.file,
            line=line,
            key=key,
            found=shown,
            allowed="plain mappings, lists, strings, numbers, booleans and null",
        )
