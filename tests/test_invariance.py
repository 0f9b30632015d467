"""Nothing but the content of the input decides a result: the same digests of every table, whatever the order, the format, the chunks, the workers."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
from small_demo import keep_labels

from carbongrid.errors import InputError
from carbongrid.pipeline import run

LAYERS = {"parcels.gpkg": "DLTB", "townships.gpkg": "townships", "lines.gpkg": "lines"}
TABLES = ("totals", "facilities", "gdp", "census", "pois", "people")
CHUNKS = (64, 97, 150, 211, 333)
SEEDS = (1, 2, 3, 4)


Digests = dict[str, str]
Rearrange = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def plain(small_run: Path) -> Digests:
    """Digests of the plain run: rows as the demo writes them, GeoPackage, one tile, threads."""
    digests = json.loads((small_run / "manifest.json").read_text(encoding="utf-8"))["digests"]
    assert set(digests) == {"inventory", "ledger", "evidence", "facilities", "land_types", "parcels", "units", "grid_1km", "grid_1km_by_sector"}  # fmt: skip
    return dict(digests)


def digests_of_run(case: Path, folder: Path, **means: Any) -> Digests:
    result = run(case / "case.toml", folder / "run", **means)
    return dict(result.manifest["digests"])


def edit_case(case: Path, *changes: tuple[str, str]) -> None:
    path = case / "case.toml"
    text = path.read_text(encoding="utf-8")
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path.write_text(text, encoding="utf-8")


def shuffled(seed: int) -> Rearrange:
    """Return what puts rows in another order, and columns too, geometry where it falls."""
    draw = np.random.default_rng(seed)

    def rearrange(table: pd.DataFrame) -> pd.DataFrame:
        rows, columns = draw.permutation(len(table)), draw.permutation(table.shape[1])
        if (np.diff(rows) > 0).all():  # Two rows often stay as they are.
            rows = rows[::-1]
        return table.iloc[rows, columns].reset_index(drop=True)

    return rearrange


def rearrange_layers(case: Path, rearrange: Rearrange) -> None:
    for name, layer in LAYERS.items():
        table = gpd.GeoDataFrame(rearrange(gpd.read_file(case / name, layer=layer)))
        (case / name).unlink()
        table.to_file(case / name, layer=layer, driver="GPKG")


def rearrange_tables(case: Path, rearrange: Rearrange) -> None:
    for name in TABLES:
        path = case / f"{name}.csv"
        table = pd.read_csv(path, dtype=str, keep_default_na=False)
        rearrange(table).to_csv(path, index=False)


def replace_layers(case: Path, suffix: str, driver: str, **options: Any) -> None:
    """Write each layer in another format, in place of its GeoPackage, and name it in the case."""
    for name, layer in LAYERS.items():
        table = gpd.read_file(case / name, layer=layer)
        (case / name).unlink()
        target = case / f"{layer}{suffix}"
        if driver:
            pyogrio.write_dataframe(table, target, layer=layer, driver=driver, **options)
        else:
            table.to_parquet(target)
        edit_case(case, (f'"{name}"', f'"{target.name}"'))
    if not driver:
        edit_case(case, ('layer = "DLTB"', '# layer = "DLTB"'))


@pytest.mark.parametrize(
    "seed", [SEEDS[0], *(pytest.param(each, marks=pytest.mark.thorough) for each in SEEDS[1:])]
)
def test_order_of_rows_and_columns(city: Path, tmp_path: Path, plain: Digests, seed: int) -> None:
    rearrange = shuffled(seed)
    rearrange_layers(city, rearrange)
    rearrange_tables(city, rearrange)
    assert digests_of_run(city, tmp_path) == plain


def test_order_does_not_matter_to_exact_areas(city: Path, tmp_path: Path) -> None:
    edit_case(city, ('reduce = "cells"', 'reduce = "exact"'))
    before = digests_of_run(city, tmp_path / "before")
    rearrange_layers(city, shuffled(3))
    rearrange_tables(city, shuffled(4))
    assert digests_of_run(city, tmp_path / "after") == before


def test_shapefile_in_gbk_without_cpg(city: Path, tmp_path: Path, plain: Digests) -> None:
    replace_layers(city, ".shp", "ESRI Shapefile", encoding="GBK")
    for declared in city.glob("*.cpg"):
        declared.unlink()
    assert "街道".encode("gbk") in (city / "townships.dbf").read_bytes()
    assert digests_of_run(city, tmp_path) == plain


def test_file_geodatabase(city: Path, tmp_path: Path, plain: Digests) -> None:
    with warnings.catch_warnings():
        # The driver says that it is new at writing.
        warnings.simplefilter("ignore", RuntimeWarning)
        replace_layers(city, ".gdb", "OpenFileGDB")
    assert (city / "DLTB.gdb").is_dir()
    assert digests_of_run(city, tmp_path) == plain


def test_geoparquet(city: Path, tmp_path: Path, plain: Digests) -> None:
    replace_layers(city, ".parquet", "")
    assert digests_of_run(city, tmp_path) == plain


@pytest.mark.parametrize(
    "chunks",
    [CHUNKS[0], *(pytest.param(each, marks=pytest.mark.thorough) for each in CHUNKS[1:])],
)
def test_chunks_that_do_not_divide_the_grid(
    small_city: Path, tmp_path: Path, plain: Digests, chunks: int
) -> None:
    city = Path(shutil.copytree(small_city, tmp_path / "city"))
    result = run(keep_labels(city / "case.toml"), tmp_path / "run", chunks=chunks)
    assert result.labels is not None
    assert all(side % chunks and side > chunks for side in result.labels["parcel"].shape)
    assert result.manifest["digests"] == plain


@pytest.mark.parametrize(
    "scheduler",
    # Threads by one and by four of them, below.
    [
        "synchronous",
        *(pytest.param(each, marks=pytest.mark.thorough) for each in ("threads", "processes")),
    ],
)
def test_schedulers(small_city: Path, tmp_path: Path, plain: Digests, scheduler: str) -> None:
    assert digests_of_run(small_city, tmp_path, scheduler=scheduler, chunks=256) == plain


@pytest.mark.parametrize(
    "count", [*(pytest.param(each, marks=pytest.mark.thorough) for each in (1, 2)), 4]
)
def test_threads(small_city: Path, tmp_path: Path, plain: Digests, count: int) -> None:
    import dask

    with dask.config.set(num_workers=count):
        assert digests_of_run(small_city, tmp_path, scheduler="threads", chunks=128) == plain


@pytest.mark.thorough
def test_a_cluster(small_city: Path, tmp_path: Path, plain: Digests) -> None:
    distributed = pytest.importorskip("distributed")
    means = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": "127.0.0.1:0"}
    with distributed.LocalCluster(host="127.0.0.1", **means) as cluster:
        address = cluster.scheduler_address
        named = digests_of_run(small_city, tmp_path / "named", chunks=256, scheduler=address)
        with distributed.Client(cluster):
            active = digests_of_run(small_city, tmp_path / "active", chunks=256)
    assert named == plain
    assert active == plain


def test_no_such_scheduler(small_city: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'threds' is no scheduler"):
        run(small_city / "case.toml", tmp_path / "run", scheduler="threds")
    assert not any(tmp_path.iterdir())
