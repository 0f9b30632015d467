"""Bad input through the command line: exit code 2, a message that says what, where and the way out, nothing written."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from click.testing import CliRunner, Result

from carbongrid.cli import main

Mend = Callable[[Path], None]


def run_any(city: Path, *options: str) -> Result:
    out = city.parent / "run"
    return CliRunner().invoke(main, ["run", str(city / "case.toml"), "--out", str(out), *options])


def run_case(city: Path, *options: str) -> Result:
    result = run_any(city, *options)
    assert not [path for path in city.parent.iterdir() if path != city], "something was written"
    return result


def replace_text(city: Path, old: str, new: str, name: str = "case.toml") -> None:
    text = (city / name).read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {name}"
    (city / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def set_line(city: Path, key: str, value: str, section: str = "") -> None:
    """Set a key of the case file, whatever it is now."""
    lines = (city / "case.toml").read_text(encoding="utf-8").splitlines()
    inside = section == ""
    for number, line in enumerate(lines):
        if line.startswith("["):
            inside = line.startswith(f"[{section}]")
        elif inside and line.split("=")[0].strip() == key:
            lines[number] = f"{key} = {value}"
            break
    else:
        pytest.fail(f"no {key} in [{section}]")
    (city / "case.toml").write_text("\n".join(lines), encoding="utf-8")


def parcels(city: Path) -> gpd.GeoDataFrame:
    return gpd.read_file(city / "parcels.gpkg", layer="DLTB")


def write_parcels(city: Path, table: gpd.GeoDataFrame) -> None:
    (city / "parcels.gpkg").unlink()
    table.to_file(city / "parcels.gpkg", layer="DLTB")


def edit_table(city: Path, name: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    edit(pd.read_csv(city / name, dtype=str, keep_default_na=False)).to_csv(
        city / name, index=False
    )


def without_crs(city: Path) -> None:
    table = parcels(city)
    (city / "parcels.gpkg").unlink()
    table.to_file(city / "parcels.shp", encoding="utf-8")
    (city / "parcels.prj").unlink()
    set_line(city, "path", '"parcels.shp"', "parcels")
    replace_text(city, 'layer = "DLTB"', "#")


def swapped_axes(city: Path) -> None:
    table = parcels(city).to_crs(4490)
    swapped = shapely.transform(table.geometry.to_numpy(), lambda xy: xy[:, ::-1])
    write_parcels(city, table.set_geometry(gpd.GeoSeries(swapped, crs=4490)))


def bowtie(city: Path) -> None:
    table = parcels(city)
    west, south, east, north = table.geometry.iloc[0].bounds
    ring = [(west, south), (east, north), (east, south), (west, north)]
    table.loc[0, "geometry"] = shapely.Polygon(ring)
    write_parcels(city, table)


def overlapping(city: Path) -> None:
    table = parcels(city)
    table.loc[0, "geometry"] = shapely.box(*table.geometry.iloc[0].buffer(2000).bounds)
    write_parcels(city, table)


def duplicate_id(city: Path) -> None:
    table = parcels(city)
    table.loc[1, "BSM"] = table.loc[0, "BSM"]
    write_parcels(city, table)


def numeric_codes(city: Path) -> None:
    table = parcels(city)
    write_parcels(
        city,
        table.assign(
            DLBM=pd.to_numeric(table["DLBM"], errors="coerce").fillna(101).astype("int64")
        ),
    )


def unknown_codes(city: Path) -> None:
    table = parcels(city)
    table.loc[table["DLBM"].str.startswith("0602"), "DLBM"] = "ZZ99"
    write_parcels(city, table)


def no_carrier(city: Path) -> None:
    edit_table(
        city,
        "totals.csv",
        lambda table: pd.concat(
            [table, table.tail(1).assign(category="sink/forest", value="5")], ignore_index=True
        ),
    )
    table = parcels(city)
    write_parcels(
        city, table.assign(DLBM=table["DLBM"].where(~table["DLBM"].str.startswith("03"), "1201"))
    )


def total_value(value: str) -> Mend:
    def mend(city: Path) -> None:
        def edit(table: pd.DataFrame) -> pd.DataFrame:
            table.loc[2, "value"] = value
            return table

        edit_table(city, "totals.csv", edit)

    return mend


def large_facility(city: Path) -> None:
    def edit(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, "value"] = "99999"
        return table

    edit_table(city, "facilities.csv", edit)


def large_district(city: Path) -> None:
    def edit(table: pd.DataFrame) -> pd.DataFrame:
        row = table[table["category"] == "buildings/commerce"].assign(
            region="090102", value="99999"
        )
        return pd.concat([table.assign(region=""), row], ignore_index=True)

    edit_table(city, "totals.csv", edit)


def unknown_gdp_unit(city: Path) -> None:
    def edit(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[0, "region"] = "990000000"
        return table

    edit_table(city, "gdp.csv", edit)


def lost_zeros(city: Path) -> None:
    edit_table(city, "gdp.csv", lambda table: table.assign(region=table["region"].str.lstrip("0")))


def far_units(city: Path) -> None:
    table = gpd.read_file(city / "townships.gpkg")
    (city / "townships.gpkg").unlink()
    table.set_geometry(table.geometry.translate(xoff=25_000)).to_file(city / "townships.gpkg")


def missing_raster(city: Path) -> None:
    (city / "categories.csv").write_text(
        "category,sector,name_en,name_zh,scope,sink,types,weight\n"
        "waste/domestic,waste,Domestic waste,生活废弃物,1,false,utilities,raster:none.tif\n",
        encoding="utf-8",
    )


def cut_parquet(city: Path) -> None:
    (city / "parcels.parquet").write_bytes(b"PAR1junk")
    set_line(city, "path", '"parcels.parquet"', "parcels")
    replace_text(city, 'layer = "DLTB"', "#")


def corrupt_raster(city: Path) -> None:
    missing_raster(city)
    (city / "none.tif").write_bytes(b"II*\x00junkjunkjunk")


def swapped_facility(city: Path) -> None:
    edit_table(
        city,
        "facilities.csv",
        lambda table: table.rename(columns={"x": "y", "y": "x"}),
    )


BAD: list[tuple[str, Mend, list[str]]] = [
    ("no CRS", without_crs, ["CRS", "parcels.shp"]),
    ("swapped axes", swapped_axes, ["swapped", "parcels.gpkg"]),
    ("a bowtie", bowtie, ["Self-intersection", "repair"]),
    ("overlapping parcels", overlapping, ["overlap", "priority"]),
    ("duplicate ids", duplicate_id, ["BSM", "parcels.gpkg"]),
    ("codes as numbers", numeric_codes, ["DLBM", "text"]),
    ("unknown land-use codes", unknown_codes, ["ZZ99", "industry/mining"]),
    ("a total without a carrier", no_carrier, ["sink/forest", "unallocated"]),
    ("a NaN total", total_value("nan"), ["totals.csv", "row 4", "value"]),
    ("an infinite total", total_value("inf"), ["totals.csv", "row 4", "value"]),
    ("a negative total", total_value("-5"), ["totals.csv", "row 4", "value"]),
    ("facilities above their total", large_facility, ["industry/", "facilities"]),
    ("districts above the city", large_district, ["buildings/commerce", "090102", "999"]),
    ("GDP of an unknown unit", unknown_gdp_unit, ["990000000", "gdp.csv"]),
    ("codes that lost their zeros", lost_zeros, ["90102", "gdp.csv"]),
    ("units of another place", far_units, ["units cover", "townships.gpkg"]),
    (
        "a resolution that does not divide 1000",
        lambda city: set_line(city, "resolution", "30", "grid"),
        ["30", "1000", "resolution"],
    ),
    (
        "no TOML",
        lambda city: (city / "case.toml").write_text("title: yaml\n  - no\n", encoding="utf-8"),
        ["case.toml", "TOML"],
    ),
    ("a missing file", lambda city: (city / "pois.csv").unlink(), ["pois.csv"]),
    ("a missing weight raster", missing_raster, ["none.tif"]),
    ("a corrupt weight raster", corrupt_raster, ["none.tif", "cannot be read"]),
    ("a Parquet file that is cut off", cut_parquet, ["parcels.parquet", "cannot be read"]),
    ("a facility with x and y swapped", swapped_facility, ["facility", "x and y seem swapped"]),
    (
        "an unknown key",
        lambda city: replace_text(city, "code_system", "codesystem"),
        ["codesystem", "code_system"],
    ),
    (
        "an unknown category",
        lambda city: replace_text(city, "industry/mining", "industry/minning", "totals.csv"),
        ["industry/minning", "industry/mining"],
    ),
]


@pytest.mark.parametrize(
    ("mend", "words"), [case[1:] for case in BAD], ids=[case[0] for case in BAD]
)
def test_bad_input_is_refused_in_plain_words(city: Path, mend: Mend, words: list[str]) -> None:
    mend(city)
    result = run_case(city)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Traceback" not in result.output
    for word in words:
        assert word.lower() in result.output.lower(), result.output


def test_all_problems_are_told_at_once(city: Path) -> None:
    large_facility(city)
    unknown_gdp_unit(city)
    duplicate_id(city)
    output = run_case(city).output
    assert output.count("error: ") >= 3
    for word in ("facilities of", "990000000", "BSM"):
        assert word in output


def test_a_poi_file_in_the_wrong_system_is_a_warning_with_the_numbers(city: Path) -> None:
    set_line(city, "crs", '"EPSG:4326"', "pois")
    result = CliRunner().invoke(main, ["check", str(city / "case.toml")])
    warning = next(line for line in result.output.splitlines() if "as gcj02" in line)
    assert warning.startswith("warning")
    assert "fits clearly better" in warning


def test_run_tells_of_pois_in_the_wrong_system_too(city: Path) -> None:
    """It is refused, since most of them reach no land; allowed by name, the warning stays."""
    set_line(city, "crs", '"EPSG:4326"', "pois")
    result = run_any(city)
    assert result.exit_code == 2, result.output
    warning = next(line for line in result.stderr.splitlines() if "as gcj02" in line)
    assert warning.startswith("warning")
    lost = re.findall(r"lost = \['([a-z/-]+)'\]", result.stderr)
    lines = (city / "case.toml").read_text(encoding="utf-8").splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith("[allow]")]
    lines.insert(place + 1, f"lost = {json.dumps(lost)}")
    (city / "case.toml").write_text("\n".join(lines), encoding="utf-8")
    allowed = run_any(city, "--json", "--replace")
    assert allowed.exit_code == 0, allowed.output
    assert any("as gcj02" in text for text in json.loads(allowed.stdout)["warnings"])


def test_run_reads_a_gbk_table_without_cpg(city: Path) -> None:
    table = parcels(city)
    table.to_file(city / "parcels.shp", encoding="gbk")
    (city / "parcels.cpg").unlink()
    set_line(city, "path", '"parcels.shp"', "parcels")
    replace_text(city, 'layer = "DLTB"', "#")
    result = run_any(city, "--json")
    assert result.exit_code == 0, result.output
    manifest = json.loads((city.parent / "run" / "manifest.json").read_text(encoding="utf-8"))
    files = {entry["file"] for entry in manifest["inputs"]}
    assert {"parcels.shp", "parcels.shx", "parcels.dbf", "parcels.prj"} <= files


def test_check_writes_nothing(city: Path) -> None:
    before = sorted(path.name for path in city.iterdir())
    result = CliRunner().invoke(main, ["check", str(city / "case.toml"), "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["status"] == "fine"
    assert sorted(path.name for path in city.iterdir()) == before
    assert [path for path in city.parent.iterdir() if path != city] == []


def test_machines_get_the_problems_as_json(city: Path) -> None:
    unknown_gdp_unit(city)
    answer = json.loads(run_case(city, "--json").stdout)
    assert answer["status"] == "failed"
    assert answer["problems"][0]["level"] == "error"
