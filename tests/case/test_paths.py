"""Where files may lie: twelve ways out of the folder, each shut."""

from __future__ import annotations

import os

import pytest
from squares_case import squares_case

from carbongrid.case.paths import resolve_path
from carbongrid.errors import InputError
from carbongrid.pipeline import check

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
NO_FILES = [
    "a\ud800.csv",
    "",
    "  ",
    "a\0b.csv",
    "a\nb.csv",
    "C:\\data\\a.csv",
    "C:/data/a.csv",
    "data\\a.csv",
]


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
        assert resolve_path(folder, name, False) == folder / name
    assert resolve_path(folder, "alias.csv", False) == folder / "totals.csv"


@pytest.mark.parametrize("written", [*OUTSIDE, "link.csv", "up/secret.csv"])
def test_outside_only_if_allowed(folder, written):
    with pytest.raises(InputError, match="allow_outside = true"):
        resolve_path(folder, written, False)
    assert resolve_path(folder, written, True) == (folder / written).resolve()


@pytest.mark.parametrize("written", REMOTE)
def test_remote_never(folder, written):
    with pytest.raises(InputError, match=r"remote address|GDAL's own"):
        resolve_path(folder, written, True)


@pytest.mark.parametrize("written", NO_FILES)
def test_no_name_of_a_file(folder, written):
    with pytest.raises(InputError, match=r"not the name of a file|Windows path"):
        resolve_path(folder, written, True)


@pytest.mark.parametrize(
    ("written", "says"),
    [("a" * 4000, "cannot be looked for: File name too long"), ("a/" * 50_000, "of 100,000 characters is too long")],
)  # fmt: skip
@pytest.mark.skipif(os.name == "nt", reason="Windows says it in other words")
@pytest.mark.parametrize("allow_outside", [True, False])
def test_a_name_that_is_too_long(folder, written, says, allow_outside):
    """Seen to be a fault of the package, and to be looked for for minutes; one as long as names may be is one."""
    with pytest.raises(InputError, match=says):
        resolve_path(folder, written, allow_outside)
    assert resolve_path(folder, "a" * 255, allow_outside) == folder / ("a" * 255)


def test_a_link_is_the_file_that_it_leads_to(tmp_path):
    """As docs/case.md says: read where it leads, out of the folder only if that is allowed."""
    inside, outside = tmp_path / "case", tmp_path / "kept.csv"
    inside.mkdir()
    tables = {"real.csv": "category,value,unit\nagriculture/plantation,100,t CO2e\n"}
    codes = ["0101"] * 4
    within = squares_case(inside, codes, tables)
    (inside / "totals.csv").symlink_to("real.csv")
    assert not check(within).wrong
    (inside / "real.csv").rename(outside)
    (inside / "totals.csv").unlink()
    (inside / "totals.csv").symlink_to(outside)
    assert "leads outside the case's folder by a symbolic link" in str(check(within).problems[0])
    assert not check(squares_case(inside, codes, {}, allow_outside=True)).wrong
