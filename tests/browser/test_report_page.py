"""What a reader does with a report: points, clicks, types, drags, tabs, prints, switches the language."""

from __future__ import annotations

import csv
import dataclasses
import io
import re
from pathlib import Path

import pandas as pd
import pytest
from hostile import NAMES
from report_reader import column, in_every_view, serious, shown, spot, view
from tables_example import SHARES, example_tables
from waiting import HANG

from carbongrid.method.categories import column_of
from carbongrid.outputs import report as report_package
from carbongrid.outputs.numbers import mass, mass_in_chinese, percent, tonnes, tonnes_in_chinese
from carbongrid.outputs.report import write_report

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Path:
    tables = example_tables()
    units = tables.units.assign(name=NAMES[:6], name_en=[""] * 6, district=NAMES[6:12])
    tables = dataclasses.replace(tables, units=units, title=NAMES[0], currency=NAMES[1])
    return write_report(tables, tmp_path_factory.mktemp("hostile"))


def test_map_and_table_point_at_each_other(opened, small):
    page = opened(small)
    page.hover("#land a[data-row='3']")
    assert page.locator("tr.pointed").get_attribute("id") == "unit-4"
    tip = page.locator("#tip").inner_text()
    for words in ("Nanhu", "南湖街道", "ECC", "emission", "carbon-sink functional"):
        assert words in tip
    page.hover("#unit-3 td:nth-child(3)")
    assert page.locator("#marks use").get_attribute("href") == "#shape-3"
    page.mouse.move(5, 5)
    assert page.locator("#marks use").count() == 0


def test_a_click_on_the_map_opens_the_sheet_and_marks_the_row(opened, small):
    page = opened(small)
    page.click("#land a[data-row='0']")
    assert page.locator("tr.chosen").get_attribute("id") == "unit-1"
    sheet = page.locator("#sheet").inner_text()
    for words in ("Dongshan", "0101", "Why this zone", "Urban homes", "Manufacturing", "Guidance"):
        assert words in sheet
    [stays] = [line for line in sheet.splitlines() if "while it emits" in line]
    zone = page.locator("#unit-1 td").first.inner_text().strip()
    assert (
        stays
        == f"All other units as they are, it stays {zone} while it emits more than 73.1 Mt (−25.3 %)."
    )
    page.click("#sheet [data-do='close']")
    assert page.locator(".chosen").count() == 0
    page.click("#unit-2 a")
    assert page.locator("#sheet h3").inner_text().startswith("<script>")
    assert page.locator("#marks use.chosen").get_attribute("href") == "#shape-2"


def test_search_filter_and_sort(opened, small):
    page = opened(small)
    page.fill("[name=text]", "nanhu")
    assert shown(page) == ["0201"]
    assert page.locator("#count").inner_text() == "1 / 6"
    assert page.locator("#land a.off").count() == 5
    page.fill("[name=text]", "南湖")
    assert shown(page) == ["0201"]
    page.fill("[name=text]", "010")
    assert shown(page) == ["0101", "0102", "0103"]
    page.click("#show-all")
    assert len(shown(page)) == 6
    page.click("label[for=only-0]")
    assert len(shown(page)) == 6 - page.evaluate(
        "page.units.filter(unit => page.zone(unit) === '0').length"
    )
    page.click("#show-all")
    page.click("th[data-key=emission_t] button")
    values = [float(value) for value in column(page, "emission_t")]
    assert values == sorted(values, reverse=True)  # who looks at a number asks for the highest
    page.click("th[data-key=emission_t] button")
    assert column(page, "emission_t") == [f"{value:.6f}" for value in reversed(values)]
    page.click("th[data-key=name] button")
    assert page.locator("th[data-key=name]").get_attribute("aria-sort") == "ascending"
    page.click("th[data-key=ecc] button")
    ecc = column(page, "ecc")
    known = [float(value) for value in ecc if value]
    assert known == sorted(known, reverse=True)
    assert ecc == [value for value in ecc if value] + [""] * ecc.count("")
    assert page.locator("th[data-key=ecc]").get_attribute("aria-sort") == "descending"


