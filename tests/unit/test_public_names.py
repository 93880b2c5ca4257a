"""The front door: one table of public names, each of which resolves."""

from __future__ import annotations

import ast
import tomllib

import pytest

import simulator
from tests.unit.source_tree import ROOT, tree_of


def test_table_is_all() -> None:
    assert sorted(simulator._HOME) == simulator.__all__


def test_types_for_checkers_are_the_same_names() -> None:
    """What a type checker sees (the TYPE_CHECKING block) is what the table gives at run time."""
    block = next(node for node in tree_of(ROOT / "simulator" / "__init__.py").body if isinstance(node, ast.If))
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert seen == simulator._HOME


@pytest.mark.parametrize("name", simulator.__all__)
def test_name_resolves(name: str) -> None:
    found = getattr(simulator, name)
    assert found.__name__ == name
    assert found.__doc__
    assert name in dir(simulator)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = simulator.nothing


def test_version_is_that_of_the_distribution() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == simulator.__version__
    assert project["scripts"] == {"neurocycle": "simulator.cli:main"}
