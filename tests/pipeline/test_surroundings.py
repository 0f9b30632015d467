"""Polygons around the units on their way from the case through a run to its figures; nothing else depends on them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import geopandas as gpd
import shapely

from carbongrid.case import Case
from carbongrid.outputs.reading import read_tables
from carbongrid.pipeline import run
from carbongrid.pipeline.verification import verify


def test_a_run_keeps_the_surroundings_and_computes_nothing_from_them(
    small_city: Path, small_run: Path, tmp_path: Path
) -> None:
    """Seen to fail without a digest of them."""
    case = Path(shutil.copytree(small_city, tmp_path / "case"))
    outlines = read_tables(small_run).units
    west, south, east, north = outlines.total_bounds
    wide = east - west
    boxes = [shapely.box(x, south - wide, x + 2 * wide, north + wide) for x in (west - wide, west + wide)]  # fmt: skip
    layer = gpd.GeoDataFrame({"city": ["West", "East"]}, geometry=boxes, crs=outlines.crs)
    layer.to_file(case / "around.gpkg")
    path = case / "case.toml"
    section = '\n[surroundings]\npath = "around.gpkg"\nname = "city"\n'
    path.write_text(path.read_text(encoding="utf-8") + section, encoding="utf-8")
    out = run(Case.read(path), tmp_path / "run").directory
    assert verify(out, sample=1).ok
    kept = read_tables(out).surroundings
    assert kept is not None
    assert kept["name"].tolist() == ["West", "East"]
    assert shapely.equals(kept.geometry.to_numpy(), layer.geometry.to_numpy()).all()
    told, before = (
        json.loads((each / "manifest.json").read_text(encoding="utf-8"))["digests"]
        for each in (out, small_run)
    )
    assert {name: told[name] for name in before} == before
    assert told.keys() - before.keys() == {"surroundings"}
    assert read_tables(small_run).surroundings is None
    gpd.GeoDataFrame({"name": ["West"]}, geometry=boxes[:1], crs=layer.crs).to_file(out / "surroundings.gpkg", layer="surroundings")  # fmt: skip
    assert not verify(out, sample=0).ok
