"""Draw the rooms of the package from the contracts and from the imports: ``python docs/rooms.py`` writes images/rooms.svg."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "rooms.svg"

COLOURS = {
    "light": {"paper": "#ffffff", "ink": "#1f2328", "quiet": "#57606a", "box": "#eaeef2", "mark": "#0550ae"},
    "dark": {"paper": "#14181e", "ink": "#e6edf3", "quiet": "#9da7b3", "box": "#262d36", "mark": "#79b8ff"},
}  # fmt: skip
"""The picture brings its own paper, so that it can be read on a page of either kind."""

_WIDTH = 1120
_STEP_X, _STEP_Y, _BOX = 84, 30, 24
_CHARACTER, _PADDING, _GAP = 7.3, 12, 6


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


def contracts(pyproject: Path) -> list[dict[str, Any]]:
    """Return import-linter's contracts, as they stand."""
    table = tomllib.loads(pyproject.read_text(encoding="utf-8"))
    found: list[dict[str, Any]] = table["tool"]["importlinter"]["contracts"]
    return found


def layers_of(listed: list[dict[str, Any]], container: str) -> list[list[str]]:
    """Return the layers inside a package from the top down, each with its modules."""
    for contract in listed:
        if contract["type"] == "layers" and contract["containers"] == [container]:
            return [[each.strip() for each in layer.split("|")] for layer in contract["layers"]]
    raise ValueError(f"no contract of layers inside {container}")


def between_rooms(graph: dict[str, set[str]]) -> set[tuple[str, str]]:
    """Return which room imports which."""
    pairs = {
        (importer.split(".")[1], name.split(".")[1])
        for importer, names in graph.items()
        for name in names
        if "." in importer and "." in name
    }
    return {(above, below) for above, below in pairs if above != below}


def drawing(package: Path, pyproject: Path) -> str:
    """Return the picture: a staircase of rooms, the floors inside raster, method, analysis and outputs, the other contracts in words."""
    listed = contracts(pyproject)
    rooms = [name for layer in layers_of(listed, package.name) for name in layer]
    others = [contract["name"] for contract in listed if contract["type"] != "layers"]
    stairs = _stairs(rooms, between_rooms(imports(package)))
    top = 56 + len(rooms) * _STEP_Y + 40
    raster, method, analysis, outputs = (
        layers_of(listed, f"{package.name}.{name}")
        for name in ("raster", "method", "analysis", "outputs")
    )
    lower = top + 30 + len(method) * _STEP_Y + 20
    lowest = lower + 30 + len(analysis) * _STEP_Y + 20
    floors = [
        *_floors("inside raster", raster, 20, top),
        *_floors("inside method", method, 420, top),
        *_floors("inside analysis", analysis, 420, lower),
        *_floors("inside outputs", outputs, 420, lowest),
    ]
    below = max(top + len(raster) * _STEP_Y, lowest + len(outputs) * _STEP_Y) + 50
    words = [_text(20, below, "held as well", "head")]
    words += [
        _text(20, below + 22 * number, text, "quiet") for number, text in enumerate(others, start=1)
    ]
    height = below + 22 * len(others) + 20
    title = "The rooms of carbongrid: each imports only from those below it"
    body = "\n".join([*stairs, *floors, *words])
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="title">
<title id="title">{title}</title>
<style>
{_style("light")}
@media (prefers-color-scheme: dark) {{
{_style("dark")}
}}
</style>
<rect class="paper" width="{_WIDTH}" height="{height}" rx="6"/>
{body}
</svg>
"""


def _style(kind: str) -> str:
    of = COLOURS[kind]
    return "\n".join(
        [
            f".paper {{ fill: {of['paper']}; }}",
            f".box {{ fill: {of['box']}; stroke: {of['quiet']}; }}",
            f"text {{ fill: {of['ink']}; font: 13px system-ui, sans-serif; }}",
            f"text.quiet {{ fill: {of['quiet']}; }}",
            "text.head { font-weight: 600; }",
            "text.name { font: 12px ui-monospace, monospace; text-anchor: middle; }",
            f".does {{ fill: {of['mark']}; stroke: {of['mark']}; }}",
            f".may {{ fill: none; stroke: {of['quiet']}; }}",
        ]
    )


def _stairs(rooms: list[str], pairs: set[tuple[str, str]]) -> list[str]:
    """Draw each room a step lower than what imports it; on its row a dot under whatever it imports."""
    drawn = [
        '<circle class="does" cx="26" cy="24" r="5"/>',
        _text(38, 28, "the room of the row imports the room of the column"),
        '<circle class="may" cx="446" cy="24" r="4"/>',
        _text(458, 28, "it may, and does not"),
    ]
    for row, above in enumerate(rooms):
        y = 50 + row * _STEP_Y
        drawn += _box(20 + row * _STEP_X, y, _STEP_X - _GAP, above)
        for column, below in enumerate(rooms):
            if column > row:
                kind, radius = ("does", 5) if (above, below) in pairs else ("may", 4)
                x = 20 + column * _STEP_X + (_STEP_X - _GAP) // 2
                drawn.append(f'<circle class="{kind}" cx="{x}" cy="{y + _BOX // 2}" r="{radius}"/>')
    return drawn


def _floors(title: str, layers: list[list[str]], left: int, top: int) -> list[str]:
    drawn = [_text(left, top, title, "head")]
    for row, layer in enumerate(layers):
        x: float = left
        for name in layer:
            width = round(len(name) * _CHARACTER + _PADDING)
            drawn += _box(x, top + 12 + row * _STEP_Y, width, name)
            x += width + _GAP
    return drawn


def _box(x: float, y: float, width: float, name: str) -> list[str]:
    return [
        f'<rect class="box" x="{x:g}" y="{y:g}" width="{width:g}" height="{_BOX}" rx="3"/>',
        _text(x + width / 2, y + 16, name, "name"),
    ]


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:g}" y="{y:g}">{escape(text)}</text>'


def main() -> None:
    """Draw the picture again."""
    PICTURE.write_text(drawing(ROOT / "carbongrid", ROOT / "pyproject.toml"), encoding="utf-8")


if __name__ == "__main__":
    main()
