"""What a planner does with a report: sees the finding, selects, reads sums, saves, sends a link."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from decimal import Decimal
from pathlib import Path
from urllib.parse import parse_qsl
from xml.etree import ElementTree as ET

import pytest
from english_left import english_in, names_of
from hostile import NAMES
from PIL import Image
from report_reader import (
    in_both_languages,
    in_chinese,
    in_every_view,
    in_the_dark,
    in_words,
    on_a_desk,
    on_a_phone,
    serious,
    shown,
    spot,
    view,
)
from tables_example import example_tables

from carbongrid.case import Case
from carbongrid.outputs.numbers import mass, mass_in_chinese, percent
from carbongrid.outputs.report import write_report
from carbongrid.outputs.tables.plain import quoted

pytestmark = pytest.mark.browser

UNIT_WIDTH = 1500.0  # m, of each unit of the example


@pytest.fixture(scope="module")
def land(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The six townships with a lake, a road and districts that have names."""
    tables = example_tables()
    parcels = tables.parcels
    tables = dataclasses.replace(
        tables,
        parcels=parcels.assign(
            mode=["road", *parcels["mode"][1:]], type=[*parcels["type"][:-2], "water", *parcels["type"][-1:]]
        ),
        parent_names={"district": {"01": ("东区", "Eastside"), "02": ("西区", "Westside")}},
    )  # fmt: skip
    return write_report(tables, tmp_path_factory.mktemp("land"))


def in_view(page, selector: str) -> bool:
    return page.evaluate(
        "selector => [...document.querySelectorAll(selector)].filter(each => each.getClientRects().length).every(each => { const box = each.getBoundingClientRect(); return box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth; })", selector
    )  # fmt: skip


@in_every_view
def test_the_bar_is_as_long_as_its_text_says(opened, small, look):
    """Seen to fail: 29 % off where the map's height was the limit, and at any zoom the same."""
    page = opened(small, **view(look))
    texts = set()
    for _ in range(4):
        unit, bar = (
            page.evaluate("selector => document.querySelector(selector).getBoundingClientRect().width", selector)
            for selector in ("#shape-1", "#land .scale path")
        )  # fmt: skip
        number, measure = page.locator("#land .scale text").text_content().split()
        texts.add(f"{number} {measure}")
        said = float(number) * (1000 if measure == "km" else 1)
        assert bar * UNIT_WIDTH / unit == pytest.approx(said, rel=0.02)
        page.click("[data-zoom=in]")
    assert len(texts) > 2


@in_every_view
def test_the_first_screen_has_finding_and_legend(opened, full_demo, look):
    run = full_demo / "run"
    page = opened(run / "report.html", **view(look))
    assert page.evaluate("scrollY") == 0
    for selector in ("#finding", ".legend[data-layer]", ".legend[data-layer] li", ".headline .big"):
        assert in_view(page, selector), selector
    # The map begins on it too.
    assert page.locator("#land").bounding_box()["y"] < page.viewport_size["height"] - 150
    with (run / "units.csv").open(encoding="utf-8-sig", newline="") as stream:
        units = list(csv.DictReader(stream))
    high = [unit for unit in units if unit["zone"] == "4"]
    emitted, earned, taken = (f"{100 * sum(float(unit[key]) for unit in high) / sum(float(unit[key]) for unit in units):.0f} %" for key in ("emission_t", "gdp", "sink_t"))  # fmt: skip
    assert page.locator("#finding").inner_text() == in_words(
        look,
        f"{len(high)} of 97 units, the high-carbon optimization zone, emit {emitted} of the emissions in all units, with {earned} of the GDP and {taken} of the sinks.",
        f"97 个单元中，{len(high)} 个属高碳优化区：排放占各单元合计的 {emitted}，地区生产总值占 {earned}，碳汇占 {taken}。",
    )


@in_every_view
def test_a_click_or_a_tap_brings_the_sheet_into_view(opened, small, look):
    page = opened(small, **view(look))
    place = spot(page, 2)
    page.touchscreen.tap(*place) if "phone" in look else page.mouse.click(*place)
    assert page.locator("tr.chosen").get_attribute("id") == "unit-3"
    assert in_view(page, "#sheet h3")
    assert in_words(look, "Why this zone", "分区缘由") in page.locator("#sheet").inner_text()


