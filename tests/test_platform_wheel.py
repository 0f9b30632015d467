"""The tool that builds a platform's wheel; ``nox -s release`` builds one and runs it."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import numba
import pytest
from data import ROOT

sys.path.append(str(ROOT / "tools"))

import platform_wheel


def _compiled(folder: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    script = "import platform_wheel, sys; platform_wheel.compile_into(*sys.argv[1:])"
    paths = os.pathsep.join((str(ROOT), str(ROOT / "tools")))
    env = {**os.environ, "PYTHONPATH": paths, "NUMBA_CACHE_DIR": str(folder), **settings}
    words = [sys.executable, "-c", script, str(folder / "kernels"), "x86-64-v3"]
    return subprocess.run(words, env=env, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("settings", [{}, {"NUMBA_CPU_NAME": "x86-64-v3"}])
def test_kernels_of_this_machine_alone_are_none_for_a_wheel(
    tmp_path: Path, settings: dict[str, str]
) -> None:
    """With the level's name alone Numba adds the features of this machine: an older one of the level would end with an illegal instruction."""
    done = _compiled(tmp_path, **settings)
    assert done.returncode == 1
    assert "kernels would be compiled for" in done.stderr
    assert not (tmp_path / "kernels").exists()


def test_where_nothing_is_compiled_there_is_no_wheel(tmp_path: Path) -> None:
    done = _compiled(
        tmp_path, NUMBA_CPU_NAME="x86-64-v3", NUMBA_CPU_FEATURES="", NUMBA_DISABLE_JIT="1"
    )
    assert done.returncode == 1
    assert "nothing is compiled here" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_has_a_tag_of_numbas_own() -> None:
    told = importlib.metadata.distribution("numba").read_text("WHEEL") or ""
    assert f"Tag: {platform_wheel._tag()}" in told.splitlines()


@pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")
def test_kernels_are_found_where_they_are_written() -> None:
    names = [f"{each.__module__}.{each.__name__}" for each in platform_wheel._kernels()]
    assert len(names) == len(set(names)) > 40
    assert "carbongrid.raster.kernels.zonal._add_runs" in names
