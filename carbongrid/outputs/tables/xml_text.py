"""What XML can hold of a text: workbooks, styles and projects are XML, and names are whatever their files held."""

from __future__ import annotations

import re

_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def in_xml(text: str) -> str:
    """Return a text with a sign for each character that no XML may hold, however it is written."""
    return _NOT_IN_XML.sub("�", text)
