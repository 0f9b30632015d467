"""``inequality``: how unequally emission and sink are held, between whom, and whether like units lie side by side."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd

from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.analysis.inequality.clusters import (
    ENOUGH_UNITS,
    clusters,
    fewest_told,
    permutations_for,
)
from carbongrid.analysis.inequality.shares import gini, lorenz, theil
from carbongrid.analysis.neighbours import neighbours_of
from carbongrid.errors import InputError, Problem, VerificationError, listed
from carbongrid.method.answers import Answer
from carbongrid.outputs.result import Result
from carbongrid.pipeline.opening import open_same_run
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from carbongrid.pipeline.step import Progress

_CURVES = ("of", "by", "share_of_weight", "share_of_amount")
SAME_PROXY = Problem(
    "Neighbours whose emission was spread by the same proxy look alike for that reason too: a cluster may be the proxy's.",
    level="note",
)
TOO_FEW_TOUCH = Problem("Fewer than four units touch another: no clusters can be looked for.", level="note")  # fmt: skip
NOT_CAUSE = Problem("Inequality is of emission where it arises, not of who causes or bears it.", level="note")  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Inequality(Answer):
    """How unequally a run's units hold emission and sink.

    Parameters
    ----------
    run
        The run.
    table
        One row per quantity (emission, sink) and what it is counted by (units, residents, gdp, area): gini, theil, and theil's parts between and within parents and zones; blank where a unit's is unknown or 0, and where no unit has any of the quantity.
    curves
        Lorenz curves: of, by, share_of_weight, share_of_amount.
    moran
        One row per quantity of which units have more than one value, of its density: i, expected, p, and what I is by the proxies alone, one whole total of each category spread and no facility named
        (blank where the run does not keep what that takes); None without clusters, or where there is no such quantity.
    units
        One row per unit: unit, name, zone and, for each quantity of ``moran``, local_i, p and kind; None as ``moran`` is.
    notes
        What has to be said beside the numbers.
    """

    run: FinishedRun
    table: pd.DataFrame
    curves: pd.DataFrame
    moran: pd.DataFrame | None
    units: pd.DataFrame | None
    notes: tuple[Problem, ...]


def inequality(
    run: Asked, *, with_clusters: bool = True, seed: int = 0, progress: Progress | None = None
) -> Inequality:
    """Return how unequally emission and sink are held by the units of a run.

    Parameters
    ----------
    run
        A run directory, what :func:`carbongrid.open` returned, or an answer of it.
    with_clusters
        Whether Moran's I and its local parts are looked for, which takes the optional part ``statistics``.
    seed
        Of their permutations.
    progress
        Called with a phase, what is done and what there is to do.

    Returns
    -------
    Inequality
        Gini and Theil by quantity and by what it is held against in ``table``, their curves, the clusters and the units.

    Raises
    ------
    InputError
        If the directory is not a finished run, or clusters are to be looked for without the part ``statistics``.

    Notes
    -----
    By residents, GDP or area a unit counts by its part of them, and is equal to another with as much per head, currency unit or km2; by units each counts once. Theil's T adds up:
    between groups and within them. Local clusters hold the false discovery rate at 5 %.
    """
    tell, phase, steps = progress or silent, "measuring inequality", 4 if with_clusters else 1
    tell(phase, 0, steps)
    told = FinishedRun.of(run)
    units = told.units
    area = gpd.GeoSeries(told.outlines).area.to_numpy() / 1e6
    weights = {
        "units": np.ones(len(units)),
        "residents": units["residents"].to_numpy(np.float64),
        "gdp": units["gdp"].to_numpy(np.float64, na_value=np.nan),
        "area": area,
    }
    amounts = {of: units[f"{of}_g"].to_numpy(np.float64) for of in ("emission", "sink")}
    parents = told.parameters["parents"]
    groups = {"zones": units["zone"].tolist()}
    if parents:
        groups = {"parents": units[parents[0]].tolist(), **groups}
    rows, curves = [], []
    for of, amount in amounts.items():
        for by, weight in weights.items():
            known = bool((weight > 0).all())  # NaN is not
            row: dict[str, Any] = {
                "of": of,
                "by": by,
                "gini": gini(amount, weight) if known else np.nan,
            }
            for name, own in groups.items():
                parts = theil(amount, weight, own) if known else (np.nan,) * 3
                row |= {"theil": parts[0], f"between_{name}": parts[1], f"within_{name}": parts[2]}
            rows.append(row)
            if known and amount.sum():
                curve = lorenz(amount, weight)
                curves.append(pd.DataFrame(dict(zip(_CURVES, (of, by, curve[:, 0], curve[:, 1]), strict=True))))  # fmt: skip
    found, said = [], list(_without_measure(units, weights))
    said += [Problem(f"There are no measures of {of}: no unit has any.", level="note") for of, amount in amounts.items() if not amount.any()]  # fmt: skip
    table = pd.DataFrame({"unit": units["id"], "name": units["name"], "zone": units["zone"].astype(int)})  # fmt: skip
    if with_clusters:
        tell(phase, 1, steps)
        touching = np.array([len(each) > 0 for each in neighbours_of(told.outlines.to_numpy())])
        uneven: dict[str, NDArray[np.float64]] = {}
        if touching.sum() < ENOUGH_UNITS:
            said.append(TOO_FEW_TOUCH)
        else:
            uneven = {of: amount for of, amount in amounts.items() if np.ptp((amount / area)[touching])}  # fmt: skip
            said += _of_one_value([of for of in amounts if of not in uneven], amounts, area)
        alone = dict(_by_proxies_alone(told, run, uneven, said))
        for done, (of, amount) in enumerate(uneven.items(), start=2):
            tell(phase, done, steps)
            beside = alone[of] / area if of in alone else None
            moran, local = clusters(
                gpd.GeoSeries(told.outlines),
                amount / area,
                of=f"{of} per km2",
                beside=beside,
                seed=seed,
            )
            found.append(
                {
                    "of": f"{of} per km2",
                    "i": moran.i,
                    "expected": moran.expected,
                    "p": moran.p,
                    "by_proxies_alone": moran.beside,
                }
            )
            table = table.join(local.add_prefix(f"{of}_"))
            islands = local["local_i"].isna().to_numpy()
            said += _without_neighbour(units["id"][islands].tolist())
            said += _too_few(len(units) - int(islands.sum()))
    tell(phase, steps, steps)
    return Inequality(
        told,
        pd.DataFrame(rows),
        pd.concat(curves, ignore_index=True) if curves else pd.DataFrame(columns=_CURVES),
        pd.DataFrame(found) if found else None,
        table if found else None,
        (NOT_CAUSE, *((SAME_PROXY,) if found else ()), *dict.fromkeys(said)),
    )


def _without_measure(
    units: pd.DataFrame, weights: Mapping[str, NDArray[np.float64]]
) -> Iterator[Problem]:
    """Yield of which units residents, GDP or area are unknown or 0, so that there are no measures by them."""
    for by, weight in weights.items():
        name = {"gdp": "GDP"}.get(by, by)
        unknown, nothing = (units["id"][each].tolist() for each in (np.isnan(weight), weight == 0))
        if unknown:
            yield Problem(f"There are no measures by {name}: unknown in {len(unknown):,} of {len(units):,} units ({listed(unknown)}). Give those to have them.", level="note" if len(unknown) == len(units) else "warning")  # fmt: skip
        if nothing:
            yield Problem(f"There are no measures by {name}: 0 in {len(nothing):,} of {len(units):,} units ({listed(nothing)}). Merge each with a neighbour to have them.", level="warning")  # fmt: skip


def _by_proxies_alone(
    told: FinishedRun, run: Asked, amounts: Mapping[str, NDArray[np.float64]], said: list[Problem]
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield each quantity with its grams in units as the proxies alone would have them; what cannot be known, or is the run's own, is said."""
    opened = told.answer or run
    for of, amount in amounts.items():
        names = [name for name, each in told.categories.items() if each.sink == (of == "sink")]
        try:
            if isinstance(opened, str | Path):
                opened = open_same_run(Path(opened), told.manifest)
            answer = opened.live if isinstance(opened, Result) else opened
            tonnes = answer.by_proxies_alone(names).units[f"{of}_t"].to_numpy(np.float64)
        except (InputError, VerificationError) as error:
            why = error.problems[0].what if isinstance(error, InputError) else str(error)
            text = f"What Moran's I of {of} would be by the proxies alone is not known: {why}"
            said.append(Problem(text, level="note"))
            continue
        grams = np.rint(tonnes * 1e6)
        if np.array_equal(grams, amount):
            text = f"No facility and no total of a region has a say in where {of} lies: what Moran's I tells of it is of the proxies."
            said.append(Problem(text, level="note"))
        yield of, grams


