"""A run that came from somebody else is opened as an input is: nothing in it sends a reader elsewhere."""

from __future__ import annotations

import json
import os
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import h5py
import numpy as np
import openpyxl
import pytest
import rasterio
import zarr
from rasterio.transform import from_origin

from carbongrid.errors import CarbongridError, InputError
from carbongrid.outputs.reading import read_result, read_tables
from carbongrid.pipeline.verification import verify
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.rasters import open_raster
from carbongrid.raster.opening.stores import (
    open_netcdf,
    open_published_netcdf,
    open_zarr,
    open_zarr_array,
)
from carbongrid.run_store import seal_of

VRT = "<OGRVRTDataSource><OGRVRTLayer name='units'><SrcDataSource>/vsicurl/{}</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>"
RASTER_VRT = (
    '<VRTDataset rasterXSize="2" rasterYSize="2"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
    "<SourceFilename>/vsicurl/{}</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>"
)


@pytest.fixture
def run(labelled_run: Path, tmp_path: Path) -> Path:
    """A copy of the small demo's run, to be doctored."""
    return Path(shutil.copytree(labelled_run, tmp_path / "run"))


def as_readonly_contiguous(folder: Path) -> None:
    """Write the hashes of a run anew, and the manifest's seal, as whoever doctors it would."""
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for name in manifest["files"]:
        if (folder / name).exists():
            manifest["files"][name] = hash_path(folder / name)
    manifest["seal"] = seal_of(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize("file", ["units.gpkg", "grid_1km.tif"])
def test_a_result_that_is_a_vrt_fetches_nothing(run: Path, server, file: str) -> None:
    """Caught: figures asked an address that stood in a units.gpkg, and verify did, its hashes written anew."""
    text = VRT if file == "units.gpkg" else RASTER_VRT
    (run / file).write_text(text.format(server.address), encoding="utf-8")
    as_readonly_contiguous(run)
    found = verify(run)
    assert not found.ok
    if file == "units.gpkg":
        for reader in (read_result, read_tables):
            with pytest.raises(CarbongridError, match=r"units\.gpkg"):
                reader(run)
    assert server.asked == []


def raster(path: Path, **tags: dict[str, str]) -> Path:
    with rasterio.open(
        path, "w", driver="GTiff", width=2, height=2, count=1, dtype="float32",
        crs="EPSG:4528", transform=from_origin(40_500_000, 3_430_000, 100, 100),
    ) as written:  # fmt: skip
        written.write(np.ones((1, 2, 2), dtype="float32"))
        for space, items in tags.items():
            written.update_tags(ns=space, **items)
    return path


def test_what_lies_beside_a_raster_or_in_its_tags_fetches_nothing(tmp_path: Path, server) -> None:
    """Caught: overviews by a tag of the GeoTIFF itself, and a VRT as its mask."""
    elsewhere = {"OVERVIEW_FILE": f"/vsicurl/{server.address}"}
    by_tag = raster(tmp_path / "tag.tif", OVERVIEWS=elsewhere)
    aside = raster(tmp_path / "aside.tif")
    aside.with_name("aside.tif.aux.xml").write_text(
        f'<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/vsicurl/{server.address}</MDI></Metadata></PAMDataset>',
        encoding="utf-8",
    )
    for path in (by_tag, aside):
        with pytest.raises(InputError, match="another file as its overviews"), open_raster(path):
            pytest.fail("it was opened")
    for ending in ("ovr", "msk"):
        path = raster(tmp_path / f"{ending}.tif")
        path.with_name(f"{ending}.tif.{ending}").write_text(
            RASTER_VRT.format(server.address), encoding="utf-8"
        )
        # What lies beside the file lies beside no link to it.
        link = tmp_path / "links" / f"{ending}.tif"
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(path)
        for way in (path, link):
            with pytest.raises(InputError, match="not a GeoTIFF"), open_raster(way):
                pytest.fail("it was opened")
    assert server.asked == []


@pytest.mark.parametrize("trick", ["external link", "soft link", "external values", "virtual"])
def test_a_grid_takes_nothing_from_other_files(run: Path, tmp_path: Path, trick: str) -> None:
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["values"] = np.arange(4)
    path = run / "grid_1km.nc"
    with h5py.File(path, "a") as file:
        if trick == "external link":
            file["more"] = h5py.ExternalLink(str(secret), "/values")
        elif trick == "soft link":
            file["more"] = h5py.SoftLink("/emission")
        elif trick == "external values":
            file.create_dataset("more", (8,), "u1", external=[(str(secret), 0, 8)])
        else:
            layout = h5py.VirtualLayout((4,), "i8")
            layout[:] = h5py.VirtualSource(str(secret), "values", (4,))
            file.create_virtual_dataset("more", layout)
    said = r"grid_1km\.nc: more in it is taken from another file"
    with pytest.raises(InputError, match=f"{said}.*the run that wrote it"):
        open_netcdf(path)
    # Seen: to be taken from the run that wrote it, which none did.
    with pytest.raises(InputError, match=f"{said}.*its publisher"):
        open_published_netcdf(path)
    as_readonly_contiguous(run)
    assert not verify(run).ok
    with pytest.raises(CarbongridError, match=r"grid_1km\.nc"):
        read_result(run)


class Boom:
    """Leaves a mark when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return os.mkdir, (str(self.mark),)


def test_labels_that_are_pickled_are_not_opened(run: Path, tmp_path: Path) -> None:
    """Zarr's format 2 may hold objects, pickled: a store of it is none of ours."""
    store = tmp_path / "labels.zarr"
    group = zarr.create_group(store, zarr_format=2)
    group.create_array("parcel", shape=(1,), chunks=(1,), dtype="uint32")
    about = json.loads((store / "parcel" / ".zarray").read_text(encoding="utf-8"))
    about |= {"dtype": "|O", "filters": [{"id": "pickle"}], "compressor": None, "fill_value": None}
    (store / "parcel" / ".zarray").write_text(json.dumps(about), encoding="utf-8")
    (store / "parcel" / "0").write_bytes(pickle.dumps(np.array([Boom(tmp_path / "mark")], object)))
    with pytest.raises(FileNotFoundError):
        open_zarr(store)
    with pytest.raises(FileNotFoundError):
        open_zarr_array(store, "parcel")
    shutil.rmtree(run / "labels.zarr")
    shutil.move(store, run / "labels.zarr")
    as_readonly_contiguous(run)
    assert not verify(run).ok
    assert not (tmp_path / "mark").exists()


def test_a_pipe_among_the_labels_is_told(run: Path) -> None:
    os.mkfifo(run / "labels.zarr" / "parcel" / "pipe")
    found = verify(run)
    assert not found.ok
    assert any("it is a pipe, not a file" in check.text for check in found.checks)
    result = read_result(run)
    with pytest.raises(CarbongridError, match=r"labels\.zarr cannot be read: .*a pipe"):
        _ = result.labels


def test_a_workbook_among_the_results_is_no_bomb(run: Path) -> None:
    book = openpyxl.load_workbook(run / "units.xlsx")
    book.save(run / "units.xlsx")
    with ZipFile(run / "units.xlsx", "a", ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/zeros.bin", b"\0" * 2**26)
    as_readonly_contiguous(run)
    found = verify(run)
    assert any("times its size" in check.text for check in found.checks)


def test_a_run_in_a_folder_named_as_a_home_is_read_there(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to fail: xarray looked for the grid in the user's home, so that ``verify`` called a sound run damaged."""
    monkeypatch.chdir(tmp_path)
    Path("~").mkdir()
    grid = shutil.copy(small_run / "grid_1km.nc", Path("~", "grid_1km.nc"))
    with open_netcdf(Path(grid)) as opened, open_published_netcdf(Path(grid)) as published:
        assert opened.sizes == published.sizes


KEPT_TO_THE_END = """
import ctypes, sys
from pathlib import Path
from carbongrid.raster.opening.stores import open_netcdf

grid = open_netcdf(Path(sys.argv[1]))
ctypes.pythonapi.Py_IncRef(ctypes.py_object(grid))  # a library may keep it beyond Python
"""


def test_a_grid_that_is_kept_to_the_end_lets_the_process_end(small_run: Path) -> None:
    """Seen to fail: HDF5 closed it after Python was gone, by a segmentation fault."""
    words = [sys.executable, "-c", KEPT_TO_THE_END, str(small_run / "grid_1km.nc")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
