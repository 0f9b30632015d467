"""The inventory and the ledger as the report shows them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from carbongrid.method.categories import SECTORS, sector_names
from carbongrid.method.evidence import WORTH_A_WARNING
from carbongrid.method.gas import CO2, CO2E
from carbongrid.outputs.numbers import short_number
from carbongrid.outputs.report import wording
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.outputs.zone_shares import share

if TYPE_CHECKING:
    from carbongrid.method.categories import Category
    from carbongrid.method.evidence import EvidenceRow
    from carbongrid.method.ledger import LedgerRow
    from carbongrid.outputs.result import RunTables

_MASSES = (
    "total", "facilities", "by_rule", "by_area", "by_parent", "placed", "unallocated",
    "units", "outside_units", "snapped", "elsewhere",
)  # fmt: skip

_REGIONAL = 500
"""Rows of the table of regions; ledger.csv has all."""
_UNITS = {"m2": "m²", "t CO2e": "t CO₂e", "t CO2": "t CO₂"}
_BETWEEN = " | "
"""What stands between factors, and between their sources, in an audit trail."""


@dataclass(frozen=True)
class Account:
    """A category's rows of the ledger added up, grams."""

    category: Category
    rule: str
    total: int
    facilities: int
    by_rule: int
    by_area: int
    by_parent: int
    placed: int
    unallocated: int
    units: int
    outside_units: int
    snapped: int
    elsewhere: int
    elsewhere_gas: str
    unplaced: str
    unplaced_zh: str
    reasons: tuple[str, ...]

    @property
    def balances(self) -> bool:
        """Whether what came in is what went out, to the gram."""
        return (
            self.total == self.placed + self.unallocated
            and self.placed == self.units + self.outside_units
        )


@dataclass(frozen=True)
class Step:
    """One bar of the waterfall: from where to where on the way from 0 to the total, grams."""

    name_en: str
    name_zh: str
    start: int
    end: int
    kind: str

    @property
    def grams(self) -> int:
        """Length of the bar."""
        return self.end - self.start


def ledger_accounts(tables: RunTables) -> list[Account]:
    """Return an account per category, in the order of the categories."""
    accounts, gases = [], _other_gases_elsewhere(tables)
    for category in tables.categories:
        rows = [row for row in tables.ledger if row.category == category.name]
        if not rows:
            continue
        said = (reason for row in rows for reason in row.reason.split("; ") if reason)
        accounts.append(
            Account(
                category=category,
                rule=rows[0].rule,
                elsewhere_gas=gases.get(category.name, ""),
                unplaced=_unplaced(rows),
                unplaced_zh=_unplaced(rows, wording.chinese),
                reasons=tuple(dict.fromkeys(said)),
                **{name: sum(getattr(row, name) or 0 for row in rows) for name in _MASSES},
            )
        )
    return accounts


def regional_rows(ledger: Iterable[LedgerRow]) -> tuple[list[LedgerRow], int]:
    """Return the rows of regions, in the ledger's order, and how many more there are: of very many those with something that is unallocated or by parent, then the largest.

    Of 25 totals of 1,500 units they were 28 MB of the page.
    """
    rows = [row for row in ledger if row.region]

    def smooth(number: int) -> tuple[bool, int]:
        row = rows[number]
        return not (row.unallocated or row.by_parent), -row.total

    shown = sorted(range(len(rows)), key=smooth)[:_REGIONAL]
    return [rows[number] for number in sorted(shown)], len(rows) - len(shown)


def _other_gases_elsewhere(tables: RunTables) -> dict[str, str]:
    """Return what the mass that lies elsewhere is of, by category, where that is not what the run's emissions are of."""
    away = tables.inventory[tables.inventory["place"] == "elsewhere"]
    if tables.gwp != AS_GIVEN and tables.gas.name != CO2:  # every gas is counted
        return {}
    emits = {category.name for category in tables.categories if not category.sink}
    gases = {str(name): CO2 if set(own) == {CO2} else CO2E for name, own in away.groupby("category")["gas"]}  # fmt: skip
    return {name: gas for name, gas in gases.items() if gas != tables.gas.name and name in emits}


def waterfall(accounts: Sequence[Account], *, sink: bool) -> tuple[Step, ...]:
    """Return how a total runs through the ledger: in, placed by which rule, where it ended.

    Each step begins where the one before it ended; ``placed`` begins at 0 again and is split into units and outside.
    """
    chosen = [account for account in accounts if account.category.sink == sink]
    sums = {name: sum(getattr(account, name) for account in chosen) for name in _MASSES}
    if not sums["total"]:
        return ()
    steps = [Step("total of the inventory", "清单总量", 0, sums["total"], "sum")]
    reached = 0
    for name, english, chinese, kind in (
        ("facilities", "facilities, at their own place", "重点排放设施（按坐标）", "good"),
        ("by_rule", "by the category's own rule", "按该核算类别的规则", "good"),
        ("by_area", "fell back to area", "替代规则：按面积", "fallback"),
        ("by_parent", "fell back to the parent type", "替代规则：上级类型", "fallback"),
        ("unallocated", "unallocated", "未分配", "lost"),
    ):
        steps.append(Step(english, chinese, reached, reached + sums[name], kind))
        reached += sums[name]
    steps.append(Step("placed on parcels", "落到地块", 0, sums["placed"], "sum"))
    steps.append(Step("in the units", "单元之内", 0, sums["units"], "good"))
    end = sums["units"] + sums["outside_units"]
    steps.append(Step("outside every unit", "单元之外", sums["units"], end, "lost"))
    return tuple(steps)


