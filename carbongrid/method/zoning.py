"""The four carbon balance zones, decided by exact products (D2, D3, D4 and D6)."""

from __future__ import annotations

import csv
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from carbongrid.errors import InputError
from carbongrid.raster.labelled import require_real, require_same_order

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

UNCLASSIFIED = 0
NEAR = 20
"""An index is close to 1 (``borderline``), and a unit balanced, within 1/20 of 1: a distance, which says nothing of how likely it is."""

TIES: Mapping[str, Callable[[int, int], bool]] = MappingProxyType(
    {">=": operator.ge, ">": operator.gt}
)
"""How an index is compared with 1: at exactly 1 it is high under >= and low under > (D3)."""

NO_CARBON = "neither emission nor sink"
UNKNOWN_GDP = "GDP unknown"
NO_REGION = "in no reference region"
ONE_UNIT = "its reference region has this unit only"
NO_GDP = "its reference region has no GDP"
NO_SINK = "its reference region has no sink"
DERIVED_GDP = "GDP derived from that of a larger area"
EITHER_SIDE = "its interval of ECC contains 1"
FEW_SINKS = "sinks of its reference region below the floor"
"""Why a zone is indicative: ECC, or ESC, tells little (docs/decisions/0005, 0037 and 0060)."""


@dataclass(frozen=True)
class Zone:
    """One row of ``data/zones.csv``: a zone's code, names and map colour."""

    code: int
    name_en: str
    name_zh: str
    colour: str


@cache
def zones() -> tuple[Zone, ...]:
    """Return the zones in the order of their codes, 0 (unclassified) to 4."""
    text = (files("carbongrid") / "data" / "zones.csv").read_text(encoding="utf-8")
    return tuple(Zone(int(row.pop("code")), **row) for row in csv.DictReader(text.splitlines()))


class Flip(NamedTuple):
    """A unit whose zone depends on the reference region."""

    unit: str
    zone_a: int
    zone_b: int


class Unit(NamedTuple):
    """C_i, CA_i and G_i of a unit and the ends of the interval of G_i, Python integers; None where GDP is unknown."""

    C_i: int
    CA_i: int
    G_i: int | None
    low: int | None
    high: int | None


class Region(NamedTuple):
    """Sums over the units of a reference region, and how an index is compared with 1; C_known leaves out units of unknown GDP."""

    units: int
    C: int
    CA: int
    C_known: int
    G: int
    ties: str


class _Verdict(NamedTuple):
    ccr: float
    ecc: float
    esc: float
    zone: int
    borderline: bool
    balance: str
    reason: str
    few_sinks: bool = False
    ecc_low: float = math.nan
    ecc_high: float = math.nan
    either_side: bool = False


def classify(
    emission: ArrayLike, sink: ArrayLike, gdp: ArrayLike, *, ties: str = ">="
) -> NDArray[np.int8]:
    """Return the zone code of each unit of one reference region, decided without division.

    Parameters
    ----------
    emission
        Gross emission C_i, whole numbers >= 0 (g yr-1), shape (units,).
    sink
        Sink CA_i, whole numbers >= 0 (g yr-1), shape (units,).
    gdp
        GDP G_i, whole currency units >= 0, shape (units,); NaN (or NA, None) is unknown.
    ties
        ``>=``: an index of exactly 1 is high; ``>``: it is low.

    Returns
    -------
    int8 array of shape (units,)
        1 low-carbon economic, 2 carbon-source control, 3 carbon-sink functional, 4 high-carbon
        optimization, 0 unclassified.

    Raises
    ------
    InputError
        If the three are not equally long, or a value is negative, infinite or not whole, if an
        emission or a sink is NaN, or if ``ties`` is neither of the two.

    Notes
    -----
    ECC is high where G_i*C >= G*C_i, ESC where CA_i*C >= CA*C_i, in Python integers (the products
    have 96 bits and more); with ``ties`` they are compared by > instead. With C_i = 0, ECC is high only if G_i > 0, ESC only if CA_i > 0.
    For ECC, C and G are sums over the units of known GDP. Unclassified is a unit with neither emission nor
    sink, one of unknown GDP, and every unit of a region that has one unit, G = 0 or CA = 0.

    References
    ----------
    The four zones, by ECC of equation (9) and ESC of equation (10), are those of the 2023 study of Suzhou, which states > and < only; D2 to D5 of docs/decisions/README.md say what it leaves open.

    Examples
    --------
    >>> cg.classify([60, 40], [6, 2], [30, 30]).tolist()
    [3, 2]
    >>> cg.classify([50, 50], [1, 1], [7, 7]).tolist(), cg.classify([50, 50], [1, 1], [7, 7], ties=">").tolist()
    ([1, 1], [4, 4])
    """
    rows = _units(emission, sink, gdp)
    region = _region(rows, ties)
    return np.array([_verdict(row, region).zone for row in rows], dtype=np.int8)


