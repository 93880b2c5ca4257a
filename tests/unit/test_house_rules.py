"""Rules of CONTRIBUTING.md that a reader of the sources can check."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.source_tree import python_files, shown, tree_of

LIBRARY = python_files("simulator")
EVERYTHING = python_files("simulator", "tests", "benchmarks", "traces")
MAX_LINES = 400
FORBIDDEN_MODULES = {"pickle", "cPickle", "cloudpickle", "dill", "shelve", "marshal", "joblib"}
UNSAFE_YAML = {"unsafe_load", "unsafe_load_all", "full_load", "full_load_all", "UnsafeLoader", "FullLoader", "Loader",
               "CLoader", "CFullLoader", "CUnsafeLoader"}
COMPILED = {"njit", "jit", "vectorize", "guvectorize"}
# Written in two halves so that this file does not hold what it looks for.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X"]))


def public_definitions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Functions, classes and their methods whose names do not start with an underscore."""
    pending: list[ast.AST] = [tree]
    while pending:
        for node in ast.iter_child_nodes(pending.pop()):
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                yield node
                pending.append(node)
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
                yield node
            elif isinstance(node, ast.If | ast.Try):
                pending.append(node)


def decorators(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> set[str]:
    """Last names of a definition's decorators: `overload`, `setter`, `njit`."""
    found = set()
    for decorator in node.decorator_list:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        found.add(called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", ""))
    return found


def words_of_docstrings(tree: ast.Module) -> set[str]:
    """Every word of the docstrings of a module and its functions."""
    owners = [tree, *(node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))]
    return {word for owner in owners for word in re.findall(r"\w+", ast.get_docstring(owner) or "")}


@pytest.mark.parametrize("path", EVERYTHING, ids=shown)
def test_file_is_short_and_finished(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= MAX_LINES, f"{shown(path)} has {len(lines)} lines, {MAX_LINES} are allowed"
    wrong = [f"{shown(path)}:{n}: {line.strip()}" for n, line in enumerate(lines, 1) if UNFINISHED.search(line)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", LIBRARY, ids=shown)
def test_public_names_are_documented_and_typed(path: Path) -> None:
    tree = tree_of(path)
    wrong = [] if ast.get_docstring(tree) else [f"{shown(path)}: the module has no docstring"]
    described = words_of_docstrings(tree)
    for node in public_definitions(tree):
        where = f"{shown(path)}:{node.lineno}: {node.name}"
        if decorators(node) & {"overload", "setter"}:
            continue
        if not ast.get_docstring(node):
            wrong.append(f"{where} has no docstring")
        if isinstance(node, ast.ClassDef):
            continue
        a = node.args
        arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *(x for x in (a.vararg, a.kwarg) if x)]
        if decorators(node) & COMPILED:
            # A hint says neither shape nor dtype nor unit of an array, a kernel's docstring does.  A name means one
            # thing in one file and is described there once.
            wrong += [f"{where}: argument {x.arg} is not described" for x in arguments if x.arg not in described]
            continue
        if node.returns is None:
            wrong.append(f"{where} has no return type")
        wrong += [f"{where}: argument {x.arg} has no type" for x in arguments
                  if x.annotation is None and x.arg not in ("self", "cls")]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", LIBRARY, ids=shown)
def test_library_does_not_print(path: Path) -> None:
    wrong = [
        f"{shown(path)}:{node.lineno}"
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert path.name == "cli.py" or not wrong, f"print( in {wrong}"


@pytest.mark.parametrize("path", LIBRARY, ids=shown)
def test_files_are_read_safely(path: Path) -> None:
    wrong = []
    for node in ast.walk(tree_of(path)):
        line = f"{shown(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            wrong += [f"{line}: imports {name}" for name in names if name.split(".")[0] in FORBIDDEN_MODULES]
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "yaml":
            if node.attr in UNSAFE_YAML:
                wrong.append(f"{line}: yaml.{node.attr} builds arbitrary objects")
        elif isinstance(node, ast.Call):
            named = {k.arg: k.value for k in node.keywords}
            allow = named.get("allow_pickle")
            if allow is not None and not (isinstance(allow, ast.Constant) and allow.value is False):
                wrong.append(f"{line}: allow_pickle")
            if isinstance(node.func, ast.Attribute) and ast.unparse(node.func) in ("yaml.load", "yaml.load_all"):
                if "Loader" not in named and len(node.args) < 2:
                    wrong.append(f"{line}: yaml.load without a loader")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", LIBRARY, ids=shown)
def test_compiled_code_is_exact_and_cached(path: Path) -> None:
    wrong = []
    in_kernels = "kernels" in path.relative_to(path.parents[1]).parts or path.parent.name == "kernels"
    for node in ast.walk(tree_of(path)):
        line = f"{shown(path)}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Name | ast.Attribute) and ast.unparse(node).split(".")[-1] == "prange":
            wrong.append(f"{line}: prange: results would depend on the number of threads")
        if isinstance(node, ast.keyword) and node.arg in ("fastmath", "parallel"):
            wrong.append(f"{shown(path)}:{node.value.lineno}: {node.arg}")
        if not isinstance(node, ast.FunctionDef) or not decorators(node) & COMPILED:
            continue
        if not in_kernels:
            wrong.append(f"{line}: {node.name} is compiled outside simulator/kernels")
        for decorator in node.decorator_list:
            options = {k.arg: k.value for k in decorator.keywords} if isinstance(decorator, ast.Call) else {}
            cached = options.get("cache")
            if not (isinstance(cached, ast.Constant) and cached.value is True):
                wrong.append(f"{line}: {node.name} is compiled without cache=True")
    assert not wrong, "\n".join(wrong)
