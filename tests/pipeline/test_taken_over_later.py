"""Outlines that are taken over are read late: what happens to the run that they lie in, meanwhile, is told and changes no number."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pytest

import carbongrid as cg
from carbongrid.errors import InputError, RunError
from carbongrid.pipeline import running, sections
from carbongrid.sources.demo import write_city


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_city(tmp_path_factory.mktemp("late") / "city", size="small")


@pytest.fixture(scope="module")
def run(city: Path) -> Path:
    return cg.run(city, city.parent.parent / "run").directory


@pytest.fixture(scope="module")
def other(city: Path) -> Path:
    """A run of as many parcels with other outlines."""
    folder = shutil.copytree(city.parent, city.parent.parent / "other-city")
    parcels = gpd.read_file(folder / "parcels.gpkg", layer="DLTB")
    parcels["geometry"] = parcels.geometry.buffer(-5)
    (folder / "parcels.gpkg").unlink()
    parcels[~parcels.is_empty].to_file(folder / "parcels.gpkg", layer="DLTB")
    return cg.run(folder / city.name, city.parent.parent / "other").directory


def another_year(city: Path, folder: Path) -> Path:
    shutil.copytree(city.parent, folder)
    totals = folder / "totals.csv"
    totals.write_text(totals.read_text("utf-8").replace(",1", ",2"), encoding="utf-8")
    return folder / city.name


@pytest.mark.parametrize(
    "happens", ["replaced", pytest.param("removed", marks=pytest.mark.thorough)]
)
def test_a_run_that_is_lent_and_changes_meanwhile(city, run, other, tmp_path, monkeypatch, happens):
    """Seen to fail: its outlines were written under the key of those that had been looked at, and every run on that one was wrong and verified."""
    lent, case = shutil.copytree(run, tmp_path / "lent"), another_year(city, tmp_path / "city")
    write = running._write

    def meanwhile(*arguments):
        shutil.rmtree(lent)
        if happens == "replaced":
            shutil.copytree(other, lent)
        write(*arguments)

    monkeypatch.setattr(running, "_write", meanwhile)
    with pytest.raises(RunError, match=r"lent.*parcels-shapes\.parquet was changed, moved or removed after it was opened"):  # fmt: skip
        cg.run(case, tmp_path / "out", reuse=lent)
    assert not (tmp_path / "out").exists()
    monkeypatch.undo()
    again, fresh = cg.run(case, tmp_path / "out"), cg.run(case, tmp_path / "fresh")
    assert again.manifest["digests"] == fresh.manifest["digests"]
    assert cg.verify(tmp_path / "out").ok


@pytest.mark.parametrize(
    "happens", ["replaced", pytest.param("removed", marks=pytest.mark.thorough)]
)
def test_a_run_that_is_lent_and_changes_between_the_look_and_the_reading(
    city, run, other, tmp_path, monkeypatch, happens
):
    """Seen to fail: the files of the other run were read, and written under the key of those that were hashed."""
    lent, case = shutil.copytree(run, tmp_path / "lent"), another_year(city, tmp_path / "city")
    load = sections._load

    def meanwhile(name: str, folder: Path):
        if name == "parcels":
            shutil.rmtree(lent)
            if happens == "replaced":
                shutil.copytree(other, lent)
        return load(name, folder)

    monkeypatch.setattr(sections, "_load", meanwhile)
    with pytest.raises(
        RunError,
        match=r"lent.*parcels.* was changed, moved or removed while it was read\. Run it again",
    ):
        cg.run(case, tmp_path / "out", reuse=lent)
    assert not (tmp_path / "out").exists()


def test_a_run_of_which_only_the_old_name_is_left(city, run, tmp_path):
    """A commit that was cut between its two renames. Seen to fail: the outlines were looked for under the name that the run had lost when it was put back."""
    case = another_year(city, tmp_path / "city")
    shutil.copytree(run, tmp_path / ".out.old")
    after = cg.run(case, tmp_path / "out", replace=True)
    assert "read parcels" in after.manifest["reused"]
    assert after.manifest["digests"] == cg.run(case, tmp_path / "fresh").manifest["digests"]
    assert not (tmp_path / ".out.old").exists()


def test_points_are_held_against_the_land_again_where_they_are_read_otherwise(city, run, tmp_path):
    case = another_year(city, tmp_path / "city")
    text = case.read_text("utf-8")
    section = text.index("[pois]")
    at = text.index('crs = "', section)
    end = text.index("\n", at)
    case.write_text(text[:at] + 'crs = "EPSG:4490"' + text[end:], encoding="utf-8")
    with pytest.raises(InputError, match=r"9\d\.\d% as gcj02.*The case says EPSG:4490"):
        cg.run(case, tmp_path / "out", reuse=run)
    same = cg.run(another_year(city, tmp_path / "same"), tmp_path / "again", reuse=run)
    assert "hold points" in same.manifest["reused"]
