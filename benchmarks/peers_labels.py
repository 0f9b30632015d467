"""What starts from label arrays, against numbagg, flox and NumPy."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import dask
import dask.array as da
import landuse
import numpy as np
import zarr
from measuring import Measured, Row, measured, of_peer
from numba import njit
from scipy.sparse import csr_array

import carbongrid as cg

FACTOR = 128


class Rasters:
    """Labels of parcels and units, and a raster of values, on one square grid."""

    def __init__(self, count: int, cells: int, units: int) -> None:
        side = cells * 10.0
        grid = cg.Grid(landuse.CRS, 10, (0, 0, side, side))
        frame = landuse.parcels(count, side)
        self.count, self.units = len(frame), units
        self.labels = cg.rasterize(frame, grid).values
        self.unit_labels = cg.rasterize(landuse.townships(units, side), grid).values
        random = np.random.default_rng(0)
        self.values = np.empty(grid.shape)
        for first in range(0, cells, 1024):
            band = self.values[first : first + 1024]
            band[...] = random.random(band.shape)
        self.table = random.random(self.count)
        self.size = f"{self.count} labels, {self.labels.size / 1e6:.0f} Mcells"


def reductions(rasters: Rasters) -> Iterator[Row]:
    """Zonal sum, pairs."""
    values, labels, n = rasters.values, rasters.labels, rasters.count
    ours = measured(lambda: cg.zonal_sum(values, labels, n))
    quantized = measured(lambda: cg.zonal_sum(values, labels, n, quantum=2.0**-40))
    assert np.allclose(cg.zonal_sum(values, labels, n), _bincount(values, labels, n), rtol=1e-9)
    size = rasters.size

    def row(
        work: str,
        peer: str,
        mine: Measured,
        other: Measured | None,
        goal: float | None,
        note: str = "",
    ) -> Row:
        return Row("reductions", work, peer, size, mine, other, goal, note)

    yield row(
        "zonal sum", "numbagg", ours, of_peer("numbagg", lambda: _numbagg(values, labels)), 25
    )
    yield row(
        "zonal sum", "flox on Dask", ours, of_peer("flox", lambda: _flox(da.from_array(values, chunks=2048), da.from_array(labels, chunks=2048), n)), 150,
    )  # fmt: skip
    yield row(
        "zonal sum", "numpy.bincount", ours, measured(lambda: _bincount(values, labels, n)), None
    )
    reading = measured(lambda: _read_all(values, labels))
    share = reading.seconds / ours.seconds
    yield row(
        "zonal sum", "reading both arrays, two threads", ours, reading, 0.5,
        f"{(values.nbytes + labels.nbytes) / 1e9 / ours.seconds:.1f} GB/s, {share:.0%} of reading alone",
    )  # fmt: skip
    yield row("zonal sum, quantized", "the same, as floats", quantized, ours, None)
    with dask.config.set(scheduler="synchronous"):
        alone = measured(lambda: cg.zonal_sum(values, labels, n))
    yield row("zonal sum on two threads", "the same on one", ours, alone, 1.7)
    for name, function in (("minimum", cg.zonal_min), ("mean", cg.zonal_mean)):
        yield row(
            f"zonal {name}", "-", measured(lambda f=function: f(values, labels, n)), None, None
        )
    shape = (n, rasters.units)
    pairs = measured(lambda: cg.crosstab(labels, rasters.unit_labels, shape=shape))
    keys = labels.astype(np.uint64) << np.uint64(32) | rasters.unit_labels
    theirs = measured(lambda: np.unique(keys, return_counts=True))
    _require_same_pairs(
        cg.crosstab(labels, rasters.unit_labels, shape=shape), *np.unique(keys, return_counts=True)
    )
    # To sort takes a fifth where NumPy has AVX-512; to count in an array with a place for each pair takes the same anywhere.
    dense = (labels.astype(np.int64) * (rasters.units + 1) + rasters.unit_labels).ravel()
    counted = measured(lambda: np.bincount(dense))
    yield row("crosstab", "numpy.bincount of keys made before", pairs, counted, 20)
    yield row("crosstab", "numpy.unique of keys made before", pairs, theirs, None)


def _require_same_pairs(found: csr_array, keys: np.ndarray, counts: np.ndarray) -> None:
    """Raise unless the pairs that have both labels are those of the keys, with the same counts."""
    both = (keys >> np.uint64(32) > 0) & (keys & np.uint64(2**32 - 1) > 0)
    assert found.nnz == np.count_nonzero(both), "crosstab and numpy.unique find other pairs"
    assert np.array_equal(found.data, counts[both]), "crosstab and numpy.unique count otherwise"


def lookups(rasters: Rasters) -> Iterator[Row]:
    """Lookup, block sum, and the two fused."""
    labels, table, size = rasters.labels, rasters.table, rasters.size
    values = rasters.values
    from_zero = np.concatenate([[0.0], table])
    out = np.zeros(labels.shape)

    def row(
        work: str, peer: str, mine: Measured, other: Measured, goal: float | None, note: str = ""
    ) -> Row:
        return Row("lookups", work, peer, size, mine, other, goal, note)

    ours = measured(lambda: cg.lookup(table, labels, out=out))
    assert np.array_equal(out[:99], from_zero[labels[:99]])
    note = "memory that both have touched before"
    yield row(
        "lookup into a given array",
        "numpy.take(out=)",
        ours,
        measured(lambda: np.take(from_zero, labels, out=out)),
        5,
        note,
    )
    yield row(
        "lookup into a given array", "numpy.take(out=, mode='clip')", ours,
        measured(lambda: np.take(from_zero, labels, out=out, mode="clip")), 5, "no check of the labels on their side",
    )  # fmt: skip
    fresh = measured(lambda: cg.lookup(table, labels))
    yield row(
        "lookup into fresh memory",
        "numpy.take",
        fresh,
        measured(lambda: np.take(from_zero, labels)),
        5,
    )
    fused = measured(lambda: cg.lookup_sum(table, labels, FACTOR))
    theirs = measured(lambda: _reshaped_sum(np.take(from_zero, labels)))
    yield row(f"lookup + {FACTOR}:1 block sum", "numpy.take + reshaped sum", fused, theirs, 8)
    summed = measured(lambda: cg.block_sum(values, FACTOR))
    yield row(
        f"{FACTOR}:1 block sum",
        "reshaped sum",
        summed,
        measured(lambda: _reshaped_sum(values)),
        None,
    )


def from_zarr(rasters: Rasters) -> Iterator[Row]:
    """Zonal sum from a store, against flox from the same store and against reading alone."""
    n = rasters.count
    with tempfile.TemporaryDirectory() as folder:
        stores = [
            zarr.create_array(
                Path(folder) / name, data=array, chunks=(2048, 2048),
                compressors=[zarr.codecs.ZstdCodec(level=1), zarr.codecs.Crc32cCodec()],
            )
            for name, array in (("values", np.float32(np.round(rasters.values, 2))), ("labels", rasters.labels))
        ]  # fmt: skip
        ours = measured(lambda: cg.zonal_sum(*stores, n))
        chunked = [da.from_zarr(store) for store in stores]
        reading = measured(lambda: da.map_blocks(_nothing, *chunked, dtype=np.uint8).compute())
        flox = of_peer("flox", lambda: _flox(*(da.from_zarr(store) for store in stores), n))
    size = f"{rasters.size}, float32 values"
    yield Row("from Zarr", "zonal sum from Zarr", "flox on Dask", size, ours, flox, 8)
    yield Row(
        "from Zarr", "zonal sum from Zarr", "reading and decoding alone", size, ours, reading, 1 / 1.5,
        f"{ours.seconds / reading.seconds:.2f} times reading and decoding alone; at most 1.5 is aimed at",
    )  # fmt: skip


def _nothing(*_blocks: np.ndarray) -> np.ndarray:
    return np.zeros((1, 1), np.uint8)


def _numbagg(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    import numbagg

    # It takes signed labels only, so the cast is part of the way from the same arrays.
    return numbagg.group_nansum(values.reshape(-1), labels.reshape(-1).astype(np.int64))


def _flox(values: da.Array, labels: da.Array, n: int) -> np.ndarray:
    from flox.core import groupby_reduce

    result, *_ = groupby_reduce(
        values, labels, func="nansum", expected_groups=np.arange(1, n + 1), method="map-reduce", fill_value=0
    )  # fmt: skip
    return result.compute()


def _bincount(values: np.ndarray, labels: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(labels.reshape(-1), values.reshape(-1), n + 1)[1:]


def _reshaped_sum(field: np.ndarray) -> np.ndarray:
    rows, columns = (length // FACTOR for length in field.shape)
    return field.reshape(rows, FACTOR, columns, FACTOR).sum(axis=(1, 3))


@njit(nogil=True)
def _xor(words: np.ndarray) -> int:
    total = words[0]
    for i in range(1, words.size):
        total ^= words[i]
    return total


def _read_all(*arrays: np.ndarray) -> None:
    from measuring import on_threads

    words = [array.reshape(-1).view(np.int64) for array in arrays]

    def read(half: int) -> None:
        for row in words:
            middle = row.size // 2
            _xor(row[middle:] if half else row[:middle])

    on_threads(read, 2)
