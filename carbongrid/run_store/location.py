"""Where a run goes: what may be replaced there, and how a finished run takes its place."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from carbongrid.errors import InputError
from carbongrid.raster.opening.files import path_to_write, read_text, require_own_folder
from carbongrid.raster.opening.geopackages import MAX_PATH
from carbongrid.raster.portable import sync
from carbongrid.run_store.hashing import SEAL, seal_of

MANIFEST = "manifest.json"
_LONGEST = "surroundings.gpkg"
"""The longest name among a run's GeoPackages."""
_SIDE_FILES = ("-wal", "-shm", "-journal", ".aux.xml", ".ovr", ".qmd", ".lock")
"""What GIS programs lay beside a file that they only look at; goes with it."""
_OF_THE_DESKTOP = (".DS_Store", ".directory", "Thumbs.db", "desktop.ini")
_LOCKS = (".~lock.", ".nfs")
"""Of an office program that has a table open, and of a file that somebody still reads."""


def place_of(out: str | Path) -> Path:
    """Return the one spelling of a run directory's path.

    Raises
    ------
    InputError
        If it is an address, or a link: a rename would replace the link, not what it points to. If its path is so long that its GeoPackages could
        be written and not be read.
    """
    out = path_to_write(out)
    if out.is_symlink():
        raise InputError(
            f"the run directory is a link to {out.readlink()}",
            str(out),
            "Name the directory itself.",
        )
    place = out.resolve()
    if (size := len(os.fsencode(place / _LONGEST))) > MAX_PATH:
        raise InputError(
            f"its files would have paths of {size} bytes, and GeoPackages are opened by at most {MAX_PATH}",
            str(out),
            "Name a directory with a shorter path.",
        )
    return place


def require_no_links_beside(out: Path) -> None:
    """Raise InputError if a folder in which a run works, or was put aside, leads to somebody's files.

    What an interrupted run left is worked on in place, and what it need not keep is removed.
    """
    for suffix in ("partial", "old"):
        folder = path_to_write(sibling(out, suffix))
        try:
            if suffix == "partial":
                require_own_folder(folder)
            elif folder.is_symlink():
                raise OSError(errno.ELOOP, "it is a link", str(folder))
        except OSError as error:
            raise InputError(
                f"what lies beside the run directory was not made by carbongrid: {error.strerror}",
                str(error.filename),
                "Remove it, or give another directory.",
            ) from None


def check_target(out: Path, *, replace: bool) -> None:
    """Raise InputError, before any work, if ``out`` exists and may not be replaced, or what lies beside it is not ours."""
    out = place_of(out)
    require_no_links_beside(out)
    if not out.exists() and not sibling(out, "old").exists():
        return
    if not replace:
        raise InputError(
            "the run directory exists already",
            str(out),
            "Give another, or replace it with --replace.",
        )
    if out.exists():
        _require_nothing_foreign(out, out)


def _require_nothing_foreign(folder: Path, out: Path) -> None:
    """Raise InputError unless a folder is empty, or holds a run and nothing else; it is told of as ``out``."""
    if folder.is_dir() and not any(folder.iterdir()):
        return
    manifest = manifest_in(folder)
    if manifest is None:
        why = f"this is not a run directory (it has no {MANIFEST})"
        if (folder / MANIFEST).exists():
            why = f"what in this directory is of a run is not known (its {MANIFEST} cannot be read)"
        raise InputError(
            f"{why}, so it will not be replaced",
            str(out),
            "Give another directory, or remove this one yourself.",
        )
    others = _not_of_the_run(folder, manifest)
    if others:
        raise InputError(
            f"the directory holds what is not part of its run, so it will not be replaced: {', '.join(others[:10])}",
            str(out),
            "Move that elsewhere, or give another directory.",
        )


def _not_of_the_run(out: Path, manifest: Mapping[str, Any]) -> list[str]:
    """Return what lies in a run directory, at any depth, and is no file of the run; a store of chunks is one file."""
    files = manifest.get("files")
    listed = {MANIFEST, *(files if isinstance(files, dict) else ())}
    found = []
    for folder, folders, names in out.walk():
        at = folder.relative_to(out).as_posix()
        prefix = "" if at == "." else f"{at}/"
        whole = {name for name in folders if f"{prefix}{name}" in listed}
        folders[:] = sorted(set(folders) - whole)
        empty = prefix and not folders and not names
        found += [at] if empty and not _is_known(at, listed) else []
        found += [f"{prefix}{name}" for name in names if not _is_known(f"{prefix}{name}", listed)]
    return sorted(found)


def _is_known(name: str, listed: Collection[str]) -> bool:
    plain = name.rpartition("/")[2]
    if name in listed or plain in _OF_THE_DESKTOP or plain.startswith(_LOCKS):
        return True
    stems = {each.rpartition(".")[0] for each in listed}
    bases = [name.removesuffix(suffix) for suffix in _SIDE_FILES if name.endswith(suffix)]
    return any(base in listed or base in stems for base in bases)


def sibling(out: Path, suffix: str) -> Path:
    """Return where what becomes a run, or was one, lies beside it."""
    return out.with_name(f".{out.name}.{suffix}")


def manifest_in(folder: Path) -> dict[str, Any] | None:
    """Return the manifest of a run directory; None where none can be read."""
    try:
        content = json.loads(read_text(folder / MANIFEST))
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def is_cut_short(out: Path) -> bool:
    """Return whether a commit was cut, so that :func:`mend` has something to put back or to remove."""
    return sibling(out, "old").exists()


def mend(out: Path) -> None:
    """Finish a commit that was cut between its two renames, or after them; never lose the only run."""
    require_no_links_beside(out)
    old = sibling(out, "old")
    if not old.exists():
        return
    if not out.exists():
        old.rename(out)
    elif _is_sealed(out):
        remove(old)
    elif out.is_dir() and not any(out.iterdir()):
        out.rmdir()
        old.rename(out)
    else:
        raise InputError(
            f"there is something that is no finished run, and beside it the run that was there before: {old}",
            str(out),
            f"Move {out} elsewhere; then that run is put back by the next one.",
        )
    sync(out.parent)


def _is_sealed(folder: Path) -> bool:
    """Tell whether a folder holds a manifest that is as it was written, and all that it lists."""
    manifest = manifest_in(folder) or {}
    files = manifest.get("files")
    if not isinstance(files, dict) or manifest.get(SEAL) != seal_of(manifest):
        return False
    return all((folder / name).exists() for name in files)


def commit(folder: Path, out: Path, *, replace: bool) -> None:
    """Put a finished run in its place; the old one goes when the new one's name is on the disk.

    Raises
    ------
    InputError
        If there is something else by now: a run takes hours, in which its user goes on working. Nothing is removed.
    """
    check_target(out, replace=replace)
    sync(folder)
    old = sibling(out, "old")
    if replace and out.exists():
        out.rename(old)
        # By now nobody finds it under its name, so that nothing can be added any more.
        try:
            _require_nothing_foreign(old, out)
        except InputError:
            old.rename(out)
            raise
    folder.rename(out)
    sync(out.parent)
    remove(old)


def remove(path: Path) -> None:
    """Remove a file, a link or a folder, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
