"""Who lives in a unit is found once; other people, another census, other units or another rule for borders are other numbers."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import rasterio
from english_left import english_in
from rasterio.transform import from_origin
from squares_case import CRS, SOUTH, WEST, layer, squares_case

import carbongrid as cg
from carbongrid.case import Case
from carbongrid.errors import InputError
from carbongrid.outputs.report.notes import note_in_chinese
from carbongrid.pipeline import check, run
from carbongrid.pipeline.residents import FILES

DOCS = Path(__file__).parents[2] / "docs" / "howto"
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


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of that case and its run; not to be modified: see ``case``."""
    folder = tmp_path_factory.mktemp("ran")
    run(case_of(folder), folder / "run")
    return folder


@pytest.fixture
def case(ran: Path, tmp_path: Path) -> Case:
    """That case in a folder of its own, its run beside it."""
    made = case_of(tmp_path)
    shutil.copytree(ran, tmp_path, dirs_exist_ok=True)  # the same bytes, by which a run knows them
    return made


def test_residents_are_taken_over_where_only_totals_changed(case: Case, tmp_path: Path) -> None:
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
def test_residents_are_counted_again_where_people_or_census_changed(case: Case, tmp_path: Path, table: str, text: str, expected: list[float]) -> None:  # fmt: skip
    """Seen to fail: with a key that did not follow that of the people, which census and rule for borders are part of."""
    (tmp_path / table).write_text(text, encoding="utf-8")
    after = run(case, tmp_path / "run", replace=True)
    assert "residents" not in after.manifest["reused"]
    assert after.units["residents"].tolist() == expected


def test_residents_are_counted_again_where_units_are_others(case: Case, tmp_path: Path) -> None:
    """Seen to fail: with a key that did not follow that of the units."""
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
def test_a_raster_of_people_that_does_not_know_the_homes_is_told_and_refused_where_it_ends(tmp_path: Path, ends: bool) -> None:  # fmt: skip
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
        assert [each.level for each in told] == ["error" if ends else "warning"] * (columns == 4)
    assert "the raster has no value in 2 km2 (50.00%) of 2 of the 4 parcels that carry it" in told[0].what  # fmt: skip
    assert told[0].what.endswith(". By area, 200 t of it would lie there")
    if ends:
        with pytest.raises(InputError, match="where no data means that there is nothing, write 0"):
            run(case, tmp_path / "run")
    allowed = squares_case(tmp_path, homes, tables, people={"path": "people.tif"}, allow={"fallback": ["buildings/urban-homes"]})  # fmt: skip
    found = run(allowed, tmp_path / "run")
    assert found.ledger["reason"].item().endswith("what is unknown has no weight there")
    assert found.units["residents"].tolist() == pytest.approx([400.0, 400.0, np.nan, np.nan], nan_ok=True)  # fmt: skip
    assert check(allowed).content["residents"] == {"in_units": 800.0, "in_none": 0.0}


@pytest.mark.parametrize("kind", [pytest.param("urban", marks=pytest.mark.thorough), "rural"])
def test_homes_by_area_keep_their_people_from_the_other_kind_of_home(
    tmp_path: Path, kind: str
) -> None:
    """Two homes of each kind, side by side. Seen to fail: the people of one kind, once it went by area, weighed for the other."""
    other = "rural" if kind == "urban" else "urban"
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,400,t CO2e\nbuildings/rural-homes,400,t CO2e\n",
        "people.csv": people_of(10, 50, 30, 70),
        "categories.csv": f"category,weight\nbuildings/{kind}-homes,area\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    homes = ["0701", "0702", "0701", "0702"]
    before = run(squares_case(tmp_path, homes, tables, people=people), tmp_path / "before")
    changed = squares_case(tmp_path, homes, tables, people=people, categories={"path": "categories.csv"})  # fmt: skip
    after, live = run(changed, tmp_path / "after"), before.with_weights({f"buildings/{kind}-homes": "area"})  # fmt: skip
    by_people = f"buildings_{other}-homes_t"
    assert after.units[by_people].tolist() == before.units[by_people].tolist()
    for column in ("emission_t", "buildings_urban-homes_t", "buildings_rural-homes_t"):
        assert after.units[column].tolist() == live.units[column].tolist()
    placed = after.ledger.set_index("category")["weight_placed"]
    assert placed[f"buildings/{other}-homes"] == (120 if other == "rural" else 40)
    [told] = [each for each in check(changed).problems if "weighs for nothing" in each.what]
    assert told.what.startswith(f"buildings/{kind}-homes goes by area, so that who lives")
    assert english_in(note_in_chinese(str(told)), {f"buildings/{kind}-homes"}) == []


