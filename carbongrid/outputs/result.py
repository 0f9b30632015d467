"""What a run makes: the tables it hands to its writers, and the Result that a user gets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from carbongrid.case.notebook import card
from carbongrid.errors import InputError, Problem
from carbongrid.method.gas import Gas, gas_of_emissions
from carbongrid.outputs.marks import flags_of

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd
    import xarray as xr

    from carbongrid.method.categories import Category
    from carbongrid.method.evidence import Evidences
    from carbongrid.method.facilities import FacilityRow
    from carbongrid.method.guidance import Advice
    from carbongrid.method.ledger import Ledger
    from carbongrid.outputs.ledger_table import LedgerTable
    from carbongrid.outputs.report.plots import Plots
    from carbongrid.pipeline.changes import Key, Mass
    from carbongrid.pipeline.live import LiveResult


AS_GIVEN = "as the totals were given"
"""What a run says of its set of global warming potentials where totals were CO2e already."""


@dataclass(frozen=True)
class Benchmark:
    """A published total that a run is compared with; nothing is scaled to it.

    Parameters
    ----------
    name
        Who published it, and for when.
    total
        The total as written, such as ``231.2 Mt CO2``.
    grams
        The same in grams.
    gas
        ``CO2`` or ``CO2e``.
    year
        Year of the total; None if it was not said.
    source, scope
        Where it is published, and what it counts otherwise than the run; may be empty.
    """

    name: str
    total: str
    grams: int
    gas: str
    year: int | None = None
    source: str = ""
    scope: str = ""


def cell_side(grid: xr.Dataset) -> float:
    """Return the side of a cell of the coarse grid, m."""
    return float(grid.attrs["resolution"])


@dataclass(frozen=True)
class RunTables:
    """The tables of a run in memory, mass in int64 grams.

    Parameters
    ----------
    title, year, currency
        From the case; ``currency`` is the base currency of GDP, such as CNY, or empty.
    categories
        The categories that have a total, sorted by name; the column order everywhere.
    inventory
        One row per category, region, place and gas: category, region, place, gas, grams (CO2e), year, source.
    parcels
        In id order: id, land_use, type, mode, area_m2, geometry (grid CRS), one int64 column per category
        (its name, such as ``industry/mining``), emission_g, sink_g, cells (int64 count of fine cells, 0 where snapped).
    units
        In id order: id, name, name_en, parents, geometry (grid CRS), one int64 column per category, one per
        sector (``industry_g`` ...), emission_g, sink_g, residents (float), gdp, gdp_low, gdp_high (Int64, missing is unknown),
        ccr, ecc, ecc_low, ecc_high, esc (float), zone (int8), zone_name, zone_name_zh, borderline, indicative (bool),
        balance (source, balanced, sink), reason (why unclassified or indicative, else empty), emission_to_leave_zone_g,
        sink_to_leave_zone_g, gdp_to_leave_zone (Int64, missing where no change leads to another zone). Where zones were drawn also
        zone_probability, firm and the 5 and 95 % points of emission, sink, CCR, ECC and ESC.
    parents
        Names of the parent columns of ``units``, nearest first.
    ledger
        docs/decisions/0008.
    evidence
        What was given, used and lost, by category (docs/decisions/0037).
    grid_1km
        int64 ``emission`` and ``sink`` in g yr-1 per coarse cell and float64 ``covered_area`` in m2, dims (y, x),
        ``emission_by_sector``, dims (sector, y, x), unless the run is published or nothing emits;
        georeferenced (rioxarray CRS), coarse resolution in attribute ``resolution``.
    assumptions
        Sentences for the report: decisions taken, warnings, notes, each (level, text).
    benchmark
        A published total to compare with, or None.
    reference
        Region of C, CA and G in the indices: ``all``, or a column of the units.
    basis
        What sector shares are of: ``gross`` emission, or ``net`` of the sinks (D1).
    guidance
        Advice per zone; empty stands for the package's.
    inputs
        Name and sha256 of every file that was read.
    by_type
        int64 grams per territorial type (index) and category (columns); None: to be summed from the parcels.
    attribution
        Whom the data's licence wants named wherever the run is shown.
    audit
        How each total was formed of activity data, every cell text; None without.
    intervals
        category, co2e_t and the ends of its 95 % interval by both approaches, in t CO2e; None without activity data.
    unit_intervals
        unit, name, and emission and sink of each with the ends of the 95 % interval that the inventory alone leaves it, in t CO2e,
        in the order of the units; None without activity data.
    drawn
        Draws of the categories' totals, t CO2e [draw, category]; None without activity data, and where the run is published.
    scopes
        Scopes of the mass that was spread, by category: rows of activity data have their own. None: the categories'.
    facilities
        Emitters known by name, where they lie and could lie as well (docs/decisions/0061).
    sink_floor
        CCR of a reference region below which its zones are indicative.
    surroundings
        Polygons around the units (name, geometry in the grid's CRS), among which Fig. 1 shows their place; None without.
    ties
        How an index is compared with 1: ``>=`` or ``>``.
    gwp
        The set of global warming potentials that masses of gases became CO2e by, such as AR5; else :data:`AS_GIVEN`.
    gdp_derived
        Whether GDP of the units was derived from that of larger areas: all their zones are indicative then.
    draws
        How often the run's numbers were drawn to tell how sure zones are; 0 where they were not.
    parent_names
        By parent column, the name of each of its codes, own and English; empty where the case names none.
    other_years
        Years that GDP (``gdp``) and residents (``residents``) are of, where these are not all the run's.
    """

    title: str
    year: int
    currency: str
    categories: tuple[Category, ...]
    inventory: pd.DataFrame
    parcels: gpd.GeoDataFrame
    units: gpd.GeoDataFrame
    parents: tuple[str, ...]
    ledger: Ledger
    grid_1km: xr.Dataset
    assumptions: tuple[tuple[str, str], ...] = ()
    benchmark: Benchmark | None = None
    reference: str = "all"
    basis: str = "gross"
    guidance: tuple[Advice, ...] = ()
    inputs: tuple[tuple[str, str], ...] = ()
    by_type: pd.DataFrame | None = None
    attribution: str = ""
    audit: pd.DataFrame | None = None
    intervals: pd.DataFrame | None = None
    unit_intervals: pd.DataFrame | None = None
    drawn: xr.DataArray | None = None
    scopes: Mapping[str, tuple[int, ...]] | None = None
    evidence: Evidences = ()
    facilities: tuple[FacilityRow, ...] = ()
    sink_floor: float = 0.0
    surroundings: gpd.GeoDataFrame | None = None
    ties: str = ">="
    gwp: str = AS_GIVEN
    gdp_derived: bool = False
    draws: int = 0
    parent_names: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)
    other_years: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @cached_property
    def gas(self) -> Gas:
        """What the emissions are of."""
        return gas_of_emissions(self.inventory, self.categories, formed=self.gwp != AS_GIVEN)

    @property
    def spread(self) -> pd.DataFrame:
        """The rows of the inventory whose mass is on the land."""
        here = (self.inventory["place"] == "here") & (self.inventory["grams"] > 0)
        return self.inventory[here]

    @property
    def spread_scopes(self) -> Mapping[str, tuple[int, ...]]:
        """Scopes of the mass that was spread, by category; those of the categories where no others are known."""
        if self.scopes is not None:
            return self.scopes
        present = set(self.spread["category"])
        return {c.name: (c.scope,) for c in self.categories if c.name in present}


_TABLES = ("units", "inventory", "ledger", "evidence", "land_types")
"""What of a result is tables, but for the parcels, which are read later."""


def _marked(units: pd.DataFrame) -> list[tuple[str, str]]:
    """Return how many units have a zone that may be another, as maps hatch them: where draws say so, those that are not firm."""
    first, *others = ((flag, int(flag.marked(units).sum())) for flag in flags_of(units))
    return [(flag.name_en, f"{count:,}") for flag, count in (first, *others) if count or flag is first[0]]  # fmt: skip


def _twin[Table: pd.DataFrame](table: Table) -> Table:
    """Return a table that shares its memory until one of both is edited: pandas copies on write, GeoPandas' arrays do not."""
    twin = table.copy(deep=False)
    for name in twin.columns[twin.dtypes == "geometry"]:
        twin[name] = twin[name].array.copy()
    return twin


@dataclass(frozen=True, repr=False)
class Result:
    """A finished run directory, opened: tables are GeoDataFrames, fields are lazy xarray.

    Parameters
    ----------
    directory
        The run directory, as it was given.
    manifest
        What manifest.json holds.
    units
        GeoDataFrame as in units.gpkg.
    inventory, ledger, evidence, land_types
        DataFrames as in the CSV files, codes as text.
    grid_1km
        Dataset of grid_1km.nc as it was when the run was opened, unpacked when it is asked for.
    plot
        Draws the tables as they stand, with columns that were added: ``plot("emission_t")``, ``plot.zones()``, ``plot.ecc_esc()``, ``plot.grid()``, ``plot.explore()``.
    read_parcels
        What :attr:`parcels` is read by: a million of them are a gigabyte.
    read_labels
        What :attr:`labels` is opened by.
    prepare
        What :attr:`live` is made by.
    """

    directory: Path
    manifest: dict[str, Any]
    units: gpd.GeoDataFrame
    inventory: pd.DataFrame
    ledger: LedgerTable
    evidence: pd.DataFrame
    land_types: pd.DataFrame
    grid_1km: xr.Dataset
    plot: Plots
    read_parcels: Callable[[], gpd.GeoDataFrame] = field(repr=False)
    read_labels: Callable[[Result], xr.Dataset | None] = field(repr=False)
    prepare: Callable[[Result], LiveResult] | None = field(default=None, repr=False)
    folder: Path = field(init=False, repr=False, compare=False)
    """The run directory from the root of the file system: what is read later is read from there, wherever Python works by then."""

    def __post_init__(self) -> None:
        """Keep what was read beside what is handed out; until one is edited, both share their memory."""
        vars(self)["folder"] = self.directory.absolute()
        own = object.__new__(type(self))
        tables = {name: _twin(getattr(self, name)) for name in _TABLES}
        kept = {"manifest": deepcopy(self.manifest), "grid_1km": self.grid_1km.copy(deep=True)}
        vars(own).update(vars(self), **tables, **kept)
        vars(self)["_own"] = own

    @property
    def as_read(self) -> Result:
        """The run as it was read: answers are computed from it, since the tables are the user's, who may edit them in place."""
        # It has none itself: a ring of results would outlive its use.
        found: Result = vars(self).get("_own", self)
        return found

    def __getstate__(self) -> dict[str, Any]:
        """Return what goes into a pickle: parcels as the user has them, not twice; those of the run can be read again."""
        own = self.as_read is self
        return {
            name: value for name, value in vars(self).items() if not (own and name == "parcels")
        }

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What the run warns of and notes, in the words of its report: each with its ``level``, ``warning`` or ``note``."""
        told = self.as_read.manifest["assumptions"]
        return tuple(Problem(text, level=level) for level, text in told)

    @cached_property
    def live(self) -> LiveResult:
        """The run prepared to be asked what would be otherwise, once for all questions.

        Raises
        ------
        InputError
            If the run keeps nothing to answer from: it was made to be published, or by an earlier version.
        """
        if self.prepare is None:
            raise InputError("this run was opened to be read only", str(self.directory), "Open it with carbongrid.open.")  # fmt: skip
        return self.prepare(self)

    def with_totals(self, totals: Mapping[Key, Mass]) -> LiveResult:
        """Return what other totals would give, see :meth:`carbongrid.LiveResult.with_totals`."""
        return self.live.with_totals(totals)

    def with_weights(self, weights: Mapping[str, Any]) -> LiveResult:
        """Return what other weights would give, see :meth:`carbongrid.LiveResult.with_weights`."""
        return self.live.with_weights(weights)

    def without(
        self, facility: str, *, category: str | None = None, emission: str = "remove"
    ) -> LiveResult:
        """Return what there would be without a facility, see :meth:`carbongrid.LiveResult.without`."""
        return self.live.without(facility, category=category, emission=emission)

    def scenario(
        self, actions: Iterable[Mapping[str, Any]], *, folder: str | Path | None = None
    ) -> LiveResult:
        """Return what a plan would give, see :meth:`carbongrid.LiveResult.scenario`."""
        return self.live.scenario(actions, folder=folder)

    @cached_property
    def parcels(self) -> gpd.GeoDataFrame:
        """The parcels as in parcels.parquet, read when they are first asked for."""
        own = self.as_read
        return self.read_parcels() if own is self else _twin(own.parcels)

    @cached_property
    def labels(self) -> xr.Dataset | None:
        """Dataset of labels (parcel, unit) on the fine grid, lazy: of labels.zarr where the run kept it, else painted where values are asked for.

        Uint32 [y, x], row number + 1 of :attr:`parcels` and of :attr:`units` as they were read; None for a run that was made to be published.

        Raises
        ------
        VerificationError
            If it cannot be opened, or another run has taken the place of the one that was opened; also later, when values are read.
        """
        return self.read_labels(self)

    def __repr__(self) -> str:
        """Return the run in at most 15 lines: what it is, and its zones."""
        facts, zones = self._facts(), self._zones()
        title = "".join(
            letter if letter.isprintable() else "?" for letter in self.as_read.manifest["title"]
        )
        widest = max(len(name) for name, *_ in (*facts, *zones))
        return "\n".join(
            [
                f"<carbongrid.Result> {title}, {self.as_read.manifest['year']}",
                *(f"  {name:<{widest}}  {text}" for name, text in facts),
                *(
                    f"  {zone:<{widest}}  {units} {'unit' if units == '1' else 'units'}, {emission} t emitted, {sink} t taken up"
                    for zone, units, emission, sink in zones
                ),
                "tables: units, parcels, inventory, ledger, evidence, land_types; fields: grid_1km, labels",
            ]
        )

    def _repr_html_(self) -> str | None:
        """Return the run as a notebook shows it: what it is, and its zones."""
        return card(
            str(self.as_read.manifest["title"]),
            str(self.as_read.manifest["year"]),
            facts=[
                *self._facts(),
                ("zones are relative", "each index is held against the whole of the region"),
            ],
            columns=("zone", "units", "emission, t", "sink, t"),
            rows=self._zones(),
        )

    def _facts(self) -> list[tuple[str, str]]:
        units = self.as_read.units
        emission, sink = (float(units[name].sum()) for name in ("emission_t", "sink_t"))
        warnings = sum(problem.level == "warning" for problem in self.problems)
        missing = "report.html" in self.as_read.manifest.get("left_out", ())
        gas = Gas.of_manifest(self.as_read.manifest)
        return [
            ("units", f"{len(units):,}"),
            ("emission in them", gas.told(f"{emission:,.0f} t CO2e")),
            ("sink in them", gas.told(f"{sink:,.0f} t CO2e")),
            ("CCR of all", f"{100 * sink / emission:.3g} %" if emission else "–"),
            *_marked(units),
            ("warnings", f"{warnings}: see .problems" if warnings else "0"),
            ("report", "not written" if missing else str(self.directory / "report.html")),
        ]

    def _zones(self) -> list[tuple[str, str, str, str]]:
        """Return name, units, emission and sink in t of each zone, as legends list them."""
        return [
            (
                str(name),
                f"{len(inside):,}",
                f"{inside['emission_t'].sum():,.0f}",
                f"{inside['sink_t'].sum():,.0f}",
            )
            for (_, name), inside in sorted(
                self.as_read.units.groupby(["zone", "zone_name"]),
                key=lambda group: (group[0][0] == 0, group[0][0]),  # unclassified comes last
            )
        ]
