"""YAML is read as plain data with places; everything else it can do is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulator.errors import InputError
from simulator.hardware.document import MAX_BYTES, MAX_DEPTH, MAX_NODES, parse_document, read_document


def refusal(text: str | bytes) -> str:
    with pytest.raises(InputError) as caught:
        parse_document(text, "f.yaml")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", 3),
        ("-7", -7),
        ("0x1F", 31),
        ("0b101", 5),
        ("1_000", 1000),
        ("+5", 5),
        ("1e-12", 1e-12),
        ("500e6", 5e8),
        ("1.5E3", 1500.0),
        (".5", 0.5),
        ("1_0.5", 10.5),
        ("-2.5e-3", -0.0025),
        ("'1e-12'", "1e-12"),
        ('"3"', "3"),
        ("1e-12x", "1e-12x"),
        ("true", True),
        ("No", False),
        ("~", None),
        ("null", None),
        ("none", "none"),
        ("2024-10-07", "2024-10-07"),
        ("=", "="),
        ("!!str 5", "5"),
        ("!!int 5", 5),
        ("[1, [a]]", [1, ["a"]]),
        ("{a: {b: }}", {"a": {"b": None}}),
        ("{a: &x 3, b: *x}", {"a": 3, "b": 3}),
        ("{1: a, on: b}", {"1": "a", "on": "b"}),
    ],
)
def test_plain_values(text: str, value: object) -> None:
    found = parse_document(text, "f.yaml").plain()
    assert found == value and type(found) is type(value)


def test_the_line_of_an_entry_is_that_of_its_key() -> None:
    root = parse_document("a: 1\nb:\n  - x\n  -\n    c:\n      4\n", "f.yaml")
    assert root.data["b"].line == 2
    assert root.data["b"].data[0].line == 3
    assert root.data["b"].data[1].data["c"].line == 5
    assert root.find(["b", "nothing"]).line == 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["f.yaml:1: ", "empty"]),
        ("a: 1\na: 2\n", ["f.yaml:2: a: duplicate key (first in line 1)"]),
        ("x:\n  a: 1\n  'a': 2\n", ["f.yaml:3: x.a: duplicate key (first in line 2)"]),
        ("a: 1\nb: !!python/object/apply:os.system [ls]\n", ["f.yaml:2: b: this tag", "found '!!python/object"]),
        ("a: !!python/name:os.system ''", ["f.yaml:1: a: this tag"]),
        ("a: !mine 3", ["this tag", "!mine"]),
        ("!!set {a}", ["this tag", "!!set"]),
        ("!!python/none k: 1", ["this tag"]),
        ("!own k: 1", ["this tag", "!own"]),
        ("a: !!binary aGk=", ["this tag", "!!binary"]),
        ("b: &x {k: 1}\na:\n  <<: *x\n", ["f.yaml:3: a: merge keys", "extends"]),
        ("a: &x\n  b: *x\n", ["f.yaml:2: a.b: an alias refers to a value that contains it"]),
        ("&x [1, *x]", ["an alias refers to a value that contains it"]),
        ("a: *x", ["f.yaml:1: ", "not valid YAML", "undefined alias"]),
        ("a: [1\nb: 2\n", ["f.yaml:2: ", "not valid YAML"]),
        ("a: 1\n---\nb: 2\n", ["f.yaml:2: ", "not valid YAML"]),
        ("a: \t- b", ["not valid YAML"]),
        ("a: \x07", ["not valid YAML"]),
        ("? [1, 2]\n: 3", ["a key must be a word"]),
        ("? ''\n: 3", ["a key must be a word"]),
        ("a: 010", ["f.yaml:1: a: not a plain integer", "found '010'"]),
        ("a: 1:30", ["not a plain integer", "found '1:30'"]),
        ("a: 1:30.5", ["not a finite number"]),
        ("a: " + "9" * 5000, ["not a plain integer"]),
        ("a: .NaN", ["f.yaml:1: a: not a finite number"]),
        ("a: 1e400", ["not a finite number"]),
        ("a: !!float x", ["not a finite number"]),
        ("a: !!int x", ["not a plain integer"]),
        ("a: !!bool x", ["this tag"]),
        (b"a: \xff", ["not UTF-8"]),
        ("a: '\ud800'", ["not UTF-8"]),
        (b" " * (MAX_BYTES + 1), ["too large", str(MAX_BYTES)]),
    ],
)
def test_everything_else_is_refused(text: str | bytes, parts: list[str]) -> None:
    message = refusal(text)
    assert "\n" not in message
    for part in parts:
        assert part in message


def test_aliases_that_multiply_are_refused_before_memory_is_taken() -> None:
    rows = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    rows += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    assert f"at most {MAX_NODES}" in refusal("\n".join(rows))


def test_long_and_deep_files_are_refused() -> None:
    assert f"at most {MAX_NODES}" in refusal("- 1\n" * (MAX_NODES + 1))
    assert f"at most {MAX_DEPTH} levels" in refusal("[" * 100_000)
    assert "not valid YAML" in refusal("[" * MAX_DEPTH)
    assert parse_document("[" * MAX_DEPTH + "]" * MAX_DEPTH, "f.yaml").size() == MAX_DEPTH
    # Each alias adds a level although the text stays flat.
    chain = ["- &a0 [x]"] + [f"- &a{i} [*a{i - 1}]" for i in range(1, 40)]
    assert f"at most {MAX_DEPTH} levels" in refusal("\n".join(chain))


def test_files(tmp_path: Path) -> None:
    for path, reason in (
        (tmp_path / "none.yaml", "no such file"),
        (tmp_path, "not a file"),
        (tmp_path / ("x" * 300), "cannot be read"),
        (Path("/dev/zero"), "not a file"),
    ):
        with pytest.raises(InputError, match=reason):
            read_document(path)
    good = tmp_path / "good.yaml"
    good.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read_document(good).plain() == {"a": 1}
