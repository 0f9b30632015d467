"""What the columns of the units are called where people read them: headings of units.xlsx, aliases in a GIS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from carbongrid.method.categories import column_of, sector_names
from carbongrid.method.gas import CO2
from carbongrid.outputs.figures.classes import LEVELS
from carbongrid.outputs.result import AS_GIVEN
from carbongrid.outputs.tables.content import Table, titles

if TYPE_CHECKING:
    from carbongrid.method.gas import Gas
    from carbongrid.outputs.result import RunTables

PER_YEAR = "t CO2e/yr"
CURRENCY = "currency"
"""Stands for the currency of the run."""


@dataclass(frozen=True)
class Heading:
    """A name in English and Chinese, and the unit of what stands below it."""

    name_en: str
    name_zh: str = ""
    unit: str = ""

    @property
    def text(self) -> str:
        """The names, and the unit behind a comma."""
        names = f"{self.name_en} {self.name_zh}".strip()
        return f"{names}, {self.unit}" if self.unit else names

    def of(self, gas: Gas) -> Heading:
        """Return the heading with a run's gas in its unit."""
        return Heading(self.name_en, self.name_zh, gas.told(self.unit))


_HEADINGS: Mapping[str, Heading] = {
    "id": Heading("Code", "代码"),
    "name": Heading("Name", "名称"),
    "name_en": Heading("English name", "英文名称"),
    "emission_t": Heading("Emissions", "碳排放", PER_YEAR),
    "sink_t": Heading("Carbon sinks", "碳汇", PER_YEAR),
    "residents": Heading("Residents", "常住人口", "people"),
    "gdp": Heading("GDP", "地区生产总值", CURRENCY),
    "gdp_low": Heading("GDP, lower end", "地区生产总值下限", CURRENCY),
    "gdp_high": Heading("GDP, upper end", "地区生产总值上限", CURRENCY),
    "ccr": Heading("CCR", "碳补偿率"),
    "ecc": Heading("ECC", "经济贡献系数"),
    "ecc_low": Heading("ECC, lower end", "经济贡献系数下限"),
    "ecc_high": Heading("ECC, upper end", "经济贡献系数上限"),
    "esc": Heading("ESC", "生态承载系数"),
    "zone": Heading("Zone code", "分区代码"),
    "zone_name": Heading("Zone"),
    "zone_name_zh": Heading("分区"),
    "borderline": Heading("Close to 1", "接近 1"),
    "indicative": Heading("Indicative", "仅供参考"),
    "balance": Heading("Balance", "源汇性质"),
    "reason": Heading("Reason", "说明"),
    "emission_to_leave_zone_t": Heading("Emissions to leave the zone", "改变分区的排放变化", PER_YEAR),
    "sink_to_leave_zone_t": Heading("Sinks to leave the zone", "改变分区的碳汇变化", PER_YEAR),
    "zone_probability": Heading("Share of draws with this zone", "属该分区的抽样比例"),
    "firm": Heading("Firm (90 % or more)", "稳定（不低于 90 %）"),
    **{
        f"{name}_{point}": Heading(f"{english}, {part}", f"{chinese} {part}", unit)
        for name, english, chinese, unit in (
            ("emission_t", "Emissions", "碳排放", PER_YEAR),
            ("sink_t", "Carbon sinks", "碳汇", PER_YEAR),
            ("ccr", "CCR", "碳补偿率", ""),
            ("ecc", "ECC", "经济贡献系数", ""),
            ("esc", "ESC", "生态承载系数", ""),
        )
        for point, part in (("p05", "5 %"), ("p95", "95 %"))
    },
    "gdp_to_leave_zone": Heading("GDP to leave the zone", "改变分区的 GDP 变化", CURRENCY),
}  # fmt: skip


def name_of(column: str) -> str:
    """Return what a column of the units is called in English, without its unit; as in the files where nobody named it."""
    if column in _HEADINGS:
        return _HEADINGS[column].name_en
    return sector_names().get(column.removesuffix("_t"), (column,))[0]


def headings_of(units: Table, tables: RunTables) -> dict[str, Heading]:
    """Return the heading of each column of the units, mass in tonnes, by its name in the files.

    Parameters
    ----------
    units
        Content of the units.
    tables
        Where sectors, categories and the currency come from.
    """
    sectors = {f"{sector}_t": Heading(*names, PER_YEAR) for sector, names in sector_names().items()}
    # The unit of the run's own sinks has the sector's name, and the units' sum comes first.
    known = {**sectors, **category_headings(tables), **_HEADINGS}
    return {title: _of(known, title, tables) for title in titles(units.kinds)}


def category_headings(tables: RunTables) -> dict[str, Heading]:
    """Return the heading of each category's mass in tonnes."""
    return {
        f"{column_of(category.name)}_t": Heading(
            category.name_en or category.name, category.name_zh, tables.gas.told(PER_YEAR)
        )
        for category in tables.categories
    }


def _of(known: Mapping[str, Heading], title: str, tables: RunTables) -> Heading:
    if title not in known:  # a higher level, or a sector of the user's own
        unit = PER_YEAR if title.endswith("_t") else ""
        return Heading(title.removesuffix("_t"), LEVELS.get(title, ""), tables.gas.told(unit))
    heading = known[title]
    if heading.unit == CURRENCY:
        return Heading(heading.name_en, heading.name_zh, tables.currency)
    return heading.of(tables.gas)


def dated_title(tables: RunTables) -> str:
    """Return the run's title and year."""
    return f"{tables.title}, {tables.year}".strip(", ")


def potentials(tables: RunTables) -> tuple[str, str]:
    """Return by which global warming potentials the run's masses are CO2e, in English and Chinese; what of them counts CO2 alone was multiplied by none."""
    if tables.gas.name == CO2:
        return "none, CO2 alone", "不适用，仅含 CO2"
    if tables.gwp == AS_GIVEN:
        english, chinese = tables.gas.in_part
        return f"{AS_GIVEN}{english}", f"以所给总量为准{chinese}"
    return f"{tables.gwp}, 100 years", f"{tables.gwp}，100 年"


_OF_OTHER_YEARS = {"gdp": "GDP", "residents": "residents", "totals": "totals"}


def other_years(tables: RunTables) -> dict[str, str]:
    """Return which years GDP, residents and totals are of, in words, of those that are not all of the run's."""
    of_totals = tuple(sorted({int(year) for year in tables.spread["year"].dropna()}))
    years = {**tables.other_years, "totals": of_totals}
    return {name: ", ".join(map(str, years[name])) for name in _OF_OTHER_YEARS if years.get(name, ()) not in ((), (tables.year,))}  # fmt: skip


def about_run(tables: RunTables) -> str:
    """Return what a layer of the run says of itself: title, year, which figures are of others, and what its masses are."""
    mixed = "".join(f"; {_OF_OTHER_YEARS[name]} of {years}" for name, years in other_years(tables).items())  # fmt: skip
    mass = tables.gas.told("mass in CO2e per year")
    return (
        f"{dated_title(tables)}{mixed}; {mass}, global warming potentials: {potentials(tables)[0]}"
    )
