"""Mapping files: YAML in and out, with the line of whatever is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from simulator.errors import InputError, nearest
from simulator.mapping.crossbar.entry import ARRANGEMENTS, CrossbarMapping
from simulator.mapping.fusion.entry import FUSED_CHOICES, FusedMapping, Fusion
from simulator.mapping.mapping import CHOICES, DEFAULT_TIMESTEPS_HINT, LayerMapping, Mapping

SCHEMA = "neurocycle.mapping/1"
MAX_BYTES = 4 * 2**20
MAX_DEPTH = 8
TOP = ("schema", "hardware", "network", "timesteps", "timesteps_hint", "inputs", "fusion", "layers")
LAYER = ("cores", "tile_channels", "tile_rows", "input_parts", "weights", "weight_buffers", "state", "spikes")
CROSSBAR = ("unit", "arrangement", "copies", "first_pe")
FUSED = ("unit", "block", "node_timesteps", "columns")
REQUIRED_FUSED = ("unit", "block", "node_timesteps")
REQUIRED_TOP = tuple(name for name in TOP if name not in ("timesteps_hint", "fusion"))
REQUIRED_LAYER = ("cores", "tile_channels", "tile_rows")
REQUIRED_CROSSBAR = ("unit", "arrangement", "first_pe")
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def dump_mapping(mapping: Mapping, path: str | Path | None = None) -> str:
    """YAML text of `mapping`, which `load_mapping` reads back to an equal value; written to `path` if given."""
    text = yaml.dump(
        mapping.describe(), Dumper=_DUMPER, sort_keys=False, default_flow_style=None, width=120, allow_unicode=True
    )
    if path is not None:
        Path(path).write_text(text, encoding="utf-8")
    return text


def load_mapping(path: str | Path) -> Mapping:
    """The mapping in the YAML file `path`; InputError with file, line and key path where it is not one."""
    file = Path(path)
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise InputError("the file is too large for a mapping", file=path, found=size, allowed=f"<= {MAX_BYTES}")
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(f"the mapping cannot be read: {reason}", file=path) from None
    return parse_mapping(text, str(path))


def parse_mapping(text: str, file: str) -> Mapping:
    """As `load_mapping`, from text; `file` is the name that errors show."""
    return _Reader(file).mapping(_compose(text, file))


def _compose(text: str, file: str) -> yaml.Node:
    try:
        depth = 0
        for event in yaml.parse(text, Loader=_LOADER):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > MAX_DEPTH or isinstance(event, yaml.AliasEvent):
                problem = "nested too deeply" if depth > MAX_DEPTH else "anchors and aliases are not used"
                line = None if event.start_mark is None else event.start_mark.line + 1
                raise InputError(f"{problem} for a mapping", file=file, line=line)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = None if mark is None else mark.line + 1
        raise InputError(f"not valid YAML: {error.problem or error.context}", file=file, line=line) from None
    except yaml.YAMLError as error:
        raise InputError(f"not valid YAML: {str(error).splitlines()[0]}", file=file) from None
    if node is None:
        raise InputError("the file is empty", file=file, allowed=f"a mapping with the keys {', '.join(TOP)}")
    return node


def json_schema() -> dict[str, Any]:
    """JSON Schema of a mapping file, for editors."""
    count = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    fields: dict[str, Any] = {name: {"enum": list(CHOICES[name])} if name in CHOICES else count for name in LAYER}
    fields["cores"] = {"type": "array", "items": {"type": "string"}, "minItems": 1, "uniqueItems": True}
    layer = {
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED_LAYER),
        "properties": fields,
    }
    crossbar = {
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED_CROSSBAR),
        "properties": {
            "unit": {"type": "string"},
            "arrangement": {"enum": list(ARRANGEMENTS)},
            "copies": count,
            "first_pe": {**count, "minimum": 0},
        },
    }
    fused = {
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED_FUSED),
        "properties": {
            "unit": {"type": "string"},
            "block": {**count, "minimum": 0},
            "node_timesteps": {"enum": list(FUSED_CHOICES["node_timesteps"])},
            "columns": count,
        },
    }
    fusion = {
        "type": "object",
        "additionalProperties": False,
        "properties": {name: {"enum": list(FUSED_CHOICES[name])} for name in Fusion.__dataclass_fields__},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "neurocycle mapping",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED_TOP),
        "properties": {
            "schema": {"const": SCHEMA},
            "hardware": {"type": "string"},
            "network": {"type": "string"},
            "timesteps": {"enum": list(CHOICES["timesteps"])},
            "timesteps_hint": {**count, "default": DEFAULT_TIMESTEPS_HINT},
            "inputs": {"type": "object", "additionalProperties": {"enum": list(CHOICES["spikes"])}},
            "layers": {"type": "object", "additionalProperties": {"anyOf": [layer, crossbar, fused]}},
            "fusion": fusion,
        },
    }


class _Reader:
    """Turns nodes into values; every error names file, line and key path."""

    def __init__(self, file: str) -> None:
        self.file = file

    def _fail(self, node: yaml.Node, key: str, message: str, **parts: Any) -> InputError:
        return InputError(message, file=self.file, line=node.start_mark.line + 1, key=key or None, **parts)

    def mapping(self, node: yaml.Node) -> Mapping:
        items = self._items(node, "", TOP)
        for name in REQUIRED_TOP:
            if name not in items:
                raise self._fail(node, name, "the key is missing")
        schema = self._text(items["schema"], "schema")
        if schema != SCHEMA:
            raise self._fail(items["schema"], "schema", "unknown file version", found=schema, allowed=[SCHEMA])
        inputs = {
            name: self._choice("spikes", value, f"inputs.{name}")
            for name, value in self._items(items["inputs"], "inputs").items()
        }
        nodes = self._items(items["layers"], "layers")
        layers = tuple(self._layer(name, value) for name, value in nodes.items())
        for entry in layers:
            if type(entry) is not type(layers[0]):
                key, kinds = f"layers.{entry.layer}", "all layers on cores, or all on crossbars, or all cut into nodes"
                pair = {type(entry), type(layers[0])}
                what = "nodes and others" if FusedMapping in pair else "cores and crossbars"
                raise self._fail(nodes[entry.layer], key, f"{what} do not go together", allowed=kinds)
        hint = DEFAULT_TIMESTEPS_HINT
        if "timesteps_hint" in items:
            hint = self._count(items["timesteps_hint"], "timesteps_hint")
        return Mapping(
            hardware=self._text(items["hardware"], "hardware"),
            network=self._text(items["network"], "network"),
            timesteps=self._choice("timesteps", items["timesteps"], "timesteps"),
            layers=layers,
            inputs=inputs,
            timesteps_hint=hint,
            fusion=self._fusion(items["fusion"]) if "fusion" in items else None,
        )

    def _fusion(self, node: yaml.Node) -> Fusion:
        items = self._items(node, "fusion", tuple(Fusion.__dataclass_fields__))
        return Fusion(**{name: self._choice(name, value, f"fusion.{name}") for name, value in items.items()})

    def _fused(self, name: str, key: str, items: dict[str, yaml.Node], node: yaml.Node) -> FusedMapping:
        for field in REQUIRED_FUSED:
            if field not in items:
                raise self._fail(node, f"{key}.{field}", "the key is missing")
        return FusedMapping(
            layer=name,
            unit=self._text(items["unit"], f"{key}.unit"),
            block=self._count(items["block"], f"{key}.block", 0),
            node_timesteps=self._choice("node_timesteps", items["node_timesteps"], f"{key}.node_timesteps"),
            columns=self._count(items["columns"], f"{key}.columns") if "columns" in items else 1,
        )

    def _layer(self, name: str, node: yaml.Node) -> LayerMapping | CrossbarMapping | FusedMapping:
        """An entry with `block` is one of computation nodes, one with `unit` alone is one on crossbars."""
        key = f"layers.{name}"
        if isinstance(node, yaml.MappingNode) and any(k.value == "block" for k, _ in node.value):
            return self._fused(name, key, self._items(node, key, FUSED), node)
        if isinstance(node, yaml.MappingNode) and any(k.value == "unit" for k, _ in node.value):
            return self._crossbar(name, key, self._items(node, key, CROSSBAR), node)
        items = self._items(node, key, LAYER)
        for field in REQUIRED_LAYER:
            if field not in items:
                raise self._fail(node, f"{key}.{field}", "the key is missing")
        values: dict[str, Any] = {}
        for field, value in items.items():
            at = f"{key}.{field}"
            if field == "cores":
                values[field] = self._names(value, at)
            elif field in CHOICES:
                values[field] = self._choice(field, value, at)
            else:
                values[field] = self._count(value, at)
        return LayerMapping(layer=name, **values)

    def _crossbar(self, name: str, key: str, items: dict[str, yaml.Node], node: yaml.Node) -> CrossbarMapping:
        for field in REQUIRED_CROSSBAR:
            if field not in items:
                raise self._fail(node, f"{key}.{field}", "the key is missing")
        return CrossbarMapping(
            layer=name,
            unit=self._text(items["unit"], f"{key}.unit"),
            arrangement=self._choice("arrangement", items["arrangement"], f"{key}.arrangement"),
            copies=self._count(items["copies"], f"{key}.copies") if "copies" in items else 1,
            first_pe=self._count(items["first_pe"], f"{key}.first_pe", 0),
        )

    def _items(self, node: yaml.Node, key: str, known: tuple[str, ...] | None = None) -> dict[str, yaml.Node]:
        if not isinstance(node, yaml.MappingNode):
            raise self._fail(node, key, "keys and values are expected here", found=_shown(node))
        result: dict[str, yaml.Node] = {}
        for name_node, value in node.value:
            if not isinstance(name_node, yaml.ScalarNode):
                raise self._fail(name_node, key, "a key must be a name", found=_shown(name_node))
            name = name_node.value
            at = f"{key}.{name}" if key else name
            if known is not None and name not in known:
                raise self._fail(name_node, at, "unknown key", allowed=known, nearest=nearest(name, known))
            if name in result:
                raise self._fail(name_node, at, "the key appears twice")
            result[name] = value
        return result

    def _text(self, node: yaml.Node, key: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value:
            raise self._fail(node, key, "a name is expected here", found=_shown(node))
        return str(node.value)

    def _names(self, node: yaml.Node, key: str) -> tuple[str, ...]:
        if not isinstance(node, yaml.SequenceNode) or not node.value:
            raise self._fail(node, key, "a list of core names is expected here", found=_shown(node))
        names = tuple(self._text(item, f"{key}[{i}]") for i, item in enumerate(node.value))
        for i, name in enumerate(names):
            if name in names[:i]:
                raise self._fail(node.value[i], f"{key}[{i}]", "a core is named twice", found=name)
        return names

    def _count(self, node: yaml.Node, key: str, low: int = 1) -> int:
        digits = node.value if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:int" else ""
        if not (digits.isascii() and digits.isdecimal() and len(digits) <= 10 and low <= int(digits) < 2**31):
            raise self._fail(node, key, "must be an integer", found=_shown(node), allowed=f"{low} .. 2^31 - 1")
        return int(digits)

    def _choice(self, kind: str, node: yaml.Node, key: str) -> Any:
        allowed = ARRANGEMENTS if kind == "arrangement" else FUSED_CHOICES.get(kind) or CHOICES[kind]
        text = node.value if isinstance(node, yaml.ScalarNode) else None
        for value in allowed:
            if text == str(value):
                return value
        close = nearest(text, [str(v) for v in allowed]) if text else None
        raise self._fail(node, key, "not one of the choices", found=_shown(node), allowed=allowed, nearest=close)


def _shown(node: yaml.Node) -> Any:
    if isinstance(node, yaml.ScalarNode):
        return node.value
    return "a list" if isinstance(node, yaml.SequenceNode) else "keys and values"
