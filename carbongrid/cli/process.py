"""The command line as a process of its own, which ends when its work is done."""

from __future__ import annotations

import atexit
import os
import sys

from carbongrid.cli.commands import main


def command() -> None:
    """Run the command line and end the process.

    Notes
    -----
    After a success what Python does at its end is cut short to what others asked for (:mod:`atexit`) and to what is still to be printed: taking the libraries apart,
    module by module, is 0.6 s of a run. Where a command fails or is interrupted, or what it prints finds no room, Python ends as it always does.
    """
    try:
        main()
    except SystemExit as end:
        if end.code:
            raise
    except OSError as error:  # help and version find no room, or nobody reads them
        raise SystemExit(f"error: {error}") from None
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        return
    os._exit(0)