@on_a_desk  # nothing hovers on a phone
def test_a_tooltip_has_six_rows_and_what_the_map_shows(opened, small, look):
    """Seen to fail with 14 rows, that covered the map they spoke of."""
    page = opened(small, **view(look))
    wanted = {"gdp": ("million CNY", "亿元"), "intensity": ("t km⁻²", "万吨/km²"), "residents": ("18,000",) * 2, "cells": ("1,366,945 t", "136.69 万吨")}  # fmt: skip
    for key in page.eval_on_selector_all("[name=layer]", "boxes => boxes.map(box => box.value)"):
        page.evaluate("key => page.layer(key)", key)
        page.hover("#land a[data-row='3']")
        assert page.locator("#tip dt").count() == 6, key
        assert in_words(look, *wanted.get(key, ("ECC", "经济贡献系数"))) in page.locator("#tip").inner_text(), key  # fmt: skip
        page.mouse.move(5, 5)


def picked(page) -> str:
    return " ".join(page.locator("#picked").inner_text().split())


def exact(page, key: str, units: list[int]) -> int:
    """Grams of the units, summed by Python from what the cells hold."""
    texts = page.evaluate("([key, units]) => units.map(unit => page.cell(unit, key).dataset.v)", [key, units])  # fmt: skip
    return int(sum(map(Decimal, texts), Decimal(0)) * 10**6)


def drag_over_the_plane(page, look: str, start: float = 0.5) -> None:
    """From a part of its width at its upper edge to the right and down, by mouse or by a finger."""
    box = page.locator("#brush .overlay").bounding_box()
    (x, y), (right, bottom) = ((box["x"] + box["width"] * at, box["y"] + 3 + box["height"] * down) for at, down in ((start, 0), (0.9, 0.7)))  # fmt: skip
    if "phone" in look:
        page.check("#touch-brush")
        for kind, points in (("touchStart", [{"x": x, "y": y}]), ("touchMove", [{"x": right, "y": bottom}]), ("touchEnd", [])):  # fmt: skip
            page.tools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        return
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(right, bottom, steps=4)
    page.mouse.up()


@in_every_view
def test_counts_and_sums_beside_the_plane_follow_the_brush(opened, full_demo, look):
    page = opened(full_demo / "run" / "report.html", **view(look))
    page.click("label[for=language-en]")
    page.locator("#quadrants").scroll_into_view_if_needed()
    everything = list(range(97))
    assert picked(page).startswith(f"97 of 97 units, emissions {mass(exact(page, 'emission_t', everything))}")  # fmt: skip
    assert page.locator("#reset").is_hidden()
    drag_over_the_plane(page, look)
    units = page.evaluate("page.shown.flatMap((each, unit) => (each ? [unit] : []))")
    assert 0 < len(units) < 97
    sums = {key: (exact(page, key, units), exact(page, key, everything)) for key in ("emission_t", "sink_t")}  # fmt: skip
    english = ", ".join(f"{name} {mass(own)} ({percent(own / whole)})" for name, (own, whole) in zip(("emissions", "sinks"), sums.values(), strict=True))  # fmt: skip
    assert picked(page).startswith(f"{len(units)} of 97 units, {english}, GDP ")
    gdp = [page.evaluate("units => units.reduce((sum, unit) => sum + BigInt(page.cell(unit, 'gdp').dataset.v), 0n).toString()", each) for each in (units, everything)]  # fmt: skip
    assert percent(int(gdp[0]) / int(gdp[1])) in picked(page)
    page.click("label[for=language-zh]")
    assert mass_in_chinese(sums["emission_t"][0]) in picked(page)
    page.click("#reset")
    assert len(shown(page)) == 97
    assert page.locator("#brush .selection").is_hidden()


@on_a_desk  # a phone has no Escape
def test_escape_closes_the_sheet_then_clears_the_selection(opened, small, look):
    page = opened(small, **view(look))
    page.click("label[for=only-1]")
    page.evaluate("document.activeElement.blur(); page.choose(4, 'map')")
    page.keyboard.press("Escape")
    assert page.locator("#sheet").is_hidden()
    assert len(shown(page)) < 6
    page.keyboard.press("Escape")
    assert len(shown(page)) == 6
    assert page.locator("#only-1").is_checked()


