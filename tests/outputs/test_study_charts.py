"""Figs. 1 to 5 and 9: their numbers are those of the tables, no word lies on another or leaves the page."""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text
from tables_example import example_tables

from carbongrid.outputs.figures import write_study_figures
from carbongrid.outputs.figures.figures import _grid
from carbongrid.outputs.figures.framework import KEPT, STAGES, TITLE, framework_svg, layout
from carbongrid.outputs.figures.lettering import Language, installed_lettering
from carbongrid.outputs.figures.sheet import Sheet, shortened
from carbongrid.outputs.figures.study import _FIGURES
from carbongrid.outputs.numbers import plain_number
from carbongrid.outputs.reading import read_tables
from carbongrid.outputs.report.page import _flows
from carbongrid.outputs.result import RunTables

LANGUAGES: tuple[Language, ...] = ("en", "zh", "both")
CHARTS = ("fig2-framework", "fig3-land", "fig4-proportions", "fig9-zones")
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def demo(small_run: Path) -> RunTables:
    return read_tables(small_run)


def drawn(tables: RunTables, name: str, language: Language = "en") -> Figure:
    figure = _FIGURES[name](Sheet(tables, installed_lettering(language))).figure
    figure.draw_without_rendering()
    return figure


def words_of(figure: Figure) -> list[Text]:
    """Every text that a reader sees, those on maps and in legends among them."""
    found = figure.findobj(lambda each: isinstance(each, Text) and each.get_visible())
    return [text for text in dict.fromkeys(found) if isinstance(text, Text) and text.get_text().strip()]  # fmt: skip


def chart_texts(figure: Figure) -> list[tuple[float, float, str]]:
    """The texts of the axes over the whole page, in inches from the upper left corner."""
    [chart] = [axes for axes in figure.axes if axes.get_position().bounds == (0, 0, 1, 1)]
    return [(*text.get_position(), text.get_text()) for text in chart.texts]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def percents(texts: Iterator[str]) -> list[str]:
    return re.findall(r"(?:< )?\d+\.\d\d %", "\n".join(texts))


def percent(part: float) -> str:
    return "< 0.01 %" if 0 < part < 0.00005 else f"{100 * part:.2f} %"


def test_proportions_are_those_of_the_table(small_run: Path, demo: RunTables) -> None:
    """Fig. 4 against land_types.csv alone. Seen to fail with shares of net emissions, and with a type left out."""
    rows = [row for row in rows_of(small_run / "land_types.csv") if row["sector"] != "sink"]
    whole = sum(float(row["mass_t"]) for row in rows)
    sums: dict[str, dict[str, float]] = {"sector": {}, "type": {}}
    for row, key in itertools.product(rows, sums):
        sums[key][row[key]] = sums[key].get(row[key], 0) + float(row["mass_t"])
    expected = [percent(mass / whole) for mass in sums["sector"].values()]
    expected += [percent(mass / whole) for mass in sorted(sums["type"].values(), reverse=True)]
    texts = [text for _, _, text in sorted(chart_texts(drawn(demo, "fig4-proportions")), key=lambda each: each[1])]  # fmt: skip
    assert percents(iter(texts)) == expected
    added = sum(float(row["share"]) for row in rows)
    assert added == pytest.approx(1, abs=1e-9)


def test_bars_are_as_long_as_their_shares(small_run: Path, demo: RunTables) -> None:
    """Of Fig. 4, in the order of the figure; the rail is 100 %."""
    [chart] = drawn(demo, "fig4-proportions").axes
    boxes = [patch.get_bbox() for patch in chart.patches]
    rail = max(box.width for box in boxes)
    lengths: dict[float, float] = {}
    for box in boxes:
        if box.width < rail:
            lengths[round(box.y0, 3)] = lengths.get(round(box.y0, 3), 0) + box.width / rail
    rows = [row for row in rows_of(small_run / "land_types.csv") if row["sector"] != "sink"]
    by_type: dict[str, float] = {}
    for row in rows:
        by_type[row["type"]] = by_type.get(row["type"], 0) + float(row["share"])
    assert list(lengths.values())[-len(by_type) :] == pytest.approx(sorted(by_type.values(), reverse=True), abs=1e-9)  # fmt: skip


