from __future__ import annotations

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pytest
import shapely
from geodata_layers import case_of
from hypothesis import assume, given
from hypothesis import strategies as st
from pyproj import CRS

from carbongrid.case.readers.coordinates import from_wgs84, project_points
from carbongrid.case.readers.points import (
    _carriers,
    _is_clearly_better,
    crosswalk_categories,
    hit_rates,
    match_poi_types,
    read_pois,
    reading_notes,
)
from carbongrid.errors import InputError
from carbongrid.method.categories import read_categories
from carbongrid.method.landuse import packaged_table
from carbongrid.outputs.report.notes import note_in_chinese

GRID = CRS.from_epsg(4549)


def pois_case(folder, *rows, header="typecode,lon,lat", **section):
    (folder / "pois.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return case_of(folder, pois={"path": "pois.csv", "crs": "EPSG:4490", **section})


def test_the_table(tmp_path):
    rows = [
        "170300,120.62,31.32",
        "050100,120.61,31.31",
        "999999,120.63,31.33",
        "050118,120.61,31.31",
    ]
    table, notes = read_pois(pois_case(tmp_path, *rows), GRID)
    assert list(table.columns) == ["poi_type", "category", "x", "y"]
    assert table["poi_type"].tolist() == ["050100", "050118", "170300", "999999"]
    assert table["category"].tolist() == ["buildings/commerce"] * 2 + ["industry/manufacturing", ""]
    x, y = project_points([120.62], [31.32], "EPSG:4490", GRID)
    assert (table["x"][2], table["y"][2]) == (x[0], y[0])
    note, of_sizes = notes
    assert "counts 1" in of_sizes.what
    assert "1 of 4 POIs are of 1 types without a category in gaode: 999999 (1)" in note.what
    shuffled, _ = read_pois(pois_case(tmp_path, *reversed(rows)), GRID)
    pd.testing.assert_frame_equal(shuffled, table)


def test_values_of_osm_without_their_key_are_told(tmp_path):
    """Seen: the advice was a crosswalk of one's own, where the column had `bakery` for `shop=bakery`."""
    rows = ["bakery,120.62,31.32", "school,120.61,31.31"]
    asked = "a key and its value, such as shop=bakery"
    _, notes = read_pois(pois_case(tmp_path, *rows, crosswalk="osm"), GRID)
    (note,) = (note for note in notes if asked in note.hint)
    assert "键是否在另一列" in note_in_chinese(f"{note.where}: {note.what}. {note.hint}")
    told = ["nothing=known,120.62,31.32", ",120.62,31.31", "shop=bakery,120.61,31.31"]
    _, notes = read_pois(pois_case(tmp_path, *told, crosswalk="osm"), GRID)
    assert any("without a category in osm" in note.what for note in notes)
    assert not any(asked in note.hint for note in notes)


def test_weights_are_thousandths_rounded_half_to_even(tmp_path):
    rows = ["170300,120.62,31.32,12.3455", "050100,120.61,31.31,0", "050100,120.61,31.31,1e3"]
    case = pois_case(tmp_path, *rows, header="typecode,lon,lat,mw", weight="mw")
    table, _ = read_pois(case, GRID)
    assert table["thousandths"].tolist() == [0, 1_000_000, 12_346]
    assert table["thousandths"].dtype == np.int64
    shuffled = pois_case(tmp_path, *reversed(rows), header="typecode,lon,lat,mw", weight="mw")
    pd.testing.assert_frame_equal(read_pois(shuffled, GRID)[0], table)


WEIGHTS = ("170300,120.62,31.32,{}", "170301,120.61,31.31,{}", "050100,120.61,31.31,1000", "999999,120.61,31.30,0.0004")  # fmt: skip


@pytest.mark.parametrize(
    ("weights", "moved", "of"),
    [(("0.0004", "0.0014"), "0.0008", "0.0018"), (("0", "0.0004"), "0.0004", "0.0004")],
)
def test_weights_that_thousandths_are_too_coarse_for_are_an_error(tmp_path, weights, moved, of):
    """Seen to fail: the first counted nothing and was told to be 0; others of another category hide none."""
    rows = [row.format(*weights[i : i + 1]) for i, row in enumerate(WEIGHTS)]
    weighed = {"header": "typecode,lon,lat,mw", "weight": "mw"}
    with pytest.raises(InputError) as caught:
        read_pois(pois_case(tmp_path, *rows, **weighed), GRID)
    assert [problem.what for problem in caught.value.problems] == [
        f"weights of POIs are counted in thousandths, and rounding them moves {moved} of the {of} of industry/manufacturing"
    ]


def test_a_weight_that_is_too_small_to_count_is_not_said_to_be_0(tmp_path):
    """Seen to fail: "1 of 4 POIs have a weight of 0", which none has. What is of no category counts nothing anyway."""
    rows = [row.format(["0.0004", "1.5"][i % 2]) for i, row in enumerate(WEIGHTS)]
    notes = read_pois(pois_case(tmp_path, *rows, header="typecode,lon,lat,mw", weight="mw"), GRID)[1]  # fmt: skip
    told = [note.what for note in notes if "nothing" in note.what]
    assert told == ["weights of POIs below half a thousandth count nothing: 1 of 3, 0.0004 together"]  # fmt: skip
    assert note_in_chinese(f"pois.csv: {told[0]}")


@pytest.mark.parametrize("bad", ["", "-1", "nan", "inf", "much", "1e10"])
def test_a_weight_that_is_no_count_is_named_with_its_row(tmp_path, bad):
    rows = ["170300,120.62,31.32,1", f"050100,120.61,31.31,{bad}"]
    case = pois_case(tmp_path, *rows, header="typecode,lon,lat,mw", weight="mw")
    with pytest.raises(InputError, match=r"pois\.csv, row 3, column mw"):
        read_pois(case, GRID)


def test_gcj02_is_taken_back(tmp_path):
    x, y = from_wgs84(120.62, 31.32, "gcj02")
    table, _ = read_pois(pois_case(tmp_path, f"170300,{x[0]:.9f},{y[0]:.9f}", crs="gcj02"), GRID)
    true_x, true_y = project_points([120.62], [31.32], "EPSG:4326", GRID)
    assert table["x"][0] == pytest.approx(true_x[0], abs=1e-3)
    assert table["y"][0] == pytest.approx(true_y[0], abs=1e-3)


@pytest.mark.parametrize("name", ["gaode", "osm", "overture"])
def test_shipped_crosswalks_name_known_categories(name):
    table = packaged_table(f"poi/{name}.csv")
    assert table["poi_type"].is_unique
    assert set(table["category"]) - {""} <= set(read_categories(None))
    weighed = {one.name for one in read_categories(None).values() if one.weight == "pois"}
    # No type of Gaode is a plant (decision 0055).
    assert weighed - set(table["category"]) == ({"industry/supply"} if name == "gaode" else set())
    assert "transport/road" in set(table["category"])


def test_longest_match_wins():
    crosswalk = {
        "05*": "a/b",
        "0501*": "a/c",
        "050100": "a/d",
        "amenity=*": "o/any",
        "amenity=cafe": "o/cafe",
    }
    types = [
        "050100",
        "050101",
        "050200",
        "060000",
        "amenity=cafe",
        "amenity=bank",
        "06|050100",
        "",
        "*",
    ]
    found = match_poi_types(pd.Series(types, dtype=str), crosswalk)
    assert found.tolist() == ["a/d", "a/c", "a/b", "", "o/cafe", "o/any", "a/d", "", ""]


@given(
    st.lists(st.text("01", max_size=4), max_size=8),
    st.dictionaries(
        st.text("01", max_size=3).map(lambda text: text + "*"), st.sampled_from("abc"), max_size=6
    ),
)
def test_matching_by_prefix(types, crosswalk):
    """Seen to fail when the first prefix in the table's order was taken."""
    found = match_poi_types(pd.Series(types, dtype=str), crosswalk)
    for poi_type, category in zip(types, found, strict=True):
        fitting = [entry for entry in crosswalk if poi_type.startswith(entry[:-1])]
        assert category == (crosswalk[max(fitting, key=len)] if fitting else "")


def test_a_crosswalk_of_the_users_own(tmp_path):
    (tmp_path / "own.csv").write_text(
        "poi_type,category\nshop*,buildings/commerce\nfarm,\n", encoding="utf-8"
    )
    case = pois_case(tmp_path, "shop 1,120.6,31.3", "farm,120.6,31.3", crosswalk="own.csv")
    table, _ = read_pois(case, GRID, read_categories(None))
    assert table["category"].tolist() == ["", "buildings/commerce"]
    (tmp_path / "own.csv").write_text(
        "poi_type,category\na,buildings/comerce\na,x/y\n", encoding="utf-8"
    )
    with pytest.raises(InputError) as error:
        read_pois(case, GRID, read_categories(None))
    assert "unknown category 'x/y'" in str(error.value)
    assert "unknown category 'buildings/comerce'. Did you mean 'buildings/commerce'?" in str(
        error.value
    )


def town(count=40):
    """Return works of 100 m on a lattice of 1 km, and a POI in the middle of each."""
    west, south = 550_000.0, 3_460_000.0
    rows, columns = np.divmod(np.arange(count), 8)
    x, y = west + columns * 1000, south + rows * 1000
    parcels = gpd.GeoDataFrame(
        {"type": "industrial", "mode": ""},
        index=range(count),
        geometry=shapely.box(x, y, x + 100, y + 100),
        crs=GRID,
    )
    return parcels, x + 50, y + 50


@pytest.mark.parametrize("true", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize("declared", ["EPSG:4490", "gcj02", "bd09"])
def test_hit_rates_find_the_true_system(tmp_path, true, declared):
    """Seen to fail when the numbers were not brought back to what the file says."""
    parcels, x, y = town()
    lon, lat = from_wgs84(*project_points(x, y, GRID, CRS.from_epsg(4326)), true)
    rows = [f"170300,{a:.9f},{b:.9f}" for a, b in zip(lon, lat, strict=True)]
    table, _ = read_pois(pois_case(tmp_path, *rows, crs=declared), GRID)
    rates = hit_rates(table, parcels, read_categories(None), declared)
    assert rates == {"wgs84": 0.0, "gcj02": 0.0, "bd09": 0.0, true: 1.0}
    (note,) = reading_notes(rates, declared, "pois.csv")
    right = true == ("wgs84" if declared == "EPSG:4490" else declared)
    assert note.level == ("note" if right else "warning")
    assert f"100.0% as {true}" in note.what
    if not right:
        assert f"{true} fits clearly better" in note.hint


def test_a_misspelt_column_of_a_crosswalk_is_told(tmp_path):
    """Seen to fail: every POI counted 1, and the table's weights were not read."""
    (tmp_path / "own.csv").write_text("poi_type,category,Weight,note\n1,buildings/commerce,5,\n", encoding="utf-8")  # fmt: skip
    _, notes = read_pois(pois_case(tmp_path, "1,120.6,31.3", crosswalk="own.csv"), GRID)
    assert "the column 'Weight' is not read" in str(notes[0])
    assert notes[0].level == "warning"


def test_hits_count_on_land_that_carries_the_category():
    parcels, x, y = town()
    pois = pd.DataFrame({"poi_type": "a", "category": "industry/manufacturing", "x": x, "y": y})
    pois.loc[:9, "category"] = "buildings/commerce"
    pois.loc[10:19, "category"] = "transport/road"
    pois.loc[20:24, "x"] += 300
    categories = read_categories(None)
    # The ten of transport are not weighed by POIs.
    assert hit_rates(pois, parcels, categories, "EPSG:4490")["wgs84"] == 15 / 30
    assert hit_rates(pois.iloc[10:20], parcels, categories, "EPSG:4490") == {}
    assert reading_notes({}, "gcj02", "f") == []


@given(st.integers(1, 300), st.data())
def test_a_reading_is_better_by_a_tenth_and_by_three_standard_errors(count, data):
    """Of hits as whole numbers. Seen to fail when twenty points, of which one reading hits ten and another six, told them apart."""
    hits, own = data.draw(st.integers(0, count)), data.draw(st.integers(0, count))
    tenth, chance = 10 * (hits - own) - count, (hits - own) ** 2 - 9 * (hits + own)
    assume(tenth and chance)  # on the bound rounding decides
    expected = hits > own and tenth > 0 and chance > 0
    assert _is_clearly_better(hits / count, own / count, count) == expected


def test_types_that_are_numbers(tmp_path):
    layer = gpd.GeoDataFrame(
        {"typecode": [50100]}, geometry=gpd.points_from_xy([120.6], [31.3]), crs=4490
    )
    layer.to_file(tmp_path / "pois.gpkg")
    case = case_of(tmp_path, pois={"path": "pois.gpkg", "crs": "EPSG:4490"})
    with pytest.raises(InputError, match="read as numbers"):
        read_pois(case, GRID)


def test_types_that_lost_their_zeros_are_told(tmp_path):
    # 060100 became 60100 in a spreadsheet: half of the shops were dropped with a note.
    rows = ["060100,120.6,31.3", "60100,120.6,31.3", "60100,120.61,31.3", "10100,120.6,31.3"]
    _, notes = read_pois(pois_case(tmp_path, *rows), GRID)
    warning = next(note for note in notes if "leading zeros" in note.what)
    assert warning.level == "warning"
    # 10100 matches 10*, hotels, and is 010100, a filling station, all the same.
    assert "3 of 4 POIs are of 2 types" in warning.what
    assert "60100 for 060100 (2), 10100 for 010100 (1)" in warning.what
    fine = ["060100,120.6,31.3", "170300,120.6,31.3"]
    notes = read_pois(pois_case(tmp_path, *fine), GRID)[1]
    assert not [note for note in notes if "leading zeros" in note.what]


@pytest.mark.parametrize(
    ("cell", "shown", "says"),
    [
        (60100, "General", "row 3, column typecode"),
        (60100.0, "0.00", "row 3"),
        (60100, "000000", ""),
    ],
)
def test_types_that_a_workbook_holds_as_numbers(tmp_path, cell, shown, says):
    """Seen to pass as 60100, of no category, without a word."""
    book = openpyxl.Workbook()
    for row in (["typecode", "lon", "lat"], ["060100", 120.6, 31.3], [cell, 120.6, 31.3]):
        book.active.append(row)
    book.active["A3"].number_format = shown
    book.save(tmp_path / "pois.xlsx")
    case = case_of(tmp_path, pois={"path": "pois.xlsx", "crs": "EPSG:4490"})
    if says:
        with pytest.raises(InputError, match=r"holds numbers .* the first '60100'") as caught:
            read_pois(case, GRID)
        assert says in str(caught.value)
    else:
        assert read_pois(case, GRID)[0]["poi_type"].tolist() == ["060100"] * 2


def test_encoding_reaches_the_crosswalk(tmp_path):
    """Rare characters, and Big5: neither is guessed."""
    (tmp_path / "own.csv").write_bytes(
        "poi_type,category\n餐廳,buildings/commerce\n".encode("big5")
    )
    (tmp_path / "pois.csv").write_bytes("typecode,lon,lat\n餐廳,120.6,31.3\n".encode("big5"))
    section = {"path": "pois.csv", "crs": "EPSG:4490", "crosswalk": "own.csv", "encoding": "big5"}
    table, notes = read_pois(case_of(tmp_path, pois=section), GRID)
    assert table["category"].tolist() == ["buildings/commerce"]
    assert [note.level for note in notes] == ["note"]


def test_types_are_integers_where_no_type_begins_with_a_zero(tmp_path):
    (tmp_path / "own.csv").write_text(
        "poi_type,category\n12,buildings/commerce\n", encoding="utf-8"
    )
    layer = gpd.GeoDataFrame(
        {"typecode": [12]}, geometry=gpd.points_from_xy([120.6], [31.3]), crs=4490
    )
    layer.to_file(tmp_path / "pois.gpkg")
    section = {"path": "pois.gpkg", "crs": "EPSG:4490", "crosswalk": "own.csv"}
    table, _ = read_pois(case_of(tmp_path, pois=section), GRID)
    assert table["category"].tolist() == ["buildings/commerce"]


def test_a_type_may_weigh_and_needs_a_source_for_it(tmp_path):
    """Seen to fail when the type's weight was added to the POI's own."""
    rows = ["170300,120.62,31.32,2", "170301,120.61,31.31,0.5", "050100,120.60,31.31,1"]
    (tmp_path / "own.csv").write_text(
        "poi_type,category,weight,source\n1703*,industry/manufacturing,12.5,census 2018\n"
        "170301,industry/manufacturing,0.0005,census 2018\n05*,buildings/commerce,,\n",
        encoding="utf-8",
    )
    weighed = {"header": "typecode,lon,lat,mw", "weight": "mw", "crosswalk": "own.csv"}
    table, _ = read_pois(pois_case(tmp_path, *rows, **weighed), GRID)
    of = dict(zip(table["poi_type"], table["thousandths"].tolist(), strict=True))
    assert of == {"170300": 25_000, "170301": 0, "050100": 1000}
    alone, notes = read_pois(
        pois_case(tmp_path, *rows, header="typecode,lon,lat,mw", crosswalk="own.csv"), GRID
    )
    of = dict(zip(alone["poi_type"], alone["thousandths"].tolist(), strict=True))
    assert of == {"170300": 12_500, "170301": 0, "050100": 1000}
    assert not [note for note in notes if "counts 1" in note.what]


def test_a_type_may_serve_several_categories_with_shares(tmp_path):
    rows = ["060100,120.62,31.32,2", "060101,120.61,31.31,1", "050100,120.60,31.31,1", "990000,120.63,31.31,1"]  # fmt: skip
    (tmp_path / "own.csv").write_text(
        "poi_type,category,weight,source\n0601*,buildings/commerce,0.7,survey of malls\n"
        "0601*,industry/supply,0.3,survey of malls\n060101,buildings/commerce,,\n05*,buildings/commerce,,\n",
        encoding="utf-8",
    )
    weighed = {"header": "typecode,lon,lat,mw", "weight": "mw", "crosswalk": "own.csv"}
    table, notes = read_pois(pois_case(tmp_path, *rows, **weighed), GRID)
    claims = table[["poi_type", "category", "thousandths"]].to_numpy().tolist()
    # A whole match counts more than a beginning, and brings no row of the other.
    assert sorted(claims) == [
        ["050100", "buildings/commerce", 1000],
        ["060100", "buildings/commerce", 1400],
        ["060100", "industry/supply", 600],
        ["060101", "buildings/commerce", 1000],
        ["990000", "", 1000],
    ]
    both = table[table["poi_type"] == "060100"]
    assert both["x"].nunique() == both["y"].nunique() == 1
    assert (~table["again"]).sum() == 4
    told = [note.what for note in notes]
    assert any(what.startswith("1 of 4 POIs are of types that serve several categories in own.csv") for what in told)  # fmt: skip
    assert any(what.startswith("1 of 4 POIs are of 1 types without a category") for what in told)


@pytest.mark.parametrize(
    ("second", "told"),
    [
        ("0601*,industry/supply,,", "'0601*' serves buildings/commerce, industry/supply, and a row of it has no weight"),
        ("0601*,buildings/commerce,0.3,a survey", "the POI type '0601*' for buildings/commerce"),
    ],
)  # fmt: skip
def test_a_type_that_stands_twice_by_a_slip_is_an_error(tmp_path, second, told):
    (tmp_path / "own.csv").write_text(
        f"poi_type,category,weight,source\n0601*,buildings/commerce,0.7,a survey\n{second}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        read_pois(pois_case(tmp_path, "060100,120.62,31.32", crosswalk="own.csv"), GRID)
    assert told in str(error.value)


def test_a_row_for_blank_types_is_of_them_alone(tmp_path):
    """Seen to fail: it took all that no row matched."""
    (tmp_path / "own.csv").write_text("poi_type,category\n,buildings/commerce\n0501*,buildings/commerce\n", encoding="utf-8")  # fmt: skip
    rows = [",120.60,31.31", "050100,120.61,31.31", "999999,120.62,31.31"]
    table, notes = read_pois(pois_case(tmp_path, *rows, crosswalk="own.csv"), GRID)
    of = dict(zip(table["poi_type"], table["category"], strict=True))
    assert of == {"": "buildings/commerce", "050100": "buildings/commerce", "999999": ""}
    assert any("1 of 3 POIs are of 1 types without a category" in note.what for note in notes)


def test_a_row_without_a_category_takes_a_type_out(tmp_path):
    """As in the package's own. Seen to fail: the row was passed over, and the type was of what its beginning is."""
    own = tmp_path / "own.csv"
    own.write_text(
        "poi_type,category\n17*,industry/manufacturing\n170200,\n170200,\n", encoding="utf-8"
    )
    case = pois_case(tmp_path, "170200,120.60,31.31", "170300,120.61,31.31", crosswalk="own.csv")
    table, _ = read_pois(case, GRID)
    of = dict(zip(table["poi_type"], table["category"], strict=True))
    assert of == {"170200": "", "170300": "industry/manufacturing"}
    own.write_text("poi_type,category\n170200,industry/manufacturing\n170200,\n", encoding="utf-8")
    with pytest.raises(InputError, match="'170200' stands for no category and for some"):
        read_pois(case, GRID)


def test_a_weight_that_its_type_makes_too_large_is_an_error(tmp_path):
    """Seen to end in an OverflowError, and in sums that wrapped."""
    (tmp_path / "own.csv").write_text(
        "poi_type,category,weight,source\n1703*,industry/manufacturing,1000000000,census 2018\n",
        encoding="utf-8",
    )
    weighed = {"header": "typecode,lon,lat,mw", "weight": "mw", "crosswalk": "own.csv"}
    with pytest.raises(InputError, match=r"weighs 2,000,000,000 with the weight of its type"):
        read_pois(pois_case(tmp_path, "170300,120.62,31.32,2", **weighed), GRID)
    table, _ = read_pois(pois_case(tmp_path, "170300,120.62,31.32,1", **weighed), GRID)
    assert table["thousandths"].tolist() == [10**12]


@pytest.mark.parametrize(
    ("weight", "source", "told"),
    [
        ("2", "", "weight of 1703* has no source"),
        ("many", "a census", "weight of 1703* is 'many'"),
        ("-1", "a census", "weight of 1703* is '-1'"),
    ],
)
def test_a_type_s_weight_that_nobody_measured_is_an_error(tmp_path, weight, source, told):
    (tmp_path / "own.csv").write_text(
        f"poi_type,category,weight,source\n1703*,industry/manufacturing,{weight},{source}\n",
        encoding="utf-8",
    )
    with pytest.raises(InputError) as error:
        read_pois(pois_case(tmp_path, "170300,120.62,31.32", crosswalk="own.csv"), GRID)
    assert told in str(error.value)


def test_what_unknown_sizes_do_is_said(tmp_path):
    _, notes = read_pois(pois_case(tmp_path, "170300,120.62,31.32"), GRID)
    assert "every POI counts 1, whatever its size" in notes[-1].what
    # n sizes alike, each spread as widely as its mean: the sum's standard deviation over its mean is 1/sqrt(n).
    drawn = np.random.default_rng(1).exponential(size=(20_000, 10)).sum(axis=1)
    assert drawn.std() / drawn.mean() == pytest.approx(0.32, abs=0.01)


def test_types_without_a_weight_beside_heavy_ones_are_told(tmp_path):
    """A survey of shops' floors gives one type 1500 m2. Seen to fail: all others of the category counted 1, without a word."""

    def told(weight, other=""):
        (tmp_path / "own.csv").write_text(
            f"poi_type,category,weight,source\n06*,buildings/commerce,{weight},survey\n0701*,buildings/commerce,{other},survey\n1703*,industry/manufacturing,,\n",
            encoding="utf-8",
        )
        rows = [f"{kind},120.62,31.3{k}" for k, kind in enumerate(("060100", "070100", "070101", "170300", "999"))]  # fmt: skip
        _, notes = read_pois(pois_case(tmp_path, *rows, crosswalk="own.csv"), GRID)
        return [each for each in notes if "without a weight" in each.what]

    (one,) = told("1500")
    assert "2 of 3 POIs of buildings/commerce are of types without a weight" in one.what
    assert "where others count 1.5e+03 on average: 0701*" in one.what
    assert (one.where, one.level) == ("own.csv", "warning")
    assert "write 1 where 1 is meant" in str(one)
    assert note_in_chinese(str(one))
    assert told("1500", "1") == []
    assert len(told("0.01")) == 1
    assert told("2") == told("0") == told("1500", "1200") == []


def test_sizes_of_one_category_say_nothing_of_another(tmp_path):
    """Seen to fail: a weight for shops alone, or one of 1 everywhere, took away the note on works."""
    (tmp_path / "own.csv").write_text(
        "poi_type,category,weight,source\n06*,buildings/commerce,2,survey\n0701*,buildings/commerce,,\n1703*,industry/manufacturing,,\n",
        encoding="utf-8",
    )
    rows = "\n".join(f"{kind},120.62,31.3{k}" for k, kind in enumerate(("060100", "070100", "170300", "170300")))  # fmt: skip
    _, notes = read_pois(pois_case(tmp_path, rows, crosswalk="own.csv"), GRID)
    assert (
        "POIs of industry/manufacturing all count alike or nearly so, whatever their size"
        in notes[-1].what
    )
    assert note_in_chinese(str(notes[-1]))
    ones = "\n".join(f"{row},1" for row in rows.splitlines())
    weighed = {"header": "typecode,lon,lat,w", "weight": "w"}
    _, notes = read_pois(pois_case(tmp_path, ones, **weighed), GRID)
    assert "POIs of buildings/commerce, industry/manufacturing all count alike" in notes[-1].what
    _, notes = read_pois(pois_case(tmp_path, "170300,120.62,31.32,1\n170300,120.62,31.33,5", **weighed), GRID)  # fmt: skip
    assert not [each for each in notes if "count alike" in each.what]


def test_sizes_are_asked_for_only_where_a_category_goes_by_pois(tmp_path):
    """Seen to fail: homes, which go by people, and fields, which go by area, were named. Seen to fail: confidences of 0.7 to 1 were sizes."""
    rows = [f"{kind},120.62,31.3{k},0.{7 + k % 3}" for k, kind in enumerate(("170300", "120302", "170300", "120302"))]  # fmt: skip
    case = pois_case(tmp_path, *rows, header="typecode,lon,lat,w", weight="w")
    named = [set(read_pois(case, GRID)[0]["category"]), ["industry/manufacturing"], []]
    told = []
    for by_pois in (None, *named[1:]):
        notes = [each for each in read_pois(case, GRID, None, by_pois)[1] if "count alike" in each.what]  # fmt: skip
        told.append([category for category in named[0] if any(category in each.what for each in notes)])  # fmt: skip
    assert told == [list(named[0]), ["industry/manufacturing"], []]
    assert len(named[0]) == 2


def test_parts_of_a_poi_in_several_categories_are_no_sizes(tmp_path):
    """Seen to fail: a type of which a twentieth is works, beside types without a weight, was in another unit than these."""
    (tmp_path / "own.csv").write_text(
        "poi_type,category,weight,source\n06*,industry/manufacturing,0.05,survey\n06*,buildings/commerce,0.95,survey\n1703*,industry/manufacturing,,\n",
        encoding="utf-8",
    )
    rows = ("060100,120.62,31.31", "170300,120.62,31.32")
    notes = read_pois(pois_case(tmp_path, *rows, crosswalk="own.csv"), GRID)[1]
    assert not [each for each in notes if "without a weight" in each.what]


def test_companies_and_business_halls_are_no_works(tmp_path):
    table = packaged_table("poi/gaode.csv")
    category = dict(zip(table["poi_type"], table["category"], strict=True))
    halls = pd.Series(["170200", "170000", "070900", "071001", "170300", "170205"], dtype=str)
    assert match_poi_types(halls, category).tolist() == [
        *["", ""],
        *["buildings/commerce"] * 2,
        *["industry/manufacturing"] * 2,
    ]
    changed = table[table["reason"] != ""]
    assert set(changed["poi_type"]) == {"0709*", "0710*", "170000", "170200"}
    assert changed["reason"].str.startswith("was industry/").all()
    known = crosswalk_categories(pois_case(tmp_path, "170300,120.62,31.32"))
    assert "industry/manufacturing" in known
    assert "industry/supply" not in known


def test_land_carries_a_category_by_its_type_or_by_type_and_mode():
    """Also one type with two modes, of which one carries, and land without a mode. Seen to fail when modes are not looked at."""
    parcels = gpd.GeoDataFrame(
        {"type": ["urban", "urban", "rural", "urban", "water"], "mode": ["a", "b", "a", None, "b"]}
    )
    carried = _carriers(parcels, {"one": ("urban:a", "water"), "two": ("urban",), "none": ()})
    assert carried.tolist() == [
        [True, False, False, False, True],
        [True, True, False, True, False],
        [False] * 5,
    ]
    assert _carriers(parcels, {}).shape == (0, 5)
