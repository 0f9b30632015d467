"""What runs have kept of their steps, and whether a step finds its files there."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path

from carbongrid.errors import RunError
from carbongrid.raster.opening.files import read_text
from carbongrid.run_store.hashes import Hashes, Stamps, stamps_of
from carbongrid.run_store.location import manifest_in, place_of, sibling

STEPS = "steps.json"
STORE = ".zarr"
_FOLDER_OF_STEPS = "steps/"
_NEVER_EDITED = (STORE, ".npz")
"""What no spreadsheet and no GIS writes to, beside the folder of steps; all else may be open in one."""


@dataclass(frozen=True)
class Record:
    """What a finished step was made from (``key``), and the digest of each file that it made."""

    key: str
    files: Mapping[str, str] = field(default_factory=dict)

    def is_of(self, key: str, files: Sequence[str]) -> bool:
        """Tell whether the step was made from the same, and made these files."""
        return self.key == key and set(self.files) == set(files)


@dataclass(frozen=True)
class Recall:
    """Where finished steps may be found: an interrupted run, the run to be replaced, another run, which stays (``lent``)."""

    places: tuple[Path, ...]
    lent: Path | None = None
    hashes: Hashes = field(default_factory=Hashes, compare=False)

    @classmethod
    def around(
        cls,
        out: Path,
        reuse: Path | None = None,
        *,
        restart: bool = False,
        hashes: Hashes | None = None,
    ) -> Recall:
        """Look beside ``out``, in it, and in ``reuse``; with ``restart`` nowhere."""
        out = place_of(out)
        places = () if restart else (sibling(out, "partial"), out, sibling(out, "old"), reuse)
        there = tuple(place for place in places if place is not None and place.is_dir())
        return cls(there, reuse, hashes or Hashes())

    def find(
        self,
        name: str,
        key: str,
        files: Sequence[str],
        writing: AbstractContextManager[object] = contextlib.nullcontext(),  # noqa: B008
    ) -> Found | None:
        """Return where the step's files are as it left them, by their digests; None if they are nowhere. ``writing``: held by who writes records."""
        for place in self.places:
            with writing:  # on Windows what is read cannot be replaced
                record = records_in(place).get(name)
            if record is None or not record.is_of(key, files):
                continue
            stamps = {}
            with contextlib.suppress(OSError):
                for file, told in record.files.items():
                    digest, stamps[place / file] = self.hashes.take(place / file)
                    if digest != told:
                        break
                else:
                    return Found(place, stamps, record)
        return None

    def ahead(self) -> AbstractContextManager[None]:
        """Hash what there is to find by a thread, while the block of code finds it piece by piece.

        Not what people look at, which is made anew if anything is, nor folders, which may be large, nor what a
        manifest names that is not in its run.
        """
        there = [
            place / file
            for place in self.places
            for record in records_in(place).values()
            for file in record.files
            if _is_a_name(file) and is_kept_for_runs(file)
        ]
        return self.hashes.ahead(there)

    def inputs_in(self, folder: Path) -> list[Path]:
        """Return the files of a case in this folder that runs there have read, by their manifests: most of them it reads again."""
        told = [(manifest_in(place) or {}).get("inputs") for place in self.places]
        rows = [
            row for each in told if isinstance(each, list) for row in each if isinstance(row, dict)
        ]
        names = dict.fromkeys(row["file"] for row in rows if _is_a_name(row.get("file")))
        return [folder / name for name in names]


@dataclass(frozen=True)
class Found:
    """A folder that holds a step's files, their stamps from before they were hashed, and their digests."""

    folder: Path
    stamps: Mapping[Path, Stamps]
    record: Record

    def read[T](self, load: Callable[[Path], T]) -> T:
        """Return what is read of the files that were hashed.

        Raises
        ------
        RunError
            If they are others by now: a run that is lent may be replaced at any time.
        """
        try:
            value = load(self.folder)
        except Exception as error:
            self._require_unchanged(error)
            raise
        self._require_unchanged(None)
        return value

    def _require_unchanged(self, error: Exception | None) -> None:
        changed = [str(file) for file, stamps in self.stamps.items() if stamps_of(file) != stamps]
        if changed:
            raise RunError(f"{changed[0]} was changed, moved or removed while it was read. Run it again.") from error  # fmt: skip


def _is_a_name(file: object) -> bool:
    """Whether it is the name of something in a run, whoever wrote it down."""
    return isinstance(file, str) and not Path(file).is_absolute() and ".." not in Path(file).parts


def is_kept_for_runs(file: str) -> bool:
    """Whether it is what no spreadsheet and no GIS writes to."""
    return file.startswith(_FOLDER_OF_STEPS) or file.endswith(_NEVER_EDITED)


def records_in(folder: Path) -> dict[str, Record]:
    """Return the steps of an interrupted run, or of a finished one; none where nothing can be read."""
    try:
        listed = json.loads(read_text(folder / STEPS))
    except FileNotFoundError:
        listed = (manifest_in(folder) or {}).get("steps", {})
    except (OSError, ValueError, RecursionError):
        return {}
    try:
        return {name: Record(each["key"], dict(each["files"])) for name, each in listed.items()}
    except (TypeError, KeyError, AttributeError, ValueError):
        return {}
