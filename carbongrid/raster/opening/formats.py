"""What a file is, told by its content: the only drivers that may open a user's file.

GDAL chooses a driver by content too, but among dozens, and some of them read other files, fetch
addresses or run commands: an OGR VRT or a GDALG pipeline named ``.gpkg``. So the content is read
here first, and GDAL is called in a way that leaves it that driver only.
"""

from __future__ import annotations

import re
from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import mapped
from carbongrid.raster.opening.files import ZIP, open_file, require_regular_tree

GPKG, SHAPEFILE, GEOJSON, FLATGEOBUF, FILEGDB, PARQUET = (
    "GPKG",
    "ESRI Shapefile",
    "GeoJSON",
    "FlatGeobuf",
    "OpenFileGDB",
    "Parquet",
)
"""GDAL's names of the vector formats that are read."""

GEOTIFF = "GTiff"
"""GDAL's name of the raster format that is read."""

OSM = "OSM"
"""GDAL's name of OpenStreetMap extracts."""

READABLE = "GeoPackage, File Geodatabase, GeoJSON, FlatGeobuf, Shapefile, GeoParquet"

_BESIDE_SHAPEFILE = (".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx")
_BESIDE_ANY = (".aux.xml", ".ovr", ".msk", "-wal", "-journal")
_WORLD_FILES = (".tfw", ".tifw", ".wld", ".tab")
_NAMED_IN_A_FOLDER = (".shp", ".gdb", ".gpkg", ".geojson", ".fgb", ".parquet")

_HEAD = 65536
_GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|GeometryCollection|(Multi)?(Point|LineString|Polygon))"'
)
_NEXT_RECORD = re.compile(rb"\}[ \t\r]*+\n[\s\x1e]*+\{")
"""Where one text of JSON ends and another begins, behind a record separator or not: inside of one a comma stands between, and in a string no line ends."""
_PIPELINE = re.compile(b"gdal_streamed_alg")
_REFUSED = (
    (ZIP, "a ZIP archive", "Unpack it and name the file inside."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and name the file inside."),
    (b"<", "XML (an OGR VRT, KML or GML)", f"Convert it to one of: {READABLE}."),
    (
        b"SQLite format 3\x00",
        "an SQLite database, but no GeoPackage",
        "Convert it to a GeoPackage.",
    ),
)


def sniff_vector(path: Path) -> str:
    """Return GDAL's name of a vector file's format, by its content.

    Raises
    ------
    InputError
        If there is no such file, or it is of no format that carbongrid reads.
    """
    path = path.resolve()  # what lies beside a file lies beside the file, not beside a link to it
    if path.is_dir():
        return _sniff_folder(path)
    head = _head(path)
    if head.startswith(b"SQLite format 3\x00") and head[68:72] in (b"GPKG", b"GP10", b"GP11"):
        return GPKG
    if head[:4] == b"\x00\x00\x27\x0a" and head[28:32] == b"\xe8\x03\x00\x00":
        return _shapefile(path)
    if head[:3] == b"fgb" and head[4:7] == b"fgb":
        return FLATGEOBUF
    if head[:4] == b"PAR1":
        return PARQUET
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    told = text.removeprefix(b"\x1e")
    if told[:1] == b"{" and _is_geojson(path, told):
        if _in_file(path, _NEXT_RECORD):
            raise InputError(
                "the file is newline-delimited GeoJSON, of one feature a line",
                path.name,
                f"Convert it: ogr2ogr {path.stem}.gpkg GeoJSONSeq:{path.name}",
            )
        return GEOJSON
    raise _refusal(path, text)


def sniff_raster(path: Path) -> str:
    """Return GDAL's name of a raster file's format, by its content.

    Raises
    ------
    InputError
        If there is no such file, or it is not a GeoTIFF.
    """
    if is_tiff(path):
        return GEOTIFF
    raise InputError(
        "the file is not a GeoTIFF",
        path.name,
        "Convert the raster to a GeoTIFF with gdal_translate.",
    )


def is_tiff(path: Path) -> bool:
    """Tell whether a file begins as a TIFF does; raises as :func:`sniff_raster` where there is none."""
    return _head(path)[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")


def is_zip(path: Path) -> bool:
    """Tell whether a file begins as a ZIP archive does; raises as :func:`sniff_raster` where there is none."""
    return _head(path).startswith(ZIP)


def files_behind(path: Path) -> list[Path]:
    """Return the file and what is read with it: a Shapefile's other parts, a geodatabase's files, a raster's side files."""
    if path.is_dir():
        return sorted(file for file in path.rglob("*") if file.is_file())
    beside = _BESIDE_SHAPEFILE if path.suffix.lower() == ".shp" else _WORLD_FILES
    wanted = {path.stem.lower() + suffix for suffix in beside}
    wanted |= {path.name.lower() + suffix for suffix in _BESIDE_ANY}
    return [path, *sorted(file for file in path.parent.iterdir() if file.name.lower() in wanted)]


def _head(path: Path) -> bytes:
    try:
        with open_file(path) as file:
            return file.read(_HEAD)
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", str(path)) from None
    except FileNotFoundError:
        raise InputError("there is no such file", str(path), _beside(path)) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path)) from None


