"""The house: rooms on one staircase, no import circle, an engine that stands alone."""

from __future__ import annotations

import ast
import graphlib
import importlib.util
import re
import subprocess
import sys
import tokenize
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from data import ROOT
from PIL import ImageColor

PACKAGE = ROOT / "carbongrid"

ROOMS = (
    *("cli", "sources", "analysis", "pipeline", "outputs", "run_store"),
    *("case", "inventory", "method", "raster", "errors"),
)
"""From the top down; the contracts of pyproject.toml hold them to it."""


SPEC = importlib.util.spec_from_file_location("rooms", ROOT / "docs" / "rooms.py")
assert SPEC is not None and SPEC.loader is not None
rooms = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(rooms)


def packages_of(module: str) -> set[str]:
    """Return the packages that a module lies in: each is imported before it."""
    names = module.split(".")
    return {".".join(names[:k]) for k in range(1, len(names))}


def run_by(importer: str, imported: set[str]) -> set[str]:
    """Return what is run for a module's imports: packages of what it imports, too, but those it lies in itself, which have begun."""
    every = {each for name in imported for each in {name, *packages_of(name)}}
    return every - packages_of(importer) - {importer}


def circle(package: Path) -> list[str]:
    """Return the modules of an import circle, none if there is none."""
    graph = rooms.imports(package)
    try:
        graphlib.TopologicalSorter({each: run_by(each, graph[each]) for each in graph}).prepare()
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


def test_a_circle_by_way_of_a_package_would_be_noticed(tmp_path: Path) -> None:
    """The module that a package's own file imports is run for whoever imports another of its modules; ``cg.LiveResult`` failed of it in a new session."""
    toy = tmp_path / "toy"
    (toy / "tables").mkdir(parents=True)
    (toy / "__init__.py").touch()
    (toy / "tables" / "__init__.py").write_text(
        "from toy.tables.reading import x\n", encoding="utf-8"
    )
    (toy / "tables" / "reading.py").write_text("from toy.plots import y\n", encoding="utf-8")
    (toy / "tables" / "headings.py").touch()
    (toy / "plots.py").write_text("from toy.tables.headings import z\n", encoding="utf-8")
    assert set(circle(toy)) == {"toy.plots", "toy.tables", "toy.tables.reading"}
    (toy / "tables" / "__init__.py").write_text("", encoding="utf-8")
    assert circle(toy) == []


def test_eleven_rooms() -> None:
    entries = {
        path.stem
        for path in PACKAGE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
    }
    assert entries == {*ROOMS, "__init__", "__main__"}


def test_pages_list_the_rooms_from_the_top_down() -> None:
    table = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## The way")[0]
    assert re.findall(r"^\| `(\w+)(?:/|\.py)` \|", table, re.MULTILINE) == [*ROOMS]
    short = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    assert re.findall(r"^    (\w+)(?: {2,}.*)?$", short, re.MULTILINE) == [*ROOMS]


def test_the_history_has_a_row_for_every_room() -> None:
    """Seen to fail: a room that came later had none. Each column adds up to its last row."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8").split("## History")[1]
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    _, _, *rooms_of, outside, whole = rows
    assert [name for name, *_ in rooms_of] == [*ROOMS]
    lines = [
        [int(number.replace(",", "") or 0) for number in row[1:]] for row in [*rooms_of, outside]
    ]
    assert [f"{sum(column):,}" for column in zip(*lines, strict=True)] == whole[1:]


def test_raster_stands_alone() -> None:
    """All of the engine's modules are imported in a new process, and no module of another room is there."""
    names = [name for name in rooms.modules(PACKAGE) if name.startswith("carbongrid.raster")]
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

    assert set(engine.__all__) - set(cg.__all__) == {"open_labels"}
    for name in set(engine.__all__) & set(cg.__all__):
        assert getattr(engine, name) is getattr(cg, name)
    with pytest.raises(AttributeError, match="no attribute 'carbon'"):
        engine.carbon  # noqa: B018


def test_the_picture_of_the_rooms_is_what_its_command_draws() -> None:
    """Seen to fail when a room imported one more, and when a contract was renamed: ``python docs/rooms.py`` draws it again."""
    drawn = rooms.drawing(PACKAGE, ROOT / "pyproject.toml")
    assert rooms.PICTURE.read_text(encoding="utf-8") == drawn


