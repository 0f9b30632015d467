"""What a notebook shows of results, cases and ledgers, and the drawings it can ask for."""

from __future__ import annotations

import dataclasses
import json
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from figures_case import case_with
from hostile import NAMES
from matplotlib import colors
from matplotlib import pyplot as plt
from tables_example import example_tables

import carbongrid as cg
from carbongrid.case.notebook import card
from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.classes import RELATIVE_IN_LINE, ordered_zones
from carbongrid.outputs.reading import read_result
from carbongrid.outputs.result import _marked
from carbongrid.outputs.tables import table_digests, write_tables
from carbongrid.run_store import seal_of


class Text(HTMLParser):
    """Tags and text of a fragment."""

    def __init__(self, fragment):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(fragment)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)

    def handle_data(self, data):
        self.text += data


@pytest.fixture(autouse=True)
def no_figure_left():
    yield
    plt.close("all")


def result_in(folder, **changes):
    tables = dataclasses.replace(example_tables(), **changes)
    write_tables(tables, folder)
    manifest = {"title": tables.title, "year": tables.year, "assumptions": tables.assumptions, "digests": table_digests(tables), "files": []}  # fmt: skip
    manifest["seal"] = seal_of(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return read_result(folder)


@pytest.mark.parametrize("name", NAMES)
def test_names_are_text(name):
    shown = Text(card(name, name, facts=[(name, name)], columns=[name], rows=[[name]]))
    assert set(shown.tags) == {"div", "p", "b", "span", "table", "thead", "tbody", "tr", "th", "td"}
    assert shown.text.count(name) == 6


def test_a_result_shows_its_zones(tmp_path):
    result = result_in(tmp_path, title="<b>Six")
    shown = Text(result._repr_html_())
    emission = f"{result.units['emission_t'].sum():,.0f} t CO2e"
    for words in ("<b>Six", "2020", emission, "low-carbon economic", "unclassified"):
        assert words in shown.text
    assert shown.text.count("report.html") == 1


def test_a_result_says_how_far_its_zones_are_to_be_trusted(small_run):
    """Seen: of a run whose draws found 67 of 97 zones not firm it said "close to 1: 8", and of one whose zones are all indicative nothing; nor that zones are relative."""
    result = cg.open(small_run)
    shown = Text(result._repr_html_()).text
    for words in RELATIVE_IN_LINE[0].split(": "):
        assert words.lower() in shown.lower()
    units = result.units
    for frame in (units, units.assign(indicative=True), units.drop(columns="firm")):
        told = dict(_marked(frame))
        firm = frame["firm"] if "firm" in frame else ~frame["borderline"]
        wanted = {"not firm" if "firm" in frame else "close to 1": str(int((~firm).sum()))}
        wanted |= {"indicative": "6"} if frame["indicative"].all() else {}
        assert told == wanted


def test_a_result_tells_what_the_run_warned_of(tmp_path):
    """Seen: "warnings 3", and which they were stood in the manifest alone."""
    said = (("note", "An index of exactly 1 is high (D3)."), ("warning", "totals.csv: 142 t a year on each of 12,666 ha. Check its unit."))  # fmt: skip
    warned = result_in(tmp_path, assumptions=said)
    assert [(each.level, str(each)) for each in warned.problems] == list(said)
    assert "1: see .problems" in repr(warned)
    assert "1: see .problems" in Text(warned._repr_html_()).text
    (tmp_path / "calm").mkdir()
    assert ".problems" not in repr(result_in(tmp_path / "calm", assumptions=said[:1]))


def test_a_run_is_opened_again_and_fits_fifteen_lines(tmp_path):
    result_in(tmp_path, title="Six\x1b[31m towns")
    again = cg.open(tmp_path)
    lines = repr(again).splitlines()
    assert len(lines) <= 15
    assert lines[0] == "<carbongrid.Result> Six?[31m towns, 2020"
    assert f"{again.units['emission_t'].sum():,.0f} t CO2e" in lines[2]
    # Seen to stand by the alphabet, the best zone last.
    names = [line.partition("  ")[2].split("  ")[0] for line in lines if " t emitted" in line]
    ordered = [zone.name_en for zone in ordered_zones()]
    assert names == [name for name in ordered if name in set(again.units["zone_name"])]


def test_the_ledger_adds_up_as_shown_and_stays_a_frame(tmp_path):
    ledger = result_in(tmp_path).ledger
    shown = Text(ledger._repr_html_()).text
    assert "123,456,789" in shown
    assert "industry/manufacturing" in shown
    assert type(ledger[ledger["category"] == "sink/crops"]) is pd.DataFrame
    assert isinstance(ledger, pd.DataFrame)


def test_a_case_shows_its_choices_and_files(tmp_path):
    case = case_with(tmp_path, {}, title="Here & there", electricity="both")
    shown = Text(case._repr_html_()).text
    for words in ("Here & there", "parcels.gpkg", "[totals] path", "10 m, 1000 m", "both"):
        assert words in shown


def test_the_zone_map_has_the_zones_colours_and_counts(tmp_path):
    result = result_in(tmp_path)
    axes = result.plot.zones()
    colours = {zone.code: zone.colour for zone in zones()}
    drawn = [colors.to_hex(each) for each in axes.collections[0].get_facecolor()]
    assert drawn == [colours[code].lower() for code in result.units["zone"]]
    told = [text.get_text() for text in axes.get_legend().get_texts()]
    assert f"unclassified ({(result.units['zone'] == 0).sum()})" in told
    axes.figure.canvas.draw()


def test_points_stand_where_ecc_and_esc_say(tmp_path):
    units = example_tables().units
    units.loc[0, "ecc"], units.loc[1, "esc"] = np.inf, 0.0
    result = result_in(tmp_path, units=units)
    axes = result.plot.ecc_esc()
    known = result.units[result.units["ecc"].notna() & result.units["esc"].notna()]
    points = axes.collections[-1].get_offsets()
    assert len(points) == len(known) < len(units)
    assert np.allclose(points[:, 0], known["ecc"].clip(0.01, 100))
    assert np.allclose(points[:, 1], known["esc"].clip(0.01, 100))
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    assert ((points > (left, low)) & (points < (right, high))).all()
    axes.figure.canvas.draw()
    assert repr(result.plot).startswith("Plots")
