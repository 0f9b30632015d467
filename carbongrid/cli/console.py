"""How the command line talks: to people in sentences, to machines in JSON, never a traceback."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import math
import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from carbongrid.errors import CarbongridError, InputError, Problem, merged, shown
from carbongrid.raster.portable import interrupt

Progress = Callable[[str, int, int], None]

_A_MOMENT = 0.05
_COLOURS = {"error": "red", "warning": "yellow", "note": "cyan"}

_LINES = "CARBONGRID_PROGRESS"
"""Environment variable; ``lines`` asks for ``progress DONE/TOTAL STEP`` on standard error, as the QGIS plugin does."""

_TERMINATED = 128 + signal.SIGTERM
"""Exit code by which shells and batch systems know SIGTERM."""
_BROKEN_PIPE = 128 + 13  # SIGPIPE, which Windows has none of


class _Terminated(KeyboardInterrupt):
    """SIGTERM: it ends what Ctrl-C ends, and is told apart."""


def or_dash(number: float, width: int, form: str) -> str:
    """Return a number for a column of a terminal, and a dash where it is not known."""
    return f"{'-' if math.isnan(number) else format(number, form):>{width}}"


def escape_what_cannot_be_encoded() -> None:
    """Let standard output show what its encoding lacks as standard error does: as a code, not as a fault."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def _coloured(text: str, **style: Any) -> str:
    """Return a text in its style, which Click leaves out of pipes and files; and plain for who asks for that (https://no-color.org)."""
    import click

    return text if os.environ.get("NO_COLOR") else click.style(text, **style)


def _is_terminal(stream: Any) -> bool:
    """Return whether someone looks on; a stream that is closed, as by ``>&-``, is None."""
    return stream is not None and bool(stream.isatty())


def _folded(line: str, stream: Any) -> str:
    """Return a line as the stream shows it: a terminal breaks lines in words and numbers; a file and a pipe have them whole."""
    if not _is_terminal(stream):
        return line
    from carbongrid.cli.aligned import folded

    try:
        columns = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):  # what stands in for a terminal
        return line
    return folded(line, columns) if columns else line


def _lines_shown(text: str, between: str = "\n") -> str:
    return between.join(map(shown, text.split("\n")))


