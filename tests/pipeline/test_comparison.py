"""What a run says of the choices that it did not take; towns worked out by hand."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
from town import CRS, EAST, NORTH, square, write_raster, write_town

from carbongrid.pipeline import run

INDUSTRY = "0601"


def notes(case: Path) -> list[str]:
    result = run(case, case.parent.parent / f"{case.parent.name}-run")
    return [text for _, text in result.manifest["assumptions"]]


def test_units_that_another_reference_would_turn_are_named(tmp_path: Path) -> None:
    """Each district has a poor and a rich unit; the city's mean lies between theirs. The rich have the larger forests."""
    folder = tmp_path / "town"
    folder.mkdir()
    parcels = [(f"p{k}", INDUSTRY, square(k, 0)) for k in range(4)]
    parcels += [(f"w{k}", "0301", square(k, 1, 1, 0.5 + k % 2 / 2)) for k in range(4)]
    units = [(f"u{k}", "ab"[k // 2], square(k, 0, 1, 2)) for k in range(4)]
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,400,t CO2e\nsink/forest,40,t CO2e\n",
        "gdp.csv": "region,value\nu0,1\nu1,2\nu2,8\nu3,9\n",
    }
    case = write_town(folder, parcels, units, tables, '[gdp]\npath = "gdp.csv"\n')
    (told,) = [note for note in notes(case) if "another zone" in note]
    # All: the mean is 5, so u0 and u1 are low. In a the mean is 1.5 and u1 is high; in b 8.5 and u2 is low.
    assert 'reference = "district", 2 of 4 units' in told
    assert ": u1, u2 (" in told


def test_the_overlay_is_compared_with_exact_areas_and_with_the_survey(tmp_path: Path) -> None:
    """A border runs at a quarter of a cell: 925 of 1000 m lie west of it, cells of 100 m say 900.

    The survey says that the parcel is the eastern unit's, by a village's code that begins with it.
    """
    folder = tmp_path / "town"
    folder.mkdir()
    parcels = [("p", INDUSTRY, square(0, 0)), ("q", INDUSTRY, square(1, 0))]
    units = [("0101", "d", square(0, 0, 0.925)), ("0102", "d", square(0.925, 0, 1.075))]
    tables = {"totals.csv": "category,value,unit\nwaste/industrial,2000,t CO2e\n"}
    case = write_town(folder, parcels, units, tables)
    land = gpd.read_file(folder / "parcels.gpkg").assign(ZLDWDM=["0102007", "0102008"])
    land.to_file(folder / "parcels.gpkg")
    text = case.read_text("utf-8").replace("[units]", 'unit_field = "ZLDWDM"\n[units]')
    case.write_text(text, "utf-8")
    told = notes(case)
    # Of the parcel's 1000 t, 900 by cells and 925 by area: 25 of 2000 t.
    (exact,) = [note for note in told if "instead of cells" in note]
    assert exact.startswith("Shared by exact areas instead of cells, 1.250% of the emission")
    assert "at most 25 t in one (010" in exact
    (survey,) = [note for note in told if "survey" in note]
    assert "2 of 2 parcels; by the overlay 1 of them" in survey
    assert "925 t (46.250%" in survey


def test_what_follows_a_raster_lies_where_the_raster_has_it_either_way(tmp_path: Path) -> None:
    """Nine tenths of a parcel's weight lie in its western half. Seen to fail: by exact areas 40 % were said to lie in another unit, and half of its works."""
    folder = tmp_path / "town"
    folder.mkdir()
    parcels = [("p", INDUSTRY, square(0, 0)), ("q", "0301", square(1, 0))]
    units = [("u0", "d", square(0, 0, 0.5)), ("u1", "d", square(0.5, 0, 1.5))]
    tables = {
        "totals.csv": "category,value,unit\nwaste/industrial,2000,t CO2e\n",
        "categories.csv": "category,sector,name_en,name_zh,scope,sink,types,weight\nwaste/industrial,waste,W,x,1,false,industrial,raster:lights.tif\n",
        "facilities.csv": f"name,category,value,unit,x,y,crs\nworks,waste/industrial,500,t CO2e,{EAST + 700},{NORTH + 500},EPSG:{CRS}\n",
    }
    write_raster(folder / "lights.tif", [[9.0, 1.0, 0.0, 0.0]] * 2, cell=500)
    case = write_town(folder, parcels, units, tables, '[categories]\npath = "categories.csv"\n[facilities]\npath = "facilities.csv"\n')  # fmt: skip
    result = run(case, tmp_path / "run")
    assert result.units.set_index("id")["waste_industrial_t"].to_dict() == {"u0": 1800, "u1": 200}
    told = [text for _, text in result.manifest["assumptions"]]
    (exact,) = [note for note in told if "instead of cells" in note]
    assert exact.startswith("Shared by exact areas instead of cells, 0.000% of the emission")
    assert not [note for note in told if "go by area to units that do not hold" in note]
