"""Pages of several runs and of plans: nothing serious for those who cannot see them well, on a phone and a desk, in both languages, light and dark."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from report_reader import SIZES, VIEWS, in_words, serious, view
from waiting import HANG

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
        *VIEWS,
        *(
            pytest.param("-".join(each), marks=pytest.mark.thorough)
            for each in itertools.product(SIZES, ("en", "zh"), ("light", "dark"))
            if "-".join(each) not in VIEWS
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
