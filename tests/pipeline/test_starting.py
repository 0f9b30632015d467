"""Where a run begins: what is read whatever happens is hashed while libraries are imported."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections import Counter
from pathlib import Path
from threading import Event
from types import ModuleType
from typing import BinaryIO

import pytest

import carbongrid as cg
from carbongrid.pipeline import run, starting
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.scenario_run import run_plan
from carbongrid.raster.opening import digests
from carbongrid.run_store import Hashes, Recall
from carbongrid.run_store.hashes import Stamps

LIBRARIES = ("pandas", "geopandas", "pyarrow", "xarray", "numba", "rasterio", "scipy", "dask")


def test_no_large_library_is_imported_before_files_are_hashed() -> None:
    """Seen to fail with an import of the readers: nothing was hashed for a second."""
    told = subprocess.run(
        [sys.executable, "-c", "import sys, carbongrid; carbongrid.run; print(*sys.modules)"],
        capture_output=True,
        check=True,
        text=True,
    )
    assert not set(LIBRARIES) & set(told.stdout.split())


def test_what_an_earlier_run_read_and_kept_is_hashed_while_libraries_are_imported(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is read for it once. Seen to fail when the files of the case were hashed after it was read."""
    out = city.parent / "run"
    first = run(city / "case.toml", out)
    expected = {city / each["file"] for each in first.manifest["inputs"]} | {out / "overlap.npz"}
    assert city / "totals.csv" in expected
    taken: list[Path] = []
    all_taken, imported = Event(), starting.imported

    def take(self: Hashes, path: Path) -> tuple[str, Stamps]:
        found = as_it_was(self, path)
        taken.append(path)
        if expected <= set(taken):
            all_taken.set()
        return found

    def wait(module: str) -> ModuleType:
        assert all_taken.wait(60), f"not hashed: {expected - set(taken)}"
        return imported(module)

    as_it_was = Hashes.take
    monkeypatch.setattr(Hashes, "take", take)
    monkeypatch.setattr(starting, "imported", wait)
    opened = hashed_files(monkeypatch)
    second = run(city / "case.toml", out, replace=True)
    assert second.manifest["digests"] == first.manifest["digests"]
    assert {path for path in opened if path.is_relative_to(city)} >= {each for each in expected if each.is_relative_to(city)}  # fmt: skip
    there = [path for path in opened if path.is_relative_to(city) or path.is_relative_to(out)]
    twice = [path for path in there if opened[path] > 1]
    assert not twice


def hashed_files(monkeypatch: pytest.MonkeyPatch) -> Counter[Path]:
    """Return how often each file is opened for its digest from now on."""
    opened: Counter[Path] = Counter()
    as_it_was = digests.open_file

    def noted(path: Path) -> BinaryIO:
        opened[path] += 1
        return as_it_was(path)

    monkeypatch.setattr(digests, "open_file", noted)
    return opened


def test_a_plan_reads_each_file_of_its_run_once_for_its_digest(
    city: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also what it converts land of, which is copied. Seen to fail with digests of its own: what the answer was made of was hashed again."""
    run(city / "case.toml", city.parent / "run")
    base = cg.open(city.parent / "run")
    actions = [{"do": "scale", "category": "transport/road", "factor": 0.9}]
    opened = hashed_files(monkeypatch)
    run_plan(base, plan_of(actions, folder=None), city.parent / "planned")
    of_base = {path: times for path, times in opened.items() if path.is_relative_to(base.directory)}
    assert base.directory / "overlap.npz" in of_base
    assert set(of_base.values()) == {1}


def test_a_result_that_was_asked_something_can_be_copied(small_run: Path) -> None:
    """Seen to fail: what it knows of its files has locks."""
    result = cg.open(small_run)
    asked = result.live.with_totals({"transport/road": 10**9})
    for copied in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        again = copied.live.with_totals({"transport/road": 10**9})
        assert again.units["emission_t"].tolist() == asked.units["emission_t"].tolist()


def test_of_what_a_manifest_tells_only_files_of_the_case_s_folder_are_read_ahead(
    tmp_path: Path,
) -> None:
    """Whoever wrote it may have named any file."""
    told = '{"inputs": [{"file": "totals.csv"}, {"file": "../secret"}, {"file": "/etc/passwd"}, {"file": 5}, {}, 7]}'
    (tmp_path / "manifest.json").write_text(told, encoding="utf-8")
    recall = Recall((tmp_path, tmp_path / "none"))
    assert recall.inputs_in(tmp_path / "city") == [tmp_path / "city" / "totals.csv"]
    (tmp_path / "manifest.json").write_text('{"inputs": {"file": "totals.csv"}}', encoding="utf-8")
    assert recall.inputs_in(tmp_path / "city") == []