def zone_units(
    units: pd.DataFrame,
    reference: str = "all",
    indicative: bool | Sequence[bool] = False,
    sink_floor: float = 0.0,
    ties: str = ">=",
) -> pd.DataFrame:
    """Return indices and zone of each unit, within its reference region.

    Parameters
    ----------
    units
        Columns emission_g, sink_g (int64), gdp (Int64; missing is unknown), where GDP has an interval gdp_low and gdp_high, and, if it is the
        reference, a parent column.
    reference
        ``all``, or the column whose equal codes make one reference region. A unit whose code is blank is in no region.
    indicative
        Whether GDP was derived from a parent's (docs/decisions/0005), for all units or for each.
    sink_floor
        CCR of a reference region below which its sinks are too small for ESC to rank by: its units are indicative too.
    ties
        As for :func:`classify`.

    Returns
    -------
    pandas.DataFrame
        With the index of ``units``: ccr, ecc, ecc_low, ecc_high, esc (float64), zone (int8), zone_name, zone_name_zh, borderline (bool),
        balance (source, balanced or sink), indicative (bool), reason (why unclassified, or why indicative; else empty).

    Raises
    ------
    InputError
        If ``reference`` is no column of the units, and as :func:`classify`.

    Notes
    -----
    The indices are the quotients of the very products that decide the zone, correctly rounded, so no
    number is on the wrong side of 1. ``ecc_low`` and ``ecc_high`` are ECC with the ends of the interval of G_i, G as it is: where GDP is the unit's own
    they are ECC. ``borderline``: ECC or ESC within 0.05 of 1, 20*|G_i*C - G*C_i| <= G*C_i, where C_i > 0 and
    the region has more than one unit; of a unit without a zone too. It is a distance: how sure a zone is depends on the data. ``balance``: 20*|CA_i - C_i| <= C_i is balanced, else the larger of the two names it.
    """
    rows = units_in_regions(units, reference, ties)
    few = _below_floor(rows, sink_floor)
    verdicts = [
        _verdict(unit, region)._replace(few_sinks=below)
        for (unit, region), below in zip(rows, few.tolist(), strict=True)
    ]
    named = [zones()[each.zone] for each in verdicts]
    derived = np.broadcast_to(indicative, len(rows)).astype(bool)
    why = [
        _remark(each.reason, own, each.either_side, each.few_sinks)
        for each, own in zip(verdicts, derived.tolist(), strict=True)
    ]
    indices = ("ccr", "ecc", "ecc_low", "ecc_high", "esc")
    return pd.DataFrame(
        {
            **{
                name: np.array([getattr(each, name) for each in verdicts], np.float64)
                for name in indices
            },
            "zone": np.array([each.zone for each in verdicts], np.int8),
            "zone_name": pd.array([zone.name_en for zone in named], dtype="str"),
            "zone_name_zh": pd.array([zone.name_zh for zone in named], dtype="str"),
            "borderline": np.array([each.borderline for each in verdicts], np.bool_),
            "balance": pd.array([each.balance for each in verdicts], dtype="str"),
            "indicative": derived | few,
            "reason": pd.array(why, dtype="str"),
        },
        index=units.index,
    )


def units_in_regions(
    units: pd.DataFrame, reference: str, ties: str = ">="
) -> list[tuple[Unit, Region | None]]:
    """Return each unit in whole numbers, with the sums of its reference region.

    Parameters
    ----------
    units, reference, ties
        As for :func:`zone_units`.

    Returns
    -------
    list of (Unit, Region or None)
        In the order of ``units``; None where the unit is in no region.
    """
    ends = [units[name if name in units else "gdp"] for name in ("gdp_low", "gdp_high")]
    rows = _units(units["emission_g"], units["sink_g"], units["gdp"], *ends)
    codes = reference_codes(units, reference)
    members: dict[str, list[Unit]] = {}
    for code, row in zip(codes, rows, strict=True):
        members.setdefault(code, []).append(row)
    regions = {code: _region(inside, ties) for code, inside in members.items() if code}
    return [(row, regions.get(code)) for code, row in zip(codes, rows, strict=True)]


