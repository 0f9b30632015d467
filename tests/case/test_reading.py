"""A wrong case: one clear message for each fault, all at once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from carbongrid.case import Case
from carbongrid.case.reading import MAX_UNKNOWN
from carbongrid.errors import InputError

CASE = {
    "": "year = 2020",
    "parcels": 'path = "parcels.gpkg"\ncode_system = "tdland3"',
    "units": 'path = "townships.gpkg"',
    "totals": 'path = "totals.csv"',
}


def written(folder: Path, parts: dict[str, str]) -> Path:
    for name in ("parcels.gpkg", "townships.gpkg", "totals.csv"):
        (folder / name).touch()
    body = "\n".join(f"[{name}]\n{lines}" if name else lines for name, lines in parts.items())
    path = folder / "case.toml"
    path.write_text(body, encoding="utf-8")
    return path


def faults(folder: Path, changes: dict[str, str]) -> list[str]:
    with pytest.raises(InputError) as caught:
        Case.read(written(folder, CASE | changes))
    return [str(problem) for problem in caught.value.problems]


def test_a_right_case_knows_its_folder(tmp_path):
    case = Case.read(written(tmp_path, CASE))
    assert (case.path, case.folder) == (tmp_path / "case.toml", tmp_path)


@pytest.mark.parametrize(
    ("section", "lines", "says"),
    [
        ("", "year = '2020'", r"case.toml, year: expected a whole number without quotes, not '2020'. Write for .* year = 2020"),
        ("", "year = 20.2", r"year: expected a whole number"),
        ("", "year = true", r"year: expected a whole number without quotes, not true"),
        ("", "year = 20200", r"year: expected a number less than or equal to 2200, not 20200"),
        ("", 'year = 2020\ntitle = "a\\u0000b"', r"title: expected text without control characters, not 'a.x00b'. In double quotes"),
        ("", 'year = 2020\nattribution = "a\\u0000b"', r"attribution: expected text without control characters"),
        ("", 'year = 2020\ntitle = "of C:\\boundaries"', r"title: expected text without control characters, not 'of C:.x08oundaries'"),
        ("", "title = 'x'", r"year: the required key 'year' is missing"),
        ("", "year = 2020\nelectricity = 'bith'", r"expected 'supply' or 'use' or 'both' or 'consumption', not 'bith'. Did you mean 'both'"),
        ("", "year = 2020\nreduse = 'cells'", r"unknown key 'reduse'. Did you mean 'reduce'"),
        ("totals", "path = 'totals.csv'\nencoding = 'klingon'", r"\[totals\] encoding: expected a text encoding, such as 'gbk', not 'klingon'. Leave it out"),
        ("totals", "path = 'totals.csv'\nencoding = 'uft-8'", r"not 'uft-8'. Did you mean 'utf-8'"),
        ("parcels", "path = 'parcels.gpkg'\ncode_system = 'tdland3'\nencoding = 'zlib'", r"\[parcels\] encoding: expected a text encoding"),
        ("units", 'path = "townships.gpkg"\nencoding = "a\\u0000b"', r"\[units\] encoding: expected a text encoding"),
        ("", "year = 2020\ncurrency = 'EUR'", r"unknown key 'currency'. It belongs to \[gdp\]"),
        ("", "year = 2020\nallow_remote = true", r"there is no key 'allow_remote': files on another machine are never read"),
        ("", "year = 2020\nallow_remote = false", r"allow_remote: there is no key .* copy such files into the case's folder"),
        ("grids", "resolution = 10", r"unknown section 'grids'. Did you mean 'grid'"),
        ("grid", "resolution = 30", r"\[grid\] resolution: a resolution of 30 m does not divide .* 1000 m. .* 25 or 40 m"),
        ("grid", "resolution = 0", r"greater than 0, not 0"),
        ("grid", "resolution = nan", r"\[grid\] resolution: .*nan"),
        ("grid", "crs = 'EPSG:4326'", r"projected CRS in metres"),
        ("grid", "crs = 'EPSG:2263'", r"projected CRS in metres"),
        ("grid", "crs = 'EPSG:1'", r"coordinate reference system, not 'EPSG:1'"),
        ("parcels", "path = 'parcels.gpkg'", r"'code_system' is missing: .*tdland3, ydyh2023, gbt21010, osm, overture, corine, urban-atlas, worldcover, globeland30, corine-grid, nlcd, glc-fcs30, or a CSV"),
        ("parcels", "path = 'parcels.gpkg'\ncode_system = 'tdland'", r"Did you mean 'tdland3'"),
        ("parcels", CASE["parcels"] + "\nid = 1", r"\[parcels\] id: expected text in quotes, or a list of them, not 1"),
        ("parcels", CASE["parcels"] + "\nid = [1]", r"\[parcels\] id: expected text in quotes, not 1"),
        ("parcels", CASE["parcels"] + "\nid = []", r"\[parcels\] id"),
        ("parcels", CASE["parcels"] + "\nid = ['a', 'a']", r"each column once"),
        ("parcels", CASE["parcels"] + "\nrepair = 'no'", r"repair: expected true or false without quotes, not 'no'"),
        ("parcels", CASE["parcels"] + "\nland_use = ' '", r"land_use: expected some text, not a blank"),
        ("units", "path = 'townships.gpkg'\nid = 320505", r"\[units\] id: expected text in quotes, not 320505"),
        ("units", "path = 'townships.gpkg'\nwater = 'lake'", r"'ledger', 'nearest' or the name of a CSV"),
        ("pois", "path = 'totals.csv'", r"\[pois\] crs: the required key 'crs' is missing: .*no default: EPSG:4326 .*gcj02 .*bd09"),
        ("pois", "path = 'totals.csv'\ncrs = 'gjc02'", r"coordinate reference system, not 'gjc02'"),
        ("people", "path = 'totals.csv'", r"\[people\] crs: crs is missing: .* no default"),
        ("lines", "path = 'totals.csv'\nlambda = 2", r"\[lines\] lambda: expected a number less than or equal to 1, not 2"),
        ("lines", "path = 'totals.csv'\nclass_ = 'x'", r"unknown key 'class_'. Did you mean 'class'"),
        ("gdp", "path = 'totals.csv'\ncurrency = 'yuan'", r"the currency 'yuan' is not known"),
        ("benchmark", "name = 'x'\ntotal = '231 Mt CH4'", r"GWP"),
        ("allow", "fallback = 3", r"\[allow\] fallback: expected text in quotes, or a list"),
        ("inventory", "path = 'totals.csv'", r"\[totals\] and \[inventory\] are both there"),
    ],
)  # fmt: skip
def test_one_fault_one_message(tmp_path, section, lines, says):
    found = faults(tmp_path, {section: lines})
    assert len(found) == 1
    assert re.search(says, found[0]), found[0]


def test_neither_totals_nor_inventory(tmp_path):
    parts = {name: lines for name, lines in CASE.items() if name != "totals"}
    with pytest.raises(InputError, match=r"neither \[totals\] nor \[inventory\]"):
        Case.read(written(tmp_path, parts))


def test_a_section_that_is_none(tmp_path):
    path = written(tmp_path, {"": "year = 2020\nparcels = 3\nunits = []\ntotals = 'totals.csv'"})
    with pytest.raises(InputError) as caught:
        Case.read(path)
    assert [problem.what for problem in caught.value.problems] == [
        "expected a section, not 3",
        "expected a section, not []",
        "expected a section, not 'totals.csv'",
    ]


def test_all_faults_at_once(tmp_path):
    changes = {
        "": "yaer = 2020",
        "parcels": "path = 'parcels.gpkg'\nid = 1",
        "grid": "resolution = 30",
        "inventory": "path = 'x.xlsx'",
    }
    text = "\n".join(faults(tmp_path, changes))
    for part in (
        "'year' is missing",
        "'yaer'",
        "'code_system' is missing",
        "id: expected",
        "30 m",
        "both there",
    ):
        assert part in text
    assert len(text.splitlines()) == 6


def test_missing_files_are_all_named_with_the_nearest(tmp_path):
    changes = {"totals": "path = 'total.csv'", "gdp": "path = 'money/gdp.csv'"}
    first, second = faults(tmp_path, changes)
    assert (
        first
        == "case.toml, [totals] path: there is no file 'total.csv'. Did you mean 'totals.csv'?"
    )
    assert second.startswith("case.toml, [gdp] path: there is no file 'money/gdp.csv'")


def test_what_a_spreadsheet_lays_beside_an_open_file_is_not_meant(tmp_path):
    """Seen: a missing totals.xlsx was asked to be '~$totals.xlsx'."""
    for lock in ("~$money.xlsx", ".~lock.money.xlsx#"):
        (tmp_path / lock).touch()
    (told,) = faults(tmp_path, {"gdp": "path = 'money.xlsx'"})
    assert "there is no file 'money.xlsx'" in told
    assert "~" not in told


def test_a_file_that_the_case_names_is_not_what_was_meant(tmp_path):
    (tmp_path / "pois.csv").touch()
    pois = "path = 'pois.csv'\ncrs = 'gcj02'"
    (text,) = faults(tmp_path, {"totals": "path = 'pois2.csv'"})
    assert "Did you mean 'pois.csv'?" in text
    (text,) = faults(tmp_path, {"totals": "path = 'pois2.csv'", "pois": pois})
    assert "'pois.csv'" not in text


def test_a_name_that_looks_alike_is_told(tmp_path):
    """Seen to ask whether 'é.csv' is meant by 'é.csv'."""
    (tmp_path / "e\u0301.csv").touch()
    if (tmp_path / "\u00e9.csv").exists():
        pytest.skip("this file system knows one name for both")
    (text,) = faults(tmp_path, {"totals": "path = '\u00e9.csv'"})
    assert "differs in characters that look alike" in text


def test_a_path_whose_backslash_was_an_escape_is_told(tmp_path):
    (text,) = faults(tmp_path, {"totals": 'path = "data\\totals.csv"'})
    assert text.endswith("is not the name of a file. Write it with / between: in double quotes \\ begins an escape.")  # fmt: skip


def test_a_forbidden_path_is_told_beside_a_missing_one(tmp_path):
    changes = {"totals": "path = '../totals.csv'", "gdp": "path = 'gdp.csv'"}
    assert [".." in text for text in faults(tmp_path, changes)] == [True, False]


def test_of_many_unknown_keys_the_first_are_told(tmp_path):
    """Seen to look for a near name for each of 90,000, for ten seconds, and to tell 27 MB of them."""
    path = tmp_path / "case.toml"
    path.write_text("\n".join(f"yearr{n} = {n}" for n in range(MAX_UNKNOWN + 3)), encoding="utf-8")
    with pytest.raises(InputError) as raised:
        Case.read(path)
    said = str(raised.value)
    assert said.count("Did you mean 'year'?") == MAX_UNKNOWN
    assert "the required key 'year' is missing" in said
    assert "case.toml: 3 more keys are unknown." in said


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"year = 2020\n[parcels\n", r"this is not TOML: .*line 2"),
        (b"year: 2020\n", r"this is not TOML: .*line 1"),
        (rb'path = "C:\Users\me\totals.csv"', r"not TOML: .*line 1.* Write paths with /, relative to the case"),
        (b'year = 2020\npath = "D:\\data\\totals.csv"\n', r"not TOML: .*line 2.* Write paths with /"),
        (b'path = "data\\"\nyear = 2020\n', r"not TOML: .*line 1.* Write paths with /"),
        (rb'title = "a \"b\" c" d', r"not TOML: .* Text stands in quotes"),
        ("title = “a city”\n".encode(), r"not TOML: .*line 1.* Write straight quotes"),
        ("title = \"a city”\n".encode(), r"not TOML: .* Write straight quotes"),
        ("year＝2020\n".encode(), r"not TOML: .*line 1.* plain signs: \" = \[ \]"),
        ("［parcels］\n".encode(), r"not TOML: .*line 1.* plain signs"),
        ("title = \"the “old” town\" x\n".encode(), r"not TOML: .* Text stands in quotes"),
        (b"year = 2020\ntitle = '\xcb\xd5\xd6\xdd'\n", r"line 2 is not UTF-8"),
        (b"x = " + b"[" * 5000, r"this is not TOML"),
        (b"year = 2020\n" + b"a." * 5000 + b"a = 1", r"line 2 has a key of more than a hundred parts"),
        (b"""x = {"a\\"'".''" """ + b""". 'b c'."" """ * 5000 + b"= 1}", r"line 1 has a key of more than"),
        (b"# " + b"." * 800 + b"\nyear = 20\nx = ['" + b"', '".join([b"a.v1.tif"] * 400) + b"']\ny = [" + b"0.1, " * 600 + b"]", r"unknown key 'x'"),
        (b"year = 0x" + b"f" * 5000, r"not a number of thousands of digits"),
        (b"year = " + b"9" * 5000, r"this is not TOML|expected a number"),
        (b"", r"'year' is missing"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_case(tmp_path, data, says):
    """Seen to tell of a path with backslashes that text stands in quotes, to be read for hours for a key of many parts, and to be a fault of the package for a hexadecimal number."""
    path = tmp_path / "case.toml"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says):
        Case.read(path)


def test_utf8_with_a_byte_order_mark_is_read(tmp_path):
    path = written(tmp_path, CASE)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Case.read(path).year == 2020


def test_no_case_file(tmp_path):
    with pytest.raises(InputError, match="there is no such case file"):
        Case.read(tmp_path / "none.toml")
    with pytest.raises(InputError, match="this is a folder"):
        Case.read(tmp_path)
