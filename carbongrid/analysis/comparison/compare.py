"""``compare``: two runs side by side, exactly: categories, sectors, units, cells, zones, and what they were made of."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from carbongrid.analysis.comparison.guessed import MARKS, marked_grams, notes_of_guessed_runs
from carbongrid.analysis.finished import Asked, FinishedRun
from carbongrid.errors import InputError, Level, Problem, listed
from carbongrid.method.tonnes import counted
from carbongrid.method.zoning import zones
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.pipeline.tables import ELECTRICITY

if TYPE_CHECKING:
    from pathlib import Path

DESPITE = ("units", "gwp", "basis", "currency")
"""What two runs must have in common to be compared, unless told otherwise."""
COUNTED = ("electricity", "sinks", "gas")
"""What runs of several years must have in common too: otherwise their masses are of different things. Two readings of one year may be compared, and are told."""

_WAYS_OUT = {"gas": "What gives off no other gas may be called CO2e in both years: it is as much. "}
"""What is better than to compare all the same."""
_WHAT_SPLITS = ("total", "units", "outside_units", "unallocated", "elsewhere")
_INDICES = ("ccr", "ecc", "esc")


@dataclass(frozen=True, eq=False)
class Comparison:
    """Two runs side by side; a change is always that of ``b`` less that of ``a``. Mass is in whole grams.

    Parameters
    ----------
    a, b
        The runs.
    totals
        One row per category, sector, and for all emission and all sink: of, kind, sink, and total, in units, outside them, unallocated and
        elsewhere of both, each ``_a_g``, ``_b_g`` and ``_change_g``; and what of the total is a first guess (``guessed``) or is shared over regions by one
        (``shared_by_guess``), ``_a_g`` and ``_b_g``.
    units
        One row per unit: unit, name, zones and indices of both, emission, sink and GDP of both with their change.
    values
        One row per unit and quantity (emission, sink, gdp, residents, each sector and category): unit, name, of, kind, measured_in, a, b, change, percent (of a).
    matrix
        Units by zone in ``a`` (rows) and ``b`` (columns), codes 1 to 4 and 0.
    cells
        One row per coarse cell that differs: x and y of its centre in the grid's CRS, emission and sink of both with their change; None where the grids
        have no cells in common.
    made_of
        What differs in what the runs were made of: kind (input, setting, statement, version), what, a, b.
    notes
        What has to be said beside the numbers.
    """

    a: FinishedRun
    b: FinishedRun
    totals: pd.DataFrame
    units: pd.DataFrame
    values: pd.DataFrame
    matrix: pd.DataFrame
    cells: pd.DataFrame | None
    made_of: pd.DataFrame
    notes: tuple[Problem, ...]

    @property
    def turned(self) -> int:
        """How many units are in another zone."""
        return int((self.units["zone_a"] != self.units["zone_b"]).sum())

    def __repr__(self) -> str:
        """Return the two names, and how many units are in another zone."""
        return f"<carbongrid.Comparison> {self.a.name} and {self.b.name}: {self.turned} of {len(self.units)} units in another zone"


def compare(a: Asked, b: Asked, *, despite: Collection[str] = ()) -> Comparison:
    """Return what differs between two runs, or between a run and an answer of it.

    Parameters
    ----------
    a, b
        Run directories, what :func:`carbongrid.open` returned, or answers such as ``run.with_totals(...)``.
    despite
        What may differ: ``units`` (those in both are compared, by code), ``gwp``, ``basis``, ``currency``.

    Returns
    -------
    Comparison
        Changes are ``b`` less ``a``.

    Raises
    ------
    InputError
        If a directory is not a finished run; if units, the GWP set, the basis of shares or the currency differ and ``despite`` does not name it.
    VerificationError
        If a file of a run is not what its manifest says.

    Notes
    -----
    Differences are of whole grams and exact. Zones are relative to the region of each run: a unit may change its zone since others have changed.
    """
    first, second = FinishedRun.of(a), FinishedRun.of(b)
    notes = require_alike(first, second, despite)
    codes = [code for code in first.units["id"] if code in set(second.units["id"])]
    if not codes:
        raise InputError("the two runs have no unit in common", f"{first.name}, {second.name}")
    money = first.manifest["currency"] == second.manifest["currency"]
    cells = _cells(first, second)
    if cells is None:
        notes.append(Problem("Coarse cells are not compared: the grids of the runs lie otherwise.", level="warning"))  # fmt: skip
    units = _units(first, second, codes, money=money)
    return Comparison(
        first,
        second,
        _totals(first, second),
        units,
        pd.DataFrame(_values(first, second, codes, money=money), dtype=object).astype(
            {"percent": float}
        ),
        _matrix(units),
        cells,
        pd.DataFrame(_made_of(first, second), columns=["kind", "what", "a", "b"]),
        (*notes, *notes_of_guessed_runs((first, second)), *_remarks(first, second)),
    )


def require_alike(
    a: FinishedRun,
    b: FinishedRun,
    despite: Collection[str],
    merged: Mapping[str, str] | None = None,
    *,
    years: bool = False,
) -> list[Problem]:
    """Return warnings on what differs between two runs though it should not.

    Parameters
    ----------
    a, b
        The runs.
    despite
        What may differ: some of ``units``, ``gwp``, ``basis``, ``currency``, and of years ``electricity``, ``sinks`` and ``gas``.
    merged
        Old codes of units that merged, with the new: the units of both runs are held against each other by the new ones, and the outlines of those that did not merge.
    years
        Whether they are of years that are followed, so that :data:`COUNTED` has to be alike.

    Raises
    ------
    InputError
        For what differs and is not in ``despite``, and for what is none of these.
    """
    known = (*DESPITE, *COUNTED) if years else DESPITE
    unknown = sorted({*despite} - {*known})
    if unknown:
        what = f"{unknown[0]!r} is nothing that two runs must have in common"
        raise InputError(what, "despite", f"Give some of {', '.join(known)}.")
    differences = [each for each in _differences(a, b, merged or {}) if each[0] in known]
    wrong = [each for kind, each in differences if kind not in despite]
    if wrong:
        raise InputError(wrong)
    return [Problem(f"Compared all the same: {each.what}", level="warning") for _, each in differences]  # fmt: skip


def _differences(
    a: FinishedRun, b: FinishedRun, merged: Mapping[str, str]
) -> Iterator[tuple[str, Problem]]:
    """Yield what forbids a comparison unless it is wanted all the same."""
    where = f"{a.name}, {b.name}"

    def problem(kind: str, what: str) -> tuple[str, Problem]:
        hint = f'{_WAYS_OUT.get(kind, "")}Give --despite {kind}, in Python despite=("{kind}",), to compare all the same.'
        return kind, Problem(what, where, hint)

    mine, others = ({merged.get(code, code) for code in run.units["id"]} for run in (a, b))
    if mine != others:
        first, second = some_codes(mine - others), some_codes(others - mine)
        yield problem("units", f"the runs have other units: {first} only in the first, {second} only in the second; {len(mine & others)} are in both")  # fmt: skip
    moved = [code for code in _moved(a, b) if code not in {*merged, *merged.values()}]
    if moved:
        yield problem(
            "units", f"the outlines of {counted(len(moved), 'unit')} differ: {some_codes(moved)}"
        )
    for kind, name in (("gwp", "GWP set"), ("basis", "basis of shares")):
        if a.parameters[kind] != b.parameters[kind]:
            yield problem(kind, f"the {name} differs: {a.parameters[kind]} and {b.parameters[kind]}")  # fmt: skip
    for kind, name, one, other in _counted_otherwise(a, b):
        yield problem(kind, f"the {name} differs: {one} and {other}")
    if a.manifest["currency"] != b.manifest["currency"]:
        pair = (run.manifest["currency"] or "none told" for run in (a, b))
        yield problem("currency", f"the currency of GDP differs: {' and '.join(pair)}; GDP is not compared")  # fmt: skip


def _counted_otherwise(a: FinishedRun, b: FinishedRun) -> Iterator[tuple[str, str, str, str]]:
    """Yield each of :data:`COUNTED` that differs, with its name and what it is in both, where both say."""
    sinks = (run.parameters.get("sinks") if _has_sinks(run) else None for run in (a, b))
    sides = (_electricity_of(run) for run in (a, b))
    for kind, name, (one, other) in (("electricity", "choice of electricity", sides), ("sinks", "set of sinks", sinks)):  # fmt: skip
        if one and other and one != other and not (kind == "electricity" and _one_has_less(a, b)):
            yield kind, name, one, other
    for (one, other), names in _gases_otherwise(a, b).items():
        yield "gas", f"gas of {listed(names)}", one, other


def _gases_otherwise(a: FinishedRun, b: FinishedRun) -> dict[tuple[str, str], list[str]]:
    """Return the categories of both runs that emit another gas in one than in the other, by both gases."""
    found: dict[tuple[str, str], list[str]] = {}
    if a.formed and b.formed:  # in either, CO2 without another gas beside it leaves nothing out
        return found
    one, other = a.gases or {}, b.gases or {}
    for name in sorted(one.keys() & other.keys()):
        if one[name] != other[name]:
            found.setdefault((one[name], other[name]), []).append(name)
    return found


def notes_of_other_gas(a: FinishedRun, b: FinishedRun) -> Iterator[Problem]:
    """Yield that the emissions of two runs are of other gases where no category in both is; of activity data every gas is counted, and nothing is to be said."""
    if a.formed and b.formed:
        return
    one, other = (run.parameters.get("gas") for run in (a, b))
    if one and other and one != other and not _gases_otherwise(a, b):
        yield Problem(f"Emissions of {a.name} are of {one}, those of {b.name} of {other}; no category of both is of another gas in one than in the other.", level="note")  # fmt: skip


def _one_has_less(a: FinishedRun, b: FinishedRun) -> bool:
    """Whether one run counts both sides of electricity and the other the one that it has, as where a town has no plant yet: no side is set aside."""
    sides = {_electricity_of(run): run for run in (a, b)}
    if "both" not in sides:
        return False
    [other] = [run for side, run in sides.items() if side != "both"]
    return _electricity_of(other) in ("use", "supply") and not any(
        "(D24)" in text for _, text in other.manifest["assumptions"]
    )


def _electricity_of(run: FinishedRun) -> str | None:
    """Return which side of electricity a run counts; None where it has none, or is of an earlier version and does not say."""
    if "electricity" in run.parameters:
        return run.parameters["electricity"]  # type: ignore[no-any-return]
    # A run of an earlier version has it in words alone, where both sides are known.
    said = {text for _, text in run.manifest["assumptions"]}
    return next((name for name, words in ELECTRICITY.items() if f"{words} (D24)." in said), None)


def _has_sinks(run: FinishedRun) -> bool:
    """Whether a run has a sink, so that its set of them decides something."""
    masses = _masses(run)
    return any(masses.get(name, 0) for name, each in run.categories.items() if each.sink)


def _masses(run: FinishedRun) -> pd.Series[float]:
    """Return the grams of each category, those that lie elsewhere included, to be told in tonnes."""
    return run.ledger["total_g"].astype(float).groupby(run.ledger["category"].to_numpy()).sum()


def only_one_has(a: FinishedRun, b: FinishedRun, level: Level) -> Iterator[Problem]:
    """Yield the categories of one run alone, with their mass: of the other they count as 0."""
    for run, other in ((a, b), (b, a)):
        masses = _masses(run)
        only = [f"{name} ({masses[name] / 1e6:,.0f} t)" for name in run.categories if name not in other.categories and masses.get(name)]  # fmt: skip
        if only:
            yield Problem(f"Only {run.name} has {', '.join(only)}; of the other run it is 0.", level=level)  # fmt: skip


def _moved(a: FinishedRun, b: FinishedRun) -> list[str]:
    """Return the units in both whose outlines differ, in whatever order their points are."""
    if a.outlines.crs != b.outlines.crs:
        other = b.outlines.to_crs(a.outlines.crs)
        tolerance = 1e-3
    else:
        other, tolerance = b.outlines, 0.0
    shapes = dict(zip(b.units["id"], other, strict=True))
    found = []
    for code, shape in zip(a.units["id"], a.outlines, strict=True):
        if code not in shapes:
            continue
        same = (
            shape.equals_exact(shapes[code], tolerance)
            or shape.normalize() == shapes[code].normalize()
            or (tolerance > 0 and shape.hausdorff_distance(shapes[code]) <= tolerance)
        )
        if not same:
            found.append(str(code))
    return found


def some_codes(codes: Iterable[str]) -> str:
    """Return codes in their order, at most ten of them, and how many more there are."""
    ordered = sorted(codes)
    return listed(ordered) if ordered else "none"


def _totals(a: FinishedRun, b: FinishedRun) -> pd.DataFrame:
    sides = [_sums(run) for run in (a, b)]
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    order = {"sum": 0, "sector": 1, "category": 2}
    rows = []
    for key in sorted(keys, key=lambda each: (order[each[1]], each[2], each[0])):
        of, kind, sink = key
        row: dict[str, Any] = {"of": of, "kind": kind, "sink": sink}
        for name in _WHAT_SPLITS:
            pair = [side.get(key, {}).get(name, 0) for side in sides]
            row |= {f"{name}_a_g": pair[0], f"{name}_b_g": pair[1], f"{name}_change_g": pair[1] - pair[0]}  # fmt: skip
        for name in MARKS:
            row |= {f"{name}_{letter}_g": side.get(key, {}).get(name, 0) for letter, side in zip("ab", sides, strict=True)}  # fmt: skip
        rows.append(row)
    return pd.DataFrame(rows)


def _sums(run: FinishedRun) -> dict[tuple[str, str, bool], dict[str, int]]:
    """Return what the ledger has of each category, sector, and of all emission and sink, and what of that rests on guesses."""
    found: dict[tuple[str, str, bool], dict[str, int]] = {}
    names = (*_WHAT_SPLITS, *MARKS)
    columns = [run.ledger[f"{name}_g"].fillna(0).tolist() for name in _WHAT_SPLITS]
    columns += [marked_grams(run.ledger, mark) for mark in MARKS]
    for category, *masses in zip(run.ledger["category"], *columns, strict=True):
        each = run.categories[category]
        keys = [(category, "category", each.sink), ("sink" if each.sink else "emission", "sum", each.sink)]  # fmt: skip
        if not each.sink:
            keys.append((each.sector, "sector", False))
        for key in keys:
            sums = found.setdefault(key, dict.fromkeys(names, 0))
            for name, mass in zip(names, masses, strict=True):
                sums[name] += int(mass)
    return found


def _units(a: FinishedRun, b: FinishedRun, codes: list[str], *, money: bool) -> pd.DataFrame:
    sides = [run.units.set_index("id").loc[codes] for run in (a, b)]
    columns: dict[str, Any] = {"unit": codes, "name": sides[1]["name"].to_numpy(object)}
    for name in ("zone", "zone_name", *_INDICES):
        for side, values in zip("ab", sides, strict=True):
            columns[f"{name}_{side}"] = values[name].to_numpy()
    for name, label in (("emission_g", "emission"), ("sink_g", "sink")):
        pair = [values[name].to_numpy(np.int64) for values in sides]
        columns |= {f"{label}_a_g": pair[0], f"{label}_b_g": pair[1], f"{label}_change_g": pair[1] - pair[0]}  # fmt: skip
    if money:
        known = [values["gdp"].reset_index(drop=True) for values in sides]
        columns |= {"gdp_a": known[0], "gdp_b": known[1], "gdp_change": known[1] - known[0]}
    return pd.DataFrame(columns)


def _values(
    a: FinishedRun, b: FinishedRun, codes: list[str], *, money: bool
) -> Iterator[dict[str, Any]]:
    """Yield each quantity of each unit, in Python integers; a category that a run does not have is 0 there."""
    sides = [run.units.set_index("id").loc[codes] for run in (a, b)]
    categories = {**a.categories, **b.categories}
    sectors = dict.fromkeys(each.sector for each in categories.values() if not each.sink)
    quantities = [("emission", "sum", "emission_g"), ("sink", "sum", "sink_g")]
    quantities += [(name, "sector", f"{name}_g") for name in sectors]
    quantities += [(name, "category", name) for name in sorted(categories)]
    measured = [("g yr-1", *each) for each in quantities]
    if money:
        measured.append((a.manifest["currency"] or "currency units", "gdp", "gdp", "gdp"))
    measured.append(("people", "residents", "residents", "residents"))
    for unit, name in zip(codes, sides[1]["name"], strict=True):
        for unit_of_measure, of, kind, column in measured:
            first, second = (_amount(side, unit, column) for side in sides)
            change = None if first is None or second is None else second - first
            percent = 100 * change / first if change is not None and first else np.nan
            yield {"unit": unit, "name": name, "of": of, "kind": kind, "measured_in": unit_of_measure, "a": first, "b": second, "change": change, "percent": percent}  # fmt: skip


def _amount(units: pd.DataFrame, unit: str, column: str) -> int | float | None:
    """Return an amount as a Python number: whole but for residents; None where it is unknown, 0 where the run knows no such column."""
    value: Any = units.at[unit, column] if column in units else 0
    if pd.isna(value):
        return None
    return float(value) if column == "residents" else int(value)


def _matrix(units: pd.DataFrame) -> pd.DataFrame:
    codes = sorted((zone.code for zone in zones()), key=lambda code: (code == 0, code))
    counts = pd.crosstab(units["zone_a"].astype(int), units["zone_b"].astype(int))
    return counts.reindex(index=codes, columns=codes, fill_value=0)


def _cells(a: FinishedRun, b: FinishedRun) -> pd.DataFrame | None:
    """Return the cells that differ; a cell outside one of the grids has nothing there."""
    import xarray as xr

    grids = [run.grid[["emission", "sink"]] for run in (a, b)]
    size = a.parameters["coarse"]
    alike = a.parameters["crs"] == b.parameters["crs"] and size == b.parameters["coarse"]
    corners = [run.parameters["bounds"][:2] for run in (a, b)]
    if not alike or any((one - other) % size for one, other in zip(*corners, strict=True)):
        return None
    first, second = xr.align(*grids, join="outer", fill_value=0)
    pairs = {name: [grid[name].to_numpy() for grid in (first, second)] for name in grids[0]}
    rows, columns = np.nonzero(np.logical_or.reduce([one != other for one, other in pairs.values()]))  # fmt: skip
    table = {"x": first["x"].to_numpy()[columns], "y": first["y"].to_numpy()[rows]}
    for name, (one, other) in pairs.items():
        before, after = one[rows, columns], other[rows, columns]
        table |= {f"{name}_a_g": before, f"{name}_b_g": after, f"{name}_change_g": after - before}
    found = pd.DataFrame(table)
    return found.sort_values(["y", "x"], ascending=[False, True], ignore_index=True)


def _made_of(a: FinishedRun, b: FinishedRun) -> Iterator[tuple[str, str, str, str]]:
    """Yield the inputs, settings, statements and versions that differ, by the manifests."""
    runs = (a, b)
    if any(run.answer is not None for run in runs):
        first, second = ("; ".join(run.answer.changes) if run.answer else "" for run in runs)
        yield "answer", "changes", first, second
    inputs = [{each["file"]: each["sha256"] for each in run.manifest["inputs"]} for run in runs]
    yield from (("input", *row) for row in _unlike(*inputs))
    yield from (("setting", *row) for row in _unlike(*_settings(a, b)))
    told = [{key: run.manifest.get(key) for key in ("title", "year", "currency", "public", "uncertainty")} for run in runs]  # fmt: skip
    yield from (("setting", *row) for row in _unlike(*told))
    kinds = [{name: vars(each) for name, each in run.categories.items()} for run in runs]
    yield from (("category", *row) for row in _unlike(*kinds))
    said = [_said(run) for run in runs]
    yield from (("statement", said[0][key], "said", "") for key in said[0] if key not in said[1])
    yield from (("statement", said[1][key], "", "said") for key in said[1] if key not in said[0])
    yield from (("version", *row) for row in _unlike(*(run.manifest["versions"] for run in runs)))


def _settings(a: FinishedRun, b: FinishedRun) -> list[dict[str, Any]]:
    """Return the parameters of both manifests; which side of electricity, and which gas, counts only where both say."""
    runs = (a, b)
    settings = [{name: value for name, value in run.parameters.items() if name not in ("electricity", "gas")} for run in runs]  # fmt: skip
    for name, sides in (
        ("electricity", [_electricity_of(run) for run in runs]),
        ("gas", [run.parameters.get("gas") for run in runs]),
    ):
        if all(sides):
            settings = [{**own, name: side} for own, side in zip(settings, sides, strict=True)]
    return settings


def _said(run: FinishedRun) -> dict[str, str]:
    """Return what the manifest says, by its text without the name of the case's file: under another name it is the same."""
    cases = {each["file"] for each in run.manifest["inputs"] if each["file"].endswith(".toml")}
    parted = [(text, *text.partition(": ")) for _, text in run.manifest["assumptions"]]
    return {rest if where in cases else text: text for text, where, _, rest in parted}