def test_the_picture_holds_all_that_the_contracts_name() -> None:
    root = ET.parse(rooms.PICTURE).getroot()
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    words = {each.text for each in root.iter("{http://www.w3.org/2000/svg}text")}
    listed = rooms.contracts(ROOT / "pyproject.toml")
    for contract in listed:
        names = contract["layers"] if contract["type"] == "layers" else [contract["name"]]
        assert {each for name in names for each in name.split(" | ")} <= words
    for box in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, y = float(box.get("x", 0)), float(box.get("y", 0))
        assert x + float(box.attrib["width"]) <= width
        assert y + float(box.attrib["height"]) <= height


def luminance(colour: str) -> float:
    parts = [each / 255 for each in ImageColor.getrgb(colour)]
    linear = [v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("kind", ["light", "dark"])
def test_the_picture_can_be_read_on_pages_of_both_kinds(kind: str) -> None:
    """By the contrast that WCAG asks of text; the picture has a paper of its own, so the page behind it does not count."""
    of = rooms.COLOURS[kind]
    for ink, paper in [("ink", "paper"), ("ink", "box"), ("quiet", "paper"), ("mark", "paper")]:
        dark, bright = sorted(luminance(of[name]) for name in (ink, paper))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (ink, paper)
    assert re.search(
        r'<rect class="paper" width="\d+" height="\d+"', rooms.PICTURE.read_text(encoding="utf-8")
    )


HOUSE_WORDS = {
    *("Talk", "Outlook", "Shelf", "shelved", "sealed", "Claims", "painted", "scanned", "halves", "carried"),
    *("Placed", "way_out", "require_tame_archive", "_told_apart", "homeless", "shelves", "working_with", "_Means"),
    *("told_if_full", "_PATIENCE", "with_way_out"),
}  # fmt: skip
"""Names that only this code knew; docs/decisions/0048 has those that took their place."""


def names_of(path: Path) -> set[str]:
    """Return the names in a module's code, without its text."""
    with tokenize.open(path) as stream:
        return {
            token.string
            for token in tokenize.generate_tokens(stream.readline)
            if token.type == tokenize.NAME
        }


def test_names_are_those_of_the_field() -> None:
    found = {name: names_of(path) for name, path in rooms.modules(PACKAGE).items()}
    assert {name: names & HOUSE_WORDS for name, names in found.items() if names & HOUSE_WORDS} == {}
    starts = ("MOST_", "LEAST_", "FEWEST_", "LARGEST_", "SMALLEST_")
    odd = {
        (name, each) for name, names in found.items() for each in names
        if each.isupper() and each.lstrip("_").startswith(starts)
    }  # fmt: skip
    assert odd == set()


def test_no_function_is_left_over() -> None:
    """A function or class that nothing else in the package names is called by nobody. Seen to fail with one that bands of labels had left."""
    files = [path for path in PACKAGE.rglob("*") if path.suffix in (".py", ".html")]
    texts = {path: path.read_text(encoding="utf-8") for path in files}
    named = Counter(word for text in texts.values() for word in re.findall(r"\w+", text))
    left = {
        node.name
        for path, text in texts.items() if path.suffix == ".py"
        for node in ast.parse(text).body
        # A decorator may register what it stands on, and Python calls __getattr__ of a module.
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.decorator_list
        and named[node.name] == 1 and not node.name.startswith("__")
    }  # fmt: skip
    assert left == {"read_inputs"}  # for who reads a case without a run


@pytest.mark.parametrize(
    ("library", "allowed"),
    [
        ("numba", {"raster.kernels"}),
        ("dask", {"raster.chunked", "pipeline", "cli"}),
        ("zarr", {"raster.label_store", "raster.opening", "raster.chunked", "pipeline.verification"}),
        ("pint", {"inventory.factors"}),
    ],
)  # fmt: skip
def test_a_contract_leaves_no_module_out(library: str, allowed: set[str]) -> None:
    """Each module is listed by the contract or may know the library by name. Seen to fail: a move had left modules out."""
    (listed,) = [
        set(each["source_modules"])
        for each in rooms.contracts(ROOT / "pyproject.toml")
        if library in each.get("forbidden_modules", [])
    ]
    known = {f"carbongrid.{name}" for name in allowed} | listed | {"carbongrid.errors"}
    packages = {
        "carbongrid", "carbongrid.__main__",
        *(f"carbongrid.{room}" for room in ("raster", "inventory", "pipeline")),
    }  # fmt: skip
    left = {
        name for name in set(rooms.modules(PACKAGE)) - packages
        if not any(name == each or name.startswith(f"{each}.") for each in known)
    }  # fmt: skip
    assert left == set()
