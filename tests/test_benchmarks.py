"""Every benchmark runs, once and on next to nothing, so that none can rot."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import itertools
import json
from types import ModuleType, SimpleNamespace

import pytest
import shapely
from data import ROOT

from carbongrid.pipeline import check


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"benchmarks_{name}", ROOT / "benchmarks" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(autouse=True)
def benchmarks_import_each_other(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "benchmarks")


def benchmarks() -> list:
    modules = engine, inventory, _, plans = [load(f"bench_{name}") for name in ("engine", "inventory", "live", "plans")]  # fmt: skip
    engine.SIDE, engine.COUNT, engine.UNITS = 2000.0, 60, 4
    inventory.ROWS, inventory.DRAWS = 25, 10
    plans.JointPlans.params = ((2, 20),)
    found = []
    classes = (inspect.getmembers(module, inspect.isclass) for module in modules)
    for _, case in itertools.chain(*classes):
        if case.__module__ not in {module.__name__ for module in modules}:
            continue
        params = getattr(case, "params", None)
        for name, _ in inspect.getmembers(case, inspect.isfunction):
            if name.startswith(("time_", "peakmem_")):
                found += (
                    [(case, name, (param,)) for param in params] if params else [(case, name, ())]
                )
    return found


def test_each_benchmark_runs_once():
    found = benchmarks()
    assert len(found) > 15
    for case, runs in itertools.groupby(found, key=lambda run: (run[0], run[2])):
        instance = case[0]()
        instance.setup(*case[1])
        for _, name, params in runs:
            getattr(instance, name)(*params)
        getattr(instance, "teardown", lambda *_: None)(*case[1])


@pytest.mark.filterwarnings("ignore")  # peers warn of what they like
@pytest.mark.parametrize(
    "part",
    [
        pytest.param("reductions", marks=pytest.mark.thorough),
        pytest.param("lookups", marks=pytest.mark.thorough),
        pytest.param("from-zarr", marks=pytest.mark.thorough),
        pytest.param("labels", marks=pytest.mark.thorough),
        pytest.param("labels-large", marks=pytest.mark.thorough),
        pytest.param("overlaps", marks=pytest.mark.thorough),
        "steps",
        pytest.param("areas", marks=pytest.mark.thorough),
        pytest.param("weighted", marks=pytest.mark.thorough),
        pytest.param("first-calls", marks=pytest.mark.thorough),
        pytest.param("demo", marks=pytest.mark.thorough),
        pytest.param("whole-run", marks=pytest.mark.thorough),
        pytest.param("live", marks=pytest.mark.thorough),
        pytest.param("labels-zarr", marks=pytest.mark.thorough),
        pytest.param("analysis", marks=pytest.mark.thorough),
        pytest.param("land-cover", marks=pytest.mark.thorough),
    ],
)
def test_each_part_of_the_comparison_runs(part, monkeypatch):
    """Peers that are not installed are left out; NumPy and this package's own two sides are there."""
    peers = load("peers")
    # The only one among the dependencies; others may be there or not, and compile for seconds.
    monkeypatch.setattr("measuring.installed", lambda name: name == "geocube")
    # Beside all that a test session has in memory, to look for garbage takes longer than what is measured.
    monkeypatch.setattr("measuring.gc", SimpleNamespace(collect=lambda: None))
    rows = list(peers.rows_of(part, small=True))
    assert set(peers.PARTS) >= {part}
    assert rows
    for row in rows:
        assert row.ours.seconds > 0
        assert row.work in peers.performance.line(row)


def test_performance_page_is_that_of_the_results(monkeypatch, tmp_path):
    """Seen to fail when a result is changed and the page is not written again, and when results of a part are lost."""
    performance = load("performance")
    measured = {path.stem for path in performance.RESULTS.glob("*.json")}
    assert set(performance.PARTS) <= measured
    monkeypatch.setattr(performance, "PAGE", tmp_path / "performance.md")
    performance.write()
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert page == (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    assert "Not measured yet" not in page


def test_pages_say_what_was_measured():
    """Seen to fail when the page on scale had 35 and 56 s of the run that the README had 34 of."""
    performance = load("performance")

    def rows(part, work):
        found = json.loads((performance.RESULTS / f"{part}.json").read_text(encoding="utf-8"))[
            "rows"
        ]
        return [each for each in found if each["work"] == work]

    pairs = rows("overlaps", "parcels x units, prepared polygons")
    (run,) = rows("whole-run", "whole run, 25 categories")
    seconds, whole = pairs[0]["ours"]["seconds"], run["ours"]["seconds"]
    # The best way that a peer has.
    ratio = min(each["theirs"]["seconds"] for each in pairs) / seconds
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    assert f"takes {seconds:.1f} s on two cores, {ratio:.0f} times less" in readme
    assert f"a million parcels takes {whole:.0f} s" in readme
    profile = json.loads((performance.RESULTS / "profile.json").read_text(encoding="utf-8"))
    (first,) = (of for name, of in profile["runs"].items() if name.startswith("First run"))
    scale = " ".join((ROOT / "docs/scale.md").read_text(encoding="utf-8").split())
    assert f"took {whole:.0f} s on the clock" in scale
    assert f"where {first['processor']:.0f} are measured now" in scale


@pytest.mark.thorough
def test_scaling_runs_and_draws(tmp_path):
    scaling = load("scaling")
    for series in (
        scaling.against_parcels((50, 100), 2000.0, 4),
        scaling.against_cells((8, 10), 60, 4),
        scaling.against_threads((1, 2), 128),
    ):
        assert all(len(values) == 2 for values in series["lines"].values())
        scaling.draw(series, tmp_path / "a.png", "title")
        assert (tmp_path / "a.png").stat().st_size > 5000


def test_land_is_valid_and_of_every_kind():
    landuse = load("landuse")
    land = landuse.parcels(300, 5000.0)
    assert land.geometry.is_valid.all()
    assert abs(len(land) - 300) < 10
    assert (shapely.get_num_interior_rings(land.geometry[land.geom_type == "Polygon"]) > 0).any()
    assert (land.area < 100).any()
    assert land["id"].is_unique
    assert land.geometry.geom_equals_exact(landuse.parcels(300, 5000.0).geometry, 0).all()
    assert landuse.townships(7, 5000.0).area.sum() == pytest.approx(25e6)


def test_shapes_of_case_that_memory_is_measured_on_can_be_run(tmp_path):
    shapes = importlib.import_module("memory_shapes")
    shape = shapes.Shape(9, vertices=3, holes=4, categories=6, resolution=100, ratio=2)
    found = check(shapes.write(tmp_path / "case", shape))
    assert not found.wrong, found.problems
    drawn = {shapes.Shape.drawn(seed) for seed in range(20)}
    assert len(drawn) == 20
    assert shapes.Shape.drawn(3) == shapes.Shape.drawn(3)


@pytest.mark.thorough
def test_the_numbers_that_memory_is_held_against_are_asked_of_the_package(small_city):
    """Seen to fail in a process of its own, whose code nobody else reads: a parameter that was gone."""
    memory = load("memory")
    least, most = memory.numbers_of(memory.MOST, small_city / "case.toml")
    told = "\n".join(check(small_city / "case.toml").lines)
    assert f"At least about {least / 1e9:,.1f} GB" in told
    assert f"At most about {most / 1e9:,.1f} GB" in told
