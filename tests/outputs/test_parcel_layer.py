"""Parcels for a GIS that reads no Parquet."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
from declared import of_folder
from tables_example import example_tables

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.method.zoning import zones
from carbongrid.outputs.tables import table_files, write_tables
from carbongrid.outputs.tables.content import ParcelLayer
from carbongrid.outputs.tables.parcel_layer import parcel_frame, style_of_density
from tests.outputs.test_programs import assert_columns_are_named, seen_by_qgis


@pytest.fixture(scope="module")
def layered(small_city, small_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("layer") / "run"
    return cg.run(small_city / "case.toml", out, reuse=small_run, parcels="gpkg")


def test_the_layer_has_the_run_s_mass_and_the_zones_of_units(layered):
    assert of_folder(layered.directory) == []
    layer = gpd.read_file(layered.directory / "parcels.gpkg", layer="parcels").set_index("id")
    parcels = layered.parcels.set_index("id").loc[layer.index]
    for name in ("emission", "sink"):
        np.testing.assert_array_equal(layer[f"{name}_t"], parcels[f"{name}_g"] / 1e6)
        np.testing.assert_allclose(layer[f"{name}_t_km2"] * layer["area_m2"], parcels[f"{name}_g"])
    assert not [name for name in layer if name.endswith("_g")]
    inside = layer[layer["unit"].notna()]
    zones = layered.units.set_index("id")["zone"].reindex(inside["unit"])
    assert (inside["zone"].to_numpy() == zones.to_numpy()).all()
    points = inside.representative_point()
    outlines = layered.units.set_index("id").geometry.reindex(inside["unit"]).to_crs(inside.crs)
    assert outlines.reset_index(drop=True).contains(points.reset_index(drop=True)).all()
    outside = layer[layer["unit"].isna()]
    assert len(outside) and (outside["zone"] == 0).all()


@pytest.mark.parametrize("suffix", ["gpkg", "fgb"])
def test_a_run_with_a_layer_is_verified_and_opens_in_qgis(layered, small_city, tmp_path, suffix):
    """In the project, which knows the columns of both; a GeoPackage tells of itself too. Seen to fail: its zones were numbers to GDAL."""
    folder = layered.directory
    if suffix == "fgb":
        folder = cg.run(small_city / "case.toml", tmp_path / "run", reuse=folder, parcels=suffix).directory  # fmt: skip
    assert cg.verify(folder).ok
    seen = seen_by_qgis(folder, tmp_path)
    layers = seen["project"]["layers"]
    assert [each["valid"] for each in layers] == [True] * 4
    assert Path(layers[-1]["source"].partition("|")[0]).name == f"parcels.{suffix}"
    assert layers[-1]["renderer"] == "RuleRenderer"
    assert_columns_are_named(layers[-1]["fields"])
    if suffix == "fgb":
        return
    styles = pyogrio.read_dataframe(folder / "parcels.gpkg", layer="layer_styles")
    assert styles["useAsDefault"].tolist() == [True]
    alone = seen["parcels"]
    assert alone["valid"] and alone["renderer"] == "RuleRenderer"
    assert_columns_are_named(alone["fields"])
    assert alone["domain"] == {str(zone.code): f"{zone.name_en} {zone.name_zh}" for zone in zones()}


@pytest.mark.parametrize("suffix", ["gpkg", "fgb", "pmtiles"])
def test_one_file_of_the_format_that_was_asked_for(tmp_path, suffix):
    tables = example_tables()
    unit = np.full(len(tables.parcels), -1)
    unit[0] = 0
    layer = ParcelLayer(suffix, unit)
    write_tables(tables, tmp_path, layer=layer)
    assert {path.name for path in tmp_path.glob("parcels.*")} == {"parcels.parquet", f"parcels.{suffix}"}  # fmt: skip
    found = gpd.read_file(tmp_path / f"parcels.{suffix}", layer="parcels").set_index("id")
    first = tables.parcels["id"].iloc[0]
    assert found.loc[first, "unit"] == tables.units["id"].iloc[0]
    layers = pyogrio.list_layers(tmp_path / f"parcels.{suffix}")[:, 0].tolist()
    assert layers == ["parcels", *["layer_styles"] * (suffix == "gpkg")]
    if suffix == "gpkg":
        # Seen to fail when rows took the place of the table that had them.
        with contextlib.closing(sqlite3.connect(tmp_path / "parcels.gpkg")) as file:
            domain = "SELECT constraint_name FROM gpkg_data_columns WHERE column_name = 'zone'"
            assert [name for (name,) in file.execute(domain) if name]
    write_tables(tables, tmp_path, public=True, layer=layer)
    assert not [*tmp_path.glob("parcels.*")]
    assert f"parcels.{suffix}" not in table_files(tables, public=True, layer=layer)


def test_tiles_hold_every_parcel_at_every_zoom_that_can_show_it(layered, small_city, tmp_path):
    """GDAL leaves out of a tile what makes it too large, unless told."""
    run = cg.run(small_city / "case.toml", tmp_path / "run", reuse=layered.directory, parcels="pmtiles")  # fmt: skip
    assert cg.verify(run.directory, sample=0).ok
    tiles = run.directory / "parcels.pmtiles"
    whole = gpd.read_file(layered.directory / "parcels.gpkg", layer="parcels").set_index("id")
    assert pyogrio.list_layers(tiles).tolist() == [["parcels", "MultiPolygon"]]
    nearest = gpd.read_file(tiles, layer="parcels")
    assert set(nearest["id"]) == set(whole.index)
    assert nearest.crs == "EPSG:3857"
    told = nearest.drop_duplicates("id").set_index("id").loc[whole.index]
    np.testing.assert_array_equal(told["emission_t"], whole["emission_t"])
    # Parts of a parcel cut at tiles are together what it is, but for the steps of the tiles.
    area = nearest.to_crs(whole.crs).dissolve("id").area.loc[whole.index]
    wide = whole.area > 10_000
    np.testing.assert_allclose(area[wide], whole.area[wide], rtol=0.02)
    far = gpd.read_file(tiles, layer="parcels", ZOOM_LEVEL=9)
    assert set(far["id"]) >= set(whole.index[wide])


def test_a_published_run_has_no_layer_and_says_so(small_city, tmp_path):
    with pytest.raises(InputError, match="a published run has no parcels"):
        cg.run(small_city / "case.toml", tmp_path / "run", public=True, parcels="fgb")
    assert not (tmp_path / "run").exists()


def test_another_format_is_refused(small_city, tmp_path):
    """Seen to fail: nothing was written, and nothing said."""
    with pytest.raises(InputError, match="parquet, gpkg, fgb, pmtiles, not as 'shp'"):
        cg.run(small_city / "case.toml", tmp_path / "run", parcels="shp")


def test_each_parcel_is_in_one_class():
    tables = example_tables()
    frame = parcel_frame(tables, np.full(len(tables.parcels), -1))
    for values in ([0.0, 3.0, 40.0, 5e6], [0.0] * 4, [7.0] * 4):
        numbers = np.resize(values, len(frame))
        style = style_of_density(frame.assign(emission_t_km2=numbers))
        *classes, none = style.rules
        taken = [
            sum(
                (value >= rule.low if rule.low_in else value > rule.low)
                and (rule.high is None or value < rule.high)
                for rule in classes
            )
            for value in numbers
        ]
        assert taken == [int(value > 0) for value in numbers]
        assert none.expression == "ELSE"
        assert len({rule.colour for rule in style.rules}) == len(style.rules)
        # Seen: numbers of nothing in particular.
        assert all(rule.label.endswith(" t CO₂e per km² and year") for rule in classes)
