"""From a run and a table of limits to the linear program of a joint plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from scipy import sparse

from carbongrid.analysis.targets.effects import Effects
from carbongrid.analysis.targets.limits import EACH, UNLIMITED, Limit
from carbongrid.analysis.targets.program import Cap, Need, Program, Step
from carbongrid.errors import InputError, Problem, listed
from carbongrid.inventory.units_of_measure import currency_units
from carbongrid.method.sharing import MIN_SHARE
from carbongrid.method.zoning import units_in_regions
from carbongrid.pipeline.conversion import mass_of_conversion
from carbongrid.pipeline.scenario import outlines_in, rows_with_facilities
from carbongrid.raster.polygons.outlines import geometries_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

HIGH = {"ecc": (1, 2), "esc": (1, 3)}
"""Zones in which an index is high."""


@dataclass(frozen=True, eq=False)
class Kept:
    """Land that may not be converted.

    Parameters
    ----------
    limit
        The row that keeps it.
    parcels : bool, shape (parcels,)
        Which.
    """

    limit: Limit
    parcels: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Model:
    """A run, the units that are to be lifted, and what a table allows.

    Parameters
    ----------
    effects
        Of the run.
    units
        Its units, mass in g.
    lifted
        Rows of the units that are to be lifted.
    aims
        Indices that are to be high in them.
    reference, ties
        Of the zones.
    limits
        The table.
    currency
        Unit of the case's GDP; empty for none.
    zones
        Zone of each unit by which it is decided whether an index is high: for ESC by ESC alone, also where GDP is unknown; 0 where it is neither.
    """

    effects: Effects
    units: pd.DataFrame
    lifted: Sequence[int]
    aims: Sequence[str]
    reference: str
    ties: str
    limits: Sequence[Limit]
    currency: str
    zones: Mapping[str, Sequence[int]]

    @property
    def hectares(self) -> NDArray[np.float64]:
        """Hectares of each parcel."""
        area: NDArray[np.float64] = self.effects.answer.prepared.parcels["area_m2"].to_numpy(np.float64) / 1e4  # fmt: skip
        return area

    def units_of(self, limit: Limit) -> list[int]:
        """Return the rows of the units that a limit means."""
        if limit.unit in ("", EACH):
            return list(self.lifted)
        return [int(row) for row in np.flatnonzero(self.units["id"] == limit.unit)]

    def places_of(self, limit: Limit) -> list[int]:
        """Return the rows of the units that a limit caps each by itself; -1 for all that it means together."""
        return self.units_of(limit) if limit.unit == EACH else [-1]

    def of_code(self, limit: Limit) -> NDArray[np.bool_]:
        """Return which parcels are of the code of a limit."""
        found: NDArray[np.bool_] = (self.effects.answer.prepared.parcels["land_use"] == limit.code).to_numpy(bool)  # fmt: skip
        return found

    def convertible(self, limit: Limit) -> NDArray[np.bool_]:
        """Return which parcels a limit lets be converted, whatever is kept: of its code and units, without a facility."""
        found = self.of_code(limit) & np.isin(self.effects.unit_of_parcel, self.units_of(limit))
        found[rows_with_facilities(self.effects.answer)] = False
        return found

    def hectares_in(self, limit: Limit, rows: NDArray[np.int64]) -> Any:
        """Return hectares of some parcels in each of the places of a limit, CSC [parcel of rows, place]: of a parcel across a border what lies in the unit, wherever its point is."""
        inside = self.effects.area_parts()[rows].tocsc()[:, self.units_of(limit)]
        if limit.unit != EACH:
            inside = sparse.csc_array(np.asarray(inside.sum(axis=1), np.float64).reshape(-1, 1))
        return (sparse.diags_array(self.hectares[rows], format="csr") @ inside).tocsc()

    def hectares_of_code(self, limit: Limit) -> NDArray[np.float64]:
        """Return hectares of a limit's code in each of its places, what per cents of them are of."""
        within = self.hectares_in(limit, np.flatnonzero(self.of_code(limit)))
        return np.asarray(within.sum(axis=0), np.float64).ravel()

    def _kept_by_code(self, limit: Limit) -> NDArray[np.bool_]:
        codes = self.effects.answer.prepared.parcels["land_use"]
        found: NDArray[np.bool_] = (codes == limit.code).to_numpy(bool)
        if not found.any():
            there = sorted(codes.unique())
            raise InputError(f"no parcel has the land-use code {limit.code!r}", f"limits, row {limit.row}, from", f"There are {listed(there, 20)}.")  # fmt: skip
        return found

    def needs(self) -> tuple[Need, ...]:
        """Return the indices that are to be high, and those that have to stay so, against the region as it is."""
        found = []
        placed = units_in_regions(self.units, self.reference, self.ties)
        for row, (unit, region) in enumerate(placed):
            if region is None:
                continue
            for index, part, whole, C in (
                ("ecc", unit.G_i, region.G, region.C_known),
                ("esc", unit.CA_i, region.CA, region.C),
            ):
                zone = self.zones[index][row]
                aim = row in self.lifted and index in self.aims
                if zone and part is not None and (aim or zone in HIGH[index]):
                    found.append(Need(row, index, Fraction(C, whole), part, unit.C_i, must=aim))
        return tuple(found)

    def kept(self, folder: Any = None) -> tuple[Kept, ...]:
        """Return the land that rows of the table keep, by red lines or by code: of a parcel with part in a red line all.

        Raises
        ------
        InputError
            If no parcel of the run has a code, or part in the red lines of a row: the row would protect nothing.
        """
        prepared = self.effects.answer.prepared
        found = []
        for limit in self.limits:
            if limit.do != "keep":
                continue
            chosen = np.ones(len(prepared.parcels), np.bool_)
            if limit.unit not in ("", EACH):
                chosen &= np.isin(self.effects.unit_of_parcel, self.units_of(limit))
            if limit.code:
                chosen &= self._kept_by_code(limit)
            if limit.polygons is not None:
                rows = np.flatnonzero(chosen)
                outlines = outlines_in(limit.polygons, folder, prepared.units.crs)
                chosen[:] = False
                chosen[rows[_with_part_in(geometries_of(prepared.located.parcels, rows), outlines)]] = True  # fmt: skip
                if not chosen.any():
                    raise InputError(f"of the {rows.size} parcels that the row could keep none has part in {limit.polygons.name}", f"limits, row {limit.row}, polygons", "Check its CRS and its place, and the row's code and unit.")  # fmt: skip
            found.append(Kept(limit, chosen))
        return tuple(found)

    def cut_names(self, limit: Limit) -> list[str]:
        """Return the categories that a limit cuts.

        Raises
        ------
        InputError
            If it names none that can be cut.
        """
        able, _ = self.effects.can_be_cut()
        names = limit.names(able)
        # Without a table whatever emits is cut, be it nothing.
        if not names and limit not in UNLIMITED:
            raise InputError(f"no category {limit.category!r} emits on land of its own type", f"limits, row {limit.row}", f"There are {', '.join(able)}." if able else "No category does.")  # fmt: skip
        return names

    def base_cuts(self) -> dict[tuple[int, int], int]:
        """Return grams that there are of what each limit cuts, by row of the table and of the unit."""
        return {
            (limit.row, unit): self.effects.of_cut(self.cut_names(limit), unit)[0]
            for limit in self.limits
            if limit.do == "cut"
            for unit in self.units_of(limit)
        }

    def program(
        self, needs: Sequence[Need], base: Mapping[tuple[int, int], int], kept: Sequence[Kept], *, convert: bool
    ) -> Program:  # fmt: skip
        """Return the program.

        Parameters
        ----------
        needs
            As of the run.
        base
            Grams that per cents of cuts are of.
        kept
            Land that may not be converted.
        convert
            Whether land is still to be converted.
        """
        build = _Builder(self)
        for limit in self.limits:
            if limit.do == "cut":
                build.add_cuts(limit, base)
            elif limit.do == "gdp":
                build.add_gdp(limit)
            elif limit.do == "convert" and convert:
                build.add_conversions(limit, kept)
        build.add_room()
        return build.program(needs)


