from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyogrio
import pytest

from carbongrid.raster.opening.dates import WRITTEN, fixed_date


def option() -> str | None:
    return pyogrio.get_gdal_config_option("OGR_CURRENT_DATE")


def seen_inside(written: str) -> set[str | None]:
    seen = set()
    for _ in range(300):
        with fixed_date(written):
            seen |= {option() for _ in range(20)}
    return seen


@pytest.fixture
def often() -> Iterator[None]:
    """Have threads take turns as often as they can."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


@pytest.mark.usefixtures("often")
def test_each_thread_has_its_own_date_and_none_leaves_it_behind() -> None:
    """Seen to fail: of two that overlapped the last one out restored the other's, so that any file written later said 2020."""
    dates = (WRITTEN, "2021-01-01T00:00:00.000Z")
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(seen_inside, dates)) == [{each} for each in dates]
    assert option() is None
