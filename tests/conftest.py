"""Settings and fixtures of the whole suite."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a test may compile a kernel, so time limits of single examples say nothing.
settings.register_profile("house", deadline=None)
settings.load_profile("house")

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small demo's case; not to be modified: see ``city``."""
    from carbongrid.demo import write_city

    folder = tmp_path_factory.mktemp("small-city")
    write_city(folder / "case", size="small")
    return folder / "case"


@pytest.fixture
def city(small_city: Path, tmp_path: Path) -> Path:
    """A copy of the small demo's case folder, to be modified."""
    return Path(shutil.copytree(small_city, tmp_path / "city"))


@pytest.fixture(scope="session")
def small_run(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small demo; not to be modified: copy it before damaging it."""
    from carbongrid.pipeline import run

    out = tmp_path_factory.mktemp("small-run") / "run"
    run(small_city / "case.toml", out)
    return out


@pytest.fixture(scope="session")
def carbongrid() -> Command:
    """Run the command line in a process of its own."""

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "carbongrid", *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, timeout=300)

    return command