def _of_one_value(
    quantities: list[str], amounts: Mapping[str, NDArray[np.float64]], area: NDArray[np.float64]
) -> list[Problem]:
    """Return a note for each quantity of which all units that touch another have as much per km2, as of sinks where there are none or they lie on islands."""
    return [
        Problem(f"All units that touch another have one {of} per km2: no clusters of it can be looked for.", level="note")
        if np.ptp(amounts[of] / area)
        else Problem(f"All units have one {of} per km2: no clusters of it can be looked for.", level="note")
        for of in quantities
    ]  # fmt: skip


def _without_neighbour(ids: list[str]) -> tuple[Problem, ...]:
    """Return a note that names units on islands of their own."""
    if not ids:
        return ()
    text = f"Units that touch no other take no part in Moran's I: {listed(ids)}."
    return (Problem(text, level="note"),)


def _too_few(units: int) -> tuple[Problem, ...]:
    """Return a note where a unit that stands out by itself cannot be told."""
    fewest = fewest_told(units)
    if fewest < 2:
        return ()
    text = f"{permutations_for(units):,} permutations of {units:,} units: clusters are told only where {fewest} units or more stand out."
    return (Problem(text, level="note"),)


def write_inequality(found: Inequality, folder: Path) -> list[Path]:
    """Write inequality.csv, inequality_lorenz.csv, inequality_moran.csv, inequality_units.csv and inequality.html; returns the files."""
    from carbongrid.analysis.files import write_csvs
    from carbongrid.analysis.inequality.page import write_inequality_page

    tables = {"inequality.csv": found.table, "inequality_lorenz.csv": found.curves}
    if found.moran is not None and found.units is not None:
        tables |= {"inequality_moran.csv": found.moran, "inequality_units.csv": found.units}
    return [
        write_inequality_page(found, folder / "inequality.html"),
        *write_csvs(tables, folder),
    ]
