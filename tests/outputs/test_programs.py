"""What people see in the programs that they open a run with: QGIS and LibreOffice, the real ones."""

import json
import os
import re
import shutil
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from tables_example import example_tables

from carbongrid.method.zoning import FEW_SINKS, zones
from carbongrid.outputs.marks import INDICATIVE
from carbongrid.outputs.numbers import text_width
from carbongrid.outputs.reading import read_content, read_tables
from carbongrid.outputs.tables import write_tables
from carbongrid.outputs.tables.content import content_of
from carbongrid.outputs.tables.project import _note
from carbongrid.outputs.tables.spreadsheet import write_units_xlsx

PYTHON = "/usr/bin/python3"  # Debian's, for which its QGIS is built


@cache
def has_qgis():
    words = [PYTHON, "-c", "import qgis.core"]
    return subprocess.run(words, capture_output=True, check=False).returncode == 0


def seen_by_qgis(run, folder):
    """Return what QGIS makes of a run's files; its pictures lie in the folder."""
    if not has_qgis():
        pytest.skip("no QGIS for Python here")
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "XDG_RUNTIME_DIR": str(folder)}
    env.pop("PYTHONPATH", None)
    script = Path(__file__).with_name("qgis_reads.py")
    words = [PYTHON, str(script), str(run), str(folder)]
    told = subprocess.run(words, capture_output=True, text=True, env=env, check=True)
    assert "ERROR" not in told.stderr
    return json.loads(told.stdout)


@pytest.fixture(scope="module")
def seen(small_run, tmp_path_factory):
    return seen_by_qgis(small_run, tmp_path_factory.mktemp("qgis"))


def test_units_open_in_the_colours_of_their_zones(seen):
    """Seen to fail without the column update_time: QGIS found no style, and all units had one colour.

    The run has hatched units, whose mark's name was once taken for the column of the labels.
    """
    units = seen["units"]
    assert units["valid"]
    assert units["renderer"] == "RuleRenderer"
    painted = {zone.colour.lower() for zone in zones()} & set(units["colours"])
    assert len(painted) >= 2
    assert any("LinePatternFill" in symbols for _, _, symbols in units["rules"])
    assert units["labels"] and units["label_column"] == "name"
    assert units["styles"] == ["CCR", "ECC", "ESC", "Emission", "GDP", "Residents", "Sink", "Zones"]


def test_the_project_opens_with_all_that_a_page_needs(seen):
    """Seen to fail: ids that QGIS replaced, so that no layer was in the panel; a scale bar of no length; names of units hidden where one looks closely."""
    project = seen["project"]
    assert project["read"] and project["title"] == "A city like Suzhou (synthetic), 2020"
    assert project["abstract"].startswith(project["title"])
    assert project["crs"] == "EPSG:4528"
    layers = [(each["valid"], each["shown"], each["renderer"]) for each in project["layers"]]
    raster = (True, False, "singlebandpseudocolor")
    assert layers == [(True, True, "RuleRenderer"), raster, raster]
    assert [each["label_column"] for each in project["layers"]] == ["name", None, None]
    _, emissions, sinks = (each["classes"] for each in project["layers"])
    assert (emissions[0], sinks[0]) == (1, 2)
    assert len(sinks) >= 4 and set(emissions[2:]).isdisjoint(sinks[2:])
    assert {Path(each["source"].partition("|")[0]).name for each in project["layers"]} == {"units.gpkg", "grid_1km.tif"}  # fmt: skip
    assert project["items"] == ["Label", "Label", "Legend", "Map", "Page", "ScaleBar"]
    assert "Zones are relative" in project["note"], (
        "seen: a page that said nothing of what its zones are"
    )
    assert "不稳定：不足 90 % 的抽样属该分区" in project["note"]
    # Two segments of 2.5 km on a map of some 28 km over 186 mm.
    assert 30 < project["bar_mm"] < 75
    colours = {zone.colour.lower() for zone in zones()} & set(project["colours"])
    assert len(colours) >= 3
    assert seen["units"]["names_from"] == [1_000_000, 0]


