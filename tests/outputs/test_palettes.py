"""Colours of palettes without matplotlib are those of matplotlib."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.colors import to_hex

from carbongrid.outputs.figures.palettes import PALETTES, colours_at


@pytest.mark.parametrize("palette", PALETTES)
def test_every_colour_of_a_palette_is_that_of_matplotlib(palette: str) -> None:
    """Seen to fail with places rounded instead of cut, and with colours cut instead of rounded."""
    places = np.concatenate([np.linspace(0.0, 1.0, 1001), (np.arange(256) + 0.5) / 256])
    known = tuple(to_hex(colour) for colour in colormaps[palette](places))
    assert colours_at(palette, places) == known
    assert len(set(known)) > 200


def test_no_place_has_no_colour() -> None:
    assert colours_at("BrBG", []) == ()
