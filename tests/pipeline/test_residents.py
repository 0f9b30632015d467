"""Who lives in a unit is found once; other people, another census, other units or another rule for borders are other numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.transform import from_origin
from squares_case import CRS, SOUTH, WEST, layer, squares_case

from carbongrid.case import Case
from carbongrid.errors import InputError
from carbongrid.pipeline import check, run
from carbongrid.pipeline.residents import FILES

TOTALS = "category,value,unit\nbuildings/urban-homes,{},t CO2e\n"
CENSUS = "region,residents\n01,1000\n02,3000\n"


def people_of(*numbers: int) -> str:
    """A point in the middle of each square."""
    rows = [f"{WEST + 1000 * n + 500},{SOUTH + 500},{many}\n" for n, many in enumerate(numbers)]
    return "lon,lat,residents\n" + "".join(rows)


def case_of(folder: Path) -> Case:
    tables = {"totals.csv": TOTALS.format(400), "people.csv": people_of(10, 30), "census.csv": CENSUS}  # fmt: skip
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}", "census": "census.csv"}
    return squares_case(folder, ["0701"] * 2, tables, people=people)


def test_residents_are_taken_over_where_only_totals_changed(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    run(case, tmp_path / "run")
    (tmp_path / "totals.csv").write_text(TOTALS.format(500), encoding="utf-8")
    after = run(case, tmp_path / "run", replace=True)
    assert "residents" in after.manifest["reused"]
    assert after.units["residents"].tolist() == [1000.0, 3000.0]
    assert FILES[0] in after.manifest["files"]


@pytest.mark.parametrize(
    ("table", "text", "expected"),
    [
        ("people.csv", people_of(10, 30) + people_of(40).partition("\n")[2], [1000.0, 3000.0]),
        ("census.csv", CENSUS.replace("1000", "7000"), [7000.0, 3000.0]),
        ("census.csv", "region,residents\nD1,8000\n", [2000.0, 6000.0]),
    ],
)
def test_residents_are_counted_again_where_people_or_census_changed(tmp_path: Path, table: str, text: str, expected: list[float]) -> None:  # fmt: skip
    """Seen to fail: with a key that did not follow that of the people, which census and rule for borders are part of."""
    case = case_of(tmp_path)
    run(case, tmp_path / "run")
    (tmp_path / table).write_text(text, encoding="utf-8")
    after = run(case, tmp_path / "run", replace=True)
    assert "residents" not in after.manifest["reused"]
    assert after.units["residents"].tolist() == expected


def test_residents_are_counted_again_where_units_are_others(tmp_path: Path) -> None:
    """Seen to fail: with a key that did not follow that of the units."""
    case = case_of(tmp_path)
    run(case, tmp_path / "run")
    (tmp_path / "units.gpkg").unlink()
    layer(2, code=["02", "01"], district=["D1", "D1"]).to_file(tmp_path / "units.gpkg")
    (tmp_path / "census.csv").write_text("region,residents\nD1,8000\n", encoding="utf-8")
    run(case, tmp_path / "run", replace=True)
    (tmp_path / "units.gpkg").unlink()
    layer(2, code=["01", "02"], district=["D1", "D1"]).to_file(tmp_path / "units.gpkg")
    after = run(case, tmp_path / "run", replace=True)
    assert "residents" not in after.manifest["reused"]
    assert after.units["residents"].tolist() == [2000.0, 6000.0]


def test_of_no_people_nothing_is_kept(tmp_path: Path) -> None:
    tables = {"totals.csv": "category,value,unit\nagriculture/plantation,300,t CO2e\n"}
    result = run(squares_case(tmp_path, ["0101"] * 2, tables), tmp_path / "run")
    assert result.units["residents"].isna().all()
    assert "residents" not in result.manifest["steps"]
    assert not (tmp_path / "run" / FILES[0]).exists()


@pytest.mark.parametrize("ends", [True, False])
def test_a_raster_of_people_that_does_not_know_the_homes_is_refused(tmp_path: Path, ends: bool) -> None:  # fmt: skip
    """One that ends there, as a tile of a map of the world does, and one with a hole. Seen to fail, both: two of four units had nobody, and 0 % was lost."""
    tables = {"totals.csv": TOTALS.format(400)}
    homes = ["0701"] * 4
    case = squares_case(tmp_path, homes, tables, people={"path": "people.tif"})
    for columns in (8, 4):
        values = np.full((2, columns if ends else 8), 100.0, np.float32)
        values[:, columns:] = np.nan
        place = {"crs": f"EPSG:{CRS}", "transform": from_origin(WEST, SOUTH + 1000, 500, 500)}
        with rasterio.open(tmp_path / "people.tif", "w", driver="GTiff", height=2, width=values.shape[1], count=1, dtype="float32", **place) as target:  # fmt: skip
            target.write(values, 1)
        told = [each for each in check(case).problems if "no value in" in each.what]
        assert [each.level for each in told] == ["error"] * (columns == 4)
    assert "the raster has no value in 2 km2 (50.00%) of 2 of the 4 parcels that carry it" in told[0].what  # fmt: skip
    assert told[0].what.endswith(". By area, 200 t of it would lie there")
    with pytest.raises(InputError, match="where no data means that there is nothing, write 0"):
        run(case, tmp_path / "run")
    allowed = squares_case(tmp_path, homes, tables, people={"path": "people.tif"}, allow={"fallback": ["buildings/urban-homes"]})  # fmt: skip
    found = run(allowed, tmp_path / "run")
    assert found.ledger["reason"].item().endswith("counts as nothing there")
    assert found.units["residents"].tolist() == pytest.approx([400.0, 400.0, np.nan, np.nan], nan_ok=True)  # fmt: skip
    assert check(allowed).content["residents"] == {"in_units": 800.0, "in_none": 0.0}


def test_what_was_read_under_settings_of_the_environment_is_taken_over_under_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """As GDAL_PAM_ENABLED, by which a raster lies elsewhere. Seen to fail: the command line, which sets them aside, took over what Python had read under them."""
    case, out = case_of(tmp_path), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setenv("GDAL_PAM_ENABLED", "NO")
        run(case, out)
        assert "residents" in run(case, out, replace=True).manifest["reused"]
    assert run(case, out, replace=True).manifest["reused"] == []
    assert "residents" in run(case, out, replace=True).manifest["reused"]