def test_every_layer_colours_the_map_as_its_legend_says(opened, small):
    page = opened(small)
    for key in page.evaluate("Object.keys(page.data.layers)"):
        page.click(f"label[for=layer-{key}]")
        legend = page.locator(f".legend[data-layer={key}]")
        assert legend.is_visible()
        assert page.locator(".legend[data-layer]:visible").count() == 1
        said = legend.locator("li").evaluate_all(
            "lines => lines.map(line => [line.querySelector('rect').getAttribute('fill'), Number(line.querySelector('b').textContent)])"
        )
        counts = {}
        for colour in page.eval_on_selector_all(
            "#land a", "all => all.map(a => a.getAttribute('fill'))"
        ):
            counts[colour] = counts.get(colour, 0) + 1
        assert {colour: count for colour, count in said if count} == counts


def test_the_language_switch(opened, small):
    page = opened(small)
    assert page.locator("h2:visible").first.inner_text() == "Gross emissions"
    page.click("label[for=language-zh]")
    assert page.locator("h2:visible").first.inner_text() == "碳排放总量"
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert page.locator("#land").get_attribute("aria-label").startswith("单元地图")
    # Chromium takes the words of a drawing for its text whether they are shown or not.
    shown = {code: page.locator(f"svg.framework g.{code}").is_visible() for code in ("en", "zh")}
    assert shown == {"en": False, "zh": True}
    page.evaluate("document.querySelector('svg.framework g.en').remove()")
    body = page.locator("main").inner_text()
    for words in ("低碳经济区", "东山镇", "分区指引", "经济贡献系数"):
        assert words in body
    assert "low-carbon economic" not in body
    chinese = opened(small, locale="zh-CN")
    assert chinese.locator("h2:visible").first.inner_text() == "碳排放总量"


def test_the_table_equals_units_csv_in_the_browser(opened, full_demo):
    """Every cell of every number column, exact and as shown, over the demo's run."""
    page = opened(full_demo / "run" / "report.html")
    with (full_demo / "run" / "units.csv").open(encoding="utf-8-sig", newline="") as stream:
        expected = list(csv.DictReader(stream))
    heads = page.eval_on_selector_all(
        "th.number[data-key]", "heads => heads.map(head => head.dataset.key)"
    )
    assert {"emission_t", "sink_t", "ccr", "ecc", "esc", "gdp", "residents", "industry_t"} <= set(
        heads
    )
    rows = page.evaluate("page.rows.map(row => [...row.querySelectorAll('[data-v]')].slice(1).map(cell => [cell.dataset.v, (cell.querySelector('.en') ?? cell).textContent]))")  # fmt: skip
    assert len(rows) == len(expected) == 97
    for row, unit in zip(rows, expected, strict=True):
        for key, (exact, text) in zip(heads, row, strict=True):
            if key != "intensity":
                assert exact == unit[key], (unit["id"], key)
            if key.endswith("_t") and "_to_leave_" not in key:
                if text == "< 1":
                    assert 0 < float(exact) < 0.5, (unit["id"], key)
                else:
                    assert abs(float(text.replace(",", "")) - float(exact)) <= 0.5
            elif key in ("gdp", "residents"):  # seen to fail with thousands for millions
                number = float(text.replace(",", ""))
                scale = 1e6 if key == "gdp" else 1
                assert number == pytest.approx(float(exact) / scale, rel=5e-3, abs=0.5), (
                    unit["id"],
                    key,
                )
            elif key in ("ccr", "ecc", "esc", "intensity"):
                digits = re.sub(r"[ %,]", "", text)
                assert float(digits) == pytest.approx(
                    float(exact) * (100 if key == "ccr" else 1), rel=5e-3
                )


