"""Colours of ColorBrewer's palettes, as matplotlib has them, without it: styles in files are written where nothing draws.

This product includes color specifications and designs developed by Cynthia Brewer (http://colorbrewer.org/), under the
Apache License, Version 2.0; Copyright (c) 2002 Cynthia Brewer, Mark Harrower, and The Pennsylvania State University.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

PALETTES = {
    "Blues": "f7fbff deebf7 c6dbef 9ecae1 6baed6 4292c6 2171b5 08519c 08306b",
    "BrBG": "543005 8c510a bf812d dfc27d f6e8c3 f5f5f5 c7eae5 80cdc1 35978f 01665e 003c30",
    "PuOr": "7f3b08 b35806 e08214 fdb863 fee0b6 f7f7f7 d8daeb b2abd2 8073ac 542788 2d004b",
    "Purples": "fcfbfd efedf5 dadaeb bcbddc 9e9ac8 807dba 6a51a3 54278f 3f007d",
    "YlGn": "ffffe5 f7fcb9 d9f0a3 addd8e 78c679 41ab5d 238443 006837 004529",
    "YlGnBu": "ffffd9 edf8b1 c7e9b4 7fcdbb 41b6c4 1d91c0 225ea8 253494 081d58",
    "YlOrRd": "ffffcc ffeda0 fed976 feb24c fd8d3c fc4e2a e31a1c bd0026 800026",
}
_STEPS = 256
"""matplotlib interpolates a palette at so many places, and takes the place below."""


def colours_at(palette: str, places: Iterable[float]) -> tuple[str, ...]:
    """Return the colours at places from 0 to 1 of a palette, as ``#rrggbb``.

    Parameters
    ----------
    palette
        Name of ColorBrewer, one of ``PALETTES``.
    places
        Numbers from 0 to 1.
    """
    known = np.array([list(bytes.fromhex(colour)) for colour in PALETTES[palette].split()]) / 255
    at = np.array([min(int(place * _STEPS), _STEPS - 1) for place in places]) / (_STEPS - 1)
    ends = np.linspace(0.0, 1.0, len(known))
    mixed = np.stack([np.interp(at, ends, channel) for channel in known.T], axis=1)
    return tuple("#" + bytes(colour).hex() for colour in np.round(mixed * 255).astype(np.uint8))