def test_land_that_a_case_adds_to_homes_by_area_takes_no_people(tmp_path: Path) -> None:
    """Seen to fail: people on shops, which homes by area lie on as well, weighed for nothing that goes by people."""
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,400,t CO2e\nwaste/domestic,100,t CO2e\n",
        "people.csv": f"lon,lat,residents\n{WEST + 500},{SOUTH + 500},1000\n{WEST + 1200},{SOUTH + 500},3000\n{WEST + 1700},{SOUTH + 500},2000\n{WEST + 2500},{SOUTH + 500},1000\n",
        "categories.csv": "category,types,weight\nbuildings/urban-homes,urban-residential+commercial,area\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    case = squares_case(tmp_path, ["0701", "05H1", "0702"], tables, people=people, categories={"path": "categories.csv"})  # fmt: skip
    waste = run(case, tmp_path / "run").units["waste_domestic_t"]
    assert waste.tolist() == pytest.approx([400 / 7, 0, 300 / 7])


def shops_by_people(folder: Path, weight: str = "people") -> cg.Result:
    """Homes, shops and homes, and people on each; shops go by people unless said otherwise."""
    folder.mkdir()
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,400,t CO2e\nbuildings/commerce,400,t CO2e\n",
        "people.csv": people_of(10, 50, 30),
        "categories.csv": f"category,weight\nbuildings/commerce,{weight}\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    case = squares_case(folder, ["0701", "05H1", "0701"], tables, people=people, categories={"path": "categories.csv"})  # fmt: skip
    return run(case, folder / "run")


def test_an_answer_that_would_locate_people_elsewhere_is_refused(tmp_path: Path) -> None:
    """Shops that go by people as well: without them the people on their land are those of homes in reach. Seen to fail: homes brought back to people had those of before."""
    found = shops_by_people(tmp_path / "shops")
    with pytest.raises(InputError, match="people would be located on other land than in the run, and with them buildings/urban-homes"):  # fmt: skip
        found.with_weights({"buildings/commerce": "area"})
    neither = {"buildings/commerce": "area", "buildings/urban-homes": "area"}
    for names in (list(neither), list(neither)[::-1]):
        answer = found.with_weights({name: neither[name] for name in names})
        with pytest.raises(InputError, match="people would be located on other land"):
            answer.with_weights({"buildings/urban-homes": "people"})
        back = answer.with_weights(dict.fromkeys(neither, "people"))
        assert back.units["emission_t"].tolist() == found.units["emission_t"].tolist()
    assert shops_by_people(tmp_path / "other", "area").units["emission_t"].tolist() != found.units["emission_t"].tolist()  # fmt: skip


def test_what_goes_by_people_unasked_may_go_by_area(tmp_path: Path) -> None:
    """Seen to fail: refused, since rural homes had no total."""
    tables = {
        "totals.csv": "category,value,unit\nbuildings/urban-homes,400,t CO2e\nwaste/domestic,400,t CO2e\n",
        "people.csv": people_of(10, 50),
        "categories.csv": "category,weight\nwaste/domestic,area\n",
    }
    people = {"path": "people.csv", "crs": f"EPSG:{CRS}"}
    live = run(squares_case(tmp_path, ["0701", "0702"], tables, people=people), tmp_path / "run").with_weights({"waste/domestic": "area"})  # fmt: skip
    case = squares_case(tmp_path, ["0701", "0702"], tables, people=people, categories={"path": "categories.csv"})  # fmt: skip
    assert live.units["emission_t"].tolist() == run(case, tmp_path / "area").units["emission_t"].tolist()  # fmt: skip


def raster_of(path: Path, values: Sequence[Sequence[float]], kind: str, nodata: float) -> Path:
    """Write a raster of people, two cells a square on each side."""
    table = np.array(values, kind)
    place = {"crs": f"EPSG:{CRS}", "transform": from_origin(WEST, SOUTH + 1000, 500, 500)}
    with rasterio.open(path, "w", driver="GTiff", height=table.shape[0], width=table.shape[1], count=1, dtype=kind, nodata=nodata, **place) as target:  # fmt: skip
        target.write(table, 1)
    return path


