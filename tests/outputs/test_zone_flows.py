"""Units from zone to zone: every unit is in a bar of each year, and in a band between any two."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from carbongrid.outputs.report.flows import SLOT
from carbongrid.outputs.report.zone_flows import HEIGHT, Bar, zone_flow

ZONES = st.integers(0, 4)


@given(st.integers(2, 4).flatmap(lambda years: st.lists(st.lists(ZONES, min_size=years, max_size=years), min_size=1, max_size=30)))  # fmt: skip
def test_bars_and_bands_hold_every_unit_once(units: list[list[int]]) -> None:
    columns = list(zip(*units, strict=True))
    counts = [Counter(zip(*pair, strict=True)) for pair in pairwise(columns)]
    drawn = zone_flow([str(year) for year, _ in enumerate(columns)], counts)
    scale = HEIGHT / len(units)
    for x in {bar.x for bar in drawn.bars}:
        bars = [bar for bar in drawn.bars if bar.x == x]
        assert sum(bar.units for bar in bars) == len(units)
        assert all(one.y + one.height < other.y for one, other in pairwise(bars))
        assert bars[-1].y + bars[-1].height <= drawn.height + 1e-9
    first = [bar for bar in drawn.bars if bar.new]
    assert len(first) == len({bar.name_en for bar in drawn.bars}), "each zone is named once"
    middles = sorted((bar.x, bar.y + bar.height / 2) for bar in drawn.bars)
    assert all(
        one[0] < other[0] or other[1] - one[1] >= SLOT for one, other in pairwise(middles)
    ), "text of 12 on text"
    ends = Counter[Bar]()
    for band in drawn.bands:
        x, y = map(float, re.findall(r"^M([0-9.]+) ([0-9.]+)", band.path)[0])
        width = float(re.findall(r"v([0-9.]+)", band.path)[0])
        beside = [bar for bar in drawn.bars if abs(bar.x + drawn.column - x) < 0.1]
        [bar] = [bar for bar in beside if bar.y - 0.1 <= y <= bar.y + bar.height - width + 0.1]
        assert band.colour == bar.colour
        went = int(band.title_en.rpartition(" ")[2])
        assert width == pytest.approx(went * scale, abs=0.06)
        ends[bar] += went
    last = max(bar.x for bar in drawn.bars)
    assert all(ends[bar] == bar.units for bar in drawn.bars if bar.x < last)
