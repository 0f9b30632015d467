from __future__ import annotations

import datetime as dt
import sqlite3
import struct

import pandas as pd
import pyogrio
import pytest
import shapely
from geodata_layers import FORMATS, survey_layer, write_layer
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.case.readers.vector import (
    missing_columns,
    number_column,
    read_vector,
    text_column,
)
from carbongrid.errors import InputError, Problem


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_the_same_text(tmp_path, suffix):
    layer = survey_layer()
    table = read_vector(write_layer(layer, tmp_path / f"layer.{suffix}"))
    # FlatGeobuf orders its rows by place.
    table = table.set_index("BSM", drop=False).loc[layer["BSM"]]
    for column in ("BSM", "DLBM", "DLMC", "ZLDWDM"):
        assert table[column].tolist() == layer[column].tolist()
    assert table["TBDLMJ"].tolist() == layer["TBDLMJ"].tolist()
    assert table.crs.to_epsg() == 4528
    assert shapely.equals(table.geometry.to_numpy(), layer.geometry.to_numpy()).all()


@pytest.mark.parametrize("suffix", FORMATS)
def test_columns_are_chosen_in_order(tmp_path, suffix):
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    table = read_vector(path, columns=["DLMC", "BSM", "DLMC"])
    assert list(table.columns) == ["DLMC", "BSM", "geometry"]


@pytest.mark.parametrize("suffix", FORMATS)
def test_columns_are_chosen_of_those_there_are(tmp_path, suffix):
    """The file is opened once for that; who chooses may refuse."""
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    table = read_vector(path, columns=lambda known: [name for name in ("DLMC", "none") if name in known])  # fmt: skip
    assert list(table.columns) == ["DLMC", "geometry"]

    def refused(known):
        assert {"BSM", "DLBM"} <= set(known) and "geometry" not in known
        raise InputError("none of these")

    with pytest.raises(InputError, match="none of these"):
        read_vector(path, columns=refused)


@pytest.mark.parametrize("suffix", FORMATS)
def test_a_missing_column_is_answered_with_the_nearest(tmp_path, suffix):
    path = write_layer(survey_layer(), tmp_path / f"layer.{suffix}")
    with pytest.raises(InputError, match=r"no column 'dlbn'. Did you mean 'DLBM'\?"):
        read_vector(path, columns=["BSM", "dlbn"])


@pytest.mark.parametrize("suffix", ["gpkg", "gdb"])
def test_layers(tmp_path, suffix):
    path = tmp_path / f"many.{suffix}"
    driver = FORMATS[suffix]
    for name in ("DLTB", "XZQ"):
        survey_layer()[["BSM", "geometry"]].to_file(
            path, layer=name, driver=driver, promote_to_multi=True
        )
    with pytest.raises(InputError, match=r"2 layers with geometry.*DLTB, XZQ"):
        read_vector(path)
    with pytest.raises(InputError, match=r"no layer 'DLTP'.*The layers are: DLTB, XZQ"):
        read_vector(path, "DLTP")
    assert len(read_vector(path, "XZQ")) == 6


def test_parquet_has_no_layers(tmp_path):
    path = write_layer(survey_layer(), tmp_path / "layer.parquet")
    with pytest.raises(InputError, match="has no layers"):
        read_vector(path, "DLTB")


def test_a_geometry_of_another_name(tmp_path):
    path = tmp_path / "layer.parquet"
    survey_layer().rename_geometry("shape").to_parquet(path)
    assert list(read_vector(path, columns=["BSM"]).columns) == ["BSM", "geometry"]


def test_rings_that_are_not_closed(tmp_path):
    path = tmp_path / "layer.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"a"},'
        '"geometry":{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,1]]]}}]}',
        encoding="utf-8",
    )
    assert read_vector(path).geometry.isna().tolist() == [True]
    assert shapely.area(read_vector(path, close_rings=True).geometry.array).tolist() == [1.0]


@pytest.mark.parametrize(("kind", "called"), [(1015, "PolyhedralSurface"), (2147483664, "TIN"), (17, "Triangle")])  # fmt: skip
def test_a_surface_of_faces_is_called_so(tmp_path, kind, called):
    """Seen to be told as a geometry that is null, empty, or has a ring that is not closed; behind a row without geometry, too."""
    path = write_layer(survey_layer(), tmp_path / "layer.gpkg")
    deep = kind != 17
    ring = struct.pack("<II", 1, 4) + b"".join(struct.pack("<3d" if deep else "<2d", *xy, *[0.0] * deep) for xy in [(0, 0), (1, 0), (1, 1), (0, 0)])  # fmt: skip
    face = {1015: b"\1" + struct.pack("<I", 1003), 2147483664: b"\1" + struct.pack("<I", 1017), 17: b""}[kind]  # fmt: skip
    inside = struct.pack("<I", 1) + face + ring if deep else ring
    with sqlite3.connect(path) as base:
        for (trigger,) in base.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():  # fmt: skip
            base.execute(f'DROP TRIGGER "{trigger}"')
        wkb = b"GP\0\1" + struct.pack("<I", 4528) + b"\1" + struct.pack("<I", kind) + inside
        base.execute("UPDATE layer SET geom = ? WHERE fid = 2", (wkb,))
        base.execute("UPDATE layer SET geom = NULL WHERE fid = 1")
        base.execute("UPDATE gpkg_geometry_columns SET geometry_type_name = 'GEOMETRY'")
    base.close()
    with pytest.raises(InputError, match=rf"feature 2 is a {called}, which is not read\. Convert"):
        read_vector(path)


