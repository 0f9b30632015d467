"""First guesses in what holds runs against each other: which categories, how much, and what is guessed in one run alone."""

from __future__ import annotations

import html
import json
from pathlib import Path

import pandas as pd
import pytest
from guessed_town import NAMES, given, write_guessed_town

import carbongrid as cg
from carbongrid.analysis.comparison.compare import write_comparison
from carbongrid.outputs.report.notes import note_in_chinese


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> cg.Result:
    folder = tmp_path_factory.mktemp("town")
    return cg.run(write_guessed_town(folder), folder / "run")


def of_categories(found: cg.Comparison, column: str) -> dict[str, int]:
    own = found.totals[found.totals["kind"] == "category"].set_index("of")[column]
    return {str(name): int(grams) for name, grams in own[own > 0].items()}


def test_both_runs_say_what_of_them_is_guessed(run: cg.Result) -> None:
    """Seen to fail: nothing was said. By hand: 1,000 of plantation, 50 of waste in x and 400 of manufacturing, of 2,200 t; 50 of 70 t of sinks."""
    found = cg.compare(run, run.scenario([{"do": "scale", "category": "transport/road", "factor": 2}]))  # fmt: skip
    guessed = {
        "agriculture/plantation": 1000,
        "waste/industrial": 50,
        "industry/manufacturing": 400,
        "sink/land": 50,
    }
    for side, whole in (("a", 2200), ("b", 2800)):
        grams = {name: mass * 10**6 for name, mass in guessed.items()}
        assert of_categories(found, f"guessed_{side}_g") == grams
        sums = found.totals[found.totals["kind"] == "sum"].set_index("of")[f"guessed_{side}_g"]
        assert sums.to_dict() == {"emission": 1450 * 10**6, "sink": 50 * 10**6}
        what = f"{1450 / whole:.1%} of its emission and {50 / 70:.1%} of its sinks."
        [told] = [note for note in found.notes if note.what.endswith(what)]
        assert told.level == "warning"
        assert all(name in told.what for name in guessed)
        assert "transport/road" not in told.what
        assert note_in_chinese(str(told)).partition("：")[0].endswith("并非本地数据")
    assert not any("in another" in note.what for note in found.notes)


def test_what_one_run_guesses_and_the_other_does_not_is_named(run: cg.Result) -> None:
    plan = [given("industry/manufacturing"), given("agriculture/plantation")]
    found = cg.compare(run, run.scenario(plan))
    [mixed] = [note for note in found.notes if note.what.startswith("A guess in one run")]
    assert mixed.what.startswith("A guess in one run, none in another: agriculture/plantation, industry/manufacturing.")  # fmt: skip
    assert note_in_chinese(str(mixed))
    shared = {"agriculture/plantation": 800 * 10**6}
    assert of_categories(found, "shared_by_guess_b_g") == shared
    assert not of_categories(found, "shared_by_guess_a_g")
    [told] = [note for note in found.notes if "shared over regions" in note.what]
    assert "agriculture/plantation, 33.3% of its emission and 0.0% of its sinks." in told.what
    assert note_in_chinese(str(told))
    back = cg.compare(run.scenario(plan), run)
    assert [note for note in back.notes if note.what.startswith("A guess in one run")] == [mixed]


def test_a_region_that_is_a_guess_in_one_run_alone_is_told_of(run: cg.Result) -> None:
    """Seen to fail: the whole of plantation is a guess in both, and only whole categories were held against each other."""
    found = cg.compare(run, run.with_totals({("agriculture/plantation", "a"): "310 t CO2e"}))
    [mixed] = [note for note in found.notes if note.what.startswith("A guess in one run")]
    assert "none in another: agriculture/plantation." in mixed.what


def test_a_trend_names_what_is_guessed_in_some_of_its_years_alone(run: cg.Result, tmp_path: Path) -> None:  # fmt: skip
    """Seen to fail: nothing was said, and the change looked like one of the place."""
    case = write_guessed_town(tmp_path)
    case.write_text(
        case.read_text(encoding="utf-8").replace("year = 2020", "year = 2021"), encoding="utf-8"
    )
    totals = tmp_path / "totals.csv"
    totals.write_text(totals.read_text(encoding="utf-8").replace(",guess", ","), encoding="utf-8")
    found = cg.trend([run, cg.run(case, tmp_path / "later")])
    [mixed] = [note for note in found.notes if note.what.startswith("A guess in one run")]
    assert all(name in mixed.what for name in ("agriculture/plantation", "sink/land"))
    told = [note.where for note in found.notes if "First guesses, no figures" in note.what]
    assert len(told) == 1 and run.directory.name in told[0]


def test_what_is_nowhere_guessed_is_not_spoken_of(run: cg.Result, tmp_path: Path) -> None:
    """Every region and whole is given, so that no total and no part is a guess."""
    figures = run.with_totals({**dict.fromkeys([*NAMES[2:4], NAMES[4], NAMES[0]], 700), ("agriculture/plantation", "a"): 1, ("waste/industrial", "x"): 1})  # fmt: skip
    found = cg.compare(figures, figures)
    assert not any("guess" in note.what.lower() for note in found.notes)
    write_comparison(found, tmp_path)
    assert "first guess" not in (tmp_path / "comparison.html").read_text(encoding="utf-8")


def test_the_command_its_tables_and_its_page_say_so(run: cg.Result, tmp_path: Path, carbongrid) -> None:  # fmt: skip
    done = carbongrid("compare", run.directory, run.directory, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    said = f"{run.directory}: First guesses, no figures of this place: "
    assert said in done.stdout + done.stderr
    table = pd.read_csv(tmp_path / "comparison_totals.csv").set_index("of")
    assert table.loc["waste/industrial", ["guessed_a_t", "guessed_b_t"]].tolist() == [50, 50]
    page = html.unescape((tmp_path / "comparison.html").read_text(encoding="utf-8"))
    assert said in page
    assert "first guess in A" in page and "A 中的初步估计" in page
    assert "over regions by a guess" not in page
    told = json.loads(carbongrid("compare", run.directory, run.directory, "--out", tmp_path, "--json").stdout)  # fmt: skip
    assert said in " ".join(told["notes"])
    assert {row["of"]: row["guessed_a_g"] for row in told["totals"]}["sink/land"] == 50 * 10**6