@dataclass
class Console:
    """What was asked of the output.

    Parameters
    ----------
    quiet
        Say nothing but errors.
    as_json
        One JSON document on standard output, nothing else there.
    """

    quiet: bool = False
    as_json: bool = False
    _terminated: bool = field(default=False, init=False, repr=False, compare=False)

    def say(self, text: str = "", *, whole: bool = False) -> None:
        """Print a line for people; ``whole``: not broken in words where a terminal is narrower."""
        import click

        if not (self.quiet or self.as_json):
            click.echo(shown(text) if whole else _folded(shown(text), sys.stdout))

    def document(self, content: Mapping[str, Any]) -> None:
        """Print the answer for machines, if it was asked for."""
        import click

        if self.as_json:
            # JSON's own codes, since it lacks some of those that standard output would write.
            unicode = (sys.stdout.encoding or "").lower().startswith("utf")
            text = json.dumps(content, ensure_ascii=not unicode, indent=1, default=str)
            click.echo(_lines_shown(text))

    def outcome(self, ok: bool, text: str, *, made: bool = True) -> None:
        """Print a line of what was checked, or was not; what failed goes to standard error, quiet or not."""
        import click

        mark = _coloured("ok  ", fg="green") if ok else _coloured("FAIL", fg="red")
        mark = mark if made else "--  "
        if not (self.as_json or (ok and self.quiet)):
            stream = sys.stdout if ok else sys.stderr
            click.echo(_folded(f"{mark} {shown(text)}", stream), err=not ok)

    def problem(self, problem: Problem) -> None:
        """Print a problem to standard error; warnings and notes keep still when quiet."""
        import click

        if problem.level != "error" and (self.quiet or self.as_json):
            return
        colour = _COLOURS[problem.level]
        level = _coloured(problem.level, fg=colour, bold=True)
        # Further lines stand in, so that none can pass for a problem of its own.
        told = f"{problem.level}: {_lines_shown(str(problem), between='\n  ')}"
        told = "\n".join(_folded(line, sys.stderr) for line in told.split("\n"))
        click.echo(f"{level}{told.removeprefix(problem.level)}", err=True)

    def problems(self, problems: Iterable[Problem]) -> None:
        """Print problems, equal ones as one with a count."""
        for problem in merged(problems):
            self.problem(problem)

    @contextlib.contextmanager
    def resumable(self) -> Iterator[None]:
        """Say after Ctrl-C or SIGTERM that nothing is lost; the command ends as it would."""
        try:
            yield
        except KeyboardInterrupt as error:
            happened = "terminated" if isinstance(error, _Terminated) else "interrupted"
            self._stopped(happened, "; run again to go on: what is finished is taken over")
            if isinstance(error, _Terminated):
                raise SystemExit(_TERMINATED) from None
            raise

    def _stopped(self, happened: str, more: str = "") -> None:
        what = f"{happened}{more}"
        self.document({"status": happened, "problems": [{"what": what}]})
        self.problem(Problem(what))

    @contextlib.contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the package's errors into a message and an exit code."""
        try:
            with self._terminations_as_interrupts(), _interrupts_kept():
                yield
        except CarbongridError as error:
            problems = error.problems if isinstance(error, InputError) else (Problem(str(error)),)
            self.document({"status": "failed", "problems": [vars(each) for each in problems]})
            self.problems(problems)
            raise SystemExit(error.exit_code) from None
        except _Terminated:
            self._stopped("terminated")
            raise SystemExit(_TERMINATED) from None
        except BrokenPipeError:
            # Whoever read the output has read enough, as `head` does: no message, and the code of a shell for it.
            with contextlib.suppress(OSError, ValueError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise SystemExit(_BROKEN_PIPE) from None
        except Exception as error:
            logging.getLogger("carbongrid").info("%s", error, exc_info=error)
            known = isinstance(error, OSError)
            what = str(error) if known else f"{type(error).__name__}: {error}"
            hint = "" if known else "This is a fault of carbongrid; -v shows where it happened."
            self.document({"status": "failed", "problems": [{"what": what}]})
            self.problem(Problem(what, hint=hint))
            raise SystemExit(1) from None

    @contextlib.contextmanager
    def _terminations_as_interrupts(self) -> Iterator[None]:
        """Let SIGTERM end a command in order, as Ctrl-C does: its processes with it, and in words."""
        here = threading.current_thread() is threading.main_thread()
        if not here or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
            yield
            return

        def terminate(_number: int, _frame: object) -> None:
            self._terminated = True
            raise _Terminated

        self._terminated = False
        signal.signal(signal.SIGTERM, terminate)
        try:
            yield
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    @contextlib.contextmanager
    def progress(self) -> Iterator[Progress]:
        """Show a bar for each long step, when a terminal is there; lines for a program that asks for them (:data:`_LINES`).

        Until the first step is told, a bar says how much of the program is loaded: what a command needs is imported inside. A command that was
        terminated ends with its next step, or its last, at the latest: a library that was at work may have kept what was raised to itself.
        """
        with self._shown_progress() as show:

            def told(step: str, done: int, total: int) -> None:
                self._require_not_terminated()
                show(step, done, total)

            yield told
        self._require_not_terminated()

    def _require_not_terminated(self) -> None:
        if self._terminated and threading.current_thread() is threading.main_thread():
            raise _Terminated

    @contextlib.contextmanager
    def _shown_progress(self) -> Iterator[Progress]:
        if os.environ.get(_LINES) == "lines":
            yield _tell_a_program
        elif self.quiet or self.as_json or not _is_terminal(sys.stderr):
            yield lambda _step, _done, _total: None
        else:
            from carbongrid.cli.bars import Bars

            with Bars() as bars:
                yield lambda step, done, total: bars.show(shown(step), done, total)


def _tell_a_program(step: str, done: int, total: int) -> None:
    import click

    click.echo(f"progress {done}/{total} {shown(step)}", err=True)


@contextlib.contextmanager
def warnings_logged() -> Iterator[list[str]]:
    """Give the warnings that are logged meanwhile, each once: those that no file of a run has, for its answer in JSON."""
    kept = _Kept(logging.WARNING)
    logger = logging.getLogger("carbongrid")
    logger.addHandler(kept)
    try:
        yield kept.texts
    finally:
        logger.removeHandler(kept)


@contextlib.contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Ask again for an interrupt that came while a callback ran that cannot raise: Python would print it and go on."""
    usual = sys.unraisablehook
    again: dict[threading.Timer, type[KeyboardInterrupt]] = {}

    def hook(unraisable: Any) -> None:
        lost = unraisable.exc_type
        if lost in (KeyboardInterrupt, _Terminated):
            # Not at once: it would be raised in here, and lost like the first.
            number = signal.SIGTERM if lost is _Terminated else signal.SIGINT
            asks = (threading.main_thread().ident, number)
            timer = threading.Timer(_A_MOMENT, interrupt, asks)
            again[timer] = lost
            timer.start()
        else:
            usual(unraisable)

    sys.unraisablehook = hook
    try:
        yield
        for timer, lost in again.items():
            if timer.is_alive():
                raise lost
    finally:
        sys.unraisablehook = usual
        for timer in again:
            timer.cancel()


class _ToStandardError(logging.StreamHandler[Any]):
    """Writes to what standard error is now: while bars are shown they take its place, and draw themselves anew below the line."""

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, stream: Any) -> None:
        """Stay with standard error."""


class _Kept(logging.Handler):
    """Keeps texts."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said, without where."""
        text = record.getMessage()
        if text not in self.texts:
            self.texts.append(text)


class _Shown(logging.Formatter):
    """Log lines, and tracebacks, as a terminal may show them."""

    def format(self, record: logging.LogRecord) -> str:
        # As of problems: a title or a name with a line break in it begins no line of the log.
        return _lines_shown(super().format(record), between="\n  ")


class _AsProblems(_Shown):
    """Log lines as the command tells its own warnings: who asked for no log reads no names of modules."""

    def format(self, record: logging.LogRecord) -> str:
        return f"{record.levelname.lower()}: {super().format(record)}"


def set_up_logging(verbosity: int, *, quiet: bool = False) -> None:
    """Send the package's log to standard error: warnings unless it is quiet, with -v what is done, with -vv details.

    Warnings of libraries, which may repeat what a file holds, are shown in the same way.
    """
    usual = logging.ERROR if quiet else logging.WARNING
    level = (usual, logging.INFO, logging.DEBUG)[min(verbosity, 2)]
    handler = _ToStandardError()
    handler.setLevel(level)
    handler.setFormatter(
        _Shown("%(levelname)s %(name)s: %(message)s") if verbosity else _AsProblems("%(message)s")
    )
    logger = logging.getLogger("carbongrid")
    logger.handlers[:] = [handler]
    logger.setLevel(min(level, logging.WARNING))  # quiet or not, an answer in JSON has warnings
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(_Shown("%(message)s"))
    warnings.formatwarning = _warning_shown


_in_words = warnings.formatwarning


def _warning_shown(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    line: str | None = None,
) -> str:
    return _lines_shown(_in_words(message, category, filename, lineno, line))