def _unlike(a: dict[str, Any], b: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield what differs, field by field where both have fields."""
    for name in dict.fromkeys([*a, *b]):
        one, other = a.get(name), b.get(name)
        if isinstance(one, dict) and isinstance(other, dict):
            yield from ((f"{name}: {field}", x, y) for field, x, y in _unlike(one, other))
            continue
        pair = [_told(side[name]) if name in side else "" for side in (a, b)]
        if pair[0] != pair[1]:
            yield name, pair[0], pair[1]


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=list)


def _remarks(a: FinishedRun, b: FinishedRun) -> Iterator[Problem]:
    yield from only_one_has(a, b, "note")
    yield from notes_of_other_gas(a, b)
    for _, what, one, other in _counted_otherwise(a, b):
        yield Problem(f"The {what} differs ({one} and {other}): part of the masses that differ are its doing.", level="warning")  # fmt: skip
    for name, what in (("reference", "reference region"), ("ties", "rule for an index of exactly 1")):  # fmt: skip
        pair = [run.parameters.get(name) for run in (a, b)]
        if pair[0] != pair[1]:
            yield Problem(f"The {what} differs ({pair[0]} and {pair[1]}): part of the zones that differ may be its doing.", level="warning")  # fmt: skip
    if a.parameters["gwp"] == b.parameters["gwp"] == AS_GIVEN:
        yield Problem("Neither run says by which GWP set its totals were weighed.", level="note")


def write_comparison(found: Comparison, folder: Path) -> list[Path]:
    """Write a comparison: comparison_totals.csv, _units.csv, _values.csv (mass in tonnes), _people_and_gdp.csv, _zones.csv, _cells.csv, _made_of.csv and comparison.html.

    Parameters
    ----------
    found
        What :func:`compare` returned.
    folder
        An existing folder; files of the same names are replaced.

    Returns
    -------
    list of Path
        The files.
    """
    from carbongrid.analysis.comparison.page import write_comparison_page
    from carbongrid.analysis.files import write_exact_csvs

    matrix = found.matrix.rename_axis(index="zone_a", columns=None)
    weighed = found.values["measured_in"] == "g yr-1"
    in_grams = {name: f"{name}_g" for name in ("a", "b", "change")}
    masses = found.values[weighed].drop(columns="measured_in").rename(columns=in_grams)
    tables = {
        "comparison_totals.csv": found.totals,
        "comparison_units.csv": found.units,
        "comparison_values.csv": masses,
        "comparison_people_and_gdp.csv": found.values[~weighed].drop(columns="kind"),
        "comparison_zones.csv": matrix.add_prefix("zone_b_").reset_index(),
        "comparison_made_of.csv": found.made_of,
    }
    if found.cells is not None:
        tables["comparison_cells.csv"] = found.cells
    files = write_exact_csvs(tables, folder)
    return [write_comparison_page(found, folder / "comparison.html"), *files]
