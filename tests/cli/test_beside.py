"""What lies beside a run is of that run, or said not to be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import CliRunner

from carbongrid.cli import main
from carbongrid.cli.beside import RECORD


def invoke(*words: object) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, [str(word) for word in words])
    return done.exit_code, done.stdout, done.stderr


def test_what_was_made_of_the_run_before_is_told_when_it_is_replaced(
    small_run: Path, city: Path, tmp_path: Path
) -> None:
    """Seen: figures and margins of the run before stayed beside the new one, and nobody said so."""
    run = Path(shutil.copytree(small_run, tmp_path / "my run"))
    figures, analysis = tmp_path / "my run-figures", tmp_path / "my run-analysis"
    assert invoke("figures", run, "--format", "png", "--dpi", 50)[0] == 0
    assert invoke("margins", run, "--json")[0] == 0
    assert invoke("inequality", run, "--no-clusters", "--seed", 3)[0] == 0
    seal = json.loads((run / "manifest.json").read_text("utf-8"))["seal"]
    noted = {**json.loads((figures / RECORD).read_text("utf-8")), **json.loads((analysis / RECORD).read_text("utf-8"))}  # fmt: skip
    assert {command: made["seal"] for command, made in noted.items()} == dict.fromkeys(("figures", "margins", "inequality"), seal)  # fmt: skip
    with (city / "case.toml").open("a", encoding="utf-8") as case:
        case.write("# the same case, another seal\n")
    code, _, err = invoke("run", city / "case.toml", "--out", run, "--replace")
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
    _, out, _ = invoke("run", city / "case.toml", "--out", run, "--replace", "--restart", "--json")
    told = [each for each in json.loads(out)["warnings"] if "run before" in each]
    assert [each.split(" made of ")[0].split()[-1] for each in told] == ["margins", "inequality"]


def test_a_folder_of_ones_own_is_left_without_a_record(small_run: Path, tmp_path: Path) -> None:
    """A later run looks only beside itself."""
    assert invoke("margins", small_run, "--out", tmp_path / "mine")[0] == 0
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["margins.csv"]