@in_every_view
def test_no_match_is_said(opened, small, look):
    page = opened(small, **view(look))
    page.fill("[name=text]", "no such place")
    said = page.locator("#no-match").inner_text()
    assert said.startswith(in_words(look, "No unit matches", "没有符合条件的单元"))
    assert page.locator("#table").is_hidden()
    assert picked(page).startswith(in_words(look, "0 of 6 units", "6 个单元中的 0 个"))
    page.click("#show-all")
    assert page.locator("#no-match").is_hidden()
    assert page.locator("#table").is_visible()


@in_the_dark
def test_dark_where_the_reader_has_it_dark(opened, small, look):
    page = opened(small, **view(look))
    page.click("#unit-1 a")
    grounds = page.evaluate("['body', '.card', '#sheet', 'thead th'].map(name => getComputedStyle(document.querySelector(name)).backgroundColor)")  # fmt: skip
    for colour in grounds:
        channels = [float(each) for each in re.findall(r"[\d.]+", colour)]
        assert max(channels[:3]) < 80 or channels[3:] == [0], grounds
    assert serious(page) == []
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"


STATE = """() => [page.layered, page.shown.join(), document.documentElement.lang, page.chosen, page.view.read(),
  document.querySelector("[aria-sort]")?.dataset.key, [...page.table.tBodies[0].rows].map(row => row.id),
  [...document.querySelectorAll("#filters [name], .tools input, #more-columns")].map(field => field.type === "checkbox" ? field.checked : field.value),
  [...document.querySelectorAll("#water, #roads, #parcels, #cells, th.optional")].map(part => part.checkVisibility()),
  document.querySelectorAll("#names text").length]"""
"""What the page shows, whatever of it the address has to hold."""


def holds(opened, report: Path, page, look: str) -> None:
    """Another window, and one that was open, show by the address what the page shows."""
    before, address = page.evaluate(STATE), page.url
    again = opened(report, at=f"#{address.partition('#')[2]}", **view(look))
    assert again.evaluate(STATE) == before
    assert again.url == address
    plain = opened(report, **view(look))
    assert plain.evaluate(STATE) != before
    plain.page.goto(address)  # the same page: only its fragment changes
    plain.wait_for_function("wanted => page.layered === wanted", arg=before[0])
    assert plain.evaluate(STATE) == before


@in_every_view
def test_the_address_holds_what_is_seen(opened, small, look):
    page = opened(small, **view(look))
    page.click("label[for=layer-esc]")
    page.click("label[for=only-0]")
    page.fill("[name=text]", "0")
    page.click("th[data-key=sink_t] button")
    page.click(f"label[for=language-{in_words(look, 'zh', 'en')}]")
    page.click("[data-zoom=in]")
    page.evaluate("page.choose(3, 'map')")
    assert "#?" in page.url
    holds(opened, small, page, look)
    page.evaluate("page.close()")
    assert "unit=" not in page.url


@in_every_view
def test_the_address_holds_the_brush_and_what_lies_over_the_map(opened, land, look):
    page = opened(land, **view(look))
    page.click("label[for=layer-parcels]")
    for name in ("names", "water", "roads"):
        page.check(f"#show-{name}")
    page.click("#filters summary")
    page.check("#more-columns")
    page.locator("#quadrants").scroll_into_view_if_needed()
    drag_over_the_plane(page, look, start=0.1)
    state = dict(parse_qsl(page.url.partition("#?")[2]))
    assert state.pop("ecc-from")
    assert state.pop("esc-from")
    assert state.pop("esc-to")
    state.pop("ecc-to", "")
    assert state == {"layer": "parcels", "names": "1", "water": "1", "roads": "1", "more": "1"}
    assert 0 < len(shown(page)) < 6
    assert page.locator("#names text").count() > 0
    holds(opened, land, page, look)


