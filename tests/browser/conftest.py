"""Headless Chromium over reports opened from disk, with the network blocked and every complaint kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tables_example import example_tables
from waiting import HANG

from carbongrid.outputs.report import write_report

if "CARBONGRID_BROWSER" not in os.environ:
    collect_ignore = ["test_long.py", "test_whole_country.py"]  # nox -s browser runs them

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


@dataclass
class Opened:
    """A page and what its browser said and asked for."""

    page: Any
    tools: Any
    complaints: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.page, name)

    @property
    def busy(self) -> float:
        """Seconds that the page's main thread has worked; other work on the machine does not count."""
        metrics = self.tools.send("Performance.getMetrics")["metrics"]
        return next(each["value"] for each in metrics if each["name"] == "ThreadTime")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("no browser: install the system's chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="no browser driver: playwright")
    with playwright.sync_playwright() as driver:
        # A sandbox needs privileges that a container's root has not; the pages are our own.
        browser = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of six townships; not to be modified."""
    return write_report(example_tables(), tmp_path_factory.mktemp("small"))


@pytest.fixture
def opened(chromium: Any) -> Iterator[Callable[..., Opened]]:
    """Open a report in a window of its own; at the end nothing may have been asked for or complained of."""
    windows = []

    def start(report: Path, **options: Any) -> Opened:
        options = {"viewport": {"width": 1360, "height": 900}, "locale": "en-GB", **options}
        script, place = options.pop("init_script", None), options.pop("at", "")
        context = chromium.new_context(offline=True, **options)
        if script:
            context.add_init_script(script)
        context.set_default_timeout(HANG * 1000)
        page = context.new_page()
        window = Opened(page, context.new_cdp_session(page))
        window.tools.send("Performance.enable")
        window.page.on(
            "console",
            lambda said: (
                window.complaints.append(said.text) if said.type in ("error", "warning") else None
            ),
        )
        window.page.on("pageerror", lambda error: window.complaints.append(str(error)))
        window.page.on("request", lambda request: window.asked.append(request.url))
        window.page.goto(report.as_uri() + place)
        if options.get("java_script_enabled", True):
            window.page.wait_for_selector("html[data-ready]")
        windows.append((context, window, report))
        return window

    yield start
    for context, window, report in windows:
        context.close()
        assert window.complaints == []
        # A blob is a picture that the page made of itself.
        asked = [url.partition("#")[0] for url in window.asked if not url.startswith("blob:")]
        assert asked == [report.as_uri()]
