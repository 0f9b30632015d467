"""A finished run as claims: undrawn, they give what units.csv has, whatever the run's choices."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from carbongrid.method.probability.uncertainty import uncertainty_of
from carbongrid.method.spread_draws import CategoryDraws
from carbongrid.pipeline import run
from carbongrid.pipeline.run_carriers import RunCarriers


def as_the_run_has_them(out: Path) -> None:
    """Claims as they are and facilities: each unit within a gram for each of its parcels and facilities."""
    finished = RunCarriers(out)
    found, uncertainty = finished.on_land, uncertainty_of(finished.manifest)
    kinds = found.kinds()
    assert found.categories
    for category in found.categories:
        name = category.name
        carriers = found.carriers(category, uncertainty, kinds)
        claims = CategoryDraws(name, carriers, len(found.units), 0)
        facilities = found.named(name).grams
        masses = claims.masses(claims.as_it_is())[0, :-1] + facilities.sum(axis=0)[:-1]
        expected = found.units[name].to_numpy(np.float64)
        parcels = np.bincount(carriers.shares.indices, minlength=len(found.units) + 1)[:-1]
        assert (np.abs(masses - expected) <= 1 + parcels + len(facilities) + 1e-12 * expected).all()
        accounts = found.accounts(name)
        placed = np.bincount(carriers.account[carriers.home], carriers.mass, accounts.grams.size)
        assert placed.sum() + facilities.sum() == pytest.approx(accounts.grams.sum(), rel=1e-12)


def test_the_demo_with_its_facilities(full_demo: Path) -> None:
    as_the_run_has_them(full_demo / "run")


def test_exact_areas_and_water_given_to_the_nearest_unit(city: Path, tmp_path: Path) -> None:
    path = city / "case.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in (('reduce = "cells"', 'reduce = "exact"'), ('water = "ledger"', 'water = "nearest"')):  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")
    run(path, tmp_path / "run")
    as_the_run_has_them(tmp_path / "run")


def test_a_raster_as_the_weight(tmp_path: Path) -> None:
    """Mass follows the raster inside its parcels, so they lie in other units than their area."""
    import rasterio
    from affine import Affine
    from probability_town import CATEGORIES, CRS, GDP, SOUTH, TOTALS, WEST, case_of, written

    written(tmp_path)
    by_raster = CATEGORIES.replace("field:waste", "raster:heat.tif")
    (tmp_path / "categories.csv").write_text(by_raster, encoding="utf-8")
    heat = np.random.default_rng(2).gamma(0.5, 9, (10, 110)).astype(np.float32)
    shape = {"height": 10, "width": 110, "count": 1, "dtype": "float32"}
    grid = Affine(100, 0, WEST, 0, -100, SOUTH + 1000)
    with rasterio.open(tmp_path / "heat.tif", "w", "GTiff", crs=f"EPSG:{CRS}", transform=grid, **shape) as file:  # fmt: skip
        file.write(heat, 1)
    run(case_of(tmp_path, TOTALS, {}, GDP), tmp_path / "run")
    assert RunCarriers(tmp_path / "run").shares.rasters
    as_the_run_has_them(tmp_path / "run")


def test_a_land_of_other_parcels_is_refused(small_run: Path, tmp_path: Path) -> None:
    from carbongrid.errors import VerificationError

    out = Path(shutil.copytree(small_run, tmp_path / "run"))
    with np.load(out / "steps" / "land.npz") as arrays:
        told = {name: arrays[name] for name in arrays}
    np.savez(out / "steps" / "land.npz", **{**told, "unit_of_parcel": told["unit_of_parcel"][1:]})
    with pytest.raises(VerificationError, match="changed after the run"):
        _ = RunCarriers(out).home
    (out / "overlap.npz").write_bytes(b"damaged")
    with pytest.raises(VerificationError, match=r"overlap\.npz was changed after the run"):
        _ = RunCarriers(out).shares
