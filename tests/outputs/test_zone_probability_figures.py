"""The maps of how sure zones are: shades, hatching by firm, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor
from tables_example import example_tables

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.zone_probability import faded, write_probability_figures


def probabilities(tables, sure):
    units = tables.units
    table = pd.DataFrame({"unit": units["id"], "name": units["name"], "zone": units["zone"].astype(int)})  # fmt: skip
    for code in (1, 2, 3, 4, 0):
        table[f"p{code}"] = np.where(table["zone"] == code, sure, (1 - sure) / 4)
    table["firm"] = (table["zone"] > 0) & (sure >= 0.9)
    for index in ("ecc", "esc"):
        value = units[index].to_numpy(float)
        for point, times in (("05", 0.5), ("50", 1), ("95", 2)):
            table[f"{index}_p{point}"] = value * times
    return table


def test_shades_go_from_the_zones_own_colour_to_white():
    assert faded("#204060", 1.0) == "#204060"
    assert faded("#204060", 0.25) == faded("#204060", 0.0) == "#ffffff"
    assert faded("#000000", 0.625) == "#808080"


@pytest.mark.parametrize("sure", [1.0, 0.6])
def test_the_map_is_painted_as_told(tmp_path, sure):
    """Seen to fail with the zones' colours in the place of their shades."""
    tables = example_tables()
    files = write_probability_figures(tables, probabilities(tables, sure), tmp_path)
    assert [file.name for file in files] == ["zone_probability.png", "zone_plane.png"]
    with Image.open(files[0]) as image:
        pixels = np.asarray(image.convert("RGB"))
    land = pixels[:, : pixels.shape[1] * 2 // 3].reshape(-1, 3)
    present = {int(code) for code in tables.units["zone"]} - {0}
    for zone in zones():
        if zone.code in present:
            shade = ImageColor.getrgb(faded(zone.colour, sure))
            assert (land == shade).all(axis=1).sum() > 300, zone
            if sure < 1:
                assert (land == ImageColor.getrgb(zone.colour)).all(axis=1).sum() < 300
