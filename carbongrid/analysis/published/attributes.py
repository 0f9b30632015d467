"""Attributes of rasters, which are text, numbers or arrays of any."""

from __future__ import annotations

from typing import Any

import numpy as np


def only_text(value: Any) -> str:
    """Return an attribute's value, or the only one of an array, as text; blank of none and of several."""
    values = [] if value is None else np.ravel(np.asarray(value)).tolist()
    return str(values[0]).strip() if len(values) == 1 else ""
