"""What a function is given, step by step: a test of work in several steps asserts that there were several."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest


def given(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, place: int = 0
) -> list[Any]:
    """Return a list to which each call of a module's function adds one of its arguments."""
    function, found = getattr(module, name), []

    def watched(*arguments: Any) -> Any:
        found.append(arguments[place])
        return function(*arguments)

    monkeypatch.setattr(module, name, watched)
    return found
