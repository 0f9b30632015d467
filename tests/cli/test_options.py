"""What commands share of the command line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from carbongrid.cli import main
from carbongrid.cli.options import WrittenPath


@pytest.mark.parametrize(
    "words",
    [
        "demo ADDRESS",
        "init ADDRESS",
        "from-osm none.osm.pbf ADDRESS",
        "from-raster none.tif --units none.gpkg --codes nlcd --out ADDRESS",
        "from-climate-trace none.csv --out ADDRESS",
        "run none.toml --out ADDRESS",
        "scenario none none.toml --out ADDRESS",
        "compare none none --out ADDRESS",
        "trend none none --out ADDRESS",
        "margins none --out ADDRESS",
        "figures none --out ADDRESS",
        "inventory none.xlsx --out ADDRESS",
        "inventory none.xlsx --audit ADDRESS",
        "inventory none.csv --system gpc --draft ADDRESS",
        "inventory none.csv --system gpc --totals ADDRESS",
    ],
)
def test_an_address_for_what_is_written_is_refused_before_anything_is_read(
    words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to be told after the work, or as a folder that is not there."""
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, [*words.replace("ADDRESS", "s3://bucket/a").split(), "--json"])
    assert done.exit_code == 2
    (told,) = json.loads(done.stdout)["problems"]
    assert told["what"].startswith("this is an address")
    assert not [*tmp_path.iterdir()]


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps a folder that somebody is in")
def test_a_folder_that_was_removed_meanwhile_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen to end in a bare Errno 2, and in a sound run that was said to be damaged: libraries ask where they are when they are imported."""
    folder = tmp_path / "gone"
    folder.mkdir()
    monkeypatch.chdir(folder)
    folder.rmdir()
    done = CliRunner().invoke(main, ["verify", str(tmp_path / "run")])
    monkeypatch.chdir(tmp_path)
    assert done.exit_code == 2
    assert "is not there any more. Go into one that is there" in " ".join(done.stderr.split())


def test_every_out_is_known_to_be_written() -> None:
    outs = [
        parameter
        for command in main.commands.values()
        for parameter in command.params
        if "--out" in parameter.opts
    ]
    assert len(outs) > 15
    assert all(isinstance(parameter.type, WrittenPath) for parameter in outs)


def test_a_folder_for_a_file_and_a_file_for_a_folder_are_told_what_was_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Click says that it is a directory, or a file, and no more; seen to name the folder ".." for a file of this one, and a case where a plan was asked for."""
    (tmp_path / "town").mkdir()
    for name in ("case.toml", "plan.toml"):
        (tmp_path / "town" / name).touch()
    (tmp_path / "run").mkdir()
    for name in ("manifest.json", "units.csv"):
        (tmp_path / "run" / name).touch()
    for words, said in (
        (("check", "town"), "is a folder; give the case in it, 'TMP/town/case.toml'."),
        (("audit-choices", "run", "--case", "town"), "is a folder; give the case in it, 'TMP/town/case.toml'."),
        (("check", "run"), "is a folder; give a file."),
        (("scenario", "run", "town"), "is a folder; give a file."),
        (("margins", "town/plan.toml"), "is a file; give the folder that `carbongrid run`, or of a plan `carbongrid scenario`, made with --out."),
        (("margins", "run/units.csv"), "is a file; give the run that it is of, 'TMP/run'."),
    ):  # fmt: skip
        paths = [word if word[0] == "-" else str(tmp_path / word) for word in words[1:]]
        done = CliRunner().invoke(main, [words[0], *paths])
        assert done.exit_code == 2
        assert done.stderr.endswith(f": '{paths[-1]}' {said}\n".replace("TMP", str(tmp_path)))
    monkeypatch.chdir(tmp_path / "run")
    (tmp_path / "run" / "figures").mkdir()
    for name in ("units.csv", "./units.csv", "../run/units.csv", "figures/../units.csv"):
        done = CliRunner().invoke(main, ["margins", name])
        told = Path(done.stderr.rpartition("of, '")[2].removesuffix("'.\n"))
        assert told.name == "run" and told.samefile(tmp_path / "run"), done.stderr
