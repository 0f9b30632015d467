"""How uncertain each number of a run is taken to be: what its tables say, the case's own rows, then the package's."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from carbongrid.method.landuse import packaged_table

SOURCES = ("totals", "weights", "sinks", "gdp")
"""What is drawn, each on or off."""


@dataclass(frozen=True)
class Rule:
    """A row of the table of uncertainty.

    Parameters
    ----------
    source
        One of ``SOURCES``.
    of
        Categories, weight rules or kinds of GDP that it is for, with ``*``.
    percent
        Half of the 95 % interval, in percent, of totals, coefficients and GDP.
    sigma, tau
        Standard deviations of the logarithm of a parcel's claim, and of the factor that a unit's parcels share.
    group
        What is of one group shares a draw.
    basis
        ``assumed``, ``recalled``, ``read`` or ``measured``.
    origin
        Where it is from.
    """

    source: str
    of: str
    percent: float = 0.0
    sigma: float = 0.0
    tau: float = 0.0
    group: str = ""
    basis: str = "assumed"
    origin: str = ""


@dataclass(frozen=True)
class Uncertainty:
    """The rows that hold for a run, the first that fits counts.

    Parameters
    ----------
    rules
        The case's own, then the package's.
    totals
        Half-widths in percent that the totals' table gives, by category and region.
    facilities
        Those of facilities, by category and name.
    gdp
        Those of GDP, by region.
    """

    rules: tuple[Rule, ...]
    totals: Mapping[tuple[str, str], float]
    facilities: Mapping[tuple[str, str], float]
    gdp: Mapping[str, float]

    def of(self, source: str, *names: str) -> Rule:
        """Return the first row that fits one of the names; one that is exact where none does."""
        for rule in self.rules:
            if rule.source == source and any(fnmatchcase(name, rule.of) for name in names):
                return rule
        return Rule(source, names[-1], basis="exact", origin="no row fits")


def uncertainty_of(manifest: Mapping[str, Any]) -> Uncertainty:
    """Return what a run's manifest says of uncertainty, over the package's defaults.

    Parameters
    ----------
    manifest
        Of the run. One without a word on uncertainty has the defaults.
    """
    told = manifest.get("uncertainty") or {}
    own = [Rule(**row) for row in told.get("rules", ())]
    return Uncertainty(
        rules=(*own, *rules_of(packaged_table("uncertainty.csv").to_dict("records"))),
        totals={(row["category"], row["region"]): row["percent"] for row in told.get("totals", ())},
        facilities={(row["category"], row["name"]): row["percent"] for row in told.get("facilities", ())},
        gdp={row["region"]: row["percent"] for row in told.get("gdp", ())},
    )  # fmt: skip


def rules_of(rows: Iterable[Mapping[Any, str]]) -> Sequence[Rule]:
    """Return the rows of a table of uncertainty, numbers read and blank ones 0."""
    return [
        Rule(
            source=row["source"],
            of=row["of"],
            percent=float(row["percent"] or 0),
            sigma=float(row["sigma"] or 0),
            tau=float(row["tau"] or 0),
            group=row["group"],
            basis=row["basis"],
            origin=row["origin"],
        )
        for row in rows
    ]
