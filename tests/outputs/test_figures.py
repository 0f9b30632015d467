from __future__ import annotations

import dataclasses
import itertools
import logging
import math
import random

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image
from steps import given as given_to
from tables_example import example_tables

from carbongrid.method.zoning import EITHER_SIDE
from carbongrid.outputs.figures import classes, figures, lettering, study, write_figures
from carbongrid.outputs.figures.classes import (
    area_breaks,
    natural_breaks,
    ordered_zones,
    round_length,
)
from carbongrid.outputs.figures.figures import _of_units
from carbongrid.outputs.figures.scales import by_area, signed
from carbongrid.outputs.figures.sheet import (
    DPI,
    LEGEND,
    WIDTH,
    Sheet,
    _narrow,
    outline,
    sheet_of,
    shortened,
    told_apart,
)

FIGURES = {"zones", "emission", "sink", "ccr", "ecc", "esc", "grid_emission", "grid_sink"}


def brute_force(values, classes):
    """The least sum of squared deviations over every way of cutting the sorted values."""
    values = np.sort(values)
    cuts = [i for i in range(1, values.size) if values[i] > values[i - 1]]
    return min(
        sum(float(((part - part.mean()) ** 2).sum()) for part in np.split(values, list(cut)))
        for cut in itertools.combinations(cuts, classes - 1)
    )


def deviation(values, bounds):
    groups = np.searchsorted(bounds, values)
    return sum(
        float(((values[groups == g] - values[groups == g].mean()) ** 2).sum()) for g in set(groups)
    )


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=12).map(lambda v: np.array(v, dtype=float)),
    st.integers(2, 4),
)
def test_no_partition_is_better_than_natural_breaks(values, classes):
    """Seen to fail with cut[number - 1, stop], and with counts left out of the deviation."""
    bounds = natural_breaks(values, classes)
    assert bounds == sorted(set(bounds))
    assert bounds[-1] == values.max()
    if np.unique(values).size <= classes:
        assert bounds == sorted(set(values))
    else:
        assert len(bounds) == classes
        assert math.isclose(
            deviation(values, bounds), brute_force(values, classes), rel_tol=1e-9, abs_tol=1e-7
        )


def breaks_one_by_one(values, classes):
    """The same by one end of a class after the other, in floats that are added up in the same order; the lowest of equal cuts."""
    values, counts = np.unique(values, return_counts=True)
    shifted = (values - values.mean()) / (values[-1] - values[0])
    sums = [np.cumsum(counts * shifted**power) for power in (0, 1, 2)]
    weight, first, second = (np.concatenate([[0.0], each]) for each in sums)
    cost, cut = {(0, 0): 0.0}, {}
    for number in range(1, classes + 1):
        for stop in range(number, values.size + 1):
            costs = {}
            for start in range(number - 1, stop):
                if (number - 1, start) in cost:
                    moment = first[stop] - first[start]
                    apart = (
                        second[stop] - second[start] - moment**2 / (weight[stop] - weight[start])
                    )
                    costs[start] = cost[number - 1, start] + apart
            cut[number, stop] = min(costs, key=costs.get)
            cost[number, stop] = costs[cut[number, stop]]
    bounds, stop = [], values.size
    for number in range(classes, 0, -1):
        bounds.append(float(values[stop - 1]))
        stop = cut[number, stop]
    return bounds[::-1]


@pytest.mark.parametrize("count", [6, 63, 64, 65, 66, 67, 130, 200])
def test_natural_breaks_are_the_same_to_the_bit_as_one_by_one(count):
    """Ties included, at the ends of what is tried at once. Seen to fail with the last of equal cuts."""
    chance = np.random.default_rng(count)
    for values in (
        np.arange(count) * 0.1,  # the same distance everywhere: many cuts are equally good
        np.concatenate([np.arange(count), 1e6 - np.arange(count)]),
        chance.integers(0, count, 5 * count).astype(np.float64),
        chance.lognormal(0, 3, count),
    ):
        for number in (2, 5):
            assert natural_breaks(values, number) == breaks_one_by_one(values, number)


