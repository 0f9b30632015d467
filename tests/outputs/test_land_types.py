"""Table 3: mass by sector, category and territorial type, against sums of the parcels made one by one."""

from __future__ import annotations

import csv
import dataclasses
import html
import re
from fractions import Fraction
from pathlib import Path

import pytest
from tables_example import TOTALS, example_tables

from carbongrid.outputs.land_types import (
    basis_of_shares,
    colour_of_land,
    land_flows,
    name_of_land,
    name_of_sector,
    ordered_lands,
    sums_by,
)
from carbongrid.outputs.numbers import in_percent, tonnes
from carbongrid.outputs.reading import read_tables
from carbongrid.outputs.report import write_report
from carbongrid.outputs.report.land import land_table
from carbongrid.outputs.result import RunTables
from carbongrid.outputs.tables import published, write_tables

TABLES = example_tables()


def by_hand(tables: RunTables) -> dict[tuple[str, str], int]:
    """Grams by category and type, parcel by parcel in Python integers; what is unallocated is the rest of the total."""
    sums: dict[tuple[str, str], int] = {}
    for category in tables.categories:
        pairs = zip(tables.parcels["type"], tables.parcels[category.name], strict=True)
        for land, grams in pairs:
            key = (category.name, str(land))
            sums[key] = sums.get(key, 0) + int(grams)
        sums[category.name, "unallocated"] = TOTALS[category.name][3]
    return {key: grams for key, grams in sums.items() if grams}


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def grams_of(text: str) -> int:
    return int(text.replace(".", ""))


def test_the_file_holds_the_sums_of_the_parcels_to_the_gram(tmp_path: Path) -> None:
    """Seen to fail without what is unallocated, and with shares of emissions and sinks together."""
    write_tables(TABLES, tmp_path)
    rows = rows_of(tmp_path / "land_types.csv")
    assert {(row["category"], row["type"]): grams_of(row["mass_t"]) for row in rows} == by_hand(TABLES)  # fmt: skip
    sectors = {category.name: category.sector for category in TABLES.categories}
    assert all(row["sector"] == sectors[row["category"]] for row in rows)
    for sink in (False, True):
        own = [row for row in rows if (row["sector"] == "sink") == sink]
        whole = sum(grams_of(row["mass_t"]) for row in own)
        assert whole == sum(TOTALS[c.name][0] for c in TABLES.categories if c.sink == sink)
        for row in own:
            assert float(row["share"]) == float(Fraction(grams_of(row["mass_t"]), whole))
    assert [row["sector"] for row in rows] == sorted(
        (row["sector"] for row in rows), key=("industry", "buildings", "sink").index
    )


@pytest.mark.parametrize("public", [False, True])
def test_what_is_read_again_flows_as_before(small_run: Path, tmp_path: Path, public: bool) -> None:
    """Seen to fail while a run was read without its ledger, and a public one without parcels had no types."""
    tables = read_tables(small_run)
    if public:
        tables = dataclasses.replace(published(tables, []), categories=tables.categories)
        assert tables.parcels.empty
    summed = dataclasses.replace(read_tables(small_run), by_type=None)
    for sink in (False, True):
        assert land_flows(tables, sink=sink) == land_flows(summed, sink=sink)
        assert land_flows(tables, sink=sink)


def test_names_colours_and_order() -> None:
    assert ordered_lands(["unallocated", "made-up", "water", "mining"]) == ["mining", "water", "made-up", "unallocated"]  # fmt: skip
    assert name_of_land("water") == ("Water", "水域")
    assert name_of_land("unallocated")[1] == "未分配"
    assert name_of_land("made-up") == ("made-up", "made-up")
    assert name_of_sector("industry") == ("Industry", "工业")
    assert colour_of_land("water") != colour_of_land("made-up")


def test_sums_are_those_of_the_flows() -> None:
    flows = land_flows(TABLES, sink=False)
    assert sums_by(flows, "sector") == {
        (sector,): sum(flow.grams for flow in flows if flow.sector == sector)
        for sector in ("industry", "buildings")
    }
    assert sum(sums_by(flows, "land", "sector").values()) == sum(flow.grams for flow in flows)


@pytest.mark.parametrize("basis", ["gross", "net"])
def test_shares_are_of_what_the_case_says(basis: str) -> None:
    emission, sink = (
        sum(TOTALS[c.name][0] for c in TABLES.categories if c.sink == of) for of in (False, True)
    )
    whole = emission - sink if basis == "net" else emission
    assert basis_of_shares(dataclasses.replace(TABLES, basis=basis)) == whole


def test_the_report_s_table_has_the_same_numbers() -> None:
    """Seen to fail with the sinks of a type left out of its row."""
    table, sums = land_table(TABLES), by_hand(TABLES)
    sectors = {category.name: name_of_sector(category.sector) for category in TABLES.categories}
    columns = [names for names, _ in table.sectors]
    assert columns == [("Industry", "工业"), ("Buildings", "建筑")]
    found = {
        (name_of_land(land), of): sum(
            grams
            for (category, on), grams in sums.items()
            if on == land and sectors[category] == of
        )
        for _, land in sums
        for of in sectors.values()
    }
    sink = ("Carbon sink", "碳汇")
    for row in table.rows:
        assert [found.get((row.name, of), 0) for of in columns] == list(row.cells)
        assert row.emission == sum(row.cells)
        assert row.sink == found.get((row.name, sink), 0)
    whole = sum(TOTALS[c.name][0] for c in TABLES.categories if not c.sink)
    assert (table.sums.emission, table.sums.share) == (whole, 1.0)
    assert sum(row.share for row in table.rows) == pytest.approx(1, abs=1e-12)
    assert sum(table.shares) == pytest.approx(1, abs=1e-12)


def test_without_mass_there_is_a_table_of_nothing() -> None:
    empty = dataclasses.replace(
        TABLES, ledger=(), parcels=TABLES.parcels.assign(**{c.name: 0 for c in TABLES.categories})
    )
    table = land_table(empty)
    assert table.rows == ()
    assert table.sums.emission == 0


def test_the_page_shows_every_number_of_the_table(tmp_path: Path) -> None:
    """Seen to fail with a column of sectors fewer."""
    text = write_report(TABLES, tmp_path).read_text(encoding="utf-8")
    table = text[text.index('<table class="dense land">') :]
    cells = re.findall(
        r'<td class="number">(?:<span class="en">)?([^<]*)<', table[: table.index("</table>")]
    )
    made = land_table(TABLES)
    expected = []
    for row in (*made.rows, made.sums):
        expected += [tonnes(grams) if grams else "" for grams in (*row.cells, row.emission)]
        expected += [
            in_percent(row.share) if row.emission else "",
            tonnes(row.sink) if row.sink else "",
        ]
    expected += [in_percent(part) for part in (*made.shares, made.sums.share)]
    assert [html.unescape(cell) for cell in cells] == expected
