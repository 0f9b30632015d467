"""Headers against full scans: whatever bytes are changed in them, the same table or an error in words."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.headers import Flips, fault, written

KEPT = Path(__file__).with_name("kept.json")
LONG = os.environ.get("CARBONGRID_FUZZ") == "1"
NAMES = ("gpkg", "shp", "fgb", "plain.fgb", "parquet", "tif")
FLIPS = st.lists(st.tuples(st.integers(0, 9999), st.integers(1, 255)), min_size=1, max_size=3)


@pytest.fixture(autouse=True)
def no_hang() -> Iterator[None]:
    """End a test that waits for ever; a guard, no measure."""
    signal.alarm(3600 if LONG else 900)
    yield
    signal.alarm(0)


def kept(names: Iterable[str]) -> list[list[Any]]:
    """Return what went wrong once with readers of these names: name, what was read, and what was wrong."""
    return [each for each in json.loads(KEPT.read_text(encoding="utf-8")) if each[0] in names]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return written(tmp_path_factory.mktemp("headers"))


def fault_of(files: dict[str, Path], name: str, flips: Flips) -> str:
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return fault(files, name, flips, Path(folder))


@pytest.mark.parametrize(("name", "flips", "_what"), kept(NAMES))
def test_what_was_found_once(files: dict[str, Path], name: str, flips: Flips, _what: str) -> None:
    assert fault_of(files, name, flips) == ""


@pytest.mark.parametrize("name", NAMES)
def test_any_bytes_of_a_header(files: dict[str, Path], name: str) -> None:
    """Caught: an index of a Shapefile that points elsewhere, offsets of a GeoTIFF's strips, fields longer than rows."""

    @seed(int(os.environ.get("CARBONGRID_FUZZ_SEED", "0")))
    @settings(
        max_examples=int(os.environ.get("CARBONGRID_FUZZ_EXAMPLES", "15")),
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, Phase.shrink),
    )
    @given(FLIPS)
    def reading(flips: Flips) -> None:
        told = fault_of(files, name, flips)
        assert told == "", told

    reading()


def test_a_reader_that_believes_a_header_would_be_noticed(files: dict[str, Path]) -> None:
    """The judge is not blind: bytes that stand in no header change the table, and are told."""
    from fuzz import headers

    whole = files["shp"].read_bytes()
    places = [(files["shp"], range(len(whole) - 20, len(whole)))]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headers, "headers_of", lambda path, _name: [(path, places[0][1])])
        assert "1 differ" in fault_of(files, "shp", [(3, 255)])