def test_the_matrix_has_a_number_for_every_row_of_the_table(
    small_run: Path, demo: RunTables
) -> None:
    """Fig. 3 against land_types.csv, in Mt with three digits; the sums of rows with their shares."""
    rows = rows_of(small_run / "land_types.csv")
    figure = drawn(demo, "fig3-land")
    texts = [text for _, _, text in chart_texts(figure)]
    assert any("Mt CO₂e" in text for text in texts)
    numbers = [text for text in texts if re.fullmatch(r"<?[\d.,]+", text)]
    for row in rows:
        mass = float(row["mass_t"]) / 1e6
        told = [float(number.replace(",", "").strip("<")) for number in numbers]
        assert any(abs(value - mass) <= 0.0051 * mass or (mass < 0.001 and value == 0.001) for value in told), row  # fmt: skip
    categories = {row["category"] for row in rows}
    lands = {sink: {row["type"] for row in rows if (row["sector"] == "sink") == sink} for sink in (False, True)}  # fmt: skip
    shares = percents(iter(texts))
    assert len(shares) == len(categories) + len(lands[False]) + len(lands[True]) + 2
    assert len(numbers) == len(rows) + len(shares)


def test_parts_of_zones_are_those_of_the_units(small_run: Path, demo: RunTables) -> None:
    """Fig. 9 against units.csv and the outlines. Seen to fail with the share of sinks for that of emissions."""
    rows = rows_of(small_run / "units.csv")
    areas = demo.units.geometry.area.tolist()
    measures = {
        "units": [1.0] * len(rows),
        "area": areas,
        "emissions": [float(row["emission_t"]) for row in rows],
        "GDP": [float(row["gdp"] or 0) for row in rows],
    }
    texts = chart_texts(drawn(demo, "fig9-zones"))
    columns = {text: x for x, _, text in texts if text in measures}
    assert list(columns) == list(measures)
    for name, x in columns.items():
        below = sorted((y, text) for at, y, text in texts if at == x and text.endswith(("%", "%)")))
        expected = []
        for code in "1234":
            inside = [v for v, row in zip(measures[name], rows, strict=True) if row["zone"] == code]
            part = percent(sum(inside) / sum(measures[name]))
            expected.append(f"{len(inside)} ({part})" if name == "units" else part)
        assert [text for _, text in below][:4] == expected, name


def counts_of(legend: Legend) -> dict[str, int]:
    """Return the count of each line of a legend."""
    lines = [text.get_text().split("  (") for text in legend.get_texts()]
    return {label: int(count.strip(")").replace(",", "")) for label, count in lines}


def test_cells_that_take_up_more_than_they_emit_are_below_zero(demo: RunTables) -> None:
    """Fig. 5b: seen to fail with gross emissions, which no cell has below zero."""
    figure = drawn(demo, "fig5-parcels-and-grid")
    legend = figure.legends[-1]
    counts = counts_of(legend)
    grid = demo.grid_1km
    net = (grid["emission"] - grid["sink"]).to_numpy()
    there = ((grid["emission"] + grid["sink"]) > 0).to_numpy()
    below = sum(n for label, n in counts.items() if label.startswith(("−", "< −", "< 0")))
    assert below == int((net[there] < 0).sum())
    assert below > 0
    assert sum(counts.values()) == int((there | (grid["covered_area"] > 0)).sum())
    told = counts_of(figure.legends[0])
    parcels = demo.parcels
    balanced = int((parcels["emission_g"] == parcels["sink_g"]).sum())
    assert sum(told.values()) == len(parcels)
    assert told["none"] == balanced > 0


def test_land_that_carries_nothing_has_a_line_in_the_legend(demo: RunTables) -> None:
    """Seen: parcels whose net emission is 0 were white, and no line said so; cells of no land at all were counted as cells with nothing."""
    grid = demo.grid_1km.copy(deep=True)
    grid["emission"][:3], grid["sink"][:3], grid["covered_area"][:3] = 0, 0, 1.0
    grid["covered_area"][-1], grid["emission"][-1], grid["sink"][-1] = 0.0, 0, 0
    tables = dataclasses.replace(demo, grid_1km=grid)
    empty = int(((grid["emission"] + grid["sink"] == 0) & (grid["covered_area"] > 0)).sum())
    figure = drawn(tables, "fig5-parcels-and-grid")
    assert counts_of(figure.legends[-1])["none"] == empty
    for variable in ("emission", "sink"):
        map_ = _grid(
            Sheet(tables, installed_lettering("en")), variable, "Emissions", "碳排放", "YlOrRd"
        )
        white = int(((grid[variable] == 0) & (grid["covered_area"] > 0)).sum())
        assert any(f"white: nothing ({white:,} cells)" in text.get_text() for text in map_.texts)
        assert white < int((grid[variable] == 0).sum())


