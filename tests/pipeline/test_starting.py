"""Where a run begins: what is read whatever happens is hashed while libraries are imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from threading import Event
from types import ModuleType

import pytest

from carbongrid.pipeline import run, starting
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
    second = run(city / "case.toml", out, replace=True)
    assert second.manifest["digests"] == first.manifest["digests"]


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
