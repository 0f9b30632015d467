"""The name by which a driver opens a file, in which no character means anything but itself.

GDAL's bindings take a name apart before GDAL sees it: at ``!`` an archive ends, before ``://`` stands a protocol, ``.zip``
is looked into. A file whose name could be read so is opened through a link in a folder of our own, with a plain name.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from carbongrid.errors import RunError
from carbongrid.raster.opening.formats import (
    FILEGDB,
    FLATGEOBUF,
    GEOJSON,
    GEOTIFF,
    GPKG,
    OSM,
    SHAPEFILE,
    files_behind,
)

_PLAIN = re.compile(r"(?!/vsi)(?:/[\w .,+=@()~^'-]+)+", re.IGNORECASE)
_ENDINGS = {
    GPKG: ".gpkg",
    SHAPEFILE: ".shp",
    GEOJSON: ".geojson",
    FLATGEOBUF: ".fgb",
    FILEGDB: ".gdb",
    GEOTIFF: ".tif",
    OSM: ".pbf",
}
"""Of the plain names, by driver."""
_ARCHIVES = (".zip", ".kmz", ".ods", ".xlsx", ".tar", ".tgz", ".gz", ".7z", ".rar")


@contextmanager
def plain_name(path: Path, driver: str) -> Iterator[str]:
    """Give the name by which a driver, and no other, opens a file.

    Parameters
    ----------
    path
        The file, or the folder of a File Geodatabase; links are followed.
    driver
        GDAL's name of the format that it was found to be.

    Yields
    ------
    str
        An absolute path, the file's own or that of a link to it. With GeoJSON, which is text in which the mark of another
        driver may stand, the driver's name comes first; the binary formats are told by their first bytes, in which no text
        driver finds its mark.
    """
    prefix = f"{GEOJSON}:" if driver == GEOJSON else ""
    path = path.resolve()
    if _is_plain(path):
        yield f"{prefix}{path}"
        return
    with _plain_temporary(path) as folder:
        alias = folder / f"data{_ENDINGS[driver]}"
        for target, name in _links(path, alias):
            (folder / name).symlink_to(target)
        yield f"{prefix}{alias}"


@contextmanager
def plain_folder(folder: Path) -> Iterator[Path]:
    """Give a folder under a name that drivers take as it stands, for files of our own naming that are written there."""
    folder = folder.resolve()
    if _is_plain(folder):
        yield folder
        return
    with _plain_temporary(folder) as place:
        alias = place / "out"
        alias.symlink_to(folder, target_is_directory=True)
        yield alias


@contextmanager
def _plain_temporary(path: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="carbongrid-") as made:
        folder = Path(made).resolve()
        if not _is_plain(folder):
            raise RunError(
                f"{path} has a name that drivers misread, and so has the folder for temporary files, {folder.parent}. "
                "Set TMPDIR to a folder whose name is letters and digits."
            )
        yield folder


def _is_plain(path: Path) -> bool:
    text = str(path)
    return bool(_PLAIN.fullmatch(text)) and not text.lower().endswith(_ARCHIVES)


def _links(path: Path, alias: Path) -> Iterator[tuple[Path, str]]:
    """Yield the file, and each that is read with it, and its plain name beside the alias."""
    yield path, alias.name
    if path.is_dir():
        return
    for file in files_behind(path)[1:]:
        name = file.name.lower()
        whole, stem = path.name.lower(), path.stem.lower()
        yield (
            file,
            alias.name + name.removeprefix(whole)
            if name.startswith(whole)
            else alias.stem + name.removeprefix(stem),
        )