def sinks_below_floor(
    units: pd.DataFrame, reference: str = "all", sink_floor: float = 0.0
) -> NDArray[np.bool_]:
    """Return of which units the reference region takes up so little of what it emits that ESC ranks noise; of units without a zone too.

    Parameters
    ----------
    units, reference, sink_floor
        As for :func:`zone_units`.
    """
    return _below_floor(units_in_regions(units, reference), sink_floor)


def _below_floor(rows: list[tuple[Unit, Region | None]], sink_floor: float) -> NDArray[np.bool_]:
    floor = Fraction(str(sink_floor))
    below = [region is not None and floor * region.C > region.CA for _, region in rows]
    return np.array(below, np.bool_)


def by_esc_alone(units: pd.DataFrame) -> pd.DataFrame:
    """Return the units as if each had the same GDP: where ESC alone decides, as of zone 3, what is known of GDP has no say.

    Zones of them tell by ESC as always, also where GDP is unknown or nobody has any; their ECC means nothing.
    """
    same = pd.array([1] * len(units), dtype="Int64")
    return units.drop(columns=["gdp_low", "gdp_high"], errors="ignore").assign(gdp=same)


def flips(
    units: pd.DataFrame, reference_a: str, reference_b: str, ties: str = ">="
) -> tuple[Flip, ...]:
    """Return the units whose zone differs between two reference regions (D2).

    Parameters
    ----------
    units
        As for :func:`zone_units`, with a column ``id``.
    reference_a, reference_b
        ``all`` or a parent column, each.
    ties
        As for :func:`classify`.

    Returns
    -------
    tuple of Flip
        In the order of ``units``; a unit that only one of the two leaves unclassified is among them.
    """
    zone_a = zone_units(units, reference_a, ties=ties)["zone"].tolist()
    zone_b = zone_units(units, reference_b, ties=ties)["zone"].tolist()
    rows = zip(units["id"].tolist(), zone_a, zone_b, strict=True)
    return tuple(Flip(str(unit), a, b) for unit, a, b in rows if a != b)


def few_sinks(reasons: pd.Series[str]) -> NDArray[np.bool_]:
    """Return of which units the reason says that ESC tells little."""
    found: NDArray[np.bool_] = reasons.str.contains(FEW_SINKS, regex=False).to_numpy(bool)
    return found


def either_side(reasons: pd.Series[str]) -> NDArray[np.bool_]:
    """Return of which units the reason says that the interval of ECC contains 1."""
    found: NDArray[np.bool_] = reasons.str.contains(EITHER_SIDE, regex=False).to_numpy(bool)
    return found


def _remark(unclassified: str, derived: bool, either_side: bool, few_sinks: bool) -> str:
    """Say why a unit is unclassified, or else why its zone is indicative."""
    reasons = (
        DERIVED_GDP if derived else "",
        EITHER_SIDE if either_side else "",
        FEW_SINKS if few_sinks else "",
    )
    return unclassified or "; ".join(filter(None, reasons))


def _units(
    emission: ArrayLike,
    sink: ArrayLike,
    gdp: ArrayLike,
    low: ArrayLike | None = None,
    high: ArrayLike | None = None,
) -> list[Unit]:
    ends = {} if low is None or high is None else {"gdp_low": low, "gdp_high": high}
    require_same_order(emission=emission, sink=sink, gdp=gdp, **ends)
    C_i, CA_i = _whole(emission, "emission"), _whole(sink, "sink")
    G_i = _whole(gdp, "gdp", unknown=True)
    if not len(C_i) == len(CA_i) == len(G_i):
        raise InputError(
            f"emission, sink and gdp must be equally long, not {len(C_i)}, {len(CA_i)}, {len(G_i)}"
        )
    least, most = (
        G_i if end is None else _whole(end, name, unknown=True)
        for end, name in ((low, "gdp_low"), (high, "gdp_high"))
    )
    rows = zip(C_i, CA_i, G_i, least, most, strict=True)
    return [Unit(c or 0, ca or 0, *of_gdp) for c, ca, *of_gdp in rows]


def _whole(values: Any, name: str, *, unknown: bool = False) -> list[int | None]:
    """Cast to Python integers once, at the door; unknown becomes None where that is allowed."""
    shape = np.shape(values)
    if len(shape) != 1:
        raise InputError(f"{name} must be one row, a number for each unit, not of shape {shape}", hint="Take .ravel() of a column.")  # fmt: skip
    require_real(values, name)
    cells = values.tolist() if hasattr(values, "tolist") else list(values)
    whole: list[int | None] = []
    for position, cell in enumerate(cells):
        if type(cell) is int and cell >= 0:
            whole.append(cell)
        elif unknown and pd.isna(cell):
            whole.append(None)
        elif pd.isna(cell) or math.isinf(cell) or cell < 0 or cell != int(cell):
            raise InputError(
                f"{name} must be a whole number >= 0, not {cell}",
                f"unit {position}",
                "Give mass in grams and GDP in currency units.",
            )
        else:
            whole.append(int(cell))
    return whole


