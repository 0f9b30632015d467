"""Attributes of rasters, which are text, numbers or arrays of any."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

_OF_A_PLANE = re.compile(
    r"(?:[kcm]?m|(?:kilo|centi|milli)?met(?:er|re)s?|(?:us )?(?:survey )?(?:foot|feet|ft)|deg(?:ree)?s?|rad(?:ian)?s?|arc ?(?:min|minutes?|sec|seconds?)|°|米|千米|度)"
)
"""Units of lengths and angles, as a GeoTIFF's tag may say of its CRS."""


def in_small_letters(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return attributes also by their names in small letters, and what a unit is called in the singular as units, unless it is a length or an angle; those that are spelled as usual come first."""
    found = {**{str(name).lower(): each for name, each in attributes.items()}, **attributes}
    of_values = "unit" in found and not _OF_A_PLANE.fullmatch(only_text(found["unit"]).casefold())
    return {"units": found["unit"], **found} if of_values else found


def only_text(value: Any) -> str:
    """Return an attribute's value, or the only one of an array, as text; blank of none and of several."""
    values = [] if value is None else np.ravel(np.asarray(value)).tolist()
    return str(values[0]).strip() if len(values) == 1 else ""
