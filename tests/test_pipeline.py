"""run and check: the main job end to end, what is reused, what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest

import carbongrid as cg
from carbongrid.errors import InputError
from carbongrid.pipeline import check, run

LAYOUT = {
    "manifest.json", "inventory.csv", "ledger.csv", "parcels.parquet", "units.gpkg", "units.csv", "units.xlsx",
    "grid_1km.tif", "grid_1km.nc", "overlap.npz", "labels.zarr", "report.html", "figures",
}  # fmt: skip


def manifest(out: Path) -> dict[str, object]:
    return dict(json.loads((out / "manifest.json").read_text(encoding="utf-8")))


def test_a_run_directory_holds_what_the_design_says(small_run: Path) -> None:
    assert {path.name for path in small_run.iterdir()} == LAYOUT


def test_the_manifest_lists_every_input_with_its_hash(small_run: Path) -> None:
    listed = manifest(small_run)["inputs"]
    assert isinstance(listed, list)
    files = {entry["file"] for entry in listed}
    assert {"parcels.gpkg", "townships.gpkg", "pois.csv", "people.csv", "totals.csv"} <= files
    assert all(len(entry["sha256"]) == 64 for entry in listed)


def test_a_finished_run_opens_as_tables_and_lazy_fields(small_run: Path) -> None:
    from carbongrid.export import read_result

    result = read_result(small_run)
    assert isinstance(result, cg.Result)
    assert len(result.units) == 6
    assert set(result.units["zone"]) == {1, 2, 3, 4}
    assert result.labels is not None
    assert result.labels["parcel"].dtype == "uint32"
    assert result.labels["parcel"].chunks is not None


def test_a_run_verifies(small_run: Path) -> None:
    assert cg.verify(small_run).ok


def test_replace_reuses_the_labels_when_only_the_totals_change(city: Path) -> None:
    out = city.parent / "run"
    first = run(city / "case.toml", out)
    with pytest.raises(InputError, match="--replace"):
        run(city / "case.toml", out)
    totals = pd.read_csv(city / "totals.csv", dtype=str)
    totals.loc[0, "value"] = "140.46"
    totals.to_csv(city / "totals.csv", index=False)
    second = run(city / "case.toml", out, replace=True)
    assert first.manifest["reused"] == []
    assert second.manifest["reused"] == ["labels and overlaps"]
    assert second.manifest["digests"]["units"] != first.manifest["digests"]["units"]
    assert cg.verify(out).ok
    fresh = run(city / "case.toml", city.parent / "fresh")
    assert fresh.manifest["digests"] == second.manifest["digests"]


def test_replace_makes_the_labels_again_when_a_parcel_moves(city: Path) -> None:
    import geopandas as gpd

    out = city.parent / "run"
    run(city / "case.toml", out)
    table = gpd.read_file(city / "townships.gpkg")
    (city / "townships.gpkg").unlink()
    table.set_geometry(table.geometry.translate(xoff=40)).to_file(city / "townships.gpkg")
    assert run(city / "case.toml", out, replace=True).manifest["reused"] == []


def test_the_exact_reduction_conserves_and_needs_no_labels(city: Path) -> None:
    text = (city / "case.toml").read_text(encoding="utf-8")
    (city / "case.toml").write_text(text.replace('reduce = "cells"', 'reduce = "exact"'), "utf-8")
    result = run(city / "case.toml", city.parent / "run")
    assert result.labels is None
    assert cg.verify(city.parent / "run").ok


def test_water_outside_every_unit_may_go_to_the_nearest(city: Path) -> None:
    text = (city / "case.toml").read_text(encoding="utf-8")
    base = run(city / "case.toml", city.parent / "base")
    (city / "case.toml").write_text(text.replace('water = "ledger"', 'water = "nearest"'), "utf-8")
    result = run(city / "case.toml", city.parent / "run")
    assert result.units["sink_t"].sum() > base.units["sink_t"].sum()
    assert cg.verify(city.parent / "run").ok


def test_a_weight_raster_is_followed_inside_parcels(city: Path) -> None:
    """Homes by the people grid as a raster: mass follows the raster, and all tables add up."""
    (city / "categories.csv").write_text(
        "category,sector,name_en,name_zh,scope,sink,types,weight\n"
        "buildings/urban-homes,buildings,Urban homes,城镇居民,1,false,urban-residential,raster:people.tif\n",
        encoding="utf-8",
    )
    text = (city / "case.toml").read_text(encoding="utf-8")
    (city / "case.toml").write_text(text + '\n[categories]\npath = "categories.csv"\n', "utf-8")
    told = {line.split()[0]: line for line in check(city / "case.toml").lines if "/" in line}
    assert told["buildings/urban-homes"].endswith("raster:people.tif")  # a run alone places it
    assert told["transport/road"].endswith(" m")  # and all others are placed
    result = run(city / "case.toml", city.parent / "run")
    rows = result.ledger.set_index("category")
    assert rows.loc["buildings/urban-homes", "rule"] == "raster:people.tif"
    assert cg.verify(city.parent / "run").ok


def test_regional_totals_stay_in_their_region_when_they_are_spread(city: Path) -> None:
    totals = pd.read_csv(city / "totals.csv", dtype=str, keep_default_na=False)
    part = totals[totals["category"] == "agriculture/plantation"].assign(
        region="090103", value="20"
    )
    pd.concat([totals.assign(region=""), part]).to_csv(city / "totals.csv", index=False)
    result = run(city / "case.toml", city.parent / "run")
    rows = result.ledger[result.ledger["category"] == "agriculture/plantation"]
    assert rows["region"].tolist() == ["", "090103"]
    assert cg.verify(city.parent / "run").ok


def test_check_tells_what_would_be_done(small_city: Path) -> None:
    outlook = check(small_city / "case.toml")
    text = "\n".join(outlook.lines)
    assert not outlook.wrong
    for words in ("962 parcels", "6 units", "transport/road", "million cells"):
        assert words in text
    assert any("as gcj02" in str(problem) for problem in outlook.problems)


def test_check_tells_what_land_of_the_units_has_no_parcel(city: Path) -> None:
    parcels = gpd.read_file(city / "parcels.gpkg")
    gone = parcels["DLBM"] == "0101"
    (city / "parcels.gpkg").unlink()
    parcels[~gone].to_file(city / "parcels.gpkg", layer="DLTB")
    bare = next(line for line in check(city / "case.toml").lines if "bear no parcel" in line)
    units = gpd.read_file(city / "townships.gpkg").to_crs(parcels.crs)
    lost = parcels[gone].union_all().intersection(units.union_all()).area / 1e6
    assert float(bare.split()[0]) == pytest.approx(lost, abs=0.02)


@pytest.mark.full
def test_the_full_demo_adds_up_to_the_study_and_verifies(tmp_path: Path) -> None:
    from carbongrid.demo import run_demo

    outcome = run_demo(tmp_path / "demo")
    units = outcome.result.units
    assert len(units) == 97
    assert set(units["zone"]) == {1, 2, 3, 4}
    assert len(outcome.result.inventory) == 17
    parcels = outcome.result.parcels
    grid = outcome.result.grid_1km
    # The study's category rows, 24,028.97 gross and 251.86 sink in 1e4 t, as grams.
    for kind, study in (("emission", 240_289_700_000_000), ("sink", 2_518_600_000_000)):
        assert int(parcels[f"{kind}_g"].sum()) == study
        assert int(grid[kind].sum()) == study
    ledger = outcome.result.ledger
    assert (ledger["unallocated_t"].astype(float) == 0).all()
    assert cg.verify(outcome.result.directory).ok
    assert outcome.flipped > 0
