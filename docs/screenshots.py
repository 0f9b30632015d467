"""Take the pictures of docs/report.md again: ``nox -s screenshots`` (needs the system's Chromium)."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from carbongrid.sources.demo import run_demo

IMAGES = Path(__file__).resolve().parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    """Run the full demo and look at its report as a reader does."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        raise SystemExit("no browser: install the system's chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as driver:
        report = run_demo(Path(folder) / "demo").result.directory / "report.html"
        chromium = driver.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        for name, look in {
            "desktop": desktop,
            "parcels": parcels,
            "sheet": sheet,
            "phone": phone,
        }.items():
            path = Path(folder) / f"{name}.png"
            look(chromium, report.as_uri(), path)
            with Image.open(path) as image:
                image.convert("RGB").save(IMAGES / f"report-{name}.png", optimize=True)
        chromium.close()


def opened(chromium: Any, address: str, **options: Any) -> Any:
    """Return the report in a window of its own."""
    page = chromium.new_page(locale="en-GB", **options)
    page.goto(address)
    page.wait_for_selector("html[data-ready]")
    return page


def desktop(chromium: Any, address: str, path: Path) -> None:
    """Take map and plane, a unit pointed at; the table is below."""
    page = opened(chromium, address, viewport={"width": 1400, "height": 1400})
    page.hover("#land a[data-row='60']")
    page.screenshot(path=path)


def parcels(chromium: Any, address: str, path: Path) -> None:
    """Take the map of what parcels emit, with water."""
    page = opened(chromium, address, viewport={"width": 1400, "height": 1200})
    page.click("label[for=layer-parcels]")
    page.check("#show-water")
    page.locator("#map").screenshot(path=path)


def sheet(chromium: Any, address: str, path: Path) -> None:
    """Take a unit's sheet."""
    page = opened(chromium, address, viewport={"width": 1400, "height": 900})
    page.click("#unit-61 a")
    page.locator("#sheet").screenshot(path=path)


def phone(chromium: Any, address: str, path: Path) -> None:
    """Take the first screens on a phone, in Chinese, coloured by ESC."""
    options = {"viewport": {"width": 390, "height": 1500}, "is_mobile": True, "has_touch": True}
    page = opened(chromium, address, **options)
    page.tap("label[for=language-zh]")
    page.tap("label[for=layer-esc]")
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_timeout(600)  # the flash of the tap
    page.screenshot(path=path)


if __name__ == "__main__":
    main()