def test_a_broken_address_is_a_fresh_page(opened, small):
    page = opened(small, at="#?layer=nothing&sort=99_up&unit=zz&zones=&view=a_b_c&lang=%3Cb%3E")
    assert page.evaluate("page.layered") == "zone"
    assert page.evaluate("page.chosen") is None
    assert page.locator("#no-match").is_visible()  # zones= asks for none


def saved(page, kind: str) -> bytes:
    with page.expect_download() as waiting:
        page.click(f"[data-save={kind}]")
    assert waiting.value.suggested_filename.endswith(f".{kind}")
    return Path(waiting.value.path()).read_bytes()


@in_every_view
def test_parcels_roads_and_water_are_seen_and_saved(opened, land, look):
    """The picture stands in the page and in what is saved of it; over it units are pointed at as ever."""
    page = opened(land, **view(look))
    picture = page.locator("#parcels")
    assert not picture.is_visible()
    page.click("label[for=layer-parcels]")
    assert picture.is_visible()
    assert page.evaluate("async () => { const i = new Image(); i.src = document.getElementById('parcels').getAttribute('href'); await i.decode(); return i.naturalWidth; }") > 1000  # fmt: skip
    assert page.locator(".legend[data-layer=parcels]").is_visible()
    assert page.locator("[data-note=parcels]").is_visible()
    if "desk" in look:
        page.hover("#land a[data-row='3']")
        assert in_words(look, "emission", "排放") in page.locator("#tip").inner_text()
    for name in ("roads", "water"):
        drawn = page.locator(f"#{name}")
        assert not drawn.is_visible()
        page.check(f"#show-{name}")
        assert drawn.is_visible()
        assert f"{name}=1" in page.url
        page.uncheck(f"#show-{name}")
        assert not drawn.is_visible()
    page.check("#show-roads")
    drawn = saved(page, "svg").decode()
    assert "data:image/png" in drawn
    assert 'id="roads"' in drawn
    assert 'id="water"' not in drawn
    page.click("label[for=layer-zone]")
    assert not picture.is_visible()
    assert "data:image/png" not in saved(page, "svg").decode()


@in_every_view
def test_the_grid_is_a_layer_with_its_legend_and_its_note(opened, land, look):
    page = opened(land, **view(look))
    cells, legend, note = (page.locator(each) for each in ("#cells", ".legend[data-layer=cells]", "[data-note=cells]"))  # fmt: skip
    assert not any(each.is_visible() for each in (cells, legend, note))
    assert page.locator("label[for=layer-cells]").inner_text() == in_words(look, "1 km grid", "1 km 网格")  # fmt: skip
    page.click("label[for=layer-cells]")
    assert all(each.is_visible() for each in (cells, legend, note))
    assert legend.locator("h3").inner_text() == in_words(look, "Emissions t CO₂e per cell of 1 km", "碳排放 万吨 CO₂e，每 1 km 网格")  # fmt: skip
    assert note.inner_text().startswith(
        in_words(look, "Classes by powers of ten", "按十的幂次分级")
    )
    counts = legend.locator("b").all_inner_texts()
    assert sum(map(int, counts)) == int((example_tables().grid_1km["emission"] > 0).sum()) > 0
    colours = [legend.locator("rect").evaluate_all("all => all.map(each => each.getAttribute('fill'))"), cells.locator("path").evaluate_all("all => all.map(each => each.getAttribute('fill'))")]  # fmt: skip
    assert colours[0] == colours[1]
    # The units are outlines over it, that can be pointed at.
    assert set(page.eval_on_selector_all("#land a", "all => all.map(a => a.getAttribute('fill'))")) == {"transparent"}  # fmt: skip
    page.click("label[for=layer-zone]")
    assert not any(each.is_visible() for each in (cells, legend, note))


@in_every_view
def test_buttons_hide_no_unit_of_a_low_map(opened, tmp_path, look):
    """Seen to fail: the buttons lay on the last unit and on that which saves SVG."""
    tables = example_tables()
    units = tables.units.set_geometry(tables.units.scale(8, 1, origin=(0, 0)))
    page = opened(write_report(dataclasses.replace(tables, units=units), tmp_path), **view(look))
    boxes = "all => all.map(each => each.getBoundingClientRect().toJSON())"
    over, under = (page.eval_on_selector_all(which, boxes) for which in ("[data-zoom]", "#land a, [data-save], #show-names"))  # fmt: skip
    assert len(over) == 3
    assert len(under) == 6 + 3 + 1
    for one in over:
        for other in under:
            assert one["left"] >= other["right"] or one["right"] <= other["left"] or one["top"] >= other["bottom"] or one["bottom"] <= other["top"]  # fmt: skip


