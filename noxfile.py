"""Sessions: ``nox -s tests`` is what the README runs; ``nox -l`` lists them all.

Dependencies come from pyproject's groups, versions from constraints.txt.
"""

from __future__ import annotations

import json
import os
import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.sessions = ["lint", "tests"]

PYPROJECT = nox.project.load_toml("pyproject.toml")


def _install(session: nox.Session, *groups: str) -> None:
    """Install the package with its extras, and groups, at the tested versions."""
    wanted = [name for group in groups for name in nox.project.dependency_groups(PYPROJECT, group)]
    # Processes that tests start would compile 2,000 modules each, where surroundings forbid to keep what is compiled.
    session.env.update(PYTHONDONTWRITEBYTECODE="", UV_COMPILE_BYTECODE="1")
    session.install("-c", "constraints.txt", "-e", ".[all]", *wanted)


def _fresh_numba_cache(session: nox.Session) -> dict[str, str]:
    # Numba's cache does not see an edit in another file, so a session never reuses an old one.
    folder = Path(session.create_tmp()) / "numba"
    shutil.rmtree(folder, ignore_errors=True)
    return {"NUMBA_CACHE_DIR": str(folder)}


def _pytest(session: nox.Session, *words: str, **env: str) -> None:
    session.run("python", "-m", "pytest", *words, env=env)


@nox.session
def tests(session: nox.Session) -> None:
    """Run the whole test suite, and the linters beside it; ends with pytest's closing line."""
    _install(session, "test", "lint")
    with ThreadPoolExecutor(1) as beside:
        linted = beside.submit(_lint, session, silent=True)
        # Assertions of 78,000 lines take half a minute to rewrite, in each process that finds them as they were written.
        session.run("python", "-m", "pytest", "--collect-only", "-qq", *session.posargs, silent=True)  # fmt: skip
        if linted.done():  # so soon: they have failed
            _require_clean(session, linted)
        # A module's tests stay in one process: its runs of whole cases are made once. Else those of few tests came last, however long.
        # One more than cores: a fifth of two cores waited for disks, browsers and QGIS.
        processes = f"--numprocesses={min((os.cpu_count() or 1) + 1, 4)}"
        spread = (processes, "--dist=loadscope", "--no-loadscope-reorder")
        _pytest(session, "--durations=15", *spread, *session.posargs, **_fresh_numba_cache(session))
        _require_clean(session, linted)


@nox.session
def thorough(session: nox.Session) -> None:
    """Run the tests that take long: more of what the default suite tries a little of, more examples of each property, and esda's local parts of Moran's I, which compile for half a minute."""
    _install(session, "test")
    env = {**_fresh_numba_cache(session), "CARBONGRID_EXAMPLES": "12"}
    paths = ("tests/pipeline/test_any_grid.py", "tests/pipeline/test_live.py")
    _pytest(session, "-m", "thorough", *session.posargs, **env)
    _pytest(session, "-m", "", *paths, *session.posargs, **env)
    others = ("--hypothesis-profile=thorough", *(f"--ignore={path}" for path in paths))
    _pytest(session, "-m", "hypothesis and not thorough", *others, *session.posargs, **env)


@nox.session
def lint(session: nox.Session) -> None:
    """Style, types, layers, spelling."""
    _install(session, "test", "lint")
    _lint(session)


def _require_clean(session: nox.Session, linted: Future[None]) -> None:
    """Wait for the linters, and end the session where one has found something: its words stand above, among the tests."""
    if failed := linted.exception():
        session.error(f"a linter has found something, told above: {failed}")


def _lint(session: nox.Session, *, silent: bool = False) -> None:
    """Run the linters; silent ones are heard where they find something."""
    for words in (
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("lint-imports",),
        ("mypy",),
        ("vulture", "carbongrid", "--min-confidence", "80"),
        ("codespell", "carbongrid", "tests", "docs", "examples", "README.md", "CONTRIBUTING.md"),
    ):
        session.run(*words, silent=silent)


@nox.session
def coverage(session: nox.Session) -> None:
    """Branch coverage, kernels run without JIT so that their lines count."""
    _install(session, "test")
    _pytest(
        session,
        *("--cov", "--cov-report=term", "-m", "not full and not thorough"),
        # Hashes wrap on purpose, which NumPy's numbers say and compiled ones do not.
        *("-W", "ignore:overflow encountered in scalar multiply:RuntimeWarning"),
        *session.posargs,
        NUMBA_DISABLE_JIT="1",
    )


@nox.session(python=["3.12", "3.13", "3.14"])
def matrix(session: nox.Session) -> None:
    """Run the tests on every supported Python that is installed."""
    _install(session, "test")
    words = ("-m", "not full and not thorough", *session.posargs)
    _pytest(session, *words, **_fresh_numba_cache(session))


