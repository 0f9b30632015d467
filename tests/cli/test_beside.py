"""What lies beside a run is of that run, or said not to be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from carbongrid.cli import main
from carbongrid.cli.beside import RECORD, _words, content_of, of_the_run_before
from carbongrid.errors import InputError


def invoke(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def copied(run: Path, to: Path) -> Path:
    return Path(shutil.copytree(run, to))


def test_what_was_made_of_the_run_before_is_told_when_it_is_replaced(
    small_run: Path, city: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: figures and margins of the run before stayed beside the new one, and nobody said so; and a run of the same content was told as another one."""
    run = copied(small_run, tmp_path / "my run")
    figures, analysis = tmp_path / "my run-figures", tmp_path / "my run-analysis"
    monkeypatch.chdir(tmp_path)
    assert invoke("figures", "my run", "--format", "png", "--dpi", 50)[0] == 0
    assert invoke("margins", "my run", "--json")[0] == 0
    assert invoke("inequality", run, "--no-clusters", "--seed", 3)[0] == 0
    noted = {**json.loads((figures / RECORD).read_text("utf-8")), **json.loads((analysis / RECORD).read_text("utf-8"))}  # fmt: skip
    assert {command: made["content"] for command, made in noted.items()} == dict.fromkeys(("figures", "margins", "inequality"), content_of(run))  # fmt: skip
    case = city / "case.toml"
    case.write_text(case.read_text("utf-8") + "# the same case, another seal\n", "utf-8")
    code, _, err = invoke("run", case, "--out", run, "--replace", "--chunks", 512)
    assert code == 0 and "run before" not in err
    case.write_text(case.read_text("utf-8").replace('title = "', 'title = "Another name of '), "utf-8")  # fmt: skip
    code, _, err = invoke("run", case, "--out", run, "--replace")
    assert code == 0
    told = " ".join(err.split())
    for folder, command, words in (
        ("my run-figures", "figures", f"figures '{run}' --format png --dpi 50"),
        ("my run-analysis", "margins", f"margins '{run}'"),
        ("my run-analysis", "inequality", f"inequality '{run}' --seed 3 --no-clusters"),
    ):
        assert f"warning: {folder} holds what {command} made of the run before. Make it again: carbongrid {words}" in told  # fmt: skip
    assert invoke("margins", run)[0] == 0
    (figures / RECORD).write_text("damaged", encoding="utf-8")
    _, out, _ = invoke("run", case, "--out", run, "--replace", "--restart", "--json")
    told = [each for each in json.loads(out)["warnings"] if "run before" in each]
    assert [each.split(" made of ")[0].split()[-1] for each in told] == ["inequality"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError("no such luck")])
def test_what_was_not_finished_does_not_pass_for_new(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    """Seen: the record was written before the files, so that those of the run before passed for new after Ctrl-C."""
    run = copied(small_run, tmp_path / "run")

    def stop(*_: object) -> None:
        raise error

    assert invoke("margins", run)[0] == 0
    assert not [*of_the_run_before(run)]
    monkeypatch.setattr("carbongrid.analysis.margins.write_margins", stop)
    assert invoke("margins", run)[0] == 1
    (told,) = of_the_run_before(run)
    assert str(told) == f"run-analysis holds what margins left unfinished. Make it again: carbongrid margins {run}"  # fmt: skip


def test_what_was_made_of_a_run_that_was_replaced_meanwhile_is_not_of_the_new_one(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: the seal was read after the numbers, so that it was the new run's."""
    from carbongrid.analysis import margins

    run, of = copied(small_run, tmp_path / "run"), margins.margins

    def slow(directory: Path) -> object:
        found = of(directory)
        manifest = json.loads((run / "manifest.json").read_text("utf-8"))
        (run / "manifest.json").write_text(json.dumps({**manifest, "year": 1999}), "utf-8")
        return found

    monkeypatch.setattr(margins, "margins", slow)
    assert invoke("margins", run)[0] == 0
    assert [each.what for each in of_the_run_before(run)] == ["run-analysis holds what margins made of the run before"]  # fmt: skip


def test_words_are_right_from_every_folder(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All paths are whole, that of CATEGORY=FILE as well; what is no path, and --replace, are not. Seen to tell a range of prices as two, of which the last counts."""
    (tmp_path / "a.tif").touch()
    monkeypatch.chdir(tmp_path)
    words: list[str] = []

    def note(*_: object, **__: object) -> None:
        words.append(_words(click.get_current_context()))

    for name in ("validate", "scenario", "compensation"):
        monkeypatch.setattr(main.commands[name], "callback", note)
    invoke("validate", small_run, "a.tif", "b.csv", "--category", "transport=a.tif", "--unit", "t", "-q")  # fmt: skip
    invoke("scenario", small_run, "a.tif", "--out", "made", "--replace")
    invoke("compensation", small_run, "--price", "1234567:2000000.5")
    raster = tmp_path / "a.tif"
    assert words == [
        f"carbongrid validate {small_run} {raster} b.csv --category transport={raster} --unit t",
        f"carbongrid scenario {small_run} {raster} --out made",
        f"carbongrid compensation {small_run} --price 1234567.0:2000000.5",
    ]


def test_a_folder_of_ones_own_is_left_without_a_record(small_run: Path, tmp_path: Path) -> None:
    """A later run looks only beside itself."""
    assert invoke("margins", small_run, "--out", tmp_path / "mine")[0] == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["margins.csv"]


@pytest.mark.parametrize("words", [("probability", "{run}"), ("compensation", "{run}"), ("audit-choices", "{run}"), ("trend", "{run}", "{run}"), ("figures", "{run}")])  # fmt: skip
def test_a_folder_that_takes_nothing_is_told_before_the_work(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    """Seen to tell it after minutes, when all was solved. A folder that is not there is made with what is written, not before."""
    worked: list[str] = []
    for work in (
        *("probability.probability", "compensation.compensation.compensation"),
        *("choices.audit.audit_choices", "trend.trend.trend"),
    ):

        def refused(*_: object, work: str = work, **__: object) -> None:
            worked.append(work)
            raise InputError("the work has begun")

        monkeypatch.setattr(f"carbongrid.analysis.{work}", refused)
    monkeypatch.setattr("carbongrid.outputs.reading.read_tables", refused)
    (tmp_path / "file").touch()
    given = [word.format(run=small_run) for word in words]
    code, _, err = invoke(*given, "--out", tmp_path / "file" / "folder")
    assert (code, worked) == (1, []) and "nothing can be written here (Not a directory). Give another." in " ".join(err.split())  # fmt: skip
    assert invoke(*given, "--out", tmp_path / "new")[0] == 2 and worked
    assert not (tmp_path / "new").exists()