@in_every_view
def test_districts_have_names_and_are_found_by_them(opened, land, look):
    page = opened(land, **view(look))
    cells = page.locator("#table tbody td[data-code]").all_inner_texts()
    east, west = in_words(look, "Eastside", "东区"), in_words(look, "Westside", "西区")
    assert cells == [f"{east} 01"] * 3 + [f"{west} 02"] * 3
    for words in ("eastside", "东区"):  # in either language, whichever is shown
        page.fill("[name=text]", words)
        assert shown(page) == ["0101", "0102", "0103"]


@in_every_view
def test_indices_are_explained_where_they_stand(opened, land, look):
    page = opened(land, **view(look))
    told = {
        "ccr": in_words(look, "CCR: sinks over emissions.", "碳补偿率 CCR：碳汇与碳排放之比。"),
        "ecc": in_words(look, "ECC: share of GDP over share of emissions.", "经济贡献系数 ECC：GDP 占比与碳排放占比之比。"),
        "esc": in_words(look, "ESC: share of sinks over share of emissions.", "生态承载系数 ESC：碳汇占比与碳排放占比之比。"),
    }  # fmt: skip
    for caption in ("#table caption", "#zones .two caption >> nth=0"):
        text = page.locator(caption).inner_text()
        assert all(words in text for words in told.values()), caption
    for key, words in told.items():
        page.click(f"label[for=layer-{key}]")
        note = page.locator(f"[data-note={key}]")
        assert note.is_visible()
        assert words in note.inner_text()
    for text in (in_words(look, "ECC: share of GDP / share of emissions", "ECC：GDP 份额 / 排放份额"), in_words(look, "ESC: share of sinks / share of emissions", "ESC：碳汇份额 / 排放份额")):  # fmt: skip
        assert page.locator("#quadrants tspan:visible", has_text=text).count() == 1


@in_every_view
def test_words_are_a_planner_s(opened, land, look):
    page = opened(land, **view(look))
    headings = page.locator("h2:visible").all_inner_texts()
    for words in (
        ("Assumptions", "假设与数据"),
        ("How totals were allocated", "总量如何分配到用地"),
    ):
        assert in_words(look, *words) in headings
    means = page.locator("#zones th", has_text=in_words(look, "unweighted mean", "未加权均值"))
    assert means.is_visible()


@in_both_languages
def test_csv_has_the_rows_that_are_seen(opened, tmp_path, look):
    """In their order, with the numbers of units.csv, and nothing that a spreadsheet would run."""
    tables = example_tables()
    units = tables.units.assign(name=NAMES[:6], name_en=[""] * 6)
    page = opened(write_report(dataclasses.replace(tables, units=units), tmp_path), **view(look))
    page.click("label[for=only-0]")
    page.click("th[data-key=sink_t] button")
    text = saved(page, "csv").decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["id"] for row in rows] == shown(page)
    known = units.set_index("id")
    for row in rows:
        own = known.loc[row["id"]]
        assert row["name"] == quoted(own["name"].strip())
        assert row["zone"] == own[in_words(look, "zone_name", "zone_name_zh")]
        assert Decimal(row["emission_t"]) * 10**6 == int(own["emission_g"])
        assert Decimal(row["sink_t"]) * 10**6 == int(own["sink_g"])
    assert "industry_t" not in rows[0]
    page.evaluate("document.getElementById('more-columns').click()")
    assert "industry_t" in saved(page, "csv").decode("utf-8-sig").splitlines()[0]


SVG = "{http://www.w3.org/2000/svg}"


