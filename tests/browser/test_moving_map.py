"""The map to move about in: folium's page, drawn by the Leaflet that QGIS brings along, since folium's own comes from the network."""

from __future__ import annotations

from pathlib import Path

import pytest
from tables_example import example_tables

from tests.outputs.test_notebook import result_in

pytestmark = pytest.mark.browser

LEAFLET = Path("/usr/share/javascript/leaflet")


def test_units_are_drawn_and_told(chromium, tmp_path):
    pytest.importorskip("folium", reason="the extra explore is not installed")
    if not LEAFLET.exists():
        pytest.skip("no Leaflet: install libjs-leaflet, which comes with QGIS")
    drawn = result_in(tmp_path).plot.explore()
    (tmp_path / "map.html").write_text(drawn.get_root().render(), encoding="utf-8")
    page = chromium.new_page(viewport={"width": 800, "height": 600})
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def answer(route) -> None:
        file = LEAFLET / route.request.url.rpartition("/")[2]
        route.fulfill(path=file) if file.exists() else route.fulfill(body="")

    page.route("http**", answer)
    page.goto((tmp_path / "map.html").as_uri())
    shapes = page.locator("path.leaflet-interactive")
    units = example_tables().units
    assert shapes.count() == len(units) == 6
    assert len(set(shapes.evaluate_all("all => all.map(each => each.getAttribute('fill'))"))) == units["zone"].nunique()  # fmt: skip
    for row, unit in units.iterrows():
        shapes.nth(row).hover()
        told = page.locator(".leaflet-tooltip").inner_text()
        assert unit["name"] in told
        assert unit["zone_name"] in told
    assert complaints == []
    page.close()
