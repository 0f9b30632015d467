"""Where files may lie: twelve ways out of the folder, each shut."""

from __future__ import annotations

import pytest

from carbongrid.case.paths import resolve_path
from carbongrid.errors import InputError

OUTSIDE = ["../secret.csv", "a/../../secret.csv", "a/../b.csv", "/etc/passwd"]
REMOTE = [
    "https://example.org/parcels.gpkg",
    "s3://bucket/parcels.gpkg",
    "zip://parcels.zip",
    "file:///etc/passwd",
    "/vsicurl/https://example.org/a.gpkg",
    "/vsizip/a.zip/b.shp",
    "//VSICURL/a",
    "//server/share/a.gpkg",
    "PG:dbname=city",
    "GPKG:parcels.gpkg:layer",
]
NO_FILES = ["", "  ", "a\0b.csv", "a\nb.csv", "C:\\data\\a.csv", "C:/data/a.csv", "data\\a.csv"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "case").mkdir()
    (tmp_path / "secret.csv").touch()
    (tmp_path / "case" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "case" / "up").symlink_to(tmp_path)
    (tmp_path / "case" / "alias.csv").symlink_to(tmp_path / "case" / "totals.csv")
    return tmp_path / "case"


def test_under_the_folder(folder):
    for name in ("totals.csv", "./totals.csv", "tables/totals.csv", "总量.csv", "..csv", "vsi.csv"):
        assert resolve_path(folder, name, False, False) == folder / name
    assert resolve_path(folder, "alias.csv", False, False) == folder / "totals.csv"


@pytest.mark.parametrize("written", [*OUTSIDE, "link.csv", "up/secret.csv"])
def test_outside_only_if_allowed(folder, written):
    with pytest.raises(InputError, match="allow_outside = true"):
        resolve_path(folder, written, False, False)
    assert resolve_path(folder, written, True, False) == (folder / written).resolve()


@pytest.mark.parametrize("allow_remote", [False, True])
@pytest.mark.parametrize("written", REMOTE)
def test_remote_never(folder, written, allow_remote):
    with pytest.raises(InputError, match=r"remote address|GDAL's own") as caught:
        resolve_path(folder, written, True, allow_remote)
    assert ("not built yet" in str(caught.value)) == allow_remote


@pytest.mark.parametrize("written", NO_FILES)
def test_no_name_of_a_file(folder, written):
    with pytest.raises(InputError, match=r"not the name of a file|Windows path"):
        resolve_path(folder, written, True, True)
