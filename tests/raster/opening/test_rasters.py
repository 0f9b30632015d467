"""GDAL's cache, which is one for all threads of a process, while rasters are open."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rasterio.control import GroundControlPoint
from rasterio.env import get_gdal_config, set_gdal_config
from rasterio.transform import from_origin
from rasterio.windows import Window

from carbongrid.errors import InputError
from carbongrid.raster.nodata import Unknown
from carbongrid.raster.opening import rasters
from carbongrid.raster.opening.rasters import _CACHE, open_geotiff, open_raster
from carbongrid.raster.plane_files import open_plane
from carbongrid.raster.windows import known_values

FOUND = 123 * 2**20


@pytest.fixture
def raster(tmp_path: Path) -> Path:
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", width=2, height=2, count=1, dtype="uint8", crs="EPSG:4528",
        transform=rasterio.Affine(1, 0, 0, 0, -1, 2),
    ) as to:  # fmt: skip
        to.write(np.ones((1, 2, 2), np.uint8))
    return path


@pytest.fixture(autouse=True)
def cache_of_the_caller() -> Iterator[None]:
    before = get_gdal_config("GDAL_CACHEMAX")
    set_gdal_config("GDAL_CACHEMAX", FOUND)
    yield
    set_gdal_config("GDAL_CACHEMAX", before)


def cache() -> object:
    return get_gdal_config("GDAL_CACHEMAX")


@pytest.mark.parametrize("first_out", ["first", "second"])
def test_the_cache_is_small_until_the_last_of_two_threads_is_out(
    raster: Path, first_out: str
) -> None:
    """Caught: the first to leave restored the large cache under the second, which left the small one for good."""
    with ThreadPoolExecutor(1) as other:
        first, second = ExitStack(), ExitStack()
        other.submit(first.enter_context, open_raster(raster)).result()
        second.enter_context(open_raster(raster))
        assert cache() == _CACHE
        leave = [lambda: other.submit(first.close).result(), second.close]
        if first_out == "second":
            leave.reverse()
        leave[0]()
        assert cache() == _CACHE
        leave[1]()
    assert cache() == FOUND


def test_one_raster_within_another_and_an_error_restore_the_cache(raster: Path) -> None:
    with open_raster(raster):
        with open_raster(raster) as inner:
            assert inner.read(1).sum() == 4
        assert cache() == _CACHE
    assert cache() == FOUND
    with pytest.raises(KeyError), open_raster(raster):
        raise KeyError
    assert cache() == FOUND


def test_a_cache_that_the_caller_has_set_is_set_aside_and_restored(raster: Path) -> None:
    with rasterio.Env(GDAL_CACHEMAX=99 * 2**20):
        with open_raster(raster) as opened:
            opened.read(1)
            assert cache() == _CACHE
        assert cache() == 99 * 2**20


def test_a_script_that_leaves_rasters_open_ends_in_silence(raster: Path) -> None:
    """Seen to fail with "Error in sys.excepthook" of a raster that was let go after the interpreter."""
    script = "import sys; from pathlib import Path; from carbongrid.raster.opening.rasters import open_geotiff; kept = open_geotiff(Path(sys.argv[1])); print(int(kept.sum()))"
    done = subprocess.run((sys.executable, "-c", script, raster), capture_output=True, text=True, check=True)  # fmt: skip
    assert (done.stdout, done.stderr) == ("4\n", "")


@pytest.mark.parametrize("dtype", ["int16", "float32"])
@pytest.mark.parametrize("nodata", [None, 7])
@pytest.mark.parametrize("scaled", [False, True])
@pytest.mark.parametrize("mask", ["", "inside", "beside", "band"])
@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rioxarray's own
def test_a_raster_by_its_path_is_unknown_where_its_windows_are(
    tmp_path: Path, dtype: str, nodata: int | None, scaled: bool, mask: str
) -> None:
    """Seen to count: nodata beside the mask of scaled values, and what the mask of a single band hides."""
    path, shown = tmp_path / "r.tif", np.full((3, 4), 255, np.uint8)
    shown[0] = 0
    how = {"driver": "GTiff", "height": 3, "width": 4, "count": 1, "crs": "EPSG:32650"}
    how["transform"] = from_origin(0, 30, 10, 10)
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=mask == "inside"),
        rasterio.open(path, "w", dtype=dtype, nodata=nodata, **how) as file,
    ):
        file.write(np.arange(1, 13).reshape(3, 4).astype(dtype), 1)
        if scaled:
            file.scales, file.offsets = (0.5,), (10.0,)
        if mask in ("inside", "beside"):
            file.write_mask(shown)
    if mask == "band":
        with rasterio.open(f"{path}.msk", "w", dtype="uint8", **how) as file:
            file.write(shown, 1)
            file.update_tags(INTERNAL_MASK_FLAGS_1="0")
    with rasterio.open(path) as file:
        expected = known_values(file, Window(0, 0, 4, 3))
    assert np.isnan(expected).sum() == 4 * bool(mask) + (nodata is not None)
    raster = open_geotiff(path)
    hidden = Unknown.of(raster).where(raster.to_numpy())
    found = raster.to_numpy().astype(np.float64)
    found[np.zeros(found.shape, bool) if hidden is None else hidden] = np.nan
    np.testing.assert_array_equal(found, expected)
    assert raster.rio.crs.to_epsg() == 32650


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rioxarray's own
def test_transparent_cells_are_unknown_beside_the_band_that_says_so(tmp_path: Path) -> None:
    """Seen to pass where every band had to be hidden: that of transparency itself is not."""
    path = tmp_path / "grey.tif"
    how = {"height": 1, "width": 2, "count": 2, "dtype": "uint8", "crs": "EPSG:32650"}
    with rasterio.open(path, "w", "GTiff", transform=from_origin(0, 4, 1, 1), photometric="MINISBLACK", alpha="yes", **how) as file:  # fmt: skip
        file.write(np.array([[[5, 7]], [[255, 0]]], np.uint8))
    np.testing.assert_array_equal(open_geotiff(path)[0], [[5, np.nan]])


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rioxarray's own
@pytest.mark.parametrize(("scale", "offset"), [(0.5, 0.0), (1.0, 10.0)])
def test_a_band_behind_the_first_that_is_scaled_is_as_it_is_meant(
    tmp_path: Path, scale: float, offset: float
) -> None:
    """Seen to pass with the scale of the first band looked at alone, and without any offset. Seen to warn that scales differ, though each band's own is applied."""
    path = tmp_path / "two.tif"
    how = {"height": 1, "width": 2, "count": 2, "dtype": "int16", "crs": "EPSG:32650"}
    with rasterio.open(path, "w", "GTiff", transform=from_origin(0, 4, 1, 1), **how) as file:
        file.write(np.array([[[5, 7]], [[8, 6]]], np.int16))
        file.scales, file.offsets = (1.0, scale), (0.0, offset)
    found = open_geotiff(path)
    np.testing.assert_array_equal(found[0], [[5, 7]])
    np.testing.assert_array_equal(found[1], [[8 * scale + offset, 6 * scale + offset]])


