"""A report of more units than a table of one page has: what a browser is given to lay out, and that nothing of it is lost."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from report_reader import column, serious, shown
from tables_example import example_tables

from carbongrid.outputs.report import page as report_page
from carbongrid.outputs.report import write_report

pytestmark = pytest.mark.browser

MANY, SIZE = 130, 40
NAME = 'O\'Higgins & "<b>Söhne</b>"'


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six townships over and over, no two with the same emission, the last with a name that has to be escaped; pages of 40 rows."""
    tables = example_tables()
    rows = np.arange(MANY) % len(tables.units)
    units = tables.units.iloc[rows].reset_index(drop=True)
    west, south, *_ = tables.units.total_bounds
    at = np.arange(MANY)
    squares = shapely.box(
        west + 100 * (at % 13),
        south + 100 * (at // 13),
        west + 100 * (at % 13 + 1),
        south + 100 * (at // 13 + 1),
    )
    units = units.assign(
        id=[f"{number:04d}" for number in at],
        name=[*units["name"][:-1], NAME],
        name_en=[*units["name_en"][:-1], ""],
        emission_g=units["emission_g"] + at,
    )
    units = gpd.GeoDataFrame(units, geometry=squares, crs=tables.units.crs)
    tables = dataclasses.replace(tables, units=units)
    with pytest.MonkeyPatch.context() as patch:
        for name, rows_of in (("_ROWS_AT_ONCE", 10), ("_ROWS_IN_ONE", 60), ("_ROWS_OF_A_PAGE", SIZE)):  # fmt: skip
            patch.setattr(report_page, name, rows_of)
        return write_report(tables, tmp_path_factory.mktemp("many"))


def rows(count: int) -> str:
    """Return what there is where the table has that many rows."""
    return f"#table tbody tr:nth-child({count}):last-child"


def test_a_browser_lays_out_what_is_seen(opened, many):
    """A row is 60 elements: of 20,000 units that were all laid out they were more than a million."""
    page = opened(many)
    assert page.locator("#table tbody tr").count() <= SIZE
    page.wait_for_selector(rows(SIZE))
    assert page.locator("#land a title, #land use").count() == 0
    assert page.locator("#land a").count() == MANY
    assert page.locator("#pager output").inner_text() == "rows 1 to 40 of 130"
    text = many.read_text("utf-8")
    for shape in re.findall(r'<path id="shape-\d+" d="([^"]+)"', text):
        assert text.count(shape) <= 2  # its own, and in what is hatched


def test_every_row_is_reached_sorted_found_chosen_and_saved(opened, many):
    page = opened(many)
    seen = []
    for _ in range(4):
        page.evaluate("page.draw()")
        seen += shown(page)
        last = page.locator("[data-turn='1']").is_disabled()
        if not last:
            page.click("[data-turn='1']")
    assert last
    assert seen == [f"{number:04d}" for number in range(MANY)]
    page.click("th[data-key=emission_t] button")
    assert page.locator("#pager output").inner_text().startswith("rows 1 to 40 ")
    values = [float(each) for each in column(page, "emission_t")]
    assert values == sorted(values, reverse=True)
    assert values[0] == page.evaluate("Math.max(...page.units.map(unit => page.number(unit, 'emission_t')))")  # fmt: skip
    page.fill("[name=text]", 'higgins & "<b>s')
    assert shown(page) == [f"{MANY - 1:04d}"]
    assert page.locator("#pager").is_hidden()
    assert page.locator("#table tbody th").inner_text() == NAME
    with page.expect_download() as waiting:
        page.click("[data-save=csv]")
    text = Path(waiting.value.path()).read_text(encoding="utf-8-sig")
    [row] = csv.DictReader(io.StringIO(text))
    assert (row["name"], row["id"]) == (NAME, f"{MANY - 1:04d}")
    page.click("#show-all")
    page.evaluate(f"page.choose({MANY - 1}, 'map')")
    assert page.locator("#table tr.chosen").is_visible()
    assert page.locator("#sheet h3").inner_text() == NAME
    page.evaluate("page.close(); page.language('zh')")
    told = page.evaluate("document.querySelector('#land a[tabindex=\"0\"]').getAttribute('aria-label')")  # fmt: skip
    assert re.search("碳排放 [\\d.]+ 万吨", told), told
    assert page.locator("#pager output").inner_text() .endswith("行，共 130 行")  # fmt: skip
    assert serious(page) == []


def test_paper_and_a_page_without_scripts_have_all_rows(opened, many):
    page = opened(many)
    page.emulate_media(media="print")
    page.wait_for_selector(rows(MANY))
    assert page.locator(f"#unit-{MANY}").is_visible()
    assert page.locator("#pager").is_hidden()
    page.emulate_media(media="screen")
    page.wait_for_selector(f"#table tbody:not(:has(tr:nth-child({SIZE + 1})))")
    plain = opened(many, java_script_enabled=False)
    assert plain.locator(".unread").is_hidden()
    assert plain.locator("#table tbody tr").count() == MANY
    assert plain.locator(f"#unit-{MANY} th").inner_text() == NAME


def test_a_page_that_a_browser_saved_has_its_rows_once(opened, many, tmp_path):
    """Seen to fail: the rows that were drawn were saved too, and stood below those of the text with the same names."""
    saved = tmp_path / "report.html"
    saved.write_text(re.sub(r' style="[^"]*"', "", opened(many).content()), encoding="utf-8")
    page = opened(saved)
    assert page.locator("table#table").count() == page.locator("#unit-1").count() == 1


def test_a_server_that_forbids_scripts_leaves_a_word(chromium, many):
    """Seen to fail: a browser that runs scripts passed over the rows, scripts were forbidden, and nothing stood there."""
    page = chromium.new_page()
    body, policy = many.read_text("utf-8"), "script-src 'self'"
    page.route("**/*", lambda asked: asked.fulfill(body=body, content_type="text/html", headers={"content-security-policy": policy}))  # fmt: skip
    page.goto("http://carbongrid.test/report.html")
    assert "units.csv" in page.locator(".unread").inner_text()
    page.close()


def test_pages_are_turned_by_keyboard_and_by_address(opened, many):
    """Seen to fail: at the last page the focus was nowhere, and the name of a row that was not made led nowhere."""
    page = opened(many)
    page.focus("[data-turn='1']")
    for _ in range(MANY // SIZE):
        page.keyboard.press("Enter")
    assert page.locator("[data-turn='1']").is_disabled()
    page.keyboard.press("Enter")
    assert page.locator("#pager output").inner_text() == "rows 81 to 120 of 130"
    page.evaluate("location.hash = '#unit-50'")
    page.wait_for_selector("#unit-50.chosen")
