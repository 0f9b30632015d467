"""``compensation``: relative transfers between the units of a run, which add up to zero."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from carbongrid.analysis.compensation.transfers import (
    balance_of,
    least_transfers,
    money_column,
    sink_surplus,
)
from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.case.readers.tables import read_table, require_columns
from carbongrid.errors import InputError, Problem, listed
from carbongrid.method.answers import Answer
from carbongrid.method.tonnes import counted
from carbongrid.method.zoning import reference_codes
from carbongrid.outputs.numbers import whole_percent
from carbongrid.pipeline.work import silent

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from carbongrid.pipeline.step import Progress

ALLOWANCES = ("sink", "gdp", "people", "cap")
_COLUMNS = {"gdp": "gdp", "people": "residents"}
RELATIVE = Problem(
    "A transfer is between units, relative to what they have together; it adds up to zero and offsets nothing in the atmosphere.",
    level="note",
)


@dataclass(frozen=True, eq=False, repr=False)
class Compensation(Answer):
    """Who compensates whom, mass in whole grams of CO2e per year.

    Parameters
    ----------
    run
        The run.
    allowance
        What emission is shared out by.
    units
        One row per unit: unit, name, region (its reference region), zone, sinks_below_floor (ESC ranks noise in its region), emission_g, sink_g, balance_g (above 0: it is paid), and for each price paid or received.
    flows
        One row per payer and receiver: payer, receiver, sinks_below_floor, mass_g, distance_km, and money for each price.
    zones
        Grams from the payers' zone (rows) to the receivers' (columns).
    parents
        The same of the units' nearest parents; None where the run has none.
    prices
        Currency units per t CO2e.
    notes
        What has to be said beside the numbers.
    """

    run: FinishedRun
    allowance: str
    units: pd.DataFrame
    flows: pd.DataFrame
    zones: pd.DataFrame
    parents: pd.DataFrame | None
    prices: tuple[float, ...]
    notes: tuple[Problem, ...]


def compensation(
    run: Asked,
    *,
    allowance: str = "sink",
    prices: tuple[float, ...] = (),
    caps: Mapping[str, int] | None = None,
    progress: Progress | None = None,
) -> Compensation:
    """Return who would compensate whom within each reference region, so that no unit is above its allowance.

    Parameters
    ----------
    run
        A run directory, what :func:`carbongrid.open` returned, or an answer of it.
    allowance
        ``sink``: s_i = CA_i - CCR*C_i, the sink of a unit less its emission's part of all sinks; ``gdp`` or ``people``: the part of all emission that it has of GDP, or of
        residents, less its emission; ``cap``: the part of all emission that ``caps`` give it. All are those of the unit's reference region, by which the run has its zones.
    prices
        Currency units of the run's GDP per t CO2e, such as the ends of a range; none is guessed.
    caps
        By unit, in g CO2e or any whole number, for the allowance ``cap``.
    progress
        Called with a phase, the units whose region is solved, and their number.

    Returns
    -------
    Compensation
        Balances add up to 0 in each region, and what a unit pays or is paid to its balance, to the gram.

    Raises
    ------
    InputError
        If the directory is not a finished run, the allowance is unknown, or no region has all of its units' GDP, residents or caps. One of several
        regions that has not is left out, and named.

    Notes
    -----
    Who pays whom is the transport problem min sum d_ij*f_ij between the units' representative points, solved by HiGHS. It is one of several fair readings, not a
    prediction: other distances, or a fund that all pay into, move the same balances otherwise.
    """
    if len({*prices}) < len(prices):
        raise InputError("a price stands twice", "prices", "Give each once.")
    told = FinishedRun.of(run)
    currency = told.manifest["currency"] or "currency units that nobody told"
    money = Problem(f"Money is in {currency}: mass times a price that the user gives; no price is proposed.", level="note")  # fmt: skip
    units = told.units
    regions = np.array(reference_codes(units, told.parameters["reference"]), object)
    parts = [np.flatnonzero(regions == code) for code in sorted({*regions} - {""})]
    shares = _shares(units, allowance, caps)
    known = [
        rows for rows in parts if shares is None or all(shares[row] is not None for row in rows)
    ]
    if shares is not None and parts and not known:
        raise _nothing_known(
            units, allowance, [int(row) for rows in parts for row in rows if shares[row] is None]
        )
    balance, shared = _balance(units, shares, known)
    points = shapely.get_coordinates(gpd.GeoSeries(told.outlines).representative_point().to_numpy())
    flows = sorted(_least_by_region(shared, balance, points, progress or silent))
    paying, paid = [i for i, _, _ in flows], [j for _, j, _ in flows]
    ids, zone = units["id"].tolist(), units["zone"].to_numpy(np.int64)
    few = told.sinks_below_floor
    table = pd.DataFrame(
        {
            "payer": [ids[i] for i in paying],
            "receiver": [ids[j] for j in paid],
            "sinks_below_floor": np.array([few[i] for i in paying], np.bool_),
            "mass_g": np.array([grams for *_, grams in flows], np.int64),
            "distance_km": np.hypot(*(points[paying] - points[paid]).T) / 1000,
        }
    )
    own = pd.DataFrame(
        {
            "unit": ids,
            "name": units["name"].to_numpy(object),
            "region": regions,
            "zone": zone,
            "sinks_below_floor": few,
            "emission_g": units["emission_g"].to_numpy(np.int64),
            "sink_g": units["sink_g"].to_numpy(np.int64),
            "balance_g": balance,
        }
    )
    for price in prices:
        name = money_column(price, told.manifest["currency"])
        own[name] = balance / 1e6 * price
        table[name] = table["mass_g"] / 1e6 * price
    parents = told.parameters["parents"]
    levels = units[parents[0]].to_numpy(object) if parents else None
    return Compensation(
        told,
        allowance,
        own,
        table,
        _summed(flows, zone.astype(object)),
        None if levels is None else _summed(flows, levels),
        tuple(prices),
        (
            RELATIVE,
            *(_of_few_sinks(told, table) if allowance == "sink" else ()),
            *_of_regions(told, allowance, parts, shares, shared),
            *((money,) if prices else ()),
        ),
    )


def _least_by_region(
    shared: Sequence[NDArray[np.intp]],
    balance: NDArray[np.int64],
    points: NDArray[np.float64],
    tell: Progress,
) -> Iterator[tuple[int, int, int]]:
    """Yield payer, receiver and grams of the least transfers within each region, given by the rows of its units."""
    solved, units = 0, sum(map(len, shared))
    for rows in shared:
        tell("solving transfers", solved, units)
        for i, j, grams in least_transfers(balance[rows], points[rows]):
            yield int(rows[i]), int(rows[j]), grams
        solved += len(rows)
    tell("solving transfers", solved, units)


def read_caps(path: Path) -> dict[str, int]:
    """Read a table of caps: columns unit and cap, the latter in t CO2e per year with at most six decimals; returns grams by unit.

    Raises
    ------
    InputError
        If a column is missing, a unit is blank or stands twice, or a cap is no amount.
    """
    table = read_table(path, columns=("unit", "cap"))
    require_columns(table, path.name, ("unit", "cap"))
    found: dict[str, int] = {}
    for number, (unit, cap) in enumerate(zip(table["unit"], table["cap"], strict=True), start=2):
        where = f"{path.name}, row {number}"
        code = "" if pd.isna(unit) else str(unit).strip()
        if not code or code in found:
            raise InputError(f"the unit {code!r} stands twice" if code else "the unit is blank", where, "Keep one row for each unit.")  # fmt: skip
        try:
            grams = Fraction(str(cap).strip()) * 10**6
        except (ValueError, ZeroDivisionError):
            grams = Fraction(-1)
        if grams < 0 or grams.denominator != 1:
            raise InputError(f"{str(cap)!r} is no cap", where, "Give t CO2e per year, 0 or more, with at most six decimals.")  # fmt: skip
        found[code] = int(grams)
    return found


def _shares(
    units: pd.DataFrame, allowance: str, caps: Mapping[str, int] | None
) -> list[int | None] | None:
    """Return what emission is shared out by, whole numbers, None where it is unknown; None instead of all where sinks are shared out, by emission."""
    if allowance == "sink":
        return None
    if allowance == "cap":
        foreign = [code for code in caps or {} if code not in set(units["id"])]
        if foreign:
            raise InputError(f"{len(foreign)} caps are of no unit of the run: {', '.join(foreign[:10])}", "caps", "Give those of its units.")  # fmt: skip
        return [int(caps[code]) if caps and code in caps else None for code in units["id"]]
    if allowance not in _COLUMNS:
        raise InputError(f"{allowance!r} is no allowance", "allowance", f"Give {', '.join(ALLOWANCES)}.")  # fmt: skip
    quanta = 1000 if allowance == "people" else 1
    return [
        None if pd.isna(value) else round(float(value) * quanta) if quanta > 1 else int(value)
        for value in units[_COLUMNS[allowance]]
    ]


def _nothing_known(units: pd.DataFrame, allowance: str, rows: Sequence[int]) -> InputError:
    which = ", ".join(units["id"].iloc[list(rows[:10])])
    if allowance == "cap":
        return InputError(
            f"{counted(len(rows), 'unit has', 'units have')} no cap: {which}",
            "caps",
            "Give each unit's.",
        )
    amount, verb = {"gdp": ("GDP", "is"), "people": ("residents", "are")}[allowance]
    what = f"{amount} of {counted(len(rows), 'unit')} {verb} unknown: {which}"
    return InputError(what, "allowance", "Give another allowance.")


def _balance(
    units: pd.DataFrame, shares: list[int | None] | None, parts: Sequence[NDArray[np.intp]]
) -> tuple[NDArray[np.int64], list[NDArray[np.intp]]]:
    """Return the balance of each unit within its region, and the regions that have something to share by: of others it is 0, and where none has, that is an error."""
    emission, sink = units["emission_g"].tolist(), units["sink_g"].tolist()
    by = emission if shares is None else [share or 0 for share in shares]
    balance = np.zeros(len(units), np.int64)
    shared = [rows for rows in parts if any(by[row] for row in rows)] or list(parts[:1])
    for rows in shared:
        own = [emission[row] for row in rows]
        balance[rows] = (
            sink_surplus(own, [sink[row] for row in rows])
            if shares is None
            else balance_of(own, [by[row] for row in rows])
        )
    return balance, shared


def _of_regions(
    told: FinishedRun,
    allowance: str,
    parts: Sequence[NDArray[np.intp]],
    shares: list[int | None] | None,
    shared: Sequence[NDArray[np.intp]],
) -> list[Problem]:
    """Say that regions share apart from each other, which are left out, and which units have nobody to share with."""
    ids = told.units["id"].tolist()
    reference = told.parameters["reference"]
    said = []
    if reference != "all":
        said.append(Problem(f"Within each of {len(parts)} reference regions ({reference}), as zones are: no unit pays one of another region.", level="note"))  # fmt: skip
    active = {int(row) for rows in shared if len(rows) > 1 for row in rows}
    left_out: list[str] = []
    for rows in parts if shares is not None else ():
        unknown = [ids[row] for row in rows if shares is not None and shares[row] is None]
        if unknown:
            region = told.units[reference].iloc[rows[0]]
            left_out.append(f"{region} ({listed(unknown, more=', ...')})")
            active |= {int(row) for row in rows}  # told here
    if left_out:
        names = listed(left_out, more=", ...")
        amount = {"gdp": "GDP", "people": "residents"}.get(allowance, "")
        where = f"{len(left_out)} of {len(parts)}"
        what = f"Nothing is shared within {where} reference regions, since nobody knows {amount} of units there: {names}."
        if not amount:
            what = f"Nothing is shared within {where} reference regions, since units there have no cap: {names}."
        said.append(Problem(what, level="warning"))
    idle = [ids[row] for row in range(len(ids)) if row not in active]
    if idle:
        said.append(Problem(f"Neither paying nor paid: {len(idle)} of {len(ids)} units, in no reference region, alone in theirs, or with nothing there to share by: {', '.join(idle[:10])}.", level="note"))  # fmt: skip
    return said


def _of_few_sinks(told: FinishedRun, flows: pd.DataFrame) -> Iterator[Problem]:
    """Yield a warning where sinks are shared out that are too small to rank units by: what share of the mass moved rests on them."""
    noise = flows[flows["sinks_below_floor"]]
    if noise.empty:
        return
    active, few = (len({*rows["payer"], *rows["receiver"]}) for rows in (flows, noise))
    share = whole_percent(int(noise["mass_g"].sum()) / int(flows["mass_g"].sum()))
    text = (
        f"{few} of the {active} units that pay or are paid, with {share} of the mass moved, are in reference regions that take up less than {100 * told.sink_floor:g} % of what they emit (sink_floor): "
        "ESC ranks noise there, and no payment for uptake follows from it (docs/decisions/0037)."
    )
    yield Problem(text, level="warning")


def _summed(flows: list[tuple[int, int, int]], groups: NDArray[Any]) -> pd.DataFrame:
    """Return grams from group to group, each pair summed in whole numbers."""
    sums: dict[tuple[Any, Any], int] = {}
    for i, j, grams in flows:
        sums[groups[i], groups[j]] = sums.get((groups[i], groups[j]), 0) + grams
    rows = [{"payers": a, "receivers": b, "mass_g": grams} for (a, b), grams in sorted(sums.items())]  # fmt: skip
    return pd.DataFrame(rows, columns=["payers", "receivers", "mass_g"])


def write_compensation(found: Compensation, folder: Path) -> list[Path]:
    """Write compensation_units.csv, _flows.csv, _zones.csv, _parents.csv and compensation.html; returns the files."""
    from carbongrid.analysis.compensation.page import write_compensation_page
    from carbongrid.analysis.files import write_exact_csvs

    tables = {
        "compensation_units.csv": found.units,
        "compensation_flows.csv": found.flows,
        "compensation_zones.csv": found.zones,
    }
    if found.parents is not None:
        tables["compensation_parents.csv"] = found.parents
    files = write_exact_csvs(tables, folder)
    return [write_compensation_page(found, folder / "compensation.html"), *files]
