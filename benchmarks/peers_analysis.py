"""What a finished run is asked: seconds and peak memory of margins, of a thousand draws and of audits, each in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import whole_case
from measuring import Measured, Row
from peers_whole import in_process

SECONDS_OF_CITY, SECONDS_OF_PROVINCE, MEGABYTES = 10.0, 60.0, 3000.0
SECONDS_OF_CHOICES = 120.0

RUN = "import sys, carbongrid as cg\ncg.run(sys.argv[1], sys.argv[2])\n"
DEMO = "import sys\nfrom pathlib import Path\nfrom carbongrid.sources.demo import run_demo\nrun_demo(Path(sys.argv[1]), size=sys.argv[2])\n"
DRAW = "import sys, carbongrid as cg\ncg.probability(sys.argv[1], draws=int(sys.argv[2]))\n"
CHOICES = "import sys, carbongrid as cg\ncg.audit_choices(sys.argv[1])\n"
SCALE = "import sys, carbongrid as cg\ncg.audit_scale(sys.argv[1])\n"
SKILL = "import sys, carbongrid as cg\ncg.skill(sys.argv[1])\n"
MARGINS = "import sys, carbongrid as cg\ncg.margins(sys.argv[1])\n"


def analysis(count: int, side: float, units: int, draws: int) -> Iterator[Row]:
    """Ask the demo and a province; a small one is the small demo and next to nothing."""
    small = draws < 100
    with tempfile.TemporaryDirectory() as name:
        demo, case, out = Path(name) / "demo", Path(name) / "case", Path(name) / "run"
        in_process(DEMO, demo, "small" if small else "full")
        yield from _asked(
            f"the {'small ' if small else ''}demo", demo / "run", draws, SECONDS_OF_CITY
        )
        yield from _audited(f"the {'small ' if small else ''}demo", demo / "run")
        parcels = whole_case.write(case, count, side, units)
        in_process(RUN, case / "case.toml", out)
        size = f"{parcels} parcels, {len(whole_case.CATEGORIES)} categories, {units} units"
        yield from _asked(size, out, draws, SECONDS_OF_PROVINCE)


def _asked(size: str, run: Path, draws: int, seconds: float) -> Iterator[Row]:
    goal = Measured(seconds, MEGABYTES, 0)
    drawn = in_process(DRAW, run, draws)
    note = f"{drawn.peak:.0f} MB of the whole process; less than {MEGABYTES:.0f} is aimed at"
    yield Row(
        "analysis", f"zone probabilities, {draws} draws", "the goal", size, drawn, goal, 1, note
    )
    exact = in_process(MARGINS, run)
    yield Row("analysis", "margins", "-", size, exact, None, None, f"{exact.peak:.0f} MB")


def _audited(size: str, run: Path) -> Iterator[Row]:
    """Read a run's choices otherwise, take other rulers, hold out what is known."""
    goal = Measured(SECONDS_OF_CHOICES, MEGABYTES, 0)
    choices = in_process(CHOICES, run)
    note = f"{choices.peak:.0f} MB of the whole process"
    yield Row("analysis", "audit of choices", "the goal", size, choices, goal, 1, note)
    for what, words in (("audit of scale, fine cells too", SCALE), ("skill", SKILL)):
        asked = in_process(words, run)
        yield Row("analysis", what, "-", size, asked, None, None, f"{asked.peak:.0f} MB")
