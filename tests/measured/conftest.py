"""Figures of this machine: seconds and bytes, which other work on it may change. ``nox -s bench`` measures and asserts them."""

from __future__ import annotations

import os

if "CARBONGRID_BENCH" not in os.environ:
    collect_ignore_glob = ["test_*.py"]
