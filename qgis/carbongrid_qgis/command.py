"""The installed command: found, started, listened to, and ended when the user cancels."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from queue import Empty, Queue
from typing import IO

from qgis.core import QgsProcessingException, QgsProcessingFeedback, QgsSettings

from .words import tr

_PROGRESS = re.compile(r"progress (\d+)/(\d+) (.*)")
_WAIT_S = 0.1
_PATIENCE_S = 20.0
_OF_QGIS = ("PYTHONHOME", "PYTHONPATH", "GDAL_DATA", "PROJ_DATA", "PROJ_LIB", "GDAL_DRIVER_PATH")
"""What QGIS sets for its own Python and libraries: the command has its own."""


def command() -> str:
    """Return the command: that of the setting ``carbongrid/command``, of CARBONGRID_COMMAND, or of the PATH.

    Raises
    ------
    QgsProcessingException
        If there is none, with how to install it.
    """
    stated = QgsSettings().value("carbongrid/command", "") or os.environ.get(
        "CARBONGRID_COMMAND", ""
    )
    found = shutil.which(stated or "carbongrid")
    if found:
        return found
    if stated:
        raise QgsProcessingException(tr("no_command_there").format(stated))
    raise QgsProcessingException(tr("no_command"))


def run(words: Sequence[str], feedback: QgsProcessingFeedback) -> str:
    """Run the command with these words and return its standard output.

    Its messages go to the log as they come, its steps to the bar; cancelling ends it as Ctrl-C does, so that what is finished is kept.

    Raises
    ------
    QgsProcessingException
        If it fails, with what it said.
    """
    full = [command(), *words]
    feedback.pushCommandInfo(" ".join(full))
    environment = {name: value for name, value in os.environ.items() if name not in _OF_QGIS}
    environment |= {"CARBONGRID_PROGRESS": "lines", "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        full,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment,
    )
    lines: Queue[tuple[bool, str]] = Queue()
    readers = [
        threading.Thread(target=_read, args=(stream, told, lines), daemon=True)
        for stream, told in ((process.stdout, False), (process.stderr, True))
    ]
    for reader in readers:
        reader.start()
    out, said, shown = [], [], ""
    while (
        process.poll() is None or any(reader.is_alive() for reader in readers) or not lines.empty()
    ):
        if feedback.isCanceled() and process.poll() is None:
            _end(process)
            raise QgsProcessingException(tr("canceled"))
        try:
            told, line = lines.get(timeout=_WAIT_S)
        except Empty:
            continue
        step = _PROGRESS.fullmatch(line) if told else None
        if step:
            feedback.setProgress(100.0 * int(step[1]) / max(int(step[2]), 1))
            if step[3] != shown:
                shown = step[3]
                feedback.setProgressText(shown)
        elif told:
            said.append(line)
            _push(line, feedback)
        else:
            out.append(line)
    if process.returncode:
        raise QgsProcessingException(
            tr("failed").format(process.returncode) + "\n" + "\n".join(said[-40:])
        )
    return "\n".join(out)


def _read(stream: IO[str], told: bool, lines: Queue[tuple[bool, str]]) -> None:
    with stream:
        for line in stream:
            lines.put((told, line.rstrip("\n")))


def _push(line: str, feedback: QgsProcessingFeedback) -> None:
    if line.startswith("error"):
        feedback.reportError(line)
    elif line.startswith("warning"):
        feedback.pushWarning(line)
    else:
        feedback.pushInfo(line)


def _end(process: subprocess.Popen[str]) -> None:
    if os.name == "posix":
        process.send_signal(signal.SIGTERM)
        until = time.monotonic() + _PATIENCE_S
        while process.poll() is None and time.monotonic() < until:
            time.sleep(_WAIT_S)
    if process.poll() is None:
        process.kill()
    process.wait()