def test_every_sheet_says_what_the_table_and_units_csv_say(opened, full_demo):
    """Seen to fail with sums of categories rounded to a tenth of a tonne: 6,457,497 beside 6,457,498."""
    page = opened(full_demo / "run" / "report.html")
    with (full_demo / "run" / "units.csv").open(encoding="utf-8-sig", newline="") as stream:
        expected = list(csv.DictReader(stream))
    sheets = page.evaluate("""page.rows.map((_, unit) => {
      page.choose(unit);
      const rows = [...document.querySelectorAll("#sheet [data-fill=parts] tr")];
      return rows.map((row) => [row.dataset.category ?? "", row.dataset.sector ?? "", (row.cells[1].querySelector(".en") ?? row.cells[1]).textContent, row.cells[2].textContent, row.cells[3].textContent]);
    })""")
    table = page.evaluate("page.rows.map((_, unit) => Object.fromEntries([...page.columns.keys()].map((key) => [key, (page.cell(unit, key).querySelector('.en') ?? page.cell(unit, key)).textContent])))")  # fmt: skip
    assert len(sheets) == len(expected) == 97
    for sheet, cells, unit in zip(sheets, table, expected, strict=True):
        assert len(sheet) > 6
        for category, sector, text, share, of_all in sheet:
            column = f"{sector}_t" if sector else f"{column_of(category)}_t"
            whole = "sink_t" if column.startswith("sink") else "emission_t"
            assert same_share(share, unit[column], unit[whole]), (unit["id"], column)
            sums = [sum(grams_of(each[name]) for each in expected) for name in (column, whole)]
            assert same_share(of_all, *(f"{grams / 10**6:.6f}" for grams in sums)), column
            if sector:
                assert text == cells[f"{sector}_t"], (unit["id"], sector)
            else:
                assert text == tonnes(grams_of(unit[f"{column_of(category)}_t"])), (unit["id"], category)  # fmt: skip


def test_the_table_has_the_full_width(opened, full_demo):
    """Seen to fail with the table under the plane, in half of the page."""
    page = opened(full_demo / "run" / "report.html", viewport={"width": 1280, "height": 800})
    width = page.evaluate("document.getElementById('units').clientWidth / document.getElementById('explorer').clientWidth")  # fmt: skip
    assert width > 0.98
    cards = [page.locator(f"#{name}").bounding_box() for name in ("map", "plane", "units")]
    assert cards[0]["y"] == cards[1]["y"] < cards[2]["y"]


@pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
def test_the_table_is_seen_to_its_last_column(opened, full_demo, locale):
    """Seen to fail: at 1440 pixels districts were cut and remarks out of sight; on a phone no number was seen, and nothing hinted at any."""
    report, box = full_demo / "run" / "report.html", "each => each.getBoundingClientRect().right"
    for width, last in ((1440, "th:last-child"), (390, "th[data-key=ecc]")):
        page = opened(report, viewport={"width": width, "height": 844}, locale=locale)
        frame = page.locator(".tall").evaluate(box)
        assert page.locator(f"#table {last}").evaluate(box) <= frame
        assert page.locator("#table th[data-key=remarks]").is_visible() == (width > 390)


def same_share(text: str, part: str, whole: str) -> bool:
    """Whether the page writes a share of two masses as Python does; by a unit of the last digit, where a tie may go either way."""
    if not grams_of(whole):
        return text == "–"
    wanted = percent(grams_of(part) / grams_of(whole))
    if text == wanted or "<" in text:
        return text == wanted
    numbers = [float(each.removesuffix(" %")) for each in (text, wanted)]
    return numbers[0] == pytest.approx(numbers[1], rel=1e-12)


def test_shares_are_written_as_python_writes_them(opened, small):
    """Digits are counted after rounding: seen to fail in Python with 100.0 % for 99.96 %."""
    page = opened(small)
    for share, text in SHARES.items():
        assert page.evaluate("share => page.percent(share)", share) == text == percent(share)


def test_masses_are_written_as_python_writes_them(opened, small):
    """At ties and where the unit changes; seen: 31,250 g as 0.0312 t in Python and 0.0313 t in the page, as both round ties otherwise."""
    page = opened(small)
    near = [base * 10**power + of for base in (1, 999, 9995, 99949, 99951, 1125, 1025, 3125) for power in range(13) for of in (-1, 0, 1, 5)]  # fmt: skip
    told = page.evaluate("texts => texts.map(text => { const both = page.mass(BigInt(text)); return [both.children[0].textContent, both.children[1].textContent, page.tensOfThousands(BigInt(text))]; })", [str(grams) for grams in near])  # fmt: skip
    assert told == [
        [mass(grams), mass_in_chinese(grams), tonnes_in_chinese(grams)] for grams in near
    ]