@pytest.mark.parametrize(
    ("totals", "levels", "mass"),
    [
        ("D1,400\nD2,0", [], ""),
        ("D1,390\nD2,10", ["warning"], "5 t"),
        ("D1,360\nD2,40", ["warning"], "20 t"),
        ("D1,350\nD2,50", ["warning"], "25 t"),
        (",400", ["warning"], "100 t"),
        ("01,100\n,400", ["warning"], "100 t"),
        ("D1,0\n,400", ["warning"], "200 t"),
    ],
)
def test_what_would_lie_in_cells_without_data_is_of_the_region_that_they_are_in(tmp_path: Path, totals: str, levels: list[str], mass: str) -> None:  # fmt: skip
    """The fourth of four equal homes is unknown. Seen to fail: with 400 t in the first two and none in the others, 100 t were missing there."""
    text = "region,value,category,unit\n" + "".join(f"{row},buildings/urban-homes,t CO2e\n" for row in totals.split("\n"))  # fmt: skip
    case = squares_case(tmp_path, ["0701"] * 4, {"totals.csv": text}, people={"path": "people.tif"})
    raster_of(tmp_path / "people.tif", [[100] * 6 + [-1] * 2] * 2, "int32", -1)
    told = [each for each in check(case).problems if "no value in" in each.what]
    assert [each.level for each in told] == levels
    assert all(each.what.endswith(f"By area, {mass} of it would lie there") for each in told)
    assert all(english_in(note_in_chinese(str(each))) == [] for each in told)


def test_a_census_of_nobody_is_believed_where_a_raster_is_silent(tmp_path: Path) -> None:
    """Of four silent units one has a census of 0, one of some, one is in a district of 0, one in no region. Seen to fail: all were unknown."""
    tables = {"totals.csv": TOTALS.format(400), "census.csv": "region,residents\n01,0\n02,50\nD2,0\n"}  # fmt: skip
    people = {"path": "people.tif", "census": "census.csv"}
    case = squares_case(tmp_path, ["0701"] * 5, tables, people=people, allow={key: ["buildings/urban-homes"] for key in ("fallback", "lost")})  # fmt: skip
    raster_of(tmp_path / "people.tif", [[-1] * 8 + [100] * 2] * 2, "int32", -1)
    found = run(case, tmp_path / "run").units["residents"].tolist()
    assert found == pytest.approx([0.0, np.nan, 0.0, 0.0, 400.0], nan_ok=True)


@pytest.mark.skipif(shutil.which("gdalwarp") is None, reason="no gdalwarp")
@pytest.mark.parametrize(("kind", "nodata"), [("float32", -99999), ("float32", np.nan), ("int32", -200), ("uint8", 255)])  # fmt: skip
def test_the_command_that_is_advised_writes_0_where_there_is_no_data(tmp_path: Path, kind: str, nodata: float) -> None:  # fmt: skip
    """Seen to fail with ``-dstnodata 0``, which makes -1 of the zeros of int32, that they be known."""
    case = squares_case(tmp_path, ["0701"] * 2, {"totals.csv": TOTALS.format(400)}, people={"path": "people.tif"})  # fmt: skip
    written = raster_of(
        tmp_path / "people.tif", [[100, 0, nodata, nodata], [0, 7, 0, nodata]], kind, nodata
    )
    told = " ".join(map(str, check(case).problems))
    found = re.search(r"gdalwarp .*? IN OUT", told)
    assert found and found[0] in (DOCS / "data.md").read_text("utf-8")
    written.rename(tmp_path / "IN")
    subprocess.run(found[0].split(), cwd=tmp_path, check=True, capture_output=True)
    with rasterio.open(tmp_path / "OUT") as after:
        assert after.nodata is None
        assert after.read(1).tolist() == [[100, 0, 0, 0], [0, 7, 0, 0]]


def test_what_was_read_under_settings_of_the_environment_is_taken_over_under_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    """As GDAL_PAM_ENABLED, by which a raster lies elsewhere. Seen to fail: the command line, which sets them aside, took over what Python had read under them."""
    case, out = case_of(tmp_path), tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setenv("GDAL_PAM_ENABLED", "NO")
        run(case, out)
        assert "residents" in run(case, out, replace=True).manifest["reused"]
    assert run(case, out, replace=True).manifest["reused"] == []
    assert "residents" in run(case, out, replace=True).manifest["reused"]