@pytest.mark.parametrize(
    ("tonnes", "numbers"),
    [
        ((2.1, 3.0, 4.9), ["2.10", "4.90"]),
        ((5.6771, 5.6774), ["5.68"]),
        ((7.0,), ["7.00"]),
        ((1.0, 10.0), ["1.00", "10.0"]),
        ((0.002, 0.3, 31_000.0), ["≤ 0.000310", "31.0"]),
        ((), []),
    ],
)
def test_the_bar_of_cells_says_what_its_ends_are(
    tonnes: tuple[float, ...], numbers: list[str]
) -> None:
    """Seen: no number between 2.1 and 4.9, a gradient over cells that are all alike, cells below a hundred-thousandth of the highest drawn as if they were one."""
    tables = example_tables()
    grid = tables.grid_1km.copy(deep=True)
    area = (grid.attrs["resolution"] / 1000) ** 2
    flat = np.zeros(grid["emission"].size, np.int64)
    flat[: len(tonnes)] = np.round(np.array(tonnes) * 1e6 * area)
    grid["emission"].values = flat.reshape(grid["emission"].shape)
    sheet = Sheet(dataclasses.replace(tables, grid_1km=grid), installed_lettering("en"))
    figure = _grid(sheet, "emission", "Emissions", "碳排放", "YlOrRd")
    figure.draw_without_rendering()
    axes, *bar = figure.axes
    labels = [label for each in bar for label in each.get_yticklabels() if label.get_text()]
    told = [label.get_text() for label in labels]
    assert [*told[:1], *told[1:][-1:]] == numbers
    # Seen as 0.01 beside 0.310: all in the notation of the ends.
    assert all(text == plain_number(float(text.replace(",", ""))) for text in told[1:])
    boxes = sorted((label.get_window_extent() for label in labels), key=lambda box: box.y0)
    assert all(below.y1 <= above.y0 for below, above in itertools.pairwise(boxes))
    (image,) = axes.images
    drawn_in = {tuple(colour) for colour in image.to_rgba(image.get_array())[~image.get_array().mask]}  # fmt: skip
    below = any(number.startswith("≤") for number in numbers)
    assert len(drawn_in) == min(len(tonnes), 1 if len(numbers) == 1 else 3 - below)
    assert bool(bar) == bool(tonnes)
    beyond = [patch for each in bar for patch in each.patches if patch.get_facecolor()[3]]
    assert bool(beyond) == below


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", CHARTS)
@pytest.mark.parametrize("city", ["example", "demo"])
def test_no_word_of_a_chart_lies_on_another_or_leaves_the_page(
    name: str, city: str, language: Language, demo: RunTables
) -> None:
    """Seen to fail with columns of the matrix half as wide, and with a table of zones wider than its page."""
    figure = drawn(demo if city == "demo" else example_tables(), name, language)
    # The halo of a name lies below it.
    words_on_top = [text for text in words_of(figure) if not text.get_path_effects()]
    boxes = [(text.get_text(), text.get_window_extent()) for text in words_on_top]
    assert len(boxes) > 10
    page = figure.bbox
    for words, box in boxes:
        assert page.x0 <= box.x0 and box.x1 <= page.x1, words
        assert page.y0 <= box.y0 and box.y1 <= page.y1, words
    for (words, box), (others, other) in itertools.combinations(boxes, 2):
        within = min(box.x1, other.x1) - max(box.x0, other.x0), min(box.y1, other.y1) - max(box.y0, other.y0)  # fmt: skip
        # Lines of text touch by their descenders.
        assert min(within) <= 2.5, f"{words!r} and {others!r}"


def surrounded(tables: RunTables) -> RunTables:
    """The run with four provinces around it."""
    west, south, east, north = tables.units.total_bounds
    wide, tall = 4 * (east - west), 4 * (north - south)
    corners = [(-2, -2), (0, -2), (-2, 0), (0, 0)]
    boxes = [
        shapely.box(
            west + x * wide, south + y * tall, west + (x + 2) * wide, south + (y + 2) * tall
        )
        for x, y in corners
    ]
    names = ["甲省", "乙省", "丙省", "丁省"]
    region = gpd.GeoDataFrame({"name": names}, geometry=boxes, crs=tables.units.crs)
    return dataclasses.replace(tables, surroundings=region)


def test_the_place_is_shown_among_its_surroundings() -> None:
    """A map of the region first, as far as its polygons; without any there is none."""
    tables = surrounded(example_tables())
    page = _FIGURES["fig1-location"](Sheet(tables, installed_lettering("zh")))
    assert len(page.panels) == 3
    region, units, land = (panel.axes for panel in page.panels)
    assert [text.get_text() for text in region.texts if "省" in text.get_text()]
    west, south, east, north = tables.surroundings.total_bounds  # type: ignore[union-attr]
    assert region.get_xlim()[0] <= west and east <= region.get_xlim()[1]
    assert region.get_ylim()[0] <= south and north <= region.get_ylim()[1]
    assert units.get_xlim() == land.get_xlim()
    assert len(_FIGURES["fig1-location"](Sheet(example_tables(), installed_lettering())).panels) == 2  # fmt: skip


