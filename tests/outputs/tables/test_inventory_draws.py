"""Draws of totals as multiples of the totals, against plain division."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from carbongrid.errors import VerificationError
from carbongrid.outputs.tables.inventory_draws import read_draws, relative_draws, write_draws

TONNES = st.floats(0, 1e12)


def drawn(totals, draws):
    names = [f"类别/{number}" for number in range(len(totals))]
    return xr.DataArray(draws, dims=("draw", "category"), coords={"category": names, "total": ("category", totals)})  # fmt: skip


@given(data=st.data(), count=st.integers(0, 4), times=st.integers(1, 5))
def test_draws_come_back_as_multiples_of_the_totals(tmp_path_factory, data, count, times):
    """To the bit; what has no total has no multiple of it, and where nothing has one the file holds none."""
    totals = data.draw(arrays(np.float64, count, elements=st.just(0.0) | st.floats(1e-3, 1e12)))
    draws = data.draw(arrays(np.float64, (times, count), elements=TONNES))
    path = tmp_path_factory.getbasetemp() / "draws.npz"
    write_draws(drawn(totals, draws), path)
    for found in (read_draws(path), relative_draws(drawn(totals, draws))):
        assert {name: column.tolist() for name, column in found.items()} == {
            f"类别/{number}": [draw[number] / total for draw in draws.tolist()]
            for number, total in enumerate(totals.tolist())
            if total
        }


def test_a_file_that_holds_no_draws_is_told_by_name(tmp_path):
    path = tmp_path / "inventory_draws.npz"
    path.write_bytes(b"no draws")
    with pytest.raises(VerificationError, match=r"inventory_draws\.npz cannot be read"):
        read_draws(path)
