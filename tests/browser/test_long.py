"""Longer checks, by ``nox -s browser``: a province's report, its size and how fast it answers."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest
import shapely
from large_tables import large_tables

from carbongrid.outputs.figures import write_study_figures
from carbongrid.outputs.report import write_report

logger = logging.getLogger(__name__)

pytestmark = pytest.mark.browser


WHEN_READY = """new MutationObserver(() => {
  if (!("ready" in document.documentElement.dataset) || "readyAfter" in window) return;
  window.readyAfter = performance.now();
  window.rowsThen = document.querySelectorAll("#table tbody tr").length;
}).observe(document, { attributes: true, subtree: true, attributeFilter: ["data-ready"] });"""
"""Keeps the page's own clock and the rows drawn at the moment when it is ready; asked later, a timer may have drawn more."""


@pytest.fixture(scope="module")
def large(tmp_path_factory) -> Path:
    return write_report(large_tables(), tmp_path_factory.mktemp("large"))


def test_a_province_is_small_and_quick(opened, large):
    """Size and times are logged."""
    size = large.stat().st_size
    assert size < 5_000_000
    begun = time.perf_counter()
    page = opened(large, init_script=WHEN_READY)
    page.hover("#land a[data-row='700']")
    assert page.locator("#tip").is_visible()
    waited = time.perf_counter() - begun
    busy = page.busy
    ready, rows = page.evaluate("[readyAfter, rowsThen]")
    assert rows == 100  # what answers first is not the whole table
    page.wait_for_selector("#table tbody tr:nth-child(1500)")
    whole = page.busy
    times = {}
    for name, code in {
        "search": "document.querySelector('[name=text]').value = 'Township 14'; page.filter()",
        "all": "document.getElementById('show-all').click()",
        "sort": "document.querySelector('th[data-key=emission_t] button').click()",
        "layer": "page.layer('esc')",
        "sheet": "page.choose(3, 'map')",
        "language": "page.language('zh')",
    }.items():
        times[name] = page.evaluate(
            "code => { const begun = performance.now(); eval(code); document.body.offsetHeight; return performance.now() - begun; }", code
        )  # fmt: skip
    others = [opened(large, init_script=WHEN_READY).evaluate("readyAfter") for _ in range(2)]
    told = ", ".join(f"{name} {took:.0f} ms" for name, took in times.items())
    logger.info("%.2f MB, ready in %.2f, %.2f and %.2f s, answers in %.2f s, %.2f s of them work, whole after %.2f s of work; %s", size / 1e6, *(each / 1e3 for each in (ready, *others)), waited, busy, whole, told)  # fmt: skip
    # By the clock, the best of three, since other work of the machine only adds: 0.9 s when idle.
    assert min(ready, *others) < 2_000
    # 0.9 to 1.2 s on an idle machine, 1.8 beside another process: a page of 4.6 MB is parsed and laid out
    assert 0.1 < busy < 2
    assert whole < 8  # 3.1 and 3.6 s
    assert max(times.values()) < 2000
    assert page.locator("#table tbody tr").count() == 1500


def test_figures_of_a_province_are_quick(tmp_path):
    """Every figure as PNG at 300 dpi and as PDF; other work on the machine does not count, and both times are logged."""
    tables = large_tables()
    assert shapely.is_valid(tables.units.geometry.to_numpy()).all()
    begun, worked = time.perf_counter(), time.process_time()
    paths = write_study_figures(tables, tmp_path)
    waited, busy = time.perf_counter() - begun, time.process_time() - worked
    told = (len(paths), len(tables.parcels), waited, busy)
    logger.info("%d figures of %d parcels in %.1f s, %.1f s of them work", *told)
    assert len(paths) == 20
    assert busy < 2.5 * len(paths)  # 1.8 s a figure on the slower of the machines tried


def test_a_long_table_is_whole_when_it_is_needed(opened, large):
    """Rows that are not drawn yet are drawn at once for a filter, a heading, a scroll, a choice, a link, paper."""
    asked = {
        "filter": "document.querySelector('[name=text]').value = 'Township 149'; page.filter()",
        "sort": "document.querySelector('th[data-key=emission_t] button').click()",
        "choice": "page.choose(1400, 'map')",
        "scroll": "document.querySelector('.tall').scrollTop = 1000",
    }
    for name, code in asked.items():
        page = opened(large)
        rows = page.evaluate(
            "code => { eval(code); return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(document.querySelectorAll('#table tbody tr').length)))); }", code
        )  # fmt: skip
        assert rows == (12 if name == "filter" else 1500), name
        if name == "filter":
            assert page.locator("#table tbody tr:visible").count() == 12
            # Seen without separators, beside masses that have some.
            assert page.locator("#count").inner_text() == "12 / 1,500"
            assert "12 of 1,500 units" in page.locator("body").inner_text()
        if name == "choice":
            assert " / 1,500" in page.locator("#sheet").inner_text()
    page = opened(large)
    page.emulate_media(media="print")
    page.wait_for_selector("#unit-1500")