def test_ranks_of_a_sheet_are_those_of_units_csv(opened, full_demo):
    page = opened(full_demo / "run" / "report.html")
    with (full_demo / "run" / "units.csv").open(encoding="utf-8-sig", newline="") as stream:
        units = list(csv.DictReader(stream))
    heads = page.evaluate("[...page.columns.keys()].filter((key) => { const head = page.table.tHead.rows[0].cells[page.columns.get(key)]; return head.classList.contains('number') && !head.classList.contains('optional'); })")  # fmt: skip
    for at in (0, 41, 96):
        page.evaluate("unit => page.choose(unit)", at)
        rows = page.eval_on_selector_all(
            "#sheet [data-fill=peers] tr",
            "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))",
        )
        ranks = {key: row[2:4] for key, row in zip(heads, rows, strict=True)}
        zone = [unit for unit in units if unit["zone"] == units[at]["zone"]]
        for key in ("ccr", "ecc", "esc", "emission_t", "sink_t", "gdp", "residents"):
            own = float(units[at][key])
            for text, among in zip(ranks[key], (units, zone), strict=True):
                known = [float(unit[key]) for unit in among if unit[key]]
                assert text == f"{1 + sum(value > own for value in known)} / {len(known)}", (
                    at,
                    key,
                )


def test_controls_say_what_the_page_shows_after_back(opened, small, tmp_path):
    """Seen to fail: Chromium sets boxes and buttons again after the scripts have run."""
    other = tmp_path / "other.html"
    other.write_text("<!DOCTYPE html><title>another page</title>", encoding="utf-8")
    page = opened(small)
    page.click("label[for=layer-esc]")
    page.click("label[for=only-1]")
    page.click("label[for=language-zh]")
    page.page.goto(other.as_uri())
    page.go_back()
    page.wait_for_selector("html[data-ready]")
    page.wait_for_load_state("load")
    wanted = page.evaluate("document.querySelector('[name=layer]:checked').value")
    assert page.locator(f".legend[data-layer={wanted}]").is_visible()
    boxes = page.locator("[name=zone]:checked").evaluate_all("boxes => boxes.map(box => box.value)")
    zones = page.eval_on_selector_all(
        "#table tbody tr", "rows => rows.map(row => [row.dataset.zone, row.hidden])"
    )
    assert all(hidden == (zone not in boxes) for zone, hidden in zones)
    said = page.evaluate("document.querySelector('[name=language]:checked').value")
    assert page.evaluate("document.documentElement.lang").startswith(said)
    assert page.asked == [small.as_uri(), other.as_uri(), small.as_uri()]
    del page.asked[1:]


def test_rows_stay_with_the_reader_when_a_script_fails(chromium, tmp_path):
    """Seen to fail: rows after the hundredth were hidden for good; where the page's first script or its last fails, the text of the rows becomes a table."""
    tables = example_tables()
    units = pd.concat([tables.units] * 20, ignore_index=True)
    units = units.assign(id=[f"{k:04d}" for k in range(len(units))])
    report = write_report(dataclasses.replace(tables, units=units), tmp_path)
    for broken in ("page", "table", "sheet", "start"):
        script = (Path(report_package.__file__).parent / "assets" / f"{broken}.js").read_text(
            "utf-8"
        )
        text = report.read_text("utf-8")
        assert script in text
        damaged = text.replace(script, 'throw new Error("damaged");')
        policy = re.compile(r"<meta http-equiv=[^>]*>")
        path = tmp_path / f"{broken}.html"
        path.write_text(policy.sub("", damaged), "utf-8")
        page = chromium.new_page()
        page.goto(path.as_uri())
        page.wait_for_function(
            "[...document.querySelectorAll('#table tbody tr')].filter(row => row.getClientRects().length).length === 120",
            timeout=HANG * 1000,
        )
        assert page.locator("#table tbody tr:visible").count() == 120
        page.close()


def test_a_unit_without_a_zone_moves_to_no_other(opened, tmp_path):
    tables = example_tables()
    units = tables.units
    zone = units["zone"].to_numpy().copy()
    zone[:] = 1
    zone[0] = 0
    units = units.assign(zone=zone, borderline=True)
    page = opened(write_report(dataclasses.replace(tables, units=units), tmp_path))
    page.evaluate("page.choose(0)")
    assert page.locator("#sheet [data-if=borderline]").is_hidden()
    page.evaluate("page.choose(1)")
    assert page.locator("#sheet [data-if=borderline]").is_visible()


