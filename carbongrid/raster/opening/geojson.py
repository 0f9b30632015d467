"""How many members the features of a GeoJSON have, whatever a reader makes of them."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from carbongrid.errors import InputError
from carbongrid.raster.opening.contradictions import mapped

_AT_ONCE = 2**20
_QUOTE, _COMMA, _OPENING, _BACKSLASH = b'",[\\'
_STEP = np.zeros(256, np.int8)
_STEP[[*b"[{"]], _STEP[[*b"]}"]] = 1, -1
_IS_MARK = _STEP != 0
_IS_MARK[[_QUOTE, _COMMA]] = True

_FEATURES = re.compile(rb'"features"\s*:\s*(?P<array>\[)(?P<empty>\s*\])?', re.IGNORECASE)
"""GDAL takes the key in large letters, too."""
_TYPE = re.compile(rb'"type"\s*:\s*"(?P<name>\w*)"', re.IGNORECASE)
_WITH_FEATURES = b"FeatureCollection"
"""The type of the outermost object whose array ``features`` is read; it is, too, if it has none that can be made out."""


def members_of_features(path: Path, at_once: int = _AT_ONCE) -> int | None:
    """Return how many members the array ``features`` of the outermost object has; None if there is none, or it is no collection's.

    Brackets, commas and quotes alone are looked at, in pieces: it takes a fraction of the time of reading the file, and little memory.

    Parameters
    ----------
    path
        The file, of JSON without errors.
    at_once
        Bytes of a piece.

    Raises
    ------
    InputError
        If another object stands behind the outermost, which GDAL would pass over.
    """
    members: int | None = None
    within = in_text = False
    key = depth = start = objects = 0
    kinds: set[bytes] = set()
    with mapped(path) as data:
        while start < len(data):
            end = min(start + at_once, len(data))
            while end < len(data) and data[end - 1] == _BACKSLASH:
                end += 1  # what it escapes stays with it
            # Pairs first, so that a backslash which is left escapes what follows it.
            piece = data[start:end].replace(rb"\\", b"  ").replace(rb"\"", b"  ")
            values = np.frombuffer(piece, np.uint8)
            places = np.flatnonzero(_IS_MARK[values])
            marks = values[places]
            texts = (np.cumsum(marks == _QUOTE) + in_text) % 2 == 1
            depths = depth + np.cumsum(np.where(texts, 0, _STEP[marks]), dtype=np.int64)
            objects += int(np.count_nonzero((depths == 1) & (_STEP[marks] > 0) & ~texts))
            if objects > 1:
                raise InputError(
                    "another object stands behind the first, which alone would be read",
                    path.name,
                    'Make both members of features in one object, {"type": "FeatureCollection", "features": [...]}.',
                )
            opens_text = (depths == 1) & (marks == _QUOTE) & texts
            closes = (depths == 1) & (_STEP[marks] < 0) & ~texts
            apart = (depths == 2) & ((marks == _COMMA) | (marks == _OPENING)) & ~texts
            told = np.flatnonzero(opens_text | closes | apart)
            for place, mark in zip((start + places[told]).tolist(), marks[told].tolist(), strict=True):  # fmt: skip
                if mark == _QUOTE:
                    key = place
                    named = _TYPE.match(data, key)
                    kinds |= {named["name"]} if named else set()
                elif mark == _COMMA:
                    members = (members or 0) + 1 if within else members
                elif mark == _OPENING:
                    found = _FEATURES.match(data, key)
                    if found and found.start("array") == place:
                        within = True
                        members = (members or 0) + (found["empty"] is None)
                else:
                    within = False
            if len(marks):
                in_text, depth = bool(texts[-1]), int(depths[-1])
            start = end
    return members if not kinds or _WITH_FEATURES in kinds else None
