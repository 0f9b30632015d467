"""The machine itself as the fault: a user without rights, no home, nowhere to keep anything, settings, names, signals.

Whatever the machine is like, a command does what it does on a sound one, with the same digests of every table, or refuses in words; no
half-written run is left, nor a process. Everything is started from nothing, by a copy of the package that nobody may write.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil
from small_demo import keep_labels
from waiting import HANG, until

import carbongrid
from carbongrid.pipeline.rasterizing import JOURNAL
from carbongrid.raster.kernels.cache import cache_folder
from carbongrid.sources.demo import write_city
from faults.ground import manifest_of
from faults.interruptions import can_mount, tmpfs
from faults.settings import FOLDERS, SETTINGS

AT_ONCE = 2
MARK = "CARBONGRID_FAULTS"
"""Variable by which a command's processes are known, whoever is their parent by now."""
TERMINATED = 143
"""Exit code of a command that SIGTERM ended."""
TRIES = 5
"""So often a run may end before a signal comes."""
_HARM = re.compile(
    r"Traceback \(most recent|fault of carbongrid|Exception ignored|Segmentation|core dumped"
)
_OWN_WORDS = re.compile(
    r"^(error: |Error: |Usage: |Aborted!|FAIL files: .* is not a directory\. Name a finished run\.)",
    re.MULTILINE,
)

Digests = Mapping[str, str]
Environment = Mapping[str, str]


@dataclass
class Trials:
    """What came of one kind of machine.

    Parameters
    ----------
    kind
        What the machine was like.
    tried, same, refused
        Commands, those that did what they do on a sound machine, those that ended with an error in words.
    wrong
        In words, those that did neither.
    skipped
        Why nothing, or not all, could be tried here.
    """

    kind: str
    tried: int = 0
    same: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)
    skipped: str = ""

    def count(self, name: str, verdict: str, text: str = "") -> None:
        """Count a command; a verdict is ``same``, ``refused``, or what is wrong."""
        self.tried += 1
        self.same += verdict == "same"
        self.refused += verdict == "refused"
        if verdict not in ("same", "refused"):
            self.wrong.append(f"{self.kind}, {name}: {verdict}: {text[-1500:]}")


def table_of(kinds: Sequence[Trials]) -> str:
    """Return what came of all as a table in Markdown."""
    lines = ["| machine | commands | same result | refused in words | wrong |", "| --- | ---: | ---: | ---: | ---: |"]  # fmt: skip
    for each in kinds:
        kind = f"{each.kind} (not tried: {each.skipped})" if each.skipped else each.kind
        lines.append(f"| {kind} | {each.tried} | {each.same} | {each.refused} | {len(each.wrong)} |")  # fmt: skip
    counts = [[each.tried, each.same, each.refused, len(each.wrong)] for each in kinds]
    lines.append(f"| all | {' | '.join(str(sum(column)) for column in zip(*counts, strict=True))} |")  # fmt: skip
    return "\n".join(lines)


@dataclass(frozen=True)
class Machine:
    """Where the package is installed, a case, and what a sound run of the case gives.

    Parameters
    ----------
    folder
        Which any user may look into; the case lies in it.
    package
        The folder that holds the package.
    compiled
        Where compiled code is kept.
    digests
        Of the tables of the sound run.
    """

    folder: Path
    package: Path
    compiled: Path
    digests: Digests

    @property
    def case(self) -> Path:
        return self.folder / "case" / "case.toml"

    def environment(self, **settings: str) -> dict[str, str]:
        """Return an environment in which nothing is set but what finds the package and its compiled code, and these."""
        return {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join([str(self.package), *filter(os.path.isdir, sys.path)]),
            "HOME": str(self.folder / "home"),
            "NUMBA_CACHE_DIR": str(self.compiled),
            **settings,
        }

    def place(self, owner: int = -1) -> Path:
        """Return a new folder of a user."""
        made = Path(tempfile.mkdtemp(dir=self.folder / "places"))
        os.chown(made, owner, owner)
        return made


