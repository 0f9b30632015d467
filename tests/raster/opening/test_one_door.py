"""No module opens a file but those of the one door: read from the source."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from data import ROOT

PACKAGE = ROOT / "carbongrid"
DOOR = "raster/opening/"

PACKAGED = {
    *(
        "sources/demo/writing.py",
        "method/gdp.py",
        "case/readers/activity_template.py",
        "raster/kernels/jit.py",
        "method/landuse.py",
    ),
    *(
        "sources/osm/writing.py",
        "cli/docs_command.py",
        "outputs/report/notes.py",
        "outputs/report/rendering.py",
        "case/template.py",
        "method/zoning.py",
    ),
}
"""Modules that read text which is part of the package itself."""

HELD = {
    # What these open is in memory by now, or one driver's already.
    ("case/readers/workbook.py", "openpyxl.load_workbook"),
    ("case/readers/workbook.py", "zipfile.ZipFile"),
    ("case/readers/extents.py", "zipfile.ZipFile"),
    ("case/readers/extents.py", "zipfile.is_zipfile"),
    ("pipeline/verification/formats.py", "load_workbook"),
    ("pipeline/verification/formats.py", "zipfile.ZipFile"),
    ("case/readers/activity_template.py", "zipfile.ZipFile"),
    ("outputs/tables/project.py", "zipfile.ZipFile"),
    ("case/readers/geoparquet.py", "gpd.read_parquet"),
    ("case/readers/geoparquet.py", "parquet.read_table"),
    ("case/readers/geoparquet.py", "parquet.read_schema"),
    ("case/readers/geoparquet.py", "pa.ipc.read_schema"),
    ("pipeline/sections.py", "pd.read_parquet"),
    ("case/readers/tables.py", "pd.read_csv"),
    ("method/landuse.py", "pd.read_csv"),
    ("case/readers/workbook.py", "archive.open"),
    ("case/readers/zip_limits.py", "archive.open"),
    ("outputs/tables/rasters.py", "memory.open"),
    # An extract is opened by SQL, under the name that the door gives.
    ("sources/osm/extract.py", "pyogrio.read_dataframe"),
    # A file of our own, which is being written.
    ("outputs/tables/domains.py", "sqlite3.connect"),
    # Where what nobody reads any more goes.
    ("cli/console.py", "os.open"),
    # The package's own code, and compiled code in a folder of the user's own.
    ("raster/software.py", "path.read_bytes"),
    ("raster/kernels/cache.py", "source.read_bytes"),
    ("raster/kernels/cache.py", "prebuilt.path_of(self._stem, sig, level).read_bytes"),
    ("raster/kernels/cache.py", "os.fdopen"),
    # For the door and for the folder of compiled code, as each system can; and to bring it to the disk, not to read it.
    ("raster/portable.py", "os.open"),
    # The C library of this process, which is in memory: no file is named.
    ("raster/portable.py", "ctypes.CDLL"),
}
"""Calls that look as if they opened a file, each by its module and name."""

READERS = {
    *("open", "fdopen", "read_text", "read_bytes", "fromfile", "memmap", "mmap", "loadtxt", "genfromtxt"),
    *("read_info", "list_layers", "read_dataframe", "read_arrow", "open_arrow", "read_bounds", "read_file"),
    *("read_table", "read_schema", "read_metadata", "ParquetFile", "ParquetDataset", "OSFile", "memory_map"),
    *("read_csv", "read_parquet", "read_json", "read_feather", "read_excel", "read_table", "read_fwf", "read_xml"),
    *("load_workbook", "ZipFile", "is_zipfile", "TarFile", "connect", "File", "CDLL"),
    *("open_dataset", "open_dataarray", "open_mfdataset", "open_zarr", "open_rasterio", "load_dataset"),
    *("open_array", "open_group", "open_consolidated", "imread", "from_file"),
}  # fmt: skip
LOADERS = {"np.load", "numpy.load", "json.load", "tomllib.load", "pickle.load", "os.open", "io.open"}  # fmt: skip


def is_written(call: ast.Call, at: int) -> bool:
    """Whether a file is opened to be written, by its mode; ``at`` is the mode's place."""
    modes = [*call.args[at : at + 1], *(key.value for key in call.keywords if key.arg == "mode")]
    return any(isinstance(mode, ast.Constant) and str(mode.value)[:1] in "wx" for mode in modes)


def own_names(tree: ast.AST) -> set[str]:
    """Return what a module defines itself, or takes from another of the package."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("carbongrid"):
            names |= {each.asname or each.name for each in node.names}
    return names


def opened(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the calls that open a file to read it, and their lines; not those of a function of ours that bears such a name."""
    ours = own_names(tree)
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        last = getattr(node.func, "attr", getattr(node.func, "id", ""))
        by_name = isinstance(node.func, ast.Name)
        if name in LOADERS or (last in READERS and not (by_name and last in ours)):
            if last == "open" and (is_written(node, 1) or (not by_name and is_written(node, 0))):
                continue
            if name in ("Polygons.open", "cls.open"):
                continue
            yield name, node.lineno


@pytest.fixture(scope="module")
def sources() -> dict[str, ast.AST]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def test_only_the_door_opens_files(sources: dict[str, ast.AST]) -> None:
    found, used = [], set()
    for module, tree in sources.items():
        if module.startswith(DOOR):
            continue
        for name, line in opened(tree):
            if (module, name) in HELD:
                used.add((module, name))
            elif not (module in PACKAGED and name.endswith((".read_text", ".read_bytes"))):
                found.append(f"{module}:{line}: {name}")
    assert found == []
    assert used == HELD, "what is let through is there"


def test_only_the_door_reads_coordinate_reference_systems(sources: dict[str, ast.AST]) -> None:
    """PROJ opens what a definition names."""
    found = []
    for module, tree in sources.items():
        if module.startswith(DOOR):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                name = ast.unparse(node.func)
                if name == "CRS" or name.endswith(
                    (".from_user_input", ".from_wkt", "CRS.from_string")
                ):
                    found.append(f"{module}:{node.lineno}: {name}")
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        "open(path)", "path.open()", "path.open('rb')", "path.open(mode='a+')", "io.open(path, 'r')",
        "pyogrio.read_dataframe(path)", "gpd.read_file(path)", "rasterio.open(path)", "np.load(path)",
        "xr.open_dataset(path)", "zarr.open_array(path)", "sqlite3.connect(path)", "os.open(path, 0)",
        "parquet.ParquetFile(path)", "Path(name).read_text()",
    ],
)  # fmt: skip
def test_an_opening_would_be_noticed(source: str) -> None:
    assert list(opened(ast.parse(source)))


@pytest.mark.parametrize("source", ["path.open('w')", "open(path, 'xb')", "path.write_text('')"])
def test_what_is_written_is_another_matter(source: str) -> None:
    assert not list(opened(ast.parse(source)))


def test_modules_that_read_their_package_are_there() -> None:
    assert all((PACKAGE / name).is_file() for name in PACKAGED), Path
