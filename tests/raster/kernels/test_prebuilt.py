"""Kernels that a wheel brings compiled: what is taken, and what is compiled as ever."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import llvmlite
import numba
import pytest

from carbongrid.raster.kernels import cache, jit, prebuilt


def _twice(number: Any) -> Any:
    return 2 * number


pytestmark = pytest.mark.skipif(
    not hasattr(jit.kernel(_twice), "signatures"), reason="nothing is compiled"
)

# A level of any machine's.
OURS = prebuilt.Level("ours", prebuilt.binding.get_process_triple().partition("-")[0], frozenset())


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of a user who compiled nothing yet, on a machine of a level."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "own"))
    monkeypatch.setattr(prebuilt, "LEVELS", (OURS,))
    for each in (cache.cache_folder, prebuilt.levels):
        each.cache_clear()
    yield tmp_path / "own"
    for each in (cache.cache_folder, prebuilt.levels):
        each.cache_clear()


@pytest.fixture
def entry(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the wheel brings: one kernel, for one whole number."""
    made: Any = jit.kernel(_twice)
    made._cache.disable()
    made(21)
    ((sig, compiled),) = made.overloads.items()
    monkeypatch.setattr(prebuilt, "FOLDER", tmp_path / "brought")
    path, content = made._cache.prebuilt_entry(sig, compiled, OURS)
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def _loaded() -> tuple[Any, int]:
    # Not its stats, which ask for the folder.
    made: Any = jit.kernel(_twice)
    found = made(21)
    return found, sum(made._cache_hits.values())


def test_what_the_wheel_brings_is_not_compiled_and_needs_no_folder(
    entry: Path, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own.parent.chmod(0o777)
    with caplog.at_level(logging.INFO, "carbongrid"):
        assert _loaded() == (42, 1)
    assert not own.exists()
    assert caplog.records == []


def test_other_types_are_compiled(entry: Path, own: Path) -> None:
    made: Any = jit.kernel(_twice)
    assert made(1.5) == 3
    assert len(list(own.iterdir())) == 1


@pytest.mark.parametrize(
    ("where", "name", "value"),
    [
        (cache, "_digest_of", lambda source: "edited"),
        (jit, "_STAMP", "of an edited file"),
        (numba, "__version__", "0.0"),
        (llvmlite, "__version__", "0.0"),
        (prebuilt.binding, "llvm_version_info", (3, 0, 0)),
        (prebuilt.binding, "get_process_triple", lambda: f"{OURS.architecture}-beos"),
        (cache, "EXTENSION_SUFFIXES", [".cpython-39.so"]),
        (prebuilt, "LEVELS", ()),
        (prebuilt, "LEVELS", (OURS._replace(name="better"),)),
        (prebuilt, "LEVELS", (OURS._replace(architecture="vax"),)),
        (prebuilt, "LEVELS", (OURS._replace(features=frozenset({"flies"})),)),
        (numba.config, "CPU_NAME", "generic"),
        (numba.config, "CPU_FEATURES", ""),
        (numba.config, "BOUNDSCHECK", 1),
        (numba.config, "OPT", 0),
        (numba.config, "DEBUGINFO_DEFAULT", 1),
        (numba.config, "LOOP_VECTORIZE", 0),
        (numba.config, "ENABLE_AVX", 0),
    ],
)
def test_of_another_source_numba_python_or_processor_it_is_not_taken(
    entry: Path, own: Path, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, value: Any
) -> None:
    monkeypatch.setattr(where, name, value)
    prebuilt.levels.cache_clear()
    assert _loaded() == (42, 0)
    assert len(list(own.iterdir())) == 1


def test_where_the_wheel_brings_none_for_the_best_level_it_is_the_next(
    entry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prebuilt, "LEVELS", (OURS._replace(name="better"), OURS))
    prebuilt.levels.cache_clear()
    assert _loaded() == (42, 1)


def test_a_torn_or_flipped_one_is_compiled(entry: Path) -> None:
    sound = entry.read_bytes()
    for place in (0, 40, 100, len(sound) - 1):
        entry.write_bytes(sound[:place])
        assert prebuilt.FOLDER.is_dir()
        assert _read(entry) is None, f"torn at {place}"
        entry.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert _read(entry) is None, f"flipped at {place}"
    entry.write_bytes(sound)
    assert _read(entry) is not None


def _read(entry: Path) -> bytes | None:
    made: Any = jit.kernel(_twice)
    return made._cache._brought((numba.types.int64,))


@pytest.mark.skipif(OURS.architecture != "x86_64", reason="another architecture")
def test_llvm_knows_the_features_of_the_levels_by_these_names() -> None:
    """A name that LLVM does not know would be lacking everywhere, and nothing were taken."""
    known = prebuilt.binding.get_host_cpu_features()
    for each in prebuilt.LEVELS:
        assert each.features <= set(known)