def test_text_that_looks_like_a_date_stays_text(tmp_path):
    path = tmp_path / "layer.geojson"
    path.write_text(
        '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"2020-01-01"},'
        '"geometry":{"type":"Point","coordinates":[0,0]}}]}',
        encoding="utf-8",
    )
    problems: list[Problem] = []
    assert text_column(read_vector(path), "id", "f", problems).tolist() == ["2020-01-01"]
    assert not problems


def test_a_format_of_utf_8_alone_is_not_read_by_a_named_encoding(tmp_path):
    """Seen to tell to name the encoding in the case, which named it: it counts for a Shapefile alone."""
    path = tmp_path / "layer.geojson"
    text = '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"id":"地块"},"geometry":null}]}'
    path.write_text(text, encoding="gb18030")
    with pytest.raises(InputError, match=r"is not UTF-8 \(.*whatever the case names\. Convert it"):
        read_vector(path, encoding="gb18030")


@pytest.mark.parametrize(
    ("values", "kind"),
    [([1.5, 2.0], "numbers"), ([True, None], "true or false (True)"), ([2.0**53, 1.0], "numbers"), ([float("inf")], "numbers"), (["a", 1], "numbers"),
     (pd.to_datetime(["2020-01-01"]), "dates (2020-01-01 00:00:00)"), ([dt.date(2020, 1, 1), None], "dates (2020-01-01)")],
)  # fmt: skip
def test_ids_that_are_no_whole_numbers_are_told(values, kind):
    """Seen to tell of dates that they are numbers, some of which are not whole."""
    problems: list[Problem] = []
    text_column(pd.DataFrame({"BSM": values}), "BSM", "parcels.gpkg", problems)
    assert len(problems) == 1
    assert f"read as {kind}" in problems[0].what
    assert "text" in problems[0].hint


@given(st.lists(st.one_of(st.none(), st.integers(-(2**53) + 1, 2**53 - 1)), min_size=1))
def test_whole_numbers_are_their_digits(values):
    """No zero can be lost from integers, nor from the floats that a blank among them makes of them."""
    expected = ["" if value is None else str(value) for value in values]
    for dtype in ("float64", "Int64", "object"):
        problems: list[Problem] = []
        table = pd.DataFrame({"BSM": pd.Series(values, dtype=dtype)})
        assert text_column(table, "BSM", "f", problems).tolist() == expected
        assert not problems


@pytest.mark.parametrize("padded", [False, True])
@pytest.mark.parametrize("size", [0, 2])
@pytest.mark.parametrize(
    "dtype",
    ["float64", "Int64", "Float64", "boolean", "category", "datetime64[ns]", "object", "str", "string"],
)  # fmt: skip
def test_a_column_without_any_value_is_blank(dtype, size, padded):
    """Whatever a file says that it would hold. Seen to fail: a field of numbers that nobody filled in was a fault of the package."""
    table = pd.DataFrame({"id": pd.Series([None] * size, dtype=dtype)})
    problems: list[Problem] = []
    assert text_column(table, "id", "f", problems, padded=padded).tolist() == [""] * size
    assert not problems


def test_texts_are_texts_in_any_kind_of_column():
    """Seen to fail: categories of texts were told to be numbers."""
    for dtype in ("object", "str", "string", "category"):
        table = pd.DataFrame({"id": pd.Series(["0101", " 02 ", None], dtype=dtype)})
        problems: list[Problem] = []
        assert text_column(table, "id", "f", problems, padded=True).tolist() == ["0101", "02", ""]
        assert not problems


def test_codes_that_may_begin_with_zeros_are_text():
    problems: list[Problem] = []
    text_column(pd.DataFrame({"DLBM": [101]}), "DLBM", "f", problems, padded=True)
    assert "a leading zero would be lost" in problems[0].what


def test_text_that_a_geopackage_would_cut_off_is_refused():
    """Seen to be written as it was: GeoParquet holds NULs, and parcels that differed behind one were called alike in parcels.gpkg."""
    problems: list[Problem] = []
    text_column(pd.DataFrame({"BSM": ["1", "1\0a"]}), "BSM", "f", problems)
    (problem,) = problems
    assert r"column 'BSM' holds NUL characters ('1\x00a')" in problem.what


def test_ids_that_are_integers_in_a_file(tmp_path):
    layer = survey_layer()
    layer["BSM"] = range(6)
    for suffix in FORMATS:
        table = read_vector(write_layer(layer, tmp_path / f"layer.{suffix}"), columns=["BSM"])
        problems: list[Problem] = []
        assert sorted(text_column(table, "BSM", "f", problems)) == list("012345"), suffix
        assert not problems


def test_text_is_stripped_and_null_is_blank():
    table = pd.DataFrame({"id": pd.Series([" 0101 ", None, "a"], dtype=str)})
    assert text_column(table, "id", "f", []).tolist() == ["0101", "", "a"]


def test_numbers():
    table = pd.DataFrame({"a": pd.Series(["1.5", "", "x", "-1", "inf", None, "0"], dtype=str)})
    problems: list[Problem] = []
    names = pd.Series(list("abcdefg"), dtype=object).to_numpy()
    numbers = number_column(table, "a", "f.gpkg", problems, names)
    assert numbers[0] == 1.5
    assert numbers[6] == 0
    assert pd.isna(numbers[[1, 5]]).all()
    assert len(problems) == 1
    assert "wrong in c (x), d (-1), e (inf)" in problems[0].what


def test_a_column_that_is_there_is_not_missing() -> None:
    assert missing_columns(["a"], ["a"], "f") == []


def test_an_attribute_table_is_no_layer(tmp_path):
    path = tmp_path / "layer.gpkg"
    pyogrio.write_dataframe(pd.DataFrame({"a": ["b"]}), path, layer="table", driver="GPKG")
    with pytest.raises(InputError, match=r"no layer with geometry\. .*cut off"):
        read_vector(path)
