"""How a test waits for others: for what they have done, never for a time. The only place of the default suite that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable

HANG = 600.0
"""Seconds after which what should have come is given up: they end a hang, and no machine is too slow for them."""


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + HANG
    while not holds():
        assert time.monotonic() < end, f"waited {HANG:.0f} s for what never came"
        time.sleep(0.005)
