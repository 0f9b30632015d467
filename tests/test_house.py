"""The house itself: pins agree, the command line is light, the public names are there, no test depends on the machine, no text on its encoding."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator

import pytest
import yaml  # of dask
from data import ROOT

import carbongrid as cg


def test_the_constraints_are_repeated_for_uv_run() -> None:
    pins = [
        line.replace('"', "'")
        for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").split("\n")
        if line
    ]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["tool"]["uv"]["constraint-dependencies"] == pins


def test_nothing_compiled_is_part_of_the_project() -> None:
    """Kept kernels of one machine are pickles that run as whoever loads them."""
    done = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip("this is no checkout")
    files = done.stdout.splitlines()
    assert len(files) > 500
    assert [name for name in files if name.endswith((".nbc", ".nbi", ".pyc", ".so"))] == []


def test_every_public_name_loads() -> None:
    for name in cg.__all__:
        assert getattr(cg, name) is not None


def test_a_public_function_stays_one_after_its_module_was_imported() -> None:
    import carbongrid.pipeline.verification
    import carbongrid.raster.overlaps

    assert carbongrid.raster.overlaps.overlap is cg.overlap
    assert carbongrid.pipeline.verification.verify is cg.verify
    assert callable(cg.indices)


def test_help_imports_nothing_heavy() -> None:
    script = (
        "import sys\nfrom carbongrid.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "heavy = {'pandas', 'geopandas', 'numba', 'dask', 'xarray', 'rasterio'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "demo" in done.stdout


def test_the_citation_is_that_of_the_package() -> None:
    """By the schema of CFF 1.2.0 these keys have to be there; what is cited is this version. Seen to pass a file that was no YAML, and one author for a list of them."""
    told = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors"} <= set(told)
    assert isinstance(told["authors"], list)
    assert all({"name", "family-names"} & set(author) for author in told["authors"])
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (told["title"], told["version"]) == (project["name"], cg.__version__)
    assert told["license"] == project["license"]
    page = (ROOT / "docs" / "howto" / "cite.md").read_text(encoding="utf-8")
    assert f"carbongrid, version {cg.__version__}." in page


def test_the_readme_has_both_commands() -> None:
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    boot = "python3 -m venv .boot && .boot/bin/pip install -q uv && .boot/bin/uv run "
    assert boot + "carbongrid demo out" in lines
    assert boot + "nox -s tests" in lines


def unencoded(text: str) -> Iterator[str]:
    """Find text files that are read or written in the encoding of the machine."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            named = {word.arg: word.value for word in node.keywords}
            first = node.args[0] if node.args else named.get("mode")
            mode = first.value if isinstance(first, ast.Constant) else None
            opened = isinstance(mode, str) and re.fullmatch(r"[rwax+t]+", mode) is not None
            # Without a mode it is text, but for a raster in memory.
            bare = first is None and ast.unparse(node.func.value) != "memory"
            texts = {
                "read_text": not node.args,
                "write_text": len(node.args) < 2,
                "open": len(node.args) < 3 and (opened or bare),
            }
            if texts.get(node.func.attr) and "encoding" not in named:
                yield f"line {node.lineno}: {ast.unparse(node)}"


def test_text_is_in_utf_8_on_every_machine() -> None:
    """Seen to fail with the case of Liechtenstein, whose © was no TOML where the machine's encoding is cp1252."""
    found, looked_at = {}, 0
    for folder in ("carbongrid", "qgis", "examples", "benchmarks", "docs", "tests", "tools"):
        for path in (ROOT / folder).rglob("*.py"):
            looked_at += 1
            text = path.read_text(encoding="utf-8")
            # Two files in three need no parsing.
            lines = list(unencoded(text)) if "_text(" in text or ".open(" in text else []
            if lines:
                found[path.relative_to(ROOT).as_posix()] = lines
    assert looked_at > 500
    assert found == {}


@pytest.mark.parametrize(
    ("line", "depends"),
    [
        ("case.write_text(CASE)", True),
        ("(folder / 'a.csv').write_text('a', newline='')", True),
        ("path.read_text()", True),
        ("path.open()", True),
        ("path.open(newline='')", True),
        ("path.open('a+')", True),
        ("path.open(mode='w')", True),
        ("path.read_text('utf-8')", False),
        ("path.write_text(text, encoding='gb18030')", False),
        ("path.open('r', encoding='utf-8')", False),
        ("path.open('wb')", False),
        ("rasterio.open(path, 'w', driver='GTiff')", False),
        ("read_text(path)", False),
    ],
)
def test_text_in_the_encoding_of_the_machine_would_be_noticed(line: str, depends: bool) -> None:
    assert bool(list(unencoded(line))) == depends