@pytest.mark.filterwarnings("ignore:Use `@` matmul:PendingDeprecationWarning")  # rioxarray's own
@pytest.mark.parametrize(("interleave", "bands"), [("pixel", 6), ("band", 1)])
def test_a_chunk_has_the_bands_that_lie_side_by_side(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interleave: str, bands: int
) -> None:
    """Seen to have all bands in any file, of each chunk as many cells of a band however many bands there are, and so few that a graph of strips took longest."""
    path = tmp_path / "many.tif"
    how = {"height": 64, "width": 64, "count": 6, "dtype": "int16", "crs": "EPSG:32650"}
    values = np.arange(6 * 64 * 64, dtype=np.int16).reshape(6, 64, 64)
    with rasterio.open(path, "w", "GTiff", transform=from_origin(0, 64, 1, 1), tiled=True, blockxsize=16, blockysize=16, interleave=interleave, **how) as file:  # fmt: skip
        file.write(values)
    monkeypatch.setattr(rasters, "_CELLS_IN_CHUNK", 32 * 32)
    monkeypatch.setattr(rasters, "_BYTES_OF_BANDS", 2 * 64 * 64)
    found = open_geotiff(path)
    deep, high, wide = (sides[0] for sides in found.chunks or ())
    assert (deep, high % 16, wide % 16) == (bands, 0, 0)
    assert high * wide <= 32 * 32
    assert deep * high * wide <= 64 * 64
    np.testing.assert_array_equal(found, values)


