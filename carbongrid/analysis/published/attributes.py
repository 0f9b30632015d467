"""Attributes of rasters, which are text, numbers or arrays of any."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


def in_small_letters(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return attributes also by their names in small letters, and what a unit is called in the singular as units; those that are spelled as usual come first."""
    found = {**{str(name).lower(): each for name, each in attributes.items()}, **attributes}
    return {"units": found["unit"], **found} if "unit" in found else found


def only_text(value: Any) -> str:
    """Return an attribute's value, or the only one of an array, as text; blank of none and of several."""
    values = [] if value is None else np.ravel(np.asarray(value)).tolist()
    return str(values[0]).strip() if len(values) == 1 else ""
