"""Settings and fixtures of the whole suite."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from data import ROOT, data_folder
from drawing import drawing
from filelock import FileLock
from hypothesis import HealthCheck, settings

# The first example of a test may compile a kernel, and other work may hold up any of them: how long one takes says nothing.
settings.register_profile("thorough", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("house", settings.get_profile("thorough"), max_examples=20)
settings.load_profile("house")  # nox -s thorough asks for the other, whose examples are 100

if "CARBONGRID_CLUSTER" not in os.environ:
    collect_ignore = ["test_cluster_memory.py", "test_cluster_stalls.py"]  # nox -s cluster has them

LONG_MODULES = (
    "pipeline/test_verification.py",
    # These compile other kernels than runs do, or none: a second process that began with a run would compile the same ones as the first.
    "raster/kernels/test_moments.py",
    "outputs/test_study_figures.py",
    "sources/test_any_place.py",
    "pipeline/test_pipeline.py",
    "browser/test_report_reader.py",
    "test_qgis_plugin.py",
    "faults/test_faults.py",
    "test_invariance.py",
    "pipeline/test_residents.py",
    "pipeline/test_scenario.py",
    "test_public.py",
    "test_docs.py",
    "test_liechtenstein.py",
    "pipeline/test_live.py",
    "browser/test_report_page.py",
    "test_whole_cities.py",
    "sources/osm/test_from_osm.py",
    "test_bad_input.py",
    "test_extras.py",
    "test_tutorial.py",
)
"""Begun first, the longest before the others: where processes share the modules, none then works alone at the end."""

Command = Callable[..., subprocess.CompletedProcess[str]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long modules first; all others keep their order."""
    places = {ROOT / "tests" / name: place for place, name in enumerate(LONG_MODULES)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_collection_finish() -> None:
    """Let Python look for cycles no more among the tests themselves, again and again: with its usual threshold it was a twentieth of what the suite takes."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000)


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """Make a folder for all the processes of this test session; the first to come makes it."""
    base = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent
    folder, done = base / name, base / f"{name}.done"
    with FileLock(base / f"{name}.lock"):
        if not done.exists():
            make(folder)
            done.touch()
    return folder


@pytest.fixture(scope="session", autouse=True)
def disk_is_not_waited_for() -> Iterator[None]:
    """A run brings some hundred files to the disk, which is most of what a small one takes; only a loss of power tells whether it did.

    Who calls ``fsync``, and in which order, tests/run_store asks; processes of their own bring what they write to the disk.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: os.fstat(descriptor) and None)
        yield


@pytest.fixture(scope="session")
def small_city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small demo's case; not to be modified: see ``city``."""
    from small_demo import write_small_city

    return made_once(tmp_path_factory, "small-city", write_small_city)


@pytest.fixture(scope="session")
def full_demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the full demo, both of its cases run; not to be modified."""
    from carbongrid.sources.demo import run_demo

    with drawing(True):
        return made_once(tmp_path_factory, "full-demo", run_demo)


@pytest.fixture(scope="session")
def liechtenstein(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the example, as its script leaves it; not to be modified."""
    data = data_folder()

    def make(folder: Path) -> None:
        words = [sys.executable, str(ROOT / "examples" / "liechtenstein.py"), str(folder)]
        known = {**os.environ, "CARBONGRID_DATA": str(data)}
        done = subprocess.run(words, env=known, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    return made_once(tmp_path_factory, "liechtenstein", make)


@pytest.fixture
def city(small_city: Path, tmp_path: Path) -> Path:
    """A copy of the small demo's case folder, to be modified."""
    return Path(shutil.copytree(small_city, tmp_path / "city"))


@pytest.fixture(scope="session")
def small_run(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small demo; not to be modified: copy it before damaging it."""
    from carbongrid.pipeline import run

    with drawing(True):
        return made_once(
            tmp_path_factory, "small-run", lambda out: run(small_city / "case.toml", out)
        )


@pytest.fixture(scope="session")
def labelled_run(small_city: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run of the small demo that keeps its labels; not to be modified: copy it before damaging it."""
    from small_demo import keep_labels

    from carbongrid.pipeline import run

    def make(out: Path) -> None:
        city = tmp_path_factory.mktemp("labelled") / "city"
        run(keep_labels(Path(shutil.copytree(small_city, city)) / "case.toml"), out)

    with drawing(True):
        return made_once(tmp_path_factory, "labelled-run", make)


@pytest.fixture(scope="session")
def years_demo(small_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of the small demo with its years, those undrawn; not to be modified."""
    from small_demo import write_small_city

    from carbongrid.sources.demo.years_running import run_years

    def make(folder: Path) -> None:
        write_small_city(folder / "case", with_years=True)
        shutil.copytree(small_run, folder / "run")
        run_years(folder, with_clusters=False)

    with drawing(False):
        return made_once(tmp_path_factory, "years-demo", make)


@pytest.fixture(scope="module", autouse=True)
def undrawn(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave out the report and the figures of runs in this process: both are made from the tables, and take longer than they do.

    A module that looks at them is marked ``drawn``, a single test takes the fixture of that name.
    """
    if request.node.get_closest_marker("drawn"):
        yield
    else:
        with drawing(False):
            yield


@pytest.fixture
def drawn() -> Iterator[None]:
    """Draw the report and the figures of this test's runs."""
    with drawing(True):
        yield


@pytest.fixture(scope="session")
def carbongrid() -> Command:
    """Call the command line in this process: one of its own takes seconds to begin. Those of tests/cli have their own."""

    def command(*arguments: object) -> subprocess.CompletedProcess[str]:
        from carbongrid.cli import main

        words = [*map(str, arguments)]
        done = CliRunner().invoke(main, words)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)

    return command
