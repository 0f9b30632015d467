"""Outputs of a run that counts CO2 alone say CO2, all of them; of one that counts both they say how much counts CO2 alone."""

from __future__ import annotations

import re
import sqlite3
import zipfile
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import rasterio
import xarray as xr
from tables_example import example_tables

from carbongrid.outputs.figures.figures import _drawn
from carbongrid.outputs.figures.sheet import sheet_of
from carbongrid.outputs.figures.study import _FIGURES
from carbongrid.outputs.report import write_report
from carbongrid.outputs.tables import write_tables

OTHER_GASES = re.compile("CO2e|CO₂e|当量")


def texts(folder: Path) -> dict[str, str]:
    """Return what each file of a run says, by its name."""
    found = {}
    for path in sorted(each for each in folder.rglob("*") if each.is_file()):
        if path.suffix in (".xlsx", ".qgz"):
            with zipfile.ZipFile(path) as archive:
                found[path.name] = " ".join(
                    archive.read(name).decode() for name in archive.namelist()
                )
        elif path.suffix == ".gpkg":
            with sqlite3.connect(path) as database:
                found[path.name] = "\n".join(database.iterdump())
            database.close()
        elif path.suffix == ".parquet":
            schema = pq.read_schema(path)
            found[path.name] = (
                f"{schema.metadata} {[schema.field(name).metadata for name in schema.names]}"
            )
        elif path.suffix == ".nc":
            with xr.open_dataset(path) as dataset:
                found[path.name] = (
                    f"{dataset.attrs} {[each.attrs for each in dataset.variables.values()]}"
                )
        elif path.suffix == ".tif":
            with rasterio.open(path) as raster:
                found[path.name] = (
                    f"{raster.tags()} {[raster.tags(band) for band in raster.indexes]}"
                )
        else:
            found[path.name] = path.read_text(encoding="utf-8", errors="replace")
    return found


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    tables = example_tables()
    mixed = tables.inventory["gas"].mask(
        tables.inventory["category"] == "industry/manufacturing", "CO2"
    )
    found = {}
    for name, gas in (("alone", "CO2"), ("mixed", mixed), ("whole", "CO2e")):
        own = replace(tables, inventory=tables.inventory.assign(gas=gas))
        folder = tmp_path_factory.mktemp(name)
        write_tables(own, folder)
        write_report(own, folder)
        found[name] = texts(folder)
    return found


def test_a_run_of_co2_alone_says_co2_everywhere(said: dict[str, dict[str, str]]) -> None:
    """Seen to say CO2e in every file but inventory.csv, whose gas was CO2, and in the report's table beside a published total of CO2."""
    alone, whole = said["alone"], said["whole"]
    assert not {
        name: OTHER_GASES.search(text) for name, text in alone.items() if OTHER_GASES.search(text)
    }
    for name in (
        "units.xlsx",
        "units.gpkg",
        "city.qgz",
        "grid_1km.nc",
        "grid_1km.tif",
        "grid_1km.qml",
        "parcels.parquet",
        "report.html",
    ):
        assert OTHER_GASES.search(whole[name]), name
    for name in ("units.xlsx", "units.gpkg", "city.qgz", "grid_1km.nc", "grid_1km.tif"):
        assert "none, CO2 alone" in alone[name], name
    assert "mass is CO₂ per year" in alone["report.html"]


def test_a_run_of_both_says_how_much_counts_co2_alone(said: dict[str, dict[str, str]]) -> None:
    """Seen to say of all of it that it counts other gases, too."""
    for name in (
        "units.xlsx",
        "units.gpkg",
        "city.qgz",
        "grid_1km.nc",
        "grid_1km.tif",
        "report.html",
    ):
        assert re.search("[0-9]+ t of the emissions CO2 alone", said["mixed"][name]), name
        assert "of the emissions CO2 alone" not in said["whole"][name]


def test_figures_of_a_run_of_co2_alone_name_co2() -> None:
    """Seen to be lettered in CO2e whatever the totals were of."""
    from matplotlib.text import Text

    tables = example_tables()
    tables = replace(tables, inventory=tables.inventory.assign(gas="CO2"))
    sheet = sheet_of(tables)
    figures = dict(_drawn(sheet)) | {name: draw(sheet).figure for name, draw in _FIGURES.items() if name != "fig2-framework"}  # fmt: skip
    words = {name: " ".join(text.get_text() for text in figure.findobj(Text)) for name, figure in figures.items()}  # fmt: skip
    assert not [name for name, text in words.items() if OTHER_GASES.search(text)]
    assert {name for name, text in words.items() if "CO₂" in text} >= {"emission", "sink", "grid_emission", "fig5-parcels-and-grid", "fig6-units", "fig9-zones", "sectors"}  # fmt: skip