@contextlib.contextmanager
def machine(folder: Path, *, installed: bool = True) -> Iterator[Machine]:
    """Write the small demo city and run it on the machine as it is.

    Parameters
    ----------
    folder
        Where everything lies.
    installed
        Whether the package is copied and nobody may write the copy; else it is the one of this process, with its compiled code.
    """
    source = Path(carbongrid.__file__).parent
    package, compiled = source.parent, cache_folder() or folder / "compiled"
    if installed:
        package, compiled = folder / "installed", folder / "compiled"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, package / "carbongrid", ignore=ignored)
        _allow(package, 0o555, 0o444)
    for name in ("home", "places"):
        (folder / name).mkdir()
    keep_labels(write_city(folder / "case", size="small"))
    _allow(folder / "case", 0o755, 0o644)
    folder.chmod(0o755)
    try:
        made = Machine(folder, package, compiled, {})
        done = command(made, ("run", made.case, "--out", folder / "run"), made.environment())
        assert done.code == 0, done.text
        yield replace(made, digests=digests_of(folder / "run"))
    finally:
        if installed:
            _allow(package, 0o755, 0o644)


def _allow(folder: Path, folders: int, files: int) -> None:
    for each in (folder, *folder.rglob("*")):
        each.chmod(folders if each.is_dir() else files)


def digests_of(run: Path) -> Digests:
    """Return the digests of a finished run's tables; none where there is no run."""
    return dict(manifest_of(run).get("digests", {}))


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code (negative: the signal), all that it said, and whether a process of it is left."""

    code: int
    text: str
    orphans: int


def command(
    on: Machine,
    words: Sequence[object],
    environment: Environment,
    *,
    user: int = -1,
    cwd: Path | None = None,
    strike: Callable[[subprocess.Popen[bytes], str], None] | None = None,
) -> Ended:
    """Run ``carbongrid WORDS`` in a process started from nothing.

    Parameters
    ----------
    on
        Where it is installed.
    words, environment, cwd
        Of the process; nothing else of its surroundings is handed on.
    user
        Number of the user and group that it runs as; default this one.
    strike
        Called with the process and its mark while it runs.
    """
    mark = secrets.token_hex(8)
    # As a file: a process that is left, and holds it open, would keep a pipe from its end.
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "carbongrid", *map(str, words)],
            env={**environment, MARK: mark}, stdin=subprocess.DEVNULL, stdout=said, stderr=said, cwd=cwd or on.folder,
            start_new_session=True, **({"user": user, "group": user, "extra_groups": ()} if user >= 0 else {}),
        )  # fmt: skip
        try:
            if strike is not None:
                strike(process, mark)
            code = process.wait(HANG)
        finally:
            process.kill()
            orphans = _left(mark)
        said.seek(0)
        return Ended(code, said.read().decode(errors="replace"), orphans)


def marked(mark: str) -> list[psutil.Process]:
    """Return the processes of a command that are there."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.environ().get(MARK) == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def _left(mark: str) -> int:
    """Return how many processes of a command outlive it, and end them."""
    _, alive = psutil.wait_procs(marked(mark), timeout=60)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()
    return len(alive)


def verdict(
    on: Machine, ended: Ended, run: Path | None = None, codes: Sequence[int] = (1, 2)
) -> str:
    """Return ``same``, ``refused``, or what is wrong; ``run``: the run that was to be made; ``codes``: of what refuses."""
    if _HARM.search(ended.text):
        return "a traceback, or a fault of the package"
    if ended.orphans:
        return f"{ended.orphans} processes are left"
    if ended.code == 0:
        return "same" if run is None or digests_of(run) == on.digests else "another result"
    if ended.code not in codes or not _OWN_WORDS.search(ended.text):
        return f"ended with {ended.code} and without words"
    return "refused" if run is None or not run.exists() else "refused, and a run is there"


def _try(
    trials: Trials, each: Callable[[str], tuple[str, str]], names: Sequence[str], at_once: int
) -> Trials:
    with ThreadPoolExecutor(at_once) as pool:
        for name, (verdict, text) in zip(names, pool.map(each, names), strict=True):
            trials.count(name, verdict, text)
    return trials


def without_rights(on: Machine, few: bool = False) -> Trials:
    """Do everything as ``nobody``, who has no home and may write only one folder."""
    trials = Trials("nobody, without a home, with a package that is read-only")
    if os.geteuid() != 0:
        trials.skipped = "only root can become nobody"
        return trials
    nobody = pwd.getpwnam("nobody").pw_uid
    place = on.place(nobody)
    surroundings = on.environment(HOME="/nonexistent")
    del surroundings["NUMBA_CACHE_DIR"]
    reaches = subprocess.run(
        [sys.executable, "-c", "import numpy, carbongrid"], env=surroundings, cwd=place, user=nobody, group=nobody,
        extra_groups=(), capture_output=True, check=False,
    )  # fmt: skip
    if reaches.returncode:
        trials.skipped = "nobody may not read this Python"
        return trials
    run = place / "run"
    steps: list[tuple[object, ...]] = [
        ("run", on.case, "--out", run),
        ("verify", run),
        ("figures", run, "--dpi", 50),
        ("demo", place / "demo", "--size", "small"),
        ("check", on.case),
        ("init", place / "mine"),
        ("run", on.case, "--out", place / "workers", "--workers", 1),
        ("run", on.case, "--out", on.folder / "closed"),
        ("init", on.folder / "closed"),
    ]
    for words in steps[: 2 if few else None]:
        made = Path(str(words[3])) if words[0] == "run" else None
        made = place / "demo" / "run" if words[0] == "demo" else made
        ended = command(on, words, surroundings, user=nobody, cwd=place)
        trials.count(" ".join(map(str, words)), verdict(on, ended, made), ended.text)
    return trials


