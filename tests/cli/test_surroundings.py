"""Settings of the environment and data of libraries change no number, and end no run with a fault."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rioxarray  # noqa: F401  (registers .rio)
import xarray as xr
from click.testing import CliRunner
from printed import without_font_warning
from waiting import HANG

from carbongrid.cli import main
from carbongrid.errors import RunError
from carbongrid.outputs.tables.rasters import write_grid_tif
from carbongrid.raster.surroundings import set_aside

HOSTILE = {
    "CPL_TMPDIR": "/nowhere",
    "DASK_ARRAY__CHUNK_SIZE": "nonsense",
    "DASK_NUM_WORKERS": "0",
    "DASK_SCHEDULER": "nonsense",
    "GDAL_SKIP": "GPKG,GTiff",
    "HDF5_DRIVER": "nonsense",
    "MATPLOTLIBRC": "/nowhere/matplotlibrc",
    "MPLBACKEND": "nonsense",
    "NUMBA_NUM_THREADS": "nonsense",
    "OGR_SKIP": "GPKG",
    "OSR_WKT_FORMAT": "nonsense",
    "PANDAS_COPY_ON_WRITE": "warn",
    "PANDAS_DATA_MANAGER": "nonsense",
    "PANDAS_FUTURE_INFER_STRING": "0",
    "PANDAS_FUTURE_PYTHON_SCALARS": "1",
    "PROJ_DATA": "/nowhere",
    "PROJ_LIB": "/nowhere",
    "PROJ_NETWORK": "ON",
    "SOURCE_DATE_EPOCH": "nonsense",
    "ZARR_ARRAY__ORDER": "F",
    "ZARR_ASYNC__CONCURRENCY": "nonsense",
    "ZARR_CODEC_PIPELINE__PATH": "nonsense",
    "ZARR_CONFIG": "/nowhere",
    "ZARR_DEFAULT_ZARR_FORMAT": "2",
}


@pytest.mark.thorough  # nox -s faults has each setting by itself
def test_a_run_among_hostile_settings_has_the_same_digests(
    small_city: Path, small_run: Path, tmp_path: Path
) -> None:
    """Seen to fail with faults of matplotlib, rasterio, Dask and PROJ, with HDF5 that ended the process, and by libraries alone with a grid that has no place on earth."""
    words = ["run", str(small_city / "case.toml"), "--out", str(tmp_path / "run"), "--quiet"]
    done = subprocess.run(
        [sys.executable, "-m", "carbongrid", *words],
        env={**os.environ, **HOSTILE}, capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = without_font_warning(done.stderr).splitlines()
    assert [line for line in told if not line.startswith("warning: evidence: ")] == []
    digests = [
        json.loads((run / "manifest.json").read_text(encoding="utf-8"))["digests"]
        for run in (small_run, tmp_path / "run")
    ]
    assert digests[0] == digests[1]


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
from carbongrid.cli import main
main()
"""


@pytest.mark.thorough  # beside that of from-osm
def test_a_full_disk_is_told_as_such_by_the_commands_that_write_folders(
    small_run: Path, tmp_path: Path
) -> None:
    """As a limit to files, which fails like one. Seen to fail: "a fault of carbongrid", in the words of a driver."""
    for words in (
        ("20000", "demo", tmp_path / "demo", "--size", "small"),
        ("2000", "figures", small_run, "--out", tmp_path / "figures", "--dpi", "50"),
    ):
        done = subprocess.run(
            [sys.executable, "-c", LIMITED, *map(str, words)],
            capture_output=True, text=True, check=False, timeout=HANG,
        )  # fmt: skip
        assert done.returncode == 1
        assert "the disk is full" in done.stderr
        assert "fault of carbongrid" not in done.stderr


def test_only_these_settings_are_set_aside() -> None:
    kept = {"HOME": "/", "DASK_DISTRIBUTED__COMM__TLS__CA_FILE": "a", "NUMBA_CACHE_DIR": "b", "HDF5_USE_FILE_LOCKING": "FALSE"}  # fmt: skip
    environment = {**kept, **HOSTILE}
    assert set_aside(environment) == sorted(HOSTILE)
    assert environment == kept
    numbers = {"DASK_NUM_WORKERS": "2", "SOURCE_DATE_EPOCH": "1700000000"}
    assert set_aside(dict(numbers)) == []
    assert set_aside(dict.fromkeys(numbers, "-1")) == sorted(numbers)


def test_what_is_set_aside_is_said_once_and_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to be silent below -v: a cache of GDAL's that somebody had set on purpose, and that never was."""
    note = "ignored, though set in the environment: GDAL_CACHEMAX, NUMBA_NUM_THREADS\n"
    for number, (options, told) in enumerate(
        {(): f"note: {note}", ("-v",): f"INFO carbongrid.cli.commands: {note}", ("-q",): "", ("--json",): ""}.items()
    ):  # fmt: skip
        for name in set_aside(dict(os.environ)):
            monkeypatch.delenv(name)
        monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
        monkeypatch.setenv("GDAL_CACHEMAX", "512")
        if not options:  # set by conda and by keepers of certificates: nobody is told
            monkeypatch.setenv("PROJ_DATA", "/opt/conda/share/proj")
            monkeypatch.setenv("GDAL_CURL_CA_BUNDLE", "/etc/ssl/bundle.pem")
        done = CliRunner().invoke(main, ["init", str(tmp_path / str(number)), *options])
        assert done.exit_code == 0
        assert done.stderr == told


def test_a_grid_without_a_place_on_earth_is_not_written(tmp_path: Path) -> None:
    """What rasterio makes of a CRS without data of PROJ. Seen to fail: it was written in silence."""
    zeros = (("y", "x"), np.zeros((2, 2), np.int64))
    grid = xr.Dataset(
        dict.fromkeys(("emission", "sink", "covered_area"), zeros),
        {"x": [0.5, 1.5], "y": [1.5, 0.5]},
        {"resolution": 1.0},
    )
    grid = grid.rio.write_crs(
        'LOCAL_CS["CGCS2000 / 3-degree Gauss-Kruger zone 40",UNIT["metre",1]]'
    )
    with pytest.raises(RunError, match="PROJ_DATA"):
        write_grid_tif(grid, "a", "AR5", tmp_path / "grid_1km.tif")
    assert not (tmp_path / "grid_1km.tif").exists()