def grams_of(text: str) -> int:
    whole, _, part = text.partition(".")
    return int(whole) * 10**6 + int(part.ljust(6, "0"))


def test_the_brush_selects_on_map_and_table(opened, full_demo):
    page = opened(full_demo / "run" / "report.html")
    page.locator("#quadrants").scroll_into_view_if_needed()
    box = page.locator("#brush .overlay").bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.62, box["y"] + 3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + box["height"] * 0.6, steps=4)
    page.mouse.up()
    ends = [
        page.input_value(f"[name={name}]") for name in ("ecc-from", "ecc-to", "esc-from", "esc-to")
    ]
    assert all(ends[1:3])
    chosen = page.evaluate(
        "page.rows.map((_, unit) => [page.number(unit, 'ecc'), page.number(unit, 'esc'), page.shown[unit]])"
    )
    inside = [
        (ecc >= float(ends[0] or 0))
        and (ecc <= float(ends[1]))
        and (esc >= float(ends[2]))
        and (esc <= float(ends[3] or "inf"))
        for ecc, esc, _ in chosen
    ]
    assert [each[2] for each in chosen] == inside
    assert 0 < sum(inside) < 97
    assert page.locator("#land a.off").count() == 97 - sum(inside)
    assert len(shown(page)) == sum(inside)
    page.click("#show-all")
    assert len(shown(page)) == 97
    assert page.locator("#brush .selection").is_hidden()


def test_by_keyboard_alone(opened, full_demo):
    """Seen to stop at the map's frame, at which nothing can be done, before its units."""
    page = opened(full_demo / "run" / "report.html")
    reached = []
    for _ in range(40):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.closest('[id]')?.id ?? document.activeElement.tagName"
            )
        )
        if page.evaluate("document.activeElement.matches('#land a')"):
            break
    assert page.evaluate("document.activeElement.matches('#land a')"), reached
    assert reached.count("land") == 0, reached
    first = page.evaluate("document.activeElement.dataset.row")
    page.keyboard.press("ArrowRight")
    second = page.evaluate("document.activeElement.dataset.row")
    assert second != first
    places = page.evaluate("page.data.places")
    assert places[int(second)][0] > places[int(first)][0]
    assert page.locator("#tip").is_visible()
    page.keyboard.press("Enter")
    assert page.locator("tr.chosen").get_attribute("id") == f"unit-{int(second) + 1}"
    assert (
        page.evaluate("document.activeElement.id") == "sheet"
    )  # seen to fail: it stayed on the map
    page.keyboard.press("Escape")
    assert page.locator(".chosen").count() == 0
    assert page.evaluate("document.activeElement.dataset.row") == second
    page.keyboard.press("Enter")
    page.focus("#sheet [data-do=close]")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.row") == second
    page.focus("[name=text]")
    page.keyboard.type("090102001")
    assert shown(page) == ["090102001"]
    page.focus("th[data-key=esc] button")
    page.keyboard.press("Enter")
    assert page.locator("th[data-key=esc]").get_attribute("aria-sort") == "descending"
    page.focus("#language-en")
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.documentElement.lang") == "zh-CN"


def test_on_a_phone(opened, full_demo):
    page = opened(
        full_demo / "run" / "report.html", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )  # fmt: skip
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    # Seen hidden: all sinks stood beside a CCR that is of those in the units.
    told = page.locator(".headline .more:visible").all_inner_texts()
    assert len(told) == 3
    assert all(text.endswith("in the units") for text in told[:2])
    page.touchscreen.tap(*spot(page, 40))
    assert page.locator("tr.chosen").get_attribute("id") == "unit-41"
    assert page.locator("#sheet h3").is_visible()
    page.tap("label[for=layer-esc]")
    assert page.locator(".legend[data-layer=esc]").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_scripts_table_map_and_languages_are_there(opened, small):
    page = opened(small, java_script_enabled=False)
    assert page.locator("#table tbody tr:visible").count() == 6
    assert page.locator("#land a:visible").count() == 6
    assert page.locator(".needs-script:visible").count() == 0
    page.click("#unit-3 a")
    assert page.url.endswith("#shape-3")
    page.click("label[for=language-zh]")
    assert page.locator("h2:visible").first.inner_text() == "碳排放总量"


