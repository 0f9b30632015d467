"""Digests of a case's files: taken once, before they are read, of everything that is read with them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from carbongrid.case import Case
from carbongrid.case.readers.fingerprints import Fingerprints, files_behind
from carbongrid.errors import InputError, RunError


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_every_named_file_has_the_digest_of_its_bytes(city: Path) -> None:
    """Seen to fail when a file that had no digest yet was left without one."""
    taken = Fingerprints(Case.read(city / "case.toml"))
    taken.take_all()
    files = {name: city / name for name in taken.digests}
    assert {name: sha256(path) for name, path in files.items()} == taken.digests
    assert "case.toml" in taken.digests
    assert len(taken.digests) > 3
    taken.require_unchanged()


def test_a_digest_is_that_of_the_first_look(city: Path) -> None:
    """Seen to fail when a later look replaced it: a file that changed while it was read would have passed."""
    case = Case.read(city / "case.toml")
    taken = Fingerprints(case)
    name = next(name for key, name in case.named_files() if key.startswith("[totals]"))
    first = taken.take([name])
    assert first == {name: sha256(city / name)}
    (city / name).write_bytes((city / name).read_bytes() + b"\n")
    assert taken.take([name]) == first
    with pytest.raises(RunError, match=f"{name} changed while the run was reading"):
        taken.require_unchanged()


def test_links_to_shapefiles_of_one_name_have_the_parts_of_each(city: Path) -> None:
    """Seen to fail: the units' new table was that of the parcels, and the units of before were taken over."""
    for folder, link in (("old", "a.shp"), ("new", "b.shp")):
        (city / folder).mkdir()
        for suffix in ("shp", "dbf"):
            (city / folder / f"land.{suffix}").write_text(f"{folder} {suffix}", encoding="utf-8")
        (city / link).symlink_to(city / folder / "land.shp")
    taken = Fingerprints(Case.read(city / "case.toml"))
    both = {**taken.take(["a.shp"]), **taken.take(["b.shp"])}
    assert sorted(both.values()) == sorted(sha256(each) for each in city.glob("*/land.*"))
    (city / "new" / "land.dbf").write_text("other", encoding="utf-8")
    again = Fingerprints(Case.read(city / "case.toml"))
    assert again.take(["a.shp"]) == taken.take(["a.shp"])
    assert again.take(["b.shp"]) != taken.take(["b.shp"])
    with pytest.raises(RunError, match=r"land\.dbf changed while"):
        taken.require_unchanged()


def test_a_case_file_that_is_not_what_was_read_is_an_error(city: Path) -> None:
    """Seen to fail: a run of the old settings had the digest of the new ones."""
    file = city / "case.toml"
    case = Case.read(file)
    file.write_text(file.read_text("utf-8") + "\n# looked at again\n", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"changed after the case had been read from it.*Case\.read"
    ):
        Fingerprints(case).take_all()
    Fingerprints(Case.read(file)).take_all()


def test_a_missing_file_has_none(city: Path) -> None:
    taken = Fingerprints(Case.read(city / "case.toml"))
    assert taken.take(["nowhere.csv"]) == {}
    taken.require_unchanged()


def test_files_that_are_read_with_another_are_behind_it(tmp_path: Path) -> None:
    for name in ("a.shp", "a.dbf", "A.PRJ", "a.tif", "a.tfw", "a.tif.aux.xml", "b.dbf", "a.csv"):
        (tmp_path / name).touch()
    (tmp_path / "a.gdb").mkdir()
    (tmp_path / "a.gdb" / "part").touch()

    def names(name: str) -> list[str]:
        return [file.name for file in files_behind(tmp_path / name)]

    assert names("a.shp") == ["a.shp", "A.PRJ", "a.dbf"]
    assert names("a.tif") == ["a.tif", "a.tfw", "a.tif.aux.xml"]
    assert names("a.csv") == ["a.csv", "a.tfw"]
    assert names("a.gdb") == ["part"]
