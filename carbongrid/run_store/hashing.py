"""Digests of files, folders and values."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from carbongrid.raster.portable import sync

SEAL = "seal"
"""Key of a manifest under which its own digest stands."""


def hash_values(*values: Any) -> str:
    """Return the sha256 of values that JSON can hold, the key of a step."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()


def seal_of(manifest: Mapping[str, Any]) -> str:
    """Return the sha256 of all that a manifest says but its own seal, whatever its layout."""
    told = {key: value for key, value in manifest.items() if key != SEAL}
    text = json.dumps(told, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def sync_tree(path: Path, *, files: bool) -> None:
    """Bring a file, or a folder with all that it holds, to the disk; without ``files`` what folders hold, but not the files' content."""
    entries = [*path.rglob("*"), path] if path.is_dir() else [path]
    for entry in entries:
        if files or entry.is_dir():
            sync(entry)


def write_whole(path: Path, text: str) -> None:
    """Write a small file so that it holds the old text or the new, whatever happens."""
    beside = path.with_name(f"{path.name}.new")
    with beside.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    beside.replace(path)
    sync(path.parent)
