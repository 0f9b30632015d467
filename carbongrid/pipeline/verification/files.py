"""The files: whether all are there and hold what the manifest says."""

from __future__ import annotations

from pathlib import Path

from carbongrid.errors import InputError
from carbongrid.method.tonnes import counted
from carbongrid.outputs.reading import LABELS, digests_of_directory, earlier_digest_of_parcels
from carbongrid.outputs.tables.digests import FILES_OF
from carbongrid.pipeline.verification.opened import Opened
from carbongrid.pipeline.verification.verdict import Check, check_of
from carbongrid.run_store import MANIFEST, SEAL, seal_of

_ALWAYS = (
    "inventory.csv",
    "ledger.csv",
    "evidence.csv",
    "land_types.csv",
    "units.csv",
    "units.gpkg",
    "grid_1km.nc",
    "grid_1km.tif",
)
_UNLESS_PUBLIC = ("parcels.parquet", "overlap.npz")
_OF_RUNS_ALONE = (MANIFEST, "ledger.csv", "evidence.csv", "land_types.csv", "grid_1km.nc", "grid_1km.tif", "overlap.npz", LABELS)  # fmt: skip
"""A case may well have a units.gpkg and an inventory.csv of its own."""


def require_run(folder: Path) -> None:
    """Raise InputError if a folder is not there or has nothing of a run; a run without its manifest is a damaged one."""
    if any((folder / name).exists() for name in _OF_RUNS_ALONE):
        return
    why = "nothing in it is of a run" if folder.is_dir() else "it is no directory"
    if not folder.exists():
        why = "it is not there"
    hint = "Give the directory that carbongrid run made."
    raise InputError(f"this is not a finished run: {why}", str(folder), hint)


def check_files(run: Opened) -> Check:
    """Compare the sha256 of every file with the manifest, and the manifest with what a run must have."""
    files = run.manifest["files"]
    needed = [*_ALWAYS, *(() if run.public else _UNLESS_PUBLIC)]
    if not run.public and any(term.raster for term in run.terms):
        needed.append(LABELS)
    faults = [f"{MANIFEST} does not list {name}" for name in needed if name not in files]
    if run.manifest.get(SEAL) != seal_of(run.manifest):
        faults.append(f"{MANIFEST} was changed after the run, or is damaged: its seal differs")
    missing = [name for name in files if name not in run.hashes]
    # A folder that is gone is told once, not file by file.
    tops = {name: name.split("/")[0] for name in missing}
    gone = [name if (run.folder / top).exists() else top for name, top in tops.items()]
    faults += [f"{name} is missing" for name in dict.fromkeys(gone)]
    for name, digest in files.items():
        if name in missing:
            continue
        if run.hashes[name] != digest:
            faults.append(f"{name} was changed after the run, or is damaged: its sha256 differs")
    text = f"{counted(len(files), 'file')} as the manifest lists them, by sha256"
    listed = {name.split("/")[0] for name in files}
    extra = sorted({path.name for path in run.folder.iterdir()} - {MANIFEST, *listed})
    if extra:
        text += f"; not part of the run: {', '.join(extra)}"
    return check_of("files", faults, text)


def check_digests(run: Opened) -> Check:
    """Compare the content of each table, whatever its file format, with the manifest's digest."""
    if_there = [name for name in ("surroundings.gpkg",) if name in run.manifest["files"]]
    others = () if run.public else ("parcels.parquet",)
    for name in ("units.gpkg", "grid_1km.nc", *if_there, *others):
        with run.reading(name, trusted=False):
            pass
    told, found = run.manifest["digests"], digests_of_directory(run.folder, run.manifest["files"])
    if "parcels" in told and found.get("parcels", told["parcels"]) != told["parcels"]:
        found["parcels"] = earlier_digest_of_parcels(run.folder)
    faults = [
        f"the content of {FILES_OF.get(name, name)} is not what the run wrote: its digest differs"
        for name in sorted(told.keys() | found.keys())
        if told.get(name) != found.get(name)
    ]
    return check_of(
        "digests", faults, f"content of {counted(len(told), 'table')} as the run wrote it"
    )
