"""Fig. 2, the framework: five steps from activity data to zones, drawn from one list of words as SVG or by matplotlib."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any, Literal

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.chart import Chart
from carbongrid.outputs.figures.lettering import Language
from carbongrid.outputs.figures.pages import Page
from carbongrid.outputs.figures.sheet import HEADING, Sheet
from carbongrid.outputs.result import cell_side

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Words = tuple[str, str]
"""English and Chinese."""

TITLE: Words = ("Framework: from activity data to zones", "研究框架：从活动数据到分区")

COLOURS = {
    "light": {"paper": "#ffffff", "ink": "#1f2328", "quiet": "#57606a", "given": "#f6f8fa", "step": "#dfeeea", "made": "#eaeef2", "edge": "#8c959f"},
    "dark": {"paper": "#14181e", "ink": "#e6edf3", "quiet": "#9da7b3", "given": "#1b222b", "step": "#1d3b35", "made": "#262d36", "edge": "#6e7781"},
}  # fmt: skip
"""The picture brings its own paper, so that it can be read on a page of either kind."""

WIDTH = 1060
_SIDE, _BOX, _GAP, _DOWN = 14, 190, 20, 26
_PAD, _LINE, _HEAD = 13, 17, 20
_CHIP = 20


RULE = "ECC ≥ 1?  ESC ≥ 1?"
"""As it is by default; a case says what 1 itself is (``ties``)."""
_COARSE = "1 km"
"""As it is by default; a case says what a cell of the coarse grid is (``coarse``)."""


@dataclass(frozen=True)
class Stage:
    """One column: what is given, the step, what it makes, and the files that hold it."""

    name: Words
    given: tuple[Words, ...]
    does: tuple[Words, ...]
    made: tuple[Words, ...]
    files: tuple[str, ...] = ()


STAGES = (
    Stage(
        ("1 Inventory", "1 清单核算"),
        (("activity data, factors,", "活动数据、排放因子，"), ("or published totals", "或已发布的总量")),
        (("eqs. (1) to (7):", "式 (1)–(7)："), ("emissions and sinks", "各核算类别的"), ("of each category", "碳排放与碳汇")),
        (("totals of categories", "各核算类别总量"),),
        ("inventory.csv",),
    ),
    Stage(
        ("2 Allocation", "2 空间分配"),
        (("land-use parcels; POIs,", "用地地块；兴趣点、"), ("people, roads, facilities", "人口、道路、重点设施")),
        (("each total to the parcels", "各类总量分配到承载"), ("of its land, by its weight:", "它的用地地块，权重为："), ("POIs, people, roads, area", "兴趣点、人口、道路、面积")),
        (("parcels (Figs. 3, 4, 5a)", "地块（图 3、4、5a）"),),
        ("land_types.csv", "parcels.parquet"),
    ),
    Stage(
        ("3 Grid and units", "3 格网与单元汇总"),
        (("outlines of the units", "评价单元边界"),),
        (("parcels on a fine grid,", "地块落到细格网，按共有"), ("shared by common cells", "格数（或精确面积）"), ("or by exact area", "分摊到单元与粗格网")),
        (("1 km grid (Fig. 5b)", "1 km 格网（图 5b）"), ("units: Cᵢ, CAᵢ (Fig. 6)", "单元：Cᵢ、CAᵢ（图 6）")),
        ("grid_1km.tif", "units.csv"),
    ),
    Stage(
        ("4 Indices (8)–(10)", "4 指数 (8)–(10)"),
        (("GDP of the units, Gᵢ", "单元地区生产总值 Gᵢ"),),
        (("CCR = CAᵢ / Cᵢ", ""), ("ECC = (Gᵢ/G) / (Cᵢ/C)", ""), ("ESC = (CAᵢ/CA) / (Cᵢ/C)", "")),
        (("compensation (Fig. 7)", "碳补偿率 CCR（图 7）"), ("economy, ecology (Fig. 8)", "经济 ECC、生态 ESC（图 8）")),
        ("units.csv",),
    ),
    Stage(
        ("5 Zones", "5 分区"),
        ((RULE, ""),),
        (("decided by products", "以精确整数乘积判定"), ("of whole numbers", "（克与货币单位）")),
        (("zones (Fig. 9), guidance", "分区（图 9）与指引"),),
    ),
)  # fmt: skip
"""A line without Chinese is the same in both languages."""

KEPT: Words = (
    "Whole grams add up at every step: inventory = parcels + unallocated; parcels = units + outside = 1 km cells",
    "每一步的整克质量均平衡：清单 = 地块 + 未分配；地块 = 单元 + 单元外 = 1 km 格网",
)


@dataclass(frozen=True)
class Box:
    """A box: its place in drawing units from the top left, its kind, its heading, lines and files; the last three may be none."""

    x: float
    y: float
    width: float
    height: float
    kind: str
    name: tuple[Words, ...]
    words: tuple[Words, ...]
    files: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawing:
    """The framework laid out: boxes, arrows from point to point, colour chips of the zones, what is kept and where it stands, and the height of it all."""

    boxes: tuple[Box, ...]
    arrows: tuple[tuple[float, float, float, float], ...]
    chips: tuple[tuple[float, float, str, Words], ...]
    kept: Words
    foot: float
    height: float


def _said(words: Sequence[Words], languages: Sequence[int]) -> list[str]:
    """Return the lines in each language, one language after the other; what is the same in both once."""
    return [
        line[index] or line[0]
        for number, index in enumerate(languages)
        for line in words
        if not number or line[index]
    ]


def layout(languages: Sequence[int], ties: str = ">=", coarse_km: float = 1.0) -> Drawing:
    """Return where everything stands; 0 is English, 1 is Chinese, and in both each is said."""

    def of_run(line: Words) -> Words:
        english, chinese = (text.replace(_COARSE, f"{coarse_km:g} km") for text in line)
        return (english.replace("≥", ">") if english == RULE and ties != ">=" else english), chinese

    def tall(words: Sequence[Words]) -> int:
        return _LINE * len(_said(words, languages))

    chip = _LINE * len(languages) + 3
    heights = {
        "given": _PAD + max(tall(stage.given) for stage in STAGES),
        "step": _PAD + _HEAD * len(languages) + max(tall(stage.does) for stage in STAGES),
        "made": _PAD
        + max(
            *(tall(stage.made) + _LINE * len(stage.files) for stage in STAGES),
            tall(STAGES[-1].made) + 4 * chip,
        ),
    }
    tops, y = {}, 12.0
    for kind, height in heights.items():
        tops[kind] = y
        y += height + _DOWN
    boxes, arrows = [], []
    for number, stage in enumerate(STAGES):
        x = _SIDE + number * (_BOX + _GAP)
        middle = x + _BOX / 2
        texts: dict[str, tuple[tuple[Words, ...], tuple[Words, ...], tuple[str, ...]]] = {
            "given": ((), tuple(map(of_run, stage.given)), ()),
            "step": ((stage.name,), stage.does, ()),
            "made": ((), tuple(map(of_run, stage.made)), stage.files),
        }
        for kind, height in heights.items():
            boxes.append(Box(x, tops[kind], _BOX, height, kind, *texts[kind]))
        for above, below in (("given", "step"), ("step", "made")):
            arrows.append((middle, tops[above] + heights[above], middle, tops[below]))
        if number:
            across = tops["step"] + heights["step"] / 2
            arrows.append((x - _GAP, across, x, across))
    x = _SIDE + (len(STAGES) - 1) * (_BOX + _GAP) + _PAD
    first = tops["made"] + _PAD / 2 + tall(STAGES[-1].made) + 4
    chips = [
        (x, first + number * chip, zone.colour, (zone.name_en, zone.name_zh))
        for number, zone in enumerate(zone for zone in zones() if zone.code)
    ]
    whole = y + _LINE * len(languages)
    return Drawing(tuple(boxes), tuple(arrows), tuple(chips), of_run(KEPT), y, whole)


_LANGUAGES: dict[str, tuple[int, ...]] = {"en": (0,), "zh": (1,), "both": (0, 1), "switch": (0,)}


def framework_svg(
    language: Language | Literal["switch"],
    *,
    styled: bool = True,
    ties: str = ">=",
    coarse_km: float = 1.0,
) -> str:
    """Return the framework as SVG, its texts as texts.

    Parameters
    ----------
    language
        One language, both below each other, or ``switch``: each in a group of its own (classes ``en`` and ``zh``), of
        which the page that holds the drawing shows one.
    styled
        Whether it brings its colours, for light and dark pages; without them the page has them.
    ties
        What an index has to be of 1 to be high: ``>=`` or ``>``.
    coarse_km
        Side of a cell of the coarse grid, km.
    """
    drawing = layout(_LANGUAGES[language], ties, coarse_km)
    name = " ".join(_said([TITLE], _LANGUAGES[language]))
    shapes = [f'<rect class="paper" width="{WIDTH}" height="{drawing.height:g}" rx="6"/>'] * styled
    shapes += [
        f'<rect class="{box.kind}" x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="5"/>'
        for box in drawing.boxes
    ]
    shapes += [_arrow(*each) for each in drawing.arrows]
    shapes += [
        f'<rect x="{x:g}" y="{y + 2:g}" width="13" height="13" rx="2" fill="{colour}"/>'
        for x, y, colour, _ in drawing.chips
    ]
    if language == "switch":
        for index, code in enumerate(("en", "zh")):
            words = "\n".join(_svg_texts(drawing, (index,)))
            shapes.append(f'<g class="{code}" lang="{code}">\n{words}\n</g>')
    else:
        shapes += _svg_texts(drawing, _LANGUAGES[language])
    style = f"<style>\n{_style('light')}\n@media (prefers-color-scheme: dark) {{\n{_style('dark')}\n}}\n</style>\n"
    body = "\n".join(shapes)
    title = f"<title>{escape(name)}</title>\n"
    labels = ""
    if language == "switch":  # a title has one language, and the page changes labels
        title = ""
        labels = f' data-label-en="{escape(TITLE[0])}" data-label-zh="{escape(TITLE[1])}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="framework" viewBox="0 0 {WIDTH} {drawing.height:g}" role="img" aria-label="{escape(name)}"{labels}>\n'
        f"{title}{style if styled else ''}{body}\n</svg>\n"
    )


def _arrow(x0: float, y0: float, x1: float, y1: float) -> str:
    """Return a line with a head: down, or to the right."""
    down = x0 == x1
    x1, y1 = (x1, y1 - 2) if down else (x1 - 2, y1)
    wings = "l-4 -6h8z" if down else "l-6 -4v8z"
    return f'<path class="arrow" d="M{x0:g} {y0 + 2 * down:g}L{x1:g} {y1:g}"/><path class="head" d="M{x1:g} {y1:g}{wings}"/>'


def _lines(drawing: Drawing, languages: Sequence[int]) -> Iterator[tuple[float, float, str, str]]:
    """Yield every line of text: x, the baseline, the text, its class."""
    for box in drawing.boxes:
        y = box.y + _PAD / 2
        lines = [(text, "name", _HEAD) for text in _said(box.name, languages)]
        lines += [(text, "line", _LINE) for text in _said(box.words, languages)]
        lines += [(text, "file", _LINE) for text in box.files]
        for text, kind, height in lines:
            y += height
            yield box.x + _PAD, y - 3, text, kind
    for x, y, _, words in drawing.chips:
        for number, text in enumerate(_said([words], languages), start=1):
            yield x + _CHIP, y + number * _LINE - 4, text, "line"
    for number, text in enumerate(_said([drawing.kept], languages)):
        yield _SIDE, drawing.foot + _LINE * number, text, "quiet"


def _svg_texts(drawing: Drawing, languages: Sequence[int]) -> list[str]:
    return [
        f'<text class="{kind}" x="{x:g}" y="{y:g}">{escape(text)}</text>'
        for x, y, text, kind in _lines(drawing, languages)
    ]


def _style(kind: str) -> str:
    of = COLOURS[kind]
    fonts = 'system-ui, "Segoe UI", "Noto Sans", "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif'
    return "\n".join(
        [
            f".paper {{ fill: {of['paper']}; }}",
            *(
                f".{box} {{ fill: {of[box]}; stroke: {of['edge']}; }}"
                for box in ("given", "step", "made")
            ),
            f"text {{ fill: {of['ink']}; font: 12px {fonts}; }}",
            "text.name { font-weight: 650; font-size: 14px; }",
            f"text.file, text.quiet {{ fill: {of['quiet']}; }}",
            f".arrow {{ fill: none; stroke: {of['edge']}; stroke-width: 1.6; }}",
            f".head {{ fill: {of['edge']}; }}",
        ]
    )


_INCH = 110.0
"""Drawing units to an inch on paper."""


def framework_page(sheet: Sheet) -> Page:
    """Draw the framework on a page, in the sheet's language."""
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    letters, of = sheet.letters, COLOURS["light"]
    languages = _LANGUAGES[letters.spoken]
    drawing = layout(languages, sheet.tables.ties, cell_side(sheet.tables.grid_1km) / 1000)
    size = (WIDTH / _INCH, HEADING - 0.1 + drawing.height / _INCH)
    chart = Chart.of(sheet, TITLE, size)
    top = HEADING - 0.15

    def place(x: float, y: float) -> tuple[float, float]:
        return x / _INCH, top + y / _INCH

    axes: Axes = chart.axes
    for box in drawing.boxes:
        sides = (box.width / _INCH, box.height / _INCH)
        style: dict[str, Any] = {
            "facecolor": of[box.kind],
            "edgecolor": of["edge"],
            "linewidth": 0.8,
        }
        rounded = "round,pad=0,rounding_size=0.05"
        axes.add_patch(FancyBboxPatch(place(box.x, box.y), *sides, boxstyle=rounded, **style))
    for x0, y0, x1, y1 in drawing.arrows:
        ends = (place(x0, y0), place(x1, y1))
        axes.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=7, shrinkA=1, shrinkB=1, color=of["edge"], linewidth=1.0))  # fmt: skip
    for x, y, colour, _ in drawing.chips:
        chart.box(*place(x, y + 2), 13 / _INCH, 13 / _INCH, colour)
    sizes = {"name": 8.6, "line": 7.6, "file": 7.2, "quiet": 7.6}
    for x, y, text, kind in _lines(drawing, languages):
        ink = of["quiet"] if kind in ("file", "quiet") else of["ink"]
        chart.write(*place(x, y), text, sizes[kind], bold=kind == "name", colour=ink, va="baseline")
    return Page(chart.figure, ())
