"""Outlines of labels: a partition in any coordinate system, cell by cell what the labels say."""

from __future__ import annotations

import numpy as np
import pyproj
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from carbongrid.sources.land_cover.patches import bands, outlines_of

LABELS = st_numpy.arrays(
    np.int32,
    st.tuples(st.integers(3, 12), st.integers(3, 12)),
    elements=st.integers(0, 4),
)


@given(LABELS)
def test_each_cell_lies_in_the_outline_of_its_label(labels):
    made = outlines_of(labels)
    inner = labels[1:-1, 1:-1]
    assert made.label.tolist() == [label for label in np.unique(inner).tolist() if label]
    assert shapely.is_valid(made.geometry).all()
    for label, outline in zip(made.label.tolist(), made.geometry, strict=True):
        assert outline.area == (inner == label).sum()
        rows, columns = np.nonzero(inner == label)
        assert shapely.contains_xy(outline, columns + 0.5, rows + 0.5).all()


@given(LABELS)
def test_borders_are_common_vertex_by_vertex(labels):
    """Seen to fail with the corners that GDAL gives: where an edge has none and its neighbour has one, they part when they are bent."""
    made = outlines_of(labels)
    assert shapely.coverage_is_valid(made.geometry)
    to_plane = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:3035", always_xy=True)

    def bent(corners):
        return np.column_stack(to_plane.transform(10 + corners[:, 0], 60 - corners[:, 1]))

    assert shapely.coverage_is_valid(shapely.transform(made.geometry, bent))


@given(st.integers(1, 500), st.integers(1, 60), st.integers(1, 400), st.integers(1, 5000))
def test_bands_are_whole_squares_from_the_top(rows, side, columns, most):
    found = [*bands(rows, side, columns, most)]
    assert [first for first, _ in found] == [0, *(last for _, last in found[:-1])]
    assert found[-1][1] == rows
    assert all(first % side == 0 for first, _ in found)
    assert all((last - first) * columns <= max(most, side * columns) for first, last in found)
