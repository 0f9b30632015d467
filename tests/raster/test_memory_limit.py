"""Memory that a control group allows, in both versions of control groups."""

from __future__ import annotations

import os

import pytest

from carbongrid.errors import InputError
from carbongrid.raster import memory_limit as memory

PHYSICAL = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


@pytest.fixture
def groups(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "_GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "_MOUNT", tmp_path / "fs")

    def write(membership: str, limits: dict[str, str]) -> None:
        (tmp_path / "cgroup").write_text(membership, encoding="utf-8")
        for path, text in limits.items():
            file = tmp_path / "fs" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")

    return write


def test_the_tightest_group_around_the_process_counts(groups):
    """Seen to fail when only the innermost group is read, and when "max" is taken for a number."""
    groups("0::/a/b\n", {"a/b/memory.max": "max\n", "a/memory.max": "5000\n"})
    assert memory.memory_limit() == 5000
    groups("0::/a/b\n", {"a/b/memory.max": "2000\n", "a/memory.max": "5000\n"})
    assert memory.memory_limit() == 2000
    groups("4:memory:/x\n3:cpu:/y\n", {"memory/x/memory.limit_in_bytes": "4000\n"})
    assert memory.memory_limit() == 4000
    groups("0::/not/mounted/here\n", {"memory.max": "3000"})
    assert memory.memory_limit() == 3000


def test_without_groups_it_is_the_machine(groups):
    assert memory.memory_limit() == PHYSICAL
    memory.require_room(PHYSICAL, "sums", "")
    groups("0::/\n", {"memory.max": "1000000000\n"})
    with pytest.raises(
        InputError, match=r"^sums need 1.6 GB of memory, there are 1.0. Take fewer.$"
    ):
        memory.require_room(1_600_000_000, "sums", "Take fewer.")
