"""An analysis answers from what the run wrote, or not at all."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
import shutil
import sqlite3

import geopandas as gpd
import pytest
import xarray as xr

import carbongrid as cg
from carbongrid.analysis.margins import margins
from carbongrid.analysis.probability import probability
from carbongrid.analysis.validation.validation import validate
from carbongrid.errors import InputError, VerificationError
from carbongrid.outputs.reading import read_tables
from carbongrid.outputs.tables.plain import read_units_csv
from carbongrid.pipeline.verification.files import check_digests
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.run_store import seal_of


@pytest.fixture
def run(small_run, tmp_path):
    return shutil.copytree(small_run, tmp_path / "run")


def replace(path, old, new):
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def table_for(run, path):
    codes = read_units_csv(run / "units.csv").frame["id"]
    rows = [f"{code},emission,{k + 1},kt CO2e" for k, code in enumerate(codes)]
    path.write_text("\n".join(["region,of,value,unit", *rows]), encoding="utf-8")
    return path


def ask_all(run, tmp_path):
    """Return which of the analyses answers."""
    published = table_for(run, tmp_path / "t.csv")
    asked = {
        "margins": lambda: margins(run),
        "probability": lambda: probability(run, draws=2),
        "validate": lambda: validate(run, published, draws=2),
    }
    answered = set()
    for name, ask in asked.items():
        try:
            ask()
        except VerificationError as error:
            assert "changed after the run" in str(error)
        else:
            answered.add(name)
    return answered


def test_units_that_were_edited_are_no_longer_asked(run, tmp_path):
    first = cg.open(run).units["emission_t"].iloc[0]
    replace(run / "units.csv", f"{first:.6f}", f"{first + 1:.6f}")
    assert ask_all(run, tmp_path) == set()


def test_a_manifest_that_was_edited_is_no_longer_asked(run, tmp_path):
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["parameters"]["ties"] = ">"
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert ask_all(run, tmp_path) == set()


@pytest.mark.parametrize("file", ["facilities.csv", "overlap.npz", "parcels.parquet", "steps/land.npz"])  # fmt: skip
def test_each_file_that_draws_rest_on_is_held_against_the_manifest(run, tmp_path, file):
    with (run / file).open("ab") as stream:
        stream.write(b"\n")
    assert ask_all(run, tmp_path) == {"margins"}


def with_another_number(path):
    """Change one number of a table, or of the grid."""
    if path.suffix == ".nc":
        with xr.open_dataset(path) as opened:
            changed = opened.load()
        changed["emission"][0, 0] += 1
        changed.to_netcdf(path)
        return
    before, last, after = re.split(r"(\d)(?!.*\d)", path.read_text("utf-8"), flags=re.DOTALL)
    path.write_text(f"{before}{9 - int(last)}{after}", encoding="utf-8")


def test_what_is_opened_is_what_the_run_wrote(run):
    """Seen to open: another digit in any table, a cell of the grid, another year in the manifest."""
    for file in ("inventory.csv", "ledger.csv", "evidence.csv", "land_types.csv", "units.csv", "facilities.csv", "grid_1km.nc"):  # fmt: skip
        written = (run / file).read_bytes()
        with_another_number(run / file)
        with pytest.raises(VerificationError, match=rf"{file}.* was changed after the run"):
            cg.open(run)
        (run / file).write_bytes(written)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    later = {**manifest, "year": manifest["year"] + 1}
    (run / "manifest.json").write_text(json.dumps(later), encoding="utf-8")
    with pytest.raises(VerificationError, match=r"manifest\.json was changed after the run"):
        cg.open(run)


def test_a_manifest_without_its_seal_or_digests_is_not_believed(run):
    """Seen to open, with another year, once the seal was taken out; and to end in an AttributeError of digests that are null."""
    path = run / "manifest.json"
    written = json.loads(path.read_text(encoding="utf-8"))
    sealless = {name: value for name, value in written.items() if name != "seal"}
    bare = {**sealless, "digests": None}
    for manifest, told in (
        ({**sealless, "year": 2099}, r"manifest\.json was changed"),
        ({**sealless, "seal": None}, r"manifest\.json was changed"),
        ({**bare, "seal": seal_of(bare)}, r"evidence\.csv was changed"),
    ):
        path.write_text(json.dumps(manifest), encoding="utf-8")
        with pytest.raises(VerificationError, match=told):
            cg.open(run)


def test_what_lies_beside_a_run_is_not_its_own_and_what_is_gone_is_missing(run):
    """Seen to refuse a run that was written to be published, for the publisher's own table of facilities beside it; and to call a table that was deleted a changed one."""
    path, named = run / "manifest.json", run / "facilities.csv"
    named.unlink()
    with pytest.raises(VerificationError, match=r"lacks facilities\.csv"):
        cg.open(run)
    manifest = json.loads(path.read_text(encoding="utf-8"))
    del manifest["files"][named.name], manifest["digests"]["facilities"]
    path.write_text(json.dumps({**manifest, "seal": seal_of(manifest)}), encoding="utf-8")
    named.write_text("name,contact\nworks,office\n", encoding="utf-8")
    assert cg.open(run).manifest["digests"] == manifest["digests"]
    assert check_digests(Opened(run)).ok


