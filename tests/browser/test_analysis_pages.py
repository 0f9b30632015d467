"""Pages of several runs and of plans: nothing serious for those who cannot see them well, on a phone and a desk, in both languages, light and dark."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_reader import SEEN_DAILY, SIZES, in_words, serious, view
from waiting import HANG

from carbongrid.outputs.report.analysis_page import AnalysisPage, Cell, Column, Rows, Words
from carbongrid.outputs.report.analysis_page import write_analysis_page as write_page

PAGES = ("years/trend.html", "years/comparison.html", "years/targets.html", "years/compensation.html", "years/inequality.html", "run-plan-analysis/comparison.html")  # fmt: skip


@pytest.fixture
def page_of(chromium: Any, years_demo: Path) -> Iterator[Any]:
    windows, asked = [], []

    def opened(name: str, **options: Any) -> Any:
        context = chromium.new_context(offline=True, **options)
        context.set_default_timeout(HANG * 1000)
        windows.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.goto((years_demo / name).as_uri())
        return page

    yield opened
    for context in windows:
        context.close()
    assert [url for url in asked if not url.startswith("file:")] == []


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "look",
    [
        *SEEN_DAILY,
        *(
            pytest.param("-".join(each), marks=pytest.mark.thorough)
            for each in itertools.product(SIZES, ("en", "zh"), ("light", "dark"))
            if "-".join(each) not in SEEN_DAILY
        ),
    ],
)
def test_nothing_serious_for_axe(page_of: Any, name: str, look: str) -> None:
    page = page_of(name, **view(look))
    assert page.evaluate("document.documentElement.lang") == in_words(look, "en", "zh-CN")
    assert serious(page) == []
    beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert beyond <= 0, f"the page is {beyond} px wider than the window"


@pytest.mark.parametrize("scripted", [True, False])
def test_it_begins_in_the_browser_s_language(page_of: Any, scripted: bool) -> None:
    """Seen to begin in English in a Chinese browser, where a run's report did not."""
    for locale, lang, words in (("zh-CN", "zh-CN", "说明"), ("de-DE", "en", "Notes")):
        page = page_of(PAGES[0], locale=locale, java_script_enabled=scripted)
        told = page.locator("#notes h2 span:visible").inner_text()
        if scripted:
            assert page.locator("html").get_attribute("lang") == lang
            assert told == words
            page.click("label[for=language-en]")
            assert page.locator("html").get_attribute("lang") == "en"
        else:
            assert told == "Notes"
            page.click("label[for=language-zh]")
            assert page.locator("#notes h2 span:visible").inner_text() == "说明"


@pytest.mark.parametrize("width", [390, 1440])
def test_a_heavy_outline_is_seen(page_of: Any, width: int) -> None:
    page = page_of("years/comparison.html", viewport={"width": width, "height": 844})
    widths = page.evaluate(
        "[...document.querySelectorAll('svg.map .marked use')].map(use => ["
        "parseFloat(getComputedStyle(use).strokeWidth),"
        "document.querySelector(use.getAttribute('href')).getAttribute('vector-effect')])"
    )
    assert widths, "units whose zone changed are marked"
    assert all(width > 1.2 and effect == "non-scaling-stroke" for width, effect in widths), (
        "beside white borders of 1.2"
    )


def test_no_column_is_lost_beside_a_long_name(chromium: Any, tmp_path: Path) -> None:
    """Names stay on one line up to a length. Seen: a name of 70 letters cut two columns in print, one of 165 all numbers on a screen of 1440; headings of numbers did not break."""
    from pypdf import PdfReader

    number = Words("hectares of cultivated land and garden for it", "相应耕地园地公顷数")
    columns = [Column(Words("unit", "单元"), number=False), *[Column(number)] * 8]
    names = [
        "Upper Saint Mary (090102001)",
        "Sub-municipal district of " * 3 + "X (1)",
        "Very long " * 8 + 85 * "x",
    ]
    none = Cell("none: low at any emission: the unit has none of it", "无：该单元没有此项")
    rows = [[name, none, *["−1,234,567 t"] * 6, "last"] for name in names]
    table = Rows("rows", Words("Rows", "行"), None, columns, rows)
    narrow = Rows("narrow", Words("Rows", "行"), None, columns[:6], [row[:6] for row in rows])
    for name, tables, printed in (("wide", [table], 1039), ("narrow", [narrow], 695)):
        page = AnalysisPage(table.name, "A town", table.name, (), None, (), (), tables, ())  # type: ignore[arg-type]  # without maps no outlines are read
        opened = chromium.new_page(viewport={"width": 1440, "height": 900})
        opened.goto(write_page(page, tmp_path / f"{name}.html").as_uri())
        beyond = "(() => { const box = document.querySelector('.scroll'); return box.scrollWidth - box.clientWidth })()"
        assert opened.evaluate(beyond) <= 1, name
        lines = opened.evaluate("[...document.querySelectorAll('tbody th > div')].map(box => Math.round(box.clientHeight / parseFloat(getComputedStyle(box).lineHeight)))")  # fmt: skip
        assert lines[0] == 1 < min(lines[1:]), name
        pdf = opened.pdf(prefer_css_page_size=True, format="A4")
        opened.emulate_media(media="print")
        opened.set_viewport_size({"width": printed, "height": 700})
        assert opened.evaluate(beyond) <= 1, name
        sheets = PdfReader(io.BytesIO(pdf)).pages
        lies = {sheet.mediabox.width > sheet.mediabox.height for sheet in sheets}
        assert lies == {name == "wide"}
        opened.close()


def test_a_long_table_is_printed_whole(chromium: Any, tmp_path: Path) -> None:
    """Seen: what follows a table of more than 25 rows was printed over it, from its 40th rem on."""
    words = Words("Rows", "行")
    columns = [Column(words, number=False), Column(words)]
    long = Rows("long", words, None, columns, [[f"unit {row}", str(row)] for row in range(60)])
    after = Rows("after", Words("After", "其后"), None, columns, [["last", "1"]])
    page = AnalysisPage(words, "A town", words, (), None, (), (), [long, after], ())  # type: ignore[arg-type]  # without maps no outlines are read
    opened = chromium.new_page(viewport={"width": 695, "height": 1000})
    opened.goto(write_page(page, tmp_path / "long.html").as_uri())
    hidden = "(() => { const box = document.querySelector('.tall'); return box.scrollHeight - box.clientHeight })()"
    assert opened.evaluate(hidden) > 0, "a screen has it in a frame"
    opened.emulate_media(media="print")
    assert opened.evaluate(hidden) == 0
    opened.close()