SESSIONS = {
    "bench": ("CARBONGRID_BENCH", ["measured/test_memory.py", "measured/test_speed.py"]),
    "browser": ("CARBONGRID_BROWSER", ["browser/test_long.py", "browser/test_whole_country.py"]),
    "cluster": ("CARBONGRID_CLUSTER", ["test_cluster_memory.py", "test_cluster_stalls.py"]),
}
"""Sessions of noxfile.py that measure, the variable without which their tests are not collected, and these."""

STRIKES = [
    "fuzz/__main__.py",
    "faults/__main__.py",
    "faults/forking.py",
    "faults/interruptions.py",
    "faults/tally.py",
]
"""Commands of their own: they end processes at random moments, or go on for a time, and what they ask for holds at every moment."""

TESTS = ROOT / "tests"
MEASURES = re.compile(
    r"\b(sleep|perf_counter(_ns)?|monotonic(_ns)?|process_time(_ns)?|thread_time(_ns)?|timeit|default_timer|time_ns|getrusage|ru_maxrss"
    r"|tracemalloc|memory_info|memory_full_info|virtual_memory|cpu_times|cpu_percent|getloadavg|VmHWM|VmRSS|VmPeak"
    r"|setitimer|Timer|call_later)\b"
)
"""Names by which Python tells time and memory, or does something after a time."""
WAITS = {"wait", "join", "result", "acquire", "alarm"}
MIN_PATIENCE = 60


def lapses(text: str) -> Iterator[str]:
    """Find what makes a test depend on time or memory: names that tell them, code in strings included, and little patience."""
    tree = ast.parse(text)
    for node in ast.walk(tree):
        line = f"line {getattr(node, 'lineno', 0)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            modules = [getattr(node, "module", None), *(name.name for name in node.names)]
            yield from (f"{line}: {name}" for name in modules if name == "time" or _measures(name))
        elif isinstance(node, ast.Attribute) and _measures(node.attr):
            yield f"{line}: {node.attr}"
        elif isinstance(node, ast.Name) and _measures(node.id):
            yield f"{line}: {node.id}"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            # Code for another process, not words about it.
            yield from (
                f"{line}: {found[0]}" for found in re.finditer(r"\bimport .*\btime\b|\btime\.\w+\(|getrusage|tracemalloc|VmHWM|VmRSS", node.value)
            )  # fmt: skip
            seconds = re.fullmatch(r"(\d+(?:\.\d+)?) ?s", node.value)
            if seconds and 0 < float(seconds[1]) < MIN_PATIENCE:
                yield f"{line}: {node.value} of patience"
        elif isinstance(node, ast.Call):
            yield from (f"{line}: {what}" for what in _impatience(node))


def _measures(name: str | None) -> bool:
    return name is not None and MEASURES.fullmatch(name) is not None


def _impatience(call: ast.Call) -> Iterator[str]:
    named = {word.arg: word.value for word in call.keywords}
    waits = isinstance(call.func, ast.Attribute) and call.func.attr in WAITS
    given = [named.get("timeout"), *(call.args[:1] if waits else ())]
    for value in given:
        seconds = getattr(value, "value", None)
        # An alarm of no seconds is one that is taken back.
        if isinstance(seconds, int | float) and 0 < seconds < MIN_PATIENCE:
            yield f"{seconds} s of patience"
    deadline = named.get("deadline")
    if deadline is not None and getattr(deadline, "value", deadline) is not None:
        yield "a deadline of examples"
    checks = named.get("suppress_health_check")
    if checks is not None and not re.search("too_slow|list\\(HealthCheck\\)", ast.unparse(checks)):
        yield "a check of how slow examples are"


def test_no_test_of_the_default_suite_depends_on_time_or_memory() -> None:
    """Such figures belong to the sessions above; whoever waits for others does it by ``waiting.until``, or by ``HANG``."""
    measuring = {path for _, paths in SESSIONS.values() for path in paths}
    excused = {*measuring, *STRIKES, "waiting.py", "test_house.py"}
    assert all((TESTS / path).is_file() for path in excused)
    found = {}
    for path in TESTS.rglob("*.py"):
        name = path.relative_to(TESTS).as_posix()
        if name not in excused:
            found[name] = list(lapses(path.read_text(encoding="utf-8")))
    assert len(found) > 100
    assert {name: lines for name, lines in found.items() if lines} == {}
    # Whoever needs no excuse has none.
    for name in excused - {"test_house.py"}:
        assert list(lapses((TESTS / name).read_text(encoding="utf-8"))), name


