"""The house itself: pins agree, the command line is light, the public names are there."""

from __future__ import annotations

import subprocess
import sys
import tomllib

from data import ROOT

import carbongrid as cg


def test_the_constraints_are_repeated_for_uv_run() -> None:
    pins = [
        line.replace('"', "'")
        for line in (ROOT / "constraints.txt").read_text().split("\n")
        if line
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["uv"]["constraint-dependencies"] == pins


def test_every_public_name_loads() -> None:
    for name in cg.__all__:
        assert getattr(cg, name) is not None


def test_a_public_function_stays_one_after_its_module_was_imported() -> None:
    import carbongrid.overlaps
    import carbongrid.verification

    assert carbongrid.overlaps.overlap is cg.overlap
    assert carbongrid.verification.verify is cg.verify
    assert callable(cg.indices)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom carbongrid.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'geopandas', 'numba', 'dask', 'xarray', 'rasterio'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_the_readme_has_both_commands() -> None:
    lines = (ROOT / "README.md").read_text().splitlines()
    boot = "python3 -m venv .boot && .boot/bin/pip install -q uv && .boot/bin/uv run "
    assert boot + "carbongrid demo out" in lines
    assert boot + "nox -s tests" in lines
