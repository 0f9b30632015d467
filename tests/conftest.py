"""Settings of the whole suite."""

from __future__ import annotations

from hypothesis import settings

# The first example of a test may compile a kernel, so time limits of single examples say nothing.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