def test_reasons_on_the_page_of_zones_break_where_qgis_can() -> None:
    """Seen: two in one line of Chinese, which QGIS breaks nowhere, left the page."""
    tables = example_tables()
    units = tables.units.assign(indicative=True, reason=FEW_SINKS)
    zones = SimpleNamespace(name="Zones", flags=[INDICATIVE])
    both = _note(zones, replace(tables, gdp_derived=True, units=units))
    assert "参照区域的碳汇低于下限" in both and max(map(text_width, both.split())) <= 42


def test_what_is_close_to_one_or_indicative_is_hatched(tmp_path):
    """By rule, and in the picture: two units have lines, two have crossed lines, two have none."""
    tables = example_tables()
    flags = {"borderline": [True] * 2 + [False] * 4, "indicative": [False] * 4 + [True] * 2}
    write_tables(replace(tables, units=tables.units.assign(**flags)), tmp_path)
    seen = seen_by_qgis(tmp_path, tmp_path)
    units, note = seen["units"], seen["project"]["note"]
    assert "close to 1: ECC or ESC within 0.05 of 1" in note
    assert "indicative: the region's sinks are below the floor" in note  # seen: no word of it
    assert "仅供参考：参照区域的碳汇低于下限" in note
    assert seen["project"]["note_fits"]
    lines, none, crossed = (
        [units["hatched"][code] for code in tables.units["id"].iloc[k : k + 2]] for k in (0, 2, 4)
    )
    assert none == [0, 0]
    assert min(lines) > 500
    assert min(crossed) > 1.2 * max(lines)
    marks = {name: symbols for _, name, symbols in units["rules"] if name.strip('"') in flags}
    assert marks == {'"borderline"': ["LinePatternFill"], '"indicative"': ["LinePatternFill"] * 2}


UNITS = (
    (re.compile(r"_t_km2$"), "t CO2e/yr/km2"),
    (re.compile(r"_t(_p\d\d)?$"), "t CO2e/yr"),
    (re.compile(r"^gdp"), "CNY"),
    (re.compile(r"^residents$"), "people"),
    (re.compile(r"^area_m2$"), "m2"),
    # Ratios, codes, and yes or no.
    (re.compile(r"^((ccr|ecc|esc)(_low|_high|_p\d\d)?|zone|zone_probability|borderline|indicative|firm|fid)$"), ""),
)  # fmt: skip
"""The unit of a numeric column, by its name."""


def assert_columns_are_named(fields):
    """Each has a name for people, in it the unit where it has one; the zones' codes are shown as names."""
    assert [name for name, field in fields.items() if not field["alias"] and name != "fid"] == []
    assert fields["zone"]["widget"] == "ValueMap"
    for name, field in fields.items():
        if field["numeric"]:
            unit = next(unit for pattern, unit in UNITS if pattern.search(name))
            assert field["alias"].rpartition(", ")[2] == unit if unit else "/yr" not in field["alias"], name  # fmt: skip


def test_every_column_has_a_name_for_people(seen):
    fields = seen["units"]["fields"]
    assert_columns_are_named(fields)
    project = seen["project"]["layers"]
    assert_columns_are_named(project[0]["fields"])
    for each in project[1:]:
        assert all("t CO₂e per cell and year" in text for text in each["legend"][1:])
    assert fields["gdp"]["alias"] == "GDP 地区生产总值, CNY"
    assert fields["residents"]["type"] == "Real"
    named = {str(zone.code): f"{zone.name_en} {zone.name_zh}" for zone in zones()}
    assert seen["units"]["domain"] == named