@nox.session(venv_backend="uv")
def lowest(session: nox.Session) -> None:
    """Run the tests with the earliest versions that pyproject says will do, whose own warnings are no errors."""
    # --no-config: else the tested versions, which pyproject repeats, would bind. What has no wheel for this Python is not built.
    means = ("--no-config", "--only-binary", ":all:", "--no-binary", "carbongrid")
    session.install(*means, "--resolution", "lowest-direct", "-e", ".[all]")
    session.install(*means, *nox.project.dependency_groups(PYPROJECT, "test"))
    words = ("-W", "default", "-m", "not full and not thorough", *session.posargs)
    _pytest(session, *words, **_fresh_numba_cache(session))


@nox.session
def docs(session: nox.Session) -> None:
    """Write the generated pages and pictures again and build the site; ``-- build`` only builds."""
    _install(session, "docs")
    if "build" not in session.posargs:
        session.run("python", "docs/generate.py")
    session.run(*("sphinx-build", "-b", "html", "-W", "--keep-going", "-E", "docs", "build/docs"))


@nox.session
def formats(session: nox.Session) -> None:
    """Hand a run's files to the validators of their formats."""
    _install(session, "formats")
    session.run("python", "tools/formats.py", *session.posargs)


@nox.session
def browser(session: nox.Session) -> None:
    """Drive the system's Chromium over reports, the longer checks too."""
    _install(session, "test")
    env = {**_fresh_numba_cache(session), "CARBONGRID_BROWSER": "1"}
    options = ("--log-cli-level=info", *session.posargs)
    _pytest(session, "tests/browser", *options, **env)


