"""Where compiled code is kept, whose it must be, and what is not taken."""

from __future__ import annotations

import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
import numpy as np
import pytest

from carbongrid.raster.kernels import cache, jit


def _twice(number: Any) -> Any:
    return 2 * number


pytestmark = pytest.mark.skipif(
    not hasattr(jit.kernel(_twice), "signatures"), reason="nothing is compiled"
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of this test's own."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    cache.cache_folder.cache_clear()
    yield tmp_path / "kept"
    cache.cache_folder.cache_clear()


def _loaded() -> tuple[Any, int]:
    """Return what a kernel gives as if in a new process, and how many versions came from the cache."""
    made = jit.kernel(_twice)
    found = made(21)
    return found, sum(made.stats.cache_hits.values())


def _entry(folder: Path) -> Path:
    assert _loaded() == (42, 0)
    (entry,) = folder.iterdir()
    return entry


def test_a_kernel_is_compiled_once_for_all_processes(folder: Path) -> None:
    entry = _entry(folder)
    assert _loaded() == (42, 1)
    assert entry.stat().st_mode & 0o077 == 0
    assert folder.stat().st_mode & 0o777 == 0o700


MADE_AND_LOADED = """
import sys
import numpy as np
from carbongrid.raster.kernels.jit import kernel

@kernel
def sums(values):
    found = np.zeros(2, values.dtype)
    for value in values:
        found[0] += value
        found[1] += np.sqrt(value * value)
    return found, values.size

found, size = sums(np.array([1.5, -2.5]))
print(found.tolist(), size, sum(sums.stats.cache_hits.values()), "numba.np.linalg" in sys.modules)
if sys.argv[1:]:
    print(sums(np.array([3, -4]))[0].tolist(), sums(np.array([1.5]))[0].tolist())
"""


def test_of_what_is_kept_the_compiler_is_not_loaded(folder: Path, tmp_path: Path) -> None:
    """It takes a tenth of a second and more of each process; and it is loaded all the same once there is something to compile."""
    script = tmp_path / "made.py"
    script.write_text(MADE_AND_LOADED, encoding="utf-8")
    told = []
    for words in ([], ["others"]):
        command = [sys.executable, str(script), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told.append(done.stdout.splitlines())
    assert told == [["[-1.0, 4.0] 2 0 True"], ["[-1.0, 4.0] 2 1 False", "[-1, 7] [1.5, 1.5]"]]


def test_an_edit_of_what_kernels_share_makes_them_compile_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Numba looks at a kernel's own file alone."""
    _entry(folder)
    monkeypatch.setattr(jit, "_STAMP", "of an edited file")
    assert _loaded() == (42, 0)
    assert _loaded() == (42, 1)


def test_of_another_setting_or_llvm_it_is_compiled_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With kept code, NUMBA_BOUNDSCHECK checked nothing."""
    _entry(folder)
    for where, name, value in (
        (numba.config, "BOUNDSCHECK", 1),
        (llvmlite.binding, "llvm_version_info", (3, 0, 0)),
    ):
        monkeypatch.setattr(where, name, value)
        assert _loaded() == (42, 0)
        assert _loaded() == (42, 1)


def test_kept_code_names_no_file(folder: Path) -> None:
    """Numba's listing of the source does."""
    assert str(Path(__file__).parent).encode() not in _entry(folder).read_bytes()


def test_an_edit_of_the_kernels_own_file_makes_it_compile_anew_in_the_same_entry(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = _entry(folder)
    monkeypatch.setattr(cache, "_digest_of", lambda source: "edited")
    assert _loaded() == (42, 0)
    assert list(folder.iterdir()) == [entry]


class _Planted:
    """Unpickled, it leaves a trace."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> Any:
        return (Path.touch, (self.trace,))


def test_what_was_planted_is_not_unpickled(folder: Path, tmp_path: Path) -> None:
    """Numba's own cache ran it, since its index is a pickle that anybody who can write beside the source can leave."""
    entry, trace = _entry(folder), tmp_path / "trace"
    entry.write_bytes(pickle.dumps(_Planted(trace)))
    assert _loaded() == (42, 0)
    assert not trace.exists()


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_an_entry_that_others_can_write_is_not_taken(folder: Path, mode: int) -> None:
    entry = _entry(folder)
    entry.chmod(mode)
    assert _loaded() == (42, 0)


def test_neither_is_a_link_nor_a_pipe(folder: Path, tmp_path: Path) -> None:
    entry = _entry(folder)
    elsewhere = entry.rename(tmp_path / "elsewhere")
    entry.symlink_to(elsewhere)
    assert _loaded() == (42, 0)
    entry.unlink()
    os.mkfifo(entry, 0o600)
    assert _loaded() == (42, 0)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_neither_is_another_users(folder: Path) -> None:
    entry = _entry(folder)
    os.chown(entry, 65534, 65534)
    assert _loaded() == (42, 0)


def test_a_torn_or_flipped_entry_is_compiled_anew(folder: Path) -> None:
    """Numba's own cache ended every later run with an error of pickle."""
    entry = _entry(folder)
    sound = entry.read_bytes()
    for place in np.linspace(0, len(sound) - 1, 20).astype(int):
        entry.write_bytes(sound[:place])
        assert _loaded() == (42, 0), f"torn at {place}"
        entry.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert _loaded() == (42, 0), f"flipped at {place}"
    assert _loaded() == (42, 1)


def test_a_folder_that_went_away_costs_a_compilation_and_no_run(folder: Path) -> None:
    _entry(folder).unlink()
    folder.rmdir()
    assert _loaded() == (42, 0)


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_can_write_is_not_used(
    folder: Path, mode: int, caplog: pytest.LogCaptureFixture
) -> None:
    folder.mkdir()
    folder.chmod(mode)
    with caplog.at_level(logging.WARNING, "carbongrid"):
        assert _loaded() == (42, 0)
        assert _loaded() == (42, 0)
    assert not list(folder.iterdir())
    (said,) = {record.getMessage() for record in caplog.records}
    assert f"others can write to {folder}" in said
    assert "NUMBA_CACHE_DIR" in said


def test_nor_one_that_lies_in_such_a_folder_unless_it_is_sticky(folder: Path) -> None:
    folder.parent.chmod(0o777)
    assert _loaded() == (42, 0)
    assert cache.cache_folder() is None
    cache.cache_folder.cache_clear()
    folder.parent.chmod(0o1777)
    assert cache.cache_folder() == folder


def test_without_a_home_kernels_are_compiled_in_memory_and_it_is_said(tmp_path: Path) -> None:
    """Numba's own cache raised "no locator available" on import."""
    script = "import carbongrid as cg; print(cg.apportion(10, [1, 2, 3]).sum())"
    kept = {"PATH", "PYTHONPATH", "LANG", "VIRTUAL_ENV"}
    environment = {key: value for key, value in os.environ.items() if key in kept}
    environment["HOME"] = "/proc/nobody"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "10\n"
    assert done.stderr.count("compiled code is not kept") == 1
