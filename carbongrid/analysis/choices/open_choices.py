"""Choices that the method leaves open, with their defensible values, and which of them a finished run can answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbongrid.case.readers.electricity_counted import has_both_electricities
from carbongrid.method.gas import CO2, gas_of_emissions
from carbongrid.method.gdp import industries
from carbongrid.method.landuse import packaged_table
from carbongrid.pipeline.tables import inventory_of_totals

if TYPE_CHECKING:
    from carbongrid.case import Case
    from carbongrid.pipeline.prepared import PreparedRun

Reading = Mapping[str, str]
"""A value for each choice that is tried."""

AS_GIVEN = "as given"
NO_CROPS = "no-crops"
_NO_POIS_OF_GDP = "GDP was split by POIs that the run has not put on parcels, or before a plan changed land or GDP: it cannot be split again"
_NO_CASE = "the run keeps totals, no activity data: name its case (--case)"
_OF_CO2_ALONE = "totals are of CO2 alone, which no GWP changes"
_GIVEN = "totals were given in CO2e: nobody knows their gases and rows"


@dataclass(frozen=True)
class Value:
    """A value of a choice.

    Parameters
    ----------
    name
        As a case has it.
    why
        What speaks for it.
    not_tried
        Why this run cannot answer it; blank where it can.
    """

    name: str
    why: str
    not_tried: str = ""


@dataclass(frozen=True)
class Choice:
    """A choice, and what of it a run can answer.

    Parameters
    ----------
    name
        Such as ``electricity``.
    decision
        Number of the decision that sets the default, such as ``D24``.
    question
        What is left open.
    own
        The run's value.
    values
        All that can be defended, the run's own first.
    """

    name: str
    decision: str
    question: str
    own: str
    values: tuple[Value, ...]

    @property
    def tried(self) -> tuple[str, ...]:
        """The values that the run can answer, its own first."""
        return tuple(value.name for value in self.values if not value.not_tried)

    def without(self, name: str, reason: str) -> Choice:
        """Return the choice with a value that is not tried after all."""
        values = tuple(
            Value(each.name, each.why, reason) if each.name == name else each
            for each in self.values
        )
        return Choice(self.name, self.decision, self.question, self.own, values)


def choices_of(run: PreparedRun, case: Case | None = None) -> tuple[Choice, ...]:
    """Return every choice, and for each of its values whether a finished run can answer it without measuring geometry.

    Parameters
    ----------
    run
        The run.
    case
        Its case, whose activity data can be read again; None where it is not at hand.
    """
    table = packaged_table("choices.csv")
    found = []
    for name, rows in table.groupby("choice", sort=False):
        own, fault = _own_and_fault(str(name), run, case)
        values = []
        for row in rows.to_dict("records"):
            told = {str(key): str(cell) for key, cell in row.items()}
            names = run.tables.case.units.parents if told["value"] == "parent" else (told["value"],)
            values += [Value(each, told["why"], "" if each == own else fault.get(each, fault.get("*", ""))) for each in names]  # fmt: skip
        if own not in {value.name for value in values}:
            values.append(Value(own, AS_GIVEN))
        ordered = sorted(values, key=lambda value: value.name != own)
        first = rows.iloc[0]
        found.append(Choice(str(name), first["decision"], first["question"], own, tuple(ordered)))
    return tuple(found)


def _own_and_fault(name: str, run: PreparedRun, case: Case | None) -> tuple[str, dict[str, str]]:
    """Return a run's value of a choice, and why others cannot be answered, by value; ``*`` is any that is not named."""
    told = run.tables.case
    if name == "electricity":
        return told.electricity or AS_GIVEN, dict(_electricity(run, case))
    if name == "basis":
        return "gross", {}
    if name == "reference":
        return told.reference, {}
    if name == "water":
        return (told.units.water if run.tables.water is None else "table"), dict(_water(run))
    if name == "reduce":
        return told.reduce, dict(_reduce(run))
    if name == "road_lambda":
        return _number(told.lines.lambda_) if told.lines else AS_GIVEN, dict(_roads(run))
    if name == "poi_miss":
        return told.pois.miss if told.pois else AS_GIVEN, dict(_pois(run))
    if name == "gdp_split":
        return _gdp(run)
    if name == "ties":
        return told.ties, {}
    if name == "gwp":
        if told.inventory is None:
            gas = gas_of_emissions(inventory_of_totals(run.tables.totals), run.tables.categories.values(), formed=False)  # fmt: skip
            return AS_GIVEN, {"*": _OF_CO2_ALONE if gas.name == CO2 else _GIVEN}
        return told.inventory.gwp, {} if case else {"*": _NO_CASE}
    assert name == "sinks", f"{name} is a choice of choices.csv"
    return _sinks(run, case)


