"""What a file is, told by its content: the only drivers that may open a user's file.

GDAL chooses a driver by content too, but among dozens, and some of them read other files, fetch
addresses or run commands: an OGR VRT or a GDALG pipeline named ``.gpkg``. So the content is read
here first, and GDAL is called in a way that leaves it that driver only.
"""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from xml.parsers import expat

from carbongrid.errors import InputError

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

READABLE = "GeoPackage, File Geodatabase, GeoJSON, FlatGeobuf, Shapefile, GeoParquet"

_HEAD = 65536
_GEOJSON_TYPE = re.compile(
    rb'"type"\s*:\s*"(FeatureCollection|Feature|GeometryCollection|(Multi)?(Point|LineString|Polygon))"'
)
_REFUSED = (
    (b"PK\x03\x04", "a ZIP archive", "Unpack it and name the file inside."),
    (b"\x1f\x8b", "a gzip archive", "Unpack it and name the file inside."),
    (b"<", "XML (an OGR VRT, KML or GML)", f"Convert it to one of: {READABLE}."),
    (
        b"SQLite format 3\x00",
        "an SQLite database, but no GeoPackage",
        "Convert it to a GeoPackage.",
    ),
)


MOST_PARTS, MOST_RATIO, MOST_UNPACKED = 1_000, 500, 2**29
"""Of a workbook: parts, bytes per packed byte (of what unpacks to more than 1 MiB), bytes (512 MiB)."""

_SMALL = 2**20


def require_tame_archive(archive: zipfile.ZipFile, where: str) -> None:
    """Raise unless a workbook's archive is one that a spreadsheet program writes.

    Raises
    ------
    InputError
        If it unpacks to too much, by itself or against its packed size, has too many parts, or declares
        entities, which may unfold without end.
    """
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    odd = ""
    if len(entries) > MOST_PARTS:
        odd = f"has {len(entries):,} parts"
    elif unpacked > MOST_UNPACKED:
        odd = f"unpacks to {unpacked / 2**20:.0f} MiB"
    elif unpacked > _SMALL and unpacked > MOST_RATIO * packed:
        odd = f"unpacks to {unpacked / packed:.0f} times its size"
    else:
        declaring = next((each for each in entries if _declares(archive, each)), None)
        odd = f"declares entities in {declaring.filename}" if declaring else ""
    if odd:
        raise InputError(
            f"the workbook {odd}, as no spreadsheet program writes it", where, "Save it as CSV."
        )


def _declares(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Tell whether a part of an archive is XML with a document type, in which alone entities can be declared.

    Asked of the parser that will read it, since a search for the words would have to know every encoding, and every part,
    since no part is XML by its name. What is no XML for it declares nothing.
    """

    def found(*_: object) -> None:
        raise _DeclaresError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = found
    try:
        with archive.open(entry) as part:
            parser.ParseFile(part)
    except _DeclaresError:
        return True
    except expat.ExpatError:
        return False
    return False


class _DeclaresError(Exception):
    """A document type was met."""


def sniff_vector(path: Path) -> str:
    """Return GDAL's name of a vector file's format, by its content.

    Raises
    ------
    InputError
        If there is no such file, or it is of no format that carbongrid reads.
    """
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
    if text[:1] == b"{" and _GEOJSON_TYPE.search(text) and b"gdal_streamed_alg" not in text:
        return GEOJSON
    raise _refusal(path, text)


def sniff_raster(path: Path) -> str:
    """Return GDAL's name of a raster file's format, by its content.

    Raises
    ------
    InputError
        If there is no such file, or it is not a GeoTIFF.
    """
    head = _head(path)
    if head[:4] in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+"):
        return GEOTIFF
    raise InputError(
        "the file is not a GeoTIFF",
        path.name,
        "Convert the raster to a GeoTIFF with gdal_translate.",
    )


def dataset_name(path: Path, driver: str) -> str:
    """Return the name by which GDAL opens the file with this driver and no other.

    The binary formats are told by their first bytes, in which no text driver finds its mark.
    GeoJSON is text, where a string inside could bear the mark of another driver; with the prefix
    the other drivers are not asked.
    """
    name = str(path.resolve())
    return f"{GEOJSON}:{name}" if driver == GEOJSON else name


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except IsADirectoryError:
        raise InputError("this is a folder, not a file", str(path)) from None
    except FileNotFoundError:
        raise InputError("there is no such file", str(path), _beside(path)) from None
    except OSError as error:
        raise InputError(f"the file cannot be read: {error.strerror}", str(path)) from None


def _beside(path: Path) -> str:
    folder = path.parent
    if not folder.is_dir():
        return "Its folder does not exist either."
    names = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
    return f"The folder holds: {', '.join(names[:20])}." if names else "The folder is empty."


def _sniff_folder(path: Path) -> str:
    names = {entry.name.lower() for entry in path.iterdir()}
    if path.suffix.lower() == ".gdb" and "a00000001.gdbtable" in names:
        return FILEGDB
    inside = sorted(name for name in names if name.endswith((".shp", ".gdb", ".gpkg")))
    hint = f"Name a file in it, such as {inside[0]}." if inside else f"Readable: {READABLE}."
    raise InputError("the folder is not a File Geodatabase", path.name, hint)


def _shapefile(path: Path) -> str:
    beside = {entry.name.lower() for entry in path.parent.iterdir()}
    stem = path.stem.lower()
    missing = [suffix for suffix in (".shx", ".dbf") if stem + suffix not in beside]
    if missing:
        raise InputError(
            f"the Shapefile lacks its {' and '.join(missing)}",
            path.name,
            "Copy all the files of the same name.",
        )
    return SHAPEFILE


def _refusal(path: Path, head: bytes) -> InputError:
    if head[4:15] == b"\x0a\x09OSMHeader":
        return InputError(
            "the file is an OpenStreetMap extract",
            path.name,
            f"Make a case of it with: carbongrid from-osm {path.name} DIR",
        )
    for mark, what, way_out in _REFUSED:
        if head.startswith(mark):
            return InputError(
                f"the file is {what}; its content decides, not its name", path.name, way_out
            )
    what = "JSON, but not GeoJSON" if head[:1] == b"{" else "of no format that is read"
    return InputError(f"the file is {what}", path.name, f"Convert it to one of: {READABLE}.")