@in_every_view
def test_the_map_is_saved_as_it_is_seen(opened, small, look):
    """Seen to fail: units that were not selected were as bright as those that were, and hatching was gone."""
    page = opened(small, **view(look))
    page.click("label[for=layer-gdp]")
    page.click("label[for=only-1]")
    svg = saved(page, "svg").decode()
    root = ET.fromstring(svg)
    assert not re.findall(r"(?:href|src)=\"(?!#)", svg)
    fills = page.eval_on_selector_all("#land a", "all => all.map(a => a.getAttribute('fill'))")
    drawn = [each.get("fill") for each in root.iter(f"{SVG}path") if (each.get("id") or "").startswith("shape-")]  # fmt: skip
    assert drawn == fills
    faded = page.locator("#land a.off").count()
    assert sum(each.get("opacity") == "0.16" for each in root.iter(f"{SVG}g")) == faded > 0
    hatched = page.locator("#land .hatching use").count()
    assert sum((each.get("fill") or "").startswith("url(#hatch") for each in root.iter(f"{SVG}path")) == hatched > 0  # fmt: skip
    texts = " ".join("".join(each.itertext()) for each in root.iter(f"{SVG}text"))
    for words in ("Six townships, 2020", in_words(look, "GDP million CNY", "地区生产总值 亿元"), in_words(look, "unknown (1)", "未知 (1)")):  # fmt: skip
        assert words in texts
    page.click("#show-all")
    with Image.open(io.BytesIO(saved(page, "png"))) as picture:
        colours = {colour[:3] for _, colour in picture.convert("RGB").getcolors(10**7)}
        assert picture.width > 1500
    assert {tuple(bytes.fromhex(fill[1:])) for fill in fills} <= colours


@in_both_languages
def test_hatching_stands_with_what_it_means_on_the_page_and_in_files(opened, land, look):
    """Seen to fail: a saved map was hatched and said nothing of it; over grid and parcels there was a legend and no hatching."""
    page = opened(land, **view(look))
    flags = page.locator(".flags li")
    names = flags.locator(".flag").all_inner_texts()
    counts = flags.locator("b").all_inner_texts()
    assert names
    for layer, hatched in (("zone", True), ("emission", True), ("cells", False), ("parcels", False)):  # fmt: skip
        page.click(f"label[for=layer-{layer}]")
        assert page.locator("#land .hatching").first.is_visible() == hatched
        assert page.locator(".flags").is_visible() == hatched
        root = ET.fromstring(saved(page, "svg"))
        texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
        told = [f"{name} ({count})" for name, count in zip(names, counts, strict=True)]
        assert [text for text in texts if text in told] == (told if hatched else [])
        swatches = [each for each in root.iter(f"{SVG}rect") if "hatch" in (each.get("fill") or "")]
        assert len(swatches) == len(names) * hatched
        assert any("CO₂e" in text for text in texts) == (layer != "zone")


@on_a_phone
def test_a_map_that_is_zoomed_is_saved_so(opened, land, look):
    page = opened(land, **view(look))
    page.check("#show-names")
    whole = ET.fromstring(saved(page, "svg"))
    page.click("[data-zoom=in]")
    root = ET.fromstring(saved(page, "svg"))
    assert root.get("viewBox") == whole.get("viewBox")
    [moved] = [each.get("transform") for each in root.iter(f"{SVG}g") if each.get("id") == "ground"]
    assert moved == page.locator("#ground").get_attribute("transform")
    assert "scale(1.8)" in moved
    texts = ["".join(each.itertext()) for each in root.iter(f"{SVG}text")]
    assert page.locator("#land .scale text").text_content() in texts
    names = page.locator("#names text").all_text_contents()
    assert names
    assert set(names) <= set(texts)
    with Image.open(io.BytesIO(saved(page, "png"))) as picture:
        assert picture.size == tuple(int(float(root.get(side))) for side in ("width", "height"))