def test_the_grid_opens_in_classes_that_its_cells_spread_over(seen):
    """Seen to fail with natural classes, of which the lowest held most cells."""
    grid = seen["grid"]
    assert grid["renderer"] == "singlebandpseudocolor"
    counts = [count for colour, count in grid["colours"].items() if colour != "#ffffff"]
    assert len(counts) >= 3
    assert max(counts) < 0.8 * sum(counts)


def test_texts_of_the_workbook_are_shown_as_they_are(tmp_path):
    """Seen to fail with openpyxl, whose file has _x0041_ as it is, so that A is shown."""
    office = shutil.which("soffice")
    if not office:
        pytest.skip("no LibreOffice here")
    names = ["_x0041_", "<r>_x0042_</r>", '=HYPERLINK("x")', "a\x07\r\nb", " 0012", "&lt;苏州"]
    tables = example_tables()
    tables = replace(tables, units=tables.units.assign(name=names))
    write_units_xlsx(content_of(tables, public=False).units, tables, tmp_path / "units.xlsx")
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    shown_in_utf8 = "csv:Text - txt - csv (StarCalc):44,34,76,1"
    words = [office, profile, "--headless", "--convert-to", shown_in_utf8, "--outdir", str(tmp_path)]  # fmt: skip
    subprocess.run([*words, str(tmp_path / "units.xlsx")], capture_output=True, check=True)
    shown = pd.read_csv(tmp_path / "units.csv", header=1, dtype=str)
    assert shown["name"].tolist() == [*names[:3], "a�\nb", *names[4:]]
    assert set(shown["borderline"]) <= {"TRUE", "FALSE"}
    assert "inf" in set(shown["ccr"])


@pytest.mark.parametrize("count", [pytest.param(6, marks=pytest.mark.thorough), 97])
def test_the_workbook_prints_whole_numbers_on_few_pages(small_run, tmp_path, count):
    """Seen to fail with six decimals in narrow columns: ### in most cells; of 97 units, with more pages across and down, without headings on each page, and with pages that all stand."""
    office, info, text = (shutil.which(name) for name in ("soffice", "pdfinfo", "pdftotext"))
    if not (office and info and text):
        pytest.skip("no LibreOffice here")
    units = read_content(small_run).units
    copies = pd.concat([units.frame] * -(-count // len(units.frame)), ignore_index=True)
    many = replace(units, frame=copies.iloc[:count])
    tables = read_tables(small_run, parcels=False)
    inventory = tables.inventory.rename(columns={"mass_g": "grams"})
    write_units_xlsx(many, replace(tables, inventory=inventory), tmp_path / "units.xlsx")
    profile = f"-env:UserInstallation=file://{tmp_path / 'profile'}"
    words = [office, profile, "--headless", "--convert-to", "pdf", "--outdir", str(tmp_path)]
    subprocess.run([*words, str(tmp_path / "units.xlsx")], capture_output=True, check=True)
    pdf = str(tmp_path / "units.pdf")
    told = subprocess.run([info, "-l", "99", pdf], capture_output=True, text=True, check=True).stdout  # fmt: skip
    sizes = re.findall(r"size: +([\d.]+) x ([\d.]+)", told)
    assert len(sizes) <= 12
    printed = subprocess.run([text, "-layout", pdf, "-"], capture_output=True, text=True, check=True).stdout  # fmt: skip
    assert "###" not in printed
    assert "碳补偿率" in printed
    # The whole table lies; each of its pages, and of the sectors', begins with the headings.
    pages = printed.split("\f")[: len(sizes)]
    whole = [number for number, page in enumerate(pages) if re.search(r"^units +\d+ / ", page, re.MULTILINE)]  # fmt: skip
    assert len(whole) == 2 * -(-count // 50)
    assert all(float(sizes[number][0]) > float(sizes[number][1]) for number in whole)
    tabled = [page for page in pages if not re.search(r"^notes +\d+ / ", page, re.MULTILINE)]
    assert all("代码" in page and "名称" in page for page in tabled)
