"""The catalogue of factors: each a number with its unit, gas, bounds, source and status."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation
from fnmatch import fnmatchcase
from fractions import Fraction
from functools import cache
from types import MappingProxyType
from typing import Any

from carbongrid.errors import InputError, Problem
from carbongrid.inventory.factors.units import (
    FLUORINATED,
    HINT,
    Dimension,
    read_unit,
    require_units,
)
from carbongrid.inventory.truth import truth_of
from carbongrid.inventory.units_of_measure import of_percent
from carbongrid.method.landuse import packaged_table

STATUSES = ("verified", "verified-secondary", "derived", "recalled")
"""Best first: read in the source; read in a transcription; computed from such; from memory, not found again."""

RECALLED = STATUSES[-1]
"""Status of a number that no source was found for: never a default while another is there."""

OWN = "own"
"""Status of a factor that the user brings."""

TABLES = (
    "combustion_ipcc",
    "combustion_cn",
    "process",
    "grid_electricity",
    "transport",
    "agriculture_inputs",
    "livestock",
    "waste",
    "crops",
    "sinks_landuse",
    "gwp100",
)
COLUMNS = (
    "key", "name", "value", "unit", "gas", "low", "high", "distribution", "source", "source_table", "year", "region", "tier",
    "upstream", "status", "note", "bounds_source", "group",
)  # fmt: skip
GASES = ("CO2", "CH4", "N2O", *FLUORINATED, "CO2e")
"""Gases kept apart; CO2e is what a source gives as a mixture already weighed."""

POTENTIALS = "gwp."
"""How the keys of global warming potentials begin: CO2e per kg of their gas."""

_LONGEST = 80
"""Letters in a number; more are no factor."""
DISTRIBUTION = re.compile(
    r"(?P<kind>normal|lognormal)(?:(?<=lognormal) x(?P<factor>\d{1,6}(?:\.\d{1,6})?))?"
)
"""What may stand in the column distribution."""
_GAS_OF = {
    "C": "CO2",
    "CE": "CO2e",
    "N2O-N": "N2O",
    "CO2": "CO2",
    "CH4": "CH4",
    "N2O": "N2O",
    "CO2e": "CO2e",
    **{gas: gas for gas in FLUORINATED},
}
_MOLAR = {"C": Fraction(44, 12), "CE": Fraction(44, 12), "N2O-N": Fraction(44, 28)}


@dataclass(frozen=True)
class Factor:
    """One factor.

    Parameters
    ----------
    key
        Name that is looked up, such as ``ipcc.ncv.anthracite``.
    name, source, source_table, year, region, note
        For people; ``region`` is world, a continent, or a country and a place in it.
    value, low, high
        The number and the ends of its 95 % interval, in ``unit``; None where the source has none.
    unit
        As the source prints it; it decides whether a mass is of C or CO2, of N2O-N or N2O.
    gas
        C, CE, CO2, CH4, N2O, CO2e or blank.
    distribution
        What the source says of the spread, such as ``lognormal x3``; blank if nothing.
    tier
        1 for defaults of the IPCC, 2 for a country's own; blank for what is no emission factor.
    upstream
        Whether it holds what is emitted elsewhere before use (D28).
    status
        One of :data:`STATUSES`, or ``own``.
    bounds_source
        Where the bounds are from, if not from the source: ``data/factors/ranges.csv``.
    group
        Factors of one group are off together: one source, one study; blank for a factor that stands alone.
    """

    key: str
    name: str
    value: Fraction | None
    unit: str
    gas: str = ""
    low: Fraction | None = None
    high: Fraction | None = None
    distribution: str = ""
    source: str = ""
    source_table: str = ""
    year: str = ""
    region: str = ""
    tier: str = ""
    upstream: bool = False
    status: str = OWN
    note: str = ""
    bounds_source: str = ""
    group: str = ""

    @property
    def substance(self) -> str:
        """What its mass is of as printed: C, CO2, N2O-N ...; by its unit, else by its gas."""
        return read_unit(self.unit).substance or self.gas

    @property
    def emits(self) -> str:
        """The gas that it gives: CO2 for a factor in C, N2O for one in N2O-N; blank if none."""
        return _GAS_OF.get(self.substance, "")

    @property
    def dimension(self) -> Dimension:
        """Dimension of its unit."""
        return read_unit(self.unit).dimension

    @property
    def molar(self) -> Fraction:
        """What makes the printed substance the gas: 44/12 for C, 44/28 for N2O-N, else 1, exactly."""
        return _MOLAR.get(self.substance, Fraction(1))

    @property
    def rank(self) -> int:
        """Place of its status, 0 the best; a user's own factor and a constant come before all."""
        return STATUSES.index(self.status) if self.status in STATUSES else -1