def test_no_cluster_of_a_test_asks_for_the_usual_port() -> None:
    """Another program, or a second suite, may have it. Seen to fail with the three that let Dask choose."""
    started = 0
    for path in TESTS.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        clusters = len(re.findall(r"LocalCluster\(\s*[^)*\s]|LocalCluster\([^)]*\*\*", text))
        asked = text.count('"127.0.0.1:0"')
        if path.name != "test_house.py" and clusters:
            started += clusters
            assert asked >= clusters, path.name
    assert started > 4


@pytest.mark.parametrize(
    "lapse",
    [
        "import time\nassert time.perf_counter() < 2",
        "from time import sleep",
        "import time as clock",
        "import tracemalloc",
        "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss",
        "assert psutil.Process().memory_info().rss < 10**9",
        'CODE = """\nimport sys, time\n"""',
        'os.environ["DASK_DISTRIBUTED__SCHEDULER__WORKER_TTL"] = "2s"',
        "threading.Timer(1.0, work).start()",
        "process.wait(10)",
        "signal.alarm(5)",
        "future.result(timeout=2.5)",
        "client.wait_for_workers(3, timeout=30)",
        "subprocess.run(words, timeout=10)",
        "@settings(deadline=500)\ndef test(): pass",
        "@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])\ndef test(): pass",
    ],
)
def test_a_test_that_depends_on_time_or_memory_would_be_noticed(lapse: str) -> None:
    assert list(lapses(lapse))


@pytest.mark.parametrize(
    "sound",
    [
        "'A run takes time, and a thread may sleep.'",
        "process.wait(HANG)",
        "signal.alarm(600)",
        "signal.alarm(0)",
        "dask.config.set({'distributed.deploy.lost-worker-timeout': '0s'})",
        "subprocess.run(words, timeout=HANG)",
        "', '.join(words)",
        "@settings(deadline=None, max_examples=3)\ndef test(): pass",
        "until(lambda: path.exists())",
    ],
)
def test_a_test_that_waits_for_others_is_none_of_them(sound: str) -> None:
    assert list(lapses(sound)) == []


@pytest.mark.parametrize("session", SESSIONS)
def test_what_measures_is_run_by_its_session_and_not_by_default(
    session: str, request: pytest.FixtureRequest
) -> None:
    """Seen to fail when the session is told another variable, and when its tests are collected by default."""
    variable, paths = SESSIONS[session]
    noxfile = ast.parse((ROOT / "noxfile.py").read_text(encoding="utf-8"))
    (function,) = [node for node in noxfile.body if getattr(node, "name", "") == session]
    said = {node.value for node in ast.walk(function) if isinstance(node, ast.Constant)}
    assert variable in said
    for path in paths:
        assert {f"tests/{path}", f"tests/{path.partition('/')[0]}"} & said
    if variable not in os.environ:
        mine = {TESTS / path for path in paths}
        assert [item.nodeid for item in request.session.items if item.path in mine] == []
    config = (TESTS / paths[0]).parent / "conftest.py"
    assert f'"{variable}" not in os.environ' in config.read_text(encoding="utf-8")


def test_the_modules_that_are_begun_first_are_there(request: pytest.FixtureRequest) -> None:
    config = request.config.pluginmanager.get_plugin(str(TESTS / "conftest.py"))
    assert [name for name in config.LONG_MODULES if not (TESTS / name).is_file()] == []


def test_whatever_is_not_collected_belongs_to_a_session() -> None:
    """Seen to fail with a file that only ``collect_ignore`` named: no session was known to run it."""
    left_out = {
        path.relative_to(TESTS).as_posix()
        for config in TESTS.rglob("conftest.py")
        for node in ast.walk(ast.parse(config.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assign)
        and ast.unparse(node.targets[0]).startswith("collect_ignore")
        for pattern in ast.literal_eval(node.value)
        for path in config.parent.glob(pattern)
    }
    assert left_out == {path for _, paths in SESSIONS.values() for path in paths}