@given(
    st.lists(st.sampled_from([1e-9, 1e-8, 0.1, 1.0, 1e3]), max_size=24),
    st.lists(st.integers(1, 5), min_size=24, max_size=24),
    st.integers(1, 6),
    st.integers(1, 5),
)
@example([1.0, 1e-9, 1e-9, 1e-9, 1e-9], [1] * 5, 4, 3)  # where rounding decides
def test_no_start_is_left_out_that_could_be_the_best(steps, counts, number, at_once):
    """However many ends are tried at once, and whatever lies between the values: the breaks of all starts. Seen to fail without what rounding hides, and with one start more left out."""
    values = np.repeat(np.cumsum([0.0, *steps]), [*counts[: len(steps)], 1])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(classes, "_STOPS", at_once)
        classes._breaks.cache_clear()
        found = natural_breaks(values, number)
    classes._breaks.cache_clear()
    if np.unique(values).size > number:
        assert found == breaks_one_by_one(values, number)


def test_natural_breaks_leave_out_what_is_not_finite():
    assert natural_breaks(np.array([np.nan, 2.0, np.inf])) == [2.0]
    assert natural_breaks(np.array([])) == []


def test_natural_breaks_of_many_values_are_those_of_1500_evenly_spaced_in_rank(monkeypatch):
    """What is compared grows with the square of the values looked at. Seen to fail when all of them are."""
    looked_at = given_to(monkeypatch, classes, "_breaks")
    values = np.random.default_rng(1).lognormal(0, 2, 5_000)
    bounds = natural_breaks(values)
    some = np.frombuffer(*looked_at)
    ranks = np.searchsorted(np.sort(values), some)
    assert some.size == 1500
    assert set(np.diff(ranks)) == {3, 4}
    assert (ranks[0], ranks[-1]) == (0, values.size - 1)
    assert len(bounds) == 5
    assert bounds == natural_breaks(some)


@given(st.floats(1e-3, 1e7))
def test_a_round_length_is_the_largest_that_fits(length):
    rounded = round_length(length)
    assert rounded <= length * (1 + 1e-9)
    assert rounded * 2.5 > length * (1 - 1e-9)
    assert f"{rounded:.0e}"[0] in "125"


def test_unclassified_comes_last():
    assert [zone.code for zone in ordered_zones()] == [1, 2, 3, 4, 0]


def colours_of(path):
    with Image.open(path) as file:
        image = file.convert("RGB")
    return {
        f"#{r:02X}{g:02X}{b:02X}": n
        for n, (r, g, b) in image.getcolors(image.size[0] * image.size[1])
    }


def test_figures_are_written_and_show_each_zone_in_its_colour(tmp_path):
    tables = example_tables()
    paths = write_figures(tables, tmp_path / "figures")
    assert {path.stem for path in paths} == FIGURES
    for path in paths:
        with Image.open(path) as image:
            assert image.width == 1050
            assert round(image.info["dpi"][0]) == 150
    found = colours_of(tmp_path / "figures" / "zones.png")
    for zone in ordered_zones():
        present = (tables.units["zone"] == zone.code).any()
        assert (found.get(zone.colour, 0) > 5000) == present, zone.name_en


