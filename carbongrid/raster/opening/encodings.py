"""Names of text encodings, as cases and the files beside Shapefiles write them."""

from __future__ import annotations

import codecs

_NO_CHARACTERS = (
    *("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"),
)
"""What Python takes for encodings of text, and no file of a table is written in."""


def encoding_named(name: str) -> str | None:
    """Return Python's name of a text encoding, or None if there is none of this name; code pages may be given by their number."""
    name = name.strip()
    candidates = [name, f"cp{name}", name.replace("8859", "iso8859-", 1).replace("_", "")]
    for candidate in ["utf-8"] if name == "65001" else candidates:
        # Names that are no file's either raise other errors.
        try:
            found = codecs.lookup(candidate)
        except (LookupError, ValueError, OSError):
            continue
        if found._is_text_encoding and found.name.replace("_", "-") not in _NO_CHARACTERS:
            return found.name
    return None
