"""The command line as a process of its own, which ends when its work is done."""

from __future__ import annotations

import atexit
import os
import sys
from sys import monitoring

from carbongrid.cli.group import main

_WATCHERS = (monitoring.DEBUGGER_ID, monitoring.COVERAGE_ID, monitoring.PROFILER_ID)


def command() -> None:
    """Run the command line and end the process.

    Notes
    -----
    After a success what Python does at its end is cut short to what others asked for (:mod:`atexit`) and to what is still to be printed: taking the libraries apart,
    module by module, is 0.6 s of a run. Where a command fails or is interrupted, what it prints finds no room, or somebody looks on, Python ends as it always does.
    A program that has a command line of its own calls :data:`main`.
    """
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    except OSError as error:  # help and version find no room, or nobody reads them
        raise SystemExit(f"error: {error}") from None
    if _is_watched():
        return
    atexit._run_exitfuncs()
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:  # as where it is closed from the start
                stream.flush()
    except (OSError, ValueError):
        return
    os._exit(0)


def _is_watched() -> bool:
    """Return whether a debugger, a profiler or a user at a prompt goes on after the command: coverage is written at Python's own end."""
    looks_on = sys.gettrace() or sys.getprofile() or any(map(monitoring.get_tool, _WATCHERS))
    return bool(looks_on or sys.flags.interactive or hasattr(sys, "ps1"))
