"""Digests of what runs keep: each file is read once for as long as it is the same."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from carbongrid.raster.opening.digests import hash_path
from carbongrid.raster.opening.files import Stamp, stamp_of
from carbongrid.raster.row_blocks import go_on, meanwhile

Stamps = tuple[tuple[str, Stamp], ...]
"""Of a file, or of each file in a folder by its name there: whatever is written, replaced, added or removed changes them."""

_NOTHING = -1
_A_WHILE = 0.05
"""Seconds until whoever waits for another's digest looks whether anybody waits for it."""


def stamps_of(path: Path) -> Stamps:
    """Return the stamps of a file, or of all files of a folder."""
    if not path.is_dir():
        return (_named("", path),)
    found = []
    for place, folders, names in path.walk():
        inside = place.relative_to(path).as_posix()
        links = [name for name in folders if (place / name).is_symlink()]
        found += [_named(f"{inside}/{name}", place / name) for name in (*names, *links)]
    return tuple(sorted(found))


def _named(name: str, file: Path) -> tuple[str, Stamp]:
    """Return a file's name and stamp; with its whole path where the file system gives files no numbers, so that two are never taken for one."""
    size, time, number, device = stamp_of(file)
    return name if number else f"{name} {file}", (size, time, number, device)


def _sizes(stamps: Stamps) -> list[tuple[str, int]]:
    return [(name, size) for name, (size, *_) in stamps]


class Hashes:
    """Digests of files and folders, as :func:`carbongrid.raster.opening.digests.hash_path` has them, known by stamps: a second name of a file has the digest of the first, and so has a copy that was made in :meth:`copying`."""

    def __init__(self) -> None:
        self._known: dict[Stamps, str] = {}
        self._taking: dict[Stamps, threading.Lock] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[type[Hashes], tuple[()]]:
        """Let a copy know no file: what was found out holds here and now."""
        return Hashes, ()

    def take(self, path: Path) -> tuple[str, Stamps]:
        """Return the digest of a file or folder, and its stamps from before it was read; several threads may ask at once.

        Raises
        ------
        OSError
            If there is none, or it cannot be read.
        CancelledError
            In a thread for which nobody waits any more, be it that another one takes the digest (:func:`carbongrid.raster.row_blocks.go_on`).
        """
        stamps = stamps_of(path)
        with self._lock:
            taking = self._taking.setdefault(stamps, threading.Lock())
        while not taking.acquire(timeout=_A_WHILE):
            go_on()
        try:
            digest = self._known.get(stamps)
            if digest is None:
                digest = hash_path(path)
                # What appeared, or was replaced, between a look at it and its opening is not known by how it looked.
                if stamps_of(path) == stamps and all(size != _NOTHING for _, (size, *_) in stamps):
                    self._known[stamps] = digest
            return digest, stamps
        finally:
            taking.release()

    def digest_of(self, path: Path) -> str:
        """Return the digest of a file or folder; raises as :meth:`take`."""
        return self.take(path)[0]

    @contextlib.contextmanager
    def copying(self, source: Path, copy: Path) -> Iterator[None]:
        """Know a copy, which the block of code makes, by the digest of its source, if that is known and still what it was, and the copy has its names and sizes."""
        before = stamps_of(source)
        yield
        after = stamps_of(copy)
        if before in self._known and stamps_of(source) == before and _sizes(after) == _sizes(before):  # fmt: skip
            self._known[after] = self._known[before]

    @contextlib.contextmanager
    def ahead(self, files: Iterable[Path]) -> Iterator[None]:
        """Take digests of files by a thread while the block of code does other work: hashing holds no lock of Python's. Whoever leaves the block waits for none of them."""

        def take(file: Path) -> None:
            with contextlib.suppress(OSError):  # whoever asks for it is told
                if file.is_file():
                    self.take(file)

        with meanwhile(take, files, spare=True):
            yield