def sector_rows(tables: RunTables, shares_of: dict[bool, int]) -> list[dict[str, Any]]:
    """Return the inventory: sectors in the order of equation (1), sinks last, categories below.

    Parameters
    ----------
    tables
        What the run made.
    shares_of
        The grams that shares are of: of sinks under True, of emissions under False; less the sinks where the case's
        basis is net.
    """
    totals: dict[str, int] = {}
    for row in tables.ledger:
        totals[row.category] = totals.get(row.category, 0) + row.total
    own = {category.sector for category in tables.categories}
    rows = []
    for sector in (*SECTORS, *sorted(own - {*SECTORS, "sink"}), "sink"):
        inside = [category for category in tables.categories if category.sector == sector]
        if not inside:
            continue
        whole = shares_of[sector == "sink"]
        if tables.basis == "net" and sector != "sink":
            whole -= shares_of[True]
        english, chinese = sector_names().get(sector, (sector, sector))
        grams = sum(totals.get(category.name, 0) for category in inside)
        rows.append(
            {
                "key": sector,
                "name_en": english,
                "name_zh": chinese,
                "grams": grams,
                "share": share(grams, whole),
                "categories": [
                    (c, totals.get(c.name, 0), share(totals.get(c.name, 0), whole)) for c in inside
                ],
            }
        )
    return rows


def factor_rows(tables: RunTables) -> list[dict[str, Any]]:
    """Return each set of factors that formed a category's total, with sources; empty without activity data."""
    if tables.audit is None:
        return []
    columns = ["category", "factors", "factor_sources"]
    # A memo has factors too, and no mass in any total.
    formed = (tables.audit["factors"] != "") & (tables.audit["mass_t"] != "")
    used = tables.audit[formed][columns].drop_duplicates()
    names = {category.name: category for category in tables.categories}
    return [
        {
            "name_en": names[name].name_en if name in names else name,
            "name_zh": names[name].name_zh if name in names else name,
            "factors": factors.split(_BETWEEN),
            "sources": list(dict.fromkeys(sources.split(_BETWEEN))),
        }
        for name, factors, sources in used.itertuples(index=False, name=None)
    ]


def interval_rows(tables: RunTables) -> list[dict[str, Any]]:
    """Return the 95 % interval of each category's total, in grams; empty without activity data."""
    if tables.intervals is None:
        return []
    names = {category.name: category for category in tables.categories}
    return [
        {
            "category": names[row["category"]],
            "grams": round(row["co2e_t"] * 1e6),
            "drawn": [round(row[end] * 1e6) for end in ("low_2_t", "high_2_t")],
            "propagated": [round(row[end] * 1e6) for end in ("low_1_t", "high_1_t")],
        }
        for row in tables.intervals.to_dict("records")
        if row["category"] in names
    ]


def evidence_rows(tables: RunTables) -> list[dict[str, Any]]:
    """Return what was given, used and lost, by category, in units of the evidence and as numbers that add up; a dash where it is not published."""
    names = {category.name: category for category in tables.categories}
    return [
        {
            "category": names[row.category],
            "rule": row.evidence,
            "unit": _UNITS.get(row.unit, row.unit),
            **_balance(row),
            "lost_share": math.nan if row.lost is None else row.lost_share,
            "bad": (row.lost or 0) * WORTH_A_WARNING > (row.given or 0),
            "carriers": row.carriers,
            "weighted": row.weighted,
            "spread": row.spread,
            "top_share": _known(row.top_share),
            "densest": _known(row.densest),
        }
        for row in tables.evidence
    ]  # fmt: skip


def _half_up(value: float, digits: int) -> float:
    """Return a number rounded as masses beside it are (:func:`carbongrid.outputs.numbers.tonnes`)."""
    scale = 10.0**digits
    return math.floor(value * scale + 0.5) / scale


def _balance(row: EvidenceRow) -> dict[str, str]:
    """Return given, used and lost in as many digits as the smallest of them takes; used is what the other two leave, as they are shown."""
    if row.given is None or row.used is None or row.lost is None:
        return dict.fromkeys(("given", "used", "lost"), short_number(math.nan))
    given, used, lost = (each / row.per_unit for each in (row.given, row.used, row.lost))
    digits = _digits(given, min((each for each in (used, lost) if each), default=1.0))
    given, lost = _half_up(given, digits), _half_up(lost, digits)
    # No zeros that all of them end in.
    digits = next(n for n in range(digits + 1) if given == round(given, n) and lost == round(lost, n))  # fmt: skip
    shown = {"given": given, "used": given - lost, "lost": lost}
    return {name: f"{value:,.{digits}f}" for name, value in shown.items()}


def _digits(largest: float, smallest: float) -> int:
    """Return the decimals by which the smallest of some numbers above zero has three digits, and the largest at most nine."""
    if not largest:
        return 0
    wanted, room = 2 - math.floor(math.log10(smallest)), 8 - math.floor(math.log10(largest))
    return max(0, min(wanted, room))


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _unplaced(rows: Sequence[LedgerRow], word: Callable[[str], str] = str) -> str:
    count = sum(row.weight_unplaced or 0 for row in rows)
    return f"{count:,} × {word(rows[0].weight_unit)}" if count else ""
