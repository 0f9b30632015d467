"""Outlines that are taken over are read late: what happens to the run that they lie in, meanwhile, is told and changes no number."""

from __future__ import annotations

import shutil
from pathlib import Path

import geopandas as gpd
import pytest

import carbongrid as cg
from carbongrid.errors import InputError, RunError
from carbongrid.pipeline import running, sections


@pytest.fixture(scope="module")
def other(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of as many parcels with other outlines."""
    folder = shutil.copytree(small_city, tmp_path_factory.mktemp("late") / "city")
    parcels = gpd.read_file(folder / "parcels.gpkg", layer="DLTB")
    parcels["geometry"] = parcels.geometry.buffer(-5)
    (folder / "parcels.gpkg").unlink()
    parcels[~parcels.is_empty].to_file(folder / "parcels.gpkg", layer="DLTB")
    return cg.run(folder / "case.toml", folder.with_name("other")).directory


def another_year(city: Path, folder: Path) -> Path:
    shutil.copytree(city, folder)
    totals = folder / "totals.csv"
    totals.write_text(totals.read_text("utf-8").replace(",1", ",2"), encoding="utf-8")
    return folder / "case.toml"


@pytest.fixture(scope="module")
def fresh(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of a run of the other year that takes nothing over."""
    folder = tmp_path_factory.mktemp("fresh")
    return dict(
        cg.run(another_year(small_city, folder / "city"), folder / "run").manifest["digests"]
    )


@pytest.mark.parametrize(
    "happens", ["replaced", pytest.param("removed", marks=pytest.mark.thorough)]
)
def test_a_run_that_is_lent_and_changes_meanwhile(
    small_city, small_run, other, fresh, tmp_path, monkeypatch, happens
):
    """Seen to fail: its outlines were written under the key of those that had been looked at, and every run on that one was wrong and verified."""
    lent, case = (
        shutil.copytree(small_run, tmp_path / "lent"),
        another_year(small_city, tmp_path / "city"),
    )
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
    assert cg.run(case, tmp_path / "out").manifest["digests"] == fresh
    assert cg.verify(tmp_path / "out").ok


@pytest.mark.parametrize(
    "happens", ["replaced", pytest.param("removed", marks=pytest.mark.thorough)]
)
def test_a_run_that_is_lent_and_changes_between_the_look_and_the_reading(
    small_city, small_run, other, tmp_path, monkeypatch, happens
):
    """Seen to fail: the files of the other run were read, and written under the key of those that were hashed."""
    lent, case = (
        shutil.copytree(small_run, tmp_path / "lent"),
        another_year(small_city, tmp_path / "city"),
    )
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


def test_a_run_of_which_only_the_old_name_is_left(small_city, small_run, fresh, tmp_path):
    """A commit that was cut between its two renames. Seen to fail: the outlines were looked for under the name that the run had lost when it was put back."""
    case = another_year(small_city, tmp_path / "city")
    shutil.copytree(small_run, tmp_path / ".out.old")
    after = cg.run(case, tmp_path / "out", replace=True)
    assert "read parcels" in after.manifest["reused"]
    assert after.manifest["digests"] == fresh
    assert not (tmp_path / ".out.old").exists()


def test_points_are_held_against_the_land_again_where_they_are_read_otherwise(
    small_city, small_run, tmp_path
):
    case = another_year(small_city, tmp_path / "city")
    text = case.read_text("utf-8")
    section = text.index("[pois]")
    at = text.index('crs = "', section)
    end = text.index("\n", at)
    case.write_text(text[:at] + 'crs = "EPSG:4490"' + text[end:], encoding="utf-8")
    with pytest.raises(InputError, match=r"9\d\.\d% as gcj02.*The case says EPSG:4490"):
        cg.run(case, tmp_path / "out", reuse=small_run)
    same = cg.run(another_year(small_city, tmp_path / "same"), tmp_path / "again", reuse=small_run)
    assert "hold points" in same.manifest["reused"]
