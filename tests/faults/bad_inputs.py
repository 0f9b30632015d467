"""Input that is wrong in more than a hundred ways: exit code 2, words instead of a traceback, and nothing written."""

from __future__ import annotations

import csv
import functools
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.forking import Shell, side_by_side
from faults.ground import Ground
from faults.tally import Row

Spoil = Callable[[Path], object]

NUMBERS = ("NaN", "inf", "-1", "1e999", "many", "1,5")
COLUMNS = {
    "totals.csv": ("category", "value", "unit"),
    "facilities.csv": ("name", "category", "value", "unit"),
    "gdp.csv": ("region", "value"),
    "census.csv": ("region", "residents"),
    "pois.csv": ("lon", "lat", "typecode"),
    "people.csv": ("x", "y", "residents"),
}
NUMERIC = {
    "totals.csv": "value", "facilities.csv": "value", "gdp.csv": "value", "census.csv": "residents",
    "pois.csv": "lon", "people.csv": "residents",
}  # fmt: skip
FILES = ("parcels.gpkg", "townships.gpkg", "lines.gpkg", *COLUMNS)
NAMED = {"reduce": "weights", "electricity": "none", "resolution": "-3", "coarse": "0", "code_system": "mine",
         "overlap": "maybe", "repair": "yes", "by": "county", "lambda": "2", "miss": "far"}  # fmt: skip
SECTIONS = ("grid", "parcels", "units", "pois", "people", "lines", "totals", "facilities", "gdp")
PATHS = (
    "../secret.gpkg", "/etc/passwd", "sub/../../secret.gpkg", "https://example.org/a.gpkg", "/vsicurl/http://x/a.gpkg",
    "/vsizip/a.zip/b.gpkg", "link.gpkg", "PG:dbname=x", "//server/share/a.gpkg", "C:\\\\data\\\\a.gpkg", "file:///etc/passwd", "GPKG:parcels.gpkg",
)  # fmt: skip


def cases() -> Iterator[tuple[str, Spoil]]:
    """Yield a name and what spoils a copy of the city, case by case."""
    for table, column in NUMERIC.items():
        # A longitude of -1 is one; 400 is none, counted from wherever.
        for value in NUMBERS if table != "pois.csv" else ("400", *NUMBERS[:2], *NUMBERS[3:]):
            yield f"{table}: {column} is {value}", functools.partial(_cell, table, column, value)
    for table, columns in COLUMNS.items():
        for column in columns:
            yield f"{table} without {column}", functools.partial(_without, table, column)
    for name in FILES:
        yield f"{name} is missing", lambda city, name=name: (city / name).unlink()
        yield f"{name} is empty", lambda city, name=name: (city / name).write_bytes(b"")
        yield f"{name} is noise", lambda city, name=name: (city / name).write_bytes(_NOISE)
        yield f"{name} is cut", functools.partial(_cut, name)
        yield f"{name} is a folder", functools.partial(_folder, name)
    for key, value in NAMED.items():
        yield f"{key} = {value}", functools.partial(_set, key, value)
    for section in SECTIONS:
        yield f"an unknown key in [{section}]", functools.partial(_insert, section, "nonsense = 1")
    for path in PATHS:
        yield f"path = {path}", functools.partial(_path, path)
    yield "a workbook with a cell far out", _far
    yield (
        "a VRT named .gpkg",
        lambda city: (city / "parcels.gpkg").write_text(_VRT, encoding="utf-8"),
    )
    yield "a case nested too deep", lambda city: _append(city, f"deep = {'[' * 5000}{']' * 5000}")
    yield "a case that is huge", lambda city: _append(city, "# " + "x" * 20_000_000)
    yield "dotted keys without end", lambda city: _append(city, ".".join("a" * 40_000) + " = 1")


def _far(city: Path) -> None:
    """Put totals in a workbook of a few kB whose last cell is the last one there can be."""
    import openpyxl

    book = openpyxl.Workbook()
    for row in _rows(city / "totals.csv"):
        book.active.append(row)
    book.active["XFD1048576"] = "x"
    book.save(city / "totals.xlsx")
    text = (city / "case.toml").read_text(encoding="utf-8")
    assert '"totals.csv"' in text
    (city / "case.toml").write_text(text.replace('"totals.csv"', '"totals.xlsx"'), encoding="utf-8")


_NOISE = bytes(range(256)) * 40
_VRT = "<OGRVRTDataSource><OGRVRTLayer name='DLTB'><SrcDataSource>/etc/passwd</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"


def _rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def _write(path: Path, rows: list[list[str]]) -> None:
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows(rows)
    path.write_text(stream.getvalue(), encoding="utf-8")


def _cell(table: str, column: str, value: str, city: Path) -> None:
    rows = _rows(city / table)
    rows[1][rows[0].index(column)] = value
    _write(city / table, rows)


def _without(table: str, column: str, city: Path) -> None:
    rows = _rows(city / table)
    place = rows[0].index(column)
    _write(city / table, [row[:place] + row[place + 1 :] for row in rows])


