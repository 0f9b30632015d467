"""What a workbook's archive may be."""

from __future__ import annotations

import zipfile

from carbongrid.errors import InputError

_HEAD = 65536

MOST_PARTS, MOST_RATIO, MOST_UNPACKED = 1_000, 500, 2**29
"""Of a workbook: parts, bytes per packed byte (of what unpacks to more than 1 MiB), bytes (512 MiB)."""

_SMALL = 2**20
_DECLARATIONS = (b"<!DOCTYPE", b"<!ENTITY")


def require_tame_archive(archive: zipfile.ZipFile, where: str) -> None:
    """Raise unless a workbook's archive is one that a spreadsheet program writes.

    Raises
    ------
    InputError
        If it unpacks to too much, by itself or against its packed size, has too many parts, or declares
        entities, which may unfold without end.
    """
    entries = archive.infolist()
    unpacked = sum(entry.file_size for entry in entries)
    packed = max(1, sum(entry.compress_size for entry in entries))
    odd = ""
    if len(entries) > MOST_PARTS:
        odd = f"has {len(entries):,} parts"
    elif unpacked > MOST_UNPACKED:
        odd = f"unpacks to {unpacked / 2**20:.0f} MiB"
    elif unpacked > _SMALL and unpacked > MOST_RATIO * packed:
        odd = f"unpacks to {unpacked / packed:.0f} times its size"
    else:
        for entry in entries:
            if entry.filename.lower().endswith((".xml", ".rels")):
                with archive.open(entry) as part:
                    head = part.read(_HEAD).upper()
                if any(mark in head for mark in _DECLARATIONS):
                    odd = f"declares entities in {entry.filename}"
    if odd:
        raise InputError(
            f"the workbook {odd}, as no spreadsheet program writes it", where, "Save it as CSV."
        )
