"""The maps of how sure zones are: shades, hatching by firm, intervals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageColor
from tables_example import example_tables

from carbongrid.method.zoning import zones
from carbongrid.outputs.figures.classes import SURE, faded, how_sure
from carbongrid.outputs.figures.zone_probability import write_probability_figures


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


def test_shares_of_draws_are_in_the_classes_of_their_names():
    shares = np.array([1.0, 0.9, 0.899, 0.7, 0.699, 0.5, 0.499, 0.25, 0.0])
    names = ["≥ 90 %"] * 2 + ["70 – 90 %"] * 2 + ["50 – 70 %"] * 2 + ["< 50 %"] * 3
    assert [SURE[each] for each in how_sure(shares)] == names


def test_every_class_of_every_zone_has_a_shade_of_its_own():
    """Seen to fail where what is below 50 % is white."""
    shades = {faded(zone.colour, each) for zone in zones() for each in range(len(SURE))}
    assert len(shades) == len(zones()) * len(SURE)
    assert [faded("#204060", each) for each in (0, 3)] == ["#204060", "#a6b3bf"]
    assert faded("#000000", 3) == "#999999"


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
            shade = ImageColor.getrgb(faded(zone.colour, *how_sure(np.array([sure]))))
            assert (land == shade).all(axis=1).sum() > 300, zone
            if sure < 1:
                assert (land == ImageColor.getrgb(zone.colour)).all(axis=1).sum() < 300
