"""Categories: the lines of the inventory that are spread on their own.

The table ships as ``data/categories.csv``; rows of a user's table replace or add to it by key.
"""

from __future__ import annotations

from dataclasses import dataclass

SECTORS = ("industry", "buildings", "transport", "agriculture", "waste")
"""Emission sectors of equation (1), in its order; ``sink`` is the sixth."""


@dataclass(frozen=True, order=True)
class Category:
    """One category: sector x activity x territorial types, with one weight rule.

    Parameters
    ----------
    name
        Key such as ``industry/mining``.
    sector
        One of :data:`SECTORS`, ``sink``, or a user's own.
    name_en, name_zh
        For people.
    scope
        1, 2 or 3 (decision 24).
    sink
        Whether the mass is taken up rather than emitted.
    types
        Territorial types that carry it; ``transport:rail`` is transport land of mode rail.
    weight
        ``area``, ``pois``, ``people``, ``roads``, ``lines:MODE``, ``field:COLUMN``, ``raster:PATH``.
    """

    name: str
    sector: str
    name_en: str
    name_zh: str
    scope: int
    sink: bool
    types: tuple[str, ...]
    weight: str
