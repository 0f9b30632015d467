"""The city's activity data: made-up amounts whose totals are the study's rows, the last row of each category closing the sum."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from carbongrid import inventory
from carbongrid.inventory.activity import SETTINGS, ActivityData, ActivityRow
from carbongrid.inventory.tables import by_gas
from carbongrid.sources.demo.economy import TOTALS

YEAR, GRID = "2020", "jiangsu"
GWP = "AR5"

_ROWS: tuple[tuple[str, str, str, str, str, str], ...] = (
    ("industry", "fuel/bituminous", "industry/mining", "18", "万吨", ""),
    ("industry", "fuel/diesel", "industry/mining", "", "万吨", "factor=cn2025.co2.diesel"),
    ("industry", "fuel/bituminous", "industry/manufacturing", "2100", "万吨", ""),
    ("industry", "fuel/coke", "industry/manufacturing", "900", "万吨", ""),
    ("industry", "fuel/natural-gas", "industry/manufacturing", "38", "亿立方米", ""),
    ("industry", "product/clinker", "industry/manufacturing", "400", "万吨", ""),
    ("industry", "product/glass-float", "industry/manufacturing", "55", "万吨", "cullet=0.15"),
    ("industry", "product/steel-bof", "industry/manufacturing", "", "万吨", ""),
    ("industry", "fuel/bituminous", "industry/supply", "3300", "万吨", "variant=cn"),
    ("industry", "fuel/natural-gas", "industry/supply", "", "亿立方米", "factor=cn.co2.natural_gas"),
    ("buildings", "fuel/natural-gas", "buildings/urban-homes", "5.2", "亿立方米", ""),
    ("buildings", "fuel/lpg", "buildings/urban-homes", "1.5", "万吨", ""),
    ("buildings", "electricity", "buildings/urban-homes", "", "亿千瓦时", ""),
    ("buildings", "fuel/lpg", "buildings/rural-homes", "3.1", "万吨", ""),
    ("buildings", "electricity", "buildings/rural-homes", "", "亿千瓦时", ""),
    ("buildings", "fuel/natural-gas", "buildings/commerce", "2.4", "亿立方米", ""),
    ("buildings", "electricity", "buildings/commerce", "", "亿千瓦时", ""),
    ("buildings", "heat", "buildings/public-services", "1.6e6", "GJ", ""),
    ("buildings", "electricity", "buildings/public-services", "", "亿千瓦时", ""),
    ("transport", "freight/road", "transport/road", "900", "亿吨公里", ""),
    ("transport", "passengers/road", "transport/road", "620000", "万人公里", ""),
    ("transport", "vehicles/bus", "transport/road", "3.5", "亿车公里", ""),
    ("transport", "vehicles/car-petrol", "transport/road", "", "亿车公里", ""),
    ("transport", "freight/rail", "transport/rail", "210", "亿吨公里", ""),
    ("transport", "passengers/metro", "transport/rail", "640000", "万人公里", ""),
    ("transport", "passengers/rail", "transport/rail", "", "亿人公里", ""),
    ("transport", "passengers/water", "transport/water", "9000", "万人公里", ""),
    ("transport", "freight/water", "transport/water", "", "亿吨公里", ""),
    ("transport", "freight/air", "transport/air", "0.6", "亿吨公里", ""),
    ("transport", "passengers/air", "transport/air", "", "万人公里", ""),
    ("agriculture", "rice/single", "agriculture/plantation", "98", "万亩", "days=120 day; water=ipcc.rice.sfw_multiple; straw=3 t/ha"),
    ("agriculture", "nitrogen/synthetic", "agriculture/plantation", "5.2", "万吨", ""),
    ("agriculture", "nitrogen/manure", "agriculture/plantation", "0.8", "万吨", ""),
    ("agriculture", "soil/urea", "agriculture/plantation", "", "万吨", ""),
    ("agriculture", "animals/pigs", "agriculture/husbandry", "14", "万头", ""),
    ("agriculture", "animals/dairy", "agriculture/husbandry", "6200", "头", ""),
    ("agriculture", "animals/poultry", "agriculture/husbandry", "310", "万只", ""),
    ("agriculture", "fuel/diesel", "agriculture/husbandry", "", "t", "factor=cn2025.co2.diesel"),
    ("waste", "wastewater/industrial", "waste/industrial", "", "t COD", "correction=ipcc.iww.mcf.aerobic_overloaded"),
    ("waste", "wastewater/domestic", "waste/domestic", "1274.8262", "万人", "correction=ipcc.ww.mcf.discharge_water; protein=33.4 kg/person"),
    ("waste", "incineration/msw", "waste/domestic", "280", "万吨", ""),
    ("waste", "landfill-balance/food", "waste/domestic", "30", "万吨", "correction=ipcc.swds.mcf.managed_anaerobic"),
    ("waste", "landfill-balance/paper", "waste/domestic", "", "万吨", "correction=ipcc.swds.mcf.managed_anaerobic"),
    ("sinks", "land/grassland", "sink/land", "1400", "公顷", ""),
    ("sinks", "land/unused", "sink/land", "600", "公顷", ""),
    ("sinks", "land/water", "sink/land", "3205", "km2", ""),
    ("sinks", "land/forest", "sink/land", "", "公顷", "coefficient=xie_variant.forest"),
    ("sinks", "crop/wheat", "sink/crops", "6", "万吨", ""),
    ("sinks", "crop/vegetables", "sink/crops", "40", "万吨", ""),
    ("sinks", "crop/rice", "sink/crops", "", "万吨", ""),
    # The balance of electricity, which only electricity = "consumption" counts.
    ("industry", "electricity/generated", "industry/supply", "820", "亿千瓦时", ""),
    ("industry", "electricity/losses", "industry/supply", "45", "亿千瓦时", ""),
    ("industry", "electricity/used", "industry/manufacturing", "1100", "亿千瓦时", ""),
    ("industry", "electricity/used", "industry/mining", "3", "亿千瓦时", ""),
    ("agriculture", "electricity/used", "agriculture/husbandry", "8", "亿千瓦时", ""),
)  # fmt: skip
"""Sheet, activity, category, amount (blank in the row that closes its category), unit, parameters."""

_HEADER = (
    "id",
    "activity",
    "category",
    "amount",
    "unit",
    "parameters",
    "uncertainty_pct",
    "year",
    "source",
    "note",
)
_SOURCE = "made up for the demo"
_CLOSING = "closes the sum: the category's total is the study's row"


def activity_tables() -> dict[str, list[tuple[str, ...]]]:
    """Return the activity data by sheet: a header and the rows below it.

    Every closing amount is such that the total of its category, by AR5, is what totals.csv has, to the gram.
    """
    targets = {name: int(Decimal(value) * 10**10) for name, value, _ in TOTALS}
    tables: dict[str, list[tuple[str, ...]]] = {}
    for number, row in enumerate(_closed(targets), start=1):
        closing = _ROWS[number - 1][3] == ""
        table = tables.setdefault(row.sheet, [_HEADER])
        parameters = "; ".join(f"{name}={value}" for name, value in row.parameters.items())
        note = _CLOSING if closing else ""
        table.append(
            (
                row.id,
                row.activity,
                row.category,
                row.written,
                row.unit,
                parameters,
                "5",
                YEAR,
                _SOURCE,
                note,
            )
        )
    settings: list[tuple[str, ...]] = [
        ("setting", "value"),
        *({**SETTINGS, "year": YEAR, "grid": GRID}).items(),
    ]
    return {
        **tables,
        "settings": settings,
        "factors": [("key", "name", "value", "unit", "gas", "low", "high", "source")],
    }


def _closed(targets: dict[str, int]) -> list[ActivityRow]:
    rows = [_row(number, cells) for number, cells in enumerate(_ROWS, start=1)]
    for place, (_, _, category, amount, _, _) in enumerate(_ROWS):
        if amount:
            continue
        members = [row for row in rows if row.category == category]
        others = [row for row in members if row is not rows[place]]
        rest = _grams(others) if others else 0
        rows[place] = _with_amount(
            rows[place], _closing_amount(rows[place], others, targets[category], rest)
        )
    return rows


def _closing_amount(row: ActivityRow, others: list[ActivityRow], target: int, rest: int) -> Decimal:
    """Return the amount, a number that a spreadsheet holds, by which a category's grams reach the target."""
    one = _formed([_with_amount(row, Decimal(1))])
    per_one = _weighed(one)
    amount = Fraction(target - rest) / per_one
    for _ in range(4):
        closed = Decimal(repr(float(amount)))
        short = target - _grams([*others, _with_amount(row, closed)])
        if not short:
            return closed
        amount += Fraction(short) / per_one
    raise ValueError(f"{row.category} does not close")


