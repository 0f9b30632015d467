"""What a workbook's archive may be."""

from __future__ import annotations

import zipfile
from xml.parsers import expat

from carbongrid.errors import InputError

MAX_PARTS, MAX_RATIO, MAX_UNPACKED = 1_000, 500, 2**29
"""Of a workbook: parts, bytes per packed byte (of what unpacks to more than 1 MiB), bytes (512 MiB)."""

_SMALL = 2**20


def check_zip_limits(archive: zipfile.ZipFile, where: str) -> None:
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
    if len(entries) > MAX_PARTS:
        odd = f"has {len(entries):,} parts"
    elif unpacked > MAX_UNPACKED:
        odd = f"unpacks to {unpacked / 2**20:.0f} MiB"
    elif unpacked > _SMALL and unpacked > MAX_RATIO * packed:
        odd = f"unpacks to {unpacked / packed:.0f} times its size"
    else:
        declaring = next((each for each in entries if _declares(archive, each)), None)
        odd = f"declares entities in {declaring.filename}" if declaring else ""
    if odd:
        raise InputError(
            f"the workbook {odd}, as no spreadsheet program writes it", where, "Save it as CSV."
        )


def _declares(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bool:
    """Tell whether a part of an archive is XML with a document type, in which alone entities can be declared.

    Asked of the parser that will read it, since a search for the words would have to know every encoding, and every part,
    since no part is XML by its name. What is no XML for it declares nothing.
    """

    def found(*_: object) -> None:
        raise _DeclaresError

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = found
    try:
        with archive.open(entry) as part:
            parser.ParseFile(part)
    except _DeclaresError:
        return True
    except expat.ExpatError:
        return False
    return False


class _DeclaresError(Exception):
    """A document type was met."""
