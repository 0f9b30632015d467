"""Earlier years of the demo's city, run; then all that is asked of several runs, and of a plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from carbongrid.errors import missing_libraries
from carbongrid.sources.demo.years import EARLIER

if TYPE_CHECKING:
    from carbongrid.analysis.targets.plan import TargetPlan
    from carbongrid.analysis.trend.trend import Trend
    from carbongrid.pipeline.step import Progress

ZONE = 1
PRICES = (40.0, 120.0)
"""CNY per t CO2e, made up."""

_STATISTICS = ("esda", "libpysal")


@dataclass(frozen=True)
class YearsOutcome:
    """What the demo made of its years and its plan.

    Parameters
    ----------
    runs
        Of the years, in their order.
    scenario
        The run that the plan makes of the last.
    pages
        What to open, each by what it tells.
    trend, targets
        The answers.
    """

    runs: tuple[Path, ...]
    scenario: Path
    pages: dict[str, Path]
    trend: Trend
    targets: TargetPlan


def run_years(
    directory: Path, *, with_clusters: bool = True, progress: Progress | None = None
) -> YearsOutcome:
    """Run the earlier years of a demo in a directory, and ask all that can be asked of years and plans.

    Parameters
    ----------
    directory
        That of :func:`carbongrid.sources.demo.run_demo`, with the years in its case: its run is the last year's.
    with_clusters
        Whether Moran's I is looked for where esda is installed; its first call compiles.
    progress
        Called with a phase, the number of its steps that are done, and their number.

    Returns
    -------
    YearsOutcome
        Runs stand beside that of the city, pages and tables in ``directory / "years"``, and those that hold the plan's run against the city's in ``directory / "run-plan-analysis"``.
    """
    from carbongrid.pipeline import run

    case, last = directory / "case", directory / "run"
    runs = []
    for year in EARLIER:
        runs.append(directory / f"run-{year}")
        run(case / f"case-{year}.toml", runs[-1], reuse=last, progress=progress)
    return _asked(directory, (*runs, last), with_clusters, progress)


def _asked(
    directory: Path, runs: tuple[Path, ...], with_clusters: bool, progress: Progress | None
) -> YearsOutcome:
    from carbongrid.analysis.comparison.compare import compare, write_comparison
    from carbongrid.analysis.compensation.compensation import compensation, write_compensation
    from carbongrid.analysis.inequality.inequality import inequality, write_inequality
    from carbongrid.analysis.targets.plan import plan_targets
    from carbongrid.analysis.targets.targets import targets, write_targets
    from carbongrid.analysis.trend.trend import trend, write_trend

    case, last = directory / "case", runs[-1]
    out, done = directory / "years", 0
    out.mkdir(exist_ok=True)

    def step() -> None:
        nonlocal done
        if progress:
            progress("asking of years and plans", done, 5)
        done += 1

    step()
    over_years = trend(runs)
    pages = {"years": write_trend(over_years, out)[0]}
    pages["first and last year"] = write_comparison(compare(runs[0], last), out)[0]
    step()
    scenario, compared = _plan(directory, last)
    pages["a plan"] = compared
    step()
    joint = plan_targets(last, zone=ZONE, limits=case / "limits.csv")
    pages["targets"] = write_targets(targets(last, zone=ZONE), out, joint)[0]
    step()
    pages["compensation"] = write_compensation(compensation(last, prices=PRICES), out)[0]
    step()
    whole = with_clusters and not missing_libraries(*_STATISTICS)
    pages["inequality"] = write_inequality(inequality(last, with_clusters=whole), out)[0]
    step()
    return YearsOutcome(runs, scenario, pages, over_years, joint)


def _plan(directory: Path, last: Path) -> tuple[Path, Path]:
    """Do the plan, and hold what it makes against the city; return the run and the page."""
    from carbongrid.analysis.comparison.compare import compare, write_comparison
    from carbongrid.analysis.files import write_csvs
    from carbongrid.analysis.finished import FinishedRun
    from carbongrid.analysis.frozen import zones_both_ways
    from carbongrid.pipeline.opening import open_run
    from carbongrid.pipeline.plans import read_plan
    from carbongrid.pipeline.scenario_run import run_plan

    path, out = directory / "case" / "plan.toml", directory / "run-plan"
    run_plan(open_run(last), read_plan(path), out, path=path)
    folder = out.with_name(f"{out.name}-analysis")
    folder.mkdir()
    write_csvs({"zones.csv": zones_both_ways(FinishedRun.of(last), FinishedRun.of(out))}, folder)
    return out, write_comparison(compare(last, out), folder)[0]