def _weighed(formed: inventory.Inventory) -> Fraction:
    return sum((line.exact * line.potential(GWP) for line in formed.lines), Fraction(0))


def _grams(rows: list[ActivityRow]) -> int:
    return int(by_gas(_formed(rows))["grams_co2e"].sum())


def _formed(rows: list[ActivityRow]) -> inventory.Inventory:
    settings = {**SETTINGS, "year": YEAR, "grid": GRID}
    return inventory.form(ActivityData("demo", tuple(rows), settings, ()), gwp=GWP, sinks="study")


def _row(number: int, cells: tuple[str, str, str, str, str, str]) -> ActivityRow:
    sheet, activity, category, amount, unit, parameters = cells
    pairs = (part.partition("=") for part in parameters.split("; ") if part)
    return ActivityRow(
        file="demo",
        sheet=sheet,
        row=number,
        id=f"{sheet[0].upper()}{number:02d}",
        activity=activity,
        category=category,
        amount=Decimal(amount) if amount else None,
        written=amount,
        unit=unit,
        parameters={name: value for name, _, value in pairs},
        uncertainty_pct=Decimal(5),
        year=YEAR,
        source=_SOURCE,
        note="",
    )


def _with_amount(row: ActivityRow, amount: Decimal) -> ActivityRow:
    return replace(row, amount=amount, written=f"{amount:f}")