class _Builder:
    """Collects variables and caps, row by row of the table."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.steps: list[Step] = []
        self.caps: list[Cap] = []
        self.cost: list[float] = []
        self.upper: list[float] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in ("emission", "sink", "gdp")}
        self._cut: dict[tuple[int, str], Limit] = {}
        self._converted: dict[tuple[int, str], Limit] = {}
        self._removed: dict[int, dict[str, int]] = {}

    def _add(self, steps: Sequence[Step], costs: Sequence[float], upper: float, **columns: Any) -> range:  # fmt: skip
        """Add variables and their columns [unit, variable]; return their places."""
        shape = (len(self.model.units), len(steps))
        for name, known in self._columns.items():
            known.append(columns.get(name, sparse.csc_array(shape)))
        before = len(self.steps)
        self.steps += steps
        self.cost += costs
        self.upper += [upper] * len(steps)
        return range(before, len(self.steps))

    def add_cuts(self, limit: Limit, base: Mapping[tuple[int, int], int]) -> None:
        """Add a variable for each unit: all of its land's categories are cut alike."""
        model, names = self.model, self.model.cut_names(limit)
        units, places = model.units_of(limit), {}
        for unit in units:
            for name in names:
                self._once(self._cut, (unit, name), limit, f"{name} of {model.units['id'].iloc[unit]} is cut")  # fmt: skip
            whole, there = model.effects.of_cut(names, unit)
            if not whole:
                continue
            cap = _cap_of_cut(limit, base[limit.row, unit])
            upper = 1.0 if limit.unit == "" else min(float(Fraction(cap, whole)), 1.0)
            step = Step("cut", limit, unit, tuple(names), amount=float(whole))
            column = sparse.csc_array(-there.reshape(-1, 1))
            [place] = self._add([step], [_priced(limit, whole / 1e6)], upper, emission=column)
            places[place] = float(whole)
        if limit.unit == "" and limit.most is not None:
            whole = sum(base[limit.row, unit] for unit in units)
            self.caps.append(Cap(limit, -1, places, _cap_of_cut(limit, whole) * (1 - 1e-9)))

    def add_gdp(self, limit: Limit) -> None:
        """Add GDP of each unit that is known, up to the cap; together, parts of it."""
        model = self.model
        one = currency_units_of_one(model.currency)
        units = [unit for unit in model.units_of(limit) if not pd.isna(model.units["gdp"].iloc[unit])]  # fmt: skip
        now = {unit: Fraction(int(model.units["gdp"].iloc[unit]), one) for unit in units}
        assert limit.most is not None, "a row with gdp has a cap"
        places = {}
        for unit in units:
            self._once(self._cut, (unit, "gdp"), limit, f"GDP of {model.units['id'].iloc[unit]} is raised")  # fmt: skip
            whole = sum(now.values()) if limit.unit == "" else now[unit]
            most = limit.most if limit.measured_in != "%" else limit.most / 100 * whole
            if not most:
                continue
            column = sparse.csc_array(([float(most * one)], ([unit], [0])), shape=(len(model.units), 1))  # fmt: skip
            step = Step("gdp", limit, unit, amount=float(most))
            [place] = self._add([step], [_priced(limit, float(most))], 1.0, gdp=column)
            places[place] = 1.0
        if limit.unit == "":
            self.caps.append(Cap(limit, -1, places, 1.0))

    def add_conversions(self, limit: Limit, kept: Sequence[Kept]) -> None:
        """Add each parcel that may be converted."""
        model = self.model
        answer, area = model.effects.answer, model.hectares
        free = model.convertible(limit)
        for each in kept:
            free &= ~each.parcels
        rows = np.flatnonzero(free)
        if not rows.size:
            return
        try:
            changes = mass_of_conversion(answer, limit.to, rows)
        except InputError as error:
            raise InputError(Problem(each.what, f"limits, row {limit.row}", each.hint) for each in error.problems) from error  # fmt: skip
        emission, sink = model.effects.of_change(changes, rows)
        homes = model.effects.unit_of_parcel[rows].tolist()
        steps = []
        for parcel, unit in zip(rows.tolist(), homes, strict=True):
            self._once(self._converted, (parcel, limit.to), limit, f"a parcel of {limit.code} becomes {limit.to}")  # fmt: skip
            steps.append(Step("convert", limit, unit, parcel=parcel, amount=float(area[parcel])))
        added = self._add(steps, [_priced(limit, step.amount) for step in steps], 1.0, emission=emission, sink=sink)  # fmt: skip
        for number, place in enumerate(added):
            self._removed[place] = {name: -int(change[number]) for name, change in changes.items() if change[number] < 0}  # fmt: skip
        if limit.most is None:
            return
        within, whole = model.hectares_in(limit, rows), model.hectares_of_code(limit)
        for column, unit in enumerate(model.places_of(limit)):
            some = slice(within.indptr[column], within.indptr[column + 1])
            inside = zip(within.indices[some].tolist(), within.data[some].tolist(), strict=True)
            most = float(limit.most) if limit.measured_in == "ha" else float(limit.most) / 100 * float(whole[column])  # fmt: skip
            self.caps.append(Cap(limit, unit, {added[row]: hectares for row, hectares in inside}, most))  # fmt: skip

    def add_room(self) -> None:
        """Bound what happens to one thing twice: a parcel becomes one use, and what is removed with land is not cut as well."""
        parcels: dict[int, dict[int, float]] = {}
        by_unit: dict[int, list[int]] = {}
        for place, step in enumerate(self.steps):
            if step.do == "convert":
                parcels.setdefault(step.parcel, {})[place] = 1.0
                by_unit.setdefault(step.unit, []).append(place)
        self.caps += [Cap(None, -1, row, 1.0) for row in parcels.values() if len(row) > 1]
        for place, step in enumerate(self.steps):
            if step.do != "cut":
                continue
            row = {}
            for other in by_unit.get(step.unit, ()):
                gone = sum(grams for name, grams in self._removed[other].items() if name in step.names)  # fmt: skip
                if gone:
                    row[other] = float(gone)
            if row:
                self.caps.append(Cap(None, step.unit, {place: step.amount, **row}, step.amount))

    def program(self, needs: Sequence[Need]) -> Program:
        """Return the program of all that was added."""
        height = len(self.model.units)
        blocks = {
            name: (sparse.hstack(columns) if columns else sparse.csc_array((height, 0))).tocsr()
            for name, columns in self._columns.items()
        }
        return Program(tuple(self.steps), **blocks, cost=np.array(self.cost, np.float64), upper=np.array(self.upper, np.float64), caps=tuple(self.caps), needs=tuple(needs))  # fmt: skip

    def _once(self, known: dict[Any, Limit], key: Any, limit: Limit, what: str) -> None:
        if key in known:
            raise InputError(f"{what} by two rows, {known[key].row} and {limit.row}", "limits", "Keep one of them.")  # fmt: skip
        known[key] = limit


def _with_part_in(parcels: NDArray[np.object_], outlines: NDArray[np.object_]) -> NDArray[np.int64]:
    """Return the rows of polygons of which part lies in others; a border in common is no part."""
    of_outline, rows = shapely.STRtree(parcels).query(outlines, predicate="intersects")
    part = shapely.area(shapely.intersection(outlines[of_outline], parcels[rows]))
    return np.unique(rows[part > MIN_SHARE * shapely.area(parcels[rows])])


def _cap_of_cut(limit: Limit, grams: int) -> int:
    """Return how many grams may be cut of what there is."""
    if limit.most is None:
        return grams
    most = limit.most / 100 * grams if limit.measured_in == "%" else limit.most * 10**6
    return min(int(most), grams)


def _priced(limit: Limit, amount: float) -> float:
    return amount * (1.0 if limit.cost is None else limit.cost)


def currency_units_of_one(currency: str) -> int:
    """Return how many whole currency units one unit of the case's GDP is."""
    from decimal import Decimal

    return currency_units(Decimal(1), currency)