@dataclass(frozen=True)
class Catalogue:
    """Factors by key, and which of the package's a user has overridden.

    Parameters
    ----------
    factors
        By key.
    overridden
        The package's factors that a user's rows replaced, by key.
    """

    factors: Mapping[str, Factor]
    overridden: Mapping[str, Factor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Let nobody change the mappings, of a copy either."""
        for name in ("factors", "overridden"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    def __contains__(self, key: str) -> bool:
        """Whether there is such a factor."""
        return key in self.factors

    def __iter__(self) -> Iterator[Factor]:
        """Iterate over the factors."""
        return iter(self.factors.values())

    def __getitem__(self, key: str) -> Factor:
        """Return a factor.

        Raises
        ------
        InputError
            If there is none of this key.
        """
        if key not in self.factors:
            # A climate too many comes before the next climate: that of wet temperate places goes without saying.
            words = key.split(".")
            shorter = (".".join(words[:n] + words[n + 1 :]) for n in range(len(words)))
            close = [each for each in shorter if each in self.factors]
            close = close or difflib.get_close_matches(key, self.factors, 1, 0.6)
            hint = (
                f"Did you mean {close[0]!r}?"
                if close
                else "Search with `carbongrid factors WORDS`."
            )
            raise InputError(f"unknown factor {key!r}", hint=hint)
        return self.factors[key]

    def __reduce__(self) -> tuple[type[Catalogue], tuple[dict[str, Factor], dict[str, Factor]]]:
        """Return what goes to another process: views that protect a mapping have no pickle."""
        return Catalogue, (dict(self.factors), dict(self.overridden))

    def with_own(self, own: Iterable[Factor]) -> Catalogue:
        """Return the catalogue with a user's factors laid over it, key by key."""
        brought = {factor.key: factor for factor in own}
        replaced = {key: self.factors[key] for key in brought if key in self.factors}
        # What it is a number of does not change with the number (D28).
        brought |= {
            key: replace(brought[key], upstream=True)
            for key, was in replaced.items()
            if was.upstream
        }
        return Catalogue({**self.factors, **brought}, {**self.overridden, **replaced})


@cache
def catalogue() -> Catalogue:
    """Return the factors of the package.

    Raises
    ------
    InputError
        If pint is not installed.
    """
    require_units()
    problems: list[Problem] = []
    found = {}
    for table in TABLES:
        file = f"factors/{table}.csv"
        for number, row in enumerate(packaged_table(file).to_dict("records"), start=2):
            factor = factor_of_row(
                {str(k): v for k, v in row.items()}, f"{file}, row {number}", problems
            )
            if factor is not None:
                found[factor.key] = factor
    if problems:
        raise InputError(problems)
    return Catalogue(with_default_bounds(found))


def with_default_bounds(factors: Mapping[str, Factor]) -> dict[str, Factor]:
    """Return the factors, those without bounds with their guideline's default range, and all with their group.

    ``ranges.csv`` has a row for each kind, the first that fits a key counts: ends as ratios to the value, as values, or ``like`` a
    factor whose ends are as far from its value. No fraction goes above 1. A GWP is taken as exact.
    """
    rows = packaged_table("factors/ranges.csv").to_dict("records")
    found = {}
    for key, factor in factors.items():
        row = next((row for row in rows if fnmatchcase(key, row["factors"])), None)
        if row is None or key.startswith(POTENTIALS) or factor.value is None:
            found[key] = factor
        elif factor.low is not None or factor.distribution:
            found[key] = replace(factor, group=str(row["group"]))
        else:
            low, high = _ends(factor.value, row, factors)
            if factor.unit == "fraction" and factor.value <= 1:
                high = min(high, Fraction(1))
            found[key] = replace(
                factor,
                low=low,
                high=high,
                distribution=str(row["distribution"]) if 0 < low < high else "",
                bounds_source=str(row["source"]),
                group=str(row["group"]),
            )
    return found


def _ends(
    value: Fraction, row: Mapping[Hashable, str], factors: Mapping[str, Factor]
) -> tuple[Fraction, Fraction]:
    """Return the ends of the 95 % interval that a row of ranges gives a value."""
    if row["of"].startswith("like "):
        other = factors[row["of"].removeprefix("like ")]
        ends = [
            value * Fraction(end or 0) / Fraction(other.value or 1)
            for end in (other.low, other.high)
        ]
    else:
        unit = value if row["of"] == "ratio" else Fraction(1)
        ends = [Fraction(row[name]) * unit for name in ("low", "high")]
    return min(ends), max(ends)


def factor_of_row(row: Mapping[str, str], where: str, problems: list[Problem]) -> Factor | None:
    """Return the factor in the cells of a row; None, with what is wrong added to the problems.

    The gas must be what the unit says: a factor in C that calls itself CO2 would lose 44/12.
    """
    before = len(problems)
    cells = {column: str(row.get(column, "")).strip() for column in COLUMNS}

    def add(column: str, what: str, hint: str = "") -> None:
        problems.append(Problem(what, f"{where}, column {column}", hint))

    if not cells["key"]:
        add(
            "key",
            "the key is blank",
            "Give the factor a name, or the key of the factor that it replaces.",
        )
    if cells["unit"] in ("fraction", "1"):
        cells |= {name: of_percent(cells[name]) for name in ("value", "low", "high")}
    numbers = {name: _number(cells[name], name, add) for name in ("value", "low", "high")}
    if cells["tier"] not in ("", "1", "2", "3"):
        add("tier", f"{cells['tier']!r} is no tier", "Write 1, 2 or 3, or leave it blank.")
    upstream = truth_of(cells["upstream"])
    if upstream is None:
        add("upstream", f"{cells['upstream']!r} is neither true nor false", "Write true for a factor that holds what is emitted elsewhere before use, else false; blank is false.")  # fmt: skip
    _check_unit(cells, add)
    _check_distribution(cells["distribution"], numbers, add)
    low, value, high = numbers["low"], numbers["value"], numbers["high"]
    if (value is not None and not (low is None or low <= value)) or (
        value is not None and not (high is None or value <= high)
    ):
        add(
            "value",
            f"{cells['value']} lies outside its bounds {cells['low']} to {cells['high']}",
            "Mend the bounds.",
        )
    if len(problems) > before:
        return None
    text = {
        name: cells[name]
        for name in (
            "key",
            "name",
            "unit",
            "gas",
            "distribution",
            "source",
            "source_table",
            "year",
            "region",
            "tier",
            "note",
            "bounds_source",
            "group",
        )
    }
    status = cells["status"] if cells["status"] in STATUSES else OWN
    return Factor(value=value, low=low, high=high, upstream=bool(upstream), status=status, **text)


def _number(text: str, column: str, add: Any) -> Fraction | None:
    if not text:
        return None
    try:
        value = Decimal(text) if len(text) <= _LONGEST else Decimal("nan")
    except InvalidOperation:
        value = Decimal("nan")
    if not value.is_finite() or abs(value.adjusted()) > 60:
        add(
            column,
            f"expected a finite number, not {text!r}",
            "Write it in digits with a point, for example 0.0125, and the cell of a workbook not as a percentage.",
        )
        return None
    return Fraction(value)


def _check_distribution(text: str, numbers: Mapping[str, Fraction | None], add: Any) -> None:
    """Check that a distribution is a known one, and has the numbers that it needs."""
    if not text:
        return
    said = DISTRIBUTION.fullmatch(text)
    if said is None:
        add(
            "distribution",
            f"unknown distribution {text!r}",
            "Write normal, lognormal or lognormal x3 (a factor of 3 either way), or leave it blank.",
        )
        return
    low, value, high = numbers["low"], numbers["value"], numbers["high"]
    if said["factor"]:
        if Fraction(said["factor"]) <= 1 or value is None or value <= 0:
            add("distribution", f"{text!r} needs a factor above 1 and a value above 0", "")
    elif low is None or high is None:
        add("distribution", f"{text!r} needs both bounds", "Give low and high, the ends of the 95 % interval.")  # fmt: skip
    elif said["kind"] == "lognormal" and (low <= 0 or value is None):
        add("distribution", "a lognormal number has a value, and bounds above 0", "Write normal, or mend the bounds.")  # fmt: skip


def _check_unit(cells: Mapping[str, str], add: Any) -> None:
    try:
        unit = read_unit(cells["unit"])
    except InputError as error:
        for fault in error.problems:
            of_factors = (
                "Write for example t CO2/t, kg CO2/kWh, kg CH4/head/yr, t C/TJ, GJ/t or fraction."
            )
            add("unit", fault.what, of_factors if fault.hint == HINT else fault.hint)
        return
    gas = cells["gas"]
    if gas and gas not in _GAS_OF:
        add(
            "gas",
            f"unknown gas {gas!r}",
            f"Known: {', '.join(_GAS_OF)}; blank for what emits nothing.",
        )
        return
    said = unit.substance if unit.substance in _GAS_OF else ""
    if (
        not said
        or not gas
        or said == gas
        or (said, gas) == ("N2O-N", "N2O")
        or (said, gas) == ("CE", "C")
    ):
        return
    if cells["key"].startswith(POTENTIALS):
        return
    add(
        "gas",
        f"the unit {cells['unit']!r} is of {said}, the gas is {gas!r}",
        "The unit decides: 1 of C is 44/12 of CO2. Mend the one that is wrong.",
    )