@pytest.mark.parametrize("look", ["desk-en", "phone-zh"])
def test_a_saved_map_does_not_tell_a_dark_page(opened, land, look):
    """Seen to fail: the bar of scale was light on white, its text in a dark halo."""
    pages = [opened(land, **view(f"{look}-{scheme}")) for scheme in ("light", "dark")]
    inks = [page.evaluate("getComputedStyle(document.querySelector('.scale path')).stroke") for page in pages]  # fmt: skip
    assert inks[0] != inks[1]
    for layer in ("zone", "cells"):
        files = []
        for page in pages:
            page.click(f"label[for=layer-{layer}]")
            page.check("#show-names")
            page.check("#show-water")
            files.append((saved(page, "svg"), saved(page, "png")))
        assert files[0] == files[1], layer
        root = ET.fromstring(files[1][0])
        [bar] = [each for each in root.iter(f"{SVG}g") if (each.get("transform") or "").startswith("translate(0 ")]  # fmt: skip
        assert bar.find(f"{SVG}path").get("stroke") == bar.find(f"{SVG}text").get("fill") == "rgb(29, 36, 48)"  # fmt: skip
        assert bar.find(f"{SVG}text").get("stroke") == "rgb(255, 255, 255)"
    assert [page.evaluate("getComputedStyle(document.querySelector('.scale path')).stroke") for page in pages] == inks  # fmt: skip


@in_both_languages
def test_names_do_not_lie_on_each_other(opened, full_demo, look):
    page = opened(full_demo / "run" / "report.html", **view(look))
    page.check("#show-names")
    boxes = "[...document.querySelectorAll('#names text')].map(text => { const box = text.getBoundingClientRect(); return [box.left, box.top, box.right, box.bottom]; })"
    first = page.evaluate(boxes)
    assert len(first) > 5
    for k, (left, top, right, bottom) in enumerate(first):
        assert all(right <= o[0] + 1 or left >= o[2] - 1 or bottom <= o[1] + 1 or top >= o[3] - 1 for o in first[:k])  # fmt: skip


@in_chinese
def test_no_cell_of_words_is_a_column_of_characters(opened, full_demo, look):
    """Seen to fail: on a phone the category of a facility stood one character a line, fifteen lines high."""
    page = opened(full_demo / "run" / "report.html", **view(look))
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
    lines = page.eval_on_selector_all(
        ".dense tbody tr:not(.remark)",
        "rows => rows.map(row => row.getBoundingClientRect().height / parseFloat(getComputedStyle(row).lineHeight))",
    )
    assert len(lines) > 50
    assert max(lines) < 5


def list_of(path: Path, column: str) -> list[str]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return [row[column] for row in csv.DictReader(stream)]


NOT_WORDS = {"COD", "BOD", "LPG", "PNG", "SVG", "Tab", "Esc", "Ctrl", "sha256"}
"""Of water, fuels, files and keys."""


@in_chinese
def test_no_english_is_left_in_chinese(opened, full_demo, look):
    """Seen, heard or pointed at; but for what the case itself says in English, and what is typed as it stands.

    Seen to fail when shapes of the map were read out in both languages, and when remarks had English in their midst.
    """
    page = opened(full_demo / "run" / "report.html", **view(look))
    page.evaluate("page.choose(3, 'map'); for (const each of document.querySelectorAll('details')) each.open = true; document.getElementById('more-columns').click()")  # fmt: skip
    # Looked at in one go: when the page comes to rest after its scrolling, the tooltip goes.
    texts, tip = page.evaluate("""() => {
      page.point(5, { x: 200, y: 200 });
      const found = [];
      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (walker.nextNode()) {
        const parent = walker.currentNode.parentElement;
        if (!parent.closest("script, style, template, code, .language") && parent.getClientRects().length) found.push(walker.currentNode.textContent.trim());
      }
      for (const each of document.querySelectorAll("[aria-label], [title], [alt], [placeholder]"))
        if (!each.closest("template, .language")) found.push(...["aria-label", "title", "alt", "placeholder"].map(name => each.getAttribute(name) ?? ""));
      found.push(...[...document.querySelectorAll("svg title")].map(each => each.textContent));
      return [found, document.getElementById("tip").innerText];
    }""")
    assert tip.splitlines()[0] in texts
    assert any(text.startswith("墨池洲街道: 分区 ") for text in texts)  # a shape's label
    run, case = full_demo / "run", Case.read(full_demo / "case" / "case.toml")
    sources = {
        word for each in list_of(run / "inventory.csv", "source") for word in each.split("; ")
    }
    names = {*names_of(case), case.title, *sources}
    left = {text for text in texts if set(english_in(text, names)) - NOT_WORDS}
    assert left == set()
