"""What the documents name exists: files, commands, benchmarks, bundled chips."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulator.cli import cli
from simulator.resources import list_resources
from tests.unit.source_tree import ROOT

DOCUMENTS = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "KNOWN_GAPS.md")]
FOLDERS = ("simulator", "hwconfigs", "traces", "benchmarks", "tests", ".ci")


def shown(path: Path) -> str:
    return path.name


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_named_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = re.findall(r"`([\w./-]+)`", text) + re.findall(r"\]\(([^)#:]+)\)", text)
    paths = {name for name in named if name.endswith(".md") or name.split("/")[0] in FOLDERS}
    missing = sorted(name for name in paths if "NAME" not in name and not (ROOT / name).exists())
    assert not missing, f"{document.name} names {missing}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=shown)
def test_named_commands_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for command in re.findall(r"neurocycle (\w+)", "\n".join(re.findall(r"`[^`]+`|```.*?```", text, re.DOTALL))):
        assert command in cli.commands, f"{document.name} names the command {command}"
    for module in re.findall(r"python -m benchmarks\.(\w+)", text):
        assert (ROOT / "benchmarks" / f"{module}.py").is_file(), f"{document.name} names benchmarks.{module}"


def test_readme_starts_with_the_two_commands_that_are_checked() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"```\n(.*?)\n```", readme, re.DOTALL)[:2]
    assert commands == ["pip install . && neurocycle demo", 'pip install ".[test]" && pytest']
    checked = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert all(command in checked for command in commands)


def test_readme_lists_every_bundled_chip() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert all(f"| `{name}` |" in readme for name in list_resources("hwconfigs"))
