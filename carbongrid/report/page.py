"""The report's page: what it says, put together for its template."""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from carbongrid.categories import SECTORS, sector_names
from carbongrid.maps.classes import BORDERLINE, INDICATIVE, mass_scale, ordered_zones, short_number
from carbongrid.report.drawings import plane, zone_map

if TYPE_CHECKING:
    from carbongrid.ledger import LedgerRow
    from carbongrid.result import RunTables

_FOLDER = Path(__file__).parent
_FEW_PEOPLE = 10  # a smaller count of people is not shown (decision 31)


def write_report(tables: RunTables, directory: Path) -> Path:
    """Write the report of a run: ``report.html``, one file that needs nothing beside it.

    Parameters
    ----------
    tables
        What the run made.
    directory
        An existing folder.

    Returns
    -------
    Path
        The file.

    Notes
    -----
    All text from the case is escaped, and a Content-Security-Policy lets the page use its own style and script, by their
    hashes, and nothing else. The same tables give the same bytes.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(
        tonnes=_tonnes,
        mass=_mass,
        exact_mass=_exact_mass,
        millions=_millions,
        number=short_number,
        percent=_percent,
        people=_people,
        key=_key,
    )
    style, script = ((_FOLDER / name).read_text("utf-8") for name in ("report.css", "report.js"))
    policy = (
        f"default-src 'none'; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    page = environment.get_template("report.html.j2").render(
        policy=policy,
        style=Markup(style),  # noqa: S704  (the package's own file)
        script=Markup(script),  # noqa: S704
        version=importlib.metadata.version("carbongrid"),
        **_content(tables),
    )
    path = directory / "report.html"
    path.write_text(page, encoding="utf-8")
    return path


def _source(text: str) -> str:
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _content(tables: RunTables) -> dict[str, Any]:
    units = tables.units
    zones = {zone.code: zone for zone in ordered_zones()}
    flags = {
        names: int(units[names[0]].sum())
        for names in (BORDERLINE, INDICATIVE)
        if units[names[0]].any()
    }
    order = {"error": 0, "warning": 1}
    drawing = zone_map(units, tables.parents[0] if tables.parents else None)
    return {
        "title": tables.title,
        "year": tables.year,
        "currency": tables.currency,
        "benchmark": tables.benchmark,
        "parents": tables.parents,
        "zones": zones,
        "flags": flags,
        "zone_rows": _zone_rows(units, zones),
        "few": _FEW_PEOPLE,
        "balance": units["balance"].value_counts().to_dict(),
        "headline": _headline(tables),
        "sectors": _sectors(tables),
        "units": _unit_rows(units, drawing.units),
        "map": drawing,
        "plane": plane(units),
        "ledger": _ledger(tables),
        "regional": [row for row in tables.ledger if row.region],
        "notes": sorted(tables.assumptions, key=lambda note: order.get(note[0], 2)),
    }


def _headline(tables: RunTables) -> dict[str, Any]:
    """Return the sums that open the report, in grams; CCR is that of the units together."""
    sinks = {category.name for category in tables.categories if category.sink}
    total = {True: 0, False: 0}
    placed = {"units": 0, "outside": 0, "unallocated": 0}
    for row in tables.ledger:
        total[row.category in sinks] += row.total
        if row.category not in sinks:
            placed["units"] += row.units or 0
            placed["outside"] += row.outside_units or 0
            placed["unallocated"] += row.unallocated
    emission, sink = (int(tables.units[name].sum()) for name in ("emission_g", "sink_g"))
    return {
        "gross": total[False],
        "sink": total[True],
        "net": total[False] - total[True],
        "ccr": sink / emission if emission else math.inf if sink else math.nan,
        "units_sink": sink,
        **placed,
    }


def _unit_rows(units: pd.DataFrame, paths: Sequence[str]) -> list[dict[str, Any]]:
    """Return a row per unit, with its outline and remarks; an unknown GDP is None."""
    rows = []
    for row, path in zip(units.drop(columns="geometry").to_dict("records"), paths, strict=True):
        remarks = [
            row["reason"],
            *(names[0] for names in (BORDERLINE, INDICATIVE) if row[names[0]]),
        ]
        gdp = None if row["gdp"] is None or row["gdp"] is pd.NA else int(row["gdp"])
        remarks.append("" if row["balance"] == "source" else row["balance"])
        text = ", ".join(remark for remark in remarks if remark)
        known = {str(name): value for name, value in row.items()}
        rows.append({**known, "path": path, "gdp": gdp, "remarks": text})
    return rows


def _zone_rows(units: pd.DataFrame, zones: dict[int, Any]) -> list[dict[str, Any]]:
    """Return a row per zone: count, mass, and shares of the units' sums."""
    rows = []
    emission, sink = int(units["emission_g"].sum()), int(units["sink_g"].sum())
    gdp = int(units["gdp"].sum())
    for code, zone in zones.items():
        inside = units[units["zone"] == code]
        if code == 0 and inside.empty:
            continue
        masses = int(inside["emission_g"].sum()), int(inside["sink_g"].sum())
        rows.append(
            {
                "zone": zone,
                "count": len(inside),
                "emission": masses[0],
                "sink": masses[1],
                "ccr": _share(masses[1], masses[0]),
                "emission_share": _share(masses[0], emission),
                "sink_share": _share(masses[1], sink),
                "gdp_share": _share(int(inside["gdp"].sum()), gdp),
            }
        )
    return rows


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _sectors(tables: RunTables) -> list[dict[str, Any]]:
    """Return the inventory: sectors in the order of equation (1), sinks last, categories below."""
    totals: dict[str, int] = {}
    for row in tables.ledger:
        totals[row.category] = totals.get(row.category, 0) + row.total
    names = sector_names()
    own = {category.sector for category in tables.categories}
    known = [*SECTORS, *sorted(own - {*SECTORS, "sink"}), "sink"]
    gross = sum(totals.get(c.name, 0) for c in tables.categories if not c.sink)
    taken = sum(totals.get(c.name, 0) for c in tables.categories if c.sink)
    rows = []
    for sector in known:
        inside = [category for category in tables.categories if category.sector == sector]
        if not inside:
            continue
        whole = taken if sector == "sink" else gross
        english, chinese = names.get(sector, (sector, ""))
        grams = sum(totals.get(category.name, 0) for category in inside)
        categories = [
            (category, totals.get(category.name, 0), _share(totals.get(category.name, 0), whole))
            for category in inside
        ]
        rows.append(
            {
                "name_en": english,
                "name_zh": chinese,
                "sink": sector == "sink",
                "grams": grams,
                "share": _share(grams, whole),
                "categories": categories,
            }
        )
    return rows