def _is_geojson(path: Path, head: bytes) -> bool:
    """Tell whether an object of JSON is one of GeoJSON, wherever its type stands: programs that sort its members put that behind all coordinates."""
    if _PIPELINE.search(head):
        return False
    if _GEOJSON_TYPE.search(head):
        return True
    return _in_file(path, _GEOJSON_TYPE) and not _in_file(path, _PIPELINE)


def _in_file(path: Path, pattern: re.Pattern[bytes]) -> bool:
    with mapped(path) as data:
        return pattern.search(data) is not None


def _beside(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return "Its folder does not exist either."
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return f"The folder holds: {', '.join(names[:20])}." if names else "The folder is empty."


def _sniff_folder(path: Path) -> str:
    names = sorted(entry.name for entry in path.iterdir())
    if path.suffix.lower() == ".gdb" and "a00000001.gdbtable" in map(str.lower, names):
        try:
            require_regular_tree(path)
        except OSError as error:
            raise InputError(
                f"the geodatabase cannot be read: {error.strerror}", str(error.filename)
            ) from None
        return FILEGDB
    inside = [name for name in names if name.lower().endswith(_NAMED_IN_A_FOLDER)]
    hint = f"Name a file in it, such as {inside[0]}." if inside else f"Readable: {READABLE}."
    raise InputError("the folder is not a File Geodatabase", path.name, hint)


def _shapefile(path: Path) -> str:
    if path.suffix.lower() != ".shp":
        raise InputError(
            "the file is of a Shapefile, and its name does not end in .shp",
            path.name,
            _shapes_of(path)
            or "Let the names of all its files be the same up to .shp, .shx, .dbf.",
        )
    beside = [entry.name.lower() for entry in path.parent.iterdir()]
    parts = [path.stem.lower() + suffix for suffix in (".shx", ".dbf")]
    missing = [part.rpartition(".")[2] for part in parts if part not in beside]
    if missing:
        raise InputError(
            f"the Shapefile lacks its {' and '.join(f'.{suffix}' for suffix in missing)}",
            path.name,
            "Copy all the files of the same name.",
        )
    doubled = [part for part in parts if beside.count(part) > 1]
    if doubled:
        raise InputError(
            f"{doubled[0]} stands twice beside it, in small letters and in large ones",
            path.name,
            "Keep the one that belongs to it.",
        )
    return SHAPEFILE


def _shapes_of(path: Path) -> str:
    """Return the way out for whoever named another part of a Shapefile than its shapes; blank if there are none beside it."""
    name = f"{path.stem.lower()}.shp"
    beside = sorted(entry.name for entry in path.parent.iterdir() if entry.name.lower() == name)
    return f"Name {beside[0]}, with which it is read." if beside else ""


def _refusal(path: Path, head: bytes) -> InputError:
    if path.suffix.lower() in _BESIDE_SHAPEFILE and (hint := _shapes_of(path)):
        return InputError("the file is a part of a Shapefile", path.name, hint)
    if head[4:15] == b"\x0a\x09OSMHeader":
        return InputError(
            "the file is an OpenStreetMap extract",
            path.name,
            f"Make a case of it with: carbongrid from-osm {path.name} DIR",
        )
    for mark, what, hint in _REFUSED:
        if head.startswith(mark):
            return InputError(
                f"the file is {what}; its content decides, not its name", path.name, hint
            )
    what = "JSON, but not GeoJSON" if head[:1] == b"{" else "of no format that is read"
    hint = f"Convert it to one of: {READABLE}."
    if path.suffix.lower() in (".xls", ".txt", ".tsv"):
        hint += " If it is a table of points, save it as .csv or .xlsx, by which one is known."
    return InputError(f"the file is {what}", path.name, hint)
