"""Time and peak memory of the inventory (asv): 200 rows in 25 categories, formed, and drawn 10,000 times."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path

import carbongrid as cg
from carbongrid.method.categories import Category, read_categories

ROWS, DRAWS = 200, 10_000
OWN = ("industry/steel", "buildings/schools", "agriculture/greenhouses")
"""Categories of a user, so that there are 25."""

_FUELS = ("diesel", "bituminous", "coke", "lpg")
_WORDS = {
    "agriculture/plantation": ("agriculture", "nitrogen/synthetic", "kt", ""),
    "agriculture/husbandry": ("agriculture", "animals/pigs", "head", ""),
    "agriculture/land": ("sinks", "land/forest", "ha", "coefficient=gives_off"),
    "waste/industrial": ("waste", "incineration/plastics", "t", ""),
    "waste/domestic": ("waste", "wastewater/domestic", "person", "protein=33.4 kg/person"),
    "sink/land": ("sinks", "land/forest", "ha", ""),
    "sink/forest": ("sinks", "land/forest", "ha", ""),
    "sink/grassland": ("sinks", "land/grassland", "ha", ""),
    "sink/water": ("sinks", "land/water", "ha", ""),
    "sink/unused": ("sinks", "land/unused", "ha", ""),
    "sink/crops": ("sinks", "crop/rice", "t", ""),
}


def categories() -> dict[str, Category]:
    """Return the package's categories and three more."""
    known = dict(read_categories())
    for name in OWN:
        like = next(home for home in known.values() if home.sector == name.partition("/")[0])
        known[name] = replace(like, name=name)
    return known


def write(folder: Path, rows: int) -> None:
    """Write activity data of so many rows, every category in turn, every amount with an uncertainty."""
    sheets: dict[str, list[str]] = {}
    names = list(categories())
    for number in range(rows):
        name = names[number % len(names)]
        fuel = f"fuel/{_FUELS[number // len(names) % len(_FUELS)]}"
        sheet, activity, unit, words = _WORDS.get(name, (name.partition("/")[0], fuel, "kt", ""))
        home = "sink/forest" if name == "agriculture/land" else name
        sheets.setdefault(sheet, []).append(
            f"r{number},{activity},{home},{number + 1},{unit},{words},5,{number}"
        )
    head = "id,activity,category,amount,unit,parameters,uncertainty_pct,note"
    for sheet, lines in sheets.items():
        (folder / f"{sheet}.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    (folder / "factors.csv").write_text(
        "key,value,unit,gas,low,high\ngives_off,0.5,t C/(hm2 yr),C,0.2,0.9\n", encoding="utf-8"
    )
    (folder / "settings.csv").write_text("setting,value\nyear,2020\n", encoding="utf-8")


class ActivityData:
    """A folder of activity data, formed once so that tables and units are read."""

    timeout = 120

    def setup(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.known = categories()
        write(Path(self.folder.name), ROWS)
        self.formed = self.form()
        cg.inventory.draws(self.formed, 10)

    def teardown(self) -> None:
        self.folder.cleanup()

    def form(self) -> cg.inventory.Inventory:
        data = cg.read_activity(self.folder.name, self.known)
        return cg.inventory.form(data, categories=self.known)

    def time_read_and_form(self) -> None:
        self.form()

    def time_draws(self) -> None:
        cg.inventory.draws(self.formed, DRAWS)

    peakmem_draws = time_draws