def test_in_print(opened, small):
    page = opened(small)
    page.click("#unit-1 a")
    pdf = page.pdf(format="A4", print_background=True)
    assert pdf.startswith(b"%PDF")
    page.emulate_media(media="print")
    assert page.locator("#filters:visible, .bar:visible, #layers:visible").count() == 0
    assert page.locator("#table tbody tr:visible").count() == 6
    wide = page.evaluate(
        "document.getElementById('table').scrollWidth / document.querySelector('main').clientWidth"
    )
    assert wide <= 1.01


def test_in_print_nothing_speaks_of_bars_that_are_not_there(opened, small):
    """Seen to fail: the bars of land and departments were left out, and the sentence on them was not."""
    page = opened(small)
    for media in ("screen", "print"):
        page.emulate_media(media=media)
        bars, words = (page.locator(each).first.is_visible() for each in (".land tbody .bars", ".of-bars"))  # fmt: skip
        assert bars == words == (media == "screen")


def test_a_printed_table_has_its_headings_on_every_page(opened, full_demo):
    """Seen to fail with buttons that have boxes: Chromium then repeats no heading."""
    from pypdf import PdfReader

    page = opened(full_demo / "run" / "report.html")
    pdf = page.pdf(format="A4", print_background=True, prefer_css_page_size=True)
    sheets = [page.extract_text().split() for page in PdfReader(io.BytesIO(pdf)).pages]
    ids = page.evaluate("page.rows.map((_, unit) => page.cell(unit, 'id').textContent)")
    headed = [words for words in sheets if {"remarks", "code"} <= set(words)]
    assert len(headed) >= 2
    assert set(ids) <= {word for words in headed for word in words}


def test_hostile_names_are_text(opened, hostile):
    page = opened(hostile)
    names = page.eval_on_selector_all(
        "#table tbody th", "heads => heads.map(head => head.textContent)"
    )
    assert names == list(NAMES[:6])
    for row, name in enumerate(NAMES[:6]):
        page.evaluate("unit => page.choose(unit)", row)
        assert page.locator("#sheet h3").text_content() == name
        page.evaluate("unit => page.fillTip(unit)", row)
        assert page.locator("#tip strong").text_content() == name
    assert page.locator("h1").text_content() == NAMES[0]
    assert page.evaluate("document.querySelectorAll('#sheet script, #tip script, img').length") == 0
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        (1360, "light"),
        *(
            pytest.param(*each, marks=pytest.mark.thorough)
            for each in ((1360, "dark"), (390, "light"), (390, "dark"))
        ),
    ],
)
def test_nothing_serious_for_axe(opened, small, language, width, scheme):
    """Seen to have the switch of languages, and the tip, outside of all landmarks."""
    page = opened(small, color_scheme=scheme, viewport={"width": width, "height": 844})
    page.click(f"label[for=language-{language}]")
    page.click("#unit-1 a")
    page.click("#filters summary")
    # A click that scrolls hides it again, a frame later.
    page.wait_for_function(
        "(page.point(3, { x: 9, y: 9 }), !document.querySelector('#tip').hidden)"
    )
    assert serious(page) == []


@in_every_view
def test_nothing_serious_for_axe_in_the_city(opened, full_demo, look):
    page = opened(full_demo / "run" / "report.html", **view(look))
    page.click("#unit-1 a")
    page.click("#filters summary")
    assert serious(page) == []


@pytest.mark.thorough
def test_liechtenstein_without_gdp(opened, liechtenstein):
    page = opened(liechtenstein / "run" / "report.html")
    assert "no plane to show" in page.locator("#plane").inner_text()
    assert page.locator("#land a").count() == 11
    # No unit has a zone, so the map begins with what it can tell apart.
    assert page.locator(".legend[data-layer=emission]").is_visible()
    fills = page.eval_on_selector_all("#land a", "all => all.map(a => a.getAttribute('fill'))")
    assert len(set(fills)) > 2
    page.mouse.click(*spot(page, 2))
    assert "unknown" in page.locator("#sheet .why").inner_text()
    page.click("label[for=layer-esc]")
    assert page.locator(".legend[data-layer=esc]").is_visible()
    assert serious(page) == []