def nowhere_to_keep(on: Machine, few: bool = False) -> Trials:
    """Let compiled code, and what libraries keep for themselves, find no place."""
    trials = Trials("nowhere to keep compiled code or temporary files, or no room there")
    odd = on.folder / "odd"
    odd.mkdir()
    (odd / "file").touch()
    (odd / "loop").symlink_to(odd / "loop")
    (odd / "dangling").symlink_to("/nowhere/at/all")
    (odd / "open").mkdir()
    (odd / "open").chmod(0o777)
    (odd / "# ?!\n%41").mkdir()
    (odd / "full").mkdir()
    places = {
        "a file": odd / "file",
        "a link to itself": odd / "loop",
        "a link to nothing": odd / "dangling",
        "a folder of everybody": odd / "open",
        "an odd name": odd / "# ?!\n%41",
        "a device": "/dev/full",
        "the kernel's": "/proc/1",
        "relative": "-x",
        "too long": "/" + "n" * 300,
        "full": odd / "full",
    }
    settings = {f"NUMBA_CACHE_DIR {name}": {"NUMBA_CACHE_DIR": str(value)} for name, value in places.items()}  # fmt: skip
    settings |= {f"TMPDIR {name}": {"TMPDIR": str(value)} for name, value in places.items()}
    settings["no home, no cache"] = {"HOME": "/nonexistent", "NUMBA_CACHE_DIR": ""}
    settings["XDG_CACHE_HOME a file"] = {"XDG_CACHE_HOME": str(odd / "file"), "NUMBA_CACHE_DIR": ""}
    settings["home a device"] = {"HOME": "/dev/null", "MPLCONFIGDIR": "/dev/null"}
    names = ["TMPDIR a file", "TMPDIR an odd name"] if few else list(settings)

    def each(name: str) -> tuple[str, str]:
        return _run_and_verify(on, on.environment(**settings[name]))

    with contextlib.ExitStack() as stack:
        if can_mount(on.folder):
            stack.enter_context(tmpfs(odd / "full", 65536))
        else:
            trials.skipped = "a full disk, which this user may not mount"
            names = [name for name in names if not name.endswith(" full")]
        _try(trials, each, names, AT_ONCE)
    return trials


def _run_and_verify(on: Machine, environment: Environment) -> tuple[str, str]:
    place = on.place()
    ended = command(on, ("run", on.case, "--out", place / "run"), environment, cwd=place)
    found = verdict(on, ended, place / "run")
    shutil.rmtree(place)
    return found, ended.text


def settings(on: Machine, few: bool = False) -> Trials:
    """Run with each of the settings."""
    trials = Trials(f"{len(SETTINGS)} environments with settings that nobody means well")
    known = {" ".join(f"{key}={value}" for key, value in each.items()): each for each in SETTINGS}
    assert len(known) == len(SETTINGS)
    names = [name for name in known if name.startswith("GDAL_SKIP=GPKG")] if few else list(known)

    def each(name: str) -> tuple[str, str]:
        return _run_and_verify(on, on.environment(**known[name]))

    return _try(trials, each, names, AT_ONCE)


def folders(on: Machine, few: bool = False) -> Trials:
    """Run, verify and draw where the case, the run and the process lie in folders with odd names."""
    trials = Trials("folders with odd names: run, verify, figures")
    names = [name for name in FOLDERS if "\n" in name] if few else list(FOLDERS)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for counted in pool.map(lambda name: list(_in_folder(on, name, few)), names):
            for each in counted:
                trials.count(*each)
    return trials


