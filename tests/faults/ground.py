"""What the faults are planted in: the small city, the same with another total, and what undisturbed runs of them give."""

from __future__ import annotations

import functools
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from small_demo import keep_labels

from carbongrid.raster.opening.digests import hash_path
from faults.forking import Outcome, Shell, side_by_side

CHUNKS = ("--chunks", "128")


@dataclass(frozen=True)
class Ground:
    """Two cases that differ in one total, and a finished run of each.

    Parameters
    ----------
    folder
        Where everything lies.
    digests
        Of the tables of the undisturbed run of ``case``.
    """

    folder: Path
    digests: dict[str, str]

    @property
    def case(self) -> Path:
        return self.folder / "city" / "case.toml"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def other_case(self) -> Path:
        return self.folder / "other" / "case.toml"

    @property
    def other_run(self) -> Path:
        return self.folder / "other-run"

    def copy(self, run: Path, name: str) -> Path:
        """Return a copy of a run in a new folder of this name, to be damaged."""
        target = self.folder / name / "run"
        target.parent.mkdir()
        return Path(shutil.copytree(run, target))

    def new(self, name: str) -> Path:
        """Return the path of a run to be made, in a new folder of this name."""
        (self.folder / name).mkdir()
        return self.folder / name / "run"


def prepare(folder: Path, city: Path, shells: list[Shell]) -> Ground:
    """Write both cases and run them, which warms both shells."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copytree(city, folder / "city")
    shutil.copytree(city, folder / "other")
    for name in ("city", "other"):
        keep_labels(folder / name / "case.toml")  # what takes longest to write, tile by tile
    totals = folder / "other" / "totals.csv"
    text = totals.read_text(encoding="utf-8")
    assert "130.46" in text
    totals.write_text(text.replace("130.46", "140.46"), encoding="utf-8")
    tasks = [
        functools.partial(_first_run, folder / case / "case.toml", folder / run)
        for case, run in (("city", "run"), ("other", "other-run"))
    ]
    for done in side_by_side(shells, tasks):
        assert done.code == 0, done.text
    return Ground(folder, manifest_of(folder / "run")["digests"])


def _first_run(case: Path, run: Path, shell: Shell) -> Outcome:
    # One by one: a thread of this process would not be there after a fork.
    words = ("run", case, "--out", run, "--scheduler", "synchronous", *CHUNKS)
    done = shell.run(*words, warm=True)
    return shell.run("verify", run, "--sample", "0", warm=True) if done.code == 0 else done


def manifest_of(run: Path) -> dict[str, Any]:
    """Return a run's manifest; an empty one where there is none."""
    try:
        return dict(json.loads((run / "manifest.json").read_text(encoding="utf-8")))
    except OSError:
        return {}


def is_whole(run: Path) -> bool:
    """Tell whether every file of a run is as its manifest lists it."""
    files = manifest_of(run).get("files", {})
    return bool(files) and all(
        (run / name).exists() and hash_path(run / name) == digest for name, digest in files.items()
    )