@nox.session
def screenshots(session: nox.Session) -> None:
    """Take the pictures of the report for docs/ again, with the system's Chromium."""
    _install(session, "test")
    session.run("python", "docs/screenshots.py", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Assert the seconds and bytes that were promised, then run the benchmarks on this checkout; ``-- --quick`` each once."""
    _install(session, "test", "bench")
    env = {**_fresh_numba_cache(session), "CARBONGRID_BENCH": "1"}
    _pytest(session, "tests/measured", "-q", "--log-cli-level=info", **env)
    session.run("asv", "machine", "--yes")
    session.run("asv", "run", "--python=same", "--launch-method=spawn", *session.posargs)


@nox.session
def peers(session: nox.Session) -> None:
    """Measure ratios to other tools; ``-- --part NAME`` for one part, ``-- --small`` to see that they run."""
    _install(session, "peers")
    env = _fresh_numba_cache(session)
    session.run("python", "benchmarks/peers.py", *session.posargs, env=env)


@nox.session
def profile(session: nox.Session) -> None:
    """Sample where the processor's time goes in a first run, the year after and the demo; ``-- --small`` to see that it runs."""
    _install(session)
    env = _fresh_numba_cache(session)
    session.run("python", "benchmarks/profiling.py", *session.posargs, env=env)


@nox.session
def scaling(session: nox.Session) -> None:
    """Measure how time grows with parcels, cells and threads, and draw it; ``-- threads`` for one series."""
    _install(session)
    session.run(
        "python", "benchmarks/scaling.py", *session.posargs, env=_fresh_numba_cache(session)
    )


@nox.session
def memory(session: nox.Session) -> None:
    """Hold the memory that a run is said to take at least and at most against the peak, on kinds of case and shapes drawn by lot; ``-- KIND`` or ``-- seed-N`` for one."""
    _install(session)
    session.run("python", "benchmarks/memory.py", *session.posargs, env=_fresh_numba_cache(session))


@nox.session
def constraints(session: nox.Session) -> None:
    """Compile constraints.txt anew, for every supported Python, and repeat it in pyproject.toml."""
    # --no-config: else today's pins, which pyproject repeats, would bind tomorrow's.
    session.run(
        *("uv", "pip", "compile", "--quiet", "--no-config", "--universal", "--upgrade"),
        *("--python-version", "3.12", "--no-header", "--no-annotate", "--all-extras"),
        *(word for group in ("dev", "bench", "docs", "formats") for word in ("--group", group)),
        *("pyproject.toml", "-o", "constraints.txt"),
        external=True,
    )
    session.run("python", "tools/pin.py")


@nox.session
def faults(session: nox.Session) -> None:
    """Plant faults of every kind, print the table of counts; with --write into docs/reliability.md."""
    _install(session, "test")
    env = {"PYTHONPATH": "tests", "CARBONGRID_EXAMPLES": "8", **_fresh_numba_cache(session)}
    session.run("python", "-m", "faults", *session.posargs, env=env)
    _pytest(session, "-q", "-m", "", "tests/test_whole_cities.py", **env)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Change bytes in headers for ten minutes, each thousand in a process of bounded memory; ``-- --minutes 60`` for longer."""
    _install(session, "test")
    env = {"PYTHONPATH": "tests", "CARBONGRID_FUZZ": "1", **_fresh_numba_cache(session)}
    session.run("python", "-m", "fuzz", *session.posargs, env=env)


@nox.session
def cluster(session: nox.Session) -> None:
    """Run 4 billion cells, and label 18 billion, on two workers bound to 1 GB each; what is sent and held is asserted."""
    _install(session, "test")
    env = {**_fresh_numba_cache(session), "CARBONGRID_CLUSTER": "1"}
    options = ("-q", "--log-cli-level=info", *session.posargs)
    paths = ("tests/test_cluster_memory.py", "tests/test_cluster_stalls.py")
    _pytest(session, *paths, *options, **env)


@nox.session
def mutants(session: nox.Session) -> None:
    """Plant faults in copies of the package; the tests must notice. ``-- --generated``, ``--handpicked``, ``--room NAME``, ``--write``."""
    _install(session, "test", "mutants")
    session.run("python", "-m", "mutants", *session.posargs, env={"PYTHONPATH": "tools"})


@nox.session
def release(session: nox.Session) -> None:
    """Build wheel and sdist, check them; run the demo from the wheel alone, with its extras, by uvx and by pipx, each in a fresh environment; build and run this platform's wheel."""
    session.install("build", "twine", "pipx")
    folder = Path(session.create_tmp()).absolute()
    shutil.rmtree(folder)
    folder.mkdir()
    session.run("python", "-m", "build", "--outdir", str(folder / "dist"))
    built = [str(path) for path in (folder / "dist").iterdir() if path.suffix in (".whl", ".gz")]
    if len(built) != 2:
        session.error(f"expected a wheel and an sdist, not {built}")
    session.run("python", "-m", "twine", "check", "--strict", *built)
    wheel = next(name for name in built if name.endswith(".whl"))
    core, whole = (
        _fresh_python(session, folder / name, wheel + extras)
        for name, extras in (("core", ""), ("whole", "[all]"))
    )
    # Away from the checkout, so that what runs is what was installed.
    with session.chdir(folder):
        env = {"NUMBA_CACHE_DIR": str(folder / "numba"), "PYTHONPATH": ""}
        for python, *words in (
            # The tiles are burnt again by geocube, which the wheel alone does not bring.
            (core, "demo", "bare", "--size", "small"),
            (core, "verify", "bare/run", "--sample", "0"),
            # Messages name pages, which the wheel brings.
            (core, "docs", "docs/howto/facilities.md"),
            (core, "docs", "D9"),
            (whole, "verify", "bare/run"),
            (whole, "demo", "demo", "--size", "small"),
            (whole, "verify", "demo/run"),
        ):
            session.run(python, "-m", "carbongrid", *words, external=True, env=env)
        mine = ("--python", str(Path(session.bin) / "python"))
        versions = Path(__file__).with_name("constraints.txt")
        uvx = ("uv", "tool", "run", "--isolated", "-c", str(versions), *mine, "--from", wheel)
        pipx = ("pipx", "run", "--no-cache", f"--pip-args=-c '{versions}'", *mine, "--spec", wheel)
        for name, words in (("uvx", uvx), ("pipx", pipx)):
            homes = {"PIPX_HOME": str(folder / "pipx-home")}
            demo = ("carbongrid", "demo", name, "--size", "small")
            session.run(*words, *demo, external=True, env=env | homes)
    _brings_kernels(session, folder, whole)
    reports = [(folder / demo / "run" / "report.html").is_file() for demo in ("bare", "demo")]
    if reports != [False, True]:
        session.error(f"reports of the demos of the wheel alone and with its extras: {reports}")


def _brings_kernels(session: nox.Session, folder: Path, whole: str) -> None:
    """Build this platform's wheel; run from it, nothing is compiled, and tables are those of the wheel for all platforms."""
    versions = ("-c", "constraints.txt")
    session.run(
        "uv", "pip", "install", "--quiet", "-p", whole, *versions, "hatchling", external=True
    )
    session.run(whole, "tools/platform_wheel.py", str(folder / "platform"), external=True)
    (wheel,) = (folder / "platform").glob("*.whl")
    session.run("python", "-m", "twine", "check", "--strict", str(wheel))
    python = _fresh_python(session, folder / "brought", f"{wheel}[all]")
    with session.chdir(folder):
        env = {"NUMBA_CACHE_DIR": str(folder / "unused"), "PYTHONPATH": ""}
        demo = ("demo", "compiled", "--size", "small")
        session.run(python, "-m", "carbongrid", *demo, external=True, env=env)
        session.run(python, "-m", "carbongrid", "verify", "compiled/run", external=True, env=env)
    if (folder / "unused").exists():
        kept = sorted(path.name for path in (folder / "unused").iterdir())
        session.error(f"{wheel.name} brings no code for {', '.join(kept)}")
    digests = [
        json.loads((folder / demo / "run" / "manifest.json").read_text(encoding="utf-8"))["digests"]
        for demo in ("demo", "compiled")
    ]
    if digests[0] != digests[1]:
        session.error("tables of the demo from both wheels differ")


def _fresh_python(session: nox.Session, folder: Path, wanted: str) -> str:
    """Return the Python of a new environment that holds a wheel and the extras named behind it."""
    mine = str(Path(session.bin) / "python")
    session.run("uv", "venv", "--quiet", "-p", mine, str(folder), external=True)
    python = str(folder / "bin" / "python")
    versions = ("-c", "constraints.txt")
    session.run(
        *("uv", "pip", "install", "--quiet", "-p", python, *versions, wanted), external=True
    )
    return python
