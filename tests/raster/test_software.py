"""What decides a result beside its inputs: a step is taken over only from the same package and the same libraries."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import geopandas as gpd
import pyogrio
import pyproj
import pytest
import rasterio
import shapely
from data import ROOT
from hypothesis import given
from hypothesis import strategies as st
from squares_case import squares_case

from carbongrid.case import Case
from carbongrid.outputs.reading import read_result
from carbongrid.pipeline import run, work
from carbongrid.raster import software
from carbongrid.raster.software import LIBRARIES, OWN_FILES, digest_of_folder, versions

PACKAGE = ROOT / "carbongrid"
TOTALS = {"totals.csv": "category,value,unit\nagriculture/plantation,100,t CO2e\n"}
CASE = """
year = 2020
[grid]
crs = "EPSG:4549"
resolution = 100
[parcels]
path = "parcels.gpkg"
code_system = "tdland3"
[units]
path = "units.gpkg"
[totals]
path = "totals.csv"
"""
STEPS = {
    *("read parcels", "read units", "land", "base map", "rasterize", "weigh", "keep tables"),
    *("write parcels", "tables", "report", "figures"),
}


@pytest.fixture
def row(tmp_path: Path) -> Case:
    """Two fields and homes, as a case on disk."""
    folder = tmp_path / "case"
    folder.mkdir()
    case = squares_case(folder, ["0101", "0101", "0701"], TOTALS)
    (folder / "case.toml").write_text(CASE, encoding="utf-8")
    return case


def run_by(package: Path, folder: Path) -> dict[str, Any]:
    """Run the case with the package in this folder; return what the command answers."""
    words = [sys.executable, "-m", "carbongrid", "run", str(folder / "case.toml"), "--out", str(folder / "run")]  # fmt: skip
    # A copy's kernels would be compiled anew, which takes a minute; three squares need none.
    known = {**os.environ, "PYTHONPATH": str(package.parent), "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [*words, "--replace", "--json"], env=known, cwd=folder, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def types_in(out: Path) -> list[str]:
    return sorted(gpd.read_parquet(out / "parcels.parquet")["type"])


@pytest.mark.thorough
def test_a_mended_crosswalk_is_followed_by_the_next_run(row: Case, tmp_path: Path) -> None:
    """Seen to fail with keys of versions alone: the run after the mend kept the old types."""
    package = tmp_path / "copy" / "carbongrid"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    out = row.folder / "run"
    assert run_by(package, row.folder)["reused"] == []
    assert types_in(out) == ["paddy", "paddy", "urban-residential"]
    assert set(run_by(package, row.folder)["reused"]) == STEPS
    crosswalk = package / "data" / "landuse" / "tdland3.csv"
    text = crosswalk.read_text(encoding="utf-8")
    mended = re.sub(r"(?m)^0701,urban-residential,", "0701,commercial,", text)
    assert mended != text
    crosswalk.write_text(mended, encoding="utf-8")
    assert run_by(package, row.folder)["reused"] == []
    assert types_in(out) == ["commercial", "paddy", "paddy"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["versions"][OWN_FILES] == digest_of_folder(package)
    assert manifest["versions"][OWN_FILES] != digest_of_folder(PACKAGE)


def test_other_versions_redo_every_step(row: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail without versions in a step's key, without the package's own files in it, and without these or PROJ among the versions."""
    assert versions()[OWN_FILES] == digest_of_folder(PACKAGE)
    assert set(versions()) >= {"GEOS", "PROJ", "PROJ's EPSG", "GDAL for layers", "GDAL for rasters"}
    out = row.folder / "run"
    run(row, out)
    assert set(run(row, out, replace=True).manifest["reused"]) == STEPS
    for name in (OWN_FILES, "numpy"):
        others = {**versions(), name: "0.0.1"}
        monkeypatch.setattr(work, "versions", lambda others=others: others)
        assert run(row, out, replace=True).manifest["reused"] == []


@pytest.fixture
def asked_anew() -> Iterator[None]:
    """Ask for the versions again, which a process otherwise does once."""
    software._found.cache_clear()
    yield
    software._found.cache_clear()


@pytest.mark.usefixtures("asked_anew")
@pytest.mark.thorough
def test_another_library_in_c_redoes_every_step(row: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seen to fail for both of GDAL, which no key held."""
    out = row.folder / "run"
    run(row, out)
    assert set(run(row, out, replace=True).manifest["reused"]) == STEPS
    for library, name in (
        (pyogrio, "__gdal_version_string__"),
        (rasterio, "__gdal_version__"),
        (shapely, "geos_version_string"),
        (pyproj, "proj_version_str"),
    ):
        monkeypatch.setattr(library, name, "0.0.1")
        software._found.cache_clear()
        assert run(row, out, replace=True).manifest["reused"] == []
    assert list(read_result(out).manifest["versions"].values()).count("0.0.1") == 4


def test_every_dependency_is_listed() -> None:
    """But for those of the command line, of certificates, of locks and of memory, of maps to explore, and of questions to a finished run: they decide no result."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = project["optional-dependencies"]
    wanted = [
        *project["dependencies"],
        *(each for name in parts if name != "all" for each in parts[name]),
    ]
    named = {re.split(r"[\[>]", each)[0] for each in wanted}
    of_no_result = {
        "click",
        "cryptography",
        "esda",
        "filelock",
        "folium",
        "libpysal",
        "psutil",
        "rich",
    }
    assert named - set(LIBRARIES) == of_no_result
    assert set(LIBRARIES) <= set(versions())


NAMES = st.sampled_from(["a.py", "b.csv", "data/a.py", "data/landuse/c.csv"])
FILES = st.dictionaries(NAMES, st.binary(max_size=3), max_size=4)


@given(FILES, FILES)
def test_folders_have_one_digest_only_if_they_hold_the_same(
    tmp_path_factory: pytest.TempPathFactory, one: dict[str, bytes], other: dict[str, bytes]
) -> None:
    """Seen to fail with contents hashed without their names, and without their lengths."""
    digests = []
    for files in (one, other):
        folder = tmp_path_factory.mktemp("package")
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        digests.append(digest_of_folder(folder))
    assert (digests[0] == digests[1]) == (one == other)


def test_what_python_and_editors_leave_is_no_part(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1", encoding="utf-8")
    before = digest_of_folder(tmp_path)
    for folder in ("__pycache__", "kernels/compiled"):
        (tmp_path / folder).mkdir(parents=True)
    # Of a platform's wheel on one machine and the wheel for all on another each was said to be another release.
    for name in ("__pycache__/a.pyc", ".a.py.swp", "a.py~", "kernels/compiled/a.nbi"):
        (tmp_path / name).write_text("x", encoding="utf-8")
    assert digest_of_folder(tmp_path) == before
