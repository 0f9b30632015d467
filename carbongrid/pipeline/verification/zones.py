"""Indices and zones decided again from units.csv, in fractions of whole numbers (D1 to D6).

Written apart from the method's own room, so that one slip does not hide another.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from carbongrid.errors import VerificationError
from carbongrid.method.tonnes import counted
from carbongrid.method.zoning import DERIVED_GDP, EITHER_SIDE, FEW_SINKS, Zone, zones
from carbongrid.pipeline.verification.margins import margin_faults, sums_of
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.verdict import Check, check_of

_HINT = "Run the case again with --replace."
_BAND = Fraction(1, 20)
Row = dict[str, Any]
Index = Fraction | float


def check_zones(run: Opened) -> Check:
    """Decide every unit's indices, zone and flags again."""
    units, reference = run.units, run.manifest["parameters"]["reference"]
    if reference != "all" and reference not in units.columns:
        raise VerificationError(
            f"units.csv has no column {reference}, the reference region. {_HINT}"
        )
    rows = [_whole(row) for row in units.to_dict("records")]
    regions: dict[str, list[Row]] = {}
    for row in rows:
        regions.setdefault("all" if reference == "all" else row[reference], []).append(row)
    names = {zone.code: zone for zone in zones()}
    told = run.manifest["parameters"]
    floor = Fraction(str(told.get("sink_floor", 0)))
    derived = told.get("gdp_by") not in (None, "unit")
    strict = told.get("ties", ">=") == ">"
    faults: list[str] = []
    for code, members in regions.items():
        region = members if code else []
        sums = sums_of(region)
        for row in members:
            decided = _decided(row, region, strict=strict)
            faults += _faults(row, decided, names)
            faults += _ends_of_gdp(row, derived)
            faults += _flagged(row, decided, derived, _few_sinks(region, floor))
            faults += margin_faults(row, sums, strict)
    text = f"{counted(len(rows), 'unit')} decided again in exact fractions, reference region: {reference}"
    return check_of("zones", faults, text, _HINT)


def _whole(row: dict[Any, Any]) -> Row:
    """Return a unit with C, CA and G in Python integers; G is None where it is unknown."""
    whole = {
        "C": int(row["emission_g"]),
        "CA": int(row["sink_g"]),
        "G": _known(row["gdp"]),
        "least": _known(row["gdp_low"]),
        "most": _known(row["gdp_high"]),
    }
    return {**{str(name): value for name, value in row.items()}, **whole}


def _known(value: Any) -> int | None:
    return int(value) if value is not None and value == value and str(value) != "<NA>" else None


def _ends_of_gdp(row: Row, derived: bool) -> Iterator[str]:
    """Compare GDP with its interval, which has no width where GDP is the unit's own."""
    G, least, most = row["G"], row["least"], row["most"]
    if G is None or least is None or most is None:
        right = G is None and least is None and most is None
    else:
        right = 0 <= least <= G <= most and (derived or least == most)
    if not right:
        yield f"units.csv, unit {row['id']}: gdp_low {least} and gdp_high {most} are not the ends of an interval of gdp {G}"


def _ratio(part: int, whole: int) -> Index:
    if whole:
        return Fraction(part, whole)
    return math.inf if part else math.nan


def _decided(unit: Row, region: list[Row], *, strict: bool = False) -> Row:
    """Decide one unit, an index of exactly 1 being low if strict; an empty region is none."""
    known = [row for row in region if row["G"] is not None]
    C, CA, G = (
        sum(row[name] for row in rows)
        for name, rows in (("C", region), ("CA", region), ("G", known))
    )
    C_known = sum(row["C"] for row in known)
    ecc: Index = math.nan
    esc: Index = math.nan
    least: Index = math.nan
    most: Index = math.nan
    if region:
        esc = _ratio(unit["CA"] * C, CA * unit["C"])
        if unit["G"] is not None:
            ecc, least, most = (
                _ratio((unit[end] or 0) * C_known, G * unit["C"]) for end in ("G", "least", "most")
            )
    near = [abs(index - 1) <= _BAND for index in (ecc, esc) if isinstance(index, Fraction)]
    unclassified = (
        not (unit["C"] or unit["CA"]) or len(region) < 2 or G == 0 or CA == 0 or unit["G"] is None
    )
    high = [
        (index > 1 or (index == 1 and not strict)) if unit["C"] else bool(part)
        for index, part in ((ecc, unit["G"]), (esc, unit["CA"]))
    ]
    zone = 0 if unclassified else 1 + 2 * (not high[0]) + (not high[1])
    return {
        "ccr": _ratio(unit["CA"], unit["C"]),
        "ecc": ecc,
        "ecc_low": least,
        "ecc_high": most,
        "esc": esc,
        "zone": zone,
        "borderline": len(region) > 1 and any(near),
        "balance": _balance(unit["C"], unit["CA"]),
    }


def _balance(C: int, CA: int) -> str:
    if abs(Fraction(CA - C)) <= _BAND * C:
        return "balanced"
    return "sink" if CA > C else "source"


def _faults(row: Row, decided: Row, names: dict[int, Zone]) -> Iterator[str]:
    for name in ("ccr", "ecc", "ecc_low", "ecc_high", "esc"):
        told, found = float(row[name]), float(decided[name])
        if told != found and not (math.isnan(told) and math.isnan(found)):
            yield f"units.csv, unit {row['id']}: {name} is {told!r}, decided again {found!r}"
    for name in ("zone", "borderline", "balance"):
        if row[name] != decided[name]:
            yield f"units.csv, unit {row['id']}: {name} is {row[name]}, decided again {decided[name]}"
    zone = names[decided["zone"]]
    for name, expected in (("zone_name", zone.name_en), ("zone_name_zh", zone.name_zh)):
        if row[name] != expected:
            yield f"units.csv, unit {row['id']}: {name} is {row[name]}, not {expected}"


def _few_sinks(region: list[Row], floor: Fraction) -> bool:
    C, CA = (sum(int(row[name]) for row in region) for name in ("C", "CA"))
    return floor * C > CA


def _flagged(row: Row, decided: Row, derived: bool, few_sinks: bool) -> Iterator[str]:
    """Compare what makes a zone indicative, and the reason that is given for it or for no zone."""
    if row["indicative"] != (derived or few_sinks):
        yield f"units.csv, unit {row['id']}: indicative is {row['indicative']}, decided again {derived or few_sinks}"
    ends = decided["ecc_low"], decided["ecc_high"]
    # Infinite ends are those of a unit without emission, which has no border at 1.
    either = row["C"] > 0 and row["least"] != row["most"] and ends[0] <= 1 <= ends[1]
    expected = [DERIVED_GDP] * derived + [EITHER_SIDE] * either + [FEW_SINKS] * few_sinks
    given = row["reason"].split("; ") if row["reason"] else []
    unclassified = bool(given) and not {*given} & {DERIVED_GDP, EITHER_SIDE, FEW_SINKS}
    if unclassified != (row["zone"] == 0) or (not unclassified and given != expected):
        yield f"units.csv, unit {row['id']}: the reason does not go with zone {row['zone']}"