def _number(value: float) -> str:
    short = f"{value:g}"
    return short if float(short) == value else repr(value)


def _electricity(run: PreparedRun, case: Case | None) -> Iterator[tuple[str, str]]:
    told, tables = run.tables.case, run.tables
    if told.inventory is not None:
        if case is None:
            yield "*", _NO_CASE
        return
    yield "consumption", "a balance counts kWh, of which a table of totals says nothing"
    if not has_both_electricities(told, tables.categories, tables.totals, None):
        yield "*", "the totals hold one side of electricity only, or none"
    elif told.electricity != "both":
        yield (
            "*",
            "the run keeps no weights of what it set aside: run the case with electricity = both",
        )


def _reduce(run: PreparedRun) -> Iterator[tuple[str, str]]:
    if run.tables.case.reduce == "exact":
        yield "cells", "cells were not counted in the run: it measures geometry"
    elif any(each.structure for each in run.tables.categories.values()):
        yield "exact", "what weight rasters share was filled by cells: it measures geometry"
    elif not gdp_can_follow(run):
        yield (
            "exact",
            _NO_POIS_OF_GDP,
        )


def _water(run: PreparedRun) -> Iterator[tuple[str, str]]:
    if not gdp_can_follow(run):
        yield "*", _NO_POIS_OF_GDP


def _roads(run: PreparedRun) -> Iterator[tuple[str, str]]:
    roads = [name for name, each in run.tables.categories.items() if each.weight == "roads"]
    if not roads:
        yield "*", "no category goes by corrected road length"
    elif any("by_pois" not in run.claims([name])[name].arrays for name in roads):
        yield (
            "*",
            "the run was made by an earlier version, which kept no lengths of roads: run the case again",
        )


def _pois(run: PreparedRun) -> Iterator[tuple[str, str]]:
    case = run.tables.case
    by_pois = any(each.weight == "pois" for each in run.tables.categories.values())
    if case.pois is None or (not by_pois and gdp_can_follow(run)):
        yield "*", "no category goes by POIs"
    elif case.pois.miss == "drop":
        yield "nearest", "which parcel is nearest was not asked in the run: it measures geometry"
    elif not gdp_can_follow(run):
        yield (
            "drop",
            _NO_POIS_OF_GDP,
        )


def _gdp(run: PreparedRun) -> tuple[str, dict[str, str]]:
    section = run.tables.case.gdp
    if section is None:
        return AS_GIVEN, {"*": "the case has no GDP"}
    if section.by == "unit":
        return AS_GIVEN, {"*": "every unit has its own GDP"}
    return "industry", {}


def gdp_can_follow(run: PreparedRun) -> bool:
    """Return whether GDP that is split by POIs can be split again from what a run keeps."""
    case = run.tables.case
    if case.gdp is None or case.gdp.by == "unit":
        return True
    if run.tables.gdp is None:
        return False
    columns = set(run.tables.gdp.columns)
    names = {name for key, each in industries().items() if key in columns for name in each.categories}  # fmt: skip
    if case.pois is None or not names:
        return True
    known = run.tables.categories
    return all(
        known[name].weight == "pois" if name in known else not run.pois.get(name) for name in names
    )


def _sinks(run: PreparedRun, case: Case | None) -> tuple[str, dict[str, str]]:
    told = run.tables.case
    if told.inventory is not None:
        own = told.inventory.sinks
        fault = {} if case else {"*": _NO_CASE}
        return own, {**fault, NO_CROPS: "the set ipcc says it by land type"}
    fault = {"*": "a table of totals tells no land by type"}
    if "sink/crops" in run.tables.categories:
        fault[NO_CROPS] = ""
    else:
        fault[NO_CROPS] = "the totals have no sink of crops"
    return AS_GIVEN, fault
