"""What a finished run would give with other totals, weights or facilities: the same steps, of the categories that change."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from carbongrid.case.readers.inputs import Inputs
from carbongrid.errors import InputError, Problem
from carbongrid.inventory.decimals import in_own_decimals
from carbongrid.method.evidence import EvidenceRow
from carbongrid.method.ledger import LedgerRow
from carbongrid.method.parcel_mass import ParcelMass
from carbongrid.method.sharing import Shares, reduce_to_cells, reduce_to_units
from carbongrid.method.weights import PackedWeights, WeightInputs, weigh
from carbongrid.outputs.ledger_table import LedgerTable
from carbongrid.outputs.reading import for_people
from carbongrid.outputs.report.plots import Plots
from carbongrid.outputs.tables.content import evidence_of, inventory_of, ledger_of, units_of
from carbongrid.outputs.tables.rasters import with_densities
from carbongrid.pipeline.allocation import allocate_totals, closed_ledger
from carbongrid.pipeline.changes import (
    MEASURED,
    RUN,
    TOTALS,
    WEIGHTS,
    Key,
    Mass,
    by_one_total,
    facility_row,
    known_category,
    require_by_category,
    total_given,
    values_by_parcel,
    with_totals,
    with_weight,
    without_facility,
)
from carbongrid.pipeline.facilities import PlacedFacilities, has_remainders, within_regions
from carbongrid.pipeline.guesses import notes_of_guesses
from carbongrid.pipeline.land import Land
from carbongrid.pipeline.plans import plan_of
from carbongrid.pipeline.prepared import PreparedRun
from carbongrid.pipeline.rasterizing import problems_outside, sectors_of
from carbongrid.pipeline.residents import residential_parcels, residential_types
from carbongrid.pipeline.scenario import apply_plan
from carbongrid.pipeline.tables import (
    Indexed,
    Zoned,
    emission_and_sink,
    evidence_in_gas,
    gas_of_inputs,
    inventory_of_totals,
    unit_masses_by_name,
    with_mass,
    zone_land,
)
from carbongrid.pipeline.weights_step import Weighed, one_spelling, regions_of

if TYPE_CHECKING:
    import xarray as xr


@dataclass(frozen=True)
class ChangedCategory:
    """One category as the change leaves it.

    Parameters
    ----------
    mass
        Grams on parcels.
    units : int64, shape (units,)
        Grams of each.
    ledger, evidence
        Its rows.
    problems
        What a run would warn of.
    """

    mass: ParcelMass
    units: NDArray[np.int64]
    ledger: tuple[LedgerRow, ...]
    evidence: tuple[EvidenceRow, ...]
    problems: tuple[Problem, ...]


@dataclass(frozen=True, repr=False, eq=False)
class LiveResult:
    """What a run would give with some of its case changed: the same integers as a run of the changed case.

    Its tables are those of :class:`carbongrid.Result`; nothing is written. Asked again, it goes on from what was changed before.

    Parameters
    ----------
    prepared
        The run that is asked, which many questions share.
    inputs
        The changed tables.
    placed
        Where the facilities of the changed case lie.
    parts
        The categories that were changed, by name; all others are the run's.
    claims
        Weights that were changed, by category.
    said
        What a plan says of itself, such as units that it left as they were.
    """

    prepared: PreparedRun
    inputs: Inputs
    placed: PlacedFacilities
    parts: Mapping[str, ChangedCategory] = field(default_factory=dict)
    claims: Mapping[str, PackedWeights] = field(default_factory=dict)
    said: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, prepared: PreparedRun) -> LiveResult:
        """Return the run itself: nothing is changed yet."""
        inputs, table = prepared.inputs, prepared.inputs.facilities
        if table is not None and has_remainders(table):  # else no land is read for it
            table = within_regions(inputs, prepared.land, prepared.placed)
            inputs = dataclasses.replace(inputs, facilities=table)
        return cls(prepared, inputs, prepared.placed)

    @in_own_decimals
    def with_totals(self, totals: Mapping[Key, Mass]) -> LiveResult:
        """Return what other totals would give.

        Parameters
        ----------
        totals
            By category, or by category and region, ``("industry/mining", "320500")``: the whole mass, as text with its unit (``"12.5 Mt CO2e"``) or as a
            number in t, of what that total was of. A total that was there is replaced, one of a further region is added; a whole includes its regions.

        Returns
        -------
        LiveResult
            A new answer; this one stays as it is. Ask the new one again to change more.

        Raises
        ------
        InputError
            As a run of the changed case; for a category that has no total in the run; and for what cannot be changed without reading the case again.
        """
        require_by_category(totals, TOTALS)
        given = {key: total_given(mass, key) for key, mass in totals.items()}
        inputs = with_totals(
            self.inputs, self.prepared.land, given, lambda: self.prepared.names_of_parents
        )
        names = {key if isinstance(key, str) else key[0] for key in given}
        return self.recomputed(names, inputs, self.placed)

    @in_own_decimals
    def with_weights(self, weights: Mapping[str, Any]) -> LiveResult:
        """Return what other weights would give.

        Parameters
        ----------
        weights
            By category: what each parcel claims, as a Series or mapping by parcel id (a parcel that is left out claims nothing) or an array in the
            order of the ids, which is as a column of the parcels and ``field:COLUMN``; or a rule, ``area``, ``field:COLUMN`` or ``raster:PATH`` where the
            run has the column or the raster.

        Returns
        -------
        LiveResult
            The answer, as that of :meth:`with_totals`.

        Raises
        ------
        InputError
            As a run of the changed case; for a rule that measures geometry, and for a category that has no total in the run.
        """
        require_by_category(weights, WEIGHTS)
        inputs, claims = self.inputs, dict(self.claims)
        for name, weight in weights.items():
            inputs, claims[name] = self._weighed(inputs, name, weight)
        return self._with_claims(claims, weights, inputs)

    @in_own_decimals
    def without(
        self, facility: str, *, category: str | None = None, emission: str = "remove"
    ) -> LiveResult:
        """Return what there would be without a facility.

        Parameters
        ----------
        facility
            Its name.
        category
            Its category, where several facilities have the name.
        emission
            ``remove``: its mass is gone, the total of its category falls by it, and all others emit what they did. ``redistribute``: the total stays, and all that carries the
            category takes the mass, as if nobody had named the facility.

        Returns
        -------
        LiveResult
            The answer, as that of :meth:`with_totals`.

        Raises
        ------
        InputError
            As a run of the changed case, and if there is no such facility.
        """
        if emission not in ("remove", "redistribute"):
            what = f"{emission!r} is no fate of a facility's emission"
            raise InputError(what, "without", 'Give "remove" or "redistribute".')
        row = facility_row(self.inputs, facility, category)
        land, remove = self.prepared.land, emission == "remove"
        home = int(self.placed.homes(land)[row])
        inputs = without_facility(self.inputs, land, row, home, remove=remove)
        table = self.inputs.facilities
        assert table is not None, "it has the row"
        placed = self.placed.taken(np.arange(len(table)) != row)
        return self.recomputed([str(table["category"].iloc[row])], inputs, placed)

    @in_own_decimals
    def scenario(
        self, actions: Iterable[Mapping[str, Any]], *, folder: str | Path | None = None
    ) -> LiveResult:
        """Return what a plan would give: actions in order, as in a plan's file (docs/howto/plan.md).

        Parameters
        ----------
        actions
            Mappings with ``do``: ``scale`` (a category, a facility, or what lies on land), ``add`` and ``remove`` a facility, ``convert`` land to another
            code, ``gdp``. Land is selected by ``units``, ``parcels``, ``code`` and ``inside`` (a file of polygons, or a GeoDataFrame).
        folder
            What paths in the plan are relative to; default: where Python runs.

        Returns
        -------
        LiveResult
            The answer, as that of :meth:`with_totals`; it can be asked again, or compared with the run by :func:`carbongrid.compare`.

        Raises
        ------
        InputError
            For the first action that cannot be done, by its number, with what is there; and as a run of the changed case.
        """
        return apply_plan(self, plan_of(actions, folder=None if folder is None else Path(folder)))

    def by_proxies_alone(self, categories: Iterable[str] | None = None) -> LiveResult:
        """Return what one whole total of each category, or of some, would give by the same weights, without totals of regions and without a facility.

        Parameters
        ----------
        categories
            Those that are spread so; default: all.

        Returns
        -------
        LiveResult
            The answer, as that of :meth:`with_totals`.

        Raises
        ------
        InputError
            As a run of such a case.
        """
        none = np.zeros(0, np.int64)
        nowhere = PlacedFacilities(none, none, ())
        names = self.inputs.categories if categories is None else categories
        return self.recomputed(names, by_one_total(self.inputs), nowhere)

    def on(self, prepared: PreparedRun) -> LiveResult:
        """Return the answer on land, or with GDP, that is another; what was allocated stays."""
        return dataclasses.replace(self, prepared=prepared)

    def reweighed(
        self, name: str, weights: NDArray[np.float64], column: str, inputs: Inputs
    ) -> LiveResult:
        """Return the answer with other tables, and what parcels claim of a category as a column of this name would have it."""
        inputs, packed = self._weighed(inputs, name, weights, column)
        return self._with_claims({**self.claims, name: packed}, [name], inputs)

    @cached_property
    def units(self) -> gpd.GeoDataFrame:
        """The units with indices and zones, as those of a run."""
        table = units_of(self.zoned.units, self.inputs.case.units.parents, tuple(self.inputs.categories.values()))  # fmt: skip
        return gpd.GeoDataFrame(for_people(table), copy=False)

    @cached_property
    def zoned(self) -> Zoned:
        """The units with mass in int64 grams, as the steps of a run hand them on."""
        prepared, categories = self.prepared, self.inputs.categories
        mass = prepared.unit_masses.copy()
        for name, part in self.parts.items():
            mass[:, list(categories).index(name)] = part.units
        units = prepared.units.drop(columns=list(categories))
        masses = pd.DataFrame(unit_masses_by_name(categories.values(), mass), units.index)
        return zone_land(self.inputs, Indexed(pd.concat([units, masses], axis="columns"), ()))

    @property
    def changes(self) -> tuple[str, ...]:
        """The categories that were changed, and ``GDP`` if that was."""
        now, before = (each["gdp"].to_numpy(np.float64, na_value=np.nan) for each in (self.prepared.units, self.prepared.result.units))  # fmt: skip
        return (*self.parts, *(() if np.array_equal(now, before, equal_nan=True) else ("GDP",)))

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Warnings and notes on the totals and on the categories that changed, as a run gives them."""
        of_parts = (problem for part in self.parts.values() for problem in part.problems)
        guesses = notes_of_guesses(self.inputs)
        return tuple(dict.fromkeys((*self.inputs.notes, *guesses, *of_parts, *self.said)))

    @property
    def ledger_rows(self) -> tuple[LedgerRow, ...]:
        """The ledger in int64 grams, category by category."""
        rows = {**self.prepared.ledger, **{name: part.ledger for name, part in self.parts.items()}}
        return tuple(row for name in self.inputs.categories for row in rows[name])

    @property
    def ledger(self) -> LedgerTable:
        """The ledger, as that of a run."""
        return LedgerTable(for_people(ledger_of(self.ledger_rows)))

    @property
    def evidence(self) -> pd.DataFrame:
        """What was given, used and lost, as that of a run."""
        rows = self.evidence_rows
        in_order = (row for name in self.inputs.categories for row in rows[name])
        return for_people(evidence_of(evidence_in_gas(in_order, gas_of_inputs(self.inputs))))

    @property
    def evidence_rows(self) -> dict[str, tuple[EvidenceRow, ...]]:
        """Rows of the table of evidence, by category."""
        return {**self.prepared.evidence, **{name: part.evidence for name, part in self.parts.items()}}  # fmt: skip

    @property
    def inventory(self) -> pd.DataFrame:
        """The totals, as those of a run; gases added up."""
        return for_people(inventory_of(inventory_of_totals(self.inputs.totals)))

    @cached_property
    def parcels(self) -> gpd.GeoDataFrame:
        """The parcels, as those of a run: mass in int64 grams."""
        return self.fresh_parcels()

    def fresh_parcels(self) -> gpd.GeoDataFrame:
        """Return the parcels as the answer has them, whatever became of :attr:`parcels` in the user's hands."""
        before = self.prepared.result.parcels
        uses = self.prepared.parcels[["land_use", "type", "mode"]]
        columns: dict[str, Any] = {str(name): uses[name].to_numpy() for name in uses}
        names = list(self.parts)
        categories = [self.inputs.categories[name] for name in names]
        now = [self.parts[name].mass for name in names]
        for name, mass in zip(names, now, strict=True):
            columns[name] = np.zeros(len(before), np.int64)
            mass.add_to(columns[name])
        more = emission_and_sink(categories, now, len(before))
        less = emission_and_sink(categories, self.prepared.masses(names), len(before))
        for name in more:
            columns[name] = before[name].to_numpy(np.int64) + (more[name] - less[name])
        return before.assign(**columns)

    @cached_property
    def grid_1km(self) -> xr.Dataset:
        """Emission, sink, sectors and densities per coarse cell, as those of a run."""
        return self.fresh_grid()

    def fresh_grid(self) -> xr.Dataset:
        """Return the coarse grid as the answer has it, whatever became of :attr:`grid_1km` in the user's hands."""
        before, categories = self.prepared.result.grid_1km.copy(deep=True), self.inputs.categories
        kinds = categories.values()
        structures = [category.structure for category in kinds]
        shape = (before.sizes["y"], before.sizes["x"])
        cells = reduce_to_cells(self.masses(list(categories)), sectors_of(kinds), structures, self.prepared.shares, shape)  # fmt: skip
        return with_densities(with_mass(before, cells, gas_of_inputs(self.inputs)))

    def masses(self, names: Sequence[str]) -> list[ParcelMass]:
        """Return grams of some categories on parcels."""
        kept = [name for name in names if name not in self.parts]
        known = dict(zip(kept, self.prepared.masses(kept), strict=True))
        return [known[name] if name in known else self.parts[name].mass for name in names]

    @property
    def plot(self) -> Plots:
        """Draws the units, as that of a run."""
        return Plots(self.units, lambda: self.grid_1km, gas_of_inputs(self.inputs))

    def __repr__(self) -> str:
        """Return what is changed, and how many units are in another zone."""
        base = self.prepared.result
        zones, before = self.zoned.units["zone"].to_numpy(), base.units["zone"].to_numpy()
        turned = int((zones != before).sum())
        changed = ", ".join(self.changes) or "nothing"
        return (
            f"<carbongrid.LiveResult> {base.manifest['title']}, {base.manifest['year']}\n"
            f"  changed  {changed}\n"
            f"  zones    {turned} of {len(zones)} units in another\n"
            "tables: units, parcels, inventory, ledger, evidence; field: grid_1km"
        )

    def _weighed(
        self, inputs: Inputs, name: str, weight: Any, column: str | None = None
    ) -> tuple[Inputs, PackedWeights]:
        """Return the inputs with another weight of a category, and what parcels claim by it; numbers go by a name, that of the Series if none is given."""
        known_category(inputs, name, WEIGHTS)
        prepared, parcels = self.prepared, self.prepared.parcels
        if not isinstance(weight, str):
            column = str(column or getattr(weight, "name", None) or "weight")
            values = values_by_parcel(weight, parcels["id"], name)
            parcels = parcels.assign(**{f"field:{column}": values})
            weight = f"field:{column}"
        elif weight.partition(":")[0] in MEASURED:
            before = prepared.inputs
            if weight != before.categories[name].weight or regions_of(before, name) != regions_of(inputs, name):  # fmt: skip
                what = f"{weight!r} measures geometry, which takes longer than an answer may"
                raise InputError(what, f"{WEIGHTS}, {name}", RUN)
            return with_weight(inputs, name, weight), prepared.claims([name])[name]
        inputs = one_spelling(with_weight(inputs, name, weight))
        self._require_kept(inputs.categories[name].weight, parcels, name)
        evidence = WeightInputs(
            coefficients=prepared.tables.coefficients,
            rasters=prepared.shares.raster_sums,
            raster_known=prepared.shares.raster_known,
        )
        return inputs, PackedWeights.of(weigh(inputs.categories[name], parcels, evidence))

    def _require_kept(self, weight: str, parcels: pd.DataFrame, name: str) -> None:
        """Raise InputError if a rule needs a column or a raster by which nothing of the run went: whether the case has it a run does not know."""
        rule, _, of = weight.partition(":")
        if rule == "field" and weight not in parcels:
            what = (
                f"the run keeps no column {of!r} of its parcels, since nothing in it goes by that"
            )
            way = "Give its numbers by parcel id, or write it in the case and run it."
            raise InputError(what, f"{WEIGHTS}, {name}", way)
        if rule == "raster" and of not in self.prepared.shares.raster_sums:
            what = f"the run keeps no sums of the raster {of!r}, since nothing in it goes by that"
            raise InputError(what, f"{WEIGHTS}, {name}", RUN)

    def _with_claims(
        self, claims: Mapping[str, PackedWeights], names: Iterable[str], inputs: Inputs
    ) -> LiveResult:
        """Return the answer with what parcels claim, of some categories by other weights."""
        self._require_people_where_they_were(inputs)
        return dataclasses.replace(self, claims=claims).recomputed(names, inputs, self.placed)

    def _require_people_where_they_were(self, inputs: Inputs) -> None:
        """Raise InputError if categories go by people who would be located on other land than in the run, since other categories go by them now."""
        by_people = [name for name, each in inputs.categories.items() if each.weight == "people"]
        if inputs.case.people is None or not by_people:
            return
        both = (self.prepared.inputs.categories, inputs.categories)
        # A million parcels are looked through, for a quarter of a second, where the types do not say it.
        if len({residential_types(each) for each in both}) == 1:
            return
        was, is_now = (residential_parcels(each, self.prepared.parcels) for each in both)
        if not np.array_equal(was, is_now):
            what = f"people would be located on other land than in the run, and with them {', '.join(by_people)}"
            raise InputError(what, WEIGHTS, RUN)

    def recomputed(
        self, names: Iterable[str], inputs: Inputs, placed: PlacedFacilities
    ) -> LiveResult:
        """Return the answer with other tables: the steps of a run done again for the categories that changed.

        Parameters
        ----------
        names
            The categories.
        inputs, placed
            The changed tables, and where their facilities lie.

        Raises
        ------
        InputError
            As a run of the changed case.
        """
        chosen = [name for name in inputs.categories if name in set(names)]
        if not chosen:
            return self
        prepared = self.prepared
        if inputs.facilities is not None:
            table = within_regions(inputs, prepared.land, placed)
            inputs = dataclasses.replace(inputs, facilities=table)
        kept = prepared.claims([name for name in chosen if name not in self.claims])
        parts, faults = dict(self.parts), list[Problem]()
        for name in chosen:
            claims = self.claims.get(name) or kept[name]
            try:
                parts[name] = changed_category(name, inputs, prepared.land, claims, placed, prepared.shares)  # fmt: skip
            except InputError as error:
                faults += error.problems
        if faults:
            raise InputError(faults)
        return dataclasses.replace(self, inputs=inputs, placed=placed, parts=parts)


def changed_category(
    name: str,
    inputs: Inputs,
    land: Land,
    claims: PackedWeights,
    placed: PlacedFacilities,
    shares: Shares,
) -> ChangedCategory:
    """Return one category allocated and reduced, as a run of the changed case would.

    Parameters
    ----------
    name
        The category.
    inputs, land
        The changed tables, and where parcels stand.
    claims
        What parcels claim of it.
    placed
        Where the facilities of the changed tables lie.
    shares
        What parcels have in common with units.

    Raises
    ------
    InputError
        With what a run would refuse, before what it would only note.
    """
    allocation = allocate_totals(inputs, land, Weighed({name: claims}), placed)
    structures = [inputs.categories[name].structure]
    mass = reduce_to_units(allocation.masses, structures, shares)
    problems = (*allocation.problems, *problems_outside(inputs, allocation, mass))
    if any(problem.level == "error" for problem in problems):
        raise InputError(sorted(problems, key=lambda problem: problem.level != "error"))
    sums = mass.units.sum(axis=0), mass.outside, mass.snapped
    ledger = closed_ledger(allocation.ledger, [name], *sums)
    [grams] = allocation.masses
    return ChangedCategory(grams, mass.units[:, 0], ledger, allocation.evidence, problems)
