"""Names of text encodings, as cases and the files beside Shapefiles write them."""

from __future__ import annotations

import codecs
import re

_NO_CHARACTERS = (
    *("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"),
)
"""What Python takes for encodings of text, and no file of a table is written in."""


_OF_WINDOWS = {
    "65001": "utf-8",
    "54936": "gb18030",
    "10000": "mac-roman",
    "51949": "euc_kr",
    "20866": "koi8-r",
    "20932": "euc_jp",
    "51932": "euc_jp",
    "28591": "iso8859-1",
    "28592": "iso8859-2",
    "windows-31j": "cp932",
}
"""Code pages by their number, or by a name of their own, that Python knows by another name: the last since 3.13 alone."""

_ISO_8859 = re.compile(r"(?i:iso)?[ _-]*8859[ _-]*([0-9]{1,2})")
"""One of the ISO 8859 with its number, as GDAL and programs of Esri write it."""

_CODE_PAGE = re.compile(r"(?i:ansi|oem|ms|windows)[ _-]?([0-9]+)")
"""A code page under the name that programs on Windows give it."""


def encoding_named(name: str) -> str | None:
    """Return Python's name of a text encoding, or None if there is none of this name; code pages may be given by their number."""
    name = name.strip()
    page = _CODE_PAGE.fullmatch(name)
    iso = _ISO_8859.fullmatch(name)
    known = _OF_WINDOWS.get(page[1] if page else name.lower().replace("_", "-"))
    candidates = [
        name,
        f"cp{page[1] if page else name}",
        name[2:] if name[:2].lower() == "x-" else name,
        f"iso8859-{iso[1]}" if iso else name,
    ]
    for candidate in [known] if known else candidates:
        # Names that are no file's either raise other errors.
        try:
            found = codecs.lookup(candidate)
        except (LookupError, ValueError, OSError):
            continue
        if found._is_text_encoding and found.name.replace("_", "-") not in _NO_CHARACTERS:
            return found.name
    return None