def _cut(name: str, city: Path) -> None:
    content = (city / name).read_bytes()
    (city / name).write_bytes(
        content[: len(content) // 2] + (b',"' if name.endswith("csv") else b"")
    )


def _folder(name: str, city: Path) -> None:
    (city / name).unlink()
    (city / name).mkdir()


def _set(key: str, value: str, city: Path) -> None:
    text = (city / "case.toml").read_text(encoding="utf-8")
    lines = [
        f'{key} = "{value}"' if value.isalpha() and line.split("=")[0].strip() == key
        else f"{key} = {value}" if line.split("=")[0].strip() == key else line
        for line in text.splitlines()
    ]  # fmt: skip
    (city / "case.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _insert(section: str, line: str, city: Path) -> None:
    text = (city / "case.toml").read_text(encoding="utf-8")
    head, tail = text.split(f"\n[{section}]", 1)
    first, rest = tail.split("\n", 1)
    (city / "case.toml").write_text(f"{head}\n[{section}]{first}\n{line}\n{rest}", encoding="utf-8")


def _append(city: Path, line: str) -> None:
    with (city / "case.toml").open("a", encoding="utf-8") as stream:
        stream.write(f"\n{line}\n")


def _path(path: str, city: Path) -> None:
    if path == "link.gpkg":
        (city.parent / f"{city.name}-secret.gpkg").touch()
        (city / path).symlink_to(city.parent / f"{city.name}-secret.gpkg")
    text = (city / "case.toml").read_text(encoding="utf-8")
    assert '"parcels.gpkg"' in text
    (city / "case.toml").write_text(text.replace('"parcels.gpkg"', f'"{path}"'), encoding="utf-8")


def bad_inputs(ground: Ground, shells: list[Shell], every: int = 1) -> list[Row]:
    """Run each spoilt city; ``every`` n-th case only."""
    wrong, hostile = Row("bad input, refused"), Row("hostile path or content in a case, refused")
    chosen = list(cases())[::every]
    tasks = [
        functools.partial(_refused, ground, n, name, spoil)
        for n, (name, spoil) in enumerate(chosen)
    ]
    for name, lost, silent, text in side_by_side(shells, tasks):
        row = hostile if name.startswith(("path =", "a VRT", "a case", "dotted")) else wrong
        row.case(name, lost=lost, silent=silent, text=text)
    return [wrong, hostile]


def _refused(
    ground: Ground, number: int, name: str, spoil: Spoil, shell: Shell
) -> tuple[str, bool, bool, str]:
    folder = ground.folder / f"bad-{number}"
    city = Path(shutil.copytree(ground.case.parent, folder / "city"))
    spoil(city)
    out = folder / "new" / "run"
    done = shell.run("run", city / "case.toml", "--out", out)
    written = out.parent.exists()
    silent = done.code != 2 or "error: " not in done.text
    shutil.rmtree(folder)
    return name, written, silent, done.text


def bad_inputs_in_processes(ground: Ground, count: int) -> Row:
    """Do the same with real processes, started from nothing."""
    row = Row("bad input, refused by a process started from nothing")
    every = list(cases())
    chosen = every[:: max(1, len(every) // count)][:count]
    with ThreadPoolExecutor(2) as pool:
        for outcome in pool.map(functools.partial(_refused_by_a_process, ground), chosen):
            name, lost, silent, text = outcome
            row.case(name, lost=lost, silent=silent, text=text)
    return row


def _refused_by_a_process(ground: Ground, case: tuple[str, Spoil]) -> tuple[str, bool, bool, str]:
    name, spoil = case
    folder = Path(tempfile.mkdtemp(dir=ground.folder, prefix="process-"))
    city = Path(shutil.copytree(ground.case.parent, folder / "city"))
    spoil(city)
    words = ["run", str(city / "case.toml"), "--out", str(folder / "new" / "run")]
    done = subprocess.run(
        [sys.executable, "-m", "carbongrid", *words],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip
    text = done.stdout + done.stderr
    silent = done.returncode != 2 or "error: " not in text
    written = (folder / "new").exists()
    shutil.rmtree(folder)
    return name, written, silent, text


PAYLOADS = (
    "=HYPERLINK(\"http://x\")", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>", "{{7*7}}", "'; DROP TABLE units; --", "../../etc/passwd", "javascript:alert(1)",
    "</title><svg onload=alert(1)>", "\u202egnp.exe", "NaN", "=cmd|' /C calc'!A0",
)  # fmt: skip
"""Names that are formulas in a spreadsheet, markup in a page, or something else elsewhere."""


def _is_formula(cell: str) -> bool:
    """Tell whether a spreadsheet takes a cell for a formula: numbers may begin with a sign."""
    try:
        float(cell)
    except ValueError:
        return cell[:1] in tuple("=+-@\t\r")
    return False


def hostile_names(ground: Ground, shells: list[Shell]) -> Row:
    """Give units, facilities and the case names that mean something to the programs that open the results."""
    import geopandas as gpd

    row = Row("a name that is a formula or markup, written as text")
    batches = [PAYLOADS[i : i + 6] for i in range(0, len(PAYLOADS), 6)]
    for number, names in enumerate(batches):
        folder = ground.folder / f"names-{number}"
        city = Path(shutil.copytree(ground.case.parent, folder / "city"))
        table = gpd.read_file(city / "townships.gpkg")
        padded = [*names, *(f"plain {i}" for i in range(len(table) - len(names)))]
        (city / "townships.gpkg").unlink()
        table.assign(name_zh=padded, name_en=padded).to_file(
            city / "townships.gpkg", layer="townships"
        )
        done = shells[0].run("run", city / "case.toml", "--out", folder / "run")
        cells = (
            [cell for line in _rows(folder / "run" / "units.csv") for cell in line]
            if done.code == 0
            else []
        )
        page = (
            (folder / "run" / "report.html").read_text(encoding="utf-8") if done.code == 0 else ""
        )
        for name in names:
            formula = any(map(_is_formula, cells))
            markup = name[:1] in '<"' and name in page
            gone = not any(name.strip().strip("'") in cell for cell in cells)
            row.case(
                repr(name), lost=done.code != 0 or gone, silent=formula or markup, text=done.text
            )
        shutil.rmtree(folder)
    return row
