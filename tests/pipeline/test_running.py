"""What a run is told reaches who does it, and nothing changes under it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from carbongrid.errors import InputError, RunError
from carbongrid.pipeline import run, running
from carbongrid.run_store import Recall


class SeenError(Exception):
    """Ends a run where enough of it was seen."""


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the parts of a run are given, until its steps would begin."""
    told: dict[str, Any] = {}

    @contextmanager
    def client(*means: Any) -> Iterator[str]:
        told["means"] = means
        yield "synchronous"

    def first_half(*about: Any) -> None:
        told["half"] = about
        raise SeenError

    def store(out: Path, **how: Any) -> None:
        told["store"] = out, how

    def around(out: Path, earlier: Path | None, *, restart: bool, **_: Any) -> Recall:
        told["recall"] = out, earlier, restart
        return as_it_was(out, earlier, restart=restart)

    as_it_was = Recall.around
    monkeypatch.setattr(running, "mend", lambda *about: told.update(mended=about))
    monkeypatch.setattr(running, "require_shared", lambda *about: told.update(shared=about))
    monkeypatch.setattr(running, "dask_client", client)
    monkeypatch.setattr(running, "_first_half", first_half)
    monkeypatch.setattr(running, "new_run", store)
    monkeypatch.setattr(Recall, "around", around)
    return told


@pytest.mark.parametrize("restart", [False, True])
def test_what_a_run_is_told_reaches_who_does_it(
    city: Path, given: dict[str, Any], restart: bool
) -> None:
    """Seen to pass where workers had 1 GB each whatever --memory said, and where tiles had the side that they have by default."""
    out, earlier, told = city.parent / "run", city.parent / "earlier", []
    with pytest.raises(SeenError):
        run(
            city / "case.toml", out, replace=True, reuse=earlier, restart=restart, workers=3, memory="5GB",
            chunks=64, parcels="fgb", progress=lambda *each: told.append(each),
        )  # fmt: skip
    assert given["means"] == (None, 3, "5GB")
    case, options, _, memory = given["half"]
    options.progress("step", 1, 2)
    assert (case.path, options.chunks, options.parcels, memory) == (city / "case.toml", 64, "fgb", "5GB")  # fmt: skip
    assert (options.scheduler, options.public, told) == ("synchronous", False, [("step", 1, 2)])
    place, how = given["store"]
    assert (place, how["replace"], how["reuse"], how["restart"]) == (out, True, earlier, restart)
    assert given["recall"] == (out, earlier, restart)
    with pytest.raises(SeenError):
        run(city / "case.toml", out, scheduler="tcp://a:1", public=True)
    assert given["means"] == ("tcp://a:1", None, None)
    # Before anything is taken over, where there is a folder.
    assert (given["mended"], given["shared"]) == ((out,), ("synchronous", out))
    assert given["half"][1].public


def test_parcels_are_written_in_a_form_that_is_known(city: Path, given: dict[str, Any]) -> None:
    unknown: Any = "shp"
    with pytest.raises(InputError, match=r"parquet, gpkg, fgb, pmtiles, not as 'shp'"):
        run(city / "case.toml", city.parent / "run", parcels=unknown)
    for parcels in ("gpkg", "fgb", "pmtiles"):
        with pytest.raises(InputError, match="a published run has no parcels"):
            run(city / "case.toml", city.parent / "run", public=True, parcels=parcels)
    assert given == {"recall": given["recall"]}


@pytest.mark.parametrize(("scheduler", "tiles"), [("synchronous", None), ("processes", 0)])
def test_tiles_count_for_the_process_that_works_on_them(
    city: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str, tiles: int | None
) -> None:
    """Seen to pass where a cluster's were counted here, and a run's own were not."""

    def seen(*_: Any, chunks: int, tiles: int | None) -> None:
        told.append((chunks, tiles))
        raise SeenError

    told: list[tuple[int, int | None]] = []
    monkeypatch.setattr(running, "require_memory_of_inputs", seen)
    with pytest.raises(SeenError):
        run(city / "case.toml", city.parent / "run", memory="4GB", chunks=64, scheduler=scheduler)
    assert told == [(64, tiles)]


def test_an_input_that_changes_while_tables_are_written_is_an_error(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to pass where the files were looked at before the first of them alone."""

    def meddle(client: Any, out: Path) -> None:
        (city / "gdp.csv").touch()

    monkeypatch.setattr(running, "require_shared", meddle)
    with pytest.raises(RunError, match=r"gdp\.csv changed while the run was reading"):
        run(city / "case.toml", city.parent / "new" / "run")
    assert not (city.parent / "new" / "run").exists()
