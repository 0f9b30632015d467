"""Maps that a notebook asks a result for."""

from __future__ import annotations

import dataclasses
import html

import numpy as np
import pytest
from hostile import NAMES
from matplotlib import colors
from matplotlib import pyplot as plt
from tables_example import example_tables

from carbongrid.errors import InputError
from carbongrid.outputs.figures.classes import NO_VALUE, powers_of_ten
from carbongrid.outputs.figures.scales import scales_of
from carbongrid.outputs.marks import flags_of
from carbongrid.outputs.numbers import mass, percent
from tests.outputs.test_notebook import result_in


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def told(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


@pytest.mark.parametrize("column", ["emission_t", "ccr", "ecc", "residents", "gdp", "industry_t"])  # fmt: skip
def test_a_map_classes_each_unit_as_the_figures_do(tmp_path, column):
    result = result_in(tmp_path)
    axes = result.plot(column)
    drawn = [colors.to_hex(each) for each in axes.collections[0].get_facecolor()]
    units = example_tables().units
    key = column.removesuffix("_t")
    if key in (known := scales_of(units)):
        places = known[key].classes(known[key].values(units))
        wanted = [known[key].colours[place] if place >= 0 else NO_VALUE for place in places]
        assert drawn == [each.lower() for each in wanted]
    values = result.units[column].to_numpy(np.float64, na_value=np.nan)
    grey = np.isnan(values) | ((values <= 0) & (key not in ("ccr", "ecc", "esc")))
    assert [each == NO_VALUE for each in drawn] == grey.tolist()
    assert sum(int(text.rpartition("(")[2].rstrip(")")) for text in told(axes)) == 6
    axes.figure.canvas.draw()


def test_what_is_written_is_seen_on_a_dark_ground(tmp_path):
    """Seen to fail: "Zones are relative", the lines at 1 and the mark of hatched units were dark on black."""
    result = result_in(tmp_path)
    with plt.style.context("dark_background"):
        zones, plane = result.plot.zones(), result.plot.ecc_esc()
        drawn = [zones.title.get_color(), *(line.get_color() for line in plane.lines)]
    assert [colors.to_hex(each) for each in drawn] == ["#ffffff"] * 3
    marks = [patch for patch in zones.get_legend().get_patches() if patch.get_hatch()]
    assert marks
    assert all(colors.to_hex(patch.get_facecolor()) == "#ffffff" for patch in marks)


def test_a_change_below_0_is_no_gap(tmp_path):
    """Seen to fail: units that have to emit less to leave their zone were grey, "0 or unknown"."""
    result = result_in(tmp_path)
    changes = [-50_000.0, -3.0, 20_000.0, np.nan, 0.0, 700.0]
    frame = result.units.assign(emission_to_leave_zone_t=changes)
    axes = dataclasses.replace(result.plot, units=frame)("emission_to_leave_zone_t")
    drawn = [colors.to_hex(each) for each in axes.collections[0].get_facecolor()]
    assert [each == NO_VALUE for each in drawn] == [False, False, False, True, True, False]
    below, above = {drawn[0], drawn[1]}, {drawn[2], drawn[5]}
    assert not below & above
    assert "0 or unknown  (2)" in told(axes) or "0 or unknown (2)" in told(axes)


def test_zones_by_name_and_no_map_of_words(tmp_path):
    plot = result_in(tmp_path).plot
    assert told(plot("zone")) == told(plot.zones())
    with pytest.raises(InputError, match="Did you mean 'emission_t'"):
        plot("emissions_t")
    with pytest.raises(InputError, match="no column of numbers 'name'"):
        plot("name")


def test_the_grid_is_drawn_where_it_lies_and_counted(tmp_path):
    result = result_in(tmp_path)
    for field in ("emission", "sink"):
        axes = result.plot.grid(field)
        tonnes = result.grid_1km[field].to_numpy() / 1e6
        (image,) = axes.images
        shown = np.ma.masked_invalid(np.asarray(image.get_array(), float))
        assert np.array_equal(shown.filled(0), np.where(tonnes > 0, tonnes, 0))
        west, south, east, north = result.units.total_bounds
        left, right, low, high = image.get_extent()
        assert (left, high) == (west, north)
        assert right >= east
        assert low <= south
        assert sum(int(text.rpartition("(")[2].rstrip(")")) for text in told(axes)) == np.count_nonzero(tonnes)  # fmt: skip
        assert set(powers_of_ten(tonnes[tonnes > 0])) <= set(image.norm.boundaries)
        axes.figure.canvas.draw()
    with pytest.raises(InputError, match="emission and sink"):
        result.plot.grid("net")


@pytest.mark.parametrize("column", ["zone", "emission_t"])
def test_a_map_to_move_about_in_holds_names_as_text(tmp_path, column):
    pytest.importorskip("folium", reason="the extra explore is not installed")
    tables = example_tables()
    units = tables.units.assign(name=NAMES[:6])
    result = result_in(tmp_path, units=units)
    page = result.plot.explore(column).get_root().render()
    assert "<img src=x" not in page
    for name in NAMES[:6]:
        assert "<" not in name or html.escape(name).replace("&", r"\u0026") in page
    assert "tile.openstreetmap" not in page
    assert "tile.openstreetmap" in result.plot.explore(tiles="OpenStreetMap").get_root().render()


def test_a_map_to_move_about_in_tells_what_its_colours_and_numbers_are(tmp_path):
    """Seen to have no legend, and to tell of a unit ``emission_t 1.436e+06`` and ``ccr 0.0195``; and to be blank without a network."""
    pytest.importorskip("folium", reason="the extra explore is not installed")
    result = result_in(tmp_path)
    units = result.units
    page = result.plot.explore().get_root().render()
    for name, count in units["zone_name"].value_counts().items():
        assert f"</span>{name} ({count})</div>" in page
    assert "held against the whole of the region" in page
    assert "could not load them" in page
    # Seen to stand beside a map of some width, whose scripts were there.
    assert "could not load them.</p><script>window.L && " in page
    assert '["code", "name", ' in page
    assert "e+0" not in page.partition("features")[2].partition("]}")[0].replace("geometry", "")
    first = units.iloc[0]
    assert f"{mass(round(1e6 * first['emission_t']))} " in page
    assert f'"ccr": "{percent(first["ccr"])}"' in page
    assert all(f", {flag.name_en}" in page for flag in flags_of(units) if flag.marked(units).any())
    named = dataclasses.replace(result.plot, units=units.assign(**{"{{ 7 * 6 }}<b>": range(6)}))
    odd = named.explore("{{ 7 * 6 }}<b>").get_root().render()
    assert "42" not in odd.partition('class="legend"')[2].partition("</div>")[0]
    assert "&#123;&#123; 7 * 6 }}&lt;b&gt;" in odd
    # Seen to end with a KeyError, and to tell a code as a number of people.
    edited = units.drop(columns="zone_name").assign(id=range(330101, 330107), firm=False)
    named = dataclasses.replace(result.plot, units=edited)
    assert '"id": "330101"' in named.explore().get_root().render()


def test_what_draws_say_is_told_by_name_and_in_its_unit(tmp_path):
    """Seen to tell of a unit ``zone_probability 1`` and ``ecc_p05 0.9``."""
    pytest.importorskip("folium", reason="the extra explore is not installed")
    drawn = {"zone_probability": 0.934, "ecc_p05": 0.91234, "emission_t_p95": 1.5e6, "ccr_p05": 0.5}
    result = result_in(tmp_path)
    plots = dataclasses.replace(result.plot, units=result.units.assign(**drawn))
    told = {"zone_probability": ("Share of draws with this zone", "93.4 %"), "ecc_p05": ("ECC, 5 %", "0.912"), "emission_t_p95": ("Emissions, 95 %", "1.50 Mt CO\\u2082e yr"), "ccr_p05": ("CCR, 5 %", "50.0 %")}  # fmt: skip
    for column, (name, cell) in told.items():
        page = plots.explore(column).get_root().render()
        assert f'"{name}"]' in page
        assert f'"{column}": "{cell}' in page
        assert f">{name}" in page.partition('class="legend"')[2]