def test_a_last_strip_that_is_blank_is_whole(tmp_path: Path) -> None:
    """Seen to: GDAL wrote the last strip of a raster, of one row where others have two, in full since it is all 0, and the file was said to contradict itself."""
    path = tmp_path / "people.tif"
    values = np.ones((2, 5, 500))
    values[:, 4] = 0
    how = {"height": 5, "width": 500, "count": 2, "dtype": "float64", "crs": "EPSG:32650"}
    with rasterio.open(path, "w", "GTiff", transform=from_origin(0, 5, 1, 1), blockysize=2, interleave="band", **how) as file:  # fmt: skip
        file.write(values)
    with open_raster(path) as found:
        np.testing.assert_array_equal(found.read(), values)
    data = bytearray(path.read_bytes())
    sizes = data.index(np.array([8000, 8000], "<u2").tobytes())
    data[sizes : sizes + 2] = np.array([4000], "<u2").tobytes()  # of the first
    path.write_bytes(data)
    with pytest.raises(InputError, match="another size than its cells"), open_raster(path):
        pass


def test_chunks_are_read_late_and_by_a_name_that_stays(raster: Path, tmp_path: Path) -> None:
    """GDAL reads of ``a!b/`` what stands behind the mark: another file, or none."""
    folder = tmp_path / "a!b"
    folder.mkdir()
    odd = Path(shutil.copy(raster, folder))
    with open_raster(odd) as opened:
        assert opened.count == 1
    with pytest.raises(InputError, match=r"a!b.*needs a name of letters.*Rename it, or its folder"):
        open_geotiff(odd)


def test_what_gdal_reads_beyond_the_side_files_is_told(raster: Path) -> None:
    """It is in no digest."""
    raster.with_suffix(".IMD").write_text('version = "AA";\n', encoding="utf-8")
    raster.with_suffix(".RPB").write_text('satId = "QB02";\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"GDAL reads .*\.IMD.*Move it elsewhere"), open_raster(raster):  # fmt: skip
        pass


def test_a_file_of_several_pages_is_refused(tmp_path: Path) -> None:
    """Seen to fail: a run took the first page without a word, and by a path it ended in an AttributeError."""
    path = tmp_path / "two.tif"
    how = {"height": 4, "width": 4, "count": 1, "dtype": "float64", "crs": "EPSG:32650"}
    for page in (0, 1):
        with rasterio.open(path, "w", "GTiff", transform=from_origin(0, 4, 1, 1), APPEND_SUBDATASET="YES" if page else "NO", **how) as file:  # fmt: skip
            file.write(np.full((4, 4), 1.0 + page), 1)
    for door in (open_raster, open_plane):
        with pytest.raises(InputError, match=r"two.tif: the file has 2 pages.*GTIFF_DIR:1"), door(path):  # fmt: skip
            pass
    with pytest.raises(InputError, match="has 2 pages"):
        open_geotiff(path)


def test_a_raster_that_ground_control_points_place_is_refused(tmp_path: Path) -> None:
    """Seen to fail: it was to be opened with rioxarray, which says the same; an operator of any grid took it."""
    path = tmp_path / "photo.tif"
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning), rasterio.open(path, "w", "GTiff", height=4, width=4, count=1, dtype="uint8") as file:  # fmt: skip
        file.write(np.ones((1, 4, 4), np.uint8))
        points = [GroundControlPoint(row, column, 100.0 + column, 200.0 - row) for row in (0, 4) for column in (0, 4)]  # fmt: skip
        file.gcps = points, rasterio.crs.CRS.from_epsg(32650)
    with pytest.raises(InputError, match=r"ground control points.*gdalwarp -t_srs"):
        open_geotiff(path)