def test_parts_are_filled_and_holes_are_not(tmp_path):
    tables = example_tables()
    west, south, east, north = tables.units.total_bounds
    middle = shapely.box(west + 1000, south + 1000, west + 2000, south + 2000)
    frame = shapely.box(west, south, east, north).difference(middle)
    rest = [shapely.Polygon()] * 5
    units = tables.units.assign(zone=np.int8(1), borderline=False)
    units.geometry = [shapely.MultiPolygon([frame, shapely.box(west + 1250, south + 1250, west + 1750, south + 1750)]), *rest]  # fmt: skip
    nothing = tables.grid_1km * 0
    nothing.attrs.update(tables.grid_1km.attrs)
    bare = dataclasses.replace(tables, units=units, parents=(), grid_1km=nothing)
    write_figures(bare, tmp_path)
    with Image.open(tmp_path / "zones.png") as file:
        image = file.convert("RGB")
    colour = next(zone.colour for zone in ordered_zones() if zone.code == 1)
    count = colours_of(tmp_path / "zones.png")[colour]
    white = image.getpixel((0, image.height // 2))
    assert white == (255, 255, 255)
    covered = 1 - (1_000_000 - 250_000) / ((east - west) * (north - south))
    assert 0.85 < count / (covered * drawn_area(image, colour)) < 1.05


def drawn_area(image, colour):
    """Pixels of the box around a colour, left of the legend."""
    pixels = np.asarray(image)[:, : image.width * 2 // 3]
    wanted = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    rows, columns = np.nonzero((pixels == wanted).all(axis=2))
    return (np.ptp(rows) + 1) * (np.ptp(columns) + 1)


def test_drawing_leaves_no_global_figure_and_no_setting_behind(tmp_path):
    """And takes none: seen to draw with a notebook's own style, and to end with usetex."""
    import matplotlib as mpl
    import matplotlib.pyplot as plt

    open_before = plt.get_fignums()  # other tests draw in pyplot
    plain = write_figures(example_tables(), tmp_path / "plain")
    odd = {"text.usetex": True, "font.size": 30, "axes.facecolor": "black", "image.cmap": "gray", "lines.linewidth": 9, "savefig.dpi": 10}  # fmt: skip
    with mpl.rc_context(odd):
        before = dict(mpl.rcParams)
        styled = write_figures(example_tables(), tmp_path / "styled")
        assert dict(mpl.rcParams) == before
    assert plt.get_fignums() == open_before
    assert [path.read_bytes() for path in styled] == [path.read_bytes() for path in plain]


def test_without_a_chinese_font_there_is_one_warning_and_every_figure(
    tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(lettering, "CHINESE_FONTS", ())
    tables = dataclasses.replace(example_tables(), title="苏州 $x_1$ city $")
    with caplog.at_level(logging.WARNING):
        paths = write_figures(tables, tmp_path)
    assert len(paths) == len(FIGURES)
    assert len([record for record in caplog.records if record.name.startswith("carbongrid")]) == 1
    assert "findfont" not in caplog.text
    assert "Glyph" not in caplog.text
    assert "no font for Chinese" in caplog.text


def test_a_font_that_was_installed_after_matplotlib_listed_them_is_found(monkeypatch):
    """Seen to fail with matplotlib's list alone, which it keeps from process to process."""
    from matplotlib import font_manager

    if not lettering.installed_lettering().chinese:
        pytest.skip("no font for Chinese")
    known = font_manager.fontManager.ttflist
    # A collection has faces of many names, as Noto's has: its file was not there at all.
    later = {font.fname for font in known if font.name in lettering.CHINESE_FONTS}
    old = [font for font in known if font.fname not in later]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", old)
    assert lettering.installed_lettering().chinese


def test_characters_that_no_font_has_are_left_out():
    letters = lettering.Lettering(("DejaVu Sans",), frozenset(map(ord, "abc ")))
    assert letters.drawable("a碳b c") == "ab c"
    assert letters.drawable("a\tb") == "a b"  # seen to be one word, where the report has two
    assert letters.beside("zone", "分区") == "zone"


def test_names_that_no_font_can_draw_are_told_and_not_cut_to_others(tmp_path, caplog):
    """Seen to fail: a title was headed ``, 2019`` and a name was the number in it, without a word."""
    tables = example_tables()
    names = ["पुणे", "Ward 5 कोथरूड", *tables.units["name"][2:]]
    english = ["", "Kothrud", *tables.units["name_en"][2:]]
    units = tables.units.assign(name=names, name_en=english)
    tables = dataclasses.replace(tables, units=units, title="पुणे महानगरपालिका 2")
    with caplog.at_level(logging.WARNING):
        sheet = sheet_of(tables, dpi=DPI)
    (told,) = [record.message for record in caplog.records if "lack letters" in record.message]
    assert "lack letters of 2 names (पुणे महानगरपालिका 2, पुणे)" in told
    assert told.endswith("so in them the title is left out and units are called by their ids; give the title of the case in other letters, and the units a name_en")  # fmt: skip
    assert sheet.case == str(tables.year)
    _, axes = sheet.blank("Zones", "分区")
    sheet.name_units(axes)
    written = {text.get_text() for text in axes.texts}
    assert {units["id"].iloc[0], "Kothrud"} <= written
    assert not written & {"", "5", "Ward 5"}
    caplog.clear()
    sheet_of(example_tables())
    assert "lack letters" not in caplog.text


def test_a_name_that_is_cut_says_so_whatever_its_shape_has_room_for():
    """Seen to fail: of a name cut to 17 letters and "…" the "…" alone was cut next, and half a name seemed whole."""
    figure = Figure()
    whole = figure.text(0, 0, shortened("Llanfairpwllgwyngyll"))
    assert whole.get_text() == "Llanfairpwllgwyng…"
    for pixels in range(1, 40, 4):
        text = figure.text(0, 0, whole.get_text())
        _narrow(text, text.get_window_extent().width - pixels)
        assert text.get_text() != whole.get_text() and text.get_text().endswith("…")


def test_a_title_is_left_out_only_where_it_is(caplog):
    """Seen to fail: a title was said to be left out where a unit's name alone was."""
    tables = example_tables()
    names = ["पुणे", *tables.units["name"][1:]]
    units = tables.units.assign(name=names, name_en=["", *tables.units["name_en"][1:]])
    with caplog.at_level(logging.WARNING):
        assert sheet_of(dataclasses.replace(tables, units=units), dpi=DPI).case
    (told,) = [record.message for record in caplog.records if "lack letters" in record.message]
    assert told.endswith("so in them units are called by their ids; give the units a name_en")


def test_punctuation_comes_with_the_letters_of_another_font(monkeypatch):
    """Seen to fail: a title in Chinese was dropped for its brackets, which the font of its letters has."""
    monkeypatch.setattr(lettering, "CHINESE_FONTS", ("none such",))
    title = "苏州市（2019）"
    letters = lettering.installed_lettering("both", [title])
    if letters.missing("苏州市"):
        pytest.skip("no font here has Chinese letters")
    assert letters.draws(title)
    assert not letters.draws("杭州市（2019）")


def test_names_are_told_apart_by_their_numbers():
    """Seen to fail: cut to their place on the map, all names read ``Census Tract...``."""
    assert told_apart(["Census Tract 12.01", "Census Tract 12.02"]) == ["12.01", "12.02"]
    for names in (["San José", "San Juan"], ["Kreis 3"], ["Kreis 3", "Kreis"], ["A1", "A2"], []):
        assert told_apart(names) == names


def test_units_without_mass_geometry_or_parents_do_not_stop_a_figure(tmp_path):
    tables = example_tables()
    units = tables.units.copy()
    for column in units.columns:
        if units[column].dtype == np.int64:
            units[column] = 0
    units = units.assign(ccr=np.nan, ecc=np.nan, esc=np.nan, zone=np.int8(0), indicative=True)
    units.geometry = [shapely.Polygon(), *units.geometry[1:]]
    empty = dataclasses.replace(tables, units=units, parents=(), grid_1km=tables.grid_1km * 0)
    empty.grid_1km.attrs.update(tables.grid_1km.attrs)
    assert len(write_figures(empty, tmp_path)) == len(FIGURES)


AREAS = st.lists(
    st.tuples(st.integers(1, 10**6).map(float), st.floats(1.0, 9e4)), min_size=1, max_size=40
)


@given(
    AREAS,
    st.lists(st.tuples(st.floats(1e-3, 1e15), st.floats(1e-9, 9e-7)), max_size=5),
    st.randoms(),
)
def test_specks_change_no_class_of_the_others(
    parcels: list[tuple[float, float]], specks: list[tuple[float, float]], random: random.Random
) -> None:
    """Seen to fail with natural breaks, and with quantiles in which a speck counts."""
    largest = max(area for _, area in parcels)
    rows = [(value, area, True) for value, area in parcels]
    rows += [(value, share * largest, False) for value, share in specks]
    random.shuffle(rows)
    values, areas, whole = (np.array(column) for column in zip(*rows, strict=True))
    alone = np.array([value for value, _, own in rows if own])
    covered = np.array([area for _, area, own in rows if own])
    bounds = area_breaks(values, areas)
    assert bounds == area_breaks(alone, covered)
    scale = by_area(pd.Series(values, name="x"), areas, ("", ""), "YlOrRd")
    other = by_area(pd.Series(alone, name="x"), covered, ("", ""), "YlOrRd")
    assert scale.breaks == other.breaks
    assert scale.classes(values)[whole.astype(bool)].tolist() == other.classes(alone).tolist()
    assert len(scale.labels) == len(scale.colours) == len(scale.breaks) + 1


@given(AREAS, st.lists(st.tuples(st.floats(1e-3, 1e15), st.floats(1e-9, 9e-7)), max_size=5))
def test_specks_change_no_power_of_ten(
    parcels: list[tuple[float, float]], specks: list[tuple[float, float]]
) -> None:
    """Seen to fail with the highest value of all as the highest power."""
    alone, covered = (np.array(column) for column in zip(*parcels, strict=True))
    alone = np.where(alone % 2 == 1, -alone, alone)
    values = np.append(alone, [value for value, _ in specks])
    areas = np.append(covered, [share * covered.max() for _, share in specks])
    assert signed("n", values, ("", ""), "", areas).breaks == signed("n", alone, ("", ""), "", covered).breaks  # fmt: skip


@given(AREAS)
def test_no_class_has_most_of_the_area(parcels: list[tuple[float, float]]) -> None:
    """Two fifths of the area at most, if no value has more by itself. Seen to fail with natural breaks."""
    values, areas = (np.array(column) for column in zip(*parcels, strict=True))
    scale = by_area(pd.Series(values, name="x"), areas, ("", ""), "YlOrRd")
    cover = np.bincount(scale.classes(values), weights=areas) / areas.sum()
    single = max(areas[values == value].sum() for value in values) / areas.sum()
    assert cover.max() <= max(0.4, single) + 1e-9


def test_the_map_of_ecc_is_hatched_where_derived_gdp_leaves_it_unsure():
    """Seen to fail with the bare classes; the legend stays within the page in both languages."""
    tables = example_tables()
    reason = [EITHER_SIDE, *[""] * (len(tables.units) - 1)]
    ends = {"ecc_low": tables.units["ecc"] / 2, "ecc_high": tables.units["ecc"] * 2}
    derived = dataclasses.replace(tables, units=tables.units.assign(reason=reason, **ends))
    for shown, told in ((derived, True), (tables, False)):
        sheet = Sheet(shown, lettering.installed_lettering())
        figure = _of_units(sheet, "ecc", ("Economic contribution (ECC)", "经济贡献系数"))
        figure.canvas.draw()
        assert any(each.get_hatch() for each in figure.axes[0].collections) == told
        texts = [*figure.texts, *figure.legends[0].get_texts()]
        said = "\n".join(text.get_text() for text in texts)
        assert ("90 % intervals in units.csv" in said) == ("interval contains 1" in said) == told
        assert all(text.get_window_extent().x1 <= figure.bbox.x1 for text in texts)


def wavy(count, height=0.01):
    """A square with a point each metre of its sides, a little in or out; and in it a hole of a decimetre."""
    side = np.arange(count, dtype=np.float64)
    wave = height * np.sin(side)
    whole = np.full(count, float(count))
    ring = np.concatenate(
        [
            np.stack([side, wave], axis=1),
            np.stack([whole + wave, side], axis=1),
            np.stack([whole - side, whole + wave], axis=1),
            np.stack([wave, whole - side], axis=1),
        ]
    )
    return shapely.Polygon(ring, [shapely.box(50, 50, 50.1, 50.1).exterior])


def test_an_outline_is_simplified_within_its_tolerance():
    """Seen to fail without the rings that would vanish."""
    square = wavy(100)
    path = outline(square, 0.5)
    assert len(path) < 20
    rings = [shapely.LinearRing(ring) for ring in path.to_polygons(closed_only=True)]
    shell, hole = sorted(rings, key=lambda ring: -ring.length)
    assert shapely.hausdorff_distance(shell, square.exterior, densify=0.01) <= 0.5
    assert shapely.equals(hole, square.interiors[0])
    assert len(outline(square)) == shapely.get_num_coordinates(square)


def test_only_figures_of_pixels_leave_out_what_is_smaller_than_them():
    """A figure that may be printed has every vertex. Seen to fail with a tolerance of a pixel and more."""
    tables = example_tables()
    shapes = [
        shapely.affinity.translate(wavy(1000, 1.0), 40500000 + 1000 * k, 3450000)
        for k in range(len(tables.units))
    ]
    moved = dataclasses.replace(tables, units=tables.units.set_geometry(shapes))
    letters = lettering.installed_lettering()
    pixels, every = Sheet(moved, letters, DPI), Sheet(moved, letters)
    west, _, east, _ = pixels.extent
    pixel = (east - west) / ((WIDTH - LEGEND) * DPI)
    for seen, shape, full in zip(pixels.outlines, shapes, every.outlines, strict=True):
        assert len(full) == shapely.get_num_coordinates(shape)
        assert len(seen) < 0.9 * len(full)
        away = shapely.hausdorff_distance(shapely.MultiPoint(full.vertices), shapely.LineString(seen.vertices))  # fmt: skip
        assert away <= 0.05 * pixel + 1e-6


@pytest.mark.parametrize("dpi", [DPI, 0])
@pytest.mark.parametrize("coverage", [True, False])
def test_parents_are_the_union_of_their_units(coverage, dpi):
    """Also where neighbours have not the same points. Seen to fail with coverage_union_all for both."""
    tables = example_tables()
    shapes = [shapely.box(k, 0, k + 1, 2) for k in range(len(tables.units))]
    if not coverage:
        shapes[1] = shapely.union(shapes[1], shapely.box(0.5, 0, 1.5, 1))
    units = tables.units.set_geometry(shapes)
    sheet = Sheet(dataclasses.replace(tables, units=units), lettering.installed_lettering(), dpi)
    codes = units[tables.parents[0]] if tables.parents else pd.Series("", units.index)
    assert set(sheet.parents) == set(codes)
    for code, shape in sheet.parents.items():
        assert shapely.equals(shape, shapely.union_all(units.geometry[codes == code].to_numpy()))


def test_each_figure_is_drawn_for_its_medium(tmp_path, monkeypatch):
    """Those of a run for its pixels; the study's, which may be printed or vector, with every vertex. Seen to fail with any other number."""
    sheets = []

    def drawn_on(sheet):
        sheets.append(sheet.dpi)
        return iter(())

    monkeypatch.setattr(figures, "_drawn", drawn_on)
    figures.write_figures(example_tables(), tmp_path / "run")
    monkeypatch.setattr(study, "_FIGURES", {"one": lambda sheet: drawn_on(sheet) and _Page()})
    study.write_study_figures(example_tables(), tmp_path / "study", formats=("svg",), only=["one"])
    assert sheets == [DPI, 0]


class _Page:
    """A page with nothing on it."""

    def __init__(self):
        from matplotlib.figure import Figure

        self.figure = Figure()