def reference_codes(units: pd.DataFrame, reference: str) -> list[str]:
    """Return the code of each unit's reference region, ``all`` for the one of all; empty where it is in none."""
    if reference == "all":
        return ["all"] * len(units)
    if reference not in units.columns:
        raise InputError(
            f"{reference!r} is no column of the units",
            "reference",
            "Give all, or one of units.parents.",
        )
    return ["" if pd.isna(code) else str(code) for code in units[reference]]


def _region(rows: Sequence[Unit], ties: str) -> Region:
    if ties not in TIES:
        raise InputError(
            f"{ties!r} is no way to compare an index with 1", "ties", 'Give ">=" or ">".'
        )
    known = [row for row in rows if row.G_i is not None]
    return Region(
        units=len(rows),
        C=sum(row.C_i for row in rows),
        CA=sum(row.CA_i for row in rows),
        C_known=sum(row.C_i for row in known),
        G=sum(row.G_i or 0 for row in known),
        ties=ties,
    )


def _verdict(unit: Unit, region: Region | None) -> _Verdict:
    """Decide one unit; without a region only its own balance is known."""
    C_i, CA_i, G_i, low, high = unit
    ccr, balance = _quotient(CA_i, C_i), _balance(C_i, CA_i)
    if region is None:
        return _Verdict(ccr, math.nan, math.nan, UNCLASSIFIED, False, balance, NO_REGION)
    esc = _index(CA_i, region.CA, C_i, region.C)
    near = _near(CA_i, region.CA, C_i, region.C)
    ecc, ecc_is_high = math.nan, False
    if G_i is not None:
        ecc = _index(G_i, region.G, C_i, region.C_known)
        ecc_is_high = _high(G_i, region.G, C_i, region.C_known, region.ties)
        near = near or _near(G_i, region.G, C_i, region.C_known)
    least, most = (
        math.nan if end is None else _index(end, region.G, C_i, region.C_known)
        for end in (low, high)
    )
    near = near and region.units > 1
    reason = no_zone(unit, region)
    if reason:
        return _Verdict(ccr, ecc, esc, UNCLASSIFIED, near, balance, reason, False, least, most)
    esc_is_high = _high(CA_i, region.CA, C_i, region.C, region.ties)
    zone = 1 + 2 * (not ecc_is_high) + (not esc_is_high)
    either = _contains_1(low, high, region, C_i)
    return _Verdict(ccr, ecc, esc, zone, near, balance, "", False, least, most, either)


def _high(part: int, whole: int, C_i: int, C: int, ties: str) -> bool:
    """Decide part/whole >= C_i/C, or > with such ties; a unit without emission is high if it has any part."""
    return TIES[ties](part * C, whole * C_i) if C_i else part > 0


def _contains_1(low: int | None, high: int | None, region: Region, C_i: int) -> bool:
    """Decide whether an interval of ECC that has a width contains 1."""
    if low is None or high is None or low == high or not C_i:
        return False
    return low * region.C_known <= region.G * C_i <= high * region.C_known


def _near(part: int, whole: int, C_i: int, C: int) -> bool:
    """Decide whether (part/whole) / (C_i/C) exists and is within 0.05 of 1."""
    return whole * C_i > 0 and NEAR * abs(part * C - whole * C_i) <= whole * C_i


def _index(part: int, whole: int, C_i: int, C: int) -> float:
    """Return (part/whole) / (C_i/C) as one quotient."""
    return _quotient(part * C, whole * C_i)


def _quotient(numerator: int, denominator: int) -> float:
    """Divide integers, correctly rounded; x/0 is inf and 0/0 is NaN."""
    if denominator:
        return numerator / denominator
    return math.inf if numerator else math.nan


def _balance(C_i: int, CA_i: int) -> str:
    if NEAR * abs(CA_i - C_i) <= C_i:
        return "balanced"
    return "sink" if CA_i > C_i else "source"


def no_zone(unit: Unit, region: Region | None) -> str:
    """Say why the unit is unclassified; empty if it is not."""
    if region is None:
        return NO_REGION
    if not unit.C_i and not unit.CA_i:
        return NO_CARBON
    if region.units == 1:
        return ONE_UNIT
    if not region.G:
        return NO_GDP
    if not region.CA:
        return NO_SINK
    return UNKNOWN_GDP if unit.G_i is None else ""
