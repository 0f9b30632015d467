"""Write the synthetic city, run it, and run it again with GDP known per district only."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from carbongrid.errors import InputError
from carbongrid.sources.demo.writing import write_city
from carbongrid.sources.demo.years_running import run_years

if TYPE_CHECKING:
    from collections.abc import Callable

    from carbongrid.outputs.result import Result
    from carbongrid.sources.demo.years_running import YearsOutcome


@dataclass(frozen=True)
class DemoOutcome:
    """What the demo made.

    Parameters
    ----------
    case
        The case file, a template for the user's own.
    result
        The run of the case.
    by_district
        The run of the same case with GDP known per district and industry.
    years
        What was made of earlier years and a plan; None where they were not asked for.
    """

    case: Path
    result: Result
    by_district: Result
    years: YearsOutcome | None = None

    @property
    def flipped(self) -> int:
        """How many units change their zone when township GDP is derived from the districts'."""
        return int((self.result.units["zone"] != self.by_district.units["zone"]).sum())


def run_demo(
    directory: Path,
    *,
    size: Literal["full", "small"] = "full",
    seed: int = 2023,
    with_years: bool = False,
    progress: Callable[[str, int, int], None] | None = None,
) -> DemoOutcome:
    """Write the city to DIRECTORY/case and run it to DIRECTORY/run and DIRECTORY/run-district-gdp; with years also what :func:`carbongrid.sources.demo.years_running.run_years` does.

    Raises
    ------
    InputError
        If the directory holds something already.
    """
    from carbongrid.pipeline import run

    if directory.exists() and any(directory.iterdir()):
        raise InputError(
            "the directory is not empty", str(directory), "Give a new one, or empty this one."
        )
    if progress:
        progress("building the city", 0, 1)
    case = write_city(directory / "case", size=size, seed=seed, with_years=with_years)
    if progress:
        progress("building the city", 1, 1)
    result = run(case, directory / "run", progress=progress)
    by_district = run(
        case.with_name("case-district-gdp.toml"),
        directory / "run-district-gdp",
        reuse=directory / "run",
        progress=progress,
    )
    years = run_years(directory, progress=progress) if with_years else None
    return DemoOutcome(case, result, by_district, years)
