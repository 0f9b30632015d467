"""The files behind an input and their digests, as they were when they were read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from carbongrid.case import Case
from carbongrid.errors import InputError, RunError
from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import Stamp, stamp_of
from carbongrid.raster.opening.formats import files_behind


@dataclass
class Fingerprints:
    """Digests of the files that a case names, taken before they are read.

    Parameters
    ----------
    case
        The case.
    digest_of
        Returns the sha256 of a file.
    digests
        sha256 by the file's name as the case would write it.
    """

    case: Case
    digest_of: Callable[[Path], str] = hash_path
    digests: dict[str, str] = field(default_factory=dict)
    _stamps: dict[Path, Stamp] = field(default_factory=dict)
    _files: dict[str, Path] = field(default_factory=dict)

    def take(self, names: Iterable[str]) -> dict[str, str]:
        """Return the digests of these files, as the case writes them, and of those that are read with them.

        A file that is missing has none: its reader says so.
        """
        taken: dict[str, str] = {}
        for name in names:
            target = self.case.resolve(name)
            if not target.exists():
                continue
            for file in files_behind(target):
                label = self._label(name, target, file)
                if self._files.setdefault(label, file) != file:
                    # Links beside each other to files of one name in two folders.
                    label = f"{label} of {os.path.normpath(name)}"
                if label not in self.digests:
                    self._stamps[file] = stamp_of(file)
                    self.digests[label] = self._digest(file, label)
                taken[label] = self.digests[label]
        return taken

    def take_all(self) -> None:
        """Take the digests of the case file and of every file that it names; raise InputError if the case file is not what was read."""
        case_file = self.case.path
        if case_file.is_file():
            self._stamps[case_file] = stamp_of(case_file)
            self.digests[case_file.name] = self.digest_of(case_file)
            if self.case.read_from not in ("", self.digests[case_file.name]):
                what = "the case file was changed after the case had been read from it"
                raise InputError(what, case_file.name, "Read it again (Case.read).")
        self.take(name for _, name in self.case.named_files())

    def require_unchanged(self) -> None:
        """Raise RunError if a file is not what it was when its digest was taken."""
        changed = [file.name for file, stamp in self._stamps.items() if stamp_of(file) != stamp]
        if changed:
            raise RunError(
                f"{', '.join(changed[:10])} changed while the run was reading. Run it again."
            )

    def _digest(self, file: Path, label: str) -> str:
        try:
            return self.digest_of(file)
        except OSError as error:
            raise InputError(f"the file cannot be read: {error.strerror}", label) from None

    def _label(self, name: str, target: Path, file: Path) -> str:
        plain = os.path.normpath(name)
        if file == target:
            return plain
        if target.is_dir():
            return f"{plain}/{file.relative_to(target).as_posix()}"
        return os.path.normpath(os.path.join(os.path.dirname(plain), file.name))  # noqa: PTH118, PTH120
