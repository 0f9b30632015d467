"""A file appears whole under its name, or not at all, and over nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from carbongrid.errors import InputError
from carbongrid.sources.new_files import require_new, written_whole


@pytest.mark.parametrize("name", ["table.csv", "a!b [1].gpkg"])
def test_a_file_appears_when_all_is_written(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    with written_whole(path) as partial:
        partial.write_text("half", encoding="utf-8")
        assert not path.exists()
        assert partial.suffix == path.suffix  # by which drivers are chosen
        partial.write_text("whole", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "whole"
    assert [each.name for each in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("fault", [OSError("no space left"), KeyboardInterrupt()])
def test_nothing_is_left_where_writing_fails(tmp_path: Path, fault: BaseException) -> None:
    """Nor what a driver writes beside it."""
    with pytest.raises(type(fault)), written_whole(tmp_path / "a.gpkg") as partial:
        partial.write_text("half", encoding="utf-8")
        partial.with_name(partial.name + "-journal").write_text("", encoding="utf-8")
        raise fault
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_where_nothing_was_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), written_whole(tmp_path / "a.csv"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_an_address_is_refused_as_one() -> None:
    """Seen to ask for a folder ``s3:/bucket`` to be made first."""
    with pytest.raises(InputError, match="this is an address"):
        require_new(Path("s3://bucket/facilities.csv"))


def test_what_another_made_in_the_meantime_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    require_new(path)
    with (
        pytest.raises(InputError, match="the file is there already"),
        written_whole(path) as partial,
    ):
        partial.write_text("ours", encoding="utf-8")
        path.write_text("theirs", encoding="utf-8")
    assert path.read_text(encoding="utf-8") == "theirs"
    assert list(tmp_path.iterdir()) == [path]