def _in_folder(on: Machine, name: str, few: bool) -> Iterator[tuple[str, str, str]]:
    place = on.place()
    shutil.copytree(on.case.parent, place / name)
    # Relative, so that the command line sees a name that begins with a dash as it is.
    out = f"{name}/run {name}"
    steps: list[tuple[object, ...]] = [
        ("run", f"--out={out}", "--", f"{name}/case.toml"),
        ("verify", "--", out),
        ("figures", "--dpi=50", "--format=png", f"--out={name}/figures", "--", out),
    ]
    for words in steps[: 2 if few else None]:
        ended = command(on, words, on.environment(), cwd=place)
        run = place / out if words[0] == "run" else None
        yield f"{words[0]} in {name!r}", verdict(on, ended, run), ended.text
    shutil.rmtree(place)


def terminations(on: Machine, few: bool = False) -> Trials:
    """SIGTERM to a run, or to one of its workers, at several stages; then run again."""
    trials = Trials("SIGTERM to a run or to one of its workers, then run again")
    means: list[tuple[object, ...]] = [("--scheduler", "processes"), ("--workers", 2), ()]
    for options in means[: 1 if few else None]:
        for victim in ("run", "worker") if options else ("run",):
            for stage in ("begun", "working", "tiles finished"):
                if few and stage != "working":
                    continue
                told = f"{victim} {options}, {stage}"
                trials.count(told, *_terminated(on, options, victim, stage))
    return trials


def _terminated(
    on: Machine, options: tuple[object, ...], victim: str, stage: str
) -> tuple[str, str]:
    for _ in range(TRIES):
        struck, found, text = _terminated_once(on, options, victim, stage)
        if struck or found != "same":
            return found, text
    return f"ended before the signal came, {TRIES} times", text


def _terminated_once(
    on: Machine, options: tuple[object, ...], victim: str, stage: str
) -> tuple[bool, str, str]:
    """Return whether the signal came while the victim lived and the run was not finished, the verdict, and what was said."""
    place = on.place()
    run, partial = place / "run", place / ".run.partial"
    struck = False

    def strike(process: subprocess.Popen[bytes], mark: str) -> None:
        def workers() -> list[psutil.Process]:
            return [each for each in _workers(mark) if each.pid != process.pid]

        def reached() -> bool:
            if process.poll() is not None:
                return True
            if stage == "begun":
                there = partial.exists()
            elif stage == "working":
                there = not options or bool(workers())
                there &= partial.exists()
            else:
                there = any(partial.glob(f"{JOURNAL}/*/*.npz"))
            return there and (victim == "run" or bool(workers()))

        until(reached)
        nonlocal struck
        with contextlib.suppress(psutil.Error, IndexError):
            struck = _strike(psutil.Process(process.pid) if victim == "run" else workers()[-1], run)

    words = ("run", on.case, "--out", run, "--chunks", 64)
    ended = command(on, (*words, *options), on.environment(), strike=strike)
    if struck and victim == "run":
        found = verdict(on, ended, run, codes=(TERMINATED,))
        if found == "same":
            found = "goes on to its end, though it was terminated"
    else:
        found = verdict(on, ended, run)
    if found in ("same", "refused"):
        again = command(on, (*words, "--replace"), on.environment())
        if verdict(on, again, run) != "same":
            return struck, "cannot be run again", ended.text + again.text
        left = sorted(each.name for each in place.iterdir())
        if left != ["run"]:
            return struck, f"leaves {left}", ended.text
    shutil.rmtree(place)
    return struck, found, ended.text


def _strike(victim: psutil.Process, run: Path) -> bool:
    """Send SIGTERM to a process that lives while its run is not finished; tell whether it was sent."""
    # Stopped, it cannot end between the look and the signal.
    victim.suspend()
    try:
        until(lambda: victim.status() in (psutil.STATUS_STOPPED, psutil.STATUS_ZOMBIE))
        lives = victim.status() == psutil.STATUS_STOPPED and not run.exists()
        if lives:
            victim.terminate()
        return lives
    finally:
        victim.resume()


def _workers(mark: str) -> list[psutil.Process]:
    found = []
    for process in marked(mark):
        with contextlib.suppress(psutil.Error):
            if "spawn_main" in " ".join(process.cmdline()):
                found.append(process)
    return found


KINDS: dict[str, Callable[[Machine, bool], Trials]] = {
    "nobody": without_rights,
    "keep": nowhere_to_keep,
    "settings": settings,
    "folders": folders,
    "terminations": terminations,
}


def all_kinds(on: Machine, few: bool = False) -> Iterator[Trials]:
    """Try every kind; a few commands of each, or all."""
    for kind in KINDS.values():
        yield kind(on, few)
