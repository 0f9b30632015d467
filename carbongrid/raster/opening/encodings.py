"""Names of text encodings, as cases and the files beside Shapefiles write them."""

from __future__ import annotations

import codecs
import re

_NO_CHARACTERS = (
    *("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"),
)
"""What Python takes for encodings of text, and no file of a table is written in."""


_CODE_PAGE = re.compile(r"(?i:ansi|oem|ms|windows)[ _-]?([0-9]+)")
"""A code page under the name that programs on Windows give it."""


def encoding_named(name: str) -> str | None:
    """Return Python's name of a text encoding, or None if there is none of this name; code pages may be given by their number."""
    name = name.strip()
    page = _CODE_PAGE.fullmatch(name)
    candidates = [
        name,
        f"cp{page[1] if page else name}",
        name.replace("8859", "iso8859-", 1).replace("_", ""),
    ]
    for candidate in ["utf-8"] if name == "65001" else candidates:
        # Names that are no file's either raise other errors.
        try:
            found = codecs.lookup(candidate)
        except (LookupError, ValueError, OSError):
            continue
        if found._is_text_encoding and found.name.replace("_", "-") not in _NO_CHARACTERS:
            return found.name
    return None
