"""Time and peak memory of a finished run's answers (asv): the small demo."""

from __future__ import annotations

import tempfile
from pathlib import Path

import carbongrid as cg
from carbongrid.sources.demo import write_city


class Answers:
    """The small demo, run once and opened; each question is asked once before it is timed, as a user asks the second one."""

    timeout = 300

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        folder = Path(self.folder.name)
        self.run = cg.run(write_city(folder / "city", size="small"), folder / "run")
        self.totals = {row.category: row.total / 1e6 + 1 for row in self.run.live.ledger_rows}
        self.plant = self.run.live.inputs.facilities["name"].iloc[0]
        self.ask(self.run.with_totals(self.totals).without(self.plant))

    def teardown(self) -> None:
        self.folder.cleanup()

    def ask(self, answer: cg.LiveResult) -> None:
        assert len(answer.units)
        assert len(answer.ledger)

    def time_first_question(self) -> None:
        run = cg.open(self.run.directory)
        self.ask(run.with_totals({"industry/manufacturing": "150 Mt CO2e"}))

    def time_one_total(self) -> None:
        self.ask(self.run.with_totals({"industry/manufacturing": "150 Mt CO2e"}))

    def time_every_total(self) -> None:
        self.ask(self.run.with_totals(self.totals))

    def time_without_a_facility(self) -> None:
        self.ask(self.run.without(self.plant))

    peakmem_every_total = time_every_total
