"""Bars of progress on a terminal: each has a percentage, the time that passed, and the time that is left."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

_MODULES = 2_000
"""About as many modules are loaded when a command has started; where fewer are needed, it has before the bar is full."""

_STARTING = TaskID(0)


class Bars(Progress):
    """A bar for each step; the first says how much of the program is loaded, until a step is told."""

    def __init__(self) -> None:
        columns = (TaskProgressColumn(), TimeElapsedColumn(), _TimeLeft())
        described = TextColumn("{task.description}", markup=False)
        super().__init__(described, BarColumn(), *columns, console=Console(stderr=True), transient=True)  # fmt: skip
        self._loaded = len(sys.modules)
        self.add_task("starting", total=max(_MODULES - self._loaded, 1))
        self._of_step: dict[str, TaskID] = {}

    def show(self, step: str, done: int, total: int) -> None:
        """Draw how much of a step is done; one that begins again, as in a second run, has its own time."""
        self.update(_STARTING, visible=False)
        if step not in self._of_step:
            self._of_step[step] = self.add_task(step, total=total)
        task = self._of_step[step]
        if done < self._tasks[task].completed:
            self.reset(task)
        self.update(task, completed=done, total=total)

    def get_renderables(self) -> Iterable[RenderableType]:
        """Look how much is loaded whenever bars are drawn: a hook in imports could wait for the drawing, which imports too."""
        if self.task_ids:  # rich draws once before there is a bar
            self.update(_STARTING, completed=len(sys.modules) - self._loaded)
        return super().get_renderables()


class _TimeLeft(ProgressColumn):
    """The time left if the rest goes on as what is done: from the first part on, and however long a part takes, unlike rich's own column."""

    def render(self, task: Task) -> Text:
        """Return hours, minutes and seconds."""
        done, whole, passed = task.completed, task.total, task.elapsed
        left = "-:--:--"
        if done and whole and passed is not None:
            left = str(timedelta(seconds=round(passed * (whole - done) / done)))
        return Text(left, style="progress.remaining")