@pytest.mark.parametrize("file", ["inventory.csv", "ledger.csv", "land_types.csv", "units.csv", "facilities.csv", "grid_1km.nc", "parcels.parquet"])  # fmt: skip
def test_a_run_that_was_changed_is_not_drawn(run, file, carbongrid, tmp_path):
    """Seen to end in figures of the changed numbers, with exit code 0."""
    if file == "parcels.parquet":
        (run / file).unlink()
    else:
        with_another_number(run / file)
    done = carbongrid("figures", run, "--out", tmp_path / "figures", "--dpi", "50")
    assert done.returncode == 1
    assert file in done.stderr


def test_outlines_that_were_moved_are_told_and_looking_at_them_is_not(run, tmp_path):
    """QGIS may write into a GeoPackage that it only shows; what it holds is then the same."""
    path = run / "units.gpkg"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("CREATE TABLE view_of_a_user (scale REAL)")
    assert ask_all(run, tmp_path) == {"margins", "probability", "validate"}
    assert len(read_tables(run, parcels=False).units)
    units = gpd.read_file(path, layer="units")
    path.unlink()
    units.to_file(path, layer="units")
    assert len(cg.open(run).units)
    path.unlink()
    units.assign(geometry=units.translate(1.0)).to_file(path, layer="units")
    assert ask_all(run, tmp_path) == {"margins", "probability"}
    with pytest.raises(VerificationError, match=r"units\.gpkg was changed after the run"):
        read_tables(run, parcels=False)
    with pytest.raises(VerificationError, match=r"units\.gpkg was changed after the run"):
        cg.open(run)


def test_a_result_whose_run_was_made_again_is_told(run, small_city, tmp_path):
    opened = cg.open(run)
    assert len(margins(opened)) == len(margins(run))
    city = shutil.copytree(small_city, tmp_path / "city")
    replace(city / "case.toml", "resolution = ", "resolution = 50 # ")
    shutil.rmtree(run)
    cg.run(city / "case.toml", run)
    for ask in (margins, lambda of: probability(of, draws=2)):
        with pytest.raises(VerificationError, match="made again since it was opened"):
            ask(opened)


def forged(run):
    """A first emission of ten times as much, and the sha256 and the size that go with it: only the seal tells."""
    first = cg.open(run).units["emission_t"].iloc[0]
    replace(run / "units.csv", f"{first:.6f}", f"{10 * first:.6f}")
    path = run / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["files"]["units.csv"] = hashlib.sha256((run / "units.csv").read_bytes()).hexdigest()
    path.write_text(json.dumps(manifest), encoding="utf-8")
    return run


@pytest.mark.parametrize(
    "ask",
    [
        lambda run, good: cg.compare(good, run),
        lambda run, good: cg.compare(good, cg.open(run)),
        lambda run, good: cg.trend([good, run]),
        lambda run, _: cg.compensation(run),
        lambda run, _: cg.inequality(run, with_clusters=False),
        lambda run, _: cg.targets(run),
        lambda run, _: cg.skill(run),
        lambda run, _: read_tables(run),
        lambda run, _: cg.audit_choices(run),
        lambda run, _: cg.open(run).with_totals({"waste/industrial": "1 t CO2e"}),
    ],
    ids=["compare", "compare opened", "trend", "compensation", "inequality", "targets", "skill", "figures", "audit_choices", "with_totals"],
)  # fmt: skip
def test_a_manifest_is_believed_only_with_its_seal(run, small_run, ask):
    """Seen to fail when the manifest's own sha256 were all that was asked."""
    with pytest.raises(VerificationError, match=r"manifest\.json was changed after the run"):
        ask(forged(run), small_run)


def test_an_answer_that_is_not_written_is_told_so_by_all_that_read_files(small_run, tmp_path):
    """Seen to end in AttributeErrors of ``folder`` and TypeErrors of ``__fspath__``."""
    answer = cg.open(small_run).with_totals({"waste/industrial": "1 kt CO2e"})
    published = table_for(small_run, tmp_path / "t.csv")
    asked = (
        cg.margins, cg.probability, cg.skill, cg.audit_choices, cg.audit_scale, cg.verify, lambda run: cg.validate(run, published),
    )  # fmt: skip
    for ask in asked:
        with pytest.raises(InputError, match=r"what carbongrid\.open returned, not LiveResult\. An answer has no files: .* ask that run"):  # fmt: skip
            ask(answer)
