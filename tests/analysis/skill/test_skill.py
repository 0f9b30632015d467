"""What is known, held out: planted sigma and tau found, a proxy that is the truth, one that is permuted, a case by hand, the demo."""

from __future__ import annotations

import html
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from declared import of_folder
from town import CRS, EAST, NORTH, square, write_town

import carbongrid as cg
from carbongrid.analysis.skill.held_out import leave_one_out
from carbongrid.analysis.skill.page import _card, write_skill_page
from carbongrid.analysis.skill.skill import _by_facilities, skill, without_skill, write_skill
from carbongrid.cli import main
from carbongrid.cli.audit_commands import _placed
from carbongrid.errors import InputError
from carbongrid.outputs.reading import read_result
from carbongrid.outputs.report.analysis_page import Cell
from carbongrid.outputs.report.notes import note_in_chinese

NAME = "industry/manufacturing"
UNITS, EACH = 80, 5
CATEGORIES = f"category,sector,name_en,name_zh,scope,sink,types,weight\n{NAME},industry,x,x,1,false,industrial,field:size\n"
MORE = f'[categories]\npath = "categories.csv"\n[allow]\nfallback = ["{NAME}"]\n'


def town(folder, claims, rows, totals, more=""):
    """80 units in 8 rows, each of five parcels in a row with a claim each; facilities (parcel, grams) and totals (region, grams)."""
    folder.mkdir()
    units, parcels = [], []
    for unit in range(UNITS):
        x, y = unit % 10, unit // 10
        units.append((f"u{unit:02}", f"d{y}", square(x, y)))
        parcels += [(f"p{unit:02}{k}", "0601", square(x + k / EACH, y, 1 / EACH)) for k in range(EACH)]  # fmt: skip
    named = []
    for parcel, grams, *metres in rows:
        if parcel < 0:
            named.append(f"nowhere,{NAME},{grams},g CO2e,,,")
            continue
        x, y = (parcel // EACH) % 10 + (parcel % EACH + 0.5) / EACH, parcel // EACH // 10 + 0.5
        named.append(f"f{parcel:03},{NAME},{grams},g CO2e,{EAST + 1000 * x + sum(metres)},{NORTH + 1000 * y},EPSG:{CRS}")  # fmt: skip
    tables = {
        "totals.csv": "\n".join(["category,value,unit,region", *(f"{NAME},{grams},g CO2e,{code}" for code, grams in totals)]),
        "categories.csv": CATEGORIES,
    }  # fmt: skip
    if named:
        tables["facilities.csv"] = "\n".join(["name,category,value,unit,x,y,crs", *named])
        more += '[facilities]\npath = "facilities.csv"\n'
    path = write_town(folder, parcels, units, tables, MORE + more, {"size": claims.tolist()})
    return cg.run(path, folder.with_name(f"{folder.name}-run")).directory


def grams_of(values, whole=4e14):
    return np.rint(values / values.sum() * whole).astype(np.int64).tolist()


def worlds(seed, sigma, tau):
    rng = np.random.default_rng(seed)
    claims = np.round(rng.uniform(1, 9, UNITS * EACH), 3)
    factor = np.exp(sigma * rng.standard_normal(UNITS * EACH) - sigma**2 / 2)
    factor *= np.repeat(np.exp(tau * rng.standard_normal(UNITS) - tau**2 / 2), EACH)
    return claims, claims * factor


def test_planted_sigma_and_tau_of_facilities_are_found(tmp_path):
    """Each parcel has a works of known mass; within 20 %, told apart, and read by probability from the section that is printed."""
    sigma, tau = 0.9, 0.6
    claims, true = worlds(4, sigma, tau)
    masses = grams_of(true)
    rows = list(enumerate(masses))
    run = town(tmp_path / "t", claims, rows, [("", 2 * sum(masses))])
    found = skill(run)
    [row] = found.spreads.to_dict("records")
    assert (row["rule"], row["held"], row["count"], row["groups"]) == ("field", "facilities", UNITS * EACH, UNITS)  # fmt: skip
    assert row["sigma"] == pytest.approx(sigma, rel=0.2)
    assert row["tau"] == pytest.approx(tau, rel=0.2)
    assert row["told"]
    told = CliRunner().invoke(main, ["skill", str(run), "--out", str(tmp_path / "t")])
    assert told.exit_code == 0, told.output
    section = '[uncertainty]\npath = "uncertainty.csv"'
    assert section in told.output
    case = tmp_path / "t" / "case.toml"
    case.write_text(f"{case.read_text(encoding='utf-8')}{section}\n", encoding="utf-8")
    cg.run(case, tmp_path / "again")
    settings = cg.probability(tmp_path / "again", draws=5).settings
    weights = settings[settings["source"] == "weights"].iloc[0]
    assert weights["basis"] == "measured"
    assert weights["sigma"] == pytest.approx(row["sigma"], abs=0.005)
    assert weights["tau"] == pytest.approx(row["tau"], abs=0.005)
    again = skill(tmp_path / "again").spreads.iloc[0]
    assert again["assumed_sigma"] == weights["sigma"]


def test_a_single_facility_of_its_category_is_not_counted():
    """It tells no spread beside a mean of its own. Seen to be the twentieth of nineteen others, and sigma and tau count as told from twenty on."""
    rng = np.random.default_rng(5)
    units = [f"u{k}" for k in range(10)]
    unit = np.array(units * 2)[:19]
    rows = {"rule": "field", "unit": unit, "log_ratio": rng.normal(0, 0.5, 19)}
    alone = {"rule": "field", "unit": ["u0"], "log_ratio": [2.0]}
    assumed = SimpleNamespace(of=lambda *_: SimpleNamespace(sigma=0.5, tau=0.3))
    tables = {"industry/manufacturing": pd.DataFrame(rows), "industry/mining": pd.DataFrame(alone)}
    [row] = _by_facilities(tables, assumed, pd.Series(units))
    assert (row["count"], row["groups"]) == (19, 10)
    [row] = _by_facilities({"industry/mining": pd.DataFrame(alone)}, assumed, pd.Series(units))
    assert row["count"] == 1 and not row["told"]


def test_planted_sigma_and_tau_of_units_with_totals_are_found(tmp_path):
    """Each unit has a total of its own: tau within 20 % where sigma is what it was taken to be; the sum of both as it is."""
    sigma, tau = 0.5, 0.8
    claims, true = worlds(6, sigma, tau)
    of_units = grams_of(true.reshape(UNITS, EACH).sum(axis=1))
    totals = [(f"u{unit:02}", grams) for unit, grams in enumerate(of_units)]
    found = skill(town(tmp_path / "t", claims, [], [("", sum(of_units)), *totals]))
    [row] = found.spreads.to_dict("records")
    assert (row["held"], row["count"], row["assumed_sigma"]) == ("regions", UNITS, sigma)
    assert row["tau_if_sigma_holds"] == pytest.approx(tau, rel=0.2)
    claimed = claims.reshape(UNITS, EACH)
    assert found.regions["of_parcels"].to_numpy() == pytest.approx((claimed**2).sum(axis=1) / claimed.sum(axis=1) ** 2)  # fmt: skip
    assert found.regions["of_units"].to_numpy() == pytest.approx(1.0)
    total = np.array(of_units, float) / 1e6
    slow = [c * (total.sum() - t) / (claims.sum() - c) for c, t in zip(claimed.sum(axis=1), total, strict=True)]  # fmt: skip
    assert found.regions["predicted_t"].to_numpy() == pytest.approx(slow)


def test_a_proxy_that_is_the_truth_and_one_that_is_permuted(tmp_path):
    """Totals of units made from the claims: nothing is misplaced and skill is 1; permuted claims have none."""
    claims, _ = worlds(1, 0.0, 0.0)
    claims *= np.repeat(np.random.default_rng(0).lognormal(0, 1.5, UNITS), EACH)
    of_units = grams_of(claims.reshape(UNITS, EACH).sum(axis=1))
    totals = [("", sum(of_units)), *((f"u{unit:02}", grams) for unit, grams in enumerate(of_units))]
    [row] = skill(town(tmp_path / "t", claims, [], totals)).measures.to_dict("records")
    assert row["misplaced"] == pytest.approx(0, abs=1e-9)
    assert row["skill"] == pytest.approx(1)
    assert row["by_area"] > 0.3
    shuffled = np.random.default_rng(3).permutation(claims.reshape(UNITS, EACH)).ravel()
    [row] = skill(town(tmp_path / "s", shuffled, [], totals)).measures.to_dict("records")
    assert row["skill"] < 0.1
    assert np.isnan(row["by_people"])


def test_ten_facilities_by_hand(tmp_path):
    """What a parcel would get, one at a time; which share lands elsewhere, a fifth at a time."""
    rng = np.random.default_rng(8)
    claims = np.round(rng.uniform(1, 9, UNITS * EACH), 3)
    places = sorted(rng.choice(UNITS * EACH, 10, replace=False).tolist())
    grams = rng.integers(10**12, 10**13, 10).tolist()
    whole = 4 * sum(grams)
    rows = [*zip(places, grams, strict=True), (-1, 7)]
    run = town(tmp_path / "t", claims, rows, [("", whole)])
    found = skill(run)
    assert found.measures["left_out"].tolist() == [1]
    table = found.facilities
    assert table["name"].tolist() == [f"f{place:03}" for place in places]
    for row, place, mass in zip(table.to_dict("records"), places, grams, strict=True):
        left = whole - sum(grams) + mass
        assert row["proxy_t"] == pytest.approx(left * claims[place] / claims.sum() / 1e6)
        assert row["region"] == ""
        assert row["log_ratio"] == pytest.approx(np.log(mass / (left * claims[place] / claims.sum())))  # fmt: skip
        inside = claims[place // EACH * EACH : (place // EACH + 1) * EACH].sum()
        assert row["in_own_unit"] == pytest.approx(inside / claims.sum())
        assert row["by_area"] == pytest.approx(1 / UNITS, rel=1e-3)
    share = claims.reshape(UNITS, EACH).sum(axis=1) / claims.sum()
    wrong = 0.0
    for fold in range(5):
        held = table["fold"] == fold
        assert held.sum() == 2
        theirs = np.zeros(UNITS)
        for place, mass in zip(np.array(places)[held], np.array(grams, float)[held], strict=True):
            theirs[place // EACH] += mass
        wrong += np.abs(theirs - theirs.sum() * share).sum() / 2
    [row] = found.measures.to_dict("records")
    assert row["misplaced"] == pytest.approx(wrong / sum(grams))
    assert row["without_claim"] == 0
    assert not found.spreads["told"].any()
    assert found.rows.empty
    files = write_skill(found, tmp_path)
    assert [each for each in of_folder(tmp_path) if "skill" in each] == []
    assert [file.name for file in files] == ["skill.csv", "skill_facilities.csv", "skill_spreads.csv"]  # fmt: skip
    assert skill(run, seed=1).facilities["fold"].tolist() != table["fold"].tolist()


def test_a_works_off_the_coast_is_taken_off_the_total(tmp_path):
    """It lies in no unit and takes the parcel beside it. Seen to fail: its mass was left for the others' proxy, which looked better than it is."""
    claims = np.ones(UNITS * EACH)
    run = town(tmp_path / "t", claims, [(0, 6 * 10**12, -160.0), (203, 10**12)], [("", 10**13)])
    found = skill(run)
    assert found.measures["left_out"].tolist() == [1]
    [row] = found.facilities.to_dict("records")
    assert row["name"] == "f203"
    assert row["proxy_t"] == pytest.approx((10**13 - 6 * 10**12) / claims.size / 1e6)


def test_districts_that_fell_back_to_area(tmp_path):
    """Half of eight districts have no weight. Seen to fail: the proxy claimed nothing there, all their works were misplaced, and the page could not be written."""
    claims, _ = worlds(1, 0.0, 0.0)
    claims[UNITS // 2 * EACH :] = 0.0
    totals = [(f"d{y}", 10**14 * (y + 1)) for y in range(8)]
    works = [(3, 10**12), (250, 2 * 10**12), (260, 3 * 10**12), (399, 4 * 10**12)]
    run = town(tmp_path / "t", claims, works, totals)
    found = skill(run)
    table = found.facilities
    assert table["rule"].tolist() == ["field", "area", "area", "area"]
    assert table["region"].tolist() == ["d0", "d5", "d5", "d7"]
    # Five equal parcels in each of ten units.
    expected = [6e14 - 3e12, 6e14 - 2e12, 8e14]
    assert table["proxy_t"].tolist()[1:] == pytest.approx([left / 50 / 1e6 for left in expected], rel=1e-3)  # fmt: skip
    assert table["in_own_unit"].tolist()[1:] == pytest.approx([0.1] * 3, rel=1e-3)
    regions = found.regions
    assert regions["rule"].tolist() == ["field"] * 4 + ["area"] * 4
    assert regions["predicted_t"].tolist()[4:] == pytest.approx([np.nan] * 4, nan_ok=True)
    claimed = claims.reshape(8, -1).sum(axis=1)[:4]
    assert regions["predicted_t"].tolist()[:4] == pytest.approx([c * (1e9 - t) / (claimed.sum() - c) for c, t in zip(claimed, [1e8, 2e8, 3e8, 4e8], strict=True)])  # fmt: skip
    measures = found.measures.set_index("held")
    assert measures["rule"].to_dict() == {"facilities": "field and area", "regions": "field"}
    assert measures["count"].to_dict() == {"facilities": 4, "regions": 4}
    assert measures["left_out"].to_dict() == {"facilities": 0, "regions": 4}
    assert (measures["without_claim"] == 0).all()
    assert np.isfinite(measures[["misplaced", "by_area", "skill", "median_log2_ratio"]]).all(axis=None)  # fmt: skip
    assert measures.loc["facilities", "misplaced"] < 0.95
    assert found.spreads["rule"].tolist() == ["area", "field", "field"]
    assert np.isfinite(found.spreads["both"].to_numpy()[[0, 2]]).all()
    told = CliRunner().invoke(main, ["skill", str(run), "--out", str(tmp_path / "t")])
    assert told.exit_code == 0, told.output
    assert "4 regions fell back to area, and are not held out" in told.output
    page = html.unescape((tmp_path / "t" / "skill.html").read_text(encoding="utf-8"))
    assert "field and area" in page and "按field、面积" in page


def test_one_district_with_claims_is_predicted_by_no_other(tmp_path):
    """Seen to fail: the others claim nothing, so it was predicted to be without end."""
    claims, _ = worlds(1, 0.0, 0.0)
    claims[UNITS // 8 * EACH :] = 0.0
    run = town(tmp_path / "t", claims, [], [(f"d{y}", 10**14) for y in range(8)])
    found = skill(run)
    assert found.measures.empty
    assert found.regions.empty


def test_the_others_total_per_claim():
    assert leave_one_out(np.array([4.0, 1, 1]), np.array([2.0, 1, 1])).tolist() == [2.0, 5 / 3, 5 / 3]  # fmt: skip
    assert np.isnan(leave_one_out(np.array([4.0, 1, 1]), np.array([2.0, 0, 0]))[0])


def test_the_demo_s_facilities_and_gdp_held_out(full_demo, tmp_path):
    """Its steel works and power plants lie where POIs and area say little; land says less of its GDP than people do."""
    found = skill(full_demo / "run")
    measures = found.measures.set_index("of")
    assert measures.loc[NAME, "held"] == "facilities"
    assert measures.loc[[NAME, "industry/supply"], "count"].tolist() == [10, 10]
    assert measures.loc[NAME, "misplaced"] > 0.9
    assert measures.loc[NAME, "skill"] < 0.05
    gdp = measures.loc["gdp"]
    assert (gdp["held"], gdp["count"]) == ("units", 97)
    assert gdp["by_people"] < gdp["by_area"]
    assert gdp["skill"] < 0
    table = found.gdp
    for name in ("predicted", "by_area", "by_people"):
        sums = table.groupby("parent")[["gdp", name]].sum()
        assert sums[name].to_numpy() == pytest.approx(sums["gdp"].to_numpy())
    assert isinstance(found.regions, pd.DataFrame)
    assert found.rows.empty
    path = write_skill_page(found, read_result(full_demo / "run"), tmp_path / "skill.html")
    page = html.unescape(path.read_text(encoding="utf-8"))
    assert "script-src 'sha256-" in page and "src=" not in page and 'href="http' not in page
    assert page.count('<svg class="map"') == 2 and page.count('<svg class="scatter"') == 2
    assert page.count("<circle") == 20 and page.count("published 发布值") == 0
    assert "制造业：错置" in page and "industry/manufacturing：错置" not in page
    assert "没有技巧。仅按面积或人口即可同样分配这些设施。" in page and "无法说明之处" in page
    assert "±" not in page and "inf" not in page.replace("info", "")


def test_nothing_to_hold_out(tmp_path):
    claims, _ = worlds(1, 0.0, 0.0)
    run = town(tmp_path / "t", claims, [], [("", 10**14)])
    found = skill(run)
    assert found.measures.empty
    assert found.spreads.empty
    told = CliRunner().invoke(main, ["skill", str(run)])
    assert told.exit_code == 0, told.output
    assert "Nothing is known to hold out" in told.output
    with pytest.raises(InputError, match="not a finished run"):
        skill(tmp_path)


def test_one_facility_of_a_category_tells_no_spread():
    """Seen to fail: both together were nan, and so was tau."""
    spread = {"rule": "area", "held": "facilities", "count": 1, "told": False, "both": np.nan, "assumed_sigma": 0.7, "tau_if_sigma_holds": np.nan}  # fmt: skip
    measure = {"of": "industry/manufacturing", "rule": "area", "count": 1, "held": "facilities", "misplaced": 0.5, "by_area": 0.6, "by_people": np.nan, "skill": 0.1, "left_out": 0}  # fmt: skip
    found = SimpleNamespace(measures=pd.DataFrame([measure]), spreads=pd.DataFrame([spread]), rows=pd.DataFrame())  # fmt: skip
    told = "\n".join(_placed(found))
    assert "area (1 facility): one alone of a category tells neither sigma nor tau" in told
    assert "nan" not in told


def test_what_nobody_knows_places_nothing_as_well() -> None:
    """Seen: "area and people alone 81 %", and "Area or people alone would have placed these", of a case without people."""
    row = {"of": "x", "rule": "area", "held": "facilities", "count": 20, "misplaced": 0.5, "by_area": 0.81, "by_people": np.nan, "skill": 0.0}  # fmt: skip
    told = _card(row, Cell).told
    assert told.en == "of 20 facilities by area; area alone 81 %"
    assert told.zh.endswith("；仅按面积为 81 %")
    assert without_skill(pd.DataFrame([row])) == ["x: no skill. Area alone would have placed these facilities as well."]  # fmt: skip
    both = {**row, "by_people": 0.7}
    assert _card(both, Cell).told.en.endswith("; area alone 81 %, people alone 70 %")
    [said] = without_skill(pd.DataFrame([both]))
    assert note_in_chinese(said) == "x：没有技巧。仅按面积或人口即可同样分配这些设施。"