@dataclass(frozen=True)
class _Account:
    """A category's rows of the ledger added up."""

    category: Any
    rule: str
    total: int
    facilities: int
    by_rule: int
    by_area: int
    by_parent: int
    unallocated: int
    units: int
    outside_units: int
    snapped: int
    elsewhere: int
    unplaced: str
    reasons: tuple[str, ...]

    @property
    def balances(self) -> bool:
        placed = self.facilities + self.by_rule + self.by_area + self.by_parent
        return self.total == placed + self.unallocated and placed == self.units + self.outside_units


def _ledger(tables: RunTables) -> list[_Account]:
    accounts = []
    for category in tables.categories:
        rows = [row for row in tables.ledger if row.category == category.name]
        if not rows:
            continue
        summed = {
            name: sum(getattr(row, name) or 0 for row in rows)
            for name in (
                "total", "facilities", "by_rule", "by_area", "by_parent", "unallocated",
                "units", "outside_units", "snapped", "elsewhere",
            )
        }  # fmt: skip
        accounts.append(
            _Account(
                category=category,
                rule=rows[0].rule,
                unplaced=_unplaced(rows),
                reasons=tuple(dict.fromkeys(row.reason for row in rows if row.reason)),
                **summed,
            )
        )
    return accounts


def _unplaced(rows: Sequence[LedgerRow]) -> str:
    count = sum(row.weight_unplaced or 0 for row in rows)
    return f"{count:,} × {rows[0].weight_unit}" if count else ""


def _tonnes(grams: int) -> str:
    """Return whole tonnes, rounded half up in integers."""
    if 0 < grams < 500_000:
        return "< 1"
    return f"{(int(grams) + 500_000) // 1_000_000:,}"


def _mass(grams: int) -> str:
    scale, unit = mass_scale(abs(grams))
    return f"{short_number(grams / scale)} {unit}"


def _exact_mass(grams: int) -> str:
    """Return a headline's mass: hundredths of its unit."""
    scale, unit = mass_scale(abs(grams))
    return f"{grams / scale:,.2f} {unit}" if abs(grams) >= scale / 100 else _mass(grams)


def _millions(value: int) -> str:
    return f"{value / 1e6:,.0f}" if value >= 10_000_000 else short_number(value / 1e6)


def _percent(share: float) -> str:
    return f"{short_number(share * 100)} %" if math.isfinite(share) else short_number(share)


def _people(count: float) -> str:
    if math.isnan(count):
        return "–"
    return f"< {_FEW_PEOPLE}" if 0 < count < _FEW_PEOPLE else f"{count:,.0f}"


def _key(value: float) -> str:
    """Return what JavaScript sorts a number by; empty, and so last, if it is unknown."""
    if math.isnan(value):
        return ""
    return f"{value:.9g}" if math.isfinite(value) else "Infinity"