def test_a_place_that_is_a_speck_in_its_region_is_framed() -> None:
    tables = surrounded(example_tables())
    far = tables.surroundings.scale(20, 20, origin=tuple(tables.units.total_bounds[:2]))  # type: ignore[union-attr]
    for region, framed in ((tables.surroundings.geometry, 0), (far, 1)):  # type: ignore[union-attr]
        around = gpd.GeoDataFrame({"name": [""] * 4}, geometry=region.to_numpy(), crs=region.crs)
        page = _FIGURES["fig1-location"](Sheet(dataclasses.replace(tables, surroundings=around), installed_lettering()))  # fmt: skip
        lines = [line for line in page.panels[0].axes.lines if line.get_marker() == "s"]
        assert len(lines) == framed


def test_every_parcel_is_counted_once_by_its_land() -> None:
    figure = drawn(example_tables(), "fig1-location")
    counts = [int(n) for text in figure.legends[-1].get_texts() for n in re.findall(r"\((\d+)\)", text.get_text())]  # fmt: skip
    assert sum(counts) == len(example_tables().parcels)


@pytest.mark.parametrize("stretch", [(1.0, 0.35), (0.35, 1.0), (1.0, 1.0)])
@pytest.mark.parametrize("count", [6, 24, 90])
def test_no_name_on_a_map_lies_on_another_or_is_cut(
    count: int, stretch: tuple[float, float]
) -> None:
    """Seen to fail with every name written where its unit is."""
    tables, at = surrounded(example_tables()), (40_500_000, 3_450_000)
    copies = [
        tables.units.assign(
            name=[f"一个名字很长的镇{k}" for _ in range(6)],
            geometry=tables.units.translate(1500 * (k % 4), 900 * (k // 4)).scale(
                *stretch, origin=at
            ),
        )
        for k in range(count // 6)
    ]
    many = dataclasses.replace(tables, units=pd.concat(copies, ignore_index=True))
    for name in ("fig1-location", "fig7-ccr"):
        figure = drawn(many, name, "zh")
        for axes in figure.axes:
            frame = axes.bbox
            boxes = [text.get_window_extent() for text in axes.texts if text.get_clip_on() and not text.get_path_effects()]  # fmt: skip
            for box in boxes:
                assert frame.x0 - 1 <= box.x0 and box.x1 <= frame.x1 + 1
                assert frame.y0 - 1 <= box.y0 and box.y1 <= frame.y1 + 1
            for box, other in itertools.combinations(boxes, 2):
                assert not box.overlaps(other)


def test_the_framework_is_text_in_light_and_dark() -> None:
    for language in LANGUAGES:
        text = framework_svg(language)
        root = ET.fromstring(text)
        told = [each.text for each in root.iter(f"{_SVG}text")]
        assert (KEPT[0] in told) == (language != "zh")
        assert (KEPT[1] in told) == (language != "en")
        assert "prefers-color-scheme: dark" in text
        assert len({each.text for each in root.iter(f"{_SVG}text")} & {s.name[0] for s in STAGES}) == (5 if language != "zh" else 0)  # fmt: skip
    both = ET.fromstring(framework_svg("switch", styled=False))
    assert {group.get("class") for group in both.iter(f"{_SVG}g")} == {"en", "zh"}
    assert both.find(f".//{_SVG}style") is None
    assert [both.get(f"data-label-{code}") for code in ("en", "zh")] == list(TITLE)
    assert both.find(f"{_SVG}title") is None


@pytest.mark.parametrize(("ties", "rule"), [(">=", "ECC ≥ 1?  ESC ≥ 1?"), (">", "ECC > 1?  ESC > 1?")])  # fmt: skip
def test_the_framework_has_the_run_s_rule_for_ties(ties: str, rule: str) -> None:
    """Seen to fail: the framework of a run with ``ties = ">"`` said that 1 is high."""
    for language in (*LANGUAGES, "switch"):
        root = ET.fromstring(framework_svg(language, ties=ties))
        told = {each.text for each in root.iter(f"{_SVG}text")}
        assert {each for each in told if each and "ESC" in each and "?" in each} == {rule}
    figure = drawn(dataclasses.replace(example_tables(), ties=ties), "fig2-framework", "en")
    assert rule in {text.get_text() for text in figure.axes[0].texts}


@pytest.mark.parametrize("language", [*LANGUAGES, "switch"])
def test_the_framework_has_the_run_s_grid(language: Language) -> None:
    """Seen to fail: the framework of a run with ``coarse = 500`` had a 1 km grid, and so had its line of sums."""
    for side, told in ((1.0, "1 km"), (0.5, "0.5 km"), (0.125, "0.125 km")):
        root = ET.fromstring(framework_svg(language, coarse_km=side))
        texts = [each.text or "" for each in root.iter(f"{_SVG}text")]
        sizes = {size for text in texts for size in re.findall(r"[\d.]+ km", text)}
        assert sizes == {told}
        assert sum(told in text for text in texts) == (2 if language in ("en", "zh") else 4)


def test_the_framework_on_paper_and_in_the_report_has_the_run_s_grid() -> None:
    """Seen to fail as above."""
    tables = example_tables()
    grid = tables.grid_1km.assign_attrs(resolution=500.0)
    tables = dataclasses.replace(tables, grid_1km=grid)
    figure = drawn(tables, "fig2-framework", "en")
    assert "0.5 km grid (Fig. 5b)" in {text.get_text() for text in figure.axes[0].texts}
    in_report = _flows(tables)["framework"]
    assert "0.5 km grid (Fig. 5b)" in in_report
    assert ">1 km" not in in_report


@pytest.mark.parametrize("languages", [(0,), (1,), (0, 1)])
def test_every_line_of_the_framework_stands_in_its_box(languages: tuple[int, ...]) -> None:
    """Heights from the layout, widths as matplotlib letters them. Seen to fail with a box for English alone."""
    drawing = layout(languages)
    language: Language = {(0,): "en", (1,): "zh", (0, 1): "both"}[languages]  # type: ignore[assignment]
    root = ET.fromstring(framework_svg(language))
    edges = {round(box.x + 13 - 3): box for box in drawing.boxes}
    assert edges
    for each in root.iter(f"{_SVG}text"):
        x, y = float(each.get("x", "")), float(each.get("y", ""))
        if each.get("class") == "quiet":
            continue
        assert any(box.x < x < box.x + box.width and box.y < y < box.y + box.height for box in drawing.boxes), each.text  # fmt: skip
    figure = drawn(example_tables(), "fig2-framework", language)
    boxes = [patch.get_window_extent() for patch in figure.axes[0].patches if patch.get_window_extent().width > 60]  # fmt: skip
    for text in words_of(figure):
        own = text.get_window_extent()
        holding = [box for box in boxes if box.x0 <= own.x0 < box.x1 and box.y0 <= own.y0 < box.y1]
        for box in holding:
            assert own.x1 <= box.x1 and own.y1 <= box.y1, text.get_text()


def test_every_svg_keeps_its_texts(tmp_path: Path) -> None:
    """To be searched, copied and edited. Seen to fail: all but the framework were outlines, and names of units still were with the fonts kept."""
    tables = example_tables()
    paths = write_study_figures(tables, tmp_path, formats=["svg"], dpi=50, language="en")
    told = {path.stem: [each.text for each in ET.parse(path).iter(f"{_SVG}text")] for path in paths}
    assert all(told.values())
    assert KEPT[0] in told["fig2-framework"]
    assert {shortened(name) for name in tables.units["name_en"]} <= set(told["fig6-units"])


def test_without_mass_there_are_charts_of_nothing() -> None:
    tables = example_tables()
    nothing = {category.name: 0 for category in tables.categories}
    parcels = tables.parcels.assign(**nothing, emission_g=0, sink_g=0)
    units = tables.units.assign(zone=np.int8(0), emission_g=0, sink_g=0, gdp=pd.array([pd.NA] * 6, "Int64"))  # fmt: skip
    empty = dataclasses.replace(tables, parcels=parcels, units=units, ledger=())
    for name in ("fig3-land", "fig4-proportions", "fig9-zones"):
        assert drawn(empty, name, "both")


def test_parts_of_known_gdp_are_told_to_be_that() -> None:
    """Five of the example's six units have a GDP. Seen to fail with a heading that says GDP alone."""
    unknown = example_tables()
    known = dataclasses.replace(unknown, units=unknown.units.fillna({"gdp": 1}))
    none = dataclasses.replace(unknown, units=unknown.units.assign(gdp=pd.array([pd.NA] * 6, "Int64")))  # fmt: skip
    for tables, heading in ((unknown, "known GDP"), (known, "GDP"), (none, "GDP")):
        texts = [text for _, _, text in chart_texts(drawn(tables, "fig9-zones"))]
        assert heading in texts
