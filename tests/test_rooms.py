"""The house: rooms on one staircase, no import circle, an engine that stands alone."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from data import ROOT

PACKAGE = ROOT / "carbongrid"

ROOMS = (
    *("cli", "sources", "pipeline", "outputs", "run_store"),
    *("case", "inventory", "method", "raster", "errors"),
)
"""From the top down; the contracts of pyproject.toml hold them to it."""


def modules(package: Path) -> dict[str, Path]:
    """Return the modules below a package's folder by their dotted names."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports of a module, those inside functions included, those for type checkers not."""
    if isinstance(tree, ast.Import | ast.ImportFrom):
        yield tree
    for node in ast.iter_child_nodes(tree):
        if not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield from imported(node)


def imports(package: Path) -> dict[str, set[str]]:
    """Return for each module the modules of the same package that it imports."""
    known = modules(package)
    graph: dict[str, set[str]] = {}
    for name, path in known.items():
        found = graph.setdefault(name, set())
        for node in imported(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom):
                inside = [f"{node.module}.{each.name}" for each in node.names]
                found |= {each if each in known else str(node.module) for each in inside}
            else:
                found |= {each.name for each in node.names}
        found &= set(known)
        found.discard(name)
    return graph


def circle(package: Path) -> list[str]:
    """Return the modules of an import circle, none if there is none."""
    try:
        graphlib.TopologicalSorter(imports(package)).prepare()
    except graphlib.CycleError as error:
        return [str(each) for each in error.args[1]]
    return []


def test_no_import_circle() -> None:
    assert circle(PACKAGE) == []


@pytest.mark.parametrize(
    "text", ["from toy.b import x", "import toy.b", "def f():\n    from toy import b"]
)
def test_a_circle_would_be_noticed(tmp_path: Path, text: str) -> None:
    """Function-level imports included; imports for type checkers are none."""
    toy = tmp_path / "toy"
    toy.mkdir()
    (toy / "__init__.py").touch()
    (toy / "b.py").write_text("from toy.a import y\n", encoding="utf-8")
    (toy / "a.py").write_text(f"{text}\n", encoding="utf-8")
    assert set(circle(toy)) == {"toy.a", "toy.b"}
    for_checkers = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from toy.b import x\n"
    (toy / "a.py").write_text(for_checkers, encoding="utf-8")
    assert circle(toy) == []


def test_ten_rooms() -> None:
    entries = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert entries == {*ROOMS, "__init__", "__main__"}


def test_raster_stands_alone() -> None:
    """All of the engine's modules are imported in a new process, and no module of another room is there."""
    names = [name for name in modules(PACKAGE) if name.startswith("carbongrid.raster")]
    code = f"""
import importlib, sys
for name in {names!r}:
    importlib.import_module(name)
rooms = {{name.split(".")[1] for name in sys.modules if name.startswith("carbongrid.")}}
print(*sorted(rooms))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["errors", "raster"]


def test_names_of_the_engine_are_those_of_the_package() -> None:
    import carbongrid as cg
    import carbongrid.raster as engine

    for name in engine.__all__:
        assert getattr(engine, name) is getattr(cg, name, getattr(engine, name))
    with pytest.raises(AttributeError, match="no attribute 'carbon'"):
        engine.carbon  # noqa: B018
