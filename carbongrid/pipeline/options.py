"""How a run works; none of it changes a number."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from carbongrid.pipeline.work import Progress


@dataclass(frozen=True)
class RunOptions:
    """How a run works, as :func:`carbongrid.run` is told."""

    out: Path
    replace: bool
    reuse: Path | None
    restart: bool
    scheduler: Any
    chunks: int
    progress: Progress
    memory: str | None = None
    public: bool = False
