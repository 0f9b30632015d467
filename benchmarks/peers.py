"""Ratios to other tools, in one process and on the same data: ``nox -s peers -- [--part NAME ...] [--small]``.

Each part is a process of its own. Its rows are printed and written to benchmarks/results; docs/performance.md is made from them.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import performance
from measuring import PARTS, Row, touch_memory_first

PEERS = (
    "carbongrid",
    "numpy",
    "numba",
    "dask",
    "zarr",
    "rusterize",
    "rasterizer",
    "geocube",
    "numbagg",
    "flox",
    "exactextract",
    "extractrs",
    "geohalo",
)


def rows_of(part: str, *, small: bool = False) -> Iterator[Row]:
    """Compare one part: in full, or with next to nothing."""
    if part in ("reductions", "lookups", "from-zarr"):
        import peers_labels

        rasters = peers_labels.Rasters(*((60, 256, 4) if small else (100_000, 16_384, 500)))
        compare = {"reductions": peers_labels.reductions, "lookups": peers_labels.lookups}
        return compare.get(part, peers_labels.from_zarr)(rasters)
    if part in ("first-calls", "demo", "whole-run", "labels-zarr"):
        import peers_whole

        if part == "first-calls":
            return peers_whole.first_calls(small=small)
        if part == "demo":
            return peers_whole.demo(small=small)
        if part == "whole-run":
            province = (60, 2000.0, 4) if small else (1_000_000, 327_000.0, 1_500)
            return peers_whole.whole_run(*province)
        land = (60, 2000.0, (10, 5)) if small else (1_000_000, 327_680.0, (10, 5, 2.5))
        return peers_whole.labels_to_zarr(*land)
    if part == "zonal":
        import peers_zonal

        return peers_zonal.zonal(peers_zonal.SMALL if small else peers_zonal.FULL)
    if part == "live":
        import peers_live

        province = (60, 2000.0, 4) if small else (1_000_000, 327_000.0, 1_500)
        return peers_live.answers(*province, small=small)
    if part == "analysis":
        import peers_analysis

        full_size = (1_000_000, 327_000.0, 1_500, 1_000)
        return peers_analysis.analysis(*((60, 2000.0, 4, 5) if small else full_size))
    if part == "land-cover":
        import peers_cover

        return peers_cover.land_cover(*((120,) if small else (10_000, 32_000)))
    import peers_geometry

    full = {"labels": (100_000, 163_840.0, 500), "weighted": (100_000, 81_920.0, 500)}
    size = full.get(part, (1_000_000, 327_000.0, 1_500))
    land = peers_geometry.Land(*((60, 2000.0, 4) if small else size))
    if part == "steps":
        import peers_steps

        return peers_steps.steps(land)
    compare = {"labels-large": peers_geometry.large_labels, "areas": peers_geometry.areas}
    compare |= {"labels": peers_geometry.labels, "overlaps": peers_geometry.overlaps}
    return compare.get(part, peers_geometry.weighted)(land)


def machine() -> dict[str, object]:
    """Describe what the figures were measured on."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in _lines("/proc/cpuinfo")
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "processor": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in PEERS},
        "load_at_start": round(os.getloadavg()[0], 1),
    }


def _lines(path: str) -> list[str]:
    file = Path(path)
    return file.read_text(encoding="utf-8").splitlines() if file.exists() else []


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def run_part(part: str, *, small: bool) -> None:
    """Measure one part here, print its rows and write them."""
    told = machine()
    if not small:
        # Both sides compile what they compile, and load what they load, before anything is measured.
        for _ in rows_of(part, small=True):
            pass
        touch_memory_first(2**29 if part == "zonal" else 5 * 2**30)
    rows = []
    for row in rows_of(part, small=small):
        print(performance.line(row), flush=True)
        rows.append(dataclasses.asdict(row))
    if not small:
        performance.RESULTS.mkdir(exist_ok=True)
        text = json.dumps({"part": part, "machine": told, "rows": rows}, indent=1)
        (performance.RESULTS / f"{part}.json").write_text(text + "\n", encoding="utf-8")


def main() -> int:
    """Run parts in processes of their own, then write docs/performance.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all")
    parser.add_argument(
        "--small", action="store_true", help="next to nothing, and nothing is written"
    )
    parser.add_argument("--here", action="store_true", help="in this process")
    chosen = parser.parse_args()
    parts = chosen.part or PARTS
    if chosen.here:
        for part in parts:
            run_part(part, small=chosen.small)
        return 0
    failed = []
    for part in parts:
        command = [sys.executable, __file__, "--here", "--part", part]
        if subprocess.run(command + ["--small"] * chosen.small, check=False).returncode:
            failed.append(part)
    if not chosen.small:
        performance.write()
    if failed:
        print(f"failed: {', '.join(failed)}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main())
